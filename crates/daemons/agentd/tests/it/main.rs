//! The agent as a whole, against servers that record.

mod agent;
mod configs;
mod delivery;
mod grpc;
mod pages;
mod restart;
