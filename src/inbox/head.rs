//! The header of a mail: its fields in order, unfolded.

use std::borrow::Cow;

/// More fields than any mail has.
const MOST_FIELDS: usize = 2_000;

/// The fields of a mail's header.
pub(super) struct Head<'a> {
    fields: Vec<(String, Cow<'a, [u8]>)>,
}

impl<'a> Head<'a> {
    /// Reads the header of a mail up to the first empty line, or nothing if it is longer than `longest` octets, has too many fields, or
    /// begins with something else. An mbox's `From ` line before it is passed over.
    pub(super) fn read(octets: &'a [u8], longest: usize) -> Option<Self> {
        let mut fields: Vec<(String, Cow<'a, [u8]>)> = Vec::new();
        let mut length = 0;
        for (number, whole) in octets.split_inclusive(|octet| *octet == b'\n').enumerate() {
            length += whole.len();
            if length > longest || fields.len() > MOST_FIELDS {
                return None;
            }
            let line = whole.strip_suffix(b"\n").unwrap_or(whole);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if number == 0 && line.starts_with(b"From ") {
                continue;
            }
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                fields.last_mut()?.1.to_mut().extend_from_slice(line);
            } else {
                let colon = line.iter().position(|octet| *octet == b':')?;
                let name = str::from_utf8(line[..colon].trim_ascii_end()).ok()?;
                if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
                    return None;
                }
                fields.push((name.to_ascii_lowercase(), Cow::Borrowed(&line[colon + 1..])));
            }
        }
        (!fields.is_empty()).then_some(Head { fields })
    }

    /// The first value of a field, whose name is given in small letters.
    pub(super) fn octets(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim_ascii())
    }

    /// The first value of a field as text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.octets(name).map(String::from_utf8_lossy)
    }

    /// Every value of a field as text.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let values = self.fields.iter().filter(move |(known, _)| known == name);
        values.map(|(_, value)| String::from_utf8_lossy(value.trim_ascii()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(octets: &[u8], expected: Option<&[(&str, &str)]>) {
        let head = Head::read(octets, 100);
        let found = head.as_ref().map(|head| {
            let text = |value: &[u8]| String::from_utf8_lossy(value.trim_ascii()).into_owned();
            head.fields.iter().map(|(name, value)| (name.clone(), text(value))).collect::<Vec<_>>()
        });
        let expected = expected.map(|fields| {
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        });
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(octets));
    }

    #[test]
    fn fields_are_read_up_to_the_empty_line() {
        check(b"To: a\r\n\tb\r\nX-B :c\r\n\r\nno: field\r\n", Some(&[("to", "a\tb"), ("x-b", "c")]));
        check(b"From a@b.jp Thu Apr  1\nTo: a\n\n", Some(&[("to", "a")]));
        check(b"To: \xff", Some(&[("to", "\u{fffd}")]));
        for none in [&b""[..], b"\n", b"words\n\n", b" folded\n", b"To: a\nwords\n\n", b": a\n", b"\xff: a\n"]
        {
            check(none, None);
        }
        check(format!("To: {}\n\n", "a".repeat(200)).as_bytes(), None);
    }
}
