//! What a build leaves for the next one: from what it was made, and how its files look from outside. It is a hint and no
//! more: without it, or when a file does not look as it was left, everything is built anew.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use rayon::prelude::*;

use super::{PublishError, disk};
use crate::digest;

/// The file in the output folder.
const MEMORY: &str = ".mailmag-memory";
/// Its first line, which a later layout would change.
const HEAD: &str = "mailmag build 2";

/// From what a build was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Everything that went into it, as a digest; empty when a build of the same is to be made again.
    pub key: String,
    /// What is to be said again when nothing is to be done, a line each.
    pub notes: Vec<String>,
    /// What the next build can ask [`Stage::notes`](super::Stage::notes) for, by its name.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

/// How a file looks from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    /// When it was changed, in nanoseconds since 1970.
    modified: u128,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        let modified = metadata.modified().ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
        Stamp { length: metadata.len(), modified: modified.map_or(0, |since| since.as_nanos()) }
    }
}

impl Stamp {
    /// Whether a file looks so.
    pub(super) fn is_of(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && Stamp::of(&metadata) == self)
    }

    fn read(line: &str) -> Option<(Stamp, &str)> {
        let mut fields = line.splitn(3, ' ');
        let (length, modified, path) = (fields.next()?, fields.next()?, fields.next()?);
        Some((Stamp { length: length.parse().ok()?, modified: modified.parse().ok()? }, path))
    }
}

/// How the build that lies in the output folder left its files, if it said so.
pub(super) fn left(dist: &Path) -> HashMap<String, Stamp> {
    let text = fs::read_to_string(dist.join(MEMORY)).unwrap_or_default();
    let files = parts(&text).map_or("", |parts| parts.files);
    files.lines().filter_map(Stamp::read).map(|(stamp, path)| (path.to_owned(), stamp)).collect()
}

/// The notes of the build that lies in the output folder and how many files it has, if it was made from what `key`
/// stands for and all its files are as it left them.
pub(super) fn recall(dist: &Path, key: &str) -> Option<(Vec<String>, usize)> {
    if key.is_empty() {
        return None;
    }
    let text = fs::read_to_string(dist.join(MEMORY)).ok()?;
    let Parts { key: of_before, notes, files, .. } = parts(&text)?;
    if of_before != key {
        return None;
    }
    let files: Vec<&str> = files.lines().collect();
    let is_as_left =
        |line: &&str| Stamp::read(line).is_some_and(|(stamp, path)| stamp.is_of(&dist.join(path)));
    let intact = files.par_iter().all(is_as_left);
    intact.then(|| (notes.lines().map(str::to_owned).collect(), files.len()))
}

/// Whether a file of the memory is just what the build that lies in the output folder left.
pub(super) fn is_left(dist: &Path, name: &str, octets: &[u8]) -> bool {
    let text = fs::read_to_string(dist.join(MEMORY)).unwrap_or_default();
    parts(&text).is_some_and(|parts| parts.digests.split(' ').any(|left| left == digest_of(name, octets)))
}

fn digest_of(name: &str, octets: &[u8]) -> String {
    format!("{name}={}", digest::sha256(octets))
}

/// What a memory holds, a line each but for the notes and the files, which a blank line parts.
struct Parts<'a> {
    digests: &'a str,
    key: &'a str,
    notes: &'a str,
    files: &'a str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (digests, rest) = text.strip_prefix(HEAD)?.strip_prefix('\n')?.split_once('\n')?;
    let (key, rest) = rest.split_once('\n')?;
    let (notes, files) = rest.split_once("\n\n").or_else(|| Some(("", rest.strip_prefix('\n')?)))?;
    Some(Parts { digests, key, notes, files })
}

/// Leaves a memory, unless just that lies there already.
pub(super) fn leave(
    dist: &Path,
    memory: &Memory,
    files: &HashMap<Box<str>, Stamp>,
) -> Result<(), PublishError> {
    let digests = memory.files.iter().map(|(name, octets)| digest_of(name, octets)).collect::<Vec<_>>();
    let mut text = format!("{HEAD}\n{}\n{}\n", digests.join(" "), memory.key);
    memory.notes.iter().for_each(|note| {
        let _ = writeln!(text, "{}", note.replace('\n', " "));
    });
    text.push('\n');
    let mut files: Vec<(&Box<str>, &Stamp)> = files.iter().collect();
    files.sort_unstable_by_key(|(path, _)| *path);
    for (path, Stamp { length, modified }) in files {
        let _ = writeln!(text, "{length} {modified} {path}");
    }
    leave_file(&dist.join(MEMORY), text.as_bytes())
}

/// Writes a file of the memory, unless it holds just that.
pub(super) fn leave_file(path: &Path, octets: &[u8]) -> Result<(), PublishError> {
    let is_as_long = fs::metadata(path).is_ok_and(|metadata| metadata.len() == octets.len() as u64);
    if is_as_long && fs::read(path).is_ok_and(|left| left == octets) {
        return Ok(());
    }
    let new = path.with_extension("new");
    fs::write(&new, octets).and_then(|()| fs::rename(&new, path)).map_err(disk("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_recalled_while_its_files_are_as_they_were_left() {
        let dist = tempfile::tempdir().unwrap();
        let path = |name: &str| dist.path().join(name);
        let stamp = |name: &str| Stamp::of(&fs::metadata(path(name)).unwrap());
        fs::write(path("a b"), "text").unwrap();
        fs::write(path("c"), "").unwrap();
        let files = HashMap::from([("a b".into(), stamp("a b")), ("c".into(), stamp("c"))]);
        for notes in [vec![], vec!["held back: issue 7".to_owned(), "and more".to_owned()]] {
            let memory = Memory { key: "k1".to_owned(), notes: notes.clone(), files: Vec::new() };
            leave(dist.path(), &memory, &files).unwrap();
            assert_eq!(left(dist.path()).len(), 2);
            assert_eq!(left(dist.path())["a b"], stamp("a b"));
            assert_eq!(recall(dist.path(), "k1"), Some((notes, 2)));
            assert_eq!(recall(dist.path(), "k"), None);
            assert_eq!(recall(dist.path(), "k2"), None);
            assert!(!is_left(dist.path(), "works", b"w"));
            let files_too = Memory { key: String::new(), files: vec![("works", b"w".to_vec())], ..memory };
            leave(dist.path(), &files_too, &files).unwrap();
            assert_eq!((recall(dist.path(), ""), left(dist.path()).len()), (None, 2));
            assert!(is_left(dist.path(), "works", b"w") && !is_left(dist.path(), "works", b"v"));
        }
        type Change = fn(&Path);
        let changes: [Change; 4] = [
            |dist| fs::write(dist.join("c"), "x").unwrap(),
            |dist| fs::remove_file(dist.join("a b")).unwrap(),
            |dist| fs::write(dist.join(MEMORY), "mailmag build 1\nk1\n\n").unwrap(),
            |dist| fs::write(dist.join(MEMORY), "mailmag build 2\n\nk1\n\nwhat is this\n").unwrap(),
        ];
        for change in changes {
            fs::write(path("a b"), "text").unwrap();
            fs::write(path("c"), "").unwrap();
            let files = HashMap::from([("a b".into(), stamp("a b")), ("c".into(), stamp("c"))]);
            let memory = Memory { key: "k1".to_owned(), notes: Vec::new(), files: Vec::new() };
            leave(dist.path(), &memory, &files).unwrap();
            assert!(recall(dist.path(), "k1").is_some());
            change(dist.path());
            assert_eq!(recall(dist.path(), "k1"), None);
        }
    }
}
