//! Text to octets, and what stands in the way.

use encoding_rs::{EUC_JP, EncoderResult, Encoding, SHIFT_JIS};
use unicode_segmentation::UnicodeSegmentation;

use super::normalise::{normalise, normalise_run, runs_with_care};
use super::table::{Table, is_platform_dependent, table};
use super::{Charset, Profile};

/// A character that a character set cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsendable {
    /// Where in the text it begins, in octets; it is as long as the text's grapheme cluster there (UAX #29).
    pub offset: usize,
    /// The character, or of several that make one the first that cannot be sent.
    pub character: char,
}

/// How well ISO-2022-JP carries a character that deserves a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sendable {
    /// To nearly everybody: it is outside JIS X 0208.
    PlatformDependent,
    /// Not at all.
    No,
}

/// A character that deserves a look before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where in the text it begins, in octets.
    pub offset: usize,
    /// The character.
    pub character: char,
    /// Why: [`Sendable::PlatformDependent`] or [`Sendable::No`].
    pub sendable: Sendable,
}

/// The characters of a text that ISO-2022-JP cannot carry even when normalised, in order.
pub fn unsendable(text: &str, profile: Profile) -> Vec<Unsendable> {
    let controls = text.match_indices(|c: char| c.is_ascii() && !is_plain_ascii(c));
    let mut found: Vec<Unsendable> = controls
        .filter_map(|(offset, control)| Some(Unsendable { offset, character: control.chars().next()? }))
        .collect();
    for run in runs_with_care(text, profile) {
        let mut normal = String::new();
        normalise_run(&text[run.clone()], profile, &mut normal);
        let Some(character) = first_without_code(&normal, profile) else { continue };
        let before = found.len();
        for (offset, cluster) in text[run.clone()].grapheme_indices(true) {
            normal.clear();
            normalise_run(cluster, profile, &mut normal);
            let unsendable = first_without_code(&normal, profile);
            found.extend(unsendable.map(|character| Unsendable { offset: run.start + offset, character }));
        }
        if found.len() == before {
            found.push(Unsendable { offset: run.start, character });
        }
    }
    found.sort_by_key(|unsendable| unsendable.offset);
    found
}

/// Every character of a text that an editor should know of before it is sent in ISO-2022-JP, in order: the
/// platform-dependent ones and those of [`unsendable`].
pub fn look(text: &str, profile: Profile) -> Vec<Finding> {
    let table = table();
    let is_plain = |c: char| {
        let code = table.code(c);
        if c.is_ascii() { is_plain_ascii(c) } else { code != 0 && !is_platform_dependent(code) }
    };
    if text.chars().all(is_plain) {
        return Vec::new();
    }
    let depends = |(_, character): &(usize, char)| {
        profile == Profile::Ms && !character.is_ascii() && is_platform_dependent(table.code(*character))
    };
    let dependent = text.char_indices().filter(depends);
    let mut found: Vec<Finding> = dependent
        .map(|(offset, character)| Finding { offset, character, sendable: Sendable::PlatformDependent })
        .collect();
    let unsendable = unsendable(text, profile).into_iter();
    found.extend(unsendable.map(|Unsendable { offset, character }| Finding {
        offset,
        character,
        sendable: Sendable::No,
    }));
    found.sort_by_key(|finding| finding.offset);
    found
}

/// ISO-2022-JP if it carries every character of a text, else UTF-8.
pub fn choose(text: &str, profile: Profile) -> Charset {
    match first_unsendable(&normalise(text, profile), profile) {
        None => Charset::Iso2022Jp,
        Some(_) => Charset::Utf8,
    }
}

