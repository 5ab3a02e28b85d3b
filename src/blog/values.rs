//! What templates see of issues, articles, posts and names: one light value for each, made once and shared by
//! every list that shows it. Full texts are never among them. `docs/templates.md` describes their fields.

use std::sync::OnceLock;

use chrono::Datelike;
use rayon::prelude::*;

use super::html::without_controls;
use super::labels::{Entry, Index, Label};
use super::{Site, word_index};
use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::config::Config;
use crate::model::{Article, Author, Issue, Magazine, Post};
use crate::theme::{Fingerprints, Map, Theme, Value};

/// The light values.
#[derive(Debug)]
pub(super) struct Values {
    /// Each made when somebody first asks for it: a build that keeps most pages needs few.
    of_issues: Vec<OnceLock<OfIssue>>,
    pub(super) posts: Vec<Value>,
    /// All of them as entries of lists, where they are kept: see [`Site::fingerprints`].
    entries: OnceLock<Entries>,
    /// Names alone: how much stands under each changes with every issue, and is shown by few pages.
    tags: Vec<Value>,
    corners: Vec<Value>,
    authors: Vec<Value>,
    /// What every page knows of the magazine.
    pub(super) site: Value,
}

#[derive(Debug)]
struct OfIssue {
    /// With its articles.
    issue: Value,
    articles: Vec<Value>,
}

/// Entries of lists.
#[derive(Debug)]
struct Entries {
    issues: Vec<Value>,
    articles: Vec<Vec<Value>>,
    posts: Vec<Value>,
}

/// A map with fixed names.
pub(super) fn map<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    let mut map = Map::with_capacity(N);
    for (name, value) in fields {
        map.insert(name.into(), value);
    }
    map.into()
}

/// A text for a template.
pub(super) fn text(words: &str) -> Value {
    Value::from(without_controls(words))
}

/// A value, or none.
pub(super) fn optional(value: Option<Value>) -> Value {
    value.unwrap_or_else(Value::none)
}

impl Values {
    pub(super) fn new(magazine: &Magazine, config: &Config, index: &Index, theme: &Theme) -> Self {
        let root = config.blog.base_path();
        let named = |labels: &[Label]| labels.iter().map(|label| map(named(label, root))).collect::<Vec<_>>();
        let mut values = Values {
            of_issues: magazine.issues.iter().map(|_| OnceLock::new()).collect(),
            posts: Vec::new(),
            entries: OnceLock::new(),
            tags: named(&index.tags.all),
            corners: named(&index.corners.all),
            authors: named(&index.authors.all),
            site: site_value(magazine, config, index, theme),
        };
        let post = |post: &Post| {
            map([
                ("url", text(&href(root, &post_path(post)))),
                ("title", text(&post.title)),
                ("author", values.author(index, post.author.as_ref())),
                ("excerpt", text(&post.excerpt)),
                ("minutes", Value::from(post.minutes)),
                ("date", Value::from(post.date.to_string())),
            ])
        };
        values.posts = magazine.posts.iter().map(post).collect();
        values
    }

    fn new_issue(&self, issue: &Issue, index: &Index, root: &str) -> OfIssue {
        let url = href(root, &issue_path(issue));
        let brief = brief_issue(issue, &url);
        let corner = |corner: Option<&String>| {
            optional(corner.and_then(|name| index.corners.find(name)).map(|at| self.corners[at].clone()))
        };
        let article = |article: &Article| {
            map([
                ("url", text(&href(root, &article_path(issue, article)))),
                ("title", text(&article.title)),
                ("author", self.author(index, article.author.as_ref())),
                ("corner", corner(article.corner.as_ref())),
                ("excerpt", text(&article.excerpt)),
                ("minutes", Value::from(article.minutes)),
                ("issue", brief.clone()),
            ])
        };
        let articles: Vec<Value> = issue.articles.iter().map(article).collect();
        OfIssue { issue: issue_value(issue, &url, root, &articles), articles }
    }

    fn author(&self, index: &Index, author: Option<&Author>) -> Value {
        optional(author.and_then(|author| index.author(author)).map(|at| self.authors[at].clone()))
    }

