//! One edition's mails and pages, each made when it is asked for and at most once.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::rc::Rc;
use std::sync::Arc;

use crate::address::{article_path, issue_path, page_path, post_path};
use crate::blog::{
    self, Entry, File, FileCopy, INDEX_OF_TERMS, IssueTerms, List, Pages, SearchBefore, SearchTerms, Site,
    Term,
};
use crate::diagnostic::Diagnostic;
use crate::highlight::Highlighter;
use crate::picture::{Fault, Picture};
use crate::pictures::Pictures;
use crate::source::{Content, IssueTexts, Text};
use crate::theme::Theme;
use crate::{check, mail, search};

/// What is kept from edition to edition: the last good of all that was looked at.
pub(super) struct Kept {
    /// The edition that is being shown, counted from one.
    pub(super) edition: u64,
    /// Files of the blog by their paths, with the edition that they are of.
    files: HashMap<String, (u64, Arc<[u8]>)>,
    /// The files that pages have beside them, by where they stand on the blog.
    copies: HashMap<String, FileCopy>,
    /// Mails by their issues' labels.
    mails: HashMap<String, Mail>,
}

/// An issue's mail as it is read.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) subject: String,
    /// The text, with a line feed after each line.
    pub(super) body: String,
    /// The same as the blog shows it.
    for_all: String,
    /// Its HTML, where it has one.
    pub(super) html: Option<String>,
    /// The name of the character set, and the size of the whole message in octets; none when it cannot be sent.
    pub(super) letter: Option<(&'static str, usize)>,
    digest: String,
}

/// Something that was asked for: as it is now, or as it was when it could last be made.
pub(super) struct Shown<T> {
    /// Nothing when it could never be made.
    pub(super) good: Option<T>,
    /// All that is wrong with it.
    pub(super) problems: Vec<Diagnostic>,
    /// Whether the problems kept it from being made anew.
    pub(super) is_stale: bool,
}

/// What stands at an address of the blog.
pub(super) enum Found {
    File(Shown<Arc<[u8]>>),
    /// A folder that was named without its last stroke: its path.
    Folder(String),
    Nothing,
}

/// Makes mails and pages of one edition.
pub(super) struct Press<'a> {
    content: &'a Content,
    theme: &'a Theme,
    beside: Beside<'a>,
    kept: &'a mut Kept,
    site: Option<Result<Rc<Site<'a>>, Vec<Diagnostic>>>,
    issues: HashMap<usize, Rc<Made>>,
}

/// An issue's texts, its mail, and what is wrong with them.
struct Made {
    texts: IssueTexts,
    mail: Result<Mail, Vec<Diagnostic>>,
    problems: Vec<Diagnostic>,
}

/// What makes a page, and perhaps others with it.
#[derive(Clone, Copy)]
enum Maker {
    Issue(usize),
    Post(usize),
    Page(usize),
    List(List),
    Feed,
    Search,
    IndexOfTerms,
}

/// What stands beside the texts.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Whether the content has a picture or attachment, by its path from the magazine's root.
    pub(super) has_file: &'a (dyn Fn(&str) -> bool + Sync),
    /// What pages need to know of a picture.
    pub(super) picture: &'a (dyn Fn(&str) -> Result<Picture, Fault> + Sync),
    pub(super) pictures: &'a Pictures<'a>,
    pub(super) highlighter: &'a Highlighter,
}

impl Kept {
    /// Nothing yet, at the first edition.
    pub(super) fn new() -> Kept {
        Kept { edition: 1, files: HashMap::new(), copies: HashMap::new(), mails: HashMap::new() }
    }
}

impl<'a> Press<'a> {
    pub(super) fn new(
        content: &'a Content,
        theme: &'a Theme,
        beside: Beside<'a>,
        kept: &'a mut Kept,
    ) -> Self {
        Press { content, theme, beside, kept, site: None, issues: HashMap::new() }
    }

    /// An issue's mail, by its index in the magazine.
    pub(super) fn mail(&mut self, index: usize) -> Shown<Mail> {
        let label = &self.content.magazine.issues[index].label;
        let made = self.issue(index);
        let mut problems = made.problems.clone();
        match &made.mail {
            Ok(mail) => {
                self.kept.mails.insert(label.clone(), mail.clone());
                Shown { good: Some(mail.clone()), problems, is_stale: false }
            }
            Err(more) => {
                problems.extend(more.iter().cloned());
                Shown { good: self.kept.mails.get(label).cloned(), problems, is_stale: true }
            }
        }
    }

