//! Where articles begin: the heads of classic mail magazines.
//!
//! Strong heads have a shape of their own, a checkerboard or a title between rules. Only a mail that has none
//! of them is searched for marked lines (`■題名`, `【題名】`), as these also stand within articles.

use std::ops::Range;

use super::lines::{Line, is_rule, squeezed, title_in_rule, unmarked};
use crate::typeset::is_heading_mark;

/// One head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// Its lines, by index, rules included.
    pub(super) lines: Range<usize>,
    pub(super) title: &'a str,
    pub(super) corner: Option<&'a str>,
    /// The author's name on a line of its own, far to the right.
    pub(super) author: Option<Line<'a>>,
}

/// The widest title, in characters.
const TITLE: usize = 80;

/// The heads of the strongest kind that is there, in order, among the lines of `within`.
pub(super) fn heads<'a>(lines: &[Line<'a>], within: Range<usize>) -> Vec<Head<'a>> {
    let checkerboards = scan(within.clone(), |index| checkerboard(lines, index, within.end));
    if !checkerboards.is_empty() {
        return checkerboards;
    }
    scan(within.clone(), |index| ruled(lines, index, within.clone()))
}

/// Marked lines that begin an article, all with the mark of the first of them.
pub(super) fn weak_heads<'a>(lines: &[Line<'a>], within: Range<usize>) -> Vec<Head<'a>> {
    let mut candidates = scan(within.clone(), |index| marked(lines, index, within.clone()));
    let key = |head: &Head<'_>| {
        let line = lines[head.lines.clone()].iter().find(|line| !is_rule(line.text));
        line.and_then(|line| line.text.trim().chars().next())
    };
    if let Some(first) = candidates.first().and_then(key) {
        candidates.retain(|head| key(head) == Some(first));
    }
    candidates
}

fn scan<'a>(within: Range<usize>, head_at: impl Fn(usize) -> Option<Head<'a>>) -> Vec<Head<'a>> {
    let mut heads = Vec::new();
    let mut index = within.start;
    while index < within.end {
        match head_at(index) {
            Some(head) => {
                index = head.lines.end;
                heads.push(head);
            }
            None => index += 1,
        }
    }
    heads
}

/// `■□ corner` over `□■ title`, and the rule below if there is one.
fn checkerboard<'a>(lines: &[Line<'a>], index: usize, end: usize) -> Option<Head<'a>> {
    let (first, second, above) = two_marks(lines[index].text)?;
    let below = lines[..end].get(index + 1)?;
    let (third, fourth, title) = two_marks(below.text)?;
    if first == second
        || (first, second) != (fourth, third)
        || above.starts_with(is_heading_mark)
        || title.starts_with(is_heading_mark)
    {
        return None;
    }
    let has_rule = index + 2 < end && is_rule(lines[index + 2].text);
    let (title, corner) = if title.is_empty() { (above, "") } else { (title, above) };
    let corner = Some(unmarked(corner)).filter(|corner| !corner.is_empty());
    Some(Head { lines: index..index + 2 + usize::from(has_rule), title, corner, author: None })
}

fn two_marks(line: &str) -> Option<(char, char, &str)> {
    let line = line.trim();
    let mut letters = line.chars();
    let (first, second) = (letters.next()?, letters.next()?);
    (is_heading_mark(first) && is_heading_mark(second)).then(|| (first, second, letters.as_str().trim()))
}

