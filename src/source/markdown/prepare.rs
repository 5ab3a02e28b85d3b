//! What is done to a text before pulldown-cmark reads it, and the way back to the editor's own offsets.
//!
//! CommonMark looks at the characters on both sides of `**` and takes `**「重要」**です` for plain asterisks,
//! because it knows words parted by spaces only. A private-use character ([`MARK`]) between the asterisks and such
//! punctuation makes it see a letter there. Every mark is taken out of whatever comes back.

use std::borrow::Cow;

use crate::charset::find_octet;

/// Stands in for a letter; refused in a source, so that every one of them is ours.
pub(super) const MARK: char = '\u{E000}';

/// A line may begin with so many containers before the rest of them is blanked out: the parser visits each open
/// container again for every line, so an unbounded number would cost quadratic time.
const MARKERS: usize = 128;
/// … and in so many octets, as a list's items stay open by indentation alone.
const MARGIN: usize = 512;

/// A text as the parser is to see it.
pub(super) struct Prepared<'a> {
    pub(super) text: Cow<'a, str>,
    /// Offsets in `text` of the marks put in, rising.
    marks: Vec<usize>,
    /// What to add for an offset in the whole file.
    base: usize,
    /// Where the source holds a [`MARK`] of its own.
    pub(super) stray_mark: Option<usize>,
    /// Where containers were blanked out.
    pub(super) too_deep: Option<usize>,
}

impl<'a> Prepared<'a> {
    /// Prepares the part of a file that begins at octet `base`.
    pub(super) fn new(body: &'a str, base: usize) -> Self {
        let stray_mark = find_mark(body).map(|at| base + at);
        let deep = deep_markers(body);
        let too_deep = deep.first().map(|at| base + at);
        let mut text = blanked(body, &deep);
        let places = mark_places(&text);
        let mut marks = Vec::new();
        if !places.is_empty() {
            let mut marked = String::with_capacity(text.len() + places.len() * MARK.len_utf8());
            let mut copied = 0;
            for place in places {
                marked.push_str(&text[copied..place]);
                marks.push(marked.len());
                marked.push(MARK);
                copied = place;
            }
            marked.push_str(&text[copied..]);
            text = Cow::Owned(marked);
        }
        Prepared { text, marks, base, stray_mark, too_deep }
    }

    /// Where an offset of the prepared text lies in the file.
    pub(super) fn original(&self, offset: usize) -> usize {
        let before = self.marks.partition_point(|mark| *mark < offset);
        self.base + offset - before * MARK.len_utf8()
    }

    /// A piece of the prepared text without marks.
    pub(super) fn clean<'t>(&self, piece: &'t str) -> Cow<'t, str> {
        if (self.marks.is_empty() && self.stray_mark.is_none()) || find_mark(piece).is_none() {
            Cow::Borrowed(piece)
        } else {
            Cow::Owned(piece.replace(MARK, ""))
        }
    }
}

/// The offsets of container markers that stand too deep in their line.
fn deep_markers(text: &str) -> Vec<usize> {
    let octets = text.as_bytes();
    let is_end = |octet: &u8| matches!(octet, b'\n' | b'\r');
    let mut places = Vec::new();
    let mut start = 0;
    // Only a line longer than this can have so many markers: what ends within that reach is passed over at once.
    while let Some(reach) = octets.get(start..=start + MARKERS) {
        match reach.iter().rposition(is_end) {
            Some(end) => start += end + 1,
            None => {
                let rest = &octets[start..];
                let line = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
                look_for_markers(line, start, &mut places);
                start += line.len() + 1;
            }
        }
    }
    places
}