    /// The HTML of an issue's mail, by the issue's label, its pictures from this server's own blog.
    pub(super) fn html(&mut self, label: &str) -> Option<String> {
        let index = self.content.magazine.issues.iter().position(|issue| issue.label == label)?;
        let html = self.mail(index).good?.html?;
        let blog = &self.content.config.blog;
        Some(html.replace(&format!("src=\"{}/", blog.url), &format!("src=\"{}/", blog.base_path())))
    }

    /// What stands at a path below the blog's root, neither encoded nor beginning with `/`.
    pub(super) fn find(&mut self, path: &str) -> Found {
        if path.is_empty() || path.ends_with('/') {
            return self.file(&format!("{path}index.html")).map_or(Found::Nothing, Found::File);
        }
        if let Some(file) = self.file(path) {
            return Found::File(file);
        }
        match self.maker(&format!("{path}/")) {
            Some(_) => Found::Folder(format!("{path}/")),
            None => Found::Nothing,
        }
    }

    /// The page that stands for all that is missing.
    pub(super) fn not_found(&mut self) -> Option<Arc<[u8]>> {
        self.file("404.html")?.good
    }

    /// Where on the blog a reader sees what a file of the content makes: the path of its page. For an article it is
    /// the article's, for the other files of an issue the issue's.
    pub(super) fn page_of(&mut self, file: &str) -> Option<String> {
        let content = self.content;
        if let Some(index) = self.issue_of(file) {
            let issue = &content.magazine.issues[index];
            let made = self.issue(index);
            let mut articles = issue.articles.iter().zip(&made.texts.articles);
            let article = articles.find(|(_, text)| text.source.path == file && !issue.finished);
            let has_own_file = article.filter(|_| content.issue_sources[index].first_text().path != file);
            return Some(
                has_own_file.map_or_else(|| issue_path(issue), |(article, _)| article_path(issue, article)),
            );
        }
        let post = (0..content.magazine.posts.len()).find(|&at| content.post_file(at).path == file);
        if let Some(post) = post {
            return Some(post_path(&content.magazine.posts[post]));
        }
        let page = (0..content.magazine.pages.len()).find(|&at| content.page_file(at).path == file)?;
        Some(page_path(&content.magazine.pages[page]))
    }

    /// The issue that a file of the content is part of, or whose folder it is, by its index.
    pub(super) fn issue_of(&self, file: &str) -> Option<usize> {
        if !file.starts_with("content/issues/") {
            return None;
        }
        (0..self.content.magazine.issues.len()).find(|&index| {
            let first = &self.content.issue_sources[index].first_text().path;
            match first.strip_suffix("index.md") {
                Some(folder) if folder.ends_with('/') => {
                    file.starts_with(folder) || folder.strip_suffix('/') == Some(file)
                }
                _ => first == file,
            }
        })
    }

    fn file(&mut self, path: &str) -> Option<Shown<Arc<[u8]>>> {
        let fresh = |octets| Shown { good: Some(octets), problems: Vec::new(), is_stale: false };
        if let Some((edition, octets)) = self.kept.files.get(path)
            && *edition == self.kept.edition
        {
            return Some(fresh(octets.clone()));
        }
        let Some(maker) = self.maker(path) else { return self.copy(path).map(fresh) };
        match self.render(maker) {
            Ok(pages) => {
                self.kept.copies.extend(pages.copies.into_iter().map(|copy| (copy.to.clone(), copy)));
                for file in pages.files {
                    self.kept.files.insert(file.path, (self.kept.edition, file.bytes.into()));
                }
                let (_, octets) = self.kept.files.get(path).filter(|(of, _)| *of == self.kept.edition)?;
                Some(fresh(octets.clone()))
            }
            Err(problems) => {
                let good = self.kept.files.get(path).map(|(_, octets)| octets.clone());
                Some(Shown { good, problems, is_stale: true })
            }
        }
    }

