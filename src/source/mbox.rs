//! An mbox (RFC 4155), one message after another: a file of any size is never in memory.

use std::io::{self, BufRead, Read};

use super::mail_file::is_from_line;

/// The messages of an mbox, `>From ` unquoted. Of each no more than so many octets are kept.
pub(crate) struct Mbox<R> {
    reader: R,
    most: usize,
    line: Vec<u8>,
    /// Whether the `From ` line of the next message has been read.
    has_begun: bool,
    is_over: bool,
}

/// How much of a line is looked at together, in octets.
const LONGEST_LINE: u64 = 64 << 10;

impl<R: BufRead> Mbox<R> {
    /// The messages of what [`looks_like_mbox`](super::looks_like_mbox).
    pub(crate) fn new(reader: R, most: usize) -> Self {
        Mbox { reader, most, line: Vec::new(), has_begun: false, is_over: false }
    }

    /// The message up to the next `From ` line; nothing behind the last one.
    fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut message = Vec::new();
        let (mut after_blank, mut is_new_line) = (!self.has_begun, true);
        let mut was_cut = false;
        loop {
            self.line.clear();
            let line = &mut self.line;
            if (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', line)? == 0 {
                self.is_over = true;
                break;
            }
            if is_new_line && after_blank && is_from_line(line) {
                if self.has_begun {
                    break;
                }
                self.has_begun = true;
            } else if self.has_begun {
                let quotes = line.iter().take_while(|octet| **octet == b'>').count();
                let is_quoted = is_new_line && quotes > 0 && line[quotes..].starts_with(b"From ");
                let line = &line[usize::from(is_quoted)..];
                let room = self.most.saturating_sub(message.len());
                was_cut |= line.len() > room;
                message.extend_from_slice(&line[..line.len().min(room)]);
            }
            after_blank = is_new_line && matches!(&self.line[..], b"\n" | b"\r\n");
            is_new_line = self.line.ends_with(b"\n");
        }
        if !self.has_begun {
            return Ok(None);
        }
        // The blank line before the next `From ` belongs to the mailbox.
        if !was_cut && message.ends_with(b"\n\r\n") {
            message.truncate(message.len() - 2);
        } else if !was_cut && message.ends_with(b"\n\n") {
            message.truncate(message.len() - 1);
        }
        Ok(Some(message))
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let message = self.message();
        self.is_over |= message.is_err();
        message.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mbox: &str, most: usize, expected: &[&str]) {
        let messages: Vec<String> = Mbox::new(mbox.as_bytes(), most)
            .map(|message| String::from_utf8(message.expect("memory can be read")).expect("ASCII"))
            .collect();
        assert_eq!(messages, expected, "{mbox}");
    }

    #[test]
    fn messages_are_parted_and_no_longer_than_wanted() {
        const FROM: &str = "From a@example.jp Thu May 14 12:00:00 2026\n";
        check(
            &format!("{FROM}A: 1\n\nx\n\n{FROM}B: 2\n\n>From y\n"),
            99,
            &["A: 1\n\nx\n", "B: 2\n\nFrom y\n"],
        );
        check(
            &format!("{FROM}A: 1\n\n{}\n\n{FROM}B: 2\n\ny\n", "x".repeat(99)),
            9,
            &["A: 1\n\nxxx", "B: 2\n\ny\n"],
        );
        check(&format!("{FROM}A: 1\n\nx\n{FROM}y\n"), 99, &[&format!("A: 1\n\nx\n{FROM}y\n")]);
        let long = "x".repeat(200_000);
        check(
            &format!("{FROM}A: 1\n\n{long}\n\n{FROM}B: 2\n\n"),
            999_999,
            &[&format!("A: 1\n\n{long}\n"), "B: 2\n"],
        );
        check("", 9, &[]);
    }
}
