//! Why mail was refused, and whether for good: from a status code, the server's words, and when it said them.

use super::addresses;
use super::phrases;
use super::report::{Hardness, Reason};
use super::status::{EnhancedStatus, reply_code};

/// At which command a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// At the connection, its greeting, EHLO, STARTTLS or AUTH: it knows no recipient yet.
    Connection,
    /// At MAIL: it knows the sender.
    Mail,
    /// At RCPT: it knows the recipient.
    Rcpt,
    /// At DATA or after it: it knows the message.
    Data,
}

/// A server's refusal of one recipient, as it was heard.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    /// The reply code and the words behind it, of all lines.
    pub text: &'a str,
    /// At which command it came.
    pub stage: Stage,
    /// The server's host name.
    pub server: &'a str,
    /// The recipient's address.
    pub address: &'a str,
}

/// What a server's refusal means.
pub fn judge(reply: &Reply<'_>) -> (Reason, Hardness) {
    let (reason, hardness) = weigh(&Facts {
        status: EnhancedStatus::find(reply.text),
        texts: vec![reply.text],
        stage: Some(reply.stage),
        server: reply.server,
        address: reply.address,
    });
    if reply.stage < Stage::Rcpt {
        // No recipient was named yet: whatever the words are, it is not he.
        let ours =
            if hardness == Hardness::Hard || reason == Reason::Undefined { Reason::Policy } else { reason };
        return (ours, Hardness::Soft);
    }
    (reason, hardness)
}

/// What is known of a refusal.
#[derive(Default)]
pub(super) struct Facts<'a> {
    /// The status code that was reported.
    pub status: Option<EnhancedStatus>,
    /// Words, those first that surely speak of this recipient.
    pub texts: Vec<&'a str>,
    /// At which command the server refused, where that is known.
    pub stage: Option<Stage>,
    /// The server's name.
    pub server: &'a str,
    /// The recipient.
    pub address: &'a str,
}

impl Facts<'_> {
    /// The status code that says most: the report's, or the first in the words where that one says only that it failed.
    pub(super) fn best_status(&self) -> Option<EnhancedStatus> {
        let precise = self.status.filter(|status| status.is_precise());
        let told = self.texts.first().and_then(|text| EnhancedStatus::find(quoted(text)));
        precise.or(told.filter(|status| status.class != 2)).or(self.status)
    }
}

/// What another server said, where a gateway quotes it behind a code of its own that is always the same:
/// `5.1.0 - Unknown address error 550-'5.7.1 …'`.
fn quoted(text: &str) -> &str {
    text.split_once("Unknown address error ").map_or(text, |(_, quoted)| quoted)
}

/// Weighs what is known of a refusal.
pub(super) fn weigh(facts: &Facts<'_>) -> (Reason, Hardness) {
    let status = facts.best_status();
    let mut said = facts.texts.iter().map(|text| phrases::reason(text));
    let reason = said.next().flatten();
    // The words of the rest of a notice say less than a code that is exact.
    let reason = reason.or_else(|| status.filter(|status| status.detail != 0).and_then(by_status));
    let reason = reason.or_else(|| said.find_map(|reason| reason));
    let reason = reason.or_else(|| status.and_then(by_status)).or_else(|| by_reply(facts));
    let reason = settled(reason.unwrap_or(Reason::Undefined), status, facts);
    let can_be_hard =
        matches!(reason, Reason::UnknownUser | Reason::UnknownHost | Reason::Moved | Reason::NotAccepting);
    let hardness = if can_be_hard && is_permanent(facts, reason) { Hardness::Hard } else { Hardness::Soft };
    (reason, hardness)
}

