//! Tables: drawn where they fit, else a line for each cell.

use super::{Setter, words};
use crate::model::{Alignment, Inline};

impl Setter<'_> {
    pub(super) fn table(
        &mut self,
        alignments: &[Alignment],
        head: &[Vec<Inline>],
        rows: &[Vec<Vec<Inline>>],
    ) {
        let mut cells =
            |row: &[Vec<Inline>]| -> Vec<String> { row.iter().map(|cell| self.words.of(cell)).collect() };
        let head_cells = cells(head);
        let row_cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
        let _ = alignments;
        self.set.undrawn_tables.extend(words::first_place(head));
        for (index, row) in row_cells.iter().enumerate() {
            if index > 0 {
                self.blank_line();
            }
            for (label, cell) in head_cells.iter().zip(row) {
                let text = format!("{label}: {cell}").replace('\n', " ");
                self.outdented(|setter| setter.filled(&text));
            }
        }
        self.link_lines();
    }
}
