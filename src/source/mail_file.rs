//! Mails as files: one message (RFC 5322, MIME), an mbox (RFC 4155), a Maildir. The only door to mail-parser.
//!
//! It takes a message apart and undoes the transfer encodings; character sets are none of its business, as old
//! Japanese mail needs more care there than it takes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, HeaderName, Message, MessageParser, MessagePart, MimeHeaders};

use super::mbox::Mbox;
use crate::diagnostic::Diagnostic;

/// A message, as far as an issue needs it. Its octets are still in their own character sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailFile {
    /// The subject as it stands in the header, unfolded, encoded words and all.
    pub subject: Option<Vec<u8>>,
    /// The sender as it stands in the header, unfolded.
    pub from: Option<Vec<u8>>,
    /// When it was sent, in the sender's time zone.
    pub date: Option<DateTime<FixedOffset>>,
    /// The first plain text, without its transfer encoding.
    pub body: Vec<u8>,
    /// The character set that the text claims to be in.
    pub charset: Option<String>,
}

/// The largest message that is read, in octets: an issue's text with many pictures.
const LARGEST: usize = 64 << 20;
/// More parts within parts than any mailer writes.
const NESTED: usize = 200;
/// More lines that begin with `--` than any text has.
const PARTS: usize = 20_000;

/// Reads one message. `path` is for the problems alone.
pub(crate) fn mail_file(path: &str, octets: &[u8]) -> Result<MailFile, Box<Diagnostic>> {
    let problem = |rule, message: String, help: &str| {
        Err(Box::new(Diagnostic::error(rule, message).in_file(path).help(help)))
    };
    if octets.len() > LARGEST {
        let message = format!("this mail has {} MB", octets.len() >> 20);
        return problem("mail-too-large", message, "take its attachments out; at most 64 MB are read");
    }
    if is_deep(octets) {
        let message = "this mail has too many parts".to_owned();
        return problem("mail-too-deep", message, "save its text as a .txt file");
    }
    let octets = without_from_line(octets);
    let not_a_mail = "a mail begins with its header (From:, Date:, Subject: …); name a text without one .txt";
    let Some(message) = MessageParser::new().parse(octets).filter(is_mail) else {
        return problem("not-a-mail", "this is not a mail".to_owned(), not_a_mail);
    };
    let Some(part) = message.parts.iter().find(|part| is_text(part)) else {
        let has_html = message.parts.iter().any(|part| part.is_content_type("text", "html"));
        let message = if has_html { "this mail has its text as HTML only" } else { "this mail has no text" };
        return problem("mail-without-text", message.to_owned(), "save its words as a .txt file");
    };
    let Some(body) = body(&message, part) else {
        let message = "the transfer encoding of this mail is broken".to_owned();
        return problem(
            "broken-transfer-encoding",
            message,
            "save the mail anew, or its words as a .txt file",
        );
    };
    let charset = part.content_type().and_then(|kind| kind.attribute("charset"));
    Ok(MailFile {
        subject: header(&message, HeaderName::Subject),
        from: header(&message, HeaderName::From),
        date: date(&message),
        charset: charset.map(str::to_owned),
        body,
    })
}

impl MailFile {
    /// The day it was sent, in a magazine's time zone.
    pub(super) fn day<Zone: TimeZone>(&self, timezone: &Zone) -> Option<NaiveDate> {
        self.date.map(|date| date.with_timezone(timezone).date_naive())
    }
}

/// Whether octets begin like a message: with lines of a header, among them one that every mail has.
pub fn looks_like_mail(octets: &[u8]) -> bool {
    let octets = without_from_line(octets);
    let mut known = 0;
    for line in octets.split(|octet| *octet == b'\n').take(200) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { return false };
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|octet| octet.is_ascii_graphic()) {
            return false;
        }
        const KNOWN: [&str; 9] = [
            "From",
            "Date",
            "Subject",
            "To",
            "Message-ID",
            "Received",
            "MIME-Version",
            "Return-Path",
            "Content-Type",
        ];
        known += usize::from(KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())));
    }
    known >= 2
}

