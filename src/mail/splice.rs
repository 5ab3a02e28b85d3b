//! A text of a letter with its fields: each reader's own words under the text's character set and transfer encoding.

use super::message::Recipient;
use super::mime::{BASE64_LINE, Encoding, has_too_long_line, transfer_as, undo_transfer};
use super::pieces::TextPart;
use crate::charset::{self, Charset, Profile};
use crate::markup::escape;
use crate::model::{Field, MARKS};

/// A text that is cut open at its fields.
#[derive(Debug)]
pub(super) struct Text {
    charset: Charset,
    encoding: Encoding,
    is_html: bool,
    /// Whether a line end is behind its last octet; before a boundary of parts it belongs to that.
    ends_a_line: bool,
    /// What stands between the lines that are the same for all and the first field, without a transfer encoding.
    first: Vec<u8>,
    fields: Vec<Gap>,
}

/// A field, and what stands behind it.
#[derive(Debug)]
struct Gap {
    field: Field,
    /// What stands there for who has no value of his own.
    usual: Vec<u8>,
    after: Vec<u8>,
}

/// What a letter tells of its texts does not fit its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the letter as it is kept is damaged: its fields are not where they should be")]
pub struct BadLetter;

/// The most of a name that is shown, in characters.
const LONGEST_NAME: usize = 100;

impl Text {
    /// A text of a letter by its octets there, and before it the lines that are the same for all.
    pub(super) fn new(text: &TextPart, letter: &[u8]) -> Result<(Vec<u8>, Self), BadLetter> {
        let charset = Charset::from_label(&text.charset).ok_or(BadLetter)?;
        let encoding: Encoding = text.encoding.parse().map_err(|_| BadLetter)?;
        let ends_a_line = letter.ends_with(b"\r\n");
        let octets = undo_transfer(encoding, letter).ok_or(BadLetter)?;
        let piece = |from: usize, to: usize| octets.get(from..to).map(<[u8]>::to_vec).ok_or(BadLetter);
        let starts = text.splices.iter().skip(1).map(|splice| splice.range.start);
        let ends = starts.chain([octets.len()]);
        let fields = text.splices.iter().zip(ends).map(|(splice, end)| {
            let usual = piece(splice.range.start, splice.range.end)?;
            Ok(Gap { field: splice.field, usual, after: piece(splice.range.end, end)? })
        });
        let fields = fields.collect::<Result<Vec<_>, BadLetter>>()?;
        let first = piece(0, text.splices.first().map_or(octets.len(), |splice| splice.range.start))?;
        let text = Text { charset, encoding, is_html: text.is_html, ends_a_line, first, fields };
        Ok(text.cut(letter))
    }

    /// Takes the lines off its beginning that no field changes, as the letter has them: all is encoded line by line.
    fn cut(mut self, letter: &[u8]) -> (Vec<u8>, Self) {
        let end = match self.encoding {
            Encoding::Base64 => self.first.len() / BASE64_LINE * BASE64_LINE,
            _ => self.first.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1),
        };
        let whole = self.first.clone();
        let mut same = transfer_as(self.encoding, self.first.drain(..end).collect());
        let mut of_sample = same.clone();
        self.encode(self.sample(), &mut of_sample);
        // A letter that was encoded in another way is encoded anew as a whole.
        if of_sample != letter {
            self.first = whole;
            same.clear();
        }
        (same, self)
    }

    /// The text as the letter has it.
    fn sample(&self) -> Vec<u8> {
        let mut octets = self.first.clone();
        for gap in &self.fields {
            octets.extend_from_slice(&gap.usual);
            octets.extend_from_slice(&gap.after);
        }
        octets
    }

    fn encode(&self, octets: Vec<u8>, to: &mut Vec<u8>) {
        to.extend(transfer_as(self.encoding, octets));
        if !self.ends_a_line && to.ends_with(b"\r\n") {
            to.truncate(to.len() - b"\r\n".len());
        }
    }

    /// About how many octets it has.
    pub(super) fn length(&self) -> usize {
        let length: usize = self.fields.iter().map(|gap| gap.usual.len() + gap.after.len()).sum();
        (self.first.len() + length) * 4 / 3
    }

    /// Writes it with a reader's own words. A name that would make a line too long gives way to the usual words.
    pub(super) fn push(&self, recipient: &Recipient<'_>, to: &mut Vec<u8>) {
        let name = recipient.name.and_then(|name| self.name(name));
        if self.encoding != Encoding::SevenBit {
            let mut octets = Vec::with_capacity(self.length());
            self.splice(name.as_deref(), recipient, &mut octets);
            self.encode(octets, to);
            return;
        }
        let start = to.len();
        self.splice(name.as_deref(), recipient, to);
        if name.is_some() && has_too_long_line(&to[start..]) {
            to.truncate(start);
            self.splice(None, recipient, to);
        }
    }

    fn splice(&self, name: Option<&[u8]>, recipient: &Recipient<'_>, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.first);
        for Gap { field, usual, after } in &self.fields {
            match field {
                Field::Name => to.extend_from_slice(name.unwrap_or(usual)),
                // It is made of characters that are the same in all character sets, and in HTML.
                Field::Unsubscribe => to.extend_from_slice(recipient.unsubscribe_url.as_bytes()),
            }
            to.extend_from_slice(after);
        }
    }

    /// A name as this text writes it; nothing when it cannot, or nothing is left of it.
    fn name(&self, name: &str) -> Option<Vec<u8>> {
        let is_shown =
            |c: &char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}') && !MARKS.contains(c);
        let shown: String = name.chars().filter(is_shown).take(LONGEST_NAME).collect();
        let shown = shown.trim();
        if shown.is_empty() {
            return None;
        }
        let escaped = match self.is_html {
            true => escape(shown),
            false => shown.to_owned(),
        };
        charset::encode(&escaped, self.charset, Profile::Ms).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mime::transfer;
    use crate::mail::pieces::Pieces;
    use crate::model::take_fields;

    /// A text of `lines` and a field, cut open: how much of it is the same for all.
    fn check(lines: &str, charset: Charset, expected: Encoding) {
        let marked = format!("{lines}{}様\n", Field::Name.marked("読者"));
        let (plain, fields) = take_fields(&marked);
        let Pieces { octets, splices } = Pieces::new(&plain, &fields, charset, Profile::Ms).unwrap();
        let (encoding, body) = transfer(charset, octets);
        assert_eq!(encoding.to_string(), expected.to_string());
        let charset = charset.name().to_owned();
        let encoding = encoding.to_string();
        let part = TextPart { body: 0..body.len(), charset, encoding, is_html: false, splices };
        for letter in [&body[..], body.strip_suffix(b"\r\n").unwrap()] {
            let (same, text) = Text::new(&part, letter).unwrap();
            assert!(
                same.len() + 200 >= body.len() && same.len() < body.len(),
                "{} of {}",
                same.len(),
                body.len()
            );
            let mut again = same;
            text.encode(text.sample(), &mut again);
            assert_eq!(again, letter);
        }
    }

    #[test]
    fn lines_before_the_first_field_are_the_same_for_all() {
        for lines in [0, 1, 40] {
            check(&"日本語の行です。\n".repeat(lines), Charset::Iso2022Jp, Encoding::SevenBit);
            check(&"日本語の行です。\n".repeat(lines), Charset::Utf8, Encoding::Base64);
        }
        for lines in [4, 40] {
            let line = format!("= {} \n\n", "A line of plain words, and blanks at its end".repeat(3));
            check(&line.repeat(lines), Charset::Utf8, Encoding::QuotedPrintable);
        }
    }
}