/// An unknown user is none where the server says otherwise by its code, or when and who it is.
fn settled(reason: Reason, status: Option<EnhancedStatus>, facts: &Facts<'_>) -> Reason {
    let subject = status.map_or(0, |status| status.subject);
    let is_address = status.is_some_and(|status| (status.subject, status.detail) == (1, 1));
    match reason {
        // RFC 3463, 3.8: security and policy. The mailbox may well be there.
        // Some say so of every address that they do not know.
        Reason::UnknownUser if subject == 7 && says_no_such_user(facts) => Reason::UnknownUser,
        Reason::UnknownUser | Reason::UnknownHost | Reason::NotAccepting if subject == 7 => Reason::Filtered,
        // A server that has taken the recipient knows him; what it refuses is the message. Yahoo alone says at DATA,
        // in a sentence of its own, that there is no such account.
        Reason::UnknownUser if facts.stage == Some(Stage::Data) && !is_address && !says_no_account(facts) => {
            Reason::Filtered
        }
        Reason::UnknownUser if calls_filtered_unknown(facts) => Reason::Filtered,
        // A sender that is not believed may be told of an unknown address: his own.
        Reason::UnknownUser | Reason::UnknownHost | Reason::Undefined
            if facts.stage.is_some_and(|stage| stage < Stage::Rcpt) =>
        {
            Reason::Policy
        }
        other => other,
    }
}

fn says_no_account(facts: &Facts<'_>) -> bool {
    facts.texts.first().is_some_and(|text| text.contains("doesn't have a "))
}

fn says_no_such_user(facts: &Facts<'_>) -> bool {
    let said = facts.texts.first().map_or("", |text| text.trim_end());
    // The latter is the name of qmail's list of those whom it knows.
    facts.stage.is_none_or(|stage| stage == Stage::Rcpt)
        && (said.contains("5.7.1 No such user!") || said.contains("in my validrcptto list"))
}

