//! The parser's events with the one decision that outlines and trees must share: where articles begin.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

use super::prepare::Prepared;

/// What the level-1 headings outside quotes and lists do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Titles {
    /// Each begins an article.
    Each,
    /// The first names the only article; further ones are headings within it.
    First,
    /// All are headings within the text.
    None,
}

/// What an event begins besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// Nothing.
    Nothing,
    /// An article without a title.
    Untitled,
    /// The title of a new article.
    Article,
    /// The title of the article that has begun without one.
    Title,
}

/// Hands over each event of a prepared text, with its octets in that text and what it begins.
pub(super) fn walk<'a>(
    prepared: &'a Prepared<'_>,
    titles: Titles,
    mut take: impl FnMut(Event<'a>, Range<usize>, Begins),
) {
    let mut depth = 0;
    let mut state = State::Before;
    for (event, range) in Parser::new_ext(&prepared.text, OPTIONS).into_offset_iter() {
        let mut begins = Begins::Nothing;
        match &event {
            Event::Start(_) | Event::Rule if depth == 0 => {
                (begins, state) = begin(&event, titles, state);
                depth += usize::from(event != Event::Rule);
            }
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        take(event, range, begins);
    }
}

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_DEFINITION_LIST);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Untitled,
    Titled,
}

/// What a block outside all others begins.
fn begin(event: &Event<'_>, titles: Titles, state: State) -> (Begins, State) {
    match event {
        Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => match (titles, state) {
            (Titles::First, State::Titled) => (Begins::Nothing, state),
            (Titles::First, State::Untitled) => (Begins::Title, State::Titled),
            (Titles::None, State::Before) => (Begins::Untitled, State::Untitled),
            (Titles::None, _) => (Begins::Nothing, state),
            _ => (Begins::Article, State::Titled),
        },
        Event::Start(Tag::HtmlBlock | Tag::FootnoteDefinition(_)) => (Begins::Nothing, state),
        _ if state == State::Before => (Begins::Untitled, State::Untitled),
        _ => (Begins::Nothing, state),
    }
}
