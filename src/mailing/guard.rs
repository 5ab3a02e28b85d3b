//! When to stop by ourselves: our own fault again and again, or a list that is out of date.

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;

use super::Verdict;

/// Watches the outcomes of a mailing. Its memory does not grow with the number of domains.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    own_faults: u32,
    domains: Domains,
    held: HashSet<String>,
    /// How many stops of domains others do not know of yet.
    untold: usize,
    /// How often others have been told of such a stop.
    changes: u64,
}

/// Why to stop, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The mailing: three of our own faults in a row.
    Mailing,
    /// One domain: more than a twentieth of its last deliveries went to addresses that are none.
    Domain(String),
}

/// The domains that had outcomes lately: a full half is the old one as soon as another domain comes, and the old one is
/// forgotten then, but for what had outcomes since.
#[derive(Clone, Debug, Default)]
struct Domains {
    young: HashMap<String, Recent>,
    old: HashMap<String, Recent>,
}

/// The last outcomes of a domain: true for an address that is none.
#[derive(Clone, Debug, Default)]
struct Recent {
    outcomes: VecDeque<bool>,
    unknown_users: usize,
}

/// How many of our own faults in a row stop a mailing.
const OWN_FAULTS: u32 = 3;
/// How many domains are remembered.
const DOMAINS: usize = 4_096;
/// How many of a domain's last outcomes count.
const WINDOW: usize = 500;
/// With fewer than this one wrong address would be a twentieth.
const FEWEST: usize = 100;

impl Guard {
    /// Takes note of an outcome; says whether to stop. A domain that was stopped begins anew.
    pub fn note(&mut self, domain: &str, verdict: Verdict) -> Option<Stop> {
        match verdict {
            Verdict::OwnFault => {
                self.own_faults += 1;
                return (self.own_faults == OWN_FAULTS).then_some(Stop::Mailing);
            }
            Verdict::Accepted | Verdict::Rejected | Verdict::Deferred => self.own_faults = 0,
            Verdict::ServerFault | Verdict::Unknown => return None,
        }
        let recent = self.domains.of(domain);
        recent.push(verdict == Verdict::Rejected);
        if !recent.too_many() {
            return None;
        }
        // When it is let go, what came before is forgiven.
        *recent = Recent::default();
        self.held.insert(domain.to_owned());
        self.untold += 1;
        Some(Stop::Domain(domain.to_owned()))
    }

    /// Whether nothing may go to a domain.
    pub fn is_held(&self, domain: &str) -> bool {
        self.held.contains(domain)
    }

    /// Others know now of a domain that was stopped here.
    pub fn told(&mut self) {
        self.untold = self.untold.saturating_sub(1);
        self.changes += 1;
    }

    /// A mark for [`Guard::hold`]: when it was asked which domains are held.
    pub fn asked(&self) -> u64 {
        self.changes
    }

    /// Takes over which domains are held, whoever stopped them or let them go; not when a domain was stopped here since that was
    /// `asked`.
    pub fn hold(&mut self, held: HashSet<String>, asked: u64) {
        if self.untold > 0 || self.changes != asked {
            return;
        }
        for domain in &held {
            self.domains.forget(domain);
        }
        self.held = held;
    }
}

impl Domains {
    fn of(&mut self, domain: &str) -> &mut Recent {
        if !self.young.contains_key(domain) {
            let known = self.old.remove(domain).unwrap_or_default();
            if self.young.len() >= DOMAINS / 2 {
                self.old = mem::take(&mut self.young);
            }
            self.young.insert(domain.to_owned(), known);
        }
        self.young.entry(domain.to_owned()).or_default()
    }

    fn forget(&mut self, domain: &str) {
        self.young.remove(domain);
        self.old.remove(domain);
    }
}

impl Recent {
    fn push(&mut self, is_unknown_user: bool) {
        if self.outcomes.len() == WINDOW && self.outcomes.pop_front() == Some(true) {
            self.unknown_users -= 1;
        }
        self.outcomes.push_back(is_unknown_user);
        self.unknown_users += usize::from(is_unknown_user);
    }

