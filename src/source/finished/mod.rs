//! A finished mail taken apart: what an issue was before its editor typeset it, as far as its lines tell.
//!
//! Nothing of the mail is lost: what no rule knows stays in the text of an article, of the opening words or of the
//! footer. A mail without any structure is one article.

mod dates;
mod heads;
mod lines;
mod masthead;
mod summary;
mod text;

use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDate;

use self::heads::{Head, contents, heads, is_contents, weak_heads};
use self::lines::{Line, is_rule, squeezed, title_in_rule, unmarked, unspaced};
use crate::diagnostic::SourceText;
use crate::model::Document;
use crate::typeset::is_heading_mark;

pub use self::summary::import_name;
pub(super) use self::summary::{characters, excerpt, issue, slugs};
pub(super) use self::text::{Kind, Piece, flowed, regrouped};

/// What is known of a mail besides its text: its header, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The subject, decoded.
    pub subject: Option<String>,
    /// The day it was sent, in the magazine's time zone.
    pub date: Option<NaiveDate>,
}

/// A finished mail, taken apart. All ranges are octets of the source's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The mail as decoded.
    pub source: Arc<SourceText>,
    /// Who publishes the magazine.
    pub publisher: Option<String>,
    /// The magazine's name.
    pub name: Option<String>,
    /// The issue's number: 10.
    pub number: Option<u32>,
    /// The number as written, in ASCII digits: `010`.
    pub label: Option<String>,
    /// The day of publication.
    pub date: Option<NaiveDate>,
    /// The day the next issue is promised for.
    pub next_date: Option<NaiveDate>,
    /// The line that promises it, where it stands by itself and thus in no article.
    pub promise: Option<Range<usize>>,
    /// The title box.
    pub masthead: Option<Range<usize>>,
    /// The list of what is in the issue, which the archive makes anew.
    pub contents: Option<Range<usize>>,
    /// What stands before the first article.
    pub opening: Option<Passage>,
    /// The articles in order; at least one.
    pub articles: Vec<FinishedArticle>,
    /// The standing words under the last rule.
    pub footer: Option<Passage>,
}

/// A text that flows again, and the lines it flowed from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// The text.
    pub document: Document,
    /// Where it stands.
    pub span: Range<usize>,
    /// Its lines, grouped as the document's blocks are.
    pub(super) pieces: Vec<Piece>,
}

/// An article of a finished mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedArticle {
    /// The title's words.
    pub title: String,
    /// Whether the title stood with a space between its letters.
    pub letterspace: bool,
    /// The label a recurring kind of article stands under.
    pub corner: Option<String>,
    /// Who wrote it, from the parentheses at its end.
    pub author: Option<Byline>,
    /// The text, without the author's name where [`Byline::span`] says that it was taken out.
    pub text: Passage,
    /// The whole article with its head.
    pub span: Range<usize>,
}

/// An author's name at an article's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Byline {
    /// The name readers see.
    pub name: String,
    /// The parentheses and what they hold.
    pub span: Range<usize>,
    /// Whether it is written as mailmag writes it, `(name)` run in after the last words.
    pub plain: bool,
}

/// A manuscript's text: its hard-wrapped lines flow again, its lists, quotes and drawings are found.
pub(super) fn manuscript(source: &Arc<SourceText>, body: Range<usize>) -> Document {
    let lines = lines::lines(&source.text);
    let within: Vec<Line<'_>> =
        lines.into_iter().filter(|line| line.at >= body.start && line.end() <= body.end).collect();
    let measure = text::measure(&within);
    text::document(&source.text, &text::pieces(&within, measure), measure)
}

