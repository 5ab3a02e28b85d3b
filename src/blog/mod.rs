//! The magazine as a web site.
//!
//! A [`Site`] lists what there is; rendering one page is a pure function of it and of the page's own text, so that pages
//! are made side by side and each text is dropped after its page. Lists are made of light values that all pages share.

mod collisions;
mod feed;
mod html;
mod labels;
mod links;
mod lists;
mod mail_frame;
mod values;

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};

use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::highlight::Highlighter;
use crate::model::{Article, Magazine, Post};
use crate::source::{IssueTexts, Text};
use crate::theme::{Context, Theme, Value};
use html::{Html, Medium, Place};
use labels::Index;
use values::{Values, map, optional, text};

pub use html::FileCopy;
pub use labels::Entry;
pub use links::{Destination, Link, PageLinks, PageOf, own_path};
pub use lists::List;

/// A file of the blog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the blog's folder, with `/` between folders, in NFC: `issues/010/index.html`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Pages, and the pictures and attachments that they need beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// The pages.
    pub files: Vec<File>,
    /// What is copied as it is; a file may be named more than once.
    pub copies: Vec<FileCopy>,
    /// What the texts of the pages link to; see [`Site::broken_links`].
    pub links: Vec<PageLinks>,
    /// What is odd about the texts, but does not keep them from being published.
    pub warnings: Vec<Diagnostic>,
}

/// The blog of a magazine: everything about it except the texts.
pub struct Site<'a> {
    config: &'a Config,
    magazine: &'a Magazine,
    theme: &'a Theme,
    has_file: &'a (dyn Fn(&str) -> bool + Sync),
    root: &'a str,
    highlighter: Highlighter,
    index: Index,
    values: Values,
    neighbours: HashMap<Entry, Neighbours>,
    /// The issues of each year.
    years: BTreeMap<i32, Vec<usize>>,
}

/// The articles before and after one in its corner.
#[derive(Clone, Copy, Debug, Default)]
struct Neighbours {
    previous: Option<Entry>,
    next: Option<Entry>,
}

impl<'a> Site<'a> {
    /// The blog of what is published; `has_file` says whether a picture or attachment lies at a path from the
    /// magazine's root. Two pages at one address are problems.
    pub fn new(
        config: &'a Config,
        magazine: &'a Magazine,
        theme: &'a Theme,
        has_file: &'a (dyn Fn(&str) -> bool + Sync),
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let assets: Vec<&str> = crate::theme::built_in_assets().map(|(path, _)| path).collect();
        collisions::collisions(magazine, &assets, &mut problems);
        let index = Index::new(magazine, config, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let values = Values::new(magazine, config, &index);
        let neighbours = neighbours(&index);
        let mut years: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for (at, issue) in magazine.issues.iter().enumerate() {
            years.entry(issue.date.year()).or_default().push(at);
        }
        let root = config.blog.base_path();
        let highlighter = Highlighter::default();
        Ok(Site { config, magazine, theme, has_file, root, highlighter, index, values, neighbours, years })
    }

    /// An issue's own page, its articles' pages, and its mail form as `mail` has it, whose SHA-256 is `digest`.
    pub fn render_issue(
        &self,
        index: usize,
        texts: &IssueTexts,
        mail: &str,
        digest: &str,
    ) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let issue = &self.magazine.issues[index];
        let folder = issue_path(issue);
        let value = &self.values.issues[index];
        let name = format!("Vol.{} ({})", issue.label, issue.date.format("%Y/%m/%d"));
        let neighbour = |at: Option<usize>| optional(at.and_then(|at| self.values.issues.get(at)).cloned());
        let around = [
            ("issue", value.clone()),
            ("previous", neighbour(index.checked_sub(1))),
            ("next", neighbour(index.checked_add(1))),
        ];

        let titles: Vec<&str> = issue.articles.iter().map(|article| article.title.as_str()).collect();
        let head = Head { path: &folder, title: &name, description: &titles.join("／"), kind: "website" };
        let mut context = self.context(&head);
        around.iter().for_each(|(name, value)| context.insert_value(*name, value.clone()));
        context.insert_value("opening", Value::none());
        if let Some(text) = &texts.opening {
            self.body("opening", text, &head, &mut context, &mut made);
        }
        context.insert_value("tags", self.values.tags_of(&self.index, &issue.tags));
        self.page("blog/issue.html", &head, &context, &mut made);

        let mut description = format!("{name}を、お送りしたメールの形で。");
        description.insert_str(0, &self.config.magazine.name);
        let title = format!("{name} メール版");
        let path = format!("{folder}mail/");
        let head = Head { path: &path, title: &title, description: &description, kind: "article" };
        let mut context = self.context(&head);
        around.into_iter().for_each(|(name, value)| context.insert_value(name, value));
        context.insert_value("body", Value::safe_string(&mail_frame::mail_frame(mail)));
        context.insert_value("digest", text(digest));
        self.page("blog/mail.html", &head, &context, &mut made);

        for (position, (article, text)) in issue.articles.iter().zip(&texts.articles).enumerate() {
            self.article(index, position, article, text, &mut made);
        }
        made.pages()
    }

