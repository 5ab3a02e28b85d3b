//! A document as HTML for mailers: everything escaped, every address whole, every element with its own style.
//!
//! It has the words of the text beside it, and no links to places within the mail, which many mailers do not follow.
//! Recursion is as deep as the document is nested, which the readers of manuscripts bound.

use std::collections::HashMap;

use super::{PictureOf, style};
use crate::address::{Target, decode, href, target};
use crate::markup::{push_escaped, push_ruby};
use crate::model::{Alignment, Block, Definition, Document, Field, Footnote, Inline, Item, plain};
use crate::picture::{Picture, describe};
use crate::theme::Assets;

/// What the addresses of a text are resolved against, and where its headings stand.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The blog's address, without a slash at its end.
    pub(super) blog: &'a str,
    /// The folder of the text's file, from the magazine's root: `content/issues/010`.
    pub(super) folder: &'a str,
    /// The page of the blog that has the text whole.
    pub(super) page: &'a str,
    /// The address where a reader leaves.
    pub(super) to_leave: &'a dyn Fn() -> String,
    /// The level that the text's highest heading gets.
    pub(super) top: u8,
    /// Whether there is a file, by its path from the magazine's root.
    pub(super) has_file: &'a dyn Fn(&str) -> bool,
    /// How a picture is shown, by its path from the magazine's root.
    pub(super) picture: &'a PictureOf<'a>,
    /// The theme's files, which texts may show, too.
    pub(super) assets: &'a Assets,
}

/// The HTML of a document; `run_in` is written on at the end of the last paragraph, or stands as one of its own.
pub(super) fn document(document: &Document, place: Place<'_>, run_in: Option<&str>) -> String {
    let highest = document.highest_heading().unwrap_or(place.top);
    let notes = document.footnotes.iter().enumerate();
    let mut writer = Writer {
        out: String::new(),
        place,
        shift: place.top as i8 - highest as i8,
        notes: notes.map(|(index, note)| (note.name.as_str(), index + 1)).collect(),
        in_link: false,
    };
    writer.blocks(&document.blocks, run_in);
    writer.footnotes(&document.footnotes);
    writer.out
}

struct Writer<'a> {
    out: String,
    place: Place<'a>,
    /// What is added to every heading's level.
    shift: i8,
    /// The numbers of the footnotes.
    notes: HashMap<&'a str, usize>,
    in_link: bool,
}

impl<'a> Writer<'a> {
    fn blocks(&mut self, blocks: &'a [Block], run_in: Option<&str>) {
        let last = blocks.len().saturating_sub(1);
        let is_words = |block: &Block| matches!(block, Block::Paragraph(words) if !is_pictures(words));
        let runs_in = blocks.last().is_some_and(is_words);
        for (index, block) in blocks.iter().enumerate() {
            self.block(block, run_in.filter(|_| runs_in && index == last));
        }
        if let Some(run_in) = run_in.filter(|_| !runs_in) {
            self.open("p", style::PARAGRAPH);
            push_escaped(run_in, &mut self.out);
            self.close("p");
        }
    }

    fn block(&mut self, block: &'a Block, run_in: Option<&str>) {
        match block {
            Block::Paragraph(words) if is_pictures(words) => self.figures(words),
            Block::Paragraph(words) => {
                self.open("p", style::PARAGRAPH);
                self.inlines(words);
                push_escaped(run_in.unwrap_or_default(), &mut self.out);
                self.close("p");
            }
            Block::Heading { level, content, .. } => self.heading(*level, content),
            Block::List { start, tight, items } => self.list(*start, *tight, items, style::LIST),
            Block::Quote(blocks) => {
                self.open("blockquote", style::QUOTE);
                self.out.push('\n');
                self.blocks(blocks, None);
                self.close("blockquote");
            }
            Block::Code { text, .. } => {
                // What scrolls can be reached by the keyboard.
                self.open_with("pre", &[("tabindex", "0"), ("style", style::CODE_BLOCK)]);
                self.out.push_str("<code>");
                push_escaped(text.strip_suffix('\n').unwrap_or(text), &mut self.out);
                self.out.push_str("</code>");
                self.close("pre");
            }
            Block::Table { alignments, head, rows } => self.table(alignments, head, rows),
            Block::Definitions(definitions) => self.definitions(definitions),
            Block::Rule => {
                self.open("hr", style::RULE);
                self.out.push('\n');
            }
        }
    }