/// Writes a text in a character set, without a byte order mark. The Japanese sets get the text as [`normalise`] makes
/// it; every line of ISO-2022-JP begins and ends in ASCII (RFC 1468). Line ends stay as they are.
///
/// # Errors
/// Every character that the set cannot carry.
pub fn encode(text: &str, charset: Charset, profile: Profile) -> Result<Vec<u8>, Vec<Unsendable>> {
    match charset {
        Charset::Utf8 => return Ok(text.as_bytes().to_vec()),
        Charset::Utf16Le => return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        Charset::Utf16Be => return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        Charset::Iso2022Jp | Charset::ShiftJis | Charset::EucJp => {}
    }
    if charset == Charset::Iso2022Jp
        && let Some(octets) = encode_iso_2022_jp(text, profile)
    {
        // What can be written as it stands has nothing to normalise.
        return Ok(octets);
    }
    let normal = normalise(text, profile);
    let octets = match charset {
        Charset::ShiftJis => encode_by(SHIFT_JIS, &normal, profile),
        Charset::EucJp => encode_by(EUC_JP, &normal, profile),
        _ => encode_iso_2022_jp(&normal, profile),
    };
    octets.ok_or_else(|| unsendable(text, profile))
}

const TO_KANJI: &[u8] = b"\x1b$B";
const TO_ASCII: &[u8] = b"\x1b(B";

/// Writes a normalised text in ISO-2022-JP, if it can be.
pub(super) fn encode_iso_2022_jp(normal: &str, profile: Profile) -> Option<Vec<u8>> {
    let table = table();
    let strict = profile == Profile::Strict;
    let mut octets = Vec::with_capacity(normal.len() + 16);
    let mut rest = normal;
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|octet| !octet.is_ascii()).unwrap_or(rest.len());
        if rest.bytes().take(ascii).any(|octet| !is_plain_ascii(char::from(octet))) {
            return None;
        }
        octets.extend_from_slice(&rest.as_bytes()[..ascii]);
        rest = &rest[ascii..];
        if rest.is_empty() {
            break;
        }
        octets.extend_from_slice(TO_KANJI);
        let kanji = write_kanji(rest, table, strict, &mut octets)?;
        octets.extend_from_slice(TO_ASCII);
        rest = &rest[kanji..];
    }
    Some(octets)
}

/// Writes the characters up to the next one of ASCII; gives their length in UTF-8.
fn write_kanji(text: &str, table: &Table, strict: bool, octets: &mut Vec<u8>) -> Option<usize> {
    for (offset, character) in text.char_indices() {
        if character.is_ascii() {
            return Some(offset);
        }
        let code = table.code(character);
        if code == 0 || (strict && is_platform_dependent(code)) {
            return None;
        }
        octets.extend_from_slice(&code.to_be_bytes());
    }
    Some(text.len())
}

fn encode_by(encoding: &'static Encoding, normal: &str, profile: Profile) -> Option<Vec<u8>> {
    if first_unsendable(normal, profile).is_some() {
        return None;
    }
    let mut encoder = encoding.new_encoder();
    let room = encoder.max_buffer_length_from_utf8_without_replacement(normal.len())?;
    let mut octets = Vec::with_capacity(room);
    let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(normal, &mut octets, true);
    (result == EncoderResult::InputEmpty).then_some(octets)
}

fn first_unsendable(normal: &str, profile: Profile) -> Option<char> {
    let control = normal.chars().find(|c| c.is_ascii() && !is_plain_ascii(*c));
    control.or_else(|| first_without_code(normal, profile))
}

fn first_without_code(normal: &str, profile: Profile) -> Option<char> {
    let table = table();
    normal.chars().find(|c| !c.is_ascii() && !table.holds(*c, profile == Profile::Strict))
}

