//! Replies of a server (RFC 5321, section 4.2), read from its octets within bounds.

use std::fmt;

/// The longest line that is read, in octets; RFC 5321 (section 4.5.3.1.5) allows 512.
const LONGEST_LINE: usize = 2_000;
/// The most lines of one reply.
const MOST_LINES: usize = 100;
/// The most octets of one reply.
pub(crate) const LONGEST_REPLY: usize = 16 * 1024;
/// How much of a reply is shown, in characters.
const SHOWN: usize = 500;

/// What a server answered: three digits and a text, kept as the octets that came.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// The lines without code and line end, parted by line feeds.
    text: Vec<u8>,
}

/// An enhanced status code (RFC 3463): class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnhancedCode {
    /// 2 (done), 4 (not now) or 5 (refused).
    pub class: u8,
    /// What it is about: 1 the address, 2 the mailbox, 3 the server, 4 the network, 5 the protocol, 6 the
    /// content, 7 policy.
    pub subject: u16,
    /// The detail of the subject.
    pub detail: u16,
}

/// What the octets read so far are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A whole reply, and how many octets it takes.
    Reply(Reply, usize),
    /// The beginning of one.
    Incomplete,
    /// None, and none can become of it.
    Garbage,
    /// More than is read of any reply.
    TooLong,
}

impl Reply {
    /// A reply of this code and text; lines are parted by line feeds.
    pub fn new(code: u16, text: impl Into<Vec<u8>>) -> Reply {
        Reply { code, text: text.into() }
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The text as it came, without codes; lines are parted by line feeds.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The lines of the text.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|&octet| octet == b'\n')
    }

    /// The enhanced status code that the text begins with.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        let word = self.text.split(|octet| octet.is_ascii_whitespace()).next()?;
        let mut numbers = std::str::from_utf8(word).ok()?.split('.').map(number);
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let class = u8::try_from(class).ok().filter(|class| [2, 4, 5].contains(class))?;
        numbers.next().is_none().then_some(EnhancedCode { class, subject, detail })
    }
}

