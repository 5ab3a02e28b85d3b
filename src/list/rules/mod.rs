//! The rules of the list: from what is known of a reader and what is asked, to what changes and what is answered.
//!
//! | asked | unknown | pending | active | unsubscribed | suppressed |
//! |---|---|---|---|---|---|
//! | `Subscribe` | pending, mail | mail | "you are subscribed", mailed | mail | mail; nothing if the operator's |
//! | `Confirm` | | active | stays | active | active; nothing if the operator's |
//! | `SendLinks` | nothing | links, mailed | the same | the same | nothing |
//! | `Leave` | | unsubscribed | unsubscribed | stays | stays |
//! | `Return` | | | stays | active, within 7 days of leaving | |
//! | `Add` | active | active | tags | refused | refused; active if the operator's |
//! | `Remove` | no such | unsubscribed | unsubscribed | stays | stays |
//! | `Suppress` | no such; the operator's: suppressed | suppressed | suppressed | by a complaint or the operator | by what weighs more |
//!
//! Who left, complained or could not be reached comes back by one way alone: he applies again and confirms by a mail
//! that reached him. Until then his old state stands, so that no import takes him for somebody new. What the operator
//! suppressed, the operator alone takes back, by `Add`. Mail to one address is limited to one confirmation a day
//! and one mail of links a day; what is over that is not mailed and answered the same.
//!
//! The ledger tells no event where nothing changes: a hundred equal requests make one.

mod import;
#[cfg(test)]
mod tests;
mod values;

use core::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

pub use import::{ImportRow, Importing, Refusal, decide_import};
pub use values::{Decision, Grant, HeldToken, Known, Limits, NewNotice, Reader, WaitingAddress, network};

use super::ledger::{Details, Event, EventKind};
use super::{Answer, Evidence, NoticeKind, Request, Standing, TokenKind, Via};
use crate::digest;
use crate::model::{EmailAddress, Language, Source, Status, Subscriber, Suppression};

/// The most characters of a tag that are kept.
const LONGEST_TAG: usize = 100;
/// The most characters of the name of a character set: IANA's are no longer than this.
const LONGEST_CHARSET: usize = 40;
/// How long a confirmation and a preference link are good for.
pub const TOKEN_HOURS: i64 = 48;
/// How long leaving can be undone.
pub const RETURN_DAYS: i64 = 7;
/// How long an address that was never confirmed is kept after the last mail that was asked for there: a month, and the
/// hours that its link is good for.
pub const UNCONFIRMED_DAYS: i64 = 32;
/// The most characters of a reason for leaving that are kept.
const LONGEST_REASON: usize = 500;
/// The most characters of a name that are kept.
const LONGEST_NAME: usize = 200;
/// The most characters of a `User-Agent` that are kept.
const LONGEST_USER_AGENT: usize = 200;

/// Decides what becomes of a request.
pub fn decide(known: &Known, request: &Request, evidence: &Evidence, limits: &Limits) -> Decision {
    let case = Case { known, evidence, limits };
    match request {
        Request::Subscribe { address, name } => case.subscribe(address, name_of(name).as_deref()),
        Request::SendLinks(address) => case.send_links(address),
        Request::Confirm(_) => case.confirm(),
        Request::Leave(_) => case.leave(),
        Request::GiveReason(_, reason) => case.give_reason(reason),
        Request::Return(_) => case.undo_leaving(),
        Request::Rename(_, name) => case.rename(name_of(name).as_deref()),
        Request::ChangeLanguage(_, language) => case.change_language(*language),
        Request::ChangeAddress(_, address) => case.change_address(address),
        Request::Erase(_) => match case.holder(&[TokenKind::Preferences]) {
            Some(reader) => case.erase(reader),
            None => Decision::of(Answer::NoSuchToken),
        },
        Request::EraseAddress(_) => match known.reader {
            Some(reader) => case.erase(reader),
            None => Decision::of(Answer::NoSuchSubscriber),
        },
        Request::Add { address, name, source, basis, tags } => {
            case.add(address, name_of(name).as_deref(), *source, basis, tags)
        }
        Request::Remove(_) => case.remove(),
        Request::Suppress(address, why) => case.suppress(address, *why),
    }
}

/// One request with all that it is decided by.
struct Case<'a> {
    known: &'a Known<'a>,
    evidence: &'a Evidence,
    limits: &'a Limits,
}

