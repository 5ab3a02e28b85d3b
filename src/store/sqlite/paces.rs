//! Paces in an SQLite file.

use rusqlite::{Connection, OptionalExtension, params};

use super::Sqlite;
use crate::mailing::Slots;
use crate::store::StoreError;
use crate::store::database::{micros, time};
use crate::store::mailings::PaceOrder;
use crate::store::mailings::paces::PaceTables;
use crate::store::mailings::tables::MailingTables;

impl PaceTables for Sqlite {
    fn slots(&mut self, order: &PaceOrder) -> Result<Slots, StoreError> {
        self.begin_mailing()?;
        let slots = self.told(slots(&self.connection, order))?;
        self.commit_mailing()?;
        Ok(slots)
    }
}

fn slots(connection: &Connection, order: &PaceOrder) -> rusqlite::Result<Slots> {
    let next: Option<i64> = connection
        .prepare_cached("SELECT next FROM paces WHERE name = ?1")?
        .query_row([&order.pace], |row| row.get(0))
        .optional()?;
    let slots = order.rate.slots(next.and_then(time), order.most, order.ahead, order.at);
    connection
        .prepare_cached(
            "INSERT INTO paces (name, next) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET next = excluded.next",
        )?
        .execute(params![order.pace, micros(slots.next)])?;
    Ok(slots)
}
