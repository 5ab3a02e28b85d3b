//! `mailmag send`: an issue to all its readers, each once.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};

use super::console::{Console, count};
use super::letters::{Approved, letter_of};
use super::mailer::{Books, as_worker, books, composer, frozen, local_time, settings, tell_of_store};
use super::rehearse::rehearse;
use super::{Outcome, time};
use crate::deliver::mailer::{self, Composer, Event, Finished, Settings};
use crate::deliver::smtp::Courier;
use crate::diagnostic::{Diagnostic, Level};
use crate::list::Nonce;
use crate::mailing::{InDoubt, Verdict};
use crate::model::{EmailAddress, SubscriberId};
use crate::store::StoreError;
use crate::store::mailings::{
    Audience, Delivery, Mailing, MailingId, MailingStatus, NewMailing, Planned, WorkerId,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The issue's number
    number: String,
    /// Send it to these addresses alone, to look at; nothing is noted
    #[arg(long, value_name = "ADDR", num_args = 1.., conflicts_with_all = ["dry_run", "at", "to", "correction"])]
    test: Vec<String>,
    /// Write every reader's message into this folder, and send nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["at", "correction"])]
    dry_run: Option<PathBuf>,
    /// Send every reader's message to a server of our own on this machine, and tell how that went; nothing is noted
    #[arg(long, conflicts_with_all = ["test", "dry_run", "at", "correction"])]
    rehearse: bool,
    /// Send it at this time, in the magazine's time zone, such as 2026-05-14T09:00; `mailmag worker` does it then
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Send it to the readers with this tag alone
    #[arg(long, value_name = "TAG")]
    to: Option<String>,
    /// Send it as a correction (訂正号) to those who got, or may have got, the last one
    #[arg(long, conflicts_with = "to")]
    correction: bool,
    /// What is done with messages that may have gone out when a connection broke: hold (they are listed) or resend
    #[arg(long, value_name = "POLICY", default_value = "hold")]
    in_doubt: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// How many readers are looked at together.
const TOGETHER: usize = 1_000;

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let Some(in_doubt) = InDoubt::named(&arguments.in_doubt) else {
        bail!("`{}` is no policy: write hold or resend", arguments.in_doubt)
    };
    let approved = match letter_of(directory, &arguments.number)? {
        Ok(approved) => approved,
        Err(problems) => return Ok(console.problems(&problems)),
    };
    let is_sent = arguments.test.is_empty() && arguments.dry_run.is_none() && !arguments.rehearse;
    let told = if is_sent { &[][..] } else { &approved.unlawful };
    console.problems(&[&approved.warnings, told].concat());
    let books = books(&approved.config, directory)?;
    let now = time();
    let letter = frozen(&approved.letter)?;
    let compose = |at| composer(&approved.config, directory, &books.key, &letter, at);
    if !arguments.test.is_empty() {
        return test(&arguments.test, &compose(now)?, &settings(&approved.config, directory)?, console);
    }
    if let Some(folder) = &arguments.dry_run {
        let audience = Audience { tag: arguments.to, got: None };
        return dry_run(&directory.join(folder), &compose(now)?, &audience, &books, console);
    }
    if arguments.rehearse {
        let audience = Audience { tag: arguments.to, got: None };
        let new = new_mailing(&approved, (now, now, in_doubt), 0)?;
        return rehearse(&approved.config, directory, &books, (new, &audience), console);
    }
    let starts = match &arguments.at {
        None => now,
        Some(at) => time_of(at, &approved)?,
    };
    if starts < now {
        bail!("{} has passed: leave --at out to send it now", local_time(starts, &approved.config))
    }
    let settings = settings(&approved.config, directory)?;
    compose(starts)?;
    let mailing = match plan(&approved, &arguments, (now, starts, in_doubt), &books, console)? {
        Ok(mailing) => mailing,
        Err(outcome) => return Ok(outcome),
    };
    if arguments.at.is_some() && mailing.starts != starts {
        // It was frozen before, to be sent at another time.
        if !books.mailings.reschedule(mailing.id, starts).wait()? {
            bail!("the sending of issue {} has begun: it has no other time any more", approved.label)
        }
    } else if mailing.starts <= now {
        return send(&approved, directory, &books, mailing, settings, console);
    }
    let waits_until = if arguments.at.is_some() { starts } else { mailing.starts };
    console.say(&format!(
        "it waits until {}: `mailmag worker` sends it then",
        local_time(waits_until, &approved.config)
    ));
    Ok(Outcome::Well)
}
/// Freezes the mailing, or finds the one that was frozen before; how the command ends where there is none: the operator says
/// no, or the law would.
fn plan(
    approved: &Approved,
    arguments: &Arguments,
    (now, starts, in_doubt): (DateTime<Utc>, DateTime<Utc>, InDoubt),
    books: &Books,
    console: &Console,
) -> Result<Result<Mailing, Outcome>> {
    let issue = i64::from(approved.number);
    let known = books.mailings.of_issue(issue).wait()?;
    let last = known.last();
    let (correction, got) = match (arguments.correction, last) {
        (false, _) => (0, None),
        (true, Some(last)) => (last.correction + 1, Some(last.id)),
        (true, None) => bail!("issue {} was never sent, so that there is nothing to correct", approved.label),
    };
    if !arguments.correction
        && let Some(first) = known.first()
    {
        return Ok(Ok(joined(first, approved)?));
    }
    // What is frozen already was approved before.
    if !approved.unlawful.is_empty() {
        let error = |problem: &Diagnostic| Diagnostic { level: Level::Error, ..problem.clone() };
        return Ok(Err(console.problems(&approved.unlawful.iter().map(error).collect::<Vec<_>>())));
    }
    let audience = Audience { tag: arguments.to.clone(), got };
    let readers = count_readers(books, &audience)?;
    summary(approved, &audience, readers, starts, console);
    if readers == 0 {
        bail!("there is nobody to send it to: `mailmag subscribers stats` counts the readers")
    }
    if !arguments.yes && !agreed(readers, console)? {
        console.say("nothing was sent");
        return Ok(Err(Outcome::Well));
    }
    let new = new_mailing(approved, (now, starts, in_doubt), correction)?;
    match freeze(books, &new, &audience)? {
        Planned::New(mailing) => Ok(Ok(mailing)),
        Planned::Already(mailing) | Planned::Other(mailing) => Ok(Ok(joined(&mailing, approved)?)),
    }
}

