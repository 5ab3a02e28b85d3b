//! How fast mail may leave: in all, by each server, and to each kind of domain.

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

/// The domains that share a pace. Everything that has no lane of its own has the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name in reports.
    pub name: &'static str,
    /// Its domains, each with those below it.
    pub domains: &'static [&'static str],
    /// How many connections carry its mail at once; as many as there are where nothing is said.
    pub connections: Option<usize>,
    /// How fast its mail leaves.
    pub rate: Option<Rate>,
    /// Whether it is not begun within five minutes of the full hour, when everybody's mail starts.
    pub spares_full_hour: bool,
}

/// The lanes that are ready: everybody, and the Japanese carriers, who ask for few sessions and refuse floods.
pub fn lanes() -> &'static [Lane] {
    const MINUTE: Duration = Duration::from_secs(60);
    const CAREFUL: Lane = Lane {
        name: "",
        domains: &[],
        connections: Some(2),
        rate: Some(Rate { messages: 60, per: MINUTE }),
        spares_full_hour: true,
    };
    static LANES: [Lane; 4] = [
        Lane { name: "all others", domains: &[], connections: None, rate: None, spares_full_hour: false },
        Lane { name: "docomo", domains: &["docomo.ne.jp", "mopera.net"], ..CAREFUL },
        Lane { name: "au", domains: &["ezweb.ne.jp", "au.com", "uqmobile.jp", "dion.ne.jp"], ..CAREFUL },
        Lane {
            name: "softbank",
            domains: &["softbank.ne.jp", "i.softbank.jp", "vodafone.ne.jp", "ymobile.ne.jp", "disney.ne.jp"],
            ..CAREFUL
        },
    ];
    &LANES
}

/// Whether a domain is another, or lies below it; both in small letters.
pub fn is_below(domain: &str, other: &str) -> bool {
    domain.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl Lane {
    /// The lane of a domain, by its place in [`lanes`].
    pub fn of(domain: &str) -> usize {
        let is_of = |lane: &Lane| lane.domains.iter().any(|known| is_below(domain, known));
        lanes().iter().position(is_of).unwrap_or(0)
    }

    /// Whether it may be begun at a minute of the hour.
    pub fn may_begin(&self, minute: u32) -> bool {
        !self.spares_full_hour || (5..55).contains(&minute)
    }
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

    #[test]
    fn domains_have_their_lanes() {
        let cases = [
            ("docomo.ne.jp", "docomo"),
            ("ezweb.ne.jp", "au"),
            ("a.ezweb.ne.jp", "au"),
            ("t.vodafone.ne.jp", "softbank"),
            ("notdocomo.ne.jp", "all others"),
            ("example.jp", "all others"),
        ];
        for (domain, name) in cases {
            assert_eq!(lanes()[Lane::of(domain)].name, name, "{domain}");
        }
    }

    #[test]
    fn carriers_are_spared_on_the_full_hour() {
        let docomo = &lanes()[Lane::of("docomo.ne.jp")];
        let minutes: Vec<u32> = (0..60).filter(|minute| !docomo.may_begin(*minute)).collect();
        assert_eq!(minutes, [0, 1, 2, 3, 4, 55, 56, 57, 58, 59]);
        assert!(lanes()[0].may_begin(0));
    }

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
