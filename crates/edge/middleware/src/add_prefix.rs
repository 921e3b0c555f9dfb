//! `addPrefix`: puts a prefix before the path.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{BoxFuture, BuildError, Handler, Request, Response, set_path};

/// Options of `addPrefix`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AddPrefix {
    /// The prefix; needed.
    pub prefix: String,
}

impl AddPrefix {
    pub(crate) fn build(&self, next: Arc<dyn Handler>) -> Result<Arc<dyn Handler>, BuildError> {
        if self.prefix.is_empty() {
            return Err(BuildError::value("addPrefix.prefix", "the prefix cannot be empty"));
        }
        Ok(Arc::new(Adder { prefix: self.prefix.clone(), next }))
    }
}

struct Adder {
    prefix: String,
    next: Arc<dyn Handler>,
}

impl Handler for Adder {
    fn handle(&self, mut request: Request) -> BoxFuture<'_, Response> {
        let path = format!("{}{}", self.prefix, request.uri().path());
        set_path(&mut request, &path);
        self.next.handle(request)
    }
}