fn look_for_markers(line: &[u8], start: usize, places: &mut Vec<usize>) {
    let mut at = 0;
    let mut markers = 0;
    loop {
        let rest = &line[at..];
        let length = match rest {
            [b' ' | b'\t', ..] => {
                at += 1;
                continue;
            }
            [b'>', ..] => 1,
            [b'-' | b'+' | b'*' | b':', b' ' | b'\t', ..] => 1,
            [b'0'..=b'9', ..] => {
                let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
                match rest.get(digits) {
                    Some(b'.' | b')') => digits + 1,
                    _ => return,
                }
            }
            [b'[', b'^', ..] => match rest.windows(2).take(1000).position(|pair| pair == b"]:") {
                Some(label) => label + 2,
                None => return,
            },
            _ => return,
        };
        markers += 1;
        if markers > MARKERS || at > MARGIN {
            places.push(start + at + length - 1);
        }
        at += length;
    }
}

/// The text with the octets at `places`, all of them ASCII marks, made spaces.
fn blanked<'a>(text: &'a str, places: &[usize]) -> Cow<'a, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for place in places {
        bytes[*place] = b' ';
    }
    Cow::Owned(String::from_utf8(bytes).expect("one ASCII octet stands for another"))
}

/// Where marks belong, rising.
fn mark_places(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = next_candidate(bytes, from) {
        let octet = bytes[at];
        if octet == b'}' {
            if hides_ruby(text, at) {
                places.push(at + 1);
            }
            from = at + 1;
            continue;
        }
        let backslashes = bytes[from..at].iter().rev().take_while(|octet| **octet == b'\\').count();
        if backslashes % 2 == 1 {
            from = at + 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|other| **other == octet).count();
        from = at + length;
        // A single ~ may not stand within a word, mark or no mark; a row of them is a fence.
        if octet == b'*' || length == 2 {
            let (before, after) = sides(text, at, from);
            places.extend(before.then_some(at));
            places.extend(after.then_some(from));
        }
    }
    places
}

fn next_candidate(bytes: &[u8], from: usize) -> Option<usize> {
    find_octet(bytes, from, |octet| matches!(octet, b'*' | b'~' | b'}'))
}

/// Like `text.find(MARK)`, which would stop at every full-width comma: their octets are too much alike.
fn find_mark(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = find_octet(text.as_bytes(), from, |octet| octet == 0xEE) {
        if text[at..].starts_with(MARK) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Whether a mark belongs before, and whether one belongs after, the run of `*` or `~` in `start..end`.
fn sides(text: &str, start: usize, end: usize) -> (bool, bool) {
    let (Some(before), Some(after)) = (text[..start].chars().next_back(), text[end..].chars().next()) else {
        // At the text's edge there is nothing that could hide the other side.
        let after = text[end..].chars().next();
        return (false, start == 0 && after.is_some_and(|after| punctuation(after) && cjk(after)));
    };
    let cjk_beside = cjk(before) || cjk(after);
    (cjk_beside && punctuation(before), cjk_beside && punctuation(after))
}

/// Anything that is neither letter, digit nor white space; a pipe parts the cells of a table and is left alone.
fn punctuation(letter: char) -> bool {
    !letter.is_alphanumeric() && !letter.is_whitespace() && letter != '|'
}

/// Chinese, Japanese and Korean characters and their punctuation, full-width and half-width forms among them.
fn cjk(letter: char) -> bool {
    matches!(letter,
        '\u{1100}'..='\u{11FF}'
        | '\u{2E80}'..='\u{2FFF}'
        | '\u{3001}'..='\u{A4CF}'
        | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE10}'..='\u{FE1F}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF01}'..='\u{FFEE}'
        | '\u{16FE0}'..='\u{18DFF}'
        | '\u{1AFF0}'..='\u{1B2FF}'
        | '\u{1F200}'..='\u{1F2FF}'
        | '\u{20000}'..='\u{3FFFD}'
        // Variation selectors of ideographs.
        | '\u{E0100}'..='\u{E01EF}')
}

