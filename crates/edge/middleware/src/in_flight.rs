//! `inFlightReq`: at most so many requests of one source at a time.

use std::{collections::HashMap, sync::Arc};

use http::StatusCode;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    BoxFuture, BuildError, Guarded, Handler, Request, Response, SourceCriterion, handler::answer_status,
    source::Source,
};

/// Options of `inFlightReq`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InFlightReq {
    /// Requests at a time, over it 429; 0 and less refuse all.
    pub amount: i64,
    /// What counts together; the host if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
}

impl InFlightReq {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        let source = Source::new(self.source_criterion.as_ref(), Source::Host)?;
        Ok(Arc::new(Limit { amount: self.amount, source, open: Arc::default(), next }))
    }
}

struct Limit {
    amount: i64,
    source: Source,
    open: Open,
    next: Arc<dyn Handler>,
}

/// Open requests by source. It holds no more entries than there are requests open.
type Open = Arc<Mutex<HashMap<String, i64>>>;

/// One open request.
struct Place {
    open: Open,
    source: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.source) {
            *count -= 1;
            if *count <= 0 {
                open.remove(&self.source);
            }
        }
    }
}

impl Limit {
    fn enter(&self, source: String) -> Option<Place> {
        let mut open = self.open.lock();
        let count = open.get(&source).copied().unwrap_or_default();
        if count >= self.amount {
            return None;
        }
        open.insert(source.clone(), count + 1);
        Some(Place { open: self.open.clone(), source })
    }
}

impl Handler for Limit {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        let place = self.enter(self.source.of(&request));
        Box::pin(async move {
            let Some(place) = place else { return answer_status(StatusCode::TOO_MANY_REQUESTS) };
            self.next.handle(request).await.map(|body| Guarded::wrap(body, place))
        })
    }
}
