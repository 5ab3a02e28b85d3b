//! The magazine as a web site.
//!
//! A [`Site`] lists what there is; rendering one page is a pure function of it and of the page's own text, so that pages
//! are made side by side and each text is dropped after its page. Lists are made of light values that all pages share.

mod about;
mod collisions;
mod feed;
mod found;
mod html;
mod labels;
mod links;
mod lists;
mod mail_frame;
mod redirects;
mod related;
mod spans;
mod terms;
mod values;
mod word_index;

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::highlight::Highlighter;
use crate::model::{Article, Issue, Magazine, Post};
use crate::source::{IssueTexts, Text};
use crate::theme::{Context, Fingerprint, Fingerprints, Theme, Value};
use feed::midnight;
use html::{Html, Medium, PictureOf, Place, Preview};
use labels::{Index, Mark};
use redirects::Redirect;
use values::{Values, map, optional, text};

pub use found::{IssueTerms, SearchBefore, SearchOrder, SearchTerms};
pub use html::FileCopy;
pub use labels::Entry;
pub use links::{Destination, Link, PageLinks, PageOf, own_path};
pub use lists::List;
pub use terms::{Term, terms};
pub use word_index::INDEX_OF_TERMS;

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
    /// The pages that gather others, made or not, each with the fingerprint of what it shows.
    pub gathering: Vec<(String, Fingerprint)>,
}

/// Knows which of the pages that gather others need not be made, for what they show is what they showed.
pub struct Shown<'a> {
    /// Of the values that pages share.
    pub fingerprints: &'a Fingerprints,
    /// Whether the page at a path of the blog's folder showed what has this fingerprint.
    pub is_the_same: &'a (dyn Fn(&str, Fingerprint) -> bool + Sync),
}

/// The blog of a magazine: everything about it except the texts.
pub struct Site<'a> {
    config: &'a Config,
    magazine: &'a Magazine,
    theme: &'a Theme,
    has_file: &'a (dyn Fn(&str) -> bool + Sync),
    picture: &'a PictureOf<'a>,
    root: &'a str,
    highlighter: &'a Highlighter,
    index: Index,
    values: Values,
    /// The issues of each year.
    years: BTreeMap<i32, Vec<usize>>,
    /// The days of the issues, which are asked for more often than anything else of them.
    dates: Vec<NaiveDate>,
    redirects: Vec<Redirect>,
}

