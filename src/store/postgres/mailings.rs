//! Mailings in PostgreSQL. Workers on many machines claim side by side; each passes over what another has locked.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::failure::Failure;
use super::rows::{self, Read, count, get, named, optional_time};
use super::session::Session;
use super::{Postgres, State};
use crate::mailing::{DeliveryStatus, InDoubt, Lanes, Sums};
use crate::model::{EmailAddress, SubscriberId};
use crate::store::StoreError;
use crate::store::database::{self, micros};
use crate::store::mailings::tables::{LOOKED_AT, MailingTables, code, other_lane, status};
use crate::store::mailings::{
    Audience, Claim, Claimed, Delivery, DeliveryRow, Expired, FrozenLetter, Mailing, MailingId,
    MailingStatus, NewMailing, Order, Step, WorkerId,
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const MAILING: &str =
    "id, issue, label, correction, subject, digest, in_doubt, created, starts, status, why, planned, watched";
/// How many readers are looked at together while a mailing is planned.
const PLANNED_TOGETHER: i64 = 20_000;

impl MailingTables for Postgres {
    fn begin_mailing(&mut self) -> Result<(), StoreError> {
        self.rollback_mailing();
        let begun = self.run(|session| session.run(BEGIN));
        // Also after an error: the transaction may have begun.
        self.state = if begun.is_ok() { State::Open } else { State::Spoiled };
        begun
    }

    fn commit_mailing(&mut self) -> Result<(), StoreError> {
        database::Database::commit(self)
    }

    fn rollback_mailing(&mut self) {
        database::Database::rollback(self);
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        // Every commit has waited for the disk.
        Ok(())
    }

    fn freeze_alone(&mut self) -> Result<(), StoreError> {
        self.run(|session| session.query("SELECT pg_advisory_xact_lock(5306921474938265501)", &[]).map(drop))
    }

    fn plan(&mut self, new: &NewMailing, audience: &Audience, lanes: &Lanes) -> Result<Mailing, StoreError> {
        self.run(|session| plan(session, new, audience, lanes))
    }

    fn audience(
        &mut self,
        audience: &Audience,
        after: i64,
        most: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.run(|session| {
            let readers =
                session.query(READERS, &[&after, &audience.tag, &audience.got.map(|id| id.0), &most])?;
            let reader = |row: &Row| {
                Ok(Delivery {
                    mailing: MailingId(0),
                    worker: WorkerId(0),
                    subscriber: SubscriberId(get(row, 0)?),
                    address: address(row, 1)?,
                    name: get(row, 2)?,
                    unsubscribe: rows::octets(row, 3, database::nonce)?,
                    attempts: 0,
                    first: None,
                })
            };
            readers.iter().map(reader).collect()
        })
    }

    fn mailings_of(&mut self, issue: i64) -> Result<Vec<Mailing>, StoreError> {
        self.run(|session| mailings(session, "issue = $1", issue))
    }

    fn running(&mut self, at: DateTime<Utc>) -> Result<Vec<Mailing>, StoreError> {
        self.run(|session| mailings(session, "status = 'running' AND starts <= $1", micros(at)))
    }

    fn letter(&mut self, id: MailingId) -> Result<FrozenLetter, StoreError> {
        self.run(|session| {
            let row = one(session, "SELECT letter, texts FROM mailings WHERE id = $1", id.0)?;
            Ok(FrozenLetter { octets: get(&row, 0)?, texts: get(&row, 1)? })
        })
    }

    fn set_status(
        &mut self,
        id: MailingId,
        status: MailingStatus,
        why: Option<&str>,
    ) -> Result<bool, StoreError> {
        let sql =
            "UPDATE mailings SET status = $2, why = $3 WHERE id = $1 AND status IN ('running', 'paused')";
        self.run(|session| Ok(session.execute(sql, &[&id.0, &status.name(), &why])? == 1))
    }

    fn watch(&mut self, id: MailingId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE mailings SET watched = $2 WHERE id = $1";
        self.run(|session| session.execute(sql, &[&id.0, &micros(at)])).map(|_| ())
    }

    fn reschedule(&mut self, id: MailingId, starts: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE mailings SET starts = $2 WHERE id = $1 AND status IN ('running', 'paused')
             AND NOT EXISTS (SELECT 1 FROM deliveries WHERE mailing = $1 AND first IS NOT NULL)";
        self.run(|session| Ok(session.execute(sql, &[&id.0, &micros(starts)])? == 1))
    }

    fn cancel_waiting(&mut self, of: Option<MailingId>, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET status = $1, at = $2, due = NULL
             WHERE status IN (0, 3) AND mailing IN (
                 SELECT id FROM mailings WHERE status = 'cancelled' AND ($3::bigint IS NULL OR id = $3::bigint))";
        let of = of.map(|id| id.0);
        let cancelled = code(DeliveryStatus::Cancelled);
        self.run(|session| session.execute(sql, &[&cancelled, &micros(at), &of])).map(|_| ())
    }

    fn release(&mut self, id: MailingId, worker: WorkerId, at: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET status = 0, worker = NULL, at = $3
             WHERE mailing = $1 AND worker = $2 AND status = 1 AND NOT is_attempted";
        self.run(|session| session.execute(sql, &[&id.0, &worker.0, &micros(at)])).map(|_| ())
    }

    fn hurry(&mut self, id: MailingId) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET due = NULL WHERE mailing = $1 AND status = 0 AND due IS NOT NULL";
        self.run(|session| session.execute(sql, &[&id.0]).map(|_| ()))
    }

    fn register(&mut self, name: &str, until: DateTime<Utc>) -> Result<WorkerId, StoreError> {
        let sql = "INSERT INTO workers (name, alive_until) VALUES ($1, $2) RETURNING id";
        self.run(|session| {
            let rows = session.query(sql, &[&name, &micros(until)])?;
            Ok(WorkerId(get(rows.first().ok_or_else(missing)?, 0)?))
        })
    }

    fn renew(&mut self, worker: WorkerId, until: DateTime<Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE workers SET alive_until = $2 WHERE id = $1";
        self.run(|session| Ok(session.execute(sql, &[&worker.0, &micros(until)])? == 1))
    }

    fn workers(&mut self) -> Result<Vec<(WorkerId, String)>, StoreError> {
        self.run(|session| {
            let rows = session.query("SELECT id, name FROM workers ORDER BY id", &[])?;
            rows.iter().map(|row| Ok((WorkerId(get(row, 0)?), get(row, 1)?))).collect()
        })
    }

    fn expire(&mut self, at: DateTime<Utc>, leaving: Option<WorkerId>) -> Result<Expired, StoreError> {
        self.run(|session| expire(session, at, leaving))
    }

    fn claim(&mut self, order: &Order, lanes: &Lanes) -> Result<Claimed, StoreError> {
        self.run(|session| claim(session, order, lanes))
    }

    fn clear_lanes(&mut self, id: MailingId, number: usize) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET lane = 0 WHERE mailing = $1 AND status IN (0, 3) AND lane >= $2";
        self.run(|session| session.execute(sql, &[&id.0, &(number as i64)])).map(|_| ())
    }

    fn steps_alone(&mut self, steps: &[&Step]) -> Result<Vec<(bool, bool)>, StoreError> {
        // A statement outside a transaction is one itself.
        self.rollback_mailing();
        self.run(|session| keep_steps(session, steps))
    }

    fn steps(&mut self, steps: &[&Step]) -> Result<Vec<(bool, bool)>, StoreError> {
        self.run(|session| keep_steps(session, steps))
    }

    fn sums(&mut self, id: MailingId) -> Result<Sums, StoreError> {
        self.run(|session| {
            let planned = session.query("SELECT planned FROM mailings WHERE id = $1", &[&id.0])?;
            let planned = planned.first().map_or(Ok(0), |row| count(row, 0))?;
            let mut sums = Sums { planned, ..Sums::default() };
            let sql = "SELECT status, count(*) FROM deliveries WHERE mailing = $1 GROUP BY status";
            for row in session.query(sql, &[&id.0])? {
                sums.add(delivery_status(&row, 0)?, count(&row, 1)?);
            }
            Ok(sums)
        })
    }

    fn next_due(&mut self, id: MailingId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(coalesce(due, 0)) FROM deliveries WHERE mailing = $1 AND status IN (0, 3) AND lane >= 0";
        self.run(|session| optional_time(&one(session, sql, id.0)?, 0))
    }

    fn deliveries(&mut self, id: MailingId, after: i64, most: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        let sql = "SELECT d.subscriber, s.address, d.status, d.attempts, d.at, d.reply, d.lane < 0
             FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber
             WHERE d.mailing = $1 AND d.subscriber > $2 ORDER BY d.subscriber LIMIT $3";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.run(|session| session.query(sql, &[&id.0, &after, &most])?.iter().map(delivery_row).collect())
    }
}

