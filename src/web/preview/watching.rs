//! The watch over a magazine's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use notify::event::EventKind;
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::desk::Ask;

/// The folders that hold a magazine. Beside them may lie what is large and changes all the time: `dist/`, `.git/`.
const FOLDERS: [&str; 3] = ["content", "templates", "theme"];

/// A watch that ends when it is dropped.
pub(super) struct Watch {
    root: PathBuf,
    watcher: RecommendedWatcher,
}

impl Watch {
    /// Tells of every change in a magazine's folder from now on; of a change of the folder itself where some could not
    /// be told one by one.
    ///
    /// # Errors
    /// What the system says when it cannot watch so many folders.
    pub(super) fn begin(root: &Path, asks: Sender<Ask>) -> io::Result<Watch> {
        let everything = root.to_owned();
        let heard = move |event: notify::Result<Event>| {
            let changed = match event {
                Ok(event) if event.need_rescan() => vec![everything.clone()],
                Ok(Event { kind: EventKind::Access(_), .. }) => return,
                Ok(event) => event.paths.into_iter().filter(|path| *path != everything).collect(),
                Err(_) => vec![everything.clone()],
            };
            // Nobody hears it at the very end.
            let _ = asks.send(Ask::Changed(changed));
        };
        let watcher = notify::recommended_watcher(heard).map_err(io::Error::other)?;
        let mut watch = Watch { root: root.to_owned(), watcher };
        watch.watcher.watch(root, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
        watch.cover()?;
        Ok(watch)
    }

    /// Watches those of the magazine's folders that have come since.
    pub(super) fn follow(&mut self, changed: &[PathBuf]) {
        let is_one = |path: &PathBuf| FOLDERS.iter().any(|folder| *path == self.root.join(folder));
        if changed.iter().any(is_one) {
            // What cannot be watched was read once at least.
            let _ = self.cover();
        }
    }

    fn cover(&mut self) -> io::Result<()> {
        for folder in FOLDERS.map(|folder| self.root.join(folder)) {
            if folder.is_dir() {
                self.watcher.watch(&folder, RecursiveMode::Recursive).map_err(io::Error::other)?;
            }
        }
        Ok(())
    }
}
