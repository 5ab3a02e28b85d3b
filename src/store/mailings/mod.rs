//! Mailings as they are kept: the frozen letter, one row for each delivery, and who is sending.
//!
//! Threads of each process write, each on a connection of its own: one to SQLite, which has one writer, two to PostgreSQL.
//! What the mailer's connections tell together is kept in one transaction, and answered when that outlives the process; the disk follows within fifty milliseconds. So a crash of
//! the process loses nothing, and a loss of power at most what is as old as that.

mod desk;
pub(crate) mod holds;
pub(crate) mod paces;
pub(crate) mod tables;
mod values;

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};

pub use holds::Hold;
pub use paces::PaceOrder;
pub use values::{
    Audience, Claim, Claimed, Delivery, DeliveryRow, Ended, Expired, FrozenLetter, Mailing, MailingId,
    MailingStatus, NewMailing, Order, Step, WorkerId,
};

use super::place::Place;
use super::returns::{Return, ReturnsSums};
use super::{Settings, StoreError, Waiting};
use crate::bounce::Way;
use crate::mailing::{Lanes, Sums};
use desk::{Job, Task};
use tables::MailingTables;

/// The mailings of a list, open. Clones are the same; they close with the last of them.
#[derive(Clone)]
pub struct Mailings {
    inner: Arc<Inner>,
    lanes: Arc<Lanes>,
}

struct Inner {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What came of the wish to freeze a mailing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// It is frozen now.
    New(Mailing),
    /// It was frozen before, with the same letter.
    Already(Mailing),
    /// Another letter was frozen before under the same number.
    Other(Mailing),
}

impl Mailings {
    /// Opens the mailings of a list that [`super::Store::open`] has opened before.
    ///
    /// # Errors
    /// As there.
    pub fn open(settings: &Settings) -> Result<Self, StoreError> {
        let place = Place::of(settings)?;
        let flushing = place.open_mailings(&settings.key)?;
        let (jobs, waiting) = mpsc::channel();
        let (written, writes) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = vec![std::thread::spawn(move || desk::flush(flushing, &writes))];
        for _ in 0..place.writers() {
            let tables = place.open_mailings(&settings.key)?;
            let (key, waiting, written) = (settings.key.clone(), waiting.clone(), written.clone());
            threads.push(std::thread::spawn(move || desk::run(tables, &key, &waiting, &written)));
        }
        let inner = Inner { jobs: Mutex::new(Some(jobs)), threads: Mutex::new(threads) };
        Ok(Mailings { inner: Arc::new(inner), lanes: Arc::default() })
    }

    /// The same mailings, their deliveries in other lanes than those that are ready. What is in a lane that it does not belong to is put
    /// into its own where it is found: settings may change while a mailing is sent.
    #[must_use]
    pub fn in_lanes(self, lanes: Lanes) -> Self {
        Mailings { lanes: Arc::new(lanes), ..self }
    }

    /// The lanes that deliveries are in.
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    fn ask<Value, Does>(&self, does: Does) -> Waiting<Value>
    where
        Value: Send + 'static,
        Does: FnMut(&mut dyn MailingTables) -> Result<Value, StoreError> + Send + 'static,
    {
        let (task, waiting) = Task::of(does);
        self.send(Job::Task(task));
        waiting
    }

    fn send(&self, job: Job) {
        if let Ok(jobs) = self.inner.jobs.lock()
            && let Some(jobs) = jobs.as_ref()
        {
            // A desk that has closed drops the job, and with it the answer's other end.
            jobs.send(job).ok();
        }
    }

    /// Freezes a mailing: its letter and its audience, in one step. What is frozen already stays as it is.
    pub fn plan(&self, new: NewMailing, audience: Audience) -> Waiting<Planned> {
        let lanes = self.lanes.clone();
        self.ask(move |tables| {
            tables.freeze_alone()?;
            let known = tables.mailings_of(new.issue)?;
            match known.into_iter().find(|known| known.correction == new.correction) {
                Some(known) if known.digest == new.digest => Ok(Planned::Already(known)),
                Some(known) => Ok(Planned::Other(known)),
                None => Ok(Planned::New(tables.plan(&new, &audience, &lanes)?)),
            }
        })
    }

    /// Up to `most` readers of an audience behind a subscriber, in order: for looking at what would be sent.
    pub fn audience(&self, audience: Audience, after: i64, most: usize) -> Waiting<Vec<Delivery>> {
        self.ask(move |tables| tables.audience(&audience, after, most))
    }

    /// The mailings of an issue, the first one first.
    pub fn of_issue(&self, issue: i64) -> Waiting<Vec<Mailing>> {
        self.ask(move |tables| tables.mailings_of(issue))
    }

    /// The mailings that are to be sent now.
    pub fn running(&self, at: DateTime<Utc>) -> Waiting<Vec<Mailing>> {
        self.ask(move |tables| tables.running(at))
    }

    /// A mailing's letter.
    pub fn letter(&self, id: MailingId) -> Waiting<FrozenLetter> {
        self.ask(move |tables| tables.letter(id))
    }

    /// Pauses, resumes, cancels a mailing, or says that it is done; false when it was cancelled or done before. To cancel
    /// calls off whatever waits, held or not; to resume lets all domains go that were held.
    pub fn set_status(
        &self,
        id: MailingId,
        status: MailingStatus,
        why: Option<String>,
        at: DateTime<Utc>,
    ) -> Waiting<bool> {
        self.ask(move |tables| {
            let is_set = tables.set_status(id, status, why.as_deref())?;
            if is_set && status == MailingStatus::Cancelled {
                tables.cancel_waiting(Some(id), at)?;
            }
            if is_set && status == MailingStatus::Running {
                tables.hurry(id)?;
                tables.watch(id, at)?;
                tables.let_go(id)?;
            }
            Ok(is_set)
        })
    }

