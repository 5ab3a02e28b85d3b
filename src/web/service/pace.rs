//! How many requests a network may make: a limit in memory that never grows, before anything dear is done.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::network::Network;

/// Slots in each row: a power of two.
const SLOTS: usize = 1 << 14;
/// How many seconds' worth of requests may come at once.
const BURST: u32 = 10;

/// The pace of every network, by the generic cell rate algorithm (ITU-T I.371): each slot holds the moment, in
/// microseconds since the service began, at which its network would be owed nothing.
///
/// Networks share slots, of which each has one in either row. Only one whose both slots are behind is too fast; which
/// these are is hashed with random keys, so that nobody can slow another down on purpose.
#[derive(Debug)]
pub(super) struct Pace {
    rows: [(RandomState, Box<[AtomicU64]>); 2],
    /// Microseconds that each request costs.
    cost: u64,
}

impl Pace {
    /// A limit of so many requests a second from each network.
    pub(super) fn new(per_second: u32) -> Self {
        let row = || (RandomState::new(), (0..SLOTS).map(|_| AtomicU64::new(0)).collect());
        Pace { rows: [row(), row()], cost: 1_000_000 / u64::from(per_second.clamp(1, 1_000_000)) }
    }

    /// Counts a request that comes `since` the service began.
    ///
    /// # Errors
    /// When it is one too many: how long to wait.
    pub(super) fn count(&self, network: Network, since: Duration) -> Result<(), Duration> {
        let now = u64::try_from(since.as_micros()).unwrap_or(u64::MAX / 2);
        let slots = self.rows.each_ref().map(|(keys, row)| {
            let slot = keys.hash_one(network) as usize & (SLOTS - 1);
            &row[slot]
        });
        let ahead = slots.iter().map(|slot| slot.load(Ordering::Relaxed).saturating_sub(now)).min();
        let most = u64::from(BURST) * 1_000_000;
        let ahead = ahead.unwrap_or(0);
        if ahead > most {
            return Err(Duration::from_micros(ahead - most));
        }
        for slot in slots {
            // Two at once may count as one, which harms nobody.
            slot.store(slot.load(Ordering::Relaxed).max(now).saturating_add(self.cost), Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(index: u32) -> Network {
        Network::of(std::net::IpAddr::V4((index << 8).into()))
    }

    #[test]
    fn a_burst_passes_then_the_pace_is_kept_and_others_are_not_hurt() {
        let pace = Pace::new(10);
        let at = Duration::from_secs(5);
        let passed = (0..1000).filter(|_| pace.count(network(1), at).is_ok()).count();
        assert_eq!(passed, 101);
        let wait = pace.count(network(1), at).expect_err("it is too fast");
        assert!(wait <= Duration::from_millis(100), "{wait:?}");
        assert_eq!(pace.count(network(1), at + wait), Ok(()));
        assert_eq!(pace.count(network(2), at), Ok(()));
        let passed =
            (0..1000).filter(|step| pace.count(network(1), at * 2 + at * *step / 1000).is_ok()).count();
        assert!((95..=105).contains(&passed), "{passed}");
    }

    #[test]
    fn a_million_networks_take_no_more_memory_and_hardly_stand_in_each_others_way() {
        let pace = Pace::new(10);
        let slow = (0..1_000_000)
            .filter(|index| pace.count(network(*index), Duration::from_millis(u64::from(*index))).is_err());
        assert_eq!(slow.count(), 0);
    }
}
