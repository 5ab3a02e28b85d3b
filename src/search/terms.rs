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
#[derive(Debug, Default)]
pub struct Collector {
    tokens: Tokens,
    /// Each term as often as it was met: its key times two, plus one where that was in the title.
    found: Vec<u64>,
}

impl Collector {
    /// Adds the title.
    pub fn title(&mut self, title: &str) {
        let Collector { tokens, found } = self;
        tokens.push(title, &mut |key| found.push(key << 1 | 1));
        tokens.end(&mut |key| found.push(key << 1 | 1));
    }

    /// Adds words; they go on where the last ones ended.
    pub fn text(&mut self, words: &str) {
        let found = &mut self.found;
        self.tokens.push(words, &mut |key| found.push(key << 1));
    }

    /// Ends a paragraph, a heading, a cell: no word goes on beyond it.
    pub fn end_block(&mut self) {
        let found = &mut self.found;
        self.tokens.end(&mut |key| found.push(key << 1));
    }

    /// The terms of all that was added.
    pub fn finish(mut self) -> Terms {
        self.end_block();
        let length = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        self.found.sort_unstable();
        let mut packed = Vec::with_capacity(self.found.len() * 2);
        let mut last = 0;
        for of_term in self.found.chunk_by(|one, other| one >> 1 == other >> 1) {
            let key = of_term[0] >> 1;
            let count = of_term.len().min(MOST.into()) as Weight;
            // Those in the title come last.
            let weight = count * 2 + of_term.last().map_or(0, |found| found & 1) as Weight;
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