    /// What makes the page at a path: a file's, or a folder's that ends in `/`.
    fn maker(&mut self, path: &str) -> Option<Maker> {
        let page = path.strip_suffix("index.html").unwrap_or(path);
        let magazine = &self.content.magazine;
        let mut parts = page.split('/');
        match (parts.next(), parts.next()) {
            (Some("issues"), Some(label)) => {
                let folder = format!("issues/{label}/");
                if page != folder && !page.ends_with('/') {
                    return None;
                }
                return magazine
                    .issues
                    .iter()
                    .position(|issue| issue_path(issue) == folder)
                    .map(Maker::Issue);
            }
            (Some("posts"), Some(_)) => {
                if let Some(post) = magazine.posts.iter().position(|post| post_path(post) == page) {
                    return Some(Maker::Post(post));
                }
            }
            _ if ["atom.xml", "rss.xml", "feed.json"].contains(&page) => return Some(Maker::Feed),
            _ => {
                if let Some(at) = magazine.pages.iter().position(|other| page_path(other) == page) {
                    return Some(Maker::Page(at));
                }
            }
        }
        let Ok(site) = self.site() else {
            // Which lists there are cannot be told; the front page and what was seen before are there anyway.
            let known = page.is_empty() || self.kept.files.contains_key(path);
            return known.then_some(Maker::List(List::Home));
        };
        if path.starts_with("sitemap") && path.ends_with(".xml") {
            return Some(Maker::List(List::Sitemap));
        }
        if page.starts_with(INDEX_OF_TERMS) {
            return Some(Maker::IndexOfTerms);
        }
        // A long list has a page for each year below its own.
        let above = |list: &List| {
            let path = site.list_path(*list);
            page == path || path.ends_with('/') && page.starts_with(&path)
        };
        let list = site.lists().into_iter().filter(above).max_by_key(|list| site.list_path(*list).len());
        let list = list.map(Maker::List).filter(|_| !page.starts_with("search/") || page == "search/");
        // The files of the search stand beside its page.
        list.or_else(|| (page.starts_with("search/") && !page.ends_with('/')).then_some(Maker::Search))
    }

    fn render(&mut self, maker: Maker) -> Result<Pages, Vec<Diagnostic>> {
        let site = self.site()?;
        match maker {
            Maker::Issue(index) => {
                let made = self.issue(index);
                let (body, digest) = match &made.mail {
                    Ok(mail) => (mail.for_all.as_str(), mail.digest.as_str()),
                    Err(_) => ("", ""),
                };
                site.render_issue(site.around_issue(index), &made.texts, body, digest)
            }
            Maker::Post(index) => site.render_post(index, &self.content.post_text(index, &mut Vec::new())),
            Maker::Page(index) => site.render_page(index, &self.content.page_text(index, &mut Vec::new())),
            Maker::List(list) => site.render_list(list, None),
            Maker::Feed => {
                let entries = site.feed_entries();
                let texts: Vec<(Entry, Text)> =
                    entries.into_iter().filter_map(|entry| Some((entry, self.text(entry)?))).collect();
                let shown: Vec<(Entry, &Text)> = texts.iter().map(|(entry, text)| (*entry, text)).collect();
                site.render_feed(&shown)
            }
            Maker::IndexOfTerms => site.render_index_of_terms(&self.terms(), None),
            Maker::Search => {
                let Content { magazine, .. } = self.content;
                let mut terms = SearchTerms::of(magazine);
                for index in 0..magazine.issues.len() {
                    let texts = self.content.issue_sources[index].texts(&mut Vec::new());
                    terms.issues[index] = IssueTerms::Made(site.issue_terms(index, &texts));
                }
                for index in 0..magazine.posts.len() {
                    let text = self.content.post_text(index, &mut Vec::new());
                    terms.posts[index] = site.post_terms(index, &text);
                }
                for index in 0..magazine.pages.len() {
                    let text = self.content.page_text(index, &mut Vec::new());
                    terms.pages[index] = site.page_terms(index, &text);
                }
                let files = site
                    .search_files(&terms, &SearchBefore::default())
                    .0
                    .into_iter()
                    .map(|search::File { path, bytes }| File { path, bytes });
                Ok(Pages { files: files.collect(), ..Pages::default() })
            }
        }
    }

    /// The terms of every text that has some.
    fn terms(&self) -> Vec<(Entry, Vec<Term>)> {
        let magazine = &self.content.magazine;
        let mut terms = Vec::new();
        for (index, issue) in magazine.issues.iter().enumerate() {
            let texts = self.content.issue_sources[index].texts(&mut Vec::new());
            let articles = (0..issue.articles.len()).map(|article| Entry::Article(index, article));
            terms.extend(
                articles.zip(&texts.articles).map(|(entry, text)| (entry, blog::terms(&text.document))),
            );
        }
        terms.extend((0..magazine.posts.len()).map(|index| {
            let text = self.content.post_text(index, &mut Vec::new());
            (Entry::Post(index), blog::terms(&text.document))
        }));
        terms.retain(|(_, terms)| !terms.is_empty());
        terms
    }

