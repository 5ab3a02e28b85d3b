//! Mail that came back as it is kept: each report once, what it says of its reader, and that nothing is sent to him any
//! more where [`bounce::after`] says so. All of it in one transaction with the ledger's entry.

pub(crate) mod tables;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::database::{Database, Heads, Names};
use super::group::{self, Asking};
use super::mailings::{Ended, MailingId};
use super::writer::Job;
use super::{Store, StoreError, Waiting, seal};
use crate::bounce::{self, Event, Hardness, History, Kind, Report, Returned, Way, verp};
use crate::list::{Answer, Evidence, Limits, Nonce, Request, StoreKey, TokenDigest, Via};
use crate::model::{EmailAddress, Status, SubscriberId, Suppression};
use tables::ReturnRow;

/// What came back, and how it is known whose it is.
#[derive(Clone, Debug)]
pub struct NewReturn {
    /// What proves whose it is.
    pub proof: Proof,
    /// By what the same report is known when it comes again.
    pub digest: [u8; 32],
    /// When it came.
    pub at: DateTime<Utc>,
    /// The Message-ID of the mail that it came in; empty when it came in none.
    pub message_id: String,
    /// What it says; nothing when nothing came back: then it is told whether the reader is there.
    pub returned: Option<Returned>,
}

/// What proves whose mail came back: what nobody can make who has not had the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The return path, with its code.
    Path(verp::Path),
    /// The token for leaving that the mail carried: who holds it may take its reader off the list in any case. Enough for a complaint
    /// alone.
    Token(TokenDigest),
}

impl Proof {
    /// What proves whose mail a report speaks of: a return path with the right code, in whichever header it stands; of
    /// a complaint also the token of the mail that was complained of. A Message-ID proves nothing, though ours cannot be
    /// guessed: people quote it in public when they answer a mail.
    pub fn of(report: &Report, key: &StoreKey) -> Option<Proof> {
        let path = report.paths.iter().find_map(|path| verp::path(key, path)).map(Proof::Path);
        let is_complaint = report.kind == Kind::Complaint;
        path.or_else(|| {
            report.tokens().next().filter(|_| is_complaint).map(|token| Proof::Token(token.digest()))
        })
    }
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was taken before.
    Again,
    /// The reader is not on the list any more.
    Nobody,
    /// It is kept, and the reader still gets mail, or gets none already.
    Kept,
    /// The reader gets no more mail.
    Suppressed(Suppression),
}

/// What came back of a reader's mail, as reports tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// Of which mailing, where that is known.
    pub mailing: Option<MailingId>,
    /// When it came.
    pub at: DateTime<Utc>,
    /// By which way.
    pub way: Way,
    /// Whether trying again is of use.
    pub hardness: Hardness,
    /// The status code, if one was told.
    pub status: Option<String>,
    /// Why, in a word.
    pub reason: &'static str,
    /// The server's words.
    pub diagnostic: String,
}

/// How much came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returns {
    /// Notices for good.
    pub hard: u64,
    /// Notices for a time.
    pub soft: u64,
    /// Complaints.
    pub complaints: u64,
}

/// What came of a mailing after it was delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReturnsSums {
    /// What came back.
    pub returns: Returns,
    /// How many of its readers have left since it began, and before the next one did.
    pub departures: u64,
}

impl Returns {
    /// Counts reports of one kind in. Refusals are not among them: a mailing tells them as rejected.
    pub(super) fn add(&mut self, way: Way, hardness: Hardness, count: u64) {
        match (way, hardness) {
            (Way::Complaint, _) => self.complaints += count,
            (Way::Bounce, Hardness::Hard) => self.hard += count,
            (Way::Bounce, Hardness::Soft) => self.soft += count,
            (Way::Refusal, _) => {}
        }
    }
}

impl From<ReturnRow> for Return {
    fn from(row: ReturnRow) -> Self {
        Return {
            mailing: row.mailing,
            at: row.at,
            way: row.returned.way,
            hardness: row.returned.hardness,
            status: row.returned.status.map(|status| status.to_string()),
            reason: row.returned.reason.name(),
            diagnostic: row.returned.diagnostic,
        }
    }
}

impl Store {
    /// Takes what came back. The answer comes when it is durable.
    pub fn take_return(&self, new: NewReturn) -> Waiting<Taken> {
        let (answering, waiting) = Waiting::channel();
        self.0.jobs.send(Job::Return(Box::new(new), answering)).ok();
        waiting
    }

