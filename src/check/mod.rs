//! The rules that an issue must keep before it is sent: a list of functions.

mod characters;
mod lines;

use std::sync::Arc;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{Article, InMail, Issue};
use crate::source::{IssueTexts, Text};

/// What a rule looks at: an issue that is to be typeset, with its texts.
struct Checked<'a> {
    config: &'a Config,
    issue: &'a Issue,
    texts: &'a IssueTexts,
}

/// Every rule, in the order their problems are told.
const RULES: [fn(&Checked<'_>, &mut Vec<Diagnostic>); 4] =
    [characters::can_be_seen, characters::can_be_sent, lines::fit, lines::urls_stand_apart];

/// The problems of one issue's mail form. A finished mail is kept as it went out, so nothing is said of it.
pub fn issue(config: &Config, issue: &Issue, texts: &IssueTexts) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if texts.sent.is_none() {
        let checked = Checked { config, issue, texts };
        RULES.iter().for_each(|rule| rule(&checked, &mut problems));
    }
    problems
}

impl<'a> Checked<'a> {
    /// The articles with their texts.
    fn articles(&self) -> impl Iterator<Item = (&'a Article, &'a Text)> {
        self.issue.articles.iter().zip(&self.texts.articles)
    }

    /// Each text that stands whole in the mail: the opening words and the articles, but those that are on the blog
    /// alone or summed up.
    fn texts(&self) -> impl Iterator<Item = &'a Text> {
        let whole =
            self.articles().filter(|(article, _)| article.in_mail == InMail::Full).map(|(_, text)| text);
        self.texts.opening.iter().chain(whole)
    }
}

/// Where words that a file's front matter or heading holds stand in the file; its head where they are written
/// otherwise there.
fn place_of(source: &Arc<SourceText>, words: &str) -> std::ops::Range<usize> {
    source.text.find(words).map_or(0..0, |at| at..at + words.len())
}
