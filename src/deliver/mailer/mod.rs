//! Sends mailings: claims deliveries, carries them over a few connections, keeps what became of each.
//!
//! ```text
//!  feeds (one for each lane) ──▶ carriers (one for each connection) ──▶ steps in the ledger
//! ```
//!
//! Each carrier notes in one write what became of the last delivery and that the next one's body goes out, before its
//! first octet does. Whatever ends the process leaves at most one delivery of each carrier in doubt.

mod carrier;
mod compose;
mod feed;
mod pacer;
mod patience;
mod worker;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use compose::{Composer, message_id};
pub use worker::Worker;

use super::smtp::{Door, Route, Target};
use crate::mailing::{Guard, Rate, Verdict};
use crate::store::StoreError;
use crate::store::mailings::{Delivery, Mailing, MailingStatus, Mailings};
use carrier::Carrier;
use feed::Feeds;
use pacer::Pacer;
use patience::Absence;

/// The time, as the caller tells it.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Becomes true when what runs is to end.
pub type Ending = watch::Receiver<bool>;

/// What is told while a mailing is sent.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// What came of an attempt.
    Attempt(Verdict),
    /// The store does not do what it is asked: nothing leaves until it does.
    StoreIsAway(&'a StoreError),
    /// The store does again what it is asked.
    StoreIsBack,
}

/// Whom it is told.
pub type Progress = Arc<dyn Fn(Event) + Send + Sync>;

/// How mailings are sent.
#[derive(Clone)]
pub struct Settings {
    /// Where mail goes.
    pub route: Arc<Route>,
    /// Of each place there, how many connections it has at once, over all mailings of this process, and how fast messages leave by it,
    /// over all workers.
    pub doors: Arc<[Door]>,
    /// Whether each lane keeps to its own pace and hours; a rehearsal does not.
    pub lanes_keep_pace: bool,
    /// How long a worker that says nothing is taken for alive.
    pub lease: TimeDelta,
    /// How long a store is waited for that is locked, full or away.
    pub patience: Duration,
    /// How long what is in flight has to finish when the sending ends.
    pub drain: Duration,
    /// The time.
    pub clock: Clock,
}

/// How the sending of a mailing ended for this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Nothing of it is left to do.
    Done,
    /// It was paused or cancelled, here or elsewhere.
    Stopped,
    /// Only deliveries are left that are not due for some time; the first is due then.
    Waiting(DateTime<Utc>),
    /// This worker was told to end.
    Drained,
}

/// What all parts of one mailing's sending share.
struct Sending {
    mailings: Mailings,
    mailing: Mailing,
    worker: Worker,
    composer: Composer,
    settings: Settings,
    guard: Mutex<Guard>,
    /// Of each place that mail goes to, its pace.
    pacers: Vec<Option<Pacer>>,
    /// The doors there, as this mailing's.
    doors: Arc<[Door]>,
    progress: Progress,
    absence: Absence,
    /// Told when no carrier has anything to do any more.
    idle: Notify,
    stop: Ending,
}

/// How long deliveries are waited for that will be due; for others somebody comes back.
const SOON: TimeDelta = TimeDelta::minutes(1);

/// How often it is asked whether a mailing was paused, cancelled or finished elsewhere.
const ASKED_EVERY: Duration = Duration::from_millis(300);

/// Runs a task to its end, on as many threads as there are cores.
///
/// # Errors
/// When the system gives no threads.
pub fn block_on<Task: Future>(task: Task) -> std::io::Result<Task::Output> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(task))
}

/// A task that runs beside the others; its value comes with `.await`.
pub type Spawned<Value> = tokio::task::JoinHandle<Value>;

/// Begins a task beside the others.
pub fn spawn<Task>(task: Task) -> Spawned<Task::Output>
where
    Task: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(task)
}

/// Waits, but not longer than until `stop` is true.
pub async fn wait(time: Duration, stop: &mut Ending) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = until_true(stop) => {}
    }
}

