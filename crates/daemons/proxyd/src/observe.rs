//! What the proxy tells of the requests it serves: metrics and the access log, both from one [`Exchange`].

mod access_log;
mod exchange;
mod metrics;

pub(crate) use access_log::AccessLog;
pub(crate) use exchange::{Exchange, RequestFacts};
pub(crate) use metrics::{OpenRequest, ProxyMetrics, TlsFacts};
