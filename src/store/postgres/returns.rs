//! What came back, in PostgreSQL.

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::rows::{self, Read, count, get, named, optional_time};
use super::session::Session;
use super::writing::{column, keep, text};
use super::{LOCKED_HEADS, Postgres};
use crate::bounce::{EnhancedStatus, Hardness, History, Reason, Returned, Way};
use crate::model::SubscriberId;
use crate::store::StoreError;
use crate::store::database::{self, Heads, micros};
use crate::store::mailings::MailingId;
use crate::store::returns::tables::{ReturnRow, ReturnTables};
use crate::store::returns::{Returns, ReturnsSums};

const RETURN: &str = "digest, mailing, subscriber, at, way, hardness, status, reason, diagnostic";

const KEEP_RETURNS: &str =
    "INSERT INTO returns (digest, mailing, subscriber, at, way, hardness, status, reason, diagnostic)
     SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[])";

const KEEP_HISTORIES: &str = "INSERT INTO histories (subscriber, hard, soft, soft_since, last)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
     ON CONFLICT (subscriber) DO UPDATE SET hard = excluded.hard, soft = excluded.soft,
         soft_since = excluded.soft_since, last = excluded.last";

impl ReturnTables for Postgres {
    fn heads_within(&mut self) -> Result<Heads, StoreError> {
        let heads = self.run(|session| {
            let found = session.query(LOCKED_HEADS, &[])?;
            rows::heads(found.first().ok_or_else(super::mailings::missing)?)
        })?;
        self.next_subscriber = heads.next_subscriber;
        Ok(heads)
    }

    fn known_returns(&mut self, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
        let digests: Vec<&[u8]> = digests.iter().map(|digest| &digest[..]).collect();
        let sql = "SELECT digest FROM returns WHERE digest = ANY ($1)";
        self.run(|session| {
            session
                .query(sql, &[&digests])?
                .iter()
                .map(|row| rows::octets(row, 0, database::octets))
                .collect()
        })
    }

    fn histories(&mut self, readers: &[SubscriberId]) -> Result<Vec<(SubscriberId, History)>, StoreError> {
        let ids = ids(readers);
        let sql =
            "SELECT subscriber, hard, soft, soft_since, last FROM histories WHERE subscriber = ANY ($1)";
        self.run(|session| session.query(sql, &[&ids])?.iter().map(history).collect())
    }

    fn confirmed(
        &mut self,
        readers: &[SubscriberId],
    ) -> Result<Vec<(SubscriberId, DateTime<Utc>)>, StoreError> {
        let ids = ids(readers);
        let sql = "SELECT subscriber, max(at) FROM ledger
             WHERE subscriber = ANY ($1) AND kind IN ('confirmed', 'address changed') GROUP BY subscriber";
        self.run(|session| {
            let found = session.query(sql, &[&ids])?;
            found.iter().map(|row| Ok((SubscriberId(get(row, 0)?), rows::time(row, 1)?))).collect()
        })
    }

    fn delivered(
        &mut self,
        deliveries: &[(MailingId, SubscriberId)],
    ) -> Result<Vec<(MailingId, SubscriberId, DateTime<Utc>)>, StoreError> {
        let mailings: Vec<i64> = deliveries.iter().map(|(mailing, _)| mailing.0).collect();
        let readers: Vec<i64> = deliveries.iter().map(|(_, reader)| reader.0).collect();
        let sql = "SELECT d.mailing, d.subscriber, d.at FROM unnest($1::bigint[], $2::bigint[]) AS w (mailing, subscriber)
             JOIN deliveries d ON d.mailing = w.mailing AND d.subscriber = w.subscriber WHERE d.at IS NOT NULL";
        self.run(|session| {
            let found = session.query(sql, &[&mailings, &readers])?;
            let delivery =
                |row: &Row| Ok((MailingId(get(row, 0)?), SubscriberId(get(row, 1)?), rows::time(row, 2)?));
            found.iter().map(delivery).collect()
        })
    }

    fn keep_returns(
        &mut self,
        returns: &[ReturnRow],
        histories: &[(SubscriberId, History)],
    ) -> Result<(), StoreError> {
        let over = |(_, history): &&(SubscriberId, History)| *history == History::default();
        let forgotten: Vec<i64> = histories.iter().filter(over).map(|(reader, _)| reader.0).collect();
        let kept: Vec<_> = histories.iter().filter(|history| !over(history)).copied().collect();
        self.run(|session| keep_returns(session, returns, &kept, &forgotten))
    }

    fn returns_of(&mut self, reader: SubscriberId) -> Result<Vec<ReturnRow>, StoreError> {
        let sql = format!("SELECT {RETURN} FROM returns WHERE subscriber = $1 ORDER BY id");
        self.run(|session| session.query(&sql, &[&reader.0])?.iter().map(return_row).collect())
    }

