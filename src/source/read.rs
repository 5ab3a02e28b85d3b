//! A magazine's files as they lie on the disk: the only reading there is.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;
use walkdir::{DirEntry, WalkDir};

use super::looks::Looks;
use super::memory::{Memory, Notes};
use crate::diagnostic::Diagnostic;
use crate::digest;

/// The longest text that is read, in octets. A mail magazine's issue has some ten thousand.
const LONGEST_TEXT: u64 = 8 * 1024 * 1024;

/// What lies on the disk, before anybody understands it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The texts, by path.
    pub texts: Vec<RawText>,
    /// Texts that were not read, for it is remembered what they say.
    pub unread: Vec<TextFile>,
    /// Pictures, attachments and the theme's files, by path; they are read when they are published.
    pub files: Vec<RawFile>,
    /// What could not be read, and why.
    pub problems: Vec<Diagnostic>,
}

/// A text's octets.
#[derive(Clone, Debug)]
pub struct RawText {
    /// The path from the magazine's root, with `/` between folders, in NFC.
    pub path: String,
    /// What the file holds.
    pub octets: Vec<u8>,
    /// The SHA-256 of that.
    digest: [u8; 32],
    /// How the file looked before it was read.
    looks: Option<Looks>,
}

impl RawText {
    /// A text that no file holds.
    pub fn new(path: impl Into<String>, octets: impl Into<Vec<u8>>) -> Self {
        RawText::of_file(path.into(), octets.into(), None)
    }

    fn of_file(path: String, octets: Vec<u8>, looks: Option<Looks>) -> Self {
        let digest = digest::sha256_octets(&octets);
        RawText { path, octets, digest, looks }
    }

    /// The text's file without what it holds.
    pub(super) fn file(&self) -> TextFile {
        TextFile { path: self.path.clone(), digest: self.digest, looks: self.looks }
    }
}

/// The file of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// The path from the magazine's root, with `/` between folders, in NFC.
    pub path: String,
    /// The SHA-256 of what it holds.
    pub digest: [u8; 32],
    /// What tells from outside that it holds the same; none where nothing does.
    pub(super) looks: Option<Looks>,
}

/// A file that is published as it is.
#[derive(Clone, Debug)]
pub struct RawFile {
    /// The path from the magazine's root, with `/` between folders, in NFC.
    pub path: String,
    /// Where it lies.
    pub disk: PathBuf,
}

impl Sources {
    /// A digest of all of it. Texts count by what they hold, other files by their length and the time of their last
    /// change.
    pub fn digest(&self) -> String {
        self.digest_of(|_| true)
    }

    /// The same of what all issues share: settings, footer, templates, theme, and all that is no text.
    pub fn standing_digest(&self) -> String {
        self.digest_of(|path| !path.starts_with("content/") || path == "content/footer.md")
    }

    fn digest_of(&self, is_wanted: impl Fn(&str) -> bool) -> String {
        let read = self.texts.iter().map(|text| (text.path.as_str(), &text.digest));
        let unread = self.unread.iter().map(|text| (text.path.as_str(), &text.digest));
        let mut texts: Vec<(&str, &[u8; 32])> =
            read.chain(unread).filter(|(path, _)| is_wanted(path)).collect();
        texts.sort_unstable();
        let of_file = |file: &RawFile| {
            let metadata = fs::metadata(&file.disk).ok();
            let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            let length = metadata.map(|metadata| metadata.len());
            format!("{length:?} {modified:?} {}\n", file.path)
        };
        let mut sum = digest::Sum::default();
        for (path, digest) in texts {
            [&digest[..], path.as_bytes(), b"\n"].into_iter().for_each(|octets| sum.add(octets));
        }
        let files: Vec<String> = self.files.par_iter().map(of_file).collect();
        files.iter().for_each(|file| sum.add(file.as_bytes()));
        digest::hexadecimal(&sum.octets())
    }
}

