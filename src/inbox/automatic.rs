//! Which mails a machine sent, so that no machine answers them (RFC 3834).

use super::head::Head;
use super::{Addresses, mailbox};
use crate::bounce::{self, Sign};
use crate::list::NoticeKind;

/// More servers than any mail passes unless it goes round in circles.
const MOST_HOPS: usize = 50;

/// Whether a mail is one of ours that went round.
pub(super) fn is_own(head: &Head<'_>, addresses: &Addresses<'_>) -> bool {
    let id = head.text("message-id").unwrap_or_default();
    let senders = ["from", "sender", "return-path"].into_iter().flat_map(|name| head.all(name));
    NoticeKind::is_message_id(&id, addresses.domain)
        || senders.flat_map(|value| mailbox::addresses(&value)).any(|sender| addresses.is_ours(&sender))
}

/// The sign by which a machine is known: what it is called in a sentence.
pub(super) fn sign(octets: &[u8], head: &Head<'_>) -> Option<&'static str> {
    if let Some(sign) = bounce::automatic(octets, None) {
        return Some(match sign {
            Sign::EmptyPath => "an empty Return-Path",
            Sign::AutoSubmitted => "Auto-Submitted, or what others write in its place",
            Sign::List => "it came by a mailing list",
            Sign::Precedence => "Precedence",
            Sign::Report => "it is a report",
            Sign::Daemon => "its sender is a server",
            Sign::Loop => "X-Loop",
        });
    }
    if ["from", "sender", "return-path"]
        .into_iter()
        .flat_map(|name| head.all(name))
        .any(|from| is_list(&from))
    {
        Some("its sender is a mailing list")
    } else if head.text("x-spam-flag").is_some_and(|flag| flag.trim().eq_ignore_ascii_case("yes")) {
        Some("it is marked as spam")
    } else if head.all("received").count() > MOST_HOPS {
        Some("it has gone a long way round")
    } else {
        None
    }
}

/// Whether a mailing list's software sends from an address (RFC 3834, section 2).
fn is_list(value: &str) -> bool {
    mailbox::addresses(value).iter().any(|address| {
        let local_part = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
        ["listserv", "majordomo", "mailman"].contains(&local_part.as_str())
            || local_part.starts_with("owner-")
            || ["-request", "-owner", "-bounces"].iter().any(|end| local_part.ends_with(end))
    })
}
