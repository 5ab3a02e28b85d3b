//! What waits in the store goes out: once, whatever happens on the way.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::deliver::notices::{Pace, Pauses, Sending, run, write};
use mailmag::deliver::smtp::{Client, Outbox, Route, Server, Stage, Target, Timeouts, Tls};
use mailmag::list::{Answer, Evidence, Limits, Nonce, Request, StoreKey, Token, TokenDigest, TokenKind, Via};
use mailmag::model::{EmailAddress, Language};
use mailmag::store::{Settings, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{SETTINGS, config, theme};
use crate::support::smtp_server::{Act, Play, Script, Security, SmtpServer};

/// A list, its clock, and whoever sends its notices.
struct Post {
    store: Store,
    key: StoreKey,
    clock: Arc<Mutex<DateTime<Utc>>>,
    nonces: u64,
    sending: Option<(watch::Sender<bool>, JoinHandle<()>)>,
    folder: TempDir,
}

const KEY: [u8; 32] = [7; 32];

impl Post {
    async fn new() -> Post {
        let folder = TempDir::new().unwrap();
        let key = StoreKey::new(KEY);
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let settings = Settings {
            url: "sqlite:list.db".to_owned(),
            password: None,
            folder: folder.path().to_owned(),
            key: key.clone(),
            limits: Limits::default(),
        };
        let store = tokio::task::spawn_blocking(move || Store::open(&settings, at)).await.unwrap().unwrap();
        Post { store, key, clock: Arc::new(Mutex::new(at)), nonces: 0, sending: None, folder }
    }

    fn now(&self) -> DateTime<Utc> {
        *self.clock.lock().unwrap()
    }

    fn later(&self, minutes: i64) {
        *self.clock.lock().unwrap() += TimeDelta::minutes(minutes);
    }

    async fn ask(&mut self, request: Request) -> Answer {
        self.nonces += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonces.to_be_bytes());
        let evidence = Evidence {
            at: self.now(),
            nonce: Nonce(nonce),
            via: Via::Web("/subscribe".to_owned()),
            language: Language::Japanese,
            wording: None,
            ip: None,
            user_agent: None,
            operator: None,
        };
        self.store.ask(request, evidence).await.unwrap()
    }

    async fn subscribe(&mut self, address: &str) {
        let address = EmailAddress::parse(address).unwrap();
        let answer = self.ask(Request::Subscribe { address, name: Some("APPLICANT".to_owned()) }).await;
        assert_eq!(answer, Answer::Taken);
    }

    /// Begins to send to a target, with so many connections.
    fn begin(&mut self, target: Target, connections: usize) {
        let (config, theme, key) = (config(SETTINGS), theme(&[]), self.key.clone());
        let clock = Arc::clone(&self.clock);
        let client = Client::new("mag.example", Timeouts::default()).unwrap();
        let short = Duration::from_millis(5);
        let sending = Sending {
            store: self.store.clone(),
            route: Arc::new(Route { targets: vec![target], client, rest: short }),
            connections,
            per_second: None,
            sender: EmailAddress::parse("news@tohaba.example").unwrap(),
            write: Arc::new(move |notice| {
                write(&config, &theme, &key, "https://mail.tohaba.example", notice)
                    .map_err(|problem| problem.message)
            }),
            clock: Arc::new(move || *clock.lock().unwrap()),
            pace: Pace {
                poll: short,
                idle: Duration::from_millis(100),
                pauses: Pauses { of_server: short, of_ourselves: short, longest: short },
                ..Pace::default()
            },
        };
        let (ending, ended) = watch::channel(false);
        self.sending = Some((ending, tokio::spawn(run(sending, ended))));
    }

    async fn end(&mut self) {
        let (ending, running) = self.sending.take().unwrap();
        ending.send_replace(true);
        running.await.unwrap();
    }

    async fn waiting(&self) -> u64 {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || store.stats().unwrap().notices_waiting).await.unwrap()
    }

    /// Waits until no notice waits.
    async fn until_sent(&self) {
        until("all is sent", async || self.waiting().await == 0).await;
    }
}

/// Looks again and again; a minute is far longer than anything takes here.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn server(port: u16) -> Target {
    Target::Server(Server {
        name: "scripted".into(),
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        login: None,
    })
}

async fn scripted(plays: &[Play]) -> SmtpServer {
    SmtpServer::start(Script {
        offers: vec!["PIPELINING", "8BITMIME"],
        security: Security::Clear,
        plays: plays.to_vec(),
        asks_for_nothing: false,
        login: "",
        unknown: "",
    })
    .await
}