/// How long another sender may take to freeze its mailing, or an import to write the list.
const FREEZES_FOR: Duration = Duration::from_secs(120);

/// Freezes a mailing, when whoever writes to the list for long has done so.
fn freeze(books: &Books, new: &NewMailing, audience: &Audience) -> Result<Planned, StoreError> {
    let began = Instant::now();
    loop {
        match books.mailings.plan(new.clone(), audience.clone()).wait() {
            Err(StoreError::Busy { .. }) if began.elapsed() < FREEZES_FOR => {
                std::thread::sleep(Duration::from_millis(200));
            }
            planned => return planned,
        }
    }
}

/// An issue's mailing, to be frozen.
fn new_mailing(
    approved: &Approved,
    (now, starts, in_doubt): (DateTime<Utc>, DateTime<Utc>, InDoubt),
    correction: i64,
) -> Result<NewMailing> {
    Ok(NewMailing {
        issue: i64::from(approved.number),
        label: approved.label.clone(),
        correction,
        subject: approved.subject.clone(),
        letter: frozen(&approved.letter)?,
        charset: approved.letter.charset.name().to_owned(),
        digest: approved.letter.digest.clone(),
        in_doubt,
        created: now,
        starts,
    })
}

/// A mailing that was frozen before: to go on with, if it is of the same letter.
fn joined(mailing: &Mailing, approved: &Approved) -> Result<Mailing> {
    let label = &approved.label;
    if mailing.digest != approved.letter.digest {
        bail!(
            "issue {label} was approved with another text (digest {}, now {}): what readers get is what was approved. \
             Take the change back, or send it as a correction with --correction",
            &mailing.digest[..8.min(mailing.digest.len())],
            &approved.letter.digest[..8]
        )
    }
    match mailing.status {
        MailingStatus::Paused => bail!(
            "issue {label} is paused{}: `mailmag mailing resume {label}` goes on",
            mailing.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"))
        ),
        MailingStatus::Cancelled => bail!("issue {label} was cancelled: nothing of it is sent any more"),
        MailingStatus::Running | MailingStatus::Done => Ok(mailing.clone()),
    }
}

