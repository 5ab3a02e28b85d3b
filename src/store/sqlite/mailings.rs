//! Mailings in an SQLite file.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Sqlite;
use crate::list::Nonce;
use crate::mailing::{DeliveryStatus, InDoubt, Lanes, Sums};
use crate::model::{EmailAddress, SubscriberId};
use crate::store::StoreError;
use crate::store::database::{micros, octets, time};
use crate::store::mailings::tables::{LOOKED_AT, MailingTables, code, other_lane, status};
use crate::store::mailings::{
    Audience, Claimed, Delivery, DeliveryRow, Ended, Expired, FrozenLetter, Mailing, MailingId,
    MailingStatus, NewMailing, Order, Step, WorkerId,
};

const MAILING: &str =
    "id, issue, label, correction, subject, digest, in_doubt, created, starts, status, why, planned, watched";

impl Sqlite {
    /// Commits no more wait for the disk: they outlive the process, and [`MailingTables::flush`] makes them outlive the machine.
    pub(in crate::store) fn for_mailings(self) -> Result<Self, StoreError> {
        self.told(self.connection.execute_batch("PRAGMA synchronous = NORMAL"))?;
        Ok(self)
    }

    /// Takes readers of another list in, active, with what their messages need.
    pub(in crate::store) fn take_readers(&mut self, readers: &[Delivery]) -> Result<(), StoreError> {
        let taken = take_readers(&mut self.connection, readers);
        self.told(taken)
    }

    pub(super) fn told<Value>(&self, result: rusqlite::Result<Value>) -> Result<Value, StoreError> {
        result.map_err(|error| self.error(error))
    }

    fn unreadable(&self, what: &str) -> StoreError {
        StoreError::Broken { place: self.path.display().to_string(), what: format!("{what} cannot be read") }
    }

    fn mailings(&self, condition: &str, value: i64) -> Result<Vec<Mailing>, StoreError> {
        let rows = || {
            let sql = format!("SELECT {MAILING} FROM mailings WHERE {condition} ORDER BY issue, correction");
            let mut statement = self.connection.prepare_cached(&sql)?;
            statement.query_map([value], mailing)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows: Option<Vec<Mailing>> = self.told(rows())?.into_iter().collect();
        rows.ok_or_else(|| self.unreadable("a mailing"))
    }
}

impl MailingTables for Sqlite {
    fn begin_mailing(&mut self) -> Result<(), StoreError> {
        self.told(self.connection.execute_batch("BEGIN IMMEDIATE"))
    }

    fn commit_mailing(&mut self) -> Result<(), StoreError> {
        self.told(self.connection.execute_batch("COMMIT"))
    }

