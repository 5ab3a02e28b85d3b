//! What a list of articles needs to know of each, without building their trees.
//!
//! Most texts tell by their lines alone where their articles begin, and by their first paragraphs what an excerpt holds:
//! only as much of them is parsed. What [`headings`] does not understand for sure is parsed whole.

use std::mem;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2};
use pulldown_cmark::{Event, Tag, TagEnd};

use super::Heading;
use super::build::Builder;
use super::prepare::Prepared;
use super::walk::{Begins, Titles, walk};
use crate::source::excerpt::{Excerpt, visible};

/// An article in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The title; `None` for what stands before the first `# heading`.
    pub title: Option<Heading>,
    /// The first words of its paragraphs, without marks; ends in `…` where it was cut.
    pub excerpt: String,
    /// How many characters there are to read, about: white space, the title and the addresses of links do not count; marks
    /// and code do.
    pub characters: usize,
}

/// The articles of a one-file issue: as many, and with the same titles, as [`super::sections`] finds.
pub fn outline(text: &str, body: Range<usize>) -> Vec<Outline> {
    let Some(headings) = headings(&text[body.clone()]) else {
        return parsed(text, body, Titles::Each);
    };
    let mut outlines = Vec::with_capacity(headings.len() + 1);
    let mut start = body.start;
    for end in headings.into_iter().map(|heading| body.start + heading).chain([body.end]) {
        if start < end {
            outlines.extend(of_section(text, start..end, Titles::Each));
        }
        start = end;
    }
    outlines
}

/// An article in a file of its own, in short; its title is the one that [`super::document`] takes out.
pub fn outline_document(text: &str, body: Range<usize>) -> Outline {
    let outlines = match headings(&text[body.clone()]) {
        // A title that stands further down would have to be looked for.
        Some(headings) if headings.first().is_none_or(|first| *first == 0) => {
            of_section(text, body, Titles::First)
        }
        _ => parsed(text, body, Titles::First),
    };
    outlines.into_iter().next_back().unwrap_or_default()
}

/// A part of a text in which at most its first line is a title.
fn of_section(text: &str, section: Range<usize>, titles: Titles) -> Vec<Outline> {
    let Some(end) = beginning(&text[section.clone()]).map(|length| section.start + length) else {
        return parsed(text, section, titles);
    };
    let mut outlines = parsed(text, section.start..end, titles);
    match outlines.as_mut_slice() {
        // What the excerpt shows ends within the beginning.
        [outline] if outline.excerpt.ends_with('…') => {
            outline.characters += readable(&text[end..section.end]);
            outlines
        }
        _ => parsed(text, section, titles),
    }
}

/// Octets that hold the first words of nearly every text.
const BEGINNING: usize = 900;

/// Where the first paragraph ends after so many octets; none where that is the whole text, where a code block that has
/// begun may go on, or where what follows makes the paragraph a term.
fn beginning(section: &str) -> Option<usize> {
    let reach = section.floor_char_boundary(BEGINNING);
    let end = reach + section[reach..].find("\n\n")? + 2;
    let first = &section[..end];
    let is_term = section[end..].trim_start().starts_with(':');
    (!is_term && !first.contains("```") && !first.contains("~~~")).then_some(end)
}

/// Where the lines begin that are level-1 headings outside quotes and lists. None where a line could be one, or hide one,
/// depending on what stands around it.
fn headings(text: &str) -> Option<Vec<usize>> {
    // A carriage return alone ends a line, too.
    if memchr(b'\r', text.as_bytes()).is_some() {
        return None;
    }
    let mut headings = Vec::new();
    let mut fence: Option<&[u8]> = None;
    let mut start = 0;
    let ends = memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    for end in ends {
        let (line, begin) = (&text.as_bytes()[start..end], start);
        start = end + 1;
        if let Some(open) = fence {
            let rest = line.trim_ascii_start();
            let indent = &line[..line.len() - rest.len()];
            let is_end =
                rest.starts_with(open) && rest.trim_ascii_end().iter().all(|octet| *octet == open[0]);
            // With a tab behind it a fence ends the block (CommonMark 0.31.2, 4.5); for the parser it does not.
            if is_end && rest.contains(&b'\t') {
                return None;
            }
            if is_end && indent.len() <= 3 && !indent.contains(&b'\t') {
                fence = None;
            }
        } else if let Some(first) = line.first().filter(|first| first.is_ascii()) {
            match first {
                b'#' if matches!(line.get(1), None | Some(b' ' | b'\t')) => headings.push(begin),
                b'`' | b'~' => {
                    let length = line.iter().take_while(|octet| *octet == first).count();
                    if length >= 3 && (*first == b'~' || !line[length..].contains(&b'`')) {
                        fence = Some(&line[..length]);
                    }
                }
                // An HTML block, unless it is an address.
                b'<' if !line.starts_with(b"<http") => return None,
                b'=' => return None,
                // What stands in an item or a quotation ends with it; up to three spaces are as good as none.
                b' ' if matches!(line.trim_ascii_start().first(), Some(b'#' | b'`' | b'~' | b'<' | b'=')) => {
                    return None;
                }
                b' ' | b'\t' | b'>' | b'-' | b'+' | b'*' | b':' | b'0'..=b'9' | b'[' if defines(line) => {
                    return None;
                }
                _ => {}
            }
        }
    }
    Some(headings)
}

/// Whether a line may be the definition of a link or a footnote, perhaps in an item or a quotation.
fn defines(line: &[u8]) -> bool {
    let margin = line.iter().take_while(|octet| b" \t>-+*.):0123456789".contains(octet)).count();
    line.get(margin) == Some(&b'[') && line.windows(2).any(|pair| pair == b"]:")
}