/// Whether the brace at `close` ends a heading with ruby, which the parser would take for the heading's attributes.
fn hides_ruby(text: &str, close: usize) -> bool {
    let rest = text[close + 1..].trim_start_matches([' ', '\t']);
    if !(rest.is_empty() || rest.starts_with(['\n', '\r'])) {
        return false;
    }
    let start = text[..close].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let line = &text[start..close];
    let margin = |letter: char| letter.is_ascii_digit() || " \t>-+*.):".contains(letter);
    let underline =
        rest.trim_start_matches("\r\n").trim_start_matches('\n').trim_start_matches([' ', '\t', '>']);
    if !line.trim_start_matches(margin).starts_with('#') && !underline.starts_with(['=', '-']) {
        return false;
    }
    let Some(open) = line.rfind('{') else { return false };
    let inner = &line[open + 1..];
    inner.contains('|') && !inner.contains('=') && !inner.starts_with(['#', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks shown as `^`.
    fn check(source: &str, expected: &str) {
        let prepared = Prepared::new(source, 0);
        assert_eq!(prepared.text.replace(MARK, "^"), expected, "{source}");
        assert_eq!(prepared.clean(&prepared.text), source);
        for (offset, letter) in prepared.text.char_indices() {
            let original = prepared.original(offset);
            let there = source[original..].chars().next();
            assert!(letter == MARK || there == Some(letter), "{source}: {offset}");
        }
    }

    #[test]
    fn marks_only_where_japanese_stands_beside_punctuation() {
        check("**「重要」**です", "**^「重要」^**です");
        check("これは**「重要」**です", "これは**^「重要」^**です");
        check("**重要。**です", "**重要。^**です");
        check("~~（取消）~~です", "~~^（取消）^~~です");
        check("**(注)**です", "**(注)^**です");
        check("です**(注)**", "です**^(注)**");
        check("**重要**です", "**重要**です");
        check("*a.* b", "*a.* b");
        check("\\**「重要」**", "\\*^*^「重要」**");
        check("\\\\**「重要」", "\\\\^**^「重要」");
        check("* 「項目」\n* * *\n", "* 「項目」\n* * *\n");
        check("10~20、~「30」~", "10~20、~「30」~");
        check("~~~「\n~~~", "~~~「\n~~~");
        check("|**「重要」**|", "|**^「重要」^**|");
        check("**｢半角｣**です", "**^｢半角｣^**です");
    }

    #[test]
    fn keeps_ruby_at_a_headings_end() {
        check("# 今日の{漢字|かんじ}\n", "# 今日の{漢字|かんじ}^\n");
        check("> ## {漢字|かんじ} \n", "> ## {漢字|かんじ}^ \n");
        check("{漢字|かんじ}\n===", "{漢字|かんじ}^\n===");
        check("{漢字|かんじ}\n本文", "{漢字|かんじ}\n本文");
        check("# {漢字|かんじ} {#a b=c|d}", "# {漢字|かんじ} {#a b=c|d}");
        check("# 題 {#a|b}", "# 題 {#a|b}");
    }

    #[test]
    fn borrows_unless_something_changes() {
        assert!(matches!(Prepared::new("a **b** `c` } 本文*です*\n", 0).text, Cow::Borrowed(_)));
    }

    #[test]
    fn blanks_containers_past_the_limit() {
        let blank = |source: &str| Prepared::new(source, 0).too_deep;
        assert_eq!(blank(&">".repeat(MARKERS)), None);
        assert_eq!(blank(&format!("a\n{}", ">".repeat(MARKERS + 1))), Some(MARKERS + 2));
        assert_eq!(blank(&format!("a\r{}", "- ".repeat(MARKERS + 1))), Some(2 + 2 * MARKERS));
        assert_eq!(blank(&"1. ".repeat(MARKERS + 1)), Some(3 * MARKERS + 1));
        assert_eq!(blank(&"[^a]: > ".repeat(MARKERS)), Some(516));
        assert_eq!(blank(&format!("{}- a", " ".repeat(MARGIN + 1))), Some(MARGIN + 1));
        assert_eq!(blank(&"-".repeat(600)), None);
        assert_eq!(blank(&"本文 ".repeat(600)), None);
    }
}
