//! Mail that came back: what a bounce, a complaint or an automatic reply says, of whom, and what is to be done.
//!
//! Reports come as RFC 3464 and RFC 5965 want them, as JSON, and in the free forms of the world's servers. All of it is a
//! stranger's data: it is read up to a length, shown escaped and short, and never acted upon unless the path it came
//! by carries our own code ([`verp`]).

mod addresses;
mod automatic;
mod complaint;
mod delivery_status;
mod fields;
mod free_form;
mod json;
mod kind;
mod message;
mod phrases;
mod read;
mod reason;
mod report;
mod returned;
mod status;
mod suppression;
pub mod verp;

pub use automatic::{Sign, automatic};
pub use read::read;
pub use reason::{Reply, Stage, judge};
pub use report::{Hardness, Kind, Reason, Recipient, Report};
pub use returned::{Returned, Way};
pub use status::EnhancedStatus;
pub use suppression::{Event, History, after};

#[cfg(test)]
mod tests;
