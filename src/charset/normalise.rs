//! The one form of what Unicode writes in several ways and JIS in one, before anything is measured or encoded.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::Profile;
use super::remedy::substitute;
use super::table::{Table, table};

/// Makes of a text the characters that ISO-2022-JP has for it: the wave dash of either tradition, full-width kana for
/// half-width ones, composed marks, nothing for what is not seen. With [`Profile::Strict`] also `(1)` for `①`. What
/// the set does not have stays as it is.
pub fn normalise(text: &str, profile: Profile) -> Cow<'_, str> {
    let mut runs = runs_with_care(text, profile).peekable();
    if runs.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut normal = String::with_capacity(text.len());
    let mut done = 0;
    for run in runs {
        normal.push_str(&text[done..run.start]);
        normalise_run(&text[run.clone()], profile, &mut normal);
        done = run.end;
    }
    normal.push_str(&text[done..]);
    Cow::Owned(normal)
}

/// The longest runs of characters that ISO-2022-JP does not have as they stand, each with the one character before it,
/// which a mark may belong to.
pub(super) fn runs_with_care(text: &str, profile: Profile) -> impl Iterator<Item = Range<usize>> {
    let table = table();
    let strict = profile == Profile::Strict;
    let mut at = 0;
    std::iter::from_fn(move || {
        let found = first_with_care(&text[at..], table, strict)?;
        let end = text[at + found.end..].find(|c: char| c.is_ascii() || table.holds(c, strict));
        let run = at + found.start..end.map_or(text.len(), |end| at + found.end + end);
        at = run.end;
        Some(run)
    })
}

/// The first character that the table does not hold, from the character before it on.
fn first_with_care(text: &str, table: &Table, strict: bool) -> Option<Range<usize>> {
    let mut before = 0;
    for (offset, character) in text.char_indices() {
        if !character.is_ascii() && !table.holds(character, strict) {
            return Some(before..offset + character.len_utf8());
        }
        before = offset;
    }
    None
}

/// Normalises one run of [`runs_with_care`] or a part of it that no mark crosses.
pub(super) fn normalise_run(run: &str, profile: Profile, normal: &mut String) {
    let full_width: String = run.chars().map(full_width_kana).collect();
    let mut rest = full_width.as_str();
    while let Some((kept, after)) = split_at_compatibility_ideograph(rest) {
        convert(kept.0, profile, normal);
        normal.push(kept.1);
        rest = after;
    }
    convert(rest, profile, normal);
}

fn convert(text: &str, profile: Profile, normal: &mut String) {
    for character in text.nfc() {
        match one_form(character) {
            Form::Same => match substitute(character).filter(|_| profile == Profile::Strict) {
                Some(substitute) => normal.push_str(&substitute),
                None => normal.push(character),
            },
            Form::Other(other) => normal.push(other),
            Form::Nothing => {}
        }
    }
}

