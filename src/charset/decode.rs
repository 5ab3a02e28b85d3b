//! Octets to text, with what was mended on the way.

use std::fmt;
use std::ops::Range;

use encoding_rs::{DecoderResult, EUC_JP, Encoding, SHIFT_JIS, UTF_16BE, UTF_16LE};

use super::{Charset, detect, iso_2022_jp};

/// A text that was read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text without a byte order mark, its line ends as they were.
    pub text: String,
    /// What it was in, which need not be what it was labelled as.
    pub charset: Charset,
    /// What was mended, in the order of the text; each kind once a line.
    pub repairs: Vec<Repair>,
}

/// Something mended in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The line, counted from one.
    pub line: usize,
    /// What it was.
    pub kind: RepairKind,
}

/// What can be mended. `Display` says it in a sentence without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairKind {
    /// Two escape sequences with nothing between them.
    DoubledEscape,
    /// A line that ended in a two-byte set or in kana; the next begins in ASCII.
    UnclosedLine,
    /// A line that ended in a two-byte set, whose run went on in the next line.
    CarriedOver,
    /// `ESC $ ( B`, `ESC $ ( @`, `ESC & @` or `ESC ( H`.
    UnusualEscape,
    /// A run of JIS X 0212.
    Jis0212,
    /// Kana between SO and SI.
    ShiftedKana,
    /// Kana in single octets from 0xA1 to 0xDF.
    EightBitKana,
    /// A space or a tab inside a run.
    BlankInRun,
    /// The octets 5C and 7E of JIS-Roman, read as `\` and `~`.
    RomanAsAscii,
    /// A run between `$B` and `(B` that lost its ESC.
    LostEscape,
    /// A text that was labelled as something else.
    Mislabelled {
        /// What the label said.
        label: Charset,
        /// What it is in.
        charset: Charset,
    },
}

impl fmt::Display for RepairKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RepairKind::DoubledEscape => "an escape sequence that designates nothing was left out",
            RepairKind::UnclosedLine => "the line did not return to ASCII at its end",
            RepairKind::CarriedOver => "the run of kanji went on over the line end",
            RepairKind::UnusualEscape => "an unusual escape sequence was read as the usual one",
            RepairKind::Jis0212 => "characters of JIS X 0212, which ISO-2022-JP does not have, were read",
            RepairKind::ShiftedKana => "half-width kana between SO and SI were read",
            RepairKind::EightBitKana => "half-width kana in eight bits were read",
            RepairKind::BlankInRun => "a space or tab inside a run of kanji was kept",
            RepairKind::RomanAsAscii => "JIS-Roman's yen sign or overline was read as `\\` or `~`",
            RepairKind::LostEscape => "an ESC that was lost was put back",
            RepairKind::Mislabelled { label, charset } => {
                return write!(f, "the text is labelled {} but is in {}", label.name(), charset.name());
            }
        })
    }
}

/// Octets that are no text in their character set: the first of them, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not {}: {}", charset.name(), hexadecimal(octets))]
pub struct Undecodable {
    /// What the octets were read as.
    pub charset: Charset,
    /// The line, counted from one.
    pub line: usize,
    /// The place from the beginning of the input, in octets.
    pub offset: usize,
    /// The octets at the place.
    pub octets: Vec<u8>,
    /// How many further places cannot be read.
    pub others: usize,
}

/// Reads octets as what they are labelled as, or what they look like without a label. A label that does not hold is
/// overruled and reported.
///
/// # Errors
/// The first octets that cannot be read.
pub fn decode(octets: &[u8], label: Option<Charset>) -> Result<Decoded, Undecodable> {
    decode_with(octets, label, false)
}

/// Reads octets as [`decode`] does, and runs of ISO-2022-JP between `$B` and `(B` that lost their ESC.
///
/// # Errors
/// The first octets that cannot be read.
pub fn decode_restoring_escapes(octets: &[u8], label: Option<Charset>) -> Result<Decoded, Undecodable> {
    let seven_bit = octets.is_ascii();
    decode_with(octets, if seven_bit { Some(Charset::Iso2022Jp) } else { label }, true)
}

fn decode_with(octets: &[u8], label: Option<Charset>, restore_escapes: bool) -> Result<Decoded, Undecodable> {
    let (mark, body) = detect::byte_order_mark(octets);
    let believed = mark.or(label.filter(|label| detect::may_be(body, *label)));
    let mut charset = believed.unwrap_or_else(|| detect(body));
    let mut attempt = read_as(body, charset, restore_escapes);
    if attempt.unreadable.is_some() && believed.is_some() && mark.is_none() {
        let seeming = detect(body);
        let second = read_as(body, seeming, restore_escapes);
        if second.unreadable.is_none() && detect::is_plausible(&second.text) {
            (charset, attempt) = (seeming, second);
        }
    }
    if let Some(place) = attempt.unreadable {
        return Err(Undecodable {
            charset,
            line: line_of(body, place.start, charset),
            offset: octets.len() - body.len() + place.start,
            octets: body[place].to_vec(),
            others: attempt.unreadable_places - 1,
        });
    }
    if let Some(label) = label.filter(|label| *label != charset) {
        attempt.repairs.insert(0, Repair { line: 1, kind: RepairKind::Mislabelled { label, charset } });
    }
    Ok(Decoded { text: attempt.text, charset, repairs: attempt.repairs })
}