impl<'a> Site<'a> {
    /// The blog of what is published; `has_file` says whether a picture or attachment lies at a path from the
    /// magazine's root, `picture` tells of a picture that does, and `highlighter` of code. Two pages at one address are problems, and old
    /// addresses that lead nowhere.
    pub fn new(
        config: &'a Config,
        magazine: &'a Magazine,
        theme: &'a Theme,
        has_file: &'a (dyn Fn(&str) -> bool + Sync),
        picture: &'a PictureOf<'a>,
        highlighter: &'a Highlighter,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let assets: Vec<&str> = theme.assets().files().map(|(path, _)| path).collect();
        collisions::collisions(magazine, &assets, &mut problems);
        let index = Index::new(magazine, config, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let values = Values::new(magazine, config, &index, theme);
        let mut years: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for (at, issue) in magazine.issues.iter().enumerate() {
            years.entry(issue.date.year()).or_default().push(at);
        }
        let root = config.blog.base_path();
        let mut site = Site {
            config,
            magazine,
            theme,
            has_file,
            picture,
            root,
            highlighter,
            index,
            values,
            years,
            dates: magazine.issues.iter().map(|issue| issue.date).collect(),
            redirects: Vec::new(),
        };
        site.redirects = redirects::redirects(&site, &mut problems);
        if problems.is_empty() { Ok(site) } else { Err(problems) }
    }

    /// Has the code of a page remembered that a build before made with the same program, the same settings and the same
    /// templates.
    pub fn remember_code(&self, page: &str) {
        html::remember_code(page, self.highlighter);
    }

    /// An issue's page with its mail form as `mail` has it, whose SHA-256 is `digest`; and its articles' pages, unless
    /// one article is all there is. Which issue it is, and what is `around` it, [`Site::around_issue`] tells.
    pub fn render_issue(
        &self,
        around: Around,
        texts: &IssueTexts,
        mail: &str,
        digest: &str,
    ) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let issue = &self.magazine.issues[around.index];
        // Two texts on one page: the ids of the first must not meet those of the second.
        let prefix = if issue.is_one_article() { "opening-" } else { "" };
        let opening =
            texts.opening.as_ref().map(|text| self.body(text, prefix, &issue_path(issue), &mut made));
        let has_code = opening.as_ref().is_some_and(|opening| opening.has_code);
        let (opening, preview) = opening.map(|opening| (opening.html, opening.preview)).unzip();
        let preview = preview.flatten();
        let mail =
            map([("body", Value::safe_string(&mail_frame::mail_frame(mail))), ("digest", text(digest))]);
        let editions = [
            ("opening", optional(opening)),
            ("mail", mail),
            ("has_code", Value::from(has_code)),
            ("attachments", self.attachments(issue, &mut made)),
        ];
        if let ([article], [text]) = (issue.articles.as_slice(), texts.articles.as_slice()) {
            let around = around.articles.into_iter().flatten().chain(around.issues);
            self.article((issue, article), text, around.chain(editions), &mut made);
            return made.pages();
        }

        let name = format!("Vol.{} ({})", issue.label, issue.date.format("%Y/%m/%d"));
        let titles: Vec<&str> = issue.articles.iter().map(|article| article.title.as_str()).collect();
        let folder = issue_path(issue);
        let head = Head { path: &folder, title: &name, description: &titles.join("／"), kind: "website" };
        let mut context = self.context(&head);
        let values = editions.into_iter().chain(around.issues.clone());
        values.for_each(|(name, value)| context.insert_value(name, value));
        context.insert_value("about", self.about_issue(issue, preview.as_ref()));
        context.insert_value("tags", self.values.tags_of(&self.index, &issue.tags));
        self.page("blog/issue.html", &head, &context, &mut made);

        let articles = issue.articles.iter().zip(&texts.articles).zip(around.articles);
        for ((article, text), of_article) in articles {
            let not_here = [
                ("opening", Value::none()),
                ("mail", Value::none()),
                ("has_code", Value::from(false)),
                ("attachments", Value::from(Vec::<Value>::new())),
            ];
            let around = of_article.into_iter().chain(around.issues.clone());
            self.article((issue, article), text, around.chain(not_here), &mut made);
        }
        made.pages()
    }

    /// The files that go with an issue's mail, which go to the blog with it.
    fn attachments(&self, issue: &Issue, made: &mut Made) -> Value {
        let files = issue.attachments.iter().filter(|file| (self.has_file)(&file.path));
        let files = files.map(|file| {
            let to = file.path.strip_prefix("content/").unwrap_or(&file.path).to_owned();
            let url = href(self.root, &to);
            made.copies.push(FileCopy { from: file.path.clone(), to, width: None });
            map([("name", text(&file.name)), ("url", text(&url))])
        });
        files.collect::<Vec<Value>>().into()
    }

