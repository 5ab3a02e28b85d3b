//! A pace is what leaves, whatever the number of those who send.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::mailing::{InDoubt, Lane, Lanes, MOST_AHEAD, Rate};
use mailmag::store::mailings::{Audience, Mailings, Order, PaceOrder};

use mailmag::deliver::smtp::Stage;

use super::processes::{begin, terminate};
use super::{at, magazine, number, on_both, script, served_once, status, told, until};
use crate::support::smtp_server::{Act, Play, SmtpServer};

/// Writes so many messages a second into the settings.
fn set_rate(root: &Path, per_second: u32) {
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let at_rate = format!("messages-per-second = {per_second}\nconnections");
    fs::write(root.join("mailmag.toml"), settings.replace("connections", &at_rate)).unwrap();
}

/// No message has left before its turn, though the first left at once.
#[track_caller]
fn check_rate(server: &SmtpServer, began: Instant, per_second: f64) {
    let times = server.times();
    let least = Duration::from_secs_f64((times.len() - 1) as f64 / per_second);
    let took = *times.last().unwrap() - began;
    assert!(took >= least, "{} in {took:?}", times.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_and_mailings_share_the_rate_also_after_a_kill() {
    const READERS: usize = 60;
    const RATE: u32 = 30;
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(READERS, server.port, 4);
    let root = magazine.path();
    set_rate(root, RATE);
    fs::copy(root.join("content/issues/1.md"), root.join("content/issues/2.md")).unwrap();
    let began = Instant::now();
    let mut killed = begin(root, &["send", "1", "--yes"]);
    let mut other = begin(root, &["send", "2", "--yes"]);
    until("some have left", &mut killed, || server.taken_so_far() > READERS / 2).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    let mut again = [0, 1].map(|_| begin(root, &["send", "1", "--yes"]));
    for sender in again.iter_mut().chain([&mut other]) {
        assert!(sender.wait().unwrap().success());
    }
    let now = status(root);
    assert_eq!(number(&now, "accepted") + number(&now, "unknown"), READERS as u64, "{now}");
    assert!(server.taken_so_far() >= 2 * READERS - number(&now, "unknown") as usize);
    check_rate(&server, began, f64::from(RATE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_is_never_reached_holds_nobody_back() {
    const READERS: usize = 300;
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(READERS, server.port, 2);
    set_rate(magazine.path(), 1_000_000);
    told(magazine.path(), &["send", "1", "--yes"], 0);
    assert_eq!(served_once(&server).len(), READERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_server_keeps_its_own_connections_and_rate_also_after_a_failover() {
    const READERS: usize = 60;
    const RATE: u32 = 25;
    // The first one closes each connection after its tenth message, and at last every new one.
    let mut plays: Vec<Play> = (1..40).map(|nth| Play::nth(Stage::Banner, nth, Act::Cut)).collect();
    plays.push(Play::nth(Stage::Mail, 10, Act::Cut));
    plays.push(Play::always(Stage::Dot, Act::Late(Duration::from_millis(5))));
    let first = SmtpServer::start(script(plays)).await;
    let second =
        SmtpServer::start(script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(5)))])).await;
    let magazine = magazine(READERS, first.port, 1);
    let root = magazine.path();
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let beside = format!(
        "[[smtp]]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = 3\nmessages-per-second = {RATE}\n",
        second.port
    );
    fs::write(root.join("mailmag.toml"), format!("{settings}{beside}")).unwrap();
    let began = Instant::now();
    told(root, &["send", "1", "--yes"], 0);
    assert_eq!(number(&status(root), "accepted"), READERS as u64);
    assert_eq!((first.taken_so_far(), second.taken_so_far()), (10, READERS - 10));
    // The first has no rate; the second has its own.
    check_rate(&second, began, f64::from(RATE));
    assert_eq!(first.most_open(), 1);
    assert!((1..=3).contains(&second.most_open()), "{}", second.most_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn carriers_domains_need_no_connections_beside_the_others() {
    const READERS: usize = 80;
    let slow = script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(5)))]);
    let server = SmtpServer::start(slow).await;
    let magazine = magazine(READERS, server.port, 2);
    let root = magazine.path();
    let few: String = ["docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp"]
        .map(|domain| format!("a@{domain}\nb@{domain}\n"))
        .concat();
    fs::write(root.join("few.csv"), format!("email\n{few}")).unwrap();
    told(root, &["subscribers", "import", "few.csv", "--basis", "a test"], 0);
    fs::copy(root.join("content/issues/1.md"), root.join("content/issues/2.md")).unwrap();
    // Two mailings at once by one process: there is none beside these two connections either.
    for issue in ["1", "2"] {
        let before = server.taken_so_far();
        let mut sender = begin(root, &["send", issue, "--yes"]);
        until("it has begun", &mut sender, || server.taken_so_far() > before).await;
        terminate(&mut sender);
    }
    let connections = server.connections();
    let mut worker = begin(root, &["worker"]);
    until("as many have left as are no carrier's", &mut worker, || server.taken_so_far() >= 2 * READERS)
        .await;
    terminate(&mut worker);
    assert!(server.connections() > connections);
    assert!(server.most_open() <= 2, "{}", server.most_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_mailings_take_turns_at_one_connection() {
    const READERS: usize = 80;
    let slow = script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(5)))]);
    let server = SmtpServer::start(slow).await;
    let magazine = magazine(READERS, server.port, 1);
    let root = magazine.path();
    fs::copy(root.join("content/issues/1.md"), root.join("content/issues/2.md")).unwrap();
    for issue in ["1", "2"] {
        let before = server.taken_so_far();
        let mut sender = begin(root, &["send", issue, "--yes"]);
        until("it has begun", &mut sender, || server.taken_so_far() > before).await;
        terminate(&mut sender);
    }
    let before = server.taken_so_far();
    told(root, &["worker", "--once"], 0);
    let taken = server.taken();
    assert_eq!(taken.len(), 2 * READERS);
    let of = |mailing: &str| {
        let places = (before..taken.len()).filter(|place| taken[*place].sender.starts_with(mailing));
        places.collect::<Vec<usize>>()
    };
    let (one, other) = (of("b+1."), of("b+2."));
    assert!(
        one[0] < other[other.len() - 1] && other[0] < one[one.len() - 1],
        "neither waits for the other's end"
    );
    assert_eq!(server.most_open(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_has_the_pace_of_the_settings() {
    const SLOW: usize = 25;
    const OTHERS: usize = 40;
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(OTHERS, server.port, 2);
    let root = magazine.path();
    let slow: String = (0..SLOW).map(|number| format!("reader{number}@a.slow.example.jp\n")).collect();
    fs::write(root.join("slow.csv"), format!("email\n{slow}")).unwrap();
    told(root, &["subscribers", "import", "slow.csv", "--basis", "a test"], 0);
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let paced = "[[pace]]\ndomains = [\"slow.example.jp\"]\nconnections = 1\nmessages-per-minute = 600\n";
    fs::write(root.join("mailmag.toml"), format!("{settings}{paced}")).unwrap();
    let began = Instant::now();
    told(root, &["send", "1", "--yes"], 0);
    assert_eq!(number(&status(root), "accepted") as usize, SLOW + OTHERS);
    let taken = server.taken();
    let times = server.times();
    let is_slow = |place: &usize| taken[*place].recipient.ends_with("@a.slow.example.jp");
    let of_slow: Vec<Duration> = (0..taken.len()).filter(is_slow).map(|place| times[place] - began).collect();
    let least = Duration::from_millis(100) * (SLOW as u32 - 1);
    assert!(of_slow[SLOW - 1] >= least, "{of_slow:?}");
    assert!(server.connections() <= 2, "who waits keeps his connection: {}", server.connections());
    // The others do not wait for it.
    let others = (0..taken.len()).filter(|place| !is_slow(place)).map(|place| times[place] - began).max();
    assert!(others.unwrap() < of_slow[SLOW - 1], "{others:?}");
}

#[test]
fn what_was_frozen_for_other_lanes_is_put_into_its_own() {
    on_both(9, |books| {
        let mailing = books.plan(Audience { tag: Some("even".to_owned()), got: None }, InDoubt::Hold);
        let worker = books.worker(1_000);
        let own = Lane {
            name: "own".to_owned(),
            domains: vec!["example.jp".to_owned()],
            connections: None,
            rate: None,
            spares_full_hour: false,
        };
        let number = Lanes::default().all().len();
        let changed = books.mailings.clone().in_lanes(Lanes::with(vec![own]));
        let claim = |mailings: &Mailings, lane: usize, most: usize, now: i64| {
            let order = Order { mailing: mailing.id, worker, lane, after: 0, most, at: at(now) };
            mailings.claim(order).wait().unwrap().deliveries.len()
        };
        assert_eq!(claim(&changed, number, 9, 2), 0, "they were frozen for everybody's");
        assert_eq!(claim(&changed, 0, 9, 2), 0, "they are put where they belong");
        assert_eq!(claim(&changed, number, 2, 3), 2);
        // The settings are as they were.
        assert_eq!(claim(&books.mailings, 0, 9, 4), 0);
        books.mailings.clear_lanes(mailing.id).wait().unwrap();
        assert_eq!(claim(&books.mailings, 0, 9, 5), 3);
        books.mailings.release(mailing.id, worker, at(6)).wait().unwrap();
        books.mailings.clear_lanes(mailing.id).wait().unwrap();
        assert_eq!(claim(&books.mailings, 0, 9, 7), 5);
        assert_eq!(books.sums(&mailing).claimed, 5);
    });
}

#[test]
fn nobody_has_a_slot_that_another_has() {
    on_both(0, |books| {
        let rate = Rate { messages: 100, per: Duration::from_secs(1) };
        let order = |pace: &str, most, now: i64| PaceOrder {
            pace: pace.to_owned(),
            rate,
            most,
            ahead: MOST_AHEAD,
            at: at(0) + TimeDelta::milliseconds(now),
        };
        let others = Mailings::open(&books.settings).unwrap();
        let one = books.mailings.slots(order("a", 10, 0)).wait().unwrap().taken;
        let two = others.slots(order("a", 10, 3)).wait().unwrap().taken;
        let since = |slots: &[DateTime<Utc>]| -> Vec<i64> {
            slots.iter().map(|slot| (*slot - at(0)).num_milliseconds()).collect()
        };
        assert_eq!(
            (since(&one), since(&two)),
            ((0..100).step_by(10).collect(), (100..200).step_by(10).collect())
        );
        let other_pace = others.slots(order("b", 1, 7)).wait().unwrap().taken;
        assert_eq!(since(&other_pace), [7]);
        // Many at once.
        let asked: Vec<_> = (0..40)
            .map(|number| {
                let asked = if number % 2 == 0 { &books.mailings } else { &others };
                asked.slots(order("a", 1, 10))
            })
            .collect();
        let slots: Vec<i64> =
            asked.into_iter().flat_map(|asked| since(&asked.wait().unwrap().taken)).collect();
        let slots: BTreeSet<i64> = slots.into_iter().collect();
        // The last that is near enough is half a second ahead.
        assert_eq!(slots, (200..=510).step_by(10).collect());
    });
}
