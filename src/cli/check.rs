//! `mailmag check`: everything that is wrong, and nothing written.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::console::{Console, count};
use super::fix::fix;
use super::production::{once_each, produce};
use super::{OUTSIDE, Outcome, open, today};
use crate::diagnostic::{Diagnostic, Format, has_errors, render};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Tell only the problems of these files and folders, as seen from the magazine's folder
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How problems are written down: human (with the lines they stand in, on stderr), short
    /// (path:line:column: level: rule-id: message, on stdout) or json (an array of objects, on stdout)
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    format: FormatName,
    /// Mend in the files what can be mended without changing its meaning: platform-dependent signs, and addresses
    /// that words follow without a space
    #[arg(long)]
    fix: bool,
    /// Ask other sites, too, whether the addresses that texts link to are still there; the answers are kept in
    /// .mailmag/links.json for a week, bad ones for an hour
    #[arg(long)]
    check_links: bool,
}

/// The names of [`Format`] on the command line.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FormatName {
    #[default]
    Human,
    Short,
    Json,
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let wanted: Vec<String> =
        arguments.paths.iter().map(|path| below_root(directory, path)).collect::<Result<_>>()?;
    let outside = arguments.check_links.then(|| directory.join(OUTSIDE));
    let outside = outside.as_deref();
    let (mut issues, mut problems) = check(directory, &wanted, outside, console)?;
    if arguments.fix {
        let mended = fix(directory, &problems)?;
        for (path, places) in &mended {
            console.say(&format!("{path}: {} mended", count(*places, "place")));
        }
        if !mended.is_empty() {
            (issues, problems) = check(directory, &wanted, outside, console)?;
        }
    }
    if problems.is_empty() {
        let what = match &wanted[..] {
            [] => count(issues, "issue"),
            wanted => wanted.join(", "),
        };
        console.say(&format!("{what} checked: nothing is wrong"));
    }
    report(&problems, arguments.format, console)
}

/// How many issues there are, and all that is wrong with the files that were asked for.
fn check(
    directory: &Path,
    wanted: &[String],
    outside: Option<&Path>,
    console: &Console,
) -> Result<(usize, Vec<Diagnostic>)> {
    let (content, mut problems) = open(directory)?;
    let mut issues = 0;
    if let Some(mut content) = content {
        let held_back = content.hold_back(today(content.config.magazine.timezone));
        held_back.iter().for_each(|held_back| console.detail(&format!("not checked: {held_back}")));
        issues = content.magazine.issues.len();
        let made = produce(&mut content, directory, (&(), None), outside, console)?;
        problems.extend(made.problems);
    }
    if !wanted.is_empty() {
        problems.retain(|problem| wanted.iter().any(|wanted| lies_in(problem.path(), wanted)));
    }
    Ok((issues, once_each(problems)))
}

fn report(problems: &[Diagnostic], format: FormatName, console: &Console) -> Result<Outcome> {
    let format = match format {
        FormatName::Human => return Ok(console.problems(problems)),
        FormatName::Short => Format::Short,
        FormatName::Json => Format::Json,
    };
    console.data(render(problems, format, false).as_bytes())?;
    Ok(if has_errors(problems) { Outcome::Problems } else { Outcome::Well })
}

fn lies_in(path: &str, wanted: &str) -> bool {
    path.strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || wanted.is_empty())
}

/// A path as problems name it: from the magazine's root, with `/` between folders.
fn below_root(directory: &Path, path: &Path) -> Result<String> {
    if !directory.join(path).exists() {
        bail!("there is no {} in the magazine's folder", path.display());
    }
    let root = directory.canonicalize()?;
    let full = directory.join(path).canonicalize()?;
    let Ok(below) = full.strip_prefix(&root) else { bail!("{} lies outside the magazine", path.display()) };
    Ok(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_chosen_by_whole_parts_of_their_path() {
        for (path, wanted, expected) in [
            ("content/issues/010/01-a.md", "content/issues/010", true),
            ("content/issues/010.md", "content/issues/010.md", true),
            ("content/issues/0100/01-a.md", "content/issues/010", false),
            ("mailmag.toml", "", true),
        ] {
            assert_eq!(lies_in(path, wanted), expected, "{path} in {wanted}");
        }
    }
}
