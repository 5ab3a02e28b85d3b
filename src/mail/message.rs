//! The message: a letter to one reader. What is his alone is spliced into the letter's octets; no template runs on it.

use chrono::{DateTime, TimeZone};

use super::dkim::{BodySum, KeyError, Signer};
use super::letter::Letter;
use super::mime::fields;
use super::splice::{BadLetter, Text};
use crate::model::EmailAddress;

/// A letter cut open where each reader's own parts go.
#[derive(Debug)]
pub struct Stencil {
    /// What stands between the readers' parts, from the first header to the last.
    head: Vec<Part>,
    /// The empty line and the body, as far as it is the same for all.
    body: Vec<u8>,
    /// The sum of that, for signatures.
    sum: BodySum,
    /// What follows it: nothing where the body has no fields.
    rest: Vec<BodyPart>,
    /// About how many octets the headers have, and the rest.
    lengths: (usize, usize),
}

#[derive(Debug)]
enum Part {
    Fixed(Vec<u8>),
    To,
    MessageId,
    Unsubscribe,
}

#[derive(Debug)]
enum BodyPart {
    Fixed(Vec<u8>),
    Text(Text),
}

/// What is one reader's alone.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// His address.
    pub address: &'a EmailAddress,
    /// The name he gave.
    pub name: Option<&'a str>,
    /// The Message-ID with its angle brackets, the same on every retry.
    pub message_id: &'a str,
    /// Where one click leaves (RFC 8058): an https address with his token.
    pub unsubscribe_url: &'a str,
    /// The address to which an empty mail leaves.
    pub unsubscribe_mail: &'a str,
}

/// A token that is nobody's, as long as every token is.
pub(super) const SAMPLE_TOKEN: &str = "samplereadersamplereaderaa";

/// What stands between the headers and the body.
const EMPTY_LINE: &[u8] = b"\r\n";

/// More octets than a reader's own header or name usually has.
const USUAL_FIELD: usize = 256;

/// Where a reader leaves, by his token; `web_url` is the service's address, without a slash at its end.
pub fn unsubscribe_url(web_url: &str, token: &str) -> String {
    format!("{web_url}/u/{token}")
}

impl Stencil {
    /// Cuts a letter open. All its messages are dated alike, so that one that is sent again is the same octet for octet.
    ///
    /// # Errors
    /// When what the letter tells of its texts does not fit its octets.
    pub fn new<Zone: TimeZone<Offset: std::fmt::Display>>(
        letter: &Letter,
        date: DateTime<Zone>,
    ) -> Result<Self, BadLetter> {
        let end = letter.octets.windows(4).position(|four| four == b"\r\n\r\n");
        let (headers, body) = match end {
            Some(end) => letter.octets.split_at(end + 2),
            None => (letter.octets.as_slice(), b"\r\n".as_slice()),
        };
        let head = head(headers, date);
        let has_fields = letter.texts.iter().any(|text| !text.splices.is_empty());
        let (body, rest) = match has_fields {
            true => body_parts(letter, headers.len())?,
            false => (body.to_vec(), Vec::new()),
        };
        let mut sum = BodySum::default();
        sum.add(body.get(EMPTY_LINE.len()..).ok_or(BadLetter)?);
        let of_head = |part: &Part| match part {
            Part::Fixed(octets) => octets.len(),
            _ => USUAL_FIELD,
        };
        let of_rest = |part: &BodyPart| match part {
            BodyPart::Fixed(octets) => octets.len(),
            BodyPart::Text(text) => text.length() + USUAL_FIELD,
        };
        let lengths = (head.iter().map(of_head).sum(), rest.iter().map(of_rest).sum());
        Ok(Stencil { head, body, sum, rest, lengths })
    }

