//! The list of a magazine, opened as its settings say.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::Utc;

use super::secret;
use crate::config::{Config, Secret};
use crate::list::{Limits, StoreKey};
use crate::store::{Settings, Store};

/// Opens the list of the magazine in a folder. A key file that is not there is made, for the owner's eyes alone.
#[allow(clippy::disallowed_methods, reason = "the command line reads the clock")]
pub(super) fn open(config: &Config, folder: &Path) -> Result<Store> {
    Ok(Store::open(&settings(config, folder)?, Utc::now())?)
}

/// Where the list of the magazine in a folder lies, and its key.
pub(super) fn settings(config: &Config, folder: &Path) -> Result<Settings> {
    let store = &config.store;
    let key = match &store.key {
        Secret::File(file) => key_of_file(&folder.join(file))?,
        Secret::Env(_) => parse_key(&secret::read(&store.key, folder)?)
            .with_context(|| "the variable of [store] key-env holds no key: 64 hexadecimal digits")?,
    };
    let password = store.password.as_ref().map(|password| secret::read(password, folder)).transpose()?;
    let addresses_per_network = config.web.as_ref().map(|web| web.confirmations_per_hour);
    let limits = Limits { addresses_per_network, ..Limits::default() };
    Ok(Settings { url: store.url.clone(), password, folder: folder.to_owned(), key, limits })
}

/// Reads a key file; where there is none, makes one of random bits.
fn key_of_file(path: &Path) -> Result<StoreKey> {
    let place = path.display();
    match fs::read_to_string(path) {
        Ok(text) => parse_key(&text).with_context(|| {
            format!("{place} holds no key: 64 hexadecimal digits. Give the file that belongs to the list")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).context("the system gives no random bits")?;
            let key = StoreKey::new(random);
            let made = path.with_added_extension(std::process::id().to_string());
            let write = || {
                let mut file = private_file(&made)?;
                file.write_all(format!("{}\n", key.to_text()).as_bytes())?;
                file.sync_all()?;
                // It appears whole or not at all, and never in place of another.
                fs::hard_link(&made, path)
            };
            let written = write();
            fs::remove_file(&made).ok();
            match written {
                Ok(()) => Ok(key),
                // Another process was quicker; its key counts.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => key_of_file(path),
                Err(error) => Err(error).with_context(|| format!("{place} cannot be made")),
            }
        }
        Err(error) => Err(error).with_context(|| format!("{place} cannot be read")),
    }
}

fn parse_key(text: &str) -> Result<StoreKey> {
    match StoreKey::parse(text) {
        Some(key) => Ok(key),
        None => bail!("not 64 hexadecimal digits"),
    }
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}
