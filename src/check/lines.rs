//! Whether lines fit the measure, and whether readers' mailers can tell where an address ends.

use std::ops::Range;

use super::{Checked, place_of};
use crate::charset;
use crate::config::CharsetChoice;
use crate::diagnostic::{Diagnostic, Edit};
use crate::model::Piece;
use crate::source::Text;
use crate::typeset;

/// Columns that `■□ ` takes before a title or a corner.
const BEFORE_A_TITLE: usize = 5;

/// No line of code and no word is wider than the measure: what cannot be cut stands past the margin.
pub(super) fn fit(checked: &Checked<'_>, problems: &mut Vec<Diagnostic>) {
    let of_the_magazine = checked.config.mail.typesetting.width;
    for text in &checked.of_the_magazine {
        fit_text(checked, text, of_the_magazine, problems);
    }
    for (article, text) in &checked.articles {
        fit_text(checked, text, article.typesetting.width, problems);
        let in_a_title = of_the_magazine.saturating_sub(BEFORE_A_TITLE);
        for words in [&article.title].into_iter().chain(&article.corner).filter(|_| !article.letterspace) {
            for atom in typeset::too_wide(words, in_a_title) {
                let start = place_of(&text.source, words).start + atom.start;
                problems.push(word_too_wide(text, &words[atom], start, in_a_title, "find a shorter title"));
            }
        }
    }
}

fn fit_text(checked: &Checked<'_>, text: &Text, width: usize, problems: &mut Vec<Diagnostic>) {
    let mut linked = "";
    text.document.for_each_piece(|piece| match piece {
        Piece::Lines(lines, _) if lines.lines().all(|line| columns(checked, line.trim_end()) <= width) => {}
        Piece::Lines(lines, at) => {
            let mut start = at;
            for line in lines.split_inclusive('\n') {
                let words = line.trim_end();
                // Lines within a list or quote are indented in the file: look for them from here on.
                let found = text.source.text[start..].find(words).map_or(start, |further| start + further);
                let columns = columns(checked, words);
                if columns > width {
                    problems.push(too_wide(text, words, found, (columns, width), "break the line by hand"));
                }
                start = found + words.len();
            }
        }
        Piece::Words(words, at) | Piece::Code(words, at) => {
            linked = words;
            for atom in typeset::too_wide(words, width) {
                let start = at + atom.start;
                problems.push(word_too_wide(text, &words[atom], start, width, ELSEWHERE));
            }
        }
        // An address that is its own link's words has been looked at just before.
        Piece::Address(url, at) if url.contains("://") && url != linked => {
            if typeset::columns(url) > width {
                problems.push(word_too_wide(text, url, at, width, ELSEWHERE));
            }
        }
        Piece::Address(..) => {}
    });
}

const ELSEWHERE: &str = "shorten it, or put it on the blog alone";

fn word_too_wide(text: &Text, word: &str, start: usize, width: usize, remedy: &str) -> Diagnostic {
    too_wide(text, word, start, (typeset::columns(word), width), remedy)
}

/// `start`: where the words are in the file, if nothing before them is written otherwise there.
fn too_wide(
    text: &Text,
    words: &str,
    start: usize,
    (columns, width): (usize, usize),
    remedy: &str,
) -> Diagnostic {
    Diagnostic::warning("line-too-wide", format!("{columns} columns do not fit a line of {width}"))
        .at(&text.source, place_near(&text.source.text, words, start))
        .label("stands past the margin, or is cut by readers' mailers")
        .help(remedy)
}

/// Where words stand that ought to begin at `start`. Before them, marks and entities may have been longer in the file
/// than in the text.
pub(super) fn place_near(text: &str, words: &str, start: usize) -> Range<usize> {
    let start = text.floor_char_boundary(start);
    text[start..].find(words).map_or(start..start, |further| start + further..start + further + words.len())
}

/// Columns of words as they are sent: half-width kana are full-width in ISO-2022-JP.
fn columns(checked: &Checked<'_>, words: &str) -> usize {
    if words.is_ascii() {
        return typeset::columns(words);
    }
    match checked.config.mail.charset {
        CharsetChoice::Utf8 => typeset::columns(words),
        CharsetChoice::Auto | CharsetChoice::Iso2022Jp => {
            typeset::columns(&charset::normalise(words, checked.config.mail.charset_profile))
        }
    }
}

/// No full stop, closing bracket or kana follows an address at once: mailers take it into the link.
pub(super) fn urls_stand_apart(checked: &Checked<'_>, problems: &mut Vec<Diagnostic>) {
    for text in checked.texts() {
        text.document.for_each_piece(|piece| {
            let (words, at) = match piece {
                Piece::Words(words, at) => (words, at),
                Piece::Address(url, at) => bare_address(&text.source.text, url, at),
                Piece::Code(..) | Piece::Lines(..) => return,
            };
            for url in typeset::glued_urls(words) {
                let end = at + url.end;
                // Words may have lost their escapes and marks: only what stands in the file as it is can be mended.
                let stands_so = text.source.text.get(at + url.start..end) == Some(&words[url.clone()]);
                let space = stands_so.then(|| Edit { span: end..end, text: " ".to_owned() });
                problems.push(
                    Diagnostic::warning(
                        "url-glued",
                        "readers' mailers will take what follows into this address",
                    )
                    .at(&text.source, place_near(&text.source.text, &words[url.clone()], at + url.start))
                    .help("put a space behind the address, or give it a line of its own")
                    .edits(space.into_iter().collect()),
                );
            }
        });
    }
}

/// An address that stands in its text as itself, with the character behind it; nothing of a link under other words.
fn bare_address<'a>(text: &'a str, url: &str, at: usize) -> (&'a str, usize) {
    let rest = text.get(at..).unwrap_or_default();
    if !rest.starts_with(url) {
        return ("", at);
    }
    let next = rest[url.len()..].chars().next().map_or(0, char::len_utf8);
    (&rest[..url.len() + next], at)
}
