//! What `check` and `build` do alike: every page and every mail of a magazine, and all the problems on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::console::Console;
use crate::blog::{Entry, FileCopy, Pages, SearchTerms, Site};
pub(super) use crate::diagnostic::once_each;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::pictures::Pictures;
use crate::source::{Content, RawFile, Text};
use crate::theme::{Assets, Theme};
use crate::{check, mail};

/// Where a file of `dist/` goes: to the stage of a build, or nowhere.
pub(super) type Put<'a> = dyn Fn(&str, &[u8]) -> Result<()> + Sync + 'a;

/// Makes every file of `dist/` and hands each on as soon as it is made, from as many threads as there are cores. What
/// is wrong with an issue keeps only its own files from being made. `root` is the magazine's folder, where narrower
/// pictures are kept from build to build.
pub(super) fn produce(
    content: &Content,
    root: &Path,
    put: &Put<'_>,
    console: &Console,
) -> Result<Vec<Diagnostic>> {
    let assets = match Assets::new(theme_files(content)?, content.config.blog.base_path()) {
        Ok(assets) => assets,
        Err(problems) => return Ok(problems),
    };
    let theme = match Theme::with_assets(&content.templates, assets) {
        Ok(theme) => theme,
        Err(problems) => return Ok(problems),
    };
    let has_file = |path: &str| content.has_file(path);
    let pictures = Pictures::new(content, root);
    let picture = |path: &str| pictures.picture(path);
    let site = match Site::new(&content.config, &content.magazine, &theme, &has_file, &picture) {
        Ok(site) => site,
        Err(problems) => return Ok(problems),
    };
    let work = Work {
        content,
        theme: &theme,
        site: &site,
        pictures: &pictures,
        put,
        copies: Mutex::default(),
        terms: Mutex::new(SearchTerms::of(&content.magazine)),
    };
    let magazine = &content.magazine;
    let lists = site.lists();
    let steps = magazine.issues.len() + magazine.posts.len() + magazine.pages.len() + lists.len();
    let progress = console.progress(steps, "building");
    let step = |problems: Result<Vec<Diagnostic>>| {
        progress.inc(1);
        problems
    };

    let issues = (0..magazine.issues.len()).into_par_iter().map(|index| step(work.issue(index)));
    let posts = (0..magazine.posts.len()).into_par_iter().map(|index| step(work.post(index)));
    let pages = (0..magazine.pages.len()).into_par_iter().map(|index| step(work.page(index)));
    let lists = lists.into_par_iter().map(|list| step(work.pages(site.render_list(list))));
    let told: Vec<Vec<Diagnostic>> = issues.chain(posts).chain(pages).chain(lists).collect::<Result<_>>()?;
    let mut problems: Vec<Diagnostic> = told.into_iter().flatten().collect();
    // The feed shows what the pages show: their problems have been told.
    if !has_errors(&problems) {
        problems.extend(work.feed()?);
        work.search()?;
        work.files()?;
    }
    progress.finish_and_clear();
    Ok(problems)
}

struct Work<'a> {
    content: &'a Content,
    theme: &'a Theme,
    site: &'a Site<'a>,
    pictures: &'a Pictures<'a>,
    put: &'a Put<'a>,
    /// The pictures and attachments that the pages need.
    copies: Mutex<BTreeSet<FileCopy>>,
    /// What the search will find.
    terms: Mutex<SearchTerms>,
}

