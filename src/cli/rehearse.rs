//! `mailmag send --rehearse`: the whole mailing, as it would go now, to a server of our own on this machine.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::console::{Console, count};
use super::mailer::{Books, DRAIN, LEASE, PATIENCE, as_worker, composer};
use super::route::servers;
use super::{Outcome, time};
use crate::config::Config;
use crate::deliver::mailer::{self, Event, Finished, Settings};
use crate::deliver::rehearsal::{Crowd, Received, Sink};
use crate::deliver::smtp::{Client, Door, Route, Server, Target, Timeouts, Tls};
use crate::mailing::{Lanes, Rate, Sums, Verdict};
use crate::store::RehearsalList;
use crate::store::mailings::{Audience, Mailing, Mailings, NewMailing, Planned};

/// The folder of what is rehearsed, in the magazine's. It is gone when the rehearsal is over.
const FOLDER: &str = ".mailmag/rehearsal";

/// How many connections a magazine has that names no server yet.
const CONNECTIONS: u32 = 4;

/// How many readers are copied together.
const TOGETHER: usize = 1_000;

/// What a rehearsal came to.
struct Rehearsed {
    mailing: Mailing,
    readers: Readers,
    finished: Finished,
    sums: Sums,
    received: Received,
    connections: usize,
    copied: Duration,
    frozen: Duration,
    sent: Duration,
}

/// Whom a mailing goes to: in all, and how many in each lane.
#[derive(Default)]
struct Readers {
    crowd: Crowd,
    number: u64,
    of_lanes: Vec<u64>,
}

/// Rehearses a mailing to an audience of the real list, which is only read.
pub(super) fn rehearse(
    config: &Config,
    directory: &Path,
    books: &Books,
    (new, audience): (NewMailing, &Audience),
    console: &Console,
) -> Result<Outcome> {
    let place = Place::take(directory)?;
    let rehearsed = play(config, directory, (books, &place.folder), (new, audience), console);
    place.leave()?;
    let rehearsed = rehearsed?;
    let per_second = servers(config).next().and_then(|server| server.messages_per_second);
    console.data(report(&rehearsed, books.mailings.lanes(), per_second, peak_memory()).as_bytes())?;
    match problem(&rehearsed) {
        None => Ok(Outcome::Well),
        Some(problem) => bail!("{problem}"),
    }
}

fn play(
    config: &Config,
    directory: &Path,
    (books, folder): (&Books, &Path),
    (new, audience): (NewMailing, &Audience),
    console: &Console,
) -> Result<Rehearsed> {
    let composer = composer(config, directory, &books.key, &new.letter, new.starts)?;
    let began = Instant::now();
    let mut list = RehearsalList::new(folder, &books.key)?;
    let readers = copy(&books.mailings, audience, &mut list)?;
    let copied = began.elapsed();
    if readers.number == 0 {
        bail!("there is nobody to send it to: `mailmag subscribers stats` counts the readers")
    }
    let began = Instant::now();
    let stage = Mailings::open(list.settings())?.in_lanes(books.mailings.lanes().clone());
    drop(list);
    let (Planned::New(mailing) | Planned::Already(mailing) | Planned::Other(mailing)) =
        stage.plan(new, Audience::default()).wait()?;
    let frozen = began.elapsed();
    let sink = Sink::bind().context("no port of this machine can be listened on")?;
    let settings = settings(config, sink.port()?)?;
    let connections = settings.doors[0].connections;
    let progress = console.progress(usize::try_from(readers.number).unwrap_or(usize::MAX), "rehearsing");
    let bar = progress.clone();
    let told: mailer::Progress = Arc::new(move |event| {
        if matches!(event, Event::Attempt(Verdict::Accepted)) {
            bar.inc(1);
        }
    });
    let began = Instant::now();
    let finished = as_worker(folder, &stage, &settings, async |worker, stop| {
        sink.serve()?;
        let settings = settings.clone();
        Ok(mailer::send(&stage, mailing.clone(), composer, worker, settings, told, stop).await?)
    })?;
    let sent = began.elapsed();
    progress.finish_and_clear();
    let sums = stage.sums(mailing.id).wait()?;
    let received = sink.received();
    Ok(Rehearsed { mailing, readers, finished, sums, received, connections, copied, frozen, sent })
}

