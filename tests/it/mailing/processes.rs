//! Several processes at one mailing, and readers and operators who change their minds while it is sent.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mailmag::deliver::smtp::Stage;
use tempfile::TempDir;

use super::{command, magazine, number, script, served_once, status, told, until};
use crate::support::postgres;
use crate::support::smtp_server::{Act, Play, SmtpServer};

/// A server that takes its time for each message, so that something can happen meanwhile.
pub(super) async fn slow_server() -> SmtpServer {
    SmtpServer::start(script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(25)))])).await
}

pub(super) fn begin(root: &Path, arguments: &[&str]) -> Child {
    command(root, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Nobody got two copies, and who is told to have one has it.
fn check_copies(server: &SmtpServer, accepted: u64, unknown: u64) {
    let taken = served_once(server).len() as u64;
    assert!((accepted..=accepted + unknown).contains(&taken), "{accepted} accepted, {taken} taken");
}

/// Magazines with the same issue and the same list in a PostgreSQL of their own, each with its own way out: as on several machines.
async fn magazines(readers: usize, servers: &[&SmtpServer], connections: usize) -> Vec<TempDir> {
    let url = tokio::task::spawn_blocking(|| postgres::shared().database()).await.unwrap();
    let mut magazines: Vec<TempDir> = Vec::new();
    for server in servers {
        let new = magazine(0, server.port, connections);
        let root = new.path();
        let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
        fs::write(root.join("mailmag.toml"), format!("{settings}\n[store]\nurl = \"{url}\"\n")).unwrap();
        match magazines.first() {
            None => {
                let list: String =
                    (0..readers).map(|number| format!("reader{number}@example.jp\n")).collect();
                fs::write(root.join("list.csv"), format!("email\n{list}")).unwrap();
                told(root, &["subscribers", "import", "list.csv", "--basis", "a test"], 0);
            }
            // The list has one key, wherever it is used.
            Some(first) => _ = fs::copy(first.path().join("mailmag.key"), root.join("mailmag.key")).unwrap(),
        }
        magazines.push(new);
    }
    magazines
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_share_a_mailing_over_postgresql_and_two_of_them_die() {
    const READERS: usize = 1_500;
    const CONNECTIONS: usize = 4;
    let servers = [slow_server().await, slow_server().await, slow_server().await, slow_server().await];
    let taken = || servers.iter().map(SmtpServer::taken_so_far).sum::<usize>();
    let magazines = magazines(READERS, &servers.iter().collect::<Vec<_>>(), CONNECTIONS).await;
    let roots: Vec<&Path> = magazines.iter().map(TempDir::path).collect();
    let mut sender = begin(roots[0], &["send", "1", "--yes"]);
    until("the first has begun", &mut sender, || taken() > 0).await;
    let mut workers = [1, 2, 3].map(|number| begin(roots[number], &["worker"]));
    until("each has delivered", &mut sender, || servers.iter().all(|server| server.taken_so_far() > 0)).await;
    assert!(servers.iter().all(|server| server.taken_so_far() > 0), "each of the four was at it");
    for worker in &mut workers[..2] {
        let before = taken();
        until("some more have left", &mut sender, || taken() >= before + 100).await;
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    assert!(sender.wait().unwrap().success());
    let end = status(roots[0]);
    assert_eq!(end["status"], "done", "{end}");
    let (accepted, unknown) = (number(&end, "accepted"), number(&end, "unknown"));
    assert_eq!(accepted + unknown, READERS as u64, "nobody is lost: {end}");
    assert!(unknown <= 2 * CONNECTIONS as u64, "one for each connection of those that died: {end}");
    let copies: Vec<_> = servers.iter().flat_map(served_once).collect();
    let different: std::collections::BTreeSet<_> = copies.iter().collect();
    assert_eq!(different.len(), copies.len(), "nobody got it from two of them");
    assert!(
        (accepted..=accepted + unknown).contains(&(copies.len() as u64)),
        "{} taken: {end}",
        copies.len()
    );
    terminate(&mut workers[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_sleeps_past_its_lease_does_no_harm_when_it_wakes() {
    const READERS: usize = 600;
    let servers = [slow_server().await, slow_server().await];
    let magazines = magazines(READERS, &[&servers[0], &servers[1]], 2).await;
    let (sleeps, works) = (magazines[0].path(), magazines[1].path());
    let mut sleeper = begin(sleeps, &["send", "1", "--yes"]);
    until("some have left", &mut sleeper, || servers[0].taken_so_far() >= 60).await;
    signal(&sleeper, "-STOP");
    // The other waits until the lease of the one that sleeps is over, and sends all that is left.
    let mut worker = begin(works, &["worker"]);
    until("the other is done", &mut worker, || status(works)["status"] == "done").await;
    let left = [&servers[0], &servers[1]].map(SmtpServer::taken_so_far);
    let before = status(works);
    signal(&sleeper, "-CONT");
    assert!(sleeper.wait().unwrap().success(), "it finds that all is done");
    assert_eq!([&servers[0], &servers[1]].map(SmtpServer::taken_so_far), left, "nothing more has left");
    let end = status(works);
    assert_eq!(end, before, "what it says of old is not kept");
    let (accepted, unknown) = (number(&end, "accepted"), number(&end, "unknown"));
    assert_eq!(accepted + unknown, READERS as u64, "nobody is lost: {end}");
    assert!(unknown <= 2, "one for each connection of the one that slept: {end}");
    let (one, other) = (served_once(&servers[0]), served_once(&servers[1]));
    assert!(one.is_disjoint(&other), "nobody got it from both");
    terminate(&mut worker);
}

fn signal(process: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
}

/// Asks a process to end, and waits until it has: well.
pub(super) fn terminate(process: &mut Child) {
    signal(process, "-TERM");
    assert!(process.wait().unwrap().success(), "it ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_to_end_finishes_what_is_in_flight_and_no_more() {
    const READERS: usize = 600;
    let server = slow_server().await;
    let magazine = magazine(READERS, server.port, 4);
    let root = magazine.path();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("some have left", &mut sender, || server.taken_so_far() >= 40).await;
    terminate(&mut sender);
    let now = status(root);
    assert_eq!((number(&now, "claimed"), number(&now, "unknown")), (0, 0), "{now}");
    assert_eq!(number(&now, "accepted"), server.taken_so_far() as u64, "{now}");
    assert!(number(&now, "queued") > 0, "it was in the middle: {now}");
    told(root, &["send", "1", "--yes"], 0);
    let end = status(root);
    assert_eq!(number(&end, "accepted"), READERS as u64, "{end}");
    check_copies(&server, READERS as u64, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_senders_at_once_send_one_copy() {
    const READERS: usize = 400;
    let server = slow_server().await;
    let in_sqlite = magazine(READERS, server.port, 3);
    two_senders([in_sqlite.path(); 2], &server, READERS).await;
    let server = slow_server().await;
    let in_postgresql = magazines(READERS, &[&server, &server], 3).await;
    two_senders([in_postgresql[0].path(), in_postgresql[1].path()], &server, READERS).await;
}

async fn two_senders(roots: [&Path; 2], server: &SmtpServer, readers: usize) {
    let senders = roots.map(|root| {
        command(root, &["send", "1", "--yes"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for mut sender in senders {
        until("it ends", &mut sender, || false).await;
        let output = sender.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let end = status(roots[0]);
    assert_eq!((end["status"].as_str(), number(&end, "accepted")), (Some("done"), readers as u64), "{end}");
    check_copies(server, readers as u64, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_while_it_is_sent_is_spared() {
    const READERS: usize = 800;
    let server = slow_server().await;
    let magazine = magazine(READERS, server.port, 4);
    let root = magazine.path();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("some have left", &mut sender, || server.taken_so_far() >= 40).await;
    // The last ones in the order of the list, which nobody has claimed yet.
    let gone = [READERS - 1, READERS - 2].map(|number| format!("reader{number}@example.jp"));
    told(root, &["subscribers", "remove", &gone[0]], 0);
    told(root, &["subscribers", "erase", &gone[1], "--yes"], 0);
    assert!(sender.wait().unwrap().success());
    let end = status(root);
    assert_eq!((number(&end, "accepted"), number(&end, "skipped")), (READERS as u64 - 2, 2), "{end}");
    let taken = server.taken();
    assert!(gone.iter().all(|address| !taken.iter().any(|taken| taken.recipient.contains(address))));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_pauses_resumes_and_cancels() {
    const READERS: usize = 1_000;
    let server = slow_server().await;
    let magazine = magazine(READERS, server.port, 4);
    let root = magazine.path();
    for (command, is_last) in [("pause", false), ("cancel", true)] {
        let before = server.taken_so_far();
        let mut sender = begin(root, &["send", "1", "--yes"]);
        until("some have left", &mut sender, || server.taken_so_far() >= before + 40).await;
        told(root, &["mailing", command, "1"], 0);
        assert_eq!(sender.wait().unwrap().code(), Some(2), "it tells that it was stopped");
        let now = status(root);
        assert_eq!((number(&now, "claimed"), number(&now, "unknown")), (0, 0), "{now}");
        assert_eq!(number(&now, "accepted"), server.taken_so_far() as u64, "{now}");
        let left = if is_last { "cancelled" } else { "queued" };
        assert!(number(&now, left) > 0, "{now}");
        if !is_last {
            told(root, &["mailing", "resume", "1"], 0);
        }
    }
    let end = status(root);
    assert_eq!(number(&end, "accepted") + number(&end, "cancelled"), READERS as u64, "{end}");
    check_copies(&server, number(&end, "accepted"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_goes_on_with_what_was_paused() {
    const READERS: usize = 500;
    let server = slow_server().await;
    let magazine = magazine(READERS, server.port, 4);
    let root = magazine.path();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("it is frozen, and has begun", &mut sender, || server.taken_so_far() > 0).await;
    terminate(&mut sender);
    let mut worker = begin(root, &["worker"]);
    let before = server.taken_so_far();
    until("the worker has begun", &mut worker, || server.taken_so_far() >= before + 40).await;
    told(root, &["mailing", "pause", "1"], 0);
    until("nothing is claimed", &mut worker, || number(&status(root), "claimed") == 0).await;
    assert!(number(&status(root), "queued") > 0);
    told(root, &["mailing", "resume", "1"], 0);
    until("it is done", &mut worker, || status(root)["status"] == "done").await;
    assert_eq!(number(&status(root), "accepted"), READERS as u64);
    check_copies(&server, READERS as u64, 0);
    terminate(&mut worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_pace_ends_at_once() {
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(50, server.port, 4);
    let root = magazine.path();
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let paced = settings.replace("connections = 4", "connections = 4\nmessages-per-second = 1");
    fs::write(root.join("mailmag.toml"), paced).unwrap();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("the first has left", &mut sender, || server.taken_so_far() > 0).await;
    terminate(&mut sender);
    let now = status(root);
    assert_eq!((number(&now, "claimed"), number(&now, "unknown")), (0, 0), "{now}");
    assert!(number(&now, "queued") > 40, "the rest waits: {now}");
}
