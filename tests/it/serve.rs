//! The service that readers meet, over the wire, with a list in a folder of its own.

mod connections;
mod contract;
mod forms;
mod process;
mod proof;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use mailmag::list::{Limits, NoticeKind, StoreKey, Token, TokenKind};
use mailmag::model::EmailAddress;
use mailmag::store::{ClaimedNotice, Settings as StoreSettings, Store};
use mailmag::theme::{Assets, Theme};
use mailmag::web::service::{
    self, Pages, Patience, ProofOfWork, Publication, Running, Settings, Surroundings,
};
use tempfile::TempDir;

/// A service at work, and its list.
struct Served {
    store: Store,
    address: SocketAddr,
    metrics: SocketAddr,
    running: Option<Running>,
    folder: TempDir,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// The time it is in these tests.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_764_000_000, 0).unwrap()
}

/// Bits that are new each time.
fn random() -> [u8; 16] {
    static COUNTED: AtomicU64 = AtomicU64::new(0);
    let mut bits = [7; 16];
    bits[..8].copy_from_slice(&COUNTED.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bits
}

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn settings() -> Settings {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Settings {
        listen: any,
        metrics_listen: any,
        url: "https://mail.example.jp".to_owned(),
        trusted_proxies: Vec::new(),
        connections: 2000,
        connections_per_network: 2000,
        requests_per_second: 1_000_000,
        proof_of_work: ProofOfWork::default(),
        patience: Patience::default(),
    }
}

/// Where the list of a service lies that has no limits.
fn store_settings(folder: &Path) -> StoreSettings {
    StoreSettings {
        url: "sqlite:list.db".to_owned(),
        password: None,
        folder: folder.to_owned(),
        key: key(),
        limits: Limits { addresses_per_network: None, ..Limits::default() },
    }
}

/// A service with other settings and limits than the usual ones of these tests, which keep nobody out.
fn served_with(change: impl FnOnce(&mut Settings), addresses_per_network: Option<u32>) -> Served {
    served_from("sqlite:list.db", change, addresses_per_network)
}

/// The same with a list somewhere else.
fn served_from(url: &str, change: impl FnOnce(&mut Settings), addresses_per_network: Option<u32>) -> Served {
    let folder = TempDir::new().unwrap();
    let limits = Limits { addresses_per_network, ..Limits::default() };
    let store = StoreSettings { url: url.to_owned(), limits, ..store_settings(folder.path()) };
    let store = Store::open(&store, now()).unwrap();
    let mut settings = settings();
    change(&mut settings);
    let theme = Theme::with_assets(&[], Assets::built_in("/theme")).unwrap_or_else(|_| panic!("it is good"));
    let publication = Publication {
        name: "等幅通信".to_owned(),
        publisher: "桁そろえ研究会".to_owned(),
        language: "ja".to_owned(),
        blog: "https://example.jp".to_owned(),
        contact: "news@example.jp".to_owned(),
    };
    let pages = Pages::new(theme, publication, &settings.url).unwrap_or_else(|problem| panic!("{problem:?}"));
    let surroundings = Surroundings { now, random };
    let running = service::begin(settings, pages, store.clone(), surroundings, |_| async {}).unwrap();
    let (address, metrics) = (running.address, running.metrics_address);
    Served { store, address, metrics, running: Some(running), folder }
}

fn served() -> Served {
    served_with(|_| {}, None)
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

impl Served {
    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n\r\n"))
    }

    fn post(&self, path: &str, form: &str) -> Answer {
        self.post_with(path, "", form)
    }

    fn post_with(&self, path: &str, headers: &str, form: &str) -> Answer {
        self.ask(&posting(path, headers, form))
    }

    fn ask(&self, request: &str) -> Answer {
        send(self.address, request.as_bytes())
    }

    /// The notices that wait, which then wait no more.
    fn notices(&self) -> Vec<ClaimedNotice> {
        self.store.claim_notices(now(), Duration::from_secs(3600), 10_000).wait().unwrap()
    }

    /// The token of the newest notice of a kind.
    fn token_of(&self, notice: NoticeKind, kind: TokenKind) -> String {
        let notices = self.notices();
        let claimed = notices.iter().rfind(|claimed| claimed.notice.kind == notice);
        let claimed = claimed.unwrap_or_else(|| panic!("{notice:?} waits"));
        let nonce = match kind {
            TokenKind::Unsubscribe => claimed.notice.unsubscribe.unwrap(),
            _ => claimed.notice.nonce,
        };
        Token::derive(&key(), kind, nonce).to_text()
    }

    /// Subscribes an address and confirms it: its token to leave.
    fn reader(&self, address: &str) -> String {
        assert_eq!(self.post("/subscribe", &format!("email={address}&name=太郎")).status, 200);
        let token = self.token_of(NoticeKind::Confirm, TokenKind::Confirm);
        assert_eq!(self.post(&format!("/confirm/{token}"), "").status, 200);
        self.token_of(NoticeKind::Welcome, TokenKind::Unsubscribe)
    }

    /// A token for a reader's own data.
    fn preferences(&self, address: &str) -> String {
        assert_eq!(self.post("/unsubscribe", &format!("email={address}")).status, 200);
        self.token_of(NoticeKind::Links, TokenKind::Preferences)
    }

    /// What happened to a reader, by the events' names.
    fn events(&self, address: &str) -> Vec<&'static str> {
        let address = EmailAddress::parse(address).unwrap();
        self.store.proof(&address).unwrap().iter().map(|entry| entry.event.name()).collect()
    }
}

impl Answer {
    /// A header's value; none when it is not there.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// All of it but the time.
    fn without_date(&self) -> String {
        let lines = self.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
        format!("{}\n{}", lines.collect::<Vec<_>>().join("\n"), self.body)
    }
}

/// A form as a client sends it that is no browser.
fn posting(path: &str, headers: &str, form: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
}

/// Sends octets, and reads until the other side is done.
fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    answer(&mut stream)
}

fn answer(stream: &mut TcpStream) -> Answer {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => octets.extend_from_slice(&buffer[..read]),
            // Who sends more than is read may hear so by a reset after the answer.
            Err(_) if !octets.is_empty() => break,
            Err(error) => panic!("nothing came back: {error}"),
        }
    }
    let text = String::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A connection that comes from another address of this machine.
fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(IpAddr::from(from), 0)).unwrap();
        socket.connect(to).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}
