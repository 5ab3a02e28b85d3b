//! What holds across modules, and what the whole program does.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod architecture;
mod bad_disk;
mod bounces;
mod broken;
mod fields;
mod inbox;
mod incremental;
mod letters;
mod links;
mod mail_form;
mod mail_html;
#[cfg(unix)]
mod mailing;
mod mails;
mod notices;
mod pictures;
mod publish;
mod return_cases;
mod serve;
mod smtp;
mod store;
mod store_cases;
#[cfg(unix)]
mod store_postgres;
mod store_sqlite;
mod subscribers;
mod support;
mod theme;