    fn article(&self, issue: usize, position: usize, article: &Article, text: &Text, made: &mut Made) {
        let of_issue = &self.values.articles[issue];
        let path = article_path(&self.magazine.issues[issue], article);
        let head =
            Head { path: &path, title: &article.title, description: &article.excerpt, kind: "article" };
        let mut context = self.context(&head);
        let neighbour = |at: Option<usize>| optional(at.and_then(|at| of_issue.get(at)).cloned());
        let in_corner = self.neighbours.get(&Entry::Article(issue, position)).copied().unwrap_or_default();
        let of_corner = |entry: Option<Entry>| match entry {
            Some(Entry::Article(issue, article)) => self.values.articles[issue][article].clone(),
            _ => Value::none(),
        };
        for (name, value) in [
            ("article", of_issue[position].clone()),
            ("tags", self.values.tags_of(&self.index, &article.tags)),
            ("previous", neighbour(position.checked_sub(1))),
            ("next", neighbour(position.checked_add(1))),
            ("previous_in_corner", of_corner(in_corner.previous)),
            ("next_in_corner", of_corner(in_corner.next)),
        ] {
            context.insert_value(name, value);
        }
        self.body("body", text, &head, &mut context, made);
        self.page("blog/article.html", &head, &context, made);
    }

    /// A post's page.
    pub fn render_post(&self, index: usize, text: &Text) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let post: &Post = &self.magazine.posts[index];
        let path = post_path(post);
        let head = Head { path: &path, title: &post.title, description: &post.excerpt, kind: "article" };
        let mut context = self.context(&head);
        let neighbour = |at: Option<usize>| optional(at.and_then(|at| self.values.posts.get(at)).cloned());
        for (name, value) in [
            ("post", self.values.posts[index].clone()),
            ("tags", self.values.tags_of(&self.index, &post.tags)),
            ("previous", neighbour(index.checked_sub(1))),
            ("next", neighbour(index.checked_add(1))),
        ] {
            context.insert_value(name, value);
        }
        self.body("body", text, &head, &mut context, &mut made);
        self.page("blog/post.html", &head, &context, &mut made);
        made.pages()
    }

    /// One of the blog's other pages.
    pub fn render_page(&self, index: usize, text: &Text) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let page = &self.magazine.pages[index];
        let path = page_path(page);
        let head = Head { path: &path, title: &page.title, description: &page.excerpt, kind: "website" };
        let mut context = self.context(&head);
        self.body("body", text, &head, &mut context, &mut made);
        self.page("blog/page.html", &head, &context, &mut made);
        made.pages()
    }

    /// The day of publication.
    fn date(&self, entry: Entry) -> NaiveDate {
        match entry {
            Entry::Issue(issue) | Entry::Article(issue, _) => self.magazine.issues[issue].date,
            Entry::Post(post) => self.magazine.posts[post].date,
        }
    }

    /// Puts a text into its page, as HTML under a name of the template's.
    fn body(&self, name: &'static str, text: &Text, head: &Head<'_>, context: &mut Context, made: &mut Made) {
        let medium = Medium::Page(&self.highlighter);
        let html = self.html(text, self.root, "", medium, &mut made.problems);
        made.copies.extend(html.files);
        if !html.ids.is_empty() || !html.links.is_empty() {
            made.links.push(PageLinks { page: head.path.to_owned(), ids: html.ids, links: html.links });
        }
        if html.has_code {
            context.insert_value("has_code", Value::from(true));
        }
        context.insert_value(name, Value::safe_string(&html.html));
    }

    fn html(
        &self,
        text: &Text,
        root: &str,
        prefix: &str,
        medium: Medium<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Html {
        let folder = text.source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let place = Place { root, folder, prefix, top: 2, has_file: self.has_file, medium };
        html::html(&text.document, &text.source, place, problems)
    }

    /// What every page's template sees.
    fn context(&self, head: &Head<'_>) -> Context {
        // The page that stands for all that is missing has no address of its own.
        let address = (head.path != lists::NOT_FOUND).then(|| href(&self.config.blog.url, head.path));
        let mut context = Context::new();
        context.insert_value("site", self.values.site.clone());
        context.insert_value("has_code", Value::from(false));
        context.insert_value(
            "page",
            map([
                ("title", text(head.title)),
                ("description", text(head.description)),
                ("kind", head.kind.into()),
                ("url", text(&href(self.root, head.path))),
                ("address", optional(address.map(|address| text(&address)))),
                ("is_home", Value::from(head.path.is_empty())),
            ]),
        );
        context
    }

    /// Renders a page into its folder's `index.html`, or into the file its path names.
    fn page(&self, template: &str, head: &Head<'_>, context: &Context, made: &mut Made) {
        let path = match head.path {
            path if path.is_empty() || path.ends_with('/') => format!("{path}index.html"),
            path => path.to_owned(),
        };
        match self.theme.render_octets(template, context, &format!("/{}", head.path)) {
            Ok(bytes) => made.files.push(File { path, bytes }),
            Err(problem) => made.problems.push(*problem),
        }
    }
}

/// What a page says of itself.
struct Head<'a> {
    /// Its path in the blog's folder; see [`crate::address`].
    path: &'a str,
    title: &'a str,
    description: &'a str,
    /// Its kind by the Open Graph protocol: `website` or `article`.
    kind: &'static str,
}

/// Pages in the making.
#[derive(Default)]
struct Made {
    files: Vec<File>,
    copies: Vec<FileCopy>,
    links: Vec<PageLinks>,
    problems: Vec<Diagnostic>,
}

impl Made {
    fn pages(self) -> Result<Pages, Vec<Diagnostic>> {
        let Made { files, copies, links, problems } = self;
        if has_errors(&problems) {
            Err(problems)
        } else {
            Ok(Pages { files, copies, links, warnings: problems })
        }
    }
}

fn neighbours(index: &Index) -> HashMap<Entry, Neighbours> {
    let mut neighbours: HashMap<Entry, Neighbours> = HashMap::new();
    for corner in &index.corners.all {
        for pair in corner.entries.windows(2) {
            neighbours.entry(pair[0]).or_default().next = Some(pair[1]);
            neighbours.entry(pair[1]).or_default().previous = Some(pair[0]);
        }
    }
    neighbours
}

#[cfg(test)]
mod tests;
