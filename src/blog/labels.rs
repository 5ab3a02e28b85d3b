//! Tags, corners and authors: what gathers articles across issues.

use super::related::{Packed, packed};
use crate::address::{named_part, part};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::hash::{HashMap, HashMapExt};
use crate::model::{Article, Author, Magazine};

/// Something that has a page of the blog, or of which one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// An issue, by its index in [`Magazine::issues`].
    Issue(usize),
    /// An article, by the indexes of its issue and of itself.
    Article(usize, usize),
    /// A post, by its index in [`Magazine::posts`].
    Post(usize),
}

/// A name with all that stands under it, oldest first.
#[derive(Debug, Default)]
pub(super) struct Label {
    pub(super) name: String,
    /// Its page's path: `tags/charset/`.
    pub(super) path: String,
    pub(super) entries: Vec<Entry>,
    /// The same, each in one number; of tags and corners alone.
    pub(super) packed: Vec<Packed>,
}

/// All names of one kind, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) all: Vec<Label>,
    by_name: HashMap<String, usize>,
}

/// A tag or corner that an entry carries: its place among the labels, and the entry's place among the label's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Tag(usize, usize),
    Corner(usize, usize),
}

impl Mark {
    /// The entry's place in its label.
    pub(super) fn place(self) -> usize {
        match self {
            Mark::Tag(_, place) | Mark::Corner(_, place) => place,
        }
    }
}

/// The three kinds.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) tags: Labels,
    pub(super) corners: Labels,
    pub(super) authors: Labels,
    marks: HashMap<Entry, Vec<Mark>>,
    /// How many articles and posts there are.
    pub(super) texts: usize,
}

impl Labels {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn add(&mut self, name: &str, entry: Entry) {
        let index = match self.by_name.get(name) {
            Some(&index) => index,
            None => {
                self.by_name.insert(name.to_owned(), self.all.len());
                self.all.push(Label { name: name.to_owned(), ..Label::default() });
                self.all.len() - 1
            }
        };
        let entries = &mut self.all[index].entries;
        // An article that names a tag twice is listed once.
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }

    /// Gives every label its address, and finds those that share one.
    fn settle(
        &mut self,
        kind: &'static str,
        folder: &str,
        config: &Config,
        part: impl Fn(&str) -> String,
        problems: &mut Vec<Diagnostic>,
    ) {
        self.all.sort_by(|a, b| a.name.cmp(&b.name));
        self.by_name =
            self.all.iter().enumerate().map(|(index, label)| (label.name.clone(), index)).collect();
        let mut taken: HashMap<String, &str> = HashMap::new();
        for label in &mut self.all {
            let part = part(&label.name);
            let example = format!("\"{}\" = \"…\"", label.name);
            let help = match kind {
                "author" => "give the author a key under [authors]".to_owned(),
                _ => format!("choose an address under [blog.tags]: {example}"),
            };
            let problem = if part.is_empty() {
                format!("the {kind} `{}` has no character that can stand in an address", label.name)
            } else if let Some(first) = taken.insert(part.clone(), &label.name) {
                format!("the {kind}s `{first}` and `{}` have one address: /{folder}/{part}/", label.name)
            } else {
                label.path = format!("{folder}/{part}/");
                continue;
            };
            problems.push(
                Diagnostic::error("address-collision", problem).in_file(&config.source.path).help(help),
            );
        }
    }
}

impl Index {
    pub(super) fn new(magazine: &Magazine, config: &Config, problems: &mut Vec<Diagnostic>) -> Self {
        let mut index = Index::default();
        for entry in by_date(magazine) {
            index.texts += usize::from(!matches!(entry, Entry::Issue(_)));
            match entry {
                Entry::Issue(issue) => {
                    let entry = match magazine.issues[issue].is_one_article() {
                        true => Entry::Article(issue, 0),
                        false => entry,
                    };
                    magazine.issues[issue].tags.iter().for_each(|tag| index.tags.add(tag, entry));
                }
                Entry::Article(issue, article) => {
                    let Article { tags, corner, author, .. } = &magazine.issues[issue].articles[article];
                    tags.iter().for_each(|tag| index.tags.add(tag, entry));
                    corner.iter().for_each(|corner| index.corners.add(corner, entry));
                    author.iter().for_each(|author| index.authors.add(&author.name, entry));
                }
                Entry::Post(post) => {
                    let post = &magazine.posts[post];
                    post.tags.iter().for_each(|tag| index.tags.add(tag, entry));
                    post.author.iter().for_each(|author| index.authors.add(&author.name, entry));
                }
            }
        }
        let settled = &config.blog.tags;
        let label_part = |name: &str| named_part(name, settled);
        index.tags.settle("tag", "tags", config, label_part, problems);
        index.corners.settle("corner", "corners", config, label_part, problems);
        let keys: HashMap<&str, &str> =
            config.authors.iter().map(|(key, author)| (author.name.as_str(), key.as_str())).collect();
        let author_part = |name: &str| keys.get(name).map_or_else(|| part(name), |key| key.to_lowercase());
        index.authors.settle("author", "authors", config, author_part, problems);
        let kinds = [
            (&mut index.tags.all, Mark::Tag as fn(usize, usize) -> Mark),
            (&mut index.corners.all, Mark::Corner as fn(usize, usize) -> Mark),
        ];
        for (labels, mark) in kinds {
            for (at, label) in labels.iter_mut().enumerate() {
                label.packed = label.entries.iter().map(|&entry| packed(entry)).collect();
                for (place, &entry) in label.entries.iter().enumerate() {
                    index.marks.entry(entry).or_default().push(mark(at, place));
                }
            }
        }
        index
    }

    /// The tags and the corner that an entry carries.
    pub(super) fn marks(&self, entry: Entry) -> &[Mark] {
        self.marks.get(&entry).map_or(&[], Vec::as_slice)
    }

    /// What an entry is marked with.
    pub(super) fn label(&self, mark: Mark) -> &Label {
        match mark {
            Mark::Tag(at, _) => &self.tags.all[at],
            Mark::Corner(at, _) => &self.corners.all[at],
        }
    }

    /// Where an author is in [`Index::authors`].
    pub(super) fn author(&self, author: &Author) -> Option<usize> {
        self.authors.find(&author.name)
    }
}

/// Everything by its day, oldest first; an issue stands before its articles, and these in their order.
pub(super) fn by_date(magazine: &Magazine) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut posts = (0..magazine.posts.len()).peekable();
    for (index, issue) in magazine.issues.iter().enumerate() {
        while let Some(post) = posts.next_if(|&post| magazine.posts[post].date < issue.date) {
            entries.push(Entry::Post(post));
        }
        entries.push(Entry::Issue(index));
        entries.extend((0..issue.articles.len()).map(|article| Entry::Article(index, article)));
    }
    entries.extend(posts.map(Entry::Post));
    entries
}