    fn rollback_mailing(&mut self) {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").ok();
        }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        // What is committed stands in the log; the log on the disk is what outlives the machine.
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        match std::fs::File::open(&log).and_then(|file| file.sync_data()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::Broken {
                place: self.path.display().to_string(),
                what: format!("the log cannot be written to the disk: {error}"),
            }),
        }
    }

    fn freeze_alone(&mut self) -> Result<(), StoreError> {
        // Whoever writes is alone.
        Ok(())
    }

    fn plan(&mut self, new: &NewMailing, audience: &Audience, lanes: &Lanes) -> Result<Mailing, StoreError> {
        let id = self.told(insert_mailing(&self.connection, new))?;
        self.told(insert_deliveries(&self.connection, id, audience, lanes))?;
        self.mailings("id = ?1", id)?.pop().ok_or_else(|| self.unreadable("the mailing"))
    }

    fn audience(
        &mut self,
        audience: &Audience,
        after: i64,
        most: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let readers = self.told(readers(&self.connection, audience, after, most))?;
        readers.into_iter().collect::<Option<_>>().ok_or_else(|| self.unreadable("a reader"))
    }

    fn mailings_of(&mut self, issue: i64) -> Result<Vec<Mailing>, StoreError> {
        self.mailings("issue = ?1", issue)
    }

    fn running(&mut self, at: DateTime<Utc>) -> Result<Vec<Mailing>, StoreError> {
        self.mailings("status = 'running' AND starts <= ?1", micros(at))
    }

    fn letter(&mut self, id: MailingId) -> Result<FrozenLetter, StoreError> {
        let sql = "SELECT letter, texts FROM mailings WHERE id = ?1";
        let letter = |row: &Row<'_>| Ok(FrozenLetter { octets: row.get(0)?, texts: row.get(1)? });
        self.told(self.connection.query_row(sql, [id.0], letter))
    }

    fn set_status(
        &mut self,
        id: MailingId,
        status: MailingStatus,
        why: Option<&str>,
    ) -> Result<bool, StoreError> {
        let changed = self.connection.execute(
            "UPDATE mailings SET status = ?2, why = ?3 WHERE id = ?1 AND status IN ('running', 'paused')",
            params![id.0, status.name(), why],
        );
        Ok(self.told(changed)? == 1)
    }

    fn watch(&mut self, id: MailingId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE mailings SET watched = ?2 WHERE id = ?1";
        self.told(self.connection.execute(sql, params![id.0, micros(at)])).map(|_| ())
    }

    fn reschedule(&mut self, id: MailingId, starts: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE mailings SET starts = ?2 WHERE id = ?1 AND status IN ('running', 'paused')
             AND NOT EXISTS (SELECT 1 FROM deliveries WHERE mailing = ?1 AND first IS NOT NULL)";
        Ok(self.told(self.connection.execute(sql, params![id.0, micros(starts)]))? == 1)
    }

    fn cancel_waiting(&mut self, of: Option<MailingId>, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET status = ?1, at = ?2, due = NULL
             WHERE status IN (0, 3) AND mailing IN (
                 SELECT id FROM mailings WHERE status = 'cancelled' AND (?3 IS NULL OR id = ?3))";
        let of = of.map(|id| id.0);
        let changed = self.connection.execute(sql, params![code(DeliveryStatus::Cancelled), micros(at), of]);
        self.told(changed).map(|_| ())
    }

    fn release(&mut self, id: MailingId, worker: WorkerId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET status = 0, worker = NULL, at = ?3
             WHERE mailing = ?1 AND worker = ?2 AND status = 1 AND is_attempted = 0";
        let changed = self.connection.execute(sql, params![id.0, worker.0, micros(at)]);
        self.told(changed).map(|_| ())
    }

    fn hurry(&mut self, id: MailingId) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET due = NULL WHERE mailing = ?1 AND status = 0 AND due IS NOT NULL";
        self.told(self.connection.execute(sql, [id.0])).map(|_| ())
    }

    fn register(&mut self, name: &str, until: DateTime<Utc>) -> Result<WorkerId, StoreError> {
        let sql = "INSERT INTO workers (name, alive_until) VALUES (?1, ?2)";
        self.told(self.connection.execute(sql, params![name, micros(until)]))?;
        Ok(WorkerId(self.connection.last_insert_rowid()))
    }

    fn renew(&mut self, worker: WorkerId, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE workers SET alive_until = ?2 WHERE id = ?1";
        Ok(self.told(self.connection.execute(sql, params![worker.0, micros(until)]))? == 1)
    }

    fn workers(&mut self) -> Result<Vec<(WorkerId, String)>, StoreError> {
        let workers = |connection: &Connection| {
            let mut select = connection.prepare("SELECT id, name FROM workers ORDER BY id")?;
            select.query_map([], |row| Ok((WorkerId(row.get(0)?), row.get(1)?)))?.collect()
        };
        self.told(workers(&self.connection))
    }

    fn expire(&mut self, at: DateTime<Utc>, leaving: Option<WorkerId>) -> Result<Expired, StoreError> {
        self.told(expire(&self.connection, at, leaving))
    }

    fn claim(&mut self, order: &Order, lanes: &Lanes) -> Result<Claimed, StoreError> {
        self.told(claim(&self.connection, order, lanes))?.ok_or_else(|| self.unreadable("a reader"))
    }

    fn clear_lanes(&mut self, id: MailingId, number: usize) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries INDEXED BY deliveries_waiting SET lane = 0
             WHERE mailing = ?1 AND status IN (0, 3) AND lane >= ?2";
        self.told(self.connection.execute(sql, [id.0, number as i64])).map(|_| ())
    }

    fn steps(&mut self, steps: &[&Step]) -> Result<Vec<(bool, bool)>, StoreError> {
        self.told(steps.iter().map(|step| keep_step(&self.connection, step)).collect())
    }

    fn sums(&mut self, id: MailingId) -> Result<Sums, StoreError> {
        self.told(sums(&self.connection, id))
    }

    fn next_due(&mut self, id: MailingId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(coalesce(due, 0)) FROM deliveries WHERE mailing = ?1 AND status IN (0, 3) AND lane >= 0";
        let due: Option<i64> = self.told(self.connection.query_row(sql, [id.0], |row| row.get(0)))?;
        Ok(due.and_then(time))
    }

    fn deliveries(&mut self, id: MailingId, after: i64, most: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        let rows = self.told(delivery_rows(&self.connection, id, after, most))?;
        rows.into_iter().collect::<Option<_>>().ok_or_else(|| self.unreadable("a delivery"))
    }
}

