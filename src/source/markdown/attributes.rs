//! What stands in braces at a heading's end: `{#virt-v2v corner=技術部コラム author="大内 明"}`.

use std::ops::Range;

/// A setting in a heading's braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// What is set.
    pub key: String,
    /// To what, without its quotation marks; `None` when there is no `=`.
    pub value: Option<String>,
    /// Where all of `key=value` stands, in octets of the file.
    pub span: Range<usize>,
}

/// The braces' words, offsets still those of the text they were read from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Braced {
    pub(super) id: Option<String>,
    pub(super) classes: Vec<String>,
    pub(super) attributes: Vec<Attribute>,
}

/// Reads the braces that end a heading; the heading is known to have some.
pub(super) fn braced(heading: &str) -> Braced {
    let mut found = Braced::default();
    let Some(close) = heading.rfind('}') else { return found };
    let Some(open) = heading[..close].rfind('{') else { return found };
    let mut at = open + 1;
    while let Some(skipped) = heading[at..close].find(|letter: char| !letter.is_ascii_whitespace()) {
        at += skipped;
        let length = word_length(&heading[at..close]);
        let word = &heading[at..at + length];
        if let Some(id) = word.strip_prefix('#') {
            found.id = Some(id.to_owned()).filter(|id| !id.is_empty()).or(found.id);
        } else if let Some(class) = word.strip_prefix('.') {
            found.classes.push(class.to_owned());
        } else {
            let (key, value) = match word.split_once('=') {
                Some((key, value)) => (key, Some(unquoted(value).to_owned())),
                None => (word, None),
            };
            found.attributes.push(Attribute { key: key.to_owned(), value, span: at..at + length });
        }
        at += length;
    }
    found
}

/// Up to the next white space that is not between the quotation marks of a value.
fn word_length(text: &str) -> usize {
    let plain = text.find(|letter: char| letter.is_ascii_whitespace()).unwrap_or(text.len());
    let Some(equals) = text[..plain].find('=') else { return plain };
    let value = &text[equals + 1..];
    let Some(quote) = value.chars().next().filter(|letter| matches!(letter, '"' | '\'')) else {
        return plain;
    };
    match value[1..].find(quote) {
        Some(length) => equals + 1 + length + 2,
        None => plain,
    }
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_words_with_their_places() {
        let check = |heading: &str, expected: &str| {
            let found = braced(heading);
            let mut words: Vec<String> = found.id.iter().map(|id| format!("#{id}")).collect();
            words.extend(found.classes.iter().map(|class| format!(".{class}")));
            for attribute in &found.attributes {
                let value = attribute.value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
                words.push(format!("{}{value} `{}`", attribute.key, &heading[attribute.span.clone()]));
            }
            assert_eq!(words.join(", "), expected, "{heading}");
        };
        check(
            "# 題 {#virt-v2v corner=技術部コラム author=ouchi}",
            "#virt-v2v, corner=技術部コラム `corner=技術部コラム`, author=ouchi `author=ouchi`",
        );
        check("# 題 {author=\"大内 明\" a='b'}", "author=大内 明 `author=\"大内 明\"`, a=b `a='b'`");
        check("題 {#a #b .c letterspace}\n===", "#b, .c, letterspace `letterspace`");
        check("# 題 {a=\"b c}", "a=\"b `a=\"b`, c `c`");
        check("# {x} {a= =b # ''=}", "a= `a=`, =b `=b`, ''= `''=`");
        check("# 題 {}", "");
    }
}
