//! The text of an article as a tree of blocks and inlines, whatever it was written in.
//!
//! Soft line breaks are joined already: two wide characters meet without a space, anything else with one.
//! `at` is an octet offset into the article's source file, so that a problem can be shown at its place.

use super::Field;

/// A text: blocks in order, and the footnotes that its references name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The blocks from top to bottom.
    pub blocks: Vec<Block>,
    /// The footnotes that are referred to, in the order of their first reference.
    pub footnotes: Vec<Footnote>,
}

/// A block of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Running text.
    Paragraph(Vec<Inline>),
    /// A heading inside an article: level 2 to 6.
    Heading {
        /// 1 to 6, as many as there were `#`.
        level: u8,
        /// The anchor the author gave (`{#name}`).
        id: Option<String>,
        /// The heading's words.
        content: Vec<Inline>,
    },
    /// A list; numbered when it has a start.
    List {
        /// The first number of a numbered list.
        start: Option<u64>,
        /// Whether the items stand without blank lines between them.
        tight: bool,
        /// The items.
        items: Vec<Item>,
    },
    /// A quotation.
    Quote(Vec<Block>),
    /// Preformatted text, never filled.
    Code {
        /// The first word of the fence's info string; empty when there is none.
        language: String,
        /// The lines, each ending in a line feed.
        text: String,
        /// Where the text begins.
        at: usize,
    },
    /// A table with a head row.
    Table {
        /// One for each column.
        alignments: Vec<Alignment>,
        /// The head's cells.
        head: Vec<Vec<Inline>>,
        /// The body's rows, as many cells as the head has.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A definition list.
    Definitions(Vec<Definition>),
    /// A thematic break.
    Rule,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `Some(done)` for a task.
    pub task: Option<bool>,
    /// What the item holds; a tight item holds one paragraph and perhaps a list.
    pub blocks: Vec<Block>,
}

/// A term (or several) and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The terms.
    pub terms: Vec<Vec<Inline>>,
    /// The definitions, each of blocks.
    pub details: Vec<Vec<Block>>,
}

/// A footnote's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footnote {
    /// The name its references use.
    pub name: String,
    /// The text.
    pub blocks: Vec<Block>,
}

/// How a table's column stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alignment {
    /// As the reader's medium likes: left.
    #[default]
    None,
    /// Flush left.
    Left,
    /// Centred.
    Center,
    /// Flush right.
    Right,
}

/// A piece of running text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Words.
    Text {
        /// The words themselves.
        text: String,
        /// Where they stand.
        at: usize,
    },
    /// Code.
    Code {
        /// The code itself.
        text: String,
        /// Where it stands.
        at: usize,
    },
    /// Emphasis.
    Emphasis(Vec<Inline>),
    /// Strong emphasis.
    Strong(Vec<Inline>),
    /// Struck-through text.
    Strikethrough(Vec<Inline>),
    /// A link; an autolink's content equals its address.
    Link {
        /// The address.
        url: String,
        /// The words that are linked.
        content: Vec<Inline>,
        /// Where the link begins.
        at: usize,
    },
    /// A picture.
    Image {
        /// The address, relative to the file that names it.
        url: String,
        /// What a reader who cannot see it is told.
        alt: String,
        /// Its caption; empty when there is none.
        title: String,
        /// Where it stands.
        at: usize,
    },
    /// Characters with their reading.
    Ruby {
        /// Each base with its reading: one group for `{漢字|かんじ}`, two for `{漢字|かん|じ}`.
        groups: Vec<RubyGroup>,
        /// Where it stands.
        at: usize,
    },
    /// A reference to a footnote by its name.
    FootnoteReference {
        /// The footnote's name; one of [`Document::footnotes`].
        name: String,
    },
    /// A line break that the author asked for.
    HardBreak,
}

/// A base and its reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RubyGroup {
    /// 漢
    pub base: String,
    /// かん
    pub reading: String,
}

impl Document {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The level of the highest heading, 1 to 6.
    pub fn highest_heading(&self) -> Option<u8> {
        highest_heading(&self.blocks)
    }

    /// The first paragraph that has words: what the mail carries of an article whose rest, its footnotes among it, is
    /// on the blog.
    pub fn first_paragraph(&self) -> Document {
        let is_picture = |inline: &Inline| matches!(inline, Inline::Image { .. } | Inline::HardBreak);
        let has_words =
            |block: &&Block| matches!(block, Block::Paragraph(content) if !content.iter().all(is_picture));
        let first = self.blocks.iter().find(has_words);
        Document { blocks: first.into_iter().cloned().collect(), footnotes: Vec::new() }
    }
}

fn highest_heading(blocks: &[Block]) -> Option<u8> {
    let level = |block: &Block| match block {
        Block::Heading { level, .. } => Some(*level),
        Block::Quote(blocks) => highest_heading(blocks),
        Block::List { items, .. } => items.iter().filter_map(|item| highest_heading(&item.blocks)).min(),
        Block::Definitions(definitions) => definitions
            .iter()
            .flat_map(|definition| &definition.details)
            .filter_map(|blocks| highest_heading(blocks))
            .min(),
        _ => None,
    };
    blocks.iter().filter_map(level).min()
}

/// The visible words of inlines, without any mark: for titles, excerpts and feeds.
pub fn plain(inlines: &[Inline]) -> String {
    let mut words = String::new();
    push_plain(inlines, &mut words);
    words
}

