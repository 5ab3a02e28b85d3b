//! What `check` and `build` do alike: every page and every mail of a magazine, and all the problems on the way.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::console::Console;
use super::works::{self, Gathering, IssueWork, Key, OfAll, Record, Works};
use crate::address::{page_path, post_path};
use crate::blog::{
    self, Around, Entry, File, FileCopy, IssueTerms, List, PageLinks, Pages, SearchBefore, SearchOrder,
    SearchTerms, Shown, Site, Term, file_of,
};
pub(super) use crate::diagnostic::once_each;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::highlight::Highlighter;
use crate::pictures::Pictures;
use crate::search::{self, Terms};
use crate::source::{Content, IssueSource, IssueTexts, RawFile, Text};
use crate::theme::{Assets, Fingerprint, Fingerprints, Theme, mixed};
use crate::{check, mail};

/// Where the files of `dist/` go.
pub(super) trait Output: Sync {
    /// Takes a file.
    fn put(&self, path: &str, octets: &[u8]) -> Result<()>;
    /// Keeps files as the build before left them, if all are still so.
    fn keep(&self, paths: &[String]) -> bool;
    /// A file as the build before left it, if it is still so.
    fn left(&self, path: &str) -> Option<Vec<u8>>;
}

/// Nowhere: for those who want to know the problems alone.
impl Output for () {
    fn put(&self, _: &str, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn keep(&self, _: &[String]) -> bool {
        false
    }

    fn left(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
}

/// What is known of the build before this one.
#[derive(Default)]
pub(super) struct Before {
    /// What all issues share, as a digest.
    pub(super) standing: String,
    pub(super) works: Works,
    /// Its index of the search, where anything of `works` is known.
    pub(super) search: SearchBefore,
}

impl Before {
    /// A fingerprint of what all pages share.
    fn of_standing(&self) -> Fingerprint {
        mixed("standing", &[self.standing.as_bytes()])
    }

    /// Whether its pages hold code as it would be written again.
    fn remembers_code(&self) -> bool {
        self.works.share(self.of_standing())
    }

    /// A fingerprint of what a page shows, with all that pages share.
    fn of_pages(&self, shown: Fingerprint) -> Fingerprint {
        mixed("pages", &[self.standing.as_bytes(), &shown.to_le_bytes()])
    }
}

/// What was made of a magazine.
pub(super) struct Production<'a> {
    /// All that is wrong.
    pub(super) problems: Vec<Diagnostic>,
    /// What the next build may want to know of this one: one after the other, as [`Works::read`] reads it.
    pub(super) works: Vec<Cow<'a, [u8]>>,
}

/// Makes every file of `dist/` and hands each on as soon as it is made, from as many threads as there are cores. What
/// is wrong with an issue keeps only its own files from being made. `root` is the magazine's folder, where narrower
/// pictures are kept from build to build. Addresses of other sites are asked for when `outside` names the file of what
/// they answered before.
pub(super) fn produce<'b>(
    content: &mut Content,
    root: &Path,
    (output, before): (&dyn Output, Option<&'b Before>),
    outside: Option<&Path>,
    console: &Console,
) -> Result<Production<'b>> {
    let issue_sources = std::mem::take(&mut content.issue_sources);
    let content = &*content;
    let nothing_but = |problems| Ok(Production { problems, works: Vec::new() });
    let assets = match Assets::new(theme_files(content)?, content.config.blog.base_path()) {
        Ok(assets) => assets,
        Err(problems) => return nothing_but(problems),
    };
    let theme = match Theme::with_assets(&content.templates, assets) {
        Ok(theme) => theme,
        Err(problems) => return nothing_but(problems),
    };
    let has_file = |path: &str| content.has_file(path);
    let pictures = Pictures::new(content, root);
    let picture = |path: &str| pictures.picture(path);
    let highlighter = Highlighter::default();
    let site = match Site::new(&content.config, &content.magazine, &theme, &has_file, &picture, &highlighter)
    {
        // Whoever produces ends soon after: taking many small values apart would be time for nothing.
        Ok(site) => ManuallyDrop::new(site),
        Err(problems) => return nothing_but(problems),
    };
    let of_magazine = |before: &Before| Some(before.of_pages(works::of_magazine(&content.magazine)?));
    let of_magazine = before.and_then(of_magazine);
    let is_as_before =
        before.zip(of_magazine).is_some_and(|(before, of_magazine)| before.works.is_of(of_magazine));
    let mut sources = BTreeMap::new();
    for entry in site.feed_entries() {
        if let Entry::Article(issue, _) = entry {
            sources.entry(issue).or_insert_with(|| issue_sources[issue].clone());
        }
    }
    let work = Work {
        content,
        sources: Mutex::new(sources),
        theme: &theme,
        site: &site,
        pictures: &pictures,
        output,
        before,
        keeps_outside_links: outside.is_some(),
        is_as_before,
        remembers_code: before.is_some_and(Before::remembers_code) && !has_own_pages(content),
        fingerprints: before
            .filter(|_| !is_as_before)
            .map_or_else(Fingerprints::default, |before| site.fingerprints(before.works.has_issues())),
        gathering: Mutex::default(),
        records: Mutex::new(vec![None; content.magazine.issues.len()]),
        copies: Mutex::default(),
        found: Mutex::new(SearchTerms::of(&content.magazine)),
        terms: Mutex::default(),
        links: Mutex::default(),
    };
    let magazine = &content.magazine;
    let lists = site.lists();
    let steps = magazine.issues.len() + magazine.posts.len() + magazine.pages.len() + lists.len();
    let progress = console.progress(steps, "building");
    let step = |problems: Result<Vec<Diagnostic>>| {
        progress.inc(1);
        problems
    };

