//! A file's octets to text, with what was wrong with them told at its place.

use std::sync::Arc;

use super::read::RawText;
use crate::charset::{self, Charset, Decoded, Repair, Undecodable};
use crate::diagnostic::{Diagnostic, SourceText};

/// A text that must be UTF-8: settings, Markdown, templates.
pub(super) fn utf8_text(text: RawText, problems: &mut Vec<Diagnostic>) -> Option<Arc<SourceText>> {
    let RawText { path, octets, .. } = text;
    match charset::utf8(&octets) {
        Ok(text) => Some(SourceText::new(path, text.strip_prefix('\u{FEFF}').unwrap_or(text))),
        Err(at) => {
            let line = octets[..at].iter().filter(|octet| **octet == b'\n').count() + 1;
            let guess = charset::detect(&octets);
            let message = match guess {
                Charset::Utf8 => "this line is not UTF-8".to_owned(),
                _ => format!("this line is not UTF-8; the file looks like {}", guess.name()),
            };
            let help = match guess {
                Charset::Utf8 => "save it as UTF-8 in your editor".to_owned(),
                _ => format!(
                    "save it as UTF-8: `mailmag text decode --from {} < OLD > NEW`",
                    guess.name().to_lowercase()
                ),
            };
            problems.push(Diagnostic::error("not-utf8", message).in_line(path, line).help(help));
            None
        }
    }
}

/// A text in any Japanese character set: manuscripts and finished mails. Every repair is a warning at its line.
pub(super) fn decode_text(
    text: RawText,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Arc<SourceText>, Charset)> {
    let RawText { path, octets, .. } = text;
    decoded(path, charset::decode(&octets, None), problems)
}

/// What decoding came to, with its repairs as warnings and its failure as an error.
pub fn decoded(
    path: String,
    result: Result<Decoded, Undecodable>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Arc<SourceText>, Charset)> {
    match result {
        Ok(Decoded { text, charset, repairs }) => {
            let source = SourceText::new(path, text);
            for Repair { line, kind } in repairs {
                problems.push(
                    Diagnostic::warning("charset-repaired", kind.to_string())
                        .at(&source, line_range(&source.text, line))
                        .label("mended in this line")
                        .help(match charset {
                            Charset::Utf8 => {
                                "see that the line reads right, and label the text UTF-8".to_owned()
                            }
                            _ => format!(
                                "see that the line reads right, and save the file as UTF-8 or as good {}",
                                charset.name()
                            ),
                        }),
                );
            }
            Some((source, charset))
        }
        Err(undecodable) => {
            problems.push(
                Diagnostic::error("undecodable", undecodable.to_string())
                    .in_line(path, undecodable.line)
                    .help("mend these octets by hand, or take the text from where it is whole"),
            );
            None
        }
    }
}

/// The octets of a line, counted from one, without its line end.
fn line_range(text: &str, line: usize) -> std::ops::Range<usize> {
    let start = match line {
        0 | 1 => 0,
        _ => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
    };
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    start..start + text[start..end].trim_end_matches('\r').len()
}
