//! Rows as values.

use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Error, Row};

use crate::list::ledger::{Entry, EventKind, Opening, Sealed};
use crate::list::{HeldToken, NewNotice, Notice, NoticeKind, Reader, TokenDigest, TokenKind, WaitingAddress};
use crate::model::{EmailAddress, Language, Source, Status, Subscriber, SubscriberId};
use crate::store::StoreError;
use crate::store::database::{self, ReaderRow};
pub(super) use crate::store::database::{READER, SEALED};

/// [`READER`] as a reader.
pub(super) fn reader(row: &Row) -> rusqlite::Result<ReaderRow> {
    let waiting = match (row.get_ref(13)?.as_str_or_null()?, optional_time(row, 14)?) {
        (Some(address), Some(until)) => Some(WaitingAddress { address: address_of(address, 13)?, until }),
        _ => None,
    };
    Ok(ReaderRow {
        reader: Reader {
            subscriber: Subscriber {
                id: SubscriberId(row.get(0)?),
                address: address(row, 1)?,
                name: row.get(2)?,
                status: named(row, 3, Status::named)?,
                source: named(row, 4, Source::named)?,
                language: named(row, 5, Language::tagged)?,
                tags: named(row, 6, database::tags)?,
                created: time(row, 7)?,
                changed: time(row, 8)?,
            },
            unsubscribe: octets(row, 9, database::nonce)?,
            confirmation_mailed: optional_time(row, 11)?,
            links_mailed: optional_time(row, 12)?,
            waiting,
            returns_until: optional_time(row, 15)?,
            reason: row.get(16)?,
            import: row.get(17)?,
        },
        unsubscribe: TokenDigest(octets(row, 10, database::octets)?),
    })
}

/// `digest, kind, subscriber, until, used` as a token.
pub(super) fn token(row: &Row) -> rusqlite::Result<HeldToken> {
    Ok(HeldToken {
        digest: TokenDigest(octets(row, 0, database::octets)?),
        kind: named(row, 1, TokenKind::named)?,
        subscriber: SubscriberId(row.get(2)?),
        until: optional_time(row, 3)?,
        used: optional_time(row, 4)?,
    })
}

/// `id, kind, address, language, charset, nonce, unsubscribe_nonce, created, attempts, epoch` as a notice that has just been claimed.
pub(super) fn notice(row: &Row) -> rusqlite::Result<(Notice, i64)> {
    let unsubscribe = match row.get_ref(6)?.as_blob_or_null()? {
        Some(_) => Some(octets(row, 6, database::nonce)?),
        None => None,
    };
    let notice = Notice {
        id: row.get(0)?,
        kind: named(row, 1, NoticeKind::named)?,
        to: address(row, 2)?,
        language: named(row, 3, Language::tagged)?,
        charset: row.get(4)?,
        nonce: octets(row, 5, database::nonce)?,
        unsubscribe,
        created: time(row, 7)?,
        attempts: row.get::<_, u32>(8)?.saturating_sub(1),
    };
    Ok((notice, row.get(9)?))
}

/// An entry with what lies beside it. What is no entry any more is an error of its own, which names it.
pub(super) fn sealed(row: &Row) -> rusqlite::Result<Result<Sealed, StoreError>> {
    let number = row.get(0)?;
    Ok(read_sealed(row, number).map_err(|_| StoreError::Unreadable { number }))
}

fn read_sealed(row: &Row, number: i64) -> rusqlite::Result<Sealed> {
    let status = match row.get_ref(4)?.as_str_or_null()? {
        Some(_) => Some(named(row, 4, Status::named)?),
        None => None,
    };
    let ip = match row.get_ref(6)?.as_blob_or_null()? {
        Some(_) => Some(octets(row, 6, database::octets)?),
        None => None,
    };
    Ok(Sealed {
        entry: Entry {
            number,
            at: time(row, 1)?,
            kind: named(row, 2, EventKind::named)?,
            subscriber: row.get::<_, Option<i64>>(3)?.map(SubscriberId),
            status,
            details: octets(row, 5, database::octets)?,
            ip,
            previous: octets(row, 7, database::octets)?,
            digest: octets(row, 8, database::octets)?,
        },
        details: opening(row, 9)?,
        ip: opening(row, 11)?,
    })
}

fn opening(row: &Row, at: usize) -> rusqlite::Result<Option<Opening>> {
    if row.get_ref(at)?.as_blob_or_null()?.is_none() {
        return Ok(None);
    }
    Ok(Some(Opening { salt: octets(row, at, database::octets)?, text: row.get(at + 1)? }))
}

fn address(row: &Row, at: usize) -> rusqlite::Result<EmailAddress> {
    address_of(row.get_ref(at)?.as_str()?, at)
}

fn address_of(text: &str, at: usize) -> rusqlite::Result<EmailAddress> {
    EmailAddress::parse_legacy(text).map_err(|error| unreadable(at, Type::Text, &error.to_string()))
}

pub(super) fn named<Value>(row: &Row, at: usize, read: fn(&str) -> Option<Value>) -> rusqlite::Result<Value> {
    read(row.get_ref(at)?.as_str()?).ok_or_else(|| unreadable(at, Type::Text, "not a name that is known"))
}

pub(super) fn octets<Value>(
    row: &Row,
    at: usize,
    read: fn(&[u8]) -> Option<Value>,
) -> rusqlite::Result<Value> {
    read(row.get_ref(at)?.as_blob()?).ok_or_else(|| unreadable(at, Type::Blob, "not of this length"))
}

pub(super) fn time(row: &Row, at: usize) -> rusqlite::Result<DateTime<Utc>> {
    database::time(row.get(at)?).ok_or_else(|| unreadable(at, Type::Integer, "not a time"))
}

pub(super) fn optional_time(row: &Row, at: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    match row.get::<_, Option<i64>>(at)? {
        Some(_) => time(row, at).map(Some),
        None => Ok(None),
    }
}

fn unreadable(at: usize, kind: Type, why: &str) -> Error {
    Error::FromSqlConversionFailure(at, kind, why.into())
}

/// A notice's columns as its row has them, in the order of the table.
pub(super) fn carried(notice: &NewNotice) -> (&'static str, &str, &'static str) {
    (notice.kind.name(), notice.to.as_str(), notice.language.tag())
}