/// A title between two rules, inside one, or marked and with a rule below.
fn ruled<'a>(lines: &[Line<'a>], index: usize, within: Range<usize>) -> Option<Head<'a>> {
    let line = lines[index];
    let rule_at = |index: usize| index < within.end && is_rule(lines[index].text);
    let has_text_below = |index: usize| {
        let below = (index..within.end).find(|index| !lines[*index].is_blank());
        below.is_some_and(|index| !is_rule(lines[index].text))
    };
    if is_rule(line.text) {
        let height = (1..=2).find(|height| rule_at(index + height + 1))?;
        let inside = &lines[index + 1..index + 1 + height];
        if inside.iter().any(|line| !is_title(line.text) || is_rule(line.text)) {
            return None;
        }
        let end = index + height + 2;
        if !has_text_below(end) {
            return None;
        }
        return Some(match inside {
            [title, author] if is_far_right(author.text) && !is_far_right(title.text) => {
                let at = author.end() - author.text.trim_start().len();
                let author = Line { at, text: author.text.trim_start() };
                Head { author: Some(author), ..with_corner(index..end, title.text, None) }
            }
            [corner, title] => with_corner(index..end, title.text, Some(unmarked(corner.text))),
            _ => with_corner(index..end, inside[0].text, None),
        });
    }
    if let Some(title) = title_in_rule(line.text).filter(|title| is_title(title)) {
        // ┌── 図 ──┐ and the like go on below.
        let stands_alone = index == within.start || lines[index - 1].is_blank();
        return (stands_alone && has_text_below(index + 1))
            .then(|| with_corner(index..index + 1, title, None));
    }
    let begins = index == within.start || lines[index - 1].is_blank();
    if begins
        && is_marked(line.text)
        && is_title(line.text)
        && rule_at(index + 1)
        && has_text_below(index + 2)
    {
        return Some(with_corner(index..index + 2, line.text, None));
    }
    None
}

/// A marked line after a blank one, or under a rule, with text below it.
fn marked<'a>(lines: &[Line<'a>], index: usize, within: Range<usize>) -> Option<Head<'a>> {
    let line = lines[index];
    if !is_marked(line.text) || !is_title(line.text) {
        return None;
    }
    let above = (index > within.start).then(|| lines[index - 1].text);
    let under_rule = above.is_some_and(is_rule);
    if !under_rule && above.is_some_and(|above| !above.is_empty()) {
        return None;
    }
    let below = (index + 1..within.end).find(|index| !lines[*index].is_blank())?;
    let below = lines[below].text;
    if is_rule(below) || is_marked(below) && below.trim().chars().next() == line.text.trim().chars().next() {
        return None;
    }
    Some(with_corner(index - usize::from(under_rule)..index + 1, line.text, None))
}

/// `【連載】題名` names its corner in brackets.
fn with_corner<'a>(lines: Range<usize>, title: &'a str, corner: Option<&'a str>) -> Head<'a> {
    let title = unmarked(title);
    if corner.is_none()
        && let Some((corner, rest)) = title.strip_prefix('【').and_then(|title| title.split_once('】'))
        && !rest.trim().is_empty()
        && corner.contains(char::is_alphabetic)
    {
        return Head { lines, title: unmarked(rest), corner: Some(corner.trim()), author: None };
    }
    Head { lines, title, corner: corner.filter(|corner| !corner.is_empty()), author: None }
}

fn is_far_right(line: &str) -> bool {
    let indent = line.len() - line.trim_start().len();
    indent >= 12 && line.trim().chars().count() <= 24
}

fn is_title(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty()
        && !line.ends_with(['。', '、', '，', '．'])
        && !line.contains("://")
        && line.chars().nth(TITLE).is_none()
        && line.chars().any(char::is_alphanumeric)
}

fn is_marked(line: &str) -> bool {
    let line = line.trim();
    let mut letters = line.chars();
    match letters.next() {
        Some('【') => line.find('】').is_some_and(|close| close > 3),
        Some(first) if is_heading_mark(first) => letters.next().is_some(),
        _ => false,
    }
}

/// Whether a title says that what follows is the contents.
pub(super) fn is_contents(title: &str) -> bool {
    const NAMES: [&str; 7] =
        ["目次", "もくじ", "index", "contents", "tableofcontents", "コンテンツ", "ラインナップ"];
    let bare = |letter: char| !letter.is_alphanumeric();
    let title = squeezed(title).to_lowercase();
    let title = title.trim_matches(bare);
    let title = ["今号の", "今週の", "今月の", "本号の", "今回の"]
        .iter()
        .find_map(|of| title.strip_prefix(of))
        .unwrap_or(title);
    let title = title.strip_prefix("メールマガジン").unwrap_or(title);
    NAMES.contains(&title) || title == "内容"
}

