//! The daemon as a whole: its API, and what it sends.

mod api;
mod notifications;
mod running;
