//! `mailmag build`: the blog and the mail of every issue.

use std::path::{self, Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::console::{Console, count};
use super::production::{once_each, produce};
use super::{OUTSIDE, Outcome, open, shown, today};
use crate::diagnostic::{Diagnostic, has_errors};
use crate::publish::Stage;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where blog/ and mail/ are made [default: dist, in the magazine's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make drafts and issues of days to come, too
    #[arg(long)]
    drafts: bool,
    /// Ask other sites, too, whether the addresses that texts link to are still there; the answers are kept in
    /// .mailmag/links.json for a week, bad ones for an hour
    #[arg(long)]
    check_links: bool,
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let (content, mut problems) = open(directory)?;
    let out = arguments.out.unwrap_or_else(|| directory.join("dist"));
    for sources in ["content", "templates", "theme"] {
        if path::absolute(&out)?.starts_with(path::absolute(directory.join(sources))?) {
            bail!(
                "cannot build into {}: it lies in {sources}, where the magazine's own files are",
                shown(&out)
            );
        }
    }
    let Some(mut content) = content else { return Ok(not_written(&problems, &out, console)) };
    if !arguments.drafts {
        for held_back in content.hold_back(today(&content.config)) {
            console.say(&format!("held back: {held_back}"));
        }
    }
    let stage = Stage::begin(&out).with_context(|| format!("cannot build into {}", shown(&out)))?;
    let outside = arguments.check_links.then(|| directory.join(OUTSIDE));
    let put = |path: &str, octets: &[u8]| Ok(stage.put(path, octets)?);
    problems.extend(produce(&content, &put, outside.as_deref(), console)?);
    let problems = once_each(problems);
    if has_errors(&problems) {
        return Ok(not_written(&problems, &out, console));
    }
    console.problems(&problems);
    let published =
        stage.commit().with_context(|| format!("cannot move the new files into {}", shown(&out)))?;
    console.say(&format!(
        "{} in {}: {} written, {} unchanged, {} removed",
        count(content.magazine.issues.len(), "issue"),
        shown(&out),
        published.written,
        published.unchanged,
        published.removed,
    ));
    Ok(Outcome::Well)
}

fn not_written(problems: &[Diagnostic], out: &Path, console: &Console) -> Outcome {
    let outcome = console.problems(problems);
    console.say(&format!("nothing was written: {} is as it was", shown(out)));
    outcome
}
