//! A branch of a git repository. The commit is made in a repository of its own in a temporary folder, so that no work
//! tree, index, hook or branch of the editor's is touched.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::program::run;
use super::{CarryError, Changes, Signature, disk};

/// A commit that waits to be pushed.
#[derive(Debug)]
pub(super) struct Commit {
    workshop: Workshop,
    repository: String,
    /// `refs/heads/gh-pages`.
    reference: String,
    /// What the branch must still be when the push comes; empty for a branch that is not there.
    expected: String,
    tree: String,
    by: Signature,
}

/// Where the commit is made; it goes when this is dropped.
#[derive(Debug)]
struct Workshop {
    folder: TempDir,
}

/// Where the fetched branch lies in the workshop.
const FETCHED: &str = "refs/heads/fetched";

pub(super) fn prepare(
    site: &Path,
    repository: &str,
    branch: &str,
    by: &Signature,
) -> Result<(Commit, Changes), CarryError> {
    let folder = tempfile::tempdir().map_err(disk("make a temporary folder for", site))?;
    let workshop = Workshop { folder };
    let reference = format!("refs/heads/{branch}");
    workshop.git(&["init", "--quiet", "--bare", "--template=", "."])?;

    let is_there = !workshop.git(&["ls-remote", "--", repository, &reference])?.is_empty();
    let empty = workshop.git(&["mktree"])?;
    let (expected, old_tree) = if is_there {
        let into = format!("+{reference}:{FETCHED}");
        workshop.git(&["fetch", "--quiet", "--no-tags", "--depth=1", "--", repository, &into])?;
        (
            workshop.git(&["rev-parse", FETCHED])?,
            workshop.git(&["rev-parse", &format!("{FETCHED}^{{tree}}")])?,
        )
    } else {
        (String::new(), empty.clone())
    };

    let add = ["add", "--all", "--force", "--", ".", ":(exclude,top).mailmag-*"];
    run("git", workshop.command().current_dir(site).arg("--work-tree=.").args(add))?;
    // GitHub's pages leave out folders that begin with `_` unless this file is there.
    let nothing = workshop.git(&["hash-object", "-w", "--stdin"])?;
    workshop.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{nothing},.nojekyll")])?;
    let tree = workshop.git(&["write-tree"])?;

    let compare = ["diff-tree", "-r", "-z", "--no-renames", "--name-status", &old_tree, &tree];
    let changes = changes(&workshop.git(&compare)?);
    let commit =
        Commit { workshop, repository: repository.to_owned(), reference, expected, tree, by: by.clone() };
    Ok((commit, changes))
}

impl Commit {
    pub(super) fn push(&self) -> Result<(), CarryError> {
        let Signature { name, address } = &self.by;
        let mut command = self.workshop.command();
        command.env("GIT_AUTHOR_NAME", name).env("GIT_AUTHOR_EMAIL", address);
        command.env("GIT_COMMITTER_NAME", name).env("GIT_COMMITTER_EMAIL", address);
        command.args(["commit-tree", "-m", "Publish the blog"]);
        if !self.expected.is_empty() {
            command.args(["-p", &self.expected]);
        }
        let commit = text(run("git", command.arg(&self.tree))?);
        let lease = format!("--force-with-lease={}:{}", self.reference, self.expected);
        let what = format!("{commit}:{}", self.reference);
        self.workshop.git(&["push", "--quiet", &lease, "--", &self.repository, &what])?;
        Ok(())
    }
}

impl Workshop {
    fn git(&self, arguments: &[&str]) -> Result<String, CarryError> {
        Ok(text(run("git", self.command().args(arguments))?))
    }

    /// git in this workshop, whatever repository the editor is in, and without changing any octet of a file.
    fn command(&self) -> Command {
        let mut command = Command::new("git");
        for variable in [
            "GIT_WORK_TREE",
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        ] {
            command.env_remove(variable);
        }
        command.current_dir(self.folder.path());
        command.env("GIT_DIR", self.folder.path()).env("GIT_INDEX_FILE", self.folder.path().join("index"));
        for setting in [
            "core.bare=false",
            "core.autocrlf=false",
            "core.safecrlf=false",
            "core.attributesFile=/dev/null",
            "core.hooksPath=/dev/null",
            "core.quotePath=false",
        ] {
            command.args(["-c", setting]);
        }
        command
    }
}

/// What git wrote, without the line feed at its end.
fn text(octets: Vec<u8>) -> String {
    String::from_utf8_lossy(&octets).trim_end_matches('\n').to_owned()
}

/// Reads `--name-status -z`: a letter and a path by turns, each with a NUL behind it.
fn changes(said: &str) -> Changes {
    let mut changes = Changes::default();
    let mut fields = said.split('\0');
    while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
        let paths = match status {
            "A" => &mut changes.added,
            "D" => &mut changes.removed,
            _ => &mut changes.changed,
        };
        paths.push(path.to_owned());
    }
    changes
}
