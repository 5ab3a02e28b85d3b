//! Whose fault it was: a pure rule over stage and answer.

use super::outcome::{Answer, Failure, Stage};
use super::reply::Reply;
use crate::mailing::Verdict;

/// Judges what ended a delivery.
///
/// The basic code's class says whether it is for good, save that an enhanced 4.x makes a refusal passing. Of
/// refusals for good, 5.1.x (RFC 3463: the address) and 5.2.x (the mailbox) are the address's wherever a
/// recipient is known; 5.7.x (policy: SPF, DKIM, blocked senders, relaying) is ours wherever it comes.
/// Without an enhanced code the stage decides: a refusal of RCPT is of the address, one after that of the
/// message, which is ours.
pub fn verdict(stage: Stage, answer: &Answer) -> Verdict {
    match answer {
        Answer::Reply(reply) => of_reply(stage, reply),
        Answer::Failure(failure) => of_failure(stage, failure),
    }
}

fn of_reply(stage: Stage, reply: &Reply) -> Verdict {
    let code = reply.code();
    let (class, subject) = match reply.enhanced() {
        Some(enhanced) if enhanced.class != 2 => (Some(enhanced.class), Some(enhanced.subject)),
        _ => (None, None),
    };
    let knows_the_reader = matches!(stage, Stage::Rcpt | Stage::Data | Stage::Body | Stage::Dot);
    match code {
        // "Shutting down": said at any time, and always of the server (RFC 5321, section 3.8).
        421 => Verdict::ServerFault,
        400..=499 if knows_the_reader => Verdict::Deferred,
        400..=499 => Verdict::ServerFault,
        500..=599 if class == Some(4) && knows_the_reader => Verdict::Deferred,
        500..=599 if class == Some(4) => Verdict::ServerFault,
        // Our own RSET is always in place.
        500..=599 if stage == Stage::Reset => Verdict::ServerFault,
        500..=599 if !knows_the_reader => Verdict::OwnFault,
        500..=599 => match subject {
            Some(1 | 2) => Verdict::Rejected,
            Some(7) => Verdict::OwnFault,
            _ if stage == Stage::Rcpt && !is_of_commands(code) => Verdict::Rejected,
            _ => Verdict::OwnFault,
        },
        _ if stage == Stage::Dot && stage.is_passed_by(code) => Verdict::Accepted,
        // A 3xx after the last dot answers nothing that was asked.
        _ if stage == Stage::Dot => Verdict::Unknown,
        _ => Verdict::ServerFault,
    }
}

/// Codes that are never about an address: unknown, not implemented, out of order, not logged in (RFC 5321,
/// section 4.2.3; RFC 4954).
fn is_of_commands(code: u16) -> bool {
    matches!(code, 500 | 502 | 503 | 504 | 530 | 534 | 535 | 538)
}

