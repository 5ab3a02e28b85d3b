//! Makes a folder (`dist/`) hold exactly what a build made, all of it or nothing, writing only what changed.
//!
//! ```text
//!  put ──▶ dist/.mailmag-stage/new/…    only files whose octets dist does not have yet
//!  commit: check ──▶ journal ──▶ remove ──▶ move ──▶ manifest ──▶ stage gone
//! ```
//!
//! Before the journal is written, dropping the stage leaves the folder as it was. From then on the publish will
//! happen: when it is interrupted, the next [`Stage::begin`] finishes it. `.mailmag-manifest` lists the files that
//! are ours; all others stay.
//!
//! Only the journal is forced to the disk, not each file. Should the power fail before the system wrote a page, the
//! next build sees that its octets differ and writes it again.

mod carry;
mod clash;
mod files;
mod journal;
mod memory;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use rayon::prelude::*;

use crate::hash::HashMap;
use files::Folders;
use memory::{Left, Stamp};

pub use carry::{CarryError, Changes, Prepared, Signature, prepare};
pub use memory::Memory;

/// The list of the files that are ours, one path a line, sorted by octets.
const MANIFEST: &str = ".mailmag-manifest";
/// Where a build waits for its commit; inside the output folder, so that a rename is enough.
const STAGE: &str = ".mailmag-stage";
/// Names at the top of the output folder that begin so are for this module.
const RESERVED: &str = ".mailmag-";

/// The files of one build on their way to an output folder.
///
/// They come from many threads and go straight to the disk, so memory holds their paths only. Dropping a stage
/// without [`commit`](Stage::commit) discards it and leaves the folder as it was.
#[derive(Debug)]
pub struct Stage {
    dist: PathBuf,
    /// The lock: this handle keeps other builds out until it is closed.
    _lock: File,
    /// Folders that had to be made for this build, deepest first; a discarded build takes them away again.
    new_folders: Vec<PathBuf>,
    manifest: String,
    paths: Mutex<HashMap<Box<str>, Stamp>>,
    /// What the build before left; read when somebody asks.
    left: OnceLock<Left>,
    folders: Mutex<Folders>,
    /// Paths of ours where the output folder has a folder.
    over_folders: Mutex<Vec<String>>,
    /// Paths whose files wait in the stage.
    staged: Mutex<Vec<Box<str>>>,
    failed: AtomicBool,
    /// The stage folder must not be removed: there is none, or its journal stands.
    settled: bool,
}

/// How many files a build changed in its output folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Files that are new or have new octets.
    pub written: usize,
    /// Files that were there already, octet by octet, and were not touched.
    pub unchanged: usize,
    /// Files of an earlier build that this one did not make any more.
    pub removed: usize,
}

