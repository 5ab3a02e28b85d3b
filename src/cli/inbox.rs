//! `mailmag inbox`: mails that came back, and those that subscribe, leave or ask for the links, from a pipe, a Maildir, an
//! mbox or a file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::console::{Console, count};
use super::{Outcome, random, settings, shown, store, time};
use crate::bounce::{Hardness, Kind, Report, Returned};
use crate::config::{Config, Secret};
use crate::diagnostic::Diagnostic;
use crate::inbox::{self, Addresses, Incoming, Meaning};
use crate::list::{Answer, Evidence, Nonce, StoreKey, Via};
use crate::model::{Language, Suppression};
use crate::source;
use crate::store::returns::{NewReturn, Proof, Taken};
use crate::store::{Store, Waiting};

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
/// How much of a file is looked at to tell an mbox from a mail.
const BEGINNING: u64 = 64 << 10;

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
    let problems = Desk { directory, arguments, config: &config, console }.take(std::iter::once(Ok(mail)))?;
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
    /// In memory until it is looked at, its source as it was.
    Read(Vec<u8>),
}

/// Mails, one after another: a file of many is never in memory as a whole.
type Mails = Box<dyn Iterator<Item = io::Result<Mail>>>;

/// The mails of a Maildir that nobody has seen, of an mbox, or a file's own.
fn mails(path: &Path) -> Result<Mails> {
    let cannot_read = || format!("cannot read {}", shown(path));
    if path.is_dir() {
        anyhow::ensure!(source::is_maildir(path), "{} is no Maildir: it has no `new` and `cur`", shown(path));
        let new = path.join("new");
        let files = source::maildir(path).with_context(cannot_read)?;
        let files = files.into_iter().filter(|file| file.parent() == Some(&new));
        let files: Vec<PathBuf> = files.collect();
        return Ok(Box::new(
            files
                .into_iter()
                .map(|file| Ok(Mail { name: shown(&file).to_string(), place: Place::New(file) })),
        ));
    }
    let mut file = File::open(path).with_context(cannot_read)?;
    let mut octets = Vec::new();
    (&mut file).take(BEGINNING).read_to_end(&mut octets).with_context(cannot_read)?;
    let name = shown(path).to_string();
    if !source::looks_like_mbox(&octets) {
        file.take(MOST_READ - BEGINNING).read_to_end(&mut octets).with_context(cannot_read)?;
        return Ok(Box::new(std::iter::once(Ok(Mail { name, place: Place::Read(octets) }))));
    }
    let most = usize::try_from(MOST_READ).unwrap_or(usize::MAX);
    let messages = source::Mbox::new(BufReader::new(Cursor::new(octets).chain(file)), most);
    Ok(Box::new(messages.enumerate().map(move |(index, octets)| {
        Ok(Mail { name: format!("{name} (message {})", index + 1), place: Place::Read(octets?) })
    })))
}

