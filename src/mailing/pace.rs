//! How fast mail may leave: in all, by each server, and to each kind of domain.

use std::time::Duration;

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

/// Lets messages leave no faster than a rate, with no more than a tenth of a second's worth at once. Time is what has
/// passed since some moment, and never runs back.
#[derive(Clone, Debug)]
pub struct Pace {
    /// What each message takes.
    interval: Duration,
    /// How far ahead of the even flow a message may be.
    tolerance: Duration,
    /// When the next one would leave if they flowed evenly.
    next: Duration,
}

impl Pace {
    /// The pace of a rate; a rate of no messages lets one leave in each of its times.
    pub fn new(rate: Rate) -> Self {
        let interval = rate.per / rate.messages.max(1);
        Pace { interval, tolerance: Duration::from_millis(100), next: Duration::ZERO }
    }

    /// How long to wait before a message may leave.
    pub fn wait(&self, now: Duration) -> Duration {
        self.next.saturating_sub(self.tolerance).saturating_sub(now)
    }

    /// A message leaves.
    pub fn leave(&mut self, now: Duration) {
        self.next = self.next.max(now) + self.interval;
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

    #[test]
    fn no_more_leave_than_the_rate_allows() {
        let mut pace = Pace::new(Rate { messages: 20, per: Duration::from_secs(1) });
        let mut now = Duration::ZERO;
        let mut left = 0;
        while now < Duration::from_secs(10) {
            now += pace.wait(now);
            pace.leave(now);
            left += 1;
        }
        assert!((200..=203).contains(&left), "{left} in ten seconds");
        // A pause is not made up for.
        now += Duration::from_secs(60);
        let burst = (0..100).take_while(|_| {
            let free = pace.wait(now).is_zero();
            pace.leave(now);
            free
        });
        assert_eq!(burst.count(), 3);
    }
}
