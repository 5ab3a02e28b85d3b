//! A mail that came back, taken apart: the notice, the report for machines, and what is left of the mail itself.
//!
//! The only door to mail-parser here. Whatever is broken in the MIME, the words that can be seen are read.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::fields::{Fields, field};
use crate::charset::{self, Charset};
use crate::markup::push_unescaped;
use crate::source::{is_deep, without_from_line};

/// How much of a mail is read, in octets: a notice stands at its head.
const LARGEST: usize = 2 << 20;
/// How much of a notice, and of each report in it.
const LONGEST_NOTICE: usize = 64 << 10;
const LONGEST_REPORT: usize = 256 << 10;

/// A mail taken apart.
#[derive(Default)]
pub(super) struct Opened {
    /// The mail's own header.
    pub header: Fields,
    /// Its subject, decoded.
    pub subject: String,
    /// What is written for people.
    pub notice: String,
    /// The reports on delivery (RFC 3464).
    pub delivery: Vec<String>,
    /// The reports of complaints (RFC 5965).
    pub feedback: Vec<String>,
    /// The header of the mail that came back.
    pub original: Fields,
    /// The mail that came back, as far as it is there.
    pub returned: Option<Vec<u8>>,
    /// Whether it says of itself that it is a report of some kind (`multipart/report`, RFC 6522).
    pub report_type: Option<String>,
}

/// Takes a mail apart.
pub(super) fn open(octets: &[u8]) -> Opened {
    let octets = lines_mended(without_from_line(&octets[..octets.len().min(LARGEST)]));
    let (header, body) = split(&octets);
    let header_text = text(header, None);
    let header = Fields::read(header_text.lines());
    let mut opened = Opened {
        subject: charset::decode_header(header.get("subject").unwrap_or_default().as_bytes()),
        header,
        ..Opened::default()
    };
    let kind = opened.header.get("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.contains("multipart/report") {
        let report = kind.split("report-type=").nth(1).unwrap_or_default();
        opened.report_type =
            Some(report.trim_matches('"').split(['"', ';', ' ']).next().unwrap_or_default().to_owned());
    }
    let message = if is_deep(&octets) { None } else { MessageParser::new().parse(&octets) };
    if let Some(message) = &message {
        take_parts(&mut opened, message);
    }
    if opened.notice.is_empty() && opened.delivery.is_empty() && opened.returned.is_none() {
        opened.notice = text(&body[..body.len().min(LONGEST_NOTICE)], None);
    }
    part_original_off(&mut opened);
    opened
}

fn take_parts(opened: &mut Opened, message: &Message<'_>) {
    let (mut html, mut late) = (String::new(), String::new());
    let mut is_over = false;
    for (index, part) in message.parts.iter().enumerate() {
        if part.sub_parts().is_some() {
            continue;
        }
        let kind = kind(part);
        let Some(octets) = octets(message, part) else { continue };
        let charset = part.content_type().and_then(|kind| kind.attribute("charset"));
        let read = |most: usize| text(&octets[..octets.len().min(most)], charset);
        if kind.ends_with("feedback-report") {
            opened.feedback.push(read(LONGEST_REPORT));
            is_over = true;
        } else if kind.contains("delivery-status") {
            opened.delivery.push(read(LONGEST_REPORT));
            is_over = true;
        } else if matches!(part.body, PartType::Message(_))
            || kind.contains("rfc822")
            || kind == "message/partial"
            || kind.ends_with("/global-headers")
        {
            if opened.original.is_empty() {
                opened.original = Fields::read(read(LONGEST_NOTICE).lines());
                opened.returned = Some(octets);
            }
            is_over = true;
        } else if index > 0 && opened.original.is_empty() && is_original(message, part) {
            opened.original = part_header(message, part);
            is_over = true;
        } else if kind == "text/html" {
            if html.is_empty() {
                html = without_tags(&read(LONGEST_NOTICE));
            }
        } else if kind == "text/plain" {
            let seen = if is_over { &mut late } else { &mut opened.notice };
            if seen.len() < LONGEST_NOTICE {
                seen.push_str(&read(LONGEST_NOTICE));
                seen.push('\n');
            }
        }
    }
    for other in [html, late] {
        if opened.notice.trim().is_empty() {
            opened.notice = other;
        }
    }
}

fn kind(part: &MessagePart<'_>) -> String {
    let kind =
        part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("plain")));
    kind.map_or_else(|| "text/plain".to_owned(), |kind| kind.to_ascii_lowercase())
}

/// A part's octets without their transfer encoding; as they are where that is broken.
fn octets(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let raw = message.raw_message().get(part.raw_body_offset() as usize..part.raw_end_offset() as usize)?;
    let decoded = match part.encoding {
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        Encoding::None => None,
    };
    Some(decoded.unwrap_or_else(|| raw.to_vec()))
}

/// Whether a part is the mail that came back without a line that says so: its header is the part's.
fn is_original(message: &Message<'_>, part: &MessagePart<'_>) -> bool {
    let fields = part_header(message, part);
    ["received", "from", "to", "message-id"].iter().filter(|name| fields.get(name).is_some()).count() >= 3
}

