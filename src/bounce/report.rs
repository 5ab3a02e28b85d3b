//! What was read from a mail that came back.

use std::fmt;

use super::EnhancedStatus;
use crate::model::{name_of, named};

/// What a mail that came back says.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// What kind of notice it is.
    pub kind: Kind,
    /// Of whom it speaks. Of one at least, whose address is empty when the notice does not tell it.
    pub recipients: Vec<Recipient>,
    /// The Message-ID of the mail that came back, without its angle brackets.
    pub message_id: Option<String>,
    /// Every address it may have come to, the surest first: `Delivered-To`, `X-Original-To`, `Envelope-To`, `To`, and the
    /// returned mail's own `Return-Path`. One of them carries the code of [`verp`](super::verp), if it is ours.
    pub paths: Vec<String>,
    /// Where the mail that came back says its reader leaves (`List-Unsubscribe`, RFC 2369), of at most 2,000 octets.
    pub leave: Option<String>,
}

/// What kind of notice a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Mail was not delivered.
    Bounce,
    /// Mail was not delivered yet: the server tries on.
    Delay,
    /// Mail was delivered, or handed on to a server that does not tell.
    Delivered,
    /// The reader told his mail service that it is spam, or asked it to be taken off (RFC 5965).
    Complaint,
    /// A mail service's report that is no complaint of the reader's: failed authentication (RFC 6591), not spam.
    Feedback,
    /// A machine answered in the reader's name (RFC 3834): a vacation, say.
    AutoReply,
}

/// One recipient in a report.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Whom the mail did not reach, as the notice writes him.
    pub address: String,
    /// Whom it was sent to, if the notice tells that it was somebody else: mail may be forwarded.
    pub original: Option<String>,
    /// Whether trying again is of use.
    pub hardness: Hardness,
    /// The status code: the notice's, or the one in the server's words where that says more.
    pub status: Option<EnhancedStatus>,
    /// Why.
    pub reason: Reason,
    /// The server's words in one line, without control characters, of at most 500 characters.
    pub diagnostic: String,
}

/// Whether trying again is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hardness {
    /// There is no such address, and there will be none.
    Hard,
    /// It may work another time, or the fault is not the address's.
    Soft,
}

impl Hardness {
    /// The word that the store and reports have for it.
    pub fn name(self) -> &'static str {
        match self {
            Hardness::Hard => "hard",
            Hardness::Soft => "soft",
        }
    }

    /// What a word says.
    pub fn named(wanted: &str) -> Option<Self> {
        [Hardness::Hard, Hardness::Soft].into_iter().find(|hardness| hardness.name() == wanted)
    }
}

impl Kind {
    /// The kind in a word, as programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bounce => "bounce",
            Kind::Delay => "delay",
            Kind::Delivered => "delivered",
            Kind::Complaint => "complaint",
            Kind::Feedback => "feedback",
            Kind::AutoReply => "automatic-reply",
        }
    }
}

/// Why mail was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is no such mailbox.
    UnknownUser,
    /// There is no such domain.
    UnknownHost,
    /// The reader has another address now.
    Moved,
    /// The domain takes no mail at all (RFC 7505, say).
    NotAccepting,
    /// The mailbox is full.
    MailboxFull,
    /// The mailbox is disabled, locked or not used any more.
    Suspended,
    /// The reader's own filter refused it; on Japanese carriers, also what they call an unknown user.
    Filtered,
    /// It was taken for spam.
    Spam,
    /// The server does not want mail from us: blocked, not authenticated, relaying denied. Ours to mend.
    Policy,
    /// The message is too large.
    Size,
    /// Something in the message was not wanted: an attachment, a header.
    Content,
    /// Too many messages or connections in too short a time.
    Rate,
    /// The server gave up after trying for long.
    Expired,
    /// The server could not be reached, or mail went round in circles.
    Network,
    /// Something is broken in the server.
    System,
    /// The notice does not tell, or in words that are not known here.
    Undefined,
}

impl Reason {
    /// The words that the store and reports have for each.
    pub const NAMES: [(&str, Reason); 16] = [
        ("unknown-user", Reason::UnknownUser),
        ("unknown-host", Reason::UnknownHost),
        ("moved", Reason::Moved),
        ("not-accepting", Reason::NotAccepting),
        ("mailbox-full", Reason::MailboxFull),
        ("suspended", Reason::Suspended),
        ("filtered", Reason::Filtered),
        ("spam", Reason::Spam),
        ("policy", Reason::Policy),
        ("size", Reason::Size),
        ("content", Reason::Content),
        ("rate", Reason::Rate),
        ("expired", Reason::Expired),
        ("network", Reason::Network),
        ("system", Reason::System),
        ("undefined", Reason::Undefined),
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The reason of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }

    /// Whether it is the sender's to mend, and so says nothing of the reader.
    pub fn is_ours(self) -> bool {
        matches!(self, Reason::Spam | Reason::Policy | Reason::Size | Reason::Content | Reason::Rate)
    }
}

impl fmt::Debug for Report {
    /// Without addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("kind", &self.kind)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Recipient {
    /// Without addresses, nor words that may hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient")
            .field("hardness", &self.hardness)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// The most characters that a server's words are shown with.
const LONGEST_DIAGNOSTIC: usize = 500;

/// A stranger's words as they can be shown: one line, blanks run together, no control or invisible characters, cut.
pub(super) fn shown(text: &str) -> String {
    let is_invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let mut shown = String::new();
    let mut left = LONGEST_DIAGNOSTIC;
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = !shown.is_empty();
            continue;
        }
        if left <= usize::from(blank) {
            shown.push('…');
            break;
        }
        if blank {
            shown.push(' ');
            left -= 1;
            blank = false;
        }
        shown.push(if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c });
        left -= 1;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_in_one_line_and_short() {
        assert_eq!(
            shown("  550\r\n\tno \x1b[31m such\u{202e} user "),
            "550 no \u{fffd}[31m such\u{fffd} user"
        );
        assert_eq!(shown(&"あ".repeat(600)).chars().count(), 501);
        assert!((500..=501).contains(&shown(&"a b ".repeat(400)).chars().count()));
        assert_eq!(shown(""), "");
    }

    #[test]
    fn debug_output_shows_no_address() {
        let recipient = Recipient {
            address: "reader@example.jp".to_owned(),
            original: Some("reader@example.com".to_owned()),
            hardness: Hardness::Hard,
            status: EnhancedStatus::find("5.1.1"),
            reason: Reason::UnknownUser,
            diagnostic: "550 <reader@example.jp> unknown".to_owned(),
        };
        let report = Report {
            kind: Kind::Bounce,
            recipients: vec![recipient],
            message_id: Some("1.reader@example.jp".to_owned()),
            paths: vec!["b+1.2.mac@example.jp".to_owned()],
            leave: None,
        };
        let shown = format!("{report:?}");
        assert!(shown.contains("UnknownUser") && !shown.contains('@'), "{shown}");
    }
}
