//! Domains of mailings that are held, in an SQLite file.

use rusqlite::{Connection, params};

use super::Sqlite;
use crate::store::StoreError;
use crate::store::database::{micros, time};
use crate::store::mailings::holds::{HELD_LANE, HoldTables};
use crate::store::mailings::{Hold, MailingId};

impl HoldTables for Sqlite {
    fn hold(&mut self, id: MailingId, hold: &Hold) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO holds (mailing, domain, why, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let values = params![id.0, hold.domain, hold.why, micros(hold.at)];
        self.told(self.connection.execute(sql, values)).map(|_| ())
    }

    fn holds(&mut self, id: MailingId) -> Result<Vec<Hold>, StoreError> {
        self.told(holds(&self.connection, id))
    }

    fn waiting_for(&mut self, id: MailingId, domain: &str) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
             WHERE d.mailing = ?1 AND d.status IN (0, 3) AND substr(s.address, -length(?2) - 1) = '@' || ?2";
        let count = self.connection.query_row(sql, params![id.0, domain], |row| row.get::<_, i64>(0));
        self.told(count).map(i64::unsigned_abs)
    }

    fn has_held(&mut self, id: MailingId) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE mailing = ?1 AND status IN (0, 3) AND lane = ?2)";
        self.told(self.connection.query_row(sql, [id.0, HELD_LANE], |row| row.get(0)))
    }

    fn let_go(&mut self, id: MailingId) -> Result<(), StoreError> {
        self.told(self.connection.execute("DELETE FROM holds WHERE mailing = ?1", [id.0]))?;
        let sql = "UPDATE deliveries INDEXED BY deliveries_waiting SET lane = 0
             WHERE mailing = ?1 AND status IN (0, 3) AND lane = ?2";
        self.told(self.connection.execute(sql, [id.0, HELD_LANE])).map(|_| ())
    }
}

fn holds(connection: &Connection, id: MailingId) -> rusqlite::Result<Vec<Hold>> {
    let sql = "SELECT domain, why, at FROM holds WHERE mailing = ?1 ORDER BY domain";
    let mut select = connection.prepare_cached(sql)?;
    let hold = |row: &rusqlite::Row<'_>| {
        let at = time(row.get(2)?).unwrap_or_default();
        Ok(Hold { domain: row.get(0)?, why: row.get(1)?, at })
    };
    select.query_map([id.0], hold)?.collect()
}