/// Readers of an audience behind `$1`: `$2` is its tag, `$3` the mailing that they got, `$4` how many.
const READERS: &str = "SELECT s.id, s.address, s.name, s.unsubscribe_nonce FROM subscribers s
     WHERE s.id > $1 AND s.status = 'active'
       AND ($2::text IS NULL OR s.tags::jsonb ? $2)
       AND ($3::bigint IS NULL OR EXISTS (
           SELECT 1 FROM deliveries d WHERE d.mailing = $3 AND d.subscriber = s.id AND d.status IN (2, 5)))
     ORDER BY s.id LIMIT $4";

fn address(row: &Row, at: usize) -> Read<EmailAddress> {
    EmailAddress::parse_legacy(get(row, at)?).map_err(|error| Failure::Row(error.to_string()))
}

pub(super) fn missing() -> Failure {
    Failure::Row("a row is missing".to_owned())
}

fn one(session: &mut Session, sql: &str, value: i64) -> Read<Row> {
    session.query(sql, &[&value])?.into_iter().next().ok_or_else(missing)
}

fn mailings(session: &mut Session, condition: &str, value: i64) -> Read<Vec<Mailing>> {
    let sql = format!("SELECT {MAILING} FROM mailings WHERE {condition} ORDER BY issue, correction");
    session.query(&sql, &[&value])?.iter().map(mailing).collect()
}

