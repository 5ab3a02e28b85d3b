//! What the preview's page shows, as the values its script asks for.

use chrono::NaiveDate;
use serde::Serialize;

use super::press::{Found, Mail, Press, Shown};
use super::views::{Line, View};
use super::workshop::Edition;
use crate::address::{href, issue_path, post_path};
use crate::diagnostic::{Diagnostic, Level, has_errors, once_each};
use crate::source::Content;

/// What the page asks for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The label of the issue to be shown; another is shown where there is none of this label.
    pub(super) issue: String,
    pub(super) view: View,
    /// The path of the page that is shown beside it, from the server's root, neither encoded nor beginning with `/`.
    pub(super) page: String,
}

/// What was saved last.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Saved {
    /// Which time something was saved, counted from one; zero before the first.
    pub(super) count: u64,
    /// The label of the issue that the file is part of.
    pub(super) issue: Option<String>,
    /// The address of the page that the file makes.
    pub(super) page: Option<String>,
}

/// What the page shows.
#[derive(Debug, Serialize)]
pub(super) struct State<'a> {
    edition: u64,
    magazine: &'a str,
    home: String,
    issues: Vec<IssueName<'a>>,
    /// What is not published yet.
    held: Vec<Held>,
    saved: &'a Saved,
    shown: Option<ShownIssue<'a>>,
    problems: Vec<Problem>,
    /// The errors in whose place the last good state is shown.
    covered: Vec<Problem>,
    errors: bool,
}

#[derive(Debug, Serialize)]
struct IssueName<'a> {
    label: &'a str,
    date: String,
    title: &'a str,
}

/// An address that is not published yet, and why.
#[derive(Debug, Serialize)]
struct Held {
    url: String,
    /// The day it is due; none for a draft.
    until: Option<String>,
}

#[derive(Debug, Serialize)]
struct ShownIssue<'a> {
    label: &'a str,
    url: String,
    view: &'static str,
    /// Where the view's lines end, in columns.
    width: usize,
    subject: Option<String>,
    from: String,
    charset: Option<&'static str>,
    octets: Option<usize>,
    lines: Option<Vec<Line>>,
    /// Whether the mail has HTML beside the text.
    html: bool,
}

/// A problem as a list shows it.
#[derive(Debug, Serialize)]
struct Problem {
    level: &'static str,
    rule: &'static str,
    path: String,
    line: usize,
    column: usize,
    message: String,
    label: String,
    help: Option<String>,
}

/// What an answer is made of besides mails and pages.
pub(super) struct Now<'a> {
    pub(super) edition: &'a Edition,
    /// The edition's number.
    pub(super) number: u64,
    /// The labels of the issues that were saved lately, newest first.
    pub(super) recent: &'a [String],
    pub(super) saved: &'a Saved,
    pub(super) today: NaiveDate,
}

/// Answers a question in JSON. Issues saved lately come first.
pub(super) fn answer(question: &Question, now: Now<'_>, press: Option<&mut Press<'_>>) -> String {
    let Now { edition, number, recent, saved, today } = now;
    let mut problems = edition.problems.clone();
    let mut covered = edition.covered.clone();
    let mut state = State {
        edition: number,
        magazine: "",
        home: "/".to_owned(),
        issues: Vec::new(),
        held: Vec::new(),
        saved,
        shown: None,
        problems: Vec::new(),
        covered: Vec::new(),
        errors: false,
    };
    if let (Some(content), Some(press)) = (&edition.content, press) {
        let root = content.config.blog.base_path();
        state.magazine = &content.config.magazine.name;
        state.home = href(root, "");
        state.issues = issue_names(content, recent);
        state.held = held(content, root, today);
        if let Some(index) = index_of(content, &question.issue, recent) {
            let Shown { good, problems: more, is_stale } = press.mail(index);
            if is_stale {
                covered.extend(more.iter().filter(|problem| problem.level == Level::Error).cloned());
            }
            problems.extend(more);
            problems.extend(of_page(press, &issue_path(&content.magazine.issues[index]), &mut covered));
            state.shown = Some(shown_issue(content, index, good, question.view));
        }
        if let Some(path) = below_root(&question.page, root) {
            problems.extend(of_page(press, path, &mut covered));
            problems.extend(press.problems_at(path));
        }
    }
    state.errors = has_errors(&problems);
    let mut problems = once_each(problems);
    problems.sort_by_key(|problem| problem.level);
    state.problems = problems.iter().map(problem).collect();
    state.covered = once_each(covered).iter().map(problem).collect();
    serde_json::to_string(&state).expect("it is of strings, numbers and lists")
}

