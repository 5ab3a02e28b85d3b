//! The sending of an issue as rules and values: what becomes of each delivery, how fast mail may leave, and when to stop.
//!
//! Nothing here sends or stores, and the time is an argument everywhere.

mod delivery;
mod guard;
mod lanes;
mod pace;
mod patience;
mod schedule;

pub use delivery::{DeliveryStatus, InDoubt, Next, Sums, Verdict, after};
pub use guard::{Guard, Stop};
pub use lanes::{Lane, Lanes, is_below};
pub use pace::{MOST_AHEAD, Rate, Slots};
pub use patience::retry_after;
pub use schedule::is_overdue;
