//! What a database does for the store: it loads states and keeps changes, many at once. It decides nothing.
//!
//! There are two, SQLite and PostgreSQL, and one set of rules above them. All that is written is written between
//! [`Database::begin`] and [`Database::commit`]; `begin` keeps every other writer out, also of other processes, so that
//! what was loaded still holds when the changes come, and numbers can be given out in memory. Every method may be
//! called within a transaction or outside of one, unless it says otherwise.
//!
//! Both keep the same columns: times as microseconds since 1970 UTC, enums by the names that `model` and `list` give
//! them, nonces and digests as octets, tags as a JSON array.

use chrono::{DateTime, Utc};

use super::StoreError;
use super::returns::tables::ReturnTables;
use crate::list::ledger::{ChainEnd, EventKind, Sealed};
use crate::list::{HeldToken, NewNotice, Nonce, Notice, Reader, TokenDigest, TokenKind};
use crate::model::{Source, Status, SubscriberId};

/// How an import's rows are best handed to a database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portions {
    /// How many are looked up and kept at once.
    pub at_once: usize,
    /// Whether they are read and sorted while those before them are kept. That takes memory, and is worth it where another
    /// process keeps them.
    pub are_read_ahead: bool,
}

/// The newest schema that this program knows. Each database has the migrations 1 to this one as SQL files.
pub(crate) const SCHEMA: i64 = 6;

/// The columns of `subscribers` that make a [`ReaderRow`], in the order in which both databases read them.
pub(crate) const READER: &str = "id, address, name, status, source, language, tags, created, changed, \
     unsubscribe_nonce, unsubscribe_digest, confirmation_mailed, links_mailed, waiting_address, waiting_until, \
     returns_until, reason, import";

/// The columns that make a [`Sealed`], in that order: of `ledger l`, `ledger_details d` and `ledger_ips i`.
pub(crate) const SEALED: &str = "l.number, l.at, l.kind, l.subscriber, l.status, l.details, l.ip, l.previous, \
     l.digest, d.salt, d.text, i.salt, i.text";

/// A connection to a database that holds a list.
pub(crate) trait Database: ReturnTables + Send {
    /// Begins to write: waits a little until no other writer is there, and keeps them out until `commit` or
    /// `rollback`. Gives the ends of all numberings, read behind that lock.
    ///
    /// # Errors
    /// `Busy` when another writer stays; `Full`, `Unreachable`, `Broken`.
    fn begin(&mut self) -> Result<Heads, StoreError>;

    /// Makes what was written durable: once this returns, a crash of the process or the machine loses nothing.
    ///
    /// # Errors
    /// Whatever keeps it from being durable. Then nothing of the transaction is kept, as after `rollback`; where the
    /// connection broke before the database answered, nobody knows, and the error says so.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Ends a transaction without keeping anything, also one that has failed or that there is not. After it the connection is
    /// ready for the next `begin`; a lost connection is made anew then.
    fn rollback(&mut self);

    /// Begins to read a steady state, which no writer changes until `rollback`, and gives the ends of all numberings.
    ///
    /// # Errors
    /// As `begin`.
    fn steady(&mut self) -> Result<Heads, StoreError>;

    /// How an import's rows are best handed to it.
    fn portions(&self) -> Portions;

    /// The tokens of these digests, of all kinds but `Unsubscribe`, also those that are used up or whose time is over.
    ///
    /// # Errors
    /// As `begin`.
    fn tokens(&mut self, digests: &[TokenDigest]) -> Result<Vec<HeldToken>, StoreError>;

    /// The readers whom any of these names, each once.
    ///
    /// # Errors
    /// As `begin`.
    fn readers(&mut self, names: &Names) -> Result<Vec<ReaderRow>, StoreError>;

