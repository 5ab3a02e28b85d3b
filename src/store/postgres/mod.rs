//! The list in PostgreSQL, for several machines: who writes locks the row of the heads, so that all of them write one
//! after another, a group at a time. A lost connection is made anew by what comes next.

mod batch;
mod failure;
mod holds;
mod mailings;
mod opening;
mod paces;
mod reading;
mod returns;
mod rows;
mod session;
mod target;
mod tls;
mod writing;

use chrono::{DateTime, Utc};

pub(super) use opening::{made, open};
pub(super) use target::Target;

use failure::Failure;
use session::Session;

use super::StoreError;
use super::database::{
    Asked, Changes, Counts, Database, Ended, Heads, ImportRecord, Names, Portions, ReaderRow, Settlement,
};
use crate::list::ledger::{EventKind, Sealed};
use crate::list::{HeldToken, Notice, TokenDigest};
use crate::model::SubscriberId;

/// Takes what was deleted out of the tables that hold readers' data, and out of their indexes.
const SCRUB: &str = "VACUUM (INDEX_CLEANUP ON) subscribers, tokens, notices, ledger_details, ledger_ips, asked, returns, histories";

/// A connection to a list in PostgreSQL, or the way to make one.
pub(super) struct Postgres {
    target: Target,
    session: Option<Session>,
    state: State,
    /// The number of the next subscriber, as the transaction knows it.
    next_subscriber: i64,
}

/// How it stands with the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is none.
    Idle,
    /// It goes well.
    Open,
    /// Something in it has failed, or its connection is lost: nothing of it can be kept.
    Spoiled,
}

impl Postgres {
    /// Does something with the connection. Outside of a transaction a lost one is made anew, and the same done again.
    fn run<Value>(
        &mut self,
        work: impl Fn(&mut Session) -> Result<Value, Failure>,
    ) -> Result<Value, StoreError> {
        let is_fresh = self.connect()?;
        let mut failure = match self.try_once(&work) {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        // That the server was restarted shows when it is asked again. One that is silent is not asked twice.
        let is_worth_it = !is_fresh && !matches!(failure, Failure::Late);
        if self.session.is_none() && self.state == State::Idle && is_worth_it {
            self.connect()?;
            failure = match self.try_once(&work) {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
        }
        if self.state == State::Open {
            self.state = State::Spoiled;
        }
        Err(failure.told(&self.target.place))
    }

    fn try_once<Value>(
        &mut self,
        work: &impl Fn(&mut Session) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        let Some(session) = &mut self.session else { return Err(lost()) };
        let done = work(session);
        if done.as_ref().is_err_and(Failure::ends_session) || session.is_closed() {
            self.session = None;
        }
        done
    }

    /// Sees that there is a connection; whether it has just been made.
    fn connect(&mut self) -> Result<bool, StoreError> {
        if self.session.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(false);
        }
        self.session = None;
        if self.state != State::Idle {
            self.state = State::Spoiled;
            return Err(lost().told(&self.target.place));
        }
        let session = Session::open(&self.target).map_err(|failure| failure.told(&self.target.place))?;
        self.session = Some(session);
        Ok(true)
    }

    fn open_transaction(&mut self, begin: &str, heads: &str) -> Result<Heads, StoreError> {
        self.rollback();
        let begun = self.run(|session| {
            let found = session.begin(begin, heads)?;
            rows::heads(found.first().ok_or_else(|| Failure::Row("the heads are missing".to_owned()))?)
        });
        // Also after an error: the transaction may have begun.
        self.state = if begun.is_ok() { State::Open } else { State::Spoiled };
        self.next_subscriber = begun.as_ref().map_or(0, |heads| heads.next_subscriber);
        begun
    }
}

fn lost() -> Failure {
    Failure::Network("the connection was lost".to_owned())
}

/// Whoever locks the heads is the only one who writes; all that he reads after that is the newest.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const LOCKED_HEADS: &str =
    "SELECT number, digest, seal, next_subscriber, next_notice, next_import FROM heads FOR UPDATE";
const BEGIN_STEADY: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const HEADS: &str = "SELECT number, digest, seal, next_subscriber, next_notice, next_import FROM heads";

impl Database for Postgres {
    fn begin(&mut self) -> Result<Heads, StoreError> {
        self.open_transaction(BEGIN, LOCKED_HEADS)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.state != State::Open {
            return Err(lost().told(&self.target.place));
        }
        let committed = self.run(|session| session.run("COMMIT"));
        match committed {
            Ok(()) => {
                self.state = State::Idle;
                Ok(())
            }
            Err(StoreError::Unreachable { place, why }) => Err(StoreError::Unreachable {
                place,
                why: format!("{why}, and whether the last of it was kept is not known"),
            }),
            Err(error) => Err(error),
        }
    }

