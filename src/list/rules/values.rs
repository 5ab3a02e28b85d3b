//! What the rules are given, and what they give.

use core::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::list::ledger::Event;
use crate::list::{Answer, Nonce, NoticeKind, Standing, TokenDigest, TokenKind};
use crate::model::{EmailAddress, Language, Status, Subscriber, SubscriberId};

/// How much may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many addresses one network (the first 24 bits of an IPv4 address, 48 of an IPv6 address) may name within an
    /// hour in requests that may send mail; nothing: as many as it likes.
    pub addresses_per_network: Option<u32>,
    /// From how many confirmations an hour on the operator is warned.
    pub alarm: u64,
}

/// All that the store keeps of a reader but his tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The reader.
    pub subscriber: Subscriber,
    /// What his `Unsubscribe` token is made from, for ever the same.
    pub unsubscribe: Nonce,
    /// When a confirmation was last mailed to him that he has not answered.
    pub confirmation_mailed: Option<DateTime<Utc>>,
    /// When his links were last mailed to him.
    pub links_mailed: Option<DateTime<Utc>>,
    /// The new address that waits for its confirmation.
    pub waiting: Option<WaitingAddress>,
    /// Until when he can undo his leaving.
    pub returns_until: Option<DateTime<Utc>>,
    /// Why he left.
    pub reason: Option<String>,
    /// The import that brought him, while he has done nothing since.
    pub import: Option<i64>,
}

/// A new address that waits for its confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingAddress {
    /// The address.
    pub address: EmailAddress,
    /// How long it waits.
    pub until: DateTime<Utc>,
}

/// A token as the store keeps it. `Unsubscribe` tokens have no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    /// Its SHA-256.
    pub digest: TokenDigest,
    /// What it is good for.
    pub kind: TokenKind,
    /// Whose it is.
    pub subscriber: SubscriberId,
    /// Until when it is good.
    pub until: Option<DateTime<Utc>>,
    /// When it was used, if it can be used once only.
    pub used: Option<DateTime<Utc>>,
}

/// What is known when something is asked.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The reader whom the address or the token names.
    pub reader: Option<&'a Reader>,
    /// The token that the request carries, whether or not it is good for this.
    pub token: Option<&'a HeldToken>,
    /// The reader who has the new address by now, where a change of address is confirmed.
    pub other: Option<&'a Reader>,
    /// Whether the address belongs to somebody who was erased, or moved away from it.
    pub is_barred: bool,
    /// How many other addresses the network named within the hour, and when the first of them.
    pub asked: (u32, Option<DateTime<Utc>>),
    /// The number that a new reader gets.
    pub next: SubscriberId,
}

/// What is to be kept, and what is answered once it is.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is answered.
    pub answer: Answer,
    /// Readers as they are from now on, new ones too.
    pub readers: Vec<Reader>,
    /// A reader of whom nothing is kept.
    pub forgotten: Option<SubscriberId>,
    /// The address that no import brings back.
    pub barred: Option<EmailAddress>,
    /// The token that is used up.
    pub used: Option<TokenDigest>,
    /// Unused tokens of these kinds that are good no more.
    pub dropped: Vec<(SubscriberId, TokenKind)>,
    /// New tokens.
    pub granted: Vec<Grant>,
    /// Mails to send.
    pub notices: Vec<NewNotice>,
    /// What the ledger tells.
    pub events: Vec<Event>,
    /// The wording that is kept.
    pub wording: Option<String>,
    /// The network that named an address.
    pub asked: Option<(String, EmailAddress)>,
}

/// A token that is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it is good for.
    pub kind: TokenKind,
    /// Whose it is.
    pub subscriber: SubscriberId,
    /// What it is made from.
    pub nonce: Nonce,
    /// Until when it is good.
    pub until: DateTime<Utc>,
}

/// A mail that is to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// What it is about.
    pub kind: NoticeKind,
    /// Whom it concerns.
    pub subscriber: SubscriberId,
    /// Where it goes.
    pub to: EmailAddress,
    /// The language it is written in.
    pub language: Language,
    /// The character set to answer in.
    pub charset: Option<String>,
    /// What its own token and its Message-ID are made from.
    pub nonce: Nonce,
    /// What the reader's `Unsubscribe` token is made from, where he is subscribed.
    pub unsubscribe: Option<Nonce>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { addresses_per_network: Some(10), alarm: 1000 }
    }
}

impl Reader {
    /// How it stands with him.
    pub fn standing(&self, at: DateTime<Utc>, changed: bool) -> Standing {
        let waiting = self.waiting.as_ref().filter(|waiting| waiting.until > at);
        Standing {
            subscriber: Some(self.subscriber.clone()),
            changed,
            waiting_address: waiting.map(|waiting| waiting.address.clone()),
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.subscriber.status
    }

    pub(super) fn id(&self) -> SubscriberId {
        self.subscriber.id
    }

    /// The reader with another status. He has done something, so that no import takes him away.
    pub(super) fn becomes(&self, status: Status, at: DateTime<Utc>) -> Reader {
        let mut reader = self.clone();
        reader.subscriber.status = status;
        reader.subscriber.changed = at;
        reader.import = None;
        reader.returns_until = None;
        reader
    }
}

impl HeldToken {
    /// Whether the token can still be shown: of one of these kinds, its time not over.
    pub fn is_good(&self, kinds: &[TokenKind], at: DateTime<Utc>) -> bool {
        kinds.contains(&self.kind) && self.until.is_none_or(|until| until > at)
    }
}

/// The network of a machine: the first 24 bits of an IPv4 address, 48 of an IPv6 address.
pub fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, third, _] = ip.octets();
            format!("{first}.{second}.{third}.0/24")
        }
        IpAddr::V6(ip) => {
            let [first, second, third, ..] = ip.segments();
            format!("{first:x}:{second:x}:{third:x}::/48")
        }
    }
}

impl Decision {
    /// An answer, and nothing to keep.
    pub(super) fn of(answer: Answer) -> Self {
        Decision {
            answer,
            readers: Vec::new(),
            forgotten: None,
            barred: None,
            used: None,
            dropped: Vec::new(),
            granted: Vec::new(),
            notices: Vec::new(),
            events: Vec::new(),
            wording: None,
            asked: None,
        }
    }
}
