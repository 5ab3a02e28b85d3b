//! How many connections there may be, in all and from one network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::network::Network;

/// The places for connections.
#[derive(Clone, Debug)]
pub(super) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    most_of_one: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Of each network that has any: no more entries than connections.
    of_one: HashMap<Network, usize>,
}

/// A place that a connection holds until it ends.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    network: Option<Network>,
}

impl Places {
    /// Places for so many connections in all and from one network.
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        Places(Arc::new(Inner { most, most_of_one, taken: Mutex::default() }))
    }

    /// A place, if there is one. A trusted proxy, which brings everybody's requests, has no `network`.
    pub(super) fn take(&self, network: Option<Network>) -> Option<Place> {
        let mut taken = self.taken();
        if taken.all >= self.0.most {
            return None;
        }
        if let Some(network) = network {
            let of_one = taken.of_one.entry(network).or_default();
            if *of_one >= self.0.most_of_one {
                return None;
            }
            *of_one += 1;
        }
        taken.all += 1;
        Some(Place { places: self.clone(), network })
    }

    /// How many are taken.
    pub(super) fn count(&self) -> usize {
        self.taken().all
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        // Counting cannot fail halfway.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all -= 1;
        if let Some(network) = self.network
            && let Some(of_one) = taken.of_one.get_mut(&network)
        {
            *of_one -= 1;
            if *of_one == 0 {
                taken.of_one.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_for_each_network_and_given_back() {
        let places = Places::new(4, 2);
        let of = |text: &str| Some(Network::of(text.parse().unwrap()));
        let first = places.take(of("192.0.2.1")).expect("free");
        let second = places.take(of("192.0.2.2")).expect("free");
        assert!(places.take(of("192.0.2.3")).is_none(), "two of one network are there");
        let proxy = places.take(None).expect("free");
        let _other = places.take(of("198.51.100.1")).expect("free");
        assert!(places.take(None).is_none(), "all are taken");
        drop((first, second));
        assert!(places.take(of("192.0.2.3")).is_some());
        drop(proxy);
        assert_eq!(places.count(), 1);
        assert_eq!(places.taken().of_one.len(), 1);
    }
}
