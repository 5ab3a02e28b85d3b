//! Headings: their levels, their ids, and the link to each.

use super::{Medium, Writer, push_escaped};
use crate::diagnostic::Diagnostic;
use crate::model::{Inline, plain};

/// The ids that the pages themselves use.
pub(super) const RESERVED_IDS: [&str; 5] = ["main", "web", "mail", "contents", "related"];

impl<'a> Writer<'a> {
    /// A heading, and on pages the link to it. The link stands beside the heading and not in it, so that the heading's
    /// name, which readers of screens go by, is its words alone.
    pub(super) fn heading(&mut self, level: u8, id: Option<&str>, words: &'a [Inline]) {
        let level = (level as i8 + self.shift).clamp(1, 6).to_string();
        let id = match id {
            Some(id) if !id.is_empty() && !id.contains(char::is_whitespace) => self.given_id(id, words),
            _ => {
                self.sections += 1;
                self.unused_id(&format!("section-{}", self.sections))
            }
        };
        let is_linked = matches!(self.place.medium, Medium::Page(_)) && !plain(words).trim().is_empty();
        if is_linked {
            self.out.push_str("<div class=\"heading\">");
        }
        for part in ["<h", &level, " id=\""] {
            self.out.push_str(part);
        }
        push_escaped(&id, &mut self.out);
        self.out.push_str("\">");
        self.inlines(words);
        for part in ["</h", &level, ">"] {
            self.out.push_str(part);
        }
        if is_linked {
            self.out.push_str("<a class=\"anchor\" href=\"#");
            push_escaped(&crate::address::encode_path(&id), &mut self.out);
            self.out.push_str("\" aria-label=\"この節へのリンク：");
            push_escaped(&plain(words), &mut self.out);
            self.out.push_str("\">#</a></div>");
        }
        self.out.push('\n');
        self.link_ids.push(id);
    }

    /// The id that the author gave; told when another heading has it, for a link can lead to one of them only.
    fn given_id(&mut self, wanted: &str, words: &[Inline]) -> String {
        let id = self.unused_id(wanted);
        let is_taken = id.len() != self.place.prefix.len() + wanted.len();
        if let Some(at) = words.iter().find_map(begins).filter(|_| is_taken) {
            let problem =
                Diagnostic::warning("duplicate-anchor", format!("`#{wanted}` is taken on this page"))
                    .label(format!("this heading becomes `#{id}`"))
                    .help("give it a name of its own, or none");
            self.problem(problem, &format!("#{wanted}"), at);
        }
        id
    }

    /// The id itself, or with the first number behind it that makes it unique on the page.
    fn unused_id(&mut self, wanted: &str) -> String {
        let wanted = format!("{}{wanted}", self.place.prefix);
        let mut id = wanted.clone();
        while self.ids.contains_key(&id) {
            let tries = self.ids.entry(wanted.clone()).or_insert(1);
            *tries += 1;
            id = format!("{wanted}-{tries}");
        }
        self.ids.insert(id.clone(), 1);
        id
    }
}

/// Where words begin in the source.
fn begins(word: &Inline) -> Option<usize> {
    match word {
        Inline::Text { at, .. }
        | Inline::Code { at, .. }
        | Inline::Link { at, .. }
        | Inline::Image { at, .. }
        | Inline::Ruby { at, .. } => Some(*at),
        Inline::Emphasis(words) | Inline::Strong(words) | Inline::Strikethrough(words) => {
            words.iter().find_map(begins)
        }
        Inline::FootnoteReference { .. } | Inline::HardBreak => None,
    }
}
