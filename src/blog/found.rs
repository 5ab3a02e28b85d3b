//! What the search finds: every issue, article, post and page under its title.

use super::labels::{Entry, by_date};
use super::{Site, article_path, href, issue_path, page_path, post_path};
use crate::model::{Article, Document, Magazine};
use crate::search::{self, File, Terms};
use crate::source::{IssueTexts, Text};

/// The terms of all that the search finds, in the order of [`Magazine`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchTerms<'a> {
    /// For each issue, as [`Site::issue_terms`] makes them.
    pub issues: Vec<Vec<Terms<'a>>>,
    /// For each post.
    pub posts: Vec<Terms<'a>>,
    /// For each page.
    pub pages: Vec<Terms<'a>>,
    /// Whether an issue's terms are those of the index that was made before this one.
    pub are_as_before: Vec<bool>,
}

impl SearchTerms<'_> {
    /// Room for the terms of a magazine; what stays empty is not found.
    pub fn of(magazine: &Magazine) -> Self {
        SearchTerms {
            issues: vec![Vec::new(); magazine.issues.len()],
            posts: vec![Terms::default(); magazine.posts.len()],
            pages: vec![Terms::default(); magazine.pages.len()],
            are_as_before: vec![false; magazine.issues.len()],
        }
    }
}

impl Site<'_> {
    /// The terms of an issue: first its own, of its name and its opening words, then each article's. An only article has
    /// those of its issue, too, for it stands on the issue's page, and they alone are there.
    pub fn issue_terms(&self, index: usize, texts: &IssueTexts) -> Vec<Terms<'static>> {
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
    pub fn post_terms(&self, index: usize, text: &Text) -> Terms<'static> {
        let post = &self.magazine.posts[index];
        let author = post.author.as_ref().map(|author| author.name.as_str());
        let head: Vec<&str> = author.into_iter().chain(post.tags.iter().map(String::as_str)).collect();
        search::terms(&post.title, &head, [&text.document])
    }

    /// The terms of one of the blog's other pages.
    pub fn page_terms(&self, index: usize, text: &Text) -> Terms<'static> {
        search::terms(&self.magazine.pages[index].title, &[], [&text.document])
    }

    /// The files of the search, which stand beside its page; the same for the same terms. `left` gives a file of the index
    /// that was made before, by its path in the blog's folder.
    pub fn search_files(&self, terms: &SearchTerms<'_>, left: &dyn Fn(&str) -> Option<Vec<u8>>) -> Vec<File> {
        let pages =
            (0..self.magazine.pages.len()).map(|page| (self.page_entry(page), &terms.pages[page], true));
        let dated = by_date(self.magazine).into_iter().filter_map(|entry| {
            let is_new = match entry {
                Entry::Issue(issue) | Entry::Article(issue, _) => !terms.are_as_before[issue],
                Entry::Post(_) => true,
            };
            let terms = match entry {
                Entry::Issue(issue) if self.magazine.issues[issue].is_one_article() => None,
                Entry::Issue(issue) => terms.issues[issue].first(),
                Entry::Article(issue, _) if self.magazine.issues[issue].is_one_article() => {
                    terms.issues[issue].first()
                }
                Entry::Article(issue, article) => terms.issues[issue].get(article + 1),
                Entry::Post(post) => terms.posts.get(post),
            };
            Some((self.search_entry(entry), terms?, is_new))
        });
        let all: Vec<(search::Entry, &Terms<'_>, bool)> = pages.chain(dated).collect();
        search::index_again(all.iter().map(|(entry, terms, is_new)| (entry, *terms, *is_new)), left)
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