/// docomo and au answer "550 Unknown user" to mail that a reader's filter refuses.
fn calls_filtered_unknown(facts: &Facts<'_>) -> bool {
    const CARRIERS: [&str; 4] = ["docomo.ne.jp", "ezweb.ne.jp", "au.com", "uqmobile.jp"];
    let is_carrier = |name: &str| {
        let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
        CARRIERS.iter().any(|carrier| {
            name.strip_suffix(carrier).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    };
    let server = facts.server.rsplit([';', ' ']).next().unwrap_or_default();
    let words = || {
        facts
            .texts
            .iter()
            .take(2)
            .flat_map(|text| text.split(|c: char| c.is_whitespace() || ":;,[]()<>\"".contains(c)))
    };
    is_carrier(addresses::domain(facts.address)) || is_carrier(server) || words().take(2_000).any(is_carrier)
}

/// Whether a server refused for good: the exact code says so, or the reply code, or nothing says otherwise.
fn is_permanent(facts: &Facts<'_>, reason: Reason) -> bool {
    let told = facts.texts.first().map_or("", |text| quoted(text));
    // A transcript may tell of several servers: the line that says why counts.
    let says_why = |line: &&str| reply_code(line).is_some() && phrases::reason(line) == Some(reason);
    let told = told.lines().take(100).find(says_why).unwrap_or(told);
    // The reply code says what the server means for now (RFC 5321, section 4.2.1), whatever stands behind it.
    let begins = told.trim_start().get(..4).unwrap_or_default();
    if begins.starts_with('4') && reply_code(begins).is_some() {
        return false;
    }
    if let Some(status) = facts.status.filter(|status| status.is_precise()) {
        return status.class == 5;
    }
    let told_status = EnhancedStatus::find(told).map(|status| status.class);
    let class = told_status.or_else(|| reply_code(told).map(|code| if code < 500 { 4 } else { 5 }));
    class.or(facts.status.map(|status| status.class)).is_none_or(|class| class == 5)
}

/// RFC 3463, and the registry of enhanced status codes.
fn by_status(status: EnhancedStatus) -> Option<Reason> {
    Some(match (status.subject, status.detail) {
        (1, 0 | 1 | 3) => Reason::UnknownUser,
        (1, 2) => Reason::UnknownHost,
        (1, 4) => Reason::Filtered,
        (1, 6) => Reason::Moved,
        (1, 7 | 8) => Reason::Policy,
        (1, 9) => Reason::System,
        (1, 10) => Reason::NotAccepting,
        (2, 1) => Reason::Suspended,
        (2, 2) => Reason::MailboxFull,
        (2, 3) => Reason::Size,
        (2, _) => Reason::Filtered,
        (3, 2) => Reason::NotAccepting,
        (3, 4) => Reason::Size,
        (3, _) => Reason::System,
        (4, 4 | 310) => Reason::UnknownHost,
        (4, 7 | 300 | 316) => Reason::Expired,
        (4, _) => Reason::Network,
        (5, 3) => Reason::Rate,
        (5, _) => Reason::System,
        (6, _) => Reason::Content,
        (7, 13) => Reason::Suspended,
        (7, 28) => Reason::Rate,
        (7, _) => Reason::Policy,
        _ => return None,
    })
}

fn by_reply(facts: &Facts<'_>) -> Option<Reason> {
    Some(match reply_code(quoted(facts.texts.first()?))? {
        421 => Reason::Network,
        422 | 452 | 552 => Reason::MailboxFull,
        // RFC 7504.
        521 | 556 => Reason::NotAccepting,
        530 | 535 => Reason::Policy,
        _ => return None,
    })
}

/// At which command a server refused, by a notice's words. `>>> DATA` is what sendmail shows when it had sent its
/// commands together; a reply to RCPT may stand below it, and then a second one that says so.
pub(super) fn stage(text: &str) -> Option<Stage> {
    const SAID: [(&str, Stage); 40] = [
        // qmail's sentences, and what one large service puts behind a reply.
        ("does not like recipient", Stage::Rcpt),
        ("failed after i sent the message", Stage::Data),
        ("failed on data command", Stage::Data),
        ("but sender was rejected", Stage::Mail),
        ("but my name was rejected", Stage::Connection),
        ("but greeting failed", Stage::Connection),
        ("[rcpt_to]", Stage::Rcpt),
        ("[mail_from]", Stage::Mail),
        ("[body]", Stage::Data),
        // Another counts its states.
        ("(state 9)", Stage::Mail),
        ("(state 13)", Stage::Rcpt),
        ("(state 14)", Stage::Rcpt),
        ("(state 16)", Stage::Data),
        ("(state 17)", Stage::Data),
        ("(state 18)", Stage::Data),
        ("following rcpt command", Stage::Rcpt),
        ("following data command", Stage::Data),
        ("following mail command", Stage::Mail),
        ("in reply to end of data", Stage::Data),
        ("in reply to data", Stage::Data),
        ("after end of data", Stage::Data),
        ("after sending end of data", Stage::Data),
        ("after data", Stage::Data),
        ("in reply to rcpt", Stage::Rcpt),
        ("after rcpt", Stage::Rcpt),
        ("in response to the rcpt", Stage::Rcpt),
        ("sent <<< rcpt", Stage::Rcpt),
        ("in reply to mail", Stage::Mail),
        ("after mail from", Stage::Mail),
        ("in reply to ehlo", Stage::Connection),
        ("in reply to helo", Stage::Connection),
        ("after ehlo", Stage::Connection),
        ("after helo", Stage::Connection),
        ("after initial connection", Stage::Connection),
        ("while receiving the initial server greeting", Stage::Connection),
        ("smtp command\ndata", Stage::Data),
        ("smtp command\nrcpt", Stage::Rcpt),
        ("smtp command\nmail", Stage::Mail),
        ("smtp command\nehlo", Stage::Connection),
        ("smtp command\nhelo", Stage::Connection),
    ];
    let text = text.to_ascii_lowercase();
    let said = SAID.iter().filter_map(|(said, stage)| Some((text.find(said)?, *stage))).min();
    if let Some((_, stage)) = said {
        return Some(stage);
    }
    let mut command = None;
    for line in text.lines().map(str::trim) {
        if let Some(sent) = line.strip_prefix(">>>") {
            command = match sent.trim().get(..4) {
                Some("rcpt") => Some(Stage::Rcpt),
                Some("mail") => Some(Stage::Mail),
                Some("data") => Some(Stage::Data),
                Some("ehlo" | "helo" | "auth") => Some(Stage::Connection),
                _ => command,
            };
        } else if command.is_some() && line.starts_with("<<<") {
            let is_refused = line.trim_start_matches(['<', ' ']).starts_with(['4', '5']);
            if is_refused && command == Some(Stage::Data) && text.contains("need rcpt") {
                return Some(Stage::Rcpt);
            }
            if is_refused {
                return command;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_mean_what_they_say() {
        use Hardness::{Hard, Soft};
        use Stage::{Connection, Data, Mail, Rcpt};
        let check = |stage, text: &str, server: &str, expected: (Reason, Hardness)| {
            let reply = Reply { text, stage, server, address: "reader@example.com" };
            assert_eq!(judge(&reply), expected, "{stage:?} {text}");
        };
        let mx = "mx.example.com";
        check(Rcpt, "550 5.1.1 <reader@example.com>: user unknown", mx, (Reason::UnknownUser, Hard));
        check(Rcpt, "550 no such user", mx, (Reason::UnknownUser, Hard));
        check(Rcpt, "550 5.2.1 user unknown", mx, (Reason::UnknownUser, Hard));
        check(Rcpt, "550 5.1.1", mx, (Reason::UnknownUser, Hard));
        check(Rcpt, "550 5.1.2 bad host", mx, (Reason::UnknownHost, Hard));
        check(Rcpt, "551 5.1.6 has moved", mx, (Reason::Moved, Hard));
        check(Rcpt, "556 5.1.10 null MX", mx, (Reason::NotAccepting, Hard));
        check(Rcpt, "521 no mail here", mx, (Reason::NotAccepting, Hard));
        // Not now.
        check(Rcpt, "450 4.1.1 user unknown", mx, (Reason::UnknownUser, Soft));
        check(Rcpt, "450 no such user", mx, (Reason::UnknownUser, Soft));
        check(Rcpt, "451 greylisted", mx, (Reason::Policy, Soft));
        check(Rcpt, "452 4.2.2 full", mx, (Reason::MailboxFull, Soft));
        check(Rcpt, "421 busy", mx, (Reason::Network, Soft));
        // It is the message, the sender or the server that is not wanted.
        check(Data, "550 unknown user", mx, (Reason::Filtered, Soft));
        check(Data, "550 5.1.1 unknown user", mx, (Reason::UnknownUser, Hard));
        check(Data, "554 dd This user doesn't have a example.com account", mx, (Reason::UnknownUser, Hard));
        check(Rcpt, "550 5.7.1 no such user here for you", mx, (Reason::Filtered, Soft));
        check(
            Rcpt,
            "550-5.7.26 not authenticated,\n550 5.7.26 see http://example.com",
            mx,
            (Reason::Policy, Soft),
        );
        check(Rcpt, "550 Sender address rejected: Domain not found", mx, (Reason::Policy, Soft));
        check(Mail, "550 unknown user", mx, (Reason::Policy, Soft));
        check(Mail, "552 5.3.4 message too large", mx, (Reason::Size, Soft));
        check(Connection, "554 no", mx, (Reason::Policy, Soft));
        check(Connection, "554 host unknown", mx, (Reason::Policy, Soft));
        // Whom docomo and au do not want to hear they call unknown, and so do those who relay to them.
        check(Rcpt, "550 Unknown user", "mfsmax.docomo.ne.jp", (Reason::Filtered, Soft));
        check(Rcpt, "550 5.1.1 User unknown", "lsean.ezweb.ne.jp.", (Reason::Filtered, Soft));
        check(Rcpt, "550 User unknown", "dns; mx.au.com", (Reason::Filtered, Soft));
        check(Rcpt, "550 User unknown", "notau.com", (Reason::UnknownUser, Hard));
        check(Rcpt, "550 host mfsmax.docomo.ne.jp said: Unknown user", mx, (Reason::Filtered, Soft));
        check(Rcpt, "550 what", mx, (Reason::Undefined, Soft));
        check(Rcpt, "", mx, (Reason::Undefined, Soft));
    }

    #[test]
    fn the_command_is_found_in_a_notice() {
        let check = |notice: &str, expected| assert_eq!(stage(notice), expected, "{notice}");
        check("said: 550 no (in reply to RCPT TO command)", Some(Stage::Rcpt));
        check("said: 550 no (in reply to end of DATA command)", Some(Stage::Data));
        check("SMTP error from remote mail server after MAIL FROM:<a@example.jp>:", Some(Stage::Mail));
        check("after RCPT TO:<a@example.jp>: 550 no\nafter end of data", Some(Stage::Rcpt));
        check(">>> MAIL From:<a@example.jp>\n<<< 250 ok\n>>> DATA\n<<< 550 no", Some(Stage::Data));
        check(">>> DATA\n<<< 550 no\n<<< 503 5.0.0 Need RCPT (recipient)", Some(Stage::Rcpt));
        check(">>> RCPT To:<a@example.jp>\n<<< 550 no\n>>> DATA\n<<< 503 no", Some(Stage::Rcpt));
        check("-------SMTP command\nDATA\n", Some(Stage::Data));
        check("550 no", None);
    }
}
