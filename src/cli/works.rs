//! What became of each issue, kept from one build to the next: an issue whose texts, whose place in the magazine and
//! whose settings are the same need not be made again.
//!
//! It is a hint: what cannot be read is made anew. Each record has the issue's number, the fingerprint of all that its
//! files are made of, and what the rest of the build needs to know of it.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::blog::{FileCopy, PageLinks, Term};
use crate::search::Terms;
use crate::theme::Fingerprint;

/// The name under which they are left in the output folder.
pub(super) const NAME: &str = "works";

/// What was made of an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IssueWork {
    /// Its files, by their paths in `dist/`.
    pub(super) files: Vec<String>,
    /// What they need beside them.
    pub(super) copies: Vec<FileCopy>,
    /// What its texts link to.
    pub(super) links: Vec<PageLinks>,
    /// What the search finds in it.
    pub(super) found: Vec<Terms>,
    /// Its articles' words for the index of terms, by the articles' places.
    pub(super) terms: Vec<(usize, Vec<Term>)>,
}

/// The issues of the build before.
#[derive(Debug, Default)]
pub(super) struct Works {
    octets: Vec<u8>,
    issues: HashMap<u32, (Fingerprint, Range<usize>)>,
}

impl Works {
    /// Reads what [`written`] wrote, as far as it is that.
    pub(super) fn read(octets: Vec<u8>) -> Works {
        let mut issues = HashMap::new();
        let mut rest = octets.as_slice();
        while let Ok(((number, key, length), after)) =
            postcard::take_from_bytes::<(u32, Fingerprint, usize)>(rest)
        {
            let start = octets.len() - after.len();
            let Some(next) = after.get(length..) else { break };
            issues.insert(number, (key, start..start + length));
            rest = next;
        }
        Works { octets, issues }
    }

    /// What was made of an issue, if it was made of what `key` stands for.
    pub(super) fn of(&self, number: u32, key: Fingerprint) -> Option<IssueWork> {
        let (of_before, range) = self.issues.get(&number)?;
        if *of_before != key {
            return None;
        }
        postcard::from_bytes(&self.octets[range.clone()]).ok()
    }
}

/// An issue's record.
pub(super) fn record(number: u32, key: Fingerprint, work: &IssueWork) -> Vec<u8> {
    let work = postcard::to_stdvec(work).unwrap_or_default();
    let mut record = postcard::to_stdvec(&(number, key, work.len())).unwrap_or_default();
    record.extend_from_slice(&work);
    record
}

/// All records as they are left, in the order of the issues' numbers.
pub(super) fn written(mut records: Vec<(u32, Vec<u8>)>) -> Vec<u8> {
    records.sort_unstable_by_key(|(number, _)| *number);
    let mut octets = Vec::with_capacity(records.iter().map(|(_, record)| record.len()).sum());
    for (_, record) in records {
        octets.extend_from_slice(&record);
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_found_again_while_it_is_made_of_the_same() {
        let work = |name: &str| IssueWork { files: vec![name.to_owned()], ..IssueWork::default() };
        let (ten, nine) = (work("mail/010.txt"), work("mail/009.txt"));
        let octets = written(vec![(10, record(10, 7, &ten)), (9, record(9, 8, &nine))]);
        let works = Works::read(octets.clone());
        assert_eq!(works.of(10, 7), Some(ten));
        assert_eq!(works.of(9, 8), Some(nine));
        assert_eq!((works.of(9, 7), works.of(8, 8)), (None, None));
        for length in 0..octets.len() {
            let cut = Works::read(octets[..length].to_vec());
            assert!(cut.of(10, 7).is_none());
        }
        assert!(Works::read(b"what is this".to_vec()).issues.len() <= 2);
    }
}
