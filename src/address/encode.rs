//! Addresses with what RFC 3986 does not allow in them as percent signs and digits.

/// A path as it stands in an address: everything but RFC 3986's path characters and `/` as percent signs with two
/// hexadecimal digits for each octet.
pub(crate) fn encode_path(path: &str) -> String {
    encode(path, |byte| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'"' | b'#'
                    | b'%'
                    | b'<'
                    | b'>'
                    | b'?'
                    | b'['
                    | b'\\'
                    | b']'
                    | b'^'
                    | b'`'
                    | b'{'
                    | b'|'
                    | b'}'
            )
    })
}

/// An address as an author wrote it, with what RFC 3986 does not allow encoded and its percent signs left alone.
pub(crate) fn encode_url(url: &str) -> String {
    encode(url, |byte| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    })
}

fn encode(text: &str, stays: impl Fn(u8) -> bool) -> String {
    if text.bytes().all(&stays) {
        return text.to_owned();
    }
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
