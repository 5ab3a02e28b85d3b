//! How a mail is written down (RFC 5322, MIME): its headers, and its text under a transfer encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, TimeZone};
use lettre::message::Body;
use lettre::message::header::{HeaderName, HeaderValue, Headers};
use memchr::memchr_iter;

use super::entity::Entity;
use crate::charset::{self, Charset, Profile};

pub(super) use lettre::message::header::ContentTransferEncoding as Encoding;

/// The headers of a message, in the order in which they are added.
pub(super) struct Head {
    headers: Headers,
    charset: Charset,
    profile: Profile,
}

impl Head {
    /// No header yet. What is not ASCII will be encoded in the message's character set.
    pub(super) fn new(charset: Charset, profile: Profile) -> Self {
        Head { headers: Headers::new(), charset, profile }
    }

    /// A header whose value is written already.
    pub(super) fn add(&mut self, name: &'static str, value: String) {
        let name = HeaderName::new_from_ascii_str(name);
        self.headers.insert_raw(HeaderValue::dangerous_new_pre_encoded(name, String::new(), value));
    }

    /// A header of words.
    pub(super) fn add_words(&mut self, name: &'static str, words: &str) {
        self.add(name, charset::encode_header(&self.as_sent(words), self.charset, name.len() + 2));
    }

    /// A header of what stands in angle brackets behind a name, which may be empty.
    pub(super) fn add_named(&mut self, header: &'static str, name: &str, address: &str) {
        let value = match name {
            "" => address.to_owned(),
            _ => named(&self.as_sent(name), address, self.charset, header.len() + 2),
        };
        self.add(header, value);
    }

    /// When it was written, with the zone as numbers.
    pub(super) fn add_date<Zone: TimeZone<Offset: std::fmt::Display>>(&mut self, date: DateTime<Zone>) {
        self.add("Date", date.format("%a, %d %b %Y %H:%M:%S %z").to_string());
    }

    /// What the message carries.
    pub(super) fn add_content(&mut self, content: &Entity) {
        self.add("MIME-Version", "1.0".to_owned());
        for (name, value) in &content.fields {
            self.add(name, value.clone());
        }
    }

    /// The headers as octets, and the empty line after them.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        let mut octets = self.headers.to_string().into_bytes();
        octets.extend_from_slice(b"\r\n");
        octets
    }

    fn as_sent(&self, words: &str) -> String {
        match self.charset {
            Charset::Iso2022Jp => charset::normalise(words, self.profile).into_owned(),
            _ => words.to_owned(),
        }
    }
}

/// The longest line that mail may have, in octets without CR LF (RFC 5322, section 2.1.1).
pub(super) const LONGEST_LINE: usize = 998;

/// Leaps from line end to line end, each time as far as a line may reach.
pub(super) fn has_too_long_line(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let Some(reach) = rest.get(..=LONGEST_LINE + "\r".len()) {
        match reach.iter().rposition(|octet| *octet == b'\n') {
            Some(end) => rest = &rest[end + 1..],
            None => return true,
        }
    }
    false
}

/// A display name with what stands in angle brackets behind it, on a line of its own where the name is encoded and
/// leaves no room (RFC 2047 allows lines with encoded words 76 octets).
fn named(name: &str, address: &str, charset: Charset, used: usize) -> String {
    let is_atoms = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
    let phrase = if name.chars().all(is_atoms) && !name.contains("=?") {
        name.to_owned()
    } else if name.is_ascii() {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        charset::encode_header(name, charset, used)
    };
    let last_line = phrase.rsplit_once("\r\n").map_or(used + phrase.len(), |(_, line)| line.len());
    let gap = if last_line + address.len() + " <>".len() > 76 { "\r\n " } else { " " };
    format!("{phrase}{gap}<{address}>")
}

/// The fields of a head whose lines end with CR LF, each with its folds and its last line end.
pub(super) fn fields(headers: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, octet) in headers.iter().enumerate() {
        if *octet == b'\n' && !matches!(headers.get(at + 1), Some(b' ' | b'\t')) {
            fields.push(&headers[start..=at]);
            start = at + 1;
        }
    }
    fields
}

/// The text as it goes over the wire but for its character set: CR LF at the line ends.
pub(super) fn wire_text(text: &str) -> String {
    let mut wire = String::with_capacity(text.len() + text.len() / 16);
    let mut written = 0;
    for line_feed in memchr_iter(b'\n', text.as_bytes()) {
        wire.push_str(&text[written..line_feed]);
        wire.push_str("\r\n");
        written = line_feed + 1;
    }
    wire.push_str(&text[written..]);
    wire
}

/// The body under its transfer encoding: as it is where it is 7-bit, else whatever is shorter.
pub(super) fn transfer(charset: Charset, text: Vec<u8>) -> (Encoding, Vec<u8>) {
    if charset == Charset::Iso2022Jp {
        return (Encoding::SevenBit, text);
    }
    let quoted_printable = transfer_as(Encoding::QuotedPrintable, text.clone());
    let base64 = base64(&text);
    if quoted_printable.len() < base64.len() {
        (Encoding::QuotedPrintable, quoted_printable)
    } else {
        (Encoding::Base64, base64)
    }
}

/// How many octets a line of base64 holds: 76 characters (RFC 2045, section 6.8).
pub(super) const BASE64_LINE: usize = 57;

/// Octets in base64, in lines of 76, each with its end.
pub(super) fn base64(octets: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(octets.len().div_ceil(BASE64_LINE) * (76 + "\r\n".len()));
    let mut line = [0; 76];
    for piece in octets.chunks(BASE64_LINE) {
        let length = BASE64.encode_slice(piece, &mut line).expect("a line holds so many octets");
        lines.extend_from_slice(&line[..length]);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// A text under a transfer encoding, with CR LF at its end.
pub(super) fn transfer_as(encoding: Encoding, text: Vec<u8>) -> Vec<u8> {
    match encoding {
        Encoding::SevenBit | Encoding::EightBit | Encoding::Binary => return text,
        Encoding::Base64 => return base64(&text),
        Encoding::QuotedPrintable => {}
    }
    let body = Body::new_with_encoding(text, encoding);
    let mut octets = body.expect("any octets can be encoded so").into_vec();
    if !octets.ends_with(b"\r\n") {
        octets.extend_from_slice(b"\r\n");
    }
    octets
}

/// A text without its transfer encoding; nothing when it is broken.
pub(super) fn undo_transfer(encoding: Encoding, octets: &[u8]) -> Option<Vec<u8>> {
    match encoding {
        Encoding::SevenBit | Encoding::EightBit | Encoding::Binary => Some(octets.to_vec()),
        Encoding::Base64 => {
            let octets: Vec<u8> =
                octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
            BASE64.decode(octets).ok()
        }
        Encoding::QuotedPrintable => {
            quoted_printable::decode(octets, quoted_printable::ParseMode::Strict).ok()
        }
    }
}
