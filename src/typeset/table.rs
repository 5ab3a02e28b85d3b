//! Tables drawn by columns.

use super::columns::columns;
use super::fill::{fill, fill_into};
use crate::model::{Alignment, HangingPunctuation, Typesetting};

/// What a table's lines are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableStyle {
    /// `┌─┬─┐`: each two columns wide, so that cells have even widths.
    #[default]
    Box,
    /// `+---+` and `|`.
    Ascii,
}

/// No column is made narrower than this to make a table fit, unless its cells are.
const NARROWEST: usize = 8;

/// A table within the width, its cells filled; an empty head is left out. `None` if a word or a column would not fit:
/// see [`listed`].
pub fn table(
    head: &[String],
    rows: &[Vec<String>],
    alignments: &[Alignment],
    style: TableStyle,
    typesetting: &Typesetting,
) -> Option<String> {
    let count = rows.iter().map(Vec::len).chain([head.len()]).max().filter(|&count| count > 0)?;
    let widths = widths(head, rows, count, style, typesetting.width)?;
    let cells = Typesetting { hanging_punctuation: HangingPunctuation::None, ..*typesetting };
    let mut all: Vec<Vec<Vec<String>>> = Vec::with_capacity(rows.len() + 1);
    let has_head = head.iter().any(|cell| !cell.is_empty());
    for row in has_head.then_some(head).into_iter().chain(rows.iter().map(Vec::as_slice)) {
        let mut filled = Vec::with_capacity(count);
        for (index, &width) in widths.iter().enumerate() {
            let lines = row.get(index).map_or_else(Vec::new, |cell| fill(cell, &cells.with_width(width)));
            if lines.iter().any(|line| columns(line) > width) {
                return None;
            }
            filled.push(lines);
        }
        all.push(filled);
    }
    let tall = all.iter().flatten().any(|lines| lines.len() > 1);
    let mut out = String::new();
    push_border(&mut out, &widths, style, ['┌', '┬', '┐']);
    for (index, row) in all.iter().enumerate() {
        if index > 0 && (tall || index == 1 && has_head) {
            push_border(&mut out, &widths, style, ['├', '┼', '┤']);
        }
        push_row(&mut out, row, &widths, alignments, style);
    }
    push_border(&mut out, &widths, style, ['└', '┴', '┘']);
    out.pop();
    Some(out)
}

/// A table's rows as `項目: 値` lines, a blank line between rows, for tables that are too wide.
pub fn listed(head: &[String], rows: &[Vec<String>], typesetting: &Typesetting) -> String {
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        for (at, cell) in row.iter().enumerate() {
            let label = head
                .get(at)
                .filter(|label| !label.is_empty())
                .map_or(String::new(), |label| format!("{label}: "));
            fill_into(&mut out, cell, typesetting, &label, if label.is_empty() { "" } else { "  " });
        }
    }
    out.pop();
    out
}

/// The columns of each cell: as wide as it likes, or the widest made narrower until the table fits.
fn widths(
    head: &[String],
    rows: &[Vec<String>],
    count: usize,
    style: TableStyle,
    width: usize,
) -> Option<Vec<usize>> {
    let (lines, step) = match style {
        TableStyle::Box => (2 * (count + 1), 2),
        TableStyle::Ascii => (3 * count + 1, 1),
    };
    let room = width.checked_sub(lines)?;
    let mut likes = vec![step; count];
    for row in [head].into_iter().chain(rows.iter().map(Vec::as_slice)) {
        for (like, cell) in likes.iter_mut().zip(row) {
            *like = (*like).max(columns(cell).next_multiple_of(step));
        }
    }
    let taken = |most: usize| likes.iter().map(|&like| like.min(most)).sum::<usize>();
    if taken(usize::MAX) <= room {
        return Some(likes);
    }
    let most = (NARROWEST..=room).rev().filter(|most| most % step == 0).find(|&most| taken(most) <= room)?;
    let mut left = room - taken(most);
    let widths = likes.iter().map(|&like| {
        let more = if like > most && left >= step { step } else { 0 };
        left -= more;
        like.min(most) + more
    });
    Some(widths.collect())
}

