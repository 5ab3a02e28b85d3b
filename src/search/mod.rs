//! The search of the archive: which articles hold which terms, in files small enough to be fetched while one types.
//!
//! What a term is stands in `tokens` and once more in `theme/search.js`; `tests/search/cases.json` holds both to
//! one answer. `docs/search.md` describes the files.

mod before;
mod files;
mod merge;
mod renew;
mod terms;
mod tokens;
mod varint;
mod visible;

use chrono::NaiveDate;

pub use before::Before;
pub use files::{Found, index};
pub use terms::{Collector, Extent, Terms, terms};

/// What readers are shown of a page that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The day of publication; none for pages that have none.
    pub date: Option<NaiveDate>,
    /// Its address from the host's root, encoded: `/issues/010/slug/`.
    pub url: String,
    /// The title's words.
    pub title: String,
    /// Where it stands: `Vol.010`; may be empty.
    pub label: String,
}

/// A file of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the blog's folder: `search/index.bin`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests;
