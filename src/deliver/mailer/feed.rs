//! What the carriers take their deliveries from.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::Timelike;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::Instant;

use super::Sending;
use super::pacer::Pacer;
use crate::store::StoreError;
use crate::store::mailings::{Delivery, Order};

/// A lane's deliveries, claimed a few at a time.
struct Feed {
    sending: Arc<Sending>,
    lane: usize,
    /// How many are claimed at once, at the least.
    least: usize,
    /// The connections that its mail may go over at once, where it may not have all.
    room: Option<Arc<Semaphore>>,
    pacer: Option<Pacer>,
    claimed: Mutex<VecDeque<Delivery>>,
    claims: tokio::sync::Mutex<Claims>,
}

/// How far a lane was claimed. Whoever holds it claims.
#[derive(Default)]
struct Claims {
    /// The last subscriber that was looked at.
    after: i64,
    /// How many were claimed the last time, and when: so many will leave until about the next time.
    last: Option<(usize, Instant)>,
    /// Until when there is nothing, as far as is known.
    rests_until: Option<Instant>,
}

/// How long what is claimed may lie before it leaves, and half as long again: whoever unsubscribes is spared within this time.
const AHEAD: Duration = Duration::from_millis(300);
/// How long to wait when nothing was found.
const REST: Duration = Duration::from_millis(500);
/// The most that is claimed at once: the store does nothing else meanwhile.
const MOST: usize = 1_000;

impl Feed {
    fn new(sending: Arc<Sending>, lane: usize) -> Self {
        let of_lane = &sending.mailings.lanes().all()[lane];
        let connections = sending.settings.connections();
        let room = of_lane.connections.map(|connections| Arc::new(Semaphore::new(connections)));
        let rate = of_lane.rate.filter(|_| sending.settings.lanes_keep_pace);
        let pacer = rate.map(|rate| sending.pacer(format!("lane {}", of_lane.name), rate));
        // What waits for its pace is claimed one by one: it may be long.
        let least =
            if pacer.is_some() { 1 } else { of_lane.connections.unwrap_or(connections).min(connections) };
        Feed { sending, lane, least, room, pacer, claimed: Mutex::default(), claims: Default::default() }
    }

