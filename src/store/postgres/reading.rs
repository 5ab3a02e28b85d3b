//! What is read. One statement for all that is looked for together: each is a way to the server and back. How many
//! rows are wanted stands in the statement itself: plans are made before values are known, and for a tenth of a table
//! another one is good.

use chrono::{DateTime, Utc};

use super::failure::Failure;
use super::rows::{self, READER, Read, SEALED};
use super::session::{Session, Values};
use crate::list::HeldToken;
use crate::list::TokenDigest;
use crate::list::ledger::{EventKind, Sealed};
use crate::model::{Source, Status, SubscriberId};
use crate::store::StoreError;
use crate::store::database::{self, Asked, Counts, ImportRecord, Names, ReaderRow, micros};

type MaybeSealed = Result<Sealed, StoreError>;

pub(super) fn tokens(session: &mut Session, digests: &[TokenDigest]) -> Read<Vec<HeldToken>> {
    let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest.0[..]).collect();
    let sql = "SELECT digest, kind, subscriber, until, used FROM tokens WHERE digest = ANY ($1)";
    all(session, sql, &[&digests], rows::token)
}

pub(super) fn readers(session: &mut Session, names: &Names) -> Read<Vec<ReaderRow>> {
    let ids: Vec<i64> = names.ids.iter().map(|id| id.0).collect();
    let unsubscribe: Vec<&[u8]> = names.unsubscribe.iter().map(|digest| &digest.0[..]).collect();
    let sql = format!(
        "SELECT {READER} FROM subscribers
         WHERE sameness = ANY ($1) OR id = ANY ($2 || ARRAY (
             SELECT s.id FROM unnest($3::bytea[]) AS u (digest) JOIN subscribers s ON s.unsubscribe_digest = u.digest))
         ORDER BY id"
    );
    all(session, &sql, &[&names.samenesses, &ids, &unsubscribe], rows::reader)
}

pub(super) fn barred(session: &mut Session, digests: &[[u8; 32]]) -> Read<Vec<[u8; 32]>> {
    let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest[..]).collect();
    let sql = "SELECT digest FROM barred WHERE digest = ANY ($1)";
    all(session, sql, &[&digests], |row| rows::octets(row, 0, database::octets))
}

pub(super) fn asked(session: &mut Session, networks: &[String], after: DateTime<Utc>) -> Read<Vec<Asked>> {
    let sql = "SELECT network, address, at FROM asked WHERE network = ANY ($1) AND at > $2";
    all(session, sql, &[&networks, &micros(after)], |row| {
        Ok(Asked {
            network: rows::get(row, 0)?,
            address: rows::octets(row, 1, database::octets)?,
            at: rows::time(row, 2)?,
        })
    })
}

pub(super) fn readers_after(session: &mut Session, after: SubscriberId, most: usize) -> Read<Vec<ReaderRow>> {
    let sql = format!("SELECT {READER} FROM subscribers WHERE id > $1 ORDER BY id LIMIT {most}");
    all(session, &sql, &[&after.0], rows::reader)
}

pub(super) fn unconfirmed(session: &mut Session, since: DateTime<Utc>, most: usize) -> Read<Vec<ReaderRow>> {
    let sql = format!(
        "SELECT {READER} FROM subscribers WHERE status = 'pending' AND confirmation_mailed < $1
             AND (links_mailed IS NULL OR links_mailed < $1) ORDER BY confirmation_mailed LIMIT {most}"
    );
    all(session, &sql, &[&micros(since)], rows::reader)
}

pub(super) fn last_entries_after(
    session: &mut Session,
    after: SubscriberId,
    most: usize,
) -> Read<Vec<MaybeSealed>> {
    let sql = format!(
        "SELECT {SEALED} FROM
             (SELECT (SELECT max(number) FROM ledger WHERE subscriber = s.id) AS last
              FROM subscribers s WHERE s.id > $1 ORDER BY s.id LIMIT {most}) x
         JOIN ledger l ON l.number = x.last
         LEFT JOIN ledger_details d ON d.number = l.number LEFT JOIN ledger_ips i ON i.number = l.number
         ORDER BY l.subscriber"
    );
    all(session, &sql, &[&after.0], rows::sealed)
}

