//! Files where folders should be and folders where files should be: found before anything moves.

use std::path::Path;

use walkdir::WalkDir;

use super::files::{Folders, folder_of, folders_above, kind_of};
use super::memory::Stamp;
use super::{PublishError, disk};
use crate::hash::{HashMap, HashSet, HashSetExt};

/// Refuses a build that makes both `a` and `a/b`, for each `a/b` of `paths`.
pub(super) fn within_build<'a>(
    made: &HashMap<Box<str>, Stamp>,
    paths: impl Iterator<Item = &'a Box<str>>,
) -> Result<(), PublishError> {
    let mut checked: HashSet<&str> = HashSet::new();
    let folders = paths.map(|path| folder_of(path)).filter(|folder| checked.insert(folder));
    let files = folders
        .flat_map(|folder| folders_above(folder).chain([folder]))
        .filter(|folder| made.contains_key(*folder));
    // The first, so that the message is the same each time though the set has no order.
    let Some(file) = files.min() else { return Ok(()) };
    let inside = |path: &&str| path.strip_prefix(file).is_some_and(|rest| rest.starts_with('/'));
    let path = made.keys().map(|path| &**path).filter(inside).min().unwrap_or(file);
    Err(PublishError::FileInTheWay { path: path.to_owned(), file: file.to_owned() })
}

/// Refuses to replace what is not ours: a file by a folder, or a folder that would not be empty by a file.
/// (A symbolic link is replaced.) The folders of files that are there already need no look.
pub(super) fn with_dist(
    dist: &Path,
    folders: &mut Folders,
    staged: &[Box<str>],
    over_folders: &[String],
    removed: &[&str],
) -> Result<(), PublishError> {
    let removed: HashSet<&str> = removed.iter().copied().collect();
    let mut checked: HashSet<&str> = HashSet::new();
    for path in staged {
        if !checked.insert(folder_of(path)) {
            continue;
        }
        for folder in folders_above(path) {
            if folders.has(folder)? {
                continue;
            }
            let is_file = kind_of(&dist.join(folder))?.is_some_and(|kind| !kind.is_symlink());
            if is_file && !removed.contains(folder) {
                return Err(PublishError::FileInTheWay { path: path.to_string(), file: folder.to_owned() });
            }
            break;
        }
    }
    for path in over_folders {
        let folder = dist.join(path);
        for entry in WalkDir::new(&folder).min_depth(1) {
            let entry = entry.map_err(|error| disk("look into", &folder)(error.into()))?;
            let inside = entry.path().strip_prefix(dist).unwrap_or(entry.path());
            let goes =
                entry.file_type().is_dir() || inside.to_str().is_some_and(|inside| removed.contains(inside));
            if !goes {
                let kept = inside.display().to_string();
                return Err(PublishError::FolderInTheWay { path: path.clone(), kept });
            }
        }
    }
    Ok(())
}