impl Mail {
    /// What is read of it; nothing when another process has taken it away.
    fn octets(&mut self) -> io::Result<Option<Vec<u8>>> {
        let path = match &mut self.place {
            Place::Read(octets) => return Ok(Some(std::mem::take(octets))),
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

/// What the list was asked for a mail.
enum Asked {
    Nothing,
    Request(Waiting<Answer>),
    Return(Waiting<Taken>),
    /// A mail that came back by a way that proves nothing.
    Unproved,
}

/// What became of a mail.
struct Fate {
    why: Option<String>,
    is_done: bool,
    suppressed: Option<Suppression>,
}

impl Desk<'_> {
    /// Takes mails, and tells of each and of all what became of it. Gives what could not be read.
    fn take(&self, mails: impl Iterator<Item = io::Result<Mail>>) -> Result<Vec<Diagnostic>> {
        let store = match self.arguments.dry_run {
            true => None,
            false => Some(store::open(self.config, self.directory)?),
        };
        let key = match &store {
            Some(store) => Some(store.key().clone()),
            None => self.known_key(),
        };
        let mut problems = Vec::new();
        let mut tally = Tally::default();
        let mut mails = mails.peekable();
        while mails.peek().is_some() {
            let cases = self.read(mails.by_ref().take(AT_ONCE), &mut problems)?;
            self.settle(cases, store.as_ref(), key.as_ref(), &mut tally)?;
        }
        if let Some(store) = store {
            store.close();
        }
        self.console.say(&tally.sentence(self.arguments.dry_run));
        Ok(problems)
    }

    /// The key of the list, if it has one: looking makes none.
    fn known_key(&self) -> Option<StoreKey> {
        if let Secret::File(file) = &self.config.store.key
            && !self.directory.join(file).exists()
        {
            return None;
        }
        store::settings(self.config, self.directory).ok().map(|settings| settings.key)
    }

    fn read(
        &self,
        mails: impl Iterator<Item = io::Result<Mail>>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Vec<Case>> {
        let addresses = Addresses::new(&self.config.mail.from.address);
        let usual = Language::tagged(&self.config.magazine.language).unwrap_or_default();
        let mut cases = Vec::new();
        for mail in mails {
            let mut mail = mail.with_context(|| format!("cannot read {}", shown(&self.arguments.from)))?;
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
        Ok(cases)
    }

    /// Asks the list for what the mails want, tells it what came back, and marks those that are done.
    fn settle(
        &self,
        cases: Vec<Case>,
        store: Option<&Store>,
        key: Option<&StoreKey>,
        tally: &mut Tally,
    ) -> Result<()> {
        let mut waiting = Vec::new();
        for case in cases {
            let asked = ask(&case.incoming, store, key)?;
            waiting.push((case, asked));
        }
        for (case, asked) in waiting {
            let fate = fate(&case.incoming.meaning, asked)?;
            if fate.is_done {
                case.mail.is_done().with_context(|| format!("cannot mark {} as seen", case.mail.name))?;
            }
            self.tell(&case, &fate)?;
            tally.count(&case.incoming.meaning, &fate);
        }
        Ok(())
    }

    fn tell(&self, case: &Case, fate: &Fate) -> io::Result<()> {
        let meaning = case.incoming.meaning.name();
        let report = match &case.incoming.meaning {
            Meaning::Bounce(Some(report)) => Some(report),
            _ => None,
        };
        if self.arguments.json {
            let mut told =
                json!({ "mail": case.mail.name, "meaning": meaning, "why": fate.why, "done": fate.is_done });
            if let Some(report) = report {
                let returned = Returned::of_report(report);
                told["report"] = json!({
                    "kind": report.kind.name(),
                    "recipients": report.recipients.len(),
                    "hardness": returned.as_ref().filter(|_| report.kind == Kind::Bounce).map(|returned| returned.hardness.name()),
                    "status": returned.as_ref().and_then(|returned| Some(returned.status?.to_string())),
                    "reason": returned.as_ref().map(|returned| returned.reason.name()),
                });
                told["suppressed"] = fate.suppressed.is_some().into();
            }
            return self.console.data(format!("{told}\n").as_bytes());
        }
        let said = report.map(|report| format!(": {}", said(report))).unwrap_or_default();
        let why = fate.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let sentence = format!("{}: {meaning}{said}{why}", case.mail.name);
        if self.arguments.dry_run {
            self.console.say(&sentence)
        } else {
            self.console.detail(&sentence)
        }
        Ok(())
    }
}

/// Asks the list for what a mail wants, or tells it what came back.
fn ask(incoming: &Incoming, store: Option<&Store>, key: Option<&StoreKey>) -> Result<Asked> {
    if let Meaning::Bounce(Some(report)) = &incoming.meaning {
        let Some(key) = key else { return Ok(Asked::Nothing) };
        let Some(proof) = Proof::of(report, key) else { return Ok(Asked::Unproved) };
        let Some(store) = store else { return Ok(Asked::Nothing) };
        let new = NewReturn {
            proof,
            digest: report.digest(&incoming.message_id),
            at: time(),
            message_id: incoming.message_id.clone(),
            returned: Returned::of_report(report),
        };
        return Ok(Asked::Return(store.take_return(new)));
    }
    Ok(match (store, incoming.meaning.request()) {
        (Some(store), Some(request)) => Asked::Request(store.ask(request, evidence(incoming)?)),
        _ => Asked::Nothing,
    })
}

/// What became of a mail, once what it changed is durable.
fn fate(meaning: &Meaning, asked: Asked) -> Result<Fate> {
    let fate = |why: Option<&str>, is_done| Fate { why: why.map(str::to_owned), is_done, suppressed: None };
    Ok(match asked {
        Asked::Nothing => fate(meaning.why(), false),
        Asked::Unproved => fate(Some("nothing in it proves whose mail came back; nothing was done"), false),
        Asked::Request(answer) => match answer.wait()? {
            Answer::NoSuchToken => fate(Some("its token is good for nothing"), true),
            Answer::TooMany(_) => fate(Some("too much was asked; it is left for later"), false),
            _ => fate(meaning.why(), true),
        },
        Asked::Return(taken) => match taken.wait()? {
            Taken::Again => fate(Some("it was taken before"), true),
            Taken::Nobody => fate(Some("its reader is not on the list any more"), true),
            Taken::Kept => fate(None, true),
            Taken::Suppressed(suppression) => {
                let why = format!("its reader gets no more mail: {}", reason(suppression));
                Fate { why: Some(why), is_done: true, suppressed: Some(suppression) }
            }
        },
    })
}

/// What a report says, without naming anybody.
fn said(report: &Report) -> String {
    let Some(returned) = Returned::of_report(report) else { return report.kind.name().to_owned() };
    if report.kind == Kind::Complaint {
        return "complaint".to_owned();
    }
    let hardness = if returned.hardness == Hardness::Hard { "hard" } else { "soft" };
    let status = returned.status.map(|status| format!(" {status}")).unwrap_or_default();
    format!("{hardness}, {}{status}", returned.reason.name())
}

fn reason(suppression: Suppression) -> &'static str {
    match suppression {
        Suppression::HardBounce => "there is no such address",
        Suppression::SoftBounces => "mail came back too often",
        Suppression::Complaint => "he complained",
        Suppression::Operator => "the operator said so",
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
struct Tally {
    meanings: BTreeMap<&'static str, usize>,
    suppressed: usize,
    unproved: usize,
}

impl Tally {
    fn count(&mut self, meaning: &Meaning, fate: &Fate) {
        *self.meanings.entry(meaning.name()).or_default() += 1;
        self.suppressed += usize::from(fate.suppressed.is_some());
        let is_report = matches!(meaning, Meaning::Bounce(Some(_)));
        self.unproved += usize::from(is_report && !fate.is_done && fate.why.is_some());
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
        let number = |meaning: &str| self.meanings.get(meaning).copied().unwrap_or_default();
        let told = WORDS.iter().filter(|(meaning, _)| number(meaning) > 0);
        let told: Vec<String> = told.map(|(meaning, words)| format!("{} {words}", number(meaning))).collect();
        let parts = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
        let mut sentence = format!("{}{parts}", count(self.meanings.values().sum(), "mail"));
        if self.suppressed > 0 {
            let verb = if self.suppressed == 1 { "gets" } else { "get" };
            sentence.push_str(&format!("; {} {verb} no more mail", count(self.suppressed, "reader")));
        }
        if self.unproved > 0 {
            let verb = if self.unproved == 1 { "does" } else { "do" };
            let reports = count(self.unproved, "report");
            sentence.push_str(&format!("; {reports} {verb} not prove whose mail came back"));
        }
        if dry_run { sentence + "; nothing was done" } else { sentence }
    }
}
