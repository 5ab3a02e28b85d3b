//! The list of a magazine, opened as its settings say.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::Utc;

use super::secret;
use crate::config::{Config, Secret};
use crate::list::{Limits, StoreKey};
use crate::store::{Settings, Store, StoreError};

/// Opens the list of the magazine in a folder. For a new list a key file that is not there is made, for the owner's eyes alone.
#[allow(clippy::disallowed_methods, reason = "the command line reads the clock")]
pub(super) fn open(config: &Config, folder: &Path) -> Result<Store> {
    Ok(Store::open(&settings(config, folder)?, Utc::now())?)
}

/// Where the list of the magazine in a folder lies, and its key.
pub(super) fn settings(config: &Config, folder: &Path) -> Result<Settings> {
    let store = &config.store;
    let password = store.password.as_ref().map(|password| secret::read(password, folder)).transpose()?;
    let key = match &store.key {
        Secret::File(file) => {
            let made = || Store::made(&store.url, password.as_deref(), folder);
            key_of_file(&folder.join(file), &made)?
        }
        Secret::Env(_) => parse_key(&secret::read(&store.key, folder)?)
            .with_context(|| "the variable of [store] key-env holds no key: 64 hexadecimal digits")?,
    };
    let addresses_per_network = config.web.as_ref().map(|web| web.confirmations_per_hour);
    let limits = Limits { addresses_per_network, ..Limits::default() };
    Ok(Settings { url: store.url.clone(), password, folder: folder.to_owned(), key, limits })
}

/// Reads a key file; where there is none, and no list either, makes one of random bits. `made` tells where there is a list.
fn key_of_file(path: &Path, made: &dyn Fn() -> Result<Option<String>, StoreError>) -> Result<StoreKey> {
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    if let Some(list) = made()? {
        // Another process may have made both meanwhile.
        return read_key(path)?.with_context(|| {
            let place = path.display();
            format!(
                "{place}, the key file that {list} was made with, is missing, and no other key will do: \
                 put it back from your backup"
            )
        });
    }
    let place = path.display();
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system gives no random bits")?;
    let key = StoreKey::new(random);
    let beside = path.with_added_extension(std::process::id().to_string());
    let write = || {
        let mut file = private_file(&beside)?;
        file.write_all(format!("{}\n", key.to_text()).as_bytes())?;
        file.sync_all()?;
        // It appears whole or not at all, and never in place of another.
        fs::hard_link(&beside, path)
    };
    let written = write();
    fs::remove_file(&beside).ok();
    match written {
        Ok(()) => Ok(key),
        // Another process was quicker; its key counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => key_of_file(path, made),
        Err(error) => Err(error).with_context(|| format!("{place} cannot be made")),
    }
}

/// The key in a file; none where there is no such file.
fn read_key(path: &Path) -> Result<Option<StoreKey>> {
    let place = path.display();
    match fs::read_to_string(path) {
        Ok(text) => parse_key(&text).map(Some).with_context(|| {
            format!("{place} holds no key: 64 hexadecimal digits. Give the file that belongs to the list")
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
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
