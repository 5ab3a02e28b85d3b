//! The head of an old mail: publisher, name, number and date, in a box, between rules or bare.

use std::ops::Range;

use chrono::NaiveDate;

use super::dates::{self, Number};
use super::lines::{Line, draws, is_rule, squeezed, unmarked, unspaced};
use crate::typeset::is_heading_mark;

/// What stands above the first article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Masthead {
    /// Its lines, by index.
    pub(super) lines: Range<usize>,
    pub(super) publisher: Option<String>,
    pub(super) name: Option<String>,
    pub(super) number: Option<Number>,
    pub(super) date: Option<NaiveDate>,
    /// A date that stands near it, on a line of its own or so.
    pub(super) near_date: Option<NaiveDate>,
}

/// How far down a masthead is looked for, and how high it may be, in lines.
const DEPTH: usize = 40;
const HEIGHT: usize = 12;

/// Finds the masthead. Without one its lines are empty and nothing is known.
pub(super) fn masthead(lines: &[Line<'_>]) -> Masthead {
    let top = &lines[..lines.len().min(DEPTH)];
    let Some(line_of_number) = top.iter().position(|line| bears_number(line.text)) else {
        return Masthead { near_date: near_date(top), ..Masthead::default() };
    };
    let span = extent(lines, line_of_number);
    let mut masthead = Masthead { lines: span.clone(), ..Masthead::default() };
    let mut words: Vec<(usize, String)> = Vec::new();
    for (index, line) in lines.iter().enumerate().take(span.end).skip(span.start) {
        if line.is_blank() || is_rule(line.text) {
            continue;
        }
        let mut rest = line.text.to_owned();
        if masthead.date.is_none()
            && let Some((place, date)) = dates::date(&rest)
        {
            rest.replace_range(place, " ");
            masthead.date = Some(date);
        }
        if masthead.number.is_none()
            && let Some(number) = dates::number(&rest)
        {
            rest.replace_range(number.span.clone(), " ");
            masthead.number = Some(number);
        }
        let rest = bare(&rest);
        if !rest.is_empty() {
            words.push((index, rest));
        }
    }
    masthead.near_date = near_date(&lines[span.end..lines.len().min(span.end + HEIGHT)]);
    let publisher = words.iter().position(|(index, words)| *index != line_of_number && publishes(words));
    masthead.publisher = publisher.map(|at| publisher_name(&words.remove(at).1));
    let name = words.iter().position(|(index, _)| *index == line_of_number).unwrap_or(0);
    masthead.name = (name < words.len()).then(|| words.remove(name).1);
    if masthead.publisher.is_none() && words.first().is_some_and(|(index, _)| *index < line_of_number) {
        masthead.publisher = Some(publisher_name(&words.remove(0).1));
    }
    masthead
}

/// A masthead's line names the issue; running text that mentions a number does not.
fn bears_number(line: &str) -> bool {
    !line.ends_with(['。', '、', '.', ',']) && dates::number(line).is_some() && line.chars().count() <= 60
}

fn near_date(lines: &[Line<'_>]) -> Option<NaiveDate> {
    let short = lines.iter().filter(|line| !line.text.ends_with('。') && line.text.chars().count() <= 40);
    short.filter_map(|line| dates::date(line.text)).map(|(_, date)| date).next()
}

/// From the rule above to the rule below, else the lines up to the next blank one.
fn extent(lines: &[Line<'_>], number: usize) -> Range<usize> {
    let highest = number.saturating_sub(HEIGHT);
    let above = (highest..number).rev().find(|index| is_rule(lines[*index].text));
    let below = (number + 1..lines.len().min(number + HEIGHT)).find(|index| is_rule(lines[*index].text));
    let paragraph_start =
        (highest..number).rev().find(|index| lines[*index].is_blank()).map_or(highest, |at| at + 1);
    let paragraph_end =
        (number + 1..lines.len()).find(|index| lines[*index].is_blank()).unwrap_or(lines.len());
    let start = above.unwrap_or(paragraph_start);
    let end = match below {
        // A rule that belongs to the next head is not ours: a blank line stands between.
        Some(below)
            if below <= paragraph_end || (above.is_some() && !has_head(&lines[number + 1..below])) =>
        {
            let last = below + 1;
            // ┗━━┛ may be followed by a second rule at once.
            if lines.get(last).is_some_and(|line| is_rule(line.text)) { last + 1 } else { last }
        }
        _ => paragraph_end.min(number + HEIGHT),
    };
    start..end.min(lines.len())
}

fn has_head(lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| {
        let text = line.text.trim();
        text.starts_with(is_heading_mark) || text.starts_with('【')
    })
}

/// Words without the box's sides, ornaments and what is left of brackets when number and date are gone.
fn bare(words: &str) -> String {
    const LEFT: [&str; 12] = ["", "発行", "配信", "号", "発行号", "月", "火", "水", "木", "金", "土", "日"];
    if words.len() > 1000 {
        return words.trim().to_owned();
    }
    let ornament = |letter: char| draws(letter) || letter.is_whitespace();
    let mut words = words.trim_matches(ornament).to_owned();
    for (open, close) in
        [('(', ')'), ('（', '）'), ('[', ']'), ('［', '］'), ('【', '】'), ('<', '>'), ('＜', '＞')]
    {
        while let Some(start) = words.rfind(open)
            && let Some(length) = words[start..].find(close)
            && LEFT.contains(&squeezed(&words[start + open.len_utf8()..start + length]).as_str())
        {
            words.replace_range(start..start + length + close.len_utf8(), " ");
        }
    }
    let words = unmarked(words.trim_matches(ornament)).split_whitespace().collect::<Vec<_>>().join(" ");
    unspaced(&words).unwrap_or(words)
}

fn publishes(words: &str) -> bool {
    const SIGNS: [&str; 14] = [
        "株式会社",
        "有限会社",
        "合同会社",
        "(株)",
        "（株）",
        "㈱",
        "協会",
        "財団",
        "編集部",
        "大学",
        "組合",
        "発行",
        "Inc.",
        "Ltd",
    ];
    let words = squeezed(words);
    SIGNS.iter().any(|sign| words.contains(sign))
}

fn publisher_name(words: &str) -> String {
    const LABELS: [&str; 6] = ["発行元", "発行者", "発行人", "発行", "提供", "編集・発行"];
    const KINDS: [&str; 4] = ["メールマガジン", "メルマガ", "ニュースレター", "メールニュース"];
    let mut name = words.trim();
    if let Some((label, rest)) = name.split_once([':', '：'])
        && LABELS.contains(&squeezed(label).as_str())
    {
        name = rest.trim();
    }
    for kind in KINDS {
        if let Some(rest) = name.strip_suffix(kind)
            && !rest.trim().is_empty()
        {
            name = rest.trim();
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;

    #[test]
    fn every_kind_of_masthead_is_read() {
        let check = |text: &str, expected: &str| {
            let found = masthead(&lines(text));
            let or = |part: Option<&str>| part.unwrap_or("-").to_owned();
            let shown = format!(
                "{:?} {} {} {} {}",
                found.lines,
                or(found.publisher.as_deref()),
                or(found.name.as_deref()),
                or(found.number.as_ref().map(|number| number.label.as_str())),
                found.date.or(found.near_date).map_or("-".to_owned(), |date| date.to_string()),
            );
            assert_eq!(shown, expected, "{text}");
        };
        check(
            "┏━━━━━━━━━━━┓\n    山海株式会社メールマガジン\n  山 海 便 り Vol.007 (2009/04/01)\n┗━━━━━━━━━━━┛\n\n本文",
            "0..4 山海株式会社 山海便り 007 2009-04-01",
        );
        check(
            "┏━━━━━━━━━━━┓\n┃ 山海便り 第７号　┃\n┃ 平成21年4月1日 ┃\n┗━━━━━━━━━━━┛\n本文",
            "0..4 - 山海便り 7 2009-04-01",
        );
        check(
            "====================\n 山海便り No.7\n   2009-04-01 発行：山海社\n====================\n\n本文",
            "0..4 山海社 山海便り 7 2009-04-01",
        );
        check("山海便り #7 2009年4月1日\n\n本文です。", "0..1 - 山海便り 7 2009-04-01");
        check(
            "このメールは登録された方にお送りしています。\n\n☆★☆ 山海便り Vol.7 ☆★☆\n\n2009/04/01 発行\n\n本文",
            "2..3 - 山海便り 7 2009-04-01",
        );
        check(
            "＊＊＊＊＊＊＊＊＊＊\n山海便り 第7号\n\n■ 題名\n------------------\n本文",
            "0..2 - 山海便り 7 -",
        );
        check("本文だけ。第3号で述べたように。\n", "0..0 - - - -");
        check("", "0..0 - - - -");
    }
}
