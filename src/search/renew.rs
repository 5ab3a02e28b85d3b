//! An index made of the one before it: of the pages that are as they were nothing but the place has to be known, and the
//! postings of a term are taken over as they lie there where all its pages are such, in their old places.

use std::iter::Peekable;

use rayon::prelude::*;

use super::before::{Before, term};
use super::files::Found;
use super::merge::{Merged, Posting, add_posting, add_postings};
use super::terms::{Cursor, ONCE, Weight};
use super::tokens::Key;
use super::varint;

/// How many shards are renewed at a time: the new pages' postings for these alone are in memory.
const AT_ONCE: usize = 32;

/// Hands on all terms in order, many at a time.
pub(super) fn renewed(before: &Before, pages: &[Found<'_>], take: &mut impl FnMut(Merged)) {
    let places = Places::of(before, pages);
    let new = pages.iter().enumerate().filter_map(|(text, page)| match page {
        Found::Terms(terms) => Some((text as u32, terms.cursor().peekable())),
        Found::AsBefore(..) => None,
    });
    let mut cursors: Vec<(u32, Peekable<Cursor<'_>>)> = new.collect();
    // Of an index without terms there is no shard.
    let shards: Vec<(Key, &[u8])> = match before.shards.is_empty() {
        true => vec![(0, &[])],
        false => before.firsts.iter().copied().zip(before.shards.iter().map(Vec::as_slice)).collect(),
    };
    // Each shard reaches to the first term of the next; what sorts before all of them belongs to the first.
    let next = |shard: usize| shards.get(shard).map_or(Key::MAX, |(first, _)| *first);
    for (chunk, some) in shards.chunks(AT_ONCE).enumerate() {
        let start = chunk * AT_ONCE;
        let end = next(start + some.len());
        let of_text = |(text, cursor): &mut (u32, Peekable<Cursor<'_>>)| {
            let before_end = std::iter::from_fn(|| cursor.next_if(|(key, _)| *key < end));
            before_end.map(|(key, weight)| Posting { key, text: *text, weight }).collect::<Vec<_>>()
        };
        let mut new: Vec<Posting> = cursors.par_iter_mut().flat_map_iter(of_text).collect();
        new.par_sort_unstable_by_key(|posting| (posting.key, posting.text));
        let mut rest = new.as_slice();
        let mut of_shards = Vec::with_capacity(some.len());
        for (shard, (first, octets)) in (start..).zip(some) {
            let end = next(shard + 1);
            let (of_shard, after) = rest.split_at(rest.partition_point(|posting| posting.key < end));
            of_shards.push((*first, *octets, of_shard));
            rest = after;
        }
        let renew = |(first, octets, new)| of_shard(first, octets, new, &places);
        let renewed: Vec<Merged> = of_shards.into_par_iter().map(renew).collect();
        renewed.into_iter().for_each(&mut *take);
    }
}

/// Where the pages of the index before stand now.
struct Places {
    /// Each page's place, or [`Places::GONE`].
    now: Vec<u32>,
    /// Whether those that are left stand in the order in which they stood.
    are_in_order: bool,
}

impl Places {
    const GONE: u32 = u32::MAX;

    fn of(before: &Before, pages: &[Found<'_>]) -> Self {
        let mut now = vec![Self::GONE; before.pages];
        for (text, page) in pages.iter().enumerate() {
            if let Found::AsBefore(place, _) = *page {
                now.get_mut(place).into_iter().for_each(|now| *now = text as u32);
            }
        }
        let are_in_order = now.iter().filter(|now| **now != Self::GONE).is_sorted();
        Places { now, are_in_order }
    }

    /// Where a page stands now that stood at a place.
    fn now(&self, before: u32) -> Option<u32> {
        self.now.get(before as usize).copied().filter(|now| *now != Self::GONE)
    }

    /// Whether a page is in its old place.
    fn stays(&self, before: u32) -> bool {
        self.now.get(before as usize) == Some(&before)
    }
}

/// A shard's terms, with the new texts' postings in place of those that are gone.
fn of_shard(first: Key, octets: &[u8], mut new: &[Posting], places: &Places) -> Merged {
    let mut merged = Merged { terms: Vec::new(), postings: Vec::with_capacity(octets.len()) };
    let (mut at, mut key) = (0, first);
    while let Some((step, length)) = term(octets, &mut at) {
        key += step;
        let postings = &octets[at..at + length];
        at += length;
        add_before(Some(key), &mut new, &mut merged);
        let of_key = match new.first() {
            Some(posting) if posting.key == key => take_term(&mut new),
            _ => &[],
        };
        if of_key.is_empty() && Postings::of(postings).all(|(text, _)| places.stays(text)) {
            merged.postings.extend_from_slice(postings);
            merged.terms.push((key, merged.postings.len()));
            continue;
        }
        let start = merged.postings.len();
        if places.are_in_order {
            splice(postings, of_key, places, &mut merged.postings);
        } else {
            let mut all: Vec<(u32, Weight)> = Postings::of(postings)
                .filter_map(|(text, weight)| Some((places.now(text)?, weight)))
                .chain(of_key.iter().map(of_text))
                .collect();
            all.sort_unstable_by_key(|(text, _)| *text);
            add_postings(all, &mut merged.postings);
        }
        if merged.postings.len() > start {
            merged.terms.push((key, merged.postings.len()));
        }
    }
    add_before(None, &mut new, &mut merged);
    merged
}

/// Adds the new terms before a key, or all.
fn add_before(key: Option<Key>, new: &mut &[Posting], merged: &mut Merged) {
    while let Some(posting) = new.first().filter(|posting| key.is_none_or(|key| posting.key < key)) {
        merged.add(posting.key, take_term(new).iter().map(of_text));
    }
}

/// Adds a term's postings with new ones among them, each at its text's place. Whatever lies between texts that stay is
/// copied as it is, for it tells no place but distances.
fn splice(postings: &[u8], new: &[Posting], places: &Places, octets: &mut Vec<u8>) {
    let mut new = new.iter().map(of_text).peekable();
    let mut all = Postings::of(postings);
    // The last text that was read and the last one that was written, counted from one, and from where on nothing was.
    let (mut read, mut written, mut from) = (0, 0, 0);
    let end = loop {
        let start = all.at;
        let Some((text, weight)) = all.next() else { break start };
        if places.stays(text) && read == written && new.peek().is_none_or(|(new, _)| *new > text) {
            (read, written) = (text + 1, text + 1);
            continue;
        }
        octets.extend_from_slice(&postings[from..start]);
        (read, from) = (text + 1, all.at);
        let Some(now) = places.now(text) else { continue };
        while let Some(posting) = new.next_if(|(new, _)| *new < now) {
            written = add_posting(posting, written, octets);
        }
        written = add_posting((now, weight), written, octets);
    };
    octets.extend_from_slice(&postings[from..end]);
    for posting in new {
        written = add_posting(posting, written, octets);
    }
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

/// The postings of a term, as an index has them.
struct Postings<'a> {
    octets: &'a [u8],
    at: usize,
    /// The text before, counted from one.
    before: u32,
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
        // Texts never go back, whatever stands there.
        self.before = self.before.checked_add(u32::try_from(step / 2).ok()?)?;
        let text = self.before.checked_sub(1)?;
        if step & 1 == 0 {
            return Some((text, ONCE));
        }
        let weight = *self.octets.get(self.at)?;
        self.at += 1;
        Some((text, weight))
    }
}
