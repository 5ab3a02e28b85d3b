//! The way back: the paragraphs of a text that was broken into lines, and the settings it was broken by.

use super::blocks::{Kind, Reader, Words};
use super::clean::clean;
use super::columns::{char_columns, columns};
use super::join::{needs_space, rejoin};
use super::lines::{Measure, break_lines};
use crate::model::{HangingPunctuation, LineBreak, Typesetting};
use std::ops::Range;

/// The most columns that a line may reach past the margin.
const HANGING: usize = 2;

/// A piece of an old mail's text, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Passage<'a> {
    /// Which of the lines it is.
    lines: Range<usize>,
    /// How many `>` stand before each of them.
    quotes: usize,
    /// What it is.
    look: Look<'a>,
}

/// What a passage is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Look<'a> {
    /// A blank line.
    Blank,
    /// A line that is not of running text: a rule, a head, part of a box, code.
    Kept(&'a str),
    /// A paragraph or a list item, its lines joined.
    Flowed {
        /// Columns of blanks before its first line.
        indent: usize,
        /// An item's mark with the blanks after it, else empty.
        mark: &'a str,
        /// The words.
        text: String,
    },
}

/// Groups the lines of a text broken at `width` columns: a line goes on with the paragraph if its first words would not
/// have fitted on the line before under some setting, so that a short line ends a paragraph.
fn paragraphs<'a>(lines: &[&'a str], width: usize) -> Vec<Passage<'a>> {
    let mut passages: Vec<Passage<'a>> = Vec::new();
    let mut reader = Reader::default();
    let mut flow: Option<(Words, Words)> = None; // the first and the last line of the passage at the end
    for (index, line) in lines.iter().enumerate() {
        let (quotes, kind) = reader.read(line, width, flow.as_ref().map(|(first, _)| first));
        let look = match kind {
            Kind::Blank => Look::Blank,
            Kind::Kept(line) => Look::Kept(line.trim_end()),
            Kind::Words(words) => {
                if let (Some((first, last)), Some(passage)) = (&mut flow, passages.last_mut())
                    && passage.quotes == quotes
                    && words.continues(first)
                    && let Look::Flowed { text, .. } = &mut passage.look
                    && let Some(joint) = joint_by_any(
                        first.indent + columns(first.mark),
                        last.text,
                        last.space,
                        words.text,
                        width.saturating_sub(2 * quotes),
                    )
                {
                    text.push_str(joint);
                    text.push_str(words.text);
                    passage.lines.end = index + 1;
                    *last = words;
                    continue;
                }
                flow = Some((words, words));
                Look::Flowed { indent: words.indent, mark: words.mark, text: words.text.to_owned() }
            }
        };
        if !matches!(look, Look::Flowed { .. }) {
            flow = None;
        }
        passages.push(Passage { lines: index..index + 1, quotes, look });
    }
    passages
}

/// A text broken at `width` columns with each paragraph on one line. Where only a short line parted two paragraphs, a
/// blank line does, so that wrapping the result keeps them apart.
pub fn unwrap(text: &str, width: usize) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut out = String::with_capacity(text.len());
    let mut before: Option<Passage> = None;
    for passage in paragraphs(&lines, width) {
        let quotes = "> ".repeat(passage.quotes);
        match &passage.look {
            Look::Blank => out.push_str(quotes.trim_end_matches(' ')),
            Look::Kept(line) => {
                out.push_str(&quotes);
                out.push_str(line);
            }
            Look::Flowed { indent, mark, text } => {
                if before.as_ref().is_some_and(|before| would_join(before, &passage)) {
                    out.push_str(quotes.trim_end_matches(' '));
                    out.push('\n');
                }
                out.push_str(&quotes);
                out.extend(std::iter::repeat_n(' ', *indent));
                out.push_str(mark);
                out.push_str(text);
            }
        }
        out.push('\n');
        before = Some(passage);
    }
    out.pop();
    out
}

fn would_join(before: &Passage, after: &Passage) -> bool {
    let (Look::Flowed { indent: left, mark: item, .. }, Look::Flowed { indent: right, mark, text }) =
        (&before.look, &after.look)
    else {
        return false;
    };
    before.quotes == after.quotes
        && mark.is_empty()
        && !text.starts_with('\u{3000}')
        && if item.is_empty() { left == right } else { right > left }
}

/// Whether a line goes on with the paragraph of the line above it, in a text broken at `width` columns: its first words
/// would not have fitted there under some setting, or nothing would have. Blanks before either do not join them.
pub fn continues(above: &str, below: &str, width: usize) -> bool {
    let line = above.trim_start_matches([' ', '\t']);
    let head = columns(&above[..above.len() - line.len()]);
    joint_by_any(head, line, false, below.trim_start_matches([' ', '\t']), width).is_some()
}

/// The setting that explains most by what `explained` counts: `usual` if no other explains more, else the simplest.
pub fn best_setting(usual: Typesetting, explained: impl Fn(&Typesetting) -> usize) -> Typesetting {
    let mut best = usual;
    let mut most = explained(&usual);
    for candidate in candidates(usual.width) {
        let hangs_as_told = candidate.hanging_punctuation == HangingPunctuation::All;
        let hanging_columns = if hangs_as_told { candidate.hanging_columns } else { usual.hanging_columns };
        let candidate = Typesetting { hanging_columns, ..candidate };
        let found = explained(&candidate);
        if found > most {
            (best, most) = (candidate, found);
        }
    }
    best
}

