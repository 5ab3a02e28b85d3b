//! What a database does for mail that came back. It decides nothing.

use chrono::{DateTime, Utc};

use super::{Returns, ReturnsSums};
use crate::bounce::{History, Returned};
use crate::model::SubscriberId;
use crate::store::StoreError;
use crate::store::database::Heads;
use crate::store::mailings::MailingId;

/// A connection to a database that holds what came back. All errors are as those of
/// [`Database::begin`](crate::store::database::Database::begin).
pub(crate) trait ReturnTables {
    /// The ends of all numberings, within a transaction of the mailer's: from here on every other writer of the list is
    /// kept out, as after `begin`.
    fn heads_within(&mut self) -> Result<Heads, StoreError>;

    /// Which of these reports are kept.
    fn known_returns(&mut self, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError>;

    /// What came back from these readers until now; those from whom nothing did are left out.
    fn histories(&mut self, readers: &[SubscriberId]) -> Result<Vec<(SubscriberId, History)>, StoreError>;

    /// When each of these readers last confirmed, or changed, his address; those who never did are left out.
    fn confirmed(
        &mut self,
        readers: &[SubscriberId],
    ) -> Result<Vec<(SubscriberId, DateTime<Utc>)>, StoreError>;

    /// When each of these deliveries ended; those that there are not are left out.
    fn delivered(
        &mut self,
        deliveries: &[(MailingId, SubscriberId)],
    ) -> Result<Vec<(MailingId, SubscriberId, DateTime<Utc>)>, StoreError>;

    /// Keeps new reports, and the histories of readers as they are now. Within a transaction only.
    fn keep_returns(
        &mut self,
        returns: &[ReturnRow],
        histories: &[(SubscriberId, History)],
    ) -> Result<(), StoreError>;

    /// All that came back from a reader, in order.
    fn returns_of(&mut self, reader: SubscriberId) -> Result<Vec<ReturnRow>, StoreError>;

    /// What came back of a mailing from the readers behind the first of these up to the second, in order.
    fn returns_between(
        &mut self,
        mailing: MailingId,
        after: i64,
        to: i64,
    ) -> Result<Vec<ReturnRow>, StoreError>;

    /// How much came back of a mailing, or of all of them.
    fn returns(&mut self, mailing: Option<MailingId>) -> Result<Returns, StoreError>;

    /// What came back of a mailing, and who left after it and before the next.
    fn returns_sums(&mut self, mailing: MailingId) -> Result<ReturnsSums, StoreError>;
}

/// What came back, as its row holds it. `Returned::event` is not kept: it was acted upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnRow {
    /// By what the report is known.
    pub digest: [u8; 32],
    /// Of which mailing, where that is known.
    pub mailing: Option<MailingId>,
    /// From whom.
    pub subscriber: SubscriberId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub returned: Returned,
}