/// Copies the readers of an audience, a few at a time, and counts them.
fn copy(mailings: &Mailings, audience: &Audience, list: &mut RehearsalList) -> Result<Readers> {
    let mut readers = Readers { of_lanes: vec![0; mailings.lanes().all().len()], ..Readers::default() };
    let mut after = 0;
    loop {
        let some = mailings.audience(audience.clone(), after, TOGETHER).wait()?;
        let Some(last) = some.last() else { return Ok(readers) };
        after = last.subscriber.0;
        for reader in &some {
            readers.crowd.add(reader.address.as_str());
            readers.of_lanes[mailings.lanes().of(reader.address.domain())] += 1;
        }
        readers.number += some.len() as u64;
        list.add(&some)?;
    }
}

/// As many connections as the first server will have, to our own server, at no pace.
fn settings(config: &Config, port: u16) -> Result<Settings> {
    let connections = servers(config).next().map_or(CONNECTIONS, |server| server.connections) as usize;
    let doors = [Door::new(connections, None)].into();
    let server = Server {
        name: "the rehearsal's server".into(),
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        login: None,
    };
    let client = Client::new("localhost", Timeouts::default())?;
    let route =
        Arc::new(Route { targets: vec![Target::Server(server)], client, rest: Duration::from_secs(1) });
    let clock = Arc::new(time);
    Ok(Settings {
        route,
        doors,
        lanes_keep_pace: false,
        lease: LEASE,
        patience: PATIENCE,
        drain: DRAIN,
        clock,
    })
}

/// What was found wrong, if anything was.
fn problem(rehearsed: &Rehearsed) -> Option<String> {
    let Rehearsed { readers, sums, received, .. } = rehearsed;
    match rehearsed.finished {
        Finished::Done => {}
        Finished::Drained => return Some("the rehearsal was ended before its end".to_owned()),
        Finished::Stopped => {
            return Some("the mailing would have been paused: see what `-v` tells".to_owned());
        }
        Finished::Waiting(_) => return Some("messages were left that could not leave".to_owned()),
    }
    if !sums.balance() || sums.accepted != readers.number {
        return Some(format!("{} of {} were taken", sums.accepted, count_of(readers.number, "message")));
    }
    if received.recipients != readers.crowd {
        return Some("not every reader got it once".to_owned());
    }
    (!received.faults.is_empty()).then(|| "messages are not as they have to be".to_owned())
}

fn report(rehearsed: &Rehearsed, lanes: &Lanes, per_second: Option<u32>, memory: Option<u64>) -> String {
    let Rehearsed { mailing, readers, sums, received, .. } = rehearsed;
    let rate = received.messages as f64 / rehearsed.sent.as_secs_f64().max(f64::EPSILON);
    let each = match received.recipients == readers.crowd {
        true => "each reader's once",
        false => "not each reader's once",
    };
    let faults = match received.faults.is_empty() {
        true => "nothing is wrong".to_owned(),
        false => {
            let told = received.faults.iter().map(|(fault, times)| format!("{fault} ({times})"));
            told.collect::<Vec<_>>().join(", ")
        }
    };
    let mut lines = vec![
        format!("Rehearsed: issue {}; nothing was sent, and nothing of it is kept", mailing.title()),
        format!(
            "Ledger:    {} planned = {} accepted, {} still to send, {} otherwise",
            sums.planned,
            sums.accepted,
            sums.open(),
            sums.planned.saturating_sub(sums.accepted + sums.open())
        ),
        format!("Server:    {}, {each}; {faults}", count_of(received.messages, "message")),
        format!("Octets:    {}", received.octets),
        format!(
            "Time:      {} to copy the readers, {} to freeze, {} to send",
            shown(rehearsed.copied),
            shown(rehearsed.frozen),
            shown(rehearsed.sent)
        ),
        format!(
            "Rate:      {rate:.0} messages/s over {}, with no pace kept",
            count(rehearsed.connections, "connection")
        ),
    ];
    if let Some(octets) = memory {
        lines.push(format!("Memory:    {} MB at the most, the server with it", octets / 1_000_000));
    }
    let paces = paces(readers, lanes, per_second);
    lines.push(match paces.iter().max_by_key(|(time, _)| *time) {
        Some((time, why)) if *time > rehearsed.sent => format!("Estimate:  {} ({why})", shown(*time)),
        _ => "Estimate:  as fast as the server takes them: no pace holds them back".to_owned(),
    });
    lines.join("\n") + "\n"
}

