//! From files to the model: what an editor wrote, read once and never written back.

mod finished;
mod markdown;

pub use finished::{
    Byline, Envelope, Finished, FinishedArticle, Passage, finished, import_name, issue as finished_issue,
};
pub use markdown::{Attribute, Heading, Outline, Section, document, outline, outline_document, sections};