impl Work<'_> {
    /// An issue's mail form, letter and pages.
    fn issue(&self, index: usize) -> Result<Vec<Diagnostic>> {
        let Content { config, magazine, .. } = self.content;
        let issue = &magazine.issues[index];
        let mut problems = Vec::new();
        let texts = self.content.issue_texts(index, &mut problems);
        // What could not be understood is not judged any further.
        if !problems.iter().any(|problem| problem.rule == "nested-too-deep") {
            problems.extend(check::issue(self.content, index, &texts));
        }
        let may_go_on = !has_errors(&problems);

        let mail = mail::subject(config, issue, self.theme).and_then(|subject| {
            let body = mail::body(self.content, index, &texts, self.theme)?;
            Ok((subject, body))
        });
        let (subject, body) = match mail {
            Ok(mail) => mail,
            Err(problem) => {
                problems.push(*problem);
                return Ok(problems);
            }
        };
        let terms = self.site.issue_terms(index, &texts);
        self.terms().issues[index] = terms;
        if texts.sent.is_none() {
            problems.extend(check::masthead(config, &body));
        }
        if !may_go_on {
            // The pages may have problems of their own, and the editor wants to know them all at once.
            problems.extend(self.site.render_issue(index, &texts, &body, "").err().unwrap_or_default());
            return Ok(problems);
        }
        match mail::letter(config, issue, &subject, &body, texts.sent.as_ref()) {
            Ok(letter) => {
                (self.put)(&format!("mail/{}.txt", issue.label), body.as_bytes())?;
                (self.put)(&format!("mail/{}.eml", issue.label), &letter.octets)?;
                problems.extend(self.pages(self.site.render_issue(index, &texts, &body, &letter.digest))?);
            }
            Err(more) => problems.extend(more),
        }
        Ok(problems)
    }

    fn post(&self, index: usize) -> Result<Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let text = self.content.post_text(index, &mut problems);
        problems.extend(check::blog_text(self.content, &self.content.magazine.posts[index].title, &text));
        let terms = self.site.post_terms(index, &text);
        self.terms().posts[index] = terms;
        problems.extend(self.pages(self.site.render_post(index, &text))?);
        Ok(problems)
    }

    fn page(&self, index: usize) -> Result<Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let text = self.content.page_text(index, &mut problems);
        problems.extend(check::blog_text(self.content, &self.content.magazine.pages[index].title, &text));
        let terms = self.site.page_terms(index, &text);
        self.terms().pages[index] = terms;
        problems.extend(self.pages(self.site.render_page(index, &text))?);
        Ok(problems)
    }

    /// Hands on what was rendered.
    fn pages(&self, rendered: Result<Pages, Vec<Diagnostic>>) -> Result<Vec<Diagnostic>> {
        let pages = match rendered {
            Ok(pages) => pages,
            Err(problems) => return Ok(problems),
        };
        for file in &pages.files {
            (self.put)(&format!("blog/{}", file.path), &file.bytes)?;
        }
        if !pages.copies.is_empty() {
            self.copies.lock().expect("no thread panics while it holds this").extend(pages.copies);
        }
        Ok(Vec::new())
    }

    fn terms(&self) -> MutexGuard<'_, SearchTerms> {
        self.terms.lock().expect("no thread panics while it holds this")
    }

    /// The index of the search.
    fn search(&self) -> Result<()> {
        for file in self.site.search_files(&self.terms()) {
            (self.put)(&format!("blog/{}", file.path), &file.bytes)?;
        }
        Ok(())
    }

    fn feed(&self) -> Result<Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut texts: Vec<(Entry, Text)> = Vec::new();
        // The articles of one issue are read together.
        let mut issues: BTreeMap<usize, Vec<Text>> = BTreeMap::new();
        for entry in self.site.feed_entries() {
            let text = match entry {
                Entry::Article(issue, article) => {
                    let read = || self.content.issue_texts(issue, &mut Vec::new()).articles;
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
            (self.put)(&format!("blog/{to}"), &octets)?;
        }
        for (_, asset) in self.theme.assets().files() {
            (self.put)(&format!("blog/{}", asset.published), &asset.octets)?;
        }
        Ok(())
    }
}

/// The magazine's own theme files by their paths below `theme/`.
fn theme_files(content: &Content) -> Result<Vec<(String, Vec<u8>)>> {
    let read = |file: &RawFile| {
        let octets = fs::read(&file.disk).with_context(|| format!("cannot read {}", file.path))?;
        Ok((file.path.trim_start_matches("theme/").to_owned(), octets))
    };
    content.theme_files.iter().map(read).collect()
}
