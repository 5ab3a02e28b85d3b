//! A carrier: one connection, and the deliveries that go over it one after another.

use std::sync::Arc;
use std::time::Duration;

use super::feed::Feed;
use super::{Event, Sending, wait};
use crate::bounce::Returned;
use crate::deliver::smtp::{Courier, Mail, Outcome};
use crate::mailing::{DeliveryStatus, Next, Stop, Verdict, after};
use crate::store::StoreError;
use crate::store::mailings::{Delivery, Ended, Hold, MailingStatus, Step};

/// Carries until it is told to end.
pub(super) struct Carrier {
    sending: Arc<Sending>,
    feed: Arc<Feed>,
    courier: Courier,
    /// What became of the last delivery, as long as that is not kept.
    ended: Option<Ended>,
    /// How many faults of servers came one after another.
    faults: u32,
}

/// How long a connection is kept without a delivery.
const IDLE: Duration = Duration::from_secs(5);
/// How long a server that waits for a message's octets is kept waiting for the store: less than any server grants (RFC 5321,
/// 4.5.3.2.5: three minutes).
const READY_FOR: Duration = Duration::from_secs(10);

impl Carrier {
    pub(super) fn new(sending: Arc<Sending>, feed: Arc<Feed>) -> Self {
        let courier = Courier::new(sending.settings.route.clone());
        Carrier { sending, feed, courier, ended: None, faults: 0 }
    }

