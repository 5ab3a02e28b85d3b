//! What came back of one reader's mail, as it is kept: from a report or from a server's reply.

use std::fmt;

use super::reason::{Reply, judge};
use super::report::{Hardness, Kind, Reason, Recipient, Report, shown};
use super::status::EnhancedStatus;
use super::suppression::Event;
use crate::digest;
use crate::list::Token;
use crate::model::{name_of, named};

/// What came back of a mail to a reader.
#[derive(Clone, PartialEq, Eq)]
pub struct Returned {
    /// By which way.
    pub way: Way,
    /// What it says of the reader; nothing when the fault is the sender's.
    pub event: Option<Event>,
    /// Whether trying again is of use.
    pub hardness: Hardness,
    /// The status code, if one was told.
    pub status: Option<EnhancedStatus>,
    /// Why.
    pub reason: Reason,
    /// The server's words in one line, of at most 500 characters.
    pub diagnostic: String,
}

/// By which way mail came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// The server refused it while it was sent.
    Refusal,
    /// A notice came later.
    Bounce,
    /// The reader called it spam, or asked his mail service to be taken off.
    Complaint,
}

impl Way {
    /// The words that the store and reports have for each.
    pub const NAMES: [(&str, Way); 3] =
        [("refusal", Way::Refusal), ("bounce", Way::Bounce), ("complaint", Way::Complaint)];

    /// The word for it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The way of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

impl Returned {
    /// What a report says of the reader whom the message went to; `None` when nothing came back: mail is late, was
    /// delivered, or a machine answered it.
    pub fn of_report(report: &Report) -> Option<Returned> {
        let way = match report.kind {
            Kind::Bounce => Way::Bounce,
            Kind::Complaint => Way::Complaint,
            Kind::Delay | Kind::Delivered | Kind::Feedback | Kind::AutoReply => return None,
        };
        let event = report.event();
        // Of several, the one that decided; they stand for one reader, who has his mail sent on.
        let decided = |recipient: &&Recipient| way == Way::Complaint || recipient.event() == event;
        let recipient = report.recipients.iter().find(decided)?;
        Some(Returned {
            way,
            event,
            hardness: recipient.hardness,
            status: recipient.status,
            reason: recipient.reason,
            diagnostic: recipient.diagnostic.clone(),
        })
    }

    /// What a server's refusal says of the reader: the one place that turns a reply into an [`Event`].
    pub fn of_reply(reply: &Reply<'_>) -> Returned {
        let (reason, hardness) = judge(reply);
        let recipient = Recipient {
            address: String::new(),
            original: None,
            hardness,
            status: EnhancedStatus::find(reply.text),
            reason,
            diagnostic: shown(reply.text),
        };
        Returned {
            way: Way::Refusal,
            event: recipient.event(),
            hardness,
            status: recipient.status,
            reason,
            diagnostic: recipient.diagnostic,
        }
    }
}

impl Report {
    /// The tokens in the places where the returned mail says its reader leaves: `…/u/TOKEN`, `mailto:u+TOKEN@…`.
    pub fn tokens(&self) -> impl Iterator<Item = Token> {
        let pieces = self.leave.iter().flat_map(|leave| leave.split(|c: char| !c.is_ascii_alphanumeric()));
        pieces.filter_map(Token::parse).take(4)
    }

    /// By what the same report is known when it is read twice: the Message-ID of the mail it came in, or what it says.
    pub fn digest(&self, message_id: &str) -> [u8; 32] {
        if !message_id.is_empty() {
            return digest::sha256_octets(message_id.as_bytes());
        }
        let mut said = format!("{:?}\n{}\n", self.kind, self.message_id.as_deref().unwrap_or(""));
        for recipient in &self.recipients {
            said.push_str(&format!("{}\n{}\n", recipient.address, recipient.diagnostic));
        }
        digest::sha256_octets(said.as_bytes())
    }
}

impl fmt::Debug for Returned {
    /// Without words that may hold an address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned")
            .field("way", &self.way)
            .field("event", &self.event)
            .field("hardness", &self.hardness)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::*;

    #[test]
    fn a_refusal_says_of_the_reader_what_a_report_of_it_would() {
        let check = |text: &str, address: &str, expected: Option<Event>| {
            let reply = Reply { text, stage: Stage::Rcpt, server: "mx.example.com", address };
            assert_eq!(Returned::of_reply(&reply).event, expected, "{text}");
        };
        check("550 5.1.1 no such user", "a@example.com", Some(Event::UnknownAddress));
        check("550 no such user", "a@example.com", Some(Event::Hard));
        check("552 5.2.2 mailbox full", "a@example.com", Some(Event::Soft));
        check("451 4.2.0 later", "a@example.com", Some(Event::Soft));
        check("550 Unknown user", "a@docomo.ne.jp", Some(Event::Soft));
        check("550 5.1.1 Unknown user", "a@ezweb.ne.jp", Some(Event::Soft));
        check("550 5.7.26 not authenticated", "a@example.com", None);
    }

    #[test]
    fn ways_and_reasons_have_their_names() {
        for (name, way) in Way::NAMES {
            assert_eq!((way.name(), Way::named(name)), (name, Some(way)));
        }
        for (name, reason) in Reason::NAMES {
            assert_eq!((reason.name(), Reason::named(name)), (name, Some(reason)));
        }
    }
}
