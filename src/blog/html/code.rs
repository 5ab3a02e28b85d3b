//! Blocks of code.

use super::{Medium, Writer, push_escaped};
use crate::highlight::{Class, Highlighter, Piece};
use crate::markup::push_unescaped;

const BLOCK: &str = "<pre tabindex=\"0\"><code";
const LANGUAGE: &str = " class=\"language-";
const BLOCK_END: &str = "</code></pre>";
const PIECE: &str = "<span class=\"";
const PIECE_END: &str = "</span>";
/// Ends an attribute and its tag.
const TAG_END: &str = "\">";

/// Has the code of a page remembered that was made before: what a writer of the same program wrote there is read again.
pub(in crate::blog) fn remember(page: &str, highlighter: &Highlighter) {
    for block in page.split(BLOCK).skip(1) {
        let Some(block) = block.strip_prefix(LANGUAGE) else { continue };
        let Some((language, block)) = block.split_once(TAG_END) else { continue };
        let Some((text, pieces)) = block.split_once(BLOCK_END).and_then(|(html, _)| read(html)) else {
            continue;
        };
        let mut name = String::new();
        push_unescaped(language, &mut name);
        highlighter.remember(&name, &text, pieces);
    }
}

/// Code and its pieces, of what a block holds.
fn read(html: &str) -> Option<(String, Vec<Piece>)> {
    let (mut text, mut pieces) = (String::new(), Vec::new());
    let mut rest = html;
    while !rest.is_empty() {
        let (words, class);
        (class, words, rest) = match rest.strip_prefix(PIECE) {
            Some(piece) => {
                let (name, piece) = piece.split_once(TAG_END)?;
                let (words, after) = piece.split_once(PIECE_END)?;
                (Some(Class::named(name)?), words, after)
            }
            None => {
                let (words, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
                (None, words, after)
            }
        };
        let start = text.len();
        push_unescaped(words, &mut text);
        // Another tag is none of a writer's.
        if text.len() == start {
            return None;
        }
        pieces.push(Piece { length: text.len() - start, class });
    }
    // What else was written so cannot be told any more.
    if text.contains('\u{FFFD}') { None } else { Some((text, pieces)) }
}

impl Writer<'_> {
    /// Code; on pages each piece has the class of what it is, when the language is known.
    pub(super) fn code(&mut self, language: &str, text: &str) {
        self.has_code = true;
        self.out.push_str(BLOCK);
        if language.is_empty() {
            self.out.push('>');
        } else {
            self.out.push_str(LANGUAGE);
            push_escaped(language, &mut self.out);
            self.out.push_str(TAG_END);
        }
        let pieces = match self.place.medium {
            Medium::Page(highlighter) => highlighter.pieces(language, text),
            Medium::Feed => None,
        };
        match pieces {
            None => push_escaped(text, &mut self.out),
            Some(pieces) => {
                let mut rest = text;
                for piece in pieces.iter() {
                    let (words, after) = rest.split_at(piece.length);
                    rest = after;
                    match piece.class {
                        None => push_escaped(words, &mut self.out),
                        Some(class) => {
                            for part in [PIECE, class.name(), TAG_END] {
                                self.out.push_str(part);
                            }
                            push_escaped(words, &mut self.out);
                            self.out.push_str(PIECE_END);
                        }
                    }
                }
            }
        }
        self.out.push_str(BLOCK_END);
        self.out.push('\n');
    }
}
