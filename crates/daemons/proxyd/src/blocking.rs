//! Work that would hold up the async threads.

use tokio::task::JoinHandle;
use tracing::Span;

/// Runs it on a thread for such work, with the log span of the caller.
pub(crate) fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let span = Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
}
