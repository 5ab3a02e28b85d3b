//! HTTP: the editor's preview, and the service that readers subscribe and leave at.

mod host;
mod interrupted;
pub mod preview;
pub mod service;
