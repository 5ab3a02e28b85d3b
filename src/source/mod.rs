//! Files to a magazine: [`read()`] is the disk, everything after it is pure.
//!
//! A magazine is read once into settings and metadata ([`Content`]); the texts themselves are parsed again when a
//! page or a mail needs them, so that memory grows with the number of articles and not with their length.

mod article;
mod attachments;
mod content;
mod convert;
mod decode;
mod excerpt;
mod finished;
mod finished_file;
mod front_matter;
mod issue;
mod links;
mod looks;
mod mail_file;
mod markdown;
mod mbox;
mod memory;
mod read;
mod settings;

use std::borrow::Cow;
use std::sync::Arc;

pub use attachments::Attachment;
pub use content::{Content, HeldBack, parse, parse_again, parse_noting};
pub use convert::convert;
pub use decode::decoded;
pub use finished::{Envelope, Finished, finished, import_name};
pub use finished_file::{FinishedFile, finished_message, finished_text};
pub use issue::IssueSource;
pub(crate) use mail_file::{is_deep, mail_file, without_from_line};
pub use mail_file::{is_maildir, looks_like_mail, looks_like_mbox, maildir, split_mbox};
pub use markdown::{
    Attribute, Heading, Outline, Section, document, outline, outline_document, sections, whole,
};
pub(crate) use mbox::Mbox;
pub use memory::{Memory, Notes, Noting};
pub use read::{
    Found, RawFile, RawText, ReadError, Sources, TextFile, find, is_of_the_magazine, read, read_again,
    real_root,
};

use crate::charset::Charset;
use crate::diagnostic::SourceText;
use crate::model::{Article, Document, InMail, Issue};

/// A text, and the file that its offsets point into.
#[derive(Clone, Debug)]
pub struct Text {
    /// The file.
    pub source: Arc<SourceText>,
    /// The text.
    pub document: Document,
}

/// The texts of one issue.
#[derive(Clone, Debug)]
pub struct IssueTexts {
    /// The words before the first article.
    pub opening: Option<Text>,
    /// The articles, as many and in the same order as the issue has.
    pub articles: Vec<Text>,
    /// The mail as it went out, when the issue is kept as a finished mail.
    pub sent: Option<SentMail>,
}

impl IssueTexts {
    /// The articles that are in the mail, each with what the mail shows of it: all, or its first paragraph.
    pub fn in_mail<'texts, 'issue>(
        &'texts self,
        issue: &'issue Issue,
    ) -> impl Iterator<Item = (&'issue Article, Cow<'texts, Text>)> {
        issue.articles.iter().zip(&self.articles).filter_map(|(article, text)| match article.in_mail {
            InMail::Full => Some((article, Cow::Borrowed(text))),
            InMail::Summary => {
                let document = text.document.first_paragraph();
                Some((article, Cow::Owned(Text { source: text.source.clone(), document })))
            }
            InMail::Omit => None,
        })
    }
}

/// A mail as it went out.
#[derive(Clone, Debug)]
pub struct SentMail {
    /// Its text, with line feeds at the line ends.
    pub body: String,
    /// The message's own octets, when it was kept as `.eml`.
    pub message: Option<Vec<u8>>,
    /// The character set it went out in.
    pub charset: Charset,
}
