//! Reading ISO-2022-JP as it is found in old mail: with the damage and the liberties of thirty years.

use encoding_rs::EUC_JP;

use super::decode::{Attempt, RepairKind};
use super::table::{Table, table};

/// Reads octets as ISO-2022-JP. With `restore_escapes` a run between `$B` and `(B` whose ESC are lost is read, too.
pub(super) fn read(octets: &[u8], restore_escapes: bool) -> Attempt {
    let mut reader = Reader {
        octets,
        at: 0,
        set: Set::Ascii,
        shifted_out: false,
        after_escape: None,
        carried_until: 0,
        restore_escapes,
        no_run_before: 0,
        table: table(),
        attempt: Attempt::with_capacity(octets.len() + octets.len() / 2),
    };
    while reader.at < octets.len() {
        reader.step();
    }
    if reader.is_open() {
        reader.attempt.repair(octets, octets.len(), RepairKind::UnclosedLine);
    }
    reader.attempt
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    /// What the last escape sequence designated.
    set: Set,
    /// Between SO and SI, where octets are kana whatever the set.
    shifted_out: bool,
    /// Where the last escape sequence ended.
    after_escape: Option<usize>,
    /// Up to here the run of an unclosed line goes on over line ends.
    carried_until: usize,
    restore_escapes: bool,
    /// Before this no `$B` begins a run that lost its ESC.
    no_run_before: usize,
    table: &'static Table,
    attempt: Attempt,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    /// JIS X 0201's Latin half.
    Roman,
    /// JIS X 0201's half-width kana.
    Kana,
    Jis0208,
    Jis0212,
}

const ESC: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