/// Takes a mail apart. What the masthead does not say is looked for in the envelope.
pub fn finished(source: &Arc<SourceText>, envelope: &Envelope) -> Finished {
    let lines = lines::lines(&source.text);
    let masthead = masthead::masthead(&lines);
    let from_subject = envelope.subject.as_deref().and_then(dates::number);
    let number = masthead.number.clone().or(from_subject);
    let date = masthead.date.or(envelope.date).or(masthead.near_date);

    let body = masthead.lines.end..lines.len();
    let parts = Parts::of(&lines, body);
    let promise = promise(&lines, parts.text.clone(), date);
    let measure = text::measure(&lines);
    let passage = |ranges: &[Range<usize>], end: Option<usize>| {
        let cut = |index: &usize| shortened(lines[*index], end);
        let indented: Vec<Line<'_>> =
            ranges.iter().flat_map(|range| range.clone()).map(|index| cut(&index)).collect();
        let pieces = text::pieces(without_outer_rules(&indented), measure);
        let document = text::document(&source.text, &pieces, measure);
        Passage { document, span: octets(&lines, ranges), pieces }
    };
    let (promise_line, next_date) = promise.map_or((None, None), |(index, date)| (index, Some(date)));
    let without_promise = |range: Range<usize>| match promise_line {
        Some(line) if range.contains(&line) => vec![range.start..line, line + 1..range.end],
        _ => vec![range],
    };
    let mut articles = Vec::new();
    for (index, head) in parts.heads.iter().enumerate() {
        let end = parts.heads.get(index + 1).map_or(parts.text.end, |next| next.lines.start);
        let ranges = without_promise(head.lines.end..end);
        let named = head.author.map(|line| Byline {
            name: line.text.to_owned(),
            span: line.at..line.end(),
            plain: false,
        });
        let author = byline(&lines[ranges[0].clone()]).or(named);
        let cut = author.as_ref().filter(|author| author.plain).map(|author| author.span.start);
        let spaced = unspaced(head.title);
        articles.push(FinishedArticle {
            letterspace: spaced.is_some(),
            title: spaced.unwrap_or_else(|| head.title.to_owned()),
            corner: head.corner.map(|corner| unspaced(corner).unwrap_or_else(|| corner.to_owned())),
            author,
            text: passage(&ranges, cut),
            span: lines[head.lines.start].at..lines[end.max(head.lines.end) - 1].end(),
        });
    }
    let mut lead = without_promise(parts.lead.clone());
    lead.insert(0, 0..masthead.lines.start);
    let lead: Vec<Range<usize>> =
        lead.into_iter().flat_map(|range| without(range, parts.contents.clone())).collect();
    let mut opening = Some(passage(&lead, None)).filter(|opening| !opening.document.is_empty());
    if articles.is_empty() {
        let text = opening.take().unwrap_or_default();
        let title = title_of_the_whole(&source.text, &text, envelope, masthead.name.as_deref());
        let span = text.span.clone();
        articles.push(FinishedArticle { title, letterspace: false, corner: None, author: None, text, span });
    }
    let footer = Some(footer_passage(&source.text, &lines, parts.footer.clone(), measure));
    Finished {
        source: source.clone(),
        publisher: masthead.publisher,
        name: masthead.name,
        number: number.as_ref().map(|number| number.value),
        label: number.map(|number| number.label),
        date,
        next_date,
        promise: promise_line.map(|index| lines[index].at..lines[index].end()),
        masthead: Some(masthead.lines)
            .filter(|range| !range.is_empty())
            .map(|range| octets(&lines, &[range])),
        contents: parts.contents.map(|range| octets(&lines, &[range])),
        opening,
        articles,
        footer: footer.filter(|footer| !footer.document.is_empty()),
    }
}

/// A mail's lines below the masthead, divided.
struct Parts<'a> {
    /// Before the first head; the contents may lie within.
    lead: Range<usize>,
    contents: Option<Range<usize>>,
    heads: Vec<Head<'a>>,
    /// Lead and articles.
    text: Range<usize>,
    footer: Range<usize>,
}

