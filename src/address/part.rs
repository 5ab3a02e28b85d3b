//! Names as parts of addresses.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

/// The longest name of a file or folder that common file systems take, in octets.
pub(super) const LONGEST: usize = 255;

/// A tag's, a corner's or an author's own part of an address: as `[blog.tags]` says, else its name in small Latin
/// letters, with a hyphen for what an address, a folder or a reader could not carry. Never a transliteration.
pub(crate) fn named_part(name: &str, settled: &BTreeMap<String, String>) -> String {
    settled.get(name).cloned().unwrap_or_else(|| part(&name.to_lowercase()))
}

/// A name as one part of an address, at most 255 octets long; empty when no character can stand there.
pub(crate) fn part(name: &str) -> String {
    if name.len() <= LONGEST && name.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return name.to_owned();
    }
    let mut part = String::with_capacity(name.len());
    for c in name.nfc() {
        let c = if is_unfit(c) { '-' } else { c };
        if part.len() + c.len_utf8() > LONGEST {
            break;
        }
        if c != '-' || !part.ends_with('-') {
            part.push(c);
        }
    }
    // A name may begin with a dot (`.NET`), a folder should not, and Windows takes none at the end.
    part.trim_matches(|c| c == '-' || c == '.').to_owned()
}

fn is_unfit(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || "/\\?#%:*\"<>|&;'`^{}[]".contains(c)
        // soft hyphen; marks without width; directions; byte order mark; private use
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FEFF}' | '\u{E000}'..='\u{F8FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_addresses() {
        let settled = BTreeMap::from([("文字コード".to_owned(), "charset".to_owned())]);
        for (name, expected) in [
            ("文字コード", "charset"),
            ("組版", "組版"),
            ("CI/CD", "ci-cd"),
            ("ISO-2022-JP", "iso-2022-jp"),
            ("C++", "c++"),
            ("C#", "c"),
            (".NET", "net"),
            ("..", ""),
            ("???", ""),
            ("a  b\u{3000}c", "a-b-c"),
            ("100%\\50%", "100-50"),
            ("か\u{3099}", "が"),
            ("Éa\u{200B}\u{202E}b\0", "éa-b"),
        ] {
            assert_eq!(named_part(name, &settled), expected, "{name}");
        }
        assert_eq!(part(&"あ".repeat(200)), "あ".repeat(85));
    }
}
