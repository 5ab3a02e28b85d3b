//! Inlines: words, the spaces between lines, and what words turn out to be.

use std::mem;
use std::ops::Range;

use memchr::memchr;

use super::{Builder, Frame, Kind, NOWHERE, SoftBreak};
use crate::model::{Block, Inline, RubyGroup};
use crate::source::links::push_linked;
use crate::source::markdown::ruby::{Braces, braces};
use crate::typeset::join;

/// Stands for a picture: neither wide nor narrow.
pub(super) const OBJECT: char = '\u{FFFC}';

impl Builder<'_> {
    pub(super) fn text(&mut self, text: &str, mut range: Range<usize>) {
        let prepared = self.prepared;
        if let Frame { kind: Kind::Code { text: code, at, .. }, .. } = self.top() {
            if code.is_empty() {
                *at = prepared.original(range.start);
            }
            code.push_str(&prepared.clean(text));
            return;
        }
        let verbatim = prepared.text.get(range.clone()) == Some(text);
        if range.start < self.taken {
            if !verbatim || range.end <= self.taken {
                return;
            }
            range.start = self.taken;
        }
        if !verbatim {
            self.words(text, range.start, false);
            return;
        }
        let escaped = prepared.text[..range.start].ends_with('\\');
        if text.starts_with('[') && !escaped {
            self.unknown_footnote(range.start);
        }
        let mut written = range.start;
        let mut from = range.start + usize::from(escaped && text.starts_with('{'));
        while let Some(brace) =
            memchr(b'{', &prepared.text.as_bytes()[from..range.end]).map(|found| from + found)
        {
            from = brace + 1;
            match braces(&prepared.text[brace..]) {
                Braces::Plain => {}
                Braces::Mismatch { characters, readings, length } => {
                    self.ruby_mismatch(characters, readings, brace..brace + length);
                }
                Braces::Ruby(mut groups, length) => {
                    self.words(&prepared.text[written..brace], written, true);
                    for group in &mut groups {
                        group.base = prepared.clean(&group.base).into_owned();
                        group.reading = prepared.clean(&group.reading).into_owned();
                    }
                    let base =
                        |group: Option<&RubyGroup>| group.map(|group| group.base.clone()).unwrap_or_default();
                    self.meet(base(groups.first()).chars().next());
                    let last = visible_last(&base(groups.last()));
                    self.push(Inline::Ruby { groups, at: prepared.original(brace) });
                    self.last = last.or(self.last);
                    self.taken = brace + length;
                    written = self.taken;
                    from = self.taken;
                    if from >= range.end {
                        return;
                    }
                }
            }
        }
        self.words(&prepared.text[written..range.end], written, true);
    }

    /// Words as they are, at an offset of the prepared text.
    pub(super) fn words(&mut self, text: &str, start: usize, verbatim: bool) {
        let text = self.prepared.clean(text);
        let Some(first) = text.chars().next() else { return };
        self.meet(Some(first));
        self.has_url |= memchr(b':', text.as_bytes()).is_some() && text.contains("://");
        let at = self.prepared.original(start);
        let tail = self.tail;
        match self.top().inlines.last_mut() {
            Some(Inline::Text { text: before, .. }) if verbatim && tail == at => before.push_str(&text),
            _ => self.push(Inline::Text { text: text.clone().into_owned(), at }),
        }
        self.tail = if verbatim { at + text.len() } else { NOWHERE };
        self.last = visible_last(&text).or(self.last);
    }

    pub(super) fn push(&mut self, inline: Inline) {
        self.tail = NOWHERE;
        self.top().inlines.push(inline);
    }

    /// A visible character comes next, or something that is none.
    pub(super) fn meet(&mut self, next: Option<char>) {
        if let Some(soft) = self.soft
            && next.is_some_and(|next| join(soft.before, next).is_empty())
        {
            self.take_back_space();
        }
        self.soft = None;
    }

    pub(super) fn soft_break(&mut self, range: Range<usize>) {
        let Some(before) = self.last.filter(|last| !last.is_ascii_whitespace()) else { return };
        let level = self.stack.len();
        let at = self.prepared.original(range.start);
        self.put_space(SoftBreak { before, level, at });
    }

    pub(super) fn put_space(&mut self, soft: SoftBreak) {
        let tail = self.tail;
        match self.top().inlines.last_mut() {
            Some(Inline::Text { text, .. }) if tail == soft.at => text.push(' '),
            _ => self.push(Inline::Text { text: " ".to_owned(), at: soft.at }),
        }
        self.tail = soft.at + 1;
        self.soft = Some(SoftBreak { level: self.stack.len(), ..soft });
    }

    pub(super) fn take_back_space(&mut self) {
        let Some(soft) = self.soft.take() else { return };
        let Some(frame) = self.stack.get_mut(soft.level - 1) else { return };
        if let Some(Inline::Text { text, .. }) = frame.inlines.last_mut() {
            text.pop();
            if text.is_empty() {
                frame.inlines.pop();
            }
        }
        self.tail = NOWHERE;
    }

    pub(super) fn hard_break(&mut self) {
        self.take_back_space();
        self.last = None;
        self.push(Inline::HardBreak);
    }

    pub(super) fn reference(&mut self, name: &str) {
        let name = self.prepared.clean(name).into_owned();
        // The mark hangs on to what stands before it.
        self.meet(self.last);
        self.push(Inline::FootnoteReference { name: name.clone() });
        let within = self.stack.iter_mut().rev().find_map(|frame| match &mut frame.kind {
            Kind::Footnote { references, .. } => Some(references),
            _ => None,
        });
        let references = within.or(self.drafts.last_mut().map(|draft| &mut draft.references));
        references.into_iter().for_each(|references| references.push(name.clone()));
    }

    /// Finished words, with links where they hold addresses.
    pub(super) fn with_links(&mut self, words: Vec<Inline>) -> Vec<Inline> {
        if mem::replace(&mut self.has_url, false) { linked(words) } else { words }
    }

    /// A paragraph's end, marked or not: words that lie in a container itself become a paragraph.
    pub(super) fn settle(&mut self) {
        self.take_back_space();
        self.last = None;
        self.tail = NOWHERE;
        let top = self.top();
        let holds_blocks = matches!(
            top.kind,
            Kind::Draft | Kind::Quote | Kind::Item(_) | Kind::Footnote { .. } | Kind::Detail
        );
        if holds_blocks && !top.inlines.is_empty() {
            let words = mem::take(&mut top.inlines);
            let words = self.with_links(words);
            self.top().blocks.push(Block::Paragraph(words));
        }
    }
}

pub(super) fn visible_last(text: &str) -> Option<char> {
    text.chars().rev().find(|letter| !invisible(*letter))
}

fn invisible(letter: char) -> bool {
    matches!(letter, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

/// Makes links of the addresses in words that are not within a link already.
fn linked(inlines: Vec<Inline>) -> Vec<Inline> {
    let mut linked_inlines = Vec::with_capacity(inlines.len());
    for inline in inlines {
        match inline {
            Inline::Text { text, at } => push_linked(&text, at, &mut linked_inlines),
            Inline::Emphasis(inner) => linked_inlines.push(Inline::Emphasis(linked(inner))),
            Inline::Strong(inner) => linked_inlines.push(Inline::Strong(linked(inner))),
            Inline::Strikethrough(inner) => linked_inlines.push(Inline::Strikethrough(linked(inner))),
            other => linked_inlines.push(other),
        }
    }
    linked_inlines
}
