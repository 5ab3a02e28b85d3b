//! How fast mail may leave, by each server and in each lane.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How many messages may leave in a time, evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub messages: u32,
    /// In which time.
    pub per: Duration,
}

/// Moments in which messages may leave, one each, and when the first leaves that nobody has taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The moments, in order.
    pub taken: Vec<DateTime<Utc>>,
    /// The moment behind them.
    pub next: DateTime<Utc>,
}

/// How far ahead slots may be taken. Whoever takes them and ends without using them loses so much of the pace at the most.
pub const MOST_AHEAD: TimeDelta = TimeDelta::milliseconds(500);

/// How far the clocks of machines, or one clock before and after it was set, may differ: beyond that the pace begins anew.
const SKEW: TimeDelta = TimeDelta::seconds(10);

impl Rate {
    /// The time from one message to the next, in whole microseconds; a rate of no messages lets one leave in each of its times.
    pub fn interval(self) -> TimeDelta {
        let micros = self.per.as_micros().div_ceil(u128::from(self.messages.max(1))).max(1);
        TimeDelta::microseconds(i64::try_from(micros).unwrap_or(i64::MAX / 2))
    }

    /// Takes up to `most` slots of this pace, none later than `ahead` from now. `next` is the first that is free, where
    /// the pace was kept before. What has passed unused is not made up for: however many take slots one after another,
    /// there is one in each interval.
    pub fn slots(
        self,
        next: Option<DateTime<Utc>>,
        most: usize,
        ahead: TimeDelta,
        now: DateTime<Utc>,
    ) -> Slots {
        let interval = self.interval();
        let horizon = now + ahead;
        let furthest = now + MOST_AHEAD + interval + SKEW;
        let mut next = next.filter(|next| *next <= furthest).unwrap_or(now).max(now);
        let mut taken = Vec::new();
        while taken.len() < most && next <= horizon {
            taken.push(next);
            next += interval;
        }
        Slots { taken, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_300_000_000_000 + milliseconds).unwrap()
    }

    fn per_second(messages: u32) -> Rate {
        Rate { messages, per: Duration::from_secs(1) }
    }

    #[test]
    fn there_is_one_slot_in_each_interval() {
        // From: the next one before, how many are wanted, and now; what is taken, and the next one after.
        let cases = [
            (None, 3, 0, &[0, 100, 200][..], 300),
            (Some(0), 3, 50, &[50, 150, 250], 350),
            (Some(300), 3, 50, &[300, 400, 500], 600),
            // None is taken that is later than half a second from now.
            (Some(300), 9, 50, &[300, 400, 500], 600),
            (Some(600), 9, 50, &[], 600),
            (Some(600), 9, 100, &[600], 700),
            // The clock was set back by less than it may differ, and by more.
            (Some(9_000), 1, 0, &[], 9_000),
            (Some(20_000), 1, 0, &[0], 100),
        ];
        for (next, most, now, taken, after) in cases {
            let slots = per_second(10).slots(next.map(at), most, MOST_AHEAD, at(now));
            let expected = Slots { taken: taken.iter().copied().map(at).collect(), next: at(after) };
            assert_eq!(slots, expected, "{next:?} {most} {now}");
        }
    }

    #[test]
    fn a_slow_rate_has_its_slots_one_by_one() {
        let rate = Rate { messages: 1, per: Duration::from_secs(3_600) };
        let first = rate.slots(None, 5, MOST_AHEAD, at(0));
        assert_eq!((first.taken.len(), first.next), (1, at(3_600_000)));
        assert!(rate.slots(Some(first.next), 5, MOST_AHEAD, at(3_599_000)).taken.is_empty());
        assert_eq!(rate.slots(Some(first.next), 5, MOST_AHEAD, at(3_599_600)).taken, [at(3_600_000)]);
        assert!(rate.slots(Some(first.next), 5, TimeDelta::zero(), at(3_599_999)).taken.is_empty());
    }

    #[test]
    fn an_interval_is_never_shorter_than_the_rate_allows() {
        for (messages, micros) in
            [(1, 1_000_000), (3, 333_334), (1_000_000, 1), (u32::MAX, 1), (0, 1_000_000)]
        {
            assert_eq!(per_second(messages).interval(), TimeDelta::microseconds(micros), "{messages}");
        }
    }
}
