//! Reading in a file of readers, and taking that back: all or nothing, in one transaction.

use std::collections::{HashMap, HashSet};
use std::iter::from_fn;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc;

use chrono::{DateTime, Utc};

use super::database::{Changes, Database, Heads, ImportRecord, Names, ReaderRow};
use super::{Store, StoreError, seal};
use crate::digest;
use crate::list::ledger::{self, Details, Event, EventKind};
use crate::list::{
    Evidence, ImportRow, Importing, Nonce, Reader, Refusal, StoreKey, Token, TokenDigest, TokenKind,
    decide_import,
};
use crate::model::{Language, Source, SubscriberId};

/// How many readers are looked at at once when an import is taken back.
const WALKED_AT_ONCE: usize = 1024;

/// At most so many rows are read after one before it is told whether that one was refused.
pub const TOLD_WITHIN: usize = 32_768;

/// What is to be read in, and why it may be.
#[derive(Clone, Debug)]
pub struct ImportOrder {
    /// When.
    pub at: DateTime<Utc>,
    /// Random bits, from which the readers' tokens are made.
    pub seed: [u8; 32],
    /// How the readers consented, in the operator's words.
    pub basis: String,
    /// How they came.
    pub source: Source,
    /// What the import is called.
    pub source_name: String,
    /// The file's name.
    pub file_name: String,
    /// The file's SHA-256 in hexadecimal digits.
    pub file_digest: String,
    /// In which language they are written to.
    pub language: Language,
    /// Who does it.
    pub operator: Option<String>,
    /// Whether all is done but the keeping.
    pub dry_run: bool,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its line.
    pub line: u64,
    /// Why.
    pub why: Refusal,
}

/// What an import has done; or would have, if it was a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// Its number, by which it can be undone.
    pub id: i64,
    /// How many rows were taken.
    pub taken: u64,
    /// How many were not.
    pub refused: u64,
}

/// What taking an import back has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoReport {
    /// It is undone.
    Done {
        /// How many of its readers are gone.
        taken_back: u64,
        /// How many stay, because they have done something since.
        kept: u64,
    },
    /// It was undone before.
    Before(DateTime<Utc>),
    /// There is no such import.
    NoSuchImport,
}

impl Store {
    /// Reads in readers who have consented elsewhere. Each row that is not taken is reported; nothing is kept before the last row
    /// was read, and nothing at all when anything fails.
    ///
    /// # Errors
    /// What the database says.
    pub fn import(
        &self,
        order: &ImportOrder,
        rows: &mut dyn Iterator<Item = ImportRow>,
        report: &mut dyn FnMut(Refused),
    ) -> Result<ImportReport, StoreError> {
        self.write(|database, heads, key| {
            let are_read_ahead = database.portions().are_read_ahead;
            // As many as may be: then an index of addresses is walked along, and not leapt about in.
            let most = if are_read_ahead { TOLD_WITHIN / 2 } else { TOLD_WITHIN };
            let batches = from_fn(|| Row::sorted(key, order, rows, most));
            let import = Import::begin(database, heads, key, order)?;
            let import = if are_read_ahead {
                import.take_while_reading(batches, report)?
            } else {
                import.take_all(batches, report)?
            };
            import.finish(order)
        })
    }

    /// All imports, the first one first.
    ///
    /// # Errors
    /// What the database says.
    pub fn imports(&self) -> Result<Vec<ImportRecord>, StoreError> {
        self.read(|database, _| database.imports())
    }

    /// Takes an import back: forgets whom it has brought and who has done nothing since.
    ///
    /// # Errors
    /// What the database says.
    pub fn undo_import(&self, id: i64, evidence: &Evidence) -> Result<UndoReport, StoreError> {
        let report = self.write(|database, heads, key| undo(database, heads, key, id, evidence))?;
        self.scrub()?;
        Ok(report)
    }
}

/// A row, with all that follows from it alone.
struct Row {
    row: ImportRow,
    sameness: String,
    bar: [u8; 32],
    nonce: Nonce,
    unsubscribe: TokenDigest,
}

impl Row {
    /// The next `most` rows, if there are any, in the order of their addresses, and those of one address in the order of their lines.
    fn sorted(
        key: &StoreKey,
        order: &ImportOrder,
        rows: &mut dyn Iterator<Item = ImportRow>,
        most: usize,
    ) -> Option<Vec<Row>> {
        let mut sorted = Vec::with_capacity(most);
        sorted.extend(rows.take(most).map(|row| Row::new(key, order, row)));
        sorted.sort_unstable_by(|one: &Row, other| {
            one.sameness.cmp(&other.sameness).then(one.row.line.cmp(&other.row.line))
        });
        (!sorted.is_empty()).then_some(sorted)
    }

