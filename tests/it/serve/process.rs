//! The program itself: how it ends, what it keeps, what it says.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mailmag::list::{Limits, Nonce, StoreKey, Token, TokenKind};
use mailmag::model::EmailAddress;
use mailmag::store::{Settings, Store};
use tempfile::TempDir;

use super::{Answer, answer, now, posting, send};

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
confirmations-per-hour = 100000000
requests-per-second = 999999
[[smtp]]
folder = "outbox"
"#;

struct Program {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
    /// What it says on stderr, as it says it.
    said: Arc<Mutex<String>>,
    listening: Option<std::thread::JoinHandle<()>>,
}

impl Program {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("mailmag.toml"), MAGAZINE).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mailmag"))
            .arg("-C")
            .arg(folder.path())
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut stderr, heard) = (child.stderr.take().unwrap(), said.clone());
        let listening = std::thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut octets) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&octets[..read]));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").trim_end_matches('/').parse();
        let address = address.unwrap_or_else(|_| panic!("{line:?} {}", said.lock().unwrap()));
        Program { child, address, folder, said, listening: Some(listening) }
    }

    fn post(&self, path: &str, form: &str) -> Answer {
        send(self.address, posting(path, "", form).as_bytes())
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended: its exit code, and all that it said.
    fn ended(&mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        self.listening.take().unwrap().join().unwrap();
        (status.code(), self.said.lock().unwrap().clone())
    }

    /// Its list, after it has ended.
    fn list(&self) -> (Store, StoreKey) {
        let key = fs::read_to_string(self.folder.path().join("mailmag.key")).unwrap();
        let key = StoreKey::parse(&key).unwrap();
        let settings = Settings {
            url: "sqlite:mailmag.db".to_owned(),
            password: None,
            folder: self.folder.path().to_owned(),
            key: key.clone(),
            limits: Limits::default(),
        };
        (Store::open(&settings, now()).unwrap(), key)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already cannot be ended again.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn what_was_answered_is_kept_whenever_the_program_is_killed() {
    let mut program = Program::start();
    let kept = Mutex::new(Vec::new());
    let asked = AtomicUsize::new(0);
    let child = program.child.id().to_string();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let index = asked.fetch_add(1, Ordering::Relaxed);
                    if index >= 1000 {
                        return;
                    }
                    let form = format!("email=reader{index}@example.jp");
                    let Ok(mut stream) = TcpStream::connect(program.address) else { return };
                    if stream.write_all(posting("/subscribe", "", &form).as_bytes()).is_err() {
                        return;
                    }
                    let mut text = String::new();
                    // The killed one answers nothing.
                    stream.read_to_string(&mut text).ok();
                    if text.starts_with("HTTP/1.1 200 ") {
                        let mut kept = kept.lock().unwrap();
                        kept.push(index);
                        if kept.len() == 600 {
                            assert!(Command::new("kill").args(["-9", &child]).status().unwrap().success());
                        }
                    }
                }
            });
        }
    });
    let (code, _) = program.ended();
    assert_eq!(code, None, "a signal ended it");
    let kept = kept.into_inner().unwrap();
    assert!((600..1000).contains(&kept.len()), "{} were answered", kept.len());
    let (store, _) = program.list();
    for index in &kept {
        let address = EmailAddress::parse(&format!("reader{index}@example.jp")).unwrap();
        assert!(store.subscriber(&address).unwrap().is_some(), "reader{index} was told that all is well");
    }
    store.verify().unwrap();
}

#[test]
fn asked_to_end_it_finishes_what_is_in_work_and_closes_the_rest() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Program::start();
        let idle = TcpStream::connect(program.address).unwrap();
        let mut half = TcpStream::connect(program.address).unwrap();
        half.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        let request = posting("/subscribe", "Expect: 100-continue\r\n", "email=taro@example.jp");
        let (head, form) = request.split_once("\r\n\r\n").unwrap();
        let mut at_work = TcpStream::connect(program.address).unwrap();
        at_work.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        // That the form is asked for tells that the request is in work.
        let mut asked = [0; 25];
        at_work.read_exact(&mut asked).unwrap();
        assert!(asked.starts_with(b"HTTP/1.1 100 Continue"));
        program.signal(signal);
        // It takes no more once it has heard.
        while TcpStream::connect(program.address).is_ok() {
            std::thread::yield_now();
        }
        at_work.write_all(form.as_bytes()).unwrap();
        assert_eq!(answer(&mut at_work).status, 200, "{signal}");
        let (code, said) = program.ended();
        assert_eq!(code, Some(0), "{said}");
        let (store, _) = program.list();
        assert!(store.subscriber(&EmailAddress::parse("taro@example.jp").unwrap()).unwrap().is_some());
        drop(idle);
    }
}

#[test]
fn what_it_says_names_no_reader_and_no_token() {
    let mut program = Program::start();
    let marker = "marker-7f3a";
    let post = |path: &str, form: &str| program.post(path, form).status;
    assert_eq!(post("/subscribe", &format!("email={marker}@example.jp&name={marker}")), 200);
    assert_eq!(post("/subscribe", &format!("email={marker}")), 400);
    assert_eq!(
        post(&format!("/subscribe?email={marker}@example.jp"), &format!("email={marker}@gmial.com")),
        400
    );
    assert_eq!(post(&format!("/u/{marker}"), ""), 404);
    assert_eq!(post(&format!("/{marker}/x"), &format!("email={marker}@example.jp")), 404);
    let well_formed = Token::derive(&StoreKey::new([1; 32]), TokenKind::Unsubscribe, Nonce([1; 16]));
    let well_formed = well_formed.to_text();
    assert_eq!(post(&format!("/u/{well_formed}"), "List-Unsubscribe=One-Click"), 404);
    // Another process holds the list, so that errors are told, too.
    let other = rusqlite::Connection::open(program.folder.path().join("mailmag.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(post("/subscribe", &format!("email={marker}2@example.jp")), 503);
    other.execute_batch("ROLLBACK").unwrap();
    let get = format!(
        "GET /{marker} HTTP/1.1\r\nHost: {marker}.example\r\nUser-Agent: {marker}\r\nX-Forwarded-For: 198.51.100.77\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(send(program.address, get.as_bytes()).status, 421);
    send(
        program.address,
        format!("{marker} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
    );
    program.signal("-TERM");
    let (code, said) = program.ended();
    assert_eq!(code, Some(0), "{said}");
    let (store, key) = program.list();
    // The token that was mailed is made of the nonce that the ledger has.
    let reader = EmailAddress::parse(&format!("{marker}@example.jp")).unwrap();
    let mailed = store.proof(&reader).unwrap()[0].details.mailed.clone().unwrap();
    let octet = |at: usize| u8::from_str_radix(&mailed[2 * at..2 * at + 2], 16).unwrap();
    let mailed = Token::derive(&key, TokenKind::Confirm, Nonce(std::array::from_fn(octet))).to_text();
    assert!(said.matches("access: ").count() >= 8, "{said}");
    for line in [
        "method=\"POST\" route=/u/TOKEN status=404",
        "method=\"POST\" route=none status=404",
        "method=\"other\"",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let key = key.to_text();
    let secrets = [marker, &well_formed, "198.51.100", "127.0.0.1 ", &key].map(str::to_owned);
    for secret in secrets.into_iter().chain([mailed]) {
        assert!(!said.contains(&secret), "{secret}\n{said}");
    }
}
