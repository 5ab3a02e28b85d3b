//! What a form holds (`application/x-www-form-urlencoded`, WHATWG URL, section 5).

use std::collections::HashSet;

/// The fields.
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form as browsers send those of our pages: UTF-8, each field once. None when it is no such form.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let mut names = HashSet::new();
        let read = fields(octets).map(|(name, value)| {
            let (name, value) = (String::from_utf8(name).ok()?, String::from_utf8(value).ok()?);
            names.insert(name.clone()).then_some((name, value))
        });
        read.collect::<Option<_>>().map(Form)
    }

    /// A field's value; none where it was not sent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A field as a line of text: without control characters and without those that turn the direction of what follows
    /// (UAX #9), blanks run together, at most so many characters. None when nothing is left.
    pub(super) fn line(&self, name: &str, most: usize) -> Option<String> {
        let is_plain = |c: &char| !matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        let spaced = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
        let text: String = self.get(name)?.chars().filter(is_plain).map(spaced).collect();
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect();
        (!line.trim().is_empty()).then(|| line.trim_end().to_owned())
    }
}

/// Names and values, as octets.
fn fields(octets: &[u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    octets.split(|&octet| octet == b'&').filter(|field| !field.is_empty()).map(|field| {
        let equals = field.iter().position(|&octet| octet == b'=').unwrap_or(field.len());
        (decoded(&field[..equals]), decoded(field.get(equals + 1..).unwrap_or_default()))
    })
}

fn decoded(octets: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(octets.len());
    let mut at = 0;
    while at < octets.len() {
        let hexadecimal = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
        match (octets[at], hexadecimal(octets.get(at + 1)), hexadecimal(octets.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high << 4 | low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => plain.push(b' '),
            (octet, ..) => plain.push(octet),
        }
        at += 1;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let parse = |octets: &[u8]| Form::parse(octets).expect("a form");
        let form = parse(b"email=taro%2Bnews%40example.jp&name=%E5%A4%AA%E9%83%8E+%zz%&empty=&bare");
        assert_eq!(form.get("email"), Some("taro+news@example.jp"));
        assert_eq!(form.get("name"), Some("太郎 %zz%"));
        assert_eq!((form.get("empty"), form.get("bare"), form.get("none")), (Some(""), Some(""), None));
        assert_eq!(parse(b"a=%00").get("a"), Some("\0"));
        assert_eq!(parse(b"&&=&").get(""), Some(""));
    }

    #[test]
    fn what_is_no_form_of_ours_is_none() {
        let is_form = |octets: &[u8]| Form::parse(octets).is_some();
        assert!(is_form(b"") && is_form(b"email=a%40b&name=%E5%A4%AA&&empty=&bare"));
        for octets in [&b"name=%ff"[..], b"name=\xE5", b"%ff=x", b"name=a&name=b", b"a&a", b"n%61me=a&name=a"]
        {
            assert!(!is_form(octets), "{octets:?}");
        }
    }

    #[test]
    fn a_line_is_a_line() {
        let line = |text: &str, most| Form(vec![("name".to_owned(), text.to_owned())]).line("name", most);
        for (text, expected) in [
            ("太郎", Some("太郎")),
            (" 山田\t 太郎\r\nBcc: x ", Some("山田 太郎 Bcc: x")),
            ("a\u{202E}b\0c", Some("ab c")),
            ("\u{3000}\u{FEFF}", None),
            ("", None),
        ] {
            assert_eq!(line(text, 20).as_deref(), expected, "{text:?}");
        }
        assert_eq!(line("あいう えお", 4).as_deref(), Some("あいう"));
    }
}
