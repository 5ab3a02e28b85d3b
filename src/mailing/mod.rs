//! The sending of an issue as rules and values: what becomes of each delivery, how fast mail may leave, and when to stop.
//!
//! Nothing here sends or stores, and the time is an argument everywhere.

mod delivery;
mod guard;
mod pace;
mod patience;
mod schedule;

pub use delivery::{DeliveryStatus, InDoubt, Next, Sums, Verdict, after};
pub use guard::{Guard, Stop};
pub use pace::{Lane, MOST_AHEAD, Rate, Slots, is_below, lanes};
pub use patience::retry_after;
pub use schedule::is_overdue;