    /// The names that an article or post carries, in its order.
    pub(super) fn tags_of(&self, index: &Index, tags: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
        let tags = tags.into_iter().filter_map(|tag| index.tags.find(tag.as_ref()));
        Value::from(tags.map(|at| self.tags[at].clone()).collect::<Vec<_>>())
    }
}

impl Site<'_> {
    fn of_issue(&self, at: usize) -> &OfIssue {
        let make = || self.values.new_issue(&self.magazine.issues[at], &self.index, self.root);
        self.values.of_issues[at].get_or_init(make)
    }

    /// An issue with its articles, by its place in the magazine.
    pub(super) fn issue_value(&self, at: usize) -> &Value {
        &self.of_issue(at).issue
    }

    /// The articles of an issue.
    pub(super) fn article_values(&self, issue: usize) -> &[Value] {
        &self.of_issue(issue).articles
    }

    /// Fingerprints of all that pages share. With `lists_are_kept`, most lists will not be made but only compared, and it is
    /// worth the memory to keep their entries.
    pub fn fingerprints(&self, lists_are_kept: bool) -> Fingerprints {
        let Values { posts, tags, corners, authors, site, .. } = &self.values;
        let mut fingerprints = Fingerprints::default();
        // What is within others comes first.
        fingerprints.learn(&tags.iter().chain(corners).chain(authors).collect::<Vec<_>>());
        let of_issues = (0..self.magazine.issues.len()).into_par_iter().map(|at| self.of_issue(at));
        let of_issues: Vec<&OfIssue> = of_issues.collect();
        fingerprints.learn(&of_issues.iter().flat_map(|of_issue| &of_issue.articles).collect::<Vec<_>>());
        let issues = of_issues.iter().map(|of_issue| &of_issue.issue);
        fingerprints.learn(&issues.chain(posts).chain([site]).collect::<Vec<_>>());
        if lists_are_kept {
            let Entries { issues, articles, posts } = self.values.entries.get_or_init(|| self.entries());
            let entries = issues.iter().chain(articles.iter().flatten()).chain(posts);
            fingerprints.learn(&entries.collect::<Vec<_>>());
        }
        fingerprints
    }

    fn entries(&self) -> Entries {
        let issues = 0..self.magazine.issues.len();
        let of_issue = |at: usize| {
            let articles = 0..self.article_values(at).len();
            articles.map(|article| self.new_entry(Entry::Article(at, article))).collect()
        };
        Entries {
            issues: issues.clone().into_par_iter().map(|at| self.new_entry(Entry::Issue(at))).collect(),
            articles: issues.into_par_iter().map(of_issue).collect(),
            posts: (0..self.values.posts.len()).map(|at| self.new_entry(Entry::Post(at))).collect(),
        }
    }

    /// An entry of a list, with what it is: `issue`, `article` or `post`.
    pub(super) fn entry(&self, entry: Entry) -> Value {
        let Some(entries) = self.values.entries.get() else { return self.new_entry(entry) };
        let entry = match entry {
            Entry::Issue(at) => &entries.issues[at],
            Entry::Article(at, article) => &entries.articles[at][article],
            Entry::Post(at) => &entries.posts[at],
        };
        entry.clone()
    }

    fn new_entry(&self, entry: Entry) -> Value {
        let (kind, value) = match entry {
            Entry::Issue(at) => ("issue", self.issue_value(at)),
            Entry::Article(at, article) => ("article", &self.article_values(at)[article]),
            Entry::Post(at) => ("post", &self.values.posts[at]),
        };
        map([("kind", kind.into()), ("value", value.clone())])
    }
}

fn brief_issue(issue: &Issue, url: &str) -> Value {
    map([
        ("url", text(url)),
        ("number", Value::from(issue.number)),
        ("label", text(&issue.label)),
        ("date", Value::from(issue.date.to_string())),
    ])
}

fn issue_value(issue: &Issue, url: &str, root: &str, articles: &[Value]) -> Value {
    let year = issue.date.year();
    map([
        ("url", text(url)),
        ("number", Value::from(issue.number)),
        ("label", text(&issue.label)),
        ("date", Value::from(issue.date.to_string())),
        ("next_date", optional(issue.next_date.map(|date| Value::from(date.to_string())))),
        ("year", Value::from(year)),
        ("year_url", text(&href(root, &format!("archive/{year}/")))),
        ("mail_url", text(&format!("{url}#mail"))),
        ("articles", Value::from(articles)),
    ])
}

