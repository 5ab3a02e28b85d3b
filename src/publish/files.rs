//! Single files and folders: which paths are allowed, what the output folder has there, writing to the stage.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::memory::Stamp;
use super::{PublishError, RESERVED, disk};
use crate::hash::{HashMap, HashSet, HashSetExt};

/// Refuses a path that would leave the output folder, that is ours, or that the manifest could not hold.
pub(super) fn check_path(path: &str) -> Result<(), PublishError> {
    let why = if path.is_empty() {
        "it is empty"
    } else if path.starts_with('/') {
        "it does not begin in the output folder"
    } else if path.contains('\\') {
        "it contains a backslash"
    } else if path.contains(char::is_control) {
        "it contains a control character"
    } else if path.starts_with(RESERVED) {
        "names that begin with `.mailmag-` are for mailmag's own notes"
    } else if path.split('/').any(str::is_empty) {
        "a part of it is empty"
    } else if path.split('/').any(|part| part == "." || part == "..") {
        "`.` or `..` is a part of it"
    } else {
        return Ok(());
    };
    Err(PublishError::BadPath { path: path.to_owned(), why })
}

/// The part before the last `/`, empty for the top.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders above a path, from the top: `a/b/c` is in `a` and `a/b`.
pub(super) fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Which folders the output folder has, asked once each. A symbolic link is not one, wherever it leads.
#[derive(Debug)]
pub(super) struct Folders {
    dist: PathBuf,
    known: HashMap<Box<str>, bool>,
    open: HashSet<Box<str>>,
}

impl Folders {
    pub(super) fn of(dist: &Path) -> Folders {
        Folders {
            dist: dist.to_path_buf(),
            known: [("".into(), true)].into_iter().collect(),
            open: HashSet::new(),
        }
    }

    pub(super) fn has(&mut self, folder: &str) -> Result<bool, PublishError> {
        if let Some(&known) = self.known.get(folder) {
            return Ok(known);
        }
        // From the top, so that no question goes through a link or to a folder whose parent is not there.
        for above in folders_above(folder).chain([folder]) {
            let is_folder = match self.known.get(above) {
                Some(&known) => known,
                None => {
                    let is_folder = kind_of(&self.dist.join(above))?.is_some_and(|kind| kind.is_dir());
                    self.known.insert(above.into(), is_folder);
                    is_folder
                }
            };
            if !is_folder {
                self.known.insert(folder.into(), false);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses a folder that files could not be moved into (or, when it is not there yet, that could not be made),
    /// as this must not come out halfway through a commit.
    pub(super) fn check_open(&mut self, folder: &str) -> Result<(), PublishError> {
        if self.open.contains(folder) {
            return Ok(());
        }
        let mut there = folder;
        while !self.has(there)? {
            there = folder_of(there);
        }
        if there == folder || !self.open.contains(there) {
            let path = self.dist.join(there);
            try_open(&self.dist, &path).map_err(disk("move files into", &path))?;
            self.open.insert(there.into());
        }
        self.open.insert(folder.into());
        Ok(())
    }
}

/// May we change what is in this folder, and does a rename from the stage reach it?
#[cfg(unix)]
fn try_open(dist: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    let same_file_system = folder == dist || fs::metadata(folder)?.dev() == fs::metadata(dist)?.dev();
    if same_file_system { Ok(()) } else { Err(io::ErrorKind::CrossesDevices.into()) }
}

/// Elsewhere only trying tells.
#[cfg(not(unix))]
fn try_open(_dist: &Path, _folder: &Path) -> io::Result<()> {
    Ok(())
}

/// What stands at a path, links not followed; `None` when nothing does.
pub(super) fn kind_of(path: &Path) -> Result<Option<fs::FileType>, PublishError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk("look at", path)(error)),
    }
}

/// What the output folder has where a file of ours is to go.
pub(super) enum Existing {
    Same(Stamp),
    Folder,
    /// Nothing, or something to replace.
    Different,
}

/// Compares by length first; a file that cannot be read differs.
pub(super) fn compare(path: &Path, octets: &[u8]) -> Result<Existing, PublishError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Existing::Different),
        Err(error) => return Err(disk("look at", path)(error)),
    };
    if metadata.is_dir() {
        return Ok(Existing::Folder);
    }
    if !metadata.is_file() || metadata.len() != octets.len() as u64 {
        return Ok(Existing::Different);
    }
    let same = File::open(path).and_then(|file| holds(file, octets)).unwrap_or(false);
    Ok(if same { Existing::Same(Stamp::of(&metadata)) } else { Existing::Different })
}

/// Whether what comes next in a file is just these octets.
pub(super) fn holds(mut file: impl Read, octets: &[u8]) -> io::Result<bool> {
    let mut buffer = [0; 32 * 1024];
    for expected in octets.chunks(buffer.len()) {
        let found = &mut buffer[..expected.len()];
        file.read_exact(found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes a new file, making its folders only when they turn out to be missing.
pub(super) fn write(path: &Path, octets: &[u8]) -> Result<Stamp, PublishError> {
    let created = match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().expect("a staged file is in the stage folder");
            fs::create_dir_all(folder).map_err(disk("make the folder", folder))?;
            File::create_new(path)
        }
        created => created,
    };
    let written = created.and_then(|mut file| {
        file.write_all(octets)?;
        file.metadata()
    });
    written.map(|metadata| Stamp::of(&metadata)).map_err(disk("write", path))
}
