//! The words of a document as readers see them: a word that is partly emphasised is one word, and none goes on from one
//! block to the next.

use crate::model::{Block, Document, Inline};

/// Words in order, and where they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run<'a> {
    Words(&'a str),
    /// A block, a cell or a line ends.
    End,
}

/// Shows every word of a document; readings of ruby after the block whose words they tell.
pub(super) fn for_each_run<'a>(document: &'a Document, look: &mut impl FnMut(Run<'a>)) {
    blocks(&document.blocks, look);
    document.footnotes.iter().for_each(|footnote| blocks(&footnote.blocks, look));
}

// The readers of documents bound how deep they nest, so these may call themselves.
fn blocks<'a>(all: &'a [Block], look: &mut impl FnMut(Run<'a>)) {
    for block in all {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => line(content, look),
            Block::List { items, .. } => items.iter().for_each(|item| blocks(&item.blocks, look)),
            Block::Quote(quoted) => blocks(quoted, look),
            Block::Code { text, .. } => {
                look(Run::Words(text));
                look(Run::End);
            }
            Block::Table { head, rows, .. } => {
                head.iter().chain(rows.iter().flatten()).for_each(|cell| line(cell, look));
            }
            Block::Definitions(definitions) => {
                for definition in definitions {
                    definition.terms.iter().for_each(|term| line(term, look));
                    definition.details.iter().for_each(|detail| blocks(detail, look));
                }
            }
            Block::Rule => {}
        }
    }
}

fn line<'a>(content: &'a [Inline], look: &mut impl FnMut(Run<'a>)) {
    let mut readings = Vec::new();
    inlines(content, &mut readings, look);
    look(Run::End);
    for reading in readings {
        look(Run::Words(reading));
    }
    look(Run::End);
}

fn inlines<'a>(all: &'a [Inline], readings: &mut Vec<&'a str>, look: &mut impl FnMut(Run<'a>)) {
    for inline in all {
        match inline {
            Inline::Text { text, .. } | Inline::Code { text, .. } => look(Run::Words(text)),
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. } => inlines(content, readings, look),
            Inline::Image { alt, title, .. } => {
                for words in [alt, title] {
                    look(Run::End);
                    look(Run::Words(words));
                }
                look(Run::End);
            }
            Inline::Ruby { groups, .. } => {
                groups.iter().for_each(|group| look(Run::Words(&group.base)));
                readings.extend(groups.iter().map(|group| group.reading.as_str()));
                // The readings of one word are one; those of the next are another.
                readings.push(" ");
            }
            Inline::HardBreak => look(Run::End),
            Inline::FootnoteReference { .. } => {}
        }
    }
}