    /// Which of these digests are barred.
    ///
    /// # Errors
    /// As `begin`.
    fn barred(&mut self, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError>;

    /// What these networks have asked for after a time.
    ///
    /// # Errors
    /// As `begin`.
    fn asked(&mut self, networks: &[String], after: DateTime<Utc>) -> Result<Vec<Asked>, StoreError>;

    /// Keeps changes: in the order of the fields of [`Changes`]. Within a transaction only; the same for ten rows and for ten
    /// thousand, with few statements.
    ///
    /// # Errors
    /// As `begin`; after an error the caller rolls back.
    fn apply(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// Takes up to `most` notices that are due and not leased, the oldest first: leases them until a time, with the next
    /// epoch, and counts an attempt. `Notice::attempts` is the count before that. Within a transaction only.
    ///
    /// # Errors
    /// As `apply`.
    fn claim_notices(
        &mut self,
        at: DateTime<Utc>,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(Notice, i64)>, StoreError>;

    /// Keeps what became of a notice, if its epoch is still this one and it is not settled. Within a transaction only.
    ///
    /// # Errors
    /// As `apply`.
    fn settle_notice(&mut self, id: i64, epoch: i64, settlement: &Settlement) -> Result<bool, StoreError>;

    /// Deletes the whole addresses of machines of all entries made before a time, and gives the number of the last such
    /// entry, if any address was deleted. Within a transaction only.
    ///
    /// # Errors
    /// As `apply`.
    fn shorten(&mut self, before: DateTime<Utc>) -> Result<Option<i64>, StoreError>;

    /// Deletes tokens whose time was over, what networks asked, counts of confirmations and settled notices: all older
    /// than these times. Within a transaction only.
    ///
    /// # Errors
    /// As `apply`.
    fn tidy(&mut self, ended: &Ended) -> Result<(), StoreError>;

    /// Removes the octets of deleted rows from the files, as far as the database can: after the commit of an erasure,
    /// outside of a transaction. What is not possible now (readers hold an old state) is done the next time: `false`.
    ///
    /// # Errors
    /// As `begin`.
    fn scrub(&mut self) -> Result<bool, StoreError>;

    /// Up to `most` readers with numbers greater than this one, in order.
    ///
    /// # Errors
    /// As `begin`.
    fn readers_after(&mut self, after: SubscriberId, most: usize) -> Result<Vec<ReaderRow>, StoreError>;

    /// Up to `most` readers who have not confirmed, and to whom neither a confirmation nor links were mailed since a time;
    /// whoever has waited longest comes first.
    ///
    /// # Errors
    /// As `begin`.
    fn unconfirmed(&mut self, since: DateTime<Utc>, most: usize) -> Result<Vec<ReaderRow>, StoreError>;

    /// The last entry of each of up to `most` readers with numbers greater than this one, in order of the readers; readers
    /// without any entry are left out.
    ///
    /// # Errors
    /// As `begin`.
    fn last_entries_after(&mut self, after: SubscriberId, most: usize) -> Result<Vec<Sealed>, StoreError>;

    /// Up to `most` entries of the ledger with numbers greater than this one, in order, with what lies beside them.
    ///
    /// # Errors
    /// As `begin`; a row that cannot be read as an entry is `Unreadable` with its number.
    fn entries_after(&mut self, after: i64, most: usize) -> Result<Vec<Sealed>, StoreError>;

    /// All entries of a reader, in order, with what lies beside them.
    ///
    /// # Errors
    /// As `entries_after`.
    fn entries_of(&mut self, reader: SubscriberId) -> Result<Vec<Sealed>, StoreError>;

    /// All entries of some kinds, in order, with what lies beside them.
    ///
    /// # Errors
    /// As `entries_after`.
    fn entries_of_kinds(&mut self, kinds: &[EventKind]) -> Result<Vec<Sealed>, StoreError>;

    /// Entries with these numbers, in any order.
    ///
    /// # Errors
    /// As `entries_after`.
    fn entries(&mut self, numbers: &[i64]) -> Result<Vec<Sealed>, StoreError>;

    /// What lies beside the ledger without an entry that it belongs to: the first such number, of details or addresses.
    ///
    /// # Errors
    /// As `begin`.
    fn stray_opening(&mut self) -> Result<Option<i64>, StoreError>;

    /// All wordings with their digests.
    ///
    /// # Errors
    /// As `begin`.
    fn wordings(&mut self) -> Result<Vec<([u8; 32], String)>, StoreError>;

    /// All imports, in order.
    ///
    /// # Errors
    /// As `begin`.
    fn imports(&mut self) -> Result<Vec<ImportRecord>, StoreError>;

    /// What there is, counted.
    ///
    /// # Errors
    /// As `begin`.
    fn counts(&mut self) -> Result<Counts, StoreError>;

    /// How many confirmations were queued in the five minutes that begin at a time, in order.
    ///
    /// # Errors
    /// As `begin`.
    fn confirmations(&mut self) -> Result<Vec<(DateTime<Utc>, u64)>, StoreError>;
}

/// The ends of all numberings. They stand in one row, so that a number is never given twice, not even after what had
/// it was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heads {
    /// The end of the ledger.
    pub chain: ChainEnd,
    /// A keyed digest of it: whoever rewrites the chain without the key cannot make this one.
    pub seal: [u8; 32],
    /// The number of the next subscriber.
    pub next_subscriber: i64,
    /// The number of the next notice.
    pub next_notice: i64,
    /// The number of the next import.
    pub next_import: i64,
}

/// By what readers are looked for.
#[derive(Clone, Default)]
pub(crate) struct Names {
    /// [`EmailAddress::sameness`](crate::model::EmailAddress::sameness) of addresses.
    pub samenesses: Vec<String>,
    /// Numbers.
    pub ids: Vec<SubscriberId>,
    /// Digests of `Unsubscribe` tokens.
    pub unsubscribe: Vec<TokenDigest>,
}

/// A reader with the digest of his `Unsubscribe` token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReaderRow {
    /// The reader.
    pub reader: Reader,
    /// The digest, by which he is found.
    pub unsubscribe: TokenDigest,
}

/// That a network named an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The network.
    pub network: String,
    /// A keyed digest of the address.
    pub address: [u8; 32],
    /// When, for the first time within the hour.
    pub at: DateTime<Utc>,
}