    fn heading(&mut self, level: u8, words: &'a [Inline]) {
        let level = (level as i8 + self.shift).clamp(1, 6) as u8;
        let below = usize::from(level.saturating_sub(self.place.top));
        let element = format!("h{level}");
        self.open(&element, style::HEADING[below.min(style::HEADING.len() - 1)]);
        self.inlines(words);
        self.close(&element);
    }

    fn list(&mut self, start: Option<u64>, tight: bool, items: &'a [Item], style: &str) {
        let element = if start.is_some() { "ol" } else { "ul" };
        match start {
            // The attribute is a signed number of 32 bits for browsers.
            Some(start) if start != 1 => {
                let start = start.min(i32::MAX as u64).to_string();
                self.open_with("ol", &[("start", &start), ("style", style)]);
            }
            _ => self.open(element, style),
        }
        self.out.push('\n');
        for item in items {
            self.item(item, tight);
        }
        self.close(element);
    }

    fn item(&mut self, item: &'a Item, tight: bool) {
        self.open("li", if item.task.is_some() { style::TASK } else { style::ITEM });
        // Mailers show no checkboxes.
        let mark = item.task.map_or("", |done| if done { "[x] " } else { "[ ] " });
        let mut rest = item.blocks.as_slice();
        if let Some(Block::Paragraph(words)) = rest.first().filter(|_| !mark.is_empty() && !tight) {
            self.open("p", style::PARAGRAPH);
            self.out.push_str(mark);
            self.inlines(words);
            self.close("p");
            rest = &rest[1..];
        } else {
            self.out.push_str(mark);
        }
        for block in rest {
            match block {
                Block::Paragraph(words) if tight && !is_pictures(words) => self.inlines(words),
                Block::List { start, tight: within, items } if tight => {
                    self.out.push('\n');
                    self.list(*start, *within, items, style::LIST_WITHIN);
                }
                block => self.block(block, None),
            }
        }
        self.close("li");
    }

    fn table(&mut self, alignments: &[Alignment], head: &'a [Vec<Inline>], rows: &'a [Vec<Vec<Inline>>]) {
        self.open_with("div", &[("tabindex", "0"), ("style", style::TABLE_FRAME)]);
        self.open("table", style::TABLE);
        self.out.push_str("\n<thead>\n<tr>");
        for (column, cell) in head.iter().enumerate() {
            self.cell("th", alignments.get(column), cell);
        }
        self.out.push_str("</tr>\n</thead>\n");
        if !rows.is_empty() {
            self.out.push_str("<tbody>\n");
            for row in rows {
                self.out.push_str("<tr>");
                for (column, cell) in row.iter().enumerate() {
                    self.cell("td", alignments.get(column), cell);
                }
                self.out.push_str("</tr>\n");
            }
            self.out.push_str("</tbody>\n");
        }
        self.out.push_str("</table>");
        self.close("div");
    }

    fn cell(&mut self, element: &str, alignment: Option<&Alignment>, words: &'a [Inline]) {
        let side = match alignment.copied().unwrap_or_default() {
            Alignment::None | Alignment::Left => "left",
            Alignment::Center => "center",
            Alignment::Right => "right",
        };
        let style = format!("{}{side}", style::CELL);
        match element {
            "th" => self.open_with("th", &[("scope", "col"), ("style", &style)]),
            _ => self.open(element, &style),
        }
        self.inlines(words);
        for part in ["</", element, ">"] {
            self.out.push_str(part);
        }
    }

    fn definitions(&mut self, definitions: &'a [Definition]) {
        self.open("dl", style::DEFINITIONS);
        self.out.push('\n');
        for definition in definitions {
            for term in &definition.terms {
                self.open("dt", style::TERM);
                self.inlines(term);
                self.close("dt");
            }
            for details in &definition.details {
                self.open("dd", style::DETAILS);
                match details.as_slice() {
                    [Block::Paragraph(words)] if !is_pictures(words) => self.inlines(words),
                    blocks => {
                        self.out.push('\n');
                        self.blocks(blocks, None);
                    }
                }
                self.close("dd");
            }
        }
        self.close("dl");
    }

