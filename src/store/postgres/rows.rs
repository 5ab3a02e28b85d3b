//! Rows as values.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::failure::Failure;
use crate::list::ledger::{ChainEnd, Entry, EventKind, Opening, Sealed};
use crate::list::{HeldToken, Notice, NoticeKind, Reader, TokenDigest, TokenKind, WaitingAddress};
use crate::model::{EmailAddress, Language, Source, Status, Subscriber, SubscriberId};
use crate::store::StoreError;
use crate::store::database::{self, Heads, ReaderRow};
pub(super) use crate::store::database::{READER, SEALED};

/// What is read of a row.
pub(super) type Read<Value> = Result<Value, Failure>;

/// `number, digest, seal, next_subscriber, next_notice, next_import` as the ends of all numberings.
pub(super) fn heads(row: &Row) -> Read<Heads> {
    Ok(Heads {
        chain: ChainEnd { number: get(row, 0)?, digest: octets(row, 1, database::octets)? },
        seal: octets(row, 2, database::octets)?,
        next_subscriber: get(row, 3)?,
        next_notice: get(row, 4)?,
        next_import: get(row, 5)?,
    })
}

/// [`READER`] as a reader.
pub(super) fn reader(row: &Row) -> Read<ReaderRow> {
    let waiting = match (get::<Option<&str>>(row, 13)?, optional_time(row, 14)?) {
        (Some(address), Some(until)) => Some(WaitingAddress { address: address_of(address)?, until }),
        _ => None,
    };
    Ok(ReaderRow {
        reader: Reader {
            subscriber: Subscriber {
                id: SubscriberId(get(row, 0)?),
                address: address_of(get(row, 1)?)?,
                name: get(row, 2)?,
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
            reason: get(row, 16)?,
            import: get(row, 17)?,
        },
        unsubscribe: TokenDigest(octets(row, 10, database::octets)?),
    })
}

/// `digest, kind, subscriber, until, used` as a token.
pub(super) fn token(row: &Row) -> Read<HeldToken> {
    Ok(HeldToken {
        digest: TokenDigest(octets(row, 0, database::octets)?),
        kind: named(row, 1, TokenKind::named)?,
        subscriber: SubscriberId(get(row, 2)?),
        until: optional_time(row, 3)?,
        used: optional_time(row, 4)?,
    })
}

/// `id, kind, address, language, charset, nonce, unsubscribe_nonce, created, attempts, epoch` as a notice that has just been claimed.
pub(super) fn notice(row: &Row) -> Read<(Notice, i64)> {
    let unsubscribe = match get::<Option<&[u8]>>(row, 6)? {
        Some(_) => Some(octets(row, 6, database::nonce)?),
        None => None,
    };
    let notice = Notice {
        id: get(row, 0)?,
        kind: named(row, 1, NoticeKind::named)?,
        to: address_of(get(row, 2)?)?,
        language: named(row, 3, Language::tagged)?,
        charset: get(row, 4)?,
        nonce: octets(row, 5, database::nonce)?,
        unsubscribe,
        created: time(row, 7)?,
        attempts: u32::try_from(get::<i64>(row, 8)?).unwrap_or(u32::MAX).saturating_sub(1),
    };
    Ok((notice, get(row, 9)?))
}

/// An entry with what lies beside it. What is no entry any more is an error of its own, which names it.
pub(super) fn sealed(row: &Row) -> Read<Result<Sealed, StoreError>> {
    let number = get(row, 0)?;
    Ok(read_sealed(row, number).map_err(|_| StoreError::Unreadable { number }))
}

fn read_sealed(row: &Row, number: i64) -> Read<Sealed> {
    let status = match get::<Option<&str>>(row, 4)? {
        Some(_) => Some(named(row, 4, Status::named)?),
        None => None,
    };
    let ip = match get::<Option<&[u8]>>(row, 6)? {
        Some(_) => Some(octets(row, 6, database::octets)?),
        None => None,
    };
    Ok(Sealed {
        entry: Entry {
            number,
            at: time(row, 1)?,
            kind: named(row, 2, EventKind::named)?,
            subscriber: get::<Option<i64>>(row, 3)?.map(SubscriberId),
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

fn opening(row: &Row, at: usize) -> Read<Option<Opening>> {
    if get::<Option<&[u8]>>(row, at)?.is_none() {
        return Ok(None);
    }
    Ok(Some(Opening { salt: octets(row, at, database::octets)?, text: get(row, at + 1)? }))
}

/// A column as it is.
pub(super) fn get<'a, Value: FromSql<'a>>(row: &'a Row, at: usize) -> Read<Value> {
    Ok(row.try_get(at)?)
}

/// A column that counts.
pub(super) fn count(row: &Row, at: usize) -> Read<u64> {
    Ok(get::<i64>(row, at)?.unsigned_abs())
}

/// A column that holds one of some texts.
pub(super) fn named<Value>(row: &Row, at: usize, read: fn(&str) -> Option<Value>) -> Read<Value> {
    read(get(row, at)?).ok_or_else(|| unreadable(row, at, "not a name that is known"))
}

/// A column of octets.
pub(super) fn octets<Value>(row: &Row, at: usize, read: fn(&[u8]) -> Option<Value>) -> Read<Value> {
    read(get(row, at)?).ok_or_else(|| unreadable(row, at, "not of this length"))
}

/// A column that holds a time.
pub(super) fn time(row: &Row, at: usize) -> Read<DateTime<Utc>> {
    database::time(get(row, at)?).ok_or_else(|| unreadable(row, at, "not a time"))
}

/// A column that may hold a time.
pub(super) fn optional_time(row: &Row, at: usize) -> Read<Option<DateTime<Utc>>> {
    match get::<Option<i64>>(row, at)? {
        Some(_) => time(row, at).map(Some),
        None => Ok(None),
    }
}

fn address_of(text: &str) -> Read<EmailAddress> {
    EmailAddress::parse_legacy(text).map_err(|error| Failure::Row(error.to_string()))
}

fn unreadable(row: &Row, at: usize, why: &str) -> Failure {
    let name = row.columns().get(at).map_or("", |column| column.name());
    Failure::Row(format!("a row's {name} is {why}"))
}
