//! The consent ledger: what happened to each subscription, in a chain in which no octet can be changed unseen.
//!
//! An entry holds no data of its reader, only commitments to them (SHA-256 over a random salt and the data). The data
//! and their salts lie beside it, so that they can be forgotten while the chain still holds.

mod walk;

use core::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use walk::{Fault, Walk};

use super::Nonce;
use crate::digest;
use crate::model::{Status, SubscriberId, name_of, named};

/// What an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Somebody asked for the magazine; a confirmation was mailed.
    Applied,
    /// The owner of the address confirmed that he wants it.
    Confirmed,
    /// The reader left.
    Left,
    /// The reader undid his leaving.
    Returned,
    /// The reader said why he had left.
    Reason,
    /// The reader changed his name.
    Renamed,
    /// The reader chose another language.
    LanguageChanged,
    /// The reader asked for another address; a confirmation was mailed to it.
    AddressAsked,
    /// The owner of the new address confirmed it.
    AddressChanged,
    /// The operator added a reader, who had consented elsewhere.
    Added,
    /// The operator marked a reader with other tags.
    Tagged,
    /// The operator took a reader off.
    Removed,
    /// Nothing is sent to the address any more.
    Suppressed,
    /// The reader's data were forgotten; only here may entries before this one have lost their details.
    Erased,
    /// A file was read in: its facts. No reader's entry.
    Import,
    /// A reader came with a file.
    Imported,
    /// A file was taken back: its facts. No reader's entry.
    Undone,
    /// A reader went with the file that had brought him.
    TakenBack,
    /// The addresses of machines lost their last parts in all entries up to a number. No reader's entry.
    Shortened,
}

/// What happened, before it has its place in the chain.
#[derive(Clone, Debug)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// To whom.
    pub subscriber: Option<SubscriberId>,
    /// How it stands with his subscription from then on.
    pub status: Option<Status>,
    /// What proves it.
    pub details: Details,
    /// The whole address of the asking machine; what is left of it in time is `details.network`.
    pub ip: Option<IpAddr>,
}

/// What proves an event.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs, reason = "each is named as what it holds")]
pub struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The Message-ID of the mail by which it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// A language tag (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The SHA-256 of the wording, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// The network of the asking machine: its first 24 bits (IPv4) or 48 (IPv6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The nonce of the notice that was mailed, in hexadecimal digits: its Message-ID is made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The number of the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<i64>,
    /// The number of the entry that tells the facts of the import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<i64>,
    /// The line of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_digest: Option<String>,
    /// The keyed digest that bars imports from bringing the address back, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barred: Option<String>,
    /// The last entry whose address of a machine was shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
}

/// An entry of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: 1, 2, 3 …
    pub number: i64,
    /// When, to the microsecond.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
    /// To whom.
    pub subscriber: Option<SubscriberId>,
    /// How it stands with his subscription from then on.
    pub status: Option<Status>,
    /// The commitment to the details.
    pub details: [u8; 32],
    /// The commitment to the asking machine's whole address.
    pub ip: Option<[u8; 32]>,
    /// The digest of the entry before; zeros for the first.
    pub previous: [u8; 32],
    /// The digest of all the above.
    pub digest: [u8; 32],
}

/// What an entry commits to, as it lies beside the chain.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// 128 random bits, so that nobody finds the text by trying.
    pub salt: [u8; 16],
    /// The octets that were committed to: details as JSON, or an address.
    pub text: String,
}

/// An entry with what lies beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The entry.
    pub entry: Entry,
    /// Its details, unless its reader was erased.
    pub details: Option<Opening>,
    /// The asking machine's whole address, unless it was shortened.
    pub ip: Option<Opening>,
}

/// The end of a chain, where the next entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The last entry's number; 0 when there is none.
    pub number: i64,
    /// Its digest; zeros when there is none.
    pub digest: [u8; 32],
}

