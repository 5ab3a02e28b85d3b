//! The running text of an old mail, flowing again: hard-wrapped lines to a [`Document`].

use std::ops::Range;

use super::lines::{Line, is_rule};
use crate::model::{Block, Document, Inline, Item, plain};
use crate::source::links::push_linked;
use crate::typeset::{columns, continues, is_address, is_heading_mark, rejoin};

/// Some lines that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    /// The octets of each line in the text, without its end.
    pub(crate) lines: Vec<Range<usize>>,
    /// Whether a blank line stands above.
    pub(crate) parted: bool,
}

impl Piece {
    /// The lines, each with whether a blank one stands above it.
    pub(crate) fn parted_lines(&self) -> impl Iterator<Item = (Range<usize>, bool)> {
        self.lines.iter().enumerate().map(|(index, line)| (line.clone(), index == 0 && self.parted))
    }
}

/// What the lines of a piece are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A paragraph.
    Flow,
    /// An item of a list, its number if it has one; the mark takes so many octets of the first line.
    Item { number: Option<u64>, mark: usize },
    /// Lines that begin with `>`.
    Quote,
    /// Lines that stand as they are: commands, tables, drawings.
    Code,
    /// A line that only separates.
    Rule,
}

/// How deep quotes are taken apart.
const QUOTES: usize = 8;

