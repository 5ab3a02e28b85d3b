//! Characters that mean something to HTML, XML and addresses.

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
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'\t' | b'\n' => continue,
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

/// A text for a template, which escapes it itself: what XML 1.0 does not have becomes U+FFFD.
pub(in crate::blog) fn without_controls(text: &str) -> Cow<'_, str> {
    let is_bad =
        |c: char| (c < ' ' && !"\t\n".contains(c)) || matches!(c, '\u{7F}' | '\u{FFFE}' | '\u{FFFF}');
    if text.contains(is_bad) { Cow::Owned(text.replace(is_bad, "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// A path as it stands in an address: everything but RFC 3986's path characters and `/` as percent signs with two
/// hexadecimal digits for each octet.
pub(in crate::blog) fn encode_path(path: &str) -> String {
    encode(path, |byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte))
}

/// An address as an author wrote it, with what RFC 3986 does not allow encoded and its percent signs left alone.
pub(in crate::blog) fn encode_url(url: &str) -> String {
    encode(url, |byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

fn encode(text: &str, stays: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if stays(byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(DIGITS[usize::from(byte >> 4)] as char);
            out.push(DIGITS[usize::from(byte & 15)] as char);
        }
    }
    out
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

    #[test]
    fn addresses_are_encoded() {
        for (path, expected) in
            [("tags/文/a b", "tags/%E6%96%87/a%20b"), ("a%b?#", "a%25b%3F%23"), ("c++", "c++")]
        {
            assert_eq!(encode_path(path), expected);
        }
        for (url, expected) in [
            ("https://例.jp/?q=あ&b#c", "https://%E4%BE%8B.jp/?q=%E3%81%82&b#c"),
            ("https://a.jp/%E4?a='b'", "https://a.jp/%E4?a='b'"),
            ("a\" onclick=\"b", "a%22%20onclick=%22b"),
        ] {
            assert_eq!(encode_url(url), expected);
        }
    }
}
