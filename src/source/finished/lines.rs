//! The lines of an old mail, and what each looks like by itself: a rule, a marked line, a letter-spaced word.

use crate::typeset::{char_columns, is_heading_mark};

/// One line, without its end and without blanks at its right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Where it begins in the text.
    pub(super) at: usize,
    pub(super) text: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

/// All lines of a text, whatever their ends; a form feed or a byte order mark counts as blank.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut at = 0;
    for piece in text.split('\n') {
        let mut inner = at;
        for line in piece.strip_suffix('\r').unwrap_or(piece).split('\r') {
            let blank = |letter: char| letter.is_whitespace() || letter == '\u{FEFF}';
            lines.push(Line { at: inner, text: line.trim_end_matches(blank) });
            inner += line.len() + 1;
        }
        at += piece.len() + 1;
    }
    lines
}

/// The narrowest rule, in columns.
const RULE: usize = 16;

/// Whether a line only separates: `-----`, `━━━━━`, `*.*.*.*`, `┏━━━┓`.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    // What is quoted separates nothing here; a row of `>` does.
    let is_quoted = line.strip_prefix("> ").is_some_and(|quoted| !quoted.contains('>'));
    if line.is_empty() || line.len() > 1000 || is_quoted {
        return false;
    }
    let mut kinds: Vec<char> = Vec::new();
    let mut columns = 0;
    for letter in line.chars() {
        columns += char_columns(letter);
        if letter.is_whitespace() {
            continue;
        }
        if !draws(letter) {
            return false;
        }
        if !kinds.contains(&letter) {
            kinds.push(letter);
            if kinds.len() > 4 {
                return false;
            }
        }
    }
    columns >= RULE
}

/// Characters that rules and ornaments are made of.
pub(super) fn draws(letter: char) -> bool {
    matches!(letter,
        '-' | '=' | '*' | '_' | '~' | '+' | '.' | ':' | '#' | '/' | '\\' | '|' | '<' | '>' | '^'
        | '\u{2500}'..='\u{257F}' // box drawing
        | '\u{2580}'..='\u{259F}' // blocks
        | '―' | '—' | '–' | '‐' | '－' | 'ー' | '＝' | '＿' | '￣' | '～' | '〜' | '＊' | '＋' | '・' | '…' | '‥' | '｡' | '｀'
        | '゜' | '。' | '＾' | '×' | '＃' | '／' | '＼' | '｜' | '：' | '＜' | '＞' | '≡' | '∞' | '♪' | '†' | '･' | 'ｰ')
        || is_heading_mark(letter)
}

/// A title inside a rule: `━━━【 題名 】━━━━━━━`, `----[ 題名 ]-----------`.
pub(super) fn title_in_rule(line: &str) -> Option<&str> {
    let trimmed = line.trim();
    if trimmed.len() > 1000 || is_rule(trimmed) {
        return None;
    }
    let inner =
        trimmed.trim_matches(|letter: char| (draws(letter) && !is_heading_mark(letter)) || letter == ' ');
    let before = &trimmed[..trimmed.find(inner)?];
    let after = &trimmed[before.len() + inner.len()..];
    let drawn = |part: &str| part.trim().chars().count();
    let same = |part: &str| {
        let part = part.trim();
        let first = part.chars().next();
        first.is_some_and(|first| !".…‥・。:：/\\|<>｡".contains(first))
            && part.chars().all(|letter| Some(letter) == first)
    };
    (drawn(before) >= 2
        && drawn(after) >= 4
        && drawn(before) + drawn(after) >= 8
        && same(before)
        && same(after))
    .then_some(inner.trim())
}

/// A title without the marks and brackets around it.
pub(super) fn unmarked(title: &str) -> &str {
    const BRACKETS: [(char, char); 6] =
        [('【', '】'), ('＜', '＞'), ('《', '》'), ('≪', '≫'), ('［', '］'), ('[', ']')];
    let mut title = title.trim();
    loop {
        let inner = title.trim_matches(|letter: char| is_heading_mark(letter) || letter.is_whitespace());
        let inner = BRACKETS
            .into_iter()
            .find_map(|(open, close)| {
                let inside = inner.strip_prefix(open)?.strip_suffix(close)?;
                (!inside.contains([open, close])).then_some(inside)
            })
            .unwrap_or(inner);
        if inner.len() == title.len() || inner.is_empty() {
            return title;
        }
        title = inner;
    }
}

/// The word that stands with a space between its letters: あ と が き.
pub(super) fn unspaced(text: &str) -> Option<String> {
    let mut word = String::new();
    let mut letters = 0;
    for part in text.split_whitespace() {
        let mut inside = part.chars();
        let (Some(letter), None) = (inside.next(), inside.next()) else { return None };
        if letter.is_ascii_digit() {
            return None;
        }
        word.push(letter);
        letters += 1;
    }
    (letters >= 3).then_some(word)
}

/// A text without any blank in it, for comparing words that may be letter-spaced.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_like() {
        let check = |text: &str, expected: &[(usize, &str)]| {
            let found: Vec<(usize, &str)> = lines(text).iter().map(|line| (line.at, line.text)).collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("", &[(0, "")]);
        check("a\nb", &[(0, "a"), (2, "b")]);
        check("a \r\n b\r\n", &[(0, "a"), (4, " b"), (8, "")]);
        check("a\rb", &[(0, "a"), (2, "b")]);
        check("あ　\n", &[(0, "あ"), (7, "")]);
    }

    #[test]
    fn rules_are_drawn_not_written() {
        for rule in [
            "----------------",
            "━━━━━━━━",
            "┏━━━━━━━┓",
            "*.*.*.*.*.*.*.*.*",
            "- - - - - - - - -",
            "■□■□■□■□",
        ] {
            assert!(is_rule(rule), "{rule}");
        }
        for other in [
            "> 。。。。。。。",
            "> --------------------",
            "",
            "---",
            "----------------a",
            "━━━━ 目次 ━━━━",
            "本文",
            "1234567890123456",
        ] {
            assert!(!is_rule(other), "{other}");
        }
    }

    #[test]
    fn titles_lose_their_ornaments() {
        let check = |title: &str, expected: &str| assert_eq!(unmarked(title), expected);
        check("■ 題名", "題名");
        check("◆◇題名◇◆", "題名");
        check("【題名】", "題名");
        check("【連載】題名", "【連載】題名");
        check("■【題名】", "題名");
        check("■□", "■□");
        assert_eq!(title_in_rule("━━━【題名】━━━━━━"), Some("【題名】"));
        assert_eq!(title_in_rule("--- 題名 ---------"), Some("題名"));
        assert_eq!(title_in_rule("題名"), None);
        assert_eq!(unspaced("あ と が き").as_deref(), Some("あとがき"));
        assert_eq!(unspaced("編　集　後　記").as_deref(), Some("編集後記"));
        assert_eq!(unspaced("技術 の話"), None);
    }
}
