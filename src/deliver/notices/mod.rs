//! Sending the notices that wait in the store.
//!
//! A notice is claimed under a lease, sent, and settled. Whoever is killed in between leaves a lease that runs out, and
//! the notice is sent once more: with the same octets, so that a receiver can see the double by its Message-ID. Where a
//! connection breaks after the last dot nobody knows whether the server has the mail; it is sent again an hour later, for
//! a confirmation that never comes is worse than one that comes twice.

mod fate;
mod letter;
mod wait;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::smtp::{Answer, Courier, Envelope, Mail, MailData, Outcome, Route, Stage, Verdict};
use crate::list::Notice;
use crate::model::EmailAddress;
use crate::store::{ClaimedNotice, NoticeOutcome, Store, StoreError};
use fate::{Fate, fate};
use wait::{is_ending, until_ending};

pub use fate::Pauses;
pub use letter::write;

/// All that sending needs.
#[derive(Clone)]
pub struct Sending {
    /// Where notices wait.
    pub store: Store,
    /// Where they go.
    pub route: Arc<Route>,
    /// How many connections are open at once.
    pub connections: usize,
    /// How many leave in a second at the most.
    pub per_second: Option<u32>,
    /// Where bounces go.
    pub sender: EmailAddress,
    /// What makes messages of them.
    pub write: Arc<Writing>,
    /// What time it is.
    pub clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// How long is waited for what.
    pub pace: Pace,
}

/// Writes a notice as a message ([`write()`]), or says why it cannot be written.
pub type Writing = dyn Fn(&Notice) -> Result<Vec<u8>, String> + Send + Sync;

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often the store is asked for what is due, or was queued by another process.
    pub poll: Duration,
    /// How long a connection is kept that nothing is sent over.
    pub idle: Duration,
    /// How long nobody else takes a notice that is being sent. Longer than one attempt may take.
    pub lease: Duration,
    /// How long a server is looked for that takes a notice.
    pub ready: Duration,
    /// How long all wait when something is wrong.
    pub pauses: Pauses,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Pace {
            poll: seconds(5),
            idle: seconds(20),
            // What `ready` allows, and the limits of `smtp::Timeouts` for the octets and the last dot: 12 minutes.
            lease: seconds(900),
            ready: seconds(240),
            pauses: Pauses::default(),
        }
    }
}

/// Sends what waits until `ending` becomes true, and then finishes what is under way.
pub async fn run(sending: Sending, ending: watch::Receiver<bool>) {
    let shared = Arc::new(Shared {
        wake: Notify::new(),
        trouble: Mutex::default(),
        next_leaves: Mutex::new(Instant::now()),
        sending,
    });
    let mut workers = JoinSet::new();
    for _ in 0..shared.sending.connections.max(1) {
        workers.spawn(work(Arc::clone(&shared), ending.clone()));
    }
    wake_workers(&shared, ending).await;
    while workers.join_next().await.is_some() {}
}

/// What the workers share.
struct Shared {
    sending: Sending,
    /// Wakes one worker that waits.
    wake: Notify,
    trouble: Mutex<Trouble>,
    /// When the next notice may leave.
    next_leaves: Mutex<Instant>,
}

/// What keeps all notices from being sent.
#[derive(Default)]
struct Trouble {
    on_end: u32,
    until: Option<Instant>,
}

/// Wakes a worker whenever there may be something to send.
async fn wake_workers(shared: &Shared, mut ending: watch::Receiver<bool>) {
    let mut waiting = shared.sending.store.notices_waiting();
    let mut is_told = true;
    while !is_ending(&ending) {
        shared.wake.notify_one();
        tokio::select! {
            told = waiting.changed(), if is_told => is_told = told.is_ok(),
            () = sleep(shared.sending.pace.poll) => {}
            () = until_ending(&mut ending) => {}
        }
    }
}

