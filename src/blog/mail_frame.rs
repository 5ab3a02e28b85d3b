//! The mail form on the blog: its lines as they are, with the web addresses in them linked.

use super::html::{encode_url, escape, push_escaped};

/// A mail's text for the inside of a `<pre>`.
pub(super) fn mail_frame(body: &str) -> String {
    let mut html = String::with_capacity(body.len() * 5 / 4);
    // A parser drops a line feed that directly follows <pre>; this is the one it may drop.
    html.push('\n');
    let mut rest = body;
    while let Some((at, length)) = next_address(rest) {
        let address = &rest[at..at + length];
        push_escaped(&rest[..at], &mut html);
        html.push_str("<a href=\"");
        push_escaped(&encode_url(address), &mut html);
        html.push_str("\">");
        html.push_str(&escape(address));
        html.push_str("</a>");
        rest = &rest[at + length..];
    }
    push_escaped(rest, &mut html);
    html
}

/// Where the next `http://` or `https://` address begins, and its length in octets.
fn next_address(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let at = from + found;
        let scheme = ["https://", "http://"].into_iter().find(|scheme| text[at..].starts_with(scheme));
        if let Some(scheme) = scheme {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
            let end = text[at..].find(|c| !is_part(c)).unwrap_or(text.len() - at);
            let address = without_closing_marks(&text[at..at + end]);
            if address.len() > scheme.len() {
                return Some((at, address.len()));
            }
        }
        from = at + "http".len();
    }
    None
}

/// Without the full stop, comma or bracket that belongs to the sentence around an address.
fn without_closing_marks(address: &str) -> &str {
    let mut open = address.matches('(').count();
    let mut closed = address.matches(')').count();
    let mut address = address;
    loop {
        let shorter = match address.as_bytes().last() {
            Some(b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b']' | b'[') => 1,
            Some(b')') if closed > open => {
                closed -= 1;
                1
            }
            Some(b'(') => {
                open -= 1;
                1
            }
            _ => return address,
        };
        address = &address[..address.len() - shorter];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_links_and_nothing_else_changes() {
        let link = |address: &str| format!("<a href=\"{address}\">{address}</a>");
        for (body, expected) in [
            ("┏━┓\n\n  a < b\n", "\n┏━┓\n\n  a &lt; b\n".to_owned()),
            ("\nhttps://example.jp/a", format!("\n\n{}", link("https://example.jp/a"))),
            ("<http://a.jp/?x=1>。", format!("\n&lt;{}&gt;。", link("http://a.jp/?x=1"))),
            ("(https://a.jp/b)です", format!("\n({})です", link("https://a.jp/b"))),
            ("https://a.jp/b_(c).", format!("\n{}.", link("https://a.jp/b_(c)"))),
            ("https:// http https://a.jp", format!("\nhttps:// http {}", link("https://a.jp"))),
            ("https://a.jp/&\"", format!("\n{}&quot;", link("https://a.jp/&amp;"))),
        ] {
            assert_eq!(mail_frame(body), expected, "{body}");
        }
    }
}
