//! An index of which few pages have changed, made of the one before it: the postings of a term that no changed page
//! holds, or held, are taken over as they lie there.

use std::ops::Range;

use rayon::prelude::*;

use super::merge::{Merged, Posting};
use super::terms::{ONCE, Terms, Weight};
use super::tokens::Key;
use super::varint;

/// The terms of all texts in order, of the shards of an index of the same texts as they were before, and of the first
/// term of each shard. `is_new` says of each text whether its terms may be others than they were. None when the shards are
/// not what an index is made of.
pub(super) fn renewed(
    (firsts, shards): (&[Key], &[Vec<u8>]),
    texts: &[&Terms<'_>],
    is_new: &[bool],
) -> Option<Vec<Merged>> {
    let mut new: Vec<Posting> = Vec::new();
    for (text, terms) in texts.iter().enumerate().filter(|(text, _)| is_new[*text]) {
        new.extend(terms.cursor().map(|(key, weight)| Posting { key, text: text as u32, weight }));
    }
    new.sort_unstable_by_key(|posting| (posting.key, posting.text));
    // Each shard reaches to the first term of the next; what sorts before all of them belongs to the first.
    let mut rest = new.as_slice();
    let mut of_shards = Vec::with_capacity(shards.len());
    for (shard, octets) in shards.iter().enumerate() {
        let next = firsts.get(shard + 1).copied().unwrap_or(Key::MAX);
        let (of_shard, after) = rest.split_at(rest.partition_point(|posting| posting.key < next));
        of_shards.push((*firsts.get(shard)?..next, octets.as_slice(), of_shard));
        rest = after;
    }
    let renew = |(keys, octets, new)| of_shard(keys, octets, new, is_new);
    if rest.is_empty() { of_shards.into_par_iter().map(renew).collect() } else { None }
}

/// A shard's terms, with the new texts' postings in place of those that they had before.
fn of_shard(keys: Range<Key>, octets: &[u8], mut new: &[Posting], is_new: &[bool]) -> Option<Merged> {
    let mut merged = Merged { terms: Vec::new(), postings: Vec::with_capacity(octets.len()) };
    let (mut at, mut key) = (0, keys.start);
    while at < octets.len() {
        key = varint::read(octets, &mut at)?.checked_add(key).filter(|key| *key < keys.end)?;
        let length = usize::try_from(varint::read(octets, &mut at)?).ok()?;
        let postings = octets.get(at..at.checked_add(length)?)?;
        at += length;
        while let Some(posting) = new.first().filter(|posting| posting.key < key) {
            merged.add(posting.key, take_term(&mut new).iter().map(of_text));
        }
        let of_key = match new.first() {
            Some(posting) if posting.key == key => take_term(&mut new),
            _ => &[],
        };
        if of_key.is_empty() && !holds_new(postings, is_new)? {
            merged.postings.extend_from_slice(postings);
            merged.terms.push((key, merged.postings.len()));
            continue;
        }
        let of_others = Postings::of(postings).filter(|&(text, _)| !is_new[text as usize]);
        let mut all: Vec<(u32, Weight)> = of_others.chain(of_key.iter().map(of_text)).collect();
        // Two runs, each in order: this sort finds them, and merges them.
        all.sort_by_key(|(text, _)| *text);
        if !all.is_empty() {
            merged.add(key, all);
        }
    }
    while let Some(posting) = new.first() {
        merged.add(posting.key, take_term(&mut new).iter().map(of_text));
    }
    Some(merged)
}

fn of_text(posting: &Posting) -> (u32, Weight) {
    (posting.text, posting.weight)
}

/// Takes the postings of the first term.
fn take_term<'a>(postings: &mut &'a [Posting]) -> &'a [Posting] {
    let is_next = |pair: &[Posting]| pair[0].key != pair[1].key;
    let end = postings.windows(2).position(is_next).map_or(postings.len(), |last| last + 1);
    let (of_term, rest) = postings.split_at(end);
    *postings = rest;
    of_term
}

/// Whether a new text is among some postings; none when they name a text that there is not.
fn holds_new(postings: &[u8], is_new: &[bool]) -> Option<bool> {
    let mut holds = false;
    for (text, _) in Postings::of(postings) {
        holds |= *is_new.get(text as usize)?;
    }
    Some(holds)
}

/// The postings of a term, as an index has them.
struct Postings<'a> {
    octets: &'a [u8],
    at: usize,
    /// The text before, counted from one.
    before: u64,
}

impl<'a> Postings<'a> {
    fn of(octets: &'a [u8]) -> Self {
        Postings { octets, at: 0, before: 0 }
    }
}

impl Iterator for Postings<'_> {
    type Item = (u32, Weight);

    #[inline]
    fn next(&mut self) -> Option<(u32, Weight)> {
        let step = varint::read(self.octets, &mut self.at)?;
        self.before = self.before.wrapping_add(step / 2);
        let text = u32::try_from(self.before.wrapping_sub(1)).unwrap_or(u32::MAX);
        if step & 1 == 0 {
            return Some((text, ONCE));
        }
        let weight = *self.octets.get(self.at)?;
        self.at += 1;
        Some((text, weight))
    }
}
