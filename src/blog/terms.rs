//! The words of a text that an index names: what its definition lists define, and what it gives a reading for.

use serde::{Deserialize, Serialize};

use crate::hash::HashSet;
use crate::model::{Block, Document, Inline, plain};

/// A word that an index names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// The word as it is written: 禁則処理.
    pub word: String,
    /// How it is read, in kana, where the text says so: きんそくしょり.
    pub reading: Option<String>,
}

/// What is longer than this, in characters, is a sentence and no word.
const LONGEST: usize = 30;

/// The terms of a text in order of appearance, each once.
pub fn terms(document: &Document) -> Vec<Term> {
    let mut found = Found::default();
    found.blocks(&document.blocks);
    document.footnotes.iter().for_each(|footnote| found.blocks(&footnote.blocks));
    found.terms
}

#[derive(Default)]
struct Found {
    terms: Vec<Term>,
    seen: HashSet<Term>,
}

// The readers of documents bound how deep they nest, so these may call themselves.
impl Found {
    fn add(&mut self, word: &str, reading: &str) {
        let word = word.trim();
        if word.is_empty() || word.chars().nth(LONGEST).is_some() {
            return;
        }
        let reading = reading.trim();
        let is_reading = !reading.is_empty() && reading != word && reading.chars().all(is_kana);
        let term = Term { word: word.to_owned(), reading: is_reading.then(|| reading.to_owned()) };
        if self.seen.insert(term.clone()) {
            self.terms.push(term);
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(content) | Block::Heading { content, .. } => self.inlines(content),
                Block::List { items, .. } => items.iter().for_each(|item| self.blocks(&item.blocks)),
                Block::Quote(blocks) => self.blocks(blocks),
                Block::Table { head, rows, .. } => {
                    head.iter().chain(rows.iter().flatten()).for_each(|cell| self.inlines(cell));
                }
                Block::Definitions(definitions) => {
                    for definition in definitions {
                        definition.terms.iter().for_each(|term| self.add(&plain(term), &reading(term)));
                        definition.details.iter().for_each(|detail| self.blocks(detail));
                    }
                }
                Block::Code { .. } | Block::Rule => {}
            }
        }
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Ruby { groups, .. } => {
                    let word: String = groups.iter().map(|group| group.base.as_str()).collect();
                    let reading: String = groups.iter().map(|group| group.reading.as_str()).collect();
                    // A reading in Latin letters or in dots for emphasis does not make a word of an index.
                    if reading.chars().all(is_kana) {
                        self.add(&word, &reading);
                    }
                }
                Inline::Emphasis(content)
                | Inline::Strong(content)
                | Inline::Strikethrough(content)
                | Inline::Link { content, .. } => self.inlines(content),
                _ => {}
            }
        }
    }
}

/// The words of inlines with every reading in place of what it is for.
fn reading(inlines: &[Inline]) -> String {
    let mut words = String::new();
    for inline in inlines {
        match inline {
            Inline::Ruby { groups, .. } => groups.iter().for_each(|group| words.push_str(&group.reading)),
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. } => words.push_str(&reading(content)),
            other => words.push_str(&plain(std::slice::from_ref(other))),
        }
    }
    words
}

/// Hiragana, katakana and the marks among them, `・` apart.
fn is_kana(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | '゛'..='ゞ' | 'ァ'..='ヺ' | 'ー'..='ヾ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceText;
    use crate::source;

    #[test]
    fn what_is_defined_and_what_is_read_are_terms() {
        let long = format!("{}\n: 長い", "長".repeat(31));
        for (markdown, expected) in [
            ("{禁則|きんそく}と{禁則|きんそく}と**{行頭|ぎょう|とう}**", "禁則=きんそく 行頭=ぎょうとう"),
            ("{禁則|きんそく}処理\n: 行の端\n\nSMTP\n: {道|みち}", "禁則処理 SMTP 道=みち"),
            ("{組|く}み\n: 並べる", "組み=くみ"),
            ("`{組|くみ}` {本|book} {点|・}", ""),
            ("- > {表|ひょう}\n\n語[^1]\n\n[^1]: {注|ちゅう}", "表=ひょう 注=ちゅう"),
            (&long, ""),
        ] {
            let source = SourceText::new("a.md", markdown);
            let (_, document) = source::document(&source, 0..markdown.len(), &mut Vec::new());
            let told: Vec<String> = terms(&document)
                .into_iter()
                .map(|term| {
                    term.reading.map_or(term.word.clone(), |reading| format!("{}={reading}", term.word))
                })
                .collect();
            assert_eq!(told.join(" "), expected, "{markdown}");
        }
    }
}
