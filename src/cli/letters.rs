//! An issue's letter, made to be sent.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::production::theme_files;
use super::{open, today};
use crate::check;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::mail::{self, Letter};
use crate::source::Content;
use crate::theme::{Assets, Theme};

/// An issue as it would be sent.
pub(super) struct Approved {
    /// The magazine's settings.
    pub(super) config: Config,
    /// The issue's number.
    pub(super) number: u32,
    /// The number as the editor pads it.
    pub(super) label: String,
    /// The subject.
    pub(super) subject: String,
    /// The letter.
    pub(super) letter: Letter,
    /// What is not quite right, and does not keep it from being sent.
    pub(super) warnings: Vec<Diagnostic>,
}

/// Makes an issue's letter; the same octets as `build` makes. The problems, where it cannot be.
pub(super) fn letter_of(directory: &Path, wanted: &str) -> Result<Result<Approved, Vec<Diagnostic>>> {
    let (content, problems) = open(directory)?;
    let Some(mut content) = content else { return Ok(Err(problems)) };
    let number: u32 = wanted.parse().with_context(|| format!("`{wanted}` is no number of an issue"))?;
    let held_back = content.hold_back(today(content.config.magazine.timezone));
    let Some(index) = content.magazine.issues.iter().position(|issue| issue.number == number) else {
        let why = held_back.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        match why.as_str() {
            "" => bail!("there is no issue {wanted}"),
            why => bail!("there is no issue {wanted} that may be sent today ({why})"),
        }
    };
    Ok(approved(content, index, problems))
}

fn approved(
    content: Content,
    index: usize,
    mut problems: Vec<Diagnostic>,
) -> Result<Approved, Vec<Diagnostic>> {
    let theme = theme(&content)?;
    let issue = &content.magazine.issues[index];
    let source = &content.issue_sources[index];
    // What is wrong with other issues keeps this one back no more than it keeps readers waiting.
    let label = issue.label.clone();
    problems
        .retain(|problem| problem.path().contains(&format!("/{label}")) || problem.path() == "mailmag.toml");
    let texts = source.texts(&mut problems);
    problems.extend(check::issue(&content, index, (source, &texts)));
    let one = |problem: Box<Diagnostic>| vec![*problem];
    let subject = mail::subject(&content.config, issue, &theme).map_err(one)?;
    let body = mail::body(&content, index, &texts, &theme).map_err(one)?;
    if texts.sent.is_none() {
        problems.extend(check::masthead(&content.config, &body));
    }
    if has_errors(&problems) {
        return Err(problems);
    }
    let letter = mail::letter(&content.config, issue, &subject, &body, texts.sent.as_ref())?;
    let number = issue.number;
    Ok(Approved { config: content.config, number, label, subject, letter, warnings: problems })
}

fn theme(content: &Content) -> Result<Theme, Vec<Diagnostic>> {
    let files = theme_files(content).map_err(|_| Vec::new())?;
    let assets = Assets::new(files, content.config.blog.base_path())?;
    Theme::with_assets(&content.templates, assets)
}
