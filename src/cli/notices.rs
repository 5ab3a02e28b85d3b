//! The sending of notices, as the settings say.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::mailer::signer;
use super::route::{servers, way_out};
use super::time;
use crate::config::Config;
use crate::deliver::notices::{Pace, Sending, write};
use crate::model::EmailAddress;
use crate::source::Content;
use crate::store::Store;
use crate::theme::Theme;

/// What sends the notices of a magazine in a folder; nothing when its settings name no way out for mail.
pub(super) fn sending(content: &Content, folder: &Path, store: &Store, url: &str) -> Result<Option<Sending>> {
    let config = &content.config;
    let Some(way) = way_out(config, folder)? else { return Ok(None) };
    // Whichever server a notice goes by, none is asked for more than it allows.
    let connections = way.doors.iter().map(|door| door.connections).min().unwrap_or(1);
    let per_second = servers(config).filter_map(|server| server.messages_per_second).min();
    let sender = EmailAddress::parse(&config.mail.from.address)
        .context("no mail can be sent from the address of [mail] from")?;
    let signer = signer(config, folder)?;
    // Its templates were looked at when the pages were made ready.
    let theme = Theme::new(&content.templates).ok().context("a template has a fault")?;
    let (config, url, key): (Config, _, _) = (config.clone(), url.to_owned(), store.key().clone());
    Ok(Some(Sending {
        store: store.clone(),
        route: way.route,
        connections,
        per_second,
        sender,
        write: Arc::new(move |notice| {
            let octets = write(&config, &theme, &key, &url, notice).map_err(|problem| {
                let (line, column) = problem.line_and_column();
                format!("{}:{line}:{column}: {}", problem.path(), problem.message)
            })?;
            match &signer {
                Some(signer) => signer
                    .signed(&octets, notice.created.timestamp())
                    .map_err(|error| format!("the key of [dkim]: {error}")),
                None => Ok(octets),
            }
        }),
        clock: Arc::new(time),
        pace: Pace::default(),
    }))
}
