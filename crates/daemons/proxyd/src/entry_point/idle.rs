//! `readTimeout` for bodies: a client may take as long as it likes, but not fall silent. The original limits the whole body to this time
//! and thereby cuts off large uploads.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use middleware::BoxError;
use tokio::time::{Instant, Sleep, sleep};

/// A body that ends with an error when its next frame does not come in time.
pub(super) struct IdleTimeout<B> {
    body: B,
    limit: Duration,
    /// Set while a frame is being waited for.
    waiting: Option<Pin<Box<Sleep>>>,
}

/// The client fell silent in the middle of its request.
#[derive(Debug, thiserror::Error)]
#[error("the client sent nothing of its request for {0:?}")]
struct Silent(Duration);

impl<B> IdleTimeout<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self { body, limit, waiting: None }
    }
}

impl<B> Body for IdleTimeout<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            if let Some(waiting) = &mut this.waiting {
                waiting.as_mut().reset(Instant::now() + this.limit);
            }
            return Poll::Ready(frame);
        }
        let limit = this.limit;
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Silent(limit).into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
