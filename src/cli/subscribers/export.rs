//! `mailmag subscribers export`: the list as CSV that spreadsheets open without harm, or as JSON.

use std::io::{self, Write};
use std::ops::ControlFlow;

use anyhow::Result;
use chrono::SecondsFormat;
use serde_json::json;

use super::super::Outcome;
use super::super::console::Console;
use super::List;
use crate::list::files::{Formulas, write_headings, write_subscriber};
use crate::model::{Status, Subscriber};
use crate::store::Filter;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only readers of this status; `suppressed` is all that are, for whatever reason
    #[arg(long, value_name = "STATUS", value_parser = status_named)]
    status: Option<Wanted>,
    /// Only readers with this tag
    #[arg(long)]
    tag: Option<String>,
    /// A JSON object on each line
    #[arg(long, conflicts_with_all = ["bom", "raw"])]
    json: bool,
    /// Begin with a byte order mark, so that Excel knows the file as UTF-8
    #[arg(long)]
    bom: bool,
    /// Leave cells that look like formulas as they are: for programs, not for spreadsheets
    #[arg(long)]
    raw: bool,
}

/// Which status is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// This one.
    Status(Status),
    /// Any of those that nothing is sent to.
    Suppressed,
}

pub(super) fn run(list: &List<'_>, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let Arguments { status, tag, json, bom, raw } = arguments;
    let formulas = if raw { Formulas::Kept } else { Formulas::Defused };
    let mut output = console.data_stream();
    if !json {
        write_headings(&mut output, bom)?;
    }
    let mut written: io::Result<()> = Ok(());
    let wanted = match status {
        Some(Wanted::Status(status)) => Some(status),
        Some(Wanted::Suppressed) | None => None,
    };
    list.store.each_subscriber(&Filter { status: wanted, tag }, &mut |subscriber| {
        if status == Some(Wanted::Suppressed) && !matches!(subscriber.status, Status::Suppressed(_)) {
            return ControlFlow::Continue(());
        }
        written = if json {
            writeln!(output, "{}", object(&subscriber))
        } else {
            write_subscriber(&mut output, &subscriber, formulas)
        };
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written.and_then(|()| output.flush())?;
    Ok(Outcome::Well)
}

/// A reader as JSON.
pub(super) fn object(subscriber: &Subscriber) -> serde_json::Value {
    json!({
        "email": subscriber.address.as_str(),
        "name": subscriber.name,
        "status": subscriber.status.name(),
        "source": subscriber.source.name(),
        "language": subscriber.language.tag(),
        "tags": subscriber.tags,
        "created": subscriber.created.to_rfc3339_opts(SecondsFormat::Secs, true),
        "changed": subscriber.changed.to_rfc3339_opts(SecondsFormat::Secs, true),
    })
}

fn status_named(written: &str) -> Result<Wanted, String> {
    if written == "suppressed" {
        return Ok(Wanted::Suppressed);
    }
    let names: Vec<&str> = Status::NAMES.iter().map(|(name, _)| *name).collect();
    let status = Status::named(written).map(Wanted::Status);
    status.ok_or_else(|| format!("a status is one of: {}, or suppressed for all of these", names.join(", ")))
}
