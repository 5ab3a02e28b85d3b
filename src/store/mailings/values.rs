//! Mailings as the store knows them.

use chrono::{DateTime, Utc};

use crate::bounce::Returned;
use crate::list::Nonce;
use crate::mailing::{DeliveryStatus, InDoubt, Next};
use crate::model::{EmailAddress, SubscriberId, name_of, named};
use crate::store::returns::Return;

/// A mailing's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailingId(pub i64);

/// A process that sends. Its number is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub i64);

/// How it stands with a mailing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailingStatus {
    /// It is sent, or waits for its time.
    Running,
    /// Nothing is claimed until it is resumed.
    Paused,
    /// It was called off: what had not left will not.
    Cancelled,
    /// Nothing is left to do.
    Done,
}

/// A mailing to be frozen.
#[derive(Clone, Debug)]
pub struct NewMailing {
    /// The issue's number.
    pub issue: i64,
    /// The issue's number as the editor pads it.
    pub label: String,
    /// 0, or which correction (訂正号) of the issue it is.
    pub correction: i64,
    /// The subject, decoded, for reports.
    pub subject: String,
    /// The letter.
    pub letter: FrozenLetter,
    /// The name of the letter's character set.
    pub charset: String,
    /// The letter's SHA-256.
    pub digest: String,
    /// What is done with deliveries in doubt.
    pub in_doubt: InDoubt,
    /// When it was frozen.
    pub created: DateTime<Utc>,
    /// When it is to be sent: the `Date` of its messages.
    pub starts: DateTime<Utc>,
}

/// A letter as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenLetter {
    /// Its octets.
    pub octets: Vec<u8>,
    /// What has to be known of its texts to address it to readers, as JSON.
    pub texts: String,
}

/// Who gets a mailing: all active readers, or fewer of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Those with this tag alone.
    pub tag: Option<String>,
    /// Those to whom this mailing went, or may have gone, alone.
    pub got: Option<MailingId>,
}

/// A mailing that is frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailing {
    /// Its number.
    pub id: MailingId,
    /// The issue's number.
    pub issue: i64,
    /// The issue's number as the editor pads it.
    pub label: String,
    /// 0, or which correction of the issue it is.
    pub correction: i64,
    /// The subject.
    pub subject: String,
    /// The letter's SHA-256.
    pub digest: String,
    /// What is done with deliveries in doubt.
    pub in_doubt: InDoubt,
    /// When it was frozen.
    pub created: DateTime<Utc>,
    /// When it is to be sent.
    pub starts: DateTime<Utc>,
    /// How it stands with it.
    pub status: MailingStatus,
    /// Why it is paused.
    pub why: Option<String>,
    /// How many deliveries it has.
    pub planned: u64,
    /// When a sender last looked after it.
    pub watched: Option<DateTime<Utc>>,
}

/// What a worker wants to claim.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Of which mailing.
    pub mailing: MailingId,
    /// For whom.
    pub worker: WorkerId,
    /// Of which lane.
    pub lane: usize,
    /// Behind which subscriber; 0 from the first on.
    pub after: i64,
    /// How many at the most.
    pub most: usize,
    /// When it is.
    pub at: DateTime<Utc>,
}

/// What was claimed.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// To be sent.
    pub deliveries: Vec<Delivery>,
    /// How many readers were skipped, since they are not active any more.
    pub skipped: u64,
    /// The last subscriber that was looked at; nothing when there was none behind.
    pub last: Option<i64>,
}

/// A delivery that a worker has claimed.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Of which mailing.
    pub mailing: MailingId,
    /// Who has claimed it.
    pub worker: WorkerId,
    /// To whom.
    pub subscriber: SubscriberId,
    /// His address.
    pub address: EmailAddress,
    /// The name he gave.
    pub name: Option<String>,
    /// What his `Unsubscribe` token is made from.
    pub unsubscribe: Nonce,
    /// How often it was attempted before, as far as it counts.
    pub attempts: u32,
    /// When it was first attempted.
    pub first: Option<DateTime<Utc>>,
}

/// One connection's step from a delivery to the next, kept in one write: a crash leaves at most one in doubt.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// What became of a delivery.
    pub ended: Option<Ended>,
    /// The delivery whose body goes out next.
    pub attempted: Option<Claim>,
}

/// Whose a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Of which mailing.
    pub mailing: MailingId,
    /// To whom.
    pub subscriber: SubscriberId,
    /// Who has claimed it.
    pub worker: WorkerId,
}

/// What became of a delivery.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Whose it was.
    pub claim: Claim,
    /// How it stands with it now.
    pub next: Next,
    /// What the server said.
    pub reply: String,
    /// What that says of the reader, where the server refused him.
    pub returned: Option<Box<Returned>>,
}

impl Delivery {
    /// Whose it is.
    pub fn claim(&self) -> Claim {
        Claim { mailing: self.mailing, subscriber: self.subscriber, worker: self.worker }
    }
}

/// What workers left behind who were given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Deliveries that were queued again.
    pub queued: u64,
    /// Deliveries that may have gone out.
    pub unknown: u64,
}

/// A delivery as a report tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The reader's number.
    pub subscriber: SubscriberId,
    /// His address; nothing when he was erased.
    pub address: Option<EmailAddress>,
    /// How it stands with it.
    pub status: DeliveryStatus,
    /// How often it was attempted, as far as it counts.
    pub attempts: u32,
    /// When something last became of it.
    pub at: Option<DateTime<Utc>>,
    /// What the server said then.
    pub reply: Option<String>,
    /// Whether it waits since its domain is held.
    pub is_held: bool,
    /// What came back of it: a complaint, or the last that came.
    pub returned: Option<Return>,
}

impl MailingStatus {
    /// The words that the store and reports have for each status.
    pub const NAMES: [(&str, MailingStatus); 4] = [
        ("running", MailingStatus::Running),
        ("paused", MailingStatus::Paused),
        ("cancelled", MailingStatus::Cancelled),
        ("done", MailingStatus::Done),
    ];

    /// The status as the store and reports write it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The status of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

impl Mailing {
    /// The mailing as people call it: the issue's label, and which correction it is.
    pub fn title(&self) -> String {
        match self.correction {
            0 => self.label.clone(),
            number => format!("{} (correction {number})", self.label),
        }
    }
}