    fn new(key: &StoreKey, order: &ImportOrder, row: ImportRow) -> Self {
        let whole = [b"mailmag nonce ".as_slice(), &order.seed, &row.line.to_be_bytes()].concat();
        let mut nonce = Nonce([0; 16]);
        nonce.0.copy_from_slice(&digest::sha256_octets(&whole)[..16]);
        Row {
            sameness: row.address.sameness(),
            bar: seal::barred(key, &row.address),
            nonce,
            unsubscribe: Token::derive(key, TokenKind::Unsubscribe, nonce).digest(),
            row,
        }
    }
}

/// An import in work.
struct Import<'a> {
    database: &'a mut dyn Database,
    key: &'a StoreKey,
    importing: Importing,
    seed: [u8; 32],
    heads: Heads,
    record: ImportRecord,
    refused: u64,
}

impl<'a> Import<'a> {
    fn begin(
        database: &'a mut dyn Database,
        mut heads: Heads,
        key: &'a StoreKey,
        order: &ImportOrder,
    ) -> Result<Self, StoreError> {
        let id = heads.next_import;
        heads.next_import += 1;
        let facts = Details {
            import: Some(id),
            basis: Some(order.basis.clone()),
            source: Some(order.source.name().to_owned()),
            source_name: Some(order.source_name.clone()),
            file_name: Some(order.file_name.clone()),
            file_digest: Some(order.file_digest.clone()),
            operator: order.operator.clone(),
            ..Details::default()
        };
        let event =
            Event { kind: EventKind::Import, subscriber: None, status: None, details: facts, ip: None };
        let entry = ledger::seal(&mut heads.chain, &event, order.at, &order.seed);
        let record = ImportRecord {
            id,
            at: order.at,
            entry: entry.entry.number,
            source_name: order.source_name.clone(),
            file_name: order.file_name.clone(),
            taken: 0,
            undone: None,
        };
        heads = seal::end(key, heads, heads.chain);
        let mut changes = Changes::none(heads);
        changes.entries.push(entry);
        database.apply(&changes)?;
        let importing =
            Importing { import: id, at: order.at, source: order.source, language: order.language };
        Ok(Import { database, key, importing, seed: order.seed, heads, record, refused: 0 })
    }

    /// Keeps one batch after the other.
    fn take_all(
        mut self,
        batches: impl Iterator<Item = Vec<Row>>,
        report: &mut dyn FnMut(Refused),
    ) -> Result<Self, StoreError> {
        for batch in batches {
            self.take_sorted(batch)?.into_iter().for_each(&mut *report);
        }
        Ok(self)
    }

