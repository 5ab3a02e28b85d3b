//! The parser's events with the one decision that outlines and trees must share: where articles begin.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, OffsetIter, Options, Parser, Tag};

use super::prepare::Prepared;

/// What the level-1 headings outside quotes and lists do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Titles {
    /// Each begins an article.
    Each,
    /// The first names the only article; further ones are headings within it.
    First,
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

/// One event, its octets in the prepared text, and what it begins.
pub(super) type Step<'a> = (Event<'a>, Range<usize>, Begins);

/// All events of a prepared text.
pub(super) fn walk<'a>(prepared: &'a Prepared<'_>, titles: Titles) -> impl Iterator<Item = Step<'a>> {
    Walk {
        events: Parser::new_ext(&prepared.text, OPTIONS).into_offset_iter(),
        titles,
        depth: 0,
        state: State::Before,
    }
}

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_DEFINITION_LIST);

struct Walk<'a> {
    events: OffsetIter<'a>,
    titles: Titles,
    depth: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Untitled,
    Titled,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let (event, range) = self.events.next()?;
        let begins = if self.depth == 0 { self.begins(&event) } else { Begins::Nothing };
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth -= 1,
            _ => {}
        }
        Some((event, range, begins))
    }
}

impl Walk<'_> {
    fn begins(&mut self, event: &Event<'_>) -> Begins {
        let (begins, state) = match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => match (self.titles, self.state) {
                (Titles::First, State::Titled) => return Begins::Nothing,
                (Titles::First, State::Untitled) => (Begins::Title, State::Titled),
                _ => (Begins::Article, State::Titled),
            },
            Event::Start(Tag::HtmlBlock | Tag::FootnoteDefinition(_)) => return Begins::Nothing,
            Event::Start(_) | Event::Rule if self.state == State::Before => {
                (Begins::Untitled, State::Untitled)
            }
            _ => return Begins::Nothing,
        };
        self.state = state;
        begins
    }
}
