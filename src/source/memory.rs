//! What issues said when they were last read: in memory for a magazine that is read again and again while somebody
//! writes it, and noted for the next build.

use std::sync::Arc;

use rayon::prelude::*;

use super::issue::IssueSource;
use super::looks::Looks;
use super::read::{FoundText, RawText, SETTINGS, Sources, TextFile, lies_at};
use crate::diagnostic::Diagnostic;
use crate::hash::{HashMap, HashMapExt};
use crate::model::Issue;

/// Issues as they were understood.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The settings that they were understood with.
    pub(super) settings: String,
    /// By the paths of their files, or of their folders with a stroke at the end.
    pub(super) issues: HashMap<String, Arc<Understood>>,
}

/// What an issue's files said, and what was wrong with them.
#[derive(Clone, Debug)]
pub(super) struct Understood {
    pub(super) issue: Option<(Issue, IssueSource)>,
    pub(super) problems: Vec<Diagnostic>,
}

/// What an issue is remembered by: its file's path, or its folder's with a stroke at the end.
pub(super) fn issue_key(path: &str) -> Option<&str> {
    const FOLDER: &str = "content/issues/";
    let name = path.strip_prefix(FOLDER)?;
    match name.find('/') {
        Some(end) if !name[end + 1..].contains('/') => Some(&path[..FOLDER.len() + end + 1]),
        Some(_) => None,
        None => Some(path),
    }
}

impl Memory {
    /// Forgets the issues that a file or folder is part of, or that lie in it, by its path from the magazine's root.
    pub fn forget(&mut self, path: &str) {
        self.issues.retain(|key, _| {
            let key = key.trim_end_matches('/');
            !lies_at(key, path) && !lies_at(path, key)
        });
    }

    /// A copy of the sources without the texts of the issues that are remembered; of all when the settings are others.
    pub fn lacking(&self, sources: &Sources) -> Sources {
        let is_settings = |text: &RawText| text.path == SETTINGS && text.octets == self.settings.as_bytes();
        let is_of_use = sources.texts.iter().any(is_settings);
        let is_lacking = |text: &&RawText| !(is_of_use && self.holds(&text.path));
        Sources {
            texts: sources.texts.iter().filter(is_lacking).cloned().collect(),
            unread: sources.unread.clone(),
            files: sources.files.clone(),
            problems: sources.problems.clone(),
        }
    }

    /// Whether the issue is remembered that a text is part of.
    pub(super) fn holds(&self, path: &str) -> bool {
        issue_key(path).is_some_and(|key| self.issues.contains_key(key))
    }

    /// The texts of all issues.
    pub(super) fn files(&self) -> impl Iterator<Item = &TextFile> {
        let issues = self.issues.values().filter_map(|understood| understood.issue.as_ref());
        issues.flat_map(|(_, source)| source.files())
    }

    /// All that is remembered, in the order of the keys.
    pub(super) fn into_issues(self) -> Vec<Understood> {
        let mut issues: Vec<(String, Arc<Understood>)> = self.issues.into_iter().collect();
        issues.par_sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        // What is remembered still is copied here.
        issues.into_par_iter().map(|(_, understood)| Arc::unwrap_or_clone(understood)).collect()
    }

    /// All that is remembered, by the keys.
    pub(super) fn into_keyed_issues(self) -> impl Iterator<Item = (String, Understood)> {
        self.issues.into_iter().map(|(key, understood)| (key, Arc::unwrap_or_clone(understood)))
    }
}

/// The files of the issues that may be noted for the next build.
#[derive(Debug, Default)]
pub struct Noting {
    settings: String,
    /// What each issue is remembered by, its number, and its files.
    issues: Vec<(String, u32, Arc<[TextFile]>)>,
}

impl Noting {
    /// What may be noted of issues, which are in the order of their keys. Those that something is wrong with are left out, so
    /// that it is told again, and those that point into their texts.
    pub(super) fn of(settings: &str, all: &[(String, Understood)]) -> Self {
        let mut issues: Vec<(String, u32, Arc<[TextFile]>)> = Vec::with_capacity(all.len());
        for (key, Understood { issue, problems }) in all {
            let Some((issue, source)) = issue else { continue };
            let has_places = !issue.aliases.is_empty()
                || !issue.attachments.is_empty()
                || issue.articles.iter().any(|article| !article.aliases.is_empty());
            if problems.is_empty() && !has_places {
                issues.push((key.clone(), issue.number, source.shared_files()));
            }
        }
        Noting { settings: settings.to_owned(), issues }
    }

