//! The store as its users see it: what was pushed is read, whatever happened in between.

mod crash;
mod maintenance;
mod model;
mod push;
