//! A delivery: one issue to one reader, and what became of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::retry_after;
use crate::model::{name_of, named};

/// How it stands with a delivery. The sum over all of these is what was planned, at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// Waits for a worker.
    Queued,
    /// A worker has it, under a lease; it may be under way.
    Claimed,
    /// The server has taken it.
    Accepted,
    /// The server will not take it now; it is due again later.
    Deferred,
    /// The server refuses the address.
    Rejected,
    /// It may have been taken: the connection broke behind the message's last octet.
    Unknown,
    /// The operator called it off.
    Cancelled,
    /// The reader left, or nothing may be sent to him any more, after the mailing was planned.
    Skipped,
}

/// What came of an attempt, for the reader, the server and ourselves: whose fault it was decides what is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The server has the mail.
    Accepted,
    /// Not now: this reader is tried again after [`retry_after`].
    Deferred,
    /// The server or the way to it: connect again, later; the reader is queued again and not marked.
    ServerFault,
    /// This address: not again.
    Rejected,
    /// We ourselves, or our settings: the next reader would fare no better, and no reader is marked.
    OwnFault,
    /// Nobody knows whether the server has the mail.
    Unknown,
}

/// What is done with deliveries of which nobody knows whether they were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InDoubt {
    /// They are listed, and never sent again by themselves.
    #[default]
    Hold,
    /// They are sent again, octet for octet the same, so that a receiver can see the double.
    Resend,
}

/// What an attempt makes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// How it stands with it now.
    pub status: DeliveryStatus,
    /// When it may be tried again, where it may.
    pub due: Option<DateTime<Utc>>,
    /// Whether the attempt counts among the reader's: faults of others do not.
    pub counts: bool,
}

/// What becomes of a delivery after an attempt: the one rule by which its status changes.
///
/// `attempts` counts this one, too; `first` is when the reader's mail was first tried.
pub fn after(
    verdict: Verdict,
    attempts: u32,
    first: DateTime<Utc>,
    now: DateTime<Utc>,
    in_doubt: InDoubt,
) -> Next {
    let done = |status| Next { status, due: None, counts: true };
    let again = |status, due, counts| Next { status, due: Some(due), counts };
    match verdict {
        Verdict::Accepted => done(DeliveryStatus::Accepted),
        Verdict::Rejected => done(DeliveryStatus::Rejected),
        Verdict::Deferred => {
            let since_first = (now - first).to_std().unwrap_or_default();
            match retry_after(attempts, since_first) {
                Some(wait) => again(DeliveryStatus::Deferred, now + wait, true),
                None => done(DeliveryStatus::Rejected),
            }
        }
        // The next connection is made a moment later.
        Verdict::ServerFault => again(DeliveryStatus::Queued, now + TimeDelta::seconds(1), false),
        // Where every reader is refused the mailing is paused; where one is, he waits.
        Verdict::OwnFault => {
            let wait = retry_after(attempts, Duration::ZERO).unwrap_or_default();
            again(DeliveryStatus::Queued, now + wait, true)
        }
        Verdict::Unknown => match in_doubt {
            InDoubt::Hold => done(DeliveryStatus::Unknown),
            InDoubt::Resend => again(DeliveryStatus::Queued, now, true),
        },
    }
}

/// How many deliveries of a mailing stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// All of them.
    pub planned: u64,
    /// See [`DeliveryStatus::Queued`].
    pub queued: u64,
    /// See [`DeliveryStatus::Claimed`].
    pub claimed: u64,
    /// See [`DeliveryStatus::Accepted`].
    pub accepted: u64,
    /// See [`DeliveryStatus::Deferred`].
    pub deferred: u64,
    /// See [`DeliveryStatus::Rejected`].
    pub rejected: u64,
    /// See [`DeliveryStatus::Unknown`].
    pub unknown: u64,
    /// See [`DeliveryStatus::Cancelled`].
    pub cancelled: u64,
    /// See [`DeliveryStatus::Skipped`].
    pub skipped: u64,
}

impl Sums {
    /// Counts deliveries of one status in.
    pub fn add(&mut self, status: DeliveryStatus, count: u64) {
        let sum = match status {
            DeliveryStatus::Queued => &mut self.queued,
            DeliveryStatus::Claimed => &mut self.claimed,
            DeliveryStatus::Accepted => &mut self.accepted,
            DeliveryStatus::Deferred => &mut self.deferred,
            DeliveryStatus::Rejected => &mut self.rejected,
            DeliveryStatus::Unknown => &mut self.unknown,
            DeliveryStatus::Cancelled => &mut self.cancelled,
            DeliveryStatus::Skipped => &mut self.skipped,
        };
        *sum += count;
    }

