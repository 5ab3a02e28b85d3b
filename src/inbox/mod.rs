//! Mails that readers write to subscribe, to leave or to change their address: what each asks for.
//!
//! | it goes to | and says | so |
//! |---|---|---|
//! | `u+TOKEN@` | anything | who owns the token leaves at once: it stands in his own mails alone |
//! | `name+subscribe@` | anything but to leave or to change | a confirmation is mailed to the sender |
//! | `name+unsubscribe@` | anything | the links are mailed to the sender |
//! | `name@` | 登録, `subscribe` … in the subject; nothing at all (空メール) | a confirmation is mailed |
//! | `name@`, `name+subscribe@` | 解除, 退会, 変更, `unsubscribe`, `change` … in the subject | the links are mailed |
//! | `name@` | anything else | it is for people: nothing happens |
//!
//! A sender is easily forged, so that a mail without a token never does more than have something mailed to that address.
//! What came from a machine is not answered (RFC 3834): see [`Meaning::Automatic`].

mod automatic;
mod head;
mod mailbox;
mod words;

use crate::bounce::{self, Kind, Report};
use crate::charset::{self, Charset};
use crate::list::{Request, Token};
use crate::model::{EmailAddress, Language};
use crate::source;
use head::Head;
use words::Wish;

/// A mail that came, as far as the list is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What it asks for.
    pub meaning: Meaning,
    /// Its Message-ID with angle brackets; empty if it has none.
    pub message_id: String,
    /// The character set to answer in, as MIME names it; none if the mail shows none.
    pub charset: Option<String>,
    /// The language to answer in.
    pub language: Language,
}

/// What a mail asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum Meaning {
    /// To subscribe the sender: a confirmation is to be mailed to him.
    Subscribe(EmailAddress),
    /// To leave, with the token of who leaves.
    Leave(Token),
    /// To leave or to change the address, without a token: the links are to be mailed to the sender.
    SendLinks(EmailAddress),
    /// Nothing: mail came back, a reader complained, or a server reports of one: what it says, if it is a report.
    Bounce(Option<Box<Report>>),
    /// Nothing: a machine sent it, as this sign tells.
    Automatic(&'static str),
    /// Nothing, and it is nobody's to read: why.
    Ignored(&'static str),
    /// Nothing that a machine can do: somebody writes to the publisher.
    ForPeople,
    /// Nothing: it is no mail, or its header is longer than any.
    NoMail,
}

/// The magazine's addresses for such mails: `name@domain` with `+subscribe` and `+unsubscribe`, and `u+TOKEN@domain`.
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    local_part: &'a str,
    domain: &'a str,
}

/// How much of a header is read, in octets.
const LONGEST_HEADER: usize = 256 << 10;
/// The largest mail that can be an empty one, in octets: there may be an empty HTML part, and a long way behind it.
const LARGEST_EMPTY: usize = 64 << 10;
/// The largest mail whose parts are looked at for their character set, in octets.
const LARGEST_OPENED: usize = 1 << 20;

impl<'a> Addresses<'a> {
    /// The addresses that belong to the magazine's sender.
    pub fn new(sender: &'a str) -> Self {
        let (local_part, domain) = sender.rsplit_once('@').unwrap_or(("", sender));
        Addresses { local_part, domain }
    }

    /// What stands before the `@` in an address of our domain, in small letters.
    fn local_part_of(&self, address: &str) -> Option<String> {
        let (local_part, domain) = address.rsplit_once('@')?;
        domain.eq_ignore_ascii_case(self.domain).then(|| local_part.to_ascii_lowercase())
    }

    fn name(&self) -> String {
        self.local_part.to_ascii_lowercase()
    }

    /// Whether mail from this address is our own.
    fn is_ours(&self, address: &str) -> bool {
        let Some(local_part) = self.local_part_of(address) else { return false };
        let name = self.name();
        local_part == name
            || local_part.strip_prefix(&name).is_some_and(|rest| rest.starts_with('+'))
            || local_part.starts_with("u+")
            || local_part.starts_with("b+")
    }
}

/// Where in the magazine a mail goes.
enum Door {
    Token(Token),
    Unsubscribe,
    Subscribe,
    /// The path that mail comes back by.
    Bounces,
    Plain,
}

impl Meaning {
    /// What the mail asks of the list, if anything.
    pub fn request(&self) -> Option<Request> {
        match self {
            Meaning::Subscribe(address) => Some(Request::Subscribe { address: address.clone(), name: None }),
            Meaning::Leave(token) => Some(Request::Leave(token.digest())),
            Meaning::SendLinks(address) => Some(Request::SendLinks(address.clone())),
            Meaning::Bounce(_)
            | Meaning::Automatic(_)
            | Meaning::Ignored(_)
            | Meaning::ForPeople
            | Meaning::NoMail => None,
        }
    }

