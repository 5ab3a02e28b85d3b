//! Opening the file: made if it is not there, brought to the newest schema, refused if it is newer or another's.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{PATIENCE, Sqlite, reserve_path, store_error};
use crate::list::StoreKey;
use crate::store::StoreError;
use crate::store::database::SCHEMA;

/// What leads from each schema to the next, each in one transaction.
const MIGRATIONS: [&str; SCHEMA as usize] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
];

/// How much room the reserve holds, in octets: enough for some thousand requests, and for the log to be taken in.
const RESERVE: usize = 1 << 20;

/// What a list's file is called, if there is one. It is looked at from outside: even one who opens it only to read makes files beside it.
///
/// # Errors
/// `Unreachable` where the system does not tell.
pub(in crate::store) fn made(path: &Path) -> Result<Option<String>, StoreError> {
    let place = path.display().to_string();
    match std::fs::metadata(path) {
        // What holds nothing is a file that somebody was about to begin.
        Ok(metadata) => Ok((metadata.len() > 0).then_some(place)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Unreachable { place, why: error.to_string() }),
    }
}

/// Opens a list's file.
///
/// # Errors
/// `Newer`, `WrongKey`, and what the disk says.
pub(in crate::store) fn open(path: &Path, key: &StoreKey) -> Result<Sqlite, StoreError> {
    make_private(path);
    let connection = Connection::open(path).map_err(|error| store_error(path, &error))?;
    let mut sqlite = Sqlite { connection, path: path.to_owned() };
    set(&sqlite.connection).map_err(|error| sqlite.error(error))?;
    migrate(&mut sqlite, key)?;
    keep_reserve(path);
    Ok(sqlite)
}

/// Readers' data are for the owner's eyes; SQLite would make the file as the process makes all its files. Where that
/// does not work, opening the file will say why.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).ok();
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

fn set(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(96);
    // `synchronous = FULL`: the log is on the disk when a commit returns. `secure_delete`: what is deleted is overwritten.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000;
         PRAGMA trusted_schema = OFF;",
    )
}

fn migrate(sqlite: &mut Sqlite, key: &StoreKey) -> Result<(), StoreError> {
    let path = sqlite.path.clone();
    let failed = |error: rusqlite::Error| store_error(&path, &error);
    let place = path.display().to_string();
    let check = key.digest("key check", &[]);
    loop {
        if let Some((found, kept)) = meta(&sqlite.connection).map_err(failed)? {
            if found > SCHEMA {
                return Err(StoreError::Newer { place, found, known: SCHEMA });
            }
            if kept != check {
                return Err(StoreError::WrongKey { place });
            }
            if found == SCHEMA {
                return Ok(());
            }
        }
        let transaction =
            sqlite.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Another process may have been quicker.
        let found = meta(&transaction).map_err(failed)?.map_or(0, |(found, _)| found);
        let Some(migration) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found)) else {
            continue;
        };
        if found == 0 {
            begin_meta(&transaction, &check).map_err(failed)?;
        }
        transaction.execute_batch(migration).map_err(failed)?;
        if found == 0 {
            begin_heads(&transaction, key).map_err(failed)?;
        }
        transaction
            .execute("UPDATE meta SET value = ?1 WHERE name = 'schema'", [found + 1])
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
}

/// The schema and the check of the key; nothing in a file where there is no list yet.
fn meta(connection: &Connection) -> rusqlite::Result<Option<(i64, Vec<u8>)>> {
    let is_there: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta')",
        [],
        |row| row.get(0),
    )?;
    if !is_there {
        return Ok(None);
    }
    connection
        .query_row(
            "SELECT a.value, b.value FROM meta a, meta b WHERE a.name = 'schema' AND b.name = 'key check'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
}

fn begin_meta(connection: &Connection, check: &[u8; 32]) -> rusqlite::Result<()> {
    connection.execute_batch("CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT")?;
    connection.execute("INSERT INTO meta VALUES ('schema', 0), ('key check', ?1)", [&check[..]])?;
    Ok(())
}

fn begin_heads(connection: &Connection, key: &StoreKey) -> rusqlite::Result<()> {
    let seal = crate::store::seal::of(key, 0, &[0; 32]);
    connection.execute(
        "INSERT INTO heads VALUES (1, 0, ?1, ?2, 1, 1, 1, 0)",
        params![&[0_u8; 32][..], &seal[..]],
    )?;
    Ok(())
}

/// Sees that a file lies beside the list that the operator may delete when there is no room left: without any, not even
/// deleting works. Where there is no room for it, that is no reason not to start.
fn keep_reserve(path: &Path) {
    let reserve = reserve_path(path);
    let Ok(mut file) = OpenOptions::new().write(true).create_new(true).open(&reserve) else { return };
    if file.write_all(&vec![0; RESERVE]).and_then(|()| file.sync_all()).is_err() {
        drop(file);
        std::fs::remove_file(&reserve).ok();
    }
}
