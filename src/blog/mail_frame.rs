//! The mail form on the blog: its lines as they are, with the web addresses in them linked.

use super::html::{escape, push_escaped};
use crate::address::{encode_url, web_addresses};

/// A mail's text for the inside of a `<pre>`.
pub(super) fn mail_frame(body: &str) -> String {
    let mut html = String::with_capacity(body.len() * 5 / 4);
    // A parser drops a line feed that directly follows <pre>; this is the one it may drop.
    html.push('\n');
    let mut written = 0;
    for place in web_addresses(body) {
        let address = &body[place.clone()];
        push_escaped(&body[written..place.start], &mut html);
        html.push_str("<a href=\"");
        push_escaped(&encode_url(address), &mut html);
        html.push_str("\">");
        html.push_str(&escape(address));
        html.push_str("</a>");
        written = place.end;
    }
    push_escaped(&body[written..], &mut html);
    html
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