fn mailing(row: &Row) -> Read<Mailing> {
    Ok(Mailing {
        id: MailingId(get(row, 0)?),
        issue: get(row, 1)?,
        label: get(row, 2)?,
        correction: get(row, 3)?,
        subject: get(row, 4)?,
        digest: get(row, 5)?,
        in_doubt: named(row, 6, InDoubt::named)?,
        created: rows::time(row, 7)?,
        starts: rows::time(row, 8)?,
        status: named(row, 9, MailingStatus::named)?,
        why: get(row, 10)?,
        planned: count(row, 11)?,
        watched: optional_time(row, 12)?,
    })
}

fn delivery_status(row: &Row, at: usize) -> Read<DeliveryStatus> {
    status(get(row, at)?).ok_or_else(|| Failure::Row("a delivery's status is not known".to_owned()))
}

fn delivery_row(row: &Row) -> Read<DeliveryRow> {
    let address: Option<&str> = get(row, 1)?;
    let status = delivery_status(row, 2)?;
    Ok(DeliveryRow {
        subscriber: SubscriberId(get(row, 0)?),
        address: address.and_then(|address| EmailAddress::parse_legacy(address).ok()),
        status,
        attempts: u32::try_from(get::<i64>(row, 3)?).unwrap_or(u32::MAX),
        at: optional_time(row, 4)?,
        reply: get(row, 5)?,
        is_held: get(row, 6)? && status.is_waiting(),
        returned: None,
    })
}

/// Reads the audience and writes the deliveries piece by piece, so that memory does not grow with the readers. All in
/// one transaction, which sees what was committed before each piece: who joins meanwhile behind it is in, who leaves is skipped later.
fn plan(session: &mut Session, new: &NewMailing, audience: &Audience, lanes: &Lanes) -> Read<Mailing> {
    let inserted = session.query(
        "INSERT INTO mailings (issue, correction, label, subject, letter, charset, digest, in_doubt, created, starts,
             texts, status, planned)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'running', 0) RETURNING id",
        &[
            &new.issue,
            &new.correction,
            &new.label,
            &new.subject,
            &new.letter.octets,
            &new.charset,
            &new.digest,
            &new.in_doubt.name(),
            &micros(new.created),
            &micros(new.starts),
            &new.letter.texts,
        ],
    )?;
    let id: i64 = get(inserted.first().ok_or_else(missing)?, 0)?;
    let (mut after, mut planned) = (0_i64, 0_i64);
    let got = audience.got.map(|id| id.0);
    loop {
        let readers = session.query(READERS, &[&after, &audience.tag, &got, &PLANNED_TOGETHER])?;
        let Some(last) = readers.last() else { break };
        after = get(last, 0)?;
        let ids = readers.iter().map(|row| get(row, 0)).collect::<Read<Vec<i64>>>()?;
        let lane = |row: &Row| {
            let address: &str = get(row, 1)?;
            Ok(lanes.of(address.rsplit('@').next().unwrap_or_default()) as i64)
        };
        let numbers = readers.iter().map(lane).collect::<Read<Vec<i64>>>()?;
        session.execute(
            "INSERT INTO deliveries (mailing, subscriber, lane, status, attempts, is_attempted)
             SELECT $1, r.id, r.lane, 0, 0, false FROM unnest($2::bigint[], $3::bigint[]) AS r (id, lane)",
            &[&id, &ids, &numbers],
        )?;
        planned += ids.len() as i64;
    }
    session.execute("UPDATE mailings SET planned = $2 WHERE id = $1", &[&id, &planned])?;
    mailings(session, "id = $1", id)?.pop().ok_or_else(missing)
}

