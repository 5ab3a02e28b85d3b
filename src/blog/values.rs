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
use crate::model::{Author, Issue, Magazine};
use crate::theme::{Fingerprints, Map, Theme, Value};

/// The light values.
#[derive(Debug)]
pub(super) struct Values {
    /// Issues with their articles.
    pub(super) issues: Vec<Value>,
    /// Articles, by issue and by their order in it.
    pub(super) articles: Vec<Vec<Value>>,
    pub(super) posts: Vec<Value>,
    /// The same as entries of lists, where they are kept: see [`Values::fingerprints`].
    entries: OnceLock<Entries>,
    /// Names alone: how much stands under each changes with every issue, and is shown by few pages.
    tags: Vec<Value>,
    corners: Vec<Value>,
    authors: Vec<Value>,
    /// What every page knows of the magazine.
    pub(super) site: Value,
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
        let (tags, corners, authors) =
            (named(&index.tags.all), named(&index.corners.all), named(&index.authors.all));
        let author = |author: &Option<Author>| {
            optional(author.as_ref().and_then(|author| index.author(author)).map(|at| authors[at].clone()))
        };
        let corner = |corner: &Option<String>| {
            optional(corner.as_ref().and_then(|name| index.corners.find(name)).map(|at| corners[at].clone()))
        };
        let of_issue = |issue: &Issue| {
            let folder = issue_path(issue);
            let brief = brief_issue(issue, &href(root, &folder));
            let of_issue: Vec<Value> = issue
                .articles
                .iter()
                .map(|article| {
                    map([
                        ("url", text(&href(root, &article_path(issue, article)))),
                        ("title", text(&article.title)),
                        ("author", author(&article.author)),
                        ("corner", corner(&article.corner)),
                        ("excerpt", text(&article.excerpt)),
                        ("minutes", Value::from(article.minutes)),
                        ("issue", brief.clone()),
                    ])
                })
                .collect();
            (issue_value(issue, &href(root, &folder), root, &of_issue), of_issue)
        };
        let (issues, articles): (Vec<Value>, Vec<Vec<Value>>) =
            magazine.issues.par_iter().map(of_issue).unzip();
        let posts: Vec<Value> = magazine
            .posts
            .iter()
            .map(|post| {
                map([
                    ("url", text(&href(root, &post_path(post)))),
                    ("title", text(&post.title)),
                    ("author", author(&post.author)),
                    ("excerpt", text(&post.excerpt)),
                    ("minutes", Value::from(post.minutes)),
                    ("date", Value::from(post.date.to_string())),
                ])
            })
            .collect();
        let site = site_value(magazine, config, index, theme);
        Values { issues, articles, posts, entries: OnceLock::new(), tags, corners, authors, site }
    }

    /// Fingerprints of all that pages share. With `lists_are_kept`, most lists will not be made but only compared, and it is
    /// worth the memory to keep their entries.
    pub(super) fn fingerprints(&self, lists_are_kept: bool) -> Fingerprints {
        let mut fingerprints = Fingerprints::default();
        // What is within others comes first.
        fingerprints.learn(&self.tags.iter().chain(&self.corners).chain(&self.authors).collect::<Vec<_>>());
        fingerprints.learn(&self.articles.iter().flatten().collect::<Vec<_>>());
        fingerprints.learn(&self.issues.iter().chain(&self.posts).chain([&self.site]).collect::<Vec<_>>());
        if lists_are_kept {
            let Entries { issues, articles, posts } = self.entries.get_or_init(|| self.entries());
            let entries = issues.iter().chain(articles.iter().flatten()).chain(posts);
            fingerprints.learn(&entries.collect::<Vec<_>>());
        }
        fingerprints
    }

    fn entries(&self) -> Entries {
        let of_issue = |(at, articles): (usize, &Vec<Value>)| {
            (0..articles.len()).map(|article| self.new_entry(Entry::Article(at, article))).collect()
        };
        Entries {
            issues: (0..self.issues.len())
                .into_par_iter()
                .map(|at| self.new_entry(Entry::Issue(at)))
                .collect(),
            articles: self.articles.par_iter().enumerate().map(of_issue).collect(),
            posts: (0..self.posts.len()).map(|at| self.new_entry(Entry::Post(at))).collect(),
        }
    }

    /// An entry of a list, with what it is: `issue`, `article` or `post`.
    pub(super) fn entry(&self, entry: Entry) -> Value {
        let Some(entries) = self.entries.get() else { return self.new_entry(entry) };
        let entry = match entry {
            Entry::Issue(at) => &entries.issues[at],
            Entry::Article(at, article) => &entries.articles[at][article],
            Entry::Post(at) => &entries.posts[at],
        };
        entry.clone()
    }

    fn new_entry(&self, entry: Entry) -> Value {
        let (kind, value) = match entry {
            Entry::Issue(at) => ("issue", &self.issues[at]),
            Entry::Article(at, article) => ("article", &self.articles[at][article]),
            Entry::Post(at) => ("post", &self.posts[at]),
        };
        map([("kind", kind.into()), ("value", value.clone())])
    }

    /// The names that an article or post carries, in its order.
    pub(super) fn tags_of(&self, index: &Index, tags: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
        let tags = tags.into_iter().filter_map(|tag| index.tags.find(tag.as_ref()));
        Value::from(tags.map(|at| self.tags[at].clone()).collect::<Vec<_>>())
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
