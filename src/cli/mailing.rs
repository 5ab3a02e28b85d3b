//! `mailmag mailing`: how it stands with the sending of an issue, and by the operator's hand.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use clap::Subcommand;
use serde_json::{Value, json};

use super::console::Console;
use super::mailer::{Books, books, mailing_of};
use super::{Outcome, open, time};
use crate::bounce::Way;
use crate::config::Config;
use crate::deliver::mailer::message_id;
use crate::list::files::{Formulas, write_row};
use crate::mailing::{DeliveryStatus, Sums};
use crate::store::mailings::{DeliveryRow, Hold, Mailing, MailingStatus};
use crate::store::returns::Return;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How many deliveries stand where, and what came back
    Status(Shown),
    /// Send nothing more until it is resumed
    Pause(Named),
    /// Go on with what was paused
    Resume(Named),
    /// Call off whatever has not left
    Cancel(Named),
    /// Hold the sums against each other, and name every delivery of which nobody knows whether it was taken
    Verify(Named),
    /// A line for each delivery: who, when, what the server said, and what came back
    Report(Shown),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The issue's number
    number: String,
}

#[derive(Debug, clap::Args)]
struct Shown {
    /// The issue's number
    number: String,
    /// As JSON: one object, or one on each line
    #[arg(long)]
    json: bool,
}

/// How many deliveries are read together.
const TOGETHER: usize = 1_000;

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let (content, problems) = open(directory)?;
    let Some(content) = content else { return Ok(console.problems(&problems)) };
    let books = books(&content.config, directory)?;
    match arguments.command {
        Command::Status(shown) => {
            status(&books, &mailing_of(&books.mailings, &shown.number)?, shown.json, console)
        }
        Command::Pause(named) => set(&books, &named.number, MailingStatus::Paused, console),
        Command::Resume(named) => set(&books, &named.number, MailingStatus::Running, console),
        Command::Cancel(named) => set(&books, &named.number, MailingStatus::Cancelled, console),
        Command::Verify(named) => verify(&books, &mailing_of(&books.mailings, &named.number)?, console),
        Command::Report(shown) => {
            let mailing = mailing_of(&books.mailings, &shown.number)?;
            report(&books, &content.config, &mailing, shown.json, console)
        }
    }
}

