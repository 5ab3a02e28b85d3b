//! What a build leaves for the next one: from what it was made, and how its files look from outside. It is a hint and no
//! more: without it, or when a file does not look as it was left, everything is built anew.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use rayon::prelude::*;

use super::files::holds;
use super::{PublishError, RESERVED, disk};
use crate::hash::HashMap;

/// The file in the output folder.
const MEMORY: &str = ".mailmag-memory";
/// Its first line, which a later layout would change.
const HEAD: &str = "mailmag build 3";

/// How many lines of the memory are written by one thread at a time.
const LINES: usize = 1024;

/// How much of a file of the memory is read or written at a time, in octets.
const BUFFER: usize = 128 << 10;

/// From what a build was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory<'a> {
    /// Everything that went into it, as a digest; empty when a build of the same is to be made again.
    pub key: String,
    /// What is to be said again when nothing is to be done, a line each.
    pub notes: Vec<String>,
    /// What the next build can ask [`Stage::notes`](super::Stage::notes) for, by its name and in pieces.
    pub files: Vec<(&'static str, Vec<Cow<'a, [u8]>>)>,
}

/// How a file looks from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    /// When it was changed, in nanoseconds since 1970.
    modified: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        let modified = metadata.modified().ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Stamp { length: metadata.len(), modified }
    }
}

impl Stamp {
    /// Whether a file looks so.
    pub(super) fn is_of(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && Stamp::of(&metadata) == self)
    }

    fn line(self, path: &str) -> String {
        format!("{} {} {path}", self.length, self.modified)
    }

    fn read(line: &str) -> Option<(Stamp, &str)> {
        let mut fields = line.splitn(3, ' ');
        let (length, modified, path) = (fields.next()?, fields.next()?, fields.next()?);
        Some((Stamp { length: length.parse().ok()?, modified: modified.parse().ok()? }, path))
    }
}

/// What the build that lies in the output folder left. It is read once, for a stage keeps other builds out.
#[derive(Debug, Default)]
pub(super) struct Left {
    text: String,
    /// How each file looked, by its path; made when somebody asks.
    files: OnceLock<HashMap<Box<str>, Stamp>>,
}

impl Left {
    pub(super) fn read(dist: &Path) -> Left {
        let text = fs::read_to_string(dist.join(MEMORY)).unwrap_or_default();
        Left { text, files: OnceLock::new() }
    }

    /// How a file looked.
    pub(super) fn stamp(&self, path: &str) -> Option<Stamp> {
        self.files.get_or_init(|| self.files()).get(path).copied()
    }

    fn files(&self) -> HashMap<Box<str>, Stamp> {
        let files = parts(&self.text).map_or("", |parts| parts.files);
        let file = |line| Stamp::read(line).map(|(stamp, path)| (path.into(), stamp));
        files.lines().filter_map(file).collect()
    }

    /// The notes of that build and how many files it has, if it was made from what `key` stands for and all its files are as
    /// it left them.
    pub(super) fn recall(&self, dist: &Path, key: &str) -> Option<(Vec<String>, usize)> {
        if key.is_empty() {
            return None;
        }
        let Parts { key: of_before, notes, files, .. } = parts(&self.text)?;
        if of_before != key {
            return None;
        }
        let files: Vec<&str> = files.lines().collect();
        let is_as_left =
            |line: &&str| Stamp::read(line).is_some_and(|(stamp, path)| stamp.is_of(&dist.join(path)));
        let intact = files.par_iter().all(is_as_left);
        intact.then(|| (notes.lines().map(str::to_owned).collect(), files.len()))
    }

    /// What that build left under a name, if it looks as it was left.
    pub(super) fn notes(&self, dist: &Path, name: &str) -> Option<Vec<u8>> {
        let stamps = parts(&self.text)?.stamps;
        let (stamp, _) = stamps.split('\t').filter_map(Stamp::read).find(|(_, left)| *left == name)?;
        let path = notes_path(dist, name);
        stamp.is_of(&path).then(|| fs::read(&path).ok())?
    }
}

fn notes_path(dist: &Path, name: &str) -> PathBuf {
    dist.join(format!("{RESERVED}{name}"))
}

/// What a memory holds, a line each but for the notes and the files, which a blank line parts.
struct Parts<'a> {
    /// How the files of the memory look, with a tabulator between.
    stamps: &'a str,
    key: &'a str,
    notes: &'a str,
    files: &'a str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (stamps, rest) = text.strip_prefix(HEAD)?.strip_prefix('\n')?.split_once('\n')?;
    let (key, rest) = rest.split_once('\n')?;
    let (notes, files) = rest.split_once("\n\n").or_else(|| Some(("", rest.strip_prefix('\n')?)))?;
    Some(Parts { stamps, key, notes, files })
}

