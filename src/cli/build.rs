//! `mailmag build`: the blog and the mail of every issue.

use std::mem::ManuallyDrop;
use std::path::{self, Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use super::console::{Console, count};
use super::production::{Before, Output, once_each, produce};
use super::works::{self, Works};
use super::{OUTSIDE, Outcome, now, shown, today};
use crate::blog::SearchBefore;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::publish::{Memory, Published, Stage};
use crate::source::{self, HeldBack, Notes};

/// The name under which it is left in the output folder what the sources said.
const SOURCES: &str = "sources";

#[derive(Debug, Default, clap::Args)]
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
    source::real_root(directory)?;
    let out = arguments.out.unwrap_or_else(|| directory.join("dist"));
    for sources in ["content", "templates", "theme"] {
        if path::absolute(&out)?.starts_with(path::absolute(directory.join(sources))?) {
            bail!(
                "cannot build into {}: it lies in {sources}, where the magazine's own files are",
                shown(&out)
            );
        }
    }
    if path::absolute(&out)? == path::absolute(directory)? {
        bail!("cannot build into the magazine's own folder; name one within it, such as `--out dist`");
    }
    let program = program();
    let noted = OnceLock::new();
    let begin = || -> Result<_> {
        let stage = Stage::begin(&out).with_context(|| format!("cannot build into {}", shown(&out)))?;
        let noted = noted.get_or_init(|| program.as_ref().map_or_else(Vec::new, |_| stage.notes(SOURCES)));
        Ok((stage, Notes::read(noted, program.as_deref().unwrap_or_default())))
    };
    let (found, begun) = rayon::join(|| source::find(directory), begin);
    let (found, (stage, notes)) = (found?, begun?);
    let (sources, memory) = found.read(&notes, now());
    drop(noted);
    let of_all = |program: &String| format!("{program}, drafts {}, {}", arguments.drafts, sources.digest());
    // What could not be read is told each time.
    let key = program.as_ref().filter(|_| sources.problems.is_empty()).map(of_all);
    let is_known = |key: &String| recall(&stage, key);
    // Other sites change without anything changing here.
    let recalled = key.as_ref().filter(|_| !arguments.check_links).and_then(is_known);
    if let Some(Recalled { issues, held_back, files }) = recalled {
        say_held_back(&held_back, console);
        say_built(&issues, &out, Published { unchanged: files, ..Published::default() }, console);
        return Ok(Outcome::Well);
    }
    let standing = format!(
        "{}, links {}, {}",
        program.as_deref().unwrap_or_default(),
        arguments.check_links,
        sources.standing_digest()
    );
    let (before, (content, mut problems, noting)) = rayon::join(
        || program.as_ref().and_then(|_| before(&stage)).unwrap_or_default(),
        || source::parse_noting(sources, memory),
    );
    // The program ends soon after: taking many small values apart would be time for nothing. So it is with those below.
    let before = ManuallyDrop::new(Before { standing, ..before });
    let noting = ManuallyDrop::new(noting);
    let Some(mut content) = content else { return Ok(not_written(&problems, &out, console)) };
    let held_back = match arguments.drafts {
        true => Vec::new(),
        false => content.hold_back(today(content.config.magazine.timezone)),
    };
    let told: Vec<String> = held_back.iter().map(HeldBack::to_string).collect();
    say_held_back(&told, console);
    let outside = arguments.check_links.then(|| directory.join(OUTSIDE));
    let issues = count(content.magazine.issues.len(), "issue");
    let timezone = content.config.magazine.timezone;
    let mut content = ManuallyDrop::new(content);
    let made = produce(&mut content, directory, (&stage, Some(&before)), outside.as_deref(), console)?;
    problems.extend(made.problems);
    let problems = once_each(problems);
    if has_errors(&problems) {
        return Ok(not_written(&problems, &out, console));
    }
    console.problems(&problems);
    // What is wrong has to be told again each time, so that it is looked for again.
    let memory =
        ManuallyDrop::new(key.map(|key| if problems.is_empty() { key } else { String::new() }).map(|key| {
            let due = held_back.iter().filter_map(|held_back| held_back.until).min();
            let until = due.map_or("-".to_owned(), |due| due.to_string());
            let when = format!("{until} {timezone}");
            let notes = [when, issues.clone()].into_iter().chain(told).collect();
            let noted = noting.octets(&content.magazine.issues, program.as_deref().unwrap_or_default());
            Memory { key, notes, files: vec![(works::NAME, made.works), (SOURCES, vec![noted.into()])] }
        }));
    let published = stage
        .commit(memory.as_ref())
        .with_context(|| format!("cannot move the new files into {}", shown(&out)))?;
    say_built(&issues, &out, published, console);
    Ok(Outcome::Well)
}

/// The program itself, which decides what a build makes as much as the magazine does. None when it cannot be looked at.
fn program() -> Option<String> {
    let program = fs::metadata(env::current_exe().ok()?).ok()?;
    Some(format!("{} {} {:?}", env!("CARGO_PKG_VERSION"), program.len(), program.modified().ok()?))
}

/// What is known of the build that lies in the output folder; nothing where its index of the search is not as it was left,
/// for all that the search finds is known from there.
fn before(stage: &Stage) -> Option<Before> {
    let works = Works::read(stage.notes(works::NAME));
    let search = SearchBefore::read(&works.search, &|path| stage.left(&format!("blog/{path}")))?;
    Some(Before { works, search, ..Before::default() })
}

impl Output for Stage {
    fn put(&self, path: &str, octets: &[u8]) -> Result<()> {
        Ok(Stage::put(self, path, octets)?)
    }

    fn keep(&self, paths: &[String]) -> bool {
        Stage::keep(self, paths)
    }

    fn left(&self, path: &str) -> Option<Vec<u8>> {
        Stage::left(self, path)
    }
}

/// A build that need not be made again.
struct Recalled {
    issues: String,
    held_back: Vec<String>,
    files: usize,
}

/// The build that lies in the output folder, if it was made of the same and nothing has come due since.
fn recall(stage: &Stage, key: &str) -> Option<Recalled> {
    let (notes, files) = stage.recall(key)?;
    let mut notes = notes.into_iter();
    let when = notes.next()?;
    let (until, timezone) = when.split_once(' ')?;
    if until != "-" && today(timezone.parse().ok()?) >= until.parse().ok()? {
        return None;
    }
    Some(Recalled { issues: notes.next()?, held_back: notes.collect(), files })
}

fn say_held_back(held_back: &[String], console: &Console) {
    held_back.iter().for_each(|held_back| console.say(&format!("held back: {held_back}")));
}

fn say_built(issues: &str, out: &Path, published: Published, console: &Console) {
    let Published { written, unchanged, removed } = published;
    console.say(&format!(
        "{issues} in {}: {written} written, {unchanged} unchanged, {removed} removed",
        shown(out)
    ));
}

fn not_written(problems: &[Diagnostic], out: &Path, console: &Console) -> Outcome {
    console.problems(problems);
    console.say(&format!("nothing was written: {} is as it was", shown(out)));
    Outcome::Problems
}
