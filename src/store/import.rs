//! Reading in a file of readers, and taking that back: all or nothing, in one transaction.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::database::{Changes, Database, Heads, ImportRecord, Names, ReaderRow};
use super::{Store, StoreError, seal};
use crate::digest;
use crate::list::ledger::{self, Details, Event, EventKind};
use crate::list::{
    Evidence, ImportRow, Importing, Nonce, Reader, Refusal, StoreKey, Token, TokenKind, decide_import,
};
use crate::model::{Language, Source, SubscriberId};

/// How many rows are looked up and kept at once.
const AT_ONCE: usize = 1024;

/// How many rows are put in the order of their addresses: then an index of addresses is walked along, and not leapt about in.
/// Of these rows it is told at once which were refused.
pub const SORTED_ROWS: usize = 32 * AT_ONCE;

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
            let mut import = Import::begin(database, heads, key, order)?;
            loop {
                let mut sorted: Vec<ImportRow> = rows.take(SORTED_ROWS).collect();
                if sorted.is_empty() {
                    break;
                }
                // Of one address's rows the first still comes first: sorting is stable.
                sorted.sort_by_cached_key(|row| row.address.sameness());
                let mut sorted = sorted.into_iter();
                let mut refused = Vec::new();
                while sorted.len() > 0 {
                    refused.extend(import.take(sorted.by_ref().take(AT_ONCE).collect())?);
                }
                refused.sort_by_key(|refused| refused.line);
                refused.into_iter().for_each(&mut *report);
            }
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

    /// Keeps those who may come, and gives those who may not.
    fn take(&mut self, rows: Vec<ImportRow>) -> Result<Vec<Refused>, StoreError> {
        let mut refused = Vec::new();
        let samenesses: Vec<String> = rows.iter().map(|row| row.address.sameness()).collect();
        let bars: Vec<[u8; 32]> = rows.iter().map(|row| seal::barred(self.key, &row.address)).collect();
        let barred: HashSet<[u8; 32]> = self.database.barred(&bars)?.into_iter().collect();
        let names = Names { samenesses: samenesses.clone(), ..Names::default() };
        let mut known: HashMap<String, Reader> = HashMap::new();
        for row in self.database.readers(&names)? {
            known.insert(row.reader.subscriber.address.sameness(), row.reader);
        }
        let mut changes = Changes::none(self.heads);
        for ((row, sameness), bar) in rows.into_iter().zip(samenesses).zip(bars) {
            let line = row.line;
            let id = SubscriberId(self.heads.next_subscriber);
            let nonce = self.nonce(line);
            let held = known.get(&sameness);
            match decide_import(&self.importing, row, held, barred.contains(&bar), id, nonce) {
                Ok(reader) => {
                    self.heads.next_subscriber += 1;
                    self.record.taken += 1;
                    let event = imported(&reader, self.record.entry, line);
                    let at = self.importing.at;
                    changes.entries.push(ledger::seal(&mut self.heads.chain, &event, at, &self.seed));
                    let unsubscribe =
                        Token::derive(self.key, TokenKind::Unsubscribe, reader.unsubscribe).digest();
                    known.insert(sameness, reader.clone());
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

    /// What a reader's token is made from.
    fn nonce(&self, line: u64) -> Nonce {
        let whole = [b"mailmag nonce ".as_slice(), &self.seed, &line.to_be_bytes()].concat();
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&digest::sha256_octets(&whole)[..16]);
        Nonce(nonce)
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
    let mut after = SubscriberId(0);
    loop {
        for row in database.readers_of_import(id, after, AT_ONCE)? {
            let subscriber = row.reader.subscriber.id;
            after = subscriber;
            let entry = tell(&mut heads, EventKind::TakenBack, Some(subscriber));
            changes.forgotten.push((subscriber, entry.entry.number));
            changes.entries.push(entry);
        }
        let count = changes.forgotten.len();
        taken_back += count as u64;
        if count == 0 {
            record.undone = Some(evidence.at);
            changes.imports.push(record.clone());
        }
        heads = seal::end(key, heads, heads.chain);
        changes.heads = heads;
        database.apply(&changes)?;
        if count == 0 {
            break;
        }
        changes = Changes::none(heads);
    }
    let kept = record.taken.saturating_sub(taken_back);
    Ok((UndoReport::Done { taken_back, kept }, true))
}
