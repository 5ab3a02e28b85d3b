//! What became of each issue, kept from one build to the next: an issue whose texts, whose place in the magazine and
//! whose settings are the same need not be made again.
//!
//! It is a hint: what cannot be read is made anew. Each record has the issue's number, the fingerprints of all that its
//! files are made of, and what the rest of the build needs to know of it.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::blog::{FileCopy, PageLinks, SearchOrder, Term};
use crate::hash::{HashMap, HashMapExt};
use crate::model::Magazine;
use crate::search::Extent;
use crate::source::IssueSource;
use crate::theme::{Fingerprint, mixed};

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

/// What an issue's files are made of, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    /// What its pages show of the rest of the magazine, with all that pages share.
    pub(super) around: Fingerprint,
    /// Its own texts.
    pub(super) texts: Fingerprint,
}

impl Key {
    /// Of what is to be made again in any case: no texts have such a fingerprint.
    pub(super) const NEVER: Key = Key { around: 0, texts: 0 };
}

/// The fingerprint of an issue's texts.
pub(super) fn of_texts(source: &IssueSource) -> Fingerprint {
    let files = source.files().iter().flat_map(|file| [file.path.as_bytes(), &file.digest]);
    mixed("texts", &files.collect::<Vec<_>>()).max(1)
}

/// The fingerprint of all that is published but for the texts: where it is the same, pages show the same of each other. Old
/// addresses are no part of it, for what they lead to is made in every build.
pub(super) fn of_magazine(magazine: &Magazine) -> Option<Fingerprint> {
    fn of(octets: &mut Vec<u8>, what: &impl Serialize) -> Option<Fingerprint> {
        octets.clear();
        *octets = postcard::to_extend(what, std::mem::take(octets)).ok()?;
        Some(mixed("published", &[octets]))
    }
    let Magazine { issues, posts, pages } = magazine;
    let counts = [issues.len(), posts.len()].map(|count| count as u64);
    let issues = issues.par_iter().map_init(Vec::new, of);
    let posts = posts.par_iter().map_init(Vec::new, of);
    let pages = pages.par_iter().map_init(Vec::new, of);
    let all: Vec<Fingerprint> = issues.chain(posts).chain(pages).collect::<Option<_>>()?;
    let octets: Vec<u8> = counts.into_iter().chain(all).flat_map(u64::to_le_bytes).collect();
    Some(mixed("magazine", &[&octets]))
}

/// A page that gathers others, and a fingerprint of all that it was made of.
pub(super) type Gathering = (String, Fingerprint);

/// What is left of all issues together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct OfAll {
    /// What all pages share.
    pub(super) standing: Fingerprint,
    /// All that was published but for the texts, with all that pages share.
    pub(super) magazine: Option<Fingerprint>,
    /// The pages that gather others.
    pub(super) gathering: Vec<Gathering>,
    /// What the index of the search tells of.
    pub(super) search: SearchOrder,
}

/// The build before.
#[derive(Debug, Default)]
pub(super) struct Works {
    octets: Vec<u8>,
    standing: Fingerprint,
    magazine: Option<Fingerprint>,
    /// The pages that gather others, by their paths in the blog's folder.
    gathering: HashMap<String, Fingerprint>,
    /// What its index of the search tells of.
    pub(super) search: SearchOrder,
    issues: HashMap<u32, (Key, Place)>,
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
        let Ok((OfAll { standing, magazine, gathering, search }, after)) = postcard::take_from_bytes(&octets)
        else {
            return Works::default();
        };
        let mut start = octets.len() - after.len();
        while let Ok(((number, key, length), after)) =
            postcard::take_from_bytes::<(u32, Key, usize)>(&octets[start..])
        {
            let head = octets.len() - start - after.len();
            let Some(end) = (start + head).checked_add(length).filter(|end| *end <= octets.len()) else {
                break;
            };
            issues.insert(number, (key, Place { record: start..end, work: head }));
            start = end;
        }
        Works { standing, magazine, gathering: gathering.into_iter().collect(), search, octets, issues }
    }

    /// Whether anything is known of any issue.
    pub(super) fn has_issues(&self) -> bool {
        !self.issues.is_empty()
    }

    /// Whether all that pages share is what it was.
    pub(super) fn share(&self, standing: Fingerprint) -> bool {
        self.standing == standing
    }

    /// Whether all that is published, but for the texts, is what it was.
    pub(super) fn is_of(&self, magazine: Fingerprint) -> bool {
        self.magazine == Some(magazine)
    }

    /// What the page at a path of the blog's folder was made of, if it gathers others.
    pub(super) fn gathered(&self, path: &str) -> Option<Fingerprint> {
        self.gathering.get(path).copied()
    }

    /// What was made of an issue, if it was made of these texts, and its pages showed what is `around` it; none where that
    /// is known to be the same. With it comes its record.
    pub(super) fn of(
        &self,
        number: u32,
        texts: Fingerprint,
        around: Option<Fingerprint>,
    ) -> Option<(IssueWork, Record<'_>)> {
        let (of_before, Place { record, work }) = self.issues.get(&number)?;
        if of_before.texts != texts || around.is_some_and(|around| of_before.around != around) {
            return None;
        }
        let octets = &self.octets[record.clone()];
        let made = postcard::from_bytes(&octets[*work..]).ok()?;
        Some((made, octets.into()))
    }

    /// The files that were made of an issue, whatever of.
    pub(super) fn files_of(&self, number: u32) -> Vec<String> {
        let octets =
            self.issues.get(&number).map(|(_, Place { record, work })| &self.octets[record.clone()][*work..]);
        let made = octets.and_then(|octets| postcard::from_bytes::<IssueWork>(octets).ok());
        made.map_or_else(Vec::new, |made| made.files)
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
pub(super) fn record(number: u32, key: Key, made: &IssueWork) -> Record<'static> {
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
        let key = |around, texts| Key { around, texts };
        let records = [record(9, key(3, 8), &nine), record(10, key(3, 7), &ten)];
        let gathering = vec![("tags/".to_owned(), 3), ("archive/".to_owned(), 4)];
        let of_all =
            OfAll { standing: 6, magazine: Some(5), gathering, search: vec![None, Some(9), Some(10)] };
        let octets = [of_all.into_octets(), records.concat()].concat();
        let works = Works::read(octets.clone());
        assert_eq!(works.search, [None, Some(9), Some(10)]);
        assert!(works.share(6) && !works.share(5));
        assert_eq!((works.files_of(10), works.files_of(8)), (vec!["mail/010.txt".to_owned()], Vec::new()));
        assert!(works.is_of(5) && !works.is_of(6));
        let kept = |number, texts, around| works.of(number, texts, around).map(|(work, _)| work);
        assert_eq!(kept(10, 7, Some(3)), Some(ten.clone()));
        assert_eq!(kept(10, 7, None), Some(ten.clone()));
        assert_eq!(kept(9, 8, Some(3)), Some(nine));
        assert_eq!((kept(9, 7, None), kept(8, 8, None), kept(9, 8, Some(4))), (None, None, None));
        assert_eq!(
            ["tags/", "archive/", "posts/"].map(|path| works.gathered(path)),
            [Some(3), Some(4), None]
        );
        let (_, record) = works.of(10, 7, None).unwrap();
        assert!(octets.ends_with(&record));
        for length in 0..octets.len() {
            let cut = Works::read(octets[..length].to_vec());
            assert!(cut.of(10, 7, None).is_none());
        }
        assert!(Works::read(b"what is this".to_vec()).issues.len() <= 2);
    }
}
