//! An issue as mail: its typeset text and the letter that carries it; and the notices that readers get.

mod body;
mod context;
mod dkim;
mod entity;
mod html;
mod letter;
mod message;
mod mime;
mod notice;
mod subject;

pub use body::body;
pub use dkim::{BodyHash, KeyError, Signer};
pub use html::{PictureOf, html};
pub use letter::{Contents, Letter, letter};
pub use message::{Recipient, Stencil};
pub use notice::{NoticeLinks, NoticeValues, notice};
pub use subject::subject;