/// Puts an event at the end of a chain. `seed` is random and new for each request; one may serve many events, since
/// their numbers tell their salts apart.
pub fn seal(end: &mut ChainEnd, event: &Event, at: DateTime<Utc>, seed: &[u8]) -> Sealed {
    let number = end.number + 1;
    // A value of plain texts and numbers always becomes JSON.
    let text = serde_json::to_string(&event.details).unwrap_or_default();
    let details = Opening { salt: salt(seed, number, b'd'), text };
    let ip = event.ip.map(|ip| Opening { salt: salt(seed, number, b'i'), text: ip.to_string() });
    let mut entry = Entry {
        number,
        at: DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at),
        kind: event.kind,
        subscriber: event.subscriber,
        status: event.status,
        details: details.commitment(),
        ip: ip.as_ref().map(Opening::commitment),
        previous: end.digest,
        digest: [0; 32],
    };
    entry.digest = entry.sum();
    *end = ChainEnd { number, digest: entry.digest };
    Sealed { entry, details: Some(details), ip }
}

fn salt(seed: &[u8], number: i64, purpose: u8) -> [u8; 16] {
    let mut whole = b"mailmag salt ".to_vec();
    whole.push(purpose);
    whole.extend_from_slice(&number.to_be_bytes());
    whole.extend_from_slice(seed);
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest::sha256_octets(&whole)[..16]);
    salt
}

impl Opening {
    /// The SHA-256 over salt and text.
    pub fn commitment(&self) -> [u8; 32] {
        digest::sha256_octets(&[&self.salt[..], self.text.as_bytes()].concat())
    }
}

impl Entry {
    /// The SHA-256 over all of the entry's fields but its digest, each with its length.
    pub fn sum(&self) -> [u8; 32] {
        let number = |number: i64| number.to_be_bytes();
        let mut whole = Vec::with_capacity(256);
        let mut part = |octets: Option<&[u8]>| match octets {
            None => whole.push(0),
            Some(octets) => {
                // No field is longer than a status's name.
                whole.push(octets.len() as u8 + 1);
                whole.extend_from_slice(octets);
            }
        };
        part(Some(&number(self.number)));
        part(Some(&number(self.at.timestamp_micros())));
        part(Some(self.kind.name().as_bytes()));
        part(self.subscriber.map(|id| number(id.0)).as_ref().map(|octets| &octets[..]));
        part(self.status.map(|status| status.name().as_bytes()));
        part(Some(&self.details));
        part(self.ip.as_ref().map(|octets| &octets[..]));
        part(Some(&self.previous));
        digest::sha256_octets(&whole)
    }
}

impl EventKind {
    const NAMES: [(&str, EventKind); 19] = [
        ("applied", EventKind::Applied),
        ("confirmed", EventKind::Confirmed),
        ("left", EventKind::Left),
        ("returned", EventKind::Returned),
        ("reason", EventKind::Reason),
        ("renamed", EventKind::Renamed),
        ("language changed", EventKind::LanguageChanged),
        ("address asked", EventKind::AddressAsked),
        ("address changed", EventKind::AddressChanged),
        ("added", EventKind::Added),
        ("tagged", EventKind::Tagged),
        ("removed", EventKind::Removed),
        ("suppressed", EventKind::Suppressed),
        ("erased", EventKind::Erased),
        ("import", EventKind::Import),
        ("imported", EventKind::Imported),
        ("undone", EventKind::Undone),
        ("taken back", EventKind::TakenBack),
        ("shortened", EventKind::Shortened),
    ];

    /// The kind as the store and reports write it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The kind of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

impl Details {
    /// Reads details as they lie beside the chain.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The nonce of the notice that was mailed.
    pub fn mailed_nonce(&self) -> Option<Nonce> {
        digest::octets(self.mailed.as_deref()?).map(Nonce)
    }
}

// Debug output reaches logs, so neither of these may name the reader.
impl core::fmt::Debug for Opening {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Opening(***)")
    }
}

impl core::fmt::Debug for Details {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Details(***)")
    }
}
