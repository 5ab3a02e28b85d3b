//! Addresses written out in running text, which readers expect to be links.

use crate::model::Inline;

/// Makes links of the addresses in words that are not within a link already.
pub(super) fn linked(inlines: Vec<Inline>) -> Vec<Inline> {
    let mut linked_inlines = Vec::with_capacity(inlines.len());
    for inline in inlines {
        match inline {
            Inline::Text { text, at } => link_text(text, at, &mut linked_inlines),
            Inline::Emphasis(inner) => linked_inlines.push(Inline::Emphasis(linked(inner))),
            Inline::Strong(inner) => linked_inlines.push(Inline::Strong(linked(inner))),
            Inline::Strikethrough(inner) => linked_inlines.push(Inline::Strikethrough(linked(inner))),
            other => linked_inlines.push(other),
        }
    }
    linked_inlines
}

fn link_text(text: String, at: usize, inlines: &mut Vec<Inline>) {
    let words = |from: usize, to: usize| Inline::Text { text: text[from..to].to_owned(), at: at + from };
    let mut written = 0;
    while let Some((start, end)) = next_url(&text, written) {
        if written < start {
            inlines.push(words(written, start));
        }
        let url = text[start..end].to_owned();
        inlines.push(Inline::Link { url, content: vec![words(start, end)], at: at + start });
        written = end;
    }
    if written == 0 {
        inlines.push(Inline::Text { text, at });
    } else if written < text.len() {
        inlines.push(words(written, text.len()));
    }
}

/// Where the next address begins and ends.
fn next_url(text: &str, written: usize) -> Option<(usize, usize)> {
    let mut from = written;
    loop {
        let colon = from + text[from..].find("://")?;
        from = colon + 3;
        let before = &text[written..colon];
        let Some(rest) = before.strip_suffix("https").or_else(|| before.strip_suffix("http")) else {
            continue;
        };
        if rest.ends_with(|letter: char| letter.is_ascii_alphanumeric()) {
            continue;
        }
        let length = address_length(&text[from..]);
        if length > 0 {
            return Some((written + rest.len(), from + length));
        }
    }
}

/// An address ends at white space, full-width punctuation or kana; a sentence's own punctuation stays outside.
fn address_length(text: &str) -> usize {
    let mut length = text.find(|letter: char| !belongs(letter)).unwrap_or(text.len());
    let mut unopened = text[..length].bytes().fold(0_isize, |open, octet| match octet {
        b'(' => open - 1,
        b')' => open + 1,
        _ => open,
    });
    while let Some(last) = text[..length].chars().next_back() {
        match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => {}
            ')' if unopened > 0 => unopened -= 1,
            _ => break,
        }
        length -= last.len_utf8();
    }
    length
}

fn belongs(letter: char) -> bool {
    match letter {
        '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^' => false,
        '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{FF00}'..='\u{FFEF}' => false,
        _ => letter.is_ascii_graphic() || (!letter.is_ascii() && letter.is_alphanumeric()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses() {
        let check = |text: &str, expected: &[&str]| {
            let mut inlines = Vec::new();
            link_text(text.to_owned(), 0, &mut inlines);
            let mut urls = Vec::new();
            let mut end = 0;
            for inline in &inlines {
                let (words, at) = match inline {
                    Inline::Text { text, at } => (text, *at),
                    Inline::Link { url, at, .. } => {
                        urls.push(url.as_str());
                        (url, *at)
                    }
                    other => panic!("{other:?}"),
                };
                assert_eq!((at, &text[at..at + words.len()]), (end, words.as_str()));
                end += words.len();
            }
            assert_eq!((urls.as_slice(), end), (expected, text.len()), "{text}");
        };
        check("https://example.jp/", &["https://example.jp/"]);
        check("前http://a.jp/b?c=d&e#fを、https://b.jp。", &["http://a.jp/b?c=d&e#f", "https://b.jp"]);
        check("(https://a.jp/b_(c)). https://a.jp/日本、", &["https://a.jp/b_(c)", "https://a.jp/日本"]);
        check("https://a.jp/b（注）https://a.jp/c）", &["https://a.jp/b", "https://a.jp/c"]);
        check("ftp://a http:// https://、 xhttps://a :// a://https://", &[]);
        check("本文", &[]);
    }
}