/// [`Outline::characters`] of a text without its title.
fn readable(text: &str) -> usize {
    let mut characters = visible(text);
    let mut rest = text;
    while let Some(bracket) = memchr(b']', rest.as_bytes()) {
        rest = &rest[bracket + 1..];
        if let Some(address) = rest.strip_prefix('(') {
            let end = memchr2(b')', b'\n', address.as_bytes()).unwrap_or(address.len());
            characters -= visible(&address[..end]);
            rest = &address[end..];
        }
    }
    characters
}

/// The articles of a part of a text that is parsed.
fn parsed(text: &str, body: Range<usize>, titles: Titles) -> Vec<Outline> {
    let prepared = Prepared::new(&text[body.clone()], body.start);
    // Titles, and the paragraphs that an excerpt is taken from, go through the same builder as whole articles.
    let mut builder = Builder::new(&prepared);
    let mut outlines: Vec<Outline> = Vec::new();
    let mut begin = body.start;
    let mut reading = Reading::Nothing;
    let mut excerpt = Excerpt::default();
    let mut footnotes = 0;
    walk(&prepared, titles, |event, range, begins| {
        if matches!(begins, Begins::Untitled | Begins::Article) {
            let start = prepared.original(range.start);
            if let Some(ended) = outlines.last_mut() {
                ended.excerpt = mem::take(&mut excerpt).into_words();
                ended.characters = readable(&text[begin..start]);
            }
            begin = start;
            outlines.push(Outline::default());
        }
        match &event {
            Event::Start(Tag::FootnoteDefinition(_)) => footnotes += 1,
            Event::End(TagEnd::FootnoteDefinition) => footnotes -= 1,
            Event::Start(Tag::Heading { .. }) if matches!(begins, Begins::Article | Begins::Title) => {
                reading = Reading::Title;
            }
            Event::Start(Tag::Paragraph)
                if footnotes == 0 && !outlines.is_empty() && excerpt.wants_more() =>
            {
                reading = Reading::Excerpt;
            }
            _ => {}
        }
        let ends = matches!(event, Event::End(TagEnd::Paragraph | TagEnd::Heading(_)));
        if reading != Reading::Nothing {
            let begins = if reading == Reading::Title { Begins::Title } else { Begins::Nothing };
            builder.take(event, range, begins);
        }
        if ends && let Some(outline) = outlines.last_mut() {
            match reading {
                Reading::Nothing => {}
                Reading::Title => outline.title = builder.take_title(),
                Reading::Excerpt => {
                    builder.take_paragraphs().for_each(|paragraph| excerpt.add(&paragraph));
                }
            }
            reading = Reading::Nothing;
        }
    });
    if let Some(last) = outlines.last_mut() {
        last.excerpt = excerpt.into_words();
        last.characters = readable(&text[begin..body.end]);
    }
    for outline in &mut outlines {
        let title = outline.title.as_ref().map_or(0, |title| readable(&text[title.span.clone()]));
        outline.characters = outline.characters.saturating_sub(title);
    }
    outlines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Nothing,
    Title,
    Excerpt,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_that_leave_no_doubt() {
        for (text, expected) in [
            ("", Some(&[][..])),
            ("序\n\n# 一\n本文\n# 二", Some(&[5, 18])),
            ("#一\n## 二\n\\# 三\n", Some(&[])),
            ("```\n# 一\n```\n# 二\n", Some(&[14])),
            ("~~~ sh\n# 一\n```\n~~~~\n# 二\n", Some(&[22])),
            ("- 項\n- 目\n# 一\n", Some(&[12])),
            ("<https://a.example/>\n# 一\n", Some(&[21])),
            (" # 一", None),
            ("> # 引\n- # 項\n# 一", Some(&[16])),
            ("- ```\n# 一", Some(&[6])),
            ("> [^a]: 注", None),
            ("題\n===", None),
            ("<div>\n# 一", None),
            ("[a]: /u '\n# 一'", None),
            ("[^a]: 注", None),
            ("a\r# 一", None),
        ] {
            assert_eq!(headings(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_beginning_is_enough() {
        let long = format!("# 題\n\n{}\n\n{}", "あ".repeat(400), "[い](http://a.example/)".repeat(10));
        let outline = &outline(&long, 0..long.len())[0];
        assert_eq!(outline.excerpt, "あ".repeat(120) + "…");
        assert_eq!(outline.characters, 400 + 10 * "[い]()".chars().count());
    }

    const PIECES: [&str; 34] = [
        "# ",
        "## ",
        "#",
        "\n",
        "\n",
        "\n\n",
        "題",
        "本文。",
        "**強**",
        "`a`",
        "```\n",
        "~~~\n",
        "~~~~ x\n",
        "- ",
        "1. ",
        "> ",
        "  ",
        "    ",
        "\t",
        "|a|b|\n|-|-|\n",
        "|c|\n",
        ": 意味\n",
        "===\n",
        "---\n",
        "[a](b)",
        "[^1]",
        "[^1]: 注\n",
        "[a]: /u\n",
        "<https://a.example/>",
        "<div>",
        "{#a b=c}",
        "{漢字|かんじ}",
        "\\",
        "長い本文。",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_lines_tell_is_what_parsing_tells(
            pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60),
            long in 0_usize..4,
        ) {
            let text = pieces.concat().replace("長い", &"長い".repeat(100 * long));
            prop_assert_eq!(outline(&text, 0..text.len()), parsed(&text, 0..text.len(), Titles::Each), "{}", text);
            let whole = parsed(&text, 0..text.len(), Titles::First).pop().unwrap_or_default();
            prop_assert_eq!(outline_document(&text, 0..text.len()), whole, "{}", text);
        }
    }
}
