//! What waits together: loaded at once, decided one after another in memory, kept at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::database::{Asked, Changes, Database, Heads, Names, NoticeRow, ReaderRow};
use super::{StoreError, seal};
use crate::digest;
use crate::list::ledger::{self, EventKind};
use crate::list::{
    Answer, Decision, Evidence, HeldToken, Known, Limits, NoticeKind, Request, StoreKey, Token, TokenDigest,
    TokenKind, decide, network,
};
use crate::model::{EmailAddress, SubscriberId};

/// How long what a network asked is remembered.
pub(super) const ASKED_FOR: TimeDelta = TimeDelta::hours(1);

/// In which steps confirmations are counted.
pub(super) const COUNTED_FOR: TimeDelta = TimeDelta::minutes(5);

/// What is known of those whom some requests name, and what has become of it so far.
pub(super) struct Group<'a> {
    key: &'a StoreKey,
    limits: &'a Limits,
    readers: HashMap<SubscriberId, ReaderRow>,
    by_address: HashMap<String, SubscriberId>,
    by_unsubscribe: HashMap<TokenDigest, SubscriberId>,
    tokens: HashMap<TokenDigest, HeldToken>,
    barred: HashSet<[u8; 32]>,
    asked: HashMap<String, Vec<Asked>>,
    touched: BTreeSet<SubscriberId>,
    counted: BTreeMap<DateTime<Utc>, i64>,
    changes: Changes,
    /// Whether the requests that follow must be loaded anew, since an address has become free.
    is_stale: bool,
    /// Whether something must be kept even if nothing has changed, so that nobody learns from the time that it takes
    /// whether an address is known.
    must_keep: bool,
}

/// What one request asks for.
pub(super) type Asking = (Request, Evidence);

/// Decides requests within a transaction that has begun, and gives their answers and whether anything was kept.
///
/// # Errors
/// What the database says; then nothing may be kept.
pub(super) fn decide_all(
    database: &mut dyn Database,
    heads: Heads,
    requests: &[&Asking],
    key: &StoreKey,
    limits: &Limits,
) -> Result<(Vec<Answer>, Outcome), StoreError> {
    let mut answers = Vec::with_capacity(requests.len());
    let mut outcome = Outcome { heads, is_changed: false, notices: 0, has_forgotten: false };
    while answers.len() < requests.len() {
        let mut group = Group::load(database, outcome.heads, &requests[answers.len()..], key, limits)?;
        for (request, evidence) in &requests[answers.len()..] {
            answers.push(group.answer(request, evidence));
            if group.is_stale {
                break;
            }
        }
        group.finish(database, &mut outcome)?;
    }
    Ok((answers, outcome))
}

/// What came of a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// The new ends of all numberings.
    pub heads: Heads,
    /// Whether there is something to commit.
    pub is_changed: bool,
    /// How many notices were queued.
    pub notices: usize,
    /// Whether a reader's data must be removed from the files.
    pub has_forgotten: bool,
}

impl<'a> Group<'a> {
    fn load(
        database: &mut dyn Database,
        heads: Heads,
        requests: &[&Asking],
        key: &'a StoreKey,
        limits: &'a Limits,
    ) -> Result<Self, StoreError> {
        let mut group = Group {
            key,
            limits,
            readers: HashMap::new(),
            by_address: HashMap::new(),
            by_unsubscribe: HashMap::new(),
            tokens: HashMap::new(),
            barred: HashSet::new(),
            asked: HashMap::new(),
            touched: BTreeSet::new(),
            counted: BTreeMap::new(),
            changes: Changes::none(heads),
            is_stale: false,
            must_keep: false,
        };
        let mut names = Names::default();
        let mut digests = Vec::new();
        let mut added = Vec::new();
        let mut networks = Vec::new();
        let mut first = None;
        for (request, evidence) in requests {
            names.samenesses.extend(address_of(request).map(EmailAddress::sameness));
            if let Some(digest) = digest_of(request) {
                digests.push(digest);
                names.unsubscribe.push(digest);
            }
            if let Request::Add { address, .. } = request {
                added.push(seal::barred(key, address));
            }
            if limits.addresses_per_network.is_some() && may_mail(request) {
                networks.extend(evidence.ip.map(network));
                first = Some(first.map_or(evidence.at, |first: DateTime<Utc>| first.min(evidence.at)));
            }
        }
        for list in [&mut names.samenesses, &mut networks] {
            list.sort();
            list.dedup();
        }
        if !digests.is_empty() {
            let found = database.tokens(&digests)?;
            names.ids.extend(found.iter().map(|token| token.subscriber));
            group.tokens.extend(found.into_iter().map(|token| (token.digest, token)));
        }
        group.admit(database.readers(&names)?);
        // Who has the address by now that somebody wishes to move to?
        let moving = group.tokens.values().filter(|token| token.kind == TokenKind::ChangeAddress);
        let wanted = moving.filter_map(|token| group.readers.get(&token.subscriber)?.reader.waiting.as_ref());
        let samenesses: Vec<String> = wanted.map(|waiting| waiting.address.sameness()).collect();
        if !samenesses.is_empty() {
            group.admit(database.readers(&Names { samenesses, ..Names::default() })?);
        }
        if !added.is_empty() {
            group.barred.extend(database.barred(&added)?);
        }
        if let Some(first) = first.filter(|_| !networks.is_empty()) {
            for asked in database.asked(&networks, first - ASKED_FOR)? {
                group.asked.entry(asked.network.clone()).or_default().push(asked);
            }
        }
        Ok(group)
    }

