//! Paces that all workers share: whoever wants to send takes slots, and nobody else has the same.

use chrono::{DateTime, TimeDelta, Utc};

use super::Mailings;
use super::desk::{Job, Task};
use crate::mailing::{Rate, Slots};
use crate::store::{StoreError, Waiting};

/// A wish for slots of a pace.
#[derive(Clone, Debug)]
pub struct PaceOrder {
    /// The pace's name. Who uses the same name shares it.
    pub pace: String,
    /// How fast it is.
    pub rate: Rate,
    /// How many slots are wanted at the most.
    pub most: usize,
    /// How far ahead.
    pub ahead: TimeDelta,
    /// When it is.
    pub at: DateTime<Utc>,
}

/// A connection to a database that holds paces.
pub(crate) trait PaceTables {
    /// Takes slots, in a transaction of its own: what holds a pace's row holds no other, so that nobody waits for one who
    /// waits for him.
    ///
    /// # Errors
    /// As those of [`MailingTables::begin_mailing`](super::tables::MailingTables::begin_mailing).
    fn slots(&mut self, order: &PaceOrder) -> Result<Slots, StoreError>;
}

impl Mailings {
    /// Takes slots in which messages may leave, as [`Rate::slots`] says. They are this caller's alone.
    pub fn slots(&self, order: PaceOrder) -> Waiting<Slots> {
        let (task, waiting) = Task::of(move |tables| tables.slots(&order));
        self.send(Job::Alone(task));
        waiting
    }
}
