//! What came back, in an SQLite file.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Sqlite, reading, rows};
use crate::bounce::{EnhancedStatus, Hardness, History, Reason, Returned, Way};
use crate::model::SubscriberId;
use crate::store::StoreError;
use crate::store::database::{self, Heads, micros};
use crate::store::mailings::MailingId;
use crate::store::returns::tables::{ReturnRow, ReturnTables};
use crate::store::returns::{Returns, ReturnsSums};

const RETURN: &str = "digest, mailing, subscriber, at, way, hardness, status, reason, diagnostic";

impl ReturnTables for Sqlite {
    fn heads_within(&mut self) -> Result<Heads, StoreError> {
        // A mailer's transaction keeps every other writer out from its beginning.
        self.told(reading::heads(&self.connection))
    }

    fn known_returns(&mut self, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
        self.told(known(&self.connection, digests))
    }

    fn histories(&mut self, readers: &[SubscriberId]) -> Result<Vec<(SubscriberId, History)>, StoreError> {
        self.told(histories(&self.connection, readers))
    }

    fn confirmed(
        &mut self,
        readers: &[SubscriberId],
    ) -> Result<Vec<(SubscriberId, DateTime<Utc>)>, StoreError> {
        self.told(confirmed(&self.connection, readers))
    }

    fn delivered(
        &mut self,
        deliveries: &[(MailingId, SubscriberId)],
    ) -> Result<Vec<(MailingId, SubscriberId, DateTime<Utc>)>, StoreError> {
        self.told(delivered(&self.connection, deliveries))
    }

    fn keep_returns(
        &mut self,
        returns: &[ReturnRow],
        histories: &[(SubscriberId, History)],
    ) -> Result<(), StoreError> {
        self.told(keep(&self.connection, returns, histories))
    }

    fn returns_of(&mut self, reader: SubscriberId) -> Result<Vec<ReturnRow>, StoreError> {
        self.told(rows_where(&self.connection, "subscriber = ?1", &[reader.0]))
    }

    fn returns_between(
        &mut self,
        mailing: MailingId,
        after: i64,
        to: i64,
    ) -> Result<Vec<ReturnRow>, StoreError> {
        let condition = "mailing = ?1 AND subscriber > ?2 AND subscriber <= ?3";
        self.told(rows_where(&self.connection, condition, &[mailing.0, after, to]))
    }

    fn returns(&mut self, mailing: Option<MailingId>) -> Result<Returns, StoreError> {
        self.told(returns(&self.connection, mailing))
    }

    fn returns_sums(&mut self, mailing: MailingId) -> Result<ReturnsSums, StoreError> {
        let returns = self.returns(Some(mailing))?;
        let departures = self.told(departures(&self.connection, mailing))?;
        Ok(ReturnsSums { returns, departures })
    }
}

fn known(connection: &Connection, digests: &[[u8; 32]]) -> rusqlite::Result<Vec<[u8; 32]>> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM returns WHERE digest = ?1")?;
    let mut found = Vec::new();
    for digest in digests {
        if statement.exists([&digest[..]])? {
            found.push(*digest);
        }
    }
    Ok(found)
}

fn histories(
    connection: &Connection,
    readers: &[SubscriberId],
) -> rusqlite::Result<Vec<(SubscriberId, History)>> {
    let mut statement = connection
        .prepare_cached("SELECT hard, soft, soft_since, last FROM histories WHERE subscriber = ?1")?;
    let mut found = Vec::new();
    for reader in readers {
        let history = statement.query_row([reader.0], |row| {
            Ok(History {
                hard: row.get(0)?,
                soft: row.get(1)?,
                soft_since: rows::optional_time(row, 2)?,
                last: rows::optional_time(row, 3)?,
            })
        });
        found.extend(history.optional()?.map(|history| (*reader, history)));
    }
    Ok(found)
}

fn confirmed(
    connection: &Connection,
    readers: &[SubscriberId],
) -> rusqlite::Result<Vec<(SubscriberId, DateTime<Utc>)>> {
    let mut statement = connection.prepare_cached(
        "SELECT max(at) FROM ledger WHERE subscriber = ?1 AND kind IN ('confirmed', 'address changed')",
    )?;
    let mut found = Vec::new();
    for reader in readers {
        let at = statement.query_row([reader.0], |row| rows::optional_time(row, 0))?;
        found.extend(at.map(|at| (*reader, at)));
    }
    Ok(found)
}

