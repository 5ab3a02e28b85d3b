//! Header values: encoded words (RFC 2047) and what old mail puts in their place.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use unicode_segmentation::UnicodeSegmentation;

use super::decode::read_as;
use super::encode::{choose, encode_iso_2022_jp};
use super::normalise::normalise;
use super::{Charset, Profile, decode};

/// The longest line with an encoded word, and the longest encoded word, in octets.
const LINE: usize = 76;
const WORD: usize = 75;

/// Longer runs without a space would come near the 998 octets that a line may have (RFC 5322).
const UNBROKEN: usize = 900;

/// Writes the text of a header value behind what already stands on its first line, `Subject: ` say.
///
/// Plain ASCII stays as it is, folded at spaces. Anything else is encoded as a whole, in base64 words of at most 75
/// octets that each begin and end in ASCII and between grapheme clusters, folded with CR LF and a space: in ISO-2022-JP
/// if that is the character set and carries the text, else in UTF-8.
pub fn encode_header(text: &str, charset: Charset, first_line_octets_used: usize) -> String {
    if is_plain(text) {
        return fold_plain(text, first_line_octets_used);
    }
    if charset == Charset::Iso2022Jp && choose(text, Profile::Ms) == Charset::Iso2022Jp {
        let jis = |text: &str| encode_iso_2022_jp(text, Profile::Ms).expect("choose says that it can be");
        encode_words(&normalise(text, Profile::Ms), Charset::Iso2022Jp, first_line_octets_used, jis)
    } else {
        encode_words(text, Charset::Utf8, first_line_octets_used, |text| text.as_bytes().to_vec())
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|octet| (b' '..=b'~').contains(&octet))
        && text.trim() == text
        && !text.contains("=?")
        && text.split(' ').all(|word| word.len() < UNBROKEN)
}

fn fold_plain(text: &str, used: usize) -> String {
    let mut folded = String::with_capacity(text.len() + text.len() / 16);
    let mut column = used;
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().len();
        if column + length > LINE && length > 0 && !folded.is_empty() && column > 1 {
            // The fold's own space is the one between the words.
            folded.truncate(folded.len() - 1);
            folded.push_str("\r\n ");
            column = 1;
        }
        folded.push_str(word);
        column += word.len();
    }
    folded
}

fn encode_words(text: &str, charset: Charset, used: usize, octets_of: impl Fn(&str) -> Vec<u8>) -> String {
    let name = charset.name();
    let frame = "=??B??=".len() + name.len();
    let capacity = |room: usize| room.saturating_sub(frame) / 4 * 3;
    let mut header = String::new();
    let mut room = capacity(WORD.min(LINE.saturating_sub(used)));
    let mut word = String::new();
    let mut octets = Vec::new();
    let mut finish = |octets: &mut Vec<u8>| {
        if !octets.is_empty() {
            header.push_str(&format!("=?{name}?B?{}?=", STANDARD.encode(&octets)));
            octets.clear();
        }
        header.push_str("\r\n ");
    };
    for piece in pieces(text, |piece| octets_of(piece).len() <= capacity(WORD)) {
        word.push_str(piece);
        let longer = octets_of(&word);
        if longer.len() <= room {
            octets = longer;
            continue;
        }
        finish(&mut octets);
        room = capacity(WORD);
        piece.clone_into(&mut word);
        octets = octets_of(&word);
    }
    finish(&mut octets);
    header.truncate(header.len() - "\r\n ".len());
    header
}

/// The grapheme clusters of a text, but the characters of one that no word holds.
fn pieces(text: &str, fits: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    text.graphemes(true).flat_map(move |cluster| {
        let whole = fits(cluster);
        let ends = cluster.char_indices().map(|(start, c)| start..start + c.len_utf8());
        let characters = ends.filter(move |_| !whole).map(move |range| &cluster[range]);
        whole.then_some(cluster).into_iter().chain(characters)
    })
}

/// Reads a header value: unfolds it, decodes its encoded words one by one and joins those that are next to each other.
/// Raw octets in any Japanese character set, which RFC 2047 forbids and old mail has, are read as [`decode()`] does. A
/// word that cannot be read stays as it is written, and so do raw octets, as `\xA0`.
pub fn decode_header(octets: &[u8]) -> String {
    let value = unfold(octets);
    let mut text = String::new();
    let mut words: Vec<Word> = Vec::new();
    let mut rest = value.as_slice();
    while !rest.is_empty() {
        let (raw, word) = up_to_word(rest);
        let is_between_words =
            word.is_some() && !words.is_empty() && raw.iter().all(|octet| matches!(octet, b' ' | b'\t'));
        if !raw.is_empty() && !is_between_words {
            read_words(&mut words, &mut text);
            read_raw(raw, &mut text);
        }
        rest = &rest[raw.len() + word.as_ref().map_or(0, |word| word.written.len())..];
        words.extend(word);
    }
    read_words(&mut words, &mut text);
    text
}

