//! Filling one paragraph: its lines, with what stands at their heads.

use super::clean::{clean, push_visible};
use super::columns::columns;
use super::lines::{Measure, Unclean, break_lines};
use crate::model::Typesetting;

/// The lines of one paragraph. Line feeds inside it are joined first, half-width kana and combining marks composed,
/// invisible characters taken out. A run of Latin letters, digits and signs is never cut, however long.
pub fn fill(paragraph: &str, typesetting: &Typesetting) -> Vec<String> {
    fill_indented(paragraph, typesetting, "", "")
}

/// [`fill`] with `first` at the head of the first line and `rest` at the head of the others: list marks, quote marks,
/// indents. Their columns count.
pub fn fill_indented(paragraph: &str, typesetting: &Typesetting, first: &str, rest: &str) -> Vec<String> {
    let mut out = String::new();
    fill_into(&mut out, paragraph, typesetting, first, rest);
    out.lines().map(str::to_owned).collect()
}

/// [`fill_indented`] at the end of `out`, each line ending in a line feed. An empty paragraph makes one line of a
/// `first` that shows, else none.
pub fn fill_into(out: &mut String, paragraph: &str, typesetting: &Typesetting, first: &str, rest: &str) {
    fill_with(out, paragraph, typesetting, &Heads { first, rest, keep_spaces: false });
}

/// What stands at the head of the lines, and what their ends keep.
pub(super) struct Heads<'a> {
    pub(super) first: &'a str,
    pub(super) rest: &'a str,
    /// Whether a space at a line's end stays where it alone made the line end: else the paragraph, joined again without
    /// it, would be filled otherwise.
    pub(super) keep_spaces: bool,
}

pub(super) fn fill_with(out: &mut String, paragraph: &str, typesetting: &Typesetting, heads: &Heads) {
    let measure = Measure::new(typesetting, columns(heads.first), columns(heads.rest));
    let paragraph = paragraph.trim_matches([' ', '\u{200B}']);
    let begin = out.len();
    out.reserve(paragraph.len() + paragraph.len() / 16 + heads.first.len() + 1);
    if push_lines(out, paragraph, &measure, heads, false).is_err() {
        out.truncate(begin);
        let clean = clean(paragraph);
        let done = push_lines(out, &clean, &measure, heads, true);
        debug_assert!(done.is_ok(), "clean text is filled as it is");
    }
    if out.len() == begin && !heads.first.trim_end_matches(' ').is_empty() {
        out.push_str(heads.first.trim_end_matches(' '));
        out.push('\n');
    }
}

