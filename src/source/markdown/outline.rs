//! What a list of articles needs to know of each, without building their trees.

use std::mem;
use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::Heading;
use super::build::Builder;
use super::prepare::Prepared;
use super::walk::{Begins, Titles, walk};
use crate::source::excerpt::{Excerpt, visible};

/// An article in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The title; `None` for what stands before the first `# heading`.
    pub title: Option<Heading>,
    /// The first words of its paragraphs, without marks; ends in `…` where it was cut.
    pub excerpt: String,
    /// How many characters there are to read: neither white space nor the title counts, code does.
    pub characters: usize,
}

/// The articles of a one-file issue: as many, and with the same titles, as [`super::sections`] finds.
pub fn outline(text: &str, body: Range<usize>) -> Vec<Outline> {
    outlines(text, body, Titles::Each)
}

/// An article in a file of its own, in short; its title is the one that [`super::document`] takes out.
pub fn outline_document(text: &str, body: Range<usize>) -> Outline {
    outlines(text, body, Titles::First).pop().unwrap_or_default()
}

fn outlines(text: &str, body: Range<usize>, titles: Titles) -> Vec<Outline> {
    let prepared = Prepared::new(&text[body.clone()], body.start);
    // Titles, and the paragraphs that an excerpt is taken from, go through the same builder as whole articles.
    let mut builder = Builder::new(&prepared);
    let mut outlines: Vec<Outline> = Vec::new();
    let mut reading = Reading::Nothing;
    let mut excerpt = Excerpt::default();
    let mut footnotes = 0;
    walk(&prepared, titles, |event, range, begins| {
        if matches!(begins, Begins::Untitled | Begins::Article) {
            if let Some(ended) = outlines.last_mut() {
                ended.excerpt = mem::take(&mut excerpt).into_words();
            }
            outlines.push(Outline::default());
        }
        match &event {
            Event::Start(Tag::FootnoteDefinition(_)) => footnotes += 1,
            Event::End(TagEnd::FootnoteDefinition) => footnotes -= 1,
            Event::Start(Tag::Heading { .. }) if matches!(begins, Begins::Article | Begins::Title) => {
                reading = Reading::Title;
            }
            Event::Start(Tag::Paragraph)
                if footnotes == 0 && !outlines.is_empty() && excerpt.wants_more() =>
            {
                reading = Reading::Excerpt;
            }
            Event::Text(words) | Event::Code(words) if reading != Reading::Title => {
                if let Some(outline) = outlines.last_mut() {
                    outline.characters += visible(words) - prepared.marks_in(&range);
                }
            }
            _ => {}
        }
        let ends = matches!(event, Event::End(TagEnd::Paragraph | TagEnd::Heading(_)));
        if reading != Reading::Nothing {
            builder.take(
                event,
                range,
                if reading == Reading::Title { Begins::Title } else { Begins::Nothing },
            );
        }
        if ends && let Some(outline) = outlines.last_mut() {
            match reading {
                Reading::Nothing => {}
                Reading::Title => outline.title = builder.take_title(),
                Reading::Excerpt => {
                    builder.take_paragraphs().for_each(|paragraph| excerpt.add(&paragraph));
                }
            }
            reading = Reading::Nothing;
        }
    });
    if let Some(last) = outlines.last_mut() {
        last.excerpt = excerpt.into_words();
    }
    outlines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Nothing,
    Title,
    Excerpt,
}
