//! Opening the list: made if it is not there, brought to the newest schema, refused if it is newer or another's.

use super::failure::Failure;
use super::session::Session;
use super::target::Target;
use super::{Postgres, State, rows};
use crate::list::StoreKey;
use crate::store::database::{SCHEMA, octets};
use crate::store::{StoreError, seal};

/// What leads from each schema to the next, each in one transaction.
const MIGRATIONS: [&str; SCHEMA as usize] = [
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
];

/// Who changes the schema holds this lock, so that only one process does.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7881702043862167911)";

const META: &str = "CREATE TABLE meta (
    one bigint PRIMARY KEY CHECK (one = 1),
    schema bigint NOT NULL,
    key_check bytea NOT NULL
)";

/// What the list says of itself.
struct Meta {
    schema: i64,
    /// A keyed digest of nothing, by which the key is known; nothing if it is no digest.
    key_check: Option<[u8; 32]>,
}

/// What a place is called, if there is a list.
///
/// # Errors
/// What the server says.
pub(in crate::store) fn made(target: &Target) -> Result<Option<String>, StoreError> {
    let found = Session::open(target).and_then(|mut session| meta(&mut session));
    Ok(found.map_err(|failure| failure.told(&target.place))?.map(|_| target.place.clone()))
}

/// Opens the list at a place.
///
/// # Errors
/// `Newer`, `WrongKey`, and what the server says.
pub(in crate::store) fn open(target: &Target, key: &StoreKey) -> Result<Postgres, StoreError> {
    let told = |failure: Failure| failure.told(&target.place);
    let mut session = Session::open(target).map_err(told)?;
    migrate(&mut session, target, key)?;
    Ok(Postgres { target: target.clone(), session: Some(session), state: State::Idle, next_subscriber: 0 })
}

fn migrate(session: &mut Session, target: &Target, key: &StoreKey) -> Result<(), StoreError> {
    let told = |failure: Failure| failure.told(&target.place);
    let place = target.place.clone();
    let check = key.digest("key check", &[]);
    loop {
        if let Some(Meta { schema: found, key_check }) = meta(session).map_err(told)? {
            if found > SCHEMA {
                return Err(StoreError::Newer { place, found, known: SCHEMA });
            }
            if key_check != Some(check) {
                return Err(StoreError::WrongKey { place });
            }
            if found == SCHEMA {
                return Ok(());
            }
        } else {
            must_be_unicode(session, &place).map_err(told)??;
        }
        session.run(BEGIN).map_err(told)?;
        let step = step(session, key, &check);
        if step.is_err() {
            session.run("ROLLBACK").ok();
        }
        step.map_err(told)?;
    }
}

/// One step to the newest schema, in the transaction that has begun.
fn step(session: &mut Session, key: &StoreKey, check: &[u8; 32]) -> Result<(), Failure> {
    // Another process may have been quicker.
    let found = meta(session)?.map_or(0, |meta| meta.schema);
    if let Some(migration) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found)) {
        if found == 0 {
            session.run(META)?;
            session.execute("INSERT INTO meta VALUES (1, 0, $1)", &[&&check[..]])?;
        }
        session.run_long(migration)?;
        if found == 0 {
            let seal = seal::of(key, 0, &[0; 32]);
            let sql = "INSERT INTO heads VALUES (1, 0, $1, $2, 1, 1, 1)";
            session.execute(sql, &[&&[0_u8; 32][..], &&seal[..]])?;
        }
        session.execute("UPDATE meta SET schema = $1", &[&(found + 1)])?;
    }
    session.run("COMMIT")
}

/// What the list says of itself; nothing in a database where there is no list yet.
fn meta(session: &mut Session) -> Result<Option<Meta>, Failure> {
    let found = session.query("SELECT to_regclass('meta') IS NOT NULL", &[])?;
    if !found.first().map(|row| rows::get(row, 0)).transpose()?.unwrap_or(false) {
        return Ok(None);
    }
    let found = session.query("SELECT schema, key_check FROM meta", &[])?;
    let read = |row| Ok(Meta { schema: rows::get(row, 0)?, key_check: octets(rows::get(row, 1)?) });
    found.first().map(read).transpose()
}

/// Names are in every script.
fn must_be_unicode(session: &mut Session, place: &str) -> Result<Result<(), StoreError>, Failure> {
    let found = session.query("SELECT current_setting('server_encoding')", &[])?;
    let encoding: String = found.first().map(|row| rows::get(row, 0)).transpose()?.unwrap_or_default();
    if encoding == "UTF8" {
        return Ok(Ok(()));
    }
    let what =
        format!("it keeps texts in {encoding}: make it with ENCODING 'UTF8' (createdb -E UTF8 -T template0)");
    Ok(Err(StoreError::Broken { place: place.to_owned(), what }))
}
