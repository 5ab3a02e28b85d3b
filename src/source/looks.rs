//! How a file looks from outside, which tells without reading that it holds what it held.

use std::fs::Metadata;

use serde::{Deserialize, Serialize};

/// For how many seconds after a change looks tell nothing: some systems count time in steps so long, and what is changed
/// twice within one of them looks the same.
const UNSETTLED: i64 = 2;

/// A file's length, its inode, and when its octets and its inode were changed, in seconds since 1970 and nanoseconds.
///
/// A program may set the first of these times, but the system sets the second whenever it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Looks {
    length: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Looks {
    /// How a file looks at the time `now`, in seconds since 1970; none where that tells nothing: when it was changed just now
    /// or in time to come, and on systems that do not note when an inode was changed.
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata, now: i64) -> Option<Looks> {
        use std::os::unix::fs::MetadataExt;
        let looks = Looks {
            length: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        (looks.modified.0.max(looks.changed.0) + UNSETTLED < now).then_some(looks)
    }

    #[cfg(not(unix))]
    pub(super) fn of(_metadata: &Metadata, _now: i64) -> Option<Looks> {
        None
    }
}
