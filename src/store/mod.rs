//! The list as it is kept: subscribers, the proof of their consent, their tokens, and the notices that wait; the only SQL.
//!
//! ```text
//!  ask ──▶ what waits together ──▶ load ──▶ list::decide, one after another ──▶ apply ──▶ commit ──▶ answers
//! ```
//!
//! One thread writes. It takes all requests that wait, loads whom they name, decides them in memory, keeps what has
//! changed in one transaction, and answers when that is durable: the disk is waited for once for all of them, and
//! nobody is told of what could be lost. Rules are [`crate::list`]'s; the databases, SQLite and PostgreSQL, load and keep.

mod database;
mod error;
mod group;
mod import;
mod look;
pub mod mailings;
mod place;
mod postgres;
mod rehearsal;
mod report;
pub mod returns;
mod seal;
mod sqlite;
mod upkeep;
mod verify;
mod waiting;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

pub use database::ImportRecord;
pub use error::StoreError;
pub use import::{ImportOrder, ImportReport, Refused, TOLD_WITHIN, UndoReport};
pub use rehearsal::RehearsalList;
pub use report::{Filter, LedgerEntry, Stats};
pub use verify::Verification;
pub use waiting::Waiting;

use crate::list::{Answer, Evidence, Limits, Notice, Request, Standing, StoreKey, TokenDigest, TokenKind};
use database::{Database, Heads};
use look::Looking;
use place::Place;
use writer::Job;

/// Where the list is kept, and by which rules.
#[derive(Clone)]
pub struct Settings {
    /// `sqlite:PATH`, or `postgres://…`.
    pub url: String,
    /// The password for PostgreSQL, if its URL has none.
    pub password: Option<String>,
    /// The folder that a relative path starts from.
    pub folder: PathBuf,
    /// The key that tokens and seals are made with.
    pub key: StoreKey,
    /// How much may be asked.
    pub limits: Limits,
}

/// A list, open. Clones are the same list; it closes with the last of them, or by [`Store::close`].
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    place: Place,
    settings: Settings,
    jobs: mpsc::Sender<Job>,
    lookings: mpsc::Sender<Looking>,
    notices: watch::Receiver<u64>,
    threads: Mutex<Option<Threads>>,
}

/// Those who work for an open list.
struct Threads {
    writer: JoinHandle<()>,
    looker: JoinHandle<()>,
}

/// A notice that this process is to send, as long as its lease runs.
#[derive(Clone, Debug)]
pub struct ClaimedNotice {
    /// The notice.
    pub notice: Notice,
    /// Which claim of it this is; what an earlier one settles is not kept.
    pub epoch: i64,
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// The server took it.
    Sent {
        /// What it answered.
        reply: String,
    },
    /// It is to be tried again.
    Again {
        /// When.
        due: DateTime<Utc>,
        /// What the server answered.
        reply: String,
    },
    /// It will never be sent.
    Failed {
        /// What the server answered.
        reply: String,
    },
}

impl Store {
    /// What the place of a list is called, if one was made there already: then there is a key that it was made with.
    /// Nothing is made, and nothing changed. What the arguments are, [`Settings`] tells.
    ///
    /// # Errors
    /// That the place is none, or cannot be looked at.
    pub fn made(url: &str, password: Option<&str>, folder: &Path) -> Result<Option<String>, StoreError> {
        Place::parse(url, password, folder)?.made()
    }

    /// Opens a list: makes it if it is not there, brings it to the newest schema, and removes what was over before `at`.
    ///
    /// # Errors
    /// A newer schema, another key, or that the database cannot be reached.
    pub fn open(settings: &Settings, at: DateTime<Utc>) -> Result<Store, StoreError> {
        let place = Place::of(settings)?;
        let mut writing = place.open(&settings.key)?;
        upkeep::tidy(writing.as_mut(), at)?;
        let reading = place.open(&settings.key)?;
        let (jobs, waiting_jobs) = mpsc::channel();
        let (lookings, waiting_lookings) = mpsc::channel();
        let (queued, notices) = watch::channel(0);
        let writer = writer::Writer::new(writing, settings, queued);
        let threads = Mutex::new(Some(Threads {
            writer: std::thread::spawn(move || writer.run(&waiting_jobs)),
            looker: std::thread::spawn(move || look::run(reading, &waiting_lookings)),
        }));
        Ok(Store(Arc::new(Inner { place, settings: settings.clone(), jobs, lookings, notices, threads })))
    }