/// One to three digits, and nothing else (RFC 3463, section 2).
fn number(text: &str) -> Option<u16> {
    (text.len() <= 3 && text.bytes().all(|c| c.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Reads the first reply from some octets.
pub(crate) fn parse(octets: &[u8]) -> Parsed {
    let mut text = Vec::new();
    let mut first_code = None;
    let mut at = 0;
    for line_number in 1.. {
        let rest = &octets[at..];
        let Some(end) = memchr::memchr(b'\n', rest) else {
            // Garbage may never end its line; what is no reply by its first octets is none.
            let is_start = rest.iter().take(3).all(u8::is_ascii_digit)
                && rest.get(3).is_none_or(|octet| b" -\r".contains(octet));
            return match (is_start, rest.len() > LONGEST_LINE || octets.len() > LONGEST_REPLY) {
                (false, _) => Parsed::Garbage,
                (true, true) => Parsed::TooLong,
                (true, false) => Parsed::Incomplete,
            };
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        at += end + 1;
        if line.len() > LONGEST_LINE || at > LONGEST_REPLY || line_number > MOST_LINES {
            return Parsed::TooLong;
        }
        let Some((code, is_last, words)) = line_of_reply(line) else { return Parsed::Garbage };
        if *first_code.get_or_insert(code) != code {
            return Parsed::Garbage;
        }
        if line_number > 1 {
            text.push(b'\n');
        }
        text.extend_from_slice(words);
        if is_last {
            return Parsed::Reply(Reply { code, text }, at);
        }
    }
    Parsed::TooLong
}

/// The code of a line, whether it is a reply's last, and its text.
fn line_of_reply(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    if !(200..600).contains(&code) {
        return None;
    }
    match line.get(3) {
        None => Some((code, true, b"")),
        Some(b' ') => Some((code, true, &line[4..])),
        Some(b'-') => Some((code, false, &line[4..])),
        Some(_) => None,
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.code)?;
        if !self.text.is_empty() {
            write!(formatter, " {}", escaped(&self.text))?;
        }
        Ok(())
    }
}

// Servers repeat the reader's address in their texts, and debug output reaches logs.
impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reply({}, {:?})", self.code, self.enhanced())
    }
}

/// A stranger's octets as one line to show: line feeds become ` / `, what is no character or would act on a
/// terminal or on the direction of the text becomes its escape.
pub(crate) fn escaped(octets: &[u8]) -> String {
    let mut shown = String::new();
    let mut count = 0;
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            count += 1;
            if count > SHOWN {
                shown.push('…');
                return shown;
            }
            let turns_the_text =
                matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
            match c {
                '\n' => shown.push_str(" / "),
                c if c.is_control() || turns_the_text => shown.extend(c.escape_unicode()),
                c => shown.push(c),
            }
        }
        for octet in chunk.invalid() {
            count += 1;
            if count > SHOWN {
                shown.push('…');
                return shown;
            }
            shown.push_str(&format!("\\x{octet:02X}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_from_their_octets() {
        let reply = |code, text: &[u8], used| Parsed::Reply(Reply::new(code, text), used);
        let long_line = [b"250 ", &[b'a'; 3_000][..]].concat();
        let many_lines = "250-a\r\n".repeat(101);
        let cases: &[(&[u8], Parsed)] = &[
            (b"", Parsed::Incomplete),
            (b"2", Parsed::Incomplete),
            (b"250", Parsed::Incomplete),
            (b"250 ok\r", Parsed::Incomplete),
            (b"250 ok\r\n", reply(250, b"ok", 8)),
            (b"250 ok\n", reply(250, b"ok", 7)),
            (b"250\r\n", reply(250, b"", 5)),
            (b"250 ok\r\n250 ok\r\n", reply(250, b"ok", 8)),
            (b"250-a\r\n", Parsed::Incomplete),
            (b"250-a\r\n250 b\r\nrest", reply(250, b"a\nb", 14)),
            (b"250-a\r\n550 b\r\n", Parsed::Garbage),
            (b"550 \x8e\xa9\r\n", reply(550, b"\x8e\xa9", 8)),
            (b"HTTP/1.1 200 OK\r\n", Parsed::Garbage),
            (b"HTTP", Parsed::Garbage),
            (b"25x\r\n", Parsed::Garbage),
            (b"250_ok\r\n", Parsed::Garbage),
            (b"150 ok\r\n", Parsed::Garbage),
            (b"\r\n", Parsed::Garbage),
            (&long_line, Parsed::TooLong),
            (many_lines.as_bytes(), Parsed::TooLong),
        ];
        for (octets, expected) in cases {
            assert_eq!(&parse(octets), expected, "{}", escaped(octets));
        }
    }

    #[test]
    fn enhanced_codes_stand_at_the_beginning() {
        let cases = [
            ("5.1.1 no such user", Some((5, 1, 1))),
            ("5.7.515 access denied", Some((5, 7, 515))),
            ("4.2.2", Some((4, 2, 2))),
            ("5.7.26\nmore", Some((5, 7, 26))),
            ("3.1.1 no such class", None),
            ("5.1 no detail", None),
            ("5.1.1.1 too much", None),
            ("5.1.x no", None),
            ("5.1111.1 no", None),
            ("User unknown 5.1.1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let enhanced = Reply::new(550, text).enhanced();
            assert_eq!(enhanced.map(|code| (code.class, code.subject, code.detail)), expected, "{text}");
        }
    }

    #[test]
    fn replies_are_shown_as_one_harmless_line() {
        let cases: [(&[u8], &str); 4] = [
            ("宛先がありません\nfoo".as_bytes(), "550 宛先がありません / foo"),
            (b"\x1b[2Jgone", "550 \\u{1b}[2Jgone"),
            (b"\x8e\xa9\x00", "550 \\x8E\\xA9\\u{0}"),
            ("\u{202E}txt".as_bytes(), "550 \\u{202e}txt"),
        ];
        for (text, expected) in cases {
            assert_eq!(Reply::new(550, text).to_string(), expected);
        }
        assert_eq!(Reply::new(550, "a".repeat(9_000)).to_string().chars().count(), 4 + 500 + 1);
        assert!(!format!("{:?}", Reply::new(550, "taro@example.jp unknown")).contains("taro"));
    }

    proptest::proptest! {
        #[test]
        fn replies_do_not_depend_on_how_they_arrive(
            octets in proptest::collection::vec(proptest::sample::select(&b"2250- ab.\r\n\n\xff"[..]), 0..40),
            cut in 0..40_usize,
        ) {
            let early = parse(&octets[..cut.min(octets.len())]);
            if early != Parsed::Incomplete {
                proptest::prop_assert_eq!(parse(&octets), early);
            }
        }
    }
}
