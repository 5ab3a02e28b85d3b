//! `mailmag import`: old mails into `content/issues`, as they are or as Markdown that typesets to the same lines.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chrono::NaiveDate;

use super::console::{Console, count};
use super::{Outcome, open};
use crate::diagnostic::Diagnostic;
use crate::source::{self, Content, Finished, FinishedFile};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Make Markdown of them that typesets to the same lines
    #[arg(long)]
    convert: bool,
    /// The number of the issue, where its mail does not tell it
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// The day of publication, where the mail does not tell it (with --convert)
    #[arg(long, value_name = "DATE", requires = "convert")]
    date: Option<NaiveDate>,
    /// Mails (.txt, .eml, mbox), folders of them, Maildirs
    #[arg(required = true, value_name = "FILE|DIR")]
    mails: Vec<PathBuf>,
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let (content, problems) = open(directory)?;
    let Some(content) = content else { return Ok(console.problems(&problems)) };
    let mut mails = Vec::new();
    let mut problems = Vec::new();
    for path in &arguments.mails {
        collect(path, &mut mails, &mut problems)?;
    }
    if mails.len() > 1 && (arguments.number.is_some() || arguments.date.is_some()) {
        bail!("--number and --date are for one mail, and here are {}", mails.len());
    }
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    for mail in &mails {
        let Some(issue) = read(mail, &arguments, &content, &mut problems) else { continue };
        let taken = content.magazine.issues.iter().any(|other| other.number == issue.number);
        if let Some(first) =
            names.insert(issue.number, mail.name.clone()).or(taken.then(|| "the magazine".to_owned()))
        {
            let message = format!("this is issue {}, and {first} has that already", issue.number);
            let help = "remove one of the two, or name the number with --number";
            problems.push(Diagnostic::error("duplicate-number", message).in_file(&mail.name).help(help));
        }
        files.extend(issue.files);
    }
    let outcome = console.problems(&problems);
    if outcome == Outcome::Problems {
        console.say("nothing was imported");
        return Ok(outcome);
    }
    write(directory, &files)?;
    for path in files.keys() {
        console.data(format!("{path}\n").as_bytes())?;
    }
    console.say(&format!("imported {}", count(names.len(), "issue")));
    Ok(Outcome::Well)
}

/// One mail, where it came from.
struct Mail {
    name: String,
    octets: Vec<u8>,
    is_message: bool,
}

/// An issue as the files it becomes.
struct Imported {
    number: u32,
    files: Vec<(String, Vec<u8>)>,
}

/// The mails of a file, a folder or a Maildir.
fn collect(path: &Path, mails: &mut Vec<Mail>, problems: &mut Vec<Diagnostic>) -> Result<()> {
    if path.is_dir() {
        let mut files = if source::is_maildir(path) {
            source::maildir(path).with_context(|| format!("cannot read {}", path.display()))?
        } else {
            let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
            let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
            let is_mail =
                |path: &PathBuf| path.extension().is_some_and(|ending| ending == "txt" || ending == "eml");
            paths.into_iter().filter(is_mail).collect()
        };
        if files.is_empty() {
            bail!("there is no mail in {} (.txt, .eml, or a Maildir's)", path.display());
        }
        files.sort();
        return files.iter().try_for_each(|file| collect(file, mails, problems));
    }
    let name = path.display().to_string();
    let octets = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    if source::looks_like_mbox(&octets) {
        match source::split_mbox(&name, &octets) {
            Ok(messages) => mails.extend(messages.into_iter().enumerate().map(|(index, octets)| Mail {
                name: format!("{name} (message {})", index + 1),
                octets,
                is_message: true,
            })),
            Err(problem) => problems.push(*problem),
        }
        return Ok(());
    }
    let is_message = source::looks_like_mail(&octets);
    mails.push(Mail { name, octets, is_message });
    Ok(())
}

fn read(
    mail: &Mail,
    arguments: &Arguments,
    content: &Content,
    problems: &mut Vec<Diagnostic>,
) -> Option<Imported> {
    let timezone = content.config.magazine.timezone;
    let FinishedFile { source, envelope, .. } = if mail.is_message {
        source::finished_message(mail.name.clone(), mail.octets.clone(), timezone, problems)?
    } else {
        source::finished_text(mail.name.clone(), &mail.octets, problems)?
    };
    let mut finished = source::finished(&source, &envelope);
    if let Some(label) = &arguments.number {
        finished.number = label.parse().ok();
        finished.label = Some(label.clone());
    }
    finished.date = arguments.date.or(finished.date);
    let files = if arguments.convert {
        source::convert(&finished, &content.config, content.footer.is_some())
            .map(|files| files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect())
    } else {
        let ending = if mail.is_message { "eml" } else { "txt" };
        source::import_name(&finished)
            .map(|name| vec![(format!("content/issues/{name}.{ending}"), mail.octets.clone())])
    };
    let files = files.map_err(|problem| problems.push(*problem)).ok()?;
    number(&finished, &mail.name, problems).map(|number| Imported { number, files })
}

fn number(finished: &Finished, name: &str, problems: &mut Vec<Diagnostic>) -> Option<u32> {
    if finished.number.is_none() {
        let help = "write digits: --number 010";
        problems.push(Diagnostic::error("bad-number", "this is no issue's number").in_file(name).help(help));
    }
    finished.number
}

/// Writes files that are not there yet: all of them, or none.
fn write(directory: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    if let Some(path) = files.keys().find(|path| directory.join(path).exists()) {
        bail!("{path} is there already: nothing was imported");
    }
    let mut written = Vec::new();
    for (path, octets) in files {
        let target = directory.join(path);
        if let Err(error) = write_new(&target, octets) {
            written.iter().for_each(|path| {
                // What was written before the failure goes again; if that fails, too, the first cause is told.
                let _ = fs::remove_file(path);
            });
            return Err(error.context(format!("cannot write {path}: nothing was imported")));
        }
        written.push(target);
    }
    Ok(())
}

fn write_new(path: &Path, octets: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(octets)?;
    Ok(())
}
