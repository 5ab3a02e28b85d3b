//! A folder that rsync reaches. What changed is sent first, and put into its place at the end.

use std::path::PathBuf;
use std::process::Command;

use super::program::run;
use super::{CarryError, Changes};

#[derive(Debug)]
pub(super) struct Transfer {
    /// Absolute, so that no colon in it names a host.
    pub(super) site: PathBuf,
    /// The magazine's folder, from which a relative target is taken.
    pub(super) root: PathBuf,
    pub(super) to: String,
    pub(super) options: Vec<String>,
}

impl Transfer {
    pub(super) fn preview(&self) -> Result<Changes, CarryError> {
        let mut command = self.command();
        command.args(["--dry-run", "--itemize-changes", "--8-bit-output"]);
        let said = run("rsync", self.with_ends(&mut command))?;
        Ok(changes(&String::from_utf8_lossy(&said)))
    }

    pub(super) fn carry_out(&self) -> Result<(), CarryError> {
        run("rsync", self.with_ends(&mut self.command())).map(|_| ())
    }

    fn command(&self) -> Command {
        let mut command = Command::new("rsync");
        command.args(["--recursive", "--checksum", "--delete-after", "--delay-updates"]);
        command.arg("--exclude=/.mailmag-*").args(&self.options).current_dir(&self.root);
        command
    }

    fn with_ends<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        // The slash at the end: what is in the folder, not the folder.
        command.arg("--").arg(self.site.join("")).arg(&self.to)
    }
}

/// Reads `--itemize-changes`: eleven characters, a space, the path. Folders are not told.
fn changes(said: &str) -> Changes {
    let mut changes = Changes::default();
    for line in said.lines() {
        let Some((item, path)) = line.split_at_checked(11) else { continue };
        let Some(path) = path.strip_prefix(' ').filter(|path| !path.ends_with('/')) else { continue };
        let path = path.to_owned();
        match item.as_bytes() {
            b"*deleting  " => changes.removed.push(path),
            [b'<' | b'>', b'f', b'+', ..] => changes.added.push(path),
            [b'<' | b'>', b'f', ..] => changes.changed.push(path),
            _ => {}
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rsync_itemizes_is_understood() {
        let said = "sending incremental file list\n\
                    cd+++++++++ new/\n\
                    <f+++++++++ new/index.html\n\
                    >fcsT...... 題 名.html\n\
                    .d..t...... ./\n\
                    *deleting   old/index.html\n\
                    *deleting   old/\n\n";
        let paths = |path: &str| vec![path.to_owned()];
        let expected = Changes {
            added: paths("new/index.html"),
            changed: paths("題 名.html"),
            removed: paths("old/index.html"),
        };
        assert_eq!(changes(said), expected);
    }
}
