//! A document as HTML: one string, everything escaped, no style attributes and no scripts, so that the strictest
//! Content-Security-Policy lets it through.
//!
//! Recursion is as deep as the document is nested, which the readers of manuscripts bound.

mod addresses;
mod code;
mod headings;
mod pictures;

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::links::Link;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::hash::HashMap;
use crate::highlight::Highlighter;
use crate::model::{Alignment, Block, Definition, Document, Footnote, Inline, Item};
use crate::picture::{Fault, Picture};
use crate::theme::Assets;
use headings::RESERVED_IDS;

pub(super) use code::remember as remember_code;

pub(super) use crate::markup::{escape, push_escaped, push_ruby, without_controls};

/// Where a text stands on the blog, and what its addresses are resolved against.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// What every address of the blog begins with: `` or `/magazine`; in feeds the whole `https://…`.
    pub(super) root: &'a str,
    /// The page where readers subscribe and leave.
    pub(super) subscribe: &'a dyn Fn() -> String,
    /// The folder of the text's file, from the magazine's root: `content/issues/010`.
    pub(super) folder: &'a str,
    /// What every id begins with, where several texts share a page; may be empty.
    pub(super) prefix: &'a str,
    /// The level that the text's highest heading gets.
    pub(super) top: u8,
    /// Whether there is a file, by its path from the magazine's root.
    pub(super) has_file: &'a (dyn Fn(&str) -> bool + Sync),
    /// How a picture is shown, by its path from the magazine's root.
    pub(super) picture: &'a PictureOf<'a>,
    /// The theme's files, which texts may show, too.
    pub(super) assets: &'a Assets,
    /// What the text is shown in.
    pub(super) medium: Medium<'a>,
}

/// What shows a text.
#[derive(Clone, Copy)]
pub(super) enum Medium<'a> {
    /// A page of the blog, with the theme's style: code has classes, and headings can be linked to.
    Page(&'a Highlighter),
    /// A feed reader, which knows no style of ours.
    Feed,
}

/// Tells of a picture by its path from the magazine's root.
pub(super) type PictureOf<'a> = dyn Fn(&str) -> Result<Picture, Fault> + Sync + 'a;

/// A text as HTML, and what it needs beside it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Html {
    /// The elements.
    pub(super) html: String,
    /// The pictures and attachments it shows or links, each once.
    pub(super) files: Vec<FileCopy>,
    /// The first picture of pixels in it.
    pub(super) preview: Option<Preview>,
    /// Whether there is a block of code.
    pub(super) has_code: bool,
    /// The ids of its headings and footnotes, which links can name.
    pub(super) ids: Vec<String>,
    /// Where its links lead.
    pub(super) links: Vec<Link>,
}

/// A picture that stands for a whole text elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preview {
    /// Its path in the blog's folder.
    pub(super) path: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alt: String,
}

/// A file beside a text that goes to the blog: as it is, or a narrower picture of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileCopy {
    /// Its path from the magazine's root: `content/issues/010/rack.jpg`.
    pub from: String,
    /// Its path in the blog's folder: `issues/010/rack.jpg`.
    pub to: String,
    /// How many pixels wide the picture of it is; none for the file as it is.
    pub width: Option<u32>,
}