/// Why a magazine could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder is none.
    #[error("there is no magazine in {}: it has no mailmag.toml (`mailmag init DIR` makes one, `-C DIR` names another)", .0.display())]
    NoMagazine(PathBuf),
    /// The root itself cannot be opened.
    #[error("cannot open {}", .0.display())]
    Root(PathBuf, #[source] io::Error),
}

/// Reads `mailmag.toml`, `content/`, `templates/` and `theme/` below a magazine's root.
///
/// Hidden files and editors' leftovers (`.swp`, `name~`, `#name#`) are passed over. A file that cannot be read is a
/// problem, not an error: all of them are told at once.
///
/// # Errors
///
/// When there is no magazine at the root.
pub fn read(root: &Path) -> Result<Sources, ReadError> {
    Ok(find(root)?.read(&Notes::default(), LONG_AGO).0)
}

/// Finds what [`read`] would read.
///
/// # Errors
///
/// When there is no magazine at the root.
pub fn find(root: &Path) -> Result<Found, ReadError> {
    let real_root = real_root(root)?;
    let mut found = Found::default();
    for top in TOPS {
        let top = root.join(top);
        if top.symlink_metadata().is_ok() {
            walk(root, &real_root, &top, &mut found.files, &mut found.problems);
        }
    }
    Ok(found)
}

/// The folder itself that a magazine's root leads to.
///
/// # Errors
///
/// When there is no magazine at the root.
pub fn real_root(root: &Path) -> Result<PathBuf, ReadError> {
    let real_root = root.canonicalize().map_err(|error| ReadError::Root(root.to_owned(), error))?;
    match root.join(SETTINGS).symlink_metadata() {
        Ok(_) => Ok(real_root),
        Err(_) => Err(ReadError::NoMagazine(root.to_owned())),
    }
}

/// The files of a magazine, before any is read.
#[derive(Clone, Debug, Default)]
pub struct Found {
    files: Vec<RawFile>,
    problems: Vec<Diagnostic>,
}

impl Found {
    /// Reads the files at the time `now`, in seconds since 1970, but for the texts of issues that look as they did when it was noted what they
    /// say: these are in the memory.
    pub fn read(self, notes: &Notes<'_>, now: i64) -> (Sources, Memory) {
        let mut sources = Sources { problems: self.problems, ..Sources::default() };
        let mut texts = sources.take_texts(self.files, now);
        // The settings come first: what issues say depends on them.
        let settings = texts.iter().position(|text| text.file.path == SETTINGS).map(|at| texts.remove(at));
        sources.add(settings.into_iter().collect());
        let mut memory = Memory::default();
        if let [settings] = &sources.texts[..]
            && notes.are_for(&settings.octets)
        {
            memory = notes.remembered(&texts);
            let is_remembered = |text: &FoundText| memory.holds(&text.file.path);
            texts.retain(|text| !is_remembered(text));
            sources.unread = memory.files().cloned().collect();
        }
        sources.add(texts);
        (sources, memory)
    }
}

/// A text's file, before it is read.
#[derive(Debug)]
pub(super) struct FoundText {
    pub(super) file: RawFile,
    metadata: io::Result<Metadata>,
    /// None where looks tell nothing.
    pub(super) looks: Option<Looks>,
}

/// Reads again what lies at some paths of the disk and below them, as [`read`] does: what has gone is taken out. Returns
/// the texts that stood at these paths before. Paths that hold nothing of the magazine's are passed over.
pub fn read_again(root: &Path, sources: &mut Sources, changed: &[PathBuf]) -> Vec<RawText> {
    let Ok(real_root) = root.canonicalize() else { return Vec::new() };
    let mut changed: Vec<&PathBuf> = changed.iter().filter(|path| is_of_the_magazine(root, path)).collect();
    changed.sort();
    // What lies below another of them is read with it.
    changed.dedup_by(|path, before| path.starts_with(&**before));
    let (mut found, mut before) = (Vec::new(), Vec::new());
    for disk in changed {
        let path = path_below(root, disk);
        let escaped = path.escape_debug().to_string();
        let stood = |other: &str| lies_at(other, &path) || lies_at(other, &escaped);
        before.extend(sources.texts.extract_if(.., |text| stood(&text.path)));
        sources.files.retain(|file| !stood(&file.path));
        sources.problems.retain(|problem| !stood(problem.path()));
        let folder = disk.parent().unwrap_or(root);
        if disk.symlink_metadata().is_ok() && leads_inside(folder, &real_root) {
            walk(root, &real_root, disk, &mut found, &mut sources.problems);
        }
    }
    let texts = sources.take_texts(found, LONG_AGO);
    sources.add(texts);
    sources.files.sort_by(|a, b| a.path.cmp(&b.path));
    before
}

