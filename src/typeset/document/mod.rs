//! A [`Document`] as fixed-width text: what Markdown becomes in a mail.
//!
//! | in the text | in the mail |
//! |---|---|
//! | paragraph | filled |
//! | heading of level 1 and 2, 3, 4, 5 and 6 | `■` `●` `◆` `◇` and its words |
//! | list | `・`; numbers right-aligned; tasks `[x]` and `[ ]`; further lines hang by the mark's width |
//! | quote | `> ` before each line, nested too |
//! | code | as it stands, tabs at 8 columns |
//! | table | drawn; where it is too wide, a line `head: cell` for each cell |
//! | definitions | aligned labels, `label : text`; long ones on a line of their own, the text two columns in |
//! | thematic break | `＊　＊　＊`, centred |
//! | footnote | `[*1]`, and the note at the end |
//! | link | `words[1]`, and `[1] address` at the end; or the address on a line of its own |
//! | picture | `[画像] caption` and its address below; within a line, the caption as a link |
//! | ruby | `漢字(かんじ)` |
//! | struck-through text | `~~words~~`, whatever the setting of emphasis: without its marks it would say the contrary |
//!
//! The time is linear in the text; the depth is what the parser lets through.

mod table;
mod words;

use std::borrow::Cow;
use std::mem;

use super::{columns, ends_with_url, fill, fill_into};
use crate::model::{Block, Definition, Document, Emphasis, Inline, Item, Links, Tables, Typesetting};
use words::{Pictures, Words, pictures};

/// How a document is set.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    /// The measure and the rules of line breaking.
    pub typesetting: Typesetting,
    /// Whether the marks of emphasis are kept.
    pub emphasis: Emphasis,
    /// Where the addresses of links stand.
    pub links: Links,
    /// How tables are drawn.
    pub tables: Tables,
    /// How the blocks stand to each other.
    pub layout: Layout,
    /// The full address of a picture or a link, from the address as the text has it.
    pub address: &'a dyn Fn(&str) -> String,
}

/// How the blocks of a document stand to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A blank line between any two blocks but the items of a tight list: for articles.
    #[default]
    Open,
    /// A blank line only before a heading of level 1 or 2, which stands flush left; everything else two columns in:
    /// for the standing words under an issue.
    Compact,
}

/// A document that has been set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// The lines, without line feeds.
    pub lines: Vec<String>,
    /// Where the tables begin that were too wide to be drawn, in octets of the source.
    pub undrawn_tables: Vec<usize>,
}

impl Set {
    /// The lines joined by line feeds, with none after the last.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// Sets a document. `run_in` is written on at the end of the last paragraph, or, where the last block is no paragraph,
/// stands as a paragraph of its own: `(宮原)`.
pub fn document(document: &Document, manner: &Manner<'_>, run_in: Option<&str>) -> Set {
    let mut setter = Setter {
        manner: *manner,
        words: Words::new(document, manner),
        set: Set::default(),
        prefix: String::new(),
        marked: None,
        blank: None,
    };
    match manner.layout {
        Layout::Open => setter.blocks(&document.blocks, true, run_in),
        Layout::Compact => setter.sections(&document.blocks, run_in),
    }
    setter.notes(document);
    setter.set
}

/// However deep the nesting, a line keeps this many columns.
pub(crate) const NARROWEST: usize = 20;

const COMPACT_INDENT: &str = "  ";

struct Setter<'a> {
    manner: Manner<'a>,
    words: Words<'a>,
    set: Set,
    /// What each line begins with in the containers that are open.
    prefix: String,
    /// What the next line begins with instead: a list item's mark is in it.
    marked: Option<String>,
    /// The prefix of the blank line that is due before the next line.
    blank: Option<String>,
}

