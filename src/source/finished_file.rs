//! A finished mail's file: a text in any Japanese character set, or the message itself.

use std::sync::Arc;

use chrono_tz::Tz;

use super::decode::decoded;
use super::finished::Envelope;
use super::mail_file::mail_file;
use crate::charset::{self, Charset};
use crate::diagnostic::{Diagnostic, SourceText};

/// A finished mail as read from its file.
#[derive(Clone, Debug)]
pub struct FinishedFile {
    /// The mail's text.
    pub source: Arc<SourceText>,
    /// The character set it was in.
    pub charset: Charset,
    /// The message's own octets, where the file is one.
    pub message: Option<Vec<u8>>,
    /// What the message's header says.
    pub envelope: Envelope,
}

/// Reads a mail's text from a file's octets.
pub fn finished_text(path: String, octets: &[u8], problems: &mut Vec<Diagnostic>) -> Option<FinishedFile> {
    let (source, charset) = decoded(path, charset::decode(octets, None), problems)?;
    Some(FinishedFile { source, charset, message: None, envelope: Envelope::default() })
}

/// Reads a message and its text; its days begin in the magazine's time zone.
pub fn finished_message(
    path: String,
    octets: Vec<u8>,
    timezone: Tz,
    problems: &mut Vec<Diagnostic>,
) -> Option<FinishedFile> {
    let mail = match mail_file(&path, &octets) {
        Ok(mail) => mail,
        Err(problem) => {
            problems.push(*problem);
            return None;
        }
    };
    let label = mail.charset.as_deref().and_then(Charset::from_label);
    let (source, charset) = decoded(path, charset::decode(&mail.body, label), problems)?;
    let subject = mail.subject.as_deref().map(charset::decode_header);
    let envelope = Envelope { subject, date: mail.day(&timezone) };
    Some(FinishedFile { source, charset, message: Some(octets), envelope })
}
