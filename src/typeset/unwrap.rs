//! The way back: the paragraphs of a text that was broken into lines, and the settings it was broken by.

use super::blocks::{Kind, Reader, Words};
use super::clean::clean;
use super::columns::columns;
use super::fill::{Measure, break_lines, fill};
use super::join::{needs_space, rejoin};
use crate::model::{HangingPunctuation, LineBreak, Typesetting};
use std::ops::Range;

/// A piece of an old mail's text, from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage<'a> {
    /// Which of the lines it is.
    pub lines: Range<usize>,
    /// How many `>` stand before each of them.
    pub quotes: usize,
    /// What it is.
    pub look: Look<'a>,
}

/// What a passage is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look<'a> {
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
pub fn paragraphs<'a>(lines: &[&'a str], width: usize) -> Vec<Passage<'a>> {
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
                    && let Some(joint) = joint_by_any(first, last, &words, width.saturating_sub(2 * quotes))
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

/// How well one setting explains old paragraphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The setting.
    pub typesetting: Typesetting,
    /// How many of the paragraphs with more than one line it breaks into the same lines.
    pub matching: usize,
}

/// Every setting, the simplest first, with the number of paragraphs that come out the same when joined and filled by it.
/// Paragraphs of one line say nothing and are left out.
pub fn scores(paragraphs: &[Vec<&str>], width: usize) -> Vec<Score> {
    candidates(width)
        .map(|typesetting| {
            let matching =
                paragraphs.iter().filter(|lines| lines.len() > 1 && same_lines(lines, &typesetting)).count();
            Score { typesetting, matching }
        })
        .collect()
}

/// The simplest of the settings that explain most paragraphs; none if no paragraph is explained by any.
pub fn settings_of(paragraphs: &[Vec<&str>], width: usize) -> Option<Typesetting> {
    let scores = scores(paragraphs, width);
    let most = scores.iter().map(|score| score.matching).max().filter(|&most| most > 0)?;
    scores.iter().find(|score| score.matching == most).map(|score| score.typesetting)
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

fn same_lines(lines: &[&str], typesetting: &Typesetting) -> bool {
    let measure = Measure::new(typesetting, 0, 0);
    let mut text = String::new();
    let mut last: Option<&str> = None;
    for line in lines {
        let bare = line.trim_end_matches([' ', '\t', '\r']);
        if let Some(last) = last {
            match joint(last, last.trim_end_matches(' '), bare, &measure) {
                Some(joint) => text.push_str(joint),
                None => return false,
            }
        }
        text.push_str(bare);
        last = Some(line);
    }
    fill(&text, typesetting)
        == lines.iter().map(|line| line.trim_end_matches([' ', '\t', '\r'])).collect::<Vec<_>>()
}

/// What stood between two lines if some setting broke the first where it ends.
fn joint_by_any(first: &Words, last: &Words, next: &Words, width: usize) -> Option<&'static str> {
    let head = first.indent + columns(first.mark);
    if head + columns(last.text) + 1 + columns(next.text) <= width {
        return None;
    }
    let whole = if last.space { " " } else { "" };
    candidates(width)
        .find_map(|typesetting| joint(whole, last.text, next.text, &Measure::new(&typesetting, head, head)))
}

/// What stood between two lines if the first was broken by this measure: nothing, or a space. `whole` is the first with
/// the blanks at its end.
fn joint(whole: &str, line: &str, next: &str, measure: &Measure) -> Option<&'static str> {
    let (left, right) = (line.chars().next_back()?, next.chars().next()?);
    let joint = rejoin(left, right);
    let ends_with = |joint| {
        ends_at(line, joint, next, measure, false)
            .or_else(|| ends_at(&clean(line), joint, &clean(next), measure, true))
    };
    if ends_with(joint)? {
        Some(joint)
    } else if whole.ends_with(' ') && !needs_space(left, right) && ends_with(" ")? {
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
    use crate::typeset::wrap;

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
            let lines: Vec<&str> = filled.iter().map(String::as_str).collect();
            let found = settings_of(std::slice::from_ref(&lines), 20).map(|found| fill(TEXT, &found));
            assert_eq!(found.as_deref(), Some(&filled[..]), "{typesetting:?}");
            let wrapped = filled.join("\n");
            assert_eq!(unwrap(&wrapped, 20), TEXT, "{typesetting:?}");
            assert_eq!(wrap(&unwrap(&wrapped, 20), &typesetting), wrapped, "{typesetting:?}");
        }
    }

    #[test]
    fn no_setting_explains_one_line_or_chance() {
        assert_eq!(settings_of(&[vec!["あい"]], 20), None);
        assert_eq!(settings_of(&[vec!["あい", "うえ"]], 20), None);
    }
}