    fn admit(&mut self, rows: Vec<ReaderRow>) {
        for row in rows {
            let subscriber = &row.reader.subscriber;
            self.by_address.insert(subscriber.address.sameness(), subscriber.id);
            self.by_unsubscribe.insert(row.unsubscribe, subscriber.id);
            self.readers.insert(subscriber.id, row);
        }
    }

    fn answer(&mut self, request: &Request, evidence: &Evidence) -> Answer {
        self.must_keep |= may_mail(request);
        let token = digest_of(request).and_then(|digest| self.token(digest));
        let id = match (address_of(request), &token) {
            (_, Some(token)) => Some(token.subscriber),
            (Some(address), None) if digest_of(request).is_none() => {
                self.by_address.get(&address.sameness()).copied()
            }
            _ => None,
        };
        let reader = id.and_then(|id| self.readers.get(&id)).map(|row| &row.reader);
        let other = reader.and_then(|reader| {
            let wanted = reader.waiting.as_ref()?.address.sameness();
            self.by_address.get(&wanted).and_then(|id| self.readers.get(id)).map(|row| &row.reader)
        });
        let known = Known {
            reader,
            token: token.as_ref(),
            other,
            is_barred: match request {
                Request::Add { address, .. } => self.barred.contains(&seal::barred(self.key, address)),
                _ => false,
            },
            asked: self.asked_before(request, evidence),
            next: SubscriberId(self.changes.heads.next_subscriber),
        };
        let decision = decide(&known, request, evidence, self.limits);
        let answer = decision.answer.clone();
        self.keep(decision, evidence);
        answer
    }

    /// A token as it stands now. `Unsubscribe` tokens are the readers' own.
    fn token(&self, digest: TokenDigest) -> Option<HeldToken> {
        let of_reader = |subscriber: &SubscriberId| HeldToken {
            digest,
            kind: TokenKind::Unsubscribe,
            subscriber: *subscriber,
            until: None,
            used: None,
        };
        self.tokens.get(&digest).cloned().or_else(|| self.by_unsubscribe.get(&digest).map(of_reader))
    }

    /// How many other addresses the network has named within the hour, and when the first of them.
    fn asked_before(&self, request: &Request, evidence: &Evidence) -> (u32, Option<DateTime<Utc>>) {
        let (Some(address), Some(ip)) = (address_of(request), evidence.ip) else { return (0, None) };
        let Some(asked) = self.asked.get(&network(ip)) else { return (0, None) };
        let own = seal::asked(self.key, address);
        let others = asked.iter().filter(|asked| asked.address != own && asked.at > evidence.at - ASKED_FOR);
        let times: Vec<DateTime<Utc>> = others.map(|asked| asked.at).collect();
        (times.len() as u32, times.into_iter().min())
    }

    /// Does in memory what the database will do, so that the next request of the group sees it.
    fn keep(&mut self, decision: Decision, evidence: &Evidence) {
        let barred = decision.barred.as_ref().map(|address| seal::barred(self.key, address));
        let mut chain = self.changes.heads.chain;
        for mut event in decision.events {
            if matches!(event.kind, EventKind::Erased | EventKind::AddressChanged) {
                event.details.barred = barred.as_ref().map(|digest| digest::hexadecimal(digest));
            }
            self.changes.entries.push(ledger::seal(&mut chain, &event, evidence.at, &evidence.nonce.0));
        }
        self.changes.heads.chain = chain;
        self.changes.barred.extend(barred);
        if let Some(wording) = decision.wording {
            let digest = digest::sha256_octets(wording.as_bytes());
            if self.changes.wordings.iter().all(|(known, _)| *known != digest) {
                self.changes.wordings.push((digest, wording));
            }
        }
        for (subscriber, kind) in decision.dropped {
            let is_dropped = |token: &HeldToken| {
                token.subscriber == subscriber && token.kind == kind && token.used.is_none()
            };
            // What this decision uses up was used, not dropped.
            let used = decision.used;
            self.tokens.retain(|digest, token| Some(*digest) == used || !is_dropped(token));
            self.changes.tokens.retain(|token| !is_dropped(token));
            self.changes.dropped.push((subscriber, kind));
        }
        if let Some(token) = decision.used.and_then(|digest| self.tokens.get_mut(&digest)) {
            token.used = Some(evidence.at);
            let token = token.clone();
            self.changes.tokens.retain(|kept| kept.digest != token.digest);
            self.changes.tokens.push(token);
        }
        for reader in decision.readers {
            self.keep_reader(reader);
        }
        for grant in decision.granted {
            let token = HeldToken {
                digest: Token::derive(self.key, grant.kind, grant.nonce).digest(),
                kind: grant.kind,
                subscriber: grant.subscriber,
                until: Some(grant.until),
                used: None,
            };
            self.tokens.insert(token.digest, token.clone());
            self.changes.tokens.push(token);
        }
        for notice in decision.notices {
            if notice.kind == NoticeKind::Confirm {
                let step = evidence.at.duration_trunc(COUNTED_FOR).unwrap_or(evidence.at);
                *self.counted.entry(step).or_default() += 1;
            }
            let id = self.changes.heads.next_notice;
            self.changes.heads.next_notice += 1;
            self.changes.notices.push(NoticeRow { id, notice, created: evidence.at });
        }
        if let Some((network, address)) = decision.asked {
            self.keep_asked(network, &address, evidence.at);
        }
        if let Some(id) = decision.forgotten {
            self.forget(id);
        }
    }