/// Why a build could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// One build at a time: another process (or stage) holds the folder.
    #[error("another build is writing to `{}`; wait for it to end", .dist.display())]
    Busy {
        /// The output folder.
        dist: PathBuf,
    },
    /// A path that would leave the output folder, or that not every system can hold.
    #[error("`{}` cannot be the path of a published file: {why}", .path.escape_debug())]
    BadPath {
        /// The path as it was put.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two pages of one build want the same place.
    #[error("this build makes `{path}` twice")]
    Twice {
        /// The path of both.
        path: String,
    },
    /// A file stands where a file's folder should be, in this build or in the output folder.
    #[error("`{path}` cannot be published: `{file}` is a file, so it cannot be a folder")]
    FileInTheWay {
        /// The path of the file to publish.
        path: String,
        /// The file in its way; a path in the output folder.
        file: String,
    },
    /// A folder stands where a file should be, and not all in it is ours to remove.
    #[error(
        "`{path}` cannot be published: there is a folder of that name, and `{kept}` in it is not of our making"
    )]
    FolderInTheWay {
        /// The path of the file to publish.
        path: String,
        /// Something in that folder which stays.
        kept: String,
    },
    /// A file could not be put, so that the build is not whole.
    #[error("the build is not complete: one of its files could not be written")]
    Incomplete,
    /// The disk (or its permissions) failed us.
    #[error("cannot {doing} `{}`", .path.display())]
    Disk {
        /// A verb: "read", "move" …
        doing: &'static str,
        /// The file or folder concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Stage {
    /// Takes the output folder for one build, making it when it is not there.
    ///
    /// Finishes a publish that was interrupted and clears away a build that was. Fails with [`PublishError::Busy`]
    /// while another build has the folder.
    pub fn begin(dist: &Path) -> Result<Stage, PublishError> {
        let new_folders: Vec<PathBuf> = dist
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_path_buf)
            .collect();
        if !new_folders.is_empty() {
            fs::create_dir_all(dist).map_err(disk("make the folder", dist))?;
        }
        let lock = lock(dist)?;
        journal::finish_interrupted(dist)?;
        let manifest_path = dist.join(MANIFEST);
        let manifest = match fs::read(&manifest_path) {
            // A list that is not text is not of our making; without it, files are adopted as they are made again.
            Ok(octets) => String::from_utf8(octets).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(disk("read", &manifest_path)(error)),
        };
        Ok(Stage {
            dist: dist.to_path_buf(),
            _lock: lock,
            new_folders,
            manifest,
            paths: Mutex::default(),
            left: OnceLock::new(),
            folders: Mutex::new(Folders::of(dist)),
            over_folders: Mutex::default(),
            staged: Mutex::default(),
            failed: AtomicBool::new(false),
            settled: false,
        })
    }

    /// Adds the file `path`, relative to the output folder and with `/` between its parts (`blog/index.html`).
    ///
    /// Nothing is written when the output folder has the same octets there. After an error the build cannot be
    /// committed any more.
    pub fn put(&self, path: &str, octets: &[u8]) -> Result<(), PublishError> {
        let put = self.try_put(path, octets);
        if put.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        put
    }

    fn try_put(&self, path: &str, octets: &[u8]) -> Result<(), PublishError> {
        files::check_path(path)?;
        if locked(&self.paths).insert(path.into(), Stamp::default()).is_some() {
            return Err(PublishError::Twice { path: path.to_owned() });
        }
        let stamp = self.place(path, octets)?;
        locked(&self.paths).insert(path.into(), stamp);
        Ok(())
    }

    /// Sees to it that the octets lie in the output folder or in the stage.
    fn place(&self, path: &str, octets: &[u8]) -> Result<Stamp, PublishError> {
        let folder = files::folder_of(path);
        let has_folder = locked(&self.folders).has(folder)?;
        if has_folder {
            match files::compare(&self.dist.join(path), octets)? {
                files::Existing::Same(stamp) => return Ok(stamp),
                files::Existing::Folder => locked(&self.over_folders).push(path.to_owned()),
                files::Existing::Different => {}
            }
        }
        locked(&self.folders).check_open(folder)?;
        match files::write(&journal::staged(&self.dist, path), octets) {
            Ok(stamp) => {
                locked(&self.staged).push(path.into());
                Ok(stamp)
            }
            Err(error) => {
                // A clash of two files of this build says more than what the system said of it.
                let made = locked(&self.paths);
                clash::within_build(&made, made.keys())?;
                Err(error)
            }
        }
    }

    /// Adds files as they lie in the output folder, without looking at their octets: all must be as an earlier build with
    /// a memory left them and new to this build, or none is added and the answer is no.
    pub fn keep(&self, kept: &[String]) -> bool {
        let left = self.left_by_before();
        let as_left = |path: &String| left.stamp(path).filter(|stamp| stamp.is_of(&self.dist.join(path)));
        let Some(stamps) = kept.iter().map(as_left).collect::<Option<Vec<Stamp>>>() else { return false };
        let mut paths = locked(&self.paths);
        if kept.iter().any(|path| paths.contains_key(path.as_str())) {
            return false;
        }
        paths.extend(kept.iter().map(|path| path.as_str().into()).zip(stamps));
        true
    }

    /// What a file of the output folder holds, if an earlier build with a memory left it there and it looks as it did.
    pub fn left(&self, path: &str) -> Option<Vec<u8>> {
        let stamp = self.left_by_before().stamp(path)?;
        let path = self.dist.join(path);
        stamp.is_of(&path).then(|| fs::read(path).ok())?
    }

    fn left_by_before(&self) -> &Left {
        self.left.get_or_init(|| Left::read(&self.dist))
    }

    /// What the build that lies in the output folder left under a name of its own choice; nothing when there is nothing, or
    /// when it does not look as that build left it.
    pub fn notes(&self, name: &str) -> Vec<u8> {
        self.left_by_before().notes(&self.dist, name).unwrap_or_default()
    }

    /// What the build that lies in the output folder had to say and how many files it has, if it was made from what `key`
    /// stands for and nobody has touched its files since. Then nothing is left to do.
    pub fn recall(&self, key: &str) -> Option<(Vec<String>, usize)> {
        self.left_by_before().recall(&self.dist, key)
    }

    /// What a commit would change now.
    ///
    /// # Errors
    ///
    /// When the output folder cannot be looked at.
    pub fn changes(&self) -> Result<Changes, PublishError> {
        let made = locked(&self.paths);
        let mut changes = Changes::default();
        for path in made.keys() {
            if files::kind_of(&journal::staged(&self.dist, path))?.is_some() {
                let is_there = self.dist.join(&**path).symlink_metadata().is_ok();
                let paths = if is_there { &mut changes.changed } else { &mut changes.added };
                paths.push(path.to_string());
            }
        }
        let gone = self.manifest.lines().filter(|path| !made.contains_key(*path));
        let gone = gone.filter(|path| files::check_path(path).is_ok());
        changes.removed = gone.filter(|path| self.dist.join(path).exists()).map(str::to_owned).collect();
        Ok(changes)
    }

    /// Makes the output folder hold this build: its files are moved in, and files that an earlier build made and
    /// this one did not are removed, with the folders they leave empty.
    ///
    /// Nothing at all is written when nothing changed. With a `memory` the next build can [`recall`](Stage::recall) this
    /// one.
    pub fn commit(mut self, memory: Option<&Memory<'_>>) -> Result<Published, PublishError> {
        // Whoever publishes ends soon after: taking many small values apart would be time for nothing.
        let made = ManuallyDrop::new(std::mem::take(&mut *locked(&self.paths)));
        std::mem::forget(self.left.take());
        let mut sorted: Vec<(&str, Stamp)> = made.iter().map(|(path, stamp)| (&**path, *stamp)).collect();
        sorted.par_sort_unstable_by_key(|(path, _)| *path);
        let published = self.move_in(&made, manifest_of(&sorted))?;
        if let Some(memory) = memory {
            memory::leave(&self.dist, memory, &sorted)?;
        }
        Ok(published)
    }

    fn move_in(
        &mut self,
        made: &HashMap<Box<str>, Stamp>,
        manifest: String,
    ) -> Result<Published, PublishError> {
        if *self.failed.get_mut() {
            return Err(PublishError::Incomplete);
        }
        let manifest = (manifest != self.manifest).then_some(manifest);
        let is_gone = |path: &&str| !made.contains_key(*path) && files::check_path(path).is_ok();
        // The same list of files has lost none.
        let before = manifest.as_ref().map_or("", |_| &self.manifest);
        let removed: Vec<&str> = before.lines().filter(is_gone).collect();
        let staged = std::mem::take(&mut *locked(&self.staged));
        let written = staged.len();
        let mut published = Published { written, unchanged: made.len() - written, removed: 0 };
        if written == 0 && manifest.is_none() {
            self.settled = true;
            return Ok(published);
        }

        let over_folders = std::mem::take(&mut *locked(&self.over_folders));
        if over_folders.is_empty() {
            // What lies there already does not clash with what else lies there, and no folder there with what is new.
            clash::within_build(made, staged.iter())?;
        } else {
            clash::within_build(made, made.keys())?;
        }
        {
            let mut folders = locked(&self.folders);
            clash::with_dist(&self.dist, &mut folders, &staged, &over_folders, &removed)?;
            for path in &removed {
                folders.check_open(files::folder_of(path))?;
            }
        }

        journal::write(&self.dist, &removed, manifest.as_deref())?;
        self.settled = true;
        published.removed = journal::carry_out(&self.dist, &removed)?;
        Ok(published)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        // Nobody can be told here; the next build clears away what stays behind.
        let _ = fs::remove_dir_all(self.dist.join(STAGE));
        for folder in &self.new_folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// Locks the folder itself, which needs no file in it. Other systems cannot open a folder, so they get a lock file.
fn lock(dist: &Path) -> Result<File, PublishError> {
    let opened = if cfg!(unix) {
        File::open(dist)
    } else {
        File::options().create(true).truncate(false).write(true).open(dist.join(".mailmag-lock"))
    };
    let lock = opened.map_err(disk("open", dist))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(PublishError::Busy { dist: dist.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(disk("lock", dist)(error)),
    }
}

fn manifest_of(sorted: &[(&str, Stamp)]) -> String {
    let mut manifest = String::with_capacity(sorted.iter().map(|(path, _)| path.len() + 1).sum());
    for (path, _) in sorted {
        manifest.push_str(path);
        manifest.push('\n');
    }
    manifest
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}

/// For `map_err`: names what was being done, and to what.
fn disk<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> PublishError + 'a {
    move |source| PublishError::Disk { doing, path: path.to_path_buf(), source }
}
