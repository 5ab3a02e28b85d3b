//! `mailmag subscribers verify`: whether the ledger of consent is as it was written.

use anyhow::Result;
use serde_json::json;

use super::super::Outcome;
use super::super::console::Console;
use super::{List, grouped};
use crate::digest::hexadecimal;
use crate::store::Verification;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(list: &List<'_>, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let verification = list.store.verify()?;
    let (told, outcome) = match &verification {
        Verification::Whole { readers, end } => {
            let entries = grouped(u64::try_from(end.number).unwrap_or_default());
            let digest = hexadecimal(&end.digest);
            console.say(&format!(
                "the ledger is whole: {entries} entries about {}, the last with digest {digest}",
                super::readers(*readers)
            ));
            (
                json!({ "whole": true, "entries": end.number, "readers": readers, "digest": digest }),
                Outcome::Well,
            )
        }
        Verification::Broken(fault) => {
            let place = fault.number.map_or(String::new(), |number| format!(" at entry {number}"));
            console.problem(&format!(
                "the ledger is not as it was written{place}: {}\nrestore the list from a backup, and compare what happened since",
                fault.what
            ));
            (json!({ "whole": false, "entry": fault.number, "problem": fault.what }), Outcome::Problems)
        }
    };
    if arguments.json {
        console.data(format!("{told:#}\n").as_bytes())?;
    }
    Ok(outcome)
}
