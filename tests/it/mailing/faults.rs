//! What may go wrong while a mailing is sent: each fault of the server at each stage, a store that goes away, a clock that jumps. The
//! mailer runs in this process, so that its limits of time can be short.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::charset::Charset;
use mailmag::deliver::mailer::{self, Clock, Composer, Event, Finished, Worker};
use mailmag::deliver::smtp::{Client, Door, Route, Server, Stage, Target, Timeouts, Tls};
use mailmag::list::{Limits, StoreKey};
use mailmag::mail::{Letter, Stencil};
use mailmag::mailing::{InDoubt, Sums};
use mailmag::store::mailings::{Audience, Mailing, Mailings, Planned};
use mailmag::store::{Settings, Store, StoreError};
use tempfile::TempDir;

use super::{add, at, new_mailing, script, served_once};
use crate::support::postgres;
use crate::support::smtp_server::{Act, Play, SmtpServer};

/// The octets of each letter, before what is a reader's own.
const LETTER: &[u8] = b"From: news@mag.example\r\nTo: Sample <reader@example.com>\r\nSubject: No.1\r\n\
    Message-ID: <sample@mag.example>\r\nDate: Thu, 14 May 2026 09:00:00 +0900\r\nList-Id: <news.mag.example>\r\n\
    Precedence: bulk\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\
    Content-Transfer-Encoding: 7bit\r\n\r\nText.\r\n";

/// A mailing to so many readers, and how it is sent.
struct Stand {
    list: Settings,
    mailings: Mailings,
    mailing: Mailing,
    sending: mailer::Settings,
    /// What was told of the store: `away` and `back`.
    told: Arc<Mutex<Vec<&'static str>>>,
    _folder: TempDir,
}

impl Stand {
    /// Over so many connections to a server, from a list in an SQLite file.
    fn new(readers: usize, server: &SmtpServer, connections: usize) -> Stand {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("list.db").display());
        Stand::on(url, folder, readers, server, connections)
    }

    fn on(url: String, folder: TempDir, readers: usize, server: &SmtpServer, connections: usize) -> Stand {
        let limits = Limits { addresses_per_network: None, ..Limits::default() };
        let key = StoreKey::new([7; 32]);
        let list = Settings { url, password: None, folder: PathBuf::new(), key, limits };
        let (mailings, planned) = tokio::task::block_in_place(|| {
            let store = Store::open(&list, at(0)).unwrap();
            (0..readers).for_each(|number| add(&store, number));
            store.close();
            let mailings = Mailings::open(&list).unwrap();
            let planned = mailings.plan(new_mailing("d1", InDoubt::Hold), Audience::default()).wait();
            (mailings, planned.unwrap())
        });
        let Planned::New(mailing) = planned else { panic!("{planned:?}") };
        let timeouts = Timeouts {
            banner: Duration::from_millis(400),
            ehlo: Duration::from_millis(400),
            mail: Duration::from_millis(400),
            rcpt: Duration::from_millis(400),
            data: Duration::from_millis(400),
            dot: Duration::from_millis(400),
            ..Timeouts::default()
        };
        let target = Server {
            name: "scripted".into(),
            host: "127.0.0.1".to_owned(),
            port: server.port,
            tls: Tls::None,
            login: None,
        };
        let client = Client::new("news.mag.example", timeouts).unwrap();
        let sending = mailer::Settings {
            route: Arc::new(Route {
                targets: vec![Target::Server(target)],
                client,
                rest: Duration::from_millis(50),
            }),
            doors: [Door::new(connections, None)].into(),
            lanes_keep_pace: true,
            lease: TimeDelta::seconds(10),
            patience: Duration::from_secs(60),
            drain: Duration::from_secs(20),
            clock: movable().1,
        };
        Stand { list, mailings, mailing, sending, told: Arc::default(), _folder: folder }
    }

    fn composer(&self) -> Composer {
        let letter = Letter {
            octets: LETTER.to_vec(),
            charset: Charset::Utf8,
            digest: String::new(),
            texts: Vec::new(),
        };
        Composer {
            stencil: Arc::new(Stencil::new(&letter, at(0)).unwrap()),
            in_utf8: None,
            key: self.list.key.clone(),
            domain: "mag.example".to_owned(),
            web_url: "https://list.mag.example".to_owned(),
            signer: None,
        }
    }

    /// Sends as a worker that lives meanwhile and leaves afterwards, until all is done or `stop` says so.
    async fn send(&self, settings: &mailer::Settings, stop: mailer::Ending) -> Result<Finished, StoreError> {
        let clock = settings.clock.clone();
        let worker = Worker::register(&self.mailings, "a test", settings.lease, clock).await?;
        let (end, ending) = mailer::ending();
        let living = mailer::spawn(worker.clone().live(ending));
        let told = self.told.clone();
        let progress: mailer::Progress = Arc::new(move |event| {
            told.lock().unwrap().extend(match event {
                Event::Attempt(_) => None,
                Event::StoreIsAway(_) => Some("away"),
                Event::StoreIsBack => Some("back"),
            });
        });
        let (mailing, composer, settings) = (self.mailing.clone(), self.composer(), settings.clone());
        let sent =
            mailer::send(&self.mailings, mailing, composer, worker.clone(), settings, progress, stop).await;
        end();
        living.await.unwrap();
        worker.leave().await?;
        sent
    }

    /// Sends until all is done.
    async fn send_all(&self) -> Result<Finished, StoreError> {
        let (_end, ending) = mailer::ending();
        self.send(&self.sending, ending).await
    }

    async fn sums(&self) -> Sums {
        let sums = self.mailings.sums(self.mailing.id).await.unwrap();
        assert!(sums.balance(), "{sums:?}");
        sums
    }
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A clock that goes on by itself, and jumps by as many seconds as a test says.
fn movable() -> (Arc<AtomicI64>, Clock) {
    let jump = Arc::new(AtomicI64::new(0));
    let (began, by) = (Instant::now(), jump.clone());
    let now = move || -> DateTime<Utc> { at(10 + by.load(Ordering::Relaxed)) + began.elapsed() };
    (jump, Arc::new(now))
}

