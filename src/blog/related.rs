//! Which articles and posts a reader of one may want next: those that share its tags or its corner.

use chrono::NaiveDate;

use super::Site;
use super::labels::{Entry, Label, Mark};

/// How many are shown.
const SHOWN: usize = 4;

/// How far from an entry, in each direction, its tags are searched: a page then costs the same however many a tag has,
/// and a new issue changes only pages near to it.
const NEAR: usize = 16;

impl Site<'_> {
    /// At most four articles and posts that share tags or the corner with one, the closest first: rare names weigh
    /// more than common ones, and of equals the newest comes first. What stands beside it in its issue or corner is not
    /// among them, for the page shows it anyway.
    pub(super) fn related(&self, of: Entry) -> Vec<Entry> {
        let mut near: Vec<Packed> = Vec::new();
        let mut beside: Vec<Entry> = Vec::new();
        for &mark in self.index.marks(of) {
            let Label { entries, packed, .. } = self.index.label(mark);
            let weight = weight(entries.len(), self.index.texts);
            let (from, to) = (mark.place().saturating_sub(NEAR), entries.len().min(mark.place() + NEAR + 1));
            near.extend(packed[from..to].iter().map(|other| other | weight));
            if let Mark::Corner(..) = mark {
                let next_to = mark.place().saturating_sub(1)..entries.len().min(mark.place() + 2);
                beside.extend(&entries[next_to]);
            }
        }
        let is_shown_anyway = |other: Entry| match (of, other) {
            (_, Entry::Issue(_)) => true,
            (Entry::Article(issue, _), Entry::Article(other, _)) if issue == other => true,
            _ => other == of || beside.contains(&other),
        };
        near.sort_unstable();
        // The best so far, the best of them first.
        let mut related: Vec<(Packed, NaiveDate, Packed)> = Vec::with_capacity(SHOWN + 1);
        // The newest first, so that few are better than what was found before.
        for of_entry in near.chunk_by(|one, other| one >> WEIGHT_BITS == other >> WEIGHT_BITS).rev() {
            let weight: Packed = of_entry.iter().map(|packed| packed & WEIGHT).sum();
            let least = related.get(SHOWN - 1).map_or(0, |(weight, ..)| *weight);
            let entry = unpacked(of_entry[0]);
            if weight < least || is_shown_anyway(entry) {
                continue;
            }
            let this = (weight, self.date(entry), of_entry[0] & !WEIGHT);
            if related.get(SHOWN - 1).is_some_and(|last| *last > this) {
                continue;
            }
            related.insert(related.partition_point(|other| *other > this), this);
            related.truncate(SHOWN);
        }
        related.into_iter().map(|(.., entry)| unpacked(entry)).collect()
    }
}

/// An entry in one number, in the same order, with room for a weight below it.
pub(super) type Packed = u64;

const WEIGHT_BITS: u32 = 6;
const WEIGHT: Packed = (1 << WEIGHT_BITS) - 1;
const ARTICLE_BITS: u32 = 26;
/// Of the place of an issue or post, above that of its article.
const PLACE_BITS: u32 = 30;

pub(super) fn packed(entry: Entry) -> Packed {
    let (kind, at, article) = match entry {
        Entry::Issue(issue) => (0, issue, 0),
        Entry::Article(issue, article) => (1, issue, article),
        Entry::Post(post) => (2, post, 0),
    };
    ((kind << PLACE_BITS | at as Packed) << ARTICLE_BITS | article as Packed) << WEIGHT_BITS
}

fn unpacked(packed: Packed) -> Entry {
    let article = (packed >> WEIGHT_BITS) as usize & ((1 << ARTICLE_BITS) - 1);
    let place = packed >> (WEIGHT_BITS + ARTICLE_BITS);
    let at = place as usize & ((1 << PLACE_BITS) - 1);
    match place >> PLACE_BITS {
        0 => Entry::Issue(at),
        1 => Entry::Article(at, article),
        _ => Entry::Post(at),
    }
}

/// How much a name says that so many of all carry, in steps of a power of two.
fn weight(carrying: usize, all: usize) -> Packed {
    let steps = |count: usize| Packed::from(count.max(1).ilog2());
    (1 + steps(all).saturating_sub(steps(carrying))).min(WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_entries_keep_their_order() {
        let entries = [
            Entry::Issue(0),
            Entry::Issue(9_999_999),
            Entry::Article(0, 0),
            Entry::Article(0, 70_000),
            Entry::Article(3, 1),
            Entry::Post(0),
            Entry::Post(100_000),
        ];
        assert!(entries.is_sorted() && entries.map(packed).is_sorted());
        assert_eq!(entries.map(packed).map(unpacked), entries);
        assert_eq!(entries.map(|entry| unpacked(packed(entry) | weight(1, usize::MAX))), entries);
    }
}