    fn too_many(&self) -> bool {
        self.outcomes.len() >= FEWEST && self.unknown_users * 20 > self.outcomes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_own_faults_in_a_row_stop_a_mailing_once() {
        let mut guard = Guard::default();
        let mut note = |outcome| guard.note("example.jp", outcome);
        assert_eq!(note(Verdict::OwnFault), None);
        assert_eq!(note(Verdict::OwnFault), None);
        assert_eq!(note(Verdict::Accepted), None);
        assert_eq!(note(Verdict::OwnFault), None);
        assert_eq!(note(Verdict::ServerFault), None);
        assert_eq!(note(Verdict::OwnFault), None);
        assert_eq!(note(Verdict::OwnFault), Some(Stop::Mailing));
        assert_eq!(note(Verdict::OwnFault), None);
    }

    #[test]
    fn a_domain_of_wrong_addresses_stops_alone() {
        let mut guard = Guard::default();
        let mut stops = Vec::new();
        for number in 0..2_000 {
            let outcome = if number % 19 == 0 { Verdict::Rejected } else { Verdict::Accepted };
            stops.extend(guard.note("old.example.jp", outcome).map(|stop| (number, stop)));
            let outcome = if number % 21 == 20 { Verdict::Rejected } else { Verdict::Accepted };
            stops.extend(guard.note("good.example.jp", outcome).map(|stop| (number, stop)));
        }
        let first = stops.first().expect("it stops");
        assert_eq!(first, &(99, Stop::Domain("old.example.jp".into())));
        assert!(stops.iter().all(|(_, stop)| *stop == Stop::Domain("old.example.jp".into())));
        assert!(guard.is_held("old.example.jp") && !guard.is_held("good.example.jp"));
    }

    #[test]
    fn a_domain_that_is_let_go_is_not_stopped_by_what_was_before() {
        let mut guard = Guard::default();
        let held = |domains: &[&str]| domains.iter().map(|domain| (*domain).to_owned()).collect();
        let outcomes = |guard: &mut Guard, number: usize| {
            (0..number).filter_map(|_| guard.note("old.example.jp", Verdict::Rejected)).count()
        };
        assert_eq!(outcomes(&mut guard, FEWEST), 1);
        // Those that were under way.
        assert_eq!(outcomes(&mut guard, 10), 0);
        // As it was before others knew of it.
        let asked = guard.asked();
        guard.hold(held(&[]), asked);
        assert!(guard.is_held("old.example.jp"));
        guard.told();
        guard.hold(held(&[]), asked);
        assert!(guard.is_held("old.example.jp"));
        guard.hold(held(&[]), guard.asked());
        assert!(!guard.is_held("old.example.jp"));
        assert_eq!(outcomes(&mut guard, FEWEST - 11), 0);
        // Another worker had stopped it, and somebody has let it go: it begins anew here, too.
        guard.hold(held(&["old.example.jp"]), guard.asked());
        assert!(guard.is_held("old.example.jp"));
        guard.hold(held(&[]), guard.asked());
        assert_eq!(outcomes(&mut guard, FEWEST - 1), 0);
        assert_eq!(outcomes(&mut guard, 1), 1);
    }

    #[test]
    fn no_more_than_some_thousand_domains_are_remembered_and_those_that_are_written_to_are() {
        let mut guard = Guard::default();
        let mut stops = Vec::new();
        for number in 0..3 * DOMAINS {
            guard.note(&format!("d{number}.example.jp"), Verdict::Accepted);
            if number % 100 == 0 {
                stops.extend(guard.note("old.example.jp", Verdict::Rejected));
            }
            assert!(guard.domains.young.len() + guard.domains.old.len() <= DOMAINS);
        }
        assert_eq!(stops, [Stop::Domain("old.example.jp".into())]);
    }
}
