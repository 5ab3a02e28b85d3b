//! A magazine's files as they lie on the disk: the only reading there is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;
use walkdir::WalkDir;

use crate::diagnostic::Diagnostic;
use crate::digest;

/// The longest text that is read, in octets. A mail magazine's issue has some ten thousand.
const LONGEST_TEXT: u64 = 8 * 1024 * 1024;

/// What lies on the disk, before anybody understands it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The texts, by path.
    pub texts: Vec<RawText>,
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

    fn digest_of(&self, is_wanted: impl Fn(&str) -> bool + Sync) -> String {
        let of_text = |text: &RawText| format!("{} {}\n", digest::sha256(&text.octets), text.path);
        let of_file = |file: &RawFile| {
            let metadata = fs::metadata(&file.disk).ok();
            let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
            let length = metadata.map(|metadata| metadata.len());
            format!("{length:?} {modified:?} {}\n", file.path)
        };
        let texts = self.texts.par_iter().filter(|text| is_wanted(&text.path)).map(of_text);
        let files = self.files.par_iter().map(of_file);
        digest::sha256(texts.chain(files).collect::<String>().as_bytes())
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
    let real_root = root.canonicalize().map_err(|error| ReadError::Root(root.to_owned(), error))?;
    let settings = root.join("mailmag.toml");
    if settings.symlink_metadata().is_err() {
        return Err(ReadError::NoMagazine(root.to_owned()));
    }
    let mut sources = Sources::default();
    let mut found = Vec::new();
    for top in TOPS {
        let top = root.join(top);
        if top.symlink_metadata().is_ok() {
            walk(root, &real_root, &top, &mut found, &mut sources.problems);
        }
    }
    sources.add(found);
    Ok(sources)
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
    sources.add(found);
    sources.files.sort_by(|a, b| a.path.cmp(&b.path));
    before
}

/// What is read below a magazine's root.
const TOPS: [&str; 4] = ["mailmag.toml", "content", "templates", "theme"];

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
    /// Reads the texts among the files that were found.
    fn add(&mut self, found: Vec<RawFile>) {
        let (texts, files): (Vec<RawFile>, Vec<RawFile>) =
            found.into_iter().partition(|file| is_text(&file.path));
        self.files.extend(files);
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
    if path.starts_with("templates/") || path == "mailmag.toml" {
        return true;
    }
    path.starts_with("content/") && [".md", ".txt", ".eml"].iter().any(|ending| path.ends_with(ending))
}

fn walk(root: &Path, real_root: &Path, top: &Path, found: &mut Vec<RawFile>, problems: &mut Vec<Diagnostic>) {
    let mut entries = WalkDir::new(top).follow_links(true).sort_by_file_name().into_iter();
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

fn read_text(file: RawFile) -> Result<RawText, Box<Diagnostic>> {
    let RawFile { path, disk } = file;
    let length = match fs::metadata(&disk) {
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
        Ok(octets) => Ok(RawText { path, octets }),
        Err(error) => Err(Box::new(unreadable(path, &error))),
    }
}