    /// What [`Notes::read`] may read when the same `program` makes the magazine the next time, of the issues that are among
    /// these.
    pub fn octets(&self, issues: &[Issue], program: &str) -> Vec<u8> {
        let by_number: HashMap<u32, &Issue> = issues.iter().map(|issue| (issue.number, issue)).collect();
        let note = |octets: &mut Vec<u8>, (key, number, files): &(String, u32, Arc<[TextFile]>)| {
            let files = files.iter().map(noted_file).collect::<Option<Vec<NotedFile<'_>>>>()?;
            octets.clear();
            *octets = postcard::to_extend(by_number.get(number)?, std::mem::take(octets)).ok()?;
            let head = Vec::with_capacity(HEAD_OCTETS + octets.len());
            let mut noted = postcard::to_extend(&(key, files, octets.len()), head).ok()?;
            noted.extend_from_slice(octets);
            Some(noted)
        };
        let head = postcard::to_stdvec(&(HEAD, program, &self.settings)).unwrap_or_default();
        let issues = self.issues.par_iter().map_init(Vec::new, note).flatten();
        let issues: Vec<Vec<u8>> = issues.collect();
        [head].into_iter().chain(issues).collect::<Vec<_>>().concat()
    }
}

/// How many octets the usual issue's note takes before the issue.
const HEAD_OCTETS: usize = 128;

/// The first words of notes, which a later layout would change.
const HEAD: &str = "mailmag sources 2";

/// A text's path, its looks, and the SHA-256 of what it holds.
type NotedFile<'a> = (&'a str, Looks, [u8; 32]);

fn noted_file(file: &TextFile) -> Option<NotedFile<'_>> {
    Some((&file.path, file.looks?, file.digest))
}

/// What a build before noted of its issues. It is a hint: what cannot be read is as if it had not been noted.
#[derive(Debug, Default)]
pub struct Notes<'a> {
    settings: &'a str,
    /// The texts of each issue in the order of their paths, and the issue.
    issues: HashMap<&'a str, (Vec<NotedFile<'a>>, &'a [u8])>,
}

impl<'a> Notes<'a> {
    /// Reads what was noted when the same program made the magazine, as far as it is that.
    pub fn read(octets: &'a [u8], program: &str) -> Notes<'a> {
        let mut notes = Notes::default();
        let Ok((head, mut rest)) = postcard::take_from_bytes::<(&str, &str, &str)>(octets) else {
            return notes;
        };
        if (head.0, head.1) != (HEAD, program) {
            return notes;
        }
        notes.settings = head.2;
        while let Ok(((key, files, length), after)) =
            postcard::take_from_bytes::<(&str, Vec<NotedFile<'_>>, usize)>(rest)
        {
            let Some((issue, after)) = after.split_at_checked(length) else { break };
            notes.issues.insert(key, (files, issue));
            rest = after;
        }
        notes
    }

    /// Whether they were made with these settings.
    pub(super) fn are_for(&self, settings: &[u8]) -> bool {
        self.settings.as_bytes() == settings
    }

    /// The issues whose texts look as they did.
    pub(super) fn remembered(&self, found: &[FoundText]) -> Memory {
        let mut texts: HashMap<&str, Vec<&FoundText>> = HashMap::with_capacity(self.issues.len());
        for text in found {
            if let Some(key) = issue_key(&text.file.path) {
                texts.entry(key).or_default().push(text);
            }
        }
        let remember = |(key, mut texts): (&str, Vec<&FoundText>)| {
            let (files, issue) = self.issues.get(key)?;
            texts.sort_unstable_by(|a, b| a.file.path.cmp(&b.file.path));
            let looks_so = |(text, file): (&&FoundText, &NotedFile<'_>)| {
                text.file.path == file.0 && text.looks == Some(file.1)
            };
            if texts.len() != files.len() || !texts.iter().zip(files).all(looks_so) {
                return None;
            }
            let issue: Issue = postcard::from_bytes(issue).ok()?;
            let file = |(text, (path, looks, digest)): (&&FoundText, &NotedFile<'_>)| {
                let file = TextFile { path: (*path).to_owned(), digest: *digest, looks: Some(*looks) };
                (file, text.file.disk.clone())
            };
            let source = IssueSource::unread(key, texts.iter().zip(files).map(file).unzip());
            Some((
                key.to_owned(),
                Arc::new(Understood { issue: Some((issue, source)), problems: Vec::new() }),
            ))
        };
        let texts: Vec<(&str, Vec<&FoundText>)> = texts.into_iter().collect();
        let issues: Vec<(String, Arc<Understood>)> = texts.into_par_iter().filter_map(remember).collect();
        Memory { settings: self.settings.to_owned(), issues: issues.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests;
