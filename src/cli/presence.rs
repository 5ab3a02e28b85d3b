//! The sign that a sender of this machine is alive: a file that it keeps locked. The system lets go of the lock however
//! the process ends, so that whoever comes next knows at once, and need not wait for a lease to run out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::random;
use crate::digest::hexadecimal;

/// The folder of these files, in the magazine's.
const FOLDER: &str = ".mailmag/senders";

/// A sender's file, locked; it goes when this does.
pub(super) struct Presence {
    path: PathBuf,
    name: String,
    _lock: File,
}

impl Presence {
    /// Shows that this process is alive.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn show(directory: &Path) -> Result<Presence> {
        let folder = directory.join(FOLDER);
        let name = hexadecimal(&random::<16>()?);
        let path = folder.join(&name);
        let locked = || {
            fs::create_dir_all(&folder)?;
            let file = File::create_new(&path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        };
        let lock = locked().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Presence { path, name, _lock: lock })
    }

    /// By which others know it: no other has it, on any machine.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // One that stays says no more than that this sender has ended.
        fs::remove_file(&self.path).ok();
    }
}

/// The names of senders that have ended without a word, and their files. Those of other machines are not known here.
pub(super) fn ended(directory: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(directory.join(FOLDER)) else { return Vec::new() };
    let is_free = |path: &Path| File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_free(path));
    paths.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lives_is_not_among_those_who_have_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let lives = Presence::show(folder.path()).expect("it can be written");
        assert_eq!(ended(folder.path()), []);
        // As it is after a process was killed: the file is there, and nobody has it locked.
        let left = folder.path().join(FOLDER).join("left");
        fs::write(&left, "").expect("it can be written");
        assert_eq!(ended(folder.path()), [("left".to_owned(), left)]);
        let path = lives.path.clone();
        drop(lives);
        assert!(!path.exists());
    }
}