/// Leaves a memory, unless just that lies there already. The files are in the order of their paths.
pub(super) fn leave(dist: &Path, memory: &Memory<'_>, files: &[(&str, Stamp)]) -> Result<(), PublishError> {
    let left = |(name, pieces): &(&str, Vec<Cow<'_, [u8]>>)| {
        Ok(leave_file(&notes_path(dist, name), pieces)?.line(name))
    };
    let stamps = memory.files.iter().map(left).collect::<Result<Vec<String>, PublishError>>()?;
    let mut text = format!("{HEAD}\n{}\n{}\n", stamps.join("\t"), memory.key);
    memory.notes.iter().for_each(|note| {
        let _ = writeln!(text, "{}", note.replace('\n', " "));
    });
    text.push('\n');
    let lines = |files: &[(&str, Stamp)]| {
        let mut lines = String::new();
        files.iter().for_each(|(path, stamp)| {
            let _ = writeln!(lines, "{} {} {path}", stamp.length, stamp.modified);
        });
        Cow::Owned(lines.into_bytes())
    };
    let mut pieces: Vec<Cow<'_, [u8]>> = vec![text.into_bytes().into()];
    pieces.par_extend(files.par_chunks(LINES).map(lines));
    leave_file(&dist.join(MEMORY), &pieces)?;
    Ok(())
}

/// Writes a file of the memory, unless it holds just that.
fn leave_file(path: &Path, pieces: &[Cow<'_, [u8]>]) -> Result<Stamp, PublishError> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let left = fs::symlink_metadata(path).ok();
    let left = left.filter(|metadata| metadata.is_file() && metadata.len() == length as u64);
    if let Some(metadata) = left
        && has(path, pieces).unwrap_or(false)
    {
        return Ok(Stamp::of(&metadata));
    }
    write(path, pieces).map_err(disk("write", path))
}

/// Whether a file begins with these octets.
fn has(path: &Path, pieces: &[Cow<'_, [u8]>]) -> io::Result<bool> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    for piece in pieces {
        if !holds(&mut file, piece)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write(path: &Path, pieces: &[Cow<'_, [u8]>]) -> io::Result<Stamp> {
    let new = path.with_extension("new");
    let mut file = BufWriter::with_capacity(BUFFER, File::create(&new)?);
    for piece in pieces {
        file.write_all(piece)?;
    }
    let stamp = Stamp::of(&file.into_inner()?.metadata()?);
    fs::rename(&new, path)?;
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall(dist: &Path, key: &str) -> Option<(Vec<String>, usize)> {
        Left::read(dist).recall(dist, key)
    }

    fn notes(dist: &Path, name: &str) -> Option<Vec<u8>> {
        Left::read(dist).notes(dist, name)
    }

    #[test]
    fn a_build_is_recalled_while_its_files_are_as_they_were_left() {
        let dist = tempfile::tempdir().unwrap();
        let path = |name: &str| dist.path().join(name);
        let stamp = |name: &str| Stamp::of(&fs::metadata(path(name)).unwrap());
        fs::write(path("a b"), "text").unwrap();
        fs::write(path("c"), "").unwrap();
        let files = [("a b", stamp("a b")), ("c", stamp("c"))];
        for said in [vec![], vec!["held back: issue 7".to_owned(), "and more".to_owned()]] {
            let memory = Memory { key: "k1".to_owned(), notes: said.clone(), files: Vec::new() };
            leave(dist.path(), &memory, &files).unwrap();
            let as_left = Left::read(dist.path());
            assert_eq!(
                ["a b", "c"].map(|name| as_left.stamp(name)),
                ["a b", "c"].map(|name| Some(stamp(name)))
            );
            assert_eq!(["", "a", "b", "d"].map(|name| as_left.stamp(name)), [None; 4]);
            assert_eq!(recall(dist.path(), "k1"), Some((said, 2)));
            assert_eq!(recall(dist.path(), "k"), None);
            assert_eq!(recall(dist.path(), "k2"), None);
            assert_eq!(notes(dist.path(), "works"), None);
            let pieces = vec![b"w".to_vec().into(), b"orks"[..].into()];
            let files_too = Memory { key: String::new(), files: vec![("works", pieces)], ..memory };
            leave(dist.path(), &files_too, &files).unwrap();
            assert_eq!(
                (recall(dist.path(), ""), Left::read(dist.path()).stamp("c")),
                (None, Some(stamp("c")))
            );
            assert_eq!(notes(dist.path(), "works").as_deref(), Some(&b"works"[..]));
            assert_eq!(notes(dist.path(), "work"), None);
            let stamp_of_works = stamp(".mailmag-works");
            leave(dist.path(), &files_too, &files).unwrap();
            assert_eq!(stamp(".mailmag-works"), stamp_of_works, "the same is not written again");
            fs::write(path(".mailmag-works"), "other").unwrap();
            assert_eq!(notes(dist.path(), "works"), None);
            fs::remove_file(path(".mailmag-works")).unwrap();
        }
        type Change = fn(&Path);
        let changes: [Change; 4] = [
            |dist| fs::write(dist.join("c"), "x").unwrap(),
            |dist| fs::remove_file(dist.join("a b")).unwrap(),
            |dist| fs::write(dist.join(MEMORY), "mailmag build 2\nk1\n\n").unwrap(),
            |dist| fs::write(dist.join(MEMORY), "mailmag build 3\n\nk1\n\nwhat is this\n").unwrap(),
        ];
        for change in changes {
            fs::write(path("a b"), "text").unwrap();
            fs::write(path("c"), "").unwrap();
            let files = [("a b", stamp("a b")), ("c", stamp("c"))];
            let memory = Memory { key: "k1".to_owned(), notes: Vec::new(), files: Vec::new() };
            leave(dist.path(), &memory, &files).unwrap();
            assert!(recall(dist.path(), "k1").is_some());
            change(dist.path());
            assert_eq!(recall(dist.path(), "k1"), None);
        }
    }
}