/// Every setting, simplest first.
fn candidates(width: usize) -> impl Iterator<Item = Typesetting> {
    [
        (HangingPunctuation::None, 2),
        (HangingPunctuation::AllowEnd, 2),
        (HangingPunctuation::All, 1),
        (HangingPunctuation::All, 2),
    ]
    .into_iter()
    .flat_map(move |(hanging_punctuation, hanging_columns)| {
        LineBreak::NAMES.into_iter().map(move |(_, line_break)| Typesetting {
            width,
            line_break,
            hanging_punctuation,
            hanging_columns,
        })
    })
}

/// What stood between two lines if some setting broke the first where it ends, or if it ends where nothing more fits,
/// as programs break that know no kinsoku. `head`: the columns that each line has before its words. `space`: whether the
/// first ends in a blank.
fn joint_by_any(head: usize, line: &str, space: bool, next: &str, width: usize) -> Option<&'static str> {
    let full = head + columns(line);
    if full + 1 + columns(next) <= width {
        return None;
    }
    let by_setting = candidates(width)
        .find_map(|typesetting| joint(space, line, next, &Measure::new(&typesetting, head, head)));
    by_setting.or_else(|| {
        let (left, right) = (line.chars().next_back()?, next.chars().next()?);
        let nothing_fits = full + char_columns(right) > width;
        (nothing_fits && full <= width + HANGING).then(|| rejoin(left, right))
    })
}

/// What stood between two lines if the first was broken by this measure: nothing, or a space. `space`: whether the
/// first ends in a blank.
fn joint(space: bool, line: &str, next: &str, measure: &Measure) -> Option<&'static str> {
    let (left, right) = (line.chars().next_back()?, next.chars().next()?);
    let joint = rejoin(left, right);
    let ends_with = |joint| {
        ends_at(line, joint, next, measure, false)
            .or_else(|| ends_at(&clean(line), joint, &clean(next), measure, true))
    };
    if ends_with(joint)? {
        Some(joint)
    } else if space && !needs_space(left, right) && ends_with(" ")? {
        Some(" ")
    } else {
        None
    }
}

/// Whether a line, joined with the next, is broken where it ends. `None`: the text must be cleaned first.
fn ends_at(line: &str, joint: &str, next: &str, measure: &Measure, clean: bool) -> Option<bool> {
    let joined = [line, joint, next].concat();
    let mut ends = false;
    let filled = break_lines(&joined, measure, clean, |first| {
        ends = first.range.end == line.len() && line.len() < joined.len();
        false
    });
    filled.is_ok().then_some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typeset::{fill, wrap};

    fn check(width: usize, wrapped: &str, expected: &str) {
        assert_eq!(unwrap(wrapped, width), expected, "{wrapped}");
    }

    #[test]
    fn full_lines_go_on() {
        let cases = [
            ("", ""),
            ("あいうえ\nお\n", "あいうえお\n"),
            ("あいう\nえお\n", "あいう\n\nえお\n"),
            ("あいう\nえっお", "あいうえっお"),
            ("あいう\nabc def", "あいうabc def"),
            ("abc def\ngh", "abc def gh"),
            ("あいうえ、\nお", "あいうえ、お"),
            ("あいうえ\n　おかき\nくけ", "あいうえ\n　おかきくけ"),
            ("> あいう\n> え\n", "> あいうえ\n"),
            ("・あいう\n  え\n・お", "・あいうえ\n・お"),
            ("■□\n□■ 題\n----\nあいうえ\nお", "■□\n□■ 題\n----\nあいうえお"),
            ("あ。\n", "あ。\n"),
        ];
        for (wrapped, expected) in cases {
            check(8, wrapped, expected);
        }
    }

    const TEXT: &str = "コンピューターの画面で読む文章は、行の長さがそろっていると目が楽だ。「そうかな?」と人々は言う。\
                        色々試すと、やっぱり76桁がちょうどよい、という結論になる。ーーという話。";

    #[test]
    fn the_simplest_setting_is_found() {
        for typesetting in candidates(20) {
            let filled = fill(TEXT, &typesetting);
            let usual = Typesetting { width: 20, ..Typesetting::default() };
            let found = best_setting(usual, |setting| usize::from(fill(TEXT, setting) == filled));
            assert_eq!(fill(TEXT, &found), filled, "{typesetting:?} {found:?}");
            let wrapped = filled.join("\n");
            assert_eq!(unwrap(&wrapped, 20), TEXT, "{typesetting:?}");
            assert_eq!(wrap(&unwrap(&wrapped, 20), &typesetting), wrapped, "{typesetting:?}");
        }
    }

    #[test]
    fn the_usual_setting_stays_unless_another_explains_more() {
        let usual =
            Typesetting { line_break: LineBreak::Normal, hanging_columns: 1, ..Typesetting::default() };
        assert_eq!(best_setting(usual, |_| 3), usual);
        let hangs =
            |setting: &Typesetting| usize::from(setting.hanging_punctuation != usual.hanging_punctuation);
        let simplest = Typesetting {
            line_break: LineBreak::Strict,
            hanging_punctuation: HangingPunctuation::AllowEnd,
            ..usual
        };
        assert_eq!(best_setting(usual, hangs), simplest);
    }

    #[test]
    fn lines_go_on_where_nothing_more_fitted() {
        let cases = [
            ("あいうえ", "お", true),
            ("あいう", "えお", false),
            ("あいう", "えっ", true),
            ("あいう", "abc", true),
            ("あいう", "ab", false),
            ("  あいう", "  えお", true),
            ("abc def", "gh", true),
            ("abc de", "f", false),
            ("あいうえ、", "お", true),
            // without kinsoku
            ("あいうえ", "。お", true),
            ("あいう「", "え", true),
            ("あいうえおか", "き", false),
            ("", "あ", false),
            ("あいうえ", "", false),
        ];
        for (above, below, expected) in cases {
            assert_eq!(continues(above, below, 8), expected, "{above}|{below}");
        }
    }
}
