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
        let mut near: Vec<(Entry, u32)> = Vec::new();
        let mut beside: Vec<Entry> = Vec::new();
        for &mark in self.index.marks(of) {
            let entries = &self.index.label(mark).entries;
            let weight = weight(entries.len(), all);
            let (from, to) = (mark.place().saturating_sub(NEAR), entries.len().min(mark.place() + NEAR + 1));
            near.extend(entries[from..to].iter().map(|&other| (other, weight)));
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
        near.sort_unstable_by_key(|&(entry, _)| entry);
        let of_entry =
            near.chunk_by(|(one, _), (other, _)| one == other).filter(|all| !is_shown_anyway(all[0].0));
        // The best come first.
        let mut related: Vec<_> = of_entry
            .map(|all| {
                let (entry, weight) = (all[0].0, all.iter().map(|(_, weight)| weight).sum::<u32>());
                (Reverse(weight), Reverse(self.date(entry)), Reverse(entry))
            })
            .collect();
        if related.len() > SHOWN {
            related.select_nth_unstable(SHOWN);
            related.truncate(SHOWN);
        }
        related.sort_unstable();
        related.into_iter().map(|(_, _, Reverse(entry))| entry).collect()
    }
}

/// How much a name says that so many of all carry, in steps of a power of two.
fn weight(carrying: usize, all: usize) -> u32 {
    let steps = |count: usize| count.max(1).ilog2();
    1 + steps(all).saturating_sub(steps(carrying))
}
