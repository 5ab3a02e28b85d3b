//! `mailmag inbox`: mails that subscribe, leave or ask for the links, from a pipe, a Maildir, an mbox or a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::console::{Console, count};
use super::{Outcome, random, settings, shown, store, time};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::inbox::{self, Addresses, Incoming, Meaning};
use crate::list::{Answer, Evidence, Nonce, Via};
use crate::model::Language;
use crate::source;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Tell what the mails ask for, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Tell what became of each mail as JSON, a line each
    #[arg(long)]
    json: bool,
    /// A Maildir, an mbox, a mail, or `-` for one mail from stdin
    #[arg(value_name = "FILE|MAILDIR|-")]
    from: PathBuf,
}

/// How many mails are asked of the list together, so that the disk is waited for once.
const AT_ONCE: usize = 100;
/// How much of a mail is read, in octets: what is more is an attachment.
const MOST_READ: u64 = 2 << 20;

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    if arguments.from != Path::new("-") {
        let mails = mails(&arguments.from)?;
        let Some(config) = config(directory, console)? else { return Ok(Outcome::Problems) };
        let problems = Desk { directory, arguments: &arguments, config: &config, console }.take(mails)?;
        return Ok(console.problems(&problems));
    }
    let taken = from_stdin(directory, &arguments, console);
    // Whatever it is, the mail server has the mail, and is to keep it (EX_TEMPFAIL of sysexits.h).
    Ok(taken.unwrap_or_else(|error| {
        console.failure(&error);
        Outcome::TryAgain
    }))
}

fn from_stdin(directory: &Path, arguments: &Arguments, console: &Console) -> Result<Outcome> {
    let mut stdin = io::stdin().lock();
    let mut octets = Vec::new();
    stdin.by_ref().take(MOST_READ).read_to_end(&mut octets).context("cannot read stdin")?;
    // Who writes to a pipe that nobody reads is told that it broke.
    io::copy(&mut stdin, &mut io::sink()).context("cannot read stdin")?;
    let Some(config) = config(directory, console)? else { return Ok(Outcome::TryAgain) };
    let mail = Mail { name: "<stdin>".to_owned(), place: Place::Read(octets) };
    let problems = Desk { directory, arguments, config: &config, console }.take(vec![mail])?;
    // What is no mail will be none the next time.
    console.problems(&problems);
    Ok(Outcome::Well)
}

fn config(directory: &Path, console: &Console) -> Result<Option<Config>> {
    let mut problems = Vec::new();
    let config = settings::read(directory, &mut problems)?;
    if config.is_none() {
        console.problems(&problems);
    }
    Ok(config)
}

/// A mail, where it lies.
struct Mail {
    name: String,
    place: Place,
}

enum Place {
    /// In a Maildir's `new`.
    New(PathBuf),
    /// In memory, its source as it was.
    Read(Vec<u8>),
}

/// The mails of a Maildir that nobody has seen, of an mbox, or a file's own.
fn mails(path: &Path) -> Result<Vec<Mail>> {
    let cannot_read = || format!("cannot read {}", shown(path));
    if path.is_dir() {
        anyhow::ensure!(source::is_maildir(path), "{} is no Maildir: it has no `new` and `cur`", shown(path));
        let new = path.join("new");
        let files = source::maildir(path).with_context(cannot_read)?;
        let files = files.into_iter().filter(|file| file.parent() == Some(&new));
        return Ok(files
            .map(|file| Mail { name: shown(&file).to_string(), place: Place::New(file) })
            .collect());
    }
    let octets = fs::read(path).with_context(cannot_read)?;
    let name = shown(path).to_string();
    if !source::looks_like_mbox(&octets) {
        return Ok(vec![Mail { name, place: Place::Read(octets) }]);
    }
    let messages = source::split_mbox(&name, &octets).unwrap_or_default();
    let numbered = messages.into_iter().enumerate();
    Ok(numbered
        .map(|(index, octets)| Mail {
            name: format!("{name} (message {})", index + 1),
            place: Place::Read(octets),
        })
        .collect())
}

impl Mail {
    /// What is read of it; nothing when another process has taken it away.
    fn octets(&self) -> io::Result<Option<Vec<u8>>> {
        let path = match &self.place {
            Place::Read(octets) => return Ok(Some(octets.clone())),
            Place::New(path) => path,
        };
        let mut octets = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MOST_READ).read_to_end(&mut octets));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(|_| Some(octets)),
        }
    }

    /// Marks it as seen, so that it is not taken again.
    fn is_done(&self) -> io::Result<()> {
        let Place::New(path) = &self.place else { return Ok(()) };
        let (Some(new), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        let mut name = name.to_os_string();
        let has_flags = name.to_string_lossy().contains(":2,");
        name.push(if has_flags { "S" } else { ":2,S" });
        match fs::rename(path, new.with_file_name("cur").join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            renamed => renamed,
        }
    }
}

/// What the mails are taken with.
struct Desk<'a> {
    directory: &'a Path,
    arguments: &'a Arguments,
    config: &'a Config,
    console: &'a Console,
}