pub(super) fn entries_after(session: &mut Session, after: i64, most: usize) -> Read<Vec<MaybeSealed>> {
    sealed(session, &format!("l.number > $1 ORDER BY l.number LIMIT {most}"), &[&after])
}

pub(super) fn entries_of(session: &mut Session, reader: SubscriberId) -> Read<Vec<MaybeSealed>> {
    sealed(session, "l.subscriber = $1 ORDER BY l.number", &[&reader.0])
}

pub(super) fn entries_of_kinds(session: &mut Session, kinds: &[EventKind]) -> Read<Vec<MaybeSealed>> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    sealed(session, "l.kind = ANY ($1) ORDER BY l.number", &[&kinds])
}

pub(super) fn entries(session: &mut Session, numbers: &[i64]) -> Read<Vec<MaybeSealed>> {
    sealed(session, "l.number = ANY ($1)", &[&numbers])
}

pub(super) fn stray_opening(session: &mut Session) -> Read<Option<i64>> {
    let sql = "SELECT min(number) FROM (
             SELECT number FROM ledger_details d WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.number = d.number)
             UNION ALL
             SELECT number FROM ledger_ips i WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.number = i.number)) x";
    one(session, sql, |row| rows::get(row, 0))
}

pub(super) fn wordings(session: &mut Session) -> Read<Vec<([u8; 32], String)>> {
    all(session, "SELECT digest, text FROM wordings", &[], |row| {
        Ok((rows::octets(row, 0, database::octets)?, rows::get(row, 1)?))
    })
}

pub(super) fn imports(session: &mut Session) -> Read<Vec<ImportRecord>> {
    let sql = "SELECT id, at, entry, source_name, file_name, taken, undone FROM imports ORDER BY id";
    all(session, sql, &[], |row| {
        Ok(ImportRecord {
            id: rows::get(row, 0)?,
            at: rows::time(row, 1)?,
            entry: rows::get(row, 2)?,
            source_name: rows::get(row, 3)?,
            file_name: rows::get(row, 4)?,
            taken: rows::count(row, 5)?,
            undone: rows::optional_time(row, 6)?,
        })
    })
}

pub(super) fn counts(session: &mut Session) -> Read<Counts> {
    let sql = "SELECT status, source, count(*) FROM subscribers GROUP BY status, source";
    let readers = all(session, sql, &[], |row| {
        Ok((rows::named(row, 0, Status::named)?, rows::named(row, 1, Source::named)?, rows::count(row, 2)?))
    })?;
    let sql = "SELECT count(*) FROM notices WHERE settled IS NULL";
    let notices_waiting = one(session, sql, |row| rows::count(row, 0))?;
    Ok(Counts { readers, notices_waiting })
}

pub(super) fn confirmations(session: &mut Session) -> Read<Vec<(DateTime<Utc>, u64)>> {
    let sql = "SELECT at, number FROM confirmations ORDER BY at";
    all(session, sql, &[], |row| Ok((rows::time(row, 0)?, rows::count(row, 1)?)))
}

/// Entries of the ledger with what lies beside them.
fn sealed(session: &mut Session, rest: &str, values: Values) -> Read<Vec<MaybeSealed>> {
    let sql = format!(
        "SELECT {SEALED} FROM ledger l LEFT JOIN ledger_details d ON d.number = l.number \
         LEFT JOIN ledger_ips i ON i.number = l.number WHERE {rest}"
    );
    all(session, &sql, values, rows::sealed)
}

fn all<Value>(
    session: &mut Session,
    sql: &str,
    values: Values,
    read: impl Fn(&tokio_postgres::Row) -> Read<Value>,
) -> Read<Vec<Value>> {
    session.query(sql, values)?.iter().map(read).collect()
}

fn one<Value>(
    session: &mut Session,
    sql: &str,
    read: impl Fn(&tokio_postgres::Row) -> Read<Value>,
) -> Read<Value> {
    let rows = session.query(sql, &[])?;
    read(rows.first().ok_or_else(|| Failure::Row("a row is missing".to_owned()))?)
}