    /// Notes that a sender looks after a mailing.
    pub fn watch(&self, id: MailingId, at: DateTime<Utc>) -> Waiting<()> {
        self.ask(move |tables| tables.watch(id, at))
    }

    /// Sets when a mailing is to be sent; false where something of it has left, and when it was cancelled or done before. Its
    /// messages are dated then.
    pub fn reschedule(&self, id: MailingId, starts: DateTime<Utc>) -> Waiting<bool> {
        self.ask(move |tables| tables.reschedule(id, starts))
    }

    /// A new worker, taken for alive until then.
    pub fn register(&self, name: String, until: DateTime<Utc>) -> Waiting<WorkerId> {
        self.ask(move |tables| tables.register(&name, until))
    }

    /// Says that a worker lives, and gives up those whose time is over; false when this one was given up itself: then whatever it had claimed is
    /// another's.
    pub fn renew(&self, worker: WorkerId, at: DateTime<Utc>, until: DateTime<Utc>) -> Waiting<bool> {
        self.ask(move |tables| {
            let lives = tables.renew(worker, until)?;
            expire(tables, at, None)?;
            Ok(lives)
        })
    }

    /// A worker ends: what it had claimed is queued again.
    pub fn leave(&self, worker: WorkerId, at: DateTime<Utc>) -> Waiting<Expired> {
        self.ask(move |tables| expire(tables, at, Some(worker)))
    }

    /// Gives up workers whose time is over.
    pub fn expire(&self, at: DateTime<Utc>) -> Waiting<Expired> {
        self.ask(move |tables| expire(tables, at, None))
    }

    /// A worker does no more for a mailing: what it had claimed of it and not attempted is queued again, or called off
    /// with the mailing.
    pub fn release(&self, id: MailingId, worker: WorkerId, at: DateTime<Utc>) -> Waiting<()> {
        self.ask(move |tables| {
            tables.release(id, worker, at)?;
            tables.cancel_waiting(Some(id), at)
        })
    }

    /// All workers that were not given up, each with its name.
    pub fn workers(&self) -> Waiting<Vec<(WorkerId, String)>> {
        self.ask(move |tables| tables.workers())
    }

    /// Claims deliveries.
    pub fn claim(&self, order: Order) -> Waiting<Claimed> {
        let lanes = self.lanes.clone();
        self.ask(move |tables| tables.claim(&order, &lanes))
    }

    /// Puts what waits in lanes that there are no more into everybody's.
    pub fn clear_lanes(&self, id: MailingId) -> Waiting<()> {
        let lanes = self.lanes.clone();
        self.ask(move |tables| tables.clear_lanes(id, lanes.all().len()))
    }

    /// Keeps a step from a delivery to the next; says of each whether it was this worker's.
    pub fn step(&self, step: Step) -> Waiting<(bool, bool)> {
        let (answering, waiting) = Waiting::channel();
        self.send(Job::Step(Box::new(step), answering));
        waiting
    }

    /// How many deliveries stand where.
    pub fn sums(&self, id: MailingId) -> Waiting<Sums> {
        self.ask(move |tables| tables.sums(id))
    }

    /// What came of a mailing after it was delivered.
    pub fn returns(&self, id: MailingId) -> Waiting<ReturnsSums> {
        self.ask(move |tables| tables.returns_sums(id))
    }

    /// When the first delivery that waits is due; nothing when none waits.
    pub fn next_due(&self, id: MailingId) -> Waiting<Option<DateTime<Utc>>> {
        self.ask(move |tables| tables.next_due(id))
    }

    /// Up to `most` deliveries behind a subscriber, in order: a report reads them piece by piece.
    pub fn deliveries(&self, id: MailingId, after: i64, most: usize) -> Waiting<Vec<DeliveryRow>> {
        self.ask(move |tables| {
            let mut rows = tables.deliveries(id, after, most)?;
            let Some(last) = rows.last() else { return Ok(rows) };
            let returns = tables.returns_between(id, after, last.subscriber.0)?;
            for new in returns {
                let Ok(at) = rows.binary_search_by_key(&new.subscriber.0, |row| row.subscriber.0) else {
                    continue;
                };
                let returned = &mut rows[at].returned;
                // A complaint says more than what came before or after it.
                if returned.as_ref().is_none_or(|known| known.way != Way::Complaint) {
                    *returned = Some(Return::from(new));
                }
            }
            Ok(rows)
        })
    }
}

/// Gives up workers. What they leave of a mailing that was cancelled is called off, too.
fn expire(
    tables: &mut dyn MailingTables,
    at: DateTime<Utc>,
    leaving: Option<WorkerId>,
) -> Result<Expired, StoreError> {
    let expired = tables.expire(at, leaving)?;
    if expired != Expired::default() {
        tables.cancel_waiting(None, at)?;
    }
    Ok(expired)
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        if let Ok(mut threads) = self.threads.lock() {
            for thread in threads.drain(..) {
                thread.join().ok();
            }
        }
    }
}

// What it holds is for nobody's logs.
impl std::fmt::Debug for Mailings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mailings").finish_non_exhaustive()
    }
}
