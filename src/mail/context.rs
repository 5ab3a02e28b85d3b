//! What every template of a mail knows of the magazine and the issue; `docs/templates.md` describes it.

use serde::Serialize;

use crate::address::{article_path, href, issue_path};
use crate::config::Config;
use crate::model::{Article, InMail, Issue};
use crate::typeset;

#[derive(Debug, Serialize)]
pub(super) struct MagazineContext {
    /// In the characters that are measured and sent: templates box and centre it.
    name: String,
    publisher: String,
    /// The blog's home page.
    address: String,
}

#[derive(Debug, Serialize)]
pub(super) struct IssueContext<'a> {
    number: u32,
    label: &'a str,
    /// `2010-05-14`.
    date: String,
    next_date: Option<String>,
    tags: Vec<&'a str>,
    /// The issue on the blog.
    address: String,
}

/// An article, but for its text: that is another in each form of the mail.
#[derive(Debug, Serialize)]
pub(super) struct ArticleContext<'a> {
    title: &'a str,
    letterspace: bool,
    corner: Option<&'a str>,
    author: Option<&'a str>,
    tags: &'a [String],
    /// Whether the text is but the first paragraph.
    pub(super) is_summary: bool,
    /// The article on the blog.
    pub(super) address: String,
}

/// What is written on at the end of an article: its author's name.
pub(super) fn run_in(article: &Article) -> Option<String> {
    article.author.as_ref().map(|author| format!("({})", author.name))
}

impl MagazineContext {
    pub(super) fn new(config: &Config) -> Self {
        let magazine = &config.magazine;
        MagazineContext {
            name: typeset::clean(&magazine.name),
            publisher: typeset::clean(&magazine.publisher),
            address: href(&config.blog.url, ""),
        }
    }
}

impl<'a> IssueContext<'a> {
    pub(super) fn new(config: &Config, issue: &'a Issue) -> Self {
        IssueContext {
            number: issue.number,
            label: &issue.label,
            date: issue.date.to_string(),
            next_date: issue.next_date.map(|date| date.to_string()),
            tags: issue.all_tags(),
            address: href(&config.blog.url, &issue_path(issue)),
        }
    }
}

impl<'a> ArticleContext<'a> {
    pub(super) fn new(config: &Config, issue: &Issue, article: &'a Article) -> Self {
        ArticleContext {
            title: &article.title,
            letterspace: article.letterspace,
            corner: article.corner.as_deref(),
            author: article.author.as_ref().map(|author| author.name.as_str()),
            tags: &article.tags,
            is_summary: article.in_mail == InMail::Summary,
            address: href(&config.blog.url, &article_path(issue, article)),
        }
    }
}
