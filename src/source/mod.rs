//! From files to the model: what an editor wrote, read once and never written back.

mod markdown;

pub use markdown::{Attribute, Heading, Outline, Section, document, outline, outline_document, sections};