/// The HTML of a document. Pictures that are missing are problems at their place in the source.
pub(super) fn html(
    document: &Document,
    source: &Arc<SourceText>,
    place: Place<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Html {
    let highest = document.highest_heading().unwrap_or(place.top);
    let mut writer = Writer {
        out: String::with_capacity(source.text.len() * 3 / 2),
        source,
        place,
        shift: place.top as i8 - highest as i8,
        ids: RESERVED_IDS.iter().map(|id| ((*id).to_owned(), 1)).collect(),
        sections: 0,
        tables: 0,
        notes: document
            .footnotes
            .iter()
            .enumerate()
            .map(|(index, note)| (note.name.as_str(), index))
            .collect(),
        references: vec![0; document.footnotes.len()],
        in_link: false,
        files: Vec::new(),
        pictures: 0,
        preview: None,
        has_code: false,
        link_ids: Vec::new(),
        links: Vec::new(),
        problems,
    };
    writer.blocks(&document.blocks);
    writer.footnotes(&document.footnotes);
    let Writer { out: html, files, preview, has_code, link_ids: ids, links, .. } = writer;
    Html { html, files, preview, has_code, ids, links }
}

struct Writer<'a> {
    out: String,
    source: &'a Arc<SourceText>,
    place: Place<'a>,
    /// What is added to every heading's level.
    shift: i8,
    /// The ids in use, and how many tries each has seen.
    ids: HashMap<String, usize>,
    sections: usize,
    tables: usize,
    notes: HashMap<&'a str, usize>,
    /// How often each footnote has been referred to so far.
    references: Vec<usize>,
    in_link: bool,
    files: Vec<FileCopy>,
    pictures: usize,
    preview: Option<Preview>,
    has_code: bool,
    /// The ids that links can name, in the order of the text.
    link_ids: Vec<String>,
    links: Vec<Link>,
    problems: &'a mut Vec<Diagnostic>,
}

impl<'a> Writer<'a> {
    fn blocks(&mut self, blocks: &'a [Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &'a Block) {
        match block {
            Block::Paragraph(words) if is_pictures(words) => self.figures(words),
            Block::Paragraph(words) => {
                self.out.push_str("<p>");
                self.inlines(words);
                self.out.push_str("</p>\n");
            }
            Block::Heading { level, id, content } => self.heading(*level, id.as_deref(), content),
            Block::List { start, tight, items } => self.list(*start, *tight, items),
            Block::Quote(blocks) => {
                self.out.push_str("<blockquote>\n");
                self.blocks(blocks);
                self.out.push_str("</blockquote>\n");
            }
            Block::Code { language, text, .. } => self.code(language, text),
            Block::Table { alignments, head, rows } => self.table(alignments, head, rows),
            Block::Definitions(definitions) => self.definitions(definitions),
            Block::Rule => self.out.push_str("<hr>\n"),
        }
    }

    fn list(&mut self, start: Option<u64>, tight: bool, items: &'a [Item]) {
        match start {
            None => self.out.push_str("<ul>\n"),
            Some(1) => self.out.push_str("<ol>\n"),
            // The attribute is a signed number of 32 bits for browsers.
            Some(start) => {
                self.out.push_str("<ol start=\"");
                self.out.push_str(&start.min(i32::MAX as u64).to_string());
                self.out.push_str("\">\n");
            }
        }
        for item in items {
            self.item(item, tight);
        }
        self.out.push_str(if start.is_some() { "</ol>\n" } else { "</ul>\n" });
    }

    fn item(&mut self, item: &'a Item, tight: bool) {
        self.out.push_str(if item.task.is_some() { "<li class=\"task\">" } else { "<li>" });
        let mut rest = item.blocks.as_slice();
        if let Some(done) = item.task {
            let checkbox = if done {
                "<input type=\"checkbox\" disabled checked"
            } else {
                "<input type=\"checkbox\" disabled"
            };
            match item.blocks.first() {
                Some(Block::Paragraph(words)) => {
                    rest = &item.blocks[1..];
                    self.out.push_str(if tight { "<label>" } else { "<p><label>" });
                    self.out.push_str(checkbox);
                    self.out.push_str("> ");
                    self.inlines(words);
                    self.out.push_str(if tight { "</label>" } else { "</label></p>" });
                }
                _ => {
                    self.out.push_str(checkbox);
                    self.out.push_str(if done { " aria-label=\"済\">\n" } else { " aria-label=\"未\">\n" });
                }
            }
        }
        for block in rest {
            match block {
                Block::Paragraph(words) if tight && !is_pictures(words) => self.inlines(words),
                block => {
                    if !self.out.ends_with('\n') {
                        self.out.push('\n');
                    }
                    self.block(block);
                }
            }
        }
        self.out.push_str("</li>\n");
    }

