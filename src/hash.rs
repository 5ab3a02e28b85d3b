//! Tables whose keys no stranger chooses: the paths, names and numbers of an editor's own magazine. They need no guard
//! against keys made to collide, which takes most of the time of the standard library's; what strangers send is kept in
//! those.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

pub(crate) use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// Runs of octets in short: the same number for the same runs, on every run of the same program. Each run counts with its
/// length, so that no two sequences of runs are alike.
pub(crate) fn of_runs<'a>(runs: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for run in runs {
        hasher.write_usize(run.len());
        hasher.write(run);
    }
    hasher.finish()
}