    /// An article's page, which shows `values` beside its text.
    fn article(
        &self,
        (issue, article): (&Issue, &Article),
        text: &Text,
        values: impl Iterator<Item = (&'static str, Value)>,
        made: &mut Made,
    ) {
        let path = article_path(issue, article);
        let head =
            Head { path: &path, title: &article.title, description: &article.excerpt, kind: "article" };
        let mut context = self.context(&head);
        let shown = self.body(text, "", &path, made);
        let own =
            [("about", self.about_article(issue, article, shown.preview.as_ref())), ("body", shown.html)];
        own.into_iter().chain(values).for_each(|(name, value)| context.insert_value(name, value));
        if shown.has_code {
            context.insert_value("has_code", Value::from(true));
        }
        self.page("blog/article.html", &head, &context, made);
    }

    /// What an article's page shows of the rest of the magazine.
    fn around_article(&self, issue: usize, position: usize) -> [(&'static str, Value); 6] {
        let of_issue = self.article_values(issue);
        let neighbour = |at: Option<usize>| optional(at.and_then(|at| of_issue.get(at)).cloned());
        let entry = Entry::Article(issue, position);
        let tags = match &self.magazine.issues[issue] {
            whole if whole.is_one_article() => self.values.tags_of(&self.index, whole.all_tags()),
            whole => self.values.tags_of(&self.index, &whole.articles[position].tags),
        };
        [
            ("article", of_issue[position].clone()),
            ("tags", tags),
            ("previous", neighbour(position.checked_sub(1))),
            ("next", neighbour(position.checked_add(1))),
            ("series", self.series(entry)),
            ("related", self.related_values(entry)),
        ]
    }

    /// What the pages of an issue show of the rest of the magazine.
    pub fn around_issue(&self, index: usize) -> Around {
        let articles = 0..self.magazine.issues[index].articles.len();
        Around {
            index,
            articles: articles.map(|position| self.around_article(index, position)).collect(),
            issues: self.issue_and_its_neighbours(index),
        }
    }

    /// All that the pages of an issue show besides its own texts, in short: while this and the texts stay the same, and
    /// the settings, the templates and the files with them, so do the pages.
    pub fn fingerprint(&self, around: &Around, fingerprints: &Fingerprints) -> Fingerprint {
        let shown = around.articles.iter().flatten().chain(&around.issues);
        let tags = self.values.tags_of(&self.index, &self.magazine.issues[around.index].tags);
        let values = shown.map(|(_, value)| value.clone()).chain([tags, self.values.site.clone()]);
        fingerprints.of_all(&values.collect::<Vec<_>>())
    }

    /// Where an article stands in its corner, and what stands before and after it there; none without a corner.
    fn series(&self, entry: Entry) -> Value {
        let corner = self.index.marks(entry).iter().find_map(|mark| match *mark {
            Mark::Corner(corner, place) => Some((corner, place)),
            Mark::Tag(..) => None,
        });
        let Some((corner, place)) = corner else { return Value::none() };
        let entries = &self.index.corners.all[corner].entries;
        let article = |at: Option<usize>| match at.and_then(|at| entries.get(at)) {
            Some(&Entry::Article(issue, article)) => self.article_values(issue)[article].clone(),
            _ => Value::none(),
        };
        map([
            ("number", Value::from(place + 1)),
            ("count", Value::from(entries.len())),
            ("previous", article(place.checked_sub(1))),
            ("next", article(place.checked_add(1))),
        ])
    }

    fn related_values(&self, entry: Entry) -> Value {
        self.related(entry).into_iter().map(|entry| self.entry(entry)).collect::<Vec<_>>().into()
    }

    fn issue_and_its_neighbours(&self, index: usize) -> [(&'static str, Value); 3] {
        let issue = |at: Option<usize>| {
            let at = at.filter(|at| *at < self.magazine.issues.len());
            optional(at.map(|at| self.issue_value(at).clone()))
        };
        [
            ("issue", issue(Some(index))),
            ("previous_issue", issue(index.checked_sub(1))),
            ("next_issue", issue(index.checked_add(1))),
        ]
    }

    /// A post's page.
    pub fn render_post(&self, index: usize, text: &Text) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let post: &Post = &self.magazine.posts[index];
        let path = post_path(post);
        let head = Head { path: &path, title: &post.title, description: &post.excerpt, kind: "article" };
        let mut context = self.context(&head);
        let neighbour = |at: Option<usize>| optional(at.and_then(|at| self.values.posts.get(at)).cloned());
        let shown = self.body(text, "", &path, &mut made);
        for (name, value) in [
            ("post", self.values.posts[index].clone()),
            ("about", self.about_post(post, shown.preview.as_ref())),
            ("has_code", Value::from(shown.has_code)),
            ("body", shown.html),
            ("tags", self.values.tags_of(&self.index, &post.tags)),
            ("previous", neighbour(index.checked_sub(1))),
            ("next", neighbour(index.checked_add(1))),
            ("related", self.related_values(Entry::Post(index))),
        ] {
            context.insert_value(name, value);
        }
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
        let shown = self.body(text, "", &path, &mut made);
        context.insert_value("about", self.about_page(page, shown.preview.as_ref()));
        context.insert_value("has_code", Value::from(shown.has_code));
        context.insert_value("body", shown.html);
        self.page("blog/page.html", &head, &context, &mut made);
        made.pages()
    }

    /// The paths of all files of the blog in its folder, but for those beside texts and old addresses.
    fn paths(&self) -> Vec<String> {
        const ALONE: [&str; 6] =
            [lists::NOT_FOUND, "atom.xml", "rss.xml", "feed.json", "sitemap.xml", "robots.txt"];
        let mut paths: Vec<String> = feed::places(self).iter().map(|(path, _)| file_of(path)).collect();
        paths.extend(ALONE.map(str::to_owned));
        paths.extend(self.theme.assets().files().map(|(_, asset)| asset.published.clone()));
        paths
    }

    /// The day of publication.
    fn date(&self, entry: Entry) -> NaiveDate {
        match entry {
            Entry::Issue(issue) | Entry::Article(issue, _) => self.dates[issue],
            Entry::Post(post) => self.magazine.posts[post].date,
        }
    }

    /// A text as HTML for the page at a path of the blog, its ids with a prefix.
    fn body(&self, text: &Text, prefix: &str, path: &str, made: &mut Made) -> Body {
        let medium = Medium::Page(self.highlighter);
        let html = self.html(text, self.root, prefix, medium, &mut made.problems);
        made.copies.extend(html.files);
        if !html.ids.is_empty() || !html.links.is_empty() {
            made.links.push(PageLinks { page: path.to_owned(), ids: html.ids, links: html.links });
        }
        Body { html: Value::safe_string(&html.html), preview: html.preview, has_code: html.has_code }
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
        let place = Place {
            root,
            subscribe: &|| self.config.subscribe_page(),
            folder,
            prefix,
            top: 2,
            has_file: self.has_file,
            picture: self.picture,
            assets: self.theme.assets(),
            medium,
        };
        html::html(&text.document, &text.source, place, problems)
    }

    /// What every page's template sees.
    fn context(&self, head: &Head<'_>) -> Context {
        // The page that stands for all that is missing has no address of its own.
        let address = (head.path != lists::NOT_FOUND).then(|| href(&self.config.blog.url, head.path));
        let mut context = Context::new();
        context.insert_value("site", self.values.site.clone());
        let about = if head.path.is_empty() { self.about_home() } else { Site::about_nothing() };
        context.insert_value("about", about);
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
        let path = file_of(head.path);
        match self.theme.render_octets(template, context, &format!("/{}", head.path)) {
            Ok(bytes) => made.files.push(File { path, bytes }),
            Err(problem) => made.problems.push(*problem),
        }
    }
}

/// What an issue's pages show of the rest of the magazine: under names of the templates, for each article's page and for
/// all of them.
#[derive(Debug)]
pub struct Around {
    /// The issue's place in the magazine.
    index: usize,
    articles: Vec<[(&'static str, Value); 6]>,
    issues: [(&'static str, Value); 3],
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

/// A text in its page.
struct Body {
    html: Value,
    /// The picture that may stand for it.
    preview: Option<Preview>,
    has_code: bool,
}

/// Pages in the making.
#[derive(Default)]
struct Made {
    files: Vec<File>,
    copies: Vec<FileCopy>,
    links: Vec<PageLinks>,
    problems: Vec<Diagnostic>,
    gathering: Vec<(String, Fingerprint)>,
}

impl Made {
    fn pages(self) -> Result<Pages, Vec<Diagnostic>> {
        let Made { files, copies, links, problems, gathering } = self;
        if has_errors(&problems) {
            Err(problems)
        } else {
            Ok(Pages { files, copies, links, warnings: problems, gathering })
        }
    }
}

/// The file of a page: its folder's `index.html`, or the file its path names.
pub fn file_of(path: &str) -> String {
    if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() }
}

#[cfg(test)]
mod tests;
