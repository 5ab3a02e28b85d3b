//! Mails as their readers' programs take them apart.

use mail_parser::{MessageParser, MimeHeaders};
use mailmag::charset::{Charset, decode};

/// What every message of ours keeps: CR LF alone, ASCII, no line over 998 octets.
#[track_caller]
pub(crate) fn check_octets(octets: &[u8]) {
    assert!(octets.is_ascii());
    let text = String::from_utf8_lossy(octets);
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
    assert!(text.ends_with("\r\n") && text.split("\r\n").all(|line| line.len() <= 998));
    let (head, _) = text.split_once("\r\n\r\n").expect("a blank line after the headers");
    assert!(head.split("\r\n").all(|line| line.len() <= 78), "{head}");
}

/// A header's octets, with their folds.
pub(crate) fn header(octets: &[u8], name: &str) -> Vec<u8> {
    let message = MessageParser::new().parse(octets).unwrap();
    message.header_raw(name).unwrap().trim().as_bytes().to_vec()
}

/// The text of a message, with line feeds.
pub(crate) fn text_of(octets: &[u8]) -> String {
    let message = MessageParser::new().parse(octets).unwrap();
    let part = message.text_part(0).unwrap();
    let label = part.content_type().and_then(|kind| kind.attribute("charset")).unwrap();
    let text = match Charset::from_label(label) {
        Some(Charset::Utf8) => part.text_contents().unwrap().to_owned(),
        charset => {
            decode(&octets[part.raw_body_offset() as usize..part.raw_end_offset() as usize], charset)
                .unwrap()
                .text
        }
    };
    text.replace("\r\n", "\n")
}

/// The HTML of a message, with line feeds.
pub(crate) fn html_of(octets: &[u8]) -> String {
    let message = MessageParser::new().parse(octets).unwrap();
    message.html_part(0).unwrap().text_contents().unwrap().replace("\r\n", "\n")
}
