//! The content of a message as a tree of entities (RFC 2045, RFC 2046): a text, its HTML, files, and what holds them
//! together.

use super::body::MailForm;
use super::mime::{Encoding, base64, transfer};
use super::pieces::{Pieces, TextPart};
use crate::charset::{self, Charset, Profile};
use crate::digest::sha256;
use crate::media_type::media_type;
use crate::source::Attachment;

/// An entity: the fields that tell what it is, and its body.
pub(super) struct Entity {
    pub(super) fields: Vec<(&'static str, String)>,
    /// CR LF at the line ends, one at the very end.
    pub(super) body: Vec<u8>,
    /// The texts in it, by their places in the body.
    pub(super) texts: Vec<TextPart>,
    /// Whether the last line end is the text's own, and not merely that of the encoding.
    ends_as_text: bool,
}

impl Entity {
    /// A text in the octets of its character set.
    pub(super) fn text(charset: Charset, text: Pieces) -> Self {
        Entity::of_words("plain", charset, text)
    }

    /// An HTML document in UTF-8, whatever the text beside it is in. A mailer that shows HTML knows UTF-8; and a
    /// paragraph is one line here, which in ISO-2022-JP would be too long for mail.
    pub(super) fn html(document: &MailForm) -> Self {
        // Any character can be sent in UTF-8.
        let pieces = Pieces::new(&document.text, &document.fields, Charset::Utf8, Profile::Ms);
        Entity::of_words("html", Charset::Utf8, pieces.unwrap_or_default())
    }

    fn of_words(subtype: &str, charset: Charset, Pieces { octets, splices }: Pieces) -> Self {
        let (encoding, body) = transfer(charset, octets);
        let content_type = format!("text/{subtype}; charset={}", charset.name());
        let ends_as_text = !matches!(encoding, Encoding::Base64);
        let text = TextPart {
            body: 0..body.len(),
            charset: charset.name().to_owned(),
            encoding: encoding.to_string(),
            is_html: subtype == "html",
            splices,
        };
        Entity { fields: fields(content_type, encoding), body, texts: vec![text], ends_as_text }
    }

    /// A file. Its name is told as RFC 2231 has it, and to mailers that know only encoded words as they expect it.
    pub(super) fn file(file: &Attachment, charset: Charset) -> Self {
        let media_type = media_type(&file.name);
        // Nobody knows in which character set the text of a file is.
        let content_type = media_type.split(';').next().unwrap_or(media_type);
        let fields = vec![
            ("Content-Type", format!("{content_type};\r\n name=\"{}\"", quoted_name(&file.name, charset))),
            ("Content-Disposition", format!("attachment;{}", file_name(&file.name))),
            ("Content-Transfer-Encoding", Encoding::Base64.to_string()),
        ];
        let body = base64(&file.octets);
        Entity { fields, body, texts: Vec::new(), ends_as_text: false }
    }

    /// The same content in several forms, the plainest first.
    pub(super) fn alternative(forms: Vec<Entity>) -> Self {
        Entity::multipart("alternative", &forms)
    }

    /// Several things one after the other.
    pub(super) fn mixed(parts: Vec<Entity>) -> Self {
        Entity::multipart("mixed", &parts)
    }

    fn multipart(subtype: &str, parts: &[Entity]) -> Self {
        let parts: Vec<(Vec<u8>, Vec<TextPart>)> = parts.iter().map(Entity::as_part).collect();
        // No part can have the digest of itself in it, and no encoded one has a line that begins so.
        let whole: Vec<u8> = parts.iter().flat_map(|(part, _)| part).copied().collect();
        let boundary = format!("=_{}", &sha256(&whole)[..32]);
        let mut body = Vec::with_capacity(whole.len() + 40 * (parts.len() + 1));
        let mut texts = Vec::new();
        for (part, of_part) in parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            texts.extend(of_part.iter().map(|text| text.moved(body.len())));
            body.extend_from_slice(&part);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/{subtype};\r\n boundary=\"{boundary}\"");
        Entity { fields: vec![("Content-Type", content_type)], body, texts, ends_as_text: false }
    }