fn count_readers(books: &Books, audience: &Audience) -> Result<usize> {
    let (mut readers, mut after) = (0, 0);
    loop {
        let some = books.mailings.audience(audience.clone(), after, TOGETHER).wait()?;
        let Some(last) = some.last() else { return Ok(readers) };
        after = last.subscriber.0;
        readers += some.len();
    }
}

fn summary(
    approved: &Approved,
    audience: &Audience,
    readers: usize,
    starts: DateTime<Utc>,
    console: &Console,
) {
    let from = &approved.config.mail.from;
    let to = audience.tag.as_ref().map_or_else(String::new, |tag| format!(" with the tag {tag}"));
    for line in [
        format!("Subject: {}", approved.subject),
        format!("From:    {} <{}>", from.name, from.address),
        format!("Readers: {readers}{to}"),
        format!("Charset: {}, {} octets", approved.letter.charset.name(), approved.letter.octets.len()),
        format!("Carries: {}", carries(approved)),
        format!("Date:    {}", local_time(starts, &approved.config)),
        format!("Digest:  {}", approved.letter.digest),
        format!(
            "Check:   {}",
            match approved.warnings.len() {
                0 => "nothing is wrong".to_owned(),
                warnings => count(warnings, "warning"),
            }
        ),
    ] {
        console.say(&line);
    }
}

/// The forms of the text, and the names of the files, that a letter carries.
fn carries(approved: &Approved) -> String {
    let has_html = approved.letter.texts.iter().any(|text| text.is_html);
    let forms = if has_html { "text and HTML" } else { "text" };
    let files = approved.attachments.iter().map(String::as_str);
    [forms].into_iter().chain(files).collect::<Vec<_>>().join(", ")
}

fn agreed(readers: usize, console: &Console) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is there to be asked: --yes sends without asking")
    }
    Ok(console.ask(&format!("Send it to {}?", count(readers, "reader")))?)
}

fn time_of(text: &str, approved: &Approved) -> Result<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let local = local.with_context(|| format!("`{text}` is no time: write 2026-05-14T09:00"))?;
    let time = approved.config.magazine.timezone.from_local_datetime(&local).earliest();
    Ok(time.with_context(|| format!("the clocks leave {text} out that day"))?.to_utc())
}

/// Sends a mailing from here, until all has left that can leave now.
fn send(
    approved: &Approved,
    directory: &Path,
    books: &Books,
    mailing: Mailing,
    settings: Settings,
    console: &Console,
) -> Result<Outcome> {
    let letter = books.mailings.letter(mailing.id).wait()?;
    let composer = composer(&approved.config, directory, &books.key, &letter, mailing.starts)?;
    let progress = console.progress(usize::try_from(mailing.planned).unwrap_or(usize::MAX), "sending");
    let before = books.mailings.sums(mailing.id).wait()?;
    progress.set_position(before.planned - before.open());
    // What went before tells nothing of how fast the rest goes.
    progress.reset_eta();
    let (bar, console_of_bar) = (progress.clone(), *console);
    let told: mailer::Progress = Arc::new(move |event| match event {
        Event::Attempt(Verdict::ServerFault | Verdict::OwnFault) => {}
        Event::Attempt(_) => bar.inc(1),
        event => bar.suspend(|| tell_of_store(event, &console_of_bar)),
    });
    let finished = as_worker(directory, &books.mailings, &settings, async |worker, stop| {
        let settings = settings.clone();
        Ok(mailer::send(&books.mailings, mailing.clone(), composer, worker, settings, told, stop).await?)
    })?;
    progress.finish_and_clear();
    result(&mailing, finished, books, console)
}

