//! The typesetter on a stranger's text, at a width from its first octet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailmag::model::{HangingPunctuation, LineBreak, Typesetting};
use mailmag::typeset::{fill, unwrap, urls, wrap};

fuzz_target!(|input: (u8, u8, &str)| {
    let (width, rules, text) = input;
    let typesetting = Typesetting {
        width: usize::from(width),
        line_break: [LineBreak::Strict, LineBreak::Normal, LineBreak::Loose][usize::from(rules % 3)],
        hanging_punctuation: [HangingPunctuation::None, HangingPunctuation::AllowEnd, HangingPunctuation::All]
            [usize::from(rules / 3 % 3)],
        hanging_columns: 1 + usize::from(rules / 9 % 2),
    };
    let visible = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    assert_eq!(visible(&wrap(text, &typesetting)), visible(text));
    unwrap(text, typesetting.width);
    fill(text, &typesetting);
    urls(text);
});