    /// The entity without the line end that belongs to the boundary behind it (RFC 2046, section 5.1.1), and where its
    /// texts stand in that.
    fn as_part(&self) -> (Vec<u8>, Vec<TextPart>) {
        let mut part = Vec::with_capacity(self.body.len() + 160);
        for (name, value) in &self.fields {
            part.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        part.extend_from_slice(b"\r\n");
        let body = self.body.as_slice();
        let start = part.len();
        part.extend_from_slice(match self.ends_as_text {
            true => body,
            false => body.strip_suffix(b"\r\n").unwrap_or(body),
        });
        let end = part.len();
        let within = |text: TextPart| TextPart { body: text.body.start..text.body.end.min(end), ..text };
        let texts = self.texts.iter().map(|text| within(text.moved(start))).collect();
        (part, texts)
    }
}

fn fields(content_type: String, encoding: Encoding) -> Vec<(&'static str, String)> {
    vec![("Content-Type", content_type), ("Content-Transfer-Encoding", encoding.to_string())]
}

/// A name inside quotation marks: encoded words have no place there (RFC 2047, section 5), and are what many mailers
/// in Japan look for.
fn quoted_name(name: &str, charset: Charset) -> String {
    match name.is_ascii() {
        true => escaped(name),
        false => charset::encode_header(name, charset, " name=\"".len()),
    }
}

/// A name for the inside of a quoted string (RFC 5322, section 3.2.4).
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The parameter `filename`, on lines of its own: `; filename="slides.pdf"`, or in pieces of UTF-8 where it is not
/// ASCII or too long (RFC 2231). No character is cut, for some mailers decode each piece by itself.
fn file_name(name: &str) -> String {
    if is_plain(name) {
        return format!("\r\n filename=\"{}\"", escaped(name));
    }
    let mut pieces = vec![String::from("UTF-8''")];
    for character in name.chars() {
        let encoded = percent_encoded(character);
        match pieces.last_mut() {
            Some(piece) if piece.len() + encoded.len() <= LONGEST_PIECE => piece.push_str(&encoded),
            _ => pieces.push(encoded),
        }
    }
    match pieces.as_slice() {
        [whole] => format!("\r\n filename*={whole}"),
        pieces => {
            let lines = pieces.iter().enumerate().map(|(at, piece)| format!("\r\n filename*{at}*={piece}"));
            lines.collect::<Vec<_>>().join(";")
        }
    }
}

fn percent_encoded(character: char) -> String {
    if character.is_ascii_alphanumeric() || "-._~".contains(character) {
        return character.to_string();
    }
    character.encode_utf8(&mut [0; 4]).bytes().map(|octet| format!("%{octet:02X}")).collect()
}

/// How much of a name stands on one line, in octets.
const LONGEST_PIECE: usize = 56;

/// Whether a name can stand in a quoted string on one line.
fn is_plain(name: &str) -> bool {
    name.is_ascii() && !name.contains("=?") && name.len() <= LONGEST_PIECE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_told_to_all_mailers() {
        let long = format!("{}.pdf", "資料".repeat(8));
        let parts = "UTF-8''%E8%B3%87%E6%96%99%E8%B3%87%E6%96%99%E8%B3%87";
        for (name, quoted, parameter) in [
            ("slides.pdf", "slides.pdf", "\r\n filename=\"slides.pdf\"".to_owned()),
            ("a \"b\".pdf", "a \\\"b\\\".pdf", "\r\n filename=\"a \\\"b\\\".pdf\"".to_owned()),
            (
                "表.csv",
                "=?ISO-2022-JP?B?GyRCST0bKEIuY3N2?=",
                "\r\n filename*=UTF-8''%E8%A1%A8.csv".to_owned(),
            ),
        ] {
            assert_eq!(quoted_name(name, Charset::Iso2022Jp), quoted);
            assert_eq!(file_name(name), parameter);
        }
        let ascii = format!("{}\"b.pdf", "a ".repeat(30));
        assert_eq!(quoted_name(&ascii, Charset::Utf8), ascii.replace('"', "\\\""));
        assert!(file_name(&ascii).ends_with("%22b.pdf"), "{}", file_name(&ascii));
        assert!(file_name(&long).starts_with(&format!("\r\n filename*0*={parts}")), "{}", file_name(&long));
        assert!(file_name(&long).split("\r\n").all(|line| line.len() <= 78));
        assert!(quoted_name(&long, Charset::Utf8).split("\r\n").all(|line| line.len() <= 76));
    }

    #[test]
    fn what_holds_entities_together_adds_nothing_to_them() {
        let pieces = Pieces { octets: b"a\r\n".to_vec(), splices: Vec::new() };
        let jis = Entity::text(Charset::Iso2022Jp, pieces);
        let html = MailForm { text: "<p>\u{3042}</p>\n".to_owned(), fields: Vec::new() };
        let html = Entity::html(&html);
        let both = Entity::alternative(vec![jis, html]);
        let text = String::from_utf8(both.body).unwrap();
        let boundary = text[2..36].to_owned();
        assert!(
            boundary.starts_with("=_") && both.fields[0].1.ends_with(&format!("boundary=\"{boundary}\""))
        );
        let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
        assert_eq!(
            parts[1],
            "\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\
            Content-Transfer-Encoding: 7bit\r\n\r\na\r\n\r\n"
        );
        assert_eq!(
            parts[2],
            "\r\nContent-Type: text/html; charset=UTF-8\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nPHA+44GCPC9wPg0K\r\n"
        );
        assert_eq!(parts[3], "--\r\n");
    }
}
