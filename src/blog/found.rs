//! What the search finds: every issue, article, post and page under its title.

use std::ops::Range;

use rayon::prelude::*;

use super::labels::{Entry, by_date};
use super::{Site, article_path, href, issue_path, page_path, post_path};
use crate::hash::{HashMap, HashMapExt};
use crate::model::{Article, Document, Magazine};
use crate::search::{self, Extent, File, Found, Terms};
use crate::source::{IssueTexts, Text};

/// What the search finds in an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueTerms {
    /// What [`Site::issue_terms`] says.
    Made(Vec<Terms>),
    /// What is found in it by the index before, of each of its texts so much.
    AsBefore(Vec<Extent>),
}

/// The terms of all that the search finds, in the order of [`Magazine`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchTerms {
    /// For each issue.
    pub issues: Vec<IssueTerms>,
    /// For each post.
    pub posts: Vec<Terms>,
    /// For each page.
    pub pages: Vec<Terms>,
}

impl SearchTerms {
    /// Room for the terms of a magazine; what stays empty is not found.
    pub fn of(magazine: &Magazine) -> Self {
        SearchTerms {
            issues: vec![IssueTerms::Made(Vec::new()); magazine.issues.len()],
            posts: vec![Terms::default(); magazine.posts.len()],
            pages: vec![Terms::default(); magazine.pages.len()],
        }
    }
}

/// The pages of an index in its order: of each the number of its issue, if it is of one. An issue's stand together.
pub type SearchOrder = Vec<Option<u32>>;

/// The index that was made before, and where the pages of each issue stand in it.
#[derive(Debug, Default)]
pub struct SearchBefore {
    index: search::Before,
    /// The places of each issue's pages, by the issue's number.
    places: HashMap<u32, Range<usize>>,
}

impl SearchBefore {
    /// Reads the index whose files `left` gives by their paths in the blog's folder; none where it is not one of pages in
    /// this order.
    pub fn read(order: &[Option<u32>], left: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync)) -> Option<Self> {
        let index = search::Before::read(left).filter(|index| index.pages() == order.len())?;
        let mut places: HashMap<u32, Range<usize>> = HashMap::new();
        for (place, issue) in order.iter().enumerate() {
            issue.iter().for_each(|&issue| places.entry(issue).or_insert(place..place).end = place + 1);
        }
        Some(SearchBefore { index, places })
    }

    /// Whether it has so many pages of an issue.
    pub fn has(&self, number: u32, pages: usize) -> bool {
        self.places.get(&number).map_or(0, Range::len) == pages
    }
}

impl Site<'_> {
    /// The terms of an issue: first its own, of its name and its opening words, then each article's. An only article has
    /// those of its issue, too, for it stands on the issue's page, and they alone are there.
    pub fn issue_terms(&self, index: usize, texts: &IssueTexts) -> Vec<Terms> {
        let issue = &self.magazine.issues[index];
        let title = self.issue_title(index);
        let opening = || texts.opening.iter().map(|text| &text.document);
        let tags: Vec<&str> = issue.tags.iter().map(String::as_str).collect();
        let of_article = |article: &Article, text: &Text, of_issue: &[&str], opening: Option<&Document>| {
            let author = article.author.as_ref().map(|author| author.name.as_str());
            let tags = article.tags.iter().map(String::as_str);
            let own = author.into_iter().chain(article.corner.as_deref()).chain(tags);
            let head: Vec<&str> = of_issue.iter().copied().chain(own).collect();
            search::terms(&article.title, &head, opening.into_iter().chain([&text.document]))
        };
        if let ([article], [text]) = (issue.articles.as_slice(), texts.articles.as_slice()) {
            let of_issue: Vec<&str> = [title.as_str()].into_iter().chain(tags).collect();
            return vec![of_article(article, text, &of_issue, opening().next())];
        }
        let own = search::terms(&title, &tags, opening());
        let articles = issue.articles.iter().zip(&texts.articles);
        [own]
            .into_iter()
            .chain(articles.map(|(article, text)| of_article(article, text, &[], None)))
            .collect()
    }

    /// The terms of a post.
    pub fn post_terms(&self, index: usize, text: &Text) -> Terms {
        let post = &self.magazine.posts[index];
        let author = post.author.as_ref().map(|author| author.name.as_str());
        let head: Vec<&str> = author.into_iter().chain(post.tags.iter().map(String::as_str)).collect();
        search::terms(&post.title, &head, [&text.document])
    }

    /// The terms of one of the blog's other pages.
    pub fn page_terms(&self, index: usize, text: &Text) -> Terms {
        search::terms(&self.magazine.pages[index].title, &[], [&text.document])
    }

    /// The files of the search, which stand beside its page, and the order of what they tell of. They are the same however
    /// many of the terms are those of the index `before`.
    pub fn search_files(&self, terms: &SearchTerms, before: &SearchBefore) -> (Vec<File>, SearchOrder) {
        let pages = (0..self.magazine.pages.len())
            .map(|page| (None, self.page_entry(page), Found::Terms(&terms.pages[page])));
        let dated = by_date(self.magazine).into_par_iter().filter_map(|entry| {
            let (issue, text) = match entry {
                Entry::Issue(issue) if self.magazine.issues[issue].is_one_article() => return None,
                Entry::Issue(issue) => (issue, 0),
                Entry::Article(issue, _) if self.magazine.issues[issue].is_one_article() => (issue, 0),
                Entry::Article(issue, article) => (issue, article + 1),
                Entry::Post(post) => {
                    return Some((None, self.search_entry(entry), Found::Terms(&terms.posts[post])));
                }
            };
            let number = self.magazine.issues[issue].number;
            let found = match &terms.issues[issue] {
                IssueTerms::Made(texts) => Found::Terms(texts.get(text)?),
                IssueTerms::AsBefore(texts) => {
                    Found::AsBefore(before.places.get(&number)?.start + text, *texts.get(text)?)
                }
            };
            Some((Some(number), self.search_entry(entry), found))
        });
        let mut all: Vec<(Option<u32>, search::Entry, Found<'_>)> = pages.collect();
        all.par_extend(dated);
        let files = search::index(all.iter().map(|(_, entry, found)| (entry, *found)), &before.index);
        (files, all.iter().map(|(number, ..)| *number).collect())
    }

    fn page_entry(&self, index: usize) -> search::Entry {
        let page = &self.magazine.pages[index];
        let url = href(self.root, &page_path(page));
        search::Entry { title: page.title.clone(), url, label: String::new(), date: None }
    }

    fn search_entry(&self, entry: Entry) -> search::Entry {
        let (title, path, label) = match entry {
            Entry::Issue(index) => {
                (self.issue_title(index), issue_path(&self.magazine.issues[index]), String::new())
            }
            Entry::Article(index, article) => {
                let issue = &self.magazine.issues[index];
                let article = &issue.articles[article];
                (article.title.clone(), article_path(issue, article), format!("Vol.{}", issue.label))
            }
            Entry::Post(index) => {
                let post = &self.magazine.posts[index];
                (post.title.clone(), post_path(post), "ブログ".to_owned())
            }
        };
        search::Entry { title, url: href(self.root, &path), label, date: Some(self.date(entry)) }
    }

    fn issue_title(&self, index: usize) -> String {
        format!("{} Vol.{}", self.config.magazine.name, self.magazine.issues[index].label)
    }
}
