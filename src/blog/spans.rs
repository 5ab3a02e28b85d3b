//! Long lists in pages of whole years. A page of past years stays as it is when something new is published.

use std::ops::Range;

/// From how many entries on a page is full.
const FULL: usize = 100;

/// How many newer entries there must be before a full page becomes one of the past.
const NEWER: usize = 50;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first and last year.
    pub(super) years: (i32, i32),
    /// Its entries among all.
    pub(super) entries: Range<usize>,
}

impl Span {
    /// Its part of an address: `2010`, `2008-2010`.
    pub(super) fn part(&self) -> String {
        match self.years {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        }
    }

    /// Its name for readers: `2010年`, `2008〜2010年`.
    pub(super) fn name(&self) -> String {
        match self.years {
            (first, last) if first == last => format!("{first}年"),
            (first, last) => format!("{first}〜{last}年"),
        }
    }
}

/// The pages of entries whose years are given oldest first; the last of them is the list's front page. Years that go
/// back, as those of issues whose dates are not in their order may, stay with those before them.
pub(super) fn spans(years: impl IntoIterator<Item = i32>) -> Vec<Span> {
    let years: Vec<i32> = years.into_iter().collect();
    let mut spans = Vec::new();
    let mut begin = 0;
    let mut highest = i32::MIN;
    for at in 0..years.len() {
        let is_new_year = years[at] > highest;
        if is_new_year && at - begin >= FULL && years.len() - at >= NEWER {
            spans.push(span(&years, begin..at));
            begin = at;
        }
        highest = highest.max(years[at]);
    }
    if begin < years.len() {
        spans.push(span(&years, begin..years.len()));
    }
    spans
}

fn span(years: &[i32], entries: Range<usize>) -> Span {
    let of_span = &years[entries.clone()];
    let first = of_span.iter().copied().min().unwrap_or_default();
    let last = of_span.iter().copied().max().unwrap_or_default();
    Span { years: (first, last), entries }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_between_years_once_both_sides_are_long() {
        let check = |years: &[(i32, usize)], expected: &str| {
            let all = years.iter().flat_map(|&(year, count)| std::iter::repeat_n(year, count));
            let told: Vec<String> =
                spans(all).iter().map(|span| format!("{}:{:?}", span.part(), span.entries)).collect();
            assert_eq!(told.join(" "), expected, "{years:?}");
        };
        check(&[], "");
        check(&[(2010, 3)], "2010:0..3");
        check(&[(2009, 99), (2010, 99)], "2009-2010:0..198");
        check(&[(2009, 100), (2010, 49)], "2009-2010:0..149");
        check(&[(2009, 100), (2010, 50)], "2009:0..100 2010:100..150");
        check(&[(2008, 60), (2009, 60), (2010, 20), (2011, 40)], "2008-2009:0..120 2010-2011:120..180");
        check(&[(2010, 1000)], "2010:0..1000");
        // A page that is one of the past stays what it is.
        check(&[(2009, 100), (2010, 100), (2011, 50)], "2009:0..100 2010:100..200 2011:200..250");
        // Two pages never have one address.
        check(&[(2009, 100), (2008, 60), (2009, 60), (2010, 50)], "2008-2009:0..220 2010:220..270");
    }
}