    /// Asks something of the list. The answer comes when whatever it changes is durable.
    pub fn ask(&self, request: Request, evidence: Evidence) -> Waiting<Answer> {
        let (answering, waiting) = Waiting::channel();
        // A store that is closed drops the other end, which is told as that.
        self.0.jobs.send(Job::Ask(Box::new((request, evidence)), answering)).ok();
        waiting
    }

    /// How it stands with the reader whose token this is; nothing when it is none of this kind, its time is over, or it was
    /// used. Changes nothing.
    pub fn look(&self, kind: TokenKind, digest: TokenDigest, at: DateTime<Utc>) -> Waiting<Option<Standing>> {
        let (looking, waiting) = Looking::new(kind, digest, at);
        self.0.lookings.send(looking).ok();
        waiting
    }

    /// Whether the list can be written to now: something is.
    pub fn ready(&self) -> Waiting<()> {
        let (answering, waiting) = Waiting::channel();
        self.0.jobs.send(Job::Ready(answering)).ok();
        waiting
    }

    /// Takes up to `most` notices that are due, for as long as the lease runs. After that another process may take them.
    pub fn claim_notices(
        &self,
        at: DateTime<Utc>,
        lease: Duration,
        most: usize,
    ) -> Waiting<Vec<ClaimedNotice>> {
        let (answering, waiting) = Waiting::channel();
        self.0.jobs.send(Job::Claim { at, lease, most, answering }).ok();
        waiting
    }

    /// Keeps what became of a notice; `false` when another process has claimed it since, or it was erased: then nothing is kept.
    pub fn settle_notice(
        &self,
        claimed: &ClaimedNotice,
        outcome: NoticeOutcome,
        at: DateTime<Utc>,
    ) -> Waiting<bool> {
        let (answering, waiting) = Waiting::channel();
        let (id, epoch) = (claimed.notice.id, claimed.epoch);
        self.0.jobs.send(Job::Settle { id, epoch, outcome, at, answering }).ok();
        waiting
    }

    /// The key that tokens and seals are made with.
    pub fn key(&self) -> &StoreKey {
        &self.0.settings.key
    }

    /// Changes whenever this process has queued notices.
    pub fn notices_waiting(&self) -> watch::Receiver<u64> {
        self.0.notices.clone()
    }

    /// Reads a steady state with a connection of its own.
    fn read<Value>(
        &self,
        read: impl FnOnce(&mut dyn Database, Heads) -> Result<Value, StoreError>,
    ) -> Result<Value, StoreError> {
        let mut database = self.0.place.open(&self.0.settings.key)?;
        let heads = database.steady()?;
        let value = read(database.as_mut(), heads);
        database.rollback();
        value
    }

    /// Writes with a connection of its own, in one transaction; what is written is kept if `write` says so.
    fn write<Value>(
        &self,
        write: impl FnOnce(&mut dyn Database, Heads, &StoreKey) -> Result<(Value, bool), StoreError>,
    ) -> Result<Value, StoreError> {
        let key = &self.0.settings.key;
        let mut database = self.0.place.open(key)?;
        let written = database.begin().and_then(|heads| {
            seal::check(key, &heads)?;
            let (value, is_kept) = write(database.as_mut(), heads, key)?;
            if is_kept {
                database.commit()?;
            }
            Ok(value)
        });
        // After a commit there is nothing left to end.
        database.rollback();
        written
    }

    /// Removes from the files what was forgotten, if nobody reads an old state just now.
    fn scrub(&self) -> Result<(), StoreError> {
        self.0.place.open(&self.0.settings.key)?.scrub()?;
        Ok(())
    }

    /// Finishes what waits, and closes the list: whatever is asked after it is answered with `Closed`.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Inner {
    fn close(&self) {
        let threads = self.threads.lock().ok().and_then(|mut threads| threads.take());
        let Some(threads) = threads else { return };
        // One after the other: the last connection that SQLite closes takes its log into the file, but of two at once none is the last.
        self.lookings.send(Looking::close()).ok();
        threads.looker.join().ok();
        self.jobs.send(Job::Close).ok();
        threads.writer.join().ok();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

// What these hold is for nobody's logs: passwords, too.
impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Settings").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}
