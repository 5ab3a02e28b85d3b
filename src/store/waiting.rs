//! An answer that comes when what was asked is kept.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::StoreError;

/// A value of the store to wait for: with `.await`, or with [`wait`](Waiting::wait) where nothing else runs. Whoever
/// stops waiting does not stop what he asked for.
#[derive(Debug)]
pub struct Waiting<Value>(oneshot::Receiver<Result<Value, StoreError>>);

/// The other end: whoever has it answers once.
pub(super) type Answering<Value> = oneshot::Sender<Result<Value, StoreError>>;

impl<Value> Waiting<Value> {
    /// Both ends.
    pub(super) fn channel() -> (Answering<Value>, Self) {
        let (answering, waiting) = oneshot::channel();
        (answering, Waiting(waiting))
    }

    /// Waits on this thread.
    ///
    /// # Errors
    /// What kept the store from it.
    ///
    /// # Panics
    /// On a thread that runs tasks (of tokio's): there it would keep them all waiting.
    pub fn wait(self) -> Result<Value, StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl<Value> Future for Waiting<Value> {
    type Output = Result<Value, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}
