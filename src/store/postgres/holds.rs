//! Domains of mailings that are held, in PostgreSQL.

use super::Postgres;
use super::mailings::missing;
use super::rows::{self, count, get};
use crate::store::StoreError;
use crate::store::database::micros;
use crate::store::mailings::holds::{HELD_LANE, HoldTables};
use crate::store::mailings::{Hold, MailingId};

impl HoldTables for Postgres {
    fn hold(&mut self, id: MailingId, hold: &Hold) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO holds (mailing, domain, why, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let at = micros(hold.at);
        self.run(|session| session.execute(sql, &[&id.0, &hold.domain, &hold.why, &at])).map(|_| ())
    }

    fn holds(&mut self, id: MailingId) -> Result<Vec<Hold>, StoreError> {
        let sql = "SELECT domain, why, at FROM holds WHERE mailing = $1 ORDER BY domain";
        self.run(|session| {
            let rows = session.query(sql, &[&id.0])?;
            let hold = |row| Ok(Hold { domain: get(row, 0)?, why: get(row, 1)?, at: rows::time(row, 2)? });
            rows.iter().map(hold).collect()
        })
    }

    fn waiting_for(&mut self, id: MailingId, domain: &str) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
             WHERE d.mailing = $1 AND d.status IN (0, 3) AND right(s.address, length($2::text) + 1) = '@' || $2::text";
        self.run(|session| count(session.query(sql, &[&id.0, &domain])?.first().ok_or_else(missing)?, 0))
    }

    fn has_held(&mut self, id: MailingId) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE mailing = $1 AND status IN (0, 3) AND lane = $2)";
        self.run(|session| get(session.query(sql, &[&id.0, &HELD_LANE])?.first().ok_or_else(missing)?, 0))
    }

    fn let_go(&mut self, id: MailingId) -> Result<(), StoreError> {
        let sql = "UPDATE deliveries SET lane = 0 WHERE mailing = $1 AND status IN (0, 3) AND lane = $2";
        self.run(|session| {
            session.execute("DELETE FROM holds WHERE mailing = $1", &[&id.0])?;
            session.execute(sql, &[&id.0, &HELD_LANE]).map(|_| ())
        })
    }
}
