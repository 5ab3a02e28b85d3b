//! Fixed-width Japanese text: how wide it stands, where its lines end, and the shapes of a mail.

mod atoms;
mod blocks;
mod clean;
mod columns;
pub mod document;
mod fill;
mod join;
mod kinsoku;
mod lines;
#[cfg(test)]
mod properties;
mod ranges;
mod shapes;
mod table;
mod unwrap;
mod wrap;

pub use atoms::{ends_with_url, glued_urls, too_wide, urls};
pub use blocks::{is_address, is_heading_mark};
pub use clean::clean;
pub use columns::{char_columns, columns};
pub use fill::{fill, fill_indented, fill_into};
pub use join::{join, rejoin};
pub use shapes::{boxed, center, indent, letterspace, pad, rule};
pub use table::{TableStyle, listed, table};
pub use unwrap::{best_setting, continues, unwrap};
pub use wrap::wrap;
