//! The magazine as its files stand this moment, in memory: what changed is read again, and what is broken stands as it
//! was when it last was not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use crate::diagnostic::{Diagnostic, Level, SourceText};
use crate::source::{self, Content, Memory, RawFile, RawText, ReadError, Sources};
use crate::theme::{Assets, Theme};

/// A magazine being worked on.
pub(super) struct Workshop {
    root: PathBuf,
    sources: Sources,
    memory: Memory,
    /// The last good text of each file that is broken now, by its path.
    last_good: BTreeMap<String, RawText>,
    /// The files and folders that errors were found in at the last reading.
    broken: BTreeSet<String>,
    edition: Edition,
}

/// What can be shown of a magazine, and what is wrong with its files.
pub(super) struct Edition {
    /// The magazine; none before its settings have been good once.
    pub(super) content: Option<Content>,
    pub(super) theme: Arc<Theme>,
    /// The magazine's own templates that the theme was made with.
    templates: Vec<Arc<SourceText>>,
    /// Its theme files by their paths below `theme/`, and what every address of its blog begins with.
    theme_files: (Vec<(String, Vec<u8>)>, String),
    /// Everything that is wrong with the files as they are.
    pub(super) problems: Vec<Diagnostic>,
    /// Those errors in whose place a file's last good text is shown.
    pub(super) covered: Vec<Diagnostic>,
}

impl Workshop {
    /// Reads a magazine. `root` is its folder, without links in its path, as the watcher of files names it.
    ///
    /// # Errors
    /// When there is no magazine.
    pub(super) fn open(root: &Path) -> Result<Workshop, ReadError> {
        let theme = Theme::new(&[]).unwrap_or_else(|_| unreachable!("the built-in templates are good"));
        let edition = Edition {
            content: None,
            theme: Arc::new(theme),
            templates: Vec::new(),
            theme_files: (Vec::new(), "?".to_owned()),
            problems: Vec::new(),
            covered: Vec::new(),
        };
        let mut workshop = Workshop {
            root: root.to_owned(),
            sources: source::read(root)?,
            memory: Memory::default(),
            last_good: BTreeMap::new(),
            broken: BTreeSet::new(),
            edition,
        };
        workshop.understand(Vec::new());
        Ok(workshop)
    }

    /// Reads what lies at these paths of the disk again; at the root itself, everything.
    pub(super) fn refresh(&mut self, changed: &[PathBuf]) {
        let before = if changed.contains(&self.root) {
            self.memory = Memory::default();
            // A folder that is gone for the moment is an editor's or a version control's doing.
            let sources = source::read(&self.root).unwrap_or_default();
            std::mem::replace(&mut self.sources, sources).texts
        } else {
            let paths: Vec<String> = changed.iter().filter_map(|disk| self.path_of(disk)).collect();
            paths.iter().for_each(|path| self.memory.forget(path));
            source::read_again(&self.root, &mut self.sources, changed)
        };
        self.understand(before);
    }

    /// Whether a path of the disk is one that the magazine is read from.
    pub(super) fn reads(&self, disk: &Path) -> bool {
        disk == self.root || source::is_of_the_magazine(&self.root, disk)
    }

    /// The magazine's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What can be shown now.
    pub(super) fn edition(&self) -> &Edition {
        &self.edition
    }

    /// A path of the disk as problems name it: from the magazine's root.
    pub(super) fn path_of(&self, disk: &Path) -> Option<String> {
        let below = disk.strip_prefix(&self.root).ok()?;
        let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        Some(parts.join("/").nfc().collect())
    }