/// A mail that was read, and what becomes of it.
struct Case {
    mail: Mail,
    incoming: Incoming,
}

impl Desk<'_> {
    /// Takes mails, and tells of each and of all what became of it. Gives what could not be read.
    fn take(&self, mails: Vec<Mail>) -> Result<Vec<Diagnostic>> {
        let store = match self.arguments.dry_run {
            true => None,
            false => Some(store::open(self.config, self.directory)?),
        };
        let mut problems = Vec::new();
        let mut tally = Tally::default();
        let mut mails = mails.into_iter().peekable();
        while mails.peek().is_some() {
            let cases = self.read(mails.by_ref().take(AT_ONCE), &mut problems);
            self.settle(cases, store.as_ref(), &mut tally)?;
        }
        if let Some(store) = store {
            store.close();
        }
        self.console.say(&tally.sentence(self.arguments.dry_run));
        Ok(problems)
    }

    fn read(&self, mails: impl Iterator<Item = Mail>, problems: &mut Vec<Diagnostic>) -> Vec<Case> {
        let addresses = Addresses::new(&self.config.mail.from.address);
        let usual = Language::tagged(&self.config.magazine.language).unwrap_or_default();
        let mut cases = Vec::new();
        for mail in mails {
            match mail.octets() {
                Ok(Some(octets)) => {
                    let incoming = inbox::read(&octets, &addresses, usual);
                    if incoming.meaning == Meaning::NoMail {
                        problems.push(unreadable("this is no mail", &mail.name));
                    }
                    cases.push(Case { mail, incoming });
                }
                Ok(None) => {}
                Err(error) => {
                    problems.push(unreadable(&format!("cannot read this mail: {error}"), &mail.name))
                }
            }
        }
        cases
    }

    /// Asks the list for what the mails want, and marks those that are done.
    fn settle(&self, cases: Vec<Case>, store: Option<&Store>, tally: &mut Tally) -> Result<()> {
        let mut waiting = Vec::new();
        for case in cases {
            let answer = match (store, case.incoming.meaning.request()) {
                (Some(store), Some(request)) => Some(store.ask(request, evidence(&case.incoming)?)),
                _ => None,
            };
            waiting.push((case, answer));
        }
        for (case, answer) in waiting {
            let answer = answer.map(|answer| answer.wait()).transpose()?;
            let why = match &answer {
                Some(Answer::NoSuchToken) => Some("its token is good for nothing"),
                Some(Answer::TooMany(_)) => Some("too much was asked; it is left for later"),
                _ => case.incoming.meaning.why(),
            };
            let is_done = answer.is_some_and(|answer| !matches!(answer, Answer::TooMany(_)));
            if is_done {
                case.mail.is_done().with_context(|| format!("cannot mark {} as seen", case.mail.name))?;
            }
            self.tell(&case, why, is_done)?;
            tally.count(&case.incoming.meaning);
        }
        Ok(())
    }

    fn tell(&self, case: &Case, why: Option<&str>, is_done: bool) -> io::Result<()> {
        let meaning = case.incoming.meaning.name();
        if self.arguments.json {
            let told = json!({ "mail": case.mail.name, "meaning": meaning, "why": why, "done": is_done });
            return self.console.data(format!("{told}\n").as_bytes());
        }
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        let sentence = format!("{}: {meaning}{why}", case.mail.name);
        if self.arguments.dry_run {
            self.console.say(&sentence)
        } else {
            self.console.detail(&sentence)
        }
        Ok(())
    }
}

fn unreadable(message: &str, name: &str) -> Diagnostic {
    Diagnostic::error("unreadable-mail", message)
        .in_file(name)
        .help("look at it, and take it away if it is of no use")
}

fn evidence(incoming: &Incoming) -> Result<Evidence> {
    Ok(Evidence {
        at: time(),
        nonce: Nonce(random()?),
        via: Via::Mail { message_id: incoming.message_id.clone(), charset: incoming.charset.clone() },
        language: incoming.language,
        wording: None,
        ip: None,
        user_agent: None,
        operator: None,
    })
}

/// How many mails asked for what.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    fn count(&mut self, meaning: &Meaning) {
        *self.0.entry(meaning.name()).or_default() += 1;
    }

    fn sentence(&self, dry_run: bool) -> String {
        const WORDS: [(&str, &str); 8] = [
            ("subscribe", "to subscribe"),
            ("leave", "to leave"),
            ("send-links", "for the links"),
            ("for-people", "for people"),
            ("bounce", "about mail that came back"),
            ("automatic", "of machines"),
            ("ignored", "ignored"),
            ("no-mail", "not to be read"),
        ];
        let number = |meaning: &str| self.0.get(meaning).copied().unwrap_or_default();
        let told = WORDS.iter().filter(|(meaning, _)| number(meaning) > 0);
        let told: Vec<String> = told.map(|(meaning, words)| format!("{} {words}", number(meaning))).collect();
        let dry = if dry_run { "; nothing was done" } else { "" };
        let parts = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
        format!("{}{parts}{dry}", count(self.0.values().sum(), "mail"))
    }
}
