//! Joining lines that a source or an old mail broke.

use super::kinsoku::{Class, both_narrow, class_of, columns_of, entry};

/// What a source's soft line break becomes between two characters: nothing between two wide ones that are visible and
/// not of a script written in words (Hangul, Greek, Cyrillic), nor after wide punctuation, which brings its own room;
/// else one space. Before such punctuation there may be an address, which it must not touch.
pub fn join(left: char, right: char) -> &'static str {
    let both = touches(left) && touches(right);
    if both || punctuates(left) { "" } else { " " }
}

/// What a filled line's end becomes when the paragraph flows again: nothing if a wide character stands on either side,
/// since that is where lines end without a space.
pub fn rejoin(left: char, right: char) -> &'static str {
    if needs_space(left, right) {
        " "
    } else if left == ' ' || right == ' ' || touches(left) || touches(right) {
        ""
    } else {
        " "
    }
}

fn punctuates(character: char) -> bool {
    let entry = entry(character);
    let class = class_of(entry);
    let stops = class == Class::Open as u8 || class == Class::Close as u8 || class == Class::Stop as u8;
    columns_of(entry) == 2 && (stops || matches!(character, '・' | '：' | '；' | '！' | '？'))
}

fn touches(character: char) -> bool {
    let entry = entry(character);
    let class = class_of(entry);
    columns_of(entry) == 2 && class != Class::Word as u8
        || matches!(character, '\u{FF61}'..='\u{FF9F}' | '\u{200B}')
}

/// Whether a line may not end between the two but at a space.
pub(super) fn needs_space(left: char, right: char) -> bool {
    let class = |character| match character {
        '-' | '/' => Class::Word as u8,
        character => class_of(entry(character)),
    };
    both_narrow(class(left), class(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_line_breaks() {
        let cases = [
            ('漢', 'か', "", ""),
            ('。', '「', "", ""),
            ('漢', 'A', " ", ""),
            ('6', 'で', " ", ""),
            ('a', 'b', " ", " "),
            ('한', '글', " ", " "),
            ('я', 'ж', " ", " "),
            ('、', 'V', "", ""),
            ('A', '「', " ", ""),
            ('？', 'A', "", ""),
            ('.', '漢', " ", ""),
            ('★', '①', "", ""),
            ('”', 'a', " ", " "),
            ('’', 'を', "", ""),
            ('a', '“', " ", " "),
            ('😀', '漢', "", ""),
        ];
        for (left, right, source, filled) in cases {
            assert_eq!((join(left, right), rejoin(left, right)), (source, filled), "{left}|{right}");
        }
    }
}
