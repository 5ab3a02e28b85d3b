//! Whether the files that texts link to are there.

use super::lines::place_near;
use crate::address::{Target, names_page, target};
use crate::diagnostic::Diagnostic;
use crate::model::Piece;
use crate::source::{Content, Text};

/// A link beside its text leads to a file that is there, or to a page: those end in a slash, or are made by the build.
/// Pictures are the blog's to judge.
pub(super) fn lead_somewhere(content: &Content, text: &Text, problems: &mut Vec<Diagnostic>) {
    let folder = text.source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    text.document.for_each_piece(|piece| {
        let Piece::Address(url, at) = piece else { return };
        let Target::Beside { from, .. } = target(url, folder, "") else { return };
        let is_picture = text.source.text.get(at..).is_some_and(|rest| rest.starts_with('!'));
        let name = from.rsplit('/').next().unwrap_or_default();
        if is_picture || names_page(&from) || content.has_file(&from) {
            return;
        }
        let help = if name.ends_with(".md") {
            "link to the page instead: `../010/slug/`, as its address on the blog goes"
        } else {
            "put the file beside the text, or correct its name"
        };
        problems.push(
            Diagnostic::warning("missing-file", format!("there is no file `{from}` on the blog"))
                .at(&text.source, place_near(&text.source.text, url, at))
                .label("this link leads nowhere")
                .help(help),
        );
    });
}
