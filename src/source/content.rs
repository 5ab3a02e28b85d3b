//! A whole magazine from its files: settings, metadata, and the way to the texts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use rayon::prelude::*;

use super::article::{self, Part};
use super::decode::utf8_text;
use super::issue::{IssueFiles, IssueSource};
use super::memory::{Memory, Noting, Understood, issue_key};
use super::read::{RawFile, RawText, SETTINGS, Sources};
use super::{Text, issue};
use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, Place, SourceText};
use crate::hash::{HashMap, HashMapExt};
use crate::model::{Issue, Magazine, Page, Post};

/// A magazine as read: settings, metadata of all that is published, and access to the texts.
#[derive(Debug)]
pub struct Content {
    /// The magazine's settings.
    pub config: Config,
    /// Everything that is published, without the texts.
    pub magazine: Magazine,
    /// `content/footer.md`, the standing words under every issue.
    pub footer: Option<Text>,
    /// The magazine's own templates, by their paths.
    pub templates: Vec<Arc<SourceText>>,
    /// The magazine's own theme files.
    pub theme_files: Vec<RawFile>,
    /// The issues' texts, in the order of [`Magazine::issues`]. They are the greater part of a magazine: whoever needs each
    /// but once takes them from here and lets them go one by one.
    pub issue_sources: Vec<IssueSource>,
    post_sources: Vec<Part>,
    page_sources: Vec<Part>,
    files: BTreeMap<String, PathBuf>,
}

/// What is not published yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// `issue 011` or `post hello`.
    pub what: String,
    /// The day it is due; none for a draft.
    pub until: Option<NaiveDate>,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(date) => write!(f, "{}, until {date}", self.what),
            None => write!(f, "{}, a draft", self.what),
        }
    }
}

/// Makes a magazine of its files. All problems of all files are returned; nothing is when the settings are unusable.
pub fn parse(sources: Sources) -> (Option<Content>, Vec<Diagnostic>) {
    understand(sources, |texts, config| {
        understood(texts, config).into_iter().map(|(_, understood)| understood).collect()
    })
}

/// Makes a magazine as [`parse`] does, of what is remembered of its issues and of the sources that [`Memory::lacking`]
/// says are needed besides; these are remembered, too.
pub fn parse_again(sources: Sources, memory: &mut Memory) -> (Option<Content>, Vec<Diagnostic>) {
    understand(sources, |texts, config| {
        remember(texts, config, memory);
        memory.clone().into_issues()
    })
}