fn mailing(row: &Row<'_>) -> rusqlite::Result<Option<Mailing>> {
    let [in_doubt, status]: [String; 2] = [row.get(6)?, row.get(9)?];
    let [created, starts] = [time(row.get(7)?), time(row.get(8)?)];
    let (Some(in_doubt), Some(status)) = (InDoubt::named(&in_doubt), MailingStatus::named(&status)) else {
        return Ok(None);
    };
    let (Some(created), Some(starts)) = (created, starts) else { return Ok(None) };
    Ok(Some(Mailing {
        id: MailingId(row.get(0)?),
        issue: row.get(1)?,
        label: row.get(2)?,
        correction: row.get(3)?,
        subject: row.get(4)?,
        digest: row.get(5)?,
        in_doubt,
        created,
        starts,
        status,
        why: row.get(10)?,
        planned: row.get::<_, i64>(11)?.unsigned_abs(),
        watched: row.get::<_, Option<i64>>(12)?.and_then(time),
    }))
}

fn insert_mailing(connection: &Connection, new: &NewMailing) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO mailings (issue, correction, label, subject, letter, charset, digest, in_doubt, created, starts,
             texts, status, planned)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'running', 0)",
        params![
            new.issue,
            new.correction,
            new.label,
            new.subject,
            new.letter.octets,
            new.charset,
            new.digest,
            new.in_doubt.name(),
            micros(new.created),
            micros(new.starts),
            new.letter.texts,
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

fn take_readers(connection: &mut Connection, readers: &[Delivery]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO subscribers (id, sameness, address, name, status, source, language, tags, created, changed,
             unsubscribe_nonce, unsubscribe_digest)
         VALUES (?1, ?1, ?2, ?3, 'active', 'import', '', '', 0, 0, ?4, ?4)",
    )?;
    for reader in readers {
        let address = reader.address.as_str();
        insert.execute(params![
            reader.subscriber.0,
            address,
            reader.name,
            reader.unsubscribe.0.as_slice()
        ])?;
    }
    drop(insert);
    transaction.commit()
}

/// Reads the audience and writes the deliveries side by side, so that memory does not grow with the readers.
fn insert_deliveries(
    connection: &Connection,
    mailing: i64,
    audience: &Audience,
    lanes: &Lanes,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT s.id, s.address FROM subscribers s WHERE {AUDIENCE} ORDER BY s.id");
    let mut select = connection.prepare(&sql)?;
    let mut insert = connection.prepare(
        "INSERT INTO deliveries (mailing, subscriber, lane, status, attempts, is_attempted) VALUES (?1, ?2, ?3, 0, 0, 0)",
    )?;
    let mut rows = select.query(params![audience.tag, audience.got.map(|id| id.0)])?;
    let mut planned = 0_i64;
    while let Some(row) = rows.next()? {
        let address = row.get_ref(1)?.as_str()?;
        let domain = address.rsplit('@').next().unwrap_or_default();
        insert.execute(params![mailing, row.get::<_, i64>(0)?, lanes.of(domain) as i64])?;
        planned += 1;
    }
    connection.execute("UPDATE mailings SET planned = ?2 WHERE id = ?1", [mailing, planned])?;
    Ok(())
}

/// Who is in an audience: `?1` is its tag, `?2` the mailing that they got.
const AUDIENCE: &str = "s.status = 'active'
    AND (?1 IS NULL OR EXISTS (SELECT 1 FROM json_each(s.tags) WHERE value = ?1))
    AND (?2 IS NULL OR EXISTS (
        SELECT 1 FROM deliveries d WHERE d.mailing = ?2 AND d.subscriber = s.id AND d.status IN (2, 5)))";

