//! Reading a text of any length piece by piece.

use std::io::{self, Read};

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

use super::decode::read_as;
use super::{Charset, detect};

/// A long text as UTF-8 without a byte order mark, each line ended by LF, read as it is asked for: memory holds one piece.
///
/// The damage that [`decode`](super::decode()) mends is mended here, too. What cannot be read becomes U+FFFD: whoever
/// uses a line looks for it, and refuses the line.
#[derive(Debug)]
pub struct TextStream<R> {
    input: R,
    charset: Option<Charset>,
    /// Read, and not decoded yet.
    octets: Vec<u8>,
    /// Decoded, and not handed out before `at`.
    text: String,
    at: usize,
    has_begun: bool,
    has_ended: bool,
}

/// How many octets are decoded at once: enough for the statistics of a short name here and there.
const PIECE: usize = 1 << 18;

impl<R: Read> TextStream<R> {
    /// A text in a character set, or in what its first lines that are not plain ASCII look like. A byte order mark
    /// decides in any case.
    pub fn new(input: R, charset: Option<Charset>) -> Self {
        let (octets, text) = (Vec::new(), String::new());
        TextStream { input, charset, octets, text, at: 0, has_begun: false, has_ended: false }
    }

    /// What the text is in, as far as it has been read: UTF-8 while there was nothing but ASCII.
    pub fn charset(&self) -> Charset {
        self.charset.unwrap_or(Charset::Utf8)
    }

    /// Decodes the next piece: whole lines, since no character set of ours has a line end within a character.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.octets.len() < PIECE && !self.has_ended {
            let wanted = (PIECE - self.octets.len()) as u64;
            self.has_ended = (&mut self.input).take(wanted).read_to_end(&mut self.octets)? == 0;
        }
        if !self.has_begun {
            self.has_begun = true;
            let (mark, body) = detect::byte_order_mark(&self.octets);
            self.charset = mark.or(self.charset);
            let length = self.octets.len() - body.len();
            self.octets.drain(..length);
        }
        let length = if self.has_ended { self.octets.len() } else { self.whole_lines() };
        if length == 0 && !self.octets.is_empty() {
            let message = format!("a line is longer than {} KiB", PIECE >> 10);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let lines = &self.octets[..length];
        if self.charset.is_none() && !is_plain(lines) {
            self.charset = Some(detect(lines));
        }
        let text = match self.charset {
            None => String::from_utf8_lossy(lines).into_owned(),
            Some(charset) => decoded(lines, charset),
        };
        push_with_line_feeds(&text, &mut self.text);
        self.octets.drain(..length);
        Ok(())
    }

    /// How many octets of what was read are whole lines.
    fn whole_lines(&self) -> usize {
        let unit = match self.charset() {
            Charset::Utf16Le | Charset::Utf16Be => 2,
            _ => 1,
        };
        let value = |unit: &[u8]| match (self.charset(), unit) {
            (Charset::Utf16Le, [low, high]) => u16::from_le_bytes([*low, *high]),
            (Charset::Utf16Be, [high, low]) => u16::from_be_bytes([*high, *low]),
            (_, [octet]) => u16::from(*octet),
            _ => 0,
        };
        let (lf, cr) = (u16::from(b'\n'), u16::from(b'\r'));
        let mut follower = None;
        for (index, octets) in self.octets.chunks_exact(unit).enumerate().rev() {
            let here = value(octets);
            // Behind a CR that was read last an LF may come.
            if here == lf || (here == cr && follower.is_some()) {
                return (index + 1) * unit;
            }
            follower = Some(here);
        }
        0
    }
}

impl<R: Read> Read for TextStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.has_ended && self.octets.is_empty() && self.has_begun {
                return Ok(0);
            }
            self.fill()?;
        }
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

/// Whether octets are the same in every character set that has ASCII.
fn is_plain(octets: &[u8]) -> bool {
    octets.is_ascii() && !octets.iter().any(|octet| matches!(*octet, 0x0E | 0x1B))
}

fn decoded(octets: &[u8], charset: Charset) -> String {
    let attempt = read_as(octets, charset, false);
    if attempt.unreadable.is_none() {
        return attempt.text;
    }
    if matches!(charset, Charset::Utf16Le | Charset::Utf16Be) {
        return with_replacements(octets, charset);
    }
    let mut text = String::with_capacity(attempt.text.len());
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let attempt = read_as(line, charset, false);
        if attempt.unreadable.is_none() {
            text.push_str(&attempt.text);
        } else {
            text.push_str(&with_replacements(line, charset));
        }
    }
    text
}