/// The file of the settings.
pub(super) const SETTINGS: &str = "mailmag.toml";

/// When no file has looks that tell anything: for those who read all.
const LONG_AGO: i64 = 0;

/// What is read below a magazine's root.
const TOPS: [&str; 4] = [SETTINGS, "content", "templates", "theme"];

/// Whether a path of the disk is one that [`read`] looks at: no editor's leftover, and nothing beside the magazine.
pub fn is_of_the_magazine(root: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else { return false };
    let mut parts = below.components().map(|part| part.as_os_str().to_string_lossy());
    parts.next().is_some_and(|top| TOPS.contains(&top.as_ref())) && !parts.any(|part| is_leftover(&part))
}

/// Whether a path is another or lies in that folder.
pub(super) fn lies_at(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Sources {
    /// Takes the files that were found, and hands back the texts among them as they look at the time `now`.
    fn take_texts(&mut self, found: Vec<RawFile>, now: i64) -> Vec<FoundText> {
        let (texts, files): (Vec<RawFile>, Vec<RawFile>) =
            found.into_iter().partition(|file| is_text(&file.path));
        self.files.extend(files);
        let look = |file: RawFile| {
            let metadata = fs::metadata(&file.disk);
            let looks = metadata.as_ref().ok().and_then(|metadata| Looks::of(metadata, now));
            FoundText { file, metadata, looks }
        };
        texts.into_par_iter().map(look).collect()
    }

    /// Reads texts.
    fn add(&mut self, texts: Vec<FoundText>) {
        let read: Vec<Result<RawText, Box<Diagnostic>>> = texts.into_par_iter().map(read_text).collect();
        for result in read {
            match result {
                Ok(text) => self.texts.push(text),
                Err(problem) => self.problems.push(*problem),
            }
        }
    }
}

/// Whether a file is read as text: settings, sources of issues and pages, and templates.
fn is_text(path: &str) -> bool {
    if path.starts_with("templates/") || path == SETTINGS {
        return true;
    }
    path.starts_with("content/") && [".md", ".txt", ".eml"].iter().any(|ending| path.ends_with(ending))
}

fn walk(root: &Path, real_root: &Path, top: &Path, found: &mut Vec<RawFile>, problems: &mut Vec<Diagnostic>) {
    // Within a folder, paths sort as names do, which would have to be cut out of them each time.
    let by_path = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
    let mut entries = WalkDir::new(top).follow_links(true).sort_by(by_path).into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(unwalkable(root, &error));
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy();
        if is_leftover(&name) {
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            continue;
        }
        let path = path_below(root, entry.path());
        if entry.path_is_symlink() && !leads_inside(entry.path(), real_root) {
            problems.push(
                Diagnostic::error("outside-the-magazine", "this link leads out of the magazine's folder")
                    .in_file(&path)
                    .help("put a copy of the file here instead"),
            );
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            continue;
        }
        if entry.path().to_str().is_none() || name.chars().any(char::is_control) {
            problems.push(
                Diagnostic::error(
                    "bad-file-name",
                    "this file's name holds characters that no address can carry",
                )
                .in_file(path.escape_debug().to_string())
                .help("rename it in UTF-8, without line feeds and other control characters"),
            );
            continue;
        }
        if entry.file_type().is_file() {
            found.push(RawFile { path, disk: entry.into_path() });
        } else if !entry.file_type().is_dir() {
            problems.push(
                Diagnostic::error("not-a-file", "this is a pipe, socket or device, and no file")
                    .in_file(path)
                    .help("remove it"),
            );
        }
    }
}

