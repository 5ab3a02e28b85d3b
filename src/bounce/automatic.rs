//! Whether a mail was written by a machine: such mail is never answered (RFC 3834, section 2).

use super::addresses;
use super::fields::Fields;

/// By what a mail is known to be a machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Its envelope has no sender: a notice on delivery (RFC 5321, section 4.5.5).
    EmptyPath,
    /// `Auto-Submitted` with anything but `no` (RFC 3834, section 5), or what others write in its place.
    AutoSubmitted,
    /// It came by a mailing list (RFC 2919, RFC 2369).
    List,
    /// `Precedence: bulk`, `list` or `junk`.
    Precedence,
    /// It is a report (RFC 6522).
    Report,
    /// It is from a mail server or its keeper.
    Daemon,
    /// It has been here before: `X-Loop`.
    Loop,
}

/// Whether a mail is a machine's, and by what that is known. `envelope_sender` is the sender of its envelope, where
/// that is known; else its `Return-Path` stands for it.
pub fn automatic(octets: &[u8], envelope_sender: Option<&str>) -> Option<Sign> {
    let header = super::message::open(&octets[..header_end(octets)]).header;
    sign(&header, envelope_sender)
}

/// A header needs no more than this, in octets.
const LONGEST_HEADER: usize = 256 << 10;

fn header_end(octets: &[u8]) -> usize {
    let octets = &octets[..octets.len().min(LONGEST_HEADER)];
    let blank = |window: &[u8]| window.starts_with(b"\n\n") || window.starts_with(b"\n\r\n");
    octets.windows(3).position(blank).map_or(octets.len(), |at| at + 1)
}

pub(super) fn sign(header: &Fields, envelope_sender: Option<&str>) -> Option<Sign> {
    let small = |name: &str| header.get(name).map(|value| value.trim().to_ascii_lowercase());
    let path = envelope_sender.or(header.get("return-path"));
    if path.is_some_and(|path| path.trim().trim_matches(['<', '>']).is_empty()) {
        return Some(Sign::EmptyPath);
    }
    if small("auto-submitted")
        .is_some_and(|value| !value.is_empty() && value.split([';', ' ', '(']).next() != Some("no"))
    {
        return Some(Sign::AutoSubmitted);
    }
    let replied = [
        "x-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "x-auto-reply",
        "x-auto-response-suppress",
        "x-mail-autoreply",
    ];
    if replied.iter().any(|name| header.get(name).is_some()) {
        return Some(Sign::AutoSubmitted);
    }
    let lists = [
        "list-id",
        "list-unsubscribe",
        "list-post",
        "list-help",
        "mailing-list",
        "x-mailing-list",
        "x-ml-name",
        "x-mlserver",
    ];
    if lists.iter().any(|name| header.get(name).is_some()) {
        return Some(Sign::List);
    }
    if small("precedence").is_some_and(|value| ["bulk", "list", "junk", "auto_reply"].contains(&&*value)) {
        return Some(Sign::Precedence);
    }
    if small("content-type").is_some_and(|value| value.starts_with("multipart/report")) {
        return Some(Sign::Report);
    }
    let senders = path.into_iter().chain(header.get("from")).chain(header.get("sender"));
    if senders.into_iter().any(is_daemon) {
        return Some(Sign::Daemon);
    }
    header.get("x-loop").map(|_| Sign::Loop)
}

/// Whether a sender is a mail server, or speaks for one.
pub(super) fn is_daemon(sender: &str) -> bool {
    let local_part_is = |local: &str| {
        let local: String =
            local.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        const DAEMONS: [&str; 9] = [
            "mailerdaemon",
            "postmaster",
            "poostmaster",
            "mdaemon",
            "noreply",
            "donotreply",
            "bounces",
            "maildeliverysystem",
            "microsoftexchange",
        ];
        local == "daemon" || DAEMONS.iter().any(|daemon| local.starts_with(daemon))
    };
    let mut found = addresses::all(sender).peekable();
    if found.peek().is_none() {
        return local_part_is(sender.trim().trim_start_matches('<'));
    }
    found.any(|address| local_part_is(address.rsplit_once('@').map_or("", |(local, _)| local)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<Sign>) {
        let mail = format!("{header}\r\n\r\nList-Id: in the body\r\n");
        assert_eq!(automatic(mail.as_bytes(), None), expected, "{header}");
    }

    #[test]
    fn machines_are_known() {
        check("From: taro@example.jp\r\nSubject: subscribe", None);
        check("From: taro@example.jp\r\nAuto-Submitted: no", None);
        check("From: taro@example.jp\r\nAuto-Submitted: No (a person)\r\nPrecedence: first-class", None);
        check("From: taro@example.jp\r\nAuto-Submitted: auto-replied (vacation)", Some(Sign::AutoSubmitted));
        check("From: taro@example.jp\r\nX-Autoreply: yes", Some(Sign::AutoSubmitted));
        check("Return-Path: <>\r\nFrom: taro@example.jp", Some(Sign::EmptyPath));
        check("Return-Path: <taro@example.jp>\r\nFrom: taro@example.jp", None);
        check("From: a@example.jp\r\nList-Id: <a.example.jp>", Some(Sign::List));
        check("From: a@example.jp\r\nPrecedence: Bulk", Some(Sign::Precedence));
        check("From: a@example.jp\r\nContent-Type: multipart/report; report-type=x", Some(Sign::Report));
        check("From: Mail System <MAILER-DAEMON@example.jp>", Some(Sign::Daemon));
        check("From: MAILER-DAEMON", Some(Sign::Daemon));
        check("From: a@example.jp\r\nX-Loop: a@example.jp", Some(Sign::Loop));
        assert_eq!(automatic(b"From: a@example.jp\n\n", Some("")), Some(Sign::EmptyPath));
        assert_eq!(automatic(b"Return-Path: <>\nFrom: a@example.jp\n\n", Some("a@example.jp")), None);
        assert_eq!(automatic(b"", None), None);
    }
}