    fn table(&mut self, alignments: &[Alignment], head: &'a [Vec<Inline>], rows: &'a [Vec<Vec<Inline>>]) {
        self.tables += 1;
        self.out.push_str("<div class=\"table\" role=\"region\" aria-label=\"表");
        self.out.push_str(&self.tables.to_string());
        self.out.push_str("\" tabindex=\"0\"><table>\n<thead>\n<tr>");
        for (column, cell) in head.iter().enumerate() {
            self.cell("th", " scope=\"col\"", alignments.get(column), cell);
        }
        self.out.push_str("</tr>\n</thead>\n");
        if !rows.is_empty() {
            self.out.push_str("<tbody>\n");
            for row in rows {
                self.out.push_str("<tr>");
                for (column, cell) in row.iter().enumerate() {
                    self.cell("td", "", alignments.get(column), cell);
                }
                self.out.push_str("</tr>\n");
            }
            self.out.push_str("</tbody>\n");
        }
        self.out.push_str("</table></div>\n");
    }

    fn cell(&mut self, element: &str, attribute: &str, alignment: Option<&Alignment>, words: &'a [Inline]) {
        let class = match alignment.copied().unwrap_or_default() {
            Alignment::None => "",
            Alignment::Left => " class=\"left\"",
            Alignment::Center => " class=\"center\"",
            Alignment::Right => " class=\"right\"",
        };
        for part in ["<", element, attribute, class, ">"] {
            self.out.push_str(part);
        }
        self.inlines(words);
        for part in ["</", element, ">"] {
            self.out.push_str(part);
        }
    }

    fn definitions(&mut self, definitions: &'a [Definition]) {
        self.out.push_str("<dl>\n");
        for definition in definitions {
            for term in &definition.terms {
                self.out.push_str("<dt>");
                self.inlines(term);
                self.out.push_str("</dt>\n");
            }
            for details in &definition.details {
                self.out.push_str("<dd>");
                match details.as_slice() {
                    [Block::Paragraph(words)] if !is_pictures(words) => self.inlines(words),
                    blocks => {
                        self.out.push('\n');
                        self.blocks(blocks);
                    }
                }
                self.out.push_str("</dd>\n");
            }
        }
        self.out.push_str("</dl>\n");
    }

    fn footnotes(&mut self, notes: &'a [Footnote]) {
        if notes.is_empty() {
            return;
        }
        self.out.push_str("<section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"脚注\">\n<ol>\n");
        for (index, note) in notes.iter().enumerate() {
            self.link_ids.push(format!("{}fn-{}", self.place.prefix, index + 1));
            self.out.push_str("<li id=\"");
            self.push_note_id("fn-", index);
            self.out.push_str("\">\n");
            match note.blocks.split_last() {
                Some((Block::Paragraph(words), before)) if !is_pictures(words) => {
                    self.blocks(before);
                    self.out.push_str("<p>");
                    self.inlines(words);
                    self.backlinks(index);
                    self.out.push_str("</p>\n");
                }
                _ => {
                    self.blocks(&note.blocks);
                    self.out.push_str("<p>");
                    self.backlinks(index);
                    self.out.push_str("</p>\n");
                }
            }
            self.out.push_str("</li>\n");
        }
        self.out.push_str("</ol>\n</section>\n");
    }

    fn backlinks(&mut self, index: usize) {
        for reference in 1..=self.references[index] {
            self.out.push_str(" <a class=\"backlink\" role=\"doc-backlink\" href=\"#");
            self.push_reference_id(index, reference);
            self.out.push_str("\" aria-label=\"本文の注");
            self.out.push_str(&(index + 1).to_string());
            self.out.push_str("へ戻る\">↩\u{FE0E}</a>");
        }
    }

