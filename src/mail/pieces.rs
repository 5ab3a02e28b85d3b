//! Where a letter's texts stand in its octets, and where their fields stand in them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::mime::wire_text;
use crate::charset::{self, Charset, Profile, Unsendable};
use crate::model::{Field, FieldAt};

/// A text in a letter: what has to be known of it to address it to a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPart {
    /// Its octets in the letter, under their transfer encoding.
    pub body: Range<usize>,
    /// Its character set, as MIME names it.
    pub charset: String,
    /// Its transfer encoding, as MIME names it.
    pub encoding: String,
    /// Whether it is HTML.
    pub is_html: bool,
    /// Where each reader's message has his own words instead of the sample's, in order.
    pub splices: Vec<Splice>,
}

/// A field's place in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// Which field it is.
    pub field: Field,
    /// What it takes the place of, in octets of the text without its transfer encoding.
    pub range: Range<usize>,
}

impl TextPart {
    /// The same so many octets further on.
    pub(super) fn moved(&self, by: usize) -> Self {
        TextPart { body: self.body.start + by..self.body.end + by, ..self.clone() }
    }
}

/// A text in a character set, and where its fields stand in it.
#[derive(Default)]
pub(super) struct Pieces {
    pub(super) octets: Vec<u8>,
    pub(super) splices: Vec<Splice>,
}

impl Pieces {
    /// A text with line feeds as it goes over the wire. Whatever stands between fields begins and ends in ASCII, and so
    /// do they.
    pub(super) fn new(
        text: &str,
        fields: &[FieldAt],
        charset: Charset,
        profile: Profile,
    ) -> Result<Self, Vec<Unsendable>> {
        let text = text.trim_end_matches('\n');
        let mut pieces = Pieces::default();
        let mut written = 0;
        for FieldAt { field, range } in fields {
            pieces.push(&text[written..range.start], charset, profile)?;
            let start = pieces.octets.len();
            pieces.push(&text[range.clone()], charset, profile)?;
            pieces.splices.push(Splice { field: *field, range: start..pieces.octets.len() });
            written = range.end;
        }
        pieces.push(&format!("{}\n", &text[written..]), charset, profile)?;
        Ok(pieces)
    }

    fn push(&mut self, text: &str, charset: Charset, profile: Profile) -> Result<(), Vec<Unsendable>> {
        self.octets.extend(charset::encode(&wire_text(text), charset, profile)?);
        Ok(())
    }
}