impl<'a> Case<'a> {
    fn subscribe(&self, address: &EmailAddress, name: Option<&str>) -> Decision {
        let mut decision = match self.count(address) {
            Ok(decision) => decision,
            Err(refusal) => return Decision::of(refusal),
        };
        let mut reader = match self.known.reader {
            Some(reader) => reader.clone(),
            None => self.new_reader(address, name, Status::Pending, self.source()),
        };
        if reader.status() == Status::Suppressed(Suppression::Operator)
            || self.is_within_a_day(reader.confirmation_mailed)
        {
            return decision;
        }
        reader.confirmation_mailed = Some(self.evidence.at);
        if reader.status() == Status::Active {
            self.mail(&mut decision, NoticeKind::AlreadySubscribed, &reader, address);
            decision.readers.push(reader);
            return decision;
        }
        if reader.status() == Status::Pending {
            // Nobody has confirmed yet, so that the last who applies says how he is called.
            reader.subscriber.name = name.map(str::to_owned).or(reader.subscriber.name);
            reader.subscriber.language = self.evidence.language;
        }
        // Mail goes to the spelling that was confirmed, if any was.
        let to = reader.subscriber.address.clone();
        self.mail(&mut decision, NoticeKind::Confirm, &reader, &to);
        let mut details = self.details(&reader);
        details.mailed = Some(digest::hexadecimal(&self.evidence.nonce.0));
        self.tell(&mut decision, EventKind::Applied, &reader, details);
        decision.readers.push(reader);
        decision
    }

    fn send_links(&self, address: &EmailAddress) -> Decision {
        let mut decision = match self.count(address) {
            Ok(decision) => decision,
            Err(refusal) => return Decision::of(refusal),
        };
        let Some(reader) = self.known.reader else { return decision };
        if matches!(reader.status(), Status::Suppressed(_)) || self.is_within_a_day(reader.links_mailed) {
            return decision;
        }
        let reader = Reader { links_mailed: Some(self.evidence.at), ..reader.clone() };
        self.mail(&mut decision, NoticeKind::Links, &reader, &reader.subscriber.address);
        decision.readers.push(reader);
        decision
    }