    fn claimed(&self) -> MutexGuard<'_, VecDeque<Delivery>> {
        self.claimed.lock().expect("nothing panics while it holds this")
    }

    /// The next delivery; nothing when there is none now.
    async fn next(&self) -> Result<Option<Delivery>, StoreError> {
        if let Some(delivery) = self.claimed().pop_front() {
            return Ok(Some(delivery));
        }
        let mut claims = self.claims.lock().await;
        loop {
            // Somebody else may have been quicker, before or after.
            if let Some(delivery) = self.claimed().pop_front() {
                return Ok(Some(delivery));
            }
            if !self.claim(&mut claims).await? {
                return Ok(None);
            }
        }
    }

    /// Claims more before the last is taken, so that nobody waits for it; not where a pace makes it wait.
    async fn refill(&self) -> Result<(), StoreError> {
        if self.pacer.is_some() {
            return Ok(());
        }
        let Ok(mut claims) = self.claims.try_lock() else { return Ok(()) };
        match claims.last {
            Some((number, _)) if self.claimed().len() <= number / 2 => {
                self.claim(&mut claims).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Claims the next deliveries; says whether there were some.
    async fn claim(&self, claims: &mut Claims) -> Result<bool, StoreError> {
        if claims.rests_until.is_some_and(|until| until > Instant::now()) {
            return Ok(false);
        }
        let at = (self.sending.settings.clock)();
        let may_begin = !self.sending.settings.lanes_keep_pace
            || self.sending.mailings.lanes().all()[self.lane].may_begin(at.minute());
        if claims.last.is_none() && !may_begin {
            claims.rests_until = Some(Instant::now() + REST);
            return Ok(false);
        }
        let most = self.how_many(claims);
        loop {
            let order = || Order {
                mailing: self.sending.mailing.id,
                worker: self.sending.worker.id(),
                lane: self.lane,
                after: claims.after,
                most,
                at: (self.sending.settings.clock)(),
            };
            let claimed = match self.sending.patiently(|| self.sending.mailings.claim(order())).await {
                // Nothing more is wanted.
                Err(error) if error.may_pass() && *self.sending.stop.borrow() => return Ok(false),
                claimed => claimed?,
            };
            match claimed.last {
                // Behind the last reader is the first: some were queued again since.
                None if claims.after > 0 => claims.after = 0,
                None => {
                    claims.rests_until = Some(Instant::now() + REST);
                    return Ok(false);
                }
                Some(last) => claims.after = last,
            }
            if !claimed.deliveries.is_empty() {
                claims.last = Some((claimed.deliveries.len(), Instant::now()));
                self.claimed().extend(claimed.deliveries);
                return Ok(true);
            }
        }
    }

    /// As many as leave within [`AHEAD`] at the speed of the last time, [`Feed::least`] at the least.
    fn how_many(&self, claims: &Claims) -> usize {
        let Some((number, when)) = claims.last else { return self.least };
        let took = when.elapsed().max(Duration::from_millis(1));
        let ahead = number as f64 * AHEAD.as_secs_f64() / took.as_secs_f64();
        (ahead as usize).clamp(self.least.min(MOST), MOST)
    }

    /// One of the connections that the lane may have, where it may not have all of them.
    fn enter(&self) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        self.room.clone().map(Semaphore::try_acquire_owned).transpose()
    }

    /// A delivery that can be taken without waiting for the store, and whose domain is not held.
    fn at_hand(&self) -> Option<Taken> {
        let room = self.enter().ok()?;
        let delivery = self.claimed().pop_front_if(|delivery| !self.sending.is_held(delivery))?;
        Some(Taken { delivery, _room: room })
    }

    /// The next delivery, if its lane has a connection free and its pace lets it leave now.
    async fn take(&self) -> Result<Option<Taken>, StoreError> {
        let Ok(room) = self.enter() else { return Ok(None) };
        if self.pacer.as_ref().is_some_and(|pacer| !pacer.rests().is_zero()) {
            return Ok(None);
        }
        let Some(delivery) = self.next().await? else { return Ok(None) };
        if let Some(pacer) = &self.pacer
            && !pacer.leaves().await
        {
            self.claimed().push_front(delivery);
            return Ok(None);
        }
        Ok(Some(Taken { delivery, _room: room }))
    }

    /// Whether it is worth looking whether a delivery may be taken.
    fn may_have_some(&self) -> bool {
        let has_room = self.room.as_ref().is_none_or(|room| room.available_permits() > 0);
        let Ok(claims) = self.claims.try_lock() else { return false };
        let rests =
            self.claimed().is_empty() && claims.rests_until.is_some_and(|until| until > Instant::now());
        has_room && !rests && self.pacer.as_ref().is_none_or(|pacer| pacer.rests().is_zero())
    }
}

/// A delivery that is taken in hand.
pub(super) struct Taken {
    pub(super) delivery: Delivery,
    /// One of the connections that its lane may have, until it has ended.
    _room: Option<OwnedSemaphorePermit>,
}

/// What the carriers of a mailing take their deliveries from: all of them from all lanes, each lane in its turn.
pub(super) struct Feeds {
    feeds: Vec<Feed>,
    turn: AtomicUsize,
}

impl Feeds {
    pub(super) fn new(sending: &Arc<Sending>) -> Feeds {
        let feeds =
            (0..sending.mailings.lanes().all().len()).map(|lane| Feed::new(sending.clone(), lane)).collect();
        Feeds { feeds, turn: AtomicUsize::new(0) }
    }

    /// The next delivery that may leave now; nothing when there is none.
    pub(super) async fn next(&self) -> Result<Option<Taken>, StoreError> {
        for feed in self.in_turn() {
            if let Some(taken) = feed.take().await? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// A delivery that can be taken without waiting for the store or a pace, and whose domain is not held; nothing when
    /// it is the turn of a lane that has a pace.
    pub(super) fn at_hand(&self) -> Option<Taken> {
        if self.feeds.iter().any(|feed| feed.pacer.is_some() && feed.may_have_some()) {
            return None;
        }
        self.in_turn().filter(|feed| feed.pacer.is_none()).find_map(Feed::at_hand)
    }

    /// Claims more where little is left.
    pub(super) async fn refill(&self) -> Result<(), StoreError> {
        for feed in &self.feeds {
            feed.refill().await?;
        }
        Ok(())
    }

    /// All of them, another one first each time.
    fn in_turn(&self) -> impl Iterator<Item = &Feed> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.feeds.len();
        let (late, early) = self.feeds.split_at(first);
        early.iter().chain(late)
    }

    /// Whether nothing is claimed that was not taken.
    pub(super) fn are_empty(&self) -> bool {
        self.feeds.iter().all(|feed| feed.claims.try_lock().is_ok() && feed.claimed().is_empty())
    }

    /// How long to wait when nothing was there: until the next lane's turn, but not long.
    pub(super) fn rest(&self) -> Duration {
        let rests = self.feeds.iter().filter_map(|feed| feed.pacer.as_ref().map(Pacer::rests));
        rests.filter(|rest| !rest.is_zero()).min().unwrap_or(LOOKS_EVERY).min(LOOKS_EVERY)
    }
}

/// How long a carrier without a delivery waits at the most before it looks again.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
