//! Markdown to [`Document`]: CommonMark with tables, footnotes, strikethrough, tasks, definition lists and heading
//! attributes, and three things for Japanese: emphasis beside Japanese punctuation, line ends that join without a
//! space, and ruby. This is the only place that knows the parser.
//!
//! All offsets are octets of the whole file, of which the Markdown is the part after the front matter.

mod attributes;
mod build;
mod html;
mod outline;
mod prepare;
mod ruby;
mod walk;

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceText};
use crate::hash::{HashMap, HashSet, HashSetExt};
use crate::model::{Document, Footnote, Inline};
use build::{Builder, Definite, Draft};
use prepare::{MARK, Prepared};
use walk::{Titles, walk};

pub use attributes::Attribute;
pub use outline::{Outline, outline, outline_document};

/// The `# heading` that names an article, and the settings in its braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    /// The title's words.
    pub content: Vec<Inline>,
    /// The anchor of `{#anchor}`.
    pub id: Option<String>,
    /// The names of `{.name}`.
    pub classes: Vec<String>,
    /// The settings of `{key=value}`, in order, repeated keys too.
    pub attributes: Vec<Attribute>,
    /// The heading's octets in the file.
    pub span: Range<usize>,
}

/// A part of a one-file issue: its opening words, which have no title, or an article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The title; `None` for what stands before the first `# heading`.
    pub title: Option<Heading>,
    /// The text under it, with the footnotes it refers to, wherever in the file they are defined.
    pub body: Document,
}

/// The sections of a one-file issue: one for each `# heading`, and one for what stands before the first of them.
pub fn sections(
    source: &Arc<SourceText>,
    body: Range<usize>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Section> {
    read(source, body, Titles::Each, problems)
}

/// An article in a file of its own, its first `# heading` taken out.
pub fn document(
    source: &Arc<SourceText>,
    body: Range<usize>,
    problems: &mut Vec<Diagnostic>,
) -> (Option<Heading>, Document) {
    let section = read(source, body, Titles::First, problems).pop().unwrap_or_default();
    (section.title, section.body)
}

/// A text all of whose headings belong to it: the magazine's standing words.
pub fn whole(source: &Arc<SourceText>, body: Range<usize>, problems: &mut Vec<Diagnostic>) -> Document {
    read(source, body, Titles::None, problems).pop().unwrap_or_default().body
}

fn read(
    source: &Arc<SourceText>,
    body: Range<usize>,
    titles: Titles,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Section> {
    let prepared = Prepared::new(&source.text[body.clone()], body.start);
    let mut builder = Builder::new(&prepared);
    if let Some(place) = prepared.too_deep {
        builder.nested_too_deep(place);
    }
    walk(&prepared, titles, |event, range, begins| builder.take(event, range, begins));
    builder.finish();
    let Builder { drafts, footnotes, problems: mut found, .. } = builder;
    if let Some(place) = prepared.stray_mark {
        let diagnostic = Diagnostic::error("reserved-character", "U+E000 has no meaning in a text")
            .label("here, invisible in most fonts")
            .help("take it out, or write the character that was meant");
        found.push((diagnostic, place..place + MARK.len_utf8()));
    }
    let (sections, used) = with_footnotes(drafts, &footnotes);
    for (name, footnote) in footnotes.iter().filter(|(name, _)| !used.contains(name.as_str())) {
        let diagnostic =
            Diagnostic::warning("unused-footnote", format!("nothing refers to the footnote {name}"))
                .label("left out")
                .help(format!("refer to it with [^{name}], or take it out"));
        found.push((diagnostic, footnote.span.clone()));
    }
    found.sort_by_key(|(_, span)| (span.start, span.end));
    problems.extend(found.into_iter().map(|(diagnostic, span)| diagnostic.at(source, span)));
    sections
}

/// Gives each section the footnotes it refers to, in order, and those that these refer to; and says which were used.
fn with_footnotes(
    drafts: Vec<Draft>,
    definitions: &HashMap<String, Definite>,
) -> (Vec<Section>, HashSet<&str>) {
    let mut used = HashSet::new();
    let mut sections = Vec::with_capacity(drafts.len());
    for Draft { title, blocks, references } in drafts {
        let mut names = references;
        let mut known = HashSet::new();
        names.retain(|name| known.insert(name.clone()));
        let mut next = 0;
        while let Some(definition) = names.get(next).map(|name| definitions.get_key_value(name)) {
            next += 1;
            if let Some((name, definition)) = definition {
                used.insert(name.as_str());
                names.extend(
                    definition.references.iter().filter(|name| known.insert((*name).clone())).cloned(),
                );
            }
        }
        let footnote = |name: String| {
            let blocks =
                definitions.get(&name).map(|definition| definition.blocks.clone()).unwrap_or_default();
            Footnote { name, blocks }
        };
        let footnotes = names.into_iter().map(footnote).collect();
        sections.push(Section { title, body: Document { blocks, footnotes } });
    }
    (sections, used)
}

#[cfg(test)]
mod tests;
