//! What an editor is told while a text is built.

use std::mem;
use std::ops::Range;

use pulldown_cmark::LinkType;

use super::{Builder, DEEPEST};
use crate::diagnostic::Diagnostic;
use crate::model::Field;
use crate::source::markdown::html::unsafe_address;

impl Builder<'_> {
    /// Tells of nesting beyond what is kept, once.
    pub(in crate::source::markdown) fn nested_too_deep(&mut self, place: usize) {
        if !mem::replace(&mut self.too_deep, true) {
            let diagnostic = Diagnostic::error(
                "nested-too-deep",
                format!("quotes, lists and marks stand more than {DEEPEST} deep in each other"),
            )
            .label("this one goes too deep")
            .help("write it flatter, or put a text that is not Markdown between lines of ```");
            self.problems.push((diagnostic, place..place));
        }
    }

    /// An address that is safe to follow, or the problem told; such an address gets no link.
    pub(super) fn address(&mut self, url: &str, range: &Range<usize>, link_type: LinkType) -> String {
        let url = self.prepared.clean(url).into_owned();
        if unsafe_address(&url) {
            let diagnostic = Diagnostic::error("unsafe-link", "this address would run or hold a program")
                .label("followed by a reader's browser")
                .help("link to an address that begins with https: or to a file beside the text");
            self.tell(diagnostic, range.clone());
        }
        if Field::of_address(&url) == Some(None) {
            let names: Vec<&str> = Field::NAMES.iter().map(|(name, _)| *name).collect();
            let diagnostic =
                Diagnostic::error("unknown-field", format!("`{url}` names no field of a reader"))
                    .label("nothing could be filled in here")
                    .help(format!("write mailmag: and one of {}", names.join(", ")));
            self.tell(diagnostic, range.clone());
        }
        if Field::of_address(&url) == Some(Some(Field::Name)) && link_type == LinkType::Autolink {
            let diagnostic =
                Diagnostic::error("name-without-words", "readers without a name would see `mailmag:name`")
                    .label("nothing else stands here for them")
                    .help("write the words for them, too: [読者](mailmag:name)");
            self.tell(diagnostic, range.clone());
        }
        if link_type == LinkType::Email { format!("mailto:{url}") } else { url }
    }

    /// `[^name]` that the parser left as words because nothing defines it.
    pub(super) fn unknown_footnote(&mut self, start: usize) {
        let Some(rest) = self.prepared.text[start..].strip_prefix("[^") else { return };
        let Some(length) = rest.find(|letter: char| letter == ']' || letter == '[' || letter.is_whitespace())
        else {
            return;
        };
        if length == 0 || !rest[length..].starts_with(']') {
            return;
        }
        let name = self.prepared.clean(&rest[..length]);
        let diagnostic = Diagnostic::error("unknown-footnote", format!("there is no footnote {name}"))
            .label("readers would see this as it stands")
            .help(format!("define it in a paragraph of its own: [^{name}]: …"));
        self.tell(diagnostic, start..start + 2 + length + 1);
    }

    pub(super) fn ruby_mismatch(&mut self, characters: usize, readings: usize, range: Range<usize>) {
        let message = format!("{readings} readings for {characters} characters");
        let diagnostic = Diagnostic::error("ruby-mismatch", message)
            .label("neither one reading for all nor one for each")
            .help("write {漢字|かんじ} or {漢字|かん|じ}; braces that are not ruby begin with \\{");
        self.tell(diagnostic, range);
    }

    pub(super) fn raw_html(&mut self, range: Range<usize>) {
        let diagnostic = Diagnostic::warning("raw-html", "HTML is left out, in the mail and on the blog")
            .label("left out")
            .help("use Markdown's marks; to show a tag itself, write it as `code`");
        self.tell(diagnostic, range);
    }

    pub(super) fn tell(&mut self, diagnostic: Diagnostic, range: Range<usize>) {
        let text = self.prepared.text[range.clone()].trim_end();
        let end = range.start + text.len();
        self.problems.push((diagnostic, self.prepared.original(range.start)..self.prepared.original(end)));
    }
}
