//! The two-byte characters of JIS, both ways: a table of 94 rows of 94 cells as Microsoft has them.
//!
//! encoding_rs knows the characters but not the care that mail needs, so its index is read out once, at first use.

use std::sync::LazyLock;

use encoding_rs::ISO_2022_JP;

/// The characters of JIS X 0208 with NEC's row 13 and the IBM characters of rows 89 to 92.
pub(super) struct Table {
    /// By row and cell; `UNASSIGNED` where there is none.
    characters: Vec<char>,
    /// By code point of the Basic Multilingual Plane: the two octets, or 0.
    codes: Vec<u16>,
}

const SIDE: usize = 94;
const FIRST: u8 = 0x21;
const UNASSIGNED: char = '\0';

static TABLE: LazyLock<Table> = LazyLock::new(read_out);

/// The table; take it once before a loop.
pub(super) fn table() -> &'static Table {
    &TABLE
}

impl Table {
    /// The character of two octets, each 0x21 to 0x7E.
    #[inline]
    pub(super) fn character(&self, lead: u8, trail: u8) -> Option<char> {
        let (row, cell) = (usize::from(lead.wrapping_sub(FIRST)), usize::from(trail.wrapping_sub(FIRST)));
        if row >= SIDE || cell >= SIDE {
            return None;
        }
        let character = self.characters[row * SIDE + cell];
        (character != UNASSIGNED).then_some(character)
    }

    /// The two octets of a character, the first such pair where JIS has it twice; 0 where it has none.
    #[inline]
    pub(super) fn code(&self, character: char) -> u16 {
        self.codes.get(character as usize).copied().unwrap_or(0)
    }

    /// Whether a character is one of ISO-2022-JP's as it stands.
    #[inline]
    pub(super) fn holds(&self, character: char, strict: bool) -> bool {
        let code = self.code(character);
        code != 0 && !(strict && is_platform_dependent(code))
    }
}

/// Whether two octets stand outside JIS X 0208: in NEC's row 13 or in rows 89 to 92.
#[inline]
pub(super) fn is_platform_dependent(code: u16) -> bool {
    matches!(code >> 8, 0x2D | 0x79..=0x7C)
}

fn read_out() -> Table {
    let side = FIRST..FIRST + SIDE as u8;
    let pairs = side.clone().flat_map(|lead| side.clone().map(move |trail| [lead, trail]));
    let mut octets = b"\x1b$B".to_vec();
    octets.extend(pairs.clone().flatten());
    // An empty cell yields exactly one replacement character.
    let (text, _) = ISO_2022_JP.decode_without_bom_handling(&octets);
    let characters: Vec<char> =
        text.chars().map(|c| if c == char::REPLACEMENT_CHARACTER { UNASSIGNED } else { c }).collect();
    let mut codes = vec![0; 1 << 16];
    for (pair, character) in pairs.zip(&characters) {
        let code = &mut codes[*character as usize];
        if *code == 0 {
            *code = u16::from_be_bytes(pair);
        }
    }
    codes[UNASSIGNED as usize] = 0;
    Table { characters, codes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_place() {
        assert_eq!(table().characters.len(), SIDE * SIDE);
        for (lead, trail, want) in [
            (0x21, 0x21, '\u{3000}'),
            (0x24, 0x22, 'あ'),
            (0x2D, 0x21, '①'),
            (0x30, 0x21, '亜'),
            (0x7C, 0x6E, '黑'),
        ] {
            assert_eq!(table().character(lead, trail), Some(want));
        }
        for (lead, trail) in [(0x20, 0x21), (0x21, 0x7F), (0x28, 0x42), (0x7E, 0x7E), (0xFF, 0xFF), (0, 0)] {
            assert_eq!(table().character(lead, trail), None);
        }
    }

    /// But for the half-width kana and U+2212, which encoding_rs folds.
    #[test]
    fn codes_are_those_of_encoding_rs() {
        for character in
            ('\u{80}'..='\u{FFFF}').filter(|c| !matches!(c, '\u{FF61}'..='\u{FF9F}' | '\u{2212}'))
        {
            let mut encoder = ISO_2022_JP.new_encoder();
            let mut octets = Vec::with_capacity(16);
            let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(
                character.encode_utf8(&mut [0; 4]),
                &mut octets,
                true,
            );
            let two_octets =
                matches!(result, encoding_rs::EncoderResult::InputEmpty) && octets.starts_with(b"\x1b$B");
            let want = if two_octets { u16::from_be_bytes([octets[3], octets[4]]) } else { 0 };
            assert_eq!(table().code(character), want, "{character}");
        }
    }
}