/// What one fault at one stage makes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It went out when the server was asked again, a moment later.
    Again,
    /// It went out at once.
    Accepted,
    /// It waits: the server would not have it now.
    Deferred,
    /// It waits: the fault was ours.
    Queued,
    Rejected,
    Unknown,
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_at_each_stage_has_its_place_in_the_ledger() {
    use Fate::{Accepted, Again, Deferred, Queued, Rejected, Unknown};
    let acts = [
        Act::Say(b"421 4.3.2 going down\r\n"),
        Act::Say(b"451 4.3.0 not now\r\n"),
        Act::Say(b"550 5.1.1 unknown user\r\n"),
        Act::Say(b"554 5.7.1 not from you\r\n"),
        Act::Say(b"no SMTP at all\r\n"),
        Act::Hang,
        Act::Cut,
        Act::Reset,
        Act::Late(Duration::from_millis(40)),
    ];
    let table = [
        //               421    451       5.1.1     5.7.1   garbage  hang     cut      reset    late
        (Stage::Banner, [Again, Again, Queued, Queued, Again, Again, Again, Again, Accepted]),
        (Stage::Ehlo, [Again, Again, Queued, Queued, Again, Again, Again, Again, Accepted]),
        (Stage::Mail, [Again, Again, Queued, Queued, Again, Again, Again, Again, Accepted]),
        (Stage::Rcpt, [Again, Deferred, Rejected, Queued, Again, Again, Again, Again, Accepted]),
        (Stage::Data, [Again, Deferred, Rejected, Queued, Again, Again, Again, Again, Accepted]),
        (Stage::Dot, [Again, Deferred, Rejected, Queued, Unknown, Unknown, Unknown, Unknown, Accepted]),
    ];
    let mut wrong = Vec::new();
    for (stage, fates) in table {
        for (act, expected) in acts.into_iter().zip(fates) {
            let server = SmtpServer::start(script(vec![Play::nth(stage, 0, act)])).await;
            let stand = Stand::new(1, &server, 1);
            let finished = stand.send_all().await.unwrap();
            let sums = stand.sums().await;
            let tried_again = server.connections() > 1;
            let fate = match () {
                () if sums.accepted == 1 && tried_again => Again,
                () if sums.accepted == 1 => Accepted,
                () if sums.deferred == 1 => Deferred,
                () if sums.queued == 1 => Queued,
                () if sums.rejected == 1 => Rejected,
                () if sums.unknown == 1 => Unknown,
                () => panic!("{sums:?}"),
            };
            let is_waiting = matches!(finished, Finished::Waiting(_));
            let is_right = fate == expected && is_waiting == matches!(fate, Deferred | Queued);
            // Whoever is told to have it has it, once; whoever is not has nothing.
            let copies = server.taken().len();
            let copies_are_right = match fate {
                Again | Accepted => copies == 1,
                Unknown => copies <= 1,
                Deferred | Queued | Rejected => copies == 0,
            };
            if !is_right || !copies_are_right {
                wrong.push(format!("{stage:?} {act:?}: {fate:?}, {copies} copies, {finished:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_end_waits_for_a_silent_server_no_longer_than_is_granted() {
    let server = SmtpServer::start(script(vec![Play::nth(Stage::Dot, 5, Act::Hang)])).await;
    let mut stand = Stand::new(30, &server, 2);
    // The server may be silent for minutes; the sender is not to wait for as long.
    stand.sending.drain = Duration::from_millis(300);
    let route = Arc::make_mut(&mut stand.sending.route);
    route.client = Client::new("news.mag.example", Timeouts::default()).unwrap();
    let (end, ending) = mailer::ending();
    let sending = stand.send(&stand.sending, ending);
    let ends = async {
        // The one behind it on the same connection may be held up with it.
        until("all others have left", || server.taken_so_far() >= 29).await;
        end();
    };
    let (finished, ()) = tokio::join!(sending, ends);
    assert_eq!(finished, Ok(Finished::Drained));
    let sums = stand.sums().await;
    assert_eq!((sums.unknown, sums.claimed), (1, 0), "{sums:?}");
    assert_eq!(sums.accepted + sums.unknown, served_once(&server).len() as u64, "{sums:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_locked_is_waited_for() {
    const READERS: usize = 200;
    let server =
        SmtpServer::start(script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(10)))])).await;
    let stand = Stand::new(READERS, &server, 4);
    let path = stand.list.url.strip_prefix("sqlite:").unwrap();
    let other = rusqlite::Connection::open(path).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    let told = stand.told.clone();
    let locks = async {
        until("it is in the middle", || server.taken_so_far() >= 40).await;
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        until("it is told", || told.lock().unwrap().contains(&"away")).await;
        let before = server.taken_so_far();
        assert!(before < READERS, "it was in the middle: {before}");
        // Whatever was under way when the lock began has ended by now, and nothing new begins.
        let still = server.taken_so_far();
        other.execute_batch("ROLLBACK").unwrap();
        still
    };
    let (finished, still) = tokio::join!(stand.send_all(), locks);
    assert_eq!(finished, Ok(Finished::Done));
    assert!(still < READERS);
    assert_eq!(*stand.told.lock().unwrap(), ["away", "back"]);
    let sums = stand.sums().await;
    assert_eq!((sums.accepted, sums.unknown), (READERS as u64, 0), "{sums:?}");
    assert_eq!(served_once(&server).len(), READERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_stays_locked_ends_the_sending_and_loses_nobody() {
    const READERS: usize = 200;
    const CONNECTIONS: usize = 4;
    let server =
        SmtpServer::start(script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(10)))])).await;
    let mut stand = Stand::new(READERS, &server, CONNECTIONS);
    stand.sending.patience = Duration::ZERO;
    let path = stand.list.url.strip_prefix("sqlite:").unwrap();
    let other = rusqlite::Connection::open(path).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    let (_end, ending) = mailer::ending();
    let worker =
        Worker::register(&stand.mailings, "a test", stand.sending.lease, stand.sending.clock.clone())
            .await
            .unwrap();
    let progress: mailer::Progress = Arc::new(|_| {});
    let sending = mailer::send(
        &stand.mailings,
        stand.mailing.clone(),
        stand.composer(),
        worker.clone(),
        stand.sending.clone(),
        progress,
        ending,
    );
    let locks = async {
        until("it is in the middle", || server.taken_so_far() >= 40).await;
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
    };
    let (sent, ()) = tokio::join!(sending, locks);
    assert!(matches!(sent, Err(StoreError::Busy { .. })), "{sent:?}");
    let taken = server.taken_so_far();
    assert!(taken < READERS, "it was in the middle: {taken}");
    other.execute_batch("ROLLBACK").unwrap();
    worker.leave().await.unwrap();
    let sums = stand.sums().await;
    assert!(sums.unknown <= CONNECTIONS as u64, "one for each connection at most: {sums:?}");
    assert!((sums.accepted..=sums.accepted + sums.unknown).contains(&(taken as u64)), "{taken}: {sums:?}");
    // Another sender goes on with the rest.
    assert_eq!(stand.send_all().await, Ok(Finished::Done));
    let sums = stand.sums().await;
    assert_eq!(sums.accepted + sums.unknown, READERS as u64, "{sums:?}");
    served_once(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_and_started_again_is_waited_for() {
    const READERS: usize = 1_000;
    const CONNECTIONS: usize = 4;
    let server =
        SmtpServer::start(script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(5)))])).await;
    let (database, stand) = tokio::task::block_in_place(|| {
        let database = postgres::Server::start(postgres::Settings::default());
        let url = database.database();
        (database, Stand::on(url, TempDir::new().unwrap(), READERS, &server, CONNECTIONS))
    });
    let kills = async {
        // Each time at another point of the way: hundreds of commits a second are under way.
        for kill in 1..=5 {
            until("some more have left", || server.taken_so_far() >= kill * READERS / 7).await;
            tokio::task::block_in_place(|| {
                database.kill();
                database.start_again();
            });
        }
    };
    let (finished, ()) = tokio::join!(stand.send_all(), kills);
    assert_eq!(finished, Ok(Finished::Done));
    let sums = stand.sums().await;
    assert_eq!((sums.accepted, sums.unknown), (READERS as u64, 0), "{sums:?}");
    assert_eq!(served_once(&server).len(), READERS, "nobody is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_neither_doubles_nor_loses_anybody() {
    const READERS: usize = 400;
    let plays = vec![
        Play::nth(Stage::Rcpt, 20, Act::Say(b"450 4.2.0 greylisted\r\n")),
        Play::always(Stage::Dot, Act::Late(Duration::from_millis(10))),
    ];
    let server = SmtpServer::start(script(plays)).await;
    let mut stand = Stand::new(READERS, &server, 4);
    let (jump, clock) = movable();
    stand.sending.clock = clock;
    // So short that the worker says many times meanwhile that it lives.
    stand.sending.lease = TimeDelta::milliseconds(400);
    const DAY: i64 = 24 * 60 * 60;
    let jumps = async {
        for (taken, seconds) in [(60, DAY), (140, -DAY), (220, 3 * DAY), (300, 0)] {
            until("some more have left", || server.taken_so_far() >= taken).await;
            jump.store(seconds, Ordering::Relaxed);
        }
    };
    let (finished, ()) = tokio::join!(stand.send_all(), jumps);
    // Whom the server did not want at first was due when the clock jumped forward, or is due later.
    assert!(matches!(finished, Ok(Finished::Done | Finished::Waiting(_))), "{finished:?}");
    let sums = stand.sums().await;
    assert_eq!((sums.accepted + sums.deferred, sums.unknown), (READERS as u64, 0), "{sums:?}");
    assert!(sums.deferred <= 1, "{sums:?}");
    assert_eq!(served_once(&server).len() as u64, sums.accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_whose_clocks_differ_by_a_day_send_one_copy() {
    const READERS: usize = 600;
    let server =
        SmtpServer::start(script(vec![Play::always(Stage::Dot, Act::Late(Duration::from_millis(10)))])).await;
    let stand = Stand::new(READERS, &server, 2);
    let (jump, clock) = movable();
    jump.store(24 * 60 * 60, Ordering::Relaxed);
    let lease = TimeDelta::milliseconds(400);
    let ahead = mailer::Settings { clock, lease, ..stand.sending.clone() };
    let right = mailer::Settings { lease, ..stand.sending.clone() };
    let (_end, ending) = mailer::ending();
    let (one, other) = tokio::join!(stand.send(&right, ending.clone()), stand.send(&ahead, ending));
    assert_eq!((one, other), (Ok(Finished::Done), Ok(Finished::Done)));
    let sums = stand.sums().await;
    // The one that is ahead takes the other for dead again and again: what that has in flight is in doubt, and not sent again.
    assert_eq!(sums.accepted + sums.unknown, READERS as u64, "{sums:?}");
    let copies = served_once(&server).len() as u64;
    assert!((sums.accepted..=sums.accepted + sums.unknown).contains(&copies), "{copies}: {sums:?}");
}
