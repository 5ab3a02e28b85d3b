//! What a paragraph goes through before it is measured.

use super::join::rejoin;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The paragraph on one line: soft line breaks joined, blanks collapsed, marks composed (NFC), half-width kana made
/// full-width, variation selectors, byte order marks and soft hyphens removed. No-break spaces and U+200B stay for the
/// filler to see.
pub fn clean(paragraph: &str) -> String {
    let mut text = String::with_capacity(paragraph.len());
    for line in paragraph.split('\n') {
        let line = line.trim_matches(blank);
        if let Some(first) = line.chars().find(|&character| !removed(character)) {
            if let Some(last) = text.chars().next_back() {
                text.push_str(rejoin(last, first));
            }
            push_line(&mut text, line);
        }
    }
    text
}

fn push_line(text: &mut String, line: &str) {
    let mut characters = line.chars().filter(|&character| !removed(character)).peekable();
    while let Some(character) = characters.next() {
        if blank(character) {
            if text.ends_with('\u{200B}') {
                text.pop();
            }
            if !text.ends_with(' ') {
                text.push(' ');
            }
        } else if character == '\u{200B}' {
            if !text.ends_with([' ', '\u{200B}']) {
                text.push(character);
            }
        } else if let Some(full) = full_width(character) {
            let voiced = match characters.peek() {
                Some('ﾞ' | '\u{3099}') => composed(full, '\u{3099}'),
                Some('ﾟ' | '\u{309A}') => composed(full, '\u{309A}'),
                _ => None,
            };
            if voiced.is_some() {
                characters.next();
            }
            text.push(voiced.unwrap_or(full));
        } else if characters.peek().is_some_and(|&next| is_combining_mark(next)) {
            let mut cluster = String::from(character);
            while let Some(mark) = characters.next_if(|&next| is_combining_mark(next)) {
                cluster.push(mark);
            }
            text.extend(cluster.nfc());
        } else {
            text.push(character);
        }
    }
}

/// Appends a piece of cleaned text as readers see it.
pub(super) fn push_visible(out: &mut String, piece: &str) {
    for character in piece.chars() {
        match character {
            '\u{A0}' | '\u{2007}' | '\u{202F}' => out.push(' '),
            '\u{200B}' => {}
            character => out.push(character),
        }
    }
}

fn blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{B}' | '\u{C}' | '\r')
}

fn removed(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{FEFF}' | '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn composed(base: char, mark: char) -> Option<char> {
    unicode_normalization::char::compose(base, mark)
}

/// The full-width twin of half-width kana and their punctuation.
fn full_width(character: char) -> Option<char> {
    const TWINS: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";
    let index = (character as usize).checked_sub(0xFF61).filter(|&index| index < 63)?;
    // Each of them takes three octets.
    TWINS.get(index * 3..index * 3 + 3)?.chars().next()
}
