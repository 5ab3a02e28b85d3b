//! What the lines of a plain text are: blank, to be left alone, or words that may flow.

use super::columns::columns;

/// A line by its look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Nothing to see.
    Blank,
    /// A rule, a head, a box, code, an address or aligned labels on a line of their own: never filled.
    Kept(&'a str),
    /// Words.
    Words(Words<'a>),
}

/// A line of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words<'a> {
    /// Columns of blanks before it.
    pub(super) indent: usize,
    /// An item's mark with the blanks after it, else empty.
    pub(super) mark: &'a str,
    /// The words; a blank at the end is kept.
    pub(super) text: &'a str,
    /// Whether it ends in a blank.
    pub(super) space: bool,
    /// The whole line without blanks at its end.
    pub(super) line: &'a str,
}

impl Words<'_> {
    /// Whether the line goes on with the words of the line before, which stands in the same quotation.
    pub(super) fn continues(&self, before: &Words) -> bool {
        self.mark.is_empty()
            && !self.text.starts_with('\u{3000}')
            && if before.mark.is_empty() { self.indent == before.indent } else { self.indent > before.indent }
    }
}

/// Deeper quotations are taken for words: each level takes two columns from every line.
const MOST_QUOTES: usize = 16;

/// How many `>` stand before a line, and what they quote.
pub(super) fn quoted(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    while depth < MOST_QUOTES
        && let Some(after) = rest.strip_prefix('>')
    {
        depth += 1;
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    (depth, rest)
}

/// Reads lines one after the other, knowing those above.
#[derive(Default)]
pub(super) struct Reader {
    depth: usize,
    in_box: bool,
    in_list: bool,
}

impl Reader {
    /// How deep the line is quoted, and its kind. `flow` is the line directly above if that was of words.
    pub(super) fn read<'a>(
        &mut self,
        line: &'a str,
        width: usize,
        flow: Option<&Words>,
    ) -> (usize, Kind<'a>) {
        let (depth, content) = quoted(line);
        let same = depth == self.depth;
        if !same {
            *self = Reader { depth, ..Reader::default() };
        }
        (depth, self.kind(content, width.saturating_sub(2 * depth), flow.filter(|_| same)))
    }

    fn kind<'a>(&mut self, content: &'a str, width: usize, flow: Option<&Words>) -> Kind<'a> {
        let line = content.trim_end_matches([' ', '\t', '\r']);
        let kept = content.trim_end_matches('\r');
        let body = line.trim_start_matches(' ');
        let Some(first) = body.chars().next().filter(|_| !body.trim_start_matches('\u{3000}').is_empty())
        else {
            (self.in_box, self.in_list) = (false, false);
            return Kind::Blank;
        };
        let indent = line.len() - body.len();
        if self.in_box {
            self.in_box = !matches!(first, '┗' | '└' | '╚' | '╰');
            return Kind::Kept(kept);
        }
        if matches!(first, '┏' | '┌' | '╔' | '╭') && line.ends_with(['┓', '┐', '╗', '╮']) {
            self.in_box = true;
            return Kind::Kept(kept);
        }
        if first == '\t' || boxed(first, body) || first == '>' && indent > 0 || rule(first, body) {
            return Kind::Kept(kept);
        }
        let space = content[line.len()..].starts_with(' ');
        if indent < 4 || self.in_list {
            let mark = mark(first, body);
            if !mark.is_empty() {
                self.in_list = true;
                return Kind::Words(Words { indent, mark, text: &body[mark.len()..], space, line });
            }
        }
        let words = Words { indent, mark: "", text: body, space, line };
        if flow.is_some_and(|flow| words.continues(flow))
            && (indent >= 4 || !kept_words(first, body, line, width))
        {
            return Kind::Words(words);
        }
        self.in_list &= indent > 0;
        if indent >= 4 || kept_words(first, body, line, width) {
            Kind::Kept(kept)
        } else {
            Kind::Words(words)
        }
    }
}

fn kept_words(first: char, body: &str, line: &str, width: usize) -> bool {
    // What fits has at most three octets for two columns, but for marks: longer lines are not searched.
    is_address(body)
        || line.len() <= 2 * width && (head(first, body) || labelled(body)) && columns(line) <= width
}

/// Part of a box or of a table.
fn boxed(first: char, body: &str) -> bool {
    matches!(first, '\u{2500}'..='\u{257F}' | '|') || body.starts_with("+-") || body.starts_with("+=")
}

/// A line of nothing but ornaments.
fn rule(first: char, body: &str) -> bool {
    ornament(first)
        && body.len() > first.len_utf8()
        && body.chars().all(|character| ornament(character) || character == ' ')
}

