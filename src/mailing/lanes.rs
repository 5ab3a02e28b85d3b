//! Lanes: the domains that share a pace.

use std::collections::HashMap;
use std::time::Duration;

use super::Rate;

/// The domains that share a pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name in reports. Lanes of the same name share their pace, also those of other workers.
    pub name: String,
    /// Its domains, each with those below it, in small A-labels.
    pub domains: Vec<String>,
    /// How many connections carry its mail at once; as many as there are where nothing is said.
    pub connections: Option<usize>,
    /// How fast its mail leaves.
    pub rate: Option<Rate>,
    /// Whether it is not begun within five minutes of the full hour, when everybody's mail starts.
    pub spares_full_hour: bool,
}

/// All lanes. The first is everybody's who has none of his own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes {
    lanes: Vec<Lane>,
    /// The numbers of the magazine's own lanes by their domains, and of those that are ready.
    own: HashMap<String, usize>,
    ready: HashMap<String, usize>,
}

/// The Japanese carriers' domains, by the lane that they share.
const CARRIERS: [(&str, &[&str]); 3] = [
    ("docomo", &["docomo.ne.jp", "mopera.net"]),
    ("au", &["ezweb.ne.jp", "au.com", "uqmobile.jp", "dion.ne.jp"]),
    ("softbank", &["softbank.ne.jp", "i.softbank.jp", "vodafone.ne.jp", "ymobile.ne.jp", "disney.ne.jp"]),
];

impl Default for Lanes {
    /// The lanes that are ready: everybody, and the Japanese carriers, who ask for few sessions and refuse floods.
    fn default() -> Self {
        let all_others = Lane {
            name: "all others".to_owned(),
            domains: Vec::new(),
            connections: None,
            rate: None,
            spares_full_hour: false,
        };
        let carrier = |(name, domains): (&str, &[&str])| Lane {
            name: name.to_owned(),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            connections: Some(2),
            rate: Some(Rate { messages: 60, per: Duration::from_secs(60) }),
            spares_full_hour: true,
        };
        let lanes: Vec<Lane> = [all_others].into_iter().chain(CARRIERS.map(carrier)).collect();
        Lanes { own: HashMap::new(), ready: by_domain(&lanes, 0), lanes }
    }
}

impl Lanes {
    /// The lanes that are ready, and those of the magazine, which go before them.
    pub fn with(own: Vec<Lane>) -> Self {
        let Lanes { mut lanes, ready, .. } = Self::default();
        let by_domain = by_domain(&own, lanes.len());
        lanes.extend(own);
        Lanes { lanes, own: by_domain, ready }
    }

    /// All of them; a lane's place here is its number.
    pub fn all(&self) -> &[Lane] {
        &self.lanes
    }

    /// The lane of a domain, by its number: that of the nearest domain above it among the magazine's own, else among the
    /// ready ones, else everybody's.
    pub fn of(&self, domain: &str) -> usize {
        let nearest = |lanes: &HashMap<String, usize>| {
            let mut names = std::iter::successors(Some(domain), |name| Some(name.split_once('.')?.1));
            names.find_map(|name| lanes.get(name).copied())
        };
        nearest(&self.own).or_else(|| nearest(&self.ready)).unwrap_or(0)
    }
}

/// Lanes by their domains, numbered from `first` on.
fn by_domain(lanes: &[Lane], first: usize) -> HashMap<String, usize> {
    let numbered = lanes.iter().zip(first..);
    numbered
        .flat_map(|(lane, number)| lane.domains.iter().map(move |domain| (domain.clone(), number)))
        .collect()
}

impl Lane {
    /// Whether it may be begun at a minute of the hour.
    pub fn may_begin(&self, minute: u32) -> bool {
        !self.spares_full_hour || (5..55).contains(&minute)
    }
}

/// Whether a domain is another, or lies below it; both in small letters.
pub fn is_below(domain: &str, other: &str) -> bool {
    domain.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_their_lanes() {
        let own = |name: &str, domains: &[&str]| Lane {
            name: name.to_owned(),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            connections: None,
            rate: None,
            spares_full_hour: false,
        };
        let ready = Lanes::default();
        let more = Lanes::with(vec![
            own("own", &["example.jp", "docomo.ne.jp"]),
            own("below", &["sub.example.jp"]),
            own("all of jp", &["jp"]),
        ]);
        let cases = [
            ("docomo.ne.jp", "docomo", "own"),
            ("mopera.net", "docomo", "docomo"),
            ("ezweb.ne.jp", "au", "all of jp"),
            ("au.com", "au", "au"),
            ("a.au.com", "au", "au"),
            ("notdocomo.ne.jp", "all others", "all of jp"),
            ("example.jp", "all others", "own"),
            ("a.sub.example.jp", "all others", "below"),
            ("example.com", "all others", "all others"),
        ];
        for (domain, of_ready, of_more) in cases {
            assert_eq!(ready.all()[ready.of(domain)].name, of_ready, "{domain}");
            assert_eq!(more.all()[more.of(domain)].name, of_more, "{domain}");
        }
    }

    #[test]
    fn carriers_are_spared_on_the_full_hour() {
        let lanes = Lanes::default();
        let docomo = &lanes.all()[lanes.of("docomo.ne.jp")];
        let minutes: Vec<u32> = (0..60).filter(|minute| !docomo.may_begin(*minute)).collect();
        assert_eq!(minutes, [0, 1, 2, 3, 4, 55, 56, 57, 58, 59]);
        assert!(lanes.all()[0].may_begin(0));
    }
}