    fn push_note_id(&mut self, kind: &str, index: usize) {
        push_escaped(self.place.prefix, &mut self.out);
        self.out.push_str(kind);
        self.out.push_str(&(index + 1).to_string());
    }

    fn push_reference_id(&mut self, index: usize, reference: usize) {
        self.push_note_id("fnref-", index);
        if reference > 1 {
            self.out.push('-');
            self.out.push_str(&reference.to_string());
        }
    }

    fn inlines(&mut self, inlines: &'a [Inline]) {
        for inline in inlines {
            self.inline(inline);
        }
    }

    fn inline(&mut self, inline: &'a Inline) {
        match inline {
            Inline::Text { text, .. } => push_escaped(text, &mut self.out),
            Inline::Code { text, .. } => {
                self.out.push_str("<code>");
                push_escaped(text, &mut self.out);
                self.out.push_str("</code>");
            }
            Inline::Emphasis(words) => self.wrapped("em", words),
            Inline::Strong(words) => self.wrapped("strong", words),
            Inline::Strikethrough(words) => self.wrapped("s", words),
            Inline::Link { url, content, at } => self.link(url, content, *at),
            Inline::Image { url, alt, title, at } => self.picture(url, alt, title, *at),
            Inline::Ruby { groups, .. } => push_ruby(groups, &mut self.out),
            Inline::FootnoteReference { name } => {
                // No manuscript has one inside a link, where it could not be a link itself.
                if let Some(&index) = self.notes.get(name.as_str()).filter(|_| !self.in_link) {
                    self.reference(index);
                }
            }
            Inline::HardBreak => self.out.push_str("<br>\n"),
        }
    }

    fn wrapped(&mut self, element: &str, words: &'a [Inline]) {
        for part in ["<", element, ">"] {
            self.out.push_str(part);
        }
        self.inlines(words);
        for part in ["</", element, ">"] {
            self.out.push_str(part);
        }
    }

    fn reference(&mut self, index: usize) {
        self.references[index] += 1;
        let reference = self.references[index];
        self.out.push_str("<sup class=\"note\"><a role=\"doc-noteref\" id=\"");
        self.push_reference_id(index, reference);
        self.out.push_str("\" href=\"#");
        self.push_note_id("fn-", index);
        self.out.push_str("\" aria-label=\"注");
        let number = (index + 1).to_string();
        for part in [&number, "\">", &number, "</a></sup>"] {
            self.out.push_str(part);
        }
    }

    pub(super) fn needs(&mut self, from: String, to: String, width: Option<u32>) {
        let copy = FileCopy { from, to, width };
        if !self.files.contains(&copy) {
            self.files.push(copy);
        }
    }

    /// Puts a problem at the address in question, which follows where the picture begins.
    pub(super) fn problem(&mut self, problem: Diagnostic, url: &str, at: usize) {
        let span = self.place_of(url, at);
        self.problems.push(problem.at(self.source, span));
    }

    /// Where words stand that follow a place in the source at no great distance; the place itself where they do not.
    fn place_of(&self, words: &str, at: usize) -> Range<usize> {
        const FAR: usize = 4096;
        let text = &self.source.text;
        let begins = text.floor_char_boundary(at);
        let near = &text[begins..text.floor_char_boundary(begins.saturating_add(FAR))];
        match near.find(words) {
            Some(offset) if !words.is_empty() => begins + offset..begins + offset + words.len(),
            _ => begins..begins + near.chars().next().map_or(0, char::len_utf8),
        }
    }
}

/// Whether a paragraph holds pictures and nothing else.
fn is_pictures(words: &[Inline]) -> bool {
    let mut pictures = 0;
    words.iter().all(|word| match word {
        Inline::Image { .. } => {
            pictures += 1;
            true
        }
        Inline::Text { text, .. } => text.chars().all(char::is_whitespace),
        Inline::HardBreak => true,
        _ => false,
    }) && pictures > 0
}

#[cfg(test)]
mod tests;