/// What stands before the next encoded word, and the word.
fn up_to_word(value: &[u8]) -> (&[u8], Option<Word<'_>>) {
    let signs = value.windows(2).enumerate().filter(|(_, pair)| *pair == b"=?");
    let found = signs.map(|(start, _)| start).find_map(|start| Some((start, Word::parse(&value[start..])?)));
    match found {
        Some((start, word)) => (&value[..start], Some(word)),
        None => (value, None),
    }
}

fn read_raw(raw: &[u8], text: &mut String) {
    match decode(raw, None) {
        Ok(decoded) => text.push_str(&decoded.text),
        Err(_) => {
            for octet in raw {
                match octet {
                    0x20..=0x7E | b'\t' => text.push(char::from(*octet)),
                    _ => text.push_str(&format!("\\x{octet:02X}")),
                }
            }
        }
    }
}

fn unfold(octets: &[u8]) -> Vec<u8> {
    octets.trim_ascii().iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect()
}

struct Word<'a> {
    written: &'a [u8],
    charset: Charset,
    octets: Vec<u8>,
}

impl Word<'_> {
    /// The encoded word that a value begins with.
    fn parse(value: &[u8]) -> Option<Word<'_>> {
        let mut parts = value.strip_prefix(b"=?")?.splitn(4, |octet| *octet == b'?');
        let (label, encoding, text, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if !rest.starts_with(b"=") || text.contains(&b' ') || encoding.len() != 1 {
            return None;
        }
        // A language may follow the character set (RFC 2231).
        let label = str::from_utf8(label).ok()?.split('*').next()?;
        let charset = Charset::from_label(label)?;
        let octets = match encoding {
            b"B" | b"b" => LENIENT.decode(text).ok()?,
            b"Q" | b"q" => quoted_printable(text)?,
            _ => return None,
        };
        let length = value.len() - rest.len() + 1;
        Some(Word { written: &value[..length], charset, octets })
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn quoted_printable(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        (octets.push(match first {
            b'_' => b' ',
            b'=' => u8::from_str_radix(str::from_utf8(after.get(..2)?).ok()?, 16).ok()?,
            octet => *octet,
        }));
        rest = if *first == b'=' { &after[2..] } else { after };
    }
    Some(octets)
}

/// Reads words that are next to each other, and empties the list.
fn read_words(words: &mut Vec<Word<'_>>, text: &mut String) {
    for same in words.chunk_by(|one, next| one.charset == next.charset) {
        let charset = same[0].charset;
        let one_by_one: Option<String> = same.iter().map(|word| read_word(&word.octets, charset)).collect();
        let joined = same.iter().map(|word| word.octets.as_slice()).collect::<Vec<_>>().concat();
        // Some mailers split a character between two words, some mistake the character set.
        let otherwise = || Some(decode(&joined, Some(charset)).ok()?.text);
        match one_by_one.or_else(|| read_word(&joined, charset)).or_else(otherwise) {
            Some(read) => text.push_str(&read),
            None => {
                let written: Vec<_> = same.iter().map(|word| String::from_utf8_lossy(word.written)).collect();
                text.push_str(&written.join(" "));
            }
        }
    }
    words.clear();
}

