//! Whether every character can be sent, each told at its own place.

use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::Arc;

use super::{Checked, place_of};
use crate::charset::{self, Finding, Sendable};
use crate::config::CharsetChoice;
use crate::diagnostic::{Diagnostic, Edit, SourceText};
use crate::hash::{HashMap, HashMapExt};
use crate::model::{MARKS, Piece};
use crate::source::Text;

/// Every character of the mail is in the character set it is sent in; what other machines may show otherwise is a
/// warning.
pub(super) fn can_be_sent(checked: &Checked<'_>, problems: &mut Vec<Diagnostic>) {
    if checked.config.mail.charset == CharsetChoice::Utf8 {
        return;
    }
    let mut found = Vec::new();
    for_each_words(checked, &mut |words, source, at| look(words, source, at, checked, &mut found));
    let unsendable = found.iter().any(|found| found.sendable == Sendable::No);
    if unsendable && checked.config.mail.charset == CharsetChoice::Auto {
        // The mail goes out in UTF-8, which has them all.
        return;
    }
    // Each character is told once a file: a text that has ① has ② and ③, and they come again.
    let mut told: HashMap<(char, *const SourceText), usize> = HashMap::new();
    for Found { source, span, character, sendable } in found {
        let edit = edit(&source.text, &span, character).filter(|_| sendable == Sendable::PlatformDependent);
        match told.entry((character, Arc::as_ptr(&source))) {
            Entry::Occupied(first) => problems[*first.get()].edits.extend(edit),
            Entry::Vacant(first) => {
                first.insert(problems.len());
                let diagnostic = diagnostic(character, sendable).at(&source, span);
                problems.push(diagnostic.edits(edit.into_iter().collect()));
            }
        }
    }
}

/// What `charset-profile = "strict"` would send, written into the text; nothing where that could be a mark of
/// Markdown or TOML.
fn edit(text: &str, span: &Range<usize>, character: char) -> Option<Edit> {
    let instead = charset::substitute(character).filter(|_| !span.is_empty())?;
    let is_plain = |c: char| c.is_alphanumeric() || "().・ー〜".contains(c);
    let is_safe = instead.chars().all(is_plain) && !text[..span.start].ends_with(']');
    is_safe.then(|| Edit { span: span.clone(), text: instead.into_owned() })
}

/// No control character is in the mail or on the blog: it would be lost, or move a terminal's cursor.
pub(super) fn can_be_seen(checked: &Checked<'_>, problems: &mut Vec<Diagnostic>) {
    for_each_words(checked, &mut |words, source, at| invisible(words, source, at, problems));
    // What the mail leaves out is on the blog. That is told once even where it is in both.
    let is_in_mail =
        |whole: &Text| checked.articles.iter().any(|(_, text)| std::ptr::eq(whole, text.as_ref()));
    for text in checked.whole_articles.iter().filter(|whole| !is_in_mail(whole)) {
        for_each_words_of(text, &mut |words, source, at| invisible(words, source, at, problems));
    }
}

/// The same for a text of the blog alone.
pub(super) fn can_be_seen_on_the_blog(title: &str, text: &Text, problems: &mut Vec<Diagnostic>) {
    invisible(title, &text.source, &|| place_of(&text.source, title).start, problems);
    for_each_words_of(text, &mut |words, source, at| invisible(words, source, at, problems));
}

fn invisible(words: &str, source: &Arc<SourceText>, at: At<'_>, problems: &mut Vec<Diagnostic>) {
    // Marks and U+FFFD begin with this octet, as full-width letters do.
    let may_hold_marks =
        || words.as_bytes().contains(&0xEF) && words.contains(|c| c == LOST || MARKS.contains(&c));
    if charset::surely_without_controls(words) && !may_hold_marks() {
        return;
    }
    let is_invisible =
        |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\u{C}') || c == LOST || MARKS.contains(&c);
    for (offset, character) in words.char_indices().filter(|(_, character)| is_invisible(*character)) {
        let place = find(source, at(), offset, character);
        problems.push(match character {
            LOST => Diagnostic::warning("lost-character", "U+FFFD stands where a character has been lost")
                .at(source, place)
                .help("write what stood here"),
            _ => Diagnostic::error(
                "control-character",
                format!("U+{:04X} is no character of a text", character as u32),
            )
            .at(source, place)
            .label("here, invisible")
            .help("delete it"),
        });
    }
}

