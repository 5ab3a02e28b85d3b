//! `mailmag serve`: the pages that readers subscribe and leave at, and the mails they need.

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tracing_subscriber::filter::LevelFilter;

use super::console::Console;
use super::production::theme_files;
use super::{Outcome, notices, open, store, time};
use crate::config::{Config, WebConfig};
use crate::deliver::notices::run as send;
use crate::store::Store;
use crate::theme::{Assets, Theme};
use crate::web::service::{self, Pages, Patience, ProofOfWork, Publication, Settings, Surroundings};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(directory: &Path, _: Arguments, console: &Console) -> Result<Outcome> {
    let (content, problems) = open(directory)?;
    // An issue that is being written keeps nobody from leaving.
    let Some(content) = content else { return Ok(console.problems(&problems)) };
    // Without [web] it is there to be tried out.
    let web = &content.config.web.clone().unwrap_or_default();
    let root = format!("{}/theme", service::path(&web.url));
    let assets = Assets::new(theme_files(&content)?, &root);
    let theme = match assets.and_then(|assets| Theme::with_assets(&content.templates, assets)) {
        Ok(theme) => theme,
        Err(problems) => return Ok(console.problems(&problems)),
    };
    let pages = match Pages::new(theme, publication(&content.config), &web.url) {
        Ok(pages) => pages,
        Err(problem) => return Ok(console.problems(&[*problem])),
    };
    log(console);
    allow_open_files(web.connections);
    let store = store::open(&content.config, directory)?;
    let sending = notices::sending(&content, directory, &store, &web.url)?;
    if sending.is_none() {
        console
            .say("no mail goes out: mailmag.toml has no [[smtp]], so that confirmations wait until it has");
    }
    let send_what_waits = |ending| async move {
        if let Some(sending) = sending {
            send(sending, ending).await;
        }
    };
    let surroundings = Surroundings { now: time, random };
    let running = service::begin(settings(web), pages, store.clone(), surroundings, send_what_waits)?;
    let (end, ending) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| upkeep(&store, ending, console));
        let ended = running.until_interrupted(|running| {
            // When stdout is gone the pages are served all the same.
            let _ = console.data(format!("http://{}/\n", running.address).as_bytes());
            console.say(&format!("health and metrics at http://{}/", running.metrics_address));
        });
        drop(end);
        ended
    })?;
    store.close();
    Ok(Outcome::Well)
}

/// Does what is to be done every day, and warns when confirmations are asked for in floods, until the other end is gone.
fn upkeep(store: &Store, ending: Receiver<()>, console: &Console) {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const LOOKS_EVERY: Duration = Duration::from_secs(5 * 60);
    let mut tidied: Option<Instant> = None;
    let mut was_flood = false;
    while ending.recv_timeout(LOOKS_EVERY) == Err(RecvTimeoutError::Timeout) {
        if tidied.is_none_or(|tidied| tidied.elapsed() > DAY) {
            match store.do_upkeep(time()) {
                Ok(()) => tidied = Some(Instant::now()),
                Err(error) => console.problem(&format!("the list could not be tidied: {error}")),
            }
        }
        let Ok(stats) = store.stats() else { continue };
        let is_flood = stats.is_alarm(time());
        if is_flood && !was_flood {
            let number = stats.confirmations_within_hour(time());
            console.problem(&format!(
                "{number} confirmations within an hour: somebody may use the form to flood others; \
                 `confirmations-per-hour` in [web] limits each network, `proof-bits` makes each subscription cost work"
            ));
        }
        was_flood = is_flood;
    }
}

fn settings(web: &WebConfig) -> Settings {
    Settings {
        listen: web.listen,
        metrics_listen: web.metrics_listen,
        url: web.url.clone(),
        trusted_proxies: web.trusted_proxies.clone(),
        connections: web.connections,
        connections_per_network: web.connections_per_network,
        requests_per_second: web.requests_per_second,
        proof_of_work: match web.proof_bits {
            None => ProofOfWork::InFloods,
            Some(0) => ProofOfWork::Never,
            Some(bits) => ProofOfWork::Always(bits),
        },
        patience: Patience::default(),
    }
}

fn publication(config: &Config) -> Publication {
    Publication {
        name: config.magazine.name.clone(),
        publisher: config.magazine.publisher.clone(),
        language: config.magazine.language.clone(),
        blog: config.blog.url.clone(),
        contact: config.mail.from.address.clone(),
    }
}

/// Sends what the service tells of itself to stderr, a line each; under `-q` only what is wrong.
fn log(console: &Console) {
    let level = if console.is_quiet() { LevelFilter::WARN } else { LevelFilter::INFO };
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_max_level(level);
    // A second command in one process would find it there already.
    let _ = log.try_init();
}

fn random() -> [u8; 16] {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the system gives random bits, or nothing here is safe");
    bits
}

/// Lets the program have as many files open as its connections and all else need, where the system grants it; else those
/// that come when no more can be taken wait.
#[cfg(unix)]
fn allow_open_files(connections: usize) {
    use rustix::process::Resource;
    use rustix::process::Rlimit;

    let needed = connections as u64 + 256;
    let limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let most = limit.maximum.map_or(needed, |most| most.min(needed));
        // What is not granted is told by the service when it is missing.
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum })
            .ok();
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
fn allow_open_files(_: usize) {}
