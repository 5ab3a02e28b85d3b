//! Lists as files: what spreadsheets, old mailers, Mailman and listmonk write, read row by row; and our own, written.
//!
//! A file is read as it comes, in memory of one piece, whatever its length. A row that cannot be imported is told with its
//! line, and the rows behind it are read; only what leaves no way on is an error.

mod cells;
mod columns;
mod form;
mod problem;
mod written;

use std::io::{self, BufRead, BufReader, Read};

use crate::charset::{Charset, TextStream};
use crate::model::{EmailAddress, Status};
use cells::Word;
use form::Form;
use written::is_formula;

pub use cells::{LONGEST_NAME, name};
pub use columns::{Columns, Mapping, MappingError};
pub use problem::{BadRow, ListFileError, RowProblem};
pub use written::{Formulas, write_headings, write_row, write_subscriber};

/// A row that can be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// The line it begins in, counted from one.
    pub line: u64,
    /// The address, which may be of the carriers' old kind.
    pub address: EmailAddress,
    /// The name for greetings.
    pub name: Option<String>,
    /// The tags, as they are written.
    pub tags: Vec<String>,
    /// Active, or what another system had: unsubscribed or suppressed.
    pub status: Status,
}

/// A list that is being read, row by row.
#[derive(Debug)]
pub struct ListFile<R> {
    rows: Rows<R>,
    columns: Columns,
    headings: Option<Vec<String>>,
    /// Whose cells begin in the row at hand.
    cells: csv::StringRecord,
    line_number: u64,
    has_ended: bool,
}

#[derive(Debug)]
enum Rows<R> {
    /// Cells in columns.
    Csv(Box<csv::Reader<Capped<Text<R>>>>),
    /// An address on each line, perhaps with its name before it.
    Lines(BufReader<Text<R>>),
}

/// The file's text: its first part, by which its form was found out, is read again.
type Text<R> = io::Chain<io::Cursor<String>, TextStream<R>>;

/// The most octets of UTF-8 that a row may have.
pub const LONGEST_ROW: usize = 64 << 10;
/// The most columns that a file may have.
pub const MOST_COLUMNS: usize = 500;

const BUFFER: usize = 1 << 15;

