//! The stage folder on disk, and carrying out what it says. Each step can be taken again after an interruption.
//!
//! ```text
//!  .mailmag-stage/new/…     the files to move, at their paths
//!  .mailmag-stage/manifest  the new manifest, when it changed; moved last
//!  .mailmag-stage/journal   the files to remove, one path a line; while it stands, the publish will be finished
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::files::{Folders, check_path, folder_of, folders_above, kind_of};
use super::{MANIFEST, PublishError, STAGE, disk};

const NEW: &str = "new";
const NEW_MANIFEST: &str = "manifest";
const JOURNAL: &str = "journal";

/// Where the file `path` waits for its commit.
pub(super) fn staged(dist: &Path, path: &str) -> PathBuf {
    // Not four joins: this is asked for each file.
    dist.join(format!("{STAGE}/{NEW}/{path}"))
}

/// Clears the way for a build: carries out a journal that stands, throws away a stage without one.
pub(super) fn finish_interrupted(dist: &Path) -> Result<(), PublishError> {
    let stage = dist.join(STAGE);
    match kind_of(&stage)? {
        None => return Ok(()),
        Some(kind) if kind.is_dir() => {}
        Some(_) => return fs::remove_file(&stage).map_err(disk("remove", &stage)),
    }
    let journal = stage.join(JOURNAL);
    match fs::read_to_string(&journal) {
        Ok(text) => {
            let removed: Vec<&str> = text.lines().filter(|path| check_path(path).is_ok()).collect();
            carry_out(dist, &removed).map(|_| ())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::remove_dir_all(&stage).map_err(disk("remove", &stage))
        }
        Err(error) => Err(disk("read", &journal)(error)),
    }
}

/// Decides that the publish will happen: from the moment the journal has its name, it is to be finished.
pub(super) fn write(dist: &Path, removed: &[&str], manifest: Option<&str>) -> Result<(), PublishError> {
    let stage = dist.join(STAGE);
    match fs::create_dir(&stage) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(disk("make the folder", &stage)(error));
        }
        _ => {}
    }
    if let Some(manifest) = manifest {
        let path = stage.join(NEW_MANIFEST);
        fs::write(&path, manifest).map_err(disk("write", &path))?;
    }
    let mut text = removed.join("\n");
    text.push('\n');
    let unfinished = stage.join("journal.unfinished");
    File::create_new(&unfinished)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(disk("write", &unfinished))?;
    fs::rename(&unfinished, stage.join(JOURNAL)).map_err(disk("move", &unfinished))
}

/// Does what the journal says, and tells how many files were removed. What was done before is not done again.
pub(super) fn carry_out(dist: &Path, removed: &[&str]) -> Result<usize, PublishError> {
    let stage = dist.join(STAGE);
    // Removing comes first: a file of today may be where a folder of yesterday is.
    let removed = remove(dist, removed)?;
    let new = stage.join(NEW);
    if kind_of(&new)?.is_some() {
        move_into(&new, dist)?;
    }
    let manifest = stage.join(NEW_MANIFEST);
    if kind_of(&manifest)?.is_some() {
        move_to(&manifest, &dist.join(MANIFEST))?;
    }
    fs::remove_dir_all(&stage).map_err(disk("remove", &stage))?;
    Ok(removed)
}

/// Removes files, then the folders that this left empty.
fn remove(dist: &Path, paths: &[&str]) -> Result<usize, PublishError> {
    let mut folders = Folders::of(dist);
    let mut left = BTreeSet::new();
    let mut removed = 0;
    for path in paths {
        if !folders.has(folder_of(path))? {
            continue;
        }
        let file = dist.join(path);
        match fs::remove_file(&file) {
            Ok(()) => removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Somebody made a folder of that name; it is not ours.
            Err(_) if kind_of(&file)?.is_some_and(|kind| kind.is_dir()) => {}
            Err(error) => return Err(disk("remove", &file)(error)),
        }
        left.extend(folders_above(path));
    }
    // Backwards, so that a folder comes after those in it.
    for folder in left.into_iter().rev() {
        // Most are not empty, and one that cannot go for another reason does no harm.
        let _ = fs::remove_dir(dist.join(folder));
    }
    Ok(removed)
}

/// Moves all that is in a folder of the stage to a folder of the output.
fn move_into(from: &Path, to: &Path) -> Result<(), PublishError> {
    // All names first: moving changes the folder that is being read.
    let names: Vec<_> = fs::read_dir(from)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect())
        .map_err(disk("read the folder", from))?;
    for name in names {
        move_to(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// Moves a file or a folder. A new folder moves at once with all that is in it; one that is there already takes in
/// its files one by one. A link is replaced, never followed.
fn move_to(from: &Path, to: &Path) -> Result<(), PublishError> {
    let Err(error) = fs::rename(from, to) else { return Ok(()) };
    let moves_folder = kind_of(from)?.is_some_and(|kind| kind.is_dir());
    match kind_of(to)? {
        Some(there) if there.is_dir() && moves_folder => return move_into(from, to),
        Some(there) if there.is_dir() => remove_empty_folders(to)?,
        Some(there) if there.is_symlink() => fs::remove_file(to).map_err(disk("remove", to))?,
        _ => return Err(disk("write", to)(error)),
    }
    fs::rename(from, to).map_err(disk("write", to))
}

fn remove_empty_folders(top: &Path) -> Result<(), PublishError> {
    for entry in WalkDir::new(top).contents_first(true) {
        let entry = entry.map_err(|error| disk("look into", top)(error.into()))?;
        fs::remove_dir(entry.path()).map_err(disk("remove", entry.path()))?;
    }
    Ok(())
}
