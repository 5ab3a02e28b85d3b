//! Whether lines fit the measure, and whether readers' mailers can tell where an address ends.

use super::Checked;
use crate::diagnostic::{Diagnostic, Edit};
use crate::model::{InMail, Piece};
use crate::typeset;

/// No line of code and no word is wider than the measure: what cannot be cut stands past the margin.
pub(super) fn fit(checked: &Checked<'_>, problems: &mut Vec<Diagnostic>) {
    for (article, text) in checked.articles().filter(|(article, _)| article.in_mail == InMail::Full) {
        let width = article.typesetting.width;
        text.document.for_each_piece(|piece| {
            let mut too_wide = |words: &str, start: usize, remedy: &str| {
                let message = format!("{} columns do not fit a line of {width}", typeset::columns(words));
                problems.push(
                    Diagnostic::warning("line-too-wide", message)
                        .at(&text.source, start..start + words.len())
                        .label("stands past the margin, or is cut by readers' mailers")
                        .help(remedy),
                );
            };
            match piece {
                Piece::Lines(lines, at) => {
                    let mut start = at;
                    for line in lines.split_inclusive('\n') {
                        let words = line.trim_end();
                        // Lines within a list or quote are indented in the file: look for them from here on.
                        let found =
                            text.source.text[start..].find(words).map_or(start, |further| start + further);
                        if typeset::columns(&typeset::document::expand_tabs(words)) > width {
                            too_wide(words, found, "break the line by hand");
                        }
                        start = found + words.len();
                    }
                }
                Piece::Words(words, at) | Piece::Code(words, at) => {
                    for atom in typeset::too_wide(words, width) {
                        too_wide(
                            &words[atom.clone()],
                            at + atom.start,
                            "shorten it, or put it on the blog alone",
                        );
                    }
                }
                Piece::Address(..) => {}
            }
        });
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
                    .at(&text.source, at + url.start..at + url.end)
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
