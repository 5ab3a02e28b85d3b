//! Delivery: what carries messages to their readers.

pub mod smtp;
