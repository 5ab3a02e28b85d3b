//! SMTP (RFC 5321): one message to one reader at a time, and whose fault it was when it did not go.
//!
//! A delivery is two steps, so that its caller can note in between that it is being attempted:
//!
//! ```text
//! let go = courier.ready(&mail).await?;                      // MAIL, RCPT, DATA: the server waits for the octets
//! // … the ledger notes: attempted …
//! let outcome = courier.finish(go, &mail, Some(&next)).await; // octets, last dot; with it the next mail's commands
//! ```
//!
//! Where the server offers PIPELINING the commands travel together, and those of the next mail with the last
//! dot of this one: a mail costs one round trip. Whatever ended a delivery is an [`Outcome`]: the server, the
//! stage, and its reply or what failed; [`verdict()`] says from these alone whose fault it was.

mod auth;
mod connection;
mod courier;
mod door;
mod envelope;
mod extensions;
mod mail_data;
mod outbox;
mod outcome;
mod reply;
mod server;
mod tls;
mod transaction;
mod verdict;
mod wire;

pub use connection::Connection;
pub use courier::{Courier, Route, Target, Tries};
pub use door::Door;
pub use envelope::{Envelope, Mail};
pub use extensions::Extensions;
pub use mail_data::{BadOctets, MailData};
pub use outbox::Outbox;
pub use outcome::{Answer, Failure, Outcome, Stage};
pub use reply::{EnhancedCode, Reply};
pub use server::{BadHelloName, Client, Login, Secret, Server, Timeouts, Tls};
pub use tls::{Trust, TrustError};
pub use transaction::GoAhead;
pub use verdict::verdict;

pub use crate::mailing::Verdict;
