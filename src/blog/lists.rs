//! The pages that gather others: home, archive, tags, corners, authors; and what machines read.

use chrono::Datelike;

use super::labels::{Entry, Label, Labels};
use super::spans::{Span, spans};
use super::values::{counted, map, text};
use super::{Head, Made, Pages, Shown, Site, feed, file_of};
use crate::diagnostic::Diagnostic;
use crate::theme::{Value, mixed};

/// A page that gathers others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// The latest issue, some before it, and posts.
    Home,
    /// All years.
    Archive,
    /// The issues of one year.
    Year(i32),
    /// All posts.
    Posts,
    /// All tags.
    Tags,
    /// What has one tag, by its place in the order of names.
    Tag(usize),
    /// All corners.
    Corners,
    /// What stands in one corner.
    Corner(usize),
    /// All authors.
    Authors,
    /// What one author wrote.
    Author(usize),
    /// The page that searches.
    Search,
    /// What is shown where nothing is.
    NotFound,
    /// `sitemap.xml` and its parts.
    Sitemap,
    /// `robots.txt`.
    Robots,
    /// An old address that leads on, by its place among them.
    Redirect(usize),
}

/// The file that servers show where nothing is.
pub(super) const NOT_FOUND: &str = "404.html";
/// How many back numbers the home page shows under the latest issue.
const BACK_NUMBERS: usize = 9;
/// How many posts the home page shows.
const LATEST_POSTS: usize = 5;
/// Up to how many issues the archive's front page lists all; else the latest year's.
const SHORT_ARCHIVE: usize = 100;

