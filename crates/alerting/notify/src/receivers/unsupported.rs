//! Destinations that are understood but cannot be told yet: every notification to one fails, and shows.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Message, Notifier, NotifyError};

struct Unsupported(String);

pub(super) fn notifier(key: &str, receiver: &str) -> Arc<dyn Notifier> {
    Arc::new(Unsupported(format!("{key} of receiver {receiver:?}")))
}

#[async_trait]
impl Notifier for Unsupported {
    async fn notify(&self, _message: &Message) -> Result<(), NotifyError> {
        Err(NotifyError::NotSupported(self.0.clone()))
    }
}
