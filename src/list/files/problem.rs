//! What is wrong with a list file or with one of its rows, and what to do.

use std::io;

use super::columns::NoColumns;
use super::{LONGEST_ROW, MOST_COLUMNS, cells};
use crate::charset::Charset;
use crate::model::AddressError;

/// A row that cannot be imported.
#[derive(Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line it begins in, counted from one.
    pub line: u64,
    /// What stands where its address should be, at most 254 characters of it.
    pub written: String,
    /// What is wrong.
    pub problem: RowProblem,
}

/// What is wrong with a row. `Display` says it in a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// Its address is none.
    #[error("{0}")]
    Address(AddressError),
    /// Its address, name or tags have octets that are no text.
    #[error("it cannot be read as {}", .0.name())]
    Unreadable(Charset),
    /// Its name is too long.
    #[error("the name has more than {} characters", cells::LONGEST_NAME)]
    LongName,
    /// It has too many tags, or too long ones.
    #[error(
        "it has more than {} tags, or one of more than {} characters",
        cells::MOST_TAGS,
        cells::LONGEST_NAME
    )]
    Tags,
    /// Its status is no word that is known.
    #[error("the status `{0}` is not known")]
    Status(String),
    /// The reader never confirmed that he wants the magazine.
    #[error("the reader has not confirmed")]
    NotConfirmed,
    /// It has more cells than any list.
    #[error("it has more than {MOST_COLUMNS} cells")]
    ManyColumns,
    /// A cell holds further rows.
    #[error("a quotation mark takes in the rows that follow")]
    OpenQuote,
}

/// What leaves no way to read a file. `Display` names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ListFileError {
    /// The system could not read it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nothing is in it.
    #[error("it is empty: a list has an address on each line, or columns with headings")]
    Empty,
    /// No heading is known as that of addresses.
    #[error("none of its columns is known to hold addresses: name it with --map email=COLUMN; it has {0}")]
    NoAddresses(String),
    /// There is no column that a mapping names.
    #[error("it has no column `{wanted}`; it has {there}")]
    NoSuchColumn {
        /// What was asked for.
        wanted: String,
        /// What is there.
        there: String,
    },
    /// A row is longer than any reader's.
    #[error(
        "the row of line {line} is longer than {} KiB: close its quotation mark, if it has one, or see that this is a list",
        LONGEST_ROW >> 10
    )]
    LongRow {
        /// The line it begins in, counted from one.
        line: u64,
    },
}

impl BadRow {
    pub(super) fn new(line: u64, written: &str, problem: RowProblem) -> Self {
        BadRow { line, written: written.chars().take(254).collect(), problem }
    }
}

// Debug output reaches logs, so it must not name the reader.
impl std::fmt::Debug for BadRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "BadRow({}, {:?})", self.line, self.problem)
    }
}

impl RowProblem {
    /// An unknown word, as far as it is worth showing.
    pub(super) fn status(word: &str) -> Self {
        RowProblem::Status(
            word.trim().chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect(),
        )
    }

    /// What an operator can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            RowProblem::Address(AddressError::Empty) => "fill in the address, or take the row out",
            RowProblem::Address(_) => "correct the address, or take the row out",
            RowProblem::Unreadable(_) => {
                "say what the file is in with --charset, or write these characters anew"
            }
            RowProblem::LongName => "shorten the name, or leave names out with --map name=",
            RowProblem::Tags => "take tags out, or leave them all out with --map tags=",
            RowProblem::Status(_) => {
                "write active, unsubscribed or suppressed, or name no such column with --map status="
            }
            RowProblem::NotConfirmed => "ask the reader to subscribe by the form",
            RowProblem::ManyColumns => "take the cells out that are empty",
            RowProblem::OpenQuote => {
                "close the quotation mark, or take the address out of the cell of several lines"
            }
        }
    }
}

impl ListFileError {
    pub(super) fn columns(none: NoColumns, cells: &[String], has_headings: bool) -> Self {
        let there = if has_headings {
            let shown: Vec<String> = cells
                .iter()
                .take(20)
                .map(|cell| format!("`{}`", cell.chars().take(40).collect::<String>()))
                .collect();
            let more = if cells.len() > shown.len() {
                format!(" and {} more", cells.len() - shown.len())
            } else {
                String::new()
            };
            format!("{}{more}", shown.join(", "))
        } else {
            format!("no headings, and {} columns", cells.len())
        };
        match none {
            NoColumns::NoAddresses => ListFileError::NoAddresses(there),
            NoColumns::Missing(wanted) => ListFileError::NoSuchColumn { wanted, there },
        }
    }

    /// An error of reading, at a line.
    pub(super) fn of(error: io::Error, line: u64) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => ListFileError::LongRow { line },
            _ => ListFileError::Io(error),
        }
    }
}
