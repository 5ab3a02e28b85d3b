//! What became of each issue, kept from one build to the next: an issue whose texts, whose place in the magazine and
//! whose settings are the same need not be made again.
//!
//! It is a hint: what cannot be read is made anew. Each record has the issue's number, the fingerprint of all that its
//! files are made of, and what the rest of the build needs to know of it.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::blog::{FileCopy, PageLinks, SearchOrder, Term};
use crate::hash::{HashMap, HashMapExt};
use crate::search::Extent;
use crate::theme::Fingerprint;

/// The name under which they are left in the output folder.
pub(super) const NAME: &str = "works";

/// What was made of an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IssueWork {
    /// How much the search finds in each of its texts.
    pub(super) found: Vec<Extent>,
    /// Its files, by their paths in `dist/`.
    pub(super) files: Vec<String>,
    /// What they need beside them.
    pub(super) copies: Vec<FileCopy>,
    /// What its texts link to.
    pub(super) links: Vec<PageLinks>,
    /// Its articles' words for the index of terms, by the articles' places.
    pub(super) terms: Vec<(usize, Vec<Term>)>,
}

/// A page that gathers others, and a fingerprint of all that it was made of.
pub(super) type Gathering = (String, Fingerprint);

/// What is left of all issues together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OfAll {
    /// The pages that gather others.
    pub(super) gathering: Vec<Gathering>,
    /// What the index of the search tells of.
    pub(super) search: SearchOrder,
}

/// The build before.
#[derive(Debug, Default)]
pub(super) struct Works {
    octets: Vec<u8>,
    /// The pages that gather others, by their paths in the blog's folder.
    gathering: HashMap<String, Fingerprint>,
    /// What its index of the search tells of.
    pub(super) search: SearchOrder,
    issues: HashMap<u32, (Fingerprint, Place)>,
}

/// Where a record lies, and its work in it.
#[derive(Clone, Debug)]
struct Place {
    record: Range<usize>,
    work: usize,
}

/// An issue's record, as it is left for the next build.
pub(super) type Record<'a> = Cow<'a, [u8]>;

impl Works {
    /// Reads what [`OfAll::into_octets`] makes and the records that were left one after the other behind it, as far as they are that.
    pub(super) fn read(octets: Vec<u8>) -> Works {
        let mut issues = HashMap::new();
        let Ok((OfAll { gathering, search }, after)) = postcard::take_from_bytes(&octets) else {
            return Works::default();
        };
        let mut start = octets.len() - after.len();
        while let Ok(((number, key, length), after)) =
            postcard::take_from_bytes::<(u32, Fingerprint, usize)>(&octets[start..])
        {
            let head = octets.len() - start - after.len();
            let Some(end) = (start + head).checked_add(length).filter(|end| *end <= octets.len()) else {
                break;
            };
            issues.insert(number, (key, Place { record: start..end, work: head }));
            start = end;
        }
        Works { gathering: gathering.into_iter().collect(), search, octets, issues }
    }

    /// Whether anything is known of any issue.
    pub(super) fn has_issues(&self) -> bool {
        !self.issues.is_empty()
    }

    /// Whether the page at a path of the blog's folder gathers others and was made of what `key` stands for.
    pub(super) fn has_gathered(&self, path: &str, key: Fingerprint) -> bool {
        self.gathering.get(path) == Some(&key)
    }

    /// What was made of an issue, if it was made of what `key` stands for, with its record.
    pub(super) fn of(&self, number: u32, key: Fingerprint) -> Option<(IssueWork, Record<'_>)> {
        let (of_before, Place { record, work }) = self.issues.get(&number)?;
        if *of_before != key {
            return None;
        }
        let octets = &self.octets[record.clone()];
        let made = postcard::from_bytes(&octets[*work..]).ok()?;
        Some((made, octets.into()))
    }
}

impl OfAll {
    /// As it is left for the next build.
    pub(super) fn into_octets(mut self) -> Vec<u8> {
        self.gathering.sort_unstable();
        postcard::to_stdvec(&self).unwrap_or_default()
    }
}

/// The record of an issue that was made of what `key` stands for.
pub(super) fn record(number: u32, key: Fingerprint, made: &IssueWork) -> Record<'static> {
    let made = postcard::to_stdvec(made).unwrap_or_default();
    let head = postcard::to_stdvec(&(number, key, made.len())).unwrap_or_default();
    [head, made].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search;

    #[test]
    fn what_was_made_is_found_again_while_it_is_made_of_the_same() {
        let work = |name: &str| IssueWork {
            found: vec![search::terms(name, &[], []).extent(), Extent::default()],
            files: vec![name.to_owned()],
            ..IssueWork::default()
        };
        let (ten, nine) = (work("mail/010.txt"), work("mail/009.txt"));
        let records = [record(9, 8, &nine), record(10, 7, &ten)];
        let gathering = vec![("tags/".to_owned(), 3), ("archive/".to_owned(), 4)];
        let of_all = OfAll { gathering, search: vec![None, Some(9), Some(10)] };
        let octets = [of_all.into_octets(), records.concat()].concat();
        let works = Works::read(octets.clone());
        assert_eq!(works.search, [None, Some(9), Some(10)]);
        let kept = |number, key| works.of(number, key).map(|(work, _)| work);
        assert_eq!(kept(10, 7), Some(ten.clone()));
        assert_eq!(kept(9, 8), Some(nine));
        assert_eq!((kept(9, 7), kept(8, 8)), (None, None));
        assert!(works.has_gathered("tags/", 3) && works.has_gathered("archive/", 4));
        assert!(!works.has_gathered("tags/", 4) && !works.has_gathered("posts/", 3));
        let (_, record) = works.of(10, 7).unwrap();
        assert!(octets.ends_with(&record));
        for length in 0..octets.len() {
            let cut = Works::read(octets[..length].to_vec());
            assert!(cut.of(10, 7).is_none());
        }
        assert!(Works::read(b"what is this".to_vec()).issues.len() <= 2);
    }
}
