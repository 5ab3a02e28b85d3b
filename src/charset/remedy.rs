//! What to write instead of a character that cannot be sent, or not safely.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::table::{is_platform_dependent, table};

/// What to do about a character that ISO-2022-JP does not have or that is platform-dependent, as the rest of an
/// English sentence, ``write `(C)` ``; `None` where nothing better is known than to send UTF-8.
pub fn remedy(character: char) -> Option<Cow<'static, str>> {
    if let Some((_, instead)) = NAMES.iter().find(|(name, _)| *name == character) {
        return Some(format!("write `{instead}`, if the name's bearer does not mind").into());
    }
    if let Some(instead) = instead(character) {
        return Some(format!("write `{instead}`").into());
    }
    Some(Cow::Borrowed(match character {
        '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' => "write an ordinary space",
        '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}' => "delete this control character",
        '\u{200C}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2061}'..='\u{206F}' => {
            "delete this invisible character"
        }
        '\u{2028}' | '\u{2029}' => "write an ordinary line end",
        '\u{E000}'..='\u{F8FF}' => {
            "this is a user-defined character, which no other machine has: write what it stands for"
        }
        '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' => {
            "leave it out, or write it in words"
        }
        _ if is_combining_mark(character) => "leave the mark out",
        _ => return None,
    }))
}

/// What [`super::Profile::Strict`] sends for a character outside JIS X 0208 without asking: anything but a kanji.
pub fn substitute(character: char) -> Option<Cow<'static, str>> {
    if !is_platform_dependent(table().code(character)) || is_ideograph(character) {
        return None;
    }
    instead(character)
}

fn instead(character: char) -> Option<Cow<'static, str>> {
    if let Some((_, instead)) = INSTEAD.iter().find(|(known, _)| *known == character) {
        return Some(Cow::Borrowed(instead));
    }
    if let Some(number) = circled_number(character) {
        return Some(format!("({number})").into());
    }
    by_compatibility(character).map(Cow::Owned)
}

/// The characters that Unicode itself says a character is made of or compatible with, without their accents.
fn by_compatibility(character: char) -> Option<String> {
    let made_of = character.nfkd().filter(|part| !is_combining_mark(*part));
    let instead: String = made_of.map(|part| if part == '\u{2044}' { '/' } else { part }).collect();
    let is_new = !instead.is_empty() && !instead.contains(character);
    let is_safe = |part: char| ('!'..='~').contains(&part) || table().holds(part, true);
    (is_new && instead.chars().all(is_safe)).then_some(instead)
}

fn circled_number(character: char) -> Option<u32> {
    let code = u32::from(character);
    Some(match character {
        '①'..='⑳' => code - 0x2460 + 1,
        '㉑'..='㉟' => code - 0x3251 + 21,
        '㊱'..='㊿' => code - 0x32B1 + 36,
        '❶'..='❿' => code - 0x2776 + 1,
        '⓫'..='⓴' => code - 0x24EB + 11,
        '⓪' | '⓿' => 0,
        _ => return None,
    })
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Kanji that stand in names, where another form is another name.
const NAMES: [(char, &str); 5] = [('髙', "高"), ('﨑', "崎"), ('𠮷', "吉"), ('德', "徳"), ('濵', "浜")];

const INSTEAD: [(char, &str); 96] = [
    ('©', "(C)"),
    ('®', "(R)"),
    ('™', "(TM)"),
    ('€', "EUR"),
    ('№', "No."),
    ('㊤', "(上)"),
    ('㊥', "(中)"),
    ('㊦', "(下)"),
    ('㊧', "(左)"),
    ('㊨', "(右)"),
    ('〝', "“"),
    ('〟', "”"),
    ('〞', "”"),
    ('￤', "|"),
    ('¦', "|"),
    ('✓', "レ点` or `[x]"),
    ('✔', "レ点` or `[x]"),
    ('☑', "[x]"),
    ('✅', "[x]"),
    ('☐', "[ ]"),
    ('✗', "×"),
    ('✘', "×"),
    ('✕', "×"),
    ('✖', "×"),
    ('❌', "×"),
    ('➡', "→"),
    ('➔', "→"),
    ('⬅', "←"),
    ('⬆', "↑"),
    ('⬇', "↓"),
    ('↔', "⇔"),
    ('⭐', "★"),
    ('✨', "☆"),
    ('♥', "ハート"),
    ('❤', "ハート"),
    ('♡', "ハート"),
    ('☎', "TEL"),
    ('📞', "TEL"),
    ('✉', "メール"),
    ('📧', "メール"),
    ('⚠', "注意"),
    ('«', "≪"),
    ('»', "≫"),
    ('‹', "<"),
    ('›', ">"),
    ('‚', ","),
    ('„', "“"),
    ('–', "-"),
    ('‒', "-"),
    ('⁃', "-"),
    ('◦', "○"),
    ('▪', "■"),
    ('▫', "□"),
    ('▸', "▽"),
    ('►', "→"),
    ('⁄', "/"),
    ('ß', "ss"),
    ('æ', "ae"),
    ('Æ', "AE"),
    ('ø', "o"),
    ('Ø', "O"),
    ('œ', "oe"),
    ('Œ', "OE"),
    ('đ', "d"),
    ('ł', "l"),
    ('Ł', "L"),
    ('ı', "i"),
    ('鷗', "鴎"),
    ('𠮟', "叱"),
    ('噓', "嘘"),
    ('剝', "剥"),
    ('頰', "頬"),
    ('塡', "填"),
    ('瘦', "痩"),
    ('繫', "繋"),
    ('簞', "箪"),
    ('蟬', "蝉"),
    ('蠟', "蝋"),
    ('醬', "醤"),
    ('顚', "顛"),
    ('麵', "麺"),
    ('俠', "侠"),
    ('摑', "掴"),
    ('嚙', "噛"),
    ('囊', "嚢"),
    ('潑', "溌"),
    ('瀆', "涜"),
    ('焰', "焔"),
    ('禱', "祷"),
    ('萊', "莱"),
    ('軀', "躯"),
    ('鹼', "鹸"),
    ('屛', "屏"),
    ('幷', "并"),
    ('姸', "妍"),
    ('搔', "掻"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_say_what_to_write() {
        for (character, want) in [
            ('©', "write `(C)`"),
            ('®', "write `(R)`"),
            ('™', "write `(TM)`"),
            ('é', "write `e`"),
            ('Ñ', "write `N`"),
            ('ﬁ', "write `fi`"),
            ('½', "write `1/2`"),
            ('€', "write `EUR`"),
            ('✓', "write `レ点` or `[x]`"),
            ('㋿', "write `令和`"),
            ('㍻', "write `平成`"),
            ('鷗', "write `鴎`"),
            ('①', "write `(1)`"),
            ('㊿', "write `(50)`"),
            ('Ⅳ', "write `IV`"),
            ('㈱', "write `(株)`"),
            ('№', "write `No.`"),
            ('℡', "write `TEL`"),
            ('㎏', "write `kg`"),
            ('😀', "leave it out, or write it in words"),
            ('\u{2003}', "write an ordinary space"),
            ('\u{1B}', "delete this control character"),
            ('𠮷', "write `吉`, if the name's bearer does not mind"),
            ('髙', "write `高`, if the name's bearer does not mind"),
        ] {
            assert_eq!(remedy(character).as_deref(), Some(want), "{character}");
        }
        for character in ['한', '丂', 'ع', '∮'] {
            assert_eq!(remedy(character), None, "{character}");
        }
    }
}
