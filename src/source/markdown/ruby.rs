//! Ruby: `{漢字|かんじ}` reads the word as one group, `{漢字|かん|じ}` each character by itself.

use unicode_segmentation::UnicodeSegmentation;

use crate::model::RubyGroup;

/// What an opening brace turned out to begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Braces {
    /// Words in braces, or a lone brace.
    Plain,
    /// Ruby, over so many octets.
    Ruby(Vec<RubyGroup>, usize),
    /// Neither one reading nor one for each character, over so many octets.
    Mismatch {
        /// Characters of the base.
        characters: usize,
        /// Readings given.
        readings: usize,
        /// Octets from brace to brace.
        length: usize,
    },
}

/// Reads the braces that `text` begins with. Ruby stands on one line and holds no other marks;
/// `\|` parts as `|` does, so that ruby can stand in a table's cell.
pub(super) fn braces(text: &str) -> Braces {
    let Some(inner) = text.strip_prefix('{').and_then(inside) else {
        return Braces::Plain;
    };
    let length = inner.len() + 2;
    let mut parts = inner.split('|').map(|part| part.strip_suffix('\\').unwrap_or(part));
    let base = parts.next().unwrap_or_default();
    let readings: Vec<&str> = parts.collect();
    if base.is_empty() || readings.is_empty() || readings.iter().any(|reading| reading.is_empty()) {
        return Braces::Plain;
    }
    let group = |base: &str, reading: &str| RubyGroup { base: base.to_owned(), reading: reading.to_owned() };
    if let [reading] = readings[..] {
        return Braces::Ruby(vec![group(base, reading)], length);
    }
    let characters: Vec<&str> = base.graphemes(true).collect();
    if characters.len() != readings.len() {
        return Braces::Mismatch { characters: characters.len(), readings: readings.len(), length };
    }
    let groups = characters.into_iter().zip(readings).map(|(base, reading)| group(base, reading)).collect();
    Braces::Ruby(groups, length)
}

/// The text up to the closing brace, unless something comes first that ruby cannot hold.
fn inside(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut entity = false;
    for (offset, byte) in bytes.iter().enumerate() {
        match byte {
            b'}' => return Some(&text[..offset]),
            b'{' | b'*' | b'`' | b'[' | b']' | b'<' | b'\n' | b'\r' => return None,
            b'\\' if bytes.get(offset + 1) != Some(&b'|') => return None,
            b';' if entity => return None,
            b'&' => entity = true,
            b'#' => {}
            other => entity &= other.is_ascii_alphanumeric(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_groups() {
        let show = |text: &str| match braces(text) {
            Braces::Plain => "plain".to_owned(),
            Braces::Ruby(groups, length) => {
                let pairs: Vec<String> =
                    groups.iter().map(|group| format!("{}={}", group.base, group.reading)).collect();
                format!("{} {length}", pairs.join(" "))
            }
            Braces::Mismatch { characters, readings, length } => {
                format!("{characters} but {readings} {length}")
            }
        };
        let check = |text: &str, expected: &str| assert_eq!(show(text), expected, "{text}");
        check("{漢字|かんじ}を", "漢字=かんじ 18");
        check("{漢字|かん|じ}", "漢=かん 字=じ 19");
        check("{漢字\\|かん\\|じ}", "漢=かん 字=じ 21");
        check("{漢字|か|ん|じ}", "2 but 3 20");
        check("{葛\u{E0100}飾|かつ|しか}", "葛\u{E0100}=かつ 飾=しか 26");
        check("{AT&T|エー}", "AT&T=エー 13");
        for plain in [
            "{}",
            "{|}",
            "{a|}",
            "{|a}",
            "{a||b}",
            "{a}",
            "{a",
            "{a\n|b}",
            "{a*|b*}",
            "{a{b|c}",
            "{&amp;|b}",
            "{a\\}|b}",
        ] {
            check(plain, "plain");
        }
    }
}