/// ESC, SO and SI would change the set.
fn is_plain_ascii(character: char) -> bool {
    !matches!(character, '\u{1B}' | '\u{0E}' | '\u{0F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::charset::{decode, remedy};

    fn check(text: &str, profile: Profile, want: &[u8]) {
        let octets = encode(text, Charset::Iso2022Jp, profile).unwrap();
        assert_eq!(octets, want, "{text}: {}", String::from_utf8_lossy(&octets));
    }

    #[test]
    fn every_line_begins_and_ends_in_ascii() {
        check("", Profile::Ms, b"");
        check("plain\n", Profile::Ms, b"plain\n");
        check("あい\r\nう", Profile::Ms, b"\x1b$B$\"$$\x1b(B\r\n\x1b$B$&\x1b(B");
        check("aあb\n\n", Profile::Ms, b"a\x1b$B$\"\x1b(Bb\n\n");
        check("～ー", Profile::Ms, b"\x1b$B!A!<\x1b(B");
    }

    #[test]
    fn characters_are_sent_in_their_one_form() {
        check("〜—‖¢£¬", Profile::Ms, b"\x1b$B!A!=!B!q!r\"L\x1b(B");
        check("−", Profile::Ms, b"\x1b$B!]\x1b(B");
        check("¥‾\n", Profile::Ms, b"\x1b$B!o!1\x1b(B\n");
        check("ｶﾞﾊﾟか\u{3099}", Profile::Ms, b"\x1b$B%,%Q$,\x1b(B");
        check("Åµ\u{2126}\u{2011}·•⋯ゔ", Profile::Ms, b"\x1b$B\"r&L&8!>!&!&!D%t\x1b(B");
        check("a\u{A0}\u{200B}\u{FEFF}\u{FE0F}\u{AD}b", Profile::Ms, b"a b");
        check("①髙", Profile::Ms, b"\x1b$B-!|b\x1b(B");
        check("①Ⅰ㈱№℡㍻", Profile::Strict, b"(1)I(\x1b$B3t\x1b(B)No.TEL\x1b$BJ?@.\x1b(B");
    }

    #[test]
    fn what_cannot_be_sent_is_told_at_its_place() {
        let check = |text: &str, profile, want: &[(usize, char)]| {
            let want: Vec<_> = want
                .iter()
                .map(|(offset, character)| Unsendable { offset: *offset, character: *character })
                .collect();
            assert_eq!(unsendable(text, profile), want, "{text}");
            let encoded = encode(text, Charset::Iso2022Jp, profile);
            assert_eq!(encoded, Err(want), "{text}");
            assert_eq!(choose(text, profile), Charset::Utf8);
        };
        for character in ['©', '®', '™', 'é', '€', '✓', '㋿', '😀', '𠮷', '鷗', '한', '\u{E000}']
        {
            check(&format!("あ\n{character}"), Profile::Ms, &[(4, character)]);
        }
        check("©aé한글", Profile::Ms, &[(0, '©'), (3, 'é'), (5, '한'), (8, '글')]);
        check("cafe\u{301}!", Profile::Ms, &[(3, 'é')]);
        check("x👨\u{200D}👩\u{200D}👧y", Profile::Ms, &[(1, '👨')]);
        check("か\u{3099}한", Profile::Ms, &[(6, '한')]);
        check("\u{1B}あ©\u{0E}", Profile::Ms, &[(0, '\u{1B}'), (4, '©'), (6, '\u{0E}')]);
        check("髙①", Profile::Strict, &[(0, '髙')]);
    }

    #[test]
    fn characters_tell_how_well_they_are_carried() {
        let check = |characters: &str, profile, want: Option<Sendable>| {
            for character in characters.chars() {
                let found = look(&character.to_string(), profile);
                assert_eq!(found.first().map(|finding| finding.sendable), want, "{character}");
            }
        };
        check("a あ亜〜—¥ｶﾞ\u{3099}\u{A0}\u{200B}ゔÅ\n", Profile::Ms, None);
        check("①Ⅰ㈱№℡㍻〝〟髙﨑ⅰ", Profile::Ms, Some(Sendable::PlatformDependent));
        check("①Ⅰ㈱№℡㍻〝〟ⅰ", Profile::Strict, None);
        check("髙﨑∮", Profile::Strict, Some(Sendable::No));
        check("©®™é€✓㋿😀𠮷鷗한\u{1B}", Profile::Ms, Some(Sendable::No));
    }

    #[test]
    fn a_look_tells_of_every_doubtful_character() {
        use Sendable::{No, PlatformDependent};
        let check = |text: &str, profile, want: &[(usize, char, Sendable)]| {
            let found = look(text, profile);
            let found: Vec<_> = found.iter().map(|f| (f.offset, f.character, f.sendable)).collect();
            assert_eq!(found, want, "{text}");
        };
        check("日本語 ABC 〜ｶﾞ≒∪", Profile::Ms, &[]);
        check(
            "①©髙",
            Profile::Ms,
            &[(0, '①', PlatformDependent), (3, '©', No), (5, '髙', PlatformDependent)],
        );
        check("①©髙", Profile::Strict, &[(3, '©', No), (5, '髙', No)]);
    }

    #[test]
    fn remedies_can_be_sent() {
        let needs_one = |c: &char| choose(c.encode_utf8(&mut [0; 4]), Profile::Strict) != Charset::Iso2022Jp;
        for character in ('\u{80}'..='\u{10FFFF}').filter(needs_one) {
            let Some(remedy) = remedy(character) else { continue };
            assert_eq!(choose(&remedy, Profile::Strict), Charset::Iso2022Jp, "{character}: {remedy}");
        }
    }

    #[test]
    fn other_sets_carry_the_same_text() {
        let text = "日本語〜①ｶﾞ\r\n";
        for charset in [Charset::ShiftJis, Charset::EucJp, Charset::Iso2022Jp] {
            let octets = encode(text, charset, Profile::Ms).unwrap();
            assert_eq!(decode(&octets, Some(charset)).unwrap().text, "日本語\u{FF5E}①ガ\r\n");
            assert!(encode("©", charset, Profile::Ms).is_err());
        }
        for charset in [Charset::Utf8, Charset::Utf16Le, Charset::Utf16Be] {
            let octets = encode(text, charset, Profile::Ms).unwrap();
            assert_eq!(decode(&octets, Some(charset)).unwrap().text, text);
        }
    }

    #[test]
    fn every_character_of_the_table_comes_back() {
        let mut carried = 0;
        for character in ('\u{80}'..='\u{FFFF}').filter(|c| table().code(*c) != 0) {
            let text = character.to_string();
            let octets = encode(&text, Charset::Iso2022Jp, Profile::Ms).unwrap();
            assert_eq!(octets.len(), 8);
            assert_eq!(decode(&octets, None).unwrap().text, text);
            carried += 1;
        }
        // With the half-width kana and U+2212, which have others' octets, 7,390.
        assert_eq!(carried, 7_326);
    }

    fn mail_text() -> impl Strategy<Value = String> {
        let pieces = [
            "あ", "漢字", "ア", "ｶ", "ﾞ", "ﾟ", "か", "は", "\u{3099}", "\u{309A}", "〜", "—", "①", "㈱", "¥",
            "\u{A0}", "\u{200B}", "\u{FE0F}", "A", "\u{30A}", "\u{301}", "\u{212B}", "\u{2126}", "\u{FA19}",
            "髙", "©", "한", "😀", "$B", "(B", "~", "\\", "\n", "\r\n", " ", "=?", "?=", ".",
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_sent_is_the_normalised_text(text in prop_oneof![mail_text(), any::<String>()], strict: bool) {
            let profile = if strict { Profile::Strict } else { Profile::Ms };
            let normal = normalise(&text, profile);
            match encode(&text, Charset::Iso2022Jp, profile) {
                Ok(octets) => {
                    prop_assert!(octets.is_ascii());
                    for line in octets.split(|octet| *octet == b'\n') {
                        let last = line.iter().rposition(|octet| *octet == 0x1B);
                        prop_assert!(last.is_none_or(|at| line[at..].starts_with(b"\x1b(B")));
                    }
                    prop_assert!(!octets.windows(3).any(|window| window == b"\x1b(J"));
                    let decoded = decode(&octets, Some(Charset::Iso2022Jp)).unwrap();
                    prop_assert_eq!(&decoded.text, &*normal);
                    prop_assert_eq!(decoded.repairs, vec![]);
                    prop_assert_eq!(normalise(&normal, profile), &*normal);
                    prop_assert_eq!(unsendable(&text, profile), vec![]);
                    prop_assert_eq!(choose(&text, profile), Charset::Iso2022Jp);
                }
                Err(found) => {
                    prop_assert!(!found.is_empty());
                    prop_assert!(found.iter().all(|unsendable| text.is_char_boundary(unsendable.offset)));
                    prop_assert_eq!(found, unsendable(&text, profile));
                    prop_assert_eq!(choose(&text, profile), Charset::Utf8);
                }
            }
        }
    }
}
