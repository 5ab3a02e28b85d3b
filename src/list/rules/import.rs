//! The rules of reading in a file of readers: who is taken, and who is not and why.

use chrono::{DateTime, Utc};

use super::{LONGEST_TAG, Reader, name_of, plain};
use crate::list::Nonce;
use crate::model::{EmailAddress, Language, Source, Status, Subscriber, SubscriberId, Suppression};

/// A reader in a file.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// The line of the file, from 1.
    pub line: u64,
    /// The address.
    pub address: EmailAddress,
    /// The name for greetings.
    pub name: Option<String>,
    /// What he is marked with.
    pub tags: Vec<String>,
    /// How it stands with him: active, unsubscribed or suppressed. Who is pending elsewhere is nobody's reader yet.
    pub status: Status,
}

/// Why a row is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The list has him.
    #[error("is subscribed already")]
    Known,
    /// The file has him twice.
    #[error("stands in the file before")]
    Twice,
    /// He has applied by himself.
    #[error("has applied, and not confirmed yet: only the owner of the address can")]
    Pending,
    /// He has left.
    #[error("has left: only he himself may come back")]
    Left,
    /// Nothing is sent to him.
    #[error("is suppressed ({}): nothing is sent there", Status::Suppressed(*.0).name())]
    Suppressed(Suppression),
    /// He was erased, or moved away from this address.
    #[error("was erased, or has moved to another address: only its owner may subscribe it again")]
    Barred,
    /// The row has a status that no import brings.
    #[error("was never confirmed")]
    NeverConfirmed,
}

/// What holds for all rows of a file.
#[derive(Clone, Copy, Debug)]
pub struct Importing {
    /// The import's number.
    pub import: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// How its readers came.
    pub source: Source,
    /// In which language they are written to.
    pub language: Language,
}

/// The new reader that a row brings, if it may.
///
/// # Errors
/// Why it may not.
pub fn decide_import(
    importing: &Importing,
    row: ImportRow,
    known: Option<&Reader>,
    is_barred: bool,
    id: SubscriberId,
    nonce: Nonce,
) -> Result<Reader, Refusal> {
    if let Some(known) = known {
        return Err(match known.subscriber.status {
            _ if known.import == Some(importing.import) => Refusal::Twice,
            Status::Active => Refusal::Known,
            Status::Pending => Refusal::Pending,
            Status::Unsubscribed => Refusal::Left,
            Status::Suppressed(why) => Refusal::Suppressed(why),
        });
    }
    if is_barred {
        return Err(Refusal::Barred);
    }
    if row.status == Status::Pending {
        return Err(Refusal::NeverConfirmed);
    }
    let mut tags: Vec<String> = row.tags.iter().map(|tag| plain(tag, LONGEST_TAG)).collect();
    tags.retain(|tag| !tag.is_empty());
    tags.sort();
    tags.dedup();
    Ok(Reader {
        subscriber: Subscriber {
            id,
            address: row.address,
            name: name_of(&row.name),
            status: row.status,
            source: importing.source,
            language: importing.language,
            tags,
            created: importing.at,
            changed: importing.at,
        },
        unsubscribe: nonce,
        confirmation_mailed: None,
        links_mailed: None,
        waiting: None,
        returns_until: None,
        reason: None,
        import: Some(importing.import),
    })
}
