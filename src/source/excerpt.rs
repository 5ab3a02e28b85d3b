//! What lists show of a text: its first words, and how long it is.

use crate::model::{Inline, plain};
use crate::typeset::join;

/// Characters of an excerpt, at most.
const EXCERPT: usize = 120;

/// Characters a Japanese reader reads in a minute.
const CHARACTERS_A_MINUTE: usize = 653;

/// The first words of a text's paragraphs, without marks and line breaks; ends in `…` where they were cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Excerpt {
    words: String,
    characters: usize,
}

impl Excerpt {
    /// Whether there is room for more.
    pub(super) fn wants_more(&self) -> bool {
        self.characters < EXCERPT
    }

    /// Adds a paragraph as running text.
    pub(super) fn add(&mut self, paragraph: &[Inline]) {
        for line in paragraph.split(|inline| *inline == Inline::HardBreak) {
            self.add_words(plain(line).trim());
        }
    }

    fn add_words(&mut self, words: &str) {
        let Some(first) = words.chars().next().filter(|_| self.wants_more()) else { return };
        let joint = self.words.chars().next_back().map_or("", |last| join(last, first));
        for character in joint.chars().chain(words.chars()) {
            if self.characters == EXCERPT {
                self.words.truncate(self.words.trim_end().len());
                self.words.push('…');
                return;
            }
            self.words.push(character);
            self.characters += 1;
        }
    }

    /// The excerpt as it stands.
    pub(super) fn into_words(self) -> String {
        self.words
    }
}

/// How many characters there are to read, ASCII white space not counted.
///
/// Octets that begin one are counted many at a time: a run of 255 of them fits the narrowest counter.
pub(super) fn visible(text: &str) -> usize {
    let begins = |octet: &u8| u8::from(*octet > b' ' && octet & 0xC0 != 0x80);
    let count = |octets: &[u8]| usize::from(octets.iter().map(begins).sum::<u8>());
    text.as_bytes().chunks(255).map(count).sum()
}

/// How many minutes a text of so many characters takes to read.
pub(super) fn minutes(characters: usize) -> usize {
    characters.div_ceil(CHARACTERS_A_MINUTE).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Inline {
        Inline::Text { text: text.to_owned(), at: 0 }
    }

    #[test]
    fn paragraphs_become_running_text() {
        let check = |paragraphs: &[&str], expected: &str| {
            let mut excerpt = Excerpt::default();
            for paragraph in paragraphs {
                let lines: Vec<Inline> =
                    paragraph.split('/').flat_map(|line| [text(line), Inline::HardBreak]).collect();
                excerpt.add(&lines);
            }
            assert_eq!(excerpt.into_words(), expected);
        };
        check(&[], "");
        check(&["山です。", "CRは"], "山です。CRは");
        check(&["山です", "　海です"], "山です海です");
        check(&["one two/three", "", "four"], "one two three four");
        check(&["山は", "CR", "「海」"], "山は CR 「海」");
        let (long, longer) = ("あ".repeat(119), "あ".repeat(120));
        check(&[&long, "い"], &format!("{long}い"));
        check(&[&long, "いう"], &format!("{long}い…"));
        check(&[&long, "a"], &format!("{long}…"));
        check(&[&longer], &longer);
        check(&[&format!("{longer}い")], &format!("{longer}…"));
    }

    #[test]
    fn what_was_begun_takes_a_minute() {
        assert_eq!([0, 1, 653, 654, 1307].map(minutes), [1, 1, 1, 2, 3]);
    }

    #[test]
    fn white_space_is_not_read() {
        for (text, expected) in [("", 0), (" 山\n　a\t", 3), ("e\u{301}", 2), ("😀", 1)] {
            assert_eq!(visible(text), expected, "{text}");
        }
        assert_eq!(visible(&"山a ".repeat(1000)), 2000);
    }
}
