//! The daemon as clients see it: real sockets, a recorder as the data source.

mod dashboards;
mod data_sources;
mod login;
mod queries;
mod seed;
mod server;
mod web_app;
