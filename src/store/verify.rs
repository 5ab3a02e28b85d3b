//! Whether the ledger, and what hangs on it, is as it was written.

use std::collections::{HashMap, HashSet};

use super::database::{Database, Heads, Names};
use super::{Store, StoreError, seal};
use crate::digest;
use crate::list::ledger::{ChainEnd, Details, EventKind, Sealed};
use crate::list::{Fault, StoreKey, Walk};
use crate::model::SubscriberId;

/// How many rows are read at once.
const AT_ONCE: usize = 2000;

/// What looking at the whole ledger has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// All of it is as it was written.
    Whole {
        /// How many readers there are.
        readers: u64,
        /// The end of the ledger.
        end: ChainEnd,
    },
    /// Something was changed, added or taken away; this is the first of it.
    Broken(Fault),
}

/// What ends a walk early.
enum Stop {
    Fault(Fault),
    Store(StoreError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreadable { number } => {
                Stop::Fault(Fault { number: Some(number), what: "the entry cannot be read" })
            }
            error => Stop::Store(error),
        }
    }
}

impl Store {
    /// Walks along the whole ledger: the chain, what it commits to, the wordings, and whether it stands with every
    /// reader as his last entry says.
    ///
    /// # Errors
    /// What the database says. That something was changed is no error, but what was asked.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        self.read(|database, heads| match verify(database, heads, &self.0.settings.key) {
            Ok(verification) => Ok(verification),
            Err(Stop::Fault(fault)) => Ok(Verification::Broken(fault)),
            Err(Stop::Store(error)) => Err(error),
        })
    }
}

fn verify(database: &mut dyn Database, heads: Heads, key: &StoreKey) -> Result<Verification, Stop> {
    let kinds = [EventKind::Erased, EventKind::TakenBack, EventKind::Shortened];
    let endings = database.entries_of_kinds(&kinds)?;
    let mut walk = Walk::new(&endings, &database.wordings()?)?;
    loop {
        let entries = database.entries_after(walk.end().number, AT_ONCE)?;
        if entries.is_empty() {
            break;
        }
        for sealed in &entries {
            walk.step(sealed)?;
        }
    }
    let end = walk.end();
    if end != heads.chain {
        return fault(Some(end.number + 1), "entries are missing at the end");
    }
    if !seal::is_whole(key, &heads) {
        return fault(Some(end.number), "the end was not written by this program");
    }
    if let Some(number) = database.stray_opening()? {
        return fault(Some(number), "details lie there without their entry");
    }
    are_barred(database, walk.barred())?;
    let readers = look_at_readers(database)?;
    if readers != walk.readers() {
        let missing = missing_reader(database, &endings)?;
        return fault(missing, "its reader is missing, and was not erased");
    }
    Ok(Verification::Whole { readers, end })
}

fn fault<Value>(number: Option<i64>, what: &'static str) -> Result<Value, Stop> {
    Err(Stop::Fault(Fault { number, what }))
}

/// Whether all whom the ledger calls erased are kept from coming back by an import.
fn are_barred(database: &mut dyn Database, wanted: &[(i64, String)]) -> Result<(), Stop> {
    for chunk in wanted.chunks(AT_ONCE) {
        let digests: Vec<[u8; 32]> = chunk.iter().filter_map(|(_, digits)| digest::octets(digits)).collect();
        let found: HashSet<String> =
            database.barred(&digests)?.iter().map(|octets| digest::hexadecimal(octets)).collect();
        if let Some((number, _)) = chunk.iter().find(|(_, digits)| !found.contains(digits)) {
            return fault(Some(*number), "what keeps its reader from coming back by an import is missing");
        }
    }
    Ok(())
}

/// Whether it stands with every reader as his last entry says; how many readers there are.
fn look_at_readers(database: &mut dyn Database) -> Result<u64, Stop> {
    let mut after = SubscriberId(0);
    let mut count = 0;
    loop {
        let rows = database.readers_after(after, AT_ONCE)?;
        let Some(row) = rows.last() else { return Ok(count) };
        let last: HashMap<SubscriberId, Sealed> = database
            .last_entries_after(after, rows.len())?
            .into_iter()
            .filter_map(|sealed| Some((sealed.entry.subscriber?, sealed)))
            .collect();
        after = row.reader.subscriber.id;
        for row in &rows {
            let subscriber = &row.reader.subscriber;
            let Some(sealed) = last.get(&subscriber.id) else {
                return fault(None, "a reader has no entry at all");
            };
            if sealed.entry.status != Some(subscriber.status) {
                return fault(Some(sealed.entry.number), "it stands otherwise with its reader than it says");
            }
            let details = sealed.details.as_ref().and_then(|opening| Details::parse(&opening.text));
            let address = details.and_then(|details| details.address);
            if address.as_deref() != Some(subscriber.address.as_str()) {
                return fault(Some(sealed.entry.number), "its reader has another address than it says");
            }
        }
        count += rows.len() as u64;
    }
}

/// The first entry whose reader is not there and was not forgotten.
fn missing_reader(database: &mut dyn Database, endings: &[Sealed]) -> Result<Option<i64>, Stop> {
    let forgotten: HashSet<SubscriberId> =
        endings.iter().filter_map(|sealed| sealed.entry.subscriber).collect();
    let mut after = 0;
    loop {
        let entries = database.entries_after(after, AT_ONCE)?;
        let Some(last) = entries.last() else { return Ok(None) };
        after = last.entry.number;
        let ids: Vec<SubscriberId> = entries
            .iter()
            .filter_map(|sealed| sealed.entry.subscriber)
            .filter(|id| !forgotten.contains(id))
            .collect();
        let rows = database.readers(&Names { ids, ..Names::default() })?;
        let known: HashSet<SubscriberId> = rows.iter().map(|row| row.reader.subscriber.id).collect();
        let is_missing = |sealed: &&Sealed| {
            sealed.entry.subscriber.is_some_and(|id| !forgotten.contains(&id) && !known.contains(&id))
        };
        if let Some(sealed) = entries.iter().find(is_missing) {
            return Ok(Some(sealed.entry.number));
        }
    }
}