impl Reader<'_> {
    /// Reads at least one octet.
    fn step(&mut self) {
        let octet = self.octets[self.at];
        match (octet, self.set) {
            (ESC, _) => self.escape(),
            (b'\r' | b'\n', _) => self.line_end(),
            (SHIFT_OUT | SHIFT_IN, _) => {
                self.repair(RepairKind::ShiftedKana);
                self.shifted_out = octet == SHIFT_OUT;
                self.at += 1;
            }
            (0xA1..=0xDF, _) => {
                self.repair(RepairKind::EightBitKana);
                self.push(half_width_kana(octet - 0x80), 1);
            }
            (0x80.., _) => self.unreadable(1),
            (0x21..=0x5F, Set::Kana) => self.push(half_width_kana(octet), 1),
            (0x21..=0x5F, _) if self.shifted_out => self.push(half_width_kana(octet), 1),
            (b' ' | b'\t', Set::Kana | Set::Jis0208 | Set::Jis0212) => {
                self.repair(RepairKind::BlankInRun);
                self.push(char::from(octet), 1);
            }
            (_, Set::Kana) => self.unreadable(1),
            (b'\\' | b'~', Set::Roman) => {
                self.repair(RepairKind::RomanAsAscii);
                self.push(char::from(octet), 1);
            }
            (_, Set::Roman) => self.push(char::from(octet), 1),
            (_, Set::Ascii) => self.ascii(),
            (_, Set::Jis0208) => self.jis_0208(),
            (_, Set::Jis0212) => self.jis_0212(),
        }
    }

    fn ascii(&mut self) {
        if self.restore_escapes && self.begins_lost_run() {
            self.repair(RepairKind::LostEscape);
            self.set = Set::Jis0208;
            self.at += 2;
            return;
        }
        let dollar = self.restore_escapes;
        let special =
            |octet: &u8| matches!(*octet, ESC | SHIFT_OUT | SHIFT_IN | 0x80..) || (dollar && *octet == b'$');
        let rest = &self.octets[self.at + 1..];
        let length =
            1 + if self.shifted_out { 0 } else { rest.iter().position(special).unwrap_or(rest.len()) };
        let stretch = &self.octets[self.at..self.at + length];
        self.attempt.text.push_str(str::from_utf8(stretch).expect("octets below 0x80 are UTF-8"));
        self.at += length;
    }

    fn jis_0208(&mut self) {
        let pairs = self.octets[self.at..].chunks_exact(2);
        let read = pairs.map_while(|pair| self.table.character(pair[0], pair[1]));
        let before = self.at;
        for character in read {
            self.attempt.text.push(character);
            self.at += 2;
        }
        if self.at > before {
            return;
        }
        if self.restore_escapes && matches!(self.octets[self.at..], [b'(', b'B' | b'J', ..]) {
            self.repair(RepairKind::LostEscape);
            self.set = Set::Ascii;
            self.at += 2;
        } else {
            self.unreadable(self.pair_length());
        }
    }

    fn jis_0212(&mut self) {
        if self.pair_length() < 2 {
            return self.unreadable(1);
        }
        let euc = [0x8F, self.octets[self.at] | 0x80, self.octets[self.at + 1] | 0x80];
        match EUC_JP.decode_without_bom_handling_and_without_replacement(&euc) {
            Some(text) => {
                self.attempt.text.push_str(&text);
                self.at += 2;
            }
            None => self.unreadable(2),
        }
    }

    /// Two where two octets of a two-byte set stand here, else one.
    fn pair_length(&self) -> usize {
        match self.octets[self.at..] {
            [0x21..=0x7E, 0x21..=0x7E, ..] => 2,
            _ => 1,
        }
    }

    fn escape(&mut self) {
        let (set, length, kind) = match self.octets[self.at + 1..] {
            [b'$', b'B' | b'@', ..] => (Some(Set::Jis0208), 3, None),
            [b'$', b'(', b'B' | b'@', ..] => (Some(Set::Jis0208), 4, Some(RepairKind::UnusualEscape)),
            [b'$', b'(', b'D', ..] => (Some(Set::Jis0212), 4, Some(RepairKind::Jis0212)),
            [b'&', b'@', ..] => (None, 3, Some(RepairKind::UnusualEscape)),
            [b'(', b'B', ..] => (Some(Set::Ascii), 3, None),
            [b'(', b'H', ..] => (Some(Set::Ascii), 3, Some(RepairKind::UnusualEscape)),
            [b'(', b'J', ..] => (Some(Set::Roman), 3, None),
            [b'(', b'I', ..] => (Some(Set::Kana), 3, None),
            _ => return self.unreadable(1),
        };
        if let Some(kind) = kind {
            self.repair(kind);
        }
        if let Some(set) = set {
            if self.after_escape == Some(self.at) {
                self.repair(RepairKind::DoubledEscape);
            }
            self.set = set;
            self.after_escape = Some(self.at + length);
        }
        self.at += length;
    }

    fn line_end(&mut self) {
        let length = if self.octets[self.at..].starts_with(b"\r\n") { 2 } else { 1 };
        let next_line = self.at + length;
        if self.is_open() {
            if self.set == Set::Jis0208 && !self.shifted_out && self.goes_on_at(next_line) {
                self.repair(RepairKind::CarriedOver);
            } else {
                self.repair(RepairKind::UnclosedLine);
                self.set = Set::Ascii;
            }
            self.shifted_out = false;
        }
        let line_end =
            if length == 2 { "\r\n" } else { ["\n", "\r"][usize::from(self.octets[self.at] == b'\r')] };
        self.attempt.text.push_str(line_end);
        self.at = next_line;
    }

    fn is_open(&self) -> bool {
        self.shifted_out || matches!(self.set, Set::Kana | Set::Jis0208 | Set::Jis0212)
    }

    /// Whether a run that its line does not close goes on in the next lines: they are pairs to the last one, and what
    /// closes them would close nothing else. Any ASCII text ends at the next run's beginning or at the end.
    fn goes_on_at(&mut self, next_line: usize) -> bool {
        if next_line < self.carried_until {
            return true;
        }
        let rest = &self.octets[next_line..];
        let Some(length) = rest.iter().position(|octet| *octet == ESC) else { return false };
        let lines = rest[..length].split(|octet| matches!(octet, b'\r' | b'\n'));
        let is_run = |line: &[u8]| {
            line.chunks(2).all(|pair| matches!(*pair, [l, t] if self.table.character(l, t).is_some()))
        };
        let goes_on = rest[length + 1..].starts_with(b"(") && length > 0 && lines.into_iter().all(is_run);
        if goes_on {
            self.carried_until = next_line + length;
        }
        goes_on
    }

    /// Whether `$B` stands here and behind it pairs up to `(B`, `(J` or an escape sequence.
    fn begins_lost_run(&mut self) -> bool {
        let [b'$', b'B' | b'@', ref rest @ ..] = self.octets[self.at..] else { return false };
        if self.at < self.no_run_before {
            return false;
        }
        let pairs = rest.chunks_exact(2).take_while(|pair| self.table.character(pair[0], pair[1]).is_some());
        let length = 2 * pairs.count();
        let is_run = length > 0 && matches!(rest[length..], [b'(', b'B' | b'J', ..] | [ESC, ..]);
        if !is_run {
            self.no_run_before = self.at + 2 + length;
        }
        is_run
    }

    fn push(&mut self, character: char, length: usize) {
        self.attempt.text.push(character);
        self.at += length;
    }

    fn repair(&mut self, kind: RepairKind) {
        self.attempt.repair(self.octets, self.at, kind);
    }

    fn unreadable(&mut self, length: usize) {
        self.attempt.unreadable(self.at..self.at + length);
        self.at += length;
    }
}

