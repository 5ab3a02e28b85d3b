//! Secrets, read from where the settings say that they lie.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::config::Secret;

/// A secret's text without the line break at its end; a file's path starts from the magazine's folder.
#[allow(clippy::disallowed_methods, reason = "the command line reads the environment")]
pub(super) fn read(secret: &Secret, folder: &Path) -> Result<String> {
    let text = match secret {
        Secret::Env(name) => std::env::var(name).with_context(|| {
            format!("the environment variable {name}, which the settings name, is not set")
        })?,
        Secret::File(file) => {
            let path = folder.join(file);
            fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?
        }
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