impl<R: Read> ListFile<R> {
    /// Begins to read a file: finds out its character set, what parts its cells, and its columns.
    ///
    /// # Errors
    /// It cannot be read, is empty, or has no column of addresses that is known.
    pub fn open(octets: R, charset: Option<Charset>, mapping: &Mapping) -> Result<Self, ListFileError> {
        let mut stream = TextStream::new(octets, charset);
        let head = head(&mut stream)?;
        let Form { delimiter, skipped_lines, skipped_octets } =
            form::of(&head).ok_or(ListFileError::Empty)?;
        let head_rest = head[skipped_octets..].to_owned();
        let text = io::Cursor::new(head_rest).chain(stream);
        let Some(delimiter) = delimiter else {
            return Ok(ListFile {
                rows: Rows::Lines(BufReader::new(text)),
                columns: Columns { email: 0, name: Vec::new(), tags: None, status: None },
                headings: None,
                cells: csv::StringRecord::new(),
                line_number: skipped_lines,
                has_ended: false,
            });
        };
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Capped::new(text));
        let mut cells = csv::StringRecord::new();
        read_cells(&mut rows, &mut cells, skipped_lines)?;
        let first: Vec<&str> = cells.iter().collect();
        let has_headings = !first.iter().any(|cell| columns::has_at(cell));
        let found = if has_headings {
            columns::by_headings(&first, mapping)
        } else {
            columns::by_first_row(&first, mapping)
        };
        let headings: Vec<String> = first.iter().map(|cell| cell.trim().to_owned()).collect();
        let columns = found.map_err(|none| ListFileError::columns(none, &headings, has_headings))?;
        let mut file = ListFile {
            rows: Rows::Csv(Box::new(rows)),
            columns,
            headings: has_headings.then_some(headings),
            cells,
            line_number: skipped_lines,
            has_ended: false,
        };
        if has_headings {
            file.cells.clear();
        }
        Ok(file)
    }

    /// The file's character set, as far as it has been read.
    pub fn charset(&self) -> Charset {
        match &self.rows {
            Rows::Csv(rows) => rows.get_ref().text.get_ref().1.charset(),
            Rows::Lines(lines) => lines.get_ref().get_ref().1.charset(),
        }
    }

    /// Where the fields stand; nothing for a file of one address a line.
    pub fn columns(&self) -> Option<&Columns> {
        matches!(self.rows, Rows::Csv(_)).then_some(&self.columns)
    }

    /// The headings, where the file has some.
    pub fn headings(&self) -> Option<&[String]> {
        self.headings.as_deref()
    }

    /// The next row; nothing at the end.
    ///
    /// # Errors
    /// Reading failed, or a row has no end.
    fn read_row(&mut self) -> Result<Option<Result<ListRow, BadRow>>, ListFileError> {
        loop {
            let line = match &mut self.rows {
                Rows::Lines(lines) => {
                    let mut text = String::new();
                    let length =
                        lines.read_line(&mut text).map_err(|e| ListFileError::of(e, self.line_number + 1))?;
                    if length == 0 {
                        return Ok(None);
                    }
                    self.line_number += 1;
                    if text.len() > LONGEST_ROW {
                        return Err(ListFileError::LongRow { line: self.line_number });
                    }
                    let is_comment = text.starts_with('#') && !columns::has_at(&text);
                    self.cells.clear();
                    if !is_comment {
                        self.cells.push_field(text.trim_end_matches('\n'));
                    }
                    self.line_number
                }
                Rows::Csv(rows) => {
                    // The first row was read to find the columns, and waits here when it is none of headings.
                    if self.cells.is_empty() && !read_cells(rows, &mut self.cells, self.line_number)? {
                        return Ok(None);
                    }
                    let breaks = self.cells.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
                    let line = self.line_number + rows.position().line() - breaks;
                    let has_taken_in_the_end =
                        self.cells.iter().next_back().is_some_and(|cell| cell.ends_with(END));
                    if has_taken_in_the_end && rows.get_ref().end.is_some() {
                        let bad = BadRow::new(line, &self.cells[0], RowProblem::OpenQuote);
                        self.cells.clear();
                        return Ok(Some(Err(bad)));
                    }
                    // Its own line end was read, too.
                    line - 1
                }
            };
            if !self.cells.iter().all(|cell| cell.trim().is_empty()) {
                let row = self.row(line);
                self.cells.clear();
                return Ok(Some(row));
            }
            self.cells.clear();
        }
    }

    /// What the cells at hand mean.
    fn row(&self, line: u64) -> Result<ListRow, BadRow> {
        let cell = |column: usize| self.cells.get(column).unwrap_or_default();
        let bad = |problem| BadRow::new(line, cell(self.columns.email), problem);
        if self.cells.len() > MOST_COLUMNS {
            return Err(bad(RowProblem::ManyColumns));
        }
        if matches!(self.rows, Rows::Csv(_)) && self.cells.iter().any(swallows_rows) {
            return Err(bad(RowProblem::OpenQuote));
        }
        let (address, written_name) = cells::mailbox(cell(self.columns.email));
        let name = match self.columns.name.as_slice() {
            [] => cells::name(&written_name.unwrap_or_default()),
            columns => {
                let parts: Vec<String> =
                    columns.iter().filter_map(|column| cells::name(cell(*column))).collect();
                (!parts.is_empty()).then(|| parts.join(" ")).or_else(|| cells::name(&written_name?))
            }
        };
        let tags: Vec<String> = cells::tags(self.columns.tags.map_or("", cell)).collect();
        let is_damaged = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        if is_damaged(&address)
            || name.as_deref().is_some_and(is_damaged)
            || tags.iter().any(|tag| is_damaged(tag))
        {
            return Err(bad(RowProblem::Unreadable(self.charset())));
        }
        let is_long = |text: &str| text.chars().nth(cells::LONGEST_NAME).is_some();
        if name.as_deref().is_some_and(is_long) {
            return Err(bad(RowProblem::LongName));
        }
        if tags.len() > cells::MOST_TAGS || tags.iter().any(|tag| is_long(tag)) {
            return Err(bad(RowProblem::Tags));
        }
        let word = self.columns.status.map_or("", cell);
        let status = match cells::status(word) {
            Word::Known(status) => status,
            Word::NotConfirmed => return Err(bad(RowProblem::NotConfirmed)),
            Word::Unknown => return Err(bad(RowProblem::status(word))),
        };
        let address =
            EmailAddress::parse_legacy(&address).map_err(|error| bad(RowProblem::Address(error)))?;
        Ok(ListRow { line, address, name, tags, status })
    }
}

