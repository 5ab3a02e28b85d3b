//! The list in an SQLite file: a write-ahead log, every commit on the disk before anybody is told of it.

mod holds;
mod mailings;
mod opening;
mod paces;
mod reading;
mod returns;
mod rows;
mod writing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

pub(super) use opening::{made, open};

use super::StoreError;
use super::database::{
    Asked, Changes, Counts, Database, Ended, Heads, ImportRecord, Names, Portions, ReaderRow, Settlement,
};
use crate::list::ledger::{EventKind, Sealed};
use crate::list::{HeldToken, Notice, TokenDigest};
use crate::model::SubscriberId;
use chrono::{DateTime, Utc};

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection to an SQLite file.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl Sqlite {
    /// What SQLite said, as what the caller can do about it.
    fn error(&self, error: rusqlite::Error) -> StoreError {
        store_error(&self.path, &error)
    }
}

/// The file that the operator may delete when there is no room left.
fn reserve_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-reserve");
    PathBuf::from(name)
}

fn store_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    let place = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Busy { place, retry_after: Duration::from_secs(5) }
        }
        // A file that may not grow (EFBIG, a quota) is told as an error of input and output.
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
            StoreError::Full { place, reserve: Some(reserve_path(path).display().to_string()) }
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            StoreError::Unreachable { place, why: error.to_string() }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            let what = format!("it is damaged ({error}): keep the file, and restore the list from a backup");
            StoreError::Broken { place, what }
        }
        _ => StoreError::Broken { place, what: error.to_string() },
    }
}

impl Database for Sqlite {
    fn begin(&mut self) -> Result<Heads, StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.error(error))?;
        reading::heads(&self.connection).map_err(|error| self.error(error))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").map_err(|error| self.error(error))
    }

    fn rollback(&mut self) {
        // SQLite itself ends some transactions that fail; to end none is an error that changes nothing.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").ok();
        }
    }

    fn steady(&mut self) -> Result<Heads, StoreError> {
        self.connection.execute_batch("BEGIN").map_err(|error| self.error(error))?;
        reading::heads(&self.connection).map_err(|error| self.error(error))
    }

    fn portions(&self) -> Portions {
        Portions { at_once: 1024, are_read_ahead: false }
    }

    fn tokens(&mut self, digests: &[TokenDigest]) -> Result<Vec<HeldToken>, StoreError> {
        reading::tokens(&self.connection, digests).map_err(|error| self.error(error))
    }

    fn readers(&mut self, names: &Names) -> Result<Vec<ReaderRow>, StoreError> {
        reading::readers(&self.connection, names).map_err(|error| self.error(error))
    }

    fn barred(&mut self, digests: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
        reading::barred(&self.connection, digests).map_err(|error| self.error(error))
    }

    fn asked(&mut self, networks: &[String], after: DateTime<Utc>) -> Result<Vec<Asked>, StoreError> {
        reading::asked(&self.connection, networks, after).map_err(|error| self.error(error))
    }

    fn apply(&mut self, changes: &Changes) -> Result<(), StoreError> {
        writing::apply(&self.connection, changes).map_err(|error| self.error(error))
    }

    fn claim_notices(
        &mut self,
        at: DateTime<Utc>,
        until: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<(Notice, i64)>, StoreError> {
        writing::claim_notices(&self.connection, at, until, most).map_err(|error| self.error(error))
    }

    fn settle_notice(&mut self, id: i64, epoch: i64, settlement: &Settlement) -> Result<bool, StoreError> {
        writing::settle_notice(&self.connection, id, epoch, settlement).map_err(|error| self.error(error))
    }

    fn shorten(&mut self, before: DateTime<Utc>) -> Result<Option<i64>, StoreError> {
        writing::shorten(&self.connection, before).map_err(|error| self.error(error))
    }

    fn tidy(&mut self, ended: &Ended) -> Result<(), StoreError> {
        writing::tidy(&self.connection, ended).map_err(|error| self.error(error))
    }

    fn scrub(&mut self) -> Result<bool, StoreError> {
        writing::scrub(&self.connection).map_err(|error| self.error(error))
    }

    fn readers_after(&mut self, after: SubscriberId, most: usize) -> Result<Vec<ReaderRow>, StoreError> {
        reading::readers_after(&self.connection, after, most).map_err(|error| self.error(error))
    }

    fn unconfirmed(&mut self, since: DateTime<Utc>, most: usize) -> Result<Vec<ReaderRow>, StoreError> {
        reading::unconfirmed(&self.connection, since, most).map_err(|error| self.error(error))
    }

    fn last_entries_after(&mut self, after: SubscriberId, most: usize) -> Result<Vec<Sealed>, StoreError> {
        reading::last_entries_after(&self.connection, after, most)
            .map_err(|error| self.error(error))?
            .into_iter()
            .collect()
    }

    fn entries_after(&mut self, after: i64, most: usize) -> Result<Vec<Sealed>, StoreError> {
        reading::entries_after(&self.connection, after, most)
            .map_err(|error| self.error(error))?
            .into_iter()
            .collect()
    }

    fn entries_of(&mut self, reader: SubscriberId) -> Result<Vec<Sealed>, StoreError> {
        reading::entries_of(&self.connection, reader)
            .map_err(|error| self.error(error))?
            .into_iter()
            .collect()
    }

    fn entries_of_kinds(&mut self, kinds: &[EventKind]) -> Result<Vec<Sealed>, StoreError> {
        reading::entries_of_kinds(&self.connection, kinds)
            .map_err(|error| self.error(error))?
            .into_iter()
            .collect()
    }

    fn entries(&mut self, numbers: &[i64]) -> Result<Vec<Sealed>, StoreError> {
        reading::entries(&self.connection, numbers).map_err(|error| self.error(error))?.into_iter().collect()
    }

    fn stray_opening(&mut self) -> Result<Option<i64>, StoreError> {
        reading::stray_opening(&self.connection).map_err(|error| self.error(error))
    }

    fn wordings(&mut self) -> Result<Vec<([u8; 32], String)>, StoreError> {
        reading::wordings(&self.connection).map_err(|error| self.error(error))
    }

    fn imports(&mut self) -> Result<Vec<ImportRecord>, StoreError> {
        reading::imports(&self.connection).map_err(|error| self.error(error))
    }

    fn counts(&mut self) -> Result<Counts, StoreError> {
        reading::counts(&self.connection).map_err(|error| self.error(error))
    }

    fn confirmations(&mut self) -> Result<Vec<(DateTime<Utc>, u64)>, StoreError> {
        reading::confirmations(&self.connection).map_err(|error| self.error(error))
    }
}
