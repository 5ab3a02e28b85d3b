//! Where the addresses in a text lead.

use unicode_normalization::UnicodeNormalization;

use super::encode::encode_url;

/// What an address means, seen from the text that uses it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An address that stays as it is: another site, a mail address, a place on the same page.
    Elsewhere(String),
    /// An address of the blog, from its root, beginning with `/`, encoded.
    Blog(String),
    /// A file beside the text or a page beside it.
    Beside {
        /// The file's path from the magazine's root.
        from: String,
        /// Its path in the blog's folder, not encoded.
        to: String,
        /// The query and the fragment, encoded.
        rest: String,
    },
    /// An address that would run something rather than lead somewhere.
    Unsafe,
}

/// Schemes that lead somewhere. What is not here is shown as words: an address in a text that strangers may
/// have written must not run programs.
const SCHEMES: [&str; 12] =
    ["http", "https", "mailto", "tel", "sms", "ftp", "ftps", "news", "nntp", "irc", "ircs", "xmpp"];

/// Judges an address found in a file of `folder`, whose page gives its ids a prefix.
pub(crate) fn target(url: &str, folder: &str, prefix: &str) -> Target {
    let url = url.trim();
    if let Some(fragment) = url.strip_prefix('#') {
        return Target::Elsewhere(format!("#{}", encode_url(&format!("{prefix}{fragment}"))));
    }
    if url.starts_with("//") {
        return Target::Elsewhere(encode_url(url));
    }
    if url.starts_with('/') {
        return Target::Blog(encode_url(url));
    }
    let end_of_path = url.find(['?', '#']).unwrap_or(url.len());
    if let Some((scheme, _)) = url[..end_of_path].split_once(':')
        && scheme.is_ascii()
        && !scheme.contains('/')
    {
        let known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        return if known { Target::Elsewhere(encode_url(url)) } else { Target::Unsafe };
    }
    let (path, rest) = url.split_at(end_of_path);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let decoded = decode(path);
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            // The magazine's texts lie in `content`, and no address leads out of it.
            ".." => parts.truncate(parts.len().saturating_sub(1).max(1)),
            part => parts.push(part),
        }
    }
    let mut from = parts.join("/");
    if decoded.ends_with('/') {
        from.push('/');
    }
    let to = from.strip_prefix("content/").unwrap_or(&from).nfc().collect();
    Target::Beside { from, to, rest: encode_url(rest) }
}

/// Whether a path is that of a page, which the build makes, and not of a file that lies beside a text.
pub(crate) fn names_page(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    !name.contains('.') || name.ends_with(".html") || name.ends_with(".xml")
}

/// A path with its percent signs resolved; as it is where that makes no UTF-8 or a character no path may have.
pub(crate) fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = path.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    match String::from_utf8(decoded) {
        Ok(decoded) if !decoded.contains('\0') => decoded,
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged() {
        let elsewhere = |address: &str| Target::Elsewhere(address.into());
        let blog = |path: &str| Target::Blog(path.into());
        let beside = |from: &str, to: &str, rest: &str| Target::Beside {
            from: from.into(),
            to: to.into(),
            rest: rest.into(),
        };
        for (url, expected) in [
            ("https://example.jp/?a=あ", elsewhere("https://example.jp/?a=%E3%81%82")),
            ("MAILTO:a@example.jp", elsewhere("MAILTO:a@example.jp")),
            ("//example.jp/", elsewhere("//example.jp/")),
            ("#top", elsewhere("#p-top")),
            ("/about/?q#x", blog("/about/?q#x")),
            ("rack.jpg", beside("content/issues/010/rack.jpg", "issues/010/rack.jpg", "")),
            ("./図%20か.png", beside("content/issues/010/図 か.png", "issues/010/図 か.png", "")),
            ("../009/#x", beside("content/issues/009/", "issues/009/", "#x")),
            ("../../../../etc/passwd", beside("content/etc/passwd", "etc/passwd", "")),
            ("%2e%2e/%2E%2E/%2e%2e/a", beside("content/a", "a", "")),
            ("a/b:c", beside("content/issues/010/a/b:c", "issues/010/a/b:c", "")),
            ("100%", beside("content/issues/010/100%", "issues/010/100%", "")),
            ("か\u{3099}.png", beside("content/issues/010/か\u{3099}.png", "issues/010/が.png", "")),
            ("javascript:alert(1)", Target::Unsafe),
            ("java\nscript:alert(1)", Target::Unsafe),
            (" data:text/html,a", Target::Unsafe),
        ] {
            assert_eq!(target(url, "content/issues/010", "p-"), expected, "{url}");
        }
    }
}