fn expire(session: &mut Session, at: DateTime<Utc>, leaving: Option<WorkerId>) -> Read<Expired> {
    let leaving = leaving.map(|worker| worker.0);
    let dead = session.query(
        "DELETE FROM workers WHERE id IN (
             SELECT id FROM workers WHERE alive_until <= $1 OR id = $2::bigint FOR UPDATE SKIP LOCKED)
         RETURNING id",
        &[&micros(at), &leaving],
    )?;
    let mut expired = Expired::default();
    if dead.is_empty() {
        return Ok(expired);
    }
    let dead = dead.iter().map(|row| get(row, 0)).collect::<Read<Vec<i64>>>()?;
    let released = "UPDATE deliveries d SET status = 0, worker = NULL, at = $2
         WHERE d.worker = ANY ($1) AND d.status = 1 AND NOT d.is_attempted
           AND d.mailing IN (SELECT id FROM mailings WHERE status <> 'done')";
    expired.queued = session.execute(released, &[&dead, &micros(at)])?;
    let lost = "the sender ended while this was under way";
    let doubtful = "UPDATE deliveries d SET status = CASE m.in_doubt WHEN 'resend' THEN 0 ELSE 5 END, worker = NULL,
             is_attempted = false, at = $2, reply = $3
         FROM mailings m
         WHERE m.id = d.mailing AND m.status <> 'done' AND d.worker = ANY ($1) AND d.status = 1 AND d.is_attempted";
    expired.unknown = session.execute(doubtful, &[&dead, &micros(at), &lost])?;
    Ok(expired)
}

fn claim(session: &mut Session, order: &Order, lanes: &Lanes) -> Read<Claimed> {
    let at = micros(order.at);
    let mut claimed = Claimed::default();
    // A worker that was given up, and a mailing that is not to be sent now, claim nothing; while this runs nobody
    // gives the worker up.
    let may = session.query(
        "SELECT ARRAY(SELECT h.domain FROM holds h WHERE h.mailing = m.id) FROM workers w, mailings m
         WHERE w.id = $1 AND m.id = $2 AND m.status = 'running' FOR SHARE OF w",
        &[&order.worker.0, &order.mailing.0],
    )?;
    let Some(may) = may.first() else { return Ok(claimed) };
    let held: HashSet<String> = get::<Vec<String>>(may, 0)?.into_iter().collect();
    let found = session.query(
        "SELECT d.subscriber, d.attempts, d.first, s.address, s.name, s.unsubscribe_nonce,
             s.status IS NOT DISTINCT FROM 'active'
         FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber
         WHERE d.mailing = $1 AND d.subscriber > $2 AND d.lane = $3 AND d.status IN (0, 3)
           AND (d.status = 0 AND (d.due IS NULL OR d.due <= $4) OR d.status = 3 AND d.due <= $4)
         ORDER BY d.subscriber LIMIT $5 FOR UPDATE OF d SKIP LOCKED",
        &[
            &order.mailing.0,
            &order.after,
            &(order.lane as i64),
            &at,
            &i64::try_from(order.most.max(LOOKED_AT)).unwrap_or(i64::MAX),
        ],
    )?;
    let (mut taken, mut skipped): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    let (mut put, mut put_into): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    for row in &found {
        if taken.len() == order.most {
            break;
        }
        let subscriber: i64 = get(row, 0)?;
        claimed.last = Some(subscriber);
        if !get::<bool>(row, 6)? {
            skipped.push(subscriber);
            continue;
        }
        let address = address(row, 3)?;
        if let Some(lane) = other_lane(address.domain(), order.lane, &held, lanes) {
            put.push(subscriber);
            put_into.push(lane);
            continue;
        }
        taken.push(subscriber);
        claimed.deliveries.push(Delivery {
            mailing: order.mailing,
            worker: order.worker,
            subscriber: SubscriberId(subscriber),
            address,
            name: get(row, 4)?,
            unsubscribe: rows::octets(row, 5, database::nonce)?,
            attempts: u32::try_from(get::<i64>(row, 1)?).unwrap_or(u32::MAX),
            first: optional_time(row, 2)?,
        });
    }
    claimed.skipped = skipped.len() as u64;
    let take = "UPDATE deliveries SET status = $3, worker = $4, is_attempted = false, at = $5
         WHERE mailing = $1 AND subscriber = ANY ($2)";
    if !taken.is_empty() {
        let claimed = code(DeliveryStatus::Claimed);
        session.execute(take, &[&order.mailing.0, &taken, &claimed, &Some(order.worker.0), &at])?;
    }
    if !put.is_empty() {
        let sql = "UPDATE deliveries d SET lane = p.lane FROM unnest($2::bigint[], $3::bigint[]) AS p (subscriber, lane)
             WHERE d.mailing = $1 AND d.subscriber = p.subscriber";
        session.execute(sql, &[&order.mailing.0, &put, &put_into])?;
    }
    if !skipped.is_empty() {
        let nobody: Option<i64> = None;
        let skip = code(DeliveryStatus::Skipped);
        session.execute(take, &[&order.mailing.0, &skipped, &skip, &nobody, &at])?;
    }
    Ok(claimed)
}

