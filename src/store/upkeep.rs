//! What goes by itself in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::database::{Changes, Database, Ended};
use super::{Store, StoreError, seal};
use crate::list::ledger::{self, Details, Event, EventKind};

/// How long a settled notice is kept, to tell what the server answered.
const NOTICES_FOR: TimeDelta = TimeDelta::days(30);
/// How long after its end a token is kept. It is good for nothing then.
const TOKENS_FOR: TimeDelta = TimeDelta::days(1);
/// How long what networks asked is kept.
const ASKED_FOR: TimeDelta = TimeDelta::days(1);

/// How long the whole address of an asking machine is kept.
const MACHINES_FOR: TimeDelta = TimeDelta::days(90);

impl Store {
    /// Does what is to be done every day: forgets the last parts of machines' addresses after 90 days, tokens that are
    /// over, and what networks asked.
    ///
    /// # Errors
    /// What the database says.
    pub fn shorten_addresses(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(|database, mut heads, key| {
            database.tidy(&ended(at))?;
            if let Some(last) = database.shorten(at - MACHINES_FOR)? {
                let details = Details { up_to: Some(last), ..Details::default() };
                let event =
                    Event { kind: EventKind::Shortened, subscriber: None, status: None, details, ip: None };
                // Its details are nobody's, so that their salt may be known.
                let entry = ledger::seal(&mut heads.chain, &event, at, &[]);
                heads = seal::end(key, heads, heads.chain);
                let mut changes = Changes::none(heads);
                changes.entries.push(entry);
                database.apply(&changes)?;
            }
            Ok(((), true))
        })?;
        self.scrub()
    }
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
