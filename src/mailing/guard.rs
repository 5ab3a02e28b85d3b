//! When to stop by ourselves: our own fault again and again, or a list that is out of date.

use std::collections::{HashMap, VecDeque};

use super::Verdict;

/// Watches the outcomes of a mailing.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    own_faults: u32,
    domains: HashMap<String, Recent>,
}

/// Why to stop, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The mailing: three of our own faults in a row.
    Mailing,
    /// One domain: more than a twentieth of its last deliveries went to addresses that are none.
    Domain(String),
}

/// The last outcomes of a domain: true for an address that is none.
#[derive(Clone, Debug, Default)]
struct Recent {
    outcomes: VecDeque<bool>,
    unknown_users: usize,
}

/// How many of our own faults in a row stop a mailing.
const OWN_FAULTS: u32 = 3;
/// How many of a domain's last outcomes count.
const WINDOW: usize = 500;
/// With fewer than this one wrong address would be a twentieth.
const FEWEST: usize = 100;

impl Guard {
    /// Takes note of an outcome; says whether to stop, once for each reason.
    pub fn note(&mut self, domain: &str, verdict: Verdict) -> Option<Stop> {
        match verdict {
            Verdict::OwnFault => {
                self.own_faults += 1;
                return (self.own_faults == OWN_FAULTS).then_some(Stop::Mailing);
            }
            Verdict::Accepted | Verdict::Rejected | Verdict::Deferred => self.own_faults = 0,
            Verdict::ServerFault | Verdict::Unknown => return None,
        }
        if !self.domains.contains_key(domain) {
            self.domains.insert(domain.to_owned(), Recent::default());
        }
        let recent = self.domains.get_mut(domain)?;
        let was_too_many = recent.too_many();
        recent.push(verdict == Verdict::Rejected);
        (recent.too_many() && !was_too_many).then(|| Stop::Domain(domain.to_owned()))
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
    }
}
