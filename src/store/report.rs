//! What the command line asks: about one reader, all readers, and the list as a whole.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};

use super::database::{Database, Names};
use super::returns::Returns;
use super::{Store, StoreError};
use crate::digest;
use crate::list::ledger::{ChainEnd, Details, EventKind};
use crate::model::{EmailAddress, Source, Status, Subscriber, SubscriberId};

/// How many rows are read at once.
const AT_ONCE: usize = 2000;

/// Which readers.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this status alone.
    pub status: Option<Status>,
    /// Those with this tag alone.
    pub tag: Option<String>,
}

/// What there is, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// How many readers have each status and source; those that nobody has are left out.
    pub readers: Vec<(Status, Source, u64)>,
    /// How many notices wait to be sent.
    pub notices_waiting: u64,
    /// What came back of all mailings.
    pub returns: Returns,
    /// The end of the ledger. Who writes it down can tell later that nothing before it was taken away.
    pub end: ChainEnd,
    /// How many confirmations were queued in the five minutes that begin at a time.
    pub confirmations: Vec<(DateTime<Utc>, u64)>,
    /// From how many confirmations an hour on something is wrong.
    pub alarm: u64,
}

/// What the ledger tells of a reader, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub event: EventKind,
    /// How it stood with the subscription from then on.
    pub status: Option<Status>,
    /// What proves it.
    pub details: Details,
    /// The wording that stood beside the field.
    pub wording: Option<String>,
    /// The asking machine's whole address, for 90 days; then there is `details.network` alone.
    pub ip: Option<String>,
    /// The facts of the import that brought him: basis, file, its digest, operator.
    pub import: Option<Details>,
    /// The digest of the entry before.
    pub previous: [u8; 32],
    /// The digest of the entry.
    pub digest: [u8; 32],
}

impl Stats {
    /// How many readers have a status.
    pub fn of_status(&self, wanted: Status) -> u64 {
        self.readers.iter().filter(|(status, ..)| *status == wanted).map(|(.., count)| count).sum()
    }

    /// How many confirmations were queued within an hour, to five minutes.
    pub fn confirmations_within_hour(&self, at: DateTime<Utc>) -> u64 {
        within_hour(&self.confirmations, at)
    }

    /// Whether somebody seems to use the form against others.
    pub fn is_alarm(&self, at: DateTime<Utc>) -> bool {
        self.confirmations_within_hour(at) >= self.alarm
    }
}

impl Store {
    /// The reader with an address.
    ///
    /// # Errors
    /// What the database says.
    pub fn subscriber(&self, address: &EmailAddress) -> Result<Option<Subscriber>, StoreError> {
        self.read(|database, _| reader(database, address))
    }

    /// Shows all readers that a filter lets pass, in the order of their coming, as they were at the beginning.
    ///
    /// # Errors
    /// What the database says.
    pub fn each_subscriber(
        &self,
        filter: &Filter,
        show: &mut dyn FnMut(Subscriber) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.read(|database, _| {
            let mut after = SubscriberId(0);
            loop {
                let rows = database.readers_after(after, AT_ONCE)?;
                let Some(last) = rows.last() else { return Ok(()) };
                after = last.reader.subscriber.id;
                for row in rows {
                    let subscriber = row.reader.subscriber;
                    let passes = filter.status.is_none_or(|status| subscriber.status == status)
                        && filter.tag.as_ref().is_none_or(|tag| subscriber.tags.contains(tag));
                    if passes && show(subscriber).is_break() {
                        return Ok(());
                    }
                }
            }
        })
    }

    /// What there is, counted.
    ///
    /// # Errors
    /// What the database says.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        self.read(|database, heads| {
            let mut counts = database.counts()?;
            counts.readers.sort_unstable_by_key(|(status, source, _)| (status.name(), source.name()));
            Ok(Stats {
                readers: counts.readers,
                notices_waiting: counts.notices_waiting,
                returns: database.returns(None)?,
                end: heads.chain,
                confirmations: database.confirmations()?,
                alarm: self.0.settings.limits.alarm,
            })
        })
    }

    /// Whether somebody seems to use the form against others, as [`Stats::is_alarm`] says; it costs far less to ask.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_flood(&self, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.read(|database, _| {
            Ok(within_hour(&database.confirmations()?, at) >= self.0.settings.limits.alarm)
        })
    }

    /// All that the ledger tells of the reader with an address, in order; nothing when there is no such reader.
    ///
    /// # Errors
    /// What the database says.
    pub fn proof(&self, address: &EmailAddress) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read(|database, _| {
            let Some(subscriber) = reader(database, address)? else { return Ok(Vec::new()) };
            let entries = database.entries_of(subscriber.id)?;
            let wordings = database.wordings()?;
            let mut proof = Vec::new();
            for sealed in entries {
                let details = sealed
                    .details
                    .map(|opening| {
                        Details::parse(&opening.text)
                            .ok_or(StoreError::Unreadable { number: sealed.entry.number })
                    })
                    .transpose()?
                    .unwrap_or_default();
                let wording = details.wording.as_ref().and_then(|wanted| {
                    wordings.iter().find(|(name, _)| digest::hexadecimal(name) == *wanted)
                });
                let import = match details.facts {
                    Some(number) => facts(database, number)?,
                    None => None,
                };
                proof.push(LedgerEntry {
                    number: sealed.entry.number,
                    at: sealed.entry.at,
                    event: sealed.entry.kind,
                    status: sealed.entry.status,
                    wording: wording.map(|(_, text)| text.clone()),
                    ip: sealed.ip.map(|opening| opening.text),
                    import,
                    details,
                    previous: sealed.entry.previous,
                    digest: sealed.entry.digest,
                });
            }
            Ok(proof)
        })
    }
}

fn within_hour(confirmations: &[(DateTime<Utc>, u64)], at: DateTime<Utc>) -> u64 {
    let recent = |(begin, _): &&(DateTime<Utc>, u64)| *begin > at - super::group::ASKED_FOR;
    confirmations.iter().filter(recent).map(|(_, count)| count).sum()
}

fn reader(database: &mut dyn Database, address: &EmailAddress) -> Result<Option<Subscriber>, StoreError> {
    let names = Names { samenesses: vec![address.sameness()], ..Names::default() };
    Ok(database.readers(&names)?.pop().map(|row| row.reader.subscriber))
}

/// What an entry without a reader tells.
fn facts(database: &mut dyn Database, number: i64) -> Result<Option<Details>, StoreError> {
    let entry = database.entries(&[number])?.pop();
    Ok(entry.and_then(|sealed| sealed.details).and_then(|opening| Details::parse(&opening.text)))
}