impl<'a> Parts<'a> {
    fn of(lines: &[Line<'a>], body: Range<usize>) -> Self {
        let mut heads = heads(lines, body.clone());
        let mut end = footer(lines, heads.last().map_or(body.start, |head| head.lines.end)..body.end);
        let mut listed = None;
        if heads.is_empty() {
            listed = contents(lines, body.start..end);
            let below_contents = listed.as_ref().map_or(body.start, |contents| contents.end);
            heads = weak_heads(lines, below_contents..end);
        } else if let Some(at) = heads.iter().position(|head| is_contents(head.title)) {
            // The contents as a section of their own: what else stands there is opening words.
            if at == 0 {
                let head = heads.remove(at);
                let next = heads.first().map_or(end, |head| head.lines.start);
                let rule = (head.lines.end..next).find(|index| is_rule(lines[*index].text));
                listed = Some(head.lines.start..rule.map_or(next, |rule| rule + 1));
            }
        } else {
            listed = contents(lines, body.start..heads[0].lines.start);
        }
        while let Some(last) = heads.last().filter(|head| is_footer_title(head.title) && heads.len() > 1)
            && is_footer(&lines[last.lines.start..end])
        {
            end = last.lines.start;
            heads.pop();
        }
        let lead = body.start..heads.first().map_or(end, |head| head.lines.start);
        if heads.is_empty() {
            listed = None;
        }
        Parts { lead, contents: listed, heads, text: body.start..end, footer: end..body.end }
    }
}

/// Where the footer begins: at the last rule that parts standing words from the text, and further up while what
/// stands between two rules are standing words, too.
fn footer(lines: &[Line<'_>], below_heads: Range<usize>) -> usize {
    let mut end = below_heads.end;
    let mut start = below_heads.end;
    for index in below_heads.clone().rev() {
        if !is_rule(lines[index].text) {
            continue;
        }
        let section = &lines[index + 1..end];
        end = index;
        if section.iter().all(Line::is_blank) {
            if start == below_heads.end {
                continue;
            }
        } else if !is_footer(section) {
            break;
        }
        start = index;
    }
    start
}

const STANDING: [&str; 24] = [
    "配信停止",
    "解除",
    "退会",
    "購読",
    "登録",
    "アドレスの変更",
    "アドレス変更",
    "バックナンバー",
    "お問い合わせ",
    "お問合せ",
    "問い合わせ",
    "発行元",
    "発行者",
    "発行人",
    "編集・発行",
    "転載",
    "著作権",
    "opyright",
    "(C)",
    "©",
    "まぐまぐ",
    "nsubscribe",
    "ご意見",
    "発行",
];

/// Whether lines read like the standing words of a magazine.
fn is_footer(lines: &[Line<'_>]) -> bool {
    let mut words: Vec<&str> = Vec::new();
    let mut has_address = false;
    let mut written = 0;
    for line in lines.iter().filter(|line| !line.is_blank()) {
        written += 1;
        has_address |= line.text.contains("://") || line.text.contains('@') || line.text.contains('＠');
        for word in STANDING {
            if !words.contains(&word) && line.text.contains(word) {
                words.push(word);
            }
        }
    }
    words.len() >= 3
        || (words.len() == 2 && (has_address || written <= 15))
        || (words.len() == 1 && written <= 6)
        || (has_address && written <= 4)
}

/// The footer's text. Where its lines are set in under its headings, they count as flush.
fn footer_passage<'a>(text: &str, lines: &[Line<'a>], range: Range<usize>, measure: usize) -> Passage {
    const INDENT: &str = "  ";
    let flush = |line: Line<'a>| match line.text.strip_prefix(INDENT) {
        Some(text) => Line { at: line.at + INDENT.len(), text },
        None => line,
    };
    let flushed: Vec<Line<'_>> = lines[range.clone()].iter().copied().map(flush).collect();
    let is_set_in = lines[range.clone()].iter().any(|line| line.text.starts_with(INDENT));
    let measure = if is_set_in { measure.saturating_sub(INDENT.len()) } else { measure };
    let pieces = text::pieces(without_outer_rules(&flushed), measure);
    let document = text::document(text, &pieces, measure);
    Passage { document, span: octets(lines, &[range]), pieces }
}

fn is_footer_title(title: &str) -> bool {
    const TITLES: [&str; 13] = [
        "について",
        "方法",
        "バックナンバー",
        "お問い合わせ",
        "お問合せ",
        "問い合わせ先",
        "発行元",
        "発行者",
        "発行人",
        "発行",
        "配信停止",
        "解除",
        "登録・解除",
    ];
    let title = squeezed(title);
    let about = title.ends_with("について") || title.ends_with("方法");
    let named = TITLES[2..].iter().any(|word| title.starts_with(word) || title.ends_with(word));
    let standing = STANDING.iter().any(|word| title.contains(word)) || title.contains("メールマガジン");
    named || (about && standing)
}