/// All that ended and all that is attempted, in one statement: no delivery is both in one step or in several at once,
/// for a carrier tells of one when it has been answered of the other.
const KEEP_STEPS: &str = "WITH ended AS (
         UPDATE deliveries d SET status = e.status, attempts = d.attempts + e.counts, due = e.due, at = e.at,
             reply = e.reply, worker = NULL, is_attempted = false
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
             $7::bigint[], $8::text[]) AS e (mailing, subscriber, worker, status, counts, due, at, reply)
         WHERE d.mailing = e.mailing AND d.subscriber = e.subscriber AND d.worker = e.worker AND d.status = 1
         RETURNING d.mailing, d.subscriber, e.worker),
     attempted AS (
         UPDATE deliveries d SET is_attempted = true, first = coalesce(d.first, a.at), at = a.at
         FROM unnest($9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
             AS a (mailing, subscriber, worker, at)
         WHERE d.mailing = a.mailing AND d.subscriber = a.subscriber AND d.worker = a.worker AND d.status = 1
         RETURNING d.mailing, d.subscriber, a.worker)
     SELECT true, mailing, subscriber, worker FROM ended
     UNION ALL SELECT false, mailing, subscriber, worker FROM attempted";

fn keep_steps(session: &mut Session, steps: &[&Step]) -> Read<Vec<(bool, bool)>> {
    let ended: Vec<_> = steps.iter().filter_map(|step| Some((step.at, step.ended.as_ref()?))).collect();
    let attempted: Vec<_> = steps.iter().filter_map(|step| Some((step.at, step.attempted?))).collect();
    let of_ended =
        |value: fn(&Claim) -> i64| ended.iter().map(|(_, ended)| value(&ended.claim)).collect::<Vec<i64>>();
    let of_attempted =
        |value: fn(&Claim) -> i64| attempted.iter().map(|(_, claim)| value(claim)).collect::<Vec<i64>>();
    let statuses: Vec<i64> = ended.iter().map(|(_, ended)| code(ended.next.status)).collect();
    let counts: Vec<i64> = ended.iter().map(|(_, ended)| i64::from(ended.next.counts)).collect();
    let dues: Vec<Option<i64>> = ended.iter().map(|(_, ended)| ended.next.due.map(micros)).collect();
    let ended_at: Vec<i64> = ended.iter().map(|(at, _)| micros(*at)).collect();
    let replies: Vec<&str> = ended.iter().map(|(_, ended)| ended.reply.as_str()).collect();
    let attempted_at: Vec<i64> = attempted.iter().map(|(at, _)| micros(*at)).collect();
    let rows = session.query(
        KEEP_STEPS,
        &[
            &of_ended(|claim| claim.mailing.0),
            &of_ended(|claim| claim.subscriber.0),
            &of_ended(|claim| claim.worker.0),
            &statuses,
            &counts,
            &dues,
            &ended_at,
            &replies,
            &of_attempted(|claim| claim.mailing.0),
            &of_attempted(|claim| claim.subscriber.0),
            &of_attempted(|claim| claim.worker.0),
            &attempted_at,
        ],
    )?;
    let claims = |is_ended: bool| {
        let of_kind = rows.iter().filter(|row| get::<bool>(row, 0).is_ok_and(|kind| kind == is_ended));
        let claim = |row: &Row| {
            Ok(Claim {
                mailing: MailingId(get(row, 1)?),
                subscriber: SubscriberId(get(row, 2)?),
                worker: WorkerId(get(row, 3)?),
            })
        };
        of_kind.map(claim).collect::<Read<std::collections::HashSet<Claim>>>()
    };
    let (ended, attempted) = (claims(true)?, claims(false)?);
    let kept = |step: &&Step| {
        let of_ended = step.ended.as_ref().is_some_and(|step| ended.contains(&step.claim));
        (of_ended, step.attempted.is_some_and(|claim| attempted.contains(&claim)))
    };
    Ok(steps.iter().map(kept).collect())
}