    /// Makes an edition of the sources, `before` being the texts that they replaced.
    fn understand(&mut self, before: Vec<RawText>) {
        let lacking = self.memory.lacking(&self.sources);
        let (mut content, mut problems) = source::parse_again(lacking, &mut self.memory);
        if !self.sources.texts.iter().any(|text| text.path == "mailmag.toml") {
            problems.push(
                Diagnostic::error("unreadable", "the magazine's settings are gone")
                    .in_file("mailmag.toml")
                    .help("restore the file"),
            );
        }
        let mut theme = content.as_ref().and_then(|content| self.theme_for(content, &mut problems));

        let errors = problems.iter().filter(|problem| problem.level == Level::Error);
        let broken: BTreeSet<String> = errors.map(|problem| problem.path().to_owned()).collect();
        self.last_good.retain(|path, _| lies_in_one(path, &broken));
        for text in before {
            if lies_in_one(&text.path, &broken) && !lies_in_one(&text.path, &self.broken) {
                self.last_good.entry(text.path.clone()).or_insert(text);
            }
        }
        self.broken = broken;
        let mut covered = Vec::new();
        if !self.last_good.is_empty() {
            covered = problems.iter().filter(|problem| self.is_covered(problem)).cloned().collect();
            content = self.with_stand_ins();
            theme = content.as_ref().and_then(|content| self.theme_for(content, &mut Vec::new()));
        }
        if let (Some(theme), Some(content)) = (theme, &content) {
            self.edition.theme = theme;
            self.edition.templates.clone_from(&content.templates);
            self.edition.theme_files = theme_files(content);
        }
        self.edition.content = content;
        self.edition.problems = problems;
        self.edition.covered = covered;
    }

    /// The theme that a magazine's templates make: the one there is while they are the same.
    fn theme_for(&self, content: &Content, problems: &mut Vec<Diagnostic>) -> Option<Arc<Theme>> {
        let theme_files = theme_files(content);
        if content.templates == self.edition.templates && theme_files == self.edition.theme_files {
            return Some(self.edition.theme.clone());
        }
        let (files, root) = theme_files;
        let theme =
            Assets::new(files, &root).and_then(|assets| Theme::with_assets(&content.templates, assets));
        match theme {
            Ok(theme) => Some(Arc::new(theme)),
            Err(more) => {
                problems.extend(more);
                None
            }
        }
    }

    fn is_covered(&self, problem: &Diagnostic) -> bool {
        let folder = [problem.path().to_owned()].into();
        problem.level == Level::Error && self.last_good.keys().any(|path| lies_in_one(path, &folder))
    }

    /// The magazine with the last good texts in the place of the broken ones.
    fn with_stand_ins(&self) -> Option<Content> {
        let mut sources = self.sources.clone();
        sources.texts.retain(|text| !self.last_good.contains_key(&text.path));
        sources.texts.extend(self.last_good.values().cloned());
        // What stands in is forgotten again: it is not what the files say.
        let mut memory = self.memory.clone();
        self.last_good.keys().for_each(|path| memory.forget(path));
        let lacking = memory.lacking(&sources);
        source::parse_again(lacking, &mut memory).0
    }
}

/// The magazine's own theme files, as far as they can be read, and what every address of the blog begins with.
fn theme_files(content: &Content) -> (Vec<(String, Vec<u8>)>, String) {
    let read = |file: &RawFile| {
        Some((file.path.trim_start_matches("theme/").to_owned(), fs::read(&file.disk).ok()?))
    };
    (content.theme_files.iter().filter_map(read).collect(), content.config.blog.base_path().to_owned())
}