    /// What is wrong with the text of a post or page, by its path on the blog. An issue's problems come with its mail.
    pub(super) fn problems_at(&mut self, path: &str) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let magazine = &self.content.magazine;
        match self.maker(path) {
            Some(Maker::Post(index)) => {
                let text = self.content.post_text(index, &mut problems);
                problems.extend(check::blog_text(self.content, &magazine.posts[index].title, &text));
            }
            Some(Maker::Page(index)) => {
                let text = self.content.page_text(index, &mut problems);
                problems.extend(check::blog_text(self.content, &magazine.pages[index].title, &text));
            }
            Some(Maker::Issue(_) | Maker::List(_) | Maker::Feed | Maker::Search | Maker::IndexOfTerms)
            | None => {}
        }
        problems
    }

    fn text(&mut self, entry: Entry) -> Option<Text> {
        match entry {
            Entry::Article(issue, article) => self.issue(issue).texts.articles.get(article).cloned(),
            Entry::Post(post) => Some(self.content.post_text(post, &mut Vec::new())),
            Entry::Issue(_) => None,
        }
    }

    fn issue(&mut self, index: usize) -> Rc<Made> {
        if let Some(made) = self.issues.get(&index) {
            return made.clone();
        }
        let mut problems = Vec::new();
        let source = &self.content.issue_sources[index];
        let texts = source.texts(&mut problems);
        problems.extend(check::issue(self.content, index, (source, &texts)));
        let mail = self.make_mail(index, &texts, &mut problems);
        let made = Rc::new(Made { texts, mail, problems });
        self.issues.insert(index, made.clone());
        made
    }

    fn make_mail(
        &self,
        index: usize,
        texts: &IssueTexts,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Mail, Vec<Diagnostic>> {
        let Content { config, magazine, .. } = self.content;
        let issue = &magazine.issues[index];
        let subject = mail::subject(config, issue, self.theme).map_err(|problem| vec![*problem])?;
        let body = mail::body(self.content, index, texts, self.theme).map_err(|problem| vec![*problem])?;
        if texts.sent.is_none() {
            problems.extend(check::masthead(config, &body.text));
        }
        let html = mail::html(self.content, index, texts, self.theme, &subject, self.beside.picture)
            .map_err(|problem| vec![*problem])?;
        let attachments = self.content.attachments(index, problems);
        let contents = mail::Contents { text: &body, html: html.as_ref(), attachments: &attachments };
        // A mail that cannot be sent can be read all the same.
        let letter = mail::letter(config, issue, &subject, &contents, texts.sent.as_ref());
        let (letter, digest) = match letter {
            Ok(letter) => (Some((letter.charset.name(), letter.octets.len())), letter.digest),
            Err(more) => {
                problems.extend(more);
                (None, String::new())
            }
        };
        let for_all = body.for_all(config).into_owned();
        Ok(Mail { subject, body: body.text, for_all, html: html.map(|html| html.text), letter, digest })
    }

    fn site(&mut self) -> Result<Rc<Site<'a>>, Vec<Diagnostic>> {
        let Press { content: Content { config, magazine, .. }, theme, beside, .. } = *self;
        let Beside { has_file, picture, highlighter, .. } = beside;
        let make = || Site::new(config, magazine, theme, has_file, picture, highlighter).map(Rc::new);
        self.site.get_or_insert_with(make).clone()
    }

    /// A file that the blog has as it is: of the theme, or beside a text.
    fn copy(&mut self, path: &str) -> Option<Arc<[u8]>> {
        if let Some((_, asset)) = self.theme.assets().files().find(|(_, asset)| asset.published == path) {
            return Some(asset.octets.as_ref().into());
        }
        if !self.kept.copies.contains_key(path) {
            self.render_owners(path);
        }
        let FileCopy { from, width, .. } = self.kept.copies.get(path)?;
        match width {
            Some(width) => self.beside.pictures.narrower(from, *width).ok().map(Into::into),
            None => fs::read(self.content.file(from)?).ok().map(Into::into),
        }
    }

    /// Renders the pages that may have a file beside them: which they have is known only then.
    fn render_owners(&mut self, path: &str) {
        let magazine = &self.content.magazine;
        let makers: BTreeSet<String> = match path.strip_prefix("issues/") {
            Some(_) => {
                magazine.issues.iter().map(issue_path).filter(|folder| path.starts_with(folder)).collect()
            }
            None => {
                magazine.posts.iter().map(post_path).chain(magazine.pages.iter().map(page_path)).collect()
            }
        };
        for folder in makers {
            if !self.kept.copies.contains_key(path) {
                self.file(&format!("{folder}index.html"));
            }
        }
    }
}
