//! An issue's letter, made to be sent.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::production::theme_files;
use super::{open, today};
use crate::check;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::mail::{self, Letter};
use crate::pictures::Pictures;
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
    /// The names of the files that go with it.
    pub(super) attachments: Vec<String>,
    /// What the law asks for and the mail does not have: it is not sent so.
    pub(super) unlawful: Vec<Diagnostic>,
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
    Ok(approved(directory, content, index, problems))
}

fn approved(
    directory: &Path,
    content: Content,
    index: usize,
    mut problems: Vec<Diagnostic>,
) -> Result<Approved, Vec<Diagnostic>> {
    let theme = theme(&content)?;
    let issue = &content.magazine.issues[index];
    let source = &content.issue_sources[index];
    // What is wrong with other issues, or with what the blog has besides, keeps this one back no more than it keeps
    // readers waiting.
    let label = issue.label.clone();
    problems.retain(|problem| concerns(problem.path(), &label));
    let texts = source.texts(&mut problems);
    problems.extend(check::issue(&content, index, (source, &texts)));
    let attachments = content.attachments(index, &mut problems);
    let one = |problem: Box<Diagnostic>| vec![*problem];
    let subject = mail::subject(&content.config, issue, &theme).map_err(one)?;
    let body = mail::body(&content, index, &texts, &theme).map_err(one)?;
    let pictures = Pictures::new(&content, directory);
    let picture = |path: &str| pictures.picture(path);
    let html = mail::html(&content, index, &texts, &theme, &subject, &picture).map_err(one)?;
    if texts.sent.is_none() {
        problems.extend(check::masthead(&content.config, &body.text));
    }
    if has_errors(&problems) {
        return Err(problems);
    }
    let form = (body.text.as_str(), &body.fields[..]);
    let unlawful = check::law(&content.config, form, content.footer.is_some());
    let contents = mail::Contents { text: &body, html: html.as_ref(), attachments: &attachments };
    let letter = mail::letter(&content.config, issue, &subject, &contents, texts.sent.as_ref())?;
    let number = issue.number;
    let attachments = attachments.into_iter().map(|file| file.name).collect();
    let config = content.config;
    Ok(Approved { config, number, label, subject, letter, attachments, unlawful, warnings: problems })
}

/// The templates, and where HTML is wanted the theme's files, too, which its pictures may be of.
fn theme(content: &Content) -> Result<Theme, Vec<Diagnostic>> {
    if !content.config.mail.html {
        return Theme::new(&content.templates);
    }
    let unreadable =
        |error: anyhow::Error| vec![Diagnostic::error("unreadable", format!("{error:#}")).in_file("theme")];
    let files = theme_files(content).map_err(unreadable)?;
    Theme::with_assets(&content.templates, Assets::new(files, content.config.blog.base_path())?)
}

/// Whether what is wrong with a file concerns the mail of an issue: its own files do, and what all issues share.
fn concerns(path: &str, label: &str) -> bool {
    let is_of_blog = ["content/posts/", "content/pages/"].iter().any(|folder| path.starts_with(folder));
    match path.strip_prefix("content/issues/").map(|path| path.strip_prefix(label)) {
        Some(Some(rest)) => rest.is_empty() || rest.starts_with(['/', '.']),
        Some(None) => false,
        None => !is_of_blog,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_kept_back_by_its_own_files_and_by_what_all_share() {
        let cases = [
            ("content/issues/01/index.md", true),
            ("content/issues/01.md", true),
            ("content/issues/01", true),
            ("content/issues/010/index.md", false),
            ("content/issues/02.txt", false),
            ("content/posts/01.md", false),
            ("content/pages/about.md", false),
            ("content/footer.md", true),
            ("templates/mail/body.txt", true),
            ("mailmag.toml", true),
        ];
        for (path, expected) in cases {
            assert_eq!(concerns(path, "01"), expected, "{path}");
        }
    }
}