/// Lines grouped to pieces. `measure` is what the mail's lines were filled to, in columns.
pub(super) fn pieces(lines: &[Line<'_>], measure: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut parted = true;
    let mut index = 0;
    while index < lines.len() {
        if lines[index].is_blank() {
            parted = true;
            index += 1;
            continue;
        }
        let end = (index..lines.len()).find(|index| lines[*index].is_blank()).unwrap_or(lines.len());
        let block = &lines[index..end];
        if stands_as_it_is(block) {
            pieces.push(Piece { kind: Kind::Code, lines: block.iter().map(octets).collect(), parted });
        } else {
            group(block, measure, parted, &mut pieces);
        }
        parted = false;
        index = end;
    }
    pieces
}

/// Lines, each with whether a blank one stands above it, grouped for another measure.
pub(crate) fn regrouped(text: &str, lines: &[(Range<usize>, bool)], measure: usize) -> Vec<Piece> {
    let mut with_blanks = Vec::with_capacity(lines.len() * 2);
    for (line, parted) in lines {
        if *parted {
            with_blanks.push(Line { at: line.start, text: "" });
        }
        with_blanks.push(Line { at: line.start, text: &text[line.clone()] });
    }
    pieces(&with_blanks, measure)
}

fn octets(line: &Line<'_>) -> Range<usize> {
    line.at..line.end()
}

/// Groups lines without a blank one among them.
fn group(block: &[Line<'_>], measure: usize, parted: bool, pieces: &mut Vec<Piece>) {
    let first_of_block = pieces.len();
    let mut above: Option<&Line<'_>> = None;
    for line in block {
        let is_first = pieces.len() == first_of_block;
        let last = pieces.last_mut().filter(|_| !is_first);
        let joins = match (&last, above) {
            (Some(piece), Some(above)) => joins(piece.kind, above, line, measure),
            _ => None,
        };
        above = Some(line);
        match (joins, last) {
            (Some(()), Some(piece)) => piece.lines.push(octets(line)),
            _ => {
                pieces.push(Piece { kind: kind(line), lines: vec![octets(line)], parted: parted && is_first })
            }
        }
    }
}

/// What a line begins when nothing goes on.
fn kind(line: &Line<'_>) -> Kind {
    if is_rule(line.text) {
        Kind::Rule
    } else if line.text.starts_with(['>', '＞']) {
        Kind::Quote
    } else if is_command(line.text) {
        Kind::Code
    } else {
        item(line.text).map_or(Kind::Flow, |(number, mark)| Kind::Item { number, mark })
    }
}

/// Whether a line goes on with the piece that ends above it.
fn joins(piece: Kind, above: &Line<'_>, line: &Line<'_>, measure: usize) -> Option<()> {
    let own = kind(line);
    let goes_on = match piece {
        Kind::Quote => own == Kind::Quote,
        Kind::Flow => match own {
            Kind::Flow => {
                let flush = indent(line.text) == indent(above.text) || indent(line.text) == 0;
                flush && !line.text.starts_with('　') && fills(above.text, line.text.trim_start(), measure)
            }
            // Loose setting lets ・ begin a line.
            Kind::Item { number: None, .. } => {
                line.text.starts_with('・') && fills(above.text, line.text, measure)
            }
            _ => false,
        },
        Kind::Item { .. } => {
            own == Kind::Flow && (line.text.starts_with([' ', '　']) || fills(above.text, line.text, measure))
        }
        Kind::Code | Kind::Rule => false,
    };
    goes_on.then_some(())
}

/// Half-width blanks at a line's left.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// Whether the line below begins with something that had no room at the end of the line above.
fn fills(above: &str, below: &str, measure: usize) -> bool {
    if is_address(below) || is_address(above) || below.starts_with(is_heading_mark) {
        return false;
    }
    continues(above, below, measure)
}

/// The mark of a list's item: its number and its octets.
fn item(line: &str) -> Option<(Option<u64>, usize)> {
    if let Some(rest) = line.strip_prefix('・') {
        let rest = rest.trim_start();
        return (!rest.is_empty() && !rest.starts_with('・')).then_some((None, line.len() - rest.len()));
    }
    if let Some(rest) = line.strip_prefix(['-', '*', '+']) {
        let words = rest.trim_start();
        return (words.len() < rest.len() && !words.is_empty()).then_some((None, line.len() - words.len()));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    if digits == 0 || digits > 3 || rest.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let words = rest.trim_start();
    (!words.is_empty()).then_some((line[..digits].parse().ok(), line.len() - words.len()))
}

/// A line typed into a shell.
fn is_command(line: &str) -> bool {
    let after = |prompt: &str| {
        line.strip_prefix(prompt)
            .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_graphic()))
    };
    after("# ") || after("$ ") || after("% ")
}

/// Whether lines are a command with what it printed, a table, a drawing, or set in.
fn stands_as_it_is(block: &[Line<'_>]) -> bool {
    let all = |is: &dyn Fn(&str) -> bool| block.iter().all(|line| is(line.text));
    let count = |is: &dyn Fn(&str) -> bool| block.iter().filter(|line| is(line.text)).count();
    if block.iter().all(|line| is_rule(line.text)) {
        return false;
    }
    let set_in = |line: &str| {
        line.starts_with("  ") || line.starts_with('\t') || (line.starts_with("　　") && block.len() >= 2)
    };
    let drawn = |line: &str| {
        let frames = line.chars().filter(|letter| ('\u{2500}'..='\u{257F}').contains(letter)).count();
        (frames >= 2 && !is_rule(line)) || line.starts_with("+-") || line.starts_with("+=")
    };
    let aligned = |line: &str| line.trim_start().contains("   ") || line.contains('\t');
    all(&set_in)
        || count(&drawn) > 0
        || (block.len() >= 2 && count(&aligned) * 3 >= block.len() * 2)
        || block.first().is_some_and(|line| is_command(line.text))
            && all(&|line| {
                is_command(line) || line.chars().filter(|letter| !letter.is_ascii()).count() * 3 < line.len()
            })
}

/// Pieces as blocks; `text` is what their octets lie in.
pub(super) fn document(text: &str, pieces: &[Piece], measure: usize) -> Document {
    Document { blocks: blocks(text, pieces, measure, QUOTES), footnotes: Vec::new() }
}

fn blocks(text: &str, pieces: &[Piece], measure: usize, quotes: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut next_number = None;
    let mut above: Option<Kind> = None;
    let mut below_mark = false;
    for piece in pieces {
        let line = |index: usize| &text[piece.lines[index].clone()];
        match piece.kind {
            Kind::Rule => blocks.push(Block::Rule),
            Kind::Code => {
                let lines = (0..piece.lines.len()).map(|index| format!("{}\n", line(index)));
                let at = piece.lines[0].start;
                blocks.push(Block::Code { language: String::new(), text: lines.collect(), at });
            }
            Kind::Quote => blocks.push(Block::Quote(quoted(text, &piece.lines, measure, quotes))),
            Kind::Item { number, mark } => {
                let mut lines = piece.lines.clone();
                lines[0].start += mark;
                let item = Item { task: None, blocks: vec![Block::Paragraph(inlines(text, &lines))] };
                let goes_on = matches!(above, Some(Kind::Item { .. })) && number == next_number;
                match blocks.last_mut() {
                    Some(Block::List { items, tight, .. }) if goes_on => {
                        *tight &= !piece.parted;
                        items.push(item);
                    }
                    _ => blocks.push(Block::List { start: number, tight: true, items: vec![item] }),
                }
                next_number = number.map(|number| number + 1);
            }
            Kind::Flow => {
                let goes_on = above == Some(Kind::Flow)
                    && !piece.parted
                    && !below_mark
                    && !line(0).starts_with([' ', '　']);
                let words = inlines(text, &piece.lines);
                match blocks.last_mut() {
                    Some(Block::Paragraph(before)) if goes_on => {
                        before.push(Inline::HardBreak);
                        before.extend(words);
                    }
                    _ => blocks.push(Block::Paragraph(words)),
                }
            }
        }
        above = Some(piece.kind);
        below_mark = piece.lines.len() == 1 && line(0).starts_with(is_heading_mark);
    }
    blocks
}

/// What stands in a quote, one `>` less.
fn quoted(text: &str, lines: &[Range<usize>], measure: usize, quotes: usize) -> Vec<Block> {
    let inside: Vec<Line<'_>> = lines
        .iter()
        .map(|range| {
            let line = &text[range.clone()];
            let rest = line.strip_prefix(['>', '＞']).unwrap_or(line);
            let rest = rest.strip_prefix(' ').unwrap_or(rest);
            Line { at: range.end - rest.len(), text: rest }
        })
        .collect();
    if quotes == 0 {
        let lines: Vec<Range<usize>> = inside.iter().map(octets).collect();
        return vec![Block::Paragraph(inlines(text, &lines))];
    }
    let measure = measure.saturating_sub(2);
    blocks(text, &pieces(&inside, measure), measure, quotes - 1)
}

/// The words of some lines of one paragraph, joined.
pub(crate) fn flowed(text: &str, lines: &[Range<usize>]) -> String {
    plain(&inlines(text, lines))
}

/// The words of some lines of one paragraph, one text for each line, and its addresses as links.
fn inlines(text: &str, lines: &[Range<usize>]) -> Vec<Inline> {
    let mut inlines = Vec::new();
    for (index, range) in lines.iter().enumerate() {
        let whole = &text[range.clone()];
        // A full-width space at a paragraph's start is its indentation.
        let words = if index == 0 { whole.trim_start_matches([' ', '\t']) } else { whole.trim_start() };
        let at = range.end - words.len();
        let words = words.trim_end();
        push_linked(words, at, &mut inlines);
        let below = lines.get(index + 1).map(|below| text[below.clone()].trim_start());
        let ends = words.chars().next_back().zip(below.and_then(|below| below.chars().next()));
        if ends.is_some_and(|(left, right)| rejoin(left, right) == " ") {
            match inlines.last_mut() {
                Some(Inline::Text { text, .. }) => text.push(' '),
                _ => inlines.push(Inline::Text { text: " ".to_owned(), at: range.end }),
            }
        }
    }
    inlines
}

/// The columns that lines were filled to: the widest that two lines come near.
pub(super) fn measure(lines: &[Line<'_>]) -> usize {
    const WIDEST: usize = 120;
    let mut counts = [0usize; WIDEST + 1];
    for pair in lines.windows(2) {
        let (line, below) = (pair[0].text, pair[1].text);
        let running = !below.is_empty() && !line.is_ascii() && !line.contains("://") && !is_rule(line);
        let hangs = line.ends_with(['、', '。', '，', '．']);
        if running && !hangs && line.len() <= WIDEST * 4 {
            let columns = columns(line);
            if (20..=WIDEST).contains(&columns) {
                counts[columns] += 1;
            }
        }
    }
    let near = |width: usize| counts[width.saturating_sub(3)..=width].iter().sum::<usize>();
    let widest =
        |enough: usize| (20..=WIDEST).rev().find(|width| counts[*width] > 0 && near(*width) >= enough);
    let few = || widest(1).filter(|width| *width >= 60);
    widest(3).or_else(few).unwrap_or(76)
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;

    fn show(blocks: &[Block]) -> String {
        let one = |block: &Block| match block {
            Block::Paragraph(words) => {
                words.split(|word| *word == Inline::HardBreak).map(plain).collect::<Vec<_>>().join("/")
            }
            Block::List { start, tight, items } => {
                let items: Vec<String> = items.iter().map(|item| show(&item.blocks)).collect();
                format!(
                    "{}{}[{}]",
                    start.map_or(String::new(), |start| start.to_string()),
                    if *tight { "" } else { "loose" },
                    items.join(" ")
                )
            }
            Block::Quote(blocks) => format!(">({})", show(blocks)),
            Block::Code { text, .. } => format!("`{}`", text.trim_end_matches('\n').replace('\n', "/")),
            Block::Rule => "--".to_owned(),
            other => format!("{other:?}"),
        };
        blocks.iter().map(one).collect::<Vec<_>>().join(" ¶ ")
    }

    #[test]
    fn lines_flow_again() {
        let check = |text: &str, expected: &str| {
            let lines = lines(text);
            let document = document(text, &pieces(&lines, 20), 20);
            assert_eq!(show(&document.blocks), expected, "{text}");
        };
        check("今日は山へ。\nよかったです。", "今日は山へ。/よかったです。");
        check("今日は朝から山に行き\nました。\n\n次です。", "今日は朝から山に行きました。 ¶ 次です。");
        check(
            "　今日は朝から山に行\nきました。\n　次の日は海です。",
            "　今日は朝から山に行きました。 ¶ 　次の日は海です。",
        );
        check("This is the first of\nthe lines.", "This is the first of the lines.");
        check("・山\n・海と川と湖と沼と池と\n  滝\n・空", "[山 海と川と湖と沼と池と滝 空]");
        check("- 山\n\n- 海", "loose[山 海]");
        check("1. 山\n2. 海\n5. 空", "1[山 海] ¶ 5[空]");
        check("2.5インチ", "2.5インチ");
        check("> 引用した文がここにあ\n> ります。\n返事", ">(引用した文がここにあります。) ¶ 返事");
        check("次の一文です。\n\n# ls -l [名前]\n\n続き", "次の一文です。 ¶ `# ls -l [名前]` ¶ 続き");
        check("$ ls\na.txt\nb.txt", "`$ ls/a.txt/b.txt`");
        check("┌──┬──┐\n│山│海│\n└──┴──┘", "`┌──┬──┐/│山│海│/└──┴──┘`");
        check("  set in\n  twice", "`  set in/  twice`");
        check("上\n--------------------\n下", "上 ¶ -- ¶ 下");
        check("下記ページよりどうぞ。\nhttp://example.jp/a", "下記ページよりどうぞ。/http://example.jp/a");
    }

    #[test]
    fn words_know_their_place() {
        let text = "今日は朝から山に行き\nました。http://a.jp/";
        let lines = lines(text);
        let document = document(text, &pieces(&lines, 20), 20);
        let Block::Paragraph(words) = &document.blocks[0] else { panic!("a paragraph") };
        for inline in words {
            if let Inline::Text { text: words, at } = inline {
                assert!(text[*at..].starts_with(words.as_str()), "{words}");
            }
        }
        assert_eq!(words.len(), 3);
    }
}
