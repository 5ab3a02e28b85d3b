//! The rows of a list file on their way into the store.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::Read;

use super::refusals::{Refusal, Refusals};
use crate::charset::Charset;
use crate::list::files::{ListFile, ListFileError, ListRow};
use crate::list::{ImportRow, likely_domain};
use crate::model::{EmailAddress, Status};

/// What is known of a file when it has been read once.
pub(super) struct Before {
    /// How many rows it has.
    pub(super) rows: usize,
    /// Who left, by digests of their addresses: a row elsewhere in the file must not make them active.
    left: HashSet<u64>,
    digests: RandomState,
}

/// Reads a file to its end.
///
/// # Errors
/// What leaves no way to read it.
pub(super) fn look_through<R: Read>(file: ListFile<R>) -> Result<Before, ListFileError> {
    let mut before = Before { rows: 0, left: HashSet::new(), digests: RandomState::new() };
    for row in file {
        before.rows += 1;
        if let Ok(row) = row?
            && row.status != Status::Active
        {
            before.left.insert(before.digest(&row.address));
        }
    }
    Ok(before)
}

impl Before {
    fn digest(&self, address: &EmailAddress) -> u64 {
        self.digests.hash_one(address.sameness())
    }

    fn has_left(&self, row: &ListRow) -> bool {
        row.status == Status::Active
            && !self.left.is_empty()
            && self.left.contains(&self.digest(&row.address))
    }
}

/// What has gone by, counted.
#[derive(Default)]
pub(super) struct Seen {
    /// Rows, good and bad.
    pub(super) rows: u64,
    /// Rows of readers who left elsewhere.
    pub(super) inactive: u64,
    /// Addresses of the carriers' old kind.
    pub(super) legacy: u64,
    /// Addresses whose domains were probably mistyped, and the first of them.
    pub(super) mistyped: u64,
    pub(super) slips: Vec<Slip>,
}

/// A domain that was probably mistyped. The row comes in, since the domain may be somebody's.
pub(super) struct Slip {
    pub(super) line: u64,
    pub(super) domain: String,
    pub(super) meant: String,
}

/// How many slips are kept to be told.
const SLIPS: usize = 20;
/// Of how many domains it is remembered whether they are slips: most readers share a few.
const DOMAINS: usize = 4096;

/// The good rows of a file; the bad ones are told.
pub(super) struct Rows<'a, 'b, R> {
    file: ListFile<R>,
    before: Before,
    tags: &'a [String],
    refusals: &'a RefCell<Refusals<'b>>,
    seen: Seen,
    domains: HashMap<String, Option<String>>,
    failure: Option<ListFileError>,
}

impl<'a, 'b, R: Read> Rows<'a, 'b, R> {
    /// `tags` mark every reader.
    pub(super) fn new(
        file: ListFile<R>,
        before: Before,
        tags: &'a [String],
        refusals: &'a RefCell<Refusals<'b>>,
    ) -> Self {
        Rows { file, before, tags, refusals, seen: Seen::default(), domains: HashMap::new(), failure: None }
    }

    /// The file's character set, what went by, and what ended it early.
    pub(super) fn finish(self) -> (Charset, Seen, Option<ListFileError>) {
        (self.file.charset(), self.seen, self.failure)
    }

    /// Counts what is worth telling of a good row.
    fn look_at(&mut self, row: &ListRow) {
        self.seen.inactive += u64::from(row.status != Status::Active);
        self.seen.legacy += u64::from(row.address.is_legacy());
        let domain = row.address.domain();
        if !self.domains.contains_key(domain) {
            if self.domains.len() == DOMAINS {
                self.domains.clear();
            }
            self.domains.insert(domain.to_owned(), likely_domain(domain));
        }
        if let Some(Some(meant)) = self.domains.get(domain) {
            self.seen.mistyped += 1;
            if self.seen.slips.len() < SLIPS {
                let (domain, meant) = (domain.to_owned(), meant.clone());
                self.seen.slips.push(Slip { line: row.line, domain, meant });
            }
        }
    }
}

impl<R: Read> Iterator for Rows<'_, '_, R> {
    type Item = ImportRow;

    fn next(&mut self) -> Option<ImportRow> {
        loop {
            let row = match self.file.next()? {
                Ok(row) => row,
                Err(failure) => {
                    self.failure = Some(failure);
                    return None;
                }
            };
            self.seen.rows += 1;
            let mut refusals = self.refusals.borrow_mut();
            match row {
                Err(bad) => refusals.tell(Refusal {
                    line: bad.line,
                    reason: bad.problem.to_string(),
                    remedy: bad.problem.remedy(),
                    kind: "bad",
                    written: bad.written,
                }),
                Ok(row) if self.before.has_left(&row) => refusals.tell(Refusal {
                    line: row.line,
                    written: row.address.as_str().to_owned(),
                    kind: "left",
                    reason: "another row of the file says that this reader left".to_owned(),
                    remedy: "take out the row that is wrong",
                }),
                Ok(row) => {
                    refusals.note(&row);
                    drop(refusals);
                    self.look_at(&row);
                    let ListRow { line, address, name, mut tags, status } = row;
                    tags.extend(self.tags.iter().cloned());
                    return Some(ImportRow { line, address, name, tags, status });
                }
            }
        }
    }
}
