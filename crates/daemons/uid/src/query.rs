//! Panel queries: from Grafana's request to the data source's and from its answer to data frames.

mod frame;
mod heatmap;
mod interval;
mod legend;
mod loki;
mod prometheus;
mod request;
mod run;
mod series;
mod table;
mod time_range;
mod variables;

#[cfg(test)]
mod tests;

pub(crate) use request::{QueryRequest, RequestError};
pub(crate) use run::QueryRunner;
