//! What goes by itself in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::database::{Changes, Database, Ended, Heads, ReaderRow};
use super::{Store, StoreError, seal};
use crate::digest;
use crate::list::ledger::{self, Details, Event, EventKind};
use crate::list::{StoreKey, UNCONFIRMED_DAYS};
use crate::model::Subscriber;

/// How long a settled notice is kept, to tell what the server answered.
const NOTICES_FOR: TimeDelta = TimeDelta::days(30);
/// How long after its end a token is kept. It is good for nothing then.
const TOKENS_FOR: TimeDelta = TimeDelta::days(1);
/// How long what networks asked is kept.
const ASKED_FOR: TimeDelta = TimeDelta::days(1);
/// How long the whole address of an asking machine is kept.
const MACHINES_FOR: TimeDelta = TimeDelta::days(90);

/// How many readers are forgotten in one transaction: requests wait no longer than that.
const FORGOTTEN_AT_ONCE: usize = 1000;

impl Store {
    /// Does what is to be done every day: forgets tokens that are over, what networks asked, the last parts of machines'
    /// addresses after 90 days, and whoever has not confirmed within [`UNCONFIRMED_DAYS`]. The octets of all that are removed from the files.
    ///
    /// # Errors
    /// What the database says. What was done before it failed stays done.
    pub fn do_upkeep(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(|database, heads, key| {
            database.tidy(&ended(at))?;
            shorten(database, heads, key, at)?;
            Ok(((), true))
        })?;
        while self.write(|database, heads, key| {
            let count = forget_unconfirmed(database, heads, key, at)?;
            Ok((count == FORGOTTEN_AT_ONCE, count > 0))
        })? {}
        self.scrub()
    }
}

/// Forgets the last parts of machines' addresses.
fn shorten(
    database: &mut dyn Database,
    mut heads: Heads,
    key: &StoreKey,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(last) = database.shorten(at - MACHINES_FOR)? else { return Ok(()) };
    let details = Details { up_to: Some(last), ..Details::default() };
    let event = Event { kind: EventKind::Shortened, subscriber: None, status: None, details, ip: None };
    // Its details are nobody's, so that their salt may be known.
    let entry = ledger::seal(&mut heads.chain, &event, at, &[]);
    heads = seal::end(key, heads, heads.chain);
    let mut changes = Changes::none(heads);
    changes.entries.push(entry);
    database.apply(&changes)
}

/// Erases some of those who have never confirmed, as they could have themselves; how many.
fn forget_unconfirmed(
    database: &mut dyn Database,
    mut heads: Heads,
    key: &StoreKey,
    at: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let rows = database.unconfirmed(at - TimeDelta::days(UNCONFIRMED_DAYS), FORGOTTEN_AT_ONCE)?;
    let mut changes = Changes::none(heads);
    for ReaderRow { reader, .. } in &rows {
        let Subscriber { id, address, .. } = &reader.subscriber;
        let barred = seal::barred(key, address);
        let details = Details { barred: Some(digest::hexadecimal(&barred)), ..Details::default() };
        let kind = EventKind::Erased;
        let event = Event { kind, subscriber: Some(*id), status: None, details, ip: None };
        // All that the details hold is made with the key, so that their salt may be known.
        let entry = ledger::seal(&mut heads.chain, &event, at, &[]);
        changes.forgotten.push((*id, entry.entry.number));
        changes.barred.push(barred);
        changes.entries.push(entry);
    }
    if !rows.is_empty() {
        changes.heads = seal::end(key, heads, heads.chain);
        database.apply(&changes)?;
    }
    Ok(rows.len())
}

/// Removes what was over some time before.
pub(super) fn tidy(database: &mut dyn Database, at: DateTime<Utc>) -> Result<(), StoreError> {
    database.begin()?;
    let end = database.tidy(&ended(at)).and_then(|()| database.commit());
    if end.is_err() {
        database.rollback();
    }
    end
}

fn ended(at: DateTime<Utc>) -> Ended {
    Ended { tokens: at - TOKENS_FOR, asked: at - ASKED_FOR, notices: at - NOTICES_FOR }
}