fn result(mailing: &Mailing, finished: Finished, books: &Books, console: &Console) -> Result<Outcome> {
    let sums = books.mailings.sums(mailing.id).wait()?;
    let label = &mailing.label;
    let parts = [
        ("accepted", sums.accepted),
        ("rejected", sums.rejected),
        ("deferred", sums.deferred),
        ("unknown", sums.unknown),
        ("skipped", sums.skipped),
        ("cancelled", sums.cancelled),
        ("still to send", sums.queued + sums.claimed),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(name, number)| *number > 0 || *name == "accepted")
        .map(|(name, number)| format!("{number} {name}"))
        .collect();
    console.say(&format!("issue {}: {} planned, {}", mailing.title(), sums.planned, parts.join(", ")));
    match finished {
        Finished::Done => Ok(Outcome::Well),
        Finished::Waiting(due) => {
            let due = due.format("%H:%M UTC");
            console.say(&format!("{} could not leave yet, the first until {due}: `mailmag worker`, or `mailmag send {label}` again, goes on", count(sums.open() as usize, "message")));
            Ok(Outcome::Well)
        }
        Finished::Drained => {
            console.say(&format!("`mailmag send {label}` goes on"));
            Ok(Outcome::Well)
        }
        Finished::Stopped => {
            let now = books.mailings.of_issue(mailing.issue).wait()?;
            let now = now.into_iter().find(|now| now.id == mailing.id);
            match now.and_then(|now| now.why) {
                Some(why) => {
                    bail!("issue {label} was paused: {why}. `mailmag mailing resume {label}` goes on")
                }
                None => bail!("issue {label} was paused or cancelled by somebody"),
            }
        }
    }
}

/// Sends to addresses that may be none of readers.
fn test(
    addresses: &[String],
    composer: &Composer,
    settings: &Settings,
    console: &Console,
) -> Result<Outcome> {
    let addresses = addresses
        .iter()
        .map(|text| EmailAddress::parse(text).with_context(|| format!("`{text}` is no address")))
        .collect::<Result<Vec<_>>>()?;
    let failed = mailer::block_on(async {
        let mut courier = Courier::new(settings.route.clone());
        let mut failed = 0;
        for address in addresses {
            let mail = composer.mail(&sample(address.clone()))?;
            let outcome = courier.send(&mail).await;
            let address = address.as_str();
            if outcome.verdict() == Verdict::Accepted {
                console.say(&format!("{address}: {outcome}"));
            } else {
                failed += 1;
                console.problem(&format!("{address}: {outcome}"));
            }
        }
        courier.quit().await;
        Ok::<_, anyhow::Error>(failed)
    })??;
    if failed > 0 {
        bail!("{} did not go out", count(failed, "message"))
    }
    Ok(Outcome::Well)
}

/// A delivery to somebody who is on no list: its link to leave leads nowhere.
fn sample(address: EmailAddress) -> Delivery {
    Delivery {
        mailing: MailingId(0),
        worker: WorkerId(0),
        subscriber: SubscriberId(0),
        address,
        name: None,
        unsubscribe: Nonce([0; 16]),
        attempts: 0,
        first: None,
    }
}

/// Writes every reader's message, named by his number in the list.
fn dry_run(
    folder: &Path,
    composer: &Composer,
    audience: &Audience,
    books: &Books,
    console: &Console,
) -> Result<Outcome> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (mut written, mut after) = (0, 0);
    loop {
        let readers = books.mailings.audience(audience.clone(), after, TOGETHER).wait()?;
        let Some(last) = readers.last() else { break };
        after = last.subscriber.0;
        for reader in &readers {
            let path = folder.join(format!("{}.eml", reader.subscriber.0));
            let mail = composer.mail(reader)?;
            fs::write(&path, mail.data.octets())
                .with_context(|| format!("cannot write {}", path.display()))?;
            written += 1;
        }
    }
    console.say(&format!("{} in {}; nothing was sent", count(written, "message"), folder.display()));
    Ok(Outcome::Well)
}