/// JIS X 0201's kana of an octet from 0x21 to 0x5F.
fn half_width_kana(octet: u8) -> char {
    char::from_u32(0xFF61 + u32::from(octet) - 0x21).expect("the kana stand together in Unicode")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charset::RepairKind::{
        BlankInRun, CarriedOver, DoubledEscape, EightBitKana, Jis0212, LostEscape, RomanAsAscii, ShiftedKana,
        UnclosedLine, UnusualEscape,
    };
    use crate::charset::{Charset, Repair, Undecodable, decode, decode_restoring_escapes};

    /// `^` stands for ESC.
    fn octets(written: &str) -> Vec<u8> {
        written.replace('^', "\x1b").into_bytes()
    }

    fn check(written: &str, want: &str, repairs: &[(usize, RepairKind)]) {
        check_octets(&octets(written), want, repairs);
    }

    fn check_octets(octets: &[u8], want: &str, repairs: &[(usize, RepairKind)]) {
        let decoded = decode(octets, Some(Charset::Iso2022Jp)).unwrap();
        assert_eq!(decoded.text, want, "{octets:02X?}");
        let repairs: Vec<Repair> =
            repairs.iter().map(|(line, kind)| Repair { line: *line, kind: *kind }).collect();
        assert_eq!(decoded.repairs, repairs, "{want}");
    }

    #[test]
    fn sound_text_is_read_without_repairs() {
        check("", "", &[]);
        check("plain $B(B\r\n", "plain $B(B\r\n", &[]);
        check("^$B$\"$$^(B\r\n^$B$&^(B", "あい\r\nう", &[]);
        check("^$@$\"^(J\r\n", "あ\r\n", &[]);
        check("^$B$\"^(Ja b\nc^(B", "あa b\nc", &[]);
        check("^(I1^(B", "ｱ", &[]);
        check("^$B-!|b|n^(B", "①髙黑", &[]);
        check("^$B!A^(B", "\u{FF5E}", &[]);
    }

    #[test]
    fn escape_sequences_that_designate_nothing_are_left_out() {
        check("^(B^$B$\"^(B", "あ", &[(1, DoubledEscape)]);
        check("a\n^$B^$B$\"^(B^(B\n", "a\nあ\n", &[(2, DoubledEscape)]);
        check("^$B$\"^(B^$B$$^(B", "あい", &[(1, DoubledEscape)]);
        check("^$B^(Ba", "a", &[(1, DoubledEscape)]);
    }

    #[test]
    fn a_line_that_is_not_closed_ends_in_ascii() {
        check("^$B$\"\r\nplain\r\n", "あ\r\nplain\r\n", &[(1, UnclosedLine)]);
        check("^$B$\"\nhttp://a.example/\n^$B$$^(B", "あ\nhttp://a.example/\nい", &[(1, UnclosedLine)]);
        check(
            "^$B$\"\n^$B$$\n^$B$&",
            "あ\nい\nう",
            &[(1, UnclosedLine), (2, UnclosedLine), (3, UnclosedLine)],
        );
        check("^(I1\n1", "ｱ\n1", &[(1, UnclosedLine)]);
        check("^$B$\"\n\n^$B$$^(B", "あ\n\nい", &[(1, UnclosedLine)]);
    }

    #[test]
    fn a_run_is_carried_over_where_that_reads_better() {
        check("^$B$\"\r\n$$^(B\r\na", "あ\r\nい\r\na", &[(1, CarriedOver)]);
        check("^$B$\"\n$$$&\n$(^(B", "あ\nいう\nえ", &[(1, CarriedOver), (2, CarriedOver)]);
        check("^$B$\"\nodd^(B", "あ\nodd", &[(1, UnclosedLine)]);
        check("^$B$\"\nto be sure^(B", "あ\nto be sure", &[(1, UnclosedLine)]);
    }

    #[test]
    fn unusual_escape_sequences_are_read_as_the_usual_ones() {
        check("^$(B$\"^(B", "あ", &[(1, UnusualEscape)]);
        check("^$(@$\"^(B", "あ", &[(1, UnusualEscape)]);
        check("^&@^$B$\"^(B", "あ", &[(1, UnusualEscape)]);
        check("^$B$\"^(Ha", "あa", &[(1, UnusualEscape)]);
    }

    #[test]
    fn jis_x_0212_is_read() {
        check("^$(D0!^(B", "丂", &[(1, Jis0212)]);
        check("^$(Dmc^$B$\"^(B", "龥あ", &[(1, Jis0212)]);
    }

    #[test]
    fn kana_in_seven_and_eight_bits_are_read() {
        check("\x0e12\x0fa", "ｱｲa", &[(1, ShiftedKana)]);
        check("^$B$\"\x0e1\x0f$$^(B", "あｱい", &[(1, ShiftedKana)]);
        check("\x0e1\n1", "ｱ\n1", &[(1, ShiftedKana), (1, UnclosedLine)]);
        check_octets(b"\x1b$B$\"\x1b(B\n\xB1\xDE", "あ\nｱﾞ", &[(2, EightBitKana)]);
    }

    #[test]
    fn blanks_inside_a_run_are_kept() {
        check("^$B$\" $$\t$&^(B", "あ い\tう", &[(1, BlankInRun)]);
        check("^(I1 2^(B", "ｱ ｲ", &[(1, BlankInRun)]);
    }

    #[test]
    fn roman_yen_and_overline_are_backslash_and_tilde() {
        check("^(Jc:\\~a^(B\\", "c:\\~a\\", &[(1, RomanAsAscii)]);
    }

    #[test]
    fn lost_escapes_are_put_back_when_asked() {
        check("$B$\"$$(B!", "$B$\"$$(B!", &[]);
        let check = |written: &str, want: &str, lines: &[usize]| {
            let decoded = decode_restoring_escapes(&octets(written), None).unwrap();
            assert_eq!(decoded.text, want);
            let repairs: Vec<_> = lines.iter().map(|line| Repair { line: *line, kind: LostEscape }).collect();
            assert_eq!(decoded.repairs, repairs, "{want}");
        };
        check("$B$\"$$(B!\n$@$&(J\n", "あい!\nう\n", &[1, 2]);
        check("$B$\"^(B", "あ", &[1]);
        check("^$B$\"(Ba", "あa", &[1]);
        check("costs $Bill or $BILLION\n", "costs $Bill or $BILLION\n", &[]);
        check("$B$\" (B", "$B$\" (B", &[]);
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_place() {
        let check = |written: &[u8], line, offset, at: &[u8], others| {
            let charset = Charset::Iso2022Jp;
            let want = Undecodable { charset, line, offset, octets: at.to_vec(), others };
            assert_eq!(decode(written, Some(charset)), Err(want));
        };
        check(b"a\n\x1b$B$\"\x7E\x7E\x1b(B", 2, 7, b"\x7E\x7E", 0);
        check(b"a\r\n\r\n\x1b$B$\"$\x1b(B", 3, 10, b"$", 0);
        check(b"\x1b$B$\"\x1b(B\x1bX\x1b", 1, 8, b"\x1b", 1);
        check(b"\x1b$B$\x01\"$\x1b(B", 1, 3, b"$", 1);
        check(b"\x1b$A0!\x1b(B", 1, 0, b"\x1b", 0);
        check(b"\x1b(I1\x7E\x1b(B", 1, 4, b"\x7E", 0);
    }
}
