//! The service over HTTP: how many readers a second come and go, each durably, what the slow and the guessing cost the
//! others, and how much memory it takes. One machine runs the service, its list in SQLite, and the clients.
//!
//! `cargo bench --bench serve` with 20,000 readers and 100,000 tokens; `READERS=… TOKENS=…` before it for others;
//! `-- postgres://…` behind it for a list in an empty database of PostgreSQL.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and one that cannot go on has failed"
)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs};

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::list::{Limits, Nonce, NoticeKind, StoreKey, Token, TokenKind};
use mailmag::store::{ClaimedNotice, Settings, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 64;
const HALF_OPEN: usize = 1000;

const MAGAZINE: &str = r#"[magazine]
name = "等幅通信"
publisher = "研究会"
language = "ja"
timezone = "Asia/Tokyo"
[mail]
from = "news@example.jp"
subject = "{{ issue.number }}"
[blog]
url = "https://example.jp"
[web]
url = "https://mail.example.jp"
listen = "127.0.0.1:0"
metrics-listen = "127.0.0.1:0"
trusted-proxies = ["127.0.0.1"]
connections = 2000
requests-per-second = 999999
confirmations-per-hour = 999999999
proof-bits = 0
"#;

fn main() {
    let number = |name: &str, usual: usize| {
        #[expect(clippy::disallowed_methods, reason = "how much is measured is said in the environment")]
        let said = env::var(name);
        said.ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    // Among the tests it only shows that it works.
    let (readers, tokens) = match env::args().any(|argument| argument == "--bench") {
        true => (number("READERS", 20_000), number("TOKENS", 100_000)),
        false => (200, 200),
    };
    let folder = tempfile::tempdir().unwrap();
    let url = env::args().find(|argument| argument.starts_with("postgres"));
    let url = url.unwrap_or_else(|| "sqlite:mailmag.db".to_owned());
    let settings = format!("{MAGAZINE}[store]\nurl = \"{url}\"\n");
    fs::write(folder.path().join("mailmag.toml"), settings).unwrap();
    let (mut service, address) = start(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let measure = |what: &str, requests: Vec<String>, expected: u16| {
        let count = requests.len();
        let begun = Instant::now();
        let mut latencies = runtime.block_on(load(address, requests, expected));
        let took = begun.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let at = |share: f64| latencies[((count - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
        println!(
            "{what:40} {:8.0}/s   p50 {:6.2} ms   p99 {:6.2} ms   most {:6.1} ms   memory {} MB",
            count as f64 / took,
            at(0.5),
            at(0.99),
            at(1.0),
            memory(&service, "VmRSS"),
        );
    };

    let subscribe = |from: usize, to: usize| -> Vec<String> {
        (from..to)
            .map(|index| post("/subscribe", index, &format!("email=reader{index}@example.jp&name=太郎")))
            .collect()
    };
    measure("subscribe", subscribe(0, readers), 200);
    let key = StoreKey::parse(&fs::read_to_string(folder.path().join("mailmag.key")).unwrap()).unwrap();
    let settings = Settings {
        url,
        password: None,
        folder: folder.path().to_owned(),
        key: key.clone(),
        limits: Limits::default(),
    };
    let store = Store::open(&settings, now()).unwrap();
    let token = |kind, nonce: Nonce| Token::derive(&key, kind, nonce).to_text();
    let confirmations: Vec<String> = claimed(&store, NoticeKind::Confirm)
        .iter()
        .enumerate()
        .map(|(index, claimed)| {
            post(&format!("/confirm/{}", token(TokenKind::Confirm, claimed.notice.nonce)), index, "")
        })
        .collect();
    measure("confirm", confirmations, 200);
    let departures: Vec<String> = claimed(&store, NoticeKind::Welcome)
        .iter()
        .enumerate()
        .map(|(index, claimed)| {
            let nonce = claimed.notice.unsubscribe.unwrap();
            let path = format!("/u/{}", token(TokenKind::Unsubscribe, nonce));
            post(&path, index, "List-Unsubscribe=One-Click")
        })
        .collect();
    measure("unsubscribe, one click", departures, 200);
    measure("the page", vec![get("/"); readers], 200);

    let half_open = runtime.block_on(half_open(address));
    measure("subscribe beside 1,000 half-open ones", subscribe(readers, readers + readers / 4), 200);
    drop(half_open);

    for round in ["first half", "second half"] {
        let mut requests = Vec::with_capacity(tokens / 2);
        for index in 0..tokens / 2 {
            let mut nonce = [0; 16];
            nonce[..8].copy_from_slice(&index.to_be_bytes());
            let guess =
                Token::derive(&StoreKey::new([round.len() as u8; 32]), TokenKind::Unsubscribe, Nonce(nonce));
            let path = format!("/u/{}", guess.to_text());
            requests.push(post(&path, index, "List-Unsubscribe=One-Click"));
        }
        measure(&format!("random tokens, {round}: no hit"), requests, 404);
    }
    println!("the most memory it ever took: {} MB", memory(&service, "VmHWM"));
    store.close();
    service.kill().unwrap();
    service.wait().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the list is claimed from at the time it is")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn start(folder: &std::path::Path) -> (Child, SocketAddr) {
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut service = Command::new(env!("CARGO_BIN_EXE_mailmag"))
        .arg("-C")
        .arg(folder)
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    (service, address)
}

fn claimed(store: &Store, kind: NoticeKind) -> Vec<ClaimedNotice> {
    let mut all = Vec::new();
    loop {
        let at = now() + TimeDelta::seconds(5);
        let some = store.claim_notices(at, Duration::from_secs(3600), 5000).wait().unwrap();
        if some.is_empty() {
            return all;
        }
        all.extend(some.into_iter().filter(|claimed| claimed.notice.kind == kind));
    }
}

/// A form from a network of its own.
fn post(path: &str, index: usize, form: &str) -> String {
    let [_, a, b, c] = (index as u32).to_be_bytes();
    format!(
        "POST {path} HTTP/1.1\r\nHost: mail.example.jp\r\nX-Forwarded-For: {}.{b}.{c}.1\r\nUser-Agent: bench\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        u32::from(a) + 20,
        form.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: mail.example.jp\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n")
}

/// Sends all of it over the connections: how long each answer took.
async fn load(address: SocketAddr, requests: Vec<String>, expected: u16) -> Vec<Duration> {
    let requests = Arc::new(Mutex::new(VecDeque::from(requests)));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let requests = requests.clone();
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut latencies, mut read) = (Vec::new(), Vec::new());
            loop {
                let Some(request) = requests.lock().unwrap().pop_front() else { return latencies };
                let begun = Instant::now();
                stream.write_all(request.as_bytes()).await.unwrap();
                assert_eq!(status(&mut stream, &mut read).await, expected, "{request}");
                latencies.push(begun.elapsed());
            }
        }));
    }
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await.unwrap());
    }
    latencies
}

/// Reads one whole answer.
async fn status(stream: &mut TcpStream, read: &mut Vec<u8>) -> u16 {
    read.clear();
    loop {
        let mut octets = [0; 8192];
        let more = stream.read(&mut octets).await.unwrap();
        assert!(more > 0, "the service has closed the connection");
        read.extend_from_slice(&octets[..more]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&read[..end]).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap_or("0").parse().unwrap();
        if read.len() >= end + 4 + length {
            return head[9..12].parse().unwrap();
        }
    }
}

/// Connections that have said half of what they want, each from a network of its own where the system allows it.
async fn half_open(address: SocketAddr) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..HALF_OPEN {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST /subscribe HTTP/1.1\r\nHost: mail.exa").await.unwrap();
        open.push(stream);
    }
    open
}

/// What the system says of a process's memory, in megabytes.
fn memory(service: &Child, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
