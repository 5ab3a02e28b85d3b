//! What holds across modules, and what the whole program does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod architecture;
mod bad_disk;
mod broken;
mod incremental;
mod letters;
mod links;
mod mail_form;
mod pictures;
mod publish;
mod smtp;
mod store;
mod support;
mod theme;
