//! What is in doubt, what has no room, and who changes his mind while a mailing is under way.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mailmag::deliver::smtp::Stage;

use super::processes::{begin, slow_server, terminate};
use super::{magazine, number, report, script, served_once, status, told, until};
use crate::support::smtp_server::{Act, Play, SmtpServer, Taken};

/// All copies that each address got.
fn copies(server: &SmtpServer) -> BTreeMap<String, Vec<Taken>> {
    let mut copies: BTreeMap<String, Vec<Taken>> = BTreeMap::new();
    for taken in server.taken() {
        copies.entry(taken.recipient.clone()).or_default().push(taken);
    }
    copies
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_sent_again_octet_for_octet_where_the_editor_asks() {
    const READERS: usize = 60;
    let plays = vec![
        // It is taken, and nobody is told so.
        Play::nth(Stage::Dot, 7, Act::Cut),
        Play::always(Stage::Dot, Act::Late(Duration::from_millis(25))),
    ];
    let server = SmtpServer::start(script(plays)).await;
    let magazine = magazine(READERS, server.port, 3);
    let root = magazine.path();
    let send = ["send", "1", "--yes", "--in-doubt", "resend"];
    let mut sender = begin(root, &send);
    until("some have left", &mut sender, || server.taken_so_far() >= 30).await;
    // While three are under way, each for 25 milliseconds.
    sender.kill().unwrap();
    sender.wait().unwrap();
    told(root, &send, 0);
    let end = status(root);
    assert_eq!((number(&end, "accepted"), &end["status"]), (READERS as u64, &"done".into()), "{end}");
    let copies = copies(&server);
    assert_eq!(copies.len(), READERS, "nobody is lost");
    let twice: Vec<_> = copies.values().filter(|copies| copies.len() > 1).collect();
    assert!(
        (1..=4).contains(&twice.len()),
        "the one that was cut, and one for each connection: {}",
        twice.len()
    );
    for copies in twice {
        assert!(copies.iter().all(|copy| copy == &copies[0]), "a receiver can see the double");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_gets_nothing_a_second_later() {
    const READERS: usize = 600;
    let server = slow_server().await;
    let magazine = magazine(READERS, server.port, 4);
    let root = magazine.path();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("some have left", &mut sender, || server.taken_so_far() >= 100).await;
    // Readers whose turn comes soon: some of them are in hand by now, the others are not.
    let mut gone = Vec::new();
    for ahead in [20, 60, 100, 140, 180, 220, 260] {
        let name = format!("reader{}@example.jp", server.taken_so_far() + ahead);
        told(root, &["subscribers", "remove", &name], 0);
        gone.push((name, Instant::now()));
    }
    assert!(sender.wait().unwrap().success());
    let end = status(root);
    assert_eq!(number(&end, "accepted") + number(&end, "skipped"), READERS as u64, "{end}");
    assert!(number(&end, "skipped") > 0, "{end}");
    let times: BTreeMap<String, Instant> =
        server.taken().into_iter().map(|taken| taken.recipient).zip(server.times()).collect();
    for (name, left) in &gone {
        if let Some(time) = times.get(name) {
            assert!(*time < *left + Duration::from_secs(1), "{name} got it {:?} later", *time - *left);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_reached_any_more_is_spared_and_who_moves_gets_it_where_he_is() {
    const READERS: usize = 400;
    let server = slow_server().await;
    let magazine = magazine(READERS, server.port, 2);
    let root = magazine.path();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("some have left", &mut sender, || server.taken_so_far() >= 20).await;
    let list = rusqlite::Connection::open(root.join("mailmag.db")).unwrap();
    list.busy_timeout(Duration::from_secs(30)).unwrap();
    let change = |sql: &str| assert_eq!(list.execute(sql, []).unwrap(), 1, "{sql}");
    change("UPDATE subscribers SET status = 'suppressed' WHERE address = 'reader399@example.jp'");
    change(
        "UPDATE subscribers SET address = 'moved@example.jp', sameness = 'moved@example.jp' WHERE address = 'reader398@example.jp'",
    );
    assert!(sender.wait().unwrap().success());
    let end = status(root);
    assert_eq!((number(&end, "accepted"), number(&end, "skipped")), (READERS as u64 - 1, 1), "{end}");
    let addresses = served_once(&server);
    assert!(addresses.contains("moved@example.jp"));
    assert!(!addresses.contains("reader398@example.jp") && !addresses.contains("reader399@example.jp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_stops_before_the_next_message() {
    const READERS: usize = 3_000;
    const CONNECTIONS: usize = 3;
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(READERS, server.port, CONNECTIONS);
    let root = magazine.path();
    told(root, &["send", "1", "--at", "2099-01-01T00:00", "--yes"], 0);
    let list = rusqlite::Connection::open(root.join("mailmag.db")).unwrap();
    list.execute("UPDATE mailings SET starts = created", []).unwrap();
    drop(list);
    // No file may become much longer than the list is now; a signal would end the process first. The log reaches that soon.
    let blocks = fs::metadata(root.join("mailmag.db")).unwrap().len() / 1_024 + 40;
    let limits = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" send 1 --yes");
    let mut sender = Command::new("bash")
        .args(["-c", &limits, env!("CARGO_BIN_EXE_mailmag")])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(fs::File::create(root.join("told")).unwrap())
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(root.join("told")).unwrap();
    until("it is told", &mut sender, || said().contains("there is no room for")).await;
    assert!(said().contains("nothing is sent until it is there again"), "{}", said());
    // It waits; nothing leaves of which it could not be kept that it does.
    let taken = server.taken_so_far();
    assert!(taken < READERS, "the room was not enough");
    // It is asked to end, though it can keep nothing.
    assert!(Command::new("kill").arg(sender.id().to_string()).status().unwrap().success());
    assert_eq!(sender.wait().unwrap().code(), Some(2), "{}", said());
    assert_eq!(server.taken_so_far(), taken, "nothing has left since");
    told(root, &["send", "1", "--yes"], 0);
    let end = status(root);
    assert_eq!(number(&end, "accepted") + number(&end, "unknown"), READERS as u64, "{end}");
    assert!(number(&end, "unknown") <= CONNECTIONS as u64, "one for each connection: {end}");
    served_once(&server);
    assert_eq!(report(root).len(), READERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_its_database() {
    const READERS: usize = 300;
    let server = slow_server().await;
    let database =
        tokio::task::spawn_blocking(|| crate::support::postgres::Server::start(Default::default()))
            .await
            .unwrap();
    let magazine = magazine(0, server.port, 3);
    let root = magazine.path();
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let url = tokio::task::block_in_place(|| database.database());
    fs::write(root.join("mailmag.toml"), format!("{settings}\n[store]\nurl = \"{url}\"\n")).unwrap();
    let list: String = (0..READERS).map(|number| format!("reader{number}@example.jp\n")).collect();
    fs::write(root.join("list.csv"), format!("email\n{list}")).unwrap();
    told(root, &["subscribers", "import", "list.csv", "--basis", "a test"], 0);
    let told_to = fs::File::create(root.join("told")).unwrap();
    let mut worker = super::command(root, &["worker"]).stderr(told_to).spawn().unwrap();
    let said = || fs::read_to_string(root.join("told")).unwrap();
    until("it is at work", &mut worker, || said().contains("looking for mailings")).await;
    database.kill();
    until("it is told", &mut worker, || said().contains("nothing is sent until it is there again")).await;
    tokio::task::block_in_place(|| database.start_again());
    until("it goes on", &mut worker, || said().contains("the list is there again")).await;
    told(root, &["send", "1", "--yes"], 0);
    assert_eq!(number(&status(root), "accepted"), READERS as u64);
    assert_eq!(served_once(&server).len(), READERS);
    terminate(&mut worker);
}