    /// All that came back from the reader with an address, in order.
    ///
    /// # Errors
    /// What the database says.
    pub fn returns(&self, address: &EmailAddress) -> Result<Vec<Return>, StoreError> {
        self.read(|database, _| {
            let names = Names { samenesses: vec![address.sameness()], ..Names::default() };
            let Some(row) = database.readers(&names)?.pop() else { return Ok(Vec::new()) };
            let rows = database.returns_of(row.reader.subscriber.id)?;
            Ok(rows.into_iter().map(Return::from).collect())
        })
    }
}

/// By what a report is known of this reader and mailing: strangers cannot tell which mail it was.
fn known_as(key: &StoreKey, new: &NewReturn) -> [u8; 32] {
    match new.proof {
        Proof::Path(path) => key
            .digest("return", &[&new.digest, &path.mailing.to_be_bytes(), &path.subscriber.0.to_be_bytes()]),
        Proof::Token(token) => key.digest("return", &[&new.digest, &token.0]),
    }
}

/// What a delivery that ended says of its reader, where a server refused him.
pub(super) fn of_delivery(ended: &Ended, at: DateTime<Utc>) -> Option<NewReturn> {
    let returned = ended.returned.as_deref()?.clone();
    let path = verp::Path { mailing: ended.claim.mailing.0, subscriber: ended.claim.subscriber };
    Some(NewReturn {
        proof: Proof::Path(path),
        // A delivery is refused once.
        digest: [0; 32],
        at,
        message_id: String::new(),
        returned: Some(returned),
    })
}

/// Takes what came back, within a transaction that has begun and keeps other writers out.
///
/// # Errors
/// What the database says; then nothing may be kept.
pub(super) fn take(
    database: &mut dyn Database,
    heads: Heads,
    new: &[&NewReturn],
    key: &StoreKey,
) -> Result<(Vec<Taken>, group::Outcome), StoreError> {
    let mut desk = Desk::load(database, new, key)?;
    let mut taken = Vec::with_capacity(new.len());
    for new in new {
        taken.push(desk.take(new, key));
    }
    let mut outcome = group::Outcome { heads, is_changed: false, notices: 0, has_forgotten: false };
    if !desk.rows.is_empty() {
        database.keep_returns(&desk.rows, &desk.changed())?;
        outcome.is_changed = true;
    }
    if !desk.requests.is_empty() {
        seal::check(key, &heads)?;
        let requests: Vec<&Asking> = desk.requests.iter().collect();
        let (answers, suppressed) = group::decide_all(database, heads, &requests, key, &Limits::default())?;
        outcome = group::Outcome { is_changed: true, ..suppressed };
        // Some suppressions weigh less than the one that stands.
        let mut answers = answers.into_iter();
        for taken in taken.iter_mut().filter(|taken| matches!(taken, Taken::Suppressed(_))) {
            let is_done = |answer| matches!(answer, Answer::Done(standing) if standing.changed);
            if !answers.next().is_some_and(is_done) {
                *taken = Taken::Kept;
            }
        }
    }
    Ok((taken, outcome))
}

/// What is known of those from whom mail came back, and what has become of it so far.
struct Desk {
    known: HashSet<[u8; 32]>,
    readers: HashMap<SubscriberId, Reader>,
    tokens: HashMap<TokenDigest, SubscriberId>,
    delivered: HashMap<(MailingId, SubscriberId), DateTime<Utc>>,
    rows: Vec<ReturnRow>,
    requests: Vec<Asking>,
}

struct Reader {
    row: crate::list::Reader,
    history: History,
    confirmed: Option<DateTime<Utc>>,
    is_changed: bool,
}