    /// The meaning in a word, as programs read it.
    pub fn name(&self) -> &'static str {
        match self {
            Meaning::Subscribe(_) => "subscribe",
            Meaning::Leave(_) => "leave",
            Meaning::SendLinks(_) => "send-links",
            Meaning::Bounce(_) => "bounce",
            Meaning::Automatic(_) => "automatic",
            Meaning::Ignored(_) => "ignored",
            Meaning::ForPeople => "for-people",
            Meaning::NoMail => "no-mail",
        }
    }

    /// Why nothing is to be done, where there is more to say than the meaning.
    pub fn why(&self) -> Option<&'static str> {
        match self {
            Meaning::Automatic(why) | Meaning::Ignored(why) => Some(why),
            _ => None,
        }
    }
}

/// Reads a mail (RFC 5322). `usual` is the language of who does not show his own.
pub fn read(octets: &[u8], addresses: &Addresses<'_>, usual: Language) -> Incoming {
    let Some(head) = Head::read(octets, LONGEST_HEADER) else {
        let meaning = Meaning::NoMail;
        return Incoming { meaning, message_id: String::new(), charset: None, language: usual };
    };
    let subject = charset::decode_header(head.octets("subject").unwrap_or_default());
    let text = Text::read(octets, &head);
    Incoming {
        meaning: meaning(octets, &head, &subject, &text, addresses),
        message_id: message_id(&head),
        charset: text.charset.map(|charset| charset.name().to_owned()),
        language: language(&head, &subject, &text).unwrap_or(usual),
    }
}

fn meaning(octets: &[u8], head: &Head<'_>, subject: &str, text: &Text, addresses: &Addresses<'_>) -> Meaning {
    let report = bounce::read(octets);
    let Some(door) = door(head, addresses) else {
        // Complaints go where the mail service was told to send them, and some servers lose the path that mail came
        // back by; the mail in the report still says whose it was.
        let report = report.filter(|report| is_of_ours(report, addresses));
        return match report {
            Some(report) => Meaning::Bounce(Some(Box::new(report))),
            None => Meaning::Ignored("it does not go to an address of the magazine's"),
        };
    };
    let is_reply = report.as_ref().is_some_and(|report| report.kind == Kind::AutoReply);
    if let Some(report) = report.filter(|_| !is_reply) {
        return Meaning::Bounce(Some(Box::new(report)));
    }
    if automatic::is_own(head, addresses) {
        return Meaning::Automatic("it is our own mail");
    }
    if let Door::Token(token) = door {
        // Mail services write to it of themselves when a reader presses their button, and mark that as automatic.
        return match head.text("content-type").is_some_and(|kind| is_report(&kind)) {
            true => Meaning::Bounce(None),
            false => Meaning::Leave(token),
        };
    }
    if let Door::Bounces = door {
        return Meaning::Bounce(None);
    }
    if let Some(sign) = automatic::sign(octets, head) {
        return Meaning::Automatic(sign);
    }
    if is_reply {
        return Meaning::Automatic("it is an automatic reply");
    }
    let wish = match (words::wish(subject), &door) {
        (Some(Wish::Leave | Wish::Change), _) | (_, Door::Unsubscribe) => Wish::Leave,
        (Some(Wish::Subscribe), _) | (None, Door::Subscribe) => Wish::Subscribe,
        (None, _) if subject.trim().is_empty() && text.is_empty => Wish::Subscribe,
        (None, _) => return Meaning::ForPeople,
    };
    let Some(sender) = mailbox::only(head.all("from")) else {
        return Meaning::Ignored("it does not tell its one sender");
    };
    // Readers with addresses of the old kind came by import, and may leave; nobody subscribes with one.
    match wish {
        Wish::Subscribe => match EmailAddress::parse(&sender) {
            Ok(address) => Meaning::Subscribe(address),
            Err(_) => Meaning::Ignored("its sender has an address that cannot subscribe"),
        },
        Wish::Leave | Wish::Change => match EmailAddress::parse_legacy(&sender) {
            Ok(address) => Meaning::SendLinks(address),
            Err(_) => Meaning::Ignored("its sender has no address that can be answered"),
        },
    }
}

/// Whether a report that went elsewhere is of a mail of the magazine's.
fn is_of_ours(report: &Report, addresses: &Addresses<'_>) -> bool {
    let is_path = |path: &String| matches!(door_of(path, addresses), Some(Door::Bounces));
    match report.kind {
        Kind::Bounce | Kind::Delay => report.paths.iter().any(is_path),
        Kind::Complaint => report.paths.iter().any(is_path) || report.tokens().next().is_some(),
        Kind::Delivered | Kind::Feedback | Kind::AutoReply => false,
    }
}

