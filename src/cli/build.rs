//! `mailmag build`: the blog and the mail of every issue.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::console::{Console, count};
use super::production::produce;
use super::{Outcome, open, today};
use crate::publish::Stage;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where blog/ and mail/ are made [default: dist, in the magazine's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make drafts and issues of days to come, too
    #[arg(long)]
    drafts: bool,
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let (content, mut problems) = open(directory)?;
    let Some(mut content) = content else { return Ok(console.problems(&problems)) };
    if !arguments.drafts {
        for held_back in content.hold_back(today(&content.config)) {
            console.say(&format!("held back: {held_back}"));
        }
    }
    let out = arguments.out.unwrap_or_else(|| directory.join("dist"));
    let stage = Stage::begin(&out).with_context(|| format!("cannot build into {}", out.display()))?;
    problems.extend(produce(&content, &|path, octets| Ok(stage.put(path, octets)?), console)?);
    let outcome = console.problems(&problems);
    if outcome == Outcome::Problems {
        console.say(&format!("nothing was written: {} is as it was", out.display()));
        return Ok(outcome);
    }
    let published =
        stage.commit().with_context(|| format!("cannot move the new files into {}", out.display()))?;
    console.say(&format!(
        "{} in {}: {} written, {} unchanged, {} removed",
        count(content.magazine.issues.len(), "issue"),
        out.display(),
        published.written,
        published.unchanged,
        published.removed,
    ));
    Ok(Outcome::Well)
}