fn is_leftover(name: &str) -> bool {
    (name.starts_with('.') && name.len() > 1)
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
}

fn leads_inside(link: &Path, real_root: &Path) -> bool {
    link.canonicalize().is_ok_and(|target| target.starts_with(real_root))
}

fn path_below(root: &Path, path: &Path) -> String {
    // Nearly all are ASCII, behind the very words of the root.
    let plainly = || path.to_str()?.strip_prefix(root.to_str()?.trim_end_matches('/'))?.strip_prefix('/');
    if let Some(below) = plainly().filter(|below| cfg!(unix) && below.is_ascii() && !below.starts_with('/')) {
        return below.to_owned();
    }
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").nfc().collect()
}

fn unwalkable(root: &Path, error: &walkdir::Error) -> Diagnostic {
    let path = error.path().map_or(String::new(), |path| path_below(root, path));
    if let Some(ancestor) = error.loop_ancestor() {
        let message = format!("this link leads back to {}, which holds it", path_below(root, ancestor));
        return Diagnostic::error("link-loop", message).in_file(path).help("remove the link");
    }
    match error.io_error() {
        Some(error) => unreadable(path, error),
        None => Diagnostic::error("unreadable", "this cannot be read").in_file(path),
    }
}

fn unreadable(path: String, error: &io::Error) -> Diagnostic {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "restore that file, or remove the link",
        io::ErrorKind::PermissionDenied => "give yourself the right to read it (chmod u+r)",
        _ => "look at the disk and at the file's rights",
    };
    let message = match error.kind() {
        io::ErrorKind::NotFound => "this link names a file that is not there".to_owned(),
        _ => format!("this cannot be read: {error}"),
    };
    Diagnostic::error("unreadable", message).in_file(path).help(help)
}

fn read_text(found: FoundText) -> Result<RawText, Box<Diagnostic>> {
    let FoundText { file: RawFile { path, disk }, metadata, looks } = found;
    let length = match metadata {
        Ok(metadata) => metadata.len(),
        Err(error) => return Err(Box::new(unreadable(path, &error))),
    };
    if length > LONGEST_TEXT {
        let message = format!(
            "this text has {:.1} MB; the longest that is read has {} MB",
            length as f64 / 1e6,
            LONGEST_TEXT / 1024 / 1024
        );
        let help = "split it into articles, or move what is no text elsewhere";
        return Err(Box::new(Diagnostic::error("too-large", message).in_file(path).help(help)));
    }
    match fs::read(&disk) {
        Ok(octets) => Ok(RawText::of_file(path, octets, looks)),
        Err(error) => Err(Box::new(unreadable(path, &error))),
    }
}

/// Reads a text that was left unread: it must hold what its digest says.
pub(super) fn read_unread(file: &TextFile, disk: &Path) -> Result<RawText, Box<Diagnostic>> {
    let octets = fs::read(disk).map_err(|error| Box::new(unreadable(file.path.clone(), &error)))?;
    let text = RawText::of_file(file.path.clone(), octets, file.looks);
    if text.digest != file.digest {
        let changed = Diagnostic::error("changed-while-read", "this text was changed while it was worked on");
        return Err(Box::new(changed.in_file(&file.path).help("build again")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_the_root_however_that_is_written() {
        for root in ["mag", "mag/", "mag//", "./mag", "/srv/mag", "/", "//", ".", ""] {
            let (root, below) = (Path::new(root), Path::new("content/issues/001.md"));
            assert_eq!(path_below(root, &root.join(below)), "content/issues/001.md", "{}", root.display());
        }
        let root = Path::new("mag/");
        assert_eq!(path_below(root, &root.join("content/か\u{3099}.md")), "content/が.md");
    }
}
