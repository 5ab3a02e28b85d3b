//! Which settings give a text the lines it had.

use std::ops::Range;

use super::super::finished::{Kind, Piece, flowed};
use super::escape::{escaped, fenced};
use crate::model::Typesetting;
use crate::typeset::document::{BULLET, NARROWEST, number_mark};
use crate::typeset::{best_setting, columns, ends_with_url, fill_indented};

/// A text's lines, and what is to stay of its end.
#[derive(Clone, Copy)]
pub(super) struct Original<'a> {
    pub(super) text: &'a str,
    pub(super) pieces: &'a [Piece],
    /// What the mail sets after the last paragraph and the Markdown does not hold: `(大内)`.
    pub(super) run_in: Option<&'a str>,
}

/// The settings that reproduce the most pieces; among equals `usual`, else the simplest.
pub(super) fn best_typesetting(originals: &[Original<'_>], usual: Typesetting) -> Typesetting {
    best_setting(usual, |setting| originals.iter().map(|original| original.reproduced(*setting)).sum())
}

impl Original<'_> {
    /// How many pieces these settings give the lines they had.
    pub(super) fn reproduced(&self, typesetting: Typesetting) -> usize {
        self.pieces.iter().filter(|piece| piece.kind != Kind::Code && self.flows(piece, typesetting)).count()
    }

    /// Whether the last piece is a paragraph to whose words `run_in` can be added.
    pub(super) fn ends_in(&self, run_in: &str, typesetting: Typesetting) -> bool {
        self.pieces.last().is_some_and(|piece| {
            let words = flowed(self.text, &piece.lines);
            let before = words.strip_suffix(run_in).map(str::trim_end).unwrap_or_default();
            let is_more = !before.trim_start().is_empty() && !ends_with_url(before);
            piece.kind == Kind::Flow && is_more && self.flows(piece, typesetting)
        })
    }

    fn lines<'p>(&'p self, piece: &'p Piece) -> impl Iterator<Item = &'p str> + Clone {
        piece.lines.iter().map(|line| &self.text[line.clone()])
    }

    /// Whether a piece's lines, joined and set again, are the same.
    fn flows(&self, piece: &Piece, typesetting: Typesetting) -> bool {
        fills(&flowed(self.text, &piece.lines), typesetting, ("", ""), self.lines(piece))
    }

    /// Whether an item's lines are those of a list: a mark, and further lines as far in.
    fn is_item(&self, piece: &Piece, typesetting: Typesetting) -> bool {
        let Kind::Item { number, mark } = piece.kind else { return false };
        let first = match number {
            None => BULLET.to_owned(),
            Some(number @ 1..=9) => number_mark(number, 1),
            Some(_) => return false,
        };
        let further = " ".repeat(columns(&first));
        let mut lines = piece.lines.clone();
        lines[0].start += mark;
        fills(&flowed(self.text, &lines), typesetting, (&first, &further), self.lines(piece))
    }

    /// A quote of one paragraph: its words.
    fn quoted(&self, piece: &Piece, typesetting: Typesetting) -> Option<String> {
        let mut lines = piece.lines.clone();
        for line in &mut lines {
            let inside = self.text[line.clone()].strip_prefix("> ")?;
            if inside.starts_with(['>', ' ']) {
                return None;
            }
            line.start = line.end - inside.len();
        }
        let words = flowed(self.text, &lines);
        fills(&words, typesetting, ("> ", "> "), self.lines(piece)).then_some(words)
    }

    /// The Markdown that these settings make the same lines of.
    pub(super) fn markdown(&self, typesetting: Typesetting) -> String {
        let mut markdown = String::new();
        let mut above = Shape::Nothing;
        let mut index = 0;
        let mut no_list_before = 0;
        while index < self.pieces.len() {
            let items = if index < no_list_before { 0 } else { self.items_at(index) };
            no_list_before = no_list_before.max(index + items);
            if let Some(run) = self.list_of(index..index + items, above, typesetting) {
                for (offset, piece) in self.pieces[index..index + run].iter().enumerate() {
                    let Kind::Item { number, mark } = piece.kind else { break };
                    let gap = if offset > 0 && !piece.parted { "\n" } else { "\n\n" };
                    let mut lines = piece.lines.clone();
                    lines[0].start += mark;
                    let bullet = number.map_or("- ".to_owned(), |number| format!("{number}. "));
                    push(&mut markdown, gap, &format!("{bullet}{}", escaped(&flowed(self.text, &lines))));
                    above = Shape::List { is_numbered: number.is_some() };
                }
                index += run;
                continue;
            }
            let piece = &self.pieces[index];
            index += 1;
            if matches!(piece.kind, Kind::Flow | Kind::Item { .. }) && self.flows(piece, typesetting) {
                let gap = if above == Shape::Paragraph && !piece.parted { "\\\n" } else { "\n\n" };
                let words = flowed(self.text, &piece.lines);
                let is_last = index == self.pieces.len();
                let words = match self.run_in.filter(|_| is_last) {
                    Some(run_in) => words.strip_suffix(run_in).unwrap_or(&words),
                    None => &words,
                };
                push(&mut markdown, gap, &escaped(words.trim_end()));
                above = Shape::Paragraph;
            } else if piece.kind == Kind::Quote
                && let Some(words) = self.quoted(piece, typesetting)
            {
                push(&mut markdown, "\n\n", &format!("> {}", escaped(&words)));
                above = Shape::Other;
            } else {
                let first = index - 1;
                while self.pieces.get(index).is_some_and(|piece| {
                    !piece.parted && (piece.kind != Kind::Flow || !self.flows(piece, typesetting))
                }) {
                    index += 1;
                }
                let lines = self.pieces[first..index].iter().flat_map(|piece| self.lines(piece));
                push(&mut markdown, "\n\n", &fenced(lines));
                above = Shape::Other;
            }
        }
        markdown
    }

    fn items_at(&self, index: usize) -> usize {
        self.pieces[index..].iter().take_while(|piece| matches!(piece.kind, Kind::Item { .. })).count()
    }

    /// How many items there are, if they are a list of their own.
    fn list_of(&self, items: Range<usize>, above: Shape, typesetting: Typesetting) -> Option<usize> {
        let parted = |index: usize| self.pieces.get(index).is_none_or(|piece| piece.parted);
        if items.is_empty() || !(items.start == 0 || parted(items.start)) || !parted(items.end) {
            return None;
        }
        let number = |piece: &Piece| if let Kind::Item { number, .. } = piece.kind { number } else { None };
        let pieces = &self.pieces[items];
        let counts =
            pieces.windows(2).all(|pair| number(&pair[0]).map(|before| before + 1) == number(&pair[1]));
        // A second numbered list would go on counting.
        let merges = number(&pieces[0]).is_some() && above == Shape::List { is_numbered: true };
        let is_list = counts && !merges && pieces.iter().all(|piece| self.is_item(piece, typesetting));
        is_list.then_some(pieces.len())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Nothing,
    Paragraph,
    List { is_numbered: bool },
    Other,
}

fn push(markdown: &mut String, gap: &str, block: &str) {
    if !markdown.is_empty() {
        markdown.push_str(gap);
    }
    markdown.push_str(block);
}

/// Whether words, filled, become these lines.
fn fills<'a>(
    words: &str,
    typesetting: Typesetting,
    heads: (&str, &str),
    mut lines: impl Iterator<Item = &'a str>,
) -> bool {
    let narrowest = if heads.1.is_empty() { 0 } else { NARROWEST + heads.1.len() };
    let typesetting = typesetting.with_width(typesetting.width.max(narrowest));
    let filled = fill_indented(words, &typesetting, heads.0, heads.1);
    filled.iter().all(|line| lines.next() == Some(line.trim_end())) && lines.next().is_none()
}
