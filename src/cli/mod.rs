//! The command line: one file per command, the only printing, the only clock.

mod build;
mod check;
mod console;
mod fix;
mod import;
mod inbox;
mod letters;
mod mailer;
mod mailing;
mod init;
mod links;
mod man;
mod new;
mod notices;
mod presence;
mod preview;
mod production;
mod publish;
mod rehearse;
mod restored;
mod route;
mod secret;
mod send;
mod serve;
mod settings;
mod store;
mod subscribers;
mod text;
mod theme;
mod worker;
mod works;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use clap::{Parser, Subcommand};

use crate::diagnostic::Diagnostic;
use crate::source::{self, Content, ReadError};
use console::{ColorChoice, Console};

/// Japanese mail magazines from one source: typeset mail, a static archive.
#[derive(Debug, Parser)]
#[command(name = "mailmag", version, propagate_version = true, max_term_width = 100)]
struct Arguments {
    /// The magazine's folder
    #[arg(short = 'C', value_name = "DIR", default_value = ".", global = true, help_heading = GLOBAL)]
    magazine: PathBuf,
    /// Colours in messages: auto (on a terminal), always or never
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    #[arg(global = true, help_heading = GLOBAL)]
    color: ColorChoice,
    /// Say nothing but problems
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    /// Say more about what is done
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

const GLOBAL: &str = "Options of every command";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new magazine, ready to build
    Init(init::Arguments),
    /// Begin an issue, an article or a post, with the next number and date filled in
    New(new::Arguments),
    /// Name everything that is wrong with the magazine, and write nothing
    Check(check::Arguments),
    /// Make the blog and the mail of every issue
    Build(build::Arguments),
    /// Show both forms side by side in a browser, live as files are saved
    Preview(preview::Arguments),
    /// Carry dist/blog to where [publish] says; shows first what will change
    Publish(publish::Arguments),
    /// Serve the pages that readers subscribe and leave at, and send the mails they need
    Serve(serve::Arguments),
    /// Send an issue to its readers, each once
    Send(send::Arguments),
    /// How it stands with the sending of an issue; pause, resume and cancel it
    Mailing(mailing::Arguments),
    /// Send what is due, until told to end; as many, on as many machines, as one likes
    Worker(worker::Arguments),
    /// List the built-in templates and theme files, or take one to start your own from
    Theme(theme::Arguments),
    /// Take old mails into content/issues
    Import(import::Arguments),
    /// Look after the list of readers: import, export, add, remove, show, erase
    Subscribers(subscribers::Arguments),
    /// Take bounces, complaints, and mails to subscribe, leave or change the address
    Inbox(inbox::Arguments),
    /// Typeset, unwrap, decode or encode text from stdin to stdout
    Text(text::Arguments),
    /// Print a shell's completions for this program
    Completions(man::CompletionsArguments),
    /// Print this program's manual page, or write one page for each command
    Man(man::Arguments),
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All is well: 0.
    Well,
    /// There are problems in the content, and they have been told: 1.
    Problems,
    /// A mail server is to keep its mail and try again: 75, `EX_TEMPFAIL` of sysexits.h.
    TryAgain,
}

/// Runs the program with the process's own arguments.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let console = Console::new(arguments.color, arguments.quiet, arguments.verbose);
    let directory = &arguments.magazine;
    let result = match arguments.command {
        Command::Init(arguments) => init::run(directory, arguments, &console),
        Command::New(arguments) => new::run(directory, arguments, &console),
        Command::Check(arguments) => check::run(directory, arguments, &console),
        Command::Build(arguments) => build::run(directory, arguments, &console),
        Command::Preview(arguments) => preview::run(directory, arguments, &console),
        Command::Publish(arguments) => publish::run(directory, arguments, &console),
        Command::Serve(arguments) => serve::run(directory, arguments, &console),
        Command::Send(arguments) => send::run(directory, arguments, &console),
        Command::Mailing(arguments) => mailing::run(directory, arguments, &console),
        Command::Worker(arguments) => worker::run(directory, arguments, &console),
        Command::Theme(arguments) => theme::run(directory, arguments, &console),
        Command::Import(arguments) => import::run(directory, arguments, &console),
        Command::Subscribers(arguments) => subscribers::run(directory, arguments, &console),
        Command::Inbox(arguments) => inbox::run(directory, arguments, &console),
        Command::Text(arguments) => text::run(arguments, &console),
        Command::Completions(arguments) => man::completions(arguments, &console),
        Command::Man(arguments) => man::run(arguments, &console),
    };
    match result {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Problems) => ExitCode::from(1),
        Ok(Outcome::TryAgain) => ExitCode::from(75),
        Err(error) if console::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            console.failure(&error);
            ExitCode::from(2)
        }
    }
}

/// The command line as clap sees it, for manual pages and completions.
fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}

/// Reads a magazine: its content, when the settings are usable, and all that is wrong with it.
fn open(directory: &Path) -> Result<(Option<Content>, Vec<Diagnostic>), ReadError> {
    Ok(source::parse(source::read(directory)?))
}

/// The day it is where the magazine is published.
#[expect(clippy::disallowed_methods, reason = "the command line reads the clock, and hands it on as a value")]
fn today(timezone: Tz) -> NaiveDate {
    Utc::now().with_timezone(&timezone).date_naive()
}

/// The seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the command line reads the clock, and hands it on as a value")]
fn now() -> i64 {
    Utc::now().timestamp()
}

/// When it is.
#[expect(clippy::disallowed_methods, reason = "the command line reads the clock, and hands it on as a value")]
fn time() -> DateTime<Utc> {
    Utc::now()
}

/// Random bits.
fn random<const OCTETS: usize>() -> Result<[u8; OCTETS]> {
    let mut octets = [0; OCTETS];
    getrandom::fill(&mut octets).context("the system gives no random bits")?;
    Ok(octets)
}

/// Where the answers of other sites are kept, in the magazine's folder.
const OUTSIDE: &str = ".mailmag/links.json";

/// A path as it is told: without the `./` of a magazine that lies in the current folder.
fn shown(path: &Path) -> std::path::Display<'_> {
    let below = path.strip_prefix(".").unwrap_or(path);
    if below.as_os_str().is_empty() { path.display() } else { below.display() }
}
