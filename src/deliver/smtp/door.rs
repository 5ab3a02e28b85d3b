//! How much goes by a server at once: whoever opens a connection takes room, and gives it back when it is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::mailing::Rate;

/// What a server allows. Clones share its room, and are one mailing's together; see [`Door::of_another`].
#[derive(Clone, Debug)]
pub struct Door {
    /// How many connections are open at once.
    pub connections: usize,
    /// How fast messages leave by it.
    pub rate: Option<Rate>,
    room: Arc<Semaphore>,
    /// Whether a mailing that has no room waits for some.
    is_wanted: Arc<AtomicBool>,
    /// How many are in for this mailing.
    inside: Arc<AtomicUsize>,
}

/// Room for one connection.
#[derive(Debug)]
pub(super) struct Room {
    inside: Arc<AtomicUsize>,
    _permit: OwnedSemaphorePermit,
}

impl Door {
    /// The door of a server.
    pub fn new(connections: usize, rate: Option<Rate>) -> Door {
        let room = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
        Door { connections, rate, room, is_wanted: Arc::default(), inside: Arc::default() }
    }

    /// The same door for another mailing: the room is shared, and of a mailing that has some one gives way to a mailing
    /// that has none.
    pub fn of_another(&self) -> Door {
        Door { inside: Arc::default(), ..self.clone() }
    }

    /// Takes room, if there is any.
    pub(super) fn enter(&self) -> Option<Room> {
        match self.room.clone().try_acquire_owned() {
            Ok(permit) => {
                self.inside.fetch_add(1, Ordering::AcqRel);
                Some(Room { inside: self.inside.clone(), _permit: permit })
            }
            Err(_) => {
                if self.inside.load(Ordering::Acquire) == 0 {
                    self.is_wanted.store(true, Ordering::Release);
                }
                None
            }
        }
    }

    /// Whether somebody who is in is to go.
    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire)
    }

    /// The same, and whoever asked goes: nobody else has to.
    pub(super) fn gives_way(&self) -> bool {
        self.is_wanted.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_has_room_for_so_many_and_one_gives_way_to_a_mailing_that_has_none() {
        let one = Door::new(2, None);
        let other = one.of_another();
        let (first, second) = (one.enter(), one.enter());
        assert!(first.is_some() && second.is_some());
        assert!(one.enter().is_none() && !one.is_wanted(), "a mailing that has room asks for no more");
        assert!(other.enter().is_none());
        assert!(one.is_wanted());
        assert_eq!((one.gives_way(), one.gives_way()), (true, false), "one of them goes");
        drop(first);
        let third = other.enter();
        assert!(third.is_some() && other.enter().is_none());
        assert!(!one.is_wanted());
    }
}
