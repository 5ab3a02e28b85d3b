//! A process that sends, as others see it: alive as long as it says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::{Clock, Ending, until_true};
use crate::store::StoreError;
use crate::store::mailings::{Mailings, WorkerId};

/// A worker, registered. Clones are the same.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    /// Another number after this process slept past its lease.
    id: AtomicI64,
    /// How many carriers have something to do.
    busy: AtomicUsize,
    mailings: Mailings,
    name: String,
    lease: chrono::TimeDelta,
    clock: Clock,
}

impl Worker {
    /// Registers, and gives up others whose time is over.
    ///
    /// # Errors
    /// What the store says.
    pub async fn register(
        mailings: &Mailings,
        name: &str,
        lease: chrono::TimeDelta,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let now = clock();
        mailings.expire(now).await?;
        let id = mailings.register(name.to_owned(), now + lease).await?;
        Ok(Worker(Arc::new(Inner {
            id: AtomicI64::new(id.0),
            busy: AtomicUsize::new(0),
            mailings: mailings.clone(),
            name: name.to_owned(),
            lease,
            clock,
        })))
    }

    /// Says that it lives, four times within each lease, until `stop` is true. One that slept past its lease was given
    /// up by others: it becomes a new worker, and what it had claimed is theirs.
    pub async fn live(self, mut stop: Ending) {
        let inner = &self.0;
        let pause = (inner.lease / 4).to_std().unwrap_or_default();
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = until_true(&mut stop) => return,
            }
            let now = (inner.clock)();
            match inner.mailings.renew(self.id(), now, now + inner.lease).await {
                Ok(true) => {}
                Ok(false) => {
                    if let Ok(id) = inner.mailings.register(inner.name.clone(), now + inner.lease).await {
                        inner.id.store(id.0, Ordering::Relaxed);
                    }
                }
                // The carriers meet the same error, and end.
                Err(_) => {}
            }
        }
    }

    /// Ends: whatever it had claimed and not attempted is queued again.
    ///
    /// # Errors
    /// What the store says; then others will find out by the lease.
    pub async fn leave(self) -> Result<(), StoreError> {
        self.0.mailings.leave(self.id(), (self.0.clock)()).await.map(|_| ())
    }

    /// Its number now.
    pub fn id(&self) -> WorkerId {
        WorkerId(self.0.id.load(Ordering::Relaxed))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.0.busy.load(Ordering::Acquire) == 0
    }

    /// Counts a carrier as busy until the guard is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.0.busy.fetch_add(1, Ordering::AcqRel);
        Busy(self.clone())
    }
}

/// A carrier has something to do.
pub(super) struct Busy(Worker);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Worker({})", self.id().0)
    }
}
