//! Domains that nothing of a mailing goes to, until the operator lets it go on.

use chrono::{DateTime, Utc};

use super::{MailingId, MailingStatus, Mailings};
use crate::store::{StoreError, Waiting};

/// The lane of deliveries whose domain is held: nobody claims them.
pub(crate) const HELD_LANE: i64 = -1;

/// A domain that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The domain, in small A-labels.
    pub domain: String,
    /// Why nothing goes there.
    pub why: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// A connection to a database that holds domains of mailings. All errors are as those of
/// [`MailingTables::begin_mailing`](super::tables::MailingTables::begin_mailing).
pub(crate) trait HoldTables {
    /// Holds a domain; one that is held stays so.
    fn hold(&mut self, id: MailingId, hold: &Hold) -> Result<(), StoreError>;

    /// The domains that are held, in order.
    fn holds(&mut self, id: MailingId) -> Result<Vec<Hold>, StoreError>;

    /// How many deliveries wait whose domain is this one.
    fn waiting_for(&mut self, id: MailingId, domain: &str) -> Result<u64, StoreError>;

    /// Whether any delivery waits in [`HELD_LANE`].
    fn has_held(&mut self, id: MailingId) -> Result<bool, StoreError>;

    /// Lets all domains go: what was held is for whoever claims next.
    fn let_go(&mut self, id: MailingId) -> Result<(), StoreError>;
}

impl Mailings {
    /// Holds a domain: whatever waits for it stays where it is until the mailing is resumed or cancelled.
    pub fn hold(&self, id: MailingId, hold: Hold) -> Waiting<()> {
        self.ask(move |tables| tables.hold(id, &hold))
    }

    /// The domains that are held.
    pub fn holds(&self, id: MailingId) -> Waiting<Vec<Hold>> {
        self.ask(move |tables| tables.holds(id))
    }

    /// The domains that are held, each with the number of deliveries that wait for that.
    pub fn held(&self, id: MailingId) -> Waiting<Vec<(Hold, u64)>> {
        self.ask(move |tables| {
            let holds = tables.holds(id)?.into_iter();
            holds.map(|hold| tables.waiting_for(id, &hold.domain).map(|waiting| (hold, waiting))).collect()
        })
    }

    /// Ends a mailing of which nothing can leave any more, and says how: it is done, or, where domains are held, paused.
    /// Nothing when it had ended before.
    pub fn finish(&self, id: MailingId) -> Waiting<Option<MailingStatus>> {
        self.ask(move |tables| {
            // Whoever lets domains go begins with the status, too, and waits here.
            if !tables.set_status(id, MailingStatus::Paused, None)? {
                return Ok(None);
            }
            let (status, why) = match tables.has_held(id)? {
                false => (MailingStatus::Done, None),
                true => {
                    let holds = tables.holds(id)?;
                    let domains: Vec<&str> = holds.iter().map(|hold| hold.domain.as_str()).collect();
                    (MailingStatus::Paused, Some(format!("all that is left is held: {}", domains.join(", "))))
                }
            };
            tables.set_status(id, status, why.as_deref())?;
            Ok(Some(status))
        })
    }
}
