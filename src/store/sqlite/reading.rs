//! What is read. A statement for each row that is looked for: there is no way to travel, and each is prepared once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::rows::{self, READER, SEALED};
use crate::list::ledger::{ChainEnd, EventKind, Sealed};
use crate::list::{HeldToken, TokenDigest};
use crate::model::{Source, Status, SubscriberId};
use crate::store::StoreError;
use crate::store::database::{self, Asked, Counts, Heads, ImportRecord, Names, ReaderRow, micros};

type MaybeSealed = Result<Sealed, StoreError>;

pub(super) fn heads(connection: &Connection) -> rusqlite::Result<Heads> {
    let mut statement = connection.prepare_cached(
        "SELECT number, digest, seal, next_subscriber, next_notice, next_import FROM heads",
    )?;
    statement.query_row([], |row| {
        Ok(Heads {
            chain: ChainEnd { number: row.get(0)?, digest: rows::octets(row, 1, database::octets)? },
            seal: rows::octets(row, 2, database::octets)?,
            next_subscriber: row.get(3)?,
            next_notice: row.get(4)?,
            next_import: row.get(5)?,
        })
    })
}

pub(super) fn tokens(connection: &Connection, digests: &[TokenDigest]) -> rusqlite::Result<Vec<HeldToken>> {
    let mut statement = connection
        .prepare_cached("SELECT digest, kind, subscriber, until, used FROM tokens WHERE digest = ?1")?;
    let mut found = Vec::new();
    for digest in digests {
        found.extend(statement.query_row([&digest.0[..]], rows::token).optional()?);
    }
    Ok(found)
}

pub(super) fn readers(connection: &Connection, names: &Names) -> rusqlite::Result<Vec<ReaderRow>> {
    let mut found = Vec::new();
    let mut by_sameness =
        connection.prepare_cached(&format!("SELECT {READER} FROM subscribers WHERE sameness = ?1"))?;
    for sameness in &names.samenesses {
        found.extend(by_sameness.query_row([sameness], rows::reader).optional()?);
    }
    let mut by_id = connection.prepare_cached(&format!("SELECT {READER} FROM subscribers WHERE id = ?1"))?;
    for id in &names.ids {
        found.extend(by_id.query_row([id.0], rows::reader).optional()?);
    }
    let mut by_token = connection.prepare_cached(&format!(
        "SELECT {READER} FROM subscribers
         WHERE substr(unsubscribe_digest, 1, 8) = substr(?1, 1, 8) AND unsubscribe_digest = ?1"
    ))?;
    for digest in &names.unsubscribe {
        found.extend(by_token.query_row([&digest.0[..]], rows::reader).optional()?);
    }
    found.sort_by_key(|row| row.reader.subscriber.id);
    found.dedup_by_key(|row| row.reader.subscriber.id);
    Ok(found)
}

pub(super) fn barred(connection: &Connection, digests: &[[u8; 32]]) -> rusqlite::Result<Vec<[u8; 32]>> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM barred WHERE digest = ?1")?;
    let mut found = Vec::new();
    for digest in digests {
        if statement.exists([&digest[..]])? {
            found.push(*digest);
        }
    }
    Ok(found)
}

