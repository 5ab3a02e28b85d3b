//! Readers as a CSV file (RFC 4180) that a spreadsheet can open without harm.

use std::io::{self, Write};

use chrono::SecondsFormat;

use crate::model::Subscriber;

/// What a cell may do that begins like a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// A `'` goes before it, and a spreadsheet shows it as text. Reading the file again takes the `'` away.
    Defused,
    /// It stays as it is, for programs.
    Kept,
}

/// The columns, in their order.
const HEADINGS: [&str; 8] = ["email", "name", "status", "source", "language", "tags", "created", "changed"];

/// Writes the row of headings, behind a byte order mark where Excel is to know the file as UTF-8.
///
/// # Errors
/// Writing failed.
pub fn write_headings(output: &mut dyn Write, with_mark: bool) -> io::Result<()> {
    if with_mark {
        output.write_all("\u{FEFF}".as_bytes())?;
    }
    write_row(output, &HEADINGS, Formulas::Kept)
}

/// Writes a reader's row. Times are in UTC (RFC 3339).
///
/// # Errors
/// Writing failed.
pub fn write_subscriber(
    output: &mut dyn Write,
    subscriber: &Subscriber,
    formulas: Formulas,
) -> io::Result<()> {
    let created = subscriber.created.to_rfc3339_opts(SecondsFormat::Secs, true);
    let changed = subscriber.changed.to_rfc3339_opts(SecondsFormat::Secs, true);
    let cells = [
        subscriber.address.as_str(),
        subscriber.name.as_deref().unwrap_or_default(),
        subscriber.status.name(),
        subscriber.source.name(),
        subscriber.language.tag(),
        &subscriber.tags.join(","),
        &created,
        &changed,
    ];
    write_row(output, &cells, formulas)
}

/// Writes one row of cells, ended by CR LF.
///
/// # Errors
/// Writing failed.
pub fn write_row(output: &mut dyn Write, cells: &[&str], formulas: Formulas) -> io::Result<()> {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            output.write_all(b",")?;
        }
        let guard = if formulas == Formulas::Defused && is_formula(cell) { "'" } else { "" };
        if needs_quotes(cell) {
            write!(output, "\"{guard}{}\"", cell.replace('"', "\"\""))?;
        } else {
            write!(output, "{guard}{cell}")?;
        }
    }
    output.write_all(b"\r\n")
}

/// Whether a spreadsheet may take a cell for a formula; Japanese ones take full-width signs, too.
pub(super) fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// Semicolons and tabs part cells for some spreadsheets, so that what follows one would begin a cell.
fn needs_quotes(cell: &str) -> bool {
    cell.contains([',', ';', '\t', '"', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let check = |cell: &str, defused: &str, kept: &str| {
            for (formulas, want) in [(Formulas::Defused, defused), (Formulas::Kept, kept)] {
                let mut row = Vec::new();
                write_row(&mut row, &["a", cell], formulas).unwrap();
                assert_eq!(String::from_utf8(row).unwrap(), format!("a,{want}\r\n"));
            }
        };
        check("山田", "山田", "山田");
        check("", "", "");
        check("=1+1", "'=1+1", "=1+1");
        check("+81-3", "'+81-3", "+81-3");
        check("-foo@example.jp", "'-foo@example.jp", "-foo@example.jp");
        check("@SUM(A1)", "'@SUM(A1)", "@SUM(A1)");
        check("＝1", "'＝1", "＝1");
        check("\t=1", "\"'\t=1\"", "\"\t=1\"");
        check("\r=1", "\"'\r=1\"", "\"\r=1\"");
        check("=HYPERLINK(\"a\",1)", "\"'=HYPERLINK(\"\"a\"\",1)\"", "\"=HYPERLINK(\"\"a\"\",1)\"");
        check("x;=1", "\"x;=1\"", "\"x;=1\"");
        check("a-b=c", "a-b=c", "a-b=c");
    }
}
