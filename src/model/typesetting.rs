//! How text is set into lines of fixed width.

use serde::{Deserialize, Serialize};

/// Which characters may begin a line: CSS Text's `line-break`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LineBreak {
    /// The strictest rules: no small kana, no `ー`, no `々` at a line's start.
    #[default]
    Strict,
    /// Small kana, `ー` and `〜` may begin a line.
    Normal,
    /// Iteration marks, `・` and `！？` may begin a line, too.
    Loose,
}

/// What may stand past the right margin: CSS Text's `hanging-punctuation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HangingPunctuation {
    /// Nothing.
    #[default]
    None,
    /// One of `、。，．`, up to two columns, where it does not otherwise fit.
    AllowEnd,
    /// Any character that may not begin a line, up to [`Typesetting::hanging_columns`] past the margin.
    All,
}

/// Whether the marks of emphasis stay in the mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emphasis {
    /// The words alone.
    #[default]
    Drop,
    /// `*words*` and `**words**`.
    Keep,
}

/// Where the addresses of links stand in the mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// `words[1]`, and the addresses at the article's end.
    #[default]
    Notes,
    /// On a line of their own below the paragraph.
    Line,
}

/// How tables are drawn in the mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// With box-drawing characters, two columns each.
    #[default]
    Box,
    /// With `+`, `-` and `|`.
    Ascii,
}

impl LineBreak {
    /// Every level with its name in settings and on the command line, strictest first.
    pub const NAMES: [(&'static str, LineBreak); 3] =
        [("strict", LineBreak::Strict), ("normal", LineBreak::Normal), ("loose", LineBreak::Loose)];
}

impl HangingPunctuation {
    /// Every kind with its name in settings and on the command line.
    pub const NAMES: [(&'static str, HangingPunctuation); 3] = [
        ("none", HangingPunctuation::None),
        ("allow-end", HangingPunctuation::AllowEnd),
        ("all", HangingPunctuation::All),
    ];
}

/// The settings that decide where lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Typesetting {
    /// The measure in columns; a full-width character takes two.
    pub width: usize,
    /// Which characters may begin a line.
    pub line_break: LineBreak,
    /// What may stand past the margin.
    pub hanging_punctuation: HangingPunctuation,
    /// How far [`HangingPunctuation::All`] reaches past the margin, in columns: 1 or 2.
    pub hanging_columns: usize,
}

impl Default for Typesetting {
    /// The classic Japanese mail magazine: 76 columns, strict, nothing hangs.
    fn default() -> Self {
        Typesetting {
            width: 76,
            line_break: LineBreak::default(),
            hanging_punctuation: HangingPunctuation::default(),
            hanging_columns: 2,
        }
    }
}

impl Typesetting {
    /// The same rules for another measure, in columns.
    pub fn with_width(self, width: usize) -> Self {
        Typesetting { width, ..self }
    }
}
