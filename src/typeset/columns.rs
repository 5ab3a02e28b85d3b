//! Display columns: how wide text stands in a Japanese fixed-width font.

use super::kinsoku::{Class, class_of, columns_of, entry};
use unicode_segmentation::UnicodeSegmentation;

/// Columns of a text without line feeds: two for each double-byte character of JIS X 0208 and CP932 and for whatever
/// East Asian Width (UAX #11) calls wide or ambiguous, two for an emoji cluster (UAX #29), none for marks, variation
/// selectors and zero-width characters, one for the rest, half-width kana among them. A tab reaches to the next
/// multiple of eight.
pub fn columns(text: &str) -> usize {
    let mut columns = 0;
    let mut before = 0;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let entry = entry(character);
        let mut end = at + character.len_utf8();
        let class = class_of(entry);
        if class == Class::Joiner as u8 || class == Class::Emoji as u8 || character == '\u{FE0F}' {
            let cluster = Cluster::at(text, before, at);
            columns += cluster.more_columns;
            end = cluster.end;
        } else if character == '\t' {
            columns = (columns / 8 + 1) * 8;
        } else {
            columns += columns_of(entry);
        }
        if columns_of(entry) > 0 {
            before = at;
        }
        at = end;
    }
    columns
}

/// Columns of a character on its own; see [`columns`].
pub fn char_columns(character: char) -> usize {
    columns_of(entry(character))
}

/// An emoji cluster met at an emoji, or at the mark that makes one of the character before.
pub(super) struct Cluster {
    /// Where it ends.
    pub(super) end: usize,
    /// Columns besides those of the character before.
    pub(super) more_columns: usize,
    /// Whether it began with the character before.
    pub(super) attached: bool,
}

impl Cluster {
    /// `before` is where the last spacing character before `at` begins.
    pub(super) fn at(text: &str, before: usize, at: usize) -> Cluster {
        let mut indices = text[before..].grapheme_indices(true);
        let first = indices.next().map_or("", |(_, cluster)| cluster);
        if before < at && before + first.len() > at {
            let base = first.chars().next().map_or(0, char_columns);
            let emoji =
                text[at..].starts_with([
                    '\u{20E3}',
                    '\u{FE0F}',
                    '\u{1F3FB}',
                    '\u{1F3FC}',
                    '\u{1F3FD}',
                    '\u{1F3FE}',
                    '\u{1F3FF}',
                ]) || text[at..before + first.len()].chars().any(|follower| char_columns(follower) == 2);
            let more_columns = if emoji { 2 - base.min(2) } else { 0 };
            return Cluster { end: before + first.len(), more_columns, attached: true };
        }
        let cluster = text[at..].graphemes(true).next().unwrap_or("");
        let more_columns = cluster.chars().next().map_or(0, char_columns);
        Cluster { end: at + cluster.len().max(1), more_columns, attached: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_texts() {
        let cases = [
            ("", 0),
            ("RHEL6 x", 7),
            ("漢字かなカナ", 12),
            ("ｶﾞﾊﾟ", 4),
            ("ΑαЖя´¨Å−°×÷¶§", 26),
            ("①Ⅳ㈱№℡㍻〝〟髙﨑ⅰ", 22),
            ("¥‾¢£¬‖−～〜—―", 22),
            ("┏━┓★■→…‥", 16),
            ("か\u{3099}", 2),
            ("e\u{301}", 1),
            ("葛\u{E0100}", 2),
            ("a\u{200B}\u{2060}\u{FEFF}b", 2),
            ("😀", 2),
            ("👨‍👩‍👧‍👦", 2),
            ("👍🏽", 2),
            ("🇯🇵🇯🇵", 4),
            ("1\u{FE0F}\u{20E3}", 2),
            ("❤\u{FE0F}", 2),
            ("❤", 1),
            ("❤\u{FE0F}\u{200D}🔥", 2),
            ("✌🏽", 2),
            ("☎\u{FE0F}", 2),
            ("한글", 4),
            ("\u{1112}\u{1161}\u{11AB}", 2),
            ("𠮷", 2),
            ("\t", 8),
            ("漢\tx", 9),
            ("é", 2),
            ("©™", 3),
            ("क्ष", 2),
        ];
        for (text, expected) in cases {
            assert_eq!(columns(text), expected, "{text}");
        }
    }
}
