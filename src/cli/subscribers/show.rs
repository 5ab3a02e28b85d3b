//! `mailmag subscribers show`: one page that proves a reader's consent.

use anyhow::{Result, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::super::Outcome;
use super::super::console::Console;
use super::super::mailing::returned;
use super::{List, address, export};
use crate::bounce::Way;
use crate::digest::hexadecimal;
use crate::list::NoticeKind;
use crate::list::ledger::EventKind;
use crate::model::Subscriber;
use crate::store::LedgerEntry;
use crate::store::returns::Return;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The reader's address
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(list: &List<'_>, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let address = address(&arguments.address)?;
    let Some(subscriber) = list.store.subscriber(&address)? else {
        bail!("nobody on the list has this address");
    };
    let proof = list.store.proof(&address)?;
    let returns = list.store.returns(&address)?;
    let zone = list.config.magazine.timezone;
    let domain = list.config.mail.from.domain();
    let entries: Vec<Vec<(&'static str, String)>> = proof.iter().map(|entry| fields(entry, domain)).collect();
    let told = if arguments.json {
        let mut told = export::object(&subscriber);
        told["ledger"] = proof.iter().zip(&entries).map(|(entry, fields)| object(entry, fields)).collect();
        told["returns"] = returns.iter().map(returned).collect();
        format!("{told:#}\n")
    } else {
        page(&subscriber, &returns, &proof, &entries, zone)
    };
    console.data(told.as_bytes())?;
    Ok(Outcome::Well)
}

/// What an entry holds, by name.
fn fields(entry: &LedgerEntry, domain: &str) -> Vec<(&'static str, String)> {
    let details = &entry.details;
    let mut fields = Vec::new();
    let mut add = |name: &'static str, value: Option<String>| {
        fields.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
    };
    add("status", entry.status.map(|status| status.name().to_owned()));
    add("address", details.address.clone());
    add("new address", details.new_address.clone());
    add("name", details.name.clone());
    add("language", details.language.clone());
    add("tags", Some(details.tags.join(", ")));
    add("page", details.page.clone());
    add("asked by mail", details.message_id.clone());
    let kind = match entry.event {
        EventKind::Applied => Some(NoticeKind::Confirm),
        EventKind::AddressAsked => Some(NoticeKind::ChangeAddress),
        _ => None,
    };
    let mailed = details.mailed_nonce();
    add("mailed", kind.zip(mailed).map(|(kind, nonce)| kind.message_id(nonce, domain)));
    add("IP address", entry.ip.clone());
    add("network", details.network.clone());
    add("user agent", details.user_agent.clone());
    add("wording", entry.wording.clone());
    add("wording SHA-256", details.wording.clone());
    add("reason", details.reason.clone());
    let facts = entry.import.as_ref();
    let of_either = |field: fn(&crate::list::ledger::Details) -> Option<String>| {
        field(details).or_else(|| facts.and_then(field))
    };
    add("source", of_either(|details| details.source.clone()));
    add("basis", of_either(|details| details.basis.clone()));
    add("import", of_either(|details| details.import.map(|number| number.to_string())));
    let file = of_either(|details| details.file_name.clone());
    let list = of_either(|details| details.source_name.clone());
    add("list", list.filter(|list| Some(list) != file.as_ref()));
    add("file", file);
    add("line", details.line.map(|line| line.to_string()));
    add("file SHA-256", of_either(|details| details.file_digest.clone()));
    add("operator", of_either(|details| details.operator.clone()));
    add("digest", Some(hexadecimal(&entry.digest)));
    add("digest before", Some(hexadecimal(&entry.previous)));
    fields
}

fn page(
    subscriber: &Subscriber,
    returns: &[Return],
    proof: &[LedgerEntry],
    entries: &[Vec<(&'static str, String)>],
    zone: Tz,
) -> String {
    let mut page = format!("{}\n\n", subscriber.address.as_str());
    let mut line = |name: &str, value: &str| add_line(&mut page, name, value);
    line("status", subscriber.status.name());
    line("name", subscriber.name.as_deref().unwrap_or("(none)"));
    line("tags", &if subscriber.tags.is_empty() { "(none)".to_owned() } else { subscriber.tags.join(", ") });
    line("source", subscriber.source.name());
    line("language", subscriber.language.tag());
    line("known since", &told_time(subscriber.created, zone));
    line("changed", &told_time(subscriber.changed, zone));
    if subscriber.address.is_legacy() {
        line("address", "of the carriers' old kind, with dots where none may be");
    }
    for returned in returns {
        let of = returned.mailing.map(|mailing| format!(" of mailing {}", mailing.0)).unwrap_or_default();
        page.push_str(&format!("\nCame back{of}: {}\n\n", returned.way.name()));
        add_line(&mut page, "time", &told_time(returned.at, zone));
        if returned.way != Way::Complaint {
            add_line(&mut page, "hardness", returned.hardness.name());
            add_line(&mut page, "reason", returned.reason);
        }
        if let Some(status) = &returned.status {
            add_line(&mut page, "status code", status);
        }
        if !returned.diagnostic.is_empty() {
            add_line(&mut page, "words", &returned.diagnostic);
        }
    }
    for (entry, fields) in proof.iter().zip(entries) {
        page.push_str(&format!("\nEntry {}: {}\n\n", entry.number, entry.event.name()));
        add_line(&mut page, "time", &told_time(entry.at, zone));
        fields.iter().for_each(|(name, value)| add_line(&mut page, name, value));
    }
    page
}

/// A value of several lines, such as a wording, stays in its column.
fn add_line(page: &mut String, name: &str, value: &str) {
    let value = shown(value).replace('\n', &format!("\n{:18}", ""));
    page.push_str(&format!("  {name:<16}{value}\n"));
}

fn object(entry: &LedgerEntry, fields: &[(&'static str, String)]) -> Value {
    let mut object = json!({
        "entry": entry.number,
        "at": entry.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "event": entry.event.name(),
    });
    for (name, value) in fields {
        object[name.to_lowercase().replace(' ', "-")] = Value::from(value.as_str());
    }
    object
}

/// A time in UTC and where the magazine is published.
fn told_time(at: DateTime<Utc>, zone: Tz) -> String {
    let there = at.with_timezone(&zone);
    format!("{} UTC ({} {zone})", at.format("%Y-%m-%d %H:%M:%S"), there.format("%Y-%m-%d %H:%M:%S"))
}

/// What a stranger wrote, without what a terminal would obey.
fn shown(value: &str) -> String {
    value.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}
