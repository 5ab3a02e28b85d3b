//! `mailmag theme`: the built-in templates and theme files, and how a magazine starts its own from one.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::console::Console;
use super::{Outcome, shown};
use crate::config::closest;
use crate::theme::{BuiltIn, built_in};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Every built-in file and what it is for; `*` marks those that the magazine has its own of
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a built-in file into the magazine's folder, to be changed there
    Eject {
        /// The file, as `mailmag theme list` shows it
        path: String,
    },
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    match arguments.command {
        Command::List { json } => list(directory, json, console),
        Command::Eject { path } => eject(directory, &path, console),
    }
}

fn list(directory: &Path, as_json: bool, console: &Console) -> Result<Outcome> {
    let files = built_in();
    let has_own = |file: &BuiltIn| directory.join(file.path).is_file();
    let text = if as_json {
        let files: Vec<_> = files
            .iter()
            .map(|file| json!({ "path": file.path, "purpose": file.purpose, "overridden": has_own(file) }))
            .collect();
        format!("{:#}\n", json!(files))
    } else {
        let width = files.iter().map(|file| file.path.len()).max().unwrap_or_default();
        let line = |file: &BuiltIn| {
            let mark = if has_own(file) { '*' } else { ' ' };
            format!("{mark} {:width$}  {}\n", file.path, file.purpose)
        };
        files.iter().map(line).collect()
    };
    console.data(text.as_bytes())?;
    Ok(Outcome::Well)
}

fn eject(directory: &Path, path: &str, console: &Console) -> Result<Outcome> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let files = built_in();
    let Some(file) = files.iter().find(|file| file.path == path) else {
        let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
        match closest(path, &paths) {
            Some(close) => bail!("there is no built-in file {path}: did you mean {close}?"),
            None => bail!("there is no built-in file {path}: `mailmag theme list` shows all"),
        }
    };
    let target = directory.join(file.path);
    let folder = target.parent().unwrap_or(directory);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", shown(folder)))?;
    match File::create_new(&target).and_then(|mut new| new.write_all(file.octets)) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already, and stays as it is", shown(&target))
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", shown(&target))),
    }
    console.say(&format!("{} is yours now, and wins over the built-in one", shown(&target)));
    Ok(Outcome::Well)
}