async fn until_true(stop: &mut Ending) {
    // Whoever could say so has gone: that is an end, too.
    drop(stop.wait_for(|stop| *stop).await);
}

/// What makes the receiver become true.
pub fn ending() -> (impl Fn(), Ending) {
    let (end, ending) = watch::channel(false);
    (move || _ = end.send_replace(true), ending)
}

/// Becomes true at the first Ctrl-C, or when the process is asked to end.
pub fn interrupted() -> Ending {
    let (end, ending) = watch::channel(false);
    tokio::spawn(async move {
        asked_to_end().await;
        end.send_replace(true);
    });
    ending
}

#[cfg(unix)]
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() {
    drop(tokio::signal::ctrl_c().await);
}

/// Sends a mailing until nothing is left, it is stopped, or `stop` becomes true; then what is in flight is finished, as far as
/// that takes no longer than the settings grant. What a server is still silent about then is in doubt.
///
/// # Errors
/// When the store does not keep what becomes of the deliveries, for as long as the settings wait for it. Nothing is sent
/// meanwhile.
pub async fn send(
    mailings: &Mailings,
    mailing: Mailing,
    composer: Composer,
    worker: Worker,
    settings: Settings,
    progress: Progress,
    stop: Ending,
) -> Result<Finished, StoreError> {
    let id = mailing.id;
    let (end, ending) = watch::channel(false);
    let places = settings.route.targets.iter().zip(settings.doors.iter());
    let pacer = |(target, door): (&Target, &Door)| {
        let name = format!("server {}", target.name());
        door.rate.map(|rate| Pacer::new(mailings.clone(), settings.clock.clone(), name, rate))
    };
    let pacers = places.map(pacer).collect();
    let sending = Arc::new(Sending {
        mailings: mailings.clone(),
        mailing,
        worker,
        composer,
        pacers,
        doors: settings.doors.iter().map(Door::of_another).collect(),
        settings,
        guard: Mutex::new(Guard::default()),
        progress,
        absence: Absence::default(),
        idle: Notify::new(),
        stop: ending,
    });
    let mut tasks = JoinSet::new();
    let feeds = Arc::new(Feeds::new(&sending));
    for _ in 0..sending.settings.connections() {
        tasks.spawn(Carrier::new(sending.clone(), feeds.clone()).run());
    }
    let mut failure = None;
    let mut stop = stop;
    let mut finished = None;
    // Until when what is in flight may finish, once the end has begun.
    let mut drained_by = None;
    while !tasks.is_empty() {
        let is_ending = drained_by.is_some();
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(Ok(Ok(()))) | None => {}
                Some(Ok(Err(error))) => _ = failure.get_or_insert(error),
                Some(Err(error)) if error.is_cancelled() => {}
                // A carrier that panicked has left its delivery in doubt; its lease will tell.
                Some(Err(error)) => {
                    failure.get_or_insert(StoreError::Broken { place: "a carrier".to_owned(), what: error.to_string() });
                }
            },
            () = asked_again(&sending), if !is_ending => match sending.noted(look(&sending, &feeds).await) {
                Ok(now) => finished = now,
                Err(error) if sending.waits_for(&error) => {}
                Err(error) => _ = failure.get_or_insert(error),
            },
            () = until_true(&mut stop), if !is_ending => finished = Some(Finished::Drained),
            () = until(drained_by) => tasks.abort_all(),
        }
        if !is_ending && (finished.is_some() || failure.is_some()) {
            end.send_replace(true);
            drained_by = Some(Instant::now() + sending.settings.drain);
        }
    }
    // What was claimed ahead is for whoever goes on, be it this worker later.
    let Sending { mailings, worker, settings, .. } = sending.as_ref();
    let release = || mailings.release(id, worker.id(), (settings.clock)());
    let released = sending.patiently_for(RELEASED_FOR, release).await;
    match failure {
        Some(error) => Err(error),
        None => released.map(|()| finished.unwrap_or(Finished::Drained)),
    }
}