fn named(label: &Label, root: &str) -> [(&'static str, Value); 2] {
    [("name", text(&label.name)), ("url", text(&href(root, &label.path)))]
}

/// A name with how much stands under it and since when, for the pages that list names.
pub(super) fn counted(label: &Label, magazine: &Magazine, root: &str) -> Value {
    let date = |entry: Option<&Entry>| {
        optional(entry.map(|entry| {
            let date = match *entry {
                Entry::Issue(issue) | Entry::Article(issue, _) => magazine.issues[issue].date,
                Entry::Post(post) => magazine.posts[post].date,
            };
            Value::from(date.to_string())
        }))
    };
    let [name, url] = named(label, root);
    map([
        name,
        url,
        ("count", Value::from(label.entries.len())),
        ("first_date", date(label.entries.first())),
        ("last_date", date(label.entries.last())),
    ])
}

fn site_value(magazine: &Magazine, config: &Config, index: &Index, theme: &Theme) -> Value {
    let root = config.blog.base_path();
    let asset = |path: &str| {
        let published = theme.assets().get(path).map_or(path, |asset| asset.published.as_str());
        text(&href(root, published))
    };
    let list = |path: &str, is_there: bool| optional(is_there.then(|| text(&href(root, path))));
    let pages: Vec<Value> = magazine
        .pages
        .iter()
        .map(|page| map([("title", text(&page.title)), ("url", text(&href(root, &page_path(page))))]))
        .collect();
    let subscribe = config.subscribe_url().or_else(|| {
        let page = magazine.pages.iter().find(|page| page.slug == "subscribe")?;
        Some(href(root, &page_path(page)))
    });
    map([
        ("name", text(&config.magazine.name)),
        ("publisher", text(&config.magazine.publisher)),
        ("language", text(&config.magazine.language)),
        ("description", text(&config.blog.description)),
        ("address", text(&format!("{}/", config.blog.url))),
        ("url", text(&href(root, ""))),
        ("feed_url", text(&href(root, "atom.xml"))),
        ("rss_url", text(&href(root, "rss.xml"))),
        ("json_feed_url", text(&href(root, "feed.json"))),
        ("locale", optional(locale(&config.magazine.language).map(|locale| text(&locale)))),
        ("style_url", asset("style.css")),
        ("icon_url", asset("favicon.svg")),
        ("search_url", text(&href(root, "search/"))),
        ("archive_url", text(&href(root, "archive/"))),
        ("posts_url", list("posts/", !magazine.posts.is_empty())),
        ("corners_url", list("corners/", !index.corners.all.is_empty())),
        ("tags_url", list("tags/", !index.tags.all.is_empty())),
        ("terms_url", list(word_index::INDEX_OF_TERMS, Site::has_index_of_terms(magazine))),
        ("authors_url", list("authors/", !index.authors.all.is_empty())),
        ("subscribe_url", optional(subscribe.map(|url| text(&url)))),
        ("pages", Value::from(pages)),
    ])
}

/// A language tag as the Open Graph protocol writes it, `ja_JP`; none where no country can be told.
fn locale(language: &str) -> Option<String> {
    let mut parts = language.split('-');
    let language = parts.next()?.to_lowercase();
    let is_region = |part: &&str| part.len() == 2 && part.bytes().all(|letter| letter.is_ascii_alphabetic());
    match parts.find(is_region) {
        Some(region) => Some(format!("{language}_{}", region.to_uppercase())),
        None => (language == "ja").then(|| "ja_JP".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_have_a_language_and_a_country() {
        for (language, expected) in [
            ("ja", Some("ja_JP")),
            ("JA-jp", Some("ja_JP")),
            ("zh-Hant-TW", Some("zh_TW")),
            ("en", None),
            ("", None),
        ] {
            assert_eq!(locale(language).as_deref(), expected, "{language}");
        }
    }
}
