//! The language of a page: what the address asks for, else what the reader chose, else what his browser prefers, else
//! the magazine's own.

use crate::model::Language;

/// The language that `?lang=` asks for.
pub(super) fn asked(query: Option<&str>) -> Option<Language> {
    let value = query?.split('&').find_map(|field| field.strip_prefix("lang="))?;
    Language::tagged(value)
}

/// The language that a browser prefers most among ours (`Accept-Language`, RFC 9110, section 12.5.4).
pub(super) fn preferred(accept: &str) -> Option<Language> {
    let ranges = accept.split(',').take(32).filter_map(|range| {
        let mut parts = range.trim().split(';');
        let language = Language::tagged(parts.next()?.trim())?;
        let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
        let weight: f32 = weight.map_or(Some(1.0), |weight| weight.parse().ok())?;
        (weight > 0.0).then_some((language, weight))
    });
    // The first of those that are preferred alike.
    ranges.reduce(|best, range| if range.1 > best.1 { range } else { best }).map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{English, Japanese};

    #[test]
    fn the_language_is_found() {
        for (accept, expected) in [
            ("ja,en-US;q=0.7,en;q=0.3", Some(Japanese)),
            ("en-GB, ja;q=0.9", Some(English)),
            ("fr, de;q=0.8, ja;q=0.1", Some(Japanese)),
            ("en;q=0.5, ja;q=0.9", Some(Japanese)),
            ("ja, en", Some(Japanese)),
            ("en;q=0, ja;q=0.1", Some(Japanese)),
            ("en;q=x", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(preferred(accept), expected, "{accept}");
        }
        for (query, expected) in [
            (Some("lang=en"), Some(English)),
            (Some("a=b&lang=ja"), Some(Japanese)),
            (Some("lang=xx"), None),
            (Some("lang"), None),
            (None, None),
        ] {
            assert_eq!(asked(query), expected, "{query:?}");
        }
    }
}
