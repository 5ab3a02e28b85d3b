//! What several subjects do alike: running the program, and looking at what it made.

#[cfg(unix)]
pub(crate) mod postgres;
pub(crate) mod smtp_server;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Builds a magazine into a folder below its root.
pub(crate) fn build(root: &Path, out: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mailmag"))
        .args([
            "-C".as_ref(),
            root.as_os_str(),
            "build".as_ref(),
            "--out".as_ref(),
            root.join(out).as_os_str(),
        ])
        .output()
        .unwrap()
}

/// Every file below a folder but the program's own notes.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (path, fs::read(entry.path()).unwrap())
        })
        .filter(|(path, _)| !path.starts_with(".mailmag-"))
        .collect()
}
