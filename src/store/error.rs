//! What can keep the store from doing what it is asked.

use std::time::Duration;

/// Why the store could not do it. Nothing of it was kept then. One error is told to everybody whose requests waited together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process writes.
    #[error("{place} is being written to by another process; try again in {} s", retry_after.as_secs())]
    Busy {
        /// Where the list is kept.
        place: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// There is no room left.
    #[error("there is no room for {place}: free some{}", reserve.as_ref().map_or_else(String::new, |reserve| {
        format!(", or delete the file {reserve}, which is there for this")
    }))]
    Full {
        /// Where the list is kept.
        place: String,
        /// The file that may be deleted to gain room, where there is one.
        reserve: Option<String>,
    },
    /// A newer program has made or changed it.
    #[error("{place} has schema {found}, and this program knows up to {known}: use the newer mailmag")]
    Newer {
        /// Where the list is kept.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// It was made with another key.
    #[error("{place} was made with another key: give the key file that belongs to it")]
    WrongKey {
        /// Where the list is kept.
        place: String,
    },
    /// The database does not answer.
    #[error("{place} cannot be reached: {why}")]
    Unreachable {
        /// Where the list is kept.
        place: String,
        /// What the system says.
        why: String,
    },
    /// A row of the ledger holds something that no entry holds.
    #[error("entry {number} of the ledger cannot be read: restore the list from a backup")]
    Unreadable {
        /// The entry's number.
        number: i64,
    },
    /// Something else, which a restart does not mend.
    #[error("{place}: {what}")]
    Broken {
        /// Where the list is kept.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether it may pass without anybody's doing more than freeing room or starting the database: what was asked can be asked again.
    pub fn may_pass(&self) -> bool {
        match self {
            StoreError::Busy { .. } | StoreError::Full { .. } | StoreError::Unreachable { .. } => true,
            StoreError::Newer { .. }
            | StoreError::WrongKey { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Broken { .. }
            | StoreError::Closed => false,
        }
    }
}
