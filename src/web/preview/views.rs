//! The mail as readers' programs show it: most of them break what is wider than they like a second time.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use crate::model::{name_of, named};
use crate::typeset::columns;

/// A program that shows mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The lines as they are sent.
    AsSent,
    /// Outlook, which breaks what it sends and answers at 76 columns.
    Outlook,
    /// Yahoo! Mail, at 72 columns.
    Yahoo,
    /// A phone held upright, at 40 columns.
    Phone,
    /// The mail as it stands quoted in an answer, which is broken at 76 columns after the quote's marks came in.
    Reply,
}

/// A line of a mail as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether the program broke it off from the line before.
    pub(super) broken: bool,
}

impl View {
    /// Every view with its name in addresses.
    pub(super) const NAMES: [(&'static str, View); 5] = [
        ("as-sent", View::AsSent),
        ("outlook", View::Outlook),
        ("yahoo", View::Yahoo),
        ("phone", View::Phone),
        ("reply", View::Reply),
    ];

    /// The view of a name.
    pub(super) fn named(name: &str) -> Option<View> {
        named(&Self::NAMES, name)
    }

    /// The view's name.
    pub(super) fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// Where its lines end at the latest, in columns; `measure` is the magazine's own.
    pub(super) fn width(self, measure: usize) -> usize {
        match self {
            View::AsSent => measure,
            View::Outlook | View::Reply => 76,
            View::Yahoo => 72,
            View::Phone => 40,
        }
    }

    /// A mail's lines as this program shows them.
    pub(super) fn lines(self, body: &str) -> Vec<Line> {
        let lines = body.lines();
        match self {
            View::AsSent => lines.map(|line| Line { text: line.to_owned(), broken: false }).collect(),
            View::Reply => lines.flat_map(|line| broken(&format!("> {line}"), self.width(0))).collect(),
            _ => lines.flat_map(|line| broken(line, self.width(0))).collect(),
        }
    }
}

/// A line cut as programs cut that know nothing of Japanese typesetting: behind a space, beside any full-width
/// character, and where neither is, in the middle of a word.
fn broken(line: &str, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut reached = 0;
    // Where the line being filled may end, and the columns up to there.
    let mut chance = (0, 0);
    let mut before = 0;
    for (at, cluster) in line.grapheme_indices(true) {
        let own = if cluster == "\t" { 8 - reached % 8 } else { columns(cluster) };
        if (own >= 2 || before >= 2 || line[..at].ends_with(' ')) && at > start {
            chance = (at, reached);
        }
        // A space at the end is seen by nobody.
        if reached + own > width && at > start && cluster != " " {
            let (end, columns_to_end) = if chance.0 > start { chance } else { (at, reached) };
            lines.push(Line {
                text: line[start..end].trim_end_matches(' ').to_owned(),
                broken: !lines.is_empty(),
            });
            (start, reached) = (end, reached - columns_to_end);
        }
        reached += own;
        before = own;
    }
    let text = match &lines[..] {
        [] => line,
        _ => line[start..].trim_end_matches(' '),
    };
    lines.push(Line { text: text.to_owned(), broken: !lines.is_empty() });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line's pieces, with `/` between them.
    fn check(line: &str, width: usize, expected: &str) {
        let lines = broken(line, width);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts.join("/"), expected, "{line} in {width}");
        let breaks: Vec<bool> = lines.iter().map(|line| line.broken).collect();
        let expected: Vec<bool> = (0..lines.len()).map(|at| at > 0).collect();
        assert_eq!(breaks, expected, "{line}");
    }

    #[test]
    fn lines_are_cut_without_any_rule_of_typesetting() {
        check("", 8, "");
        check("四文字だ", 8, "四文字だ");
        check("四文字だ。", 8, "四文字だ/。");
        check("五文字だぞ、そして", 8, "五文字だ/ぞ、そし/て");
        check("a四文字だ", 8, "a四文字/だ");
        check("日本 and English", 8, "日本 and/English");
        check("日本andEnglish", 8, "日本/andEngli/sh");
        check("mailmag.example", 8, "mailmag./example");
        check("日本語の          ", 8, "日本語の          ");
        check("日本語の          と", 8, "日本語の/と");
        check("👨\u{200D}👩\u{200D}👧が👍🏽が", 4, "👨\u{200D}👩\u{200D}👧が/👍🏽が");
        check("か\u{3099}き\u{3099}", 2, "か\u{3099}/き\u{3099}");
        check("----------", 4, "----/----/--");
        check("漢", 1, "漢");
    }

    #[test]
    fn each_program_has_its_width() {
        let body = format!("{}\n\n短い行\n", "字".repeat(38));
        for (view, expected) in [
            (View::AsSent, &[76, 0, 6][..]),
            (View::Outlook, &[76, 0, 6]),
            (View::Yahoo, &[72, 4, 0, 6]),
            (View::Phone, &[40, 36, 0, 6]),
            (View::Reply, &[76, 2, 2, 8]),
        ] {
            let widths: Vec<usize> = view.lines(&body).iter().map(|line| columns(&line.text)).collect();
            assert_eq!(widths, expected, "{view:?}");
        }
    }

    #[test]
    fn a_quotation_loses_its_mark_where_the_program_breaks_it() {
        let lines = View::Reply.lines(&"字".repeat(38));
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, [format!("> {}", "字".repeat(37)).as_str(), "字"]);
    }
}
