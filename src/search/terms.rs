//! The terms of one text, as they are kept until all texts are known.

use serde::{Deserialize, Serialize};

use super::tokens::{Key, Tokens};
use super::{varint, visible};
use crate::model::Document;

/// What a text holds: every term once, with how often it stands there and whether it is in the title.
///
/// Some three octets a term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// How many terms the text has, repeated ones included.
    pub(super) length: u32,
    /// The terms in order of their keys: the distance to the last key times two, plus one where a [`Weight`] other than
    /// the usual one follows.
    pub(super) packed: Vec<u8>,
}

/// How much a text holds: all that has to be known of it to index it again as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How many terms the text has, repeated ones included.
    pub(super) length: u32,
    /// How many octets its [`Terms`] take.
    pub(super) octets: u32,
}

/// How often a term stands in a text, times two, plus one where it is in the title.
pub(super) type Weight = u8;
/// Once, and not in the title.
pub(super) const ONCE: Weight = 2;
const MOST: Weight = 127;

/// The terms of a page: its title, what else stands at its head (author, corner, tags), and its texts.
pub fn terms<'a>(title: &str, head: &[&str], texts: impl IntoIterator<Item = &'a Document>) -> Terms {
    let mut collector = Collector::default();
    collector.title(title);
    for words in head {
        collector.text(words);
        collector.end_block();
    }
    for document in texts {
        visible::for_each_run(document, &mut |piece| match piece {
            visible::Run::Words(words) => collector.text(words),
            visible::Run::End => collector.end_block(),
        });
    }
    collector.finish()
}

/// Gathers the terms of a text that comes in pieces.
#[derive(Debug)]
pub struct Collector {
    tokens: Tokens,
    counts: Counts,
}

impl Default for Collector {
    fn default() -> Self {
        Collector { tokens: Tokens::default(), counts: Counts::new() }
    }
}

impl Collector {
    /// Adds the title.
    pub fn title(&mut self, title: &str) {
        let Collector { tokens, counts } = self;
        tokens.push(title, &mut |key| counts.add(key, true));
        tokens.end(&mut |key| counts.add(key, true));
    }

    /// Adds words; they go on where the last ones ended.
    pub fn text(&mut self, words: &str) {
        let counts = &mut self.counts;
        self.tokens.push(words, &mut |key| counts.add(key, false));
    }

    /// Ends a paragraph, a heading, a cell: no word goes on beyond it.
    pub fn end_block(&mut self) {
        let counts = &mut self.counts;
        self.tokens.end(&mut |key| counts.add(key, false));
    }

    /// The terms of all that was added.
    pub fn finish(mut self) -> Terms {
        self.end_block();
        let length = self.counts.length;
        let terms = self.counts.in_order();
        let mut packed = Vec::with_capacity(terms.len() * 3 + terms.len() / 2);
        let mut last = 0;
        for term in terms {
            let (key, weight) = (term >> WEIGHT_BITS, term as Weight);
            varint::push(&mut packed, (key - last) * 2 + u64::from(weight != ONCE));
            if weight != ONCE {
                packed.push(weight);
            }
            last = key;
        }
        packed.shrink_to_fit();
        Terms { length, packed }
    }
}

/// A table of terms without a grain of what general maps need: keys are numbers, and nothing is ever taken out.
#[derive(Debug)]
struct Counts {
    /// Terms by their keys' hashes, each with its weight in one number; 0 where none is. A power of two of them, at most
    /// half of them used.
    slots: Vec<u64>,
    used: usize,
    length: u32,
}

/// The bits of a weight below its key; no key has more than 53.
const WEIGHT_BITS: u32 = Weight::BITS;

impl Counts {
    fn new() -> Self {
        Counts { slots: vec![0; 4096], used: 0, length: 0 }
    }

    #[inline]
    fn add(&mut self, key: Key, in_title: bool) {
        self.length = self.length.saturating_add(1);
        let mut slot = self.slot(key);
        loop {
            match self.slots[slot] {
                0 => break,
                term if term >> WEIGHT_BITS == key => {
                    let weight = term as Weight;
                    let count = (weight / 2 + 1).min(MOST);
                    self.slots[slot] = packed(key, count * 2 + (weight & 1 | u8::from(in_title)));
                    return;
                }
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
        self.slots[slot] = packed(key, ONCE + u8::from(in_title));
        self.used += 1;
        if self.used * 2 > self.slots.len() {
            self.grow();
        }
    }

    fn slot(&self, key: Key) -> usize {
        // Fibonacci hashing: the upper bits of a product with the golden ratio.
        let bits = self.slots.len().trailing_zeros();
        (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 4];
        let terms = std::mem::replace(&mut self.slots, larger);
        for term in terms.into_iter().filter(|term| *term != 0) {
            let mut slot = self.slot(term >> WEIGHT_BITS);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = term;
        }
    }

    /// Every term once, in order of the keys.
    fn in_order(mut self) -> Vec<u64> {
        self.slots.retain(|term| *term != 0);
        self.slots.sort_unstable();
        self.slots
    }
}

fn packed(key: Key, weight: Weight) -> u64 {
    key << WEIGHT_BITS | u64::from(weight)
}

/// The terms of a text in order of their keys.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    packed: &'a [u8],
    at: usize,
    last: Key,
}

impl Terms {
    /// How much the text holds.
    pub fn extent(&self) -> Extent {
        Extent { length: self.length, octets: u32::try_from(self.packed.len()).unwrap_or(u32::MAX) }
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor { packed: &self.packed, at: 0, last: 0 }
    }
}

impl Iterator for Cursor<'_> {
    type Item = (Key, Weight);

    #[inline]
    fn next(&mut self) -> Option<(Key, Weight)> {
        let step = varint::read(self.packed, &mut self.at)?;
        self.last = self.last.wrapping_add(step / 2);
        if step & 1 == 0 {
            return Some((self.last, ONCE));
        }
        let weight = *self.packed.get(self.at)?;
        self.at += 1;
        Some((self.last, weight))
    }
}