/// Sends over one connection, which is closed when there is nothing to send.
async fn work(shared: Arc<Shared>, mut ending: watch::Receiver<bool>) {
    let mut courier: Option<Courier> = None;
    let mut last_used = Instant::now();
    while !is_ending(&ending) {
        let is_idle_at = last_used + shared.sending.pace.idle;
        tokio::select! {
            () = shared.wake.notified() => {
                if shared.send_what_waits(&mut courier, &mut ending).await {
                    last_used = Instant::now();
                }
            }
            () = sleep_until(is_idle_at), if courier.is_some() => quit(&mut courier).await,
            () = until_ending(&mut ending) => {}
        }
    }
    quit(&mut courier).await;
}

async fn quit(courier: &mut Option<Courier>) {
    if let Some(courier) = courier.take() {
        courier.quit().await;
    }
}

impl Shared {
    /// Sends until nothing is left for this worker, and tells whether anything was there.
    async fn send_what_waits(
        &self,
        courier: &mut Option<Courier>,
        ending: &mut watch::Receiver<bool>,
    ) -> bool {
        let mut was_used = false;
        while !is_ending(ending) && !self.is_pausing() {
            let at = (self.sending.clock)();
            let claimed = match self.sending.store.claim_notices(at, self.sending.pace.lease, 1).await {
                Ok(mut claimed) => claimed.pop(),
                Err(StoreError::Closed) => break,
                Err(error) => {
                    tracing::warn!("notices wait: {error}");
                    let on_end = self.has_trouble();
                    self.pause(self.sending.pace.pauses.of_store(on_end));
                    break;
                }
            };
            let Some(claimed) = claimed else { break };
            was_used = true;
            // There may be more.
            self.wake.notify_one();
            self.leave_in_turn().await;
            let fate = self.send(courier, &claimed.notice).await;
            self.settle(&claimed, fate.outcome, ending).await;
        }
        was_used
    }

    /// Sends a notice, and tells the log and the other workers what went wrong.
    async fn send(&self, courier: &mut Option<Courier>, notice: &Notice) -> Fate {
        let attempt = self.attempt(courier, notice).await;
        let (verdict, knew_reader, reply, told) = match &attempt {
            Attempt::Ended(outcome) => {
                (outcome.verdict(), knew_reader(outcome), outcome.to_string(), without_reader(outcome))
            }
            Attempt::TooLong => {
                let reply = "no server was ready in time".to_owned();
                (Verdict::ServerFault, false, reply.clone(), reply)
            }
            Attempt::Unwritten(why) => (Verdict::OwnFault, false, why.clone(), why.clone()),
        };
        let id = notice.id;
        let kind = notice.kind.name();
        match verdict {
            Verdict::Accepted => tracing::debug!("notice {id} ({kind}) was sent: {told}"),
            Verdict::Deferred => tracing::info!("notice {id} ({kind}) is tried again later: {told}"),
            Verdict::Rejected => tracing::info!("notice {id} ({kind}) cannot be sent: {told}"),
            Verdict::Unknown => tracing::warn!(
                "notice {id} ({kind}) may have been sent, and is sent again in an hour: {told}"
            ),
            Verdict::ServerFault => tracing::warn!("notices wait for the server: {told}"),
            Verdict::OwnFault => {
                tracing::warn!("notice {id} ({kind}) waits until the settings are mended: {told}")
            }
        }
        let is_trouble = matches!(verdict, Verdict::ServerFault | Verdict::OwnFault);
        let on_end = if is_trouble { self.has_trouble() } else { self.has_no_trouble() };
        let pauses = self.sending.pace.pauses;
        let fate = fate(verdict, knew_reader, &reply, notice, on_end, pauses, (self.sending.clock)());
        if let Some(pause) = fate.pause {
            self.pause(pause);
        }
        fate
    }