fn push_plain(inlines: &[Inline], words: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { text, .. } | Inline::Code { text, .. } => words.push_str(text),
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. } => push_plain(content, words),
            Inline::Image { alt, .. } => words.push_str(alt),
            Inline::Ruby { groups, .. } => groups.iter().for_each(|group| words.push_str(&group.base)),
            Inline::FootnoteReference { .. } => {}
            Inline::HardBreak => words.push(' '),
        }
    }
}

impl Document {
    /// Changes words and code everywhere, titles of pictures and readings of ruby among them; addresses stay.
    pub fn change_words(&mut self, change: &mut impl FnMut(&mut String)) {
        change_in_blocks(&mut self.blocks, change);
        self.footnotes.iter_mut().for_each(|footnote| change_in_blocks(&mut footnote.blocks, change));
    }
}

fn change_in_blocks(blocks: &mut [Block], change: &mut impl FnMut(&mut String)) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => change_in_inlines(content, change),
            Block::List { items, .. } => {
                items.iter_mut().for_each(|item| change_in_blocks(&mut item.blocks, change));
            }
            Block::Quote(blocks) => change_in_blocks(blocks, change),
            Block::Code { text, .. } => change(text),
            Block::Table { head, rows, .. } => {
                head.iter_mut()
                    .chain(rows.iter_mut().flatten())
                    .for_each(|cell| change_in_inlines(cell, change));
            }
            Block::Definitions(definitions) => {
                for definition in definitions {
                    definition.terms.iter_mut().for_each(|term| change_in_inlines(term, change));
                    definition.details.iter_mut().for_each(|detail| change_in_blocks(detail, change));
                }
            }
            Block::Rule => {}
        }
    }
}

fn change_in_inlines(inlines: &mut [Inline], change: &mut impl FnMut(&mut String)) {
    for inline in inlines {
        match inline {
            Inline::Text { text, .. } | Inline::Code { text, .. } => change(text),
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. } => change_in_inlines(content, change),
            Inline::Image { alt, title, .. } => {
                change(alt);
                change(title);
            }
            Inline::Ruby { groups, .. } => {
                for group in groups {
                    change(&mut group.base);
                    change(&mut group.reading);
                }
            }
            Inline::FootnoteReference { .. } | Inline::HardBreak => {}
        }
    }
}

/// A piece of a document's text, for those who look at every word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words that are filled into lines, and where they stand.
    Words(&'a str, usize),
    /// Code within a line, and where it stands.
    Code(&'a str, usize),
    /// Preformatted lines, and where they stand.
    Lines(&'a str, usize),
    /// The address of a link or picture, and where the link stands.
    Address(&'a str, usize),
}

impl Document {
    /// Shows every piece of text, footnotes last.
    pub fn for_each_piece<'a>(&'a self, mut look: impl FnMut(Piece<'a>)) {
        blocks_pieces(&self.blocks, &mut look);
        self.footnotes.iter().for_each(|footnote| blocks_pieces(&footnote.blocks, &mut look));
    }

    /// Whether a link of it names this field of the reader.
    pub fn has_field(&self, field: Field) -> bool {
        let mut has_field = false;
        self.for_each_piece(|piece| {
            has_field |=
                matches!(piece, Piece::Address(url, _) if Field::of_address(url) == Some(Some(field)));
        });
        has_field
    }
}

// The readers of documents bound how deep they nest, so these may call themselves.
fn blocks_pieces<'a>(blocks: &'a [Block], look: &mut impl FnMut(Piece<'a>)) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => inline_pieces(content, look),
            Block::List { items, .. } => items.iter().for_each(|item| blocks_pieces(&item.blocks, look)),
            Block::Quote(blocks) => blocks_pieces(blocks, look),
            Block::Code { text, at, .. } => look(Piece::Lines(text, *at)),
            Block::Table { head, rows, .. } => {
                head.iter().chain(rows.iter().flatten()).for_each(|cell| inline_pieces(cell, look));
            }
            Block::Definitions(definitions) => {
                for definition in definitions {
                    definition.terms.iter().for_each(|term| inline_pieces(term, look));
                    definition.details.iter().for_each(|detail| blocks_pieces(detail, look));
                }
            }
            Block::Rule => {}
        }
    }
}

fn inline_pieces<'a>(inlines: &'a [Inline], look: &mut impl FnMut(Piece<'a>)) {
    for inline in inlines {
        match inline {
            Inline::Text { text, at } => look(Piece::Words(text, *at)),
            Inline::Code { text, at } => look(Piece::Code(text, *at)),
            Inline::Emphasis(content) | Inline::Strong(content) | Inline::Strikethrough(content) => {
                inline_pieces(content, look);
            }
            Inline::Link { url, content, at } => {
                inline_pieces(content, look);
                look(Piece::Address(url, *at));
            }
            Inline::Image { url, alt, title, at } => {
                look(Piece::Words(if title.is_empty() { alt } else { title }, *at));
                look(Piece::Address(url, *at));
            }
            Inline::Ruby { groups, at } => {
                for group in groups {
                    look(Piece::Words(&group.base, *at));
                    look(Piece::Words(&group.reading, *at));
                }
            }
            Inline::FootnoteReference { .. } | Inline::HardBreak => {}
        }
    }
}
