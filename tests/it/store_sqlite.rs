//! The list in an SQLite file: the cases of all databases, and what can happen to a file.

use mailmag::store::Settings;
use tempfile::TempDir;

use crate::store::{List, no_limits};
use crate::store_cases::each_case;

each_case!(list);

/// An empty list in a folder of its own.
fn list() -> (List, TempDir) {
    let folder = TempDir::new().unwrap();
    (List::open(settings(&folder)), folder)
}

fn settings(folder: &TempDir) -> Settings {
    Settings {
        url: "sqlite:list.db".to_owned(),
        password: None,
        folder: folder.path().to_owned(),
        key: List::key(),
        limits: no_limits(),
    }
}