    // Each issue's texts go when its files are made. Few are made in one go: no core waits long for another at the end.
    let issues = issue_sources.into_par_iter().with_max_len(32).enumerate();
    let issues = issues.map(|(index, source)| step(work.issue(index, &source)));
    let posts = (0..magazine.posts.len()).into_par_iter().map(|index| step(work.post(index)));
    let pages = (0..magazine.pages.len()).into_par_iter().map(|index| step(work.page(index)));
    let lists = lists.into_par_iter().map(|list| step(work.list(list)));
    let told: Vec<Vec<Diagnostic>> = issues.chain(posts).chain(pages).chain(lists).collect::<Result<_>>()?;
    let mut problems: Vec<Diagnostic> = told.into_iter().flatten().collect();
    problems.extend(work.broken_links());
    if let Some(kept) = outside {
        problems.extend(work.outside_links(kept, console)?);
    }
    let mut of_all =
        OfAll { standing: before.map_or(0, Before::of_standing), magazine: of_magazine, ..OfAll::default() };
    // The feed shows what the pages show: their problems have been told.
    if !has_errors(&problems) {
        let terms = std::mem::take(&mut *work.terms.lock().expect("no thread is left"));
        // Each of them does much that only one core can do.
        let (search, (feed, of_terms)) =
            rayon::join(|| work.search(), || (work.feed(), work.index_of_terms(&terms)));
        of_all.search = search?;
        problems.extend(feed?.into_iter().chain(of_terms?));
        work.files()?;
    }
    progress.finish_and_clear();
    let records = std::mem::take(&mut *work.records.lock().expect("no thread is left"));
    of_all.gathering = std::mem::take(&mut *work.gathering.lock().expect("no thread is left"));
    let works = [of_all.into_octets().into()].into_iter().chain(records.into_iter().flatten()).collect();
    Ok(Production { problems, works })
}

