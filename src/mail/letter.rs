//! The letter: an issue as a complete message (RFC 5322), the same octets in every build.
//!
//! It is addressed to a sample reader. What only the list knows is not in it: each reader's own address, and the
//! `List-Unsubscribe` with his token (RFC 8058).

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDate, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::body::MailForm;
use super::entity::Entity;
use super::message::SAMPLE_TOKEN;
use super::mime::{Head, LONGEST_LINE, has_too_long_line};
use super::pieces::{Pieces, TextPart};
use crate::charset::{self, Charset, Profile};
use crate::config::{CharsetChoice, Config};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::digest::sha256;
use crate::model::{Field, FieldAt, Issue};
use crate::source::{Attachment, SentMail};

/// An issue as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The message: CR LF at the line ends, no line over 998 octets.
    pub octets: Vec<u8>,
    /// The character set of its text.
    pub charset: Charset,
    /// SHA-256 of the octets, in small hexadecimal digits.
    pub digest: String,
    /// Its texts, in order; none where it is kept as it went out.
    pub texts: Vec<TextPart>,
}

/// What a letter carries.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The mail form.
    pub text: &'a MailForm,
    /// The same as an HTML document, for mailers that show it.
    pub html: Option<&'a MailForm>,
    /// The files that go with it.
    pub attachments: &'a [Attachment],
}

impl<'a> Contents<'a> {
    /// The mail form alone.
    pub fn text(text: &'a MailForm) -> Self {
        Contents { text, html: None, attachments: &[] }
    }
}