/// The token of the one link of a kind in a mail.
fn token(mail: &[u8], page: &str) -> Option<TokenDigest> {
    let text = String::from_utf8_lossy(mail).into_owned();
    let (_, rest) = text.split_once(&format!("https://mail.tohaba.example/{page}/"))?;
    Some(Token::parse(&rest[..26]).expect("a token").digest())
}

fn mails(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "eml"))
        .map(|path| fs::read(path).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_that_go_out_are_those_that_the_list_knows() {
    let mut post = Post::new().await;
    let outbox = post.folder.path().join("outbox");
    post.begin(Target::Outbox(Outbox { name: "outbox".into(), folder: outbox.clone() }), 2);
    post.subscribe("taro@example.jp").await;
    post.until_sent().await;
    let with = |page: &str| -> (Vec<u8>, TokenDigest) {
        let found: Vec<_> = mails(&outbox)
            .into_iter()
            .filter_map(|mail| token(&mail, page).map(|token| (mail, token)))
            .collect();
        found.into_iter().next().unwrap_or_else(|| panic!("a mail leads to {page}"))
    };
    let (mail, confirm) = with("confirm");
    assert!(!String::from_utf8_lossy(&mail).contains("APPLICANT"));
    assert!(matches!(post.ask(Request::Confirm(confirm)).await, Answer::Done(_)));
    post.until_sent().await;
    let (_, unsubscribe) = with("u");
    let standing = post.store.look(TokenKind::Unsubscribe, unsubscribe, post.now()).await.unwrap();
    assert!(standing.is_some(), "the welcome tells how to leave");
    let address = EmailAddress::parse("taro@example.jp").unwrap();
    post.ask(Request::SendLinks(address)).await;
    post.until_sent().await;
    let (_, preferences) = with("preferences");
    let new = EmailAddress::parse("hanako@example.jp").unwrap();
    assert!(matches!(post.ask(Request::ChangeAddress(preferences, new)).await, Answer::Done(_)));
    post.until_sent().await;
    let to_new =
        mails(&outbox).into_iter().find(|mail| String::from_utf8_lossy(mail).contains("To: hanako@"));
    let change = token(&to_new.expect("the new address is asked"), "confirm").expect("with a link");
    assert!(matches!(post.ask(Request::Confirm(change)).await, Answer::Done(_)));
    post.until_sent().await;
    post.ask(Request::Leave(unsubscribe)).await;
    post.until_sent().await;
    // Confirm, welcome, links, change, changed, goodbye.
    assert_eq!(mails(&outbox).len(), 6);
    post.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_is_deferred_is_tried_again_in_five_minutes() {
    let mut post = Post::new().await;
    let later = Play::nth(Stage::Dot, 0, Act::Say(b"451 4.7.1 greylisted\r\n"));
    let server = scripted(&[later]).await;
    post.begin(self::server(server.port), 1);
    post.subscribe("taro@example.jp").await;
    // With one connection, who comes after another is served when the other is settled.
    let others = ["hanako@example.jp", "jiro@example.jp"];
    for (served, reader) in others.iter().enumerate() {
        post.subscribe(reader).await;
        until("others are served", async || server.taken().len() == served + 1).await;
        assert_eq!(server.taken()[served].recipient, *reader);
        post.later(4 * (1 - served as i64));
    }
    post.later(1);
    post.until_sent().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 3);
    let text = String::from_utf8_lossy(&taken[2].octets).into_owned();
    assert_eq!(taken[2].recipient, "taro@example.jp");
    assert!(text.contains("Date: Wed, 15 Nov 2023 07:13:20 +0900"), "when it was asked for: {text}");
    post.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_is_given_up_and_its_neighbours_are_not() {
    let mut post = Post::new().await;
    let refused = Play::nth(Stage::Rcpt, 0, Act::Say(b"550 5.1.1 no such user\r\n"));
    let server = scripted(&[refused]).await;
    for reader in ["nobody", "taro", "hanako"] {
        post.subscribe(&format!("{reader}@example.jp")).await;
    }
    post.begin(self::server(server.port), 1);
    post.until_sent().await;
    let taken: Vec<String> = server.taken().into_iter().map(|taken| taken.recipient).collect();
    assert_eq!(taken, ["taro@example.jp", "hanako@example.jp"]);
    assert_eq!(server.connections(), 1, "one connection serves them all");
    post.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_our_own_or_of_the_server_costs_no_reader_his_mail() {
    let faults: [(Stage, &'static [u8]); 4] = [
        (Stage::Banner, b"554 5.7.1 go away\r\n"),
        (Stage::Mail, b"550 5.7.1 sender refused\r\n"),
        (Stage::Mail, b"421 4.3.2 shutting down\r\n"),
        (Stage::Rcpt, b"554 5.7.26 not authenticated\r\n"),
    ];
    for (stage, reply) in faults {
        let mut post = Post::new().await;
        let plays: Vec<Play> = (0..3).map(|nth| Play::nth(stage, nth, Act::SayAndCut(reply))).collect();
        let server = scripted(&plays).await;
        for reader in ["taro", "hanako"] {
            post.subscribe(&format!("{reader}@example.jp")).await;
        }
        post.begin(self::server(server.port), 2);
        until("all is sent", async || {
            // Every wait is of 5 ms here, by the list's clock, too, and no lease runs out in so many.
            *post.clock.lock().unwrap() += TimeDelta::milliseconds(5);
            post.waiting().await == 0
        })
        .await;
        let taken: BTreeSet<String> = server.taken().into_iter().map(|taken| taken.recipient).collect();
        assert_eq!(taken.len(), 2, "{stage:?}");
        assert_eq!(server.taken().len(), 2, "{stage:?}");
        post.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_after_the_last_dot_is_not_sent_again_within_the_hour() {
    let mut post = Post::new().await;
    let server = scripted(&[Play::nth(Stage::Dot, 0, Act::Cut)]).await;
    post.subscribe("taro@example.jp").await;
    post.begin(self::server(server.port), 1);
    // With one connection, who comes after another is served when the other is settled.
    let others = ["hanako@example.jp", "jiro@example.jp"];
    for (served, reader) in others.iter().enumerate() {
        post.subscribe(reader).await;
        until("others are served", async || server.taken().len() == served + 2).await;
        assert_eq!(server.taken()[served + 1].recipient, *reader);
        post.later(59 * (1 - served as i64));
    }
    post.later(1);
    post.until_sent().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 4);
    assert_eq!(taken[0], taken[3], "octet for octet, so that the receiver can see the double");
    post.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_in_between_sends_at_most_once_more_and_the_same() {
    let mut post = Post::new().await;
    let server = scripted(&[Play::nth(Stage::Dot, 0, Act::Hang)]).await;
    post.subscribe("taro@example.jp").await;
    post.begin(self::server(server.port), 1);
    until("it is taken", async || server.taken().len() == 1).await;
    // As kill -9 does it: nothing is settled.
    let (_ending, running) = post.sending.take().unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    post.begin(self::server(server.port), 1);
    post.later(14);
    post.subscribe("hanako@example.jp").await;
    until("others are served", async || server.taken().len() == 2).await;
    post.later(2);
    post.until_sent().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 3);
    assert_eq!(taken[0], taken[2]);
    post.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_finishes_what_is_under_way_and_begins_nothing() {
    let mut post = Post::new().await;
    let late = Play::nth(Stage::Dot, 0, Act::Late(Duration::from_millis(300)));
    let server = scripted(&[late]).await;
    for reader in 0..3 {
        post.subscribe(&format!("reader{reader}@example.jp")).await;
    }
    post.begin(self::server(server.port), 1);
    until("the first is under way", async || server.taken().len() == 1).await;
    post.end().await;
    assert_eq!(server.taken().len(), 1);
    assert_eq!(post.waiting().await, 2, "the first is settled");
    assert_eq!(server.commands().last().map(String::as_str), Some("QUIT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_closed_when_nothing_is_sent_over_it() {
    let mut post = Post::new().await;
    let server = scripted(&[]).await;
    post.begin(self::server(server.port), 1);
    post.subscribe("taro@example.jp").await;
    until("it is closed", async || server.commands().last().is_some_and(|line| line == "QUIT")).await;
    post.subscribe("hanako@example.jp").await;
    post.until_sent().await;
    assert_eq!((server.taken().len(), server.connections()), (2, 2));
    post.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_go_out_over_a_few_connections_each_once() {
    let mut post = Post::new().await;
    let server = scripted(&[]).await;
    for reader in 0..200 {
        post.subscribe(&format!("reader{reader}@example.jp")).await;
    }
    post.begin(self::server(server.port), 4);
    post.until_sent().await;
    let readers: BTreeSet<String> = server.taken().into_iter().map(|taken| taken.recipient).collect();
    assert_eq!((server.taken().len(), readers.len()), (200, 200));
    assert!(server.connections() <= 4, "{}", server.connections());
    post.end().await;
}
