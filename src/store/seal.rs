//! What the store makes with its key: digests that nobody makes without it.

use crate::list::StoreKey;
use crate::list::ledger::ChainEnd;
use crate::model::EmailAddress;

use super::StoreError;
use super::database::Heads;

/// The seal on the end of the ledger.
pub(super) fn of(key: &StoreKey, number: i64, digest: &[u8; 32]) -> [u8; 32] {
    key.digest("ledger", &[&number.to_be_bytes(), digest])
}

/// Whether the end of the ledger is one that was made with the key.
pub(super) fn is_whole(key: &StoreKey, heads: &Heads) -> bool {
    of(key, heads.chain.number, &heads.chain.digest) == heads.seal
}

/// Refuses to write on at an end that somebody else has made: that would hide what was done to it.
pub(super) fn check(key: &StoreKey, heads: &Heads) -> Result<(), StoreError> {
    if is_whole(key, heads) {
        return Ok(());
    }
    Err(StoreError::Broken {
        place: "the ledger".to_owned(),
        what: "its end was changed by somebody else: `mailmag subscribers verify` tells where".to_owned(),
    })
}

/// Ends of numberings with a new end of the ledger.
pub(super) fn end(key: &StoreKey, heads: Heads, chain: ChainEnd) -> Heads {
    Heads { chain, seal: of(key, chain.number, &chain.digest), ..heads }
}

/// What is kept of an address that no import brings back.
pub(super) fn barred(key: &StoreKey, address: &EmailAddress) -> [u8; 32] {
    key.digest("erased", &[address.sameness().as_bytes()])
}

/// What is kept for an hour of an address that a network named.
pub(super) fn asked(key: &StoreKey, address: &EmailAddress) -> [u8; 32] {
    key.digest("asked", &[address.sameness().as_bytes()])
}
