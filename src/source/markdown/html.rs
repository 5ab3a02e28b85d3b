//! Raw HTML, of which only line breaks and comments are known.

/// What a piece of raw HTML is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Html {
    /// `<br>`, however spelled.
    Break,
    /// A comment, a closing tag, or white space: nothing to see and nothing lost.
    Nothing,
    /// Anything else; dropped, and the editor told.
    Other,
}

/// Judges one inline tag or a whole block.
pub(super) fn judge(raw: &str) -> Html {
    let mut rest = raw.trim();
    let mut verdict = Html::Nothing;
    while !rest.is_empty() {
        rest = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.find("-->").map_or("", |end| &comment[end + 3..])
        } else if let Some(after) = after_break(rest) {
            verdict = Html::Break;
            after
        } else if rest == raw && rest.starts_with("</") && rest.find('>') == Some(rest.len() - 1) {
            ""
        } else {
            return Html::Other;
        }
        .trim_start();
    }
    verdict
}

fn after_break(text: &str) -> Option<&str> {
    let name = text.get(..3).filter(|name| name.eq_ignore_ascii_case("<br"))?;
    let rest = text[name.len()..].trim_start();
    rest.strip_prefix('/').unwrap_or(rest).strip_prefix('>')
}

/// Whether following an address would run a program or show what the address itself holds, instead of
/// leading somewhere. Browsers pass over control characters and spaces in front of and within the scheme.
pub(super) fn unsafe_address(url: &str) -> bool {
    let mut scheme = String::new();
    for letter in url.chars().filter(|letter| !letter.is_control() && *letter != ' ') {
        if letter == ':' {
            return matches!(scheme.as_str(), "javascript" | "data" | "vbscript");
        }
        if scheme.len() > "javascript".len() {
            return false;
        }
        scheme.push(letter.to_ascii_lowercase());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_breaks_and_comments() {
        let check = |raw: &str, expected: Html| assert_eq!(judge(raw), expected, "{raw}");
        for raw in ["<br>", "<br/>", "<BR />", "<br>\n<!-- a -->\n", "<br\n>"] {
            check(raw, Html::Break);
        }
        for raw in ["<!-- <b> -->", "<!-- a -->\n<!-- b -->", "<!-- open", "</b>", ""] {
            check(raw, Html::Nothing);
        }
        for raw in ["<b>", "<brx>", "<br class=a>", "<!-- a --> b", "</b>a", "<?php ?>", "<日本>"] {
            check(raw, Html::Other);
        }
    }

    #[test]
    fn finds_unsafe_addresses() {
        for url in
            ["javascript:alert(1)", "JavaScript:a", " data:text/html,a", "vb\tscript:a", "\u{1}javascript:"]
        {
            assert!(unsafe_address(url), "{url}");
        }
        for url in
            ["https://example.jp/?data:", "data", "javascripts:a", "rack.jpg", "mailto:a@example.jp", ""]
        {
            assert!(!unsafe_address(url), "{url}");
        }
    }
}
