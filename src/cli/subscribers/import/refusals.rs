//! The rows of an import that do not come in: the first of them on stderr, all of them in a file.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use super::super::grouped;
use crate::cli::console::Console;
use crate::cli::shown;
use crate::list::Refusal as Reason;
use crate::list::files::{Formulas, ListRow, write_row};
use crate::model::Status;
use crate::store::{Refused, TOLD_WITHIN};

/// How many are told on stderr.
const SHOWN: u64 = 20;

/// The store takes many rows and then tells which of them it refused: so many are remembered for that.
const REMEMBERED: usize = TOLD_WITHIN;

/// Where refused rows are told, and how many there are of each kind.
pub(super) struct Refusals<'a> {
    console: &'a Console,
    progress: &'a ProgressBar,
    report: Option<Report>,
    /// The last rows that were handed to the store: line, address, status.
    handed_on: VecDeque<(u64, String, Status)>,
    /// What was told and may still stand behind something that the store has yet to tell.
    waiting: BTreeMap<u64, Refusal>,
    told: u64,
    kinds: BTreeMap<&'static str, u64>,
    /// Rows whose readers are on the list.
    pub(super) known: u64,
    /// Rows whose readers stand in the file before.
    pub(super) twice: u64,
}

struct Report {
    output: BufWriter<File>,
    shown: String,
    failure: Option<io::Error>,
}

/// A row that does not come in.
pub(super) struct Refusal {
    /// The line it begins in, counted from one.
    pub(super) line: u64,
    /// The address as it stands there.
    pub(super) written: String,
    /// Of which kind the reason is, for the sum at the end.
    pub(super) kind: &'static str,
    /// Why, in a sentence without a full stop.
    pub(super) reason: String,
    /// What can be done, if anything.
    pub(super) remedy: &'static str,
}

impl<'a> Refusals<'a> {
    /// Tells on stderr, and in a file where one is wanted.
    pub(super) fn new(
        console: &'a Console,
        progress: &'a ProgressBar,
        report: Option<&Path>,
    ) -> Result<Self> {
        Ok(Refusals {
            console,
            progress,
            report: report.map(Report::create).transpose()?,
            handed_on: VecDeque::new(),
            waiting: BTreeMap::new(),
            told: 0,
            kinds: BTreeMap::new(),
            known: 0,
            twice: 0,
        })
    }

    /// Notes a row that the store is given.
    pub(super) fn note(&mut self, row: &ListRow) {
        if self.handed_on.len() == REMEMBERED {
            self.handed_on.pop_front();
            self.progress.inc(1);
        }
        self.handed_on.push_back((row.line, row.address.as_str().to_owned(), row.status));
        if !self.waiting.is_empty() {
            self.flush();
        }
    }

    /// Takes a row that the store refused. Readers who are on the list are none the worse for it.
    pub(super) fn of_store(&mut self, refused: &Refused) {
        let Refused { line, why } = *refused;
        let place = self.handed_on.binary_search_by_key(&line, |(line, ..)| *line);
        let (written, status) = match place {
            Ok(place) => (self.handed_on[place].1.clone(), self.handed_on[place].2),
            Err(_) => (String::new(), Status::Active),
        };
        let (kind, remedy) = match why {
            Reason::Twice => {
                self.twice += 1;
                return;
            }
            Reason::Known if status != Status::Active => (
                "still subscribed",
                "the file says that he left: `subscribers remove` takes him off here, too",
            ),
            Reason::Known => {
                self.known += 1;
                return;
            }
            // What the file says is what the list has, or less.
            Reason::Left | Reason::Suppressed(_) if status != Status::Active => {
                self.known += 1;
                return;
            }
            Reason::Left => ("left", ""),
            Reason::Suppressed(_) => ("suppressed", ""),
            Reason::Barred => ("erased", ""),
            Reason::Pending | Reason::NeverConfirmed => {
                ("not confirmed", "ask the reader to subscribe by the form")
            }
        };
        self.tell(Refusal { line, written, kind, reason: format!("the reader {why}"), remedy });
    }

    /// Takes a row that cannot be imported.
    pub(super) fn tell(&mut self, refusal: Refusal) {
        *self.kinds.entry(refusal.kind).or_default() += 1;
        self.waiting.insert(refusal.line, refusal);
        if self.waiting.len() > REMEMBERED {
            self.flush_before(u64::MAX);
        }
    }

    /// How many rows do not come in.
    pub(super) fn count(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// How many there are of each kind.
    pub(super) fn kinds(&self) -> &BTreeMap<&'static str, u64> {
        &self.kinds
    }

    /// Tells what is left, and finishes the report.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.flush_before(u64::MAX);
        let more = self.told.saturating_sub(SHOWN);
        if more > 0 {
            let all = if self.report.is_some() { "all are in the report" } else { "--report FILE takes all" };
            self.console.problem(&format!("… and {} more lines ({all})", grouped(more)));
        }
        let Some(mut report) = self.report.take() else { return Ok(()) };
        let written = report.failure.take().map_or_else(|| report.output.flush(), Err);
        written.with_context(|| format!("cannot write {}", report.shown))
    }

    /// Tells all that stands before what the store may still tell of.
    fn flush(&mut self) {
        let until = self.handed_on.front().map_or(u64::MAX, |(line, ..)| *line);
        self.flush_before(until);
    }

    fn flush_before(&mut self, line: u64) {
        while let Some(first) = self.waiting.first_entry()
            && *first.key() < line
        {
            let refusal = first.remove();
            self.told += 1;
            if self.told <= SHOWN {
                let Refusal { line, reason, remedy, .. } = &refusal;
                // No address: what is said here ends up in logs.
                let remedy = if remedy.is_empty() { String::new() } else { format!(" ({remedy})") };
                let sentence = format!("line {line}: {reason}{remedy}");
                self.progress.suspend(|| self.console.problem(&sentence));
            }
            if let Some(report) = &mut self.report {
                report.add(&refusal);
            }
        }
    }
}

impl Report {
    /// A file that only its owner may read, since it names readers.
    fn create(path: &Path) -> Result<Self> {
        let shown = shown(path).to_string();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).with_context(|| format!("cannot write {shown}"))?;
        let mut output = BufWriter::new(file);
        write_row(&mut output, &["line", "email", "reason", "remedy"], Formulas::Kept)
            .with_context(|| format!("cannot write {shown}"))?;
        Ok(Report { output, shown, failure: None })
    }

    fn add(&mut self, refusal: &Refusal) {
        let Refusal { line, written, reason, remedy, .. } = refusal;
        if self.failure.is_none() {
            let cells = [&line.to_string(), written.as_str(), reason.as_str(), *remedy];
            self.failure = write_row(&mut self.output, &cells, Formulas::Defused).err();
        }
    }
}
