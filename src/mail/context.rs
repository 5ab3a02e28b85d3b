//! What every template of a mail knows of the magazine and the issue; `docs/templates.md` describes it.

use serde::Serialize;

use crate::address::{href, issue_path};
use crate::config::Config;
use crate::model::Issue;
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