/// A build at work.
pub(super) struct Work<'a, 'b> {
    pub(super) content: &'a Content,
    /// The texts that are looked at again when all issues are made, by the issues' places: those that the feeds show, and
    /// those with links that are still to be judged.
    pub(super) sources: Mutex<BTreeMap<usize, IssueSource>>,
    pub(super) theme: &'a Theme,
    pub(super) site: &'a Site<'a>,
    pictures: &'a Pictures<'a>,
    output: &'a dyn Output,
    /// None when nobody will build on this one.
    before: Option<&'b Before>,
    pub(super) keeps_outside_links: bool,
    /// Whether all that is published, but for the texts, is what it was in the build before.
    is_as_before: bool,
    /// Whether the pages before hold code as it would be written again.
    remembers_code: bool,
    /// Of the values that pages share, where there is a build before that showed others.
    fingerprints: Fingerprints,
    /// The pages that gather others.
    gathering: Mutex<Vec<Gathering>>,
    /// What became of the issues, in the order of the magazine.
    records: Mutex<Vec<Option<Record<'b>>>>,
    /// The pictures and attachments that the pages need.
    pub(super) copies: Mutex<BTreeSet<FileCopy>>,
    /// What the search will find.
    found: Mutex<SearchTerms>,
    /// What the index of terms is made of.
    terms: Mutex<Vec<(Entry, Vec<Term>)>>,
    /// What the texts link to, and the files that were made beside the pages that the site names.
    pub(super) links: Mutex<(Vec<PageLinks>, BTreeSet<String>)>,
}

