//! What is asked of the list, and what it answers.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Nonce, TokenDigest};
use crate::model::{EmailAddress, Language, Source, Subscriber, Suppression};

/// Something that is asked of the list: by a reader, on the web or by mail, or by the operator.
#[derive(Clone, Debug)]
pub enum Request {
    /// Subscribe an address. A confirmation is mailed to it; nothing is sent to it before that is answered.
    Subscribe {
        /// The address.
        address: EmailAddress,
        /// The name for greetings.
        name: Option<String>,
    },
    /// Confirm a subscription ([`TokenKind::Confirm`](super::TokenKind)) or a new address (`ChangeAddress`).
    Confirm(TokenDigest),
    /// Mail an address the links to leave and to its own data, for who lost his mail.
    SendLinks(EmailAddress),
    /// Leave: `Unsubscribe` or `Preferences`. Leaving twice is leaving once.
    Leave(TokenDigest),
    /// Say why one left (optional, at most 500 characters): `Unsubscribe`.
    GiveReason(TokenDigest, String),
    /// Undo leaving, for seven days: `Unsubscribe`.
    Return(TokenDigest),
    /// Change the name for greetings: `Preferences`.
    Rename(TokenDigest, Option<String>),
    /// Change the language of what is written: `Preferences`.
    ChangeLanguage(TokenDigest, Language),
    /// Change the address: `Preferences`. A confirmation is mailed to the new one; the old one stays until then.
    ChangeAddress(TokenDigest, EmailAddress),
    /// Forget all of a reader but the keyed digest that keeps imports from bringing him back: `Preferences`.
    Erase(TokenDigest),
    /// The operator adds a reader, who has consented elsewhere as `basis` says: active at once.
    Add {
        /// The address.
        address: EmailAddress,
        /// The name for greetings.
        name: Option<String>,
        /// How he came.
        source: Source,
        /// How he consented, in the operator's words.
        basis: String,
        /// What he is marked with.
        tags: Vec<String>,
    },
    /// The operator takes a reader off: the address is unsubscribed.
    Remove(EmailAddress),
    /// The operator forgets a reader who asked for it.
    EraseAddress(EmailAddress),
    /// Nothing is to be sent to an address any more: mail came back, a complaint, or the operator's wish.
    Suppress(EmailAddress, Suppression),
}

/// When and whence something was asked, and what proves it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// When.
    pub at: DateTime<Utc>,
    /// Random bits for what this request may need: tokens, the Message-ID of what is mailed.
    pub nonce: Nonce,
    /// By which way it came.
    pub via: Via,
    /// The language of the page or mail it was asked on.
    pub language: Language,
    /// The wording that stood beside the field (its text; the store keeps each version once), where consent was given.
    pub wording: Option<String>,
    /// The asking machine's address.
    pub ip: Option<IpAddr>,
    /// The `User-Agent`, at most 200 characters.
    pub user_agent: Option<String>,
    /// Who did it, for what an operator does.
    pub operator: Option<String>,
}

/// By which way something was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// A page of the web service, by its path without any token: `/subscribe`.
    Web(String),
    /// A mail, by its Message-ID; answers go in the character set it came in (a MIME charset name).
    Mail {
        /// The mail's Message-ID.
        message_id: String,
        /// The character set of the mail, as MIME names it.
        charset: Option<String>,
    },
    /// The command line.
    CommandLine,
}

/// What the list answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken: whatever has to be mailed will be. The same for addresses known and unknown.
    Taken,
    /// Done: how it stands now with the reader whose token or address it was.
    Done(Box<Standing>),
    /// The token is none, or none for this, or its time is over.
    NoSuchToken,
    /// The operator's request names an address that is not on the list.
    NoSuchSubscriber,
    /// An address was erased, or its reader left, and only he himself may come back.
    Refused(&'static str),
    /// Too much was asked from one place; try again after this time.
    TooMany(Duration),
}

/// How it stands with a reader: what a page about him may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The reader; nothing once he is erased.
    pub subscriber: Option<Subscriber>,
    /// Whether the request changed anything.
    pub changed: bool,
    /// The new address that waits for its confirmation.
    pub waiting_address: Option<EmailAddress>,
}