/// Makes an issue's letter of its subject and what it carries: the text alone, or with its HTML as `multipart/alternative`,
/// or either with files as `multipart/mixed`. The HTML is in UTF-8. A finished mail keeps its own octets where it has them,
/// and its character set where it has none.
///
/// # Errors
/// What cannot be sent, at its place in the mail form: control characters, and with `charset = "iso-2022-jp"` the
/// characters outside that set and lines of more than 998 octets.
pub fn letter(
    config: &Config,
    issue: &Issue,
    subject: &str,
    contents: &Contents<'_>,
    sent: Option<&SentMail>,
) -> Result<Letter, Vec<Diagnostic>> {
    if let Some(SentMail { message: Some(octets), charset, .. }) = sent {
        let (octets, charset, digest) = (octets.clone(), *charset, sha256(octets));
        return Ok(Letter { octets, charset, digest, texts: Vec::new() });
    }
    let form = SourceText::new(format!("dist/mail/{}.txt", issue.label), contents.text.text.as_str());
    let mut problems = control_characters(&form);
    for text in [Some(contents.text), contents.html].into_iter().flatten() {
        problems.extend(lost_field(text));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (charset, pieces) = match sent {
        Some(sent) => as_it_went_out(sent.charset, &contents.text.text),
        None => encoded(config, issue, subject, (&form, &contents.text.fields))?,
    };
    let content = tree(contents, charset, pieces);
    let mut message = headers(config, issue, subject, charset, &content);
    let texts = content.texts.iter().map(|text| text.moved(message.len())).collect();
    message.extend_from_slice(&content.body);
    let digest = sha256(&message);
    Ok(Letter { octets: message, charset, digest, texts })
}

/// All that a letter carries, its text in the octets of its character set.
fn tree(contents: &Contents<'_>, charset: Charset, text: Pieces) -> Entity {
    let text = Entity::text(charset, text);
    let words = match contents.html {
        None => text,
        Some(html) => Entity::alternative(vec![text, Entity::html(html)]),
    };
    if contents.attachments.is_empty() {
        return words;
    }
    let files = contents.attachments.iter().map(|file| Entity::file(file, charset));
    Entity::mixed([words].into_iter().chain(files).collect())
}

/// The body in the character set that the magazine has chosen.
fn encoded(
    config: &Config,
    issue: &Issue,
    subject: &str,
    (form, fields): (&Arc<SourceText>, &[FieldAt]),
) -> Result<(Charset, Pieces), Vec<Diagnostic>> {
    let profile = config.mail.charset_profile;
    // Any character can be sent in UTF-8.
    let in_utf8 = || {
        let pieces = Pieces::new(&form.text, fields, Charset::Utf8, profile);
        Ok((Charset::Utf8, pieces.unwrap_or_default()))
    };
    let is_auto = match config.mail.charset {
        CharsetChoice::Utf8 => return in_utf8(),
        CharsetChoice::Iso2022Jp => false,
        CharsetChoice::Auto => true,
    };
    let header = [subject, &config.mail.from.name, &config.magazine.name];
    if is_auto && header.iter().any(|words| charset::choose(words, profile) == Charset::Utf8) {
        return in_utf8();
    }
    let in_header = header.iter().flat_map(|words| charset::unsendable(words, profile)).map(|found| {
        cannot_be_sent(found.character)
            .in_file(format!("content/issues/{}", issue.label))
            .label("in the subject or in the sender's name")
    });
    let mut problems: Vec<Diagnostic> = in_header.collect();
    match Pieces::new(&form.text, fields, Charset::Iso2022Jp, profile) {
        Ok(pieces) => {
            let too_long = too_long_lines(&form.text, &pieces.octets);
            if is_auto && !too_long.is_empty() {
                return in_utf8();
            }
            problems.extend(too_long.into_iter().map(|line| line_too_long(form, line)));
            if problems.is_empty() { Ok((Charset::Iso2022Jp, pieces)) } else { Err(problems) }
        }
        Err(_) if is_auto => in_utf8(),
        Err(_) => {
            problems.extend(charset::unsendable(&form.text, profile).into_iter().map(|found| {
                let end = form.text.ceil_char_boundary(found.offset + 1);
                cannot_be_sent(found.character).at(form, found.offset..end).label("not in this character set")
            }));
            Err(problems)
        }
    }
}

/// The body of a mail that went out, in the set it went out in. Where an old decoder was more generous than any
/// encoder, in UTF-8, so that no character is lost.
fn as_it_went_out(charset: Charset, body: &str) -> (Charset, Pieces) {
    let in_set = |charset| Pieces::new(body, &[], charset, Profile::Ms);
    match in_set(charset) {
        Ok(pieces) if charset != Charset::Iso2022Jp || too_long_lines(body, &pieces.octets).is_empty() => {
            (charset, pieces)
        }
        _ => (Charset::Utf8, in_set(Charset::Utf8).unwrap_or_default()),
    }
}

fn control_characters(form: &Arc<SourceText>) -> Vec<Diagnostic> {
    if charset::surely_without_controls(&form.text) {
        return Vec::new();
    }
    let is_refused = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\u{C}');
    let found = form.text.match_indices(is_refused);
    found
        .map(|(offset, control)| {
            Diagnostic::error("control-character", "a control character cannot be sent")
                .at(form, offset..offset + control.len())
                .label("here, invisible")
                .help("delete it")
        })
        .collect()
}

/// A template may have changed what the texts gave it: then all readers would get the sample's address to leave.
fn lost_field(text: &MailForm) -> Option<Diagnostic> {
    let fields = text.fields.iter().filter(|at| at.field == Field::Unsubscribe);
    let whole = fields.filter(|at| text.text[at.range.clone()].ends_with(SAMPLE_TOKEN)).count();
    (text.text.matches(SAMPLE_TOKEN).count() > whole).then(|| {
        Diagnostic::error("lost-field", "a reader's own address to leave cannot be filled in everywhere")
            .in_file("templates/mail")
            .help("let the template show the texts as they are, without cutting or changing them")
    })
}

fn cannot_be_sent(character: char) -> Diagnostic {
    let problem =
        Diagnostic::error("unsendable-char", format!("`{character}` cannot be sent in ISO-2022-JP"));
    match charset::remedy(character) {
        Some(remedy) => problem.help(format!("{remedy}, or set `charset = \"auto\"`")),
        None => problem.help("choose another character, or set `charset = \"auto\"`"),
    }
}

/// Where the lines of the mail form stand that are too long as octets.
fn too_long_lines(text: &str, octets: &[u8]) -> Vec<Range<usize>> {
    if !has_too_long_line(octets) {
        return Vec::new();
    }
    let mut start = 0;
    let lines = text.split('\n').map(|line| {
        let range = start..start + line.len();
        start = range.end + 1;
        range
    });
    let lengths = octets.split(|octet| *octet == b'\n').map(<[u8]>::len);
    lines
        .zip(lengths)
        .filter(|(_, length)| *length > LONGEST_LINE + "\r".len())
        .map(|(range, _)| range)
        .collect()
}

fn line_too_long(form: &Arc<SourceText>, line: Range<usize>) -> Diagnostic {
    Diagnostic::error("line-too-long", "a line of more than 998 octets cannot be sent in ISO-2022-JP")
        .at(form, line)
        .help("break the line, or set `charset = \"auto\"`")
}

/// The reader in whose name the letter is made.
const SAMPLE_READER: &str = "Sample reader <reader@example.com>";

/// The hour at which issues are dated, in the magazine's time zone.
const HOUR: u32 = 9;

fn headers(config: &Config, issue: &Issue, subject: &str, charset: Charset, content: &Entity) -> Vec<u8> {
    let from = &config.mail.from;
    let (local_part, domain) = from.address.rsplit_once('@').unwrap_or(("", &from.address));
    let list = list_label(local_part);
    let number = issue.number;
    let blog = &config.blog.url;
    let subscribe = config.subscribe_page();
    let mut head = Head::new(charset, config.mail.charset_profile);
    head.add_date(date(issue.date, config.magazine.timezone));
    head.add_named("From", &from.name, &from.address);
    head.add("To", SAMPLE_READER.to_owned());
    head.add_words("Subject", subject);
    head.add("Message-ID", format!("<issue.{number}.sample@{domain}>"));
    let list_id = format!("{list}.{domain}");
    head.add_named("List-Id", &config.magazine.name, &list_id);
    head.add("List-Help", format!("<{subscribe}>"));
    head.add("List-Archive", format!("<{blog}/>"));
    head.add("List-Post", "NO".to_owned());
    head.add("Precedence", "bulk".to_owned());
    head.add("Feedback-ID", format!("{number}:{list}:issue:{}", sender_id(domain)));
    head.add_content(content);
    head.to_octets()
}

/// The day's hour of dating with the zone's offset from UTC on that day.
fn date(day: NaiveDate, timezone: Tz) -> DateTime<FixedOffset> {
    let time = NaiveTime::from_hms_opt(HOUR, 0, 0).expect("the hour is one");
    let local = day.and_time(time);
    match timezone.from_local_datetime(&local) {
        LocalResult::Single(date) | LocalResult::Ambiguous(date, _) => date.fixed_offset(),
        // The hour that clocks skip: no zone skips nine in the morning but on a day that it skips whole.
        LocalResult::None => Utc.fix().from_utc_datetime(&local),
    }
}

/// The label of a list's name, a dot-atom (RFC 2919).
fn list_label(local_part: &str) -> String {
    let label = local_part.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    if label.is_empty() { "list".to_owned() } else { label }
}

/// Whom feedback loops group the mail under: 5 to 15 characters, the same for all mail of the domain.
fn sender_id(domain: &str) -> String {
    let id: String = domain.replace('.', "-").chars().take(15).collect();
    format!("{:-<5}", id.trim_end_matches('-'))
}