/// A path from the server's root, below the blog's root.
pub(super) fn below_root<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    match root.trim_start_matches('/') {
        "" => Some(path),
        root => path.strip_prefix(root)?.strip_prefix('/'),
    }
}

/// The issue of a label, else the one saved last, else the newest.
fn index_of(content: &Content, label: &str, recent: &[String]) -> Option<usize> {
    let issues = &content.magazine.issues;
    let of = |label: &str| issues.iter().position(|issue| issue.label == label);
    of(label).or_else(|| recent.iter().find_map(|label| of(label))).or_else(|| issues.len().checked_sub(1))
}

/// The problems of making a page.
fn of_page(press: &mut Press<'_>, path: &str, covered: &mut Vec<Diagnostic>) -> Vec<Diagnostic> {
    match press.find(path) {
        Found::File(Shown { problems, is_stale, .. }) => {
            if is_stale {
                covered.extend(problems.iter().cloned());
            }
            problems
        }
        Found::Folder(_) | Found::Nothing => Vec::new(),
    }
}

fn issue_names<'a>(content: &'a Content, recent: &[String]) -> Vec<IssueName<'a>> {
    let mut issues: Vec<IssueName<'a>> = (content.magazine.issues.iter().rev())
        .map(|issue| IssueName {
            label: &issue.label,
            date: issue.date.to_string(),
            title: issue.articles.first().map_or("", |article| &article.title),
        })
        .collect();
    let place = |label: &str| recent.iter().position(|recent| recent == label).unwrap_or(usize::MAX);
    issues.sort_by_key(|issue| place(issue.label));
    issues
}

fn held(content: &Content, root: &str, today: NaiveDate) -> Vec<Held> {
    let issues = content.magazine.issues.iter().map(|issue| (issue_path(issue), issue.draft, issue.date));
    let posts = content.magazine.posts.iter().map(|post| (post_path(post), post.draft, post.date));
    (issues.chain(posts).filter(|(_, draft, date)| *draft || *date > today))
        .map(|(path, draft, date)| Held { url: href(root, &path), until: (!draft).then(|| date.to_string()) })
        .collect()
}

fn shown_issue(content: &Content, index: usize, mail: Option<Mail>, view: View) -> ShownIssue<'_> {
    let config = &content.config;
    let issue = &content.magazine.issues[index];
    let letter = mail.as_ref().and_then(|mail| mail.letter);
    ShownIssue {
        label: &issue.label,
        url: href(config.blog.base_path(), &issue_path(issue)),
        view: view.name(),
        width: view.width(config.mail.typesetting.width),
        subject: mail.as_ref().map(|mail| mail.subject.clone()),
        from: match config.mail.from.name.as_str() {
            "" => config.mail.from.address.clone(),
            name => format!("{name} <{}>", config.mail.from.address),
        },
        charset: letter.map(|(charset, _)| charset),
        octets: letter.map(|(_, octets)| octets),
        html: mail.as_ref().is_some_and(|mail| mail.html.is_some()),
        lines: mail.map(|mail| view.lines(&mail.body)),
    }
}

fn problem(diagnostic: &Diagnostic) -> Problem {
    let (line, column) = diagnostic.line_and_column();
    Problem {
        level: diagnostic.level.name(),
        rule: diagnostic.rule,
        path: diagnostic.path().to_owned(),
        line,
        column,
        message: diagnostic.message.clone(),
        label: diagnostic.label.clone(),
        help: diagnostic.help.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blog_may_lie_below_a_root() {
        for (path, root, expected) in [
            ("issues/010/", "", Some("issues/010/")),
            ("", "", Some("")),
            ("m/issues/010/", "/m", Some("issues/010/")),
            ("m/", "/m", Some("")),
            ("m", "/m", None),
            ("mm/", "/m", None),
            ("", "/m", None),
        ] {
            assert_eq!(below_root(path, root), expected, "{path} below {root}");
        }
    }
}