pub(super) fn asked(
    connection: &Connection,
    networks: &[String],
    after: DateTime<Utc>,
) -> rusqlite::Result<Vec<Asked>> {
    let mut statement =
        connection.prepare_cached("SELECT network, address, at FROM asked WHERE network = ?1 AND at > ?2")?;
    let mut found = Vec::new();
    for network in networks {
        let rows = statement.query_map(params![network, micros(after)], |row| {
            Ok(Asked {
                network: row.get(0)?,
                address: rows::octets(row, 1, database::octets)?,
                at: rows::time(row, 2)?,
            })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}

pub(super) fn readers_after(
    connection: &Connection,
    after: SubscriberId,
    most: usize,
) -> rusqlite::Result<Vec<ReaderRow>> {
    let sql = format!("SELECT {READER} FROM subscribers WHERE id > ?1 ORDER BY id LIMIT ?2");
    all(connection, &sql, params![after.0, most as i64], rows::reader)
}

pub(super) fn unconfirmed(
    connection: &Connection,
    since: DateTime<Utc>,
    most: usize,
) -> rusqlite::Result<Vec<ReaderRow>> {
    let sql = format!(
        "SELECT {READER} FROM subscribers WHERE status = 'pending' AND confirmation_mailed < ?1
             AND (links_mailed IS NULL OR links_mailed < ?1) ORDER BY confirmation_mailed LIMIT ?2"
    );
    all(connection, &sql, params![micros(since), most as i64], rows::reader)
}

pub(super) fn last_entries_after(
    connection: &Connection,
    after: SubscriberId,
    most: usize,
) -> rusqlite::Result<Vec<MaybeSealed>> {
    let sql = format!(
        "SELECT {SEALED} FROM
             (SELECT (SELECT max(number) FROM ledger WHERE subscriber = s.id) AS last
              FROM subscribers s WHERE s.id > ?1 ORDER BY s.id LIMIT ?2) x
         JOIN ledger l ON l.number = x.last
         LEFT JOIN ledger_details d ON d.number = l.number LEFT JOIN ledger_ips i ON i.number = l.number
         ORDER BY l.subscriber"
    );
    all(connection, &sql, params![after.0, most as i64], rows::sealed)
}

pub(super) fn entries_after(
    connection: &Connection,
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<MaybeSealed>> {
    sealed(connection, "l.number > ?1 ORDER BY l.number LIMIT ?2", params![after, most as i64])
}

pub(super) fn entries_of(
    connection: &Connection,
    reader: SubscriberId,
) -> rusqlite::Result<Vec<MaybeSealed>> {
    sealed(connection, "l.subscriber = ?1 ORDER BY l.number", params![reader.0])
}

pub(super) fn entries_of_kinds(
    connection: &Connection,
    kinds: &[EventKind],
) -> rusqlite::Result<Vec<MaybeSealed>> {
    let mut found = Vec::new();
    for kind in kinds {
        found.extend(sealed(connection, "l.kind = ?1 ORDER BY l.number", params![kind.name()])?);
    }
    found.sort_by_key(|entry| entry.as_ref().map_or(0, |sealed| sealed.entry.number));
    Ok(found)
}

pub(super) fn entries(connection: &Connection, numbers: &[i64]) -> rusqlite::Result<Vec<MaybeSealed>> {
    let mut found = Vec::new();
    for number in numbers {
        found.extend(sealed(connection, "l.number = ?1", params![number])?);
    }
    Ok(found)
}

pub(super) fn stray_opening(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row(
        "SELECT min(number) FROM (
             SELECT number FROM ledger_details d WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.number = d.number)
             UNION ALL
             SELECT number FROM ledger_ips i WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.number = i.number))",
        [],
        |row| row.get(0),
    )
}

pub(super) fn wordings(connection: &Connection) -> rusqlite::Result<Vec<([u8; 32], String)>> {
    all(connection, "SELECT digest, text FROM wordings", [], |row| {
        Ok((rows::octets(row, 0, database::octets)?, row.get(1)?))
    })
}

pub(super) fn imports(connection: &Connection) -> rusqlite::Result<Vec<ImportRecord>> {
    let sql = "SELECT id, at, entry, source_name, file_name, taken, undone FROM imports ORDER BY id";
    all(connection, sql, [], |row| {
        Ok(ImportRecord {
            id: row.get(0)?,
            at: rows::time(row, 1)?,
            entry: row.get(2)?,
            source_name: row.get(3)?,
            file_name: row.get(4)?,
            taken: count(row, 5)?,
            undone: rows::optional_time(row, 6)?,
        })
    })
}

pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    // A `GROUP BY` would sort all of them, in memory.
    let mut readers: HashMap<(Status, Source), u64> = HashMap::new();
    let mut select = connection.prepare_cached("SELECT status, source FROM subscribers")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let kind = (rows::named(row, 0, Status::named)?, rows::named(row, 1, Source::named)?);
        *readers.entry(kind).or_default() += 1;
    }
    let readers = readers.into_iter().map(|((status, source), count)| (status, source, count)).collect();
    let notices_waiting =
        connection
            .query_row("SELECT count(*) FROM notices WHERE settled IS NULL", [], |row| count(row, 0))?;
    Ok(Counts { readers, notices_waiting })
}

pub(super) fn confirmations(connection: &Connection) -> rusqlite::Result<Vec<(DateTime<Utc>, u64)>> {
    all(connection, "SELECT at, number FROM confirmations ORDER BY at", [], |row| {
        Ok((rows::time(row, 0)?, count(row, 1)?))
    })
}

/// Entries of the ledger with what lies beside them.
fn sealed(connection: &Connection, rest: &str, params: impl Params) -> rusqlite::Result<Vec<MaybeSealed>> {
    let sql = format!(
        "SELECT {SEALED} FROM ledger l LEFT JOIN ledger_details d ON d.number = l.number \
         LEFT JOIN ledger_ips i ON i.number = l.number WHERE {rest}"
    );
    all(connection, &sql, params, rows::sealed)
}

fn all<Value>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row) -> rusqlite::Result<Value>,
) -> rusqlite::Result<Vec<Value>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn count(row: &Row, at: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(at)?.unsigned_abs())
}