    /// Keeps each batch while the next one is read.
    fn take_while_reading(
        mut self,
        batches: impl Iterator<Item = Vec<Row>>,
        report: &mut dyn FnMut(Refused),
    ) -> Result<Self, StoreError> {
        let (handing, handed) = mpsc::sync_channel(0);
        let (telling, told) = mpsc::channel();
        let kept = std::thread::scope(|scope| {
            let keeper = scope.spawn(move || {
                for batch in handed {
                    // Nobody to tell it to: then nobody reads on, either.
                    telling.send(self.take_sorted(batch)?).ok();
                }
                Ok(self)
            });
            for batch in batches {
                // One who takes no more has failed, and says in the end how.
                if handing.send(batch).is_err() {
                    break;
                }
                told.try_iter().flatten().for_each(&mut *report);
            }
            drop(handing);
            keeper.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        told.into_iter().flatten().for_each(report);
        kept
    }

    /// Keeps those who may come, and gives those who may not, in the order of their lines.
    fn take_sorted(&mut self, batch: Vec<Row>) -> Result<Vec<Refused>, StoreError> {
        let at_once = self.database.portions().at_once;
        let mut batch = batch.into_iter();
        let mut refused = Vec::new();
        while batch.len() > 0 {
            refused.extend(self.take(batch.by_ref().take(at_once).collect())?);
        }
        refused.sort_by_key(|refused| refused.line);
        Ok(refused)
    }

    /// Keeps rows in the order of their addresses.
    fn take(&mut self, mut rows: Vec<Row>) -> Result<Vec<Refused>, StoreError> {
        let mut refused = Vec::new();
        let bars: Vec<[u8; 32]> = rows.iter().map(|row| row.bar).collect();
        let barred: HashSet<[u8; 32]> = self.database.barred(&bars)?.into_iter().collect();
        let samenesses = rows.iter_mut().map(|row| std::mem::take(&mut row.sameness)).collect();
        let names = Names { samenesses, ..Names::default() };
        let mut known: HashMap<String, Reader> = HashMap::new();
        for row in self.database.readers(&names)? {
            known.insert(row.reader.subscriber.address.sameness(), row.reader);
        }
        let mut changes = Changes::none(self.heads);
        changes.readers.reserve(rows.len());
        changes.entries.reserve(rows.len());
        let mut taken_last: Option<&String> = None;
        for (Row { row, bar, nonce, unsubscribe, .. }, sameness) in rows.into_iter().zip(&names.samenesses) {
            let line = row.line;
            let id = SubscriberId(self.heads.next_subscriber);
            let held = match taken_last {
                Some(taken) if taken == sameness => changes.readers.last().map(|row| &row.reader),
                _ => known.get(sameness),
            };
            match decide_import(&self.importing, row, held, barred.contains(&bar), id, nonce) {
                Ok(reader) => {
                    self.heads.next_subscriber += 1;
                    self.record.taken += 1;
                    let event = imported(&reader, self.record.entry, line);
                    let at = self.importing.at;
                    changes.entries.push(ledger::seal(&mut self.heads.chain, &event, at, &self.seed));
                    taken_last = Some(sameness);
                    changes.readers.push(ReaderRow { reader, unsubscribe });
                }
                Err(why) => {
                    self.refused += 1;
                    refused.push(Refused { line, why });
                }
            }
        }
        self.heads = seal::end(self.key, self.heads, self.heads.chain);
        changes.heads = self.heads;
        self.database.apply(&changes)?;
        Ok(refused)
    }

    fn finish(self, order: &ImportOrder) -> Result<(ImportReport, bool), StoreError> {
        let mut changes = Changes::none(self.heads);
        let report = ImportReport { id: self.record.id, taken: self.record.taken, refused: self.refused };
        changes.imports.push(self.record);
        self.database.apply(&changes)?;
        Ok((report, !order.dry_run))
    }
}

/// That a reader came with a file. The file's facts stand in an entry of their own.
fn imported(reader: &Reader, facts: i64, line: u64) -> Event {
    let subscriber = &reader.subscriber;
    Event {
        kind: EventKind::Imported,
        subscriber: Some(subscriber.id),
        status: Some(subscriber.status),
        details: Details {
            address: Some(subscriber.address.as_str().to_owned()),
            facts: Some(facts),
            line: Some(line),
            ..Details::default()
        },
        ip: None,
    }
}

fn undo(
    database: &mut dyn Database,
    mut heads: Heads,
    key: &StoreKey,
    id: i64,
    evidence: &Evidence,
) -> Result<(UndoReport, bool), StoreError> {
    let Some(mut record) = database.imports()?.into_iter().find(|record| record.id == id) else {
        return Ok((UndoReport::NoSuchImport, false));
    };
    if let Some(before) = record.undone {
        return Ok((UndoReport::Before(before), false));
    }
    let tell = |heads: &mut Heads, kind, subscriber| {
        let details = Details { import: Some(id), operator: evidence.operator.clone(), ..Details::default() };
        let event = Event { kind, subscriber, status: None, details, ip: None };
        ledger::seal(&mut heads.chain, &event, evidence.at, &evidence.nonce.0)
    };
    let mut changes = Changes::none(heads);
    changes.entries.push(tell(&mut heads, EventKind::Undone, None));
    let mut taken_back = 0;
    let brought = brought(database, &record)?;
    let mut after = SubscriberId(brought.start - 1);
    loop {
        let rows = database.readers_after(after, WALKED_AT_ONCE)?.into_iter();
        let readers: Vec<Reader> =
            rows.map(|row| row.reader).take_while(|reader| reader.subscriber.id.0 < brought.end).collect();
        for reader in &readers {
            after = reader.subscriber.id;
            // Who has done something since is no import's any more.
            if reader.import == Some(id) {
                let entry = tell(&mut heads, EventKind::TakenBack, Some(after));
                changes.forgotten.push((after, entry.entry.number));
                changes.entries.push(entry);
            }
        }
        taken_back += changes.forgotten.len() as u64;
        if readers.is_empty() {
            record.undone = Some(evidence.at);
            changes.imports.push(record.clone());
        }
        heads = seal::end(key, heads, heads.chain);
        changes.heads = heads;
        database.apply(&changes)?;
        if readers.is_empty() {
            break;
        }
        changes = Changes::none(heads);
    }
    let kept = record.taken.saturating_sub(taken_back);
    Ok((UndoReport::Done { taken_back, kept }, true))
}

/// The numbers that the readers of an import were given, one after the other: nobody else writes meanwhile. The first of them has the entry
/// that follows the file's.
fn brought(database: &mut dyn Database, record: &ImportRecord) -> Result<Range<i64>, StoreError> {
    if record.taken == 0 {
        return Ok(0..0);
    }
    let number = record.entry + 1;
    let entry = database.entries(&[number])?.into_iter().next();
    let Some(first) = entry.and_then(|sealed| sealed.entry.subscriber) else {
        let what = format!("entry {number} is not that of an import's first reader");
        return Err(StoreError::Broken { place: "the ledger".to_owned(), what });
    };
    Ok(first.0..first.0 + record.taken as i64)
}
