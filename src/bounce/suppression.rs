//! When a reader is written to no more.

use chrono::{DateTime, TimeDelta, Utc};

use super::report::{Hardness, Kind, Reason, Recipient, Report};
use crate::model::Suppression;

/// What has come back from a reader until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// How often mail came back for good.
    pub hard: u32,
    /// How often it came back for a time, in thousandths: a bounce counts less the older it is.
    pub soft: u32,
    /// When the first of the soft ones came.
    pub soft_since: Option<DateTime<Utc>>,
    /// When the last one that was counted came.
    pub last: Option<DateTime<Utc>>,
}

/// What a report, or a server's refusal, says of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// There is no such address, and the server says exactly that: 5.1.1.
    UnknownAddress,
    /// Mail came back for good.
    Hard,
    /// Mail came back, and may arrive another time.
    Soft,
    /// The reader complained.
    Complaint,
}

/// Of this many hard bounces, the last one suppresses.
const HARD: u32 = 2;
/// So many soft ones suppress, if the first came so long ago.
const SOFT: u32 = 5_000;
const SOFT_FOR: TimeDelta = TimeDelta::days(30);
/// After so many days a soft bounce counts half.
const HALF_LIFE: f64 = 120.0;
/// What comes back within a day is one bounce: a mailing may bring several reports.
const ONE_BOUNCE: TimeDelta = TimeDelta::hours(24);

/// What is known of a reader after an event, and whether he is written to no more.
///
/// Twice hard suppresses, or once with 5.1.1; a complaint at once. Five soft ones do, if the first came thirty days
/// ago; each counts half after 120 days, so that a monthly magazine forgives longer than a daily one.
pub fn after(history: &History, event: Event, now: DateTime<Utc>) -> (History, Option<Suppression>) {
    let mut after = *history;
    if event == Event::Complaint {
        return (after, Some(Suppression::Complaint));
    }
    after.soft = decayed(history, now);
    let is_counted = history.last.is_some_and(|last| now - last < ONE_BOUNCE);
    let suppression = match event {
        Event::UnknownAddress => {
            after.hard += u32::from(!is_counted);
            Some(Suppression::HardBounce)
        }
        Event::Hard => {
            after.hard = (after.hard + u32::from(!is_counted)).max(1);
            (after.hard >= HARD).then_some(Suppression::HardBounce)
        }
        _ => {
            if !is_counted {
                after.soft += 1_000;
            }
            let since = *after.soft_since.get_or_insert(now);
            (after.soft >= SOFT && now - since >= SOFT_FOR).then_some(Suppression::SoftBounces)
        }
    };
    if !is_counted {
        after.last = Some(now);
    }
    (after, suppression)
}

fn decayed(history: &History, now: DateTime<Utc>) -> u32 {
    let Some(last) = history.last else { return history.soft };
    let days = (now - last).num_seconds().max(0) as f64 / 86_400.0;
    (f64::from(history.soft) * (-days / HALF_LIFE).exp2()).round() as u32
}

impl Recipient {
    /// What a bounce says of this recipient; `None` when it says nothing of him, because the fault is the sender's.
    pub fn event(&self) -> Option<Event> {
        let is_exact =
            self.status.is_some_and(|status| (status.class, status.subject, status.detail) == (5, 1, 1));
        match self.hardness {
            Hardness::Hard if is_exact && self.reason == Reason::UnknownUser => Some(Event::UnknownAddress),
            Hardness::Hard => Some(Event::Hard),
            Hardness::Soft => (!self.reason.is_ours()).then_some(Event::Soft),
        }
    }
}