impl<R: Read> Iterator for ListFile<R> {
    type Item = Result<Result<ListRow, BadRow>, ListFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let row = self.read_row().transpose();
        self.has_ended = !matches!(row, Some(Ok(_)));
        row
    }
}

/// The first part of a text: enough to see its form.
fn head<R: Read>(stream: &mut TextStream<R>) -> Result<String, ListFileError> {
    let mut head = Vec::new();
    stream.take(LONGEST_ROW as u64).read_to_end(&mut head).map_err(|error| ListFileError::of(error, 1))?;
    // A character that the cut goes through is read on.
    while let Err(error) = str::from_utf8(&head)
        && error.error_len().is_none()
    {
        let mut octet = [0];
        stream.read_exact(&mut octet).map_err(|error| ListFileError::of(error, 1))?;
        head.extend(octet);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Reads a row's cells; false at the end. `skipped` lines came before what `rows` has read.
fn read_cells<R: Read>(
    rows: &mut csv::Reader<Capped<R>>,
    cells: &mut csv::StringRecord,
    skipped: u64,
) -> Result<bool, ListFileError> {
    let most = rows.position().byte() + (LONGEST_ROW + BUFFER) as u64;
    let line = skipped + rows.position().line();
    rows.get_mut().most = most;
    match rows.read_record(cells) {
        Ok(_) if cells.as_slice().len() > LONGEST_ROW => Err(ListFileError::LongRow { line }),
        Ok(is_there) => {
            let is_end = cells.len() == 1 && &cells[0] == END.trim_end() && rows.get_ref().end.is_some();
            Ok(is_there && !is_end)
        }
        Err(error) => match error.into_kind() {
            csv::ErrorKind::Io(error) => Err(ListFileError::of(error, line)),
            _ => Err(ListFileError::LongRow { line }),
        },
    }
}

/// Whether a cell runs over lines and holds an address behind its first: a quotation mark that nothing closes takes
/// in the rows that follow.
fn swallows_rows(cell: &str) -> bool {
    cell.split_once('\n').is_some_and(|(_, rest)| columns::has_at(rest))
}

/// What stands behind the last row: a quotation mark that nothing closes takes it in.
const END: &str = "\u{3}\n";
const ENDED_LINE: &str = "\n\u{3}\n";

/// A text with its last line ended and with [`END`] behind it, which gives no more than one row may have.
#[derive(Debug)]
struct Capped<R> {
    text: R,
    handed_out: u64,
    most: u64,
    last: u8,
    /// What is left to hand out behind the text, once it has ended.
    end: Option<&'static [u8]>,
}

impl<R> Capped<R> {
    fn new(text: R) -> Self {
        Capped { text, handed_out: 0, most: 0, last: b'\n', end: None }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.handed_out > self.most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row has no end"));
        }
        let length = match &mut self.end {
            Some(end) => end.read(buffer)?,
            None => match self.text.read(buffer)? {
                0 if !buffer.is_empty() => {
                    let mut end = if self.last == b'\n' { END.as_bytes() } else { ENDED_LINE.as_bytes() };
                    let length = end.read(buffer)?;
                    self.end = Some(end);
                    length
                }
                length => {
                    self.last = buffer.get(length.wrapping_sub(1)).copied().unwrap_or(self.last);
                    length
                }
            },
        };
        self.handed_out += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
