//! The rules that an issue must keep before it is sent: a list of functions.

mod characters;
mod lines;

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{Article, InMail, Issue};
use crate::source::{Content, IssueTexts, Text};
use crate::typeset;

/// What a rule looks at: an issue that is to be typeset, with its texts.
struct Checked<'a> {
    config: &'a Config,
    issue: &'a Issue,
    /// The file of the issue's front matter.
    file: &'a Arc<SourceText>,
    /// The opening words and the footer, set as `[mail]` says, as far as there are any.
    of_the_magazine: Vec<&'a Text>,
    /// The articles of the mail with what it shows of them.
    articles: Vec<(&'a Article, Cow<'a, Text>)>,
}

/// Every rule, in the order their problems are told.
const RULES: [fn(&Checked<'_>, &mut Vec<Diagnostic>); 4] =
    [characters::can_be_seen, characters::can_be_sent, lines::fit, lines::urls_stand_apart];

/// The problems of one issue's mail form, the issue by its index in the magazine. A finished mail is kept as it went
/// out, so nothing is said of it.
pub fn issue(content: &Content, index: usize, texts: &IssueTexts) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if texts.sent.is_none() {
        let issue = &content.magazine.issues[index];
        let checked = Checked {
            config: &content.config,
            issue,
            file: content.issue_file(index),
            of_the_magazine: texts.opening.iter().chain(&content.footer).collect(),
            articles: issue.articles.iter().zip(&texts.articles).filter_map(in_mail).collect(),
        };
        RULES.iter().for_each(|rule| rule(&checked, &mut problems));
    }
    problems
}

/// Whether the lines at the head of a mail form, before its first blank line, fit the measure: no name is filled there.
pub fn masthead(config: &Config, body: &str) -> Option<Diagnostic> {
    let width = config.mail.typesetting.width;
    let widest = body.lines().take_while(|line| !line.is_empty()).map(typeset::columns).max()?;
    (widest > width).then(|| {
        Diagnostic::warning("line-too-wide", format!("{widest} columns do not fit a line of {width}"))
            .at(&config.source, place_of(&config.source, &config.magazine.name))
            .label("stands past the margin at the head of the mail")
            .help("set a greater `width`, or an own head in templates/mail/body.txt")
    })
}

fn in_mail<'a>((article, text): (&'a Article, &'a Text)) -> Option<(&'a Article, Cow<'a, Text>)> {
    match article.in_mail {
        InMail::Full => Some((article, Cow::Borrowed(text))),
        InMail::Summary => {
            let document = text.document.first_paragraph();
            Some((article, Cow::Owned(Text { source: text.source.clone(), document })))
        }
        InMail::Omit => None,
    }
}

impl Checked<'_> {
    /// Each text that stands in the mail.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        self.of_the_magazine.iter().copied().chain(self.articles.iter().map(|(_, text)| text.as_ref()))
    }
}

/// Where words that a file's settings or heading hold stand in the file; its head where they are written otherwise
/// there.
fn place_of(source: &Arc<SourceText>, words: &str) -> std::ops::Range<usize> {
    source.text.find(words).map_or(0..0, |at| at..at + words.len())
}
