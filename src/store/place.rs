//! Where the list is kept.

use std::path::PathBuf;

use super::database::Database;
use super::mailings::tables::MailingTables;
use super::{Settings, StoreError, sqlite};
use crate::list::StoreKey;

/// A place that a connection can be opened to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file.
    Sqlite(PathBuf),
}

impl Place {
    /// The place of a URL.
    pub(super) fn parse(settings: &Settings) -> Result<Place, StoreError> {
        match settings.url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Place::Sqlite(settings.folder.join(path))),
            _ => Err(StoreError::Broken {
                // Whatever stands there may hold a password.
                place: "[store] url".to_owned(),
                what: "give `sqlite:FILE` or `postgres://HOST/DATABASE`".to_owned(),
            }),
        }
    }

    /// Opens a connection: makes the list if it is not there, brings it to the newest schema.
    pub(super) fn open(&self, key: &StoreKey) -> Result<Box<dyn Database>, StoreError> {
        match self {
            Place::Sqlite(path) => Ok(Box::new(sqlite::open(path, key)?)),
        }
    }

    /// Opens a connection for mailings to a list that is there.
    pub(super) fn open_mailings(&self, key: &StoreKey) -> Result<Box<dyn MailingTables>, StoreError> {
        match self {
            Place::Sqlite(path) => Ok(Box::new(sqlite::open(path, key)?.for_mailings()?)),
        }
    }
}
