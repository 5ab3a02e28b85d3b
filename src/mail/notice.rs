//! Notices: mails to one reader about his subscription.
//!
//! Nothing that an applicant has typed stands in one but the address it goes to, so that nobody can send words of his
//! own to a stranger through the form.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::context::MagazineContext;
use super::entity::Entity;
use super::mime::{Head, has_too_long_line, wire_text};
use super::pieces::Pieces;
use crate::charset::{self, Charset};
use crate::config::{CharsetChoice, Config};
use crate::diagnostic::Diagnostic;
use crate::model::{EmailAddress, Language};
use crate::theme::{Context, Theme};
use crate::typeset;

/// What a notice is made of.
#[derive(Clone, Debug)]
pub struct NoticeValues<'a> {
    /// Its kind, which names its template: `confirm` is `mail/confirm.txt`.
    pub kind: &'a str,
    /// Whom it goes to.
    pub to: &'a EmailAddress,
    /// The language it is written in.
    pub language: Language,
    /// The character set that the reader wrote in; else the magazine's.
    pub charset: Option<Charset>,
    /// Its Message-ID, with angle brackets.
    pub message_id: &'a str,
    /// Its Date.
    pub date: DateTime<Utc>,
    /// Where its links lead.
    pub links: NoticeLinks,
}

/// The addresses that a notice may link, each for its own reader alone.
#[derive(Clone, Default, Serialize)]
pub struct NoticeLinks {
    /// The page that confirms a subscription or a new address.
    pub confirm: Option<String>,
    /// The page to leave at, and for seven days to return.
    pub unsubscribe: Option<String>,
    /// The page of one's own data.
    pub preferences: Option<String>,
}

/// Writes a notice as a whole message (RFC 5322): CR LF at the line ends, no line over 998 octets. Its first line that
/// is not empty is the subject. It goes out in ISO-2022-JP where that is asked for and carries every character, else in UTF-8.
///
/// # Errors
/// A template that cannot be rendered, or that makes no subject or no text.
pub fn notice(config: &Config, theme: &Theme, values: &NoticeValues<'_>) -> Result<Vec<u8>, Box<Diagnostic>> {
    let template = format!("mail/{}.txt", values.kind);
    let rendered = theme.render(&template, &context(config, values), "a notice")?;
    let (subject, text) = subject_and_text(&rendered).ok_or_else(|| {
        Diagnostic::error("template-error", "a notice has a subject in its first line, and text below")
            .in_file(format!("templates/{template}"))
            .help("`mailmag theme eject` gives you the built-in one to compare")
    })?;
    let text = typeset::wrap(&text, &config.mail.typesetting);
    let text = wire_text(&format!("{}\n", text.trim_end_matches('\n')));
    let (charset, octets) = encoded(config, values, &subject, text);
    let content = Entity::text(charset, Pieces { octets, splices: Vec::new() });
    let mut head = Head::new(charset, config.mail.charset_profile);
    head.add_date(values.date.with_timezone(&config.magazine.timezone));
    head.add_named("From", &config.mail.from.name, &config.mail.from.address);
    head.add("To", values.to.on_the_wire().into_owned());
    head.add_words("Subject", &subject);
    head.add("Message-ID", values.message_id.to_owned());
    // RFC 3834, section 5: nobody wrote this, and no machine is to answer it.
    head.add("Auto-Submitted", "auto-generated".to_owned());
    head.add("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned());
    head.add_content(&content);
    let mut message = head.to_octets();
    message.extend_from_slice(&content.body);
    Ok(message)
}

/// What the templates of notices know.
#[derive(Serialize)]
struct NoticeContext<'a> {
    magazine: MagazineContext,
    language: &'static str,
    /// Where the publisher is reached.
    contact: &'a str,
    /// The page to subscribe at, and to leave.
    subscribe_url: Option<String>,
    /// The measure in columns.
    width: usize,
    links: &'a NoticeLinks,
}

fn context(config: &Config, values: &NoticeValues<'_>) -> Context {
    let context = Context::from_serialize(&NoticeContext {
        magazine: MagazineContext::new(config),
        language: values.language.tag(),
        contact: &config.mail.from.address,
        subscribe_url: config.subscribe_url(),
        width: config.mail.typesetting.width,
        links: &values.links,
    });
    context.expect("the context is of strings and numbers")
}

/// The first line that is not empty, and what stands below it without empty lines at its ends and two on end within,
/// which conditions in a template leave behind.
fn subject_and_text(rendered: &str) -> Option<(String, String)> {
    let mut lines = rendered.lines().map(str::trim_end).skip_while(|line| line.trim().is_empty());
    let subject = lines.next()?.trim().to_owned();
    let mut text = String::with_capacity(rendered.len());
    for line in lines.skip_while(|line| line.is_empty()) {
        if !line.is_empty() || !text.ends_with("\n\n") {
            text.push_str(&line.replace(char::is_control, ""));
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    let is_whole = !text.is_empty() && !subject.contains(char::is_control);
    is_whole.then_some((subject, text))
}

/// The text as octets, and the character set that carries it and the headers.
fn encoded(config: &Config, values: &NoticeValues<'_>, subject: &str, text: String) -> (Charset, Vec<u8>) {
    let profile = config.mail.charset_profile;
    let of_magazine = || match (config.mail.charset, values.language) {
        // Filters of readers abroad take ISO-2022-JP for a sign of spam.
        (CharsetChoice::Utf8, _) | (CharsetChoice::Auto, Language::English) => Charset::Utf8,
        (CharsetChoice::Auto | CharsetChoice::Iso2022Jp, _) => Charset::Iso2022Jp,
    };
    // Old telephones that write Shift_JIS read ISO-2022-JP, too.
    let wanted = values.charset.unwrap_or_else(of_magazine);
    let is_japanese = matches!(wanted, Charset::Iso2022Jp | Charset::ShiftJis | Charset::EucJp);
    let in_header = format!("{subject}{}", config.mail.from.name);
    if is_japanese
        && charset::choose(&in_header, profile) == Charset::Iso2022Jp
        && let Ok(octets) = charset::encode(&text, Charset::Iso2022Jp, profile)
        && !has_too_long_line(&octets)
    {
        return (Charset::Iso2022Jp, octets);
    }
    (Charset::Utf8, text.into_bytes())
}

// Debug output reaches logs, and whoever has these links can act for the reader.
impl std::fmt::Debug for NoticeLinks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NoticeLinks(***)")
    }
}
