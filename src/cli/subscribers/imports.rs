//! `mailmag subscribers imports` and `undo`: what was imported, and taking it back.

use anyhow::{Result, bail};
use chrono::SecondsFormat;
use serde_json::json;

use super::super::Outcome;
use super::super::console::Console;
use super::{List, evidence, grouped, readers};
use crate::store::UndoReport;

#[derive(Debug, clap::Args)]
pub(super) struct ListArguments {
    /// A JSON object on each line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct UndoArguments {
    /// The import's number, as `imports` lists it
    #[arg(value_name = "IMPORT")]
    import: i64,
}

pub(super) fn list(list: &List<'_>, arguments: ListArguments, console: &Console) -> Result<Outcome> {
    let mut told = String::new();
    let zone = list.config.magazine.timezone;
    for record in list.store.imports()? {
        if arguments.json {
            let object = json!({
                "import": record.id,
                "at": record.at.to_rfc3339_opts(SecondsFormat::Secs, true),
                "source": record.source_name,
                "file": record.file_name,
                "readers": record.taken,
                "undone": record.undone.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            });
            told.push_str(&format!("{object}\n"));
            continue;
        }
        let at = record.at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
        let readers = readers(record.taken);
        let file = if record.file_name == record.source_name {
            String::new()
        } else {
            format!(" ({})", record.file_name)
        };
        let undone = match record.undone {
            Some(at) => format!(", undone {}", at.with_timezone(&zone).format("%Y-%m-%d %H:%M")),
            None => String::new(),
        };
        told.push_str(&format!(
            "{:>4}  {at}  {readers:>17}  {}{file}{undone}\n",
            record.id, record.source_name
        ));
    }
    if told.is_empty() {
        console.say("nothing was imported yet");
    }
    console.data(told.as_bytes())?;
    Ok(Outcome::Well)
}

pub(super) fn undo(list: &List<'_>, arguments: UndoArguments, console: &Console) -> Result<Outcome> {
    let import = arguments.import;
    match list.store.undo_import(import, &evidence()?)? {
        UndoReport::Done { taken_back, kept } => {
            console.say(&format!("import {import} is taken back, with {}", readers(taken_back)));
            if kept > 0 {
                console.say(&format!(
                    "  {} have done something since, and are as they want to be",
                    grouped(kept)
                ));
            }
        }
        UndoReport::Before(at) => {
            let at = at.with_timezone(&list.config.magazine.timezone).format("%Y-%m-%d %H:%M");
            console.say(&format!("import {import} was taken back on {at} already"));
        }
        UndoReport::NoSuchImport => {
            bail!("there is no import {import}: `mailmag subscribers imports` lists them");
        }
    }
    Ok(Outcome::Well)
}