fn ornament(character: char) -> bool {
    matches!(
        character,
        '-' | '=' | '_' | '*' | '~' | '+' | '#' | '.' | ':' | '\u{2500}'
            ..='\u{257F}'
                | '＝'
                | '－'
                | '−'
                | '—'
                | '―'
                | '＿'
                | '〜'
                | '～'
                | '・'
                | '…'
                | '＊'
                | '☆'
                | '★'
                | '■'
                | '□'
                | '◆'
                | '◇'
                | '●'
                | '○'
                | '◎'
                | '▼'
                | '▽'
                | '▲'
                | '△'
                | '\u{3000}'
    )
}

/// A heading by its ornament.
fn head(first: char, body: &str) -> bool {
    match first {
        _ if is_heading_mark(first) => true,
        '【' => body.ends_with('】'),
        '#' => body.trim_start_matches('#').starts_with(' '),
        _ => false,
    }
}

/// Characters that stand before a heading.
#[rustfmt::skip]
pub fn is_heading_mark(character: char) -> bool {
    matches!(
        character,
        '■' | '□' | '◆' | '◇' | '●' | '○' | '◎' | '★' | '☆' | '▼' | '▽' | '▲' | '△' | '▶' | '►' | '◼' | '◻' | '♦'
            | '❖' | '❏' | '〓' | '▪' | '▫' | '◊'
    )
}

/// Whether a line is a URL or a mail address and nothing else.
pub fn is_address(line: &str) -> bool {
    let body = line.trim();
    body.starts_with(|first: char| first.is_ascii_alphanumeric())
        && (body.contains("://") || body.contains('@'))
        && body.bytes().all(|octet| octet.is_ascii_graphic())
}

/// `label : value`, or words set apart by several blanks.
fn labelled(body: &str) -> bool {
    let start = &body[..body.floor_char_boundary(33)];
    let label = |at: usize| !body[..at].contains([' ', '。', '、']);
    start.find('：').is_some_and(label)
        || body.contains(' ')
            && (body.find("  ").is_some_and(|gap| !body[..gap].ends_with(['.', '?', '!', ':']))
                || start.find(" : ").is_some_and(label))
}

/// Whether a line begins with an item's mark.
pub(super) fn is_item(line: &str) -> bool {
    let body = line.trim_start_matches(' ');
    body.chars().next().is_some_and(|first| !mark(first, body).is_empty())
}

/// An item's mark with the blanks after it; empty if the line has none.
fn mark(first: char, body: &str) -> &str {
    let rest = match first {
        '・' | '※' => &body[first.len_utf8()..],
        '-' | '*' | '+' if body[1..].starts_with(' ') => &body[1..],
        '0'..='9' => {
            let rest = body.trim_start_matches(|character: char| character.is_ascii_digit());
            match rest.strip_prefix(['.', ')']) {
                Some(rest) if rest.starts_with(' ') && body.len() - rest.len() <= 5 => rest,
                _ => return "",
            }
        }
        _ => return "",
    };
    let rest = rest.trim_start_matches([' ', '\u{3000}']);
    &body[..body.len() - rest.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_lines() {
        let kept = |line| (line, "kept", "", "");
        let words = |line, text| (line, "words", "", text);
        let cases = [
            ("", "blank", "", ""),
            (" 　 ", "blank", "", ""),
            words("本文です。", "本文です。"),
            words("  本文", "本文"),
            words("　本文", "　本文"),
            kept("    code"),
            kept("\tcode"),
            kept("----"),
            kept("--"),
            kept("━━━━━━"),
            kept("=-=-=-="),
            kept("■□"),
            kept("□■ 題名"),
            kept("★次回は来月です。"),
            kept("【お知らせ】"),
            words("【注意】本文", "【注意】本文"),
            kept("# 題名"),
            kept("http://a.example/"),
            kept("info@a.example"),
            words("http://a.example/ へ", "http://a.example/ へ"),
            kept("発行   : 会社"),
            kept("URL : 会社"),
            kept("日時：明日"),
            words("One.  Two", "One.  Two"),
            kept("│a│b│"),
            kept("| a | b |"),
            kept("+---+"),
            ("・項目", "words", "・", "項目"),
            ("- item", "words", "- ", "item"),
            ("12. item", "words", "12. ", "item"),
            ("1) item", "words", "1) ", "item"),
            ("※　注", "words", "※　", "注"),
            words("-v は", "-v は"),
            words("1.5倍", "1.5倍"),
            words("2010.5.14 です", "2010.5.14 です"),
        ];
        for (line, kind, mark, text) in cases {
            let found = match Reader::default().read(line, 76, None).1 {
                Kind::Blank => ("blank", "", ""),
                Kind::Kept(_) => ("kept", "", ""),
                Kind::Words(words) => ("words", words.mark, words.text),
            };
            assert_eq!(found, (kind, mark, text), "{line}");
        }
    }

    #[test]
    fn quotations() {
        for (line, depth, content) in [
            ("a", 0, "a"),
            ("> a", 1, "a"),
            (">a", 1, "a"),
            ("> > a", 2, "a"),
            (">>  a", 2, " a"),
            (">", 1, ""),
        ] {
            assert_eq!(quoted(line), (depth, content));
        }
    }
}
