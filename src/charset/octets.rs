//! Looking at the octets of long texts.

use std::borrow::Cow;

use encoding_rs::UTF_8;

/// Octets as the UTF-8 that they are, or how many of them are.
pub(crate) fn utf8(octets: &[u8]) -> Result<&str, usize> {
    // It looks at many octets together, which the standard library does for ASCII alone.
    match UTF_8.decode_without_bom_handling_and_without_replacement(octets) {
        Some(Cow::Borrowed(text)) => Ok(text),
        _ => str::from_utf8(octets).map_err(|error| error.valid_up_to()),
    }
}

/// Where the first wanted octet stands from `from` on. Many are looked at together: no branch stands in the inner loop,
/// so that the compiler can do them at once.
pub(crate) fn find_octet(octets: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    const STRIDE: usize = 64;
    let mut at = from;
    for chunk in octets[from..].chunks(STRIDE) {
        if chunk.iter().fold(false, |found, octet| found | wanted(*octet)) {
            return chunk.iter().position(|octet| wanted(*octet)).map(|offset| at + offset);
        }
        at += chunk.len();
    }
    None
}

/// Whether a text has no control characters (U+0000 to U+001F, U+007F to U+009F) but line feeds, form feeds and tabs.
/// Told from the octets alone, it may be wrong about a text that has `¥`, `§` or their neighbours, which begin with the
/// same octet as the upper control characters.
pub(crate) fn surely_without_controls(text: &str) -> bool {
    let suspicious =
        |octet: u8| octet < b' ' && !matches!(octet, b'\n' | b'\t' | 0xC) || matches!(octet, 0x7F | 0xC2);
    find_octet(text.as_bytes(), 0, suspicious).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_read_up_to_where_it_ends() {
        assert_eq!(utf8("漢字\u{FEFF}".as_bytes()), Ok("漢字\u{FEFF}"));
        assert_eq!(utf8("\u{FEFF}漢字".as_bytes()), Ok("\u{FEFF}漢字"));
        assert_eq!(utf8(b""), Ok(""));
        assert_eq!(utf8(b"ab\xE6\xBCc"), Err(2));
        assert_eq!(utf8(b"\xE6\xBC\xA2\xFF"), Err(3));
        assert_eq!(utf8(b"\xED\xA0\x80"), Err(0), "a surrogate is no character");
    }

    #[test]
    fn octets_are_found_wherever_they_stand() {
        for at in [0, 1, 63, 64, 65, 127, 200] {
            let mut octets = vec![b'a'; 201];
            octets[at] = b'b';
            assert_eq!(find_octet(&octets, 0, |octet| octet == b'b'), Some(at));
            assert_eq!(find_octet(&octets, at, |octet| octet == b'b'), Some(at));
            assert_eq!(find_octet(&octets, at + 1, |octet| octet == b'b'), None);
        }
    }

    #[test]
    fn every_control_character_is_suspicious() {
        for character in '\0'..='\u{2FF}' {
            let kept = !character.is_control() || matches!(character, '\n' | '\t' | '\u{C}');
            assert!(kept || !surely_without_controls(&format!("漢字{character}")), "{character:?}");
        }
        assert!(surely_without_controls("漢字\tkanji\n"));
    }
}
