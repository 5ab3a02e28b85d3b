//! The index that was made before, of which another is made.

use rayon::prelude::*;

use super::files::{DIRECTORY, directory, shard_path};
use super::tokens::Key;
use super::varint;

/// The terms of an index and their postings, as its files hold them.
#[derive(Debug, Default)]
pub struct Before {
    /// The first term of each shard.
    pub(super) firsts: Vec<Key>,
    pub(super) shards: Vec<Vec<u8>>,
    /// How many pages it has.
    pub(super) pages: usize,
}

impl Before {
    /// Reads the index whose files `left` gives by their paths; none where it is none of this version.
    pub fn read(left: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync)) -> Option<Before> {
        let (firsts, pages) = directory(&left(DIRECTORY)?)?;
        let shard = |number: usize| {
            let octets = left(&shard_path(number))?;
            let next = firsts.get(number + 1).copied().unwrap_or(Key::MAX);
            holds_terms(&octets, firsts[number], next).then_some(octets)
        };
        let shards = (0..firsts.len()).into_par_iter().map(shard).collect::<Option<_>>()?;
        Some(Before { firsts, shards, pages })
    }

    /// How many pages it has.
    pub fn pages(&self) -> usize {
        self.pages
    }
}

/// Whether a shard is made of terms between its first one and the first of the next shard.
fn holds_terms(shard: &[u8], first: Key, next: Key) -> bool {
    let mut at = 0;
    let mut key = first;
    while at < shard.len() {
        let Some((step, postings)) = term(shard, &mut at) else { return false };
        key = match key.checked_add(step) {
            Some(key) if key < next => key,
            _ => return false,
        };
        at += postings;
    }
    true
}

/// The distance of the term at a place of a shard to the one before it, and how many octets of postings it has, which
/// follow; moves the place to them. None where no term lies.
pub(super) fn term(shard: &[u8], at: &mut usize) -> Option<(Key, usize)> {
    let step = varint::read(shard, at)?;
    let postings = usize::try_from(varint::read(shard, at)?).ok()?;
    (postings <= shard.len() - *at).then_some((step, postings))
}