    /// Carries until the sending ends. What is in flight then is finished.
    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let result = self.carry().await;
        let kept = self.keep(None).await;
        self.courier.quit().await;
        result.and(kept.map(|_| ()))
    }

    async fn carry(&mut self) -> Result<(), StoreError> {
        let mut prepared: Option<(Delivery, Mail)> = None;
        let mut busy = None;
        let mut idle_since = tokio::time::Instant::now();
        while !*self.sending.stop.borrow() {
            let current = match prepared.take() {
                Some(prepared) => Some(prepared),
                None => {
                    let worker = self.sending.worker.clone();
                    busy.get_or_insert_with(|| worker.busy());
                    self.next().await?
                }
            };
            let Some((delivery, mail)) = current else {
                self.keep(None).await?;
                busy = None;
                if idle_since.elapsed() > IDLE {
                    self.hang_up().await;
                }
                self.rest(Duration::from_millis(100)).await;
                continue;
            };
            prepared = self.deliver(delivery, mail).await?;
            idle_since = tokio::time::Instant::now();
        }
        // One that was prepared and not attempted is queued again when the worker leaves.
        if prepared.is_some() {
            self.hang_up().await;
        }
        Ok(())
    }

    /// The next delivery whose domain is not held, as a message.
    async fn next(&mut self) -> Result<Option<(Delivery, Mail)>, StoreError> {
        while let Some(delivery) = self.feed.next().await? {
            if !self.sending.is_held(&delivery) {
                return self.compose(delivery).await;
            }
            self.keep(None).await?;
            let next = Next { status: DeliveryStatus::Queued, due: None, counts: false };
            let reply = "not attempted: its domain is held".to_owned();
            self.ended = Some(Ended { claim: delivery.claim(), next, reply, returned: None });
        }
        Ok(None)
    }

    /// Carries one delivery, and gives the next one if its commands went along; or the same one, if the store must come back
    /// first.
    async fn deliver(
        &mut self,
        delivery: Delivery,
        mail: Mail,
    ) -> Result<Option<(Delivery, Mail)>, StoreError> {
        if self.feed.is_paced() {
            self.keep(None).await?;
            // What is claimed and does not leave is queued again when the sending ends.
            if !self.feed.may_leave().await {
                return Ok(None);
            }
        }
        let go = match self.courier.ready(&mail).await {
            Ok(go) => go,
            Err(outcome) => {
                self.settle_outcome(&delivery, &outcome).await?;
                return Ok(None);
            }
        };
        match self.keep(Some(&delivery)).await {
            Ok(true) => {}
            // It is another's by now, or it cannot be noted: then it must not go out.
            Ok(false) => {
                self.hang_up().await;
                return Ok(None);
            }
            Err(error) => {
                self.hang_up().await;
                return if self.sending.waits_for(&error) { Ok(Some((delivery, mail))) } else { Err(error) };
            }
        }
        let at_hand = match self.feed.is_paced() || *self.sending.stop.borrow() {
            true => None,
            false => self.feed.at_hand(),
        };
        let next = match at_hand {
            Some(delivery) => self.compose(delivery).await?,
            None => None,
        };
        let outcome = self.courier.finish(go, &mail, next.as_ref().map(|(_, mail)| mail)).await;
        self.settle_outcome(&delivery, &outcome).await?;
        Ok(next)
    }

    /// The message of a delivery; nothing when it cannot be made, which is our own fault and noted as that.
    async fn compose(&mut self, delivery: Delivery) -> Result<Option<(Delivery, Mail)>, StoreError> {
        match self.sending.composer.mail(&delivery) {
            Ok(mail) => Ok(Some((delivery, mail))),
            Err(error) => {
                self.settle(&delivery, Verdict::OwnFault, error.to_string(), None).await?;
                Ok(None)
            }
        }
    }

    async fn settle_outcome(&mut self, delivery: &Delivery, outcome: &Outcome) -> Result<(), StoreError> {
        let refused = outcome.refusal(delivery.address.as_str());
        self.settle(delivery, outcome.verdict(), outcome.to_string(), refused).await
    }

    /// What became of a delivery, to be kept with the next step.
    async fn settle(
        &mut self,
        delivery: &Delivery,
        verdict: Verdict,
        reply: String,
        refused: Option<Returned>,
    ) -> Result<(), StoreError> {
        self.keep(None).await?;
        let now = (self.sending.settings.clock)();
        let first = delivery.first.unwrap_or(now);
        let next = after(verdict, delivery.attempts + 1, first, now, self.sending.mailing.in_doubt);
        let stop = match self.sending.guard.lock() {
            Ok(mut guard) => guard.note(delivery.address.domain(), verdict),
            Err(_) => None,
        };
        (self.sending.progress)(Event::Attempt(verdict));
        let returned = refused.filter(|_| next.status == DeliveryStatus::Rejected).map(Box::new);
        self.ended = Some(Ended { claim: delivery.claim(), next, reply: reply.clone(), returned });
        match stop {
            Some(Stop::Mailing) => {
                self.pause(&format!("three times in a row the fault was ours: {reply}")).await?
            }
            Some(Stop::Domain(domain)) => {
                let why = "more than one in twenty addresses are unknown there".to_owned();
                let hold = Hold { domain, why, at: now };
                let Sending { mailings, mailing, .. } = self.sending.as_ref();
                self.sending.patiently(|| mailings.hold(mailing.id, hold.clone())).await?;
            }
            None => {}
        }
        if verdict == Verdict::ServerFault {
            self.faults += 1;
            self.keep(None).await?;
            let wait = Duration::from_millis(250) * 2_u32.saturating_pow(self.faults.min(7));
            self.rest(wait).await;
        } else {
            self.faults = 0;
        }
        Ok(())
    }

    async fn pause(&self, why: &str) -> Result<(), StoreError> {
        let Sending { mailings, mailing, settings, .. } = self.sending.as_ref();
        let paused = || {
            mailings.set_status(mailing.id, MailingStatus::Paused, Some(why.to_owned()), (settings.clock)())
        };
        self.sending.patiently(paused).await.map(drop)
    }

    /// Keeps what became of the last delivery, and that this one is attempted; says whether this one is ours.
    async fn keep(&mut self, attempted: Option<&Delivery>) -> Result<bool, StoreError> {
        if self.ended.is_none() && attempted.is_none() {
            return Ok(false);
        }
        let most = if attempted.is_some() { READY_FOR } else { Duration::MAX };
        let attempted = attempted.map(Delivery::claim);
        let Sending { mailings, settings, .. } = self.sending.as_ref();
        let step = || Step { at: (settings.clock)(), ended: self.ended.clone(), attempted };
        let (_, is_ours) = self.sending.patiently_for(most, || mailings.step(step())).await?;
        self.ended = None;
        Ok(is_ours)
    }

    async fn hang_up(&mut self) {
        let fresh = Courier::new(self.sending.settings.route.clone());
        std::mem::replace(&mut self.courier, fresh).quit().await;
    }

    /// Waits, but not longer than until the end.
    async fn rest(&self, time: Duration) {
        wait(time, &mut self.sending.stop.clone()).await;
    }
}