impl Site<'_> {
    /// The gathering pages there are.
    pub fn lists(&self) -> Vec<List> {
        let mut lists =
            vec![List::Home, List::Archive, List::Search, List::NotFound, List::Sitemap, List::Robots];
        lists.extend((0..self.redirects.len()).map(List::Redirect));
        lists.extend(self.years.keys().rev().map(|&year| List::Year(year)));
        if !self.magazine.posts.is_empty() {
            lists.push(List::Posts);
        }
        for (all, list, one) in [
            (&self.index.tags.all, List::Tags, List::Tag as fn(usize) -> List),
            (&self.index.corners.all, List::Corners, List::Corner),
            (&self.index.authors.all, List::Authors, List::Author),
        ] {
            if !all.is_empty() {
                lists.push(list);
                lists.extend((0..all.len()).map(one));
            }
        }
        lists
    }

    /// Where a gathering page stands in the blog's folder: a file, or a folder's page ending in `/`.
    pub fn list_path(&self, list: List) -> String {
        match list {
            List::Home => String::new(),
            List::Archive => "archive/".to_owned(),
            List::Year(year) => format!("archive/{year}/"),
            List::Posts => "posts/".to_owned(),
            List::Tags => "tags/".to_owned(),
            List::Tag(at) => self.index.tags.all[at].path.clone(),
            List::Corners => "corners/".to_owned(),
            List::Corner(at) => self.index.corners.all[at].path.clone(),
            List::Authors => "authors/".to_owned(),
            List::Author(at) => self.index.authors.all[at].path.clone(),
            List::Search => "search/".to_owned(),
            List::NotFound => NOT_FOUND.to_owned(),
            List::Sitemap => "sitemap.xml".to_owned(),
            List::Robots => "robots.txt".to_owned(),
            List::Redirect(at) => {
                let path = self.redirect_path(at);
                path.strip_suffix("index.html").unwrap_or(path).to_owned()
            }
        }
    }

    /// The files of a gathering page that [`Pages::gathering`] names; none of pages that are made each time.
    pub fn files_of(&self, list: List) -> Vec<String> {
        let path = self.list_path(list);
        let paths = match list {
            List::Posts => self.paths_of(&path, &self.posts()),
            List::Tag(at) => self.paths_of(&path, &self.index.tags.all[at].entries),
            List::Corner(at) => self.paths_of(&path, &self.index.corners.all[at].entries),
            List::Author(at) => self.paths_of(&path, &self.index.authors.all[at].entries),
            List::Sitemap | List::Robots | List::Redirect(_) => Vec::new(),
            List::Home
            | List::Archive
            | List::Year(_)
            | List::Tags
            | List::Corners
            | List::Authors
            | List::Search
            | List::NotFound => vec![path],
        };
        paths.iter().map(|path| file_of(path)).collect()
    }

    /// Renders a gathering page, unless it was `shown` with the same before.
    pub fn render_list(&self, list: List, shown: Option<&Shown<'_>>) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Gathered { made: Made::default(), shown };
        let name = &self.config.magazine.name;
        match list {
            List::Home => self.home(&mut made),
            List::Archive => self.archive(&mut made),
            List::Year(year) => self.year(year, &mut made),
            List::Posts => {
                let description = format!("{name}のブログ記事の一覧。");
                let head = head("posts/", "ブログ", &description);
                self.spread("blog/posts.html", &head, &self.posts(), &[], &mut made);
            }
            List::Tags => self.names("tags", "タグ", &self.index.tags, &mut made),
            List::Corners => self.names("corners", "連載・コーナー", &self.index.corners, &mut made),
            List::Authors => self.names("authors", "書いた人", &self.index.authors, &mut made),
            List::Tag(at) => self.name("タグ", &self.index.tags.all[at], &mut made),
            List::Corner(at) => self.name("連載・コーナー", &self.index.corners.all[at], &mut made),
            List::Author(at) => self.name("書いた人", &self.index.authors.all[at], &mut made),
            List::Search => {
                let description = format!("{name}の記事を、言葉から探します。");
                self.list("blog/search.html", &head("search/", "検索", &description), [], &mut made);
            }
            List::NotFound => {
                let head = head(NOT_FOUND, "ページが見つかりません", "");
                self.list("blog/404.html", &head, [], &mut made);
            }
            List::Sitemap => made.made.files = feed::sitemap(self),
            List::Robots => made.made.files = vec![feed::robots(self)],
            List::Redirect(at) => self.redirect(at, &mut made.made),
        }
        made.made.pages()
    }

    fn home(&self, made: &mut Gathered<'_>) {
        let latest = self.magazine.issues.len().checked_sub(1);
        let before = latest.unwrap_or(0);
        let recent: Vec<Value> = (before.saturating_sub(BACK_NUMBERS)..before)
            .rev()
            .map(|at| self.issue_value(at).clone())
            .collect();
        let posts: Vec<Value> = self.values.posts.iter().rev().take(LATEST_POSTS).cloned().collect();
        let latest = latest.map_or_else(Value::none, |at| self.issue_value(at).clone());
        let magazine = &self.config.magazine;
        let usual = format!("{}のメールマガジン「{}」のバックナンバー。", magazine.publisher, magazine.name);
        let description = Some(&self.config.blog.description).filter(|own| !own.is_empty()).unwrap_or(&usual);
        let head = head("", &magazine.name, description);
        let corners = self.counted(&self.index.corners);
        let lists =
            [("latest", latest), ("recent", recent.into()), ("posts", posts.into()), ("corners", corners)];
        self.list("blog/home.html", &head, lists, made);
    }

    fn archive(&self, made: &mut Gathered<'_>) {
        let groups = if self.magazine.issues.len() <= SHORT_ARCHIVE {
            self.issues(self.years.values().flatten())
        } else {
            self.issues(self.years.values().next_back().into_iter().flatten())
        };
        let description = format!("{}のバックナンバー。", self.config.magazine.name);
        let head = head("archive/", "バックナンバー", &description);
        self.list("blog/archive.html", &head, [("years", self.year_values()), ("groups", groups)], made);
    }

    fn year(&self, year: i32, made: &mut Gathered<'_>) {
        let groups = self.issues(self.years.get(&year).into_iter().flatten());
        let (path, title) = (format!("archive/{year}/"), format!("{year}年のバックナンバー"));
        let description = format!("{}の{title}。", self.config.magazine.name);
        let lists = [("years", self.year_values()), ("year", Value::from(year)), ("groups", groups)];
        self.list("blog/year.html", &head(&path, &title, &description), lists, made);
    }

    fn names(&self, kind: &'static str, title: &str, names: &Labels, made: &mut Gathered<'_>) {
        let description = format!("{}の{title}の一覧。", self.config.magazine.name);
        let values = [("kind", kind.into()), ("names", self.counted(names))];
        self.list("blog/names.html", &head(&format!("{kind}/"), title, &description), values, made);
    }

    fn counted(&self, names: &Labels) -> Value {
        let counted = names.all.iter().map(|label| counted(label, self.magazine, self.root));
        counted.collect::<Vec<_>>().into()
    }

    fn name(&self, kind: &str, label: &Label, made: &mut Gathered<'_>) {
        let description = format!("{kind}「{}」の記事の一覧。", label.name);
        let folder = &label.path[..label.path.find('/').map_or(0, |at| at + 1)];
        let lists = [
            ("kind", text(kind)),
            ("kind_url", text(&super::href(self.root, folder))),
            ("name", text(&label.name)),
            ("count", Value::from(label.entries.len())),
        ];
        let head = head(&label.path, &label.name, &description);
        self.spread("blog/name.html", &head, &label.entries, &lists, made);
    }

    /// Renders a list by year: its newest entries at its own address, and where it is long those of years before on
    /// pages below it.
    fn spread(
        &self,
        template: &str,
        front: &Head<'_>,
        entries: &[Entry],
        values: &[(&'static str, Value)],
        made: &mut Gathered<'_>,
    ) {
        let spans = self.spans_of(entries);
        let newest = spans.len().saturating_sub(1);
        let path = |at: usize| match spans.get(at) {
            Some(span) if at < newest => format!("{}{}/", front.path, span.part()),
            _ => front.path.to_owned(),
        };
        let link = |(at, span): (usize, &Span)| {
            let url = text(&super::href(self.root, &path(at)));
            map([("name", text(&span.name())), ("url", url), ("count", Value::from(span.entries.len()))])
        };
        let links: Vec<Value> = match newest {
            0 => Vec::new(),
            _ => spans.iter().enumerate().rev().map(link).collect(),
        };
        for (at, span) in spans.iter().enumerate() {
            let (path, title) = (path(at), format!("{}（{}）", front.title, span.name()));
            let title = if at == newest { front.title } else { &title };
            let head = head(&path, title, front.description);
            let groups = self.by_year(&entries[span.entries.clone()]);
            let lists = [("spans", Value::from(links.as_slice())), ("groups", groups)];
            let values = values.iter().cloned().chain(lists).collect();
            self.gathered(template, &head, values, made);
        }
    }

    pub(super) fn posts(&self) -> Vec<Entry> {
        (0..self.magazine.posts.len()).map(Entry::Post).collect()
    }

    fn spans_of(&self, entries: &[Entry]) -> Vec<Span> {
        spans(entries.iter().map(|&entry| self.date(entry).year()))
    }

    /// The paths of the pages that a list at a path is spread over.
    pub(super) fn paths_of(&self, path: &str, entries: &[Entry]) -> Vec<String> {
        let spans = self.spans_of(entries);
        let past = spans.iter().take(spans.len().saturating_sub(1));
        past.map(|span| format!("{path}{}/", span.part())).chain([path.to_owned()]).collect()
    }

    pub(super) fn list<const N: usize>(
        &self,
        template: &str,
        head: &Head<'_>,
        values: [(&'static str, Value); N],
        made: &mut Gathered<'_>,
    ) {
        self.gathered(template, head, values.into(), made);
    }

    /// Renders a page that shows these values, unless it shows them already.
    fn gathered(
        &self,
        template: &str,
        head: &Head<'_>,
        values: Vec<(&'static str, Value)>,
        made: &mut Gathered<'_>,
    ) {
        if let Some(Shown { fingerprints, is_the_same }) = made.shown {
            let all = fingerprints.of_all(values.iter().map(|(_, value)| value).chain([&self.values.site]));
            let Head { path, title, description, kind } = head;
            let of_head = [template, path, title, description, kind].map(str::as_bytes);
            let fingerprint = mixed("page", &[&of_head[..], &[&all.to_le_bytes()]].concat());
            let path = file_of(head.path);
            let is_the_same = is_the_same(&path, fingerprint);
            made.made.gathering.push((path, fingerprint));
            if is_the_same {
                return;
            }
        }
        let mut context = self.context(head);
        values.into_iter().for_each(|(name, value)| context.insert_value(name, value));
        self.page(template, head, &context, &mut made.made);
    }

    fn year_values(&self) -> Value {
        let year = |(year, issues): (&i32, &Vec<usize>)| {
            let url = super::href(self.root, &format!("archive/{year}/"));
            map([("year", Value::from(*year)), ("url", text(&url)), ("count", Value::from(issues.len()))])
        };
        self.years.iter().rev().map(year).collect::<Vec<_>>().into()
    }

    fn issues<'a>(&self, issues: impl Iterator<Item = &'a usize>) -> Value {
        self.by_year(&issues.map(|&at| Entry::Issue(at)).collect::<Vec<_>>())
    }

    /// Entries in groups of a year each, newest first; the articles of one issue keep their order.
    fn by_year(&self, entries: &[Entry]) -> Value {
        let mut groups: Vec<(i32, Vec<Value>)> = Vec::new();
        let same_issue = |a: &Entry, b: &Entry| match (a, b) {
            (Entry::Article(a, _), Entry::Article(b, _)) => a == b,
            _ => false,
        };
        for chunk in entries.chunk_by(same_issue).rev() {
            for &entry in chunk {
                let year = self.date(entry).year();
                let value = self.entry(entry);
                match groups.last_mut() {
                    Some((of, values)) if *of == year => values.push(value),
                    _ => groups.push((year, vec![value])),
                }
            }
        }
        let group = |(year, entries): (i32, Vec<Value>)| {
            map([("year", Value::from(year)), ("entries", entries.into())])
        };
        groups.into_iter().map(group).collect::<Vec<_>>().into()
    }
}

/// Pages that gather others, in the making.
pub(super) struct Gathered<'a> {
    pub(super) made: Made,
    /// None when nothing is known of the pages before.
    pub(super) shown: Option<&'a Shown<'a>>,
}

/// The head of a page that gathers others.
pub(super) fn head<'a>(path: &'a str, title: &'a str, description: &'a str) -> Head<'a> {
    Head { path, title, description, kind: "website" }
}