/// What is to be kept. A database works through the fields from the first to the last.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    /// Readers of whom nothing is kept: their rows, tokens, notices, and what lies beside their entries before this
    /// number.
    pub forgotten: Vec<(SubscriberId, i64)>,
    /// Unused tokens of a reader and a kind, which are good no more.
    pub dropped: Vec<(SubscriberId, TokenKind)>,
    /// Readers, new or as they are now, by their numbers. Each stands here once.
    pub readers: Vec<ReaderRow>,
    /// Tokens, new or as they are now, by their digests. Each stands here once; one that has been used may just have been
    /// deleted as an unused one.
    pub tokens: Vec<HeldToken>,
    /// New notices, due at once.
    pub notices: Vec<NoticeRow>,
    /// New digests of addresses that no import brings back; some may be there already.
    pub barred: Vec<[u8; 32]>,
    /// Wordings, some of which may be there already.
    pub wordings: Vec<([u8; 32], String)>,
    /// New entries of the ledger, in order.
    pub entries: Vec<Sealed>,
    /// What networks named; where the same stands already, the time is replaced.
    pub asked: Vec<Asked>,
    /// Numbers of confirmations to add to what is counted for the five minutes that begin at a time.
    pub confirmations: Vec<(DateTime<Utc>, i64)>,
    /// Imports, new or as they are now, by their numbers.
    pub imports: Vec<ImportRecord>,
    /// The new ends of all numberings.
    pub heads: Heads,
}

/// A new notice.
#[derive(Clone, Debug)]
pub(crate) struct NoticeRow {
    /// Its number.
    pub id: i64,
    /// What it says, to whom.
    pub notice: NewNotice,
    /// When it was asked for.
    pub created: DateTime<Utc>,
}

/// What became of a notice, for its row.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    /// When it is tried again; nothing: it is settled.
    pub due: Option<DateTime<Utc>>,
    /// Whether it was sent.
    pub was_sent: bool,
    /// What the server answered.
    pub reply: String,
    /// When that was.
    pub at: DateTime<Utc>,
}

/// Before which times things are over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Tokens whose time was over before.
    pub tokens: DateTime<Utc>,
    /// What networks asked before, and counts of confirmations.
    pub asked: DateTime<Utc>,
    /// Notices that were settled before.
    pub notices: DateTime<Utc>,
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRecord {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The number of the ledger's entry that tells its facts.
    pub entry: i64,
    /// What it was called.
    pub source_name: String,
    /// The file's name.
    pub file_name: String,
    /// How many readers it brought.
    pub taken: u64,
    /// When it was undone.
    pub undone: Option<DateTime<Utc>>,
}

/// What there is, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// How many readers have a status and a source.
    pub readers: Vec<(Status, Source, u64)>,
    /// How many notices are not settled.
    pub notices_waiting: u64,
}

impl Changes {
    /// No changes yet.
    pub(crate) fn none(heads: Heads) -> Self {
        Changes {
            forgotten: Vec::new(),
            dropped: Vec::new(),
            readers: Vec::new(),
            tokens: Vec::new(),
            notices: Vec::new(),
            barred: Vec::new(),
            wordings: Vec::new(),
            entries: Vec::new(),
            asked: Vec::new(),
            confirmations: Vec::new(),
            imports: Vec::new(),
            heads,
        }
    }
}

/// A time as both databases keep it: microseconds since 1970 UTC.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// The time of a number of microseconds; nothing when it is none that a calendar has.
pub(crate) fn time(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

/// Octets of a fixed length; nothing when they have another.
pub(crate) fn octets<const LENGTH: usize>(octets: &[u8]) -> Option<[u8; LENGTH]> {
    octets.try_into().ok()
}

/// Tags as both databases keep them: a JSON array.
pub(crate) fn tags_text(tags: &[String]) -> String {
    // A list of texts always becomes JSON.
    serde_json::to_string(tags).unwrap_or_default()
}

/// Tags from their JSON array.
pub(crate) fn tags(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

/// A nonce from its octets.
pub(crate) fn nonce(of: &[u8]) -> Option<Nonce> {
    octets(of).map(Nonce)
}