/// Makes a magazine as [`parse`] does, of what is remembered of its issues and of the sources that were read besides. With
/// it comes what of its issues may be noted for the next time.
pub fn parse_noting(sources: Sources, memory: Memory) -> (Option<Content>, Vec<Diagnostic>, Noting) {
    let mut noting = Noting::default();
    let (content, problems) = understand(sources, |texts, config| {
        let mut issues = understood(texts, config);
        if memory.settings == config.source.text {
            issues.extend(memory.into_keyed_issues());
            issues.par_sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
        noting = Noting::of(&config.source.text, &issues);
        issues.into_iter().map(|(_, understood)| understood).collect()
    });
    (content, problems, noting)
}

/// `issues` says of the texts of all issues what they are.
fn understand(
    sources: Sources,
    issues: impl FnOnce(BTreeMap<String, Vec<RawText>>, &Config) -> Vec<Understood>,
) -> (Option<Content>, Vec<Diagnostic>) {
    let Sources { mut texts, files, mut problems, .. } = sources;
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    let mut groups = Groups::default();
    texts.into_iter().for_each(|text| groups.add(text, &mut problems));
    let Some(settings) = groups.settings.and_then(|text| utf8_text(text, &mut problems)) else {
        return (None, problems);
    };
    let Some(config) = config::parse(&settings, &mut problems) else {
        return (None, problems);
    };

    let footer = groups.footer.and_then(|text| {
        let source = utf8_text(text, &mut problems)?;
        let body = 0..source.text.len();
        Some(Part::untitled(source, body).text(&mut problems))
    });
    let templates = groups.templates.into_iter().filter_map(|text| utf8_text(text, &mut problems)).collect();
    let (theme_files, files): (Vec<RawFile>, Vec<RawFile>) =
        files.into_iter().partition(|file| file.path.starts_with("theme/"));

    let (issues, issue_sources) = only_ones(issues(groups.issues, &config), &config, &mut problems);
    let (posts, post_sources) =
        parted(groups.posts, &mut problems, |text, problems| article::post(text, &config, problems));
    let (pages, page_sources) = parted(groups.pages, &mut problems, article::page);
    let mut content = Content {
        config,
        magazine: Magazine { issues, posts, pages },
        footer,
        templates,
        theme_files,
        issue_sources,
        post_sources,
        page_sources,
        files: files.into_iter().map(|file| (file.path, file.disk)).collect(),
    };
    content.sort();
    problems.sort_by(|a, b| (a.path(), start(a)).cmp(&(b.path(), start(b))));
    (Some(content), problems)
}

impl Content {
    /// The file of a post, by its index in [`Magazine::posts`].
    pub fn post_file(&self, index: usize) -> &Arc<SourceText> {
        &self.post_sources[index].source
    }

    /// The file of a page, by its index in [`Magazine::pages`].
    pub fn page_file(&self, index: usize) -> &Arc<SourceText> {
        &self.page_sources[index].source
    }

    /// The text of a post by its index in [`Magazine::posts`], made anew at each call.
    pub fn post_text(&self, index: usize, problems: &mut Vec<Diagnostic>) -> Text {
        self.post_sources[index].text(problems)
    }

    /// The text of a page by its index in [`Magazine::pages`], made anew at each call.
    pub fn page_text(&self, index: usize, problems: &mut Vec<Diagnostic>) -> Text {
        self.page_sources[index].text(problems)
    }

    /// Whether a picture or attachment lies at a path from the magazine's root: `content/issues/010/rack.jpg`.
    pub fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Where a picture or attachment lies on the disk.
    pub fn file(&self, path: &str) -> Option<&Path> {
        self.files.get(path).map(PathBuf::as_path)
    }

    /// Takes out drafts and what is dated after `today`, and says what that was.
    pub fn hold_back(&mut self, today: NaiveDate) -> Vec<HeldBack> {
        let mut held_back = Vec::new();
        let mut judge = |what: String, draft: bool, date: NaiveDate| {
            let publish = !draft && date <= today;
            if !publish {
                held_back.push(HeldBack { what, until: (!draft).then_some(date) });
            }
            publish
        };
        let keep: Vec<bool> = (self.magazine.issues.iter())
            .map(|issue| judge(format!("issue {}", issue.label), issue.draft, issue.date))
            .collect();
        retain(&mut self.magazine.issues, &keep);
        retain(&mut self.issue_sources, &keep);
        let keep: Vec<bool> = (self.magazine.posts.iter())
            .map(|post| judge(format!("post {}", post.slug), post.draft, post.date))
            .collect();
        retain(&mut self.magazine.posts, &keep);
        retain(&mut self.post_sources, &keep);
        held_back
    }

    fn sort(&mut self) {
        sort_together(&mut self.magazine.issues, &mut self.issue_sources, |issue: &Issue| issue.number);
        let by_date = |post: &Post| (post.date, post.slug.clone());
        sort_together(&mut self.magazine.posts, &mut self.post_sources, by_date);
        sort_together(&mut self.magazine.pages, &mut self.page_sources, |page: &Page| page.slug.clone());
    }
}

/// The texts by what they are.
#[derive(Default)]
struct Groups {
    settings: Option<RawText>,
    footer: Option<RawText>,
    templates: Vec<RawText>,
    /// The texts of each issue, by what it is remembered by.
    issues: BTreeMap<String, Vec<RawText>>,
    posts: Vec<RawText>,
    pages: Vec<RawText>,
}

impl Groups {
    fn add(&mut self, text: RawText, problems: &mut Vec<Diagnostic>) {
        if let Some(key) = issue_key(&text.path) {
            match self.issues.get_mut(key) {
                Some(texts) => texts.push(text),
                None => {
                    self.issues.insert(key.to_owned(), vec![text]);
                }
            }
            return;
        }
        let parts: Vec<&str> = text.path.split('/').collect();
        match parts[..] {
            [SETTINGS] => self.settings = Some(text),
            ["templates", ..] => self.templates.push(text),
            ["content", "footer.md"] => self.footer = Some(text),
            ["content", "posts", ..] if text.path.ends_with(".md") => self.posts.push(text),
            ["content", "pages", ..] if text.path.ends_with(".md") => self.pages.push(text),
            _ => problems.push(
                Diagnostic::warning("unused-file", "nobody reads this text")
                    .in_file(&text.path)
                    .help("issues are in content/issues, posts in content/posts, pages in content/pages"),
            ),
        }
    }
}

/// Reads issues side by side, in the order of their keys.
fn understood(texts: BTreeMap<String, Vec<RawText>>, config: &Config) -> Vec<(String, Understood)> {
    let texts: Vec<(String, Vec<RawText>)> = texts.into_iter().collect();
    let understand = |(key, texts): (String, Vec<RawText>)| {
        let mut problems = Vec::new();
        let files = IssueFiles::of(&key, texts);
        let issue = files.and_then(|files| issue::issue(files, config, &mut problems));
        (key, Understood { issue, problems })
    };
    texts.into_par_iter().map(understand).collect()
}

/// Reads the issues that are new to a memory.
fn remember(texts: BTreeMap<String, Vec<RawText>>, config: &Config, memory: &mut Memory) {
    if memory.settings != config.source.text {
        memory.settings.clone_from(&config.source.text);
        memory.issues.clear();
    }
    let new = understood(texts, config).into_iter().map(|(key, understood)| (key, Arc::new(understood)));
    memory.issues.extend(new);
}

/// The issues, but for those that have a number that one before them has.
fn only_ones(
    understood: Vec<Understood>,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> (Vec<Issue>, Vec<IssueSource>) {
    let mut seen: HashMap<u32, usize> = HashMap::with_capacity(understood.len());
    let (mut issues, mut sources): (Vec<Issue>, Vec<IssueSource>) =
        (Vec::with_capacity(understood.len()), Vec::with_capacity(understood.len()));
    for Understood { issue, problems: own_problems } in understood {
        problems.extend(own_problems);
        let Some((issue, source)) = issue else { continue };
        let Some(first) = seen.get(&issue.number) else {
            seen.insert(issue.number, sources.len());
            issues.push(issue);
            sources.push(source);
            continue;
        };
        let message = format!("{} has the number {} already", sources[*first].first_path(), issue.number);
        let duplicate = |source: &IssueSource| {
            Diagnostic::error("duplicate-number", message)
                .at(source.first_text(), 0..0)
                .help("give one of the two another number")
        };
        problems.push(source.read(config).map_or_else(|problem| *problem, |source| duplicate(&source)));
    }
    (issues, sources)
}

fn parted<T>(
    texts: Vec<RawText>,
    problems: &mut Vec<Diagnostic>,
    read: impl Fn(RawText, &mut Vec<Diagnostic>) -> Option<(T, Part)>,
) -> (Vec<T>, Vec<Part>) {
    texts.into_iter().filter_map(|text| read(text, problems)).unzip()
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| *keep.next().expect("one for each"));
}

fn sort_together<T, S, K: Ord>(values: &mut Vec<T>, sources: &mut Vec<S>, key: impl Fn(&T) -> K) {
    if values.is_sorted_by_key(&key) {
        return;
    }
    let mut pairs: Vec<(T, S)> = values.drain(..).zip(sources.drain(..)).collect();
    pairs.sort_by_cached_key(|(value, _)| key(value));
    (*values, *sources) = pairs.into_iter().unzip();
}

fn start(diagnostic: &Diagnostic) -> usize {
    match &diagnostic.place {
        Place::Span(_, span) => span.start,
        Place::Line(..) | Place::File(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n\
        [mail]\nfrom = \"news@example.jp\"\nsubject = \"Vol.{{ issue.number }}\"\n\
        [authors.ito]\nname = \"伊藤\"\nline-break = \"loose\"\n\
        [blog]\nurl = \"https://blog.example.jp\"\n";

    fn read(files: &[(&str, &str)]) -> (Option<Content>, Vec<String>) {
        let settings = ("mailmag.toml", SETTINGS);
        let texts = std::iter::once(&settings).chain(files).map(|(path, text)| RawText::new(*path, *text));
        let (content, problems) = parse(Sources { texts: texts.collect(), ..Sources::default() });
        let told = problems.iter().map(|problem| {
            let (line, column) = problem.line_and_column();
            format!("{}:{line}:{column}: {}", problem.path(), problem.rule)
        });
        (content, told.collect())
    }

    fn good(files: &[(&str, &str)]) -> Content {
        let (content, problems) = read(files);
        assert_eq!(problems, Vec::<String>::new());
        content.expect("there are no problems")
    }

    #[test]
    fn an_issue_may_be_a_folder_or_a_file() {
        let content = good(&[
            ("content/issues/010/index.md", "+++\ndate = 2010-05-14\nnext-date = 2010-05-26\n+++\n"),
            ("content/issues/010/03-c.md", "+++\ntitle = \"題\"\n+++\n# 別の題\n\n本文。\n"),
            ("content/issues/010/02-b.txt", "原稿の題\n\n一行目の\n続きです。\n"),
            ("content/issues/010/01-a.md", "+++\nauthor = \"ito\"\ncorner = \"角\"\n+++\n# 題\n\n本文。\n"),
            (
                "content/issues/9.md",
                "+++\ndate = 2010-05-01\n+++\n\n前口上\n\n# 一 {#one author=ito tags=a,b}\n\n本文\n\n# 二\n",
            ),
        ]);
        let [ninth, tenth] = &content.magazine.issues[..] else { panic!("two issues") };
        assert_eq!((ninth.number, ninth.label.as_str()), (9, "9"));
        assert_eq!((tenth.number, tenth.label.as_str()), (10, "010"));
        let slugs = |issue: &Issue| -> Vec<String> {
            issue.articles.iter().map(|article| article.slug.clone()).collect()
        };
        assert_eq!(slugs(ninth), ["one", "2"]);
        assert_eq!(slugs(tenth), ["a", "b", "c"]);
        assert_eq!(ninth.articles[0].tags, ["a", "b"]);
        assert_eq!(tenth.articles[1].title, "原稿の題");
        assert_eq!(tenth.articles[0].typesetting.line_break, crate::model::LineBreak::Loose);

        let mut problems = Vec::new();
        let texts = content.issue_sources[0].texts(&mut problems);
        assert!(texts.opening.is_some() && texts.sent.is_none());
        assert_eq!(texts.articles.len(), 2);
        let texts = content.issue_sources[1].texts(&mut problems);
        let blocks: Vec<usize> = texts.articles.iter().map(|text| text.document.blocks.len()).collect();
        assert_eq!(blocks, [1, 1, 2], "a heading beside a title is text");
        assert_eq!(problems, []);
    }

    #[test]
    fn a_finished_mail_keeps_its_text() {
        let mail =
            "通信 Vol.008 (2010/04/14)\n\n■□\n□■ 題\n----------------------------------------\n本文です。\n";
        let content = good(&[("content/issues/008.txt", mail)]);
        assert_eq!(content.magazine.issues[0].date.to_string(), "2010-04-14");
        assert!(content.magazine.issues[0].finished);
        let texts = content.issue_sources[0].texts(&mut Vec::new());
        assert_eq!(texts.sent.expect("it was sent").body, mail);
        assert_eq!(texts.articles.len(), content.magazine.issues[0].articles.len());
    }

    #[test]
    fn every_problem_of_every_file_is_told_at_its_place() {
        let (_, problems) = read(&[
            ("content/issues/001/01-a.md", "no title here\n"),
            ("content/issues/002.md", "+++\ndate = 2010-05-14\n+++\n# 題 {author=itoh colour=red}\n"),
            ("content/issues/02.md", "+++\ndate = 2010-05-14\n+++\n# 題\n"),
            ("content/posts/a b.md", "+++\ntitle = \"題\"\ndate = 2010-05-14\n+++\n"),
            ("content/stray.md", ""),
        ]);
        let expected = [
            "content/issues/001:1:1: missing-index",
            "content/issues/001/01-a.md:1:1: missing-title",
            "content/issues/002.md:4:6: unknown-author",
            "content/issues/002.md:4:18: unknown-key",
            "content/issues/02.md:1:1: duplicate-number",
            "content/posts/a b.md:1:1: bad-slug",
            "content/stray.md:1:1: unused-file",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn drafts_and_days_to_come_are_held_back() {
        let mut content = good(&[
            ("content/issues/1.md", "+++\ndate = 2010-05-14\n+++\n# 題\n"),
            ("content/issues/2.md", "+++\ndate = 2010-05-15\n+++\n# 題\n"),
            ("content/posts/a.md", "+++\ntitle = \"題\"\ndate = 2010-05-14\ndraft = true\n+++\n"),
        ]);
        let today = "2010-05-14".parse().expect("a day");
        let held_back: Vec<String> = content.hold_back(today).iter().map(HeldBack::to_string).collect();
        assert_eq!(held_back, ["issue 2, until 2010-05-15", "post a, a draft"]);
        assert_eq!((content.magazine.issues.len(), content.magazine.posts.len()), (1, 0));
    }
}