/// What came of reading octets as one character set.
pub(super) struct Attempt {
    pub(super) text: String,
    repairs: Vec<Repair>,
    /// The first octets that cannot be read.
    pub(super) unreadable: Option<Range<usize>>,
    pub(super) unreadable_places: usize,
    /// Line ends are counted up to here.
    counted_until: usize,
    line: usize,
}

impl Attempt {
    pub(super) fn with_capacity(octets: usize) -> Attempt {
        let text = String::with_capacity(octets);
        Attempt {
            text,
            repairs: Vec::new(),
            unreadable: None,
            unreadable_places: 0,
            counted_until: 0,
            line: 1,
        }
    }

    /// Notes a repair at an offset no smaller than those before, once for each line.
    pub(super) fn repair(&mut self, octets: &[u8], offset: usize, kind: RepairKind) {
        self.line += line_ends(octets, self.counted_until..offset);
        self.counted_until = offset;
        let repair = Repair { line: self.line, kind };
        if !self
            .repairs
            .iter()
            .rev()
            .take_while(|other| other.line == self.line)
            .any(|other| *other == repair)
        {
            self.repairs.push(repair);
        }
    }

    pub(super) fn unreadable(&mut self, place: Range<usize>) {
        self.unreadable.get_or_insert(place);
        self.unreadable_places += 1;
    }
}

/// Reads octets without a byte order mark as one character set.
pub(super) fn read_as(octets: &[u8], charset: Charset, restore_escapes: bool) -> Attempt {
    match charset {
        Charset::Iso2022Jp => iso_2022_jp::read(octets, restore_escapes),
        Charset::Utf8 => read_utf_8(octets),
        Charset::ShiftJis => read_shift_jis(octets),
        Charset::EucJp => read_by(EUC_JP, octets),
        Charset::Utf16Le => read_by(UTF_16LE, octets),
        Charset::Utf16Be => read_by(UTF_16BE, octets),
    }
}

fn read_utf_8(octets: &[u8]) -> Attempt {
    let mut attempt = Attempt::with_capacity(octets.len());
    let mut offset = 0;
    for chunk in octets.utf8_chunks() {
        attempt.text.push_str(chunk.valid());
        offset += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            attempt.unreadable(offset..offset + chunk.invalid().len());
        }
        offset += chunk.invalid().len();
    }
    attempt
}

fn read_shift_jis(octets: &[u8]) -> Attempt {
    let mut attempt = read_by(SHIFT_JIS, octets);
    // Rows 95 to 114 hold what its users made up; encoding_rs gives them to Unicode's private use area.
    if attempt.unreadable.is_none() && attempt.text.contains(|c| ('\u{E000}'..='\u{F8FF}').contains(&c)) {
        let mut at = 0;
        while at < octets.len() {
            let length = if matches!(octets[at], 0x81..=0x9F | 0xE0..=0xFC) { 2 } else { 1 };
            if matches!(octets[at], 0xF0..=0xF9) {
                attempt.unreadable(at..at + length);
            }
            at += length;
        }
    }
    attempt
}

fn read_by(encoding: &'static Encoding, octets: &[u8]) -> Attempt {
    let mut attempt = Attempt::with_capacity(octets.len() + octets.len() / 2);
    let mut decoder = encoding.new_decoder_without_bom_handling();
    // encoding_rs visits all the room it is given at every octet that it cannot read, so it gets little.
    let mut piece = String::with_capacity(1 << 12);
    let mut at = 0;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(&octets[at..], &mut piece, true);
        at += read;
        attempt.text.push_str(&piece);
        piece.clear();
        match result {
            DecoderResult::InputEmpty => return attempt,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, behind) => {
                let end = at.saturating_sub(usize::from(behind));
                attempt.unreadable(end.saturating_sub(usize::from(length))..end);
            }
        }
    }
}

/// The line of an offset, counted from one.
fn line_of(octets: &[u8], offset: usize, charset: Charset) -> usize {
    match charset {
        Charset::Utf16Le | Charset::Utf16Be => {
            let before = read_as(&octets[..offset], charset, false).text;
            1 + line_ends(before.as_bytes(), 0..before.len())
        }
        _ => 1 + line_ends(octets, 0..offset),
    }
}