fn part_header(message: &Message<'_>, part: &MessagePart<'_>) -> Fields {
    let range = part.raw_header_offset() as usize..part.raw_body_offset() as usize;
    Fields::read(text(message.raw_message().get(range).unwrap_or_default(), None).lines())
}

/// Parts the header of the mail that came back off the notice's text, where it stands in the same part.
fn part_original_off(opened: &mut Opened) {
    let Some(at) = original_in(&opened.notice) else { return };
    let tail = opened.notice.split_off(at);
    if opened.original.is_empty() {
        let header =
            tail.lines().skip_while(|line| field(line.trim_start_matches([' ', '\t', '>'])).is_none());
        opened.original = Fields::read(header);
    }
}

/// Where the mail that came back begins in a text: at a line that says so with a header behind it, or at the header.
fn original_in(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut said: Option<(usize, usize)> = None;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_start_matches([' ', '\t', '>', '|']).trim_end();
        let is_head = |name: &str| {
            bare.len() > name.len()
                && bare.is_char_boundary(name.len())
                && bare[..name.len()].eq_ignore_ascii_case(name)
        };
        if ["received:", "return-path:", "x-envelope-from:"].iter().any(|name| is_head(name)) {
            return Some(said.map_or(at, |(start, _)| start));
        }
        if let Some((start, line)) = said {
            // In a header there is no sentence.
            if number - line > 6 {
                said = None;
            } else if !bare.is_empty() && field(bare).is_some() {
                return Some(start);
            }
        }
        if said.is_none() && announces_original(bare) {
            said = Some((at, number));
        }
        at += line.len();
    }
    None
}

fn announces_original(line: &str) -> bool {
    if line.len() > 200 {
        return false;
    }
    let line = line.to_ascii_lowercase();
    const SAID: [&str; 16] = [
        "original message",
        "original mail",
        "original headers",
        "copy of the message",
        "copy of your message",
        "copy of the original",
        "copy of the mail",
        "returned message",
        "unsent message",
        "undelivered message",
        "undeliverable message",
        "message header",
        "header of the original",
        "message text follows",
        "the body of your message",
        "message follows",
    ];
    const NOT_SAID: [&str; 4] = ["was received", "was included", "was sent", "relates to"];
    SAID.iter().any(|said| line.contains(said)) && !NOT_SAID.iter().any(|said| line.contains(said))
}

/// Octets as text: what they are labelled as, what they look like, or what can be seen of them.
fn text(octets: &[u8], label: Option<&str>) -> String {
    if octets.is_ascii() && !octets.contains(&0x1b) {
        return String::from_utf8_lossy(octets).into_owned();
    }
    if let Ok(text) = std::str::from_utf8(octets)
        && !octets.contains(&0x1b)
    {
        return text.to_owned();
    }
    let known = label.map(Charset::from_label);
    if known == Some(None) {
        // Another single-octet set, most likely: what matters is in ASCII.
        return octets.iter().map(|octet| char::from(*octet)).collect();
    }
    match charset::decode(octets, known.flatten()) {
        Ok(decoded) => decoded.text,
        Err(_) => String::from_utf8_lossy(octets).into_owned(),
    }
}

/// Every line end becomes a line feed, and a parameter that lost its indent gets it back.
fn lines_mended(octets: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(octets.len() + 16);
    let mut rest = octets;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')).unwrap_or(rest.len());
        let line = &rest[..end];
        let is_parameter = [&b"boundary="[..], b"charset=", b"report-type="]
            .iter()
            .any(|name| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name));
        if is_parameter && mended.ends_with(b";\n") {
            mended.push(b'\t');
        }
        mended.extend_from_slice(line);
        let ends = if rest[end..].starts_with(b"\r\n") { 2 } else { usize::from(end < rest.len()) };
        if ends > 0 {
            mended.push(b'\n');
        }
        rest = &rest[end + ends..];
    }
    mended
}

fn split(octets: &[u8]) -> (&[u8], &[u8]) {
    match octets.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&octets[..=at], &octets[at + 2..]),
        None => (octets, &[]),
    }
}

/// The words of an HTML text: lines where its blocks end, without its styles and scripts.
fn without_tags(html: &str) -> String {
    let mut words = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        push_words(&mut words, &rest[..start]);
        rest = &rest[start + 1..];
        let Some(end) = rest.find('>') else { return words };
        let tag = rest[..end].to_ascii_lowercase();
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '\t', '/']).next().unwrap_or_default();
        match name {
            "style" | "script" | "title" if !tag.starts_with('/') => {
                let close = format!("</{name}");
                // Once only: what has no end has no words either.
                let Some(end) = find_ignoring_case(rest, &close) else { return words };
                rest = &rest[end..];
            }
            "br" | "p" | "div" | "tr" | "td" | "li" | "h1" | "h2" | "h3" | "pre" | "table" => {
                words.push('\n')
            }
            _ => {}
        }
    }
    push_words(&mut words, rest);
    words
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn push_words(words: &mut String, text: &str) {
    push_unescaped(&text.replace('\n', " "), words);
}
