//! Carries a finished site to where readers find it: a folder, a folder that rsync reaches, or a branch of a git
//! repository. First it is found out what would change; nothing is changed until [`Prepared::carry_out`].

mod git;
mod program;
mod rsync;

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{PublishError, RESERVED, Stage, disk};
use crate::config::PublishTarget;

/// The paths, from the site's root, that differ between the site and where it goes; each list in the order of the paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files that are not there yet.
    pub added: Vec<String>,
    /// Files that are there with other octets.
    pub changed: Vec<String>,
    /// Files that will go.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    fn sorted(mut self) -> Changes {
        [&mut self.added, &mut self.changed, &mut self.removed]
            .into_iter()
            .for_each(|paths| paths.sort_unstable());
        self
    }
}

/// In whose name a commit is made.
#[derive(Clone, Debug)]
pub struct Signature {
    /// A name; not empty.
    pub name: String,
    /// An address of mail.
    pub address: String,
}

/// Why a site could not be carried to its place.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// A program that this target needs is not there.
    #[error("{program} is needed for this, and it is not installed")]
    Missing {
        /// The program's name.
        program: &'static str,
    },
    /// A program failed.
    #[error("{program} failed, and nothing more was done: {last}")]
    Failed {
        /// The program's name.
        program: &'static str,
        /// The last lines it wrote.
        last: String,
    },
    /// The files could not be read, or not be put into their folder.
    #[error(transparent)]
    Disk(#[from] PublishError),
}

/// A site that waits to be carried to its place. Dropping it changes nothing there.
#[derive(Debug)]
pub struct Prepared {
    /// What will change.
    pub changes: Changes,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Directory(Box<Stage>),
    Rsync(rsync::Transfer),
    Git(git::Commit),
}

/// Finds out what would change if the site, a folder, were carried to its target. A relative path of a target is
/// taken from `root`, the magazine's folder.
///
/// # Errors
///
/// When the site cannot be read, or the target not be reached.
pub fn prepare(
    target: &PublishTarget,
    root: &Path,
    site: &Path,
    by: &Signature,
) -> Result<Prepared, CarryError> {
    let site = fs::canonicalize(site).map_err(disk("open", site))?;
    match target {
        PublishTarget::Directory(directory) => {
            let stage = staged(&site, &root.join(directory))?;
            Ok(Prepared { changes: stage.changes()?.sorted(), way: Way::Directory(Box::new(stage)) })
        }
        PublishTarget::Rsync { to, options } => {
            let (root, to, options) = (root.to_path_buf(), to.clone(), options.clone());
            let transfer = rsync::Transfer { site, root, to, options };
            Ok(Prepared { changes: transfer.preview()?.sorted(), way: Way::Rsync(transfer) })
        }
        PublishTarget::Git { repository, branch } => {
            let folder = root.join(repository);
            let is_folder = !repository.contains(':') && folder.is_dir();
            let repository = match fs::canonicalize(folder) {
                Ok(folder) if is_folder => folder.to_string_lossy().into_owned(),
                _ => repository.clone(),
            };
            let (commit, changes) = git::prepare(&site, &repository, branch, by)?;
            Ok(Prepared { changes: changes.sorted(), way: Way::Git(commit) })
        }
    }
}

impl Prepared {
    /// Carries the site to its place.
    ///
    /// # Errors
    ///
    /// When the target refuses; it holds what it held before then.
    pub fn carry_out(self) -> Result<(), CarryError> {
        match self.way {
            Way::Directory(stage) => {
                stage.commit(None)?;
                Ok(())
            }
            Way::Rsync(transfer) => transfer.carry_out(),
            Way::Git(commit) => commit.push(),
        }
    }
}

/// Every file of the site in a stage beside its target's files.
fn staged(site: &Path, directory: &Path) -> Result<Stage, PublishError> {
    let stage = Stage::begin(directory)?;
    for entry in WalkDir::new(site).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().map_or(site.to_path_buf(), PathBuf::from);
            disk("read", &path)(error.into())
        })?;
        let below = entry.path().strip_prefix(site).unwrap_or(entry.path()).to_string_lossy();
        if entry.file_type().is_file() && !below.starts_with(RESERVED) {
            let octets = fs::read(entry.path()).map_err(disk("read", entry.path()))?;
            stage.put(&below, &octets)?;
        }
    }
    Ok(stage)
}
