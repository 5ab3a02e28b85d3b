//! Whether the list is older than what was sent from this folder: then it was restored from a backup, which does not know who has got
//! mail since. The store numbers its senders and gives no number twice; the last one is kept beside the list.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};

use super::console::count;
use super::time;
use crate::store::StoreError;
use crate::store::mailings::{MailingStatus, Mailings, WorkerId};

/// Where the number of the last sender is kept, in the magazine's folder.
const FILE: &str = ".mailmag/last-sender";

/// Registers a sender, and sees that its number is a new one: those who do so in this folder wait for each other.
///
/// # Errors
/// Where the list is older than its last sender. All that it would send is paused then; the next sender is let in.
pub(super) async fn registered<Worker>(
    directory: &Path,
    mailings: &Mailings,
    register: impl Future<Output = Result<Worker, StoreError>>,
    number: impl Fn(&Worker) -> WorkerId,
) -> Result<Worker> {
    let path = directory.join(FILE);
    let unwritable = || format!("cannot write {}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(directory)).with_context(unwritable)?;
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(unwritable)?;
    file.lock().with_context(unwritable)?;
    let mut last = String::new();
    file.read_to_string(&mut last).with_context(unwritable)?;
    let worker = register.await?;
    let number = number(&worker);
    let is_older = last.trim().parse::<i64>().is_ok_and(|last| number.0 <= last);
    let paused = if is_older { pause_all(mailings).await? } else { 0 };
    file.rewind().with_context(unwritable)?;
    file.set_len(0).with_context(unwritable)?;
    writeln!(file, "{}", number.0).with_context(unwritable)?;
    if is_older {
        mailings.leave(number, time()).await?;
        bail!(
            "the list is older than what was sent from here last: it was restored from a backup, or it is another one. \
             Who got mail since is not known to it, so that nothing is sent now; {} paused. Look at `mailmag mailing \
             status`; `mailmag mailing resume` and `mailmag send` go on",
            count(paused, "mailing")
        )
    }
    Ok(worker)
}

async fn pause_all(mailings: &Mailings) -> Result<usize, StoreError> {
    let why = "the list was restored from a backup: who got it since may get it again";
    // Those of any time, also of one to come.
    let running = mailings.running(DateTime::<Utc>::MAX_UTC).await?;
    for mailing in &running {
        mailings.set_status(mailing.id, MailingStatus::Paused, Some(why.to_owned()), time()).await?;
    }
    Ok(running.len())
}
