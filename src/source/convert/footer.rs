//! The standing words under an issue as `content/footer.md`: headings marked ■, aligned labels, addresses.

use super::super::finished::{Kind, Passage, Piece, flowed, regrouped};
use super::escape::{escaped, fenced};
use crate::model::Typesetting;

/// The mail's footer stands two columns in.
const INDENT: usize = 2;

/// The footer's Markdown.
pub(super) fn markdown(text: &str, footer: &Passage, typesetting: Typesetting) -> String {
    let mut markdown = String::new();
    let lines: Vec<_> = footer.pieces.iter().flat_map(Piece::parted_lines).collect();
    for piece in regrouped(text, &lines, typesetting.width.saturating_sub(INDENT)) {
        let lines = || piece.lines.iter().map(|line| &text[line.clone()]);
        let words = flowed(text, &piece.lines);
        let mut push = |block: &str| {
            if !markdown.is_empty() {
                markdown.push_str("\n\n");
            }
            markdown.push_str(block);
        };
        let heading = words.strip_prefix('■').map(str::trim).filter(|_| piece.lines.len() == 1);
        let labels: Option<Vec<(&str, &str)>> = lines().map(label).collect();
        match (piece.kind, heading, labels) {
            (Kind::Flow, Some(heading), _) if !heading.is_empty() => push(&format!("# {}", escaped(heading))),
            (Kind::Flow | Kind::Code, _, Some(labels)) => {
                for (label, value) in labels {
                    push(&format!("{}\n: {}", escaped(label), escaped(value)));
                }
            }
            // The mail sets the standing words two columns in, wherever they stood: their lines may change.
            (Kind::Flow, ..) => push(&escaped(&words)),
            (Kind::Rule, ..) => {}
            _ => push(&fenced(lines())),
        }
    }
    markdown.push('\n');
    markdown
}

/// `発行   : 山海社`
fn label(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (label, value) = line.split_once([':', '：'])?;
    let (label, value) = (label.trim(), value.trim());
    let is_label = !label.is_empty()
        && label.chars().count() <= 12
        && !value.is_empty()
        && !value.starts_with("//")
        && !label.contains(['。', '、', '■']);
    is_label.then_some((label, value))
}