impl Desk {
    fn load(database: &mut dyn Database, new: &[&NewReturn], key: &StoreKey) -> Result<Self, StoreError> {
        let mut names = Names::default();
        let mut paths = Vec::new();
        for new in new {
            match new.proof {
                Proof::Path(path) => {
                    names.ids.push(path.subscriber);
                    paths.push((MailingId(path.mailing), path.subscriber));
                }
                Proof::Token(digest) => names.unsubscribe.push(digest),
            }
        }
        names.ids.sort_by_key(|id| id.0);
        names.ids.dedup();
        let digests: Vec<[u8; 32]> = new.iter().map(|new| known_as(key, new)).collect();
        let known = database.known_returns(&digests)?.into_iter().collect();
        let rows = database.readers(&names)?;
        let ids: Vec<SubscriberId> = rows.iter().map(|row| row.reader.subscriber.id).collect();
        let mut histories: HashMap<_, _> = database.histories(&ids)?.into_iter().collect();
        let confirmed: HashMap<_, _> = database.confirmed(&ids)?.into_iter().collect();
        let delivered = database.delivered(&paths)?.into_iter();
        let delivered = delivered.map(|(mailing, reader, at)| ((mailing, reader), at)).collect();
        let (mut readers, mut tokens) = (HashMap::new(), HashMap::new());
        for row in rows {
            let id = row.reader.subscriber.id;
            tokens.insert(row.unsubscribe, id);
            let confirmed = confirmed.get(&id).copied();
            // What came back before was another address's, or is forgiven.
            let history = histories.remove(&id).unwrap_or_default();
            let is_old = confirmed.is_some_and(|confirmed| history.last.is_some_and(|last| last < confirmed));
            let history = if is_old { History::default() } else { history };
            readers.insert(id, Reader { row: row.reader, history, confirmed, is_changed: false });
        }
        Ok(Desk { known, readers, tokens, delivered, rows: Vec::new(), requests: Vec::new() })
    }

    fn take(&mut self, new: &NewReturn, key: &StoreKey) -> Taken {
        let digest = known_as(key, new);
        if self.known.contains(&digest) {
            return Taken::Again;
        }
        let (id, mailing) = match new.proof {
            Proof::Path(path) => (Some(path.subscriber), Some(MailingId(path.mailing))),
            Proof::Token(digest) => (self.tokens.get(&digest).copied(), None),
        };
        let Some((id, reader)) = id.and_then(|id| Some((id, self.readers.get_mut(&id)?))) else {
            return Taken::Nobody;
        };
        let Some(returned) = &new.returned else { return Taken::Kept };
        let is_complaint = returned.way == Way::Complaint;
        if !is_complaint && matches!(new.proof, Proof::Token(_)) {
            return Taken::Kept;
        }
        self.known.insert(digest);
        self.rows.push(ReturnRow { digest, mailing, subscriber: id, at: new.at, returned: returned.clone() });
        let Some(event) = returned.event else { return Taken::Kept };
        // A mail that left before the reader confirmed his address says nothing of who answered that.
        let left = mailing.and_then(|mailing| self.delivered.get(&(mailing, id))).copied();
        let is_of_before = left.zip(reader.confirmed).is_some_and(|(left, confirmed)| left < confirmed);
        let is_active = reader.row.status() == Status::Active;
        if event != Event::Complaint && (is_of_before || !is_active) {
            return Taken::Kept;
        }
        let (history, suppression) = bounce::after(&reader.history, event, new.at);
        // Who comes back begins anew.
        reader.history = if suppression.is_some() { History::default() } else { history };
        reader.is_changed = true;
        let Some(suppression) = suppression else { return Taken::Kept };
        if reader.row.status() == Status::Suppressed(suppression) {
            return Taken::Kept;
        }
        self.requests.push(request(key, &mut reader.row, new, suppression));
        Taken::Suppressed(suppression)
    }

    fn changed(&self) -> Vec<(SubscriberId, History)> {
        let changed = self.readers.iter().filter(|(_, reader)| reader.is_changed);
        let mut changed: Vec<_> = changed.map(|(id, reader)| (*id, reader.history)).collect();
        changed.sort_by_key(|(id, _)| id.0);
        changed
    }
}

/// What the list is asked for: its rules have the last word.
fn request(
    key: &StoreKey,
    reader: &mut crate::list::Reader,
    new: &NewReturn,
    suppression: Suppression,
) -> Asking {
    let subscriber = &mut reader.subscriber;
    // What follows in the same transaction sees it.
    subscriber.status = Status::Suppressed(suppression);
    let via = match new.message_id.is_empty() {
        true => Via::CommandLine,
        false => Via::Mail { message_id: new.message_id.clone(), charset: None },
    };
    // It salts what lies beside the ledger: whoever has no key cannot guess it.
    let bits = key.digest("salt of a return", &[&known_as(key, new)]);
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&bits[..16]);
    let evidence = Evidence {
        at: new.at,
        nonce: Nonce(nonce),
        via,
        language: subscriber.language,
        wording: None,
        ip: None,
        user_agent: None,
        operator: None,
    };
    (Request::Suppress(subscriber.address.clone(), suppression), evidence)
}
