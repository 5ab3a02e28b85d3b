//! What a list of articles needs to know of each, without building their trees.

use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::Heading;
use super::build::Builder;
use super::prepare::Prepared;
use super::walk::{Begins, Titles, walk};
use crate::model::plain;

/// Characters of an excerpt, at most.
const EXCERPT: usize = 120;

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
    let mut footnotes = 0;
    walk(&prepared, titles, |event, range, begins| {
        if matches!(begins, Begins::Untitled | Begins::Article) {
            outlines.push(Outline::default());
        }
        match &event {
            Event::Start(Tag::FootnoteDefinition(_)) => footnotes += 1,
            Event::End(TagEnd::FootnoteDefinition) => footnotes -= 1,
            Event::Start(Tag::Heading { .. }) if matches!(begins, Begins::Article | Begins::Title) => {
                reading = Reading::Title;
            }
            Event::Start(Tag::Paragraph) if footnotes == 0 && wants_more(outlines.last()) => {
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
                    for words in builder.take_paragraphs() {
                        add_words(&mut outline.excerpt, &plain(&words));
                    }
                }
            }
            reading = Reading::Nothing;
        }
    });
    outlines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Nothing,
    Title,
    Excerpt,
}

fn wants_more(outline: Option<&Outline>) -> bool {
    outline
        .is_some_and(|outline| outline.excerpt.len() < EXCERPT || outline.excerpt.chars().count() < EXCERPT)
}

fn add_words(excerpt: &mut String, words: &str) {
    if !excerpt.is_empty() && !words.is_empty() {
        excerpt.push(' ');
    }
    let room = EXCERPT.saturating_sub(excerpt.chars().count());
    match words.char_indices().nth(room) {
        None => excerpt.push_str(words),
        Some((cut, _)) => {
            excerpt.push_str(words[..cut].trim_end());
            excerpt.push('…');
        }
    }
}

/// Characters other than white space, counted by the octets that begin one, many at a time: a run of
/// 255 of them fits the narrowest counter.
fn visible(text: &str) -> usize {
    let begins = |octet: &u8| u8::from(*octet > b' ' && octet & 0xC0 != 0x80);
    text.as_bytes().chunks(255).map(|octets| usize::from(octets.iter().map(begins).sum::<u8>())).sum()
}
