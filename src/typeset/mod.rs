//! Fixed-width Japanese text: how wide it stands, where its lines end, and the shapes of a mail.

mod blocks;
mod clean;
mod columns;
pub mod document;
mod fill;
mod join;
mod kinsoku;
mod ranges;
mod wrap;

pub use columns::{char_columns, columns};
pub use fill::{fill, fill_indented, fill_into};
pub use join::join;
pub use wrap::wrap;
