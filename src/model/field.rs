//! What stands in the text of a mail and is another for each reader.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::{name_of, named};

/// A field that each reader's message fills with his own.
///
/// Authors write a link to it: `[読者](mailmag:name)`, `[配信を止める](mailmag:unsubscribe)`. While a mail is typeset a field
/// stands between two noncharacters, which have no columns and are never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The name he gave; the linked words where he gave none.
    Name,
    /// The address of the page where he leaves.
    Unsubscribe,
}

/// A field in a text, and where it stands, in octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAt {
    /// Which field.
    pub field: Field,
    /// What the field's value takes the place of.
    pub range: Range<usize>,
}

/// The scheme of the addresses that name fields.
const SCHEME: &str = "mailmag:";

/// Noncharacters, which Unicode keeps for programs: no text of an author's or a reader's has them.
pub(crate) const MARKS: RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

/// Ends every field.
const END: char = '\u{FDD0}';

impl Field {
    /// The words that authors and the store have for each.
    pub const NAMES: [(&str, Field); 2] = [("name", Field::Name), ("unsubscribe", Field::Unsubscribe)];

    /// The word for it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// What a word says.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }

    /// The field that an address names; nothing where it names something else. The inner `None` is a field that there
    /// is not.
    pub fn of_address(url: &str) -> Option<Option<Self>> {
        let scheme = url.get(..SCHEME.len())?;
        scheme.eq_ignore_ascii_case(SCHEME).then(|| Self::named(&url[SCHEME.len()..]))
    }

    /// Words that are to be this field's, between its marks.
    pub fn marked(self, words: &str) -> String {
        format!("{}{words}{END}", self.mark())
    }

    fn mark(self) -> char {
        match self {
            Field::Name => '\u{FDD1}',
            Field::Unsubscribe => '\u{FDD2}',
        }
    }

    fn of_mark(mark: char) -> Option<Self> {
        Self::NAMES.iter().find(|(_, field)| field.mark() == mark).map(|(_, field)| *field)
    }
}

/// A text without the marks of its fields, and where those stand in it. A field that a line's end cut in two, or that
/// lost a mark, is none: its words stay.
pub fn take_fields(text: &str) -> (Cow<'_, str>, Vec<FieldAt>) {
    let is_mark = |c: char| MARKS.contains(&c);
    // All marks begin with these two octets, and little else does.
    if memmem::find(text.as_bytes(), b"\xEF\xB7").is_none() {
        return (Cow::Borrowed(text), Vec::new());
    }
    let mut plain = String::with_capacity(text.len());
    let mut fields = Vec::new();
    let mut open: Option<(Field, usize)> = None;
    for character in text.chars() {
        if !is_mark(character) {
            if character == '\n' {
                open = None;
            }
            plain.push(character);
        } else if let Some(field) = Field::of_mark(character) {
            open = Some((field, plain.len()));
        } else if let Some((field, start)) = open.take() {
            fields.push(FieldAt { field, range: start..plain.len() });
        }
    }
    (Cow::Owned(plain), fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_fields() {
        let cases = [
            ("mailmag:name", Some(Some(Field::Name))),
            ("MAILMAG:unsubscribe", Some(Some(Field::Unsubscribe))),
            ("mailmag:age", Some(None)),
            ("mailmag:", Some(None)),
            ("mailto:name", None),
            ("名前", None),
            ("", None),
        ];
        for (address, expected) in cases {
            assert_eq!(Field::of_address(address), expected, "{address}");
        }
    }

    #[test]
    fn fields_are_found_and_their_marks_are_gone() {
        let name = Field::Name.marked("読者");
        let link = Field::Unsubscribe.marked("https://a.example/u/x");
        let check = |text: &str, plain: &str, fields: &[(Field, &str)]| {
            let (found, at) = take_fields(text);
            assert_eq!(found, plain);
            let at: Vec<_> = at.iter().map(|at| (at.field, &found[at.range.clone()])).collect();
            assert_eq!(at, fields, "{plain}");
        };
        check("なし", "なし", &[]);
        check(
            &format!("{name}様\n[1] {link}\n{name}"),
            "読者様\n[1] https://a.example/u/x\n読者",
            &[(Field::Name, "読者"), (Field::Unsubscribe, "https://a.example/u/x"), (Field::Name, "読者")],
        );
        check(&name.replace('者', "\n者"), "読\n者", &[]);
        check(&name.replace(END, ""), "読者", &[]);
        check(&Field::Name.marked(""), "", &[(Field::Name, "")]);
    }
}
