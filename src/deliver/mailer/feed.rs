//! What the carriers of a lane take their deliveries from.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::Timelike;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Sending;
use super::pacer::Pacer;
use crate::mailing::lanes;
use crate::store::StoreError;
use crate::store::mailings::{Delivery, Order};

/// A lane's deliveries, claimed a few at a time.
pub(super) struct Feed {
    sending: Arc<Sending>,
    lane: usize,
    connections: usize,
    state: Mutex<State>,
    pacer: Option<Pacer>,
}

struct State {
    claimed: VecDeque<Delivery>,
    /// The last subscriber that was looked at.
    after: i64,
    /// How many were claimed the last time, and when: so many will leave until about the next time.
    last: Option<(usize, Instant)>,
    /// Until when there is nothing, as far as is known.
    rests_until: Option<Instant>,
}

/// How long what is claimed may lie before it leaves: whoever unsubscribes is spared within this time.
const AHEAD: Duration = Duration::from_millis(500);
/// How long to wait when nothing was found.
const REST: Duration = Duration::from_millis(500);
/// The most that is claimed at once.
const MOST: usize = 2_000;

impl Feed {
    pub(super) fn new(sending: Arc<Sending>, lane: usize, connections: usize) -> Self {
        let state = State { claimed: VecDeque::new(), after: 0, last: None, rests_until: None };
        let rate = lanes()[lane].rate.filter(|_| sending.settings.lanes_keep_pace);
        let pacer = rate.map(|rate| {
            let (mailings, clock) = (sending.mailings.clone(), sending.settings.clock.clone());
            Pacer::new(mailings, clock, format!("lane {}", lanes()[lane].name), rate)
        });
        Feed { sending, lane, connections, state: Mutex::new(state), pacer }
    }

    /// The next delivery; nothing when there is none now.
    pub(super) async fn next(&self) -> Result<Option<Delivery>, StoreError> {
        let mut state = self.state.lock().await;
        if let Some(delivery) = state.claimed.pop_front() {
            return Ok(Some(delivery));
        }
        if state.rests_until.is_some_and(|until| until > Instant::now()) {
            return Ok(None);
        }
        let at = (self.sending.settings.clock)();
        let may_begin = !self.sending.settings.lanes_keep_pace || lanes()[self.lane].may_begin(at.minute());
        if state.last.is_none() && !may_begin {
            state.rests_until = Some(Instant::now() + REST);
            return Ok(None);
        }
        let most = self.how_many(&state);
        loop {
            let order = || Order {
                mailing: self.sending.mailing.id,
                worker: self.sending.worker.id(),
                lane: self.lane,
                after: state.after,
                most,
                at: (self.sending.settings.clock)(),
            };
            let claimed = self.sending.patiently(|| self.sending.mailings.claim(order())).await?;
            match claimed.last {
                // Behind the last reader is the first: some were queued again since.
                None if state.after > 0 => state.after = 0,
                None => {
                    state.rests_until = Some(Instant::now() + REST);
                    return Ok(None);
                }
                Some(last) => state.after = last,
            }
            state.claimed.extend(claimed.deliveries);
            if let Some(delivery) = state.claimed.pop_front() {
                state.last = Some((state.claimed.len() + 1, Instant::now()));
                return Ok(Some(delivery));
            }
        }
    }

    /// A delivery that can be taken without waiting for the store, and whose domain is not held.
    pub(super) fn at_hand(&self) -> Option<Delivery> {
        self.state.try_lock().ok()?.claimed.pop_front_if(|delivery| !self.sending.is_held(delivery))
    }

    /// As many as leave within [`AHEAD`] at the speed of the last time, one for each connection at least.
    fn how_many(&self, state: &State) -> usize {
        let Some((number, when)) = state.last else { return self.connections };
        let took = when.elapsed().max(Duration::from_millis(1));
        let ahead = number as f64 * AHEAD.as_secs_f64() / took.as_secs_f64();
        (ahead as usize).clamp(self.connections, MOST)
    }

    /// Waits until a message of this lane may leave; false when the sending ends before.
    pub(super) async fn may_leave(&self) -> bool {
        let mut stop = self.sending.stop.clone();
        for pacer in self.pacer.iter().chain(&self.sending.pacer) {
            if !pacer.may_leave(&mut stop).await {
                return false;
            }
        }
        true
    }

    /// Whether messages of this lane must keep to a pace.
    pub(super) fn is_paced(&self) -> bool {
        self.pacer.is_some() || self.sending.pacer.is_some()
    }
}
