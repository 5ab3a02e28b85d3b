//! `mailmag man` and `mailmag completions`: what packagers install beside the program.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap_complete::Shell;

use super::Outcome;
use super::console::Console;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Write one page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: Arguments, console: &Console) -> Result<Outcome> {
    match arguments.out {
        Some(folder) => {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            clap_mangen::generate_to(super::command(), &folder)
                .with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(super::command()).render(&mut page)?;
            console.data(&page)?;
        }
    }
    Ok(Outcome::Well)
}

pub(super) fn completions(arguments: CompletionsArguments, console: &Console) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::command(), "mailmag", &mut script);
    console.data(&script)?;
    Ok(Outcome::Well)
}
