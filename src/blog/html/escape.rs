//! Characters that mean something to HTML and XML.

use std::borrow::Cow;

/// A text as it may stand between tags and inside quoted attributes, in HTML and XML 1.0 alike.
pub(in crate::blog) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(text, &mut out);
    out
}

/// Adds what [`escape`] makes of a text.
pub(in crate::blog) fn push_escaped(text: &str, out: &mut String) {
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !IS_SPECIAL[byte as usize] {
            continue;
        }
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            0..=0x1F | 0x7F => "\u{FFFD}",
            // U+FFFE and U+FFFF, which XML 1.0 does not have
            0xEF if matches!(text.as_bytes().get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) => "\u{FFFD}",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(replacement);
        written = at + if byte == 0xEF { 3 } else { 1 };
    }
    out.push_str(&text[written..]);
}

/// The octets that [`push_escaped`] has to look at: a table, for it sees every octet of the blog.
const IS_SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        special[octet] = matches!(octet as u8, b'&' | b'<' | b'>' | b'"' | b'\'' | 0x7F | 0xEF)
            || (octet < 0x20 && !matches!(octet as u8, b'\t' | b'\n'));
        octet += 1;
    }
    special
};

/// A text for a template, which escapes it itself: what XML 1.0 does not have becomes U+FFFD.
pub(in crate::blog) fn without_controls(text: &str) -> Cow<'_, str> {
    let is_bad =
        |c: char| (c < ' ' && !"\t\n".contains(c)) || matches!(c, '\u{7F}' | '\u{FFFE}' | '\u{FFFF}');
    if text.contains(is_bad) { Cow::Owned(text.replace(is_bad, "\u{FFFD}")) } else { Cow::Borrowed(text) }
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
        }
        assert_eq!(without_controls("<a\u{1}\u{FFFF}>\n"), "<a\u{FFFD}\u{FFFD}>\n");
    }
}