/// How long each pace that will be kept takes, and which it is.
fn paces(readers: &Readers, lanes: &Lanes, per_second: Option<u32>) -> Vec<(Duration, String)> {
    let takes = |number: u64, rate: Rate| rate.per.mul_f64(number as f64 / f64::from(rate.messages.max(1)));
    let mut paces = Vec::new();
    if let Some(messages) = per_second {
        let rate = Rate { messages, per: Duration::from_secs(1) };
        let why = format!("{} at {messages} a second", count_of(readers.number, "message"));
        paces.push((takes(readers.number, rate), why));
    }
    for (lane, number) in lanes.all().iter().zip(&readers.of_lanes) {
        if let Some(rate) = lane.rate.filter(|_| *number > 0) {
            let a_minute = f64::from(rate.messages) * 60.0 / rate.per.as_secs_f64();
            let why = format!("{} to {} at {a_minute:.0} a minute", count_of(*number, "message"), lane.name);
            paces.push((takes(*number, rate), why));
        }
    }
    paces
}

fn count_of(number: u64, thing: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), thing)
}

/// A time as people say it.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// The most memory that the process has had, in octets, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1_024)
}

/// The folder that a rehearsal has for itself. It holds readers' addresses, and is for the owner's eyes alone.
struct Place {
    folder: PathBuf,
    /// Kept locked; the system lets go of it, however the process ends.
    _lock: File,
}

impl Place {
    /// Takes the folder. What a rehearsal left that was killed is removed.
    fn take(directory: &Path) -> Result<Place> {
        let folder = directory.join(FOLDER);
        let path = folder.with_added_extension("lock");
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another rehearsal of this magazine is running"),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        remove(&folder)?;
        make_private(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Place { folder, _lock: lock })
    }

    /// Removes what was rehearsed.
    fn leave(self) -> Result<()> {
        remove(&self.folder)
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
            .with_context(|| format!("cannot remove {}, which holds readers' addresses", folder.display())),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_pace_is_what_a_mailing_takes() {
        let readers = |of_lanes: [u64; 4]| Readers {
            crowd: Crowd::default(),
            number: of_lanes.iter().sum(),
            of_lanes: of_lanes.to_vec(),
        };
        let check = |of_lanes: [u64; 4], per_second: Option<u32>, expected: Option<(u64, &str)>| {
            let paces = paces(&readers(of_lanes), &Lanes::default(), per_second);
            let slowest = paces.iter().max_by_key(|(time, _)| *time);
            let slowest = slowest.map(|(time, why)| (time.as_secs(), why.as_str()));
            assert_eq!(slowest, expected, "{of_lanes:?} {per_second:?}");
        };
        check([1_000, 0, 0, 0], None, None);
        check([1_000, 0, 0, 0], Some(20), Some((50, "1000 messages at 20 a second")));
        check([1_000, 120, 0, 60], Some(20), Some((120, "120 messages to docomo at 60 a minute")));
        check([5_000, 120, 0, 60], Some(20), Some((259, "5180 messages at 20 a second")));
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let check = |milliseconds: u64, expected: &str| {
            assert_eq!(shown(Duration::from_millis(milliseconds)), expected);
        };
        check(340, "0.3 s");
        check(61_000, "1 min 1 s");
        check(7_380_000, "2 h 3 min");
    }
}
