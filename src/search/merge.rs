//! Terms by text to texts by term.
//!
//! The keys are parted into ranges that hold about as many terms each. Every text is in order already, so that one place
//! in each, moved on from range to range, reads it once; the terms of a range are few enough to be put in order in the
//! processor's cache, several ranges side by side.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rayon::prelude::*;

use super::terms::{Cursor, ONCE, Terms, Weight};
use super::tokens::Key;
use super::varint;

/// How many octets of packed terms a range has, about: a 64th of all, within these.
const SMALLEST: usize = 32 << 10;
const LARGEST: usize = 256 << 10;
/// How many texts are moved on together; others side by side with them.
const TEXTS: usize = 512;
/// How many ranges are in memory at a time.
const AT_ONCE: usize = 4;
/// From how many texts it is told where the ranges end.
const SAMPLES: usize = 64;

/// Some terms in order, each with the texts that hold it.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// Each term, and where its postings end.
    pub(super) terms: Vec<(Key, usize)>,
    /// The postings of all terms: the distance to the last text times two, plus one where a [`Weight`] follows that is
    /// not the usual one.
    pub(super) postings: Vec<u8>,
}

impl Merged {
    /// Adds a term, which comes after all others, with the texts that hold it in their order.
    pub(super) fn add(&mut self, key: Key, texts: impl IntoIterator<Item = (u32, Weight)>) {
        add_postings(texts, &mut self.postings);
        self.terms.push((key, self.postings.len()));
    }
}

/// Adds the postings of a term, which are in the order of the texts.
pub(super) fn add_postings(texts: impl IntoIterator<Item = (u32, Weight)>, octets: &mut Vec<u8>) {
    texts.into_iter().fold(0, |before, posting| add_posting(posting, before, octets));
}

/// Adds a posting behind one of the text `before`, counted from one; gives its own text so.
pub(super) fn add_posting((text, weight): (u32, Weight), before: u32, octets: &mut Vec<u8>) -> u32 {
    let distance = u64::from(text + 1 - before);
    varint::push(octets, distance * 2 + u64::from(weight != ONCE));
    if weight != ONCE {
        octets.push(weight);
    }
    text + 1
}

/// Hands on all terms of the texts in order, many at a time.
pub(super) fn merge(texts: &[&Terms], take: &mut impl FnMut(Merged)) {
    let mut cursors: Vec<Ahead<'_>> = texts.iter().map(|terms| Ahead::new(terms)).collect();
    for ends in range_ends(texts).chunks(AT_ONCE) {
        let of_texts = cursors
            .par_chunks_mut(TEXTS)
            .enumerate()
            .map(|(chunk, cursors)| ends.iter().map(|&end| up_to(cursors, chunk * TEXTS, end)).collect());
        let of_texts: Vec<Vec<Vec<Posting>>> = of_texts.collect();
        let of_range =
            |range: usize| in_order(&of_texts.iter().map(|ranges| &*ranges[range]).collect::<Vec<_>>());
        let merged: Vec<Merged> = (0..ends.len()).into_par_iter().map(of_range).collect();
        merged.into_iter().for_each(&mut *take);
    }
}

/// A place in a text's terms, and the term there.
struct Ahead<'a> {
    rest: Cursor<'a>,
    next: Option<(Key, Weight)>,
}

impl<'a> Ahead<'a> {
    fn new(terms: &'a Terms) -> Self {
        let mut rest = terms.cursor();
        let next = rest.next();
        Ahead { rest, next }
    }
}

/// That a text holds a term.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) key: Key,
    pub(super) text: u32,
    pub(super) weight: Weight,
}

/// The last keys of the ranges.
fn range_ends(texts: &[&Terms]) -> Vec<Key> {
    let octets: usize = texts.iter().map(|terms| terms.packed.len()).sum();
    let ranges = octets / (octets / 64).clamp(SMALLEST, LARGEST) + 1;
    let step = texts.len() / SAMPLES + 1;
    let mut sample: Vec<Key> =
        texts.iter().step_by(step).flat_map(|terms| terms.cursor()).map(|(key, _)| key).collect();
    sample.sort_unstable();
    let mut ends: Vec<Key> =
        (1..ranges).filter_map(|range| sample.get(sample.len() * range / ranges)).copied().collect();
    ends.dedup();
    ends.push(Key::MAX);
    ends
}

/// Moves the cursors of the texts from `first` on behind `end`.
fn up_to(cursors: &mut [Ahead<'_>], first: usize, end: Key) -> Vec<Posting> {
    let mut postings = Vec::new();
    for (text, cursor) in (first..).zip(cursors) {
        while let Some((key, weight)) = cursor.next.filter(|&(key, _)| key <= end) {
            postings.push(Posting { key, text: text as u32, weight });
            cursor.next = cursor.rest.next();
        }
    }
    postings
}

/// Postings by text to postings by term.
fn in_order(of_texts: &[&[Posting]]) -> Merged {
    let length = of_texts.iter().map(|postings| postings.len()).sum();
    let postings = || of_texts.iter().copied().flatten();
    // Each term's number, by its first appearance, and how many texts hold it.
    let mut numbers: HashMap<Key, u32, BuildHasherDefault<KeyHasher>> = HashMap::default();
    let mut counts: Vec<u32> = Vec::new();
    let mut of_posting: Vec<u32> = Vec::with_capacity(length);
    for posting in postings() {
        let number = *numbers.entry(posting.key).or_insert_with(|| {
            counts.push(0);
            counts.len() as u32 - 1
        });
        counts[number as usize] += 1;
        of_posting.push(number);
    }
    let mut keys: Vec<(Key, u32)> = numbers.into_iter().collect();
    keys.sort_unstable();

    // Where each term's texts begin, then those texts.
    let mut places: Vec<u32> = vec![0; counts.len()];
    let mut place = 0;
    for &(_, number) in &keys {
        places[number as usize] = place;
        place += counts[number as usize];
    }
    let mut sorted: Vec<(u32, Weight)> = vec![(0, 0); length];
    for (posting, number) in postings().zip(of_posting) {
        let place = &mut places[number as usize];
        sorted[*place as usize] = (posting.text, posting.weight);
        *place += 1;
    }

    let mut merged =
        Merged { terms: Vec::with_capacity(keys.len()), postings: Vec::with_capacity(length + length / 2) };
    let mut rest = &sorted[..];
    for (key, number) in keys {
        let (texts, others) = rest.split_at(counts[number as usize] as usize);
        rest = others;
        merged.add(key, texts.iter().copied());
    }
    merged
}

/// Keys are spread well enough by one product; nobody chooses them to do harm.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        octets.iter().for_each(|&octet| self.write_u64(self.0 ^ u64::from(octet)));
    }

    fn write_u64(&mut self, key: u64) {
        let product = u128::from(key) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}
