//! What holds messages back until their pace lets them leave.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Clock, Ending, until_true};
use crate::mailing::{AHEAD, Rate};
use crate::store::StoreError;
use crate::store::mailings::{Mailings, PaceOrder};

/// A pace as one process keeps it: the store gives the slots, so that all processes share it.
pub(super) struct Pacer {
    mailings: Mailings,
    clock: Clock,
    name: String,
    rate: Rate,
    /// How many messages wait for a slot, or for its time.
    waiting: AtomicUsize,
    /// The slots that were taken and not used.
    slots: Mutex<VecDeque<Instant>>,
}

/// A slot that is later than this is lost: what waited for something else does not leave in a crowd.
const LATE: Duration = Duration::from_millis(100);
/// How long to wait before a store is asked again that did not answer well.
const AGAIN: Duration = Duration::from_millis(200);

impl Pacer {
    pub(super) fn new(mailings: Mailings, clock: Clock, name: String, rate: Rate) -> Pacer {
        Pacer { mailings, clock, name, rate, waiting: AtomicUsize::new(0), slots: Mutex::default() }
    }

    /// Waits until a message may leave; false when the sending ends before.
    pub(super) async fn may_leave(&self, stop: &mut Ending) -> bool {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let may_leave = tokio::select! {
            biased;
            () = until_true(stop) => false,
            () = async { sleep_until(self.slot().await).await } => true,
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        may_leave
    }

    /// The next slot, for who has waited longest.
    async fn slot(&self) -> Instant {
        let mut slots = self.slots.lock().await;
        loop {
            while let Some(slot) = slots.pop_front() {
                if slot + LATE >= Instant::now() {
                    return slot;
                }
            }
            match self.take(&mut slots).await {
                // The first is used though it may be late: a store that is slow would stop everything.
                Ok(None) => {
                    if let Some(slot) = slots.pop_front() {
                        return slot;
                    }
                }
                Ok(Some(wait)) => sleep(wait).await,
                // What is to be kept meets the same error, and that ends the sending if it stays.
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    /// Takes slots for all that wait; where there is none yet, it tells how long to wait.
    async fn take(&self, slots: &mut VecDeque<Instant>) -> Result<Option<Duration>, StoreError> {
        let (asked, at) = (Instant::now(), (self.clock)());
        let most = self.waiting.load(Ordering::Relaxed).max(1);
        let order = PaceOrder { pace: self.name.clone(), rate: self.rate, most, at };
        let given = self.mailings.slots(order).await?;
        slots.extend(given.taken.iter().map(|slot| asked + (*slot - at).to_std().unwrap_or_default()));
        match given.taken.is_empty() {
            true => Ok(Some((given.next - at - AHEAD).to_std().unwrap_or_default().max(SHORTEST))),
            false => Ok(None),
        }
    }
}

/// The shortest wait for a slot.
const SHORTEST: Duration = Duration::from_millis(1);
