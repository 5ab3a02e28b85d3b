//! Addresses written out in running text, which readers expect to be links.

use std::ops::Range;

use crate::address::web_addresses;
use crate::model::Inline;

/// Appends words that stand at an offset of the source, their addresses as links.
pub(super) fn push_linked(words: &str, at: usize, inlines: &mut Vec<Inline>) {
    let text =
        |range: Range<usize>| Inline::Text { text: words[range.clone()].to_owned(), at: at + range.start };
    let mut written = 0;
    for address in web_addresses(words) {
        if written < address.start {
            inlines.push(text(written..address.start));
        }
        written = address.end;
        let url = words[address.clone()].to_owned();
        inlines.push(Inline::Link { url, at: at + address.start, content: vec![text(address)] });
    }
    if written < words.len() {
        inlines.push(text(written..words.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plain;

    #[test]
    fn addresses_are_links() {
        let check = |words: &str, expected: &[&str]| {
            let mut inlines = Vec::new();
            push_linked(words, 7, &mut inlines);
            let mut links = Vec::new();
            for inline in &inlines {
                let (piece, at) = match inline {
                    Inline::Text { text, at } => (text, *at),
                    Inline::Link { url, at, content } => {
                        assert_eq!(plain(content), *url);
                        links.push(url.as_str());
                        (url, *at)
                    }
                    other => panic!("{other:?}"),
                };
                assert!(words[at - 7..].starts_with(piece.as_str()), "{words}");
            }
            assert_eq!((links.as_slice(), plain(&inlines).as_str()), (expected, words));
        };
        check("https://example.jp/", &["https://example.jp/"]);
        check("詳細はhttp://a.jp/b?c=d&e#fを、https://b.jp。", &["http://a.jp/b?c=d&e#f", "https://b.jp"]);
        check("(https://a.jp/b_(c)). https://a.jp/日本、", &["https://a.jp/b_(c)", "https://a.jp/日本"]);
        check("ftp://a.jp/b", &["ftp://a.jp/b"]);
        check("http:// https://、 xhttps://a :// a://https:// svn://a mailto:a@b.jp", &[]);
        check("本文", &[]);
        check("", &[]);
    }
}