/// Canonical equivalence would make 神 of 神, which may be somebody's name.
fn split_at_compatibility_ideograph(text: &str) -> Option<((&str, char), &str)> {
    let (at, ideograph) = text
        .char_indices()
        .find(|(_, c)| matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{2F800}'..='\u{2FA1F}'))?;
    Some(((&text[..at], ideograph), &text[at + ideograph.len_utf8()..]))
}

enum Form {
    Same,
    Other(char),
    Nothing,
}

fn one_form(character: char) -> Form {
    Form::Other(match character {
        '\u{301C}' => '\u{FF5E}',
        '\u{2014}' => '\u{2015}',
        '\u{2016}' => '\u{2225}',
        '\u{2212}' => '\u{FF0D}',
        '\u{A2}' => '\u{FFE0}',
        '\u{A3}' => '\u{FFE1}',
        '\u{AC}' => '\u{FFE2}',
        '\u{A5}' => '\u{FFE5}',
        '\u{203E}' => '\u{FFE3}',
        '\u{C5}' => '\u{212B}',
        '\u{B5}' => '\u{3BC}',
        '\u{2126}' => '\u{3A9}',
        '\u{2011}' => '\u{2010}',
        '\u{B7}' | '\u{2022}' => '\u{30FB}',
        '\u{22EF}' => '\u{2026}',
        '\u{3094}' => '\u{30F4}',
        // Marks that nothing before them takes.
        '\u{3099}' => '\u{309B}',
        '\u{309A}' => '\u{309C}',
        '\u{A0}' => ' ',
        '\u{200B}'
        | '\u{2060}'
        | '\u{FEFF}'
        | '\u{AD}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{E0100}'..='\u{E01EF}' => {
            return Form::Nothing;
        }
        _ => return Form::Same,
    })
}

fn full_width_kana(character: char) -> char {
    // In the order of U+FF61 to U+FF9F; the last two are combining, to compose with what is before them.
    const FULL_WIDTH: [char; 63] = [
        '。', '「', '」', '、', '・', 'ヲ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ャ', 'ュ', 'ョ', 'ッ', 'ー', 'ア',
        'イ', 'ウ', 'エ', 'オ', 'カ', 'キ', 'ク', 'ケ', 'コ', 'サ', 'シ', 'ス', 'セ', 'ソ', 'タ', 'チ', 'ツ',
        'テ', 'ト', 'ナ', 'ニ', 'ヌ', 'ネ', 'ノ', 'ハ', 'ヒ', 'フ', 'ヘ', 'ホ', 'マ', 'ミ', 'ム', 'メ', 'モ',
        'ヤ', 'ユ', 'ヨ', 'ラ', 'リ', 'ル', 'レ', 'ロ', 'ワ', 'ン', '\u{3099}', '\u{309A}',
    ];
    match (character as usize).checked_sub(0xFF61) {
        Some(index) if index < FULL_WIDTH.len() => FULL_WIDTH[index],
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, profile: Profile, want: &str) {
        assert_eq!(normalise(text, profile), want, "{text}");
        assert_eq!(normalise(want, profile), want, "{text} twice");
    }

    #[test]
    fn what_unicode_writes_twice_gets_one_form() {
        for (text, want) in [
            ("", ""),
            ("plain ASCII\r\n", "plain ASCII\r\n"),
            ("日本語、かな。カナー\r\n", "日本語、かな。カナー\r\n"),
            ("5月〜6月", "5月\u{FF5E}6月"),
            ("\u{2014}\u{2014} \u{2016}", "\u{2015}\u{2015} \u{2225}"),
            ("¢£¬", "￠￡￢"),
            ("\u{2212}1", "\u{FF0D}1"),
            ("¥100 ‾", "￥100 ￣"),
            ("ｶﾞｷﾞ ﾊﾟﾊﾞ ｱ", "ガギ パバ ア"),
            ("ｶ ﾞ", "カ ゛"),
            ("ｱﾞ", "ア゛"),
            ("か\u{3099}き\u{3099}は\u{309A}", "がぎぱ"),
            ("かﾞ", "が"),
            ("｡｢｣､･ｦｰﾟ", "。「」、・ヲー゜"),
            ("\u{438}\u{306} \u{435}\u{308}", "й ё"),
            ("A\u{30A}\u{C5} \u{212B}", "\u{212B}\u{212B} \u{212B}"),
            ("µm Ω\u{2126}", "μm ΩΩ"),
            ("a\u{2011}b · • ⋯", "a‐b ・ ・ …"),
            ("ゔ う\u{3099} うﾞ", "ヴ ヴ ヴ"),
            ("a\u{A0}b", "a b"),
            ("a\u{200B}b\u{FEFF}c\u{AD}d葛\u{E0100}♪\u{FE0F}", "abcd葛♪"),
            ("①Ⅰ㈱№℡㍻〝〟髙﨑ⅰ", "①Ⅰ㈱№℡㍻〝〟髙﨑ⅰ"),
            ("神\u{FA19}\u{FE00}\u{FA19}", "神\u{FA19}\u{FA19}"),
            ("\u{FA47}", "\u{FA47}"),
            ("© é 😀 𠮷 한글", "© é 😀 𠮷 한글"),
        ] {
            check(text, Profile::Ms, want);
        }
    }

    #[test]
    fn the_strict_profile_spells_out_what_jis_x_0208_lacks() {
        for (text, want) in [
            ("①②⑳", "(1)(2)(20)"),
            ("Ⅰ Ⅳ Ⅹ ⅰ ⅹ", "I IV X i x"),
            ("㈱㈲㈹", "(株)(有)(代)"),
            ("№ ℡ ㍻㍾", "No. TEL 平成明治"),
            ("㌔㍉㎜㎏㎡", "キロミリmmkgm2"),
            ("〝〟", "“”"),
            ("㊤㊥㊦", "(上)(中)(下)"),
            ("￤＇＂", "|'\""),
            ("髙﨑", "髙﨑"),
            ("∪∩≒〜", "∪∩≒\u{FF5E}"),
        ] {
            check(text, Profile::Strict, want);
        }
    }

    #[test]
    fn a_text_that_needs_nothing_is_not_copied() {
        assert!(matches!(normalise("日本語 ABC ①\r\n", Profile::Ms), Cow::Borrowed(_)));
    }
}