fn push_border(out: &mut String, widths: &[usize], style: TableStyle, [left, middle, right]: [char; 3]) {
    for (index, &width) in widths.iter().enumerate() {
        match style {
            TableStyle::Box => {
                out.push(if index == 0 { left } else { middle });
                out.extend(std::iter::repeat_n('─', width / 2));
            }
            TableStyle::Ascii => {
                out.push('+');
                out.extend(std::iter::repeat_n('-', width + 2));
            }
        }
    }
    out.push(if style == TableStyle::Box { right } else { '+' });
    out.push('\n');
}

fn push_row(
    out: &mut String,
    row: &[Vec<String>],
    widths: &[usize],
    alignments: &[Alignment],
    style: TableStyle,
) {
    let (open, between, close) = match style {
        TableStyle::Box => ("│", "│", "│"),
        TableStyle::Ascii => ("| ", " | ", " |"),
    };
    let height = row.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for line in 0..height {
        out.push_str(open);
        for (index, (lines, &width)) in row.iter().zip(widths).enumerate() {
            if index > 0 {
                out.push_str(between);
            }
            let cell = lines.get(line).map_or("", String::as_str);
            let free = width.saturating_sub(columns(cell));
            let before = match alignments.get(index) {
                Some(Alignment::Right) => free,
                Some(Alignment::Center) => free / 2,
                _ => 0,
            };
            out.extend(std::iter::repeat_n(' ', before));
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', free - before));
        }
        out.push_str(close);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &[&str]) -> Vec<String> {
        row.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn check(width: usize, style: TableStyle, rows: &[&[&str]], expected: Option<&str>) {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
        let typesetting = Typesetting { width, ..Typesetting::default() };
        let alignments = [Alignment::None, Alignment::Right, Alignment::Center];
        let found = table(&rows[0], &rows[1..], &alignments, style, &typesetting);
        assert_eq!(found.as_deref(), expected);
        if style == TableStyle::Box
            && let Some(found) = found
        {
            assert!(
                found.lines().all(|line| columns(line) <= width && columns(line).is_multiple_of(2)),
                "{found}"
            );
        }
    }

    #[test]
    fn drawn() {
        let rows: &[&[&str]] = &[&["品名", "個数", "x"], &["りんご", "3", "abc"]];
        check(
            40,
            TableStyle::Box,
            rows,
            Some("┌───┬──┬──┐\n│品名  │個数│ x  │\n├───┼──┼──┤\n│りんご│   3│abc │\n└───┴──┴──┘"),
        );
        check(
            40,
            TableStyle::Ascii,
            rows,
            Some(
                "+--------+------+-----+\n| 品名   | 個数 |  x  |\n+--------+------+-----+\n| りんご |    3 | abc |\n+--------+------+-----+",
            ),
        );
    }

    #[test]
    fn cells_are_filled() {
        let rows: &[&[&str]] = &[&["a", "b"], &["あいうえおかき", "12"]];
        check(
            16,
            TableStyle::Box,
            rows,
            Some("┌────┬─┐\n│a       │ b│\n├────┼─┤\n│あいうえ│12│\n│おかき  │  │\n└────┴─┘"),
        );
    }

    #[test]
    fn too_wide_for_a_table() {
        check(16, TableStyle::Box, &[&["a", "b"], &["http://a.example/", "1"]], None);
        check(10, TableStyle::Box, &[&["a", "b", "c", "d", "e"], &["1", "2", "3", "4", "5"]], None);
        let typesetting = Typesetting { width: 12, ..Typesetting::default() };
        let listed =
            listed(&cells(&["品名", "値"]), &[cells(&["りんごの実", "3"]), cells(&["柿"])], &typesetting);
        assert_eq!(listed, "品名: りんご\n  の実\n値: 3\n\n品名: 柿");
    }
}
