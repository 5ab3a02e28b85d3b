//! What a form or an address's query holds (`application/x-www-form-urlencoded`, WHATWG URL, section 5).

/// The fields as they were sent; octets that are no UTF-8 become U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the fields. Whatever is sent can be read.
    pub(super) fn parse(octets: &[u8]) -> Self {
        let fields = octets.split(|&octet| octet == b'&').filter(|field| !field.is_empty()).map(|field| {
            let equals = field.iter().position(|&octet| octet == b'=').unwrap_or(field.len());
            (decoded(&field[..equals]), decoded(field.get(equals + 1..).unwrap_or_default()))
        });
        Form(fields.collect())
    }

    /// A field's value: the first where it was sent more than once, none where it was not sent.
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

fn decoded(octets: &[u8]) -> String {
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
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_send_them() {
        let form = Form::parse(
            b"email=taro%2Bnews%40example.jp&name=%E5%A4%AA%E9%83%8E+%zz%&email=second&empty=&bare",
        );
        assert_eq!(form.get("email"), Some("taro+news@example.jp"));
        assert_eq!(form.get("name"), Some("太郎 %zz%"));
        assert_eq!((form.get("empty"), form.get("bare"), form.get("none")), (Some(""), Some(""), None));
        assert_eq!(Form::parse(b"a=%ff%00").get("a"), Some("\u{FFFD}\0"));
        assert_eq!(Form::parse(b"&&=&").get(""), Some(""));
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