/// Whether octets begin like an mbox.
pub fn looks_like_mbox(octets: &[u8]) -> bool {
    octets.split(|octet| *octet == b'\n').next().is_some_and(is_from_line) && looks_like_mail(octets)
}

/// The messages of an mbox, `>From ` unquoted.
pub fn split_mbox(path: &str, octets: &[u8]) -> Result<Vec<Vec<u8>>, Box<Diagnostic>> {
    if !looks_like_mbox(octets) {
        let problem = Diagnostic::error("not-a-mailbox", "this is not an mbox")
            .in_file(path)
            .help("an mbox begins with a line `From name date`");
        return Err(Box::new(problem));
    }
    // Memory can always be read.
    Ok(Mbox::new(octets, usize::MAX).filter_map(Result::ok).collect())
}

/// Whether a folder is a Maildir.
pub fn is_maildir(folder: &Path) -> bool {
    folder.join("cur").is_dir() && folder.join("new").is_dir()
}

/// The messages of a Maildir, in the order of their names, which begin with the time of delivery.
pub fn maildir(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for part in ["cur", "new"] {
        for entry in fs::read_dir(folder.join(part))? {
            let entry = entry?;
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if !is_hidden && entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()).then_with(|| a.cmp(b)));
    Ok(files)
}

/// `From name Thu Apr  1 12:00:00 2009`
pub(super) fn is_from_line(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    rest.len() <= 300
        && rest.contains(&b':')
        && rest.iter().filter(|octet| octet.is_ascii_digit()).count() >= 6
}

pub(crate) fn without_from_line(octets: &[u8]) -> &[u8] {
    let end = octets.iter().take(400).position(|octet| *octet == b'\n');
    match end {
        Some(end) if is_from_line(&octets[..end]) => &octets[end + 1..],
        _ => octets,
    }
}

