//! `ipAllowList` (before version 3 `ipWhiteList`): only from some addresses.

use std::sync::Arc;

use http::StatusCode;
use router::IpRange;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::{
    BoxFuture, BuildError, Handler, IpStrategy, Request, Response,
    handler::answer_status,
    source::{IpPicker, parse_ranges},
};

/// Options of `ipAllowList`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct IpAllowList {
    /// Addresses and networks that may; needed.
    pub source_range: Vec<String>,
    /// Which address counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// Status for the others; 403 if 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_status_code: Option<u16>,
}

impl IpAllowList {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if self.source_range.is_empty() {
            return Err(BuildError::value("ipAllowList.sourceRange", "sourceRange is empty"));
        }
        let allowed = parse_ranges("ipAllowList.sourceRange", &self.source_range)?;
        let picker = self.ip_strategy.as_ref().map(IpPicker::new).transpose()?.unwrap_or_default();
        let status = match self.reject_status_code {
            None | Some(0) => StatusCode::FORBIDDEN,
            Some(code) => StatusCode::from_u16(code)
                .map_err(|error| BuildError::value("ipAllowList.rejectStatusCode", error))?,
        };
        Ok(Arc::new(Gate { allowed, picker, status, next }))
    }
}

struct Gate {
    allowed: Vec<IpRange>,
    picker: IpPicker,
    status: StatusCode,
    next: Arc<dyn Handler>,
}

impl Handler for Gate {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        let address = self.picker.pick(&request);
        let may = address.is_some_and(|address| self.allowed.iter().any(|range| range.contains(address)));
        if may {
            return self.next.handle(request);
        }
        debug!(?address, "address is not on the allow list");
        Box::pin(async { answer_status(self.status) })
    }
}
