//! An issue as mail: its typeset text, the same in HTML, and the letter that carries both; and the notices that readers get.

mod body;
mod context;
mod dkim;
mod entity;
mod html;
mod letter;
mod message;
mod mime;
mod notice;
mod pieces;
mod splice;
mod subject;
mod utf8;

pub use body::{MailForm, body};
pub use dkim::{BodyHash, KeyError, Signer};
pub use html::{PictureOf, html};
pub use letter::{Contents, Letter, letter};
pub use message::{Recipient, Stencil, unsubscribe_url};
pub use notice::{NoticeLinks, NoticeValues, notice};
pub use pieces::{Splice, TextPart};
pub use splice::BadLetter;
pub use subject::subject;
pub use utf8::in_utf8;