impl Report {
    /// What a report says of the reader whom the message went to; `None` when it says nothing against him.
    ///
    /// If it names several recipients, the reader has his mail sent on to them: it is hard only if it is so for all.
    pub fn event(&self) -> Option<Event> {
        match self.kind {
            Kind::Complaint => Some(Event::Complaint),
            Kind::Bounce => {
                let events = || self.recipients.iter().map(Recipient::event);
                let mildest = [None, Some(Event::Soft), Some(Event::Hard), Some(Event::UnknownAddress)];
                mildest.into_iter().find(|event| events().any(|found| found == *event)).flatten()
            }
            Kind::Delay | Kind::Delivered | Kind::Feedback | Kind::AutoReply => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events on days, and on which of them the reader is suppressed.
    fn check(events: &[(i64, Event)], expected: Option<(i64, Suppression)>) {
        let mut history = History::default();
        for (day, event) in events {
            let now = DateTime::UNIX_EPOCH + TimeDelta::days(*day);
            let (next, suppression) = after(&history, *event, now);
            if let Some(suppression) = suppression {
                assert_eq!(Some((*day, suppression)), expected, "{events:?}");
                return;
            }
            history = next;
        }
        assert_eq!(None, expected, "{events:?}: {history:?}");
    }

    /// A soft bounce every so many days, so many times.
    fn every(days: i64, times: i64) -> Vec<(i64, Event)> {
        (0..times).map(|index| (index * days, Event::Soft)).collect()
    }

    #[test]
    fn readers_are_suppressed_when_it_is_sure() {
        use Event::{Complaint, Hard, Soft, UnknownAddress};
        check(&[(0, UnknownAddress)], Some((0, Suppression::HardBounce)));
        check(&[(0, Complaint)], Some((0, Suppression::Complaint)));
        check(&[(0, Hard)], None);
        check(&[(0, Hard), (0, Hard)], None);
        check(&[(0, Hard), (7, Hard)], Some((7, Suppression::HardBounce)));
        check(&[(0, Hard), (3, Soft), (900, Hard)], Some((900, Suppression::HardBounce)));
        check(&[(0, Soft), (0, Hard), (7, Soft)], None);
        check(&every(1, 30), None);
        check(&every(1, 40), Some((30, Suppression::SoftBounces)));
        check(&every(7, 5), None);
        check(&every(7, 10), Some((35, Suppression::SoftBounces)));
        check(&every(30, 8), None);
        check(&every(30, 20), Some((270, Suppression::SoftBounces)));
        check(&every(120, 100), None);
        check(&[(0, Soft), (0, Soft), (0, Soft), (0, Soft), (31, Soft)], None);
    }

    #[test]
    fn reports_say_what_they_say() {
        let recipient = |hardness, reason, status: &str| Recipient {
            address: String::new(),
            original: None,
            hardness,
            status: super::super::EnhancedStatus::find(status),
            reason,
            diagnostic: String::new(),
        };
        let exact = recipient(Hardness::Hard, Reason::UnknownUser, "5.1.1");
        let hard = recipient(Hardness::Hard, Reason::UnknownHost, "5.1.2");
        let full = recipient(Hardness::Soft, Reason::MailboxFull, "5.2.2");
        let ours = recipient(Hardness::Soft, Reason::Policy, "5.7.26");
        let report = |kind, recipients: &[&Recipient]| Report {
            kind,
            recipients: recipients.iter().map(|recipient| (*recipient).clone()).collect(),
            message_id: None,
            paths: Vec::new(),
            leave: None,
        };
        for (kind, recipients, expected) in [
            (Kind::Bounce, &[&exact][..], Some(Event::UnknownAddress)),
            (Kind::Bounce, &[&hard], Some(Event::Hard)),
            (Kind::Bounce, &[&full], Some(Event::Soft)),
            (Kind::Bounce, &[&ours], None),
            (Kind::Bounce, &[&exact, &hard], Some(Event::Hard)),
            (Kind::Bounce, &[&exact, &full], Some(Event::Soft)),
            (Kind::Bounce, &[&exact, &ours], None),
            (Kind::Bounce, &[], None),
            (Kind::Complaint, &[&full], Some(Event::Complaint)),
            (Kind::Feedback, &[&full], None),
            (Kind::AutoReply, &[&full], None),
            (Kind::Delay, &[&full], None),
            (Kind::Delivered, &[&full], None),
        ] {
            assert_eq!(report(kind, recipients).event(), expected, "{kind:?} {recipients:?}");
        }
    }
}
