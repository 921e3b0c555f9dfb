//! Work that would hold up the async threads.

use tokio::task::JoinHandle;
use tracing::Span;

/// Runs `work` on a thread for such work, within the log span of the caller: its log lines name their daemon.
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
}