/// A damaged line, with U+FFFD for what cannot be read and for what each user of Shift_JIS made up for himself.
fn with_replacements(octets: &[u8], charset: Charset) -> String {
    let encoding: &Encoding = match charset {
        Charset::Iso2022Jp => ISO_2022_JP,
        Charset::ShiftJis => SHIFT_JIS,
        Charset::EucJp => EUC_JP,
        Charset::Utf8 => UTF_8,
        Charset::Utf16Le => UTF_16LE,
        Charset::Utf16Be => UTF_16BE,
    };
    let (text, _) = encoding.decode_without_bom_handling(octets);
    let is_made_up = |c: char| ('\u{E000}'..='\u{F8FF}').contains(&c);
    text.replace(is_made_up, "\u{FFFD}")
}

/// Appends a text with LF for each of its line ends, be they CR LF, CR or LF.
fn push_with_line_feeds(text: &str, to: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('\r') {
        to.push_str(&rest[..at]);
        to.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    to.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charset::{Profile, encode};

    const SETS: [Charset; 6] = [
        Charset::Utf8,
        Charset::ShiftJis,
        Charset::EucJp,
        Charset::Iso2022Jp,
        Charset::Utf16Le,
        Charset::Utf16Be,
    ];

    /// Gives an octet or a few at a time, as a pipe may.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.0.len()).min(1021);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn read(octets: &[u8], charset: Option<Charset>) -> (String, Charset) {
        let mut stream = TextStream::new(Drops(octets), charset);
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        (text, stream.charset())
    }

    fn long_text(line_end: &str) -> String {
        let line = |number: usize| format!("taro{number}@example.jp,山田太郎,「東京」の読者{line_end}");
        (0..12_000).map(line).collect()
    }

    #[test]
    fn a_text_of_many_pieces_is_read_in_each_character_set() {
        for line_end in ["\n", "\r\n", "\r"] {
            let text = long_text(line_end);
            for charset in SETS {
                let octets = encode(&text, charset, Profile::Ms).unwrap();
                assert!(octets.len() > 2 * PIECE);
                let (read_text, read_in) = read(&octets, Some(charset));
                assert!(read_text == text.replace(line_end, "\n"), "{charset:?} {line_end:?}");
                assert_eq!(read_in, charset);
                if !matches!(charset, Charset::Utf16Le | Charset::Utf16Be) {
                    assert_eq!(read(&octets, None).1, charset, "it is found out");
                }
            }
        }
    }

    #[test]
    fn a_byte_order_mark_decides() {
        check("\u{FEFF}日本".encode_utf16().flat_map(u16::to_le_bytes).collect(), Charset::Utf16Le);
        check("\u{FEFF}日本".encode_utf16().flat_map(u16::to_be_bytes).collect(), Charset::Utf16Be);
        check("\u{FEFF}日本".as_bytes().to_vec(), Charset::Utf8);
        fn check(octets: Vec<u8>, want: Charset) {
            for stated in [None, Some(Charset::ShiftJis)] {
                assert_eq!(read(&octets, stated), ("日本".to_owned(), want));
            }
        }
    }

    #[test]
    fn the_character_set_may_show_late() {
        let plain: String = (0..30_000).map(|number| format!("reader{number}@example.jp\n")).collect();
        for charset in [Charset::ShiftJis, Charset::EucJp, Charset::Iso2022Jp] {
            let text = format!("{plain}last@example.jp,文字の組の判別は十二文字から。\n");
            let octets = encode(&text, charset, Profile::Ms).unwrap();
            let (read_text, read_in) = read(&octets, None);
            assert!(read_text == text && read_in == charset, "{charset:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_marked_in_its_line_alone() {
        let check = |octets: &[u8], charset, want: &str| {
            assert_eq!(read(octets, Some(charset)).0, want, "{octets:02X?}");
        };
        check(b"a,\xFF,b\nc\n", Charset::Utf8, "a,\u{FFFD},b\nc\n");
        check(b"a,\x82\xA0\xF0\x40,b\n\x82\xA0\n", Charset::ShiftJis, "a,あ\u{FFFD},b\nあ\n");
        check(b"a,\xA4\xA2\xA4,b\n", Charset::EucJp, "a,あ\u{FFFD},b\n");
        check(b"\x1b$B$\"\x1b(B\x1bX\na\n", Charset::Iso2022Jp, "あ\u{FFFD}X\na\n");
        check(b"a\0\x00\xD8b\0", Charset::Utf16Le, "a\u{FFFD}b");
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let octets = vec![b'a'; PIECE + 1];
        let error = TextStream::new(&octets[..], None).read_to_string(&mut String::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(read(&octets[..PIECE - 1], None).0.len(), PIECE - 1);
    }
}
