//! Where the list is kept.

use std::path::{Path, PathBuf};

use super::database::Database;
use super::mailings::tables::MailingTables;
use super::{Settings, StoreError, postgres, sqlite};
use crate::list::StoreKey;

/// A place that a connection can be opened to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<postgres::Target>),
}

impl Place {
    /// The place that settings name.
    pub(super) fn of(settings: &Settings) -> Result<Place, StoreError> {
        Place::parse(&settings.url, settings.password.as_deref(), &settings.folder)
    }

    /// The place of a URL.
    pub(super) fn parse(url: &str, password: Option<&str>, folder: &Path) -> Result<Place, StoreError> {
        if postgres::Target::is_for(url) {
            return Ok(Place::Postgres(Box::new(postgres::Target::parse(url, password, folder)?)));
        }
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Place::Sqlite(folder.join(path))),
            _ => Err(StoreError::Broken {
                // Whatever stands there may hold a password.
                place: "[store] url".to_owned(),
                what: "give `sqlite:FILE` or `postgres://HOST/DATABASE`".to_owned(),
            }),
        }
    }

    /// What the place is called, if a list is there. Looking makes and changes nothing.
    pub(super) fn made(&self) -> Result<Option<String>, StoreError> {
        match self {
            Place::Sqlite(path) => sqlite::made(path),
            Place::Postgres(target) => postgres::made(target),
        }
    }

    /// Opens a connection: makes the list if it is not there, brings it to the newest schema.
    pub(super) fn open(&self, key: &StoreKey) -> Result<Box<dyn Database>, StoreError> {
        match self {
            Place::Sqlite(path) => Ok(Box::new(sqlite::open(path, key)?)),
            Place::Postgres(target) => Ok(Box::new(postgres::open(target, key)?)),
        }
    }

    /// How many connections may write side by side with profit: while one waits for the disk, the other works.
    pub(super) fn writers(&self) -> usize {
        match self {
            Place::Sqlite(_) => 1,
            Place::Postgres(_) => 2,
        }
    }

    /// Opens a connection for mailings to a list that is there.
    pub(super) fn open_mailings(&self, key: &StoreKey) -> Result<Box<dyn MailingTables>, StoreError> {
        match self {
            Place::Sqlite(path) => Ok(Box::new(sqlite::open(path, key)?.for_mailings()?)),
            Place::Postgres(target) => Ok(Box::new(postgres::open(target, key)?)),
        }
    }
}