fn delivered(
    connection: &Connection,
    deliveries: &[(MailingId, SubscriberId)],
) -> rusqlite::Result<Vec<(MailingId, SubscriberId, DateTime<Utc>)>> {
    let mut statement =
        connection.prepare_cached("SELECT at FROM deliveries WHERE mailing = ?1 AND subscriber = ?2")?;
    let mut found = Vec::new();
    for (mailing, reader) in deliveries {
        let at = statement.query_row([mailing.0, reader.0], |row| rows::optional_time(row, 0)).optional()?;
        found.extend(at.flatten().map(|at| (*mailing, *reader, at)));
    }
    Ok(found)
}

fn keep(
    connection: &Connection,
    returns: &[ReturnRow],
    histories: &[(SubscriberId, History)],
) -> rusqlite::Result<()> {
    let mut add = connection.prepare_cached(&format!(
        "INSERT INTO returns ({RETURN}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    ))?;
    for row in returns {
        add.execute(params![
            &row.digest[..],
            row.mailing.map(|mailing| mailing.0),
            row.subscriber.0,
            micros(row.at),
            row.returned.way.name(),
            row.returned.hardness.name(),
            row.returned.status.map(|status| status.to_string()),
            row.returned.reason.name(),
            row.returned.diagnostic,
        ])?;
    }
    let mut forget = connection.prepare_cached("DELETE FROM histories WHERE subscriber = ?1")?;
    let mut set = connection.prepare_cached("INSERT INTO histories VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (reader, history) in histories {
        forget.execute([reader.0])?;
        if *history != History::default() {
            let (since, last) = (history.soft_since.map(micros), history.last.map(micros));
            set.execute(params![reader.0, history.hard, history.soft, since, last])?;
        }
    }
    Ok(())
}

fn rows_where(connection: &Connection, condition: &str, values: &[i64]) -> rusqlite::Result<Vec<ReturnRow>> {
    let sql = format!("SELECT {RETURN} FROM returns WHERE {condition} ORDER BY subscriber, id");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(rusqlite::params_from_iter(values), return_row)?.collect()
}

fn return_row(row: &Row<'_>) -> rusqlite::Result<ReturnRow> {
    let status: Option<String> = row.get(6)?;
    Ok(ReturnRow {
        digest: rows::octets(row, 0, database::octets)?,
        mailing: row.get::<_, Option<i64>>(1)?.map(MailingId),
        subscriber: SubscriberId(row.get(2)?),
        at: rows::time(row, 3)?,
        returned: Returned {
            way: rows::named(row, 4, Way::named)?,
            event: None,
            hardness: rows::named(row, 5, Hardness::named)?,
            status: status.as_deref().and_then(EnhancedStatus::find),
            reason: rows::named(row, 7, Reason::named)?,
            diagnostic: row.get(8)?,
        },
    })
}

fn returns(connection: &Connection, mailing: Option<MailingId>) -> rusqlite::Result<Returns> {
    let condition = if mailing.is_some() { "WHERE mailing = ?1" } else { "" };
    let sql = format!("SELECT way, hardness, count(*) FROM returns {condition} GROUP BY way, hardness");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(rusqlite::params_from_iter(mailing.map(|mailing| mailing.0)))?;
    let mut returns = Returns::default();
    while let Some(row) = found.next()? {
        let (way, hardness) = (rows::named(row, 0, Way::named)?, rows::named(row, 1, Hardness::named)?);
        returns.add(way, hardness, row.get::<_, i64>(2)?.unsigned_abs());
    }
    Ok(returns)
}

fn departures(connection: &Connection, mailing: MailingId) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM mailings m CROSS JOIN subscribers s CROSS JOIN deliveries d
         WHERE m.id = ?1 AND s.status = 'unsubscribed' AND s.changed >= m.starts
           AND s.changed < coalesce((SELECT min(n.starts) FROM mailings n WHERE n.starts > m.starts), s.changed + 1)
           AND d.mailing = m.id AND d.subscriber = s.id AND d.status IN (2, 5)",
    )?;
    statement.query_row([mailing.0], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
