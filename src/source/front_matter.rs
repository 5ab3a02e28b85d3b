//! Front matter: TOML between two lines of `+++` at a text's head.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceText};

/// Where a text's front matter and its body stand, in octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// The TOML between the `+++` lines; empty when there is none.
    pub(super) front_matter: Range<usize>,
    /// Everything after it.
    pub(super) body: Range<usize>,
}

/// Parts a text; a front matter that does not end is a problem, and there is no telling what the text says then.
pub(super) fn split(source: &Arc<SourceText>, problems: &mut Vec<Diagnostic>) -> Option<Parts> {
    let text = source.text.as_str();
    let Some(start) = fence_end(text, 0) else {
        return Some(Parts { front_matter: 0..0, body: 0..text.len() });
    };
    let mut at = start;
    while at < text.len() {
        if let Some(end) = fence_end(text, at) {
            return Some(Parts { front_matter: start..at, body: end..text.len() });
        }
        at = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
    }
    problems.push(
        Diagnostic::error("unclosed-front-matter", "the front matter that begins here does not end")
            .at(source, 0..3)
            .help("close it with a line of `+++`"),
    );
    None
}

/// Where the next line begins, when the line at `at` is a fence.
fn fence_end(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let line_end = rest.find('\n').map_or(rest.len(), |length| length + 1);
    (rest[..line_end].trim_end() == "+++").then_some(at + line_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_parted_from_the_body() {
        let cases = [
            ("+++\na = 1\n+++\nbody", "a = 1\n", "body"),
            ("+++\r\na = 1\r\n+++\r\nbody", "a = 1\r\n", "body"),
            ("+++\n+++\n", "", ""),
            ("+++\na = 1\n+++", "a = 1\n", ""),
            ("no front matter\n+++\n", "", "no front matter\n+++\n"),
            ("++++\n+++\n", "", "++++\n+++\n"),
            ("", "", ""),
        ];
        for (text, front_matter, body) in cases {
            let mut problems = Vec::new();
            let parts = split(&SourceText::new("a.md", text), &mut problems).expect("it is whole");
            assert_eq!((&text[parts.front_matter], &text[parts.body]), (front_matter, body), "{text:?}");
            assert_eq!(problems, []);
        }
    }

    #[test]
    fn a_front_matter_that_does_not_end_is_a_problem() {
        let mut problems = Vec::new();
        let parts = split(&SourceText::new("a.md", "+++\na = 1\n\ntext"), &mut problems);
        assert_eq!(parts, None);
        assert_eq!(problems[0].rule, "unclosed-front-matter");
    }
}
