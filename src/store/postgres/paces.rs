//! Paces in PostgreSQL.

use super::Postgres;
use super::mailings::missing;
use super::rows;
use crate::mailing::Slots;
use crate::store::StoreError;
use crate::store::database::micros;
use crate::store::mailings::PaceOrder;
use crate::store::mailings::paces::PaceTables;
use crate::store::mailings::tables::MailingTables;

/// Slots that are lost with the machine's power are of the half second before: nobody waits for the disk on their account.
const LIGHTLY: &str = "SET LOCAL synchronous_commit TO off";

impl PaceTables for Postgres {
    fn slots(&mut self, order: &PaceOrder) -> Result<Slots, StoreError> {
        self.begin_mailing()?;
        let slots = self.run(|session| {
            session.run(LIGHTLY)?;
            let never = "INSERT INTO paces (name, next) VALUES ($1, 0) ON CONFLICT DO NOTHING";
            session.execute(never, &[&order.pace])?;
            let rows = session.query("SELECT next FROM paces WHERE name = $1 FOR UPDATE", &[&order.pace])?;
            let next = rows::time(rows.first().ok_or_else(missing)?, 0)?;
            let slots = order.rate.slots(Some(next), order.most, order.ahead, order.at);
            let next = micros(slots.next);
            session.execute("UPDATE paces SET next = $2 WHERE name = $1", &[&order.pace, &next])?;
            Ok(slots)
        })?;
        self.commit_mailing()?;
        Ok(slots)
    }
}