    fn footnotes(&mut self, notes: &'a [Footnote]) {
        if notes.is_empty() {
            return;
        }
        self.open("div", style::NOTES);
        self.out.push('\n');
        for (index, note) in notes.iter().enumerate() {
            let mark = format!("[*{}] ", index + 1);
            let rest = match note.blocks.split_first() {
                Some((Block::Paragraph(words), rest)) if !is_pictures(words) => {
                    self.open("p", style::PARAGRAPH);
                    self.out.push_str(&mark);
                    self.inlines(words);
                    self.close("p");
                    rest
                }
                _ => {
                    self.open("p", style::PARAGRAPH);
                    self.out.push_str(mark.trim_end());
                    self.close("p");
                    &note.blocks
                }
            };
            self.blocks(rest, None);
        }
        self.close("div");
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
                self.open("code", style::CODE);
                push_escaped(text, &mut self.out);
                self.out.push_str("</code>");
            }
            Inline::Emphasis(words) => self.wrapped("em", words),
            Inline::Strong(words) => self.wrapped("strong", words),
            Inline::Strikethrough(words) => self.wrapped("s", words),
            Inline::Link { url, content, .. } => self.link(url, content),
            Inline::Image { url, alt, title, .. } => {
                let words = if title.is_empty() { alt } else { title };
                match self.shown(url) {
                    Shown::Picture(address, size) => {
                        self.image(&address, size, words, style::PICTURE_WITHIN);
                    }
                    other => self.named(other, words),
                }
            }
            Inline::Ruby { groups, .. } => push_ruby(groups, &mut self.out),
            Inline::FootnoteReference { name } => {
                if let Some(number) = self.notes.get(name.as_str()) {
                    let mark = format!("[*{number}]</sup>");
                    self.open("sup", style::NOTE_MARK);
                    self.out.push_str(&mark);
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

    fn link(&mut self, url: &str, words: &'a [Inline]) {
        if Field::of_address(url) == Some(Some(Field::Name)) {
            return push_escaped(&Field::Name.marked(&plain(words)), &mut self.out);
        }
        let address = self.address(url).filter(|_| !self.in_link);
        let Some(address) = address else { return self.inlines(words) };
        self.open_with("a", &[("href", &address)]);
        self.in_link = true;
        match words {
            // An address that stands for itself is another's for each reader where it is a field.
            words if words.is_empty() || Field::of_address(url).is_some() && plain(words) == url => {
                push_escaped(&address, &mut self.out);
            }
            words => self.inlines(words),
        }
        self.in_link = false;
        self.out.push_str("</a>");
    }

    /// The whole address of what a text names; none for what would run something rather than lead somewhere.
    fn address(&self, url: &str) -> Option<String> {
        let Place { blog, folder, page, .. } = self.place;
        if Field::of_address(url) == Some(Some(Field::Unsubscribe)) {
            return Some((self.place.to_leave)());
        }
        match target(url, folder, "") {
            // A place of the text itself: the page of the blog has it, too.
            Target::Elsewhere(address) if address.starts_with('#') => Some(format!("{page}{address}")),
            Target::Elsewhere(address) if address.starts_with("//") => Some(format!("https:{address}")),
            Target::Elsewhere(address) => Some(address),
            Target::Blog(path) => Some(format!("{blog}{path}")),
            Target::Beside { to, rest, .. } => Some(href(blog, &to) + &rest),
            Target::Unsafe => None,
        }
    }

    /// Pictures that stand alone, each with its caption.
    fn figures(&mut self, words: &'a [Inline]) {
        for word in words {
            let Inline::Image { url, alt, title, .. } = word else { continue };
            self.open("div", style::FIGURE);
            match self.shown(url) {
                Shown::Picture(address, size) => {
                    self.image(&address, size, alt, style::PICTURE);
                    if !title.is_empty() {
                        self.out.push('\n');
                        self.open("div", style::CAPTION);
                        push_escaped(title, &mut self.out);
                        self.out.push_str("</div>");
                    }
                }
                other => self.named(other, if title.is_empty() { alt } else { title }),
            }
            self.close("div");
        }
    }

    fn image(&mut self, address: &str, size: Option<(u32, u32)>, alt: &str, style: &str) {
        let attributes = [("src", address), ("alt", alt), ("style", style)];
        match size {
            // Some mailers go by the attributes alone, so that they are of the size that is shown.
            Some((width, height)) => {
                let shown = width.min(style::COLUMN);
                let height = (u64::from(height) * u64::from(shown) / u64::from(width.max(1))).max(1);
                let (width, height) = (shown.to_string(), height.to_string());
                let [src, alt, style] = attributes;
                self.open_with("img", &[src, alt, ("width", &width), ("height", &height), style]);
            }
            None => self.open_with("img", &attributes),
        }
    }

    /// A picture that no mailer would show: its name, as a link where it lies somewhere.
    fn named(&mut self, shown: Shown, words: &str) {
        let address = match shown {
            Shown::Linked(address) if !self.in_link => address,
            _ => return push_escaped(words, &mut self.out),
        };
        self.open_with("a", &[("href", &address)]);
        push_escaped("[画像] ", &mut self.out);
        push_escaped(if words.is_empty() { &address } else { words }, &mut self.out);
        self.out.push_str("</a>");
    }

    fn shown(&self, url: &str) -> Shown {
        let Place { blog, folder, has_file, assets, .. } = self.place;
        match target(url, folder, "") {
            Target::Beside { from, to, .. } if has_file(&from) => self.beside(&from, &to),
            Target::Blog(path) => {
                let named = decode(path.split(['?', '#']).next().unwrap_or(&path).trim_start_matches('/'));
                let from = format!("content/{named}");
                match assets.get(&named) {
                    Some(asset) => {
                        let address = href(blog, &asset.published);
                        shown(address.clone(), describe(&asset.octets).ok().as_ref())
                    }
                    None if has_file(&from) => self.beside(&from, &named),
                    None => Shown::Linked(format!("{blog}{path}")),
                }
            }
            // The pages tell of a picture that is missing or would come from another site.
            Target::Beside { .. } | Target::Elsewhere(_) | Target::Unsafe => Shown::Nowhere,
        }
    }

    /// A picture beside a text: a narrower one where that is wide enough for twice the pixels of most screens.
    fn beside(&self, from: &str, to: &str) -> Shown {
        const WIDE_ENOUGH: u32 = 960;
        let Ok(picture) = (self.place.picture)(from) else { return Shown::Nowhere };
        let narrower = picture.narrower.iter().find(|narrower| narrower.width >= WIDE_ENOUGH);
        let path = narrower.map_or_else(|| to.to_owned(), |narrower| narrower.path_beside(to));
        shown(href(self.place.blog, &path), Some(&picture))
    }

    fn open(&mut self, element: &str, style: &str) {
        self.open_with(element, &[("style", style)]);
    }

    fn open_with(&mut self, element: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(element);
        for (name, value) in attributes {
            for part in [" ", name, "=\""] {
                self.out.push_str(part);
            }
            // What is quoted in a style is quoted singly.
            match *name {
                "style" => self.out.push_str(value),
                _ => push_escaped(value, &mut self.out),
            }
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// Ends an element and the line.
    fn close(&mut self, element: &str) {
        for part in ["</", element, ">\n"] {
            self.out.push_str(part);
        }
    }
}

/// How a picture comes into a mail.
enum Shown {
    /// Its address and its size, in pixels.
    Picture(String, Option<(u32, u32)>),
    /// A drawing, which mailers do not show, or what the blog may have: its address.
    Linked(String),
    /// Nothing that could be shown.
    Nowhere,
}

fn shown(address: String, picture: Option<&Picture>) -> Shown {
    match picture {
        Some(picture) if picture.is_raster => Shown::Picture(address, picture.size),
        _ => Shown::Linked(address),
    }
}

/// Whether a paragraph holds pictures and nothing else.
fn is_pictures(words: &[Inline]) -> bool {
    let is_picture = |word: &Inline| matches!(word, Inline::Image { .. });
    words.iter().any(is_picture)
        && words.iter().all(|word| match word {
            Inline::Text { text, .. } => text.trim().is_empty(),
            Inline::HardBreak => true,
            word => is_picture(word),
        })
}
