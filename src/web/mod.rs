//! HTTP, and all of it: the editor's preview.

pub mod preview;
