//! Problems as text: for people, for editors' tools, for scripts.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Origin, Renderer, Snippet};

use super::{Diagnostic, Level, Place};

/// How problems are written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// With the lines they stand in, marked.
    #[default]
    Human,
    /// `path:line:column: level: rule: message`, one line each.
    Short,
    /// An array of objects.
    Json,
}

/// Problems in a format; every form ends in a line feed, no problems are nothing (in JSON an empty array).
pub fn render(diagnostics: &[Diagnostic], format: Format, color: bool) -> String {
    match format {
        Format::Human => diagnostics.iter().map(|diagnostic| human(diagnostic, color) + "\n\n").collect(),
        Format::Short => diagnostics.iter().map(|diagnostic| short(diagnostic) + "\n").collect(),
        Format::Json => json(diagnostics),
    }
}

impl Diagnostic {
    /// The path of the file, from the magazine's root.
    pub fn path(&self) -> &str {
        match &self.place {
            Place::Span(source, _) => &source.path,
            Place::Line(path, _) | Place::File(path) => path,
        }
    }

    /// Line and column where the problem begins, both counted from 1, the column in characters; 1 and 1 for a file
    /// as a whole.
    pub fn line_and_column(&self) -> (usize, usize) {
        match &self.place {
            Place::Span(source, span) => source.line_and_column(floor(&source.text, span.start)),
            Place::Line(_, line) => (*line, 1),
            Place::File(_) => (1, 1),
        }
    }
}

impl Level {
    /// The level's name in every format.
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

fn short(diagnostic: &Diagnostic) -> String {
    let (line, column) = diagnostic.line_and_column();
    let (path, message) = (one_line(diagnostic.path()), one_line(&diagnostic.message));
    format!("{path}:{line}:{column}: {}: {}: {message}", diagnostic.level.name(), diagnostic.rule)
}

fn json(diagnostics: &[Diagnostic]) -> String {
    let objects: Vec<serde_json::Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            let (line, column) = diagnostic.line_and_column();
            serde_json::json!({
                "path": diagnostic.path(),
                "line": line,
                "column": column,
                "level": diagnostic.level.name(),
                "rule": diagnostic.rule,
                "message": diagnostic.message,
                "help": diagnostic.help,
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::Array(objects))
}

fn human(diagnostic: &Diagnostic, color: bool) -> String {
    let level = match diagnostic.level {
        Level::Error => annotate_snippets::Level::ERROR,
        Level::Warning => annotate_snippets::Level::WARNING,
    };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.rule);
    let group = match &diagnostic.place {
        Place::File(path) if path.is_empty() => Group::with_title(title),
        Place::File(path) => title.element(Origin::path(one_line(path))),
        Place::Line(path, line) => title.element(Origin::path(one_line(path)).line(*line)),
        Place::Span(source, span) => {
            let (line, _) = diagnostic.line_and_column();
            let start = floor(&source.text, span.start);
            let end = floor(&source.text, span.end.max(start));
            let (shown, shown_start) = window(&source.text, start);
            let end = end.min(shown_start + shown.len());
            let mut mark = AnnotationKind::Primary.span(start - shown_start..end - shown_start);
            if !diagnostic.label.is_empty() {
                mark = mark.label(&diagnostic.label);
            }
            title.element(
                Snippet::source(shown).line_start(line).path(one_line(&source.path)).annotation(mark),
            )
        }
    };
    let group = match &diagnostic.help {
        Some(help) => group.element(annotate_snippets::Level::HELP.message(printable(help))),
        None => group,
    };
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// The line a place stands in, and where it begins; of a very long line only the part around the place.
fn window(text: &str, at: usize) -> (&str, usize) {
    const REACH: usize = 400;
    let line_start = text[..at].rfind('\n').map_or(0, |start| start + 1);
    let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    let start = floor(text, line_start.max(at.saturating_sub(REACH)));
    let end = floor(text, line_end.min(at + REACH));
    (&text[start..end], start)
}

/// The last boundary between characters at or before an offset.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What a terminal may show: a file's name or text must not move its cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceText;

    fn sample() -> Diagnostic {
        let source = SourceText::new("content/issues/010/01-a.md", "一行目\n二行目の①です\n");
        Diagnostic::warning("platform-dependent-char", "`①` is not in JIS X 0208")
            .at(&source, 22..25)
            .label("row 13")
            .help("write (1)")
    }

    #[test]
    fn columns_are_counted_in_characters() {
        assert_eq!(
            render(&[sample()], Format::Short, false),
            "content/issues/010/01-a.md:2:5: warning: platform-dependent-char: `①` is not in JIS X 0208\n"
        );
    }

    #[test]
    fn people_see_the_line_with_the_place_marked() {
        let expected = "\
warning[platform-dependent-char]: `①` is not in JIS X 0208
 --> content/issues/010/01-a.md:2:5
  |
2 | 二行目の①です
  |         ^ row 13
  |
  = help: write (1)

";
        assert_eq!(render(&[sample()], Format::Human, false), expected);
    }

    #[test]
    fn scripts_get_the_same_fields() {
        let json: serde_json::Value =
            serde_json::from_str(&render(&[sample()], Format::Json, false)).expect("it is JSON");
        assert_eq!(json[0]["line"], 2);
        assert_eq!(json[0]["column"], 5);
        assert_eq!(json[0]["rule"], "platform-dependent-char");
        assert_eq!(render(&[], Format::Json, false), "[]\n");
    }

    #[test]
    fn places_that_are_odd_are_shown_all_the_same() {
        let source = SourceText::new("a.md", format!("{}あ", "x".repeat(5000)));
        for span in [0..0, 4999..5003, 5001..5002, 5003..5003, 9000..9001] {
            let at = Diagnostic::error("rule", "message\u{1b}[2J").at(&source, span);
            let text = render(&[at], Format::Human, false);
            assert!(text.len() < 2000 && !text.contains('\u{1b}'), "{text}");
        }
        let file = Diagnostic::error("unreadable", "no").in_file("content/a\nb.md");
        assert_eq!(render(&[file], Format::Short, false).lines().count(), 1);
    }
}
