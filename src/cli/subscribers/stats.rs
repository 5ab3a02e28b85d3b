//! `mailmag subscribers stats`: how many readers there are.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::super::console::Console;
use super::super::{Outcome, time};
use super::{List, grouped};
use crate::digest::hexadecimal;
use crate::model::{Source, Status};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(list: &List<'_>, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let stats = list.store.stats()?;
    let by_status: Vec<(&str, u64)> =
        Status::NAMES.iter().map(|(name, status)| (*name, stats.of_status(*status))).collect();
    let of_source = |wanted: Source| {
        let active =
            stats.readers.iter().filter(|(status, source, _)| *source == wanted && *status == Status::Active);
        active.map(|(.., count)| count).sum::<u64>()
    };
    let by_source: Vec<(&str, u64)> =
        Source::NAMES.iter().map(|(name, source)| (*name, of_source(*source))).collect();
    let told = if arguments.json {
        let object = |counts: &[(&str, u64)]| {
            counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), Value::from(*count)))
                .collect::<Map<_, _>>()
        };
        let told = json!({
            "status": object(&by_status),
            "active-by-source": object(&by_source),
            "notices-waiting": stats.notices_waiting,
            "bounces": { "hard": stats.returns.hard, "soft": stats.returns.soft },
            "complaints": stats.returns.complaints,
            "confirmations-within-hour": stats.confirmations_within_hour(time()),
            "ledger": { "entries": stats.end.number, "digest": hexadecimal(&stats.end.digest) },
        });
        format!("{told:#}\n")
    } else {
        let mut told = String::new();
        let mut line = |name: &str, count: u64| told.push_str(&format!("{:>12}  {name}\n", grouped(count)));
        for (name, count) in by_status.iter().filter(|(name, count)| *count > 0 || *name == "active") {
            line(name, *count);
            if *name == "active" {
                let sources = by_source.iter().filter(|(_, count)| *count > 0);
                sources.for_each(|(source, count)| line(&format!("  by {source}"), *count));
            }
        }
        line("notices waiting to be sent", stats.notices_waiting);
        let returns = &stats.returns;
        let came_back = [
            (returns.hard, "mails came back for good"),
            (returns.soft, "mails came back for a time"),
            (returns.complaints, "complaints"),
        ];
        came_back.iter().filter(|(number, _)| *number > 0).for_each(|(number, name)| line(name, *number));
        if stats.is_alarm(time()) {
            line(
                "confirmations within an hour: somebody may flood others",
                stats.confirmations_within_hour(time()),
            );
        }
        let end = &stats.end;
        let number = u64::try_from(end.number).unwrap_or_default();
        told.push_str(&format!(
            "{:>12}  entries in the ledger, the last with digest {}\n",
            grouped(number),
            hexadecimal(&end.digest)
        ));
        told
    };
    console.data(told.as_bytes())?;
    Ok(Outcome::Well)
}