/// Whether a type is a report's (RFC 6522).
fn is_report(kind: &str) -> bool {
    kind.trim_start().get(..16).is_some_and(|start| start.eq_ignore_ascii_case("multipart/report"))
}

/// Where a mail goes: as the server says that delivered it, else as the sender wrote. Of several addresses the one
/// that leaves counts.
fn door(head: &Head<'_>, addresses: &Addresses<'_>) -> Option<Door> {
    const DELIVERED: [&str; 4] = ["x-original-to", "delivered-to", "envelope-to", "x-envelope-to"];
    const WRITTEN: [&str; 2] = ["to", "cc"];
    let of = |names: &[&str]| {
        let values = names.iter().flat_map(|name| head.all(name));
        let doors =
            values.flat_map(|value| mailbox::addresses(&value)).filter_map(|to| door_of(&to, addresses));
        doors.min_by_key(|door| match door {
            Door::Token(_) => 0,
            Door::Unsubscribe => 1,
            Door::Subscribe => 2,
            Door::Bounces => 3,
            Door::Plain => 4,
        })
    };
    let delivered = of(&DELIVERED);
    match delivered {
        // Some servers fold all of a user's addresses into his plain one.
        None | Some(Door::Plain) => of(&WRITTEN).or(delivered),
        Some(_) => delivered,
    }
}

fn door_of(address: &str, addresses: &Addresses<'_>) -> Option<Door> {
    let local_part = addresses.local_part_of(address)?;
    if let Some(token) = local_part.strip_prefix("u+").and_then(Token::parse) {
        return Some(Door::Token(token));
    }
    if local_part.starts_with("b+") {
        return Some(Door::Bounces);
    }
    match local_part.strip_prefix(&addresses.name())? {
        "" => Some(Door::Plain),
        "+subscribe" => Some(Door::Subscribe),
        "+unsubscribe" => Some(Door::Unsubscribe),
        _ => None,
    }
}

fn message_id(head: &Head<'_>) -> String {
    let value = head.text("message-id").unwrap_or_default();
    let id = value.split_whitespace().next().unwrap_or_default();
    let is_one = id.len() <= 250 && id.starts_with('<') && id.ends_with('>');
    if is_one && id.bytes().all(|octet| octet.is_ascii_graphic()) { id.to_owned() } else { String::new() }
}

/// The language that a mail shows to be its sender's.
fn language(head: &Head<'_>, subject: &str, text: &Text) -> Option<Language> {
    let told = ["content-language", "accept-language"].iter().find_map(|name| head.text(name));
    let first = told.as_deref().and_then(|value| value.split([',', ';']).next());
    let is_japanese = text.charset.is_some_and(|charset| charset != Charset::Utf8)
        || subject.chars().any(|c| matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}'));
    // A Japanese word is a surer sign than a setting.
    if is_japanese { Some(Language::Japanese) } else { first.and_then(|tag| Language::tagged(tag.trim())) }
}

/// What matters of a mail's text.
#[derive(Default)]
struct Text {
    is_empty: bool,
    charset: Option<Charset>,
}

impl Text {
    fn read(octets: &[u8], head: &Head<'_>) -> Text {
        let opened =
            (octets.len() <= LARGEST_OPENED).then(|| source::mail_file("mail", octets).ok()).flatten();
        // A text in ASCII, or none, shows nothing of what its reader can read.
        let shown = |charset: &str| !["us-ascii", "ascii"].contains(&charset.to_ascii_lowercase().as_str());
        let of_text = opened.as_ref().and_then(|mail| mail.charset.as_deref());
        let of_words = || ["subject", "from"].iter().find_map(|name| charset_of_words(head.octets(name)?));
        let charset =
            of_text.filter(|charset| shown(charset)).and_then(Charset::from_label).or_else(of_words);
        let is_blank = |octet: &u8| octet.is_ascii_whitespace();
        let is_empty = octets.len() <= LARGEST_EMPTY
            && opened.is_some_and(|mail| match charset::decode(&mail.body, charset) {
                Ok(text) => text.text.trim_matches(|c: char| c.is_whitespace() || c == '\u{200B}').is_empty(),
                Err(_) => mail.body.iter().all(is_blank),
            });
        Text { is_empty, charset }
    }
}

/// The character set of the first encoded word (RFC 2047) of a header's value.
fn charset_of_words(value: &[u8]) -> Option<Charset> {
    let value = String::from_utf8_lossy(value);
    let label = value.split_once("=?")?.1.split(['?', '*']).next()?;
    Charset::from_label(label)
}

// Debug output reaches logs, so it must not show whose mail it is, nor a token.
impl std::fmt::Debug for Meaning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.why() {
            Some(why) => write!(formatter, "{} ({why})", self.name()),
            None => formatter.write_str(self.name()),
        }
    }
}

#[cfg(test)]
mod tests;
