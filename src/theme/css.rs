//! Where a style sheet names other files (CSS Syntax Level 3, as far as that needs it).

use std::ops::Range;

/// The addresses in `url(…)` and after `@import`, without their quotation marks, in octets. Comments and other strings
/// are passed over; an address with an escape in it is left out.
pub(super) fn addresses(css: &str) -> Vec<Range<usize>> {
    let octets = css.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // Whether an `@import` waits for its string.
    let mut importing = false;
    while at < octets.len() {
        let rest = &css[at..];
        if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with(['"', '\'']) {
            let (string, next) = string(css, at);
            if importing {
                found.extend(string);
            }
            importing = false;
            at = next;
        } else if starts_with_word(css, at, "url(") {
            let start = at + 4;
            let inside = start + leading_space(&css[start..]);
            if css[inside..].starts_with(['"', '\'']) {
                let (string, next) = string(css, inside);
                found.extend(string);
                at = next;
            } else {
                let end = css[inside..].find(')').map_or(css.len(), |end| inside + end);
                let address = css[inside..end].trim_end();
                if !address.contains('\\') {
                    found.push(inside..inside + address.len());
                }
                at = end;
            }
            importing = false;
        } else if starts_with_word(css, at, "@import") {
            importing = true;
            at += 7;
        } else {
            importing &= octets[at].is_ascii_whitespace();
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// The inside of the string that begins at `at`, unless it has an escape; and where the text goes on.
fn string(css: &str, at: usize) -> (Option<Range<usize>>, usize) {
    let quote = css.as_bytes()[at];
    let mut escaped = false;
    let mut has_escape = false;
    for (offset, octet) in css.as_bytes()[at + 1..].iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => (escaped, has_escape) = (true, true),
            b'\n' => return (None, at + 1 + offset),
            octet if *octet == quote => {
                let inside = at + 1..at + 1 + offset;
                return ((!has_escape).then_some(inside), at + 2 + offset);
            }
            _ => {}
        }
    }
    (None, css.len())
}

/// Whether a word, in letters of any case, begins at `at` and is not the end of a longer one.
fn starts_with_word(css: &str, at: usize, word: &str) -> bool {
    let longer = css[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    !longer && css.get(at..at + word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found() {
        for (css, expected) in [
            ("a{b:url(c.png)}", &["c.png"][..]),
            ("a{b:URL( 'c.png' ) url(\" d e.png\")}", &["c.png", " d e.png"]),
            ("@import \"a.css\"; @import  url(b.css);", &["a.css", "b.css"]),
            ("@import/**/'a.css'", &["a.css"]),
            ("/* url(a) */ b{content:\"url(c)\"} d{e:my-url(f)}", &[]),
            ("a{b:url(c\\)d)} e{f:url('g\\'h')}", &[]),
            ("a{b:url(棚.png) } /* ", &["棚.png"]),
            ("a{b:url(", &[""]),
            ("a{b:url(\"c\n)}", &[]),
            ("", &[]),
        ] {
            let found: Vec<&str> = addresses(css).into_iter().map(|span| &css[span]).collect();
            assert_eq!(found, expected, "{css}");
        }
    }
}
