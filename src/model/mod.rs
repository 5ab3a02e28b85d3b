//! Plain values: what a magazine is, with no file, clock, socket, HTML or MIME in sight.

mod document;
mod magazine;
mod typesetting;

pub use document::{Alignment, Block, Definition, Document, Footnote, Inline, Item, Piece, RubyGroup, plain};
pub use magazine::{Alias, Article, Author, InMail, Issue, Magazine, Page, Post};
pub use typesetting::{Emphasis, HangingPunctuation, LineBreak, Links, Tables, Typesetting};
