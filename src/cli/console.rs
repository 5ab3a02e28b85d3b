//! What the program says: data to stdout, everything else to stderr.

use std::io::{self, BufRead, BufWriter, IsTerminal, StdoutLock, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Outcome;
use crate::diagnostic::{Diagnostic, Format, Level, render};

/// More problems than this nobody reads with their lines; most of them have one cause then.
const MANY: usize = 200;

/// When messages are coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// When stderr is a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where messages go, and how many of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Console {
    color: bool,
    quiet: bool,
    verbose: bool,
}

impl Console {
    #[expect(clippy::disallowed_methods, reason = "NO_COLOR and TERM are for the command line to read")]
    pub(super) fn new(color: ColorChoice, quiet: bool, verbose: bool) -> Self {
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                io::stderr().is_terminal() && !unwanted && !dumb
            }
        };
        Console { color, quiet, verbose }
    }

    /// Data, to stdout.
    pub(super) fn data(&self, octets: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(octets)?;
        stdout.flush()
    }

    /// Much data, to stdout, as it is made. Whoever writes flushes it at the end.
    pub(super) fn data_stream(&self) -> BufWriter<StdoutLock<'static>> {
        BufWriter::with_capacity(1 << 16, io::stdout().lock())
    }

    /// A sentence about what was done, unless `-q`.
    pub(super) fn say(&self, sentence: &str) {
        if !self.quiet {
            self.to_stderr(sentence);
        }
    }

    /// A sentence that only `-v` shows.
    pub(super) fn detail(&self, sentence: &str) {
        if self.verbose {
            self.to_stderr(sentence);
        }
    }

    /// Whether `-q` asks for problems alone.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether `-v` asks for more.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// A problem that keeps something from being done, also under `-q`.
    pub(super) fn problem(&self, sentence: &str) {
        self.to_stderr(sentence);
    }

    /// A question on the terminal; anything but `y` or `yes` is a no.
    pub(super) fn ask(&self, question: &str) -> io::Result<bool> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }

    /// Problems for people, and what they come to: only errors make a command fail. Warnings are silent under `-q`.
    pub(super) fn problems(&self, problems: &[Diagnostic]) -> Outcome {
        let errors = problems.iter().filter(|problem| problem.level == Level::Error).count();
        let warnings = problems.len() - errors;
        let mut shown: Vec<Diagnostic> =
            problems.iter().filter(|problem| !self.quiet || problem.level == Level::Error).cloned().collect();
        if shown.len() > MANY {
            shown.sort_by_key(|problem| problem.level);
        }
        let told = shown.len().min(MANY);
        let text = render(&shown[..told], Format::Human, self.color);
        if !text.is_empty() {
            self.to_stderr(text.trim_end_matches('\n'));
            self.to_stderr("");
        }
        if told < shown.len() {
            self.to_stderr(&format!(
                "… and {} more: `mailmag check --format short` lists them all\n",
                shown.len() - told
            ));
        }
        if errors + warnings > 0 {
            self.say(&format!("{}, {}", count(errors, "error"), count(warnings, "warning")));
        }
        if errors > 0 { Outcome::Problems } else { Outcome::Well }
    }

    /// What kept a command from being done, with its causes.
    pub(super) fn failure(&self, error: &anyhow::Error) {
        let (on, off) = if self.color { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let message: String =
            format!("{error:#}").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.to_stderr(&format!("{on}error{off}: {message}"));
    }

    /// A bar for long work; nothing is drawn when stderr is no terminal or under `-q`.
    pub(super) fn progress(&self, steps: usize, what: &'static str) -> ProgressBar {
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {per_sec} {eta}")
            .expect("the template is a constant, and right");
        ProgressBar::with_draw_target(Some(steps as u64), target).with_style(style).with_message(what)
    }

    fn to_stderr(self, text: &str) {
        // When stderr is gone there is nobody left to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// `1 error`, `2 errors`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Whether an error only says that the reader of our data has gone (`mailmag … | head`).
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