/// How long a store that is away is waited for at the end; without it the lease will tell.
const RELEASED_FOR: Duration = Duration::from_secs(3);

/// Waits until it is to be asked again how it stands with the mailing: at once when nothing is left to do here.
async fn asked_again(sending: &Sending) {
    tokio::select! {
        () = tokio::time::sleep(ASKED_EVERY) => {}
        () = sending.idle.notified() => {}
    }
}

/// Waits until then; for ever where no time is set.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// How old the note becomes that somebody looks after a mailing, before it is made anew.
const WATCHED_FOR: TimeDelta = TimeDelta::seconds(10);

/// Notes that a mailing is looked after, if that was not noted a moment ago.
///
/// # Errors
/// What the store says.
pub async fn watch(mailings: &Mailings, mailing: &Mailing, now: DateTime<Utc>) -> Result<(), StoreError> {
    let is_fresh = |watched: DateTime<Utc>| (now - watched).abs() < WATCHED_FOR;
    match mailing.watched.is_some_and(is_fresh) {
        true => Ok(()),
        false => mailings.watch(mailing.id, now).await,
    }
}

/// How it stands with the mailing, whoever has changed that.
async fn look(sending: &Sending, feeds: &Feeds) -> Result<Option<Finished>, StoreError> {
    let id = sending.mailing.id;
    let now = (sending.settings.clock)();
    let mailings = sending.mailings.of_issue(sending.mailing.issue).await?;
    let Some(mailing) = mailings.iter().find(|mailing| mailing.id == id) else {
        return Ok(Some(Finished::Stopped));
    };
    match mailing.status {
        MailingStatus::Running => watch(&sending.mailings, mailing, now).await?,
        MailingStatus::Done => return Ok(Some(Finished::Done)),
        MailingStatus::Paused | MailingStatus::Cancelled => return Ok(Some(Finished::Stopped)),
    }
    let asked = sending.guard.lock().map_or(0, |guard| guard.asked());
    let held = sending.mailings.holds(id).await?.into_iter().map(|hold| hold.domain).collect();
    if let Ok(mut guard) = sending.guard.lock() {
        guard.hold(held, asked);
    }
    if !sending.worker.is_idle() {
        return Ok(None);
    }
    let sums = sending.mailings.sums(id).await?;
    if sums.claimed > 0 {
        // The answer to a claim may be lost when the store goes away: nobody here knows of what it had claimed.
        if feeds.are_empty() {
            sending.mailings.release(id, sending.worker.id(), now).await?;
        }
        return Ok(None);
    }
    if let Some(due) = sending.mailings.next_due(id).await? {
        if due <= now {
            // Nobody looks into lanes that the settings do not have any more.
            sending.mailings.clear_lanes(id).await?;
        }
        return Ok((due > now + SOON).then_some(Finished::Waiting(due)));
    }
    Ok(sending.mailings.finish(id).await?.map(|status| match status {
        MailingStatus::Done => Finished::Done,
        _ => Finished::Stopped,
    }))
}

impl Settings {
    /// How many connections carry a mailing at the most, whichever server it goes by.
    fn connections(&self) -> usize {
        self.doors.iter().map(|door| door.connections).max().unwrap_or(1).max(1)
    }
}

impl Sending {
    /// A pace that is shared under this name.
    fn pacer(&self, name: String, rate: Rate) -> Pacer {
        Pacer::new(self.mailings.clone(), self.settings.clock.clone(), name, rate)
    }

    /// Whether nothing goes to a delivery's domain now.
    fn is_held(&self, delivery: &Delivery) -> bool {
        self.guard.lock().is_ok_and(|guard| guard.is_held(delivery.address.domain()))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Settings").field("doors", &self.doors).finish_non_exhaustive()
    }
}
