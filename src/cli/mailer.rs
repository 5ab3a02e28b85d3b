//! What the commands that send have in common.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};

use super::console::Console;
use super::presence::{self, Presence};
use super::restored;
use super::route::{WayOut, way_out};
use super::{store, time};
use crate::charset::Charset;
use crate::config::{Config, PaceConfig};
use crate::deliver::mailer::{self, Composer, Ending, Event, Settings, Worker};
use crate::list::StoreKey;
use crate::mail::{Letter, Signer, Stencil, in_utf8};
use crate::mailing::{Lane, Lanes, Rate};
use crate::store::Store;
use crate::store::mailings::{FrozenLetter, Mailing, Mailings};

/// How long a sender that says nothing is taken for alive.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(10);

/// How long a sender waits for a store that is locked, full or away: a database has been started anew by then.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);

/// How long what is in flight has to finish when a sender is told to end: it ends within thirty seconds.
pub(super) const DRAIN: Duration = Duration::from_secs(25);

/// The mailings of a magazine, open.
pub(super) struct Books {
    /// The mailings.
    pub(super) mailings: Mailings,
    /// The key of the list.
    pub(super) key: StoreKey,
}

/// Opens the mailings of the magazine in a folder.
pub(super) fn books(config: &Config, directory: &Path) -> Result<Books> {
    let settings = store::settings(config, directory)?;
    // It makes the list where there is none, and brings it to the newest schema.
    Store::open(&settings, time())?.close();
    Ok(Books { mailings: Mailings::open(&settings)?.in_lanes(lanes(config)), key: settings.key })
}

/// The lanes of a magazine: those that are ready, and its own.
fn lanes(config: &Config) -> Lanes {
    let lane = |pace: &PaceConfig| Lane {
        // A domain stands in one pace alone.
        name: pace.domains.first().cloned().unwrap_or_default(),
        domains: pace.domains.clone(),
        connections: pace.connections.map(|connections| connections as usize),
        rate: pace.messages_per_minute.map(|messages| Rate { messages, per: Duration::from_secs(60) }),
        spares_full_hour: pace.spares_full_hour,
    };
    Lanes::with(config.paces.iter().map(lane).collect())
}

/// Where a magazine's mail goes, and how fast.
pub(super) fn settings(config: &Config, directory: &Path) -> Result<Settings> {
    let Some(WayOut { route, doors }) = way_out(config, directory)? else {
        bail!(
            "mailmag.toml names no way out for mail: add [[smtp]] with a `host`, or with a `folder` to try it"
        )
    };
    Ok(Settings {
        route,
        doors,
        lanes_keep_pace: true,
        lease: LEASE,
        patience: PATIENCE,
        drain: DRAIN,
        clock: Arc::new(time),
    })
}

/// What addresses a letter to its readers. All its messages are dated `starts`.
pub(super) fn composer(
    config: &Config,
    directory: &Path,
    key: &StoreKey,
    letter: &FrozenLetter,
    starts: DateTime<Utc>,
) -> Result<Composer> {
    let Some(web) = &config.web else {
        bail!(
            "mailmag.toml does not say where readers leave: add [web] with its `url`, and run `mailmag serve` there"
        )
    };
    let signer = signer(config, directory)?.map(|signer| (signer, starts.timestamp()));
    let date = starts.with_timezone(&config.magazine.timezone);
    let letter = thawed(letter)?;
    let domain = config.mail.from.domain().to_owned();
    let stencil = Arc::new(Stencil::new(&letter, date)?);
    let domains = &config.mail.utf_8_domains;
    let in_utf8 = match domains.is_empty() {
        true => None,
        false => Some((Arc::new(Stencil::new(&in_utf8(&letter)?, date)?), domains.clone())),
    };
    Ok(Composer { stencil, in_utf8, key: key.clone(), domain, web_url: web.url.clone(), signer })
}

/// A letter as the store keeps it.
pub(super) fn frozen(letter: &Letter) -> Result<FrozenLetter> {
    Ok(FrozenLetter { octets: letter.octets.clone(), texts: serde_json::to_string(&letter.texts)? })
}

/// The letter that was kept, as far as it is needed to address it.
fn thawed(letter: &FrozenLetter) -> Result<Letter> {
    let texts = serde_json::from_str(&letter.texts).context("the kept letter is damaged")?;
    Ok(Letter { octets: letter.octets.clone(), charset: Charset::Utf8, digest: String::new(), texts })
}

/// Who signs a magazine's mail, if we do.
pub(super) fn signer(config: &Config, directory: &Path) -> Result<Option<Arc<Signer>>> {
    let Some(dkim) = &config.dkim else { return Ok(None) };
    let path = directory.join(&dkim.key_file);
    if is_open_to_others(&path) {
        bail!("others can read {}, the key that mail is signed with: `chmod 600` it", path.display())
    }
    let pem = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let signer = Signer::new(&dkim.domain, &dkim.selector, &pem)
        .with_context(|| format!("no mail can be signed with {}", path.display()))?;
    Ok(Some(Arc::new(signer)))
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Works as a worker: alive to others until the work is done, and then nothing stays claimed. What senders of this
/// magazine's folder left who were killed is taken over at once. The work is told when it is to end.
pub(super) fn as_worker<Value>(
    directory: &Path,
    mailings: &Mailings,
    settings: &Settings,
    work: impl AsyncFnOnce(Worker, Ending) -> Result<Value>,
) -> Result<Value> {
    mailer::block_on(async {
        take_over(directory, mailings).await?;
        let presence = Presence::show(directory)?;
        let registering = Worker::register(mailings, presence.name(), settings.lease, settings.clock.clone());
        let worker = restored::registered(directory, mailings, registering, Worker::id).await?;
        let (end, ending) = mailer::ending();
        let living = mailer::spawn(worker.clone().live(ending));
        let done = work(worker.clone(), mailer::interrupted()).await;
        end();
        living.await.ok();
        // Why the work ended tells more than that the end cannot be noted, either.
        let left = worker.leave().await;
        done.and_then(|done| Ok(left.map(|()| done)?))
    })?
}

/// Tells that the store is away, and that it is back.
pub(super) fn tell_of_store(event: Event, console: &Console) {
    match event {
        Event::Attempt(_) => {}
        Event::StoreIsAway(error) => {
            console.problem(&format!("{error}; nothing is sent until it is there again"));
        }
        Event::StoreIsBack => console.problem("the list is there again: sending goes on"),
    }
}

/// Queues again what killed senders had claimed.
async fn take_over(directory: &Path, mailings: &Mailings) -> Result<()> {
    let ended = presence::ended(directory);
    if ended.is_empty() {
        return Ok(());
    }
    let workers = mailings.workers().await?;
    for (name, path) in ended {
        for (worker, _) in workers.iter().filter(|(_, known)| *known == name) {
            mailings.leave(*worker, time()).await?;
        }
        // Whoever removed it before has taken over the same.
        std::fs::remove_file(path).ok();
    }
    Ok(())
}

/// A time as the magazine's people say it.
pub(super) fn local_time(time: DateTime<Utc>, config: &Config) -> String {
    time.with_timezone(&config.magazine.timezone).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// The mailing that an issue's number means: the last correction, where there are any.
pub(super) fn mailing_of(mailings: &Mailings, number: &str) -> Result<Mailing> {
    let issue: i64 = number.parse().with_context(|| format!("`{number}` is no number of an issue"))?;
    match mailings.of_issue(issue).wait()?.pop() {
        Some(mailing) => Ok(mailing),
        None => bail!("issue {number} was never sent: `mailmag send {number}` sends it"),
    }
}