/// The line that promises the next issue: its index where it stands by itself, and the date.
fn promise(
    lines: &[Line<'_>],
    text: Range<usize>,
    issued: Option<NaiveDate>,
) -> Option<(Option<usize>, NaiveDate)> {
    text.clone().rev().find_map(|index| {
        let line = lines[index];
        let date = dates::next_date(line.text, issued)?;
        let open =
            |index: usize| !text.contains(&index) || lines[index].is_blank() || is_rule(lines[index].text);
        let marked = line
            .text
            .trim_start()
            .starts_with(|letter: char| is_heading_mark(letter) || "※＊*".contains(letter));
        let sentence = line.text.trim_end_matches(['。', '！', '!']);
        let alone = (index == text.start || open(index - 1)) && !sentence.contains('。');
        let begins = marked || alone;
        Some(((begins && open(index + 1)).then_some(index), date))
    })
}

/// The author's name in parentheses that an article's last line ends with.
fn byline(lines: &[Line<'_>]) -> Option<Byline> {
    let mut written = lines.iter().rev().filter(|line| !line.is_blank() && !is_rule(line.text));
    let last = written.next()?;
    let (open, close) = match last.text.chars().next_back()? {
        ')' => ('(', ')'),
        '）' => ('（', '）'),
        _ => return None,
    };
    let start = last.text.rfind(open)?;
    let inside = last.text[start..].strip_prefix(open)?.strip_suffix(close)?.trim();
    let (label, name) = match inside.split_once([':', '：', '・']) {
        Some((label, name)) if ["文", "文責", "記", "担当", "編集", "筆者"].contains(&label.trim()) => {
            (true, name.trim())
        }
        _ => (false, inside),
    };
    if !is_name(name) {
        return None;
    }
    let before = last.text[..start].trim_end();
    let ends_sentence = before.is_empty()
        || before.len() < start
        || before.ends_with([
            '。', '．', '！', '？', '!', '?', '.', '」', '』', '）', ')', '…', '♪', '★', '☆', '〜', '～',
            '」',
        ]);
    if !ends_sentence {
        return None;
    }
    let run_in = start == before.len();
    // By itself on a line it is run in, too, where the line above left no room for it.
    let wrapped = before.is_empty()
        && start == 0
        && lines.iter().rposition(|line| line.at == last.at).is_some_and(|index| {
            index > 0 && !lines[index - 1].is_blank() && !is_rule(lines[index - 1].text)
        });
    let plain =
        !label && open == '(' && inside.len() == name.len() && run_in && (!before.is_empty() || wrapped);
    Some(Byline { name: name.to_owned(), span: last.at + start..last.end(), plain })
}

fn is_name(name: &str) -> bool {
    const OTHERS: [&str; 24] = [
        "笑",
        "爆",
        "泣",
        "汗",
        "涙",
        "怒",
        "謎",
        "苦笑",
        "爆笑",
        "完",
        "了",
        "続",
        "続く",
        "つづく",
        "終",
        "終わり",
        "おわり",
        "以上",
        "敬称略",
        "税込",
        "税別",
        "無料",
        "略",
        "中略",
    ];
    let letters = name.chars().count();
    (1..=16).contains(&letters)
        && !OTHERS.contains(&name)
        && name.chars().any(char::is_alphabetic)
        && name.chars().all(|letter| letter.is_alphabetic() || " 　・.-_".contains(letter))
}

fn shortened(line: Line<'_>, end: Option<usize>) -> Line<'_> {
    match end {
        Some(end) if (line.at..line.end()).contains(&end) => {
            Line { at: line.at, text: line.text[..end - line.at].trim_end() }
        }
        _ => line,
    }
}

/// Rules at either end part a text from its neighbours and are none of its words.
fn without_outer_rules<'l, 'a>(lines: &'l [Line<'a>]) -> &'l [Line<'a>] {
    let outer = |line: &Line<'_>| line.is_blank() || is_rule(line.text);
    let Some(start) = lines.iter().position(|line| !outer(line)) else { return &[] };
    let end = lines.iter().rposition(|line| !outer(line)).map_or(start, |last| last + 1);
    &lines[start..end]
}

fn without(range: Range<usize>, taken: Option<Range<usize>>) -> Vec<Range<usize>> {
    match taken {
        Some(taken) if taken.start < range.end && taken.end > range.start => {
            vec![range.start..taken.start.max(range.start), taken.end.min(range.end)..range.end]
        }
        _ => vec![range],
    }
}

fn octets(lines: &[Line<'_>], ranges: &[Range<usize>]) -> Range<usize> {
    let mut written = ranges.iter().filter(|range| !range.is_empty());
    let Some(first) = written.next() else {
        let at = ranges.first().map_or(0, |range| lines.get(range.start).map_or(0, |line| line.at));
        return at..at;
    };
    let last = written.next_back().unwrap_or(first);
    lines[first.start].at..lines[last.end - 1].end()
}

/// The title of a mail that has no articles of its own.
fn title_of_the_whole(text: &str, passage: &Passage, envelope: &Envelope, name: Option<&str>) -> String {
    let subject = envelope.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
    let first_line = || {
        let line = passage.pieces.first().and_then(|piece| piece.lines.first())?;
        let line = text[line.clone()].trim();
        let line = title_in_rule(line).unwrap_or(line);
        Some(unmarked(line).chars().take(40).collect::<String>())
    };
    subject.or(name).map(str::to_owned).or_else(first_line).unwrap_or_default()
}

#[cfg(test)]
mod tests;
