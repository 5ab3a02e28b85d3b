//! Walking along the ledger: whether every octet of it is as it was written.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{ChainEnd, Details, EventKind, Opening, Sealed};
use crate::digest;
use crate::model::SubscriberId;

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the entry, or of the one that should be there; nothing when it is none's.
    pub number: Option<i64>,
    /// What is wrong.
    pub what: &'static str,
}

/// Where the walk is, and what it knows beforehand.
pub struct Walk {
    end: ChainEnd,
    forgotten: HashMap<SubscriberId, i64>,
    shortened: i64,
    wordings: HashSet<String>,
    /// Numbers are given in order, so that a reader's first entry is the one whose number is the greatest so far.
    last_subscriber: i64,
    subscribers: u64,
    barred: Vec<(i64, String)>,
}

impl Walk {
    /// A walk from the beginning. `endings` are the entries that tell what may be missing: `Erased`, `TakenBack` and `Shortened`.
    ///
    /// # Errors
    /// A wording that is not the one that readers agreed to.
    pub fn new(endings: &[Sealed], wordings: &[([u8; 32], String)]) -> Result<Self, Fault> {
        let mut forgotten = HashMap::new();
        let mut shortened = 0;
        for sealed in endings {
            let number = sealed.entry.number;
            match (sealed.entry.kind, sealed.entry.subscriber) {
                (EventKind::Erased | EventKind::TakenBack, Some(subscriber)) => {
                    forgotten.insert(subscriber, number);
                }
                (EventKind::Shortened, _) => {
                    let details = sealed.details.as_ref().and_then(|opening| Details::parse(&opening.text));
                    let up_to = details.and_then(|details| details.up_to).unwrap_or(0);
                    shortened = shortened.max(up_to.min(number));
                }
                _ => {}
            }
        }
        let mut known = HashSet::new();
        for (name, text) in wordings {
            if digest::sha256_octets(text.as_bytes()) != *name {
                return Err(Fault { number: None, what: "a wording was changed" });
            }
            known.insert(digest::hexadecimal(name));
        }
        Ok(Walk {
            end: ChainEnd { number: 0, digest: [0; 32] },
            forgotten,
            shortened,
            wordings: known,
            last_subscriber: 0,
            subscribers: 0,
            barred: Vec::new(),
        })
    }

    /// Goes on to the next entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn step(&mut self, sealed: &Sealed) -> Result<(), Fault> {
        let entry = &sealed.entry;
        let fault = |what| Err(Fault { number: Some(entry.number), what });
        if entry.number != self.end.number + 1 {
            return Err(Fault { number: Some(self.end.number + 1), what: "an entry is missing" });
        }
        if entry.previous != self.end.digest {
            return fault("the entry does not follow the one before it");
        }
        if entry.digest != entry.sum() {
            return fault("the entry was changed");
        }
        let forgotten =
            entry.subscriber.and_then(|id| self.forgotten.get(&id)).is_some_and(|at| *at > entry.number);
        match &sealed.details {
            Some(opening) if opening.commitment() != entry.details => {
                return fault("its details were changed");
            }
            Some(opening) => self.look_into(entry.number, entry.kind, opening)?,
            None if forgotten => {}
            None => return fault("its details are missing, and its reader was not erased"),
        }
        match (&sealed.ip, entry.ip) {
            (Some(opening), Some(commitment)) if opening.commitment() != commitment => {
                return fault("the address of its machine was changed");
            }
            (Some(_), None) => return fault("it has an address of a machine that it never had"),
            (None, Some(_)) if !forgotten && entry.number > self.shortened => {
                return fault("the address of its machine is missing, and was not shortened");
            }
            _ => {}
        }
        if let Some(SubscriberId(id)) = entry.subscriber.filter(|id| id.0 > self.last_subscriber) {
            self.last_subscriber = id;
            self.subscribers += 1;
        }
        self.end = ChainEnd { number: entry.number, digest: entry.digest };
        Ok(())
    }

    fn look_into(&mut self, number: i64, kind: EventKind, opening: &Opening) -> Result<(), Fault> {
        let Some(details) = Details::parse(&opening.text) else {
            return Err(Fault { number: Some(number), what: "its details cannot be read" });
        };
        if details.wording.is_some_and(|wording| !self.wordings.contains(&wording)) {
            return Err(Fault { number: Some(number), what: "the wording that it names is missing" });
        }
        if kind == EventKind::Erased
            && let Some(barred) = details.barred
        {
            self.barred.push((number, barred));
        }
        Ok(())
    }

    /// Where the walk has come to.
    pub fn end(&self) -> ChainEnd {
        self.end
    }

    /// How many readers there should be.
    pub fn readers(&self) -> u64 {
        self.subscribers.saturating_sub(self.forgotten.len() as u64)
    }

    /// The digests that must bar imports, in hexadecimal digits, each with the entry that says so.
    pub fn barred(&self) -> &[(i64, String)] {
        &self.barred
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(formatter, "entry {number}: {}", self.what),
            None => formatter.write_str(self.what),
        }
    }
}