/// Whether a mail has more parts within parts than any mailer writes.
///
/// Every multipart names a boundary, and every mail within a mail its type. More of them than any mailer writes
/// would cost the parser quadratic time, or our stack.
pub(crate) fn is_deep(octets: &[u8]) -> bool {
    let (mut nested, mut parts) = (0, 0);
    let mut from = 0;
    while let Some(at) = octets[from..]
        .iter()
        .position(|octet| matches!(octet, b'b' | b'B' | b'r' | b'R' | b'g' | b'G' | b'\n'))
    {
        let rest = &octets[from + at..];
        let begins = |word: &[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
        nested += usize::from(begins(b"boundary") || begins(b"rfc822") || begins(b"global"));
        parts += usize::from(rest.starts_with(b"\n--"));
        if nested > NESTED || parts > PARTS {
            return true;
        }
        from += at + 1;
    }
    false
}

fn is_mail(message: &Message<'_>) -> bool {
    let known = [
        HeaderName::From,
        HeaderName::Date,
        HeaderName::Subject,
        HeaderName::To,
        HeaderName::MessageId,
        HeaderName::Received,
        HeaderName::MimeVersion,
        HeaderName::ReturnPath,
        HeaderName::ContentType,
    ];
    let has = |name: &HeaderName<'_>| message.headers().iter().any(|header| header.name == *name);
    known.iter().filter(|name| has(name)).count() >= 2
}

fn is_text(part: &MessagePart<'_>) -> bool {
    let is_attached = part.content_disposition().is_some_and(|disposition| disposition.is_attachment());
    let is_plain = match part.content_type() {
        Some(kind) => {
            kind.ctype().eq_ignore_ascii_case("text")
                && kind.subtype().is_none_or(|subtype| subtype.eq_ignore_ascii_case("plain"))
        }
        None => part.is_text(),
    };
    is_plain && !is_attached && part.sub_parts().is_none()
}

fn body(message: &Message<'_>, part: &MessagePart<'_>) -> Option<Vec<u8>> {
    let raw = message.raw_message().get(part.raw_body_offset() as usize..part.raw_end_offset() as usize)?;
    let encoded = part.content_transfer_encoding().unwrap_or_default().trim();
    match part.encoding {
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        // What could not be undone is said to be plain.
        Encoding::None => {
            let plain = !["base64", "quoted-printable"].iter().any(|name| encoded.eq_ignore_ascii_case(name));
            plain.then(|| raw.to_vec())
        }
    }
}

/// A header's octets, unfolded.
fn header(message: &Message<'_>, name: HeaderName<'_>) -> Option<Vec<u8>> {
    let header = message.headers().iter().find(|header| header.name == name)?;
    let raw = message.raw_message().get(header.offset_start as usize..header.offset_end as usize)?;
    let mut unfolded = Vec::with_capacity(raw.len());
    for line in raw.split(|octet| *octet == b'\n') {
        unfolded.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    Some(unfolded.trim_ascii().to_vec())
}

fn date(message: &Message<'_>) -> Option<DateTime<FixedOffset>> {
    let date = message.date()?;
    let east = (i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute)) * 60;
    let zone = FixedOffset::east_opt(if date.tz_before_gmt { -east } else { east })?;
    let day = NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())?;
    // A leap second counts as the second before it.
    let time = day.and_hms_opt(date.hour.into(), date.minute.into(), date.second.min(59).into())?;
    zone.from_local_datetime(&time).single()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "From: a@example.jp\r\nDate: Fri, 14 May 2010 23:30:00 +0900\r\nSubject: Vol.7\r\n";

    fn check(rest: &str, expected: Result<&str, &str>) {
        let mail = format!("{HEADER}{rest}");
        let found = mail_file("a.eml", mail.as_bytes());
        let found = found.map(|mail| String::from_utf8_lossy(&mail.body).into_owned());
        let found = found.map_err(|problem| problem.rule);
        assert_eq!(found.as_deref().map_err(|rule| *rule), expected, "{rest}");
    }

    #[test]
    fn the_first_plain_text_is_the_body() {
        check("\r\nhello\r\n", Ok("hello\r\n"));
        check(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5bGx\r\n5rW3\r\n",
            Ok("山海"),
        );
        check("Content-Transfer-Encoding: quoted-printable\r\n\r\n=E5=B1=B1=\r\n!\r\n", Ok("山!\r\n"));
        check(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nwords\r\n--b--\r\n",
            Ok("words"),
        );
        check(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\
             Content-Disposition: attachment\r\n\r\nfile\r\n--b\r\n\r\nwords\r\n--b--\r\n",
            Ok("words"),
        );
        let soft = |end: &str| {
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
                 Content-Transfer-Encoding: quoted-printable\r\n\r\n{end}=\r\n--b--\r\n"
            )
        };
        check(&soft("words"), Ok("words"));
        check(&soft(""), Ok(""));
        check("Content-Type: text/html\r\n\r\n<p>words</p>\r\n", Err("mail-without-text"));
        check("Content-Type: image/png\r\n\r\nwords\r\n", Err("mail-without-text"));
        check("Content-Transfer-Encoding: base64\r\n\r\n*山*\r\n", Err("broken-transfer-encoding"));
    }

    #[test]
    fn octets_keep_their_character_set() {
        let mail =
            [HEADER.as_bytes(), b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n\x1b$B;3\x1b(B\r\n"]
                .concat();
        let mail = mail_file("a.eml", &mail).expect("a mail");
        assert_eq!(mail.body, b"\x1b$B;3\x1b(B\r\n");
        assert_eq!(mail.charset.as_deref(), Some("ISO-2022-JP"));
        let mail = b"From: a\nDate: x\nSubject: =?iso-2022-jp?B?GyRC?=\n =?iso-2022-jp?B?GyhC?=\n\nx";
        let mail = mail_file("a.eml", mail).expect("a mail");
        assert_eq!(mail.subject.as_deref(), Some(&b"=?iso-2022-jp?B?GyRC?= =?iso-2022-jp?B?GyhC?="[..]));
        assert_eq!(mail.date, None);
        let mail = mail_file("a.eml", b"From: a\nSubject: \x8eR\n\nx").expect("a mail");
        assert_eq!(mail.subject.as_deref(), Some(&b"\x8eR"[..]));
    }

    #[test]
    fn the_day_is_that_of_the_magazine() {
        let mail = mail_file("a.eml", format!("{HEADER}\r\nx").as_bytes()).expect("a mail");
        assert_eq!(
            mail.day(&chrono_tz::Asia::Tokyo).map(|day| day.to_string()).as_deref(),
            Some("2010-05-14")
        );
        assert_eq!(
            mail.day(&chrono_tz::Pacific::Kiritimati).map(|day| day.to_string()).as_deref(),
            Some("2010-05-15")
        );
    }

    #[test]
    fn what_is_no_mail_is_refused() {
        for text in ["", "words", "山の話: 海\n\n本文", "Subject: a\n\nb", "From a@b.jp\n"] {
            assert_eq!(
                mail_file("a.eml", text.as_bytes()).map_err(|problem| problem.rule),
                Err("not-a-mail"),
                "{text}"
            );
            assert!(!looks_like_mail(text.as_bytes()), "{text}");
        }
        assert!(looks_like_mail(HEADER.as_bytes()));
        let deep =
            format!("{HEADER}\n{}", "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(NESTED + 1));
        assert_eq!(mail_file("a.eml", deep.as_bytes()).map_err(|problem| problem.rule), Err("mail-too-deep"));
        let parts = format!("{HEADER}\n{}", "--b\n".repeat(PARTS + 1));
        assert_eq!(
            mail_file("a.eml", parts.as_bytes()).map_err(|problem| problem.rule),
            Err("mail-too-deep")
        );
    }

    #[test]
    fn an_mbox_is_split() {
        let from = "From a@b.jp Fri May 14 12:00:00 2010\n";
        let mbox = format!(
            "{from}{HEADER}\none\n>From me\n>>From you\n> quote\n\n{from}{HEADER}\nFrom the hills\n\n"
        );
        let messages = split_mbox("old", mbox.as_bytes()).expect("an mbox");
        let messages: Vec<String> =
            messages.iter().map(|message| String::from_utf8_lossy(message).into_owned()).collect();
        assert_eq!(
            messages,
            [format!("{HEADER}\none\nFrom me\n>From you\n> quote\n"), format!("{HEADER}\nFrom the hills\n")]
        );
        assert_eq!(split_mbox("old", b"words").map_err(|problem| problem.rule), Err("not-a-mailbox"));
        assert!(mail_file("one", mbox.as_bytes()).is_ok());
    }

    #[test]
    fn a_maildir_is_listed_by_time() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_maildir(folder.path()));
        for part in ["cur", "new", "tmp"] {
            fs::create_dir(folder.path().join(part)).expect("a folder");
        }
        for file in ["cur/2.a:2,S", "new/1.b", "tmp/0.c", "cur/.hidden"] {
            fs::write(folder.path().join(file), "x").expect("a file");
        }
        assert!(is_maildir(folder.path()));
        let files = maildir(folder.path()).expect("readable");
        let names: Vec<String> = files
            .iter()
            .map(|file| file.strip_prefix(folder.path()).expect("within").display().to_string())
            .collect();
        assert_eq!(names, ["new/1.b", "cur/2.a:2,S"]);
        assert!(maildir(&folder.path().join("cur")).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(rest in proptest::collection::vec(prop_oneof![
            Just("Content-Type: multipart/mixed; boundary=b\n".to_owned()),
            Just("Content-Type: message/rfc822\n".to_owned()),
            Just("Content-Type: text/plain; charset=x\n".to_owned()),
            Just("Content-Transfer-Encoding: base64\n".to_owned()),
            Just("Content-Transfer-Encoding: quoted-printable\n".to_owned()),
            Just("\n".to_owned()),
            Just("--b\n".to_owned()),
            Just("--b--\n".to_owned()),
            Just("=\n".to_owned()),
            "\\PC{0,8}\n",
        ], 0..20)) {
            let mail = format!("{HEADER}{}", rest.concat());
            if let Err(problem) = mail_file("a.eml", mail.as_bytes()) {
                prop_assert!(problem.help.is_some());
            }
        }
    }
}
