//! The magazine's settings alone: its texts may have what problems they like.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::shown;
use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, SourceText};

/// Reads the settings of the magazine in a folder; nothing when they have errors, which are told.
pub(super) fn read(directory: &Path, problems: &mut Vec<Diagnostic>) -> Result<Option<Config>> {
    let path = directory.join("mailmag.toml");
    let octets = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && directory.is_dir() => bail!(
            "there is no magazine in {}: it has no mailmag.toml (`mailmag init DIR` makes one, `-C DIR` names another)",
            shown(directory)
        ),
        octets => octets.with_context(|| format!("cannot read {}", shown(&path)))?,
    };
    let text = String::from_utf8(octets).map_err(|_| anyhow!("{} is not UTF-8", shown(&path)))?;
    let source = SourceText::new("mailmag.toml", text.trim_start_matches('\u{feff}'));
    Ok(config::parse(&source, problems))
}
