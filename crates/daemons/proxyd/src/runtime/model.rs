//! What the API tells of each element.

use std::sync::Arc;

use balance::ServiceConfig;
use middleware::MiddlewareConfig;
use serde::Serialize;
use serde_json::Value as Json;

use crate::config::dynamic_file::RouterConfig;

/// Whether an element is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// It is.
    #[default]
    Enabled,
    /// It is, but there is something to know.
    Warning,
    /// It is not.
    Disabled,
}

/// Errors and the status they make.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    pub(crate) status: Status,
    pub(crate) errors: Vec<Arc<str>>,
}

impl Findings {
    pub(crate) fn warn(&mut self, message: impl Into<Arc<str>>) {
        self.errors.push(message.into());
        if self.status == Status::Enabled {
            self.status = Status::Warning;
        }
    }

    pub(crate) fn disable(&mut self, message: impl Into<Arc<str>>) {
        self.errors.push(message.into());
        self.status = Status::Disabled;
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct RouterInfo {
    /// `None` if it could not be read.
    pub(crate) config: Option<RouterConfig>,
    pub(crate) findings: Findings,
    /// Entry points it is on.
    pub(crate) using: Vec<String>,
    pub(crate) priority: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceInfo {
    /// `None` if it could not be read, and for services of the proxy's own.
    pub(crate) config: Option<ServiceConfig>,
    pub(crate) findings: Findings,
    pub(crate) used_by: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct MiddlewareInfo {
    /// `None` if it could not be read.
    pub(crate) config: Option<MiddlewareConfig>,
    pub(crate) findings: Findings,
    pub(crate) used_by: Vec<String>,
}

/// An element of TCP or UDP.
#[derive(Debug, Clone)]
pub(crate) struct ForeignInfo {
    pub(crate) config: Json,
    pub(crate) findings: Findings,
}
