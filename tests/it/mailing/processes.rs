//! Several processes at one mailing, and readers and operators who change their minds while it is sent.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mailmag::deliver::smtp::Stage;

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

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_share_a_mailing_over_postgresql_and_two_of_them_die() {
    const READERS: usize = 1_500;
    const CONNECTIONS: usize = 4;
    let server = slow_server().await;
    let magazine = magazine(0, server.port, CONNECTIONS);
    let root = magazine.path();
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let url = tokio::task::spawn_blocking(|| postgres::shared().database()).await.unwrap();
    fs::write(root.join("mailmag.toml"), format!("{settings}\n[store]\nurl = \"{url}\"\n")).unwrap();
    let list: String = (0..READERS).map(|number| format!("reader{number}@example.jp\n")).collect();
    fs::write(root.join("list.csv"), format!("email\n{list}")).unwrap();
    told(root, &["subscribers", "import", "list.csv", "--basis", "a test"], 0);

    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("the first has begun", &mut sender, || server.taken_so_far() > 0).await;
    let mut workers = [0, 1, 2].map(|_| begin(root, &["worker"]));
    until("all are at it", &mut sender, || server.connections() >= 4 * CONNECTIONS).await;
    for worker in &mut workers[..2] {
        let before = server.taken_so_far();
        until("some more have left", &mut sender, || server.taken_so_far() >= before + 100).await;
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    assert!(sender.wait().unwrap().success());
    let end = status(root);
    assert_eq!(end["status"], "done", "{end}");
    let (accepted, unknown) = (number(&end, "accepted"), number(&end, "unknown"));
    assert_eq!(accepted + unknown, READERS as u64, "nobody is lost: {end}");
    assert!(unknown <= 2 * CONNECTIONS as u64, "one for each connection of those that died: {end}");
    check_copies(&server, accepted, unknown);
    terminate(&mut workers[2]);
}

/// Asks a process to end, and waits until it has: well.
pub(super) fn terminate(process: &mut Child) {
    assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
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
    let magazine = magazine(READERS, server.port, 3);
    let root = magazine.path();
    let mut senders = [0, 1].map(|_| begin(root, &["send", "1", "--yes"]));
    for sender in &mut senders {
        assert!(sender.wait().unwrap().success());
    }
    let end = status(root);
    assert_eq!((end["status"].as_str(), number(&end, "accepted")), (Some("done"), READERS as u64), "{end}");
    check_copies(&server, READERS as u64, 0);
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