    async fn attempt(&self, courier: &mut Option<Courier>, notice: &Notice) -> Attempt {
        let octets = match (self.sending.write)(notice) {
            Ok(octets) => octets,
            Err(why) => return Attempt::Unwritten(why),
        };
        let data = match MailData::new(octets) {
            Ok(data) => data,
            Err(why) => return Attempt::Unwritten(why.to_string()),
        };
        let sender = Some(self.sending.sender.clone());
        let mail = Mail { envelope: Envelope { sender, recipient: notice.to.clone() }, data };
        let way = courier.get_or_insert_with(|| Courier::new(Arc::clone(&self.sending.route)));
        let Ok(ready) = timeout(self.sending.pace.ready, way.ready(&mail)).await else {
            // What it was in the middle of is of no use to the next.
            *courier = None;
            return Attempt::TooLong;
        };
        for setback in way.take_setbacks().iter().take(10) {
            tracing::info!("a server was passed over: {}", without_reader(setback));
        }
        Attempt::Ended(match ready {
            Ok(go) => way.finish(go, &mail, None).await,
            Err(outcome) => outcome,
        })
    }

    /// Keeps what became of a notice, however long that takes within its lease: until then no other is sent.
    async fn settle(
        &self,
        claimed: &ClaimedNotice,
        outcome: NoticeOutcome,
        ending: &mut watch::Receiver<bool>,
    ) {
        let began = Instant::now();
        let mut is_told = false;
        loop {
            let at = (self.sending.clock)();
            let error = match self.sending.store.settle_notice(claimed, outcome.clone(), at).await {
                Ok(_) => return,
                Err(error) => error,
            };
            if error == StoreError::Closed || began.elapsed() > self.sending.pace.lease || is_ending(ending) {
                let id = claimed.notice.id;
                tracing::error!(
                    "what became of notice {id} could not be kept, so that it may go out again: {error}"
                );
                return;
            }
            if !is_told {
                tracing::warn!("notices wait: {error}");
                is_told = true;
            }
            tokio::select! {
                () = sleep(self.sending.pace.poll) => {}
                () = until_ending(ending) => {}
            }
        }
    }

    /// Waits for the turn of a notice where only so many may leave in a second.
    async fn leave_in_turn(&self) {
        let Some(per_second) = self.sending.per_second else { return };
        let turn = {
            let mut next = lock(&self.next_leaves);
            let turn = (*next).max(Instant::now());
            *next = turn + Duration::from_secs(1) / per_second.max(1);
            turn
        };
        sleep_until(turn).await;
    }

    fn is_pausing(&self) -> bool {
        lock(&self.trouble).until.is_some_and(|until| until > Instant::now())
    }

    /// Notes a trouble, and tells how many there were on end. What several workers meet at the same time is one.
    fn has_trouble(&self) -> u32 {
        let is_pausing = self.is_pausing();
        let mut trouble = lock(&self.trouble);
        if !is_pausing {
            trouble.on_end = trouble.on_end.saturating_add(1);
        }
        trouble.on_end
    }

    fn has_no_trouble(&self) -> u32 {
        *lock(&self.trouble) = Trouble::default();
        0
    }

    fn pause(&self, pause: Duration) {
        lock(&self.trouble).until = Some(Instant::now() + pause);
    }
}

fn lock<Value>(mutex: &Mutex<Value>) -> MutexGuard<'_, Value> {
    // What they guard is whole at any moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How an attempt ended.
enum Attempt {
    Ended(Outcome),
    /// No server was ready for it in time.
    TooLong,
    /// It could not be written.
    Unwritten(String),
}

/// Whether a reply came to a server that knew whom the mail is for.
fn knew_reader(outcome: &Outcome) -> bool {
    outcome.stage >= Stage::Rcpt && matches!(outcome.answer, Answer::Reply(_))
}

/// What ended a mail, for the log: a server may repeat the reader's address once it knows it.
fn without_reader(outcome: &Outcome) -> String {
    match &outcome.answer {
        Answer::Reply(reply) if knew_reader(outcome) => {
            format!("{}: {}: {}", outcome.server, outcome.stage, reply.code())
        }
        _ => outcome.to_string(),
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sending").field("route", &self.route).finish_non_exhaustive()
    }
}
