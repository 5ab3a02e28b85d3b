//! A letter of another character set in UTF-8, for the domains whose filters or mailers want it so.

use super::letter::Letter;
use super::mime::{Encoding, fields, transfer, undo_transfer};
use super::pieces::{Splice, TextPart};
use super::splice::BadLetter;
use crate::charset::{self, Charset};

/// The same letter with its ISO-2022-JP texts and headers in UTF-8: the same words, whoever makes it and whenever.
///
/// # Errors
/// When what the letter tells of its texts does not fit its octets.
pub fn in_utf8(letter: &Letter) -> Result<Letter, BadLetter> {
    let mut octets = Vec::with_capacity(letter.octets.len() * 3 / 2);
    let mut texts = Vec::with_capacity(letter.texts.len());
    let mut written = 0;
    for text in &letter.texts {
        let before = letter.octets.get(written..text.body.start).ok_or(BadLetter)?;
        let body = letter.octets.get(text.body.clone()).ok_or(BadLetter)?;
        written = text.body.end;
        let (before, body, text) = match Charset::from_label(&text.charset) {
            Some(Charset::Iso2022Jp) => recoded(before, body, text)?,
            _ => (before.to_vec(), body.to_vec(), text.clone()),
        };
        octets.extend(before);
        let start = octets.len();
        octets.extend(body);
        texts.push(TextPart { body: start..octets.len(), ..text });
    }
    octets.extend_from_slice(letter.octets.get(written..).ok_or(BadLetter)?);
    Ok(Letter { octets, charset: Charset::Utf8, digest: letter.digest.clone(), texts })
}

/// What stands before a text, the text, and what is to be known of it.
fn recoded(before: &[u8], body: &[u8], text: &TextPart) -> Result<(Vec<u8>, Vec<u8>, TextPart), BadLetter> {
    let encoding: Encoding = text.encoding.parse().map_err(|_| BadLetter)?;
    let octets = undo_transfer(encoding, body).ok_or(BadLetter)?;
    let read = |from: usize, to: usize| {
        let octets = octets.get(from..to).ok_or(BadLetter)?;
        charset::decode(octets, Some(Charset::Iso2022Jp)).map(|read| read.text).map_err(|_| BadLetter)
    };
    let mut whole = Vec::with_capacity(octets.len() * 3 / 2);
    let mut splices = Vec::with_capacity(text.splices.len());
    let mut done = 0;
    for Splice { field, range } in &text.splices {
        whole.extend(read(done, range.start)?.into_bytes());
        let start = whole.len();
        whole.extend(read(range.start, range.end)?.into_bytes());
        splices.push(Splice { field: *field, range: start..whole.len() });
        done = range.end;
    }
    whole.extend(read(done, octets.len())?.into_bytes());
    let (encoding, body) = transfer(Charset::Utf8, whole);
    let charset = Charset::Utf8.name().to_owned();
    let recoded = TextPart { charset, encoding: encoding.to_string(), splices, ..text.clone() };
    Ok((recoded_head(before, text, &recoded), body, recoded))
}

/// A head with its encoded words in UTF-8, and with what it says of its text now instead of before.
fn recoded_head(head: &[u8], before: &TextPart, now: &TextPart) -> Vec<u8> {
    let mut recoded = Vec::with_capacity(head.len() * 3 / 2);
    let mut length = 0;
    for field in fields(head) {
        length += field.len();
        let text = String::from_utf8_lossy(field);
        let is = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let text = if is("content-type:") {
            text.replace(&format!("charset={}", before.charset), &format!("charset={}", now.charset))
        } else if is("content-transfer-encoding:") {
            text.replace(&before.encoding, &now.encoding)
        } else {
            recoded_words(&text, &before.charset)
        };
        recoded.extend(text.into_bytes());
    }
    // What is no field: the empty line, and the border of a part.
    recoded.extend_from_slice(&head[length..]);
    recoded
}

/// A field with each run of encoded words in a character set written anew in UTF-8.
fn recoded_words(field: &str, charset: &str) -> String {
    let mark = format!("=?{charset}?");
    let mut recoded = String::with_capacity(field.len() * 3 / 2);
    let mut rest = field;
    while let Some(start) = rest.find(&mark) {
        recoded.push_str(&rest[..start]);
        let run = run_of_words(&rest[start..], &mark);
        let words = charset::decode_header(&rest.as_bytes()[start..start + run]);
        let column = recoded.rsplit('\n').next().unwrap_or_default().len();
        recoded.push_str(&charset::encode_header(&words, Charset::Utf8, column));
        rest = &rest[start + run..];
        // What stands behind, an address, gets a line of its own.
        if let Some(behind) = rest.strip_prefix(' ') {
            recoded.push_str("\r\n ");
            rest = behind;
        }
    }
    recoded.push_str(rest);
    recoded
}

/// How long the encoded words are that a text begins with, and the folds between them.
fn run_of_words(text: &str, mark: &str) -> usize {
    let mut end = 0;
    loop {
        // `=?charset?B?octets?=`
        let Some(behind) = text[end..].get(mark.len() + 2..).and_then(|rest| rest.find("?=")) else {
            return text.len();
        };
        let word_end = end + mark.len() + 2 + behind + 2;
        let gap = text[word_end..].len() - text[word_end..].trim_start().len();
        if gap == 0 || !text[word_end + gap..].starts_with(mark) {
            return word_end;
        }
        end = word_end + gap;
    }
}
