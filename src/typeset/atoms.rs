//! What is never cut: addresses in running text, and words wider than the line.

use super::kinsoku::{Class, both_narrow, class_of, columns_of, entry};
use std::ops::Range;

use memchr::memchr;

/// Where the URLs of a text stand, in octets. A URL has a scheme and `://`, or is a `mailto:`; it ends at whitespace,
/// full-width punctuation, kana, `< > "` or the like; a full stop, comma, bracket or mark of emphasis at its end that the
/// sentence needs is not part of it.
pub fn urls(text: &str) -> Vec<Range<usize>> {
    let mut urls = Vec::new();
    let mut from = 0;
    while let Some(colon) = memchr(b':', &text.as_bytes()[from..]).map(|index| from + index) {
        from = colon + 1;
        let scheme = scheme(&text[..colon], urls.last().map_or(0, |url: &Range<usize>| url.end));
        let rest = &text[colon + 1..];
        let slashes = if rest.starts_with("//") { 2 } else { 0 };
        if scheme.is_empty() || slashes == 0 && !scheme.eq_ignore_ascii_case("mailto") {
            continue;
        }
        let path = &rest[slashes..];
        let path = &path[..path.find(|character| !url_character(character)).unwrap_or(path.len())];
        let length = without_sentence_end(path).len();
        if length > 0 {
            let end = colon + 1 + slashes + length;
            urls.push(colon - scheme.len()..end);
            from = end;
        }
    }
    urls
}

/// Whether a text ends with a URL, so that readers' mailers would take what is written on into the link.
pub fn ends_with_url(text: &str) -> bool {
    urls(text).last().is_some_and(|url| url.end == text.len())
}

/// The URLs that a wide character follows at once, such as 、 。 ） or kana: readers' mailers take it into the link.
pub fn glued_urls(text: &str) -> Vec<Range<usize>> {
    let glued = |url: &Range<usize>| {
        text[url.end..].chars().next().is_some_and(|next| {
            let class = class_of(entry(next));
            columns_of(entry(next)) == 2 && class != Class::WideSpace as u8
                || matches!(next, '\u{FF61}'..='\u{FF9F}')
        })
    };
    urls(text).into_iter().filter(glued).collect()
}

/// Where runs of Latin letters, digits and signs stand that are wider than `width` columns and would stand alone on a
/// line, too wide for it.
pub fn too_wide(text: &str, width: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    // No character has more columns than octets: a run that is too wide reaches at least so far, and where something
    // ends a run within that reach, the search goes on behind the last of that.
    while text.len().saturating_sub(begin) > width {
        let reach = text.floor_char_boundary(begin + width + 1);
        let ending = |(_, character): &(usize, char)| !runs_on(*character);
        if let Some((at, character)) = text[begin..reach].char_indices().rev().find(ending) {
            begin += at + character.len_utf8();
            continue;
        }
        let (end, next) = match text[begin..].char_indices().find(ending) {
            Some((at, character)) => (begin + at, begin + at + character.len_utf8()),
            None => (text.len(), text.len()),
        };
        if text[begin..end].chars().map(|character| columns_of(entry(character))).sum::<usize>() > width {
            found.push(begin..end);
        }
        begin = next;
    }
    found
}

/// Whether a character is part of a run that is never cut.
fn runs_on(character: char) -> bool {
    let entry = entry(character);
    let class = class_of(entry);
    both_narrow(class, class)
        || class == Class::Hyphen as u8
        || class == Class::Slash as u8
        || class == Class::Glue as u8
        || columns_of(entry) == 0 && class != Class::Hint as u8 && !character.is_ascii_whitespace()
}

/// The scheme at the end of what stands before a colon (RFC 3986), at most so long that the search stays linear.
fn scheme(before: &str, floor: usize) -> &str {
    let begin = before
        .bytes()
        .enumerate()
        .rev()
        .take(20)
        .take_while(|&(at, octet)| at >= floor && (octet.is_ascii_alphanumeric() || b"+-.".contains(&octet)))
        .filter(|&(_, octet)| octet.is_ascii_alphabetic())
        .last()
        .map_or(before.len(), |(at, _)| at);
    &before[begin..]
}

fn url_character(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_graphic()
            && !matches!(character, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
    } else {
        let kana = matches!(character, '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}');
        character.is_alphanumeric() && !kana && !matches!(character, '\u{FF00}'..='\u{FFEF}')
    }
}

fn without_sentence_end(path: &str) -> &str {
    let mut opened = path.bytes().filter(|&octet| octet == b'(').count();
    let mut closed = path.bytes().filter(|&octet| octet == b')').count();
    let mut path = path;
    while let Some(last) = path.bytes().last() {
        match last {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'[' | b']' | b'*' | b'_' | b'~' => {}
            b')' if closed > opened => closed -= 1,
            b'(' => opened -= 1,
            _ => break,
        }
        path = &path[..path.len() - 1];
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_in_text() {
        let cases: [(&str, &[&str]); 14] = [
            ("なし", &[]),
            ("http://a.example/", &["http://a.example/"]),
            ("詳細はhttp://a.example/b?c=d-e#fを参照", &["http://a.example/b?c=d-e#f"]),
            ("(https://a.example/)。", &["https://a.example/"]),
            ("https://a.example/x_(y)", &["https://a.example/x_(y)"]),
            ("See http://a.example. And", &["http://a.example"]),
            ("<http://a.example/>", &["http://a.example/"]),
            ("http://a.example/漢字を", &["http://a.example/漢字"]),
            ("**http://a.example/_b**（注）", &["http://a.example/_b"]),
            ("http://a.example、ftp://b.example", &["http://a.example", "ftp://b.example"]),
            ("mailto:a@b.example へ", &["mailto:a@b.example"]),
            ("://x 注意: //y http://", &[]),
            ("漢://a", &[]),
            ("file:///a:", &["file:///a"]),
        ];
        for (text, expected) in cases {
            assert_eq!(urls(text).into_iter().map(|url| &text[url]).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn glued() {
        for (text, expected) in [
            ("http://a.example/。", 1),
            ("http://a.example/）", 1),
            ("http://a.example/を", 1),
            ("http://a.example/ を", 0),
            ("http://a.example/　を", 0),
            ("http://a.example/. を", 0),
            ("http://a.example/", 0),
        ] {
            assert_eq!(glued_urls(text).len(), expected, "{text}");
        }
    }

    #[test]
    fn wider_than_the_line() {
        let text = "あhttp://a.example/b-cい abc 0123456789";
        let found: Vec<&str> = too_wide(text, 9).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["http://a.example/b-c", "0123456789"]);
        assert!(too_wide(text, 40).is_empty());
    }
}
