//! `mailmag subscribers`: the list of readers, by the operator's hand.

mod change;
mod export;
mod import;
mod imports;
mod show;
mod stats;
mod verify;

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use clap::Subcommand;

use super::console::Console;
use super::{Outcome, random, settings, store, time};
use crate::config::Config;
use crate::list::{Evidence, Nonce, Via};
use crate::model::{EmailAddress, Language};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a reader who has consented elsewhere; active at once
    Add(change::AddArguments),
    /// Take a reader off the list; only he himself can come back
    Remove(change::RemoveArguments),
    /// Take in a list: CSV of a spreadsheet or another mailer, or an address on each line
    Import(import::Arguments),
    /// List the imports
    Imports(imports::ListArguments),
    /// Take off again whom an import brought, but for those who have done something since
    Undo(imports::UndoArguments),
    /// Write the list as CSV or JSON to stdout
    Export(export::Arguments),
    /// Print all that is known of a reader, and what proves his consent
    Show(show::Arguments),
    /// Count the readers by status and source
    Stats(stats::Arguments),
    /// Forget a reader who asks for it, and keep imports from bringing him back
    Erase(change::EraseArguments),
    /// Go through the whole ledger of consent, and name the first entry that was tampered with
    Verify(verify::Arguments),
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let mut problems = Vec::new();
    let Some(config) = settings::read(directory, &mut problems)? else {
        return Ok(console.problems(&problems));
    };
    let list = List { store: store::open(&config, directory)?, config: &config };
    let outcome = match arguments.command {
        Command::Add(arguments) => change::add(&list, arguments, console),
        Command::Remove(arguments) => change::remove(&list, arguments, console),
        Command::Import(arguments) => import::run(&list, arguments, console),
        Command::Imports(arguments) => imports::list(&list, arguments, console),
        Command::Undo(arguments) => imports::undo(&list, arguments, console),
        Command::Export(arguments) => export::run(&list, arguments, console),
        Command::Show(arguments) => show::run(&list, arguments, console),
        Command::Stats(arguments) => stats::run(&list, arguments, console),
        Command::Erase(arguments) => change::erase(&list, arguments, console),
        Command::Verify(arguments) => verify::run(&list, arguments, console),
    };
    list.store.close();
    outcome
}

/// A magazine's list.
struct List<'a> {
    store: Store,
    config: &'a Config,
}

/// An address on the command line; the carriers' old kind is taken, since it may be on the list.
fn address(written: &str) -> Result<EmailAddress> {
    EmailAddress::parse_legacy(written).map_err(|error| anyhow!("this is no address: {error}"))
}

/// Who runs the command, for the ledger.
#[expect(clippy::disallowed_methods, reason = "who runs the program is for the command line to find out")]
fn operator() -> String {
    let name = ["SUDO_USER", "LOGNAME", "USER"].iter().find_map(|name| std::env::var(name).ok());
    let name: String = name.unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// That the operator asked for something, here and now.
fn evidence() -> Result<Evidence> {
    Ok(Evidence {
        at: time(),
        nonce: Nonce(random()?),
        via: Via::CommandLine,
        language: Language::default(),
        wording: None,
        ip: None,
        user_agent: None,
        operator: Some(operator()),
    })
}

/// How readers consented, in the operator's words; refused when it says nothing.
fn basis(written: Option<&str>) -> Result<String> {
    match written.map(str::trim) {
        Some(basis) if basis.chars().any(char::is_alphanumeric) && basis.chars().count() <= 1000 => {
            Ok(basis.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
        }
        Some(basis) if basis.chars().count() > 1000 => {
            bail!("--basis may have 1,000 characters, and has more")
        }
        Some(_) => {
            bail!("--basis is blank: say how these readers consented, such as --basis \"申込書 2024年5月\"")
        }
        None => bail!(
            "say how these readers consented with --basis TEXT: it is kept as the proof, and `subscribers show` prints it"
        ),
    }
}

/// 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 reader`, `1,234 readers`.
fn readers(number: u64) -> String {
    format!("{} reader{}", grouped(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), want);
        }
    }

    #[test]
    fn a_basis_says_something() {
        assert!(basis(None).is_err() && basis(Some(" 　")).is_err() && basis(Some("---")).is_err());
        assert!(basis(Some(&"x".repeat(1001))).is_err());
        assert_eq!(basis(Some(" 申込書\n")).unwrap(), "申込書");
    }
}
