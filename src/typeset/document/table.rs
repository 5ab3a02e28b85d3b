//! Tables: drawn where they fit, else a line for each cell.

use super::{Setter, words};
use crate::model::{Alignment, Inline, Tables};
use crate::typeset::{TableStyle, listed, table};

impl Setter<'_> {
    pub(super) fn table(
        &mut self,
        alignments: &[Alignment],
        head: &[Vec<Inline>],
        rows: &[Vec<Vec<Inline>>],
    ) {
        let head_words: Vec<String> = head.iter().map(|cell| self.words.of(cell)).collect();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| self.words.of(cell)).collect()).collect();
        let style = match self.manner.tables {
            Tables::Box => TableStyle::Box,
            Tables::Ascii => TableStyle::Ascii,
        };
        let typesetting = self.measure();
        let set = table(&head_words, &rows, alignments, style, &typesetting).unwrap_or_else(|| {
            self.set.undrawn_tables.extend(words::first_place(head));
            listed(&head_words, &rows, &typesetting)
        });
        set.split('\n').for_each(|line| self.line(&line.replace(words::GLUE, "")));
        self.link_lines();
    }
}