/// How many line ends begin in a range: LF, CR LF or CR.
fn line_ends(octets: &[u8], range: Range<usize>) -> usize {
    let is_line_end = |at: &usize| match octets[*at] {
        b'\r' => octets.get(at + 1) != Some(&b'\n'),
        octet => octet == b'\n',
    };
    range.filter(is_line_end).count()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::charset::{Profile, encode};

    const SETS: [Charset; 4] = [Charset::Utf8, Charset::ShiftJis, Charset::EucJp, Charset::Iso2022Jp];

    #[test]
    fn labels_are_overruled_where_they_do_not_hold() {
        let text = "日本語の文章には、いろいろな文字の組があります。\r\n";
        for charset in SETS {
            let octets = encode(text, charset, Profile::Ms).unwrap();
            for label in SETS {
                let decoded = decode(&octets, Some(label)).unwrap();
                // EUC-JP's octets happen to be half-width kana and kanji of Shift_JIS.
                if (charset, label) != (Charset::EucJp, Charset::ShiftJis) {
                    assert_eq!((decoded.text.as_str(), decoded.charset), (text, charset), "{label:?}");
                    let kind = RepairKind::Mislabelled { label, charset };
                    let repairs = if label == charset { vec![] } else { vec![Repair { line: 1, kind }] };
                    assert_eq!(decoded.repairs, repairs);
                }
            }
            let decoded = decode(&octets, None).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.charset, decoded.repairs), (text, charset, vec![]));
        }
    }

    #[test]
    fn ascii_is_what_its_label_says() {
        for charset in SETS {
            let want = Decoded { text: "a\n".into(), charset, repairs: vec![] };
            assert_eq!(decode(b"a\n", Some(charset)), Ok(want));
        }
    }

    #[test]
    fn a_byte_order_mark_decides_and_is_removed() {
        let check = |octets: &[u8], label, charset| {
            let decoded = decode(octets, label).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.charset), ("あ\n", charset));
        };
        check(b"\xEF\xBB\xBF\xE3\x81\x82\n", None, Charset::Utf8);
        check(b"\xEF\xBB\xBF\xE3\x81\x82\n", Some(Charset::ShiftJis), Charset::Utf8);
        check(b"\xFF\xFE\x42\x30\n\0", None, Charset::Utf16Le);
        check(b"\xFE\xFF\x30\x42\0\n", None, Charset::Utf16Be);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_at_its_place() {
        let check = |octets: &[u8], charset: Charset, line, offset, at: &[u8], others| {
            let want = Undecodable { charset, line, offset, octets: at.to_vec(), others };
            assert_eq!(decode(octets, Some(charset)), Err(want));
        };
        check(b"ab\nc\xFFd\xFF", Charset::Utf8, 2, 4, b"\xFF", 1);
        check(b"\xEF\xBB\xBFa\xFF", Charset::Utf8, 1, 4, b"\xFF", 0);
        check(b"a\r\n\x82\xA0\xFF", Charset::ShiftJis, 2, 5, b"\xFF", 0);
        check(b"\x82\xA0\r\x82\xA0\xF0\x40", Charset::ShiftJis, 2, 5, b"\xF0\x40", 0);
        check(b"\xA4\xA2\xA4\xA2\n\xA4", Charset::EucJp, 2, 5, b"\xA4", 0);
        check(b"a\0\n\0\x00\xD8b\0", Charset::Utf16Le, 2, 4, b"\x00\xD8", 0);
        let error = decode(b"ab\nc\xFFd\xFF", None).unwrap_err();
        assert_eq!(error.to_string(), "line 2 is not UTF-8: FF");
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(octets: Vec<u8>, label in 0..8usize) {
            let _ = decode(&octets, SETS.get(label).copied());
            let _ = decode_restoring_escapes(&octets, SETS.get(label).copied());
        }

        #[test]
        fn no_escape_sequences_make_it_panic_or_lose_a_character(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "\x1b$B", "\x1b(B", "\x1b(J", "\x1b(I", "\x1b$(D", "\x1b&@", "\x0e", "\x0f", "$", "\"", "0!", "$B", "(B",
                "\r\n", "\n", " ", "\x1b", "\u{B1}", "a",
            ]), 0..40),
        ) {
            let octets: Vec<u8> = pieces.concat().chars().map(|c| c as u8).collect();
            let read = [decode(&octets, Some(Charset::Iso2022Jp)), decode_restoring_escapes(&octets, None)];
            for decoded in read.into_iter().flatten() {
                prop_assert!(!decoded.text.contains(char::REPLACEMENT_CHARACTER));
                prop_assert_eq!(decoded.text.matches('\n').count(), octets.iter().filter(|o| **o == b'\n').count());
            }
        }
    }
}
