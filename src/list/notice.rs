//! Notices: mails to one reader about his subscription. They wait in the store until they are sent.

use chrono::{DateTime, Utc};

use super::Nonce;
use crate::digest;
use crate::model::{EmailAddress, Language, name_of, named};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// Asks whether the owner of the address wants the magazine: carries a `Confirm` link.
    Confirm,
    /// Tells who asked again that he is subscribed already: carries a `Preferences` link.
    AlreadySubscribed,
    /// Welcomes who has confirmed: carries his `Unsubscribe` link.
    Welcome,
    /// Tells who has left that it is done: how to undo it.
    Goodbye,
    /// Asks the owner of a new address whether it is his: carries a `ChangeAddress` link.
    ChangeAddress,
    /// Tells the old address that the mail goes to another one now.
    Changed,
    /// The links that a reader has lost: `Unsubscribe` and `Preferences`.
    Links,
}

/// A mail that waits to be sent.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its number in the store.
    pub id: i64,
    /// What it is about.
    pub kind: NoticeKind,
    /// Where it goes.
    pub to: EmailAddress,
    /// The language it is written in.
    pub language: Language,
    /// The character set to answer in (a MIME charset name), for who asked by mail.
    pub charset: Option<String>,
    /// What its own token and its Message-ID are made from.
    pub nonce: Nonce,
    /// What the reader's `Unsubscribe` token is made from, where he is subscribed.
    pub unsubscribe: Option<Nonce>,
    /// When it was asked for: its Date, the same however often it is tried.
    pub created: DateTime<Utc>,
    /// How often it was tried before.
    pub attempts: u32,
}

impl NoticeKind {
    const NAMES: [(&str, NoticeKind); 7] = [
        ("confirm", NoticeKind::Confirm),
        ("already", NoticeKind::AlreadySubscribed),
        ("welcome", NoticeKind::Welcome),
        ("goodbye", NoticeKind::Goodbye),
        ("change", NoticeKind::ChangeAddress),
        ("changed", NoticeKind::Changed),
        ("links", NoticeKind::Links),
    ];

    /// The kind as the store writes it, and as its template is called: `mail/confirm.txt`.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The kind of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }

    /// The Message-ID (RFC 5322, section 3.6.4) of the notice of this kind that a nonce belongs to, with its angle
    /// brackets; the domain is that of the magazine's sender. It is the same on every retry, so that a receiver can
    /// see the double, and tells neither the nonce nor the token that is made of it.
    pub fn message_id(self, nonce: Nonce, domain: &str) -> String {
        let digest = digest::sha256_octets(&[self.name().as_bytes(), b" Message-ID ", &nonce.0].concat());
        format!("<{MESSAGE_ID}{}@{domain}>", digest::hexadecimal(&digest[..16]))
    }

    /// Whether a Message-ID, with or without its angle brackets, is one that [`NoticeKind::message_id`] makes.
    pub fn is_message_id(id: &str, domain: &str) -> bool {
        let id = id.trim().trim_start_matches('<').trim_end_matches('>');
        id.rsplit_once('@')
            .is_some_and(|(left, right)| left.starts_with(MESSAGE_ID) && right.eq_ignore_ascii_case(domain))
    }
}

/// What the Message-ID of every notice begins with.
const MESSAGE_ID: &str = "notice.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_the_same_on_every_retry_and_tells_notices_apart() {
        let make = |kind: NoticeKind, nonce: u8| kind.message_id(Nonce([nonce; 16]), "mag.example");
        let one = make(NoticeKind::Confirm, 1);
        assert_eq!(one, make(NoticeKind::Confirm, 1));
        assert_ne!(one, make(NoticeKind::Confirm, 2));
        assert_ne!(one, make(NoticeKind::Welcome, 1));
        assert!(one.starts_with("<notice.") && one.ends_with("@mag.example>"), "{one}");
        assert!(NoticeKind::is_message_id(&one, "MAG.example"));
        for other in ["", "<notice.1@other.example>", "<issue.1@mag.example>", "notice.1"] {
            assert!(!NoticeKind::is_message_id(other, "mag.example"), "{other}");
        }
    }
}