fn push_lines(
    out: &mut String,
    text: &str,
    measure: &Measure,
    heads: &Heads,
    clean: bool,
) -> Result<(), Unclean> {
    let mut head = heads.first;
    break_lines(text, measure, clean, |line| {
        out.push_str(head);
        head = heads.rest;
        if line.invisible {
            push_visible(out, &text[line.range]);
        } else {
            out.push_str(&text[line.range]);
        }
        if line.space && heads.keep_spaces {
            out.push(' ');
        }
        out.push('\n');
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HangingPunctuation, LineBreak};

    const STRICT: Typesetting = Typesetting {
        width: 8,
        line_break: LineBreak::Strict,
        hanging_punctuation: HangingPunctuation::None,
        hanging_columns: 2,
    };
    const NORMAL: Typesetting = Typesetting { line_break: LineBreak::Normal, ..STRICT };
    const LOOSE: Typesetting = Typesetting { line_break: LineBreak::Loose, ..STRICT };
    const ALLOW_END: Typesetting =
        Typesetting { hanging_punctuation: HangingPunctuation::AllowEnd, ..STRICT };
    const ALL: Typesetting = Typesetting { hanging_punctuation: HangingPunctuation::All, ..STRICT };
    const ALL_ONE: Typesetting = Typesetting { hanging_columns: 1, ..ALL };

    /// `expected`: the lines with `|` between them.
    fn check(typesetting: Typesetting, cases: &[(&str, &str)]) {
        for (paragraph, expected) in cases {
            assert_eq!(fill(paragraph, &typesetting).join("|"), *expected, "{paragraph:?} {typesetting:?}");
        }
    }

    #[test]
    fn greedy() {
        check(
            STRICT,
            &[
                ("", ""),
                ("あいうえ", "あいうえ"),
                ("あいうえお", "あいうえ|お"),
                ("aあいうえ", "aあいう|え"),
                ("ab cd ef gh", "ab cd ef|gh"),
                ("abc defgh", "abc|defgh"),
                ("漢字RHEL6漢字", "漢字|RHEL6漢|字"),
                ("漢字 abc 漢字", "漢字 abc|漢字"),
            ],
        );
    }

    #[test]
    fn closing_and_opening() {
        check(
            STRICT,
            &[
                ("あいうえ。", "あいう|え。"),
                ("あいうえ。」お", "あいう|え。」お"),
                ("あいう「え", "あいう|「え"),
                ("あいう(え)お", "あいう|(え)お"),
                ("あいうえ)", "あいう|え)"),
                ("あいうえ.", "あいう|え."),
                ("あいう“か”", "あいう|“か”"),
                ("漢“ab”“c” d", "漢|“ab”“c”|d"),
                ("あいう‘か’", "あいう|‘か’"),
            ],
        );
    }

    #[test]
    fn what_begins_a_line_at_each_level() {
        let never = ["っ", "ー", "ァ", "〜", "゠"];
        let loose_only = [
            "々", "〻", "ゝ", "ヾ", "‐", "・", "：", "；", "！", "？", "⁉", "％", "‰", "℃", "￠", "%", "!",
            "?",
        ];
        let always = ["…", "‥", "漢", "あ", "★", "■", "━", "→", "①", "Ａ", "("];
        let pushed = |character: &str| format!("あいう|え{character}");
        let kept = |character: &str| format!("あいうえ|{character}");
        for (characters, levels) in [
            (&never[..], [false, true, true]),
            (&loose_only[..], [false, false, true]),
            (&always[..], [true, true, true]),
        ] {
            for character in characters {
                for (typesetting, may) in [STRICT, NORMAL, LOOSE].into_iter().zip(levels) {
                    let paragraph = format!("あいうえ{character}");
                    let expected = if may { kept(character) } else { pushed(character) };
                    check(typesetting, &[(&paragraph, &expected)]);
                }
            }
        }
    }

    #[test]
    fn never_parted() {
        for typesetting in [STRICT, NORMAL, LOOSE] {
            check(
                typesetting,
                &[
                    ("あいう……", "あいう|……"),
                    ("あいう‥‥", "あいう|‥‥"),
                    ("あいう——え", "あいう|——え"),
                    ("あいう――え", "あいう|――え"),
                    ("あいう0.5.3版", "あいう|0.5.3版"),
                    ("あ802.11n用", "あ|802.11n|用"),
                    ("漢virt-v2v漢", "漢|virt-v2v|漢"),
                    ("あいう--opt", "あいう|--opt"),
                    ("あいうa@b.c", "あいう|a@b.c"),
                    ("あ漢don’t漢", "あ漢|don’t漢"),
                    ("Жизнь мира", "Жизнь|мира"),
                    ("あいう👨‍👩‍👧", "あいう👨‍👩‍👧"),
                    ("あいうえ👍🏽", "あいうえ|👍🏽"),
                    ("あいう🇯🇵🇯🇵", "あいう🇯🇵|🇯🇵"),
                ],
            );
        }
        check(LOOSE, &[("あいう￥100", "あいう￥|100")]);
        check(STRICT, &[("あいう￥100", "あいう|￥100")]);
    }

    #[test]
    fn too_wide_stands_alone() {
        check(
            STRICT,
            &[
                ("あhttp://a.example/b?c-dい", "あ|http://a.example/b?c-d|い"),
                ("「http://a.example/」。", "「http://a.example/」。"),
                ("あ http://a.example/ を", "あ|http://a.example/|を"),
                ("a 0123456789 b", "a|0123456789|b"),
            ],
        );
        check(STRICT.with_width(0), &[("あい。a b", "あ|い。|a|b")]);
        check(STRICT.with_width(1), &[("あい", "あ|い")]);
    }

    #[test]
    fn cut_where_nothing_else_fits() {
        check(
            STRICT,
            &[
                ("「「「「「「あ", "「「「「|「「あ"),
                ("っっっっっっっっっ", "っっっっ|っっっっ|っ"),
                ("っ っ っ っ", "っ っ っ|っ"),
            ],
        );
    }

    #[test]
    fn hanging_allow_end() {
        check(
            ALLOW_END,
            &[
                ("あいうえ、お", "あいうえ、|お"),
                ("あいうえ。", "あいうえ。"),
                ("あいうえ。」お", "あいう|え。」お"),
                ("あいうえ。。", "あいう|え。。"),
                ("aあいう。え", "aあいう。|え"),
                ("aあいう、え", "aあいう、|え"),
                ("aあいうえ、", "aあいう|え、"),
                ("あいうえっ", "あいう|えっ"),
                ("あいうえ、 お", "あいうえ、|お"),
                ("あいうえ.", "あいう|え."),
                ("あいうえ．か", "あいうえ．|か"),
            ],
        );
        check(ALLOW_END.with_width(7), &[("あいう、え", "あいう、|え"), ("aあいう、え", "aあいう、|え")]);
    }

    #[test]
    fn hanging_all() {
        check(
            ALL,
            &[
                ("あいうえっお", "あいうえっ|お"),
                ("あいうえ」お", "あいうえ」|お"),
                ("あいうえ。」お", "あいう|え。」お"),
                ("あいうえ)。お", "あいう|え)。お"),
                ("abcdefgh, i", "abcdefgh,|i"),
                ("あいうabcd", "あいう|abcd"),
            ],
        );
        check(ALL_ONE, &[("あいうえっお", "あいう|えっお"), ("aあいうー漢", "aあいうー|漢")]);
        check(ALL_ONE.with_width(7), &[("あいうーえ", "あいうー|え"), ("あいう「え」", "あいう|「え」")]);
    }

    #[test]
    fn invisible_characters() {
        check(
            STRICT,
            &[
                ("あいう a\u{A0}b", "あいう|a b"),
                ("abc\u{200B}defghi", "abc|defghi"),
                ("abc\u{200B}def", "abcdef"),
                ("葛\u{E0100}飾☎\u{FE0E}", "葛飾☎"),
                ("\u{FEFF}あ\u{AD}い", "あい"),
                ("か\u{3099}は\u{309A}e\u{301}", "がぱé"),
                ("ﾊﾞﾅﾅｶﾞﾗｽ", "バナナガ|ラス"),
                ("｢ｱ｣｡", "「ア」。"),
                ("神", "神"),
            ],
        );
    }

    #[test]
    fn joined_lines() {
        check(
            STRICT,
            &[
                ("あい\nう", "あいう"),
                ("RHEL6\nで", "RHEL6で"),
                ("ab\ncd", "ab cd"),
                ("  ab \t cd\r\n ef ", "ab cd ef"),
            ],
        );
    }

    #[test]
    fn spaces_at_a_paragraphs_head() {
        check(
            STRICT,
            &[
                ("　あいうえ", "　あいう|え"),
                ("　http://a.example/", "　http://a.example/"),
                ("あいう　え", "あいう　|え"),
                ("あいうえ　お", "あいう|え　お"),
            ],
        );
    }

    #[test]
    fn heads_of_lines() {
        let cases = [
            ("・", "  ", "あいうえお", "・あいう|  えお"),
            ("> ", "> ", "あいうえお", "> あいう|> えお"),
            ("1. ", "   ", "abcd efgh", "1. abcd|   efgh"),
            ("・", "  ", "", "・"),
            ("", "", "", ""),
        ];
        for (first, rest, paragraph, expected) in cases {
            assert_eq!(fill_indented(paragraph, &STRICT, first, rest).join("|"), expected);
        }
    }
}
