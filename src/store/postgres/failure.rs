//! What can go wrong with PostgreSQL, and what the caller can do about it.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::StoreError;

/// Why the server did not do it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server, or the client on its behalf, says so.
    Said(Error),
    /// The server is silent.
    Late,
    /// The way to it is not to be had.
    Network(String),
    /// A row holds what it cannot hold.
    Row(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Said(error)
    }
}

impl Failure {
    /// Whether the connection is of no use after it.
    pub(super) fn ends_session(&self) -> bool {
        match self {
            Failure::Said(error) => match error.as_db_error() {
                Some(said) => matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
                // A value of the wrong type harms nothing; all else without an answer is a broken way.
                None => error.is_closed() || io_error(error).is_some(),
            },
            Failure::Late | Failure::Network(_) => true,
            Failure::Row(_) => false,
        }
    }

    /// What the caller is told.
    pub(super) fn told(&self, place: &str) -> StoreError {
        let place = place.to_owned();
        match self {
            Failure::Said(error) => match error.as_db_error() {
                Some(said) => answer(said, place),
                None if self.ends_session() => StoreError::Unreachable { place, why: chain(error) },
                None => StoreError::Broken { place, what: chain(error) },
            },
            Failure::Late => StoreError::Unreachable { place, why: "it does not answer".to_owned() },
            Failure::Network(why) => StoreError::Unreachable { place, why: why.clone() },
            Failure::Row(what) => StoreError::Broken { place, what: what.clone() },
        }
    }
}

/// What the server's own answer means (PostgreSQL's documentation, appendix A).
fn answer(said: &DbError, place: String) -> StoreError {
    let busy = [
        &SqlState::LOCK_NOT_AVAILABLE,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::QUERY_CANCELED,
    ];
    let code = said.code();
    if busy.contains(&code) {
        return StoreError::Busy { place, retry_after: Duration::from_secs(5) };
    }
    if *code == SqlState::DISK_FULL {
        return StoreError::Full { place, reserve: None };
    }
    // It starts, stops, recovers, is a copy that may not be written to, has no connection left, or lets nobody in (08, 28, 53, 57P).
    let is_away = *code == SqlState::READ_ONLY_SQL_TRANSACTION
        || *code == SqlState::INVALID_CATALOG_NAME
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || ["08", "28", "53", "57P", "58"].iter().any(|class| code.code().starts_with(class));
    if is_away {
        return StoreError::Unreachable { place, why: said.message().to_owned() };
    }
    let remedy = if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        ": make this user the owner of the database, or let him create tables in it"
    } else {
        ""
    };
    StoreError::Broken { place, what: format!("{} ({}){remedy}", said.message(), code.code()) }
}

/// What broke, and why: the client's own text names only the first of it.
fn chain(error: &Error) -> String {
    let told = match error.source() {
        Some(source) if !error.to_string().contains(&source.to_string()) => format!("{error}: {source}"),
        _ => error.to_string(),
    };
    if told.contains("certificate") {
        format!("{told}; give its authority's certificate in the URL, as sslrootcert=FILE")
    } else {
        told
    }
}

fn io_error(error: &Error) -> Option<&std::io::Error> {
    error.source()?.downcast_ref()
}