fn readers(
    connection: &Connection,
    audience: &Audience,
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<Option<Delivery>>> {
    let sql = format!(
        "SELECT s.id, s.address, s.name, s.unsubscribe_nonce FROM subscribers s
         WHERE {AUDIENCE} AND s.id > ?3 ORDER BY s.id LIMIT ?4"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    select
        .query_map(params![audience.tag, audience.got.map(|id| id.0), after, most], |row| {
            let (address, nonce): (String, Vec<u8>) = (row.get(1)?, row.get(3)?);
            let (Ok(address), Some(nonce)) = (EmailAddress::parse_legacy(&address), octets(&nonce)) else {
                return Ok(None);
            };
            Ok(Some(Delivery {
                mailing: MailingId(0),
                worker: WorkerId(0),
                subscriber: SubscriberId(row.get(0)?),
                address,
                name: row.get(2)?,
                unsubscribe: Nonce(nonce),
                attempts: 0,
                first: None,
            }))
        })?
        .collect()
}

fn expire(
    connection: &Connection,
    at: DateTime<Utc>,
    leaving: Option<WorkerId>,
) -> rusqlite::Result<Expired> {
    let mut dead = connection.prepare_cached("SELECT id FROM workers WHERE alive_until <= ?1 OR id = ?2")?;
    let dead: Vec<i64> = dead
        .query_map(params![micros(at), leaving.map(|worker| worker.0)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut expired = Expired::default();
    for worker in dead {
        let mut open = connection.prepare_cached(
            "SELECT id, in_doubt = 'resend' FROM mailings WHERE status IN ('running', 'paused', 'cancelled')",
        )?;
        let open: Vec<(i64, bool)> =
            open.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        for (mailing, is_resent) in open {
            let doubtful =
                if is_resent { code(DeliveryStatus::Queued) } else { code(DeliveryStatus::Unknown) };
            let mut release = connection.prepare_cached(
                "UPDATE deliveries SET status = ?4, worker = NULL, is_attempted = 0, at = ?5, reply = ?6
                 WHERE mailing = ?1 AND worker = ?2 AND status = 1 AND is_attempted = ?3",
            )?;
            let lost = "the sender ended while this was under way";
            expired.queued += release.execute(params![
                mailing,
                worker,
                0,
                code(DeliveryStatus::Queued),
                micros(at),
                None::<&str>
            ])? as u64;
            expired.unknown +=
                release.execute(params![mailing, worker, 1, doubtful, micros(at), lost])? as u64;
        }
        connection.prepare_cached("DELETE FROM workers WHERE id = ?1")?.execute([worker])?;
    }
    Ok(expired)
}

fn claim(connection: &Connection, order: &Order, lanes: &Lanes) -> rusqlite::Result<Option<Claimed>> {
    // A worker that was given up, and a mailing that is not to be sent now, claim nothing.
    let may: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM workers WHERE id = ?1)
                AND EXISTS (SELECT 1 FROM mailings WHERE id = ?2 AND status = 'running')",
        )?
        .query_row([order.worker.0, order.mailing.0], |row| row.get(0))?;
    let mut claimed = Claimed::default();
    if !may {
        return Ok(Some(claimed));
    }
    let held: HashSet<String> = connection
        .prepare_cached("SELECT domain FROM holds WHERE mailing = ?1")?
        .query_map([order.mailing.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut select = connection.prepare_cached(
        "SELECT d.subscriber, d.attempts, d.first, s.address, s.name, s.unsubscribe_nonce, s.status IS 'active'
         FROM deliveries d INDEXED BY deliveries_waiting LEFT JOIN subscribers s ON s.id = d.subscriber
         WHERE d.mailing = ?1 AND d.subscriber > ?2 AND d.lane = ?3 AND d.status IN (0, 3)
           AND (d.status = 0 AND (d.due IS NULL OR d.due <= ?4) OR d.status = 3 AND d.due <= ?4)
         ORDER BY d.subscriber LIMIT ?5",
    )?;
    let mut take = connection.prepare_cached(
        "UPDATE deliveries SET status = ?3, worker = ?4, is_attempted = 0, at = ?5 WHERE mailing = ?1 AND subscriber = ?2",
    )?;
    let mut put = connection
        .prepare_cached("UPDATE deliveries SET lane = ?3 WHERE mailing = ?1 AND subscriber = ?2")?;
    let at = micros(order.at);
    let mut rows = select.query(params![
        order.mailing.0,
        order.after,
        order.lane as i64,
        at,
        i64::try_from(order.most.max(LOOKED_AT)).unwrap_or(i64::MAX)
    ])?;
    while claimed.deliveries.len() < order.most {
        let Some(row) = rows.next()? else { break };
        let subscriber: i64 = row.get(0)?;
        claimed.last = Some(subscriber);
        let is_active: bool = row.get(6)?;
        if !is_active {
            take.execute(params![
                order.mailing.0,
                subscriber,
                code(DeliveryStatus::Skipped),
                None::<i64>,
                at
            ])?;
            claimed.skipped += 1;
            continue;
        }
        let address: String = row.get(3)?;
        let nonce: Vec<u8> = row.get(5)?;
        let (Ok(address), Some(nonce)) = (EmailAddress::parse_legacy(&address), octets(&nonce)) else {
            return Ok(None);
        };
        if let Some(lane) = other_lane(address.domain(), order.lane, &held, lanes) {
            put.execute([order.mailing.0, subscriber, lane])?;
            continue;
        }
        take.execute(params![
            order.mailing.0,
            subscriber,
            code(DeliveryStatus::Claimed),
            order.worker.0,
            at
        ])?;
        claimed.deliveries.push(Delivery {
            mailing: order.mailing,
            worker: order.worker,
            subscriber: SubscriberId(subscriber),
            address,
            name: row.get(4)?,
            unsubscribe: Nonce(nonce),
            attempts: row.get::<_, i64>(1)?.unsigned_abs() as u32,
            first: row.get::<_, Option<i64>>(2)?.and_then(time),
        });
    }
    Ok(Some(claimed))
}

fn keep_step(connection: &Connection, step: &Step) -> rusqlite::Result<(bool, bool)> {
    let at = micros(step.at);
    let mut results = (false, false);
    if let Some(Ended { claim, next, reply, .. }) = &step.ended {
        let mut end = connection.prepare_cached(
            "UPDATE deliveries SET status = ?4, attempts = attempts + ?5, due = ?6, at = ?7, reply = ?8,
                 worker = NULL, is_attempted = 0
             WHERE mailing = ?1 AND subscriber = ?2 AND worker = ?3 AND status = 1",
        )?;
        results.0 = end.execute(params![
            claim.mailing.0,
            claim.subscriber.0,
            claim.worker.0,
            code(next.status),
            i64::from(next.counts),
            next.due.map(micros),
            at,
            reply
        ])? == 1;
    }
    if let Some(claim) = step.attempted {
        let mut attempt = connection.prepare_cached(
            "UPDATE deliveries SET is_attempted = 1, first = coalesce(first, ?4), at = ?4
             WHERE mailing = ?1 AND subscriber = ?2 AND worker = ?3 AND status = 1",
        )?;
        results.1 = attempt.execute([claim.mailing.0, claim.subscriber.0, claim.worker.0, at])? == 1;
    }
    Ok(results)
}

fn sums(connection: &Connection, id: MailingId) -> rusqlite::Result<Sums> {
    let planned: Option<i64> = connection
        .query_row("SELECT planned FROM mailings WHERE id = ?1", [id.0], |row| row.get(0))
        .optional()?;
    let mut sums = Sums { planned: planned.unwrap_or_default().unsigned_abs(), ..Sums::default() };
    // A `GROUP BY` would sort all of them, in memory.
    let counts =
        DeliveryStatus::NAMES.map(|(_, status)| format!("count(*) FILTER (WHERE status = {})", code(status)));
    let sql = format!("SELECT {} FROM deliveries WHERE mailing = ?1", counts.join(", "));
    connection.prepare_cached(&sql)?.query_row([id.0], |row| {
        for (column, (_, status)) in DeliveryStatus::NAMES.into_iter().enumerate() {
            sums.add(status, row.get::<_, i64>(column)?.unsigned_abs());
        }
        Ok(())
    })?;
    Ok(sums)
}

fn delivery_rows(
    connection: &Connection,
    id: MailingId,
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<Option<DeliveryRow>>> {
    let mut select = connection.prepare_cached(
        "SELECT d.subscriber, s.address, d.status, d.attempts, d.at, d.reply, d.lane < 0
         FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber
         WHERE d.mailing = ?1 AND d.subscriber > ?2 ORDER BY d.subscriber LIMIT ?3",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    select
        .query_map([id.0, after, most], |row| {
            let address: Option<String> = row.get(1)?;
            let status: Option<DeliveryStatus> = status(row.get(2)?);
            let Some(status) = status else { return Ok(None) };
            Ok(Some(DeliveryRow {
                subscriber: SubscriberId(row.get(0)?),
                address: address.and_then(|address| EmailAddress::parse_legacy(&address).ok()),
                status,
                attempts: row.get::<_, i64>(3)?.unsigned_abs() as u32,
                at: row.get::<_, Option<i64>>(4)?.and_then(time),
                reply: row.get(5)?,
                is_held: row.get::<_, bool>(6)? && status.is_waiting(),
                returned: None,
            }))
        })?
        .collect()
}
