//! mailmag: issues in Markdown or plain text become typeset mail, a static archive, and one message for each reader.
//!
//! The modules stand in reading order, and each uses only those above it:
//!
//! ```text
//!  content/ ── source ──▶ model ──┬── blog ──▶ publish ──▶ dist/blog
//!  mailmag.toml             │     │    ▲ theme, typeset
//!                         check   └── mail ──┬─▶ publish ──▶ dist/mail
//!                           │                └─▶ deliver ──▶ SMTP
//!                           │                       ▲
//!                           │           web ◀──▶ store (readers, consent, notices, mailings)
//!                           │
//!                     diagnostics file:line:column
//! ```
//!
//! Everything between reading (`source`) and writing (`publish`) is a pure function of its arguments, and so are the
//! rules of the list (`list`) and of its mailings (`mailing`). `web` shows a magazine in a browser while it is written and
//! is what readers subscribe at, and `cli` is the program.

pub mod diagnostic;
pub(crate) mod digest;
pub(crate) mod hash;
pub(crate) mod media_type;
pub mod model;
pub mod charset;
pub(crate) mod markup;
pub mod typeset;
pub mod config;
pub mod picture;
pub(crate) mod address;
pub mod source;
pub(crate) mod pictures;
pub mod theme;
pub mod check;
pub mod search;
pub mod highlight;
pub mod blog;
pub mod mail;
pub mod list;
pub mod mailing;
pub mod bounce;
pub mod inbox;
pub mod publish;
pub mod outside;
pub mod store;
pub mod deliver;
pub mod web;
pub mod cli;
