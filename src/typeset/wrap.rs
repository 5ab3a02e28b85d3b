//! The filter: a plain text with its paragraphs, items and quotations filled, and all else as it was.

use super::blocks::{Kind, Reader, Words, is_item, quoted};
use super::columns::columns;
use super::fill::{Heads, fill_with};
use super::join::rejoin;
use super::lines::{Measure, break_lines};
use crate::model::Typesetting;

/// Fills each paragraph, list item and quotation of a plain text; rules, heads, boxes, tables, addresses on a line of
/// their own and code keep their lines. Paragraphs are parted by blank lines, by a full-width space at a line's start
/// and by a change of indent. Wrapping again changes nothing, unless a no-break space became a space that may break.
pub fn wrap(text: &str, typesetting: &Typesetting) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut reader = Reader::default();
    let mut flow = Flow::default();
    for line in text.split('\n') {
        let (depth, kind) = reader.read(line, typesetting.width, flow.first.as_ref());
        match kind {
            Kind::Words(words) => {
                if depth == flow.depth && flow.first.is_some_and(|first| words.continues(&first)) {
                    flow.push(words, typesetting);
                } else {
                    flow.end_before(depth, words.line, &mut out, typesetting);
                    flow.begin(depth, words);
                }
            }
            Kind::Kept(line) => {
                flow.end_before(depth, line, &mut out, typesetting);
                push_quotes(&mut out, depth);
                out.push_str(line);
                out.push('\n');
            }
            Kind::Blank => {
                flow.end(&mut out, typesetting);
                push_quotes(&mut out, depth);
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
            }
        }
    }
    flow.end(&mut out, typesetting);
    out.pop();
    out
}

fn push_quotes(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("> ", depth));
}

/// The paragraph being gathered.
#[derive(Default)]
struct Flow<'a> {
    depth: usize,
    /// Its first line; none between paragraphs.
    first: Option<Words<'a>>,
    /// All its lines, joined; empty while there is only one.
    joined: String,
    /// Where the last line begins in `joined`.
    last: usize,
    /// Whether the last line ends in a blank.
    space: bool,
}

impl<'a> Flow<'a> {
    fn begin(&mut self, depth: usize, words: Words<'a>) {
        self.depth = depth;
        self.first = Some(words);
        self.joined.clear();
        self.last = 0;
        self.space = words.space;
    }

    fn push(&mut self, words: Words, typesetting: &Typesetting) {
        let Some(first) = self.first else { return };
        if self.joined.is_empty() {
            self.joined.push_str(first.text);
        }
        let end = self.joined.len();
        if let (Some(left), Some(right)) = (self.joined.chars().next_back(), words.text.chars().next()) {
            let mut joint = rejoin(left, right);
            if self.space && joint.is_empty() {
                self.joined.push(' ');
                self.joined.push_str(words.text);
                let head = 2 * self.depth + first.indent + columns(first.mark);
                if ended_at_space(&self.joined[self.last..], end - self.last, head, typesetting) {
                    joint = " ";
                }
                self.joined.truncate(end);
            }
            self.joined.push_str(joint);
        }
        self.last = self.joined.len();
        self.joined.push_str(words.text);
        self.space = words.space;
    }