/// The contents within the lines above the first head: from the word 目次 to the end of the list.
pub(super) fn contents(lines: &[Line<'_>], within: Range<usize>) -> Option<Range<usize>> {
    let word = within.clone().take(60).find(|index| {
        let text = lines[*index].text;
        text.chars().count() <= 40
            && (is_contents(text) || title_in_rule(text).is_some_and(is_contents))
            && !text.ends_with('。')
    })?;
    let start = if word > within.start && is_rule(lines[word - 1].text) { word - 1 } else { word };
    let mut end = word + 1;
    let mut has_items = false;
    while end < within.end {
        let line = lines[end];
        if is_rule(line.text) {
            end += 1;
            if has_items {
                break;
            }
        } else if line.is_blank() {
            let Some(next) = (end..within.end).find(|index| !lines[*index].is_blank()) else { break };
            if has_items && !goes_on(lines, next, within.end) {
                break;
            }
            end = next;
        } else {
            has_items = true;
            end += 1;
        }
    }
    has_items.then_some(start..end)
}

/// Whether the lines after a blank one are still items: two of them at once, each beginning like an item.
fn goes_on(lines: &[Line<'_>], index: usize, end: usize) -> bool {
    let block = lines[index..end].iter().take_while(|line| !line.is_blank());
    let mut count = 0;
    for line in block {
        if !is_item(line.text) {
            return false;
        }
        count += 1;
    }
    count >= 2
}

fn is_item(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(|letter: char| {
        is_heading_mark(letter) || letter.is_numeric() || "・-*※【[［(（<＜".contains(letter)
    }) && !line.ends_with('。')
        && !is_rule(line)
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;

    fn show(heads: &[Head<'_>]) -> String {
        let one = |head: &Head<'_>| format!("{:?} {} {}", head.lines, head.corner.unwrap_or("-"), head.title);
        heads.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn strong_heads_are_found() {
        let check = |text: &str, expected: &str| {
            let lines = lines(text);
            assert_eq!(show(&heads(&lines, 0..lines.len())), expected, "{text}");
        };
        check("■□\n□■ 山の話\n--------------------\n本文", "0..3 - 山の話");
        check("■□ 連載\n□■ 山の話\n\n本文", "0..2 連載 山の話");
        check("◆◇ 山の話\n◇◆\n本文", "0..2 - 山の話");
        check("====================\n山の話\n====================\n本文", "0..3 - 山の話");
        check("====================\n■連載\n山の話\n====================\n\n本文", "0..4 連載 山の話");
        check("====================\n【連載】山の話\n====================\n本文", "0..3 連載 山の話");
        check("■山の話\n--------------------\n本文", "0..2 - 山の話");
        check("━━━【山の話】━━━━━━━━\n本文", "0..1 - 山の話");
        check("====================\n山の話\n====================\n", "");
        check("■□■□■□■□■□\n本文", "");
        check("本文\n■山の話\n--------------------\n本文", "");
        check("---- 1 ----\n", "");
    }

    #[test]
    fn weak_heads_are_found() {
        let check = |text: &str, expected: &str| {
            let lines = lines(text);
            assert_eq!(show(&weak_heads(&lines, 0..lines.len())), expected, "{text}");
        };
        check("■山の話\n\n本文\n\n■海の話\n本文", "0..1 - 山の話; 4..5 - 海の話");
        check("【山の話】\n本文", "0..1 - 山の話");
        check("【連載】山の話\n本文", "0..1 連載 山の話");
        check("◆山の話◇\n本文", "0..1 - 山の話");
        check("■山の話\n本文\n\n●小見出し\n本文", "0..1 - 山の話");
        check("----------------------\n■山の話\n本文", "0..2 - 山の話");
        check("■一\n■二\n■三\n", "");
        check("本文\n■山の話\n本文", "");
        check("■これは文です。\n本文", "");
    }

    #[test]
    fn contents_are_found() {
        let check = |text: &str, expected: Option<Range<usize>>| {
            let lines = lines(text);
            assert_eq!(contents(&lines, 0..lines.len()), expected, "{text}");
        };
        check("目次\n1. 山\n2. 海\n\n前書き", Some(0..3));
        check("【目 次】\n\n■山\n■海\n\n■山\n本文", Some(0..4));
        check(
            "--------------------\n今号の目次\n--------------------\n・山\n・海\n--------------------\n",
            Some(0..6),
        );
        check("━━━━ CONTENTS ━━━━━\n・山\n\n・海\n・川\n\n本文", Some(0..5));
        check("目次について書きます\n本文", None);
        check("本文", None);
    }
}