    fn keep_reader(&mut self, reader: crate::list::Reader) {
        let subscriber = &reader.subscriber;
        let id = subscriber.id;
        if id.0 == self.changes.heads.next_subscriber {
            self.changes.heads.next_subscriber += 1;
        }
        if let Some(before) = self.readers.get(&id) {
            let old = before.reader.subscriber.address.sameness();
            if old != subscriber.address.sameness() {
                self.by_address.remove(&old);
                self.is_stale = true;
            }
        }
        let unsubscribe = Token::derive(self.key, TokenKind::Unsubscribe, reader.unsubscribe).digest();
        self.by_address.insert(subscriber.address.sameness(), id);
        self.by_unsubscribe.insert(unsubscribe, id);
        self.readers.insert(id, ReaderRow { reader, unsubscribe });
        self.touched.insert(id);
    }

    fn keep_asked(&mut self, network: String, address: &EmailAddress, at: DateTime<Utc>) {
        let address = seal::asked(self.key, address);
        let known = self.asked.entry(network.clone()).or_default();
        let is_known = |asked: &Asked| asked.address == address && asked.at > at - ASKED_FOR;
        if known.iter().any(is_known) {
            return;
        }
        let asked = Asked { network, address, at };
        known.push(asked.clone());
        self.changes.asked.push(asked);
    }

    fn forget(&mut self, id: SubscriberId) {
        // The rest of the group is loaded anew, so that here only what is to be kept must not name him.
        self.changes.forgotten.push((id, self.changes.heads.chain.number));
        self.changes.tokens.retain(|token| token.subscriber != id);
        self.changes.notices.retain(|row| row.notice.subscriber != id);
        let last = self.changes.heads.chain.number;
        for sealed in &mut self.changes.entries {
            if sealed.entry.subscriber == Some(id) && sealed.entry.number < last {
                sealed.details = None;
                sealed.ip = None;
            }
        }
        self.readers.remove(&id);
        self.touched.remove(&id);
        self.is_stale = true;
    }

    fn finish(mut self, database: &mut dyn Database, outcome: &mut Outcome) -> Result<(), StoreError> {
        let touched = self.touched.iter().filter_map(|id| self.readers.get(id));
        self.changes.readers = touched.cloned().collect();
        self.changes.confirmations = self.counted.into_iter().collect();
        let changes = &mut self.changes;
        let is_changed = self.must_keep
            || !changes.entries.is_empty()
            || !changes.readers.is_empty()
            || !changes.tokens.is_empty();
        if !is_changed {
            return Ok(());
        }
        changes.heads = seal::end(self.key, changes.heads, changes.heads.chain);
        database.apply(changes)?;
        outcome.heads = changes.heads;
        outcome.is_changed = true;
        outcome.notices += changes.notices.len();
        outcome.has_forgotten |= !changes.forgotten.is_empty();
        Ok(())
    }
}

/// The address that a request is about; of a change of address, the new one.
fn address_of(request: &Request) -> Option<&EmailAddress> {
    match request {
        Request::Subscribe { address, .. }
        | Request::SendLinks(address)
        | Request::ChangeAddress(_, address)
        | Request::Add { address, .. }
        | Request::Remove(address)
        | Request::EraseAddress(address)
        | Request::Suppress(address, _) => Some(address),
        Request::Confirm(_)
        | Request::Leave(_)
        | Request::GiveReason(..)
        | Request::Return(_)
        | Request::Rename(..)
        | Request::ChangeLanguage(..)
        | Request::Erase(_) => None,
    }
}

fn digest_of(request: &Request) -> Option<TokenDigest> {
    match request {
        Request::Confirm(digest)
        | Request::Leave(digest)
        | Request::GiveReason(digest, _)
        | Request::Return(digest)
        | Request::Rename(digest, _)
        | Request::ChangeLanguage(digest, _)
        | Request::ChangeAddress(digest, _)
        | Request::Erase(digest) => Some(*digest),
        Request::Subscribe { .. }
        | Request::SendLinks(_)
        | Request::Add { .. }
        | Request::Remove(_)
        | Request::EraseAddress(_)
        | Request::Suppress(..) => None,
    }
}

/// Whether a request may send mail to an address that anybody can type.
fn may_mail(request: &Request) -> bool {
    matches!(request, Request::Subscribe { .. } | Request::SendLinks(_) | Request::ChangeAddress(..))
}