    /// Ends the paragraph above a line that is not part of it. Two cases would read otherwise the next time: a line that
    /// is part of it but looks like the first of another, where the space between the two stays; and an indented line
    /// below what looks like an item, which a blank line parts from it.
    fn end_before(&mut self, depth: usize, line: &str, out: &mut String, typesetting: &Typesetting) {
        let Some(first) = self.first.filter(|_| self.depth == depth) else {
            return self.end(out, typesetting);
        };
        let next = line.trim_start_matches(' ');
        self.end(out, typesetting);
        out.pop();
        let last = &out[out.rfind('\n').map_or(0, |end| end + 1)..];
        let unquoted = quoted(last).1;
        let words = unquoted.trim_start_matches(' ');
        // A mark may have more blanks behind it than words have between them.
        let words = words.strip_prefix(first.mark).unwrap_or(words);
        let head = columns(&last[..last.len() - words.len()]);
        let spaced = self.space && ended_at_space(&format!("{words} {next}"), words.len(), head, typesetting);
        let item = first.mark.is_empty() && line.len() - next.len() > first.indent && is_item(unquoted);
        out.push_str(if spaced { " \n" } else { "\n" });
        if item {
            push_quotes(out, depth);
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
    }

    fn end(&mut self, out: &mut String, typesetting: &Typesetting) {
        let Some(first) = self.first.take() else { return };
        let text = if self.joined.is_empty() { first.text } else { &self.joined };
        if self.depth == 0 && first.indent == 0 && first.mark.is_empty() {
            fill_with(out, text, typesetting, &Heads { first: "", rest: "", keep_spaces: true });
        } else {
            let rest = "> ".repeat(self.depth) + &" ".repeat(first.indent);
            let head = rest.clone() + first.mark;
            let rest = rest + &" ".repeat(columns(first.mark));
            fill_with(out, text, typesetting, &Heads { first: &head, rest: &rest, keep_spaces: true });
        }
    }
}

/// Whether the first line of a text ends at `end`, and would not but for the space there. `head`: columns taken already.
fn ended_at_space(text: &str, end: usize, head: usize, typesetting: &Typesetting) -> bool {
    let mut ended = false;
    let filled = break_lines(text, &Measure::new(typesetting, head, head), true, |line| {
        ended = line.space && line.range.end == end;
        false
    });
    filled.is_ok() && ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HangingPunctuation, LineBreak};

    fn settings(width: usize) -> Typesetting {
        Typesetting { width, ..Typesetting::default() }
    }

    /// Wraps and wraps again.
    fn check(width: usize, text: &str, expected: &str) {
        let wrapped = wrap(text, &settings(width));
        assert_eq!(wrapped, expected, "{text}");
        assert_eq!(wrap(&wrapped, &settings(width)), wrapped, "again: {text}");
    }

    #[test]
    fn only_words_are_filled() {
        let cases = [
            ("", ""),
            ("\n", "\n"),
            ("あいうえお", "あいうえ\nお"),
            ("あいうえお\n", "あいうえ\nお\n"),
            ("あい\nうえお\n\n\nか\nき\n", "あいうえ\nお\n\n\nかき\n"),
            ("あい\n　うえおか", "あい\n　うえお\nか"),
            ("あいう\r\nえお\r\n", "あいうえ\nお\n"),
            ("> あいうえ\n> お", "> あいう\n> えお"),
            (">> あいう\n>>\n> あいうえ", "> > あい\n> > う\n> >\n> あいう\n> え"),
            ("・あいうえ\n・か", "・あいう\n  え\n・か"),
            ("・あいう\n  ・えおか", "・あいう\n  ・えお\n    か"),
            ("1. あいう\n   え\n本文", "1. あい\n   うえ\n本文"),
            ("- あいうえ", "- あいう\n  え"),
            ("※あいうえ", "※あいう\n  え"),
            ("  あいうえ\n  お", "  あいう\n  えお"),
            ("    あいうえおか", "    あいうえおか"),
            ("┏━━┓\nあ\nい\n┗━━┛\nう\nえ", "┏━━┓\nあ\nい\n┗━━┛\nうえ"),
            ("■□\n□■ 題\n----\nあ\nい", "■□\n□■ 題\n----\nあい"),
            ("★あいうえお", "★あいう\nえお"),
            ("あ\nhttp://a.example/\nい", "あ\nhttp://a.example/\nい"),
            ("あいう。\n-v を", "あいう。\n-v を"),
        ];
        for (text, expected) in cases {
            check(8, text, expected);
        }
        check(20, "発行   : 会社\nURL    : 会社", "発行   : 会社\nURL    : 会社");
        check(4, "> > > > あ", "> > > > あ");
    }

    #[test]
    fn a_space_that_ended_a_line_stays() {
        check(8, "あいう6 で", "あいう6 \nで".replace(" \n", "\n").as_str());
        check(8, "あいう で", "あいう \nで");
        check(8, "あ…… ……い", "あ…… \n……い");
        check(8, "-  あ ★\"い", "-  あ \n   ★\"い");
    }

    #[test]
    fn iteration_marks_at_the_head_of_a_line() {
        let loose = Typesetting {
            line_break: LineBreak::Loose,
            hanging_punctuation: HangingPunctuation::AllowEnd,
            ..settings(8)
        };
        let wrapped = wrap("あいうえ・おかきくけ、々", &loose);
        assert_eq!(wrapped, "あいうえ\n・おかき\nくけ、々");
        assert_eq!(wrap(&wrapped, &loose), wrapped);
    }
}
