//! From files to the model: what an editor wrote, read once and never written back.

mod convert;
mod finished;
mod mail_file;
mod markdown;

pub use convert::convert;
pub use finished::{
    Byline, Envelope, Finished, FinishedArticle, Passage, finished, import_name, issue as finished_issue,
};
pub use mail_file::{MailFile, is_maildir, looks_like_mail, looks_like_mbox, mail_file, maildir, split_mbox};
pub use markdown::{Attribute, Heading, Outline, Section, document, outline, outline_document, sections};
