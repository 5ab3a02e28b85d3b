//! What holds for every text.

use super::kinsoku::{Rules, class_of, entry};
use super::*;
use crate::model::{HangingPunctuation, LineBreak, Typesetting};
use proptest::prelude::*;

const PIECES: [&str; 46] = [
    "あ",
    "漢",
    "字",
    "カ",
    "ー",
    "っ",
    "々",
    "、",
    "。",
    "」",
    "「",
    "（",
    "）",
    "・",
    "……",
    "――",
    "！",
    "?",
    "%",
    "￥",
    "1",
    "０",
    "a",
    "bc",
    "-",
    "/",
    ".",
    "(",
    ")",
    "\"",
    "’",
    "http://a.example/b",
    "virt-v2v",
    " ",
    "  ",
    "\u{3000}",
    "\n",
    "\n",
    "\n\n",
    "é",
    "я",
    "한",
    "😀",
    "👍🏽",
    "★",
    "※",
];

/// Text of the kinds of characters that meet each other in mails.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..200).prop_map(|pieces| pieces.concat())
}

fn typesetting() -> impl Strategy<Value = Typesetting> {
    let levels = [LineBreak::Strict, LineBreak::Normal, LineBreak::Loose];
    let hangings = [HangingPunctuation::None, HangingPunctuation::AllowEnd, HangingPunctuation::All];
    (0_usize..40, prop::sample::select(levels.to_vec()), prop::sample::select(hangings.to_vec()), 1_usize..3)
        .prop_map(|(width, line_break, hanging_punctuation, hanging_columns)| Typesetting {
            width,
            line_break,
            hanging_punctuation,
            hanging_columns,
        })
}

/// Whether a line was cut where kinsoku forbids it, for nothing else fitted: before a character that may not begin a line,
/// behind one that stands right before it in the text.
fn was_cut(text: &str, wrapped: &str, typesetting: &Typesetting) -> bool {
    let rules = Rules::of(typesetting.line_break);
    let lines: Vec<&str> = wrapped.split('\n').collect();
    lines.windows(2).any(|pair| {
        let (last, first) = (pair[0].chars().next_back(), pair[1].trim_start().chars().next());
        let (Some(last), Some(first)) = (last, first) else { return false };
        rules.never_first(class_of(entry(first))) && text.contains(&format!("{last}{first}"))
    })
}

fn visible(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in any::<String>(), pieces in text(), typesetting in typesetting()) {
        for text in [text, pieces] {
            let wrapped = wrap(&text, &typesetting);
            let lines: Vec<&str> = wrapped.split('\n').collect();
            unwrap(&text, typesetting.width);
            lines.windows(2).for_each(|pair| _ = continues(pair[0], pair[1], typesetting.width));
            fill(&text, &typesetting);
            urls(&text);
            glued_urls(&text);
            too_wide(&text, typesetting.width);
            boxed(&text, typesetting.width);
            letterspace(&text);
            let cells = [text.clone(), pieces_of(&text)];
            for style in [TableStyle::Box, TableStyle::Ascii] {
                table(&cells, &[cells.to_vec()], &[], style, &typesetting);
            }
            listed(&cells, &[cells.to_vec()], &typesetting);
        }
    }

    #[test]
    fn wrapping_again_changes_nothing(text in text(), typesetting in typesetting()) {
        // What had to be cut where kinsoku forbids may be taken for something else when it is read again.
        let typesetting = typesetting.with_width(typesetting.width + 40);
        if !too_wide(&text, typesetting.width - 25).is_empty() {
            return Ok(());
        }
        let wrapped = wrap(&text, &typesetting);
        if was_cut(&text, &wrapped, &typesetting) {
            return Ok(());
        }
        prop_assert_eq!(wrap(&wrapped, &typesetting), wrapped, "{:?}", text);
    }

    #[test]
    fn no_character_is_lost(text in text(), typesetting in typesetting()) {
        prop_assert_eq!(visible(&wrap(&text, &typesetting)), visible(&text));
        prop_assert_eq!(visible(&unwrap(&text, typesetting.width)), visible(&text));
        prop_assert_eq!(visible(&fill(&text, &typesetting).concat()), visible(&text));
    }

    #[test]
    fn lines_fit(text in "[あ漢っー々、。」「！ab 　]{0,60}", typesetting in typesetting()) {
        let hanging = match typesetting.hanging_punctuation {
            HangingPunctuation::None => 0,
            HangingPunctuation::AllowEnd => 2,
            HangingPunctuation::All => typesetting.hanging_columns,
        };
        let lines = fill(&text, &typesetting);
        for line in &lines {
            // What holds a word may stand alone, too wide, with what its ends may not leave.
            let word = line.contains(['a', 'b']) || line.contains('\u{3000}') || typesetting.width < 2;
            prop_assert!(word || columns(line) <= typesetting.width + hanging, "{} {:?}", line, lines);
        }
    }

    #[test]
    fn the_way_back_gives_the_same_lines(text in "([あ漢字文][っー々、。」「！]?|[ab]){0,60}", typesetting in typesetting()) {
        // What had to be cut where kinsoku forbids is not found again.
        let typesetting = typesetting.with_width(typesetting.width + 8);
        let wrapped = wrap(&text, &typesetting);
        prop_assert_eq!(wrap(&unwrap(&wrapped, typesetting.width), &typesetting), wrapped, "{}", text);
    }
}

fn pieces_of(text: &str) -> String {
    text.chars().rev().collect()
}
