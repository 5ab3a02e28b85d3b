//! `mailmag publish`: the blog to where readers find it, after showing what will change.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{self, Path};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::console::{Console, count};
use super::{Outcome, build, shown};
use crate::config::{self, Config, PublishTarget};
use crate::diagnostic::SourceText;
use crate::publish::{Changes, Signature, Stage, prepare};

/// How many names are shown unless `-v` asks for all.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// What changes, as JSON on stdout
    #[arg(long)]
    json: bool,
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let Some(config) = settings(directory)? else {
        // The build tells what is wrong with them.
        return build::run(directory, build::Arguments::default(), console);
    };
    let Some(target) = &config.publish else {
        bail!("mailmag.toml does not say where to: add [publish] with `directory`, `rsync` or `git`");
    };
    refuse_own_folders(directory, target)?;
    let may_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !(arguments.dry_run || arguments.yes || may_ask) {
        bail!(
            "nothing was published: there is no terminal to ask on (`--yes` publishes unasked, `--dry-run` only looks)"
        );
    }
    if build::run(directory, build::Arguments::default(), console)? == Outcome::Problems {
        return Ok(Outcome::Problems);
    }

    let dist = directory.join("dist");
    let cannot_read = || format!("cannot publish {}", shown(&dist));
    // No build changes the files while they are on their way.
    let _kept = Stage::begin(&dist).with_context(cannot_read)?;
    let by = signature(&config);
    let to = target.name();
    let prepared = prepare(target, directory, &dist.join("blog"), &by)
        .with_context(|| format!("cannot publish to {to}"))?;
    let changes = prepared.changes.clone();
    show(&changes, to, console);
    let mut published = false;
    if changes.is_empty() {
        console.say("nothing to publish");
    } else if !arguments.dry_run {
        if !arguments.yes && !console.ask(&format!("publish to {to}?"))? {
            console.say("nothing was published");
        } else {
            prepared.carry_out().with_context(|| format!("cannot publish to {to}"))?;
            console.say(&format!("published to {to}"));
            published = true;
        }
    }
    if arguments.json {
        let Changes { added, changed, removed } = changes;
        let told = json!({
            "to": to, "added": added, "changed": changed, "removed": removed, "published": published,
        });
        console.data(format!("{told:#}\n").as_bytes())?;
    }
    Ok(Outcome::Well)
}

/// The settings, when they can be used.
fn settings(directory: &Path) -> Result<Option<Config>> {
    let path = directory.join("mailmag.toml");
    let octets = fs::read(&path).with_context(|| format!("cannot read {}", shown(&path)))?;
    let Ok(text) = String::from_utf8(octets) else { return Ok(None) };
    let source = SourceText::new("mailmag.toml", text.trim_start_matches('\u{feff}'));
    Ok(config::parse(&source, &mut Vec::new()))
}

/// A site among the magazine's own files would be read as one of them by the next build, or built over.
fn refuse_own_folders(directory: &Path, target: &PublishTarget) -> Result<()> {
    let to = match target {
        PublishTarget::Directory(to) => to,
        // A colon before the first slash parts a host from its path.
        PublishTarget::Rsync { to, .. } if !to.split('/').next().unwrap_or_default().contains(':') => to,
        PublishTarget::Rsync { .. } | PublishTarget::Git { .. } => return Ok(()),
    };
    let absolute = |path: &Path| fs::canonicalize(path).or_else(|_| path::absolute(path));
    let to_folder = absolute(&directory.join(to))?;
    let is_own = |name: &&str| absolute(&directory.join(name)).is_ok_and(|own| to_folder.starts_with(own));
    if let Some(own) = ["content", "templates", "theme", "dist"].iter().find(|name| is_own(name)) {
        bail!("cannot publish to {to}: it lies in the magazine's {own}");
    }
    if absolute(directory)?.starts_with(&to_folder) {
        bail!("cannot publish to {to}: the magazine itself lies in it");
    }
    Ok(())
}

/// A commit's author is the magazine's sender, as far as it is known.
fn signature(config: &Config) -> Signature {
    let sender = &config.mail.from;
    let name = if sender.name.is_empty() { &config.magazine.name } else { &sender.name };
    Signature { name: name.clone(), address: sender.address.clone() }
}

fn show(changes: &Changes, to: &str, console: &Console) {
    let Changes { added, changed, removed } = changes;
    let all = [("+", added), ("~", changed), ("-", removed)];
    let lines: Vec<String> = all
        .into_iter()
        .flat_map(|(mark, paths)| paths.iter().map(move |path| format!("  {mark} {}", path.escape_debug())))
        .collect();
    console.say(&format!(
        "{to}: {} added, {} changed, {} removed",
        count(added.len(), "file"),
        changed.len(),
        removed.len()
    ));
    let told = if console.is_verbose() { lines.len() } else { lines.len().min(SHOWN) };
    lines[..told].iter().for_each(|line| console.say(line));
    if told < lines.len() {
        console.say(&format!("  … and {} more (-v shows all)", lines.len() - told));
    }
}