/// The parts of the sum, as the contract names them.
fn parts(sums: &Sums) -> [(&'static str, u64); 8] {
    [
        ("queued", sums.queued),
        ("claimed", sums.claimed),
        ("accepted", sums.accepted),
        ("deferred", sums.deferred),
        ("rejected", sums.rejected),
        ("unknown", sums.unknown),
        ("cancelled", sums.cancelled),
        ("skipped", sums.skipped),
    ]
}

fn status(books: &Books, mailing: &Mailing, as_json: bool, console: &Console) -> Result<Outcome> {
    let sums = books.mailings.sums(mailing.id).wait()?;
    let after = books.mailings.returns(mailing.id).wait()?;
    let returns = &after.returns;
    let held = books.mailings.held(mailing.id).wait()?;
    let told = if as_json {
        let mut told = json!({
            "issue": mailing.issue,
            "correction": mailing.correction,
            "status": mailing.status.name(),
            "why": mailing.why,
            "subject": mailing.subject,
            "digest": mailing.digest,
            "starts": mailing.starts.to_rfc3339(),
            "planned": sums.planned,
        });
        for (name, number) in parts(&sums) {
            told[name] = number.into();
        }
        told["held"] = held.iter().map(held_domain).collect();
        told["bounces"] = json!({ "hard": returns.hard, "soft": returns.soft });
        told["complaints"] = returns.complaints.into();
        told["departures"] = after.departures.into();
        format!("{told}\n")
    } else {
        let why = mailing.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        let mut told = format!(
            "issue {}: {}{why}\n{:>10}  planned\n",
            mailing.title(),
            mailing.status.name(),
            sums.planned
        );
        for (name, number) in parts(&sums).iter().filter(|(_, number)| *number > 0) {
            told.push_str(&format!("{number:>10}  {name}\n"));
        }
        for (hold, waiting) in &held {
            told.push_str(&format!("{waiting:>10}  held for {}: {}\n", hold.domain, hold.why));
        }
        let later = [
            (returns.hard, "came back for good"),
            (returns.soft, "came back for a time"),
            (returns.complaints, "complained"),
            (after.departures, "left before the next mailing"),
        ];
        for (number, name) in later.iter().filter(|(number, _)| *number > 0) {
            told.push_str(&format!("{number:>10}  {name}\n"));
        }
        told
    };
    console.data(told.as_bytes())?;
    Ok(Outcome::Well)
}

fn held_domain((hold, waiting): &(Hold, u64)) -> Value {
    json!({ "domain": hold.domain, "why": hold.why, "since": hold.at.to_rfc3339(), "waiting": waiting })
}

fn set(books: &Books, number: &str, status: MailingStatus, console: &Console) -> Result<Outcome> {
    let mailing = mailing_of(&books.mailings, number)?;
    let why = (status == MailingStatus::Paused).then(|| "by the operator".to_owned());
    if status == MailingStatus::Running && mailing.starts < time() {
        // What has not begun begins now, and is dated so.
        books.mailings.reschedule(mailing.id, time()).wait()?;
    }
    if !books.mailings.set_status(mailing.id, status, why, time()).wait()? {
        bail!("issue {} is {} already", mailing.title(), mailing.status.name())
    }
    let now = match status {
        MailingStatus::Running => "goes on: `mailmag worker` or `mailmag send` sends it",
        MailingStatus::Paused => "is paused",
        MailingStatus::Cancelled => "is cancelled: what had not left will not",
        MailingStatus::Done => "is done",
    };
    console.say(&format!("issue {} {now}", mailing.title()));
    Ok(Outcome::Well)
}

fn verify(books: &Books, mailing: &Mailing, console: &Console) -> Result<Outcome> {
    let sums = books.mailings.sums(mailing.id).wait()?;
    let mut told = String::new();
    each(books, mailing, |row| {
        if row.status == DeliveryStatus::Unknown {
            let address = row.address.as_ref().map_or("(erased)", |address| address.as_str());
            told.push_str(&format!("unknown  {address}  {}\n", row.reply.as_deref().unwrap_or("")));
        }
        Ok(())
    })?;
    console.data(told.as_bytes())?;
    let sum = parts(&sums).iter().map(|(_, number)| number.to_string()).collect::<Vec<_>>().join(" + ");
    let is_balanced = sums.balance();
    let sign = if is_balanced { "=" } else { "is not" };
    console.say(&format!("{} planned {sign} {sum} (queued, claimed, accepted, deferred, rejected, unknown, cancelled, skipped)", sums.planned));
    if !is_balanced {
        bail!("the sums of issue {} do not balance", mailing.title())
    }
    Ok(Outcome::Well)
}

fn report(
    books: &Books,
    config: &Config,
    mailing: &Mailing,
    as_json: bool,
    console: &Console,
) -> Result<Outcome> {
    let domain = config.mail.from.domain();
    let mut output = console.data_stream();
    if !as_json {
        let headings = [
            "email",
            "status",
            "message_id",
            "at",
            "reply",
            "bounce",
            "bounce_hardness",
            "bounce_status",
            "bounce_reason",
            "bounce_at",
            "held",
        ];
        write_row(&mut output, &headings, Formulas::Kept)?;
    }
    let holds = books.mailings.holds(mailing.id).wait()?;
    let holds: HashMap<&str, &str> =
        holds.iter().map(|hold| (hold.domain.as_str(), hold.why.as_str())).collect();
    each(books, mailing, |row| {
        let why_held = row.address.as_ref().filter(|_| row.is_held);
        let why_held = why_held.and_then(|address| holds.get(address.domain()).copied());
        let id = message_id(&books.key, mailing.id, row.subscriber, domain);
        let at = row.at.map(|at| at.to_rfc3339());
        let email = row.address.as_ref().map(|address| address.as_str());
        if as_json {
            let line = json!({
                "email": email,
                "status": row.status.name(),
                "message_id": id,
                "at": at,
                "reply": row.reply,
                "held": why_held,
                "bounce": row.returned.as_ref().map(returned),
            });
            writeln!(output, "{line}")?;
        } else {
            let of = row.returned.as_ref();
            let came = of.map(|of| of.at.to_rfc3339());
            let cells = [
                email,
                Some(row.status.name()),
                Some(&id),
                at.as_deref(),
                row.reply.as_deref(),
                of.map(|of| of.way.name()),
                of.map(|of| of.hardness.name()).filter(|_| !of.is_some_and(is_complaint)),
                of.and_then(|of| of.status.as_deref()),
                of.map(|of| of.reason).filter(|_| !of.is_some_and(is_complaint)),
                came.as_deref(),
                why_held,
            ];
            write_row(&mut output, &cells.map(|cell| cell.unwrap_or("")), Formulas::Defused)?;
        }
        Ok(())
    })?;
    output.flush()?;
    Ok(Outcome::Well)
}

fn is_complaint(returned: &Return) -> bool {
    returned.way == Way::Complaint
}

/// What came back, as an object. A complaint has no hardness and no reason.
pub(super) fn returned(returned: &Return) -> Value {
    let is_complaint = is_complaint(returned);
    json!({
        "kind": returned.way.name(),
        "hardness": (!is_complaint).then(|| returned.hardness.name()),
        "status": returned.status,
        "reason": (!is_complaint).then_some(returned.reason),
        "at": returned.at.to_rfc3339(),
        "diagnostic": returned.diagnostic,
    })
}

fn each(books: &Books, mailing: &Mailing, mut tell: impl FnMut(&DeliveryRow) -> Result<()>) -> Result<()> {
    let mut after = 0;
    loop {
        let rows = books.mailings.deliveries(mailing.id, after, TOGETHER).wait()?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.subscriber.0;
        rows.iter().try_for_each(&mut tell)?;
    }
}