    fn confirm(&self) -> Decision {
        let Some(reader) = self.holder(&[TokenKind::Confirm, TokenKind::ChangeAddress]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        let Some(token) = self.known.token else { return Decision::of(Answer::NoSuchToken) };
        // Who presses the button twice is told the same again, while nothing has happened in between.
        if token.used.is_some() {
            return if reader.status() == Status::Active {
                self.unchanged(reader)
            } else {
                Decision::of(Answer::NoSuchToken)
            };
        }
        if token.kind == TokenKind::ChangeAddress {
            return self.confirm_address(reader, token);
        }
        if reader.status() == Status::Suppressed(Suppression::Operator) {
            return Decision::of(Answer::NoSuchToken);
        }
        let mut decision;
        if reader.status() == Status::Active {
            // The operator has added him in the meantime.
            decision = self.unchanged(reader);
            decision.readers.push(Reader { confirmation_mailed: None, ..reader.clone() });
        } else {
            let mut confirmed = reader.becomes(Status::Active, self.evidence.at);
            confirmed.confirmation_mailed = None;
            confirmed.reason = None;
            decision = Decision::of(done(&confirmed, self.evidence.at));
            self.mail(&mut decision, NoticeKind::Welcome, &confirmed, &confirmed.subscriber.address);
            self.tell(&mut decision, EventKind::Confirmed, &confirmed, self.details(&confirmed));
            decision.readers.push(confirmed);
        }
        decision.used = Some(token.digest);
        decision.dropped.push((reader.id(), TokenKind::Confirm));
        decision
    }

    /// The owner of a new address wants it. Where somebody has it already, it is the same person: the subscription moves to
    /// what is known of that address, and the old one ends.
    fn confirm_address(&self, reader: &Reader, token: &HeldToken) -> Decision {
        let Some(waiting) = &reader.waiting else { return Decision::of(Answer::NoSuchToken) };
        if reader.status() != Status::Active {
            return Decision::of(Answer::NoSuchToken);
        }
        let old = reader.subscriber.address.clone();
        let mut decision;
        if let Some(other) = self.known.other.filter(|other| other.id() != reader.id()) {
            if other.status() == Status::Suppressed(Suppression::Operator) {
                return Decision::of(Answer::NoSuchToken);
            }
            let mut moved = other.becomes(Status::Active, self.evidence.at);
            moved.confirmation_mailed = None;
            let mut left = reader.becomes(Status::Unsubscribed, self.evidence.at);
            left.waiting = None;
            decision = Decision::of(done(&moved, self.evidence.at));
            if other.status() != Status::Active {
                self.tell(&mut decision, EventKind::Confirmed, &moved, self.details(&moved));
            }
            let details = Details {
                new_address: Some(moved.subscriber.address.as_str().to_owned()),
                ..self.details(&left)
            };
            self.tell(&mut decision, EventKind::AddressChanged, &left, details);
            self.mail(&mut decision, NoticeKind::Changed, &left, &old);
            decision.readers.extend([left, moved]);
        } else {
            let mut moved = reader.becomes(Status::Active, self.evidence.at);
            moved.subscriber.address = waiting.address.clone();
            moved.waiting = None;
            decision = Decision::of(done(&moved, self.evidence.at));
            // A list from elsewhere may still have the old address.
            decision.barred = Some(old.clone());
            self.tell(&mut decision, EventKind::AddressChanged, &moved, self.details(&moved));
            self.mail(&mut decision, NoticeKind::Changed, &moved, &old);
            decision.readers.push(moved);
        }
        decision.used = Some(token.digest);
        decision.dropped.push((reader.id(), TokenKind::ChangeAddress));
        decision
    }

    fn leave(&self) -> Decision {
        let Some(reader) = self.holder(&[TokenKind::Unsubscribe, TokenKind::Preferences]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        if !matches!(reader.status(), Status::Pending | Status::Active) {
            return self.unchanged(reader);
        }
        let mut left = reader.becomes(Status::Unsubscribed, self.evidence.at);
        // Only what was confirmed comes back without being confirmed.
        left.returns_until =
            (reader.status() == Status::Active).then(|| self.evidence.at + TimeDelta::days(RETURN_DAYS));
        left.reason = None;
        left.waiting = None;
        let mut decision = Decision::of(done(&left, self.evidence.at));
        self.mail(&mut decision, NoticeKind::Goodbye, &left, &left.subscriber.address);
        self.tell(&mut decision, EventKind::Left, &left, self.details(&left));
        decision.dropped = vec![(reader.id(), TokenKind::Confirm), (reader.id(), TokenKind::ChangeAddress)];
        decision.readers.push(left);
        decision
    }

    fn give_reason(&self, reason: &str) -> Decision {
        let Some(reader) = self.holder(&[TokenKind::Unsubscribe]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        let reason = plain(reason, LONGEST_REASON);
        // One reason for each leaving: what is said again and again does not fill the ledger.
        if reason.is_empty() || reader.status() != Status::Unsubscribed || reader.reason.is_some() {
            return self.unchanged(reader);
        }
        let reader = Reader { reason: Some(reason.clone()), ..reader.clone() };
        let mut decision = Decision::of(done(&reader, self.evidence.at));
        let details = Details { reason: Some(reason), ..self.details(&reader) };
        self.tell(&mut decision, EventKind::Reason, &reader, details);
        decision.readers.push(reader);
        decision
    }

    fn undo_leaving(&self) -> Decision {
        let Some(reader) = self.holder(&[TokenKind::Unsubscribe]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        if reader.status() == Status::Active {
            return self.unchanged(reader);
        }
        let is_in_time = reader.returns_until.is_some_and(|until| until > self.evidence.at);
        if reader.status() != Status::Unsubscribed || !is_in_time {
            return Decision::of(Answer::NoSuchToken);
        }
        let mut returned = reader.becomes(Status::Active, self.evidence.at);
        returned.reason = None;
        let mut decision = Decision::of(done(&returned, self.evidence.at));
        self.tell(&mut decision, EventKind::Returned, &returned, self.details(&returned));
        decision.readers.push(returned);
        decision
    }

    fn rename(&self, name: Option<&str>) -> Decision {
        let Some(reader) = self.holder(&[TokenKind::Preferences]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        if reader.subscriber.name.as_deref() == name {
            return self.unchanged(reader);
        }
        let mut renamed = reader.clone();
        renamed.subscriber.name = name.map(str::to_owned);
        renamed.import = None;
        self.changed(EventKind::Renamed, renamed)
    }

    fn change_language(&self, language: Language) -> Decision {
        let Some(reader) = self.holder(&[TokenKind::Preferences]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        if reader.subscriber.language == language {
            return self.unchanged(reader);
        }
        let mut changed = reader.clone();
        changed.subscriber.language = language;
        changed.import = None;
        self.changed(EventKind::LanguageChanged, changed)
    }

    fn change_address(&self, address: &EmailAddress) -> Decision {
        let at = self.evidence.at;
        let Some(reader) = self.holder(&[TokenKind::Preferences]) else {
            return Decision::of(Answer::NoSuchToken);
        };
        if reader.status() != Status::Active || reader.subscriber.address == *address {
            return self.unchanged(reader);
        }
        if reader.subscriber.address.sameness() == address.sameness() {
            // Another spelling of the same address needs no mail: it would go to the same person.
            let mut changed = reader.clone();
            changed.subscriber.address = address.clone();
            changed.import = None;
            return self.changed(EventKind::AddressChanged, changed);
        }
        let waits_already = reader
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.until > at && waiting.address.sameness() == address.sameness());
        if waits_already {
            return self.unchanged(reader);
        }
        let mut decision = match self.count(address) {
            Ok(decision) => decision,
            Err(refusal) => return Decision::of(refusal),
        };
        let mut asking = reader.clone();
        let until = at + TimeDelta::hours(TOKEN_HOURS);
        asking.waiting = Some(WaitingAddress { address: address.clone(), until });
        asking.import = None;
        decision.answer = done(&asking, at);
        decision.dropped.push((reader.id(), TokenKind::ChangeAddress));
        self.mail(&mut decision, NoticeKind::ChangeAddress, &asking, address);
        let details = Details {
            new_address: Some(address.as_str().to_owned()),
            mailed: Some(digest::hexadecimal(&self.evidence.nonce.0)),
            ..self.details(&asking)
        };
        self.tell(&mut decision, EventKind::AddressAsked, &asking, details);
        decision.readers.push(asking);
        decision
    }

    fn erase(&self, reader: &Reader) -> Decision {
        let standing = Standing { subscriber: None, changed: true, waiting_address: None };
        let mut decision = Decision::of(Answer::Done(Box::new(standing)));
        decision.forgotten = Some(reader.id());
        decision.barred = Some(reader.subscriber.address.clone());
        // Nothing here may lead to the reader: neither his machine nor his mail.
        let details =
            Details { operator: self.evidence.operator.clone(), page: self.page(), ..Details::default() };
        decision.events.push(Event {
            kind: EventKind::Erased,
            subscriber: Some(reader.id()),
            status: None,
            details,
            ip: None,
        });
        decision
    }

    fn add(
        &self,
        address: &EmailAddress,
        name: Option<&str>,
        source: Source,
        basis: &str,
        tags: &[String],
    ) -> Decision {
        let at = self.evidence.at;
        let mut reader = match self.known.reader {
            None if self.known.is_barred => {
                return Decision::of(Answer::Refused(
                    "this address was erased, or its reader moved away from it; only its owner may subscribe it again",
                ));
            }
            None => self.new_reader(address, name, Status::Active, source),
            Some(reader) => match reader.status() {
                Status::Unsubscribed => {
                    return Decision::of(Answer::Refused(
                        "this reader has left; only he himself may come back",
                    ));
                }
                Status::Suppressed(Suppression::Operator) | Status::Pending => {
                    reader.becomes(Status::Active, at)
                }
                Status::Suppressed(_) => {
                    return Decision::of(Answer::Refused(
                        "mail to this address came back or was called spam; only its owner may subscribe it again",
                    ));
                }
                Status::Active => reader.clone(),
            },
        };
        reader.subscriber.name = reader.subscriber.name.or(name.map(str::to_owned));
        reader.subscriber.tags.extend(tags.iter().map(|tag| plain(tag, LONGEST_TAG)));
        reader.subscriber.tags.sort();
        reader.subscriber.tags.dedup();
        if self.known.reader == Some(&reader) {
            return self.unchanged(&reader);
        }
        let was_active = self.known.reader.is_some_and(|reader| reader.status() == Status::Active);
        let details = Details {
            basis: Some(basis.to_owned()),
            source: Some(source.name().to_owned()),
            name: reader.subscriber.name.clone(),
            tags: reader.subscriber.tags.clone(),
            ..self.details(&reader)
        };
        let mut decision = Decision::of(done(&reader, at));
        let kind = if was_active { EventKind::Tagged } else { EventKind::Added };
        self.tell(&mut decision, kind, &reader, details);
        decision.readers.push(reader);
        decision
    }

    fn remove(&self) -> Decision {
        let Some(reader) = self.known.reader else { return Decision::of(Answer::NoSuchSubscriber) };
        if !matches!(reader.status(), Status::Pending | Status::Active) {
            return self.unchanged(reader);
        }
        let mut removed = reader.becomes(Status::Unsubscribed, self.evidence.at);
        removed.waiting = None;
        let mut decision = self.changed(EventKind::Removed, removed);
        decision.dropped = vec![(reader.id(), TokenKind::Confirm), (reader.id(), TokenKind::ChangeAddress)];
        decision
    }

    fn suppress(&self, address: &EmailAddress, why: Suppression) -> Decision {
        let wanted = Status::Suppressed(why);
        let reader = match self.known.reader {
            None if why == Suppression::Operator => {
                let reader = self.new_reader(address, None, wanted, Source::Operator);
                return self.changed(EventKind::Suppressed, reader);
            }
            None => return Decision::of(Answer::NoSuchSubscriber),
            Some(reader) => reader,
        };
        let stays = match reader.status() {
            Status::Suppressed(held) => weight(held) >= weight(why),
            // Who has left is out of reach of returned mail; a complaint closes the way of undoing it.
            Status::Unsubscribed => weight(why) < weight(Suppression::Complaint),
            Status::Pending | Status::Active => false,
        };
        if stays {
            return self.unchanged(reader);
        }
        let mut suppressed = reader.becomes(wanted, self.evidence.at);
        suppressed.waiting = None;
        let mut decision = self.changed(EventKind::Suppressed, suppressed);
        decision.dropped = vec![(reader.id(), TokenKind::Confirm), (reader.id(), TokenKind::ChangeAddress)];
        decision
    }

    /// The reader whose token it is, if it is good for this.
    fn holder(&self, kinds: &[TokenKind]) -> Option<&'a Reader> {
        let token = self.known.token.filter(|token| token.is_good(kinds, self.evidence.at))?;
        self.known.reader.filter(|reader| reader.id() == token.subscriber)
    }

    /// `Taken`, with the address counted for its network; or that the network has named too many. Known and unknown
    /// addresses count alike, and one address once, so that the count tells nothing about them.
    fn count(&self, address: &EmailAddress) -> Result<Decision, Answer> {
        let mut decision = Decision::of(Answer::Taken);
        let (Some(most), Some(ip)) = (self.limits.addresses_per_network, self.evidence.ip) else {
            return Ok(decision);
        };
        let (others, first) = self.known.asked;
        if others >= most {
            let first = first.unwrap_or(self.evidence.at);
            let free = first + TimeDelta::hours(1) - self.evidence.at;
            // A second at least: "try again at once" would be refused again.
            let free = free.to_std().unwrap_or_default().max(Duration::from_secs(1));
            return Err(Answer::TooMany(free));
        }
        decision.asked = Some((network(ip), address.clone()));
        Ok(decision)
    }

    fn is_within_a_day(&self, mailed: Option<DateTime<Utc>>) -> bool {
        mailed.is_some_and(|mailed| self.evidence.at - mailed < TimeDelta::days(1))
    }

    fn new_reader(
        &self,
        address: &EmailAddress,
        name: Option<&str>,
        status: Status,
        source: Source,
    ) -> Reader {
        Reader {
            subscriber: Subscriber {
                id: self.known.next,
                address: address.clone(),
                name: name.map(str::to_owned),
                status,
                source,
                language: self.evidence.language,
                tags: Vec::new(),
                created: self.evidence.at,
                changed: self.evidence.at,
            },
            // Tokens of different kinds differ, even if they are made from the same bits.
            unsubscribe: self.evidence.nonce,
            confirmation_mailed: None,
            links_mailed: None,
            waiting: None,
            returns_until: None,
            reason: None,
            import: None,
        }
    }

    /// Queues a mail, with the token that it carries.
    fn mail(&self, decision: &mut Decision, kind: NoticeKind, reader: &Reader, to: &EmailAddress) {
        let token = match kind {
            NoticeKind::Confirm => Some(TokenKind::Confirm),
            NoticeKind::AlreadySubscribed | NoticeKind::Links => Some(TokenKind::Preferences),
            NoticeKind::ChangeAddress => Some(TokenKind::ChangeAddress),
            NoticeKind::Welcome | NoticeKind::Goodbye | NoticeKind::Changed => None,
        };
        if let Some(token) = token {
            decision.granted.push(Grant {
                kind: token,
                subscriber: reader.id(),
                nonce: self.evidence.nonce,
                until: self.evidence.at + TimeDelta::hours(TOKEN_HOURS),
            });
        }
        let carries_unsubscribe = !matches!(kind, NoticeKind::Confirm | NoticeKind::ChangeAddress);
        let charset = match &self.evidence.via {
            Via::Mail { charset, .. } => charset.as_ref().map(|charset| plain(charset, LONGEST_CHARSET)),
            Via::Web(_) | Via::CommandLine => None,
        };
        decision.notices.push(NewNotice {
            kind,
            subscriber: reader.id(),
            to: to.clone(),
            language: reader.subscriber.language,
            charset,
            nonce: self.evidence.nonce,
            unsubscribe: carries_unsubscribe.then_some(reader.unsubscribe),
        });
    }

    fn tell(&self, decision: &mut Decision, kind: EventKind, reader: &Reader, details: Details) {
        decision.wording.clone_from(&self.evidence.wording);
        decision.events.push(Event {
            kind,
            subscriber: Some(reader.id()),
            status: Some(reader.status()),
            details,
            ip: self.evidence.ip,
        });
    }

    /// What proves an event of a reader, as far as it is the same for all.
    fn details(&self, reader: &Reader) -> Details {
        let evidence = self.evidence;
        let message_id = match &evidence.via {
            Via::Mail { message_id, .. } => Some(message_id.clone()),
            Via::Web(_) | Via::CommandLine => None,
        };
        Details {
            address: Some(reader.subscriber.address.as_str().to_owned()),
            page: self.page(),
            message_id,
            language: Some(evidence.language.tag().to_owned()),
            wording: evidence.wording.as_ref().map(|wording| digest::sha256(wording.as_bytes())),
            network: evidence.ip.map(network),
            user_agent: evidence.user_agent.as_ref().map(|agent| plain(agent, LONGEST_USER_AGENT)),
            operator: evidence.operator.clone(),
            ..Details::default()
        }
    }

    fn page(&self) -> Option<String> {
        match &self.evidence.via {
            Via::Web(page) => Some(page.clone()),
            Via::Mail { .. } | Via::CommandLine => None,
        }
    }

    /// A change of one reader, told and answered.
    fn changed(&self, kind: EventKind, reader: Reader) -> Decision {
        let mut decision = Decision::of(done(&reader, self.evidence.at));
        let details = Details { name: reader.subscriber.name.clone(), ..self.details(&reader) };
        self.tell(&mut decision, kind, &reader, details);
        decision.readers.push(reader);
        decision
    }

    fn unchanged(&self, reader: &Reader) -> Decision {
        Decision::of(Answer::Done(Box::new(reader.standing(self.evidence.at, false))))
    }

    fn source(&self) -> Source {
        match self.evidence.via {
            Via::Web(_) => Source::Web,
            Via::Mail { .. } => Source::Mail,
            Via::CommandLine => Source::Operator,
        }
    }
}

/// A stranger's words without controls, which some databases do not take, and no longer than this.
pub(super) fn plain(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

/// A name, if anything of it is left.
pub(super) fn name_of(name: &Option<String>) -> Option<String> {
    name.as_ref().map(|name| plain(name, LONGEST_NAME)).filter(|name| !name.is_empty())
}

fn done(reader: &Reader, at: DateTime<Utc>) -> Answer {
    Answer::Done(Box::new(reader.standing(at, true)))
}

/// Which suppression stands against which.
fn weight(suppression: Suppression) -> u8 {
    match suppression {
        Suppression::SoftBounces => 0,
        Suppression::HardBounce => 1,
        Suppression::Complaint => 2,
        Suppression::Operator => 3,
    }
}
