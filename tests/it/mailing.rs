//! Mailings: every reader once, whatever ends the sender, on both databases.

mod doubts;
mod faults;
mod held;
mod paced;
mod processes;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::deliver::smtp::Stage;
use mailmag::list::{Evidence, Limits, Nonce, Request, StoreKey, Via};
use mailmag::mailing::{DeliveryStatus, InDoubt, Sums, Verdict, after};
use mailmag::model::{Language, Source};
use mailmag::store::mailings::{
    Audience, Claimed, Delivery, Ended, FrozenLetter, Mailing, MailingStatus, Mailings, NewMailing, Order,
    Planned, Step, WorkerId,
};
use mailmag::store::{Settings, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::store::address;
use crate::support::postgres;
use crate::support::smtp_server::{Act, Play, Script, Security, SmtpServer};

/// A magazine with one issue, so many readers, and a way out to a port of this machine.
fn magazine(readers: usize, port: u16, connections: usize) -> TempDir {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    let settings = format!(
        r#"
[magazine]
name = "小さな通信"
publisher = "小さな編集部"
commercial = false
[mail]
from = "小さな通信 <news@mag.example>"
subject = "小さな通信 Vol.{{{{ issue.number }}}}"
[blog]
url = "https://blog.mag.example"
[web]
url = "https://list.mag.example"
[[smtp]]
host = "127.0.0.1"
port = {port}
tls = "none"
connections = {connections}
"#
    );
    fs::write(root.join("mailmag.toml"), settings).unwrap();
    fs::create_dir_all(root.join("content/issues")).unwrap();
    fs::write(root.join("content/footer.md"), "解除はいつでもできます。\n").unwrap();
    fs::write(root.join("content/issues/1.md"), "+++\ndate = 2026-05-14\n+++\n\n# はじめに\n\n本文です。\n")
        .unwrap();
    let list: String = (0..readers).map(|number| format!("reader{number}@example.jp\n")).collect();
    fs::write(root.join("list.csv"), format!("email\n{list}")).unwrap();
    told(root, &["subscribers", "import", "list.csv", "--basis", "a test"], 0);
    folder
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    command.current_dir(root).args(arguments).stdin(Stdio::null());
    command
}

fn run(root: &Path, arguments: &[&str]) -> Output {
    command(root, arguments).output().unwrap()
}

/// What a command writes to stdout; it must end as wanted.
fn told(root: &Path, arguments: &[&str], status: i32) -> String {
    let output = run(root, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn status(root: &Path) -> Value {
    serde_json::from_str(&told(root, &["mailing", "status", "1", "--json"], 0)).unwrap()
}

/// The number that a status has, and that all of them add up to what was planned.
fn number(status: &Value, name: &str) -> u64 {
    let of = |name: &str| status[name].as_u64().unwrap();
    let parts =
        ["queued", "claimed", "accepted", "deferred", "rejected", "unknown", "cancelled", "skipped"].map(of);
    assert_eq!(parts.iter().sum::<u64>(), of("planned"), "{status}");
    of(name)
}

/// The status of each address in the report.
fn report(root: &Path) -> BTreeMap<String, String> {
    let lines = told(root, &["mailing", "report", "1", "--json"], 0);
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["email"].as_str().unwrap().to_owned(), line["status"].as_str().unwrap().to_owned())
    };
    lines.lines().map(line).collect()
}

fn script(plays: Vec<Play>) -> Script {
    let offers = vec!["PIPELINING", "8BITMIME"];
    Script { offers, security: Security::Clear, plays, asks_for_nothing: false, login: "", unknown: "" }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_lost_and_nobody_gets_it_twice_though_the_sender_is_killed() {
    killed(1_200, 4, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes: cargo test --test it -- --ignored two_hundred"]
async fn nobody_is_lost_and_nobody_gets_it_twice_though_the_sender_is_killed_two_hundred_times() {
    killed(10_000, 10, 200).await;
}

/// Sends to so many readers over so many connections, and kills the sender so many times: each time at a moment that a seed says,
/// before any message has left or after some have.
async fn killed(readers: usize, connections: usize, most: usize) {
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(readers, server.port, connections);
    let root = magazine.path();
    let (mut kills, mut unknown, mut seed) = (0, 0, 20_260_514_u64);
    let mut below = |most: usize| {
        // Knuth's linear congruential generator (MMIX).
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    while kills < most && server.taken_so_far() < readers - 100 {
        let before = server.taken_so_far();
        let mut sender = command(root, &["send", "1", "--yes"]).stderr(Stdio::null()).spawn().unwrap();
        let (more, then) = (below(2 * readers / most), Duration::from_micros(below(3_000) as u64));
        // Once it is frozen.
        let more = more.max(usize::from(kills == 0));
        until("some have left", &mut sender, || server.taken_so_far() >= before + more).await;
        tokio::time::sleep(then).await;
        sender.kill().unwrap();
        sender.wait().unwrap();
        kills += 1;
        let now = status(root);
        assert_eq!(number(&now, "planned"), readers as u64);
        // What the one before had in flight: this one has found it.
        let more = number(&now, "unknown") - unknown;
        assert!(more <= connections as u64, "one for each connection: {more} at kill {kills}, {now}");
        unknown += more;
    }
    told(root, &["send", "1", "--yes"], 0);
    let end = status(root);
    assert_eq!(end["status"], "done", "{end}");
    assert_eq!(number(&end, "accepted") + number(&end, "unknown"), readers as u64, "nobody is lost: {end}");
    assert!(number(&end, "unknown") <= (kills * connections) as u64, "one for each connection: {end}");
    let addresses = served_once(&server);
    assert!(kills > most / 2, "it was killed {kills} times only");
    for (address, status) in report(root) {
        match status.as_str() {
            "accepted" => assert!(addresses.contains(&address), "{address} is told to have it"),
            other => assert_eq!(other, "unknown", "{address}"),
        }
    }
    let verified = run(root, &["mailing", "verify", "1"]);
    assert!(verified.status.success());
    assert_eq!(String::from_utf8_lossy(&verified.stdout).lines().count() as u64, number(&end, "unknown"));
}

/// The addresses that the server has mail for; none of them has two copies.
#[track_caller]
fn served_once(server: &SmtpServer) -> BTreeSet<String> {
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for taken in server.taken() {
        let address = taken.recipient.trim_start_matches('<').trim_end_matches('>');
        *copies.entry(address.to_owned()).or_default() += 1;
    }
    let twice: Vec<&String> =
        copies.iter().filter(|(_, copies)| **copies > 1).map(|(address, _)| address).collect();
    assert_eq!(twice, Vec::<&String>::new(), "nobody gets it twice");
    copies.into_keys().collect()
}

/// Waits until something is so, or the process has ended.
async fn until(what: &str, process: &mut Child, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() && process.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_the_server_has_its_end() {
    let plays = vec![
        Play::nth(Stage::Rcpt, 2, Act::Say(b"550 5.1.1 unknown user\r\n")),
        Play::nth(Stage::Rcpt, 5, Act::Say(b"450 4.2.0 greylisted\r\n")),
        Play::nth(Stage::Dot, 3, Act::Cut),
    ];
    let server = SmtpServer::start(script(plays)).await;
    let magazine = magazine(12, server.port, 1);
    let root = magazine.path();
    told(root, &["send", "1", "--yes"], 0);
    let end = status(root);
    let parts = ["accepted", "rejected", "deferred", "unknown"].map(|name| number(&end, name));
    assert_eq!(parts, [9, 1, 1, 1], "{end}");
    assert_eq!(
        (&end["bounces"]["hard"], &end["complaints"]),
        (&0.into(), &0.into()),
        "a refusal is rejected once"
    );
    let stats: Value = serde_json::from_str(&told(root, &["subscribers", "stats", "--json"], 0)).unwrap();
    assert_eq!(
        stats["status"]["suppressed: hard bounce"], 1,
        "whom the server does not know gets no more mail: {stats}"
    );
    let lines = told(root, &["mailing", "report", "1", "--json"], 0);
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for line in lines.filter(|line| line["status"] == "rejected") {
        let bounce = &line["bounce"];
        assert_eq!((&bounce["kind"], &bounce["hardness"]), (&"refusal".into(), &"hard".into()), "{line}");
        assert_eq!(
            (&bounce["status"], &bounce["reason"]),
            (&"5.1.1".into(), &"unknown-user".into()),
            "{line}"
        );
        let shown = told(root, &["subscribers", "show", line["email"].as_str().unwrap()], 0);
        assert!(shown.contains("Came back of mailing 1: refusal") && shown.contains("550 5.1.1"), "{shown}");
    }
    assert_eq!(end["status"], "running", "one is still due");
    // Sent again it goes on, and finds nothing that is due.
    told(root, &["send", "1", "--yes"], 0);
    assert_eq!(number(&status(root), "accepted"), 9);
    told(root, &["mailing", "cancel", "1"], 0);
    let end = status(root);
    assert_eq!(
        (number(&end, "cancelled"), number(&end, "deferred"), &end["status"]),
        (1, 0, &"cancelled".into())
    );
    assert_eq!(run(root, &["send", "1", "--yes"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_waited_for() {
    let plays = (0..3).map(|nth| Play::nth(Stage::Banner, nth, Act::Cut)).collect();
    let server = SmtpServer::start(script(plays)).await;
    // One reader alone: nobody else's turn fills the time until the server is asked again.
    let magazine = magazine(1, server.port, 1);
    told(magazine.path(), &["send", "1", "--yes"], 0);
    let end = status(magazine.path());
    assert_eq!((number(&end, "accepted"), &end["status"]), (1, &"done".into()), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lacks_what_the_law_asks_for_is_looked_at_and_not_sent() {
    let server = SmtpServer::start(script(Vec::new())).await;
    let folder = magazine(3, server.port, 2);
    let root = folder.path();
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    fs::write(root.join("mailmag.toml"), settings.replace("commercial = false\n", "")).unwrap();
    let rules = |stderr: &[u8]| {
        let stderr = String::from_utf8_lossy(stderr).into_owned();
        let level =
            |rule: &str| ["error", "warning"].map(|level| stderr.contains(&format!("{level}[{rule}]")));
        ["no-way-to-leave", "no-postal-address", "no-contact"].map(level)
    };
    let as_warnings = [[false, true]; 3];
    for looked_at in [&["check"][..], &["send", "1", "--dry-run", "out"], &["send", "1", "--rehearse"]] {
        let output = run(root, looked_at);
        assert_eq!((output.status.code(), rules(&output.stderr)), (Some(0), as_warnings), "{looked_at:?}");
    }
    let refused = run(root, &["send", "1", "--yes"]);
    assert_eq!((refused.status.code(), rules(&refused.stderr)), (Some(1), [[true, false]; 3]));
    assert_eq!(server.taken().len(), 0);
    told(root, &["mailing", "status", "1"], 2);
    // What the warnings ask for.
    let footer = "発行: 小さな編集部\n\n[配信の停止](mailmag:unsubscribe)はいつでも。\n\n〒100-0001 東京都\n\nnews@mag.example\n";
    fs::write(root.join("content/footer.md"), footer).unwrap();
    assert_eq!(rules(&run(root, &["check"]).stderr), [[false; 2]; 3]);
    told(root, &["send", "1", "--yes"], 0);
    assert_eq!(server.taken().len(), 3);
    // What was approved goes on, whatever is asked for afterwards; a correction is asked for anew.
    fs::write(root.join("content/footer.md"), "あとがき\n").unwrap();
    told(root, &["send", "1", "--correction", "--yes"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_fault_pauses_and_marks_nobody() {
    let plays = vec![Play::always(Stage::Mail, Act::Say(b"550 5.7.1 not from you\r\n"))];
    let server = SmtpServer::start(script(plays)).await;
    let magazine = magazine(20, server.port, 1);
    let root = magazine.path();
    let output = run(root, &["send", "1", "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("paused") && stderr.contains("5.7.1 not from you"), "{stderr}");
    let end = status(root);
    assert_eq!((number(&end, "queued"), &end["status"]), (20, &"paused".into()));
    let output = run(root, &["send", "1", "--yes"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("mailing resume 1"), "the remedy is told");
    told(root, &["mailing", "resume", "1"], 0);
    assert_eq!(status(root)["status"], "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_cannot_be_sent_is_our_own_fault_and_ends() {
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(9, server.port, 2);
    let root = magazine.path();
    fs::remove_file(root.join("content/issues/1.md")).unwrap();
    // A finished mail goes out as it is: here with a carriage return that no line feed follows.
    let mail = "Date: Thu, 14 May 2026 09:00:00 +0900\r\nFrom: news@mag.example\r\nSubject: No.1\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nVol.1 2026/05/14\r\n\r\na\rb\r\n";
    fs::write(root.join("content/issues/1.eml"), mail).unwrap();
    let output = run(root, &["send", "1", "--yes"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the letter cannot be sent"), "{stderr}");
    assert!(server.taken().is_empty());
    let end = status(root);
    assert_eq!(number(&end, "queued"), 9, "nobody is marked: {end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_its_readers_own_parts_and_what_is_changed_is_refused() {
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(3, server.port, 2);
    let root = magazine.path();
    told(root, &["send", "1", "--dry-run", "messages"], 0);
    let written = fs::read_to_string(root.join("messages/1.eml")).unwrap();
    assert!(server.taken().is_empty(), "a dry run sends nothing");
    told(root, &["send", "1", "--test", "editor@mag.example"], 0);
    assert_eq!(server.taken().len(), 1);
    told(root, &["send", "1", "--yes"], 0);
    let taken = server.taken();
    let links: BTreeSet<String> = taken[1..]
        .iter()
        .map(|taken| {
            let text = String::from_utf8_lossy(&taken.octets);
            let link = text.split("<https://list.mag.example/u/").nth(1).unwrap().split('>').next().unwrap();
            assert!(text.contains("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
            assert!(taken.sender.contains("b+1."), "{}", taken.sender);
            link.to_owned()
        })
        .collect();
    assert_eq!(links.len(), 3, "each has a link of his own");
    assert!(links.iter().any(|link| written.contains(link.as_str())), "the dry run shows the same link");
    let issue = root.join("content/issues/1.md");
    let changed = fs::read_to_string(&issue).unwrap().replace("本文です。", "直した本文です。");
    fs::write(&issue, changed).unwrap();
    let output = run(root, &["send", "1", "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--correction"));
    told(root, &["send", "1", "--correction", "--yes"], 0);
    assert_eq!(server.taken().len(), 7);
}

/// Mailings in a database of its own, with so many readers.
struct Books {
    mailings: Mailings,
    settings: Settings,
    readers: usize,
    _folder: TempDir,
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

/// The same on both databases.
fn on_both(readers: usize, case: impl Fn(&Books)) {
    let folder = TempDir::new().unwrap();
    let in_sqlite = format!("sqlite:{}", folder.path().join("list.db").display());
    for url in [in_sqlite, postgres::shared().database()] {
        let limits = Limits { addresses_per_network: None, ..Limits::default() };
        let key = StoreKey::new([7; 32]);
        let settings = Settings { url, password: None, folder: PathBuf::new(), key, limits };
        let store = Store::open(&settings, at(0)).unwrap();
        for number in 0..readers {
            add(&store, number);
        }
        store.close();
        let mailings = Mailings::open(&settings).unwrap();
        case(&Books { mailings, settings, readers, _folder: TempDir::new().unwrap() });
    }
}

fn add(store: &Store, number: usize) {
    let mut nonce = [9; 16];
    nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
    let tags = if number.is_multiple_of(2) { vec!["even".to_owned()] } else { Vec::new() };
    let request = Request::Add {
        address: address(&format!("reader{number}@example.jp")),
        name: None,
        source: Source::Operator,
        basis: "a test".to_owned(),
        tags,
    };
    store.ask(request, evidence(nonce, at(0))).wait().unwrap();
}

fn evidence(nonce: [u8; 16], at: DateTime<Utc>) -> Evidence {
    Evidence {
        at,
        nonce: Nonce(nonce),
        via: Via::CommandLine,
        language: Language::Japanese,
        wording: None,
        ip: None,
        user_agent: None,
        operator: None,
    }
}

fn new_mailing(digest: &str, in_doubt: InDoubt) -> NewMailing {
    NewMailing {
        issue: 1,
        label: "001".to_owned(),
        correction: 0,
        subject: "小さな通信".to_owned(),
        letter: FrozenLetter { octets: b"From: a@b.jp\r\n\r\ntext\r\n".to_vec(), texts: "[]".to_owned() },
        charset: "UTF-8".to_owned(),
        digest: digest.to_owned(),
        in_doubt,
        created: at(1),
        starts: at(1),
    }
}

impl Books {
    fn plan(&self, audience: Audience, in_doubt: InDoubt) -> Mailing {
        match self.mailings.plan(new_mailing("d1", in_doubt), audience).wait().unwrap() {
            Planned::New(mailing) => mailing,
            other => panic!("{other:?}"),
        }
    }

    fn worker(&self, until: i64) -> WorkerId {
        self.mailings.register("a test".to_owned(), at(until)).wait().unwrap()
    }

    fn claim(&self, mailing: &Mailing, worker: WorkerId, after: i64, most: usize, now: i64) -> Claimed {
        let order = Order { mailing: mailing.id, worker, lane: 0, after, most, at: at(now) };
        self.mailings.claim(order).wait().unwrap()
    }

    fn attempt(&self, delivery: &Delivery, now: i64) -> bool {
        let step = Step { at: at(now), ended: None, attempted: Some(delivery.claim()) };
        self.mailings.step(step).wait().unwrap().1
    }

    fn end(&self, delivery: &Delivery, verdict: Verdict, now: i64) -> bool {
        let next = after(verdict, delivery.attempts + 1, at(now), at(now), InDoubt::Hold);
        let ended = Ended { claim: delivery.claim(), next, reply: "so it was".to_owned(), returned: None };
        self.mailings.step(Step { at: at(now), ended: Some(ended), attempted: None }).wait().unwrap().0
    }

    fn sums(&self, mailing: &Mailing) -> Sums {
        let sums = self.mailings.sums(mailing.id).wait().unwrap();
        assert!(sums.balance(), "{sums:?}");
        sums
    }
}

#[test]
fn a_mailing_is_frozen_once_for_its_audience() {
    on_both(10, |books| {
        let mailing = books.plan(Audience { tag: Some("even".to_owned()), got: None }, InDoubt::Hold);
        assert_eq!(mailing.planned, 5);
        let known = books.mailings.of_issue(1).wait().unwrap();
        assert_eq!(known, std::slice::from_ref(&mailing));
        let planned = |digest| {
            books.mailings.plan(new_mailing(digest, InDoubt::Hold), Audience::default()).wait().unwrap()
        };
        assert_eq!(planned("d1"), Planned::Already(mailing.clone()));
        assert_eq!(planned("d2"), Planned::Other(mailing.clone()));
        assert_eq!(books.sums(&mailing).queued, 5);
    });
}

#[test]
fn workers_share_and_what_a_dead_one_left_is_queued_or_in_doubt() {
    on_both(20, |books| {
        let mailing = books.plan(Audience::default(), InDoubt::Hold);
        let (dead, alive) = (books.worker(10), books.worker(1_000));
        let first = books.claim(&mailing, dead, 0, 8, 2);
        let second = books.claim(&mailing, alive, 0, 8, 2);
        let ids =
            |claimed: &Claimed| claimed.deliveries.iter().map(|one| one.subscriber).collect::<BTreeSet<_>>();
        assert!(ids(&first).is_disjoint(&ids(&second)), "no delivery is claimed twice");
        assert!(books.attempt(&first.deliveries[0], 3));
        assert!(books.attempt(&first.deliveries[1], 3));
        assert!(books.end(&first.deliveries[0], Verdict::Accepted, 4));
        // It sleeps past its lease.
        let expired = books.mailings.expire(at(11)).wait().unwrap();
        assert_eq!((expired.queued, expired.unknown), (6, 1));
        // When it wakes, nothing that it says is kept.
        assert!(!books.attempt(&first.deliveries[2], 12));
        assert!(!books.end(&first.deliveries[1], Verdict::Accepted, 12));
        assert!(!books.mailings.renew(dead, at(12), at(22)).wait().unwrap());
        assert!(books.claim(&mailing, dead, 0, 8, 12).deliveries.is_empty());
        let sums = books.sums(&mailing);
        assert_eq!((sums.accepted, sums.unknown, sums.claimed, sums.queued), (1, 1, 8, 10));
        // One that ends by itself leaves nothing claimed.
        books.mailings.leave(alive, at(13)).wait().unwrap();
        assert_eq!(books.sums(&mailing).queued, 18);
    });
}

#[test]
fn who_leaves_after_the_freeze_is_skipped_and_what_is_paused_is_not_claimed() {
    on_both(6, |books| {
        let mailing = books.plan(Audience::default(), InDoubt::Hold);
        let store = Store::open(&books.settings, at(1)).unwrap();
        let left = Request::Remove(address("reader2@example.jp"));
        store.ask(left, evidence([3; 16], at(2))).wait().unwrap();
        store.close();
        let worker = books.worker(1_000);
        let set = |status| books.mailings.set_status(mailing.id, status, None, at(3)).wait().unwrap();
        assert!(set(MailingStatus::Paused));
        assert!(books.claim(&mailing, worker, 0, 10, 3).deliveries.is_empty());
        assert!(set(MailingStatus::Running));
        let claimed = books.claim(&mailing, worker, 0, 10, 3);
        assert_eq!((claimed.deliveries.len(), claimed.skipped), (5, 1));
        assert!(books.end(&claimed.deliveries[0], Verdict::Deferred, 4));
        let due = books.mailings.next_due(mailing.id).wait().unwrap();
        assert_eq!(due, Some(at(4) + TimeDelta::minutes(5)));
        assert!(books.claim(&mailing, worker, 0, 10, 5).deliveries.is_empty(), "it is not due yet");
        let again = books.claim(&mailing, worker, 0, 10, 305);
        assert_eq!((again.deliveries.len(), again.deliveries[0].attempts), (1, 1));
        assert!(set(MailingStatus::Cancelled));
        assert!(!set(MailingStatus::Running), "what was cancelled stays so");
        let sums = books.sums(&mailing);
        assert_eq!((sums.skipped, sums.claimed), (1, 5));
        let rows = books.mailings.deliveries(mailing.id, 0, 100).wait().unwrap();
        assert_eq!(rows.len(), books.readers);
        assert_eq!(rows.iter().filter(|row| row.status == DeliveryStatus::Skipped).count(), 1);
    });
}

#[test]
fn a_rehearsal_goes_to_everybody_and_leaves_nothing() {
    // Nobody listens on this port: nothing goes there.
    let magazine = magazine(300, 1, 3);
    let root = magazine.path();
    fs::write(root.join("more.csv"), "email\na@docomo.ne.jp\nb@docomo.ne.jp\n").unwrap();
    told(root, &["subscribers", "import", "more.csv", "--basis", "a test"], 0);
    let report = told(root, &["send", "1", "--rehearse"], 0);
    for words in [
        "302 planned = 302 accepted, 0 still to send, 0 otherwise",
        "302 messages, each reader's once; nothing is wrong",
        "over 3 connections",
        "2 messages to docomo at 60 a minute",
    ] {
        assert!(report.contains(words), "{words} is not in {report}");
    }
    told(root, &["mailing", "status", "1"], 2);
    assert!(!root.join(".mailmag/rehearsal").exists());
    assert!(!root.join(".mailmag/senders").exists());
    // It can be done again.
    told(root, &["send", "1", "--rehearse"], 0);
}
