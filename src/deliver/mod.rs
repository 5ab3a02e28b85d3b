//! Delivery: what carries messages to their readers.

pub mod smtp;
pub mod mailer;
pub mod notices;
pub mod rehearsal;
