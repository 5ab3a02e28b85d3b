//! A carrier: one connection, and the deliveries that go over it one after another.

use std::sync::Arc;
use std::time::Duration;

use super::feed::{Feeds, Taken};
use super::{Event, Sending, wait};
use crate::bounce::Returned;
use crate::deliver::smtp::{Courier, GoAhead, Mail, Outcome, Tries};
use crate::mailing::{DeliveryStatus, Next, Stop, Verdict, after};
use crate::store::StoreError;
use crate::store::mailings::{Delivery, Ended, Hold, MailingStatus, Step};

/// Carries until it is told to end.
pub(super) struct Carrier {
    sending: Arc<Sending>,
    feeds: Arc<Feeds>,
    courier: Courier,
    /// What became of the last delivery, as long as that is not kept.
    ended: Option<Ended>,
    /// How many faults of servers came one after another.
    faults: u32,
}

/// How long a connection is kept without a delivery.
const IDLE: Duration = Duration::from_secs(5);
/// How long a connection is left to another mailing that has none, before it is asked for again.
const GIVES_WAY_FOR: Duration = Duration::from_millis(500);
/// How long a server that waits for a message's octets is kept waiting for the store: less than any server grants (RFC 5321,
/// 4.5.3.2.5: three minutes).
const READY_FOR: Duration = Duration::from_secs(10);

impl Carrier {
    pub(super) fn new(sending: Arc<Sending>, feeds: Arc<Feeds>) -> Self {
        let courier = courier(&sending);
        Carrier { sending, feeds, courier, ended: None, faults: 0 }
    }

    /// Carries until the sending ends. What is in flight then is finished.
    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let result = self.carry().await;
        let kept = self.keep(None).await;
        self.courier.quit().await;
        result.and(kept.map(|_| ()))
    }

    async fn carry(&mut self) -> Result<(), StoreError> {
        let mut prepared: Option<(Taken, Mail)> = None;
        let mut busy = None;
        let mut idle_since = tokio::time::Instant::now();
        while !*self.sending.stop.borrow() {
            let current = match prepared.take() {
                Some(prepared) => Some(prepared),
                None if !self.has_room().await => None,
                None => {
                    let worker = self.sending.worker.clone();
                    busy.get_or_insert_with(|| worker.busy());
                    self.next().await?
                }
            };
            let Some((taken, mail)) = current else {
                self.keep(None).await?;
                if busy.take().is_some() && self.sending.worker.is_idle() {
                    self.sending.idle.notify_one();
                }
                self.courier.stay_out();
                if idle_since.elapsed() > IDLE {
                    self.hang_up().await;
                }
                self.rest(self.feeds.rest()).await;
                continue;
            };
            prepared = self.deliver(taken, mail).await?;
            if let Err(error) = self.feeds.refill().await {
                self.hang_up().await;
                return Err(error);
            }
            idle_since = tokio::time::Instant::now();
        }
        // One that was prepared and not attempted is queued again when the worker leaves.
        if prepared.is_some() {
            self.hang_up().await;
        }
        Ok(())
    }

    /// Whether there is a connection for a delivery, or room for one. Where another mailing waits for one this goes.
    async fn has_room(&mut self) -> bool {
        if self.courier.gives_way() {
            self.hang_up().await;
            self.rest(GIVES_WAY_FOR).await;
        }
        self.courier.may_enter()
    }

    /// The next delivery whose domain is not held, as a message.
    async fn next(&mut self) -> Result<Option<(Taken, Mail)>, StoreError> {
        while let Some(taken) = self.feeds.next().await? {
            if !self.sending.is_held(&taken.delivery) {
                return self.compose(taken).await;
            }
            self.keep(None).await?;
            let next = Next { status: DeliveryStatus::Queued, due: None, counts: false };
            let reply = "not attempted: its domain is held".to_owned();
            self.ended = Some(Ended { claim: taken.delivery.claim(), next, reply, returned: None });
        }
        Ok(None)
    }

    /// A server that waits for a mail's octets, in its pace, and whether it has one; nothing when the delivery has come to an end, or the sending has: what
    /// is claimed and does not leave is queued again then.
    async fn ready(
        &mut self,
        delivery: &Delivery,
        mail: &Mail,
    ) -> Result<Option<(GoAhead, bool)>, StoreError> {
        let sending = self.sending.clone();
        let mut tries = Tries::default();
        loop {
            let mut is_paced = false;
            let asked = match self.courier.reach(&mut tries).await {
                Ok(server) => {
                    is_paced = sending.pacers[server].is_some();
                    if let Some(pacer) = &sending.pacers[server] {
                        self.keep(None).await?;
                        if !pacer.may_leave(&mut sending.stop.clone()).await {
                            return Ok(None);
                        }
                    }
                    self.courier.ask(mail, &mut tries).await
                }
                Err(outcome) => Err(outcome),
            };
            match asked {
                Ok(Some(go)) => return Ok(Some((go, is_paced))),
                Ok(None) => {}
                Err(outcome) => {
                    self.settle_outcome(delivery, &outcome).await?;
                    return Ok(None);
                }
            }
        }
    }

    /// Carries one delivery, and gives the next one if its commands went along; or the same one, if the store must come back
    /// first.
    async fn deliver(&mut self, taken: Taken, mail: Mail) -> Result<Option<(Taken, Mail)>, StoreError> {
        let delivery = &taken.delivery;
        let Some((go, is_paced)) = self.ready(delivery, &mail).await? else { return Ok(None) };
        match self.keep(Some(delivery)).await {
            Ok(true) => {}
            // It is another's by now, or it cannot be noted: then it must not go out.
            Ok(false) => {
                self.hang_up().await;
                return Ok(None);
            }
            Err(error) => {
                self.hang_up().await;
                return if self.sending.waits_for(&error) { Ok(Some((taken, mail))) } else { Err(error) };
            }
        }
        let goes_alone = is_paced || *self.sending.stop.borrow() || self.courier.is_in_the_way();
        let at_hand = if goes_alone { None } else { self.feeds.at_hand() };
        let next = match at_hand {
            Some(taken) => self.compose(taken).await?,
            None => None,
        };
        let outcome = self.courier.finish(go, &mail, next.as_ref().map(|(_, mail)| mail)).await;
        self.settle_outcome(delivery, &outcome).await?;
        Ok(next)
    }

    /// The message of a delivery; nothing when it cannot be made, which is our own fault and noted as that.
    async fn compose(&mut self, taken: Taken) -> Result<Option<(Taken, Mail)>, StoreError> {
        match self.sending.composer.mail(&taken.delivery) {
            Ok(mail) => Ok(Some((taken, mail))),
            Err(error) => {
                self.settle(&taken.delivery, Verdict::OwnFault, error.to_string(), None).await?;
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
                if let Ok(mut guard) = self.sending.guard.lock() {
                    guard.told();
                }
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
        let fresh = courier(&self.sending);
        std::mem::replace(&mut self.courier, fresh).quit().await;
    }

    /// Waits, but not longer than until the end.
    async fn rest(&self, time: Duration) {
        wait(time, &mut self.sending.stop.clone()).await;
    }
}

fn courier(sending: &Sending) -> Courier {
    Courier::by_doors(sending.settings.route.clone(), sending.doors.clone())
}
