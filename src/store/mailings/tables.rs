//! What a database does for mailings: it keeps what the mailer tells it, many rows in one transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::holds::{HELD_LANE, HoldTables};
use super::paces::PaceTables;
use super::{
    Audience, Claimed, Delivery, DeliveryRow, Expired, FrozenLetter, Mailing, MailingId, MailingStatus,
    NewMailing, Order, Step, WorkerId,
};
use crate::mailing::{DeliveryStatus, Lanes, Sums};
use crate::store::StoreError;
use crate::store::database::Database;

/// A connection to a database that holds mailings. `begin`, `commit` and `rollback` are those of the list's database,
/// but a commit here survives the end of the process, and the machine's only after [`MailingTables::flush`].
pub(crate) trait MailingTables: Database + HoldTables + PaceTables {
    /// Begins to write.
    ///
    /// # Errors
    /// `Busy` when another writer stays; `Full`, `Unreachable`, `Broken`. So with all that follows.
    fn begin_mailing(&mut self) -> Result<(), StoreError>;

    /// Keeps what was written.
    fn commit_mailing(&mut self) -> Result<(), StoreError>;

    /// Ends without keeping anything.
    fn rollback_mailing(&mut self);

    /// Makes all commits so far outlive a loss of power.
    fn flush(&mut self) -> Result<(), StoreError>;

    /// Waits until nobody else freezes a mailing, and keeps others from it until the transaction ends.
    ///
    /// # Errors
    /// `Busy` when that lasts.
    fn freeze_alone(&mut self) -> Result<(), StoreError>;

    /// Freezes a mailing: its letter, and a delivery for each reader of its audience, in the lanes of their domains.
    fn plan(
        &mut self,
        mailing: &NewMailing,
        audience: &Audience,
        lanes: &Lanes,
    ) -> Result<Mailing, StoreError>;

    /// Up to `most` readers of an audience behind one of them, in order, as if they were claimed.
    fn audience(&mut self, audience: &Audience, after: i64, most: usize)
    -> Result<Vec<Delivery>, StoreError>;

    /// The mailings of an issue, the first one first.
    fn mailings_of(&mut self, issue: i64) -> Result<Vec<Mailing>, StoreError>;

    /// The mailings that are to be sent now.
    fn running(&mut self, at: DateTime<Utc>) -> Result<Vec<Mailing>, StoreError>;

    /// The letter of a mailing.
    fn letter(&mut self, id: MailingId) -> Result<FrozenLetter, StoreError>;

    /// Sets how it stands with a mailing; says whether that was possible. A mailing that is cancelled or done stays so.
    fn set_status(
        &mut self,
        id: MailingId,
        status: MailingStatus,
        why: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Notes that a sender looks after a mailing.
    fn watch(&mut self, id: MailingId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Sets when a mailing is to be sent; says whether that was possible. One of which something has left stays as it is, and one
    /// that is cancelled or done.
    fn reschedule(&mut self, id: MailingId, starts: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Calls off what waits of a mailing that was cancelled, or of all that were: some of it comes back from workers only
    /// afterwards.
    fn cancel_waiting(&mut self, of: Option<MailingId>, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Queues again what a worker has claimed of a mailing and not attempted.
    fn release(&mut self, id: MailingId, worker: WorkerId, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Makes all that is queued due at once: what kept it back is mended.
    fn hurry(&mut self, id: MailingId) -> Result<(), StoreError>;

    /// A new worker.
    fn register(&mut self, name: &str, until: DateTime<Utc>) -> Result<WorkerId, StoreError>;

    /// Says that a worker lives; false when it was given up already.
    fn renew(&mut self, worker: WorkerId, until: DateTime<Utc>) -> Result<bool, StoreError>;

    /// All workers that were not given up, each with its name.
    fn workers(&mut self) -> Result<Vec<(WorkerId, String)>, StoreError>;

    /// Gives up workers whose time is over, and this one, if it is named: what they had claimed and not attempted is
    /// queued, what they had attempted is unknown (queued where a mailing says so).
    fn expire(&mut self, at: DateTime<Utc>, leaving: Option<WorkerId>) -> Result<Expired, StoreError>;

    /// Claims deliveries of a lane, in the order of the subscribers behind one of them; skips readers who are not active any more,
    /// and puts those that [`other_lane`] says into another one.
    fn claim(&mut self, order: &Order, lanes: &Lanes) -> Result<Claimed, StoreError>;

    /// Puts what waits in lanes of this number and higher ones into the first.
    fn clear_lanes(&mut self, id: MailingId, number: usize) -> Result<(), StoreError>;

    /// Keeps steps and nothing else, in a transaction of their own.
    fn steps_alone(&mut self, steps: &[&Step]) -> Result<Vec<(bool, bool)>, StoreError> {
        let kept = self.begin_mailing().and_then(|()| {
            let kept = self.steps(steps)?;
            self.commit_mailing()?;
            Ok(kept)
        });
        if kept.is_err() {
            self.rollback_mailing();
        }
        kept
    }

    /// Keeps steps: how a delivery ended, and that the next one is attempted. Says for each whether it was its worker's.
    fn steps(&mut self, steps: &[&Step]) -> Result<Vec<(bool, bool)>, StoreError>;

    /// How many deliveries stand where.
    fn sums(&mut self, id: MailingId) -> Result<Sums, StoreError>;

    /// When the first delivery that waits, and is not held, is due; nothing when none waits.
    fn next_due(&mut self, id: MailingId) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Up to `most` deliveries behind a subscriber, in order.
    fn deliveries(&mut self, id: MailingId, after: i64, most: usize) -> Result<Vec<DeliveryRow>, StoreError>;
}

/// How many deliveries are looked at, at the least, where fewer are wanted: many may have to be skipped or put elsewhere.
pub(crate) const LOOKED_AT: usize = 200;

/// The lane that a delivery belongs to that was found in another one; nothing when it is in its own.
pub(crate) fn other_lane(domain: &str, found: usize, held: &HashSet<String>, lanes: &Lanes) -> Option<i64> {
    let lane = if held.contains(domain) { HELD_LANE } else { lanes.of(domain) as i64 };
    (lane != found as i64).then_some(lane)
}

/// A delivery's status as its column holds it.
pub(crate) fn code(status: DeliveryStatus) -> i64 {
    DeliveryStatus::NAMES.iter().position(|(_, known)| *known == status).unwrap_or_default() as i64
}

/// The status of a column's value.
pub(crate) fn status(code: i64) -> Option<DeliveryStatus> {
    let (_, status) = DeliveryStatus::NAMES.get(usize::try_from(code).ok()?)?;
    Some(*status)
}