impl Setter<'_> {
    fn blocks(&mut self, blocks: &[Block], spaced: bool, run_in: Option<&str>) {
        let spaced = spaced && self.manner.layout == Layout::Open;
        let (last, run_in_alone) = match blocks.last() {
            Some(Block::Paragraph(content)) if pictures(content) == Pictures::Amid => {
                (blocks.len() - 1, None)
            }
            _ => (blocks.len(), run_in),
        };
        for (index, block) in blocks.iter().enumerate() {
            if spaced && index > 0 {
                self.blank_line();
            }
            self.block(block, run_in.filter(|_| index == last));
        }
        if let Some(run_in) = run_in_alone {
            if spaced {
                self.blank_line();
            }
            self.filled(run_in);
        }
    }

    /// The blocks in the compact layout: sections under flush headings.
    fn sections(&mut self, blocks: &[Block], run_in: Option<&str>) {
        self.prefix.push_str(COMPACT_INDENT);
        if blocks.is_empty() {
            self.blocks(blocks, false, run_in);
        }
        let sections = blocks.chunk_by(|_, next| !is_section_heading(next));
        let mut rest = blocks;
        for mut section in sections {
            rest = &rest[section.len()..];
            if let Some(Block::Heading { level, content, .. }) = section.first()
                && is_section_heading(&section[0])
            {
                let indent = mem::take(&mut self.prefix);
                self.blank_line();
                self.heading(*level, content);
                self.prefix = indent;
                section = &section[1..];
            }
            self.blocks(section, false, run_in.filter(|_| rest.is_empty()));
        }
    }

    fn block(&mut self, block: &Block, run_in: Option<&str>) {
        match block {
            Block::Paragraph(content) => self.paragraph(content, run_in),
            Block::Heading { level, content, .. } => self.heading(*level, content),
            Block::List { start, tight, items } => self.list(*start, *tight, items),
            Block::Quote(blocks) => {
                let outer = self.prefix.len();
                self.prefix.push_str("> ");
                if let Some(marked) = &mut self.marked {
                    marked.push_str("> ");
                }
                self.blocks(blocks, true, None);
                self.prefix.truncate(outer);
            }
            Block::Code { text, .. } => {
                for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
                    self.line(&expand_tabs(line));
                }
            }
            Block::Table { alignments, head, rows } => self.table(alignments, head, rows),
            Block::Definitions(definitions) => self.definitions(definitions),
            Block::Rule => {
                let stars = "＊　＊　＊";
                let padding = self.measure().width.saturating_sub(columns(stars)) / 2;
                self.line(&format!("{:padding$}{stars}", ""));
            }
        }
    }

    fn paragraph(&mut self, content: &[Inline], run_in: Option<&str>) {
        if pictures(content) == Pictures::Alone {
            for inline in content {
                if let Inline::Image { url, alt, title, .. } = inline {
                    self.picture(url, if title.is_empty() { alt } else { title });
                }
            }
            return;
        }
        let text = self.words.of(content);
        match run_in {
            Some(run_in) => self.filled_with(&text, run_in),
            None => self.filled(&text),
        }
        self.link_lines();
    }

    fn picture(&mut self, url: &str, caption: &str) {
        let address = (self.manner.address)(url);
        if caption.is_empty() {
            self.filled(&format!("[画像] {address}"));
        } else {
            self.filled(&format!("[画像] {caption}"));
            self.line(&address);
        }
    }

    fn heading(&mut self, level: u8, content: &[Inline]) {
        let mark = match level {
            0..=2 => "■",
            3 => "●",
            4 => "◆",
            5.. => "◇",
        };
        let text = self.words.of(content).replace('\n', " ");
        self.hanging(mark, |setter| setter.filled(&text));
        self.link_lines();
    }

    fn list(&mut self, start: Option<u64>, tight: bool, items: &[Item]) {
        let last = start.map(|start| start.saturating_add(items.len().saturating_sub(1) as u64));
        let digits = last.map_or(0, |last| last.to_string().len());
        let mut number = start.unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            if !tight && index > 0 && self.manner.layout == Layout::Open {
                self.blank_line();
            }
            let number_mark = start.map(|_| number_mark(number, digits));
            number = number.saturating_add(1);
            let mark = match item.task {
                Some(true) => number_mark.unwrap_or_default() + "[x] ",
                Some(false) => number_mark.unwrap_or_default() + "[ ] ",
                None => number_mark.unwrap_or(BULLET.to_owned()),
            };
            self.hanging(&mark, |setter| setter.blocks(&item.blocks, !tight, None));
        }
    }

    fn definitions(&mut self, definitions: &[Definition]) {
        let terms: Vec<Vec<String>> = (definitions.iter())
            .map(|definition| {
                definition.terms.iter().map(|term| self.words.of(term).replace('\n', " ")).collect()
            })
            .collect();
        let label_width = terms.iter().flatten().map(|term| columns(term)).max().unwrap_or_default();
        let is_aligned = label_width * 3 <= self.measure().width
            && definitions.iter().all(|definition| {
                definition.terms.len() == 1
                    && definition.details.iter().all(|detail| matches!(detail[..], [Block::Paragraph(_)]))
            });
        for (definition, terms) in definitions.iter().zip(terms) {
            if is_aligned {
                let label = terms.first().map_or("", String::as_str);
                let padding = label_width - columns(label);
                let mut mark = format!("{label}{:padding$} : ", "");
                for detail in &definition.details {
                    self.hanging(&mark, |setter| setter.blocks(detail, false, None));
                    mark = format!("{:label_width$} : ", "");
                }
            } else {
                terms.iter().for_each(|term| self.filled(term));
                self.link_lines();
                for detail in &definition.details {
                    self.hanging("  ", |setter| setter.blocks(detail, true, None));
                }
            }
        }
    }

    /// Footnotes, then the addresses that the text refers to by number.
    fn notes(&mut self, document: &Document) {
        self.blank_line();
        for (index, footnote) in document.footnotes.iter().enumerate() {
            self.hanging(&format!("[*{}] ", index + 1), |setter| {
                setter.blocks(&footnote.blocks, false, None)
            });
        }
        self.blank_line();
        for (index, url) in self.words.take_noted().into_iter().enumerate() {
            self.hanging(&format!("[{}] ", index + 1), |setter| setter.line(&url));
        }
    }

    /// The addresses of the links in what was set just now, each on a line of its own.
    fn link_lines(&mut self) {
        for url in self.words.take_due_links() {
            self.line(&url);
        }
    }

    /// Sets what `inner` sets behind a mark, further lines hanging by its width. A mark with nothing behind it stands
    /// alone.
    fn hanging(&mut self, mark: &str, inner: impl FnOnce(&mut Self)) {
        let outer = self.prefix.len();
        let mut marked = self.marked.take().unwrap_or_else(|| self.prefix.clone());
        marked.push_str(mark);
        self.marked = Some(marked);
        let width = columns(mark);
        self.prefix.extend(std::iter::repeat_n(' ', width));
        inner(self);
        if self.marked.is_some() {
            self.line("");
        }
        self.prefix.truncate(outer);
    }

    /// Fills a text; its line feeds are line breaks that the author asked for.
    fn filled(&mut self, text: &str) {
        let typesetting = self.measure();
        let has_glue = text.contains(words::GLUE);
        let mut lines = String::new();
        for part in text.split('\n') {
            lines.clear();
            fill_into(&mut lines, part, &typesetting, "", "");
            for line in lines.lines() {
                if has_glue { self.line(&line.replace(words::GLUE, "")) } else { self.line(line) }
            }
        }
    }

    /// Fills a text with a name written on at its end, or below it where the name would be cut by a line's end, or
    /// taken into an address by readers' mailers.
    fn filled_with(&mut self, text: &str, run_in: &str) {
        let (before, last) =
            text.rsplit_once('\n').map_or((None, text), |(before, last)| (Some(before), last));
        if let Some(before) = before {
            self.filled(before);
        }
        let last = last.trim_end_matches(' ');
        let lines = fill(&format!("{last}{run_in}"), &self.measure());
        let is_whole = lines.last().is_some_and(|line| columns(line) >= columns(run_in));
        if is_whole && !ends_with_url(last) {
            lines.iter().for_each(|line| self.line(&line.replace(words::GLUE, "")));
        } else {
            self.filled(last);
            self.filled(run_in);
        }
    }

    /// The measure within the open containers; the prefix is spaces and `> ` alone.
    fn measure(&self) -> Typesetting {
        let typesetting = self.manner.typesetting;
        typesetting.with_width(typesetting.width.saturating_sub(self.prefix.len()).max(NARROWEST))
    }

    /// A blank line before the next line, if one comes and it is not the first.
    fn blank_line(&mut self) {
        if !self.set.lines.is_empty() && self.marked.is_none() {
            self.blank = Some(self.prefix.trim_end().to_owned());
        }
    }

    fn line(&mut self, text: &str) {
        self.set.lines.extend(self.blank.take());
        let marked = self.marked.take();
        let head = marked.as_ref().unwrap_or(&self.prefix);
        let mut line = String::with_capacity(head.len() + text.len());
        line.push_str(head);
        line.push_str(text);
        line.truncate(line.trim_end_matches(' ').len());
        self.set.lines.push(line);
    }
}

/// The mark of an item without a number; further lines hang by its columns, as by every mark's.
pub const BULLET: &str = "・";

/// The mark of a numbered item, its number set flush right in so many digits.
pub fn number_mark(number: u64, digits: usize) -> String {
    format!("{number:>digits$}. ")
}

/// A line with its tabs as spaces up to the next multiple of eight columns.
fn expand_tabs(line: &str) -> Cow<'_, str> {
    if !line.contains('\t') {
        return Cow::Borrowed(line);
    }
    let mut expanded = String::new();
    let mut column = 0;
    for piece in line.split_inclusive('\t') {
        let words = piece.strip_suffix('\t').unwrap_or(piece);
        expanded.push_str(words);
        column += columns(words);
        if words.len() < piece.len() {
            let next_stop = (column / 8 + 1) * 8;
            expanded.extend(std::iter::repeat_n(' ', next_stop - column));
            column = next_stop;
        }
    }
    Cow::Owned(expanded)
}

fn is_section_heading(block: &Block) -> bool {
    matches!(block, Block::Heading { level: 0..=2, .. })
}

#[cfg(test)]
mod tests;
