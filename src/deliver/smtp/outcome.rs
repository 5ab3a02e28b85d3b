//! What ended a delivery: where, at which stage, and by what answer.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::reply::{Reply, escaped};
use super::verdict::verdict;
use crate::bounce::{self, Returned};
use crate::mailing::Verdict;

/// The stages of a delivery, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Looking up the server's addresses and reaching one.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The server's greeting.
    Banner,
    /// EHLO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// RSET, after a refusal.
    Reset,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The octets, before the last dot was out.
    Body,
    /// After the last dot.
    Dot,
    /// QUIT.
    Quit,
}

impl Stage {
    /// Whether a reply of this code is the one that this stage hopes for (RFC 5321, section 4.3.2).
    pub fn is_passed_by(self, code: u16) -> bool {
        match self {
            Stage::Banner | Stage::StartTls => code == 220,
            Stage::Ehlo | Stage::Reset | Stage::Mail => code == 250,
            Stage::Auth => code == 235,
            Stage::Rcpt => matches!(code, 250..=252),
            Stage::Data => code == 354,
            Stage::Dot => matches!(code, 200..=299),
            Stage::Quit => code == 221,
            Stage::Connect | Stage::Tls | Stage::Body => false,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Stage::Connect => "connecting",
            Stage::Tls => "TLS",
            Stage::Banner => "greeting",
            Stage::Ehlo => "EHLO",
            Stage::StartTls => "STARTTLS",
            Stage::Auth => "AUTH",
            Stage::Reset => "RSET",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data => "DATA",
            Stage::Body => "before the last dot",
            Stage::Dot => "after the last dot",
            Stage::Quit => "QUIT",
        })
    }
}

/// What failed where no reply, or none that could be used, came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The host has no address.
    #[error("the server's name has no address: {0}")]
    NoAddress(String),
    /// The system says so: refused, reset …
    #[error("{}", io::Error::from(*.0))]
    Io(io::ErrorKind),
    /// The stage's time limit passed.
    #[error("no answer within the time limit")]
    Silence,
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Cut,
    /// What came is no reply: its first octets.
    #[error("this is no reply: {}", escaped(.0))]
    Garbage(Vec<u8>),
    /// A reply that does not end.
    #[error("the reply is too long")]
    TooLong,
    /// Replies came that answer nothing.
    #[error("the server sent more replies than it was given commands")]
    OutOfStep,
    /// Not this mail was begun with the one before, but another, which the server must now see as broken off.
    #[error("the connection was given up together with a mail that was begun on it")]
    GivenUp,
    /// The certificate is not good for this server.
    #[error("the server's certificate is not trusted: {0}")]
    Untrusted(String),
    /// TLS failed otherwise.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The server does not offer what the settings ask for.
    #[error("the server does not offer {0}")]
    NotOffered(&'static str),
    /// Octets came in the clear behind the reply to STARTTLS: somebody is between.
    #[error("something was sent in the clear behind the reply to STARTTLS; the connection is not safe")]
    Injected,
    /// Without TLS only this machine is spoken to.
    #[error("`tls = none` is for this machine alone; use `tls = implicit` or `tls = starttls`")]
    InTheClear,
    /// The message has octets of 8 bits, and the server does not offer 8BITMIME.
    #[error("the server takes no 8-bit messages; send as base64, quoted-printable or ISO-2022-JP")]
    EightBit,
    /// The message is larger than the server takes, both in octets.
    #[error("the message has {size} octets, the server takes {limit}")]
    TooLarge {
        /// Of the message.
        size: usize,
        /// What the server said at EHLO.
        limit: usize,
    },
    /// The outbox could not be written.
    #[error("cannot write {path}: {}", io::Error::from(*.kind))]
    Outbox {
        /// The file.
        path: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
}

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// By a reply.
    Reply(Reply),
    /// Otherwise.
    Failure(Failure),
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Reply(reply) => reply.fmt(formatter),
            Answer::Failure(failure) => failure.fmt(formatter),
        }
    }
}

/// What became of a mail, or of an attempt to reach a server. `Debug` names no reader; `Display` shows the
/// reply, in which a server may repeat the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The server's name in the settings.
    pub server: Arc<str>,
    /// Where it ended.
    pub stage: Stage,
    /// By what.
    pub answer: Answer,
}

impl Outcome {
    /// Whose fault it was, or that it went well.
    pub fn verdict(&self) -> Verdict {
        verdict(self.stage, &self.answer)
    }

    /// What a refusal of a reader says of him, in the words in which notices of mail that came back are read; nothing
    /// where the server refused nobody.
    pub fn refusal(&self, address: &str) -> Option<Returned> {
        let Answer::Reply(reply) = &self.answer else { return None };
        if !matches!(self.verdict(), Verdict::Rejected | Verdict::Deferred) {
            return None;
        }
        let stage = match self.stage {
            Stage::Mail => bounce::Stage::Mail,
            Stage::Rcpt => bounce::Stage::Rcpt,
            Stage::Data | Stage::Body | Stage::Dot => bounce::Stage::Data,
            _ => bounce::Stage::Connection,
        };
        let text = format!("{} {}", reply.code(), String::from_utf8_lossy(reply.text()));
        let reply = bounce::Reply { text: &text, stage, server: &self.server, address };
        Some(Returned::of_reply(&reply))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.server, self.stage, self.answer)
    }
}
