//! The outbox: a folder that takes mails instead of a server.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::envelope::Mail;
use super::outcome::{Answer, Failure, Outcome, Stage};
use super::reply::Reply;
use crate::digest::fingerprint;

/// The longest name that a message is given, in octets; file systems take 255.
const LONGEST_NAME: usize = 180;

/// A folder in which each mail becomes a file `.eml`, octet for octet the message. A mail that is sent again
/// takes its own place, for it is the same; two mails never share one, though their Message-IDs be alike.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// What the settings and reports call it.
    pub name: Arc<str>,
    /// Where the files go; it is made when it is not there.
    pub folder: PathBuf,
}

impl Outbox {
    /// Writes a mail: when this says accepted it lies on the disk under its name, whole.
    pub async fn write(&self, mail: &Mail) -> Outcome {
        let octets = mail.data.octets().into_owned();
        let name = file_name(&octets, mail.envelope.recipient.as_str());
        let path = self.folder.join(&name);
        let target = path.clone();
        let written = tokio::task::spawn_blocking(move || put(&target, &octets)).await;
        let answer = match written.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into())) {
            Ok(()) => Answer::Reply(Reply::new(250, format!("2.0.0 written: {name}"))),
            Err(error) => {
                Answer::Failure(Failure::Outbox { path: path.display().to_string(), kind: error.kind() })
            }
        };
        let stage = if matches!(answer, Answer::Reply(_)) { Stage::Dot } else { Stage::Body };
        Outcome { server: Arc::clone(&self.name), stage, answer }
    }
}

/// Puts a file in its place, all or nothing, on the disk before it has its name.
fn put(path: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension("part");
    let mut file = File::create(&beside)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name itself is kept by the folder; not every system lets one be opened.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A name from the Message-ID, for people, and from the whole, so that it is the mail's alone.
fn file_name(octets: &[u8], recipient: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_@+.".contains(*c);
    let id = message_id(octets).unwrap_or_default();
    let id: String = id.chars().filter(is_plain).take(LONGEST_NAME).collect();
    // A leading dot would hide the file.
    let id = id.trim_start_matches('.');
    let mut whole = recipient.as_bytes().to_vec();
    whole.push(0);
    whole.extend_from_slice(octets);
    let fingerprint = fingerprint(&whole);
    if id.is_empty() { format!("{fingerprint}.eml") } else { format!("{id}-{fingerprint}.eml") }
}

/// What stands between the angle brackets of the header's Message-ID, which may stand on a line of its own.
fn message_id(octets: &[u8]) -> Option<String> {
    let header = &octets[..memchr::memmem::find(octets, b"\r\n\r\n").unwrap_or(octets.len())];
    let header = String::from_utf8_lossy(header).replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = header
        .lines()
        .find(|line| line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("Message-ID:")))?;
    Some(line.split_once('<')?.1.split('>').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_mails() {
        let cases = [
            ("Message-ID: <1.2@example.jp>\r\n\r\nx\r\n", "1.2@example.jp-"),
            ("Subject: x\r\nmessage-id:\r\n <1.2@example.jp>\r\n\r\nx\r\n", "1.2@example.jp-"),
            ("Message-ID: <../../etc/passwd>\r\n\r\n", "etcpasswd-"),
            ("Message-ID: <日本>\r\n\r\n", ""),
            ("Subject: x\r\n\r\nMessage-ID: <1@example.jp>\r\n", ""),
            ("", ""),
        ];
        for (message, expected) in cases {
            let name = file_name(message.as_bytes(), "a@example.jp");
            let expected = format!("{expected}{}.eml", &name[name.len() - 12..name.len() - 4]);
            assert_eq!(name, expected, "{message:?}");
            assert_ne!(
                name,
                file_name(message.as_bytes(), "b@example.jp"),
                "the other reader's is another file"
            );
        }
        let long = format!("Message-ID: <{}@example.jp>\r\n\r\n", "a".repeat(900));
        assert!(file_name(long.as_bytes(), "a@example.jp").len() < 255);
    }
}
