//! What holds messages back until their pace lets them leave.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Clock, Ending, until_true};
use crate::mailing::{MOST_AHEAD, Rate, Slots};
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
    /// Before this there is no slot for [`Pacer::leaves`].
    not_before: std::sync::Mutex<Option<Instant>>,
}

/// A slot that is later than this is lost: what waited for something else does not leave in a crowd.
const LATE: Duration = Duration::from_millis(100);
/// How long to wait before a store is asked again that did not answer well.
const AGAIN: Duration = Duration::from_millis(200);

impl Pacer {
    pub(super) fn new(mailings: Mailings, clock: Clock, name: String, rate: Rate) -> Pacer {
        Pacer {
            mailings,
            clock,
            name,
            rate,
            waiting: AtomicUsize::new(0),
            slots: Mutex::default(),
            not_before: std::sync::Mutex::default(),
        }
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
        let most = self.waiting.load(Ordering::Relaxed).max(1);
        let (asked, at, given) = self.ask(most, MOST_AHEAD).await?;
        slots.extend(given.taken.iter().map(|slot| asked + (*slot - at).to_std().unwrap_or_default()));
        match given.taken.is_empty() {
            true => Ok(Some((given.next - at - MOST_AHEAD).to_std().unwrap_or_default().max(SHORTEST))),
            false => Ok(None),
        }
    }

    /// Whether a message may leave now; if so, it does.
    pub(super) async fn leaves(&self) -> bool {
        let given = self.ask(1, TimeDelta::zero()).await;
        let (may_leave, not_before) = match &given {
            Ok((asked, at, given)) => {
                (!given.taken.is_empty(), *asked + (given.next - *at).to_std().unwrap_or_default())
            }
            Err(_) => (false, Instant::now() + AGAIN),
        };
        if let Ok(mut known) = self.not_before.lock() {
            *known = Some(not_before);
        }
        may_leave
    }

    /// How long until it is worth asking whether a message may leave.
    pub(super) fn rests(&self) -> Duration {
        let not_before = self.not_before.lock().ok().and_then(|known| *known);
        not_before.map_or(Duration::ZERO, |not_before| not_before.saturating_duration_since(Instant::now()))
    }

    /// Asks the store for slots; gives with them when it was asked, on both clocks.
    async fn ask(
        &self,
        most: usize,
        ahead: TimeDelta,
    ) -> Result<(Instant, DateTime<Utc>, Slots), StoreError> {
        let (asked, at) = (Instant::now(), (self.clock)());
        let order = PaceOrder { pace: self.name.clone(), rate: self.rate, most, ahead, at };
        Ok((asked, at, self.mailings.slots(order).await?))
    }
}

/// The shortest wait for a slot.
const SHORTEST: Duration = Duration::from_millis(1);