/// Whether a path is one of these, or lies in one of these folders.
fn lies_in_one(path: &str, folders: &BTreeSet<String>) -> bool {
    let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
    folders.contains(path) || parents.into_iter().any(|parent| folders.contains(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "[magazine]\nname = \"通信\"\npublisher = \"社\"\n[mail]\n\
        from = \"a@example.jp\"\nsubject = \"件名\"\n[blog]\nurl = \"https://example.jp\"\n";
    const ISSUE: &str = "content/issues/1/index.md";
    const ARTICLE: &str = "content/issues/1/01-a.md";
    const TEMPLATE: &str = "templates/blog/page.html";

    /// Saves one file after the other (nothing removes it), and tells after each what is shown: the issues' articles
    /// and, after a bar, what is wrong, with a star where the last good text is shown for it.
    fn check(changes: &[(&str, Option<&str>, &str)]) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        let save = |path: &str, text: Option<&str>| {
            let disk = root.join(path);
            fs::create_dir_all(disk.parent().expect("it lies in the root")).expect("a folder");
            match text {
                Some(text) => fs::write(&disk, text).expect("a file"),
                None => fs::remove_file(&disk).expect("a file"),
            }
            disk
        };
        save("mailmag.toml", Some(SETTINGS));
        save(ISSUE, Some("+++\ndate = 2026-05-14\n+++\n"));
        save(ARTICLE, Some("# 一\n\n本文\n"));
        save(TEMPLATE, Some("{{ page.title }}"));
        let mut workshop = Workshop::open(&root).expect("a magazine");
        for (path, text, expected) in changes {
            let disk = save(path, *text);
            workshop.refresh(&[disk]);
            let now = shown(workshop.edition());
            assert_eq!(now, *expected, "{path}: {text:?}");
            if workshop.edition().covered.is_empty() {
                let anew = Workshop::open(&root).expect("a magazine");
                assert_eq!(now, shown(anew.edition()), "as if everything were read anew");
            }
        }
    }

    fn shown(edition: &Edition) -> String {
        let titles: Vec<String> = match &edition.content {
            Some(content) => (content.magazine.issues.iter())
                .map(|issue| {
                    let titles: Vec<&str> =
                        issue.articles.iter().map(|article| article.title.as_str()).collect();
                    format!("{}: {}", issue.label, titles.join(","))
                })
                .collect(),
            None => vec!["nothing".to_owned()],
        };
        let problems: Vec<String> = (edition.problems.iter())
            .map(|problem| {
                let covered = if edition.covered.contains(problem) { "*" } else { "" };
                format!("{}{covered}", problem.rule)
            })
            .collect();
        format!("{} | {}", titles.join("; "), problems.join(", "))
    }

    #[test]
    fn what_is_broken_stands_as_it_was() {
        check(&[
            (ARTICLE, Some("# 二\n"), "1: 二 | "),
            (ARTICLE, Some("+++\ntitle = \n+++\n# 三\n"), "1: 二 | bad-toml*"),
            (ARTICLE, Some("+++\ntitle = \"\n+++\n# 四\n"), "1: 二 | bad-toml*"),
            (ARTICLE, Some("# 五\n"), "1: 五 | "),
            (ISSUE, Some("+++\n+++\n"), "1: 五 | missing-key*"),
            (ARTICLE, Some("# 六\n"), "1: 六 | missing-key*"),
            (ISSUE, None, "1: 六 | missing-index*"),
            (ISSUE, Some("+++\ndate = 2026-05-14\n+++\n"), "1: 六 | "),
            (
                "mailmag.toml",
                Some("[magazine]\n"),
                "1: 六 | missing-key*, missing-key*, missing-key*, missing-key*",
            ),
            ("mailmag.toml", None, "1: 六 | unreadable*"),
            ("mailmag.toml", Some(SETTINGS), "1: 六 | "),
            (TEMPLATE, Some("{{ page.title"), "1: 六 | template-error*"),
            (ARTICLE, Some("# 七\n"), "1: 七 | template-error*"),
            (TEMPLATE, Some("{{ page.url }}"), "1: 七 | "),
        ]);
    }

    #[test]
    fn what_was_never_good_is_told_and_left_out() {
        let other = "content/issues/2.md";
        check(&[
            (other, Some("# 題\n"), "1: 一 | missing-key"),
            (other, Some("# 題二\n"), "1: 一 | missing-key"),
            (other, Some("+++\ndate = 2026-05-15\n+++\n# 題\n"), "1: 一; 2: 題 | "),
            (other, None, "1: 一 | "),
            (ARTICLE, None, "1:  | "),
        ]);
    }

    #[test]
    fn folders_come_go_and_change_their_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a folder");
        let issues = root.join("content/issues");
        fs::create_dir_all(issues.join("1")).expect("a folder");
        fs::write(root.join("mailmag.toml"), SETTINGS).expect("a file");
        fs::write(root.join(ISSUE), "+++\ndate = 2026-05-14\n+++\n").expect("a file");
        let mut workshop = Workshop::open(&root).expect("a magazine");
        let mut check = |paths: &[&Path], expected: &str| {
            workshop.refresh(&paths.iter().map(|path| path.to_path_buf()).collect::<Vec<_>>());
            assert_eq!(shown(workshop.edition()), expected, "{paths:?}");
        };
        let [first, fifth] = ["1", "5"].map(|name| issues.join(name));
        fs::rename(&first, &fifth).expect("a folder");
        check(&[&first, &fifth], "5:  | ");
        fs::write(fifth.join("01-a.md"), "# 一\n").expect("a file");
        check(&[&fifth, &fifth.join("01-a.md"), &fifth.join("01-a.md~")], "5: 一 | ");
        fs::rename(&issues, root.join("elsewhere")).expect("a folder");
        check(&[&issues, &root.join("elsewhere")], " | ");
        fs::rename(root.join("elsewhere"), &issues).expect("a folder");
        check(&[&root], "5: 一 | ");
    }
}
