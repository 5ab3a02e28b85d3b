//! What a text is in, by its octets alone.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{EUC_JP, SHIFT_JIS};

use super::Charset;
use super::decode::read_as;

/// The character set that octets look like: by a byte order mark, by escape sequences, as UTF-8 that holds, else by
/// the statistics of Japanese (Shift_JIS from some 5 characters on, EUC-JP from 12) and by what can be read.
pub fn detect(octets: &[u8]) -> Charset {
    let (mark, body) = byte_order_mark(octets);
    if let Some(charset) = mark {
        return charset;
    }
    if is_seven_bit_jis(body) {
        return Charset::Iso2022Jp;
    }
    let is_readable = |charset| read_as(body, charset, false).unreadable.is_none();
    // Half-width kana in eight bits between runs of kanji.
    if has_escapes(body) && is_readable(Charset::Iso2022Jp) {
        return Charset::Iso2022Jp;
    }
    if str::from_utf8(body).is_ok() {
        return Charset::Utf8;
    }
    let guess = statistics(body);
    if let Some(guess) = guess.filter(|guess| is_readable(*guess)) {
        return guess;
    }
    // Nothing can be read without loss: whatever loses least is what the text was meant to be.
    let escapes = has_escapes(body).then_some(Charset::Iso2022Jp);
    let candidates = escapes.into_iter().chain([Charset::Utf8, Charset::ShiftJis, Charset::EucJp]);
    let implausible = |charset: &Charset| {
        let attempt = read_as(body, *charset, false);
        let escapes = attempt.text.bytes().filter(|octet| *octet == 0x1B).count();
        attempt.unreadable_places + half_width_kana(&attempt.text) + escapes
    };
    candidates.min_by_key(implausible).unwrap_or(Charset::Utf8)
}

/// Whether a text is likely one that somebody wrote: almost anything can be read as half-width kana of Shift_JIS.
pub(super) fn is_plausible(text: &str) -> bool {
    half_width_kana(text) * 4 <= text.chars().filter(|c| !c.is_ascii()).count()
}

fn half_width_kana(text: &str) -> usize {
    text.chars().filter(|c| ('\u{FF61}'..='\u{FF9F}').contains(c)).count()
}

/// The character set of a byte order mark, and what follows it.
pub(super) fn byte_order_mark(octets: &[u8]) -> (Option<Charset>, &[u8]) {
    match octets {
        [0xEF, 0xBB, 0xBF, body @ ..] => (Some(Charset::Utf8), body),
        [0xFF, 0xFE, body @ ..] => (Some(Charset::Utf16Le), body),
        [0xFE, 0xFF, body @ ..] => (Some(Charset::Utf16Be), body),
        _ => (None, octets),
    }
}

/// Whether a label can be right: ISO-2022-JP has no octets above 0x7F, and nothing else has its escape sequences.
pub(super) fn may_be(octets: &[u8], label: Charset) -> bool {
    match label {
        Charset::Iso2022Jp => octets.is_ascii(),
        _ => !is_seven_bit_jis(octets),
    }
}

fn is_seven_bit_jis(octets: &[u8]) -> bool {
    octets.is_ascii() && (has_escapes(octets) || (octets.contains(&0x0E) && octets.contains(&0x0F)))
}

fn has_escapes(octets: &[u8]) -> bool {
    octets.windows(3).any(|window| {
        matches!(
            window,
            [0x1B, b'$', b'B' | b'@' | b'('] | [0x1B, b'(', b'B' | b'H' | b'I' | b'J'] | [0x1B, b'&', b'@']
        )
    })
}

fn statistics(octets: &[u8]) -> Option<Charset> {
    // More than this does not change the answer, and it is slow.
    const ENOUGH: usize = 1 << 16;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let from = octets.iter().position(|octet| *octet >= 0x80).unwrap_or(0);
    let sample = &octets[from..octets.len().min(from + ENOUGH)];
    detector.feed(sample, sample.len() == octets.len() - from);
    let guess = detector.guess(Some(b"jp"), Utf8Detection::Deny);
    if guess == SHIFT_JIS {
        Some(Charset::ShiftJis)
    } else if guess == EUC_JP {
        Some(Charset::EucJp)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, charset: Charset) -> Vec<u8> {
        match charset {
            Charset::ShiftJis => SHIFT_JIS.encode(text).0.into_owned(),
            Charset::EucJp => EUC_JP.encode(text).0.into_owned(),
            Charset::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Charset::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            _ => text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn each_set_is_told_from_the_others() {
        let check = |octets: &[u8], want| assert_eq!(detect(octets), want, "{octets:02X?}");
        check(b"", Charset::Utf8);
        check(b"plain ASCII, $B(B and all\r\n", Charset::Utf8);
        check("日本".as_bytes(), Charset::Utf8);
        check(b"\xEF\xBB\xBFa", Charset::Utf8);
        check(&encoded("\u{FEFF}日本", Charset::Utf16Le), Charset::Utf16Le);
        check(&encoded("\u{FEFF}日本", Charset::Utf16Be), Charset::Utf16Be);
        check(b"\x1b$B$\"\x1b(B", Charset::Iso2022Jp);
        check(b"\x1b(I1\x1b(B", Charset::Iso2022Jp);
        check(b"\x0e1\x0f", Charset::Iso2022Jp);
        check(b"\x1b$B$\"\x1b(B \xB1\xB2", Charset::Iso2022Jp);
        check(b"\x1b[1mbold\x1b[0m", Charset::Utf8);
        check(&encoded("こんにちは", Charset::ShiftJis), Charset::ShiftJis);
        check(&encoded("ﾊﾝｶｸｶﾀｶﾅ ﾉ ﾒｰﾙ", Charset::ShiftJis), Charset::ShiftJis);
        check(&encoded("文字コードの判別には", Charset::ShiftJis), Charset::ShiftJis);
        check(&encoded("文字の組の判別は十二文字から。", Charset::EucJp), Charset::EucJp);
        check(&encoded("2010年5月の号をお届けします。\r\n", Charset::EucJp), Charset::EucJp);
    }

    #[test]
    fn a_damaged_text_is_what_loses_least() {
        let mut octets = "長い文章のどこか一箇所が壊れていても".as_bytes().to_vec();
        octets[7] = 0xFF;
        assert_eq!(detect(&octets), Charset::Utf8);
        let mut octets = encoded("長い文章のどこか一箇所が壊れていても", Charset::ShiftJis);
        octets.push(0xFF);
        assert_eq!(detect(&octets), Charset::ShiftJis);
        assert_eq!(detect(b"\x1b$B$\"$$\x1b(B\n\x1b$B\xFF\xFF\x1b(B"), Charset::Iso2022Jp);
    }
}
