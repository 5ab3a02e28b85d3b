//! What the HTML and XML of the blog and of mails are written with.

use std::borrow::Cow;

use crate::charset::find_octet;
use crate::model::RubyGroup;

/// A text as it may stand between tags and inside quoted attributes, in HTML and XML 1.0 alike.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(text, &mut out);
    out
}

const AMPERSAND: &str = "&amp;";
const LESS: &str = "&lt;";
const GREATER: &str = "&gt;";
const QUOTE: &str = "&quot;";
const APOSTROPHE: &str = "&#39;";

/// Adds the text that [`escape`] made this of; other programs' `&nbsp;` and `&#64;` are understood, too.
pub(crate) fn push_unescaped(escaped: &str, out: &mut String) {
    let characters = [
        (AMPERSAND, '&'),
        (LESS, '<'),
        (GREATER, '>'),
        (QUOTE, '"'),
        (APOSTROPHE, '\''),
        ("&nbsp;", ' '),
        ("&#64;", '@'),
    ];
    let mut rest = escaped;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = characters.iter().find(|(reference, _)| rest.starts_with(reference));
        let (reference, character) = known.copied().unwrap_or(("&", '&'));
        out.push(character);
        rest = &rest[reference.len()..];
    }
    out.push_str(rest);
}

/// Adds what [`escape`] makes of a text.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    let octets = text.as_bytes();
    let is_special = |octet: u8| {
        matches!(octet, b'&' | b'<' | b'>' | b'"' | b'\'' | 0x7F | 0xEF)
            || octet < b' ' && !matches!(octet, b'\t' | b'\n')
    };
    let mut written = 0;
    let mut from = 0;
    while let Some(at) = find_octet(octets, from, is_special) {
        from = at + 1;
        let (replacement, length) = match octets[at] {
            b'&' => (AMPERSAND, 1),
            b'<' => (LESS, 1),
            b'>' => (GREATER, 1),
            b'"' => (QUOTE, 1),
            b'\'' => (APOSTROPHE, 1),
            // U+FFFE and U+FFFF, which XML 1.0 does not have
            0xEF if matches!(octets[from..], [0xBF, 0xBE | 0xBF, ..]) => ("\u{FFFD}", 3),
            0xEF => continue,
            _ => ("\u{FFFD}", 1),
        };
        out.push_str(&text[written..at]);
        out.push_str(replacement);
        written = at + length;
    }
    out.push_str(&text[written..]);
}

/// Adds characters with their reading; the brackets are for browsers and mailers that know no ruby.
pub(crate) fn push_ruby(groups: &[RubyGroup], out: &mut String) {
    out.push_str("<ruby>");
    for group in groups {
        push_escaped(&group.base, out);
        out.push_str("<rp>(</rp><rt>");
        push_escaped(&group.reading, out);
        out.push_str("</rt><rp>)</rp>");
    }
    out.push_str("</ruby>");
}

/// A text for a template, which escapes it itself: what XML 1.0 does not have becomes U+FFFD.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    let octets = text.as_bytes();
    // U+FFFE and U+FFFF begin with the last of these octets, and so does `（`.
    let may_be_bad =
        |octet: u8| octet < b' ' && !matches!(octet, b'\t' | b'\n') || matches!(octet, 0x7F | 0xEF);
    let mut from = 0;
    while let Some(at) = find_octet(octets, from, may_be_bad) {
        if octets[at] != 0xEF || matches!(octets[at + 1..], [0xBF, 0xBE | 0xBF, ..]) {
            let is_bad =
                |c: char| (c < ' ' && !"\t\n".contains(c)) || matches!(c, '\u{7F}' | '\u{FFFE}' | '\u{FFFF}');
            return Cow::Owned(text.replace(is_bad, "\u{FFFD}"));
        }
        from = at + 1;
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        for (text, expected) in [
            ("<script>alert('&\")</script>", "&lt;script&gt;alert(&#39;&amp;&quot;)&lt;/script&gt;"),
            ("日本\n\t語", "日本\n\t語"),
            ("a\u{0}b\u{8}\r\u{7F}", "a\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("\u{FFFE}\u{FFFD}\u{FFFF}！", "\u{FFFD}\u{FFFD}\u{FFFD}！"),
            ("", ""),
        ] {
            assert_eq!(escape(text), expected);
            let mut unescaped = String::new();
            push_unescaped(expected, &mut unescaped);
            assert!(unescaped == text || expected.contains('\u{FFFD}'), "{unescaped}");
        }
        assert_eq!(without_controls("<a\u{1}\u{FFFF}>\n"), "<a\u{FFFD}\u{FFFD}>\n");
        assert_eq!(without_controls("（ａ）\u{FFFE}"), "（ａ）\u{FFFD}");
        assert!(matches!(without_controls("（ａ）\u{FFFD}\t\n"), Cow::Borrowed(_)));
    }
}