    /// One reader's message: CR LF at the line ends. With a signer, `time` is when it is signed, in seconds since 1970.
    ///
    /// # Errors
    /// When the key fails to sign.
    pub fn message(
        &self,
        recipient: &Recipient<'_>,
        signer: Option<(&Signer, i64)>,
    ) -> Result<Vec<u8>, KeyError> {
        let mut head = Vec::with_capacity(self.lengths.0);
        for part in &self.head {
            match part {
                Part::Fixed(octets) => head.extend_from_slice(octets),
                Part::To => field(&mut head, "To", &recipient.address.on_the_wire()),
                Part::MessageId => field(&mut head, "Message-ID", recipient.message_id),
                Part::Unsubscribe => {
                    let both = format!(
                        "<{}>,\r\n <mailto:{}>",
                        recipient.unsubscribe_url, recipient.unsubscribe_mail
                    );
                    field(&mut head, "List-Unsubscribe", &both);
                    field(&mut head, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
                }
            }
        }
        let mut rest = Vec::with_capacity(self.lengths.1);
        for part in &self.rest {
            match part {
                BodyPart::Fixed(octets) => rest.extend_from_slice(octets),
                BodyPart::Text(text) => text.push(recipient, &mut rest),
            }
        }
        let signature = match signer {
            Some((signer, time)) => {
                let mut sum = self.sum.clone();
                sum.add(&rest);
                signer.sign(&head, sum.hash(), time)?
            }
            None => Vec::new(),
        };
        let parts = [&signature, &head, &self.body, &rest];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        // Room for the last dot.
        let mut message = Vec::with_capacity(length + 8);
        parts.iter().for_each(|part| message.extend_from_slice(part));
        Ok(message)
    }
}

/// The headers, cut open where each reader has his own.
fn head<Zone: TimeZone<Offset: std::fmt::Display>>(headers: &[u8], date: DateTime<Zone>) -> Vec<Part> {
    let mut head: Vec<Part> = Vec::new();
    let mut fixed: Vec<u8> = Vec::new();
    let mut has_left = false;
    for field in fields(headers) {
        let part = match name(field).as_str() {
            "to" => Part::To,
            "message-id" => Part::MessageId,
            "date" => {
                let date = date.format("Date: %a, %d %b %Y %H:%M:%S %z\r\n").to_string();
                fixed.extend_from_slice(date.as_bytes());
                continue;
            }
            // A finished mail that went out by another system: its reader's links are none of ours.
            "list-unsubscribe" | "list-unsubscribe-post" | "dkim-signature" => continue,
            "mime-version" if !has_left => {
                has_left = true;
                head.push(Part::Fixed(std::mem::take(&mut fixed)));
                head.push(Part::Unsubscribe);
                fixed.extend_from_slice(field);
                continue;
            }
            _ => {
                fixed.extend_from_slice(field);
                continue;
            }
        };
        head.push(Part::Fixed(std::mem::take(&mut fixed)));
        head.push(part);
    }
    head.push(Part::Fixed(fixed));
    if !has_left {
        head.push(Part::Unsubscribe);
    }
    head
}

/// The body from the empty line on: what is the same for all, and the rest, cut open at its texts that have fields.
fn body_parts(letter: &Letter, start: usize) -> Result<(Vec<u8>, Vec<BodyPart>), BadLetter> {
    let mut same: Option<Vec<u8>> = None;
    let mut rest = Vec::new();
    let mut written = start;
    for part in letter.texts.iter().filter(|text| !text.splices.is_empty()) {
        let before = letter.octets.get(written..part.body.start).ok_or(BadLetter)?;
        let octets = letter.octets.get(part.body.clone()).ok_or(BadLetter)?;
        let (lines, text) = Text::new(part, octets)?;
        let fixed = [before, &lines].concat();
        match same {
            None => same = Some(fixed),
            Some(_) => rest.push(BodyPart::Fixed(fixed)),
        }
        rest.push(BodyPart::Text(text));
        written = part.body.end;
    }
    rest.push(BodyPart::Fixed(letter.octets.get(written..).ok_or(BadLetter)?.to_vec()));
    let same = same.filter(|same| same.starts_with(EMPTY_LINE) && same.ends_with(b"\r\n"));
    Ok((same.ok_or(BadLetter)?, rest))
}

fn field(head: &mut Vec<u8>, name: &str, value: &str) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value.as_bytes());
    head.extend_from_slice(b"\r\n");
}

fn name(field: &[u8]) -> String {
    let name = field.split(|octet| *octet == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name).trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::charset::Charset;

    fn stencil(letter: &str) -> Stencil {
        let octets = letter.replace('\n', "\r\n").into_bytes();
        let letter = Letter { octets, charset: Charset::Utf8, digest: String::new(), texts: Vec::new() };
        Stencil::new(&letter, DateTime::parse_from_rfc3339("2026-05-14T09:30:00+09:00").unwrap()).unwrap()
    }

    fn message(letter: &str, address: &str) -> String {
        let address = EmailAddress::parse_legacy(address).unwrap();
        let recipient = Recipient {
            address: &address,
            name: None,
            message_id: "<m.1@example.jp>",
            unsubscribe_url: "https://list.example.jp/u/abc",
            unsubscribe_mail: "u+abc@example.jp",
        };
        let octets = stencil(letter).message(&recipient, None).unwrap();
        String::from_utf8(octets).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn only_the_readers_own_parts_differ() {
        let letter = "Date: Thu, 14 May 2026 09:00:00 +0900\nFrom: a@example.jp\nTo: Sample <reader@example.com>\n\
            Subject: =?UTF-8?B?5bCP?=\n =?UTF-8?B?5bCP?=\nMessage-ID: <sample@example.jp>\nPrecedence: bulk\n\
            MIME-Version: 1.0\nContent-Type: text/plain\n\nTo: you\n\nend\n";
        let expected = "Date: Thu, 14 May 2026 09:30:00 +0900\nFrom: a@example.jp\nTo: taro@example.jp\n\
            Subject: =?UTF-8?B?5bCP?=\n =?UTF-8?B?5bCP?=\nMessage-ID: <m.1@example.jp>\nPrecedence: bulk\n\
            List-Unsubscribe: <https://list.example.jp/u/abc>,\n <mailto:u+abc@example.jp>\n\
            List-Unsubscribe-Post: List-Unsubscribe=One-Click\n\
            MIME-Version: 1.0\nContent-Type: text/plain\n\nTo: you\n\nend\n";
        assert_eq!(message(letter, "taro@example.jp"), expected);
        assert!(message(letter, "a..b@docomo.ne.jp").contains("\nTo: \"a..b\"@docomo.ne.jp\n"));
    }

    #[test]
    fn a_finished_mail_keeps_no_other_systems_links() {
        let letter =
            "From: a@example.jp\nList-Unsubscribe: <https://old.example.jp/x>\nTo: b@example.jp\n\ntext\n";
        let message = message(letter, "taro@example.jp");
        assert!(!message.contains("old.example.jp"));
        assert_eq!(message.matches("List-Unsubscribe:").count(), 1);
    }
}