impl<'b> Work<'_, 'b> {
    /// An issue's mail form, letter and pages.
    fn issue(&self, index: usize, source: &IssueSource) -> Result<Vec<Diagnostic>> {
        let Content { config, magazine, .. } = self.content;
        let issue = &magazine.issues[index];
        let texts = works::of_texts(source);
        // Where nothing else is new, an issue's own texts decide.
        let around = (!self.is_as_before).then(|| self.around(index));
        if let Some(before) = self.before
            && let Some((work, record)) =
                before.works.of(issue.number, texts, around.as_ref().map(|(_, around)| *around))
            && before.search.has(issue.number, work.found.len())
            && self.output.keep(&work.files)
        {
            self.found().issues[index] = IssueTerms::AsBefore(work.found.clone());
            self.take((index, source), record, work);
            return Ok(Vec::new());
        }
        let (around, of_around) = around.unwrap_or_else(|| self.around(index));
        let key = Key { around: of_around, texts };
        let source = &*match source.read(config) {
            Ok(source) => source,
            Err(problem) => return Ok(vec![*problem]),
        };
        self.remember_code(|before| before.works.files_of(issue.number));
        let mut work = IssueWork::default();
        let mut problems = Vec::new();
        let texts = source.texts(&mut problems);
        // What could not be understood is not judged any further.
        if !problems.iter().any(|problem| problem.rule == "nested-too-deep") {
            problems.extend(check::issue(self.content, index, (source, &texts)));
        }
        let attachments = self.content.attachments(index, &mut problems);
        let may_go_on = !has_errors(&problems);
        let terms = texts.articles.iter().map(|text| blog::terms(&text.document)).enumerate();
        work.terms = terms.filter(|(_, terms)| !terms.is_empty()).collect();

        let mail = mail::subject(config, issue, self.theme).and_then(|subject| {
            let body = mail::body(self.content, index, &texts, self.theme)?;
            let picture = |path: &str| self.pictures.picture(path);
            let html = mail::html(self.content, index, &texts, self.theme, &subject, &picture)?;
            Ok((subject, body, html))
        });
        let (subject, body, html) = match mail {
            Ok(mail) => mail,
            Err(problem) => {
                problems.push(*problem);
                return Ok(problems);
            }
        };
        let found = self.site.issue_terms(index, &texts);
        work.found = found.iter().map(Terms::extent).collect();
        self.found().issues[index] = IssueTerms::Made(found);
        // Where nothing is sent from here, and of what was sent long ago, nobody wants to know.
        if !config.smtp.is_empty() && index + 1 == magazine.issues.len() {
            let form = (body.text.as_str(), &body.fields[..]);
            problems.extend(check::law(config, form, self.content.footer.is_some()));
        }
        if texts.sent.is_none() {
            problems.extend(check::masthead(config, &body.text));
        }
        let for_all = body.for_all(config);
        if !may_go_on {
            // The pages may have problems of their own, and the editor wants to know them all at once.
            problems.extend(self.site.render_issue(around, &texts, &for_all, "").err().unwrap_or_default());
            return Ok(problems);
        }
        let contents = mail::Contents { text: &body, html: html.as_ref(), attachments: &attachments };
        match mail::letter(config, issue, &subject, &contents, texts.sent.as_ref()) {
            Ok(letter) => {
                work.files = ["txt", "eml"].map(|form| format!("mail/{}.{form}", issue.label)).into();
                self.output.put(&work.files[0], for_all.as_bytes())?;
                self.output.put(&work.files[1], &letter.octets)?;
                match self.site.render_issue(around, &texts, &for_all, &letter.digest) {
                    Ok(pages) => {
                        for File { path, bytes } in pages.files {
                            let path = in_dist(&path);
                            self.output.put(&path, &bytes)?;
                            work.files.push(path);
                        }
                        (work.copies, work.links) = (pages.copies, self.wanted(pages.links));
                        problems.extend(pages.warnings);
                    }
                    Err(more) => problems.extend(more),
                }
            }
            Err(more) => problems.extend(more),
        }
        // What is wrong has to be told again each time, so that it is looked for again.
        let key = if problems.is_empty() { key } else { Key::NEVER };
        self.take((index, source), works::record(issue.number, key, &work), work);
        Ok(problems)
    }

    /// Spares the work of telling code's pieces that stood on pages before, at their paths in `dist/`.
    fn remember_code(&self, files: impl FnOnce(&Before) -> Vec<String>) {
        let Some(before) = self.before.filter(|_| self.remembers_code) else { return };
        let files = files(before);
        let pages = files.iter().filter(|path| path.ends_with(".html"));
        let left = pages.filter_map(|path| String::from_utf8(self.output.left(path)?).ok());
        left.for_each(|page| self.site.remember_code(&page));
    }

    /// What an issue's pages show of the rest of the magazine, and that in short.
    fn around(&self, index: usize) -> (Around, Fingerprint) {
        let around = self.site.around_issue(index);
        let shown = |before: &Before| before.of_pages(self.site.fingerprint(&around, &self.fingerprints));
        let of_around = self.before.map_or(0, shown);
        (around, of_around)
    }

    /// Takes what was made of an issue, now or before, to where the rest of the build looks for it.
    fn take(&self, (index, source): (usize, &IssueSource), record: Record<'b>, work: IssueWork) {
        const WHOLE: &str = "no thread panics while it holds this";
        if work.links.iter().any(|page| !page.links.is_empty()) {
            self.sources.lock().expect(WHOLE).entry(index).or_insert_with(|| source.clone());
        }
        self.records.lock().expect(WHOLE)[index] = Some(record);
        let terms = work.terms.into_iter().map(|(position, terms)| (Entry::Article(index, position), terms));
        self.terms.lock().expect(WHOLE).extend(terms);
        self.copies.lock().expect(WHOLE).extend(work.copies);
        self.note_made(work.links, work.files.iter().filter_map(|path| path.strip_prefix("blog/")));
    }

    /// Notes what texts link to, and the files that were made of them in the blog's folder.
    fn note_made<'p>(&self, links_of_texts: Vec<PageLinks>, files: impl Iterator<Item = &'p str>) {
        let mut links = self.links.lock().expect("no thread panics while it holds this");
        links.0.extend(links_of_texts);
        links.1.extend(files.map(|path| path.strip_suffix("index.html").unwrap_or(path).to_owned()));
    }

    /// Notes pages that gather others, made or kept.
    fn note_gathered(&self, gathered: Vec<Gathering>) {
        self.note_made(Vec::new(), gathered.iter().map(|(path, _)| path.as_str()));
        self.gathering.lock().expect("no thread panics while it holds this").extend(gathered);
    }

    fn post(&self, index: usize) -> Result<Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let text = self.content.post_text(index, &mut problems);
        self.note_terms(Entry::Post(index), &text);
        self.remember_code(|_| vec![in_dist(&file_of(&post_path(&self.content.magazine.posts[index])))]);
        problems.extend(check::blog_text(self.content, &self.content.magazine.posts[index].title, &text));
        let terms = self.site.post_terms(index, &text);
        self.found().posts[index] = terms;
        problems.extend(self.pages(self.site.render_post(index, &text))?);
        Ok(problems)
    }

    fn page(&self, index: usize) -> Result<Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let text = self.content.page_text(index, &mut problems);
        self.remember_code(|_| vec![in_dist(&file_of(&page_path(&self.content.magazine.pages[index])))]);
        problems.extend(check::blog_text(self.content, &self.content.magazine.pages[index].title, &text));
        let terms = self.site.page_terms(index, &text);
        self.found().pages[index] = terms;
        problems.extend(self.pages(self.site.render_page(index, &text))?);
        Ok(problems)
    }

    fn note_terms(&self, entry: Entry, text: &Text) {
        let terms = blog::terms(&text.document);
        if !terms.is_empty() {
            self.terms.lock().expect("no thread panics while it holds this").push((entry, terms));
        }
    }

    /// Hands on what was rendered.
    fn pages(&self, rendered: Result<Pages, Vec<Diagnostic>>) -> Result<Vec<Diagnostic>> {
        let pages = match rendered {
            Ok(pages) => pages,
            Err(problems) => return Ok(problems),
        };
        for file in &pages.files {
            self.output.put(&in_dist(&file.path), &file.bytes)?;
        }
        if !pages.copies.is_empty() {
            self.copies.lock().expect("no thread panics while it holds this").extend(pages.copies);
        }
        self.note_made(pages.links, pages.files.iter().map(|file| file.path.as_str()));
        Ok(pages.warnings)
    }

    fn found(&self) -> MutexGuard<'_, SearchTerms> {
        self.found.lock().expect("no thread panics while it holds this")
    }

    fn list(&self, list: List) -> Result<Vec<Diagnostic>> {
        if self.keeps_list(list) {
            return Ok(Vec::new());
        }
        self.gathered(|shown| self.site.render_list(list, shown))
    }

    /// Keeps the pages of a list where all that it could show is what it was.
    fn keeps_list(&self, list: List) -> bool {
        let Some(before) = self.before.filter(|_| self.is_as_before) else { return false };
        let paths = self.site.files_of(list);
        let gathered = paths.iter().map(|path| Some((path.clone(), before.works.gathered(path)?)));
        let Some(gathered) = gathered.collect::<Option<Vec<Gathering>>>() else { return false };
        let files: Vec<String> = paths.iter().map(|path| in_dist(path)).collect();
        if files.is_empty() || !self.output.keep(&files) {
            return false;
        }
        self.note_gathered(gathered);
        true
    }

    fn index_of_terms(&self, terms: &[(Entry, Vec<Term>)]) -> Result<Vec<Diagnostic>> {
        self.gathered(|shown| self.site.render_index_of_terms(terms, shown))
    }

    /// Hands on pages that gather others; those that show what they showed are kept.
    fn gathered(
        &self,
        render: impl FnOnce(Option<&Shown<'_>>) -> Result<Pages, Vec<Diagnostic>>,
    ) -> Result<Vec<Diagnostic>> {
        let Some(before) = self.before else { return self.pages(render(None)) };
        let is_the_same = |path: &str, shown: Fingerprint| {
            before.works.gathered(path) == Some(before.of_pages(shown)) && self.output.keep(&[in_dist(path)])
        };
        let shown = Shown { fingerprints: &self.fingerprints, is_the_same: &is_the_same };
        let pages = render(Some(&shown));
        if let Ok(pages) = &pages {
            let noted = pages.gathering.iter().map(|(path, shown)| (path.clone(), before.of_pages(*shown)));
            self.note_gathered(noted.collect());
        }
        self.pages(pages)
    }

    /// The index of the search.
    fn search(&self) -> Result<SearchOrder> {
        let found = std::mem::take(&mut *self.found());
        let nothing = SearchBefore::default();
        let before = self.before.map_or(&nothing, |before| &before.search);
        let (files, order) = self.site.search_files(&found, before);
        let put = |file: search::File| self.output.put(&in_dist(&file.path), &file.bytes);
        files.into_par_iter().try_for_each(put)?;
        Ok(order)
    }

    /// The texts of an issue that is looked at again.
    ///
    /// # Errors
    /// A text that is not what it was any more.
    pub(super) fn issue_texts(&self, index: usize) -> Result<Option<IssueTexts>, Box<Diagnostic>> {
        let source = self.sources.lock().expect("no thread is left").get(&index).cloned();
        let Some(source) = source else { return Ok(None) };
        Ok(Some(source.read(&self.content.config)?.texts(&mut Vec::new())))
    }

    fn feed(&self) -> Result<Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut texts: Vec<(Entry, Text)> = Vec::new();
        // The articles of one issue are read together.
        let mut issues: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
        for entry in self.site.feed_entries() {
            let text = match entry {
                Entry::Article(issue, article) => {
                    let read = || match self.issue_texts(issue) {
                        Ok(texts) => texts.map_or_else(Vec::new, |texts| texts.articles),
                        Err(problem) => {
                            problems.push(*problem);
                            Vec::new()
                        }
                    };
                    issues.entry(issue).or_insert_with(read).get(article).cloned()
                }
                Entry::Post(post) => Some(self.content.post_text(post, &mut Vec::new())),
                Entry::Issue(_) => None,
            };
            texts.extend(text.map(|text| (entry, text)));
        }
        let shown: Vec<(Entry, &Text)> = texts.iter().map(|(entry, text)| (*entry, text)).collect();
        problems.extend(self.pages(self.site.render_feed(&shown))?);
        Ok(problems)
    }

    /// Pictures, attachments, and the theme's files.
    fn files(&self) -> Result<()> {
        for FileCopy { from, to, width } in self.copies.lock().expect("no thread is left").iter() {
            let Some(disk) = self.content.file(from) else { continue };
            let octets = match width {
                Some(width) => self.pictures.narrower(from, *width).map_err(anyhow::Error::msg)?,
                None => fs::read(disk).with_context(|| format!("cannot read {from}"))?,
            };
            self.output.put(&in_dist(to), &octets)?;
        }
        for (_, asset) in self.theme.assets().files() {
            self.output.put(&in_dist(&asset.published), &asset.octets)?;
        }
        Ok(())
    }
}

/// The path in `dist/` of a file of the blog.
fn in_dist(path: &str) -> String {
    format!("blog/{path}")
}

/// Whether pages of texts are made by the magazine's own templates, which may write their code in other ways.
fn has_own_pages(content: &Content) -> bool {
    let of_others = ["templates/mail/", "templates/web/"];
    let is_of_pages = |path: &str| !of_others.iter().any(|folder| path.starts_with(folder));
    content.templates.iter().any(|template| is_of_pages(&template.path))
}

/// The magazine's own theme files by their paths below `theme/`.
pub(super) fn theme_files(content: &Content) -> Result<Vec<(String, Vec<u8>)>> {
    let read = |file: &RawFile| {
        let octets = fs::read(&file.disk).with_context(|| format!("cannot read {}", file.path))?;
        Ok((file.path.trim_start_matches("theme/").to_owned(), octets))
    };
    content.theme_files.iter().map(read).collect()
}