fn of_failure(stage: Stage, failure: &Failure) -> Verdict {
    match failure {
        Failure::InTheClear | Failure::EightBit | Failure::TooLarge { .. } | Failure::Outbox { .. } => {
            Verdict::OwnFault
        }
        Failure::NotOffered(_) if stage == Stage::Auth => Verdict::OwnFault,
        _ if stage == Stage::Dot => Verdict::Unknown,
        _ => Verdict::ServerFault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stage::*;
    use Verdict::*;

    const STAGES: [Stage; 13] =
        [Connect, Tls, Banner, Ehlo, StartTls, Auth, Reset, Mail, Rcpt, Data, Body, Dot, Quit];

    fn of(stage: Stage, code: u16, text: &str) -> Verdict {
        verdict(stage, &Answer::Reply(Reply::new(code, text)))
    }

    #[test]
    fn replies_have_their_verdicts() {
        let cases = [
            // Before any reader is named.
            (Banner, 554, "no service", OwnFault),
            (Banner, 450, "later", ServerFault),
            (Ehlo, 550, "bad name", OwnFault),
            (Ehlo, 504, "", OwnFault),
            (StartTls, 454, "TLS not available", ServerFault),
            (Auth, 535, "5.7.8 bad credentials", OwnFault),
            (Auth, 454, "4.7.0 later", ServerFault),
            (Auth, 334, "what else?", ServerFault),
            (Mail, 550, "5.7.1 SPF", OwnFault),
            (Mail, 553, "5.1.8 sender's domain", OwnFault),
            (Mail, 552, "5.3.4 too large", OwnFault),
            (Mail, 451, "4.3.0 later", ServerFault),
            (Mail, 452, "", ServerFault),
            (Mail, 530, "5.7.0 log in", OwnFault),
            (Reset, 502, "", ServerFault),
            (Mail, 354, "out of step", ServerFault),
            // The address.
            (Rcpt, 550, "5.1.1 unknown", Rejected),
            (Rcpt, 550, "unknown", Rejected),
            (Rcpt, 551, "moved", Rejected),
            (Rcpt, 553, "not allowed", Rejected),
            (Rcpt, 554, "", Rejected),
            (Rcpt, 501, "5.1.3 bad syntax", Rejected),
            (Rcpt, 552, "5.2.2 mailbox full", Rejected),
            (Rcpt, 550, "5.4.1 access denied", Rejected),
            (Data, 554, "5.1.1 no valid recipients", Rejected),
            (Dot, 550, "5.1.1 unknown", Rejected),
            (Dot, 550, "5.2.1 disabled", Rejected),
            // Not now.
            (Rcpt, 450, "4.2.0 greylisted", Deferred),
            (Rcpt, 451, "", Deferred),
            (Rcpt, 452, "4.2.2 mailbox full", Deferred),
            (Rcpt, 450, "5.1.1 unknown, they say", Deferred),
            (Rcpt, 550, "4.2.1 full", Deferred),
            (Data, 451, "", Deferred),
            (Dot, 451, "4.7.1 later", Deferred),
            (Dot, 452, "", Deferred),
            // Ourselves.
            (Rcpt, 554, "5.7.1 relay access denied", OwnFault),
            (Rcpt, 550, "5.7.26 unauthenticated", OwnFault),
            (Rcpt, 550, "5.7.515 access denied", OwnFault),
            (Rcpt, 503, "bad sequence", OwnFault),
            (Rcpt, 530, "log in", OwnFault),
            (Data, 554, "", OwnFault),
            (Data, 503, "", OwnFault),
            (Dot, 554, "5.7.1 spam", OwnFault),
            (Dot, 550, "5.6.0 content", OwnFault),
            (Dot, 554, "transaction failed", OwnFault),
            (Dot, 552, "5.3.4 too large", OwnFault),
            // Well, or nobody knows.
            (Dot, 250, "2.0.0 queued", Accepted),
            (Dot, 250, "", Accepted),
            (Dot, 354, "go on", Unknown),
            (Data, 250, "out of step", ServerFault),
        ];
        for (stage, code, text, expected) in cases {
            assert_eq!(of(stage, code, text), expected, "{stage:?} {code} {text}");
        }
        for stage in STAGES {
            assert_eq!(of(stage, 421, "4.7.0 closing"), ServerFault, "{stage:?}");
        }
    }

    #[test]
    fn only_the_last_dot_accepts_and_only_a_named_reader_is_marked() {
        for stage in STAGES {
            for code in 200..600 {
                for text in ["", "5.1.1 x", "5.7.1 x", "4.2.0 x", "2.0.0 x", "5.2.2 x"] {
                    let verdict = of(stage, code, text);
                    assert_eq!(verdict == Accepted, stage == Dot && code < 300, "{stage:?} {code} {text}");
                    if matches!(verdict, Rejected | Deferred) {
                        assert!(stage >= Rcpt && code >= 400, "{stage:?} {code} {text}");
                    }
                    assert!(verdict != Unknown || stage == Dot, "{stage:?} {code} {text}");
                }
            }
        }
    }

    #[test]
    fn failures_have_their_verdicts() {
        let wire = [
            Failure::Io(std::io::ErrorKind::ConnectionReset),
            Failure::Silence,
            Failure::Cut,
            Failure::Garbage(b"?".to_vec()),
            Failure::TooLong,
            Failure::OutOfStep,
            Failure::GivenUp,
        ];
        for stage in STAGES {
            for failure in &wire {
                let expected = if stage == Dot { Unknown } else { ServerFault };
                assert_eq!(
                    verdict(stage, &Answer::Failure(failure.clone())),
                    expected,
                    "{stage:?} {failure}"
                );
            }
        }
        let cases = [
            (Connect, Failure::NoAddress(String::new()), ServerFault),
            (Connect, Failure::InTheClear, OwnFault),
            (Tls, Failure::Untrusted(String::new()), ServerFault),
            (Tls, Failure::Tls(String::new()), ServerFault),
            (StartTls, Failure::NotOffered("STARTTLS"), ServerFault),
            (StartTls, Failure::Injected, ServerFault),
            (Auth, Failure::NotOffered("AUTH"), OwnFault),
            (Mail, Failure::EightBit, OwnFault),
            (Mail, Failure::TooLarge { size: 2, limit: 1 }, OwnFault),
            (Body, Failure::Outbox { path: String::new(), kind: std::io::ErrorKind::StorageFull }, OwnFault),
        ];
        for (stage, failure, expected) in cases {
            assert_eq!(verdict(stage, &Answer::Failure(failure.clone())), expected, "{stage:?} {failure}");
        }
    }
}