/// What a decoder writes for what it could not read.
const LOST: char = '\u{FFFD}';

/// Tells where words begin in their file: those of settings have to be looked for, which is seldom wanted.
type At<'a> = &'a dyn Fn() -> usize;

/// All words that stand in the mail and its header, and where they begin in their file.
fn for_each_words(checked: &Checked<'_>, look: &mut dyn FnMut(&str, &Arc<SourceText>, At<'_>)) {
    checked.texts().for_each(|text| for_each_words_of(text, look));
    let mut setting =
        |words: &str, source: &Arc<SourceText>| look(words, source, &|| place_of(source, words).start);
    let Checked { config, issue, file, .. } = checked;
    for (article, text) in &checked.articles {
        setting(&article.title, &text.source);
        article.corner.iter().for_each(|corner| setting(corner, &text.source));
        article.author.iter().for_each(|author| setting(&author.name, &config.source));
    }
    for name in [&config.magazine.name, &config.magazine.publisher, &config.mail.from.name] {
        setting(name, &config.source);
    }
    match &issue.subject {
        Some(subject) => setting(subject, file),
        None => setting(&config.mail.subject.value, &config.source),
    }
}

fn for_each_words_of(text: &Text, look: &mut dyn FnMut(&str, &Arc<SourceText>, At<'_>)) {
    text.document.for_each_piece(|piece| match piece {
        Piece::Words(words, at) | Piece::Code(words, at) | Piece::Lines(words, at) => {
            look(words, &text.source, &|| at)
        }
        Piece::Address(..) => {}
    });
}

struct Found {
    source: Arc<SourceText>,
    span: Range<usize>,
    character: char,
    sendable: Sendable,
}

fn look(words: &str, source: &Arc<SourceText>, at: At<'_>, checked: &Checked<'_>, found: &mut Vec<Found>) {
    for Finding { offset, character, sendable } in charset::look(words, checked.config.mail.charset_profile) {
        let span = find(source, at(), offset, character);
        found.push(Found { source: source.clone(), span, character, sendable });
    }
}

/// Where a character stands that is at `offset` in words that begin at `at`: just there when the words stand so in
/// the file; else where it is next, for words may have lost their escapes and marks.
fn find(source: &SourceText, at: usize, offset: usize, character: char) -> Range<usize> {
    let length = character.len_utf8();
    let exact = at + offset;
    if source.text.get(exact..).is_some_and(|rest| rest.starts_with(character)) {
        return exact..exact + length;
    }
    match source.text.get(at..).and_then(|rest| rest.find(character)) {
        Some(further) => at + further..at + further + length,
        None => at..at,
    }
}

fn diagnostic(character: char, sendable: Sendable) -> Diagnostic {
    let name = format!("`{character}` (U+{:04X})", character as u32);
    let remedy = charset::remedy(character);
    match sendable {
        Sendable::PlatformDependent => {
            Diagnostic::warning("platform-dependent-char", format!("{name} is not in JIS X 0208"))
                .label("some readers will see something else")
                .help(match remedy {
                    Some(remedy) => format!("{remedy}; or set `charset-profile = \"strict\"` under [mail]"),
                    None => {
                        "set `charset-profile = \"strict\"` or `charset = \"utf-8\"` under [mail]".to_owned()
                    }
                })
        }
        Sendable::No => Diagnostic::error("unsendable-char", format!("{name} cannot be sent in ISO-2022-JP"))
            .label("not in this character set")
            .help(match remedy {
                Some(remedy) => format!("{remedy}; or set `charset = \"auto\"` under [mail]"),
                None => "choose another character, or set `charset = \"auto\"` under [mail]".to_owned(),
            }),
    }
}
