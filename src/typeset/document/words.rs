//! Running text as plain words with the mail's marks, and the notes that it refers to.

use super::Manner;
use crate::hash::{HashMap, HashMapExt, HashSet, HashSetExt};
use crate::model::{Document, Emphasis, Field, Inline, Links, plain};

/// Keeps a note's number on the line of its word; never sent (U+2060 WORD JOINER).
pub(super) const GLUE: char = '\u{2060}';

/// Makes words of inlines; remembers the links met.
pub(super) struct Words<'a> {
    manner: Manner<'a>,
    /// The footnotes' numbers by their names.
    footnotes: HashMap<&'a str, usize>,
    /// The numbers of the addresses that stand at the end.
    numbers: HashMap<String, usize>,
    noted: Vec<String>,
    /// The addresses that are to stand below the text in hand, where they are not noted at the end.
    due_links: Vec<String>,
}

/// Which pictures a paragraph has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pictures {
    /// Nothing but pictures.
    Alone,
    /// Words, with pictures perhaps.
    Amid,
}

/// Whether a paragraph is nothing but pictures.
pub(super) fn pictures(content: &[Inline]) -> Pictures {
    let mut has_picture = false;
    for inline in content {
        match inline {
            Inline::Image { .. } => has_picture = true,
            Inline::HardBreak => {}
            Inline::Text { text, .. } if text.trim().is_empty() => {}
            _ => return Pictures::Amid,
        }
    }
    if has_picture { Pictures::Alone } else { Pictures::Amid }
}

/// Where the first words of a row stand, in octets of the source.
pub(super) fn first_place(row: &[Vec<Inline>]) -> Option<usize> {
    row.iter().flatten().find_map(place)
}

fn place(inline: &Inline) -> Option<usize> {
    match inline {
        Inline::Text { at, .. }
        | Inline::Code { at, .. }
        | Inline::Link { at, .. }
        | Inline::Image { at, .. }
        | Inline::Ruby { at, .. } => Some(*at),
        Inline::Emphasis(content) | Inline::Strong(content) | Inline::Strikethrough(content) => {
            content.iter().find_map(place)
        }
        Inline::FootnoteReference { .. } | Inline::HardBreak => None,
    }
}

/// Words that no line ends in: what is another for each reader is put in whole.
fn in_one_piece(words: &str) -> String {
    let mut glued = String::with_capacity(words.len() * 2);
    for character in words.chars() {
        if !glued.is_empty() {
            glued.push(GLUE);
        }
        glued.push(character);
    }
    glued
}

impl<'a> Words<'a> {
    pub(super) fn new(document: &'a Document, manner: &Manner<'a>) -> Self {
        let footnotes = document.footnotes.iter().enumerate();
        Words {
            manner: *manner,
            footnotes: footnotes.map(|(index, footnote)| (footnote.name.as_str(), index + 1)).collect(),
            numbers: HashMap::new(),
            noted: Vec::new(),
            due_links: Vec::new(),
        }
    }

    /// The words of a text; a line feed stands where the author asked for a line break.
    pub(super) fn of(&mut self, inlines: &[Inline]) -> String {
        let mut words = String::new();
        self.push(inlines, &mut words);
        words
    }

    /// The addresses that are to stand below what was set since the last call, each once.
    pub(super) fn take_due_links(&mut self) -> Vec<String> {
        let mut seen = HashSet::new();
        let due = std::mem::take(&mut self.due_links);
        due.into_iter().filter(|address| seen.insert(address.clone())).collect()
    }

    /// The addresses in the order of their numbers, which begin at 1.
    pub(super) fn take_noted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.noted)
    }

    fn push(&mut self, inlines: &[Inline], words: &mut String) {
        for inline in inlines {
            match inline {
                Inline::Text { text, .. } | Inline::Code { text, .. } => words.push_str(text),
                Inline::Emphasis(content) => self.push_marked("*", self.manner.emphasis, content, words),
                Inline::Strong(content) => self.push_marked("**", self.manner.emphasis, content, words),
                Inline::Strikethrough(content) => self.push_marked("~~", Emphasis::Keep, content, words),
                Inline::Link { url, content, .. } => self.push_link(url, content, words),
                Inline::Image { url, alt, title, .. } => {
                    words.push_str(if title.is_empty() { alt } else { title });
                    self.push_address(url, words);
                }
                Inline::Ruby { groups, .. } => {
                    groups.iter().for_each(|group| words.push_str(&group.base));
                    words.push('(');
                    groups.iter().for_each(|group| words.push_str(&group.reading));
                    words.push(')');
                }
                Inline::FootnoteReference { name } => {
                    if let Some(number) = self.footnotes.get(name.as_str()) {
                        words.push_str(&format!("{GLUE}[*{number}]"));
                    }
                }
                Inline::HardBreak => words.push('\n'),
            }
        }
    }

    fn push_marked(&mut self, mark: &str, emphasis: Emphasis, content: &[Inline], words: &mut String) {
        let mark = if emphasis == Emphasis::Keep { mark } else { "" };
        words.push_str(mark);
        self.push(content, words);
        words.push_str(mark);
    }

    fn push_link(&mut self, url: &str, content: &[Inline], words: &mut String) {
        let shown = plain(content);
        if Field::of_address(url) == Some(Some(Field::Name)) {
            words.push_str(&Field::Name.marked(&in_one_piece(&shown)));
        } else if shown == url && Field::of_address(url).is_some() {
            words.push_str(&self.address(url));
        } else if shown == url || url.strip_prefix("mailto:") == Some(&shown) {
            words.push_str(&shown);
        } else if content.is_empty() {
            words.push_str(&self.address(url));
        } else {
            self.push(content, words);
            // Who reads from top to bottom needs no way to a place of the same article.
            if !url.starts_with('#') {
                self.push_address(url, words);
            }
        }
    }

    fn address(&self, url: &str) -> String {
        match url.strip_prefix("mailto:") {
            Some(address) => address.to_owned(),
            None => (self.manner.address)(url),
        }
    }

    /// The address of the words before: its number here, or its own line later.
    fn push_address(&mut self, url: &str, words: &mut String) {
        let address = self.address(url);
        match self.manner.links {
            Links::Line => self.due_links.push(address),
            Links::Notes => {
                let number = *self.numbers.entry(address).or_insert_with_key(|address| {
                    self.noted.push(address.clone());
                    self.noted.len()
                });
                words.push_str(&format!("{GLUE}[{number}]"));
            }
        }
    }
}