fn read_word(octets: &[u8], charset: Charset) -> Option<String> {
    let attempt = read_as(octets, charset, false);
    attempt.unreadable.is_none().then_some(attempt.text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ascii_stays_as_it_is() {
        let check = |text: &str, used, want: &str| assert_eq!(encode_header(text, Charset::Utf8, used), want);
        check("", 9, "");
        check("Vol.010 (2010/05/14)", 9, "Vol.010 (2010/05/14)");
        check(
            &"word ".repeat(16)[..79],
            9,
            &format!("{}\r\n {}", &"word ".repeat(13)[..64], &"word ".repeat(3)[..14]),
        );
        check("a=?b", 9, "=?UTF-8?B?YT0/Yg==?=");
        check("a\r\nBcc: b", 9, "=?UTF-8?B?YQ0KQmNjOiBi?=");
    }

    #[test]
    fn the_whole_value_is_encoded_in_the_charset_of_the_message() {
        let check = |text: &str, charset, want: &str| assert_eq!(encode_header(text, charset, 9), want);
        check("号外", Charset::Iso2022Jp, "=?ISO-2022-JP?B?GyRCOWYzMBsoQg==?=");
        check("Vol.1 号", Charset::Iso2022Jp, "=?ISO-2022-JP?B?Vm9sLjEgGyRCOWYbKEI=?=");
        check("号外", Charset::Utf8, "=?UTF-8?B?5Y+35aSW?=");
        check("©", Charset::Iso2022Jp, "=?UTF-8?B?wqk=?=");
    }

    #[test]
    fn a_word_holds_eighteen_kanji() {
        let header = encode_header(&"漢".repeat(40), Charset::Iso2022Jp, "Subject: ".len());
        let words: Vec<&str> = header.split("\r\n ").collect();
        let kanji = |word: &str| decode_header(word.as_bytes()).chars().count();
        assert_eq!(words.iter().map(|word| kanji(word)).collect::<Vec<_>>(), [15, 18, 7]);
        assert_eq!(words.iter().map(|word| word.len()).max(), Some(74));
    }

    #[test]
    fn a_full_first_line_is_left() {
        let header = encode_header("号", Charset::Utf8, 70);
        assert_eq!(header, "\r\n =?UTF-8?B?5Y+3?=");
    }

    #[test]
    fn header_values_are_read() {
        let check = |value: &[u8], want: &str| assert_eq!(decode_header(value), want);
        check(b"", "");
        check(b"plain\r\n folded\r\n", "plain folded");
        check(b"=?ISO-2022-JP?B?GyRCOWYzMBsoQg==?=", "号外");
        check(b"=?iso-2022-jp?b?GyRCOWYzMBsoQg?=", "号外");
        check(b"=?ISO-2022-JP*ja?B?GyRCOWYbKEI=?=\r\n =?UTF-8?B?5aSW?=", "号外");
        check(b"=?UTF-8?Q?a_b=E5=8F=B7?= c", "a b号 c");
        check(b"\"=?UTF-8?B?5Y+3?=\" <a@example.jp>", "\"号\" <a@example.jp>");
        // One character in two words.
        check(b"=?UTF-8?B?5Y8=?= =?UTF-8?B?tw==?=", "号");
        check(b" [ml 1] =?UTF-8?B?5Y+3?=", "[ml 1] 号");
        // Raw JIS, with what looks like the sign of a word inside, and Shift_JIS.
        check(b"Re: \x1b$B9f=?30\x1b(B", "Re: 号戎外");
        check(b"\x8d\x86\x8aO\x82\xcc\x82\xa8\x92m\x82\xe7\x82\xb9", "号外のお知らせ");
        // What is no word that can be read stays.
        check(
            b"=?UTF-8?B?!!!!?= =?x-unknown?B?AAAA?= =?UTF-8?X?a?= =?",
            "=?UTF-8?B?!!!!?= =?x-unknown?B?AAAA?= =?UTF-8?X?a?= =?",
        );
        check(b"=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?=");
        check(b"a \xFF\xFE", "a \\xFF\\xFE");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in prop_oneof!["[ -~]{0,90}", "[ぁ-んァ-ン亜-腕a ]{0,90}", any::<String>()], used in 0..80usize) {
            for charset in [Charset::Utf8, Charset::Iso2022Jp] {
                let header = encode_header(&text, charset, used);
                let lines: Vec<&str> = header.split("\r\n").collect();
                for (index, line) in lines.iter().enumerate() {
                    let used = if index == 0 { used } else { 0 };
                    let is_unbroken = !line.trim().contains(' ');
                    prop_assert!(line.is_empty() || used + line.len() <= LINE || (is_plain(&text) && is_unbroken), "{line:?}");
                    prop_assert!(line.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{line:?}");
                    prop_assert!(index == 0 || line.starts_with(' '));
                }
                let is_jis = charset == Charset::Iso2022Jp && choose(&text, Profile::Ms) == charset && !is_plain(&text);
                let want = if is_jis { normalise(&text, Profile::Ms) } else { text.as_str().into() };
                prop_assert_eq!(decode_header(header.as_bytes()), want);
            }
        }

        #[test]
        fn no_value_makes_it_panic(octets: Vec<u8>, text in "(=\\?|UTF-8|\\?B\\?|\\?Q\\?|\\?=|=|_|[a-zA-Z0-9 ]){0,30}") {
            let _ = decode_header(&octets);
            let _ = decode_header(text.as_bytes());
        }
    }
}
