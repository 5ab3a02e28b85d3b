//! The thread that holds the magazine: it hears of saved files, and answers what browsers ask one after the other.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use chrono_tz::Tz;
use tokio::sync::{oneshot, watch};

use super::PreviewError;
use super::press::{Beside, Found, Kept, Press, Shown};
use super::state::{self, Now, Question, Saved, below_root};
use super::watching::Watch;
use super::workshop::{Edition, Workshop};
use crate::address::href;
use crate::diagnostic::{Diagnostic, Format, render};
use crate::highlight::Highlighter;
use crate::pictures::Pictures;
use crate::source::Content;

/// For how long nothing more must be saved before files are read: an editor writes one in several steps.
const QUIET: Duration = Duration::from_millis(12);
/// How long a reading waits for that at most: where something is written all the time, and where a file is empty, which
/// many editors make it before they write it.
const LONGEST: Duration = Duration::from_millis(200);

/// A way to the thread.
#[derive(Clone)]
pub(super) struct Desk {
    asks: Sender<Ask>,
    editions: watch::Receiver<u64>,
}

/// What the thread is told and asked.
pub(super) enum Ask {
    /// These files and folders changed on the disk.
    Changed(Vec<PathBuf>),
    State(Question, oneshot::Sender<String>),
    /// The HTML of the mail of an issue by its label.
    Html(String, oneshot::Sender<Option<String>>),
    /// What stands at a path from the server's root, neither encoded nor beginning with `/`.
    Page(String, oneshot::Sender<Answer>),
}

/// A page, or what is to be said instead.
pub(super) enum Answer {
    File(Arc<[u8]>),
    /// The address of the folder that was meant.
    Folder(String),
    /// The blog's page for what is not there, if it has one that can be shown.
    NotFound(Option<Arc<[u8]>>),
    /// What keeps it from being shown, in words.
    Broken(String),
}

impl Desk {
    /// Reads a magazine, watches its files and begins the thread. `root` is its folder, without links in its path.
    ///
    /// # Errors
    /// When there is no magazine, or when the system cannot watch its files.
    pub(super) fn begin(root: &Path, today: fn(Tz) -> NaiveDate) -> Result<Desk, PreviewError> {
        let (asks, heard) = mpsc::channel();
        let (tell, editions) = watch::channel(1);
        // In this order: what is saved while the magazine is read is heard afterwards.
        let watch = Watch::begin(root, asks.clone()).map_err(PreviewError::Watch)?;
        let workshop = Workshop::open(root)?;
        let work = Work {
            asks: heard,
            tell,
            today,
            kept: Kept::new(),
            highlighter: Highlighter::default(),
            history: History::default(),
            waiting: VecDeque::new(),
        };
        let thread = thread::Builder::new().name("workshop".to_owned());
        thread.spawn(move || work.run(workshop, watch)).map_err(PreviewError::Serve)?;
        Ok(Desk { asks, editions })
    }

    /// The number of the edition that is shown, which grows with every change.
    pub(super) fn editions(&self) -> watch::Receiver<u64> {
        self.editions.clone()
    }

    /// What the page shows, in JSON; nothing when the thread has ended.
    pub(super) async fn state(&self, question: Question) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::State(question, reply)).ok()?;
        answer.await.ok()
    }

    /// The HTML of an issue's mail; nothing when it has none, or the thread has ended.
    pub(super) async fn html(&self, issue: String) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::Html(issue, reply)).ok()?;
        answer.await.ok()?
    }

    /// What stands at a path; see [`Ask::Page`].
    pub(super) async fn page(&self, path: String) -> Option<Answer> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::Page(path, reply)).ok()?;
        answer.await.ok()
    }
}

/// What the thread works with, whatever the edition.
struct Work {
    asks: Receiver<Ask>,
    tell: watch::Sender<u64>,
    today: fn(Tz) -> NaiveDate,
    kept: Kept,
    /// It remembers code from one edition to the next.
    highlighter: Highlighter,
    history: History,
    /// What was asked while changes were gathered; it is answered out of the next edition.
    waiting: VecDeque<Ask>,
}

impl Work {
    /// Shows one edition after the other until nobody is left to ask.
    fn run(mut self, mut workshop: Workshop, mut watch: Watch) {
        let mut changed: Vec<PathBuf> = Vec::new();
        loop {
            // A new folder stands for those of its files that were there before it was watched.
            let saved = changed.iter().filter(|disk| disk.exists()).filter_map(|disk| workshop.path_of(disk));
            let saved: Vec<String> = saved.collect();
            changed = Vec::new();
            while changed.is_empty() {
                let Some(more) = self.show(workshop.root(), workshop.edition(), &saved) else { return };
                changed = more;
                if !self.gather(&mut changed) {
                    return;
                }
                changed.retain(|disk| workshop.reads(disk));
            }
            watch.follow(&changed);
            workshop.refresh(&changed);
            self.kept.edition += 1;
        }
    }