    fn rollback(&mut self) {
        if self.state != State::Idle
            && let Some(session) = &mut self.session
            && session.run("ROLLBACK").is_err()
        {
            self.session = None;
        }
        self.state = State::Idle;
    }

    fn steady(&mut self) -> Result<Heads, StoreError> {
        self.open_transaction(BEGIN_STEADY, HEADS)
    }

    fn portions(&self) -> Portions {
        Portions { at_once: 4096, are_read_ahead: true }
    }

    fn tokens(&mut self, digests: &[TokenDigest]) -> Result<Vec<HeldToken>, StoreError> {
        self.run(|session| reading::tokens(session, digests))
    }

    fn readers(&mut self, names: &Names) -> Result<Vec<ReaderRow>, StoreError> {
        self.run(|session| reading::readers(session, names))
    }

    fn barred(&mut self, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
        self.run(|session| reading::barred(session, digests))
    }

    fn asked(&mut self, networks: &[String], after: DateTime<Utc>) -> Result<Vec<Asked>, StoreError> {
        self.run(|session| reading::asked(session, networks, after))
    }

    fn apply(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let next = self.next_subscriber;
        self.run(|session| writing::apply(session, changes, next))?;
        self.next_subscriber = changes.heads.next_subscriber;
        Ok(())
    }

    fn claim_notices(
        &mut self,
        at: DateTime<Utc>,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(Notice, i64)>, StoreError> {
        self.run(|session| writing::claim_notices(session, at, until, most))
    }

    fn settle_notice(&mut self, id: i64, epoch: i64, settlement: &Settlement) -> Result<bool, StoreError> {
        self.run(|session| writing::settle_notice(session, id, epoch, settlement))
    }

    fn shorten(&mut self, before: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
        self.run(|session| writing::shorten(session, before))
    }

    fn tidy(&mut self, ended: &Ended) -> Result<(), StoreError> {
        self.run(|session| writing::tidy(session, ended))
    }

    fn scrub(&mut self) -> Result<bool, StoreError> {
        self.run(|session| session.run_long(SCRUB)).map(|()| true)
    }

    fn readers_after(&mut self, after: SubscriberId, most: usize) -> Result<Vec<ReaderRow>, StoreError> {
        self.run(|session| reading::readers_after(session, after, most))
    }

    fn unconfirmed(&mut self, since: DateTime<Utc>, most: usize) -> Result<Vec<ReaderRow>, StoreError> {
        self.run(|session| reading::unconfirmed(session, since, most))
    }

    fn last_entries_after(&mut self, after: SubscriberId, most: usize) -> Result<Vec<Sealed>, StoreError> {
        self.run(|session| reading::last_entries_after(session, after, most))?.into_iter().collect()
    }

    fn entries_after(&mut self, after: i64, most: usize) -> Result<Vec<Sealed>, StoreError> {
        self.run(|session| reading::entries_after(session, after, most))?.into_iter().collect()
    }

    fn entries_of(&mut self, reader: SubscriberId) -> Result<Vec<Sealed>, StoreError> {
        self.run(|session| reading::entries_of(session, reader))?.into_iter().collect()
    }

    fn entries_of_kinds(&mut self, kinds: &[EventKind]) -> Result<Vec<Sealed>, StoreError> {
        self.run(|session| reading::entries_of_kinds(session, kinds))?.into_iter().collect()
    }

    fn entries(&mut self, numbers: &[i64]) -> Result<Vec<Sealed>, StoreError> {
        self.run(|session| reading::entries(session, numbers))?.into_iter().collect()
    }

    fn stray_opening(&mut self) -> Result<Option<i64>, StoreError> {
        self.run(reading::stray_opening)
    }

    fn wordings(&mut self) -> Result<Vec<([u8; 32], String)>, StoreError> {
        self.run(reading::wordings)
    }

    fn imports(&mut self) -> Result<Vec<ImportRecord>, StoreError> {
        self.run(reading::imports)
    }

    fn counts(&mut self) -> Result<Counts, StoreError> {
        self.run(reading::counts)
    }

    fn confirmations(&mut self) -> Result<Vec<(DateTime<Utc>, u64)>, StoreError> {
        self.run(reading::confirmations)
    }
}
