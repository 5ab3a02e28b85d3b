//! The message as DATA carries it (RFC 5321, section 4.5.2): CRLF only, dots doubled, the last dot behind it.

use std::borrow::Cow;
use std::fmt;

/// The longest line, in octets without its end (RFC 5321, section 4.5.3.1.6).
const LONGEST_LINE: usize = 998;
/// What ends a message.
const LAST_DOT: &[u8] = b".\r\n";

/// A message that can be sent as it is: checked once, kept as it goes over the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct MailData {
    wire: Vec<u8>,
    /// How many dots were doubled.
    doubled: usize,
    is_eight_bit: bool,
}

/// Octets that no server may be given. A bare CR or LF is read as a line end by some servers and not by
/// others, by which a message can hide a second one ("SMTP smuggling"). Lines are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOctets {
    /// LF without CR.
    #[error("line {0} of the message ends with a bare LF; lines end with CR LF")]
    BareLf(usize),
    /// CR without LF.
    #[error("line {0} of the message has a bare CR; lines end with CR LF")]
    BareCr(usize),
    /// An octet of value 0.
    #[error("line {0} of the message has a NUL")]
    Nul(usize),
    /// More than 998 octets.
    #[error(
        "line {0} of the message is longer than 998 octets; encode the part as base64 or quoted-printable"
    )]
    LongLine(usize),
}

impl MailData {
    /// Checks a message's octets and makes them ready for the wire. A last line without its end is given one.
    ///
    /// # Errors
    /// What is wrong first in the message, and in which line.
    pub fn new(octets: Vec<u8>) -> Result<MailData, BadOctets> {
        let mut stuffed = Vec::new();
        let (mut line_start, mut copied, mut doubled, mut line_ends) = (0, 0, 0, 0);
        for end in memchr::memchr_iter(b'\n', &octets).chain([octets.len()]) {
            let is_last = end == octets.len();
            let line = match octets[line_start..end].split_last() {
                Some((b'\r', line)) if !is_last => line,
                _ if is_last => &octets[line_start..],
                _ => return Err(BadOctets::BareLf(line_ends + 1)),
            };
            if line.len() > LONGEST_LINE {
                return Err(BadOctets::LongLine(line_ends + 1));
            }
            if line.first() == Some(&b'.') {
                stuffed.extend_from_slice(&octets[copied..line_start]);
                stuffed.push(b'.');
                copied = line_start;
                doubled += 1;
            }
            if !is_last {
                line_ends += 1;
                line_start = end + 1;
            }
        }
        // Every LF has its CR: more CRs than LFs means that one stands alone.
        if memchr::memchr_iter(b'\r', &octets).count() > line_ends {
            return Err(BadOctets::BareCr(line_of_bare_cr(&octets)));
        }
        if let Some(at) = memchr::memchr(0, &octets) {
            return Err(BadOctets::Nul(line_number(&octets, at)));
        }
        let is_eight_bit = !octets.is_ascii();
        let ends_a_line = line_start == octets.len();
        let mut wire = if doubled == 0 {
            octets
        } else {
            stuffed.extend_from_slice(&octets[copied..]);
            stuffed
        };
        if !ends_a_line {
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(LAST_DOT);
        Ok(MailData { wire, doubled, is_eight_bit })
    }

    /// The octets as they go over the wire, the last dot included.
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The message's octets, no dot doubled.
    pub fn octets(&self) -> Cow<'_, [u8]> {
        let stuffed = &self.wire[..self.wire.len() - LAST_DOT.len()];
        if self.doubled == 0 {
            return Cow::Borrowed(stuffed);
        }
        let mut octets = Vec::with_capacity(stuffed.len());
        for line in stuffed.split_inclusive(|&octet| octet == b'\n') {
            octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        Cow::Owned(octets)
    }

    /// How many octets the message has, as SIZE counts them (RFC 1870): without doubled dots and the last
    /// one.
    pub fn size(&self) -> usize {
        self.wire.len() - self.doubled - LAST_DOT.len()
    }

    /// Whether any octet has its highest bit set.
    pub fn is_eight_bit(&self) -> bool {
        self.is_eight_bit
    }
}

// A message names its reader.
impl fmt::Debug for MailData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MailData({} octets)", self.size())
    }
}

fn line_number(octets: &[u8], at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &octets[..at]).count()
}

fn line_of_bare_cr(octets: &[u8]) -> usize {
    let bare = memchr::memchr_iter(b'\r', octets).find(|&at| octets.get(at + 1) != Some(&b'\n'));
    line_number(octets, bare.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_and_bad_octets_refused() {
        let long = |length: usize| [b"\r\n", &vec![b'a'; length][..], b"\r\n"].concat();
        let good: [(&[u8], &[u8]); 8] = [
            (b"", b".\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"..\r\n.a.\r\n", b"...\r\n..a.\r\n.\r\n"),
            (b"\r\n\r\n", b"\r\n\r\n.\r\n"),
        ];
        for (octets, expected) in good {
            let data = MailData::new(octets.to_vec()).unwrap();
            assert_eq!(data.wire(), expected, "{}", octets.escape_ascii());
        }
        let bad: [(&[u8], BadOctets); 11] = [
            (b"a\n", BadOctets::BareLf(1)),
            (b"\n", BadOctets::BareLf(1)),
            (b"a\r\n\nb", BadOctets::BareLf(2)),
            (b"a\r\n.\n", BadOctets::BareLf(2)),
            (b"a\r\nb\rc\r\n", BadOctets::BareCr(2)),
            (b"a\r\r\n", BadOctets::BareCr(1)),
            (b"a\r\nb\r", BadOctets::BareCr(2)),
            (b"\r", BadOctets::BareCr(1)),
            (b"a\r\nb\0\r\n", BadOctets::Nul(2)),
            (&long(999), BadOctets::LongLine(2)),
            (&long(999)[..1001], BadOctets::LongLine(2)),
        ];
        for (octets, expected) in bad {
            assert_eq!(MailData::new(octets.to_vec()), Err(expected), "{}", octets.escape_ascii());
        }
        assert!(MailData::new(long(998)).is_ok());
    }

    #[test]
    fn the_message_comes_back_as_it_was() {
        for octets in [&b""[..], b"a\r\n", b".\r\n..\r\na.\r\n", "・あ\r\n.い\r\n".as_bytes()] {
            let data = MailData::new(octets.to_vec()).unwrap();
            assert_eq!(data.octets(), octets);
            assert_eq!(data.size(), octets.len());
            assert_eq!(data.is_eight_bit(), !octets.is_ascii());
        }
        assert_eq!(MailData::new(b"a".to_vec()).unwrap().octets(), &b"a\r\n"[..]);
    }
}