    /// Answers out of one edition until something changes: what did, or nothing when nobody is left to ask.
    fn show(&mut self, root: &Path, edition: &Edition, saved: &[String]) -> Option<Vec<PathBuf>> {
        let Work { asks, tell, today, kept, highlighter, history, waiting } = self;
        let number = kept.edition;
        let content = edition.content.as_ref();
        let has_file = |path: &str| content.is_some_and(|content| content.has_file(path));
        let pictures = content.map(|content| Pictures::new(content, root));
        let picture = |path: &str| match &pictures {
            Some(pictures) => pictures.picture(path),
            None => unreachable!("pages are made of content"),
        };
        let mut press = content.zip(pictures.as_ref()).map(|(content, pictures)| {
            let beside = Beside { has_file: &has_file, picture: &picture, pictures, highlighter };
            Press::new(content, &edition.theme, beside, kept)
        });
        if let (Some(content), Some(press)) = (content, &mut press)
            && *tell.borrow() < number
        {
            history.note(saved, content, press);
        }
        tell.send_replace(number);
        loop {
            match waiting.pop_front().or_else(|| asks.recv().ok())? {
                Ask::Changed(changed) => return Some(changed),
                Ask::State(question, reply) => {
                    let today =
                        content.map_or(NaiveDate::MAX, |content| today(content.config.magazine.timezone));
                    let now = Now { edition, number, recent: &history.recent, saved: &history.saved, today };
                    // Who asked may have gone.
                    let _ = reply.send(state::answer(&question, now, press.as_mut()));
                }
                Ask::Html(label, reply) => {
                    let _ = reply.send(press.as_mut().and_then(|press| press.html(&label)));
                }
                Ask::Page(path, reply) => {
                    let _ = reply.send(page(&path, edition, press.as_mut()));
                }
            }
        }
    }

    /// Waits until nothing more is saved for a while; false when nobody is left to ask.
    fn gather(&mut self, changed: &mut Vec<PathBuf>) -> bool {
        let latest = Instant::now() + LONGEST;
        loop {
            let left = latest.saturating_duration_since(Instant::now());
            match self.asks.recv_timeout(QUIET.min(left)) {
                Ok(Ask::Changed(more)) => changed.extend(more),
                Ok(ask) => self.waiting.push_back(ask),
                Err(RecvTimeoutError::Timeout) => {
                    if left.is_zero() || !changed.iter().any(|disk| is_empty(disk)) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        let mut seen = HashSet::new();
        changed.retain(|path| seen.insert(path.clone()));
        true
    }
}

fn is_empty(disk: &Path) -> bool {
    fs::metadata(disk).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

/// What was saved, newest first.
#[derive(Default)]
struct History {
    saved: Saved,
    /// The labels of the issues that were.
    recent: Vec<String>,
}

impl History {
    fn note(&mut self, files: &[String], content: &Content, press: &mut Press<'_>) {
        for file in files {
            let issue = press.issue_of(file).map(|index| content.magazine.issues[index].label.clone());
            let page = press.page_of(file).map(|path| href(content.config.blog.base_path(), &path));
            if page.is_some() {
                self.recent.retain(|label| Some(label) != issue.as_ref());
                self.recent.splice(0..0, issue.clone());
                self.saved = Saved { count: self.saved.count + 1, issue, page };
            }
        }
    }
}

fn page(path: &str, edition: &Edition, press: Option<&mut Press<'_>>) -> Answer {
    let (Some(content), Some(press)) = (&edition.content, press) else {
        return broken(&edition.problems);
    };
    let root = content.config.blog.base_path();
    let found = below_root(path, root).map_or(Found::Nothing, |path| press.find(path));
    match found {
        Found::File(Shown { good: Some(octets), .. }) => Answer::File(octets),
        Found::File(Shown { problems, .. }) => broken(&problems),
        Found::Folder(path) => Answer::Folder(href(root, &path)),
        Found::Nothing => Answer::NotFound(press.not_found()),
    }
}

fn broken(problems: &[Diagnostic]) -> Answer {
    Answer::Broken(render(problems, Format::Human, false))
}
