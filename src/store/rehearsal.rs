//! A list for a rehearsal: the readers of the real one, in a file of its own.

use std::path::Path;

use super::mailings::Delivery;
use super::{Settings, StoreError, sqlite};
use crate::list::{Limits, StoreKey};

/// A list that is made to be sent to in play. Whoever made its folder takes it away.
pub struct RehearsalList {
    settings: Settings,
    database: sqlite::Sqlite,
}

impl RehearsalList {
    /// An empty list in a folder. Its key is that of the real one, so that messages are the same.
    ///
    /// # Errors
    /// What the disk says.
    pub fn new(folder: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        let url = "sqlite:list.db".to_owned();
        let limits = Limits::default();
        let settings = Settings { url, password: None, folder: folder.to_owned(), key: key.clone(), limits };
        let database = sqlite::open(&folder.join("list.db"), key)?;
        Ok(RehearsalList { settings, database })
    }

    /// Takes readers in under the numbers that they have, each with what his message needs.
    ///
    /// # Errors
    /// What the disk says.
    pub fn add(&mut self, readers: &[Delivery]) -> Result<(), StoreError> {
        self.database.take_readers(readers)
    }

    /// Where it lies.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
