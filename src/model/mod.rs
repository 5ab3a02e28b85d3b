//! Plain values: what a magazine is, with no file, clock, socket, HTML or MIME in sight.

mod document;
mod email_address;
mod field;
mod magazine;
mod names;
mod subscriber;
mod typesetting;

pub use document::{Alignment, Block, Definition, Document, Footnote, Inline, Item, Piece, RubyGroup, plain};
pub use email_address::{AddressError, EmailAddress};
pub(crate) use field::MARKS;
pub use field::{Field, FieldAt, take_fields};
pub use magazine::{Alias, Article, AttachedFile, Author, InMail, Issue, Magazine, Page, Post};
pub(crate) use names::{choices, name_of, named};
pub use subscriber::{Language, Source, Status, Subscriber, SubscriberId, Suppression};
pub use typesetting::{Emphasis, HangingPunctuation, LineBreak, Links, Tables, Typesetting};