    fn returns_between(
        &mut self,
        mailing: MailingId,
        after: i64,
        to: i64,
    ) -> Result<Vec<ReturnRow>, StoreError> {
        let sql = format!(
            "SELECT {RETURN} FROM returns WHERE mailing = $1 AND subscriber > $2 AND subscriber <= $3
             ORDER BY subscriber, id"
        );
        self.run(|session| session.query(&sql, &[&mailing.0, &after, &to])?.iter().map(return_row).collect())
    }

    fn returns(&mut self, mailing: Option<MailingId>) -> Result<Returns, StoreError> {
        let of_all = "SELECT way, hardness, count(*) FROM returns GROUP BY way, hardness";
        let of_one = "SELECT way, hardness, count(*) FROM returns WHERE mailing = $1 GROUP BY way, hardness";
        self.run(|session| {
            let found = match mailing {
                Some(mailing) => session.query(of_one, &[&mailing.0])?,
                None => session.query(of_all, &[])?,
            };
            let mut returns = Returns::default();
            for row in found {
                let (way, hardness) = (named(&row, 0, Way::named)?, named(&row, 1, Hardness::named)?);
                returns.add(way, hardness, count(&row, 2)?);
            }
            Ok(returns)
        })
    }

    fn returns_sums(&mut self, mailing: MailingId) -> Result<ReturnsSums, StoreError> {
        let returns = self.returns(Some(mailing))?;
        let sql = "SELECT count(*) FROM mailings m
             JOIN subscribers s ON s.status = 'unsubscribed' AND s.changed >= m.starts AND s.changed
                 < coalesce((SELECT min(n.starts) FROM mailings n WHERE n.starts > m.starts), s.changed + 1)
             JOIN deliveries d ON d.mailing = m.id AND d.subscriber = s.id AND d.status IN (2, 5)
             WHERE m.id = $1";
        let departures = self.run(|session| {
            count(session.query(sql, &[&mailing.0])?.first().ok_or_else(super::mailings::missing)?, 0)
        })?;
        Ok(ReturnsSums { returns, departures })
    }
}

fn ids(readers: &[SubscriberId]) -> Vec<i64> {
    readers.iter().map(|reader| reader.0).collect()
}

fn history(row: &Row) -> Read<(SubscriberId, History)> {
    let number = |at| -> Read<u32> { Ok(u32::try_from(count(row, at)?).unwrap_or(u32::MAX)) };
    let history = History {
        hard: number(1)?,
        soft: number(2)?,
        soft_since: optional_time(row, 3)?,
        last: optional_time(row, 4)?,
    };
    Ok((SubscriberId(get(row, 0)?), history))
}

fn keep_returns(
    session: &mut Session,
    returns: &[ReturnRow],
    histories: &[(SubscriberId, History)],
    forgotten: &[i64],
) -> Read<()> {
    let mut writings = Vec::new();
    keep(&mut writings, KEEP_RETURNS, returns, |returns| {
        vec![
            column(returns, |row| &row.digest[..]),
            column(returns, |row| row.mailing.map(|mailing| mailing.0)),
            column(returns, |row| row.subscriber.0),
            column(returns, |row| micros(row.at)),
            column(returns, |row| row.returned.way.name()),
            column(returns, |row| row.returned.hardness.name()),
            column(returns, |row| row.returned.status.map(|status| status.to_string())),
            column(returns, |row| row.returned.reason.name()),
            column(returns, |row| text(&row.returned.diagnostic)),
        ]
    });
    keep(&mut writings, KEEP_HISTORIES, histories, |histories| {
        vec![
            column(histories, |(reader, _)| reader.0),
            column(histories, |(_, history)| i64::from(history.hard)),
            column(histories, |(_, history)| i64::from(history.soft)),
            column(histories, |(_, history)| history.soft_since.map(micros)),
            column(histories, |(_, history)| history.last.map(micros)),
        ]
    });
    let sql = "DELETE FROM histories WHERE subscriber = ANY ($1)";
    keep(&mut writings, sql, forgotten, |forgotten| vec![column(forgotten, |reader| *reader)]);
    session.write(&writings)
}

fn return_row(row: &Row) -> Read<ReturnRow> {
    let status: Option<&str> = get(row, 6)?;
    Ok(ReturnRow {
        digest: rows::octets(row, 0, database::octets)?,
        mailing: get::<Option<i64>>(row, 1)?.map(MailingId),
        subscriber: SubscriberId(get(row, 2)?),
        at: rows::time(row, 3)?,
        returned: Returned {
            way: named(row, 4, Way::named)?,
            event: None,
            hardness: named(row, 5, Hardness::named)?,
            status: status.and_then(EnhancedStatus::find),
            reason: named(row, 7, Reason::named)?,
            diagnostic: get(row, 8)?,
        },
    })
}
