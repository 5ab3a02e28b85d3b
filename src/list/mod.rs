//! The list of readers as rules and values: who may do what to a subscription, and what is kept as proof of it.
//!
//! Nothing here reads or writes; `store` keeps what these rules decide.

pub mod files;
pub mod ledger;
mod notice;
mod request;
mod rules;
mod token;
mod typo;

pub use ledger::{Fault, Walk};
pub use notice::{Notice, NoticeKind};
pub use request::{Answer, Evidence, Request, Standing, Via};
pub use rules::{
    Decision, Grant, HeldToken, ImportRow, Importing, Known, Limits, NewNotice, RETURN_DAYS, Reader, Refusal,
    TOKEN_HOURS, UNCONFIRMED_DAYS, WaitingAddress, decide, decide_import, network,
};
pub use token::{Nonce, StoreKey, Token, TokenDigest, TokenKind};
pub use typo::likely_domain;
