//! The list's figures: `cargo bench --bench list [-- READERS]`. The peer is SQLite alone, which keeps the same addresses
//! in one table with one unique index, in one transaction.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use mailmag::list::{
    Answer, Evidence, ImportRow, Limits, Nonce, Request, StoreKey, Token, TokenDigest, TokenKind, Via,
};
use mailmag::model::{EmailAddress, Language, Status};
use mailmag::store::{Settings, Store, StoreError, Verification, Waiting};
use support::{at, import_order, peak_memory};

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    // Among the tests it only shows that it works.
    let usual = if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 2_000 };
    let readers = numbers.first().copied().unwrap_or(usual);
    let folder = tempfile::tempdir().expect("a folder for the list");
    let url = std::env::args().find(|argument| argument.starts_with("postgres"));
    let settings = Settings {
        url: url.unwrap_or_else(|| "sqlite:list.db".to_owned()),
        password: None,
        folder: folder.path().to_owned(),
        key: StoreKey::new([7; 32]),
        limits: Limits { addresses_per_network: None, ..Limits::default() },
    };
    let store = Store::open(&settings, at()).expect("the list opens");

    let ours = time(|| import(&store, readers));
    println!(
        "import of {readers} readers: {:.1} s, {:.1} s of them at work, memory at most {} MB",
        ours.as_secs_f64(),
        seconds_at_work(),
        peak_memory()
    );
    let peer = time(|| plain_sqlite(&folder.path().join("plain.db"), readers));
    println!("  plain SQLite, one table: {:.1} s; ratio {:.1}", peer.as_secs_f64(), ratio(ours, peer));
    let verified = time(|| assert!(matches!(store.verify(), Ok(Verification::Whole { .. }))));
    println!("verification of it: {:.1} s", verified.as_secs_f64());

    let requests = (readers / 20).max(64);
    asks(&store, "subscribe", requests, subscribe);
    asks(&store, "leave", requests, |number| leave(&settings.key, number));
    asks(&store, "leave with a token that is none", requests, |number| {
        Request::Leave(Token::derive(&settings.key, TokenKind::Preferences, nonce(number)).digest())
    });
    looks(&store, requests, |number| {
        Token::derive(&settings.key, TokenKind::Preferences, nonce(number)).digest()
    });
    println!("memory at most {} MB", peak_memory());
    store.close();
}

/// Addresses in no order, as in a file.
fn address(number: u64) -> EmailAddress {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31);
    EmailAddress::parse(&format!("reader{mixed:016x}@example{}.jp", mixed % 97)).expect("an address")
}

fn import(store: &Store, readers: u64) {
    let order = import_order("asked for on paper");
    let mut rows = (1..=readers).map(|number| ImportRow {
        line: number,
        address: address(number),
        name: Some("読者".to_owned()),
        tags: Vec::new(),
        status: Status::Active,
    });
    let report = store.import(&order, &mut rows, &mut |refused| panic!("{refused:?}")).expect("it is taken");
    assert_eq!(report.taken, readers);
}

fn plain_sqlite(path: &Path, readers: u64) {
    let connection = rusqlite::Connection::open(path).expect("a file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE readers (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE); BEGIN",
        )
        .expect("a table");
    {
        let mut insert =
            connection.prepare("INSERT INTO readers (address) VALUES (?1)").expect("a statement");
        for number in 1..=readers {
            insert.execute([address(number).as_str()]).expect("a row");
        }
    }
    connection.execute_batch("COMMIT").expect("it is kept");
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0xAA; 16];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    Nonce(nonce)
}

fn evidence(number: u64) -> Evidence {
    Evidence {
        at: at(),
        nonce: nonce(number),
        via: Via::Web("/subscribe".to_owned()),
        language: Language::Japanese,
        wording: Some("購読する".to_owned()),
        ip: Some([192, 0, 2, 7].into()),
        user_agent: Some("Mozilla/5.0".to_owned()),
        operator: None,
    }
}

fn subscribe(number: u64) -> Request {
    let address = EmailAddress::parse(&format!("new{number}@example.jp")).expect("an address");
    Request::Subscribe { address, name: None }
}

/// Those who have just subscribed leave. Their tokens are made from what their requests carried.
fn leave(key: &StoreKey, number: u64) -> Request {
    Request::Leave(Token::derive(key, TokenKind::Unsubscribe, nonce(number)).digest())
}

/// Asks with 64 requests waiting at any time.
fn asks(store: &Store, name: &str, requests: u64, request: impl Fn(u64) -> Request) {
    let before = seconds_at_work();
    let send = |number| store.ask(request(number), evidence(number));
    let times = waiting(requests, send, |answer: &Answer| !matches!(answer, Answer::TooMany(_)));
    tell(name, requests, &times);
    let work = (seconds_at_work() - before) * 1_000_000.0 / requests as f64;
    println!("  {work:.0} µs of work each");
}

fn looks(store: &Store, requests: u64, digest: impl Fn(u64) -> TokenDigest) {
    let send = |number| store.look(TokenKind::Preferences, digest(number), at());
    let times = waiting(requests, send, Option::is_none);
    tell("look at a token that is none", requests, &times);
}

fn waiting<Value>(
    requests: u64,
    send: impl Fn(u64) -> Waiting<Value>,
    is_good: impl Fn(&Value) -> bool,
) -> (Duration, Vec<Duration>) {
    let begin = Instant::now();
    let mut waiting: VecDeque<(Instant, Waiting<Value>)> = VecDeque::new();
    let mut times = Vec::new();
    let mut finish = |(sent, waiting): (Instant, Waiting<Value>)| {
        let answer: Result<Value, StoreError> = waiting.wait();
        assert!(is_good(&answer.expect("an answer")));
        times.push(sent.elapsed());
    };
    for number in 1..=requests {
        if waiting.len() == 64 {
            waiting.pop_front().into_iter().for_each(&mut finish);
        }
        waiting.push_back((Instant::now(), send(number)));
    }
    waiting.into_iter().for_each(finish);
    times.sort();
    (begin.elapsed(), times)
}

fn tell(name: &str, requests: u64, (whole, times): &(Duration, Vec<Duration>)) {
    let per_second = requests as f64 / whole.as_secs_f64();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!(
        "{name}: {per_second:.0}/s, 64 waiting; half within {:.1} ms, 99 % within {:.1} ms",
        at(50),
        at(99)
    );
}

fn time(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

fn ratio(ours: Duration, peer: Duration) -> f64 {
    ours.as_secs_f64() / peer.as_secs_f64()
}

/// For how long a processor has worked for this process, where the system tells (Linux, in hundredths of a second).
fn seconds_at_work() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
