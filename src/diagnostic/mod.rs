//! Problems that an editor can fix, each at its file, line and column.

mod render;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use render::{Format, render};

/// A text that problems can be shown in: a file as decoded, or the mail form it became.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The path from the magazine's root, with `/` between folders.
    pub path: String,
    /// The text as decoded to UTF-8, line ends as they were.
    pub text: String,
    /// Where each line begins, once somebody asked: a text may have as many problems as lines.
    line_starts: OnceLock<Vec<usize>>,
}

impl SourceText {
    /// A text under its path.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(SourceText { path: path.into(), text: text.into(), line_starts: OnceLock::new() })
    }

    /// Line and column of an offset that lies between characters, both counted from one, the column in characters.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let line_starts = self.line_starts.get_or_init(|| {
            std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect()
        });
        let line = line_starts.partition_point(|start| *start <= offset);
        (line, self.text[line_starts[line - 1]..offset].chars().count() + 1)
    }
}

/// How grave a problem is: an error keeps the build from being published, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is written until it is mended.
    Error,
    /// Worth a look.
    Warning,
}

/// One problem: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub level: Level,
    /// The rule's name, in kebab-case: `unknown-key`.
    pub rule: &'static str,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// What stands at the place, said beside it; may be empty.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// How the text at the place can be mended without changing what it means; empty where only the editor knows.
    pub edits: Vec<Edit>,
}

/// A range of octets of a text, and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The range, empty where something is put in.
    pub span: Range<usize>,
    /// What stands there instead.
    pub text: String,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a text, at a range of octets.
    Span(Arc<SourceText>, Range<usize>),
    /// In a line, counted from one, of a file that cannot be shown, by its path from the magazine's root.
    Line(String, usize),
    /// In a file as a whole, by its path from the magazine's root.
    File(String),
}

/// Whether any of these keeps the build from being published.
pub fn has_errors(problems: &[Diagnostic]) -> bool {
    problems.iter().any(|problem| problem.level == Level::Error)
}

/// Problems in order of their places, each once: one slip in a template shows in every issue.
pub fn once_each(problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut once: Vec<Diagnostic> = problems
        .into_iter()
        .filter(|problem| {
            seen.insert((problem.path().to_owned(), problem.line_and_column(), problem.message.clone()))
        })
        .collect();
    once.sort_by_cached_key(|problem| {
        (problem.path().to_owned(), problem.line_and_column(), problem.rule, problem.message.clone())
    });
    once
}

impl Diagnostic {
    /// An error under its rule's name, in a file as a whole until [`Diagnostic::at`] says where.
    pub fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Diagnostic::new(Level::Error, rule, message.into())
    }

    /// A warning under its rule's name, in a file as a whole until [`Diagnostic::at`] says where.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Diagnostic::new(Level::Warning, rule, message.into())
    }

    fn new(level: Level, rule: &'static str, message: String) -> Self {
        let place = Place::File(String::new());
        Diagnostic { level, rule, message, place, label: String::new(), help: None, edits: Vec::new() }
    }

    /// At a range of octets of a text.
    pub fn at(mut self, source: &Arc<SourceText>, span: Range<usize>) -> Self {
        self.place = Place::Span(source.clone(), span);
        self
    }

    /// In a line, counted from one, of a file that cannot be shown because it is no text yet.
    pub fn in_line(mut self, path: impl Into<String>, line: usize) -> Self {
        self.place = Place::Line(path.into(), line);
        self
    }

    /// In a file as a whole.
    pub fn in_file(mut self, path: impl Into<String>) -> Self {
        self.place = Place::File(path.into());
        self
    }

    /// What to say beside the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// How the program can mend it by itself, in the text that [`Diagnostic::at`] names.
    pub fn edits(mut self, edits: Vec<Edit>) -> Self {
        self.edits = edits;
        self
    }

    /// What the editor can do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
