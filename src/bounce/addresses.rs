//! Addresses in a text.

use std::ops::Range;

/// The longest address that is looked for, in octets (RFC 5321 allows 254), with quotes.
const LONGEST: usize = 320;

/// Where addresses stand in a text, without angle brackets, in order.
pub(super) fn ranges(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = text[from..].find('@') {
            let at = from + at;
            let range = around(text, at);
            from = range.as_ref().map_or(at + 1, |range| range.end.max(at + 1));
            if range.is_some() {
                return range;
            }
        }
        None
    })
}

/// The addresses of a text, in order.
pub(super) fn all(text: &str) -> impl Iterator<Item = &str> {
    ranges(text).map(|range| &text[range])
}

/// Whether two texts are the same address. Nobody tells names apart by case, though they might.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The domain of an address.
pub(super) fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether it is the address of a machine or its keeper, not of a reader.
pub(super) fn is_role(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let local: String =
        local.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    const ROLES: [&str; 14] = [
        "abuse",
        "admin",
        "administrator",
        "bounce",
        "helpdesk",
        "hostmaster",
        "info",
        "mailerdaemon",
        "mdaemon",
        "noreply",
        "postmaster",
        "root",
        "support",
        "webmaster",
    ];
    ROLES.contains(&&*local) || local.starts_with("mailerdaemon") || local.starts_with("postmaster")
}

fn around(text: &str, at: usize) -> Option<Range<usize>> {
    let octets = text.as_bytes();
    let floor = at.saturating_sub(LONGEST);
    let start = if at > 0 && octets[at - 1] == b'"' {
        let quote = octets[floor..at - 1].iter().rposition(|octet| matches!(octet, b'"' | b'\n'))?;
        if octets[floor + quote] != b'"' {
            return None;
        }
        floor + quote
    } else {
        let length = octets[floor..at].iter().rev().take_while(|octet| is_atom(**octet)).count();
        // What a text puts before an address, but hardly anybody into one.
        let lead = octets[at - length..at].iter().take_while(|octet| b"'`*=/|#".contains(octet)).count();
        at - length + lead
    };
    if start == at {
        return None;
    }
    let is_domain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let length = octets[at + 1..].iter().take(LONGEST).take_while(|octet| is_domain(octet)).count();
    let end = at + 1 + text[at + 1..at + 1 + length].trim_end_matches(['.', '-', '_']).len();
    let domain = &text[at + 1..end];
    let in_brackets = start > 0 && octets[start - 1] == b'<' && octets.get(end) == Some(&b'>');
    let named = domain.contains('.') || in_brackets;
    (named && !domain.is_empty() && !domain.starts_with(['.', '-'])).then_some(start..end)
}

fn is_atom(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(all(text).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn addresses_are_found() {
        check("<a@example.jp>: b.c+d@x.example.jp.", &["a@example.jp", "b.c+d@x.example.jp"]);
        check("rfc822;a@example.jp", &["a@example.jp"]);
        check("a@example.jp<mailto:a@example.jp>", &["a@example.jp", "a@example.jp"]);
        check("宛先a@example.jpへ", &["a@example.jp"]);
        check("a..b.@docomo.ne.jp", &["a..b.@docomo.ne.jp"]);
        check(r#"<"a b"@docomo.ne.jp>"#, &[r#""a b"@docomo.ne.jp"#]);
        check("<a@localhost> b@localhost", &["a@localhost"]);
        check("'a@example.jp' *b@example.jp*", &["a@example.jp", "b@example.jp"]);
        check("@ @a a@ @@ a@@b \"@c.jp a@.jp", &[]);
    }

    #[test]
    fn roles_are_known() {
        for (address, expected) in [
            ("MAILER-DAEMON@example.jp", true),
            ("post_master@example.jp", true),
            ("No-Reply@example.jp", true),
            ("reader@example.jp", false),
            ("informatics@example.jp", false),
        ] {
            assert_eq!(is_role(address), expected, "{address}");
        }
    }
}