    /// Whether all that was planned is accounted for.
    pub fn balance(&self) -> bool {
        let parts = self.queued + self.claimed + self.accepted + self.deferred;
        self.planned == parts + self.rejected + self.unknown + self.cancelled + self.skipped
    }

    /// How many may still leave.
    pub fn open(&self) -> u64 {
        self.queued + self.claimed + self.deferred
    }
}

impl InDoubt {
    /// The words that the command line and the store have for each.
    pub const NAMES: [(&str, InDoubt); 2] = [("hold", InDoubt::Hold), ("resend", InDoubt::Resend)];

    /// The word for it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// What a word says.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

impl DeliveryStatus {
    /// The words that the store and reports have for each status.
    pub const NAMES: [(&str, DeliveryStatus); 8] = [
        ("queued", DeliveryStatus::Queued),
        ("claimed", DeliveryStatus::Claimed),
        ("accepted", DeliveryStatus::Accepted),
        ("deferred", DeliveryStatus::Deferred),
        ("rejected", DeliveryStatus::Rejected),
        ("unknown", DeliveryStatus::Unknown),
        ("cancelled", DeliveryStatus::Cancelled),
        ("skipped", DeliveryStatus::Skipped),
    ];

    /// Whether it waits until somebody claims it.
    pub fn is_waiting(self) -> bool {
        matches!(self, DeliveryStatus::Queued | DeliveryStatus::Deferred)
    }

    /// The status as the store and reports write it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The status of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_a_delivery_is_one_table() {
        use DeliveryStatus::{Accepted, Deferred, Queued, Rejected, Unknown};
        let first = DateTime::from_timestamp(1_300_000_000, 0).unwrap();
        let minutes = TimeDelta::minutes;
        let cases = [
            (Verdict::Accepted, 1, minutes(0), InDoubt::Hold, Accepted, None, true),
            (Verdict::Rejected, 1, minutes(0), InDoubt::Hold, Rejected, None, true),
            (Verdict::Deferred, 1, minutes(0), InDoubt::Hold, Deferred, Some(minutes(5)), true),
            (Verdict::Deferred, 2, minutes(5), InDoubt::Hold, Deferred, Some(minutes(15)), true),
            (Verdict::Deferred, 3, minutes(20), InDoubt::Hold, Deferred, Some(minutes(60)), true),
            (Verdict::Deferred, 4, minutes(80), InDoubt::Hold, Deferred, Some(minutes(240)), true),
            (Verdict::Deferred, 9, minutes(320), InDoubt::Hold, Deferred, Some(minutes(720)), true),
            // Twelve hours more would be past the seventy-second.
            (Verdict::Deferred, 9, minutes(61 * 60), InDoubt::Hold, Rejected, None, true),
            (Verdict::ServerFault, 1, minutes(3), InDoubt::Hold, Queued, Some(TimeDelta::seconds(1)), false),
            (Verdict::OwnFault, 2, minutes(3), InDoubt::Hold, Queued, Some(minutes(15)), true),
            (Verdict::Unknown, 1, minutes(0), InDoubt::Hold, Unknown, None, true),
            (Verdict::Unknown, 1, minutes(0), InDoubt::Resend, Queued, Some(minutes(0)), true),
        ];
        for (verdict, attempts, elapsed, in_doubt, status, wait, counts) in cases {
            let now = first + elapsed;
            let next = after(verdict, attempts, first, now, in_doubt);
            let expected = Next { status, due: wait.map(|wait| now + wait), counts };
            assert_eq!(next, expected, "{verdict:?} after {attempts}");
        }
    }

    #[test]
    fn every_delivery_is_accounted_for() {
        let mut sums = Sums { planned: 36, ..Sums::default() };
        for (count, (name, status)) in (1..).zip(DeliveryStatus::NAMES) {
            assert_eq!(DeliveryStatus::named(name), Some(status));
            assert!(!sums.balance(), "{name} is missing");
            sums.add(status, count);
        }
        assert!(sums.balance());
        assert_eq!(sums.open(), 1 + 2 + 4);
    }
}
