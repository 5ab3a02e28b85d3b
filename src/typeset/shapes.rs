//! Shapes of a mail: centred lines, rules, boxes, spaced letters, aligned labels.

use super::columns::{char_columns, columns};
use unicode_segmentation::UnicodeSegmentation;

/// Each line moved right by half the columns it leaves free, rounded down.
pub fn center(text: &str, width: usize) -> String {
    each_line(text, |line| " ".repeat(width.saturating_sub(columns(line)) / 2) + line)
}

/// As many of the character as fit in `width` columns.
pub fn rule(character: char, width: usize) -> String {
    String::from(character).repeat(width / char_columns(character).max(1))
}

/// The title box of Japanese mail magazines, `width` columns wide: a heavy line above and below, each of whose
/// characters takes two columns, and the text centred between, without walls.
pub fn boxed(text: &str, width: usize) -> String {
    let edge = rule('━', width.saturating_sub(4));
    format!("┏{edge}┓\n{}\n┗{edge}┛", center(text, width))
}

/// `あとがき` as `あ と が き`.
pub fn letterspace(text: &str) -> String {
    text.graphemes(true).collect::<Vec<_>>().join(" ")
}

/// Blanks added at the end up to `width` columns.
pub fn pad(text: &str, width: usize) -> String {
    text.to_owned() + &" ".repeat(width.saturating_sub(columns(text)))
}

/// Each line that is not blank moved right.
pub fn indent(text: &str, columns: usize) -> String {
    each_line(text, |line| " ".repeat(columns) + line)
}

fn each_line(text: &str, shape: impl Fn(&str) -> String) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| if line.is_empty() { String::new() } else { shape(line) }).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let cases = [
            (center("あい", 9), "  あい"),
            (center("あいうえお", 9), "あいうえお"),
            (center("a\n\nあ", 5), "  a\n\n あ"),
            (rule('-', 5), "-----"),
            (rule('━', 5), "━━"),
            (rule('\u{200B}', 1), "\u{200B}"),
            (boxed("題\nab", 12), "┏━━━━┓\n     題\n     ab\n┗━━━━┛"),
            (boxed("題", 0), "┏┓\n題\n┗┛"),
            (letterspace("あとがき"), "あ と が き"),
            (letterspace("か\u{3099}a"), "か\u{3099} a"),
            (pad("発行", 7), "発行   "),
            (pad("発行", 3), "発行"),
            (indent("a\n\nあ", 2), "  a\n\n  あ"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }
}
