//! Which articles and posts a reader of one may want next: those that share its tags or its corner.

use std::cmp::Reverse;

use super::Site;
use super::labels::{Entry, Mark};

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
        let all = self.magazine.posts.len() + self.values.articles.iter().map(Vec::len).sum::<usize>();
        let mut near: Vec<(Packed, u32)> = Vec::new();
        let mut beside: Vec<Entry> = Vec::new();
        for &mark in self.index.marks(of) {
            let entries = &self.index.label(mark).entries;
            let weight = weight(entries.len(), all);
            let (from, to) = (mark.place().saturating_sub(NEAR), entries.len().min(mark.place() + NEAR + 1));
            near.extend(entries[from..to].iter().map(|&other| (packed(other), weight)));
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
        // Each mark's entries are in order already, but for posts: this sort finds such runs.
        near.sort_by_key(|&(entry, _)| entry);
        let of_entry = near.chunk_by(|(one, _), (other, _)| one == other).filter_map(|all| {
            let (entry, weight) = (unpacked(all[0].0), all.iter().map(|(_, weight)| weight).sum::<u32>());
            (!is_shown_anyway(entry)).then(|| (Reverse(weight), Reverse(self.date(entry)), Reverse(entry)))
        });
        // The best come first.
        let mut related: Vec<_> = of_entry.collect();
        if related.len() > SHOWN {
            related.select_nth_unstable(SHOWN);
            related.truncate(SHOWN);
        }
        related.sort_unstable();
        related.into_iter().map(|(_, _, Reverse(entry))| entry).collect()
    }
}

/// An entry in one number, in the same order.
type Packed = u64;

/// The place of an entry's issue or post, above that of its article.
const SHIFT: u32 = 30;

fn packed(entry: Entry) -> Packed {
    let (kind, at, article) = match entry {
        Entry::Issue(issue) => (0, issue, 0),
        Entry::Article(issue, article) => (1, issue, article),
        Entry::Post(post) => (2, post, 0),
    };
    kind << (2 * SHIFT) | (at as u64) << SHIFT | article as u64
}

fn unpacked(packed: Packed) -> Entry {
    const LOW: Packed = (1 << SHIFT) - 1;
    let (at, article) = ((packed >> SHIFT & LOW) as usize, (packed & LOW) as usize);
    match packed >> (2 * SHIFT) {
        0 => Entry::Issue(at),
        1 => Entry::Article(at, article),
        _ => Entry::Post(at),
    }
}

/// How much a name says that so many of all carry, in steps of a power of two.
fn weight(carrying: usize, all: usize) -> u32 {
    let steps = |count: usize| count.max(1).ilog2();
    1 + steps(all).saturating_sub(steps(carrying))
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
    }
}
