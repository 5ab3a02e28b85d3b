//! `mailmag inbox` as mail servers and operators run it: nothing is lost, and nothing is done twice.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mailmag::list::{Evidence, Limits, Nonce, NoticeKind, Request, StoreKey, Token, TokenKind, Via};
use mailmag::model::{EmailAddress, Language, Source, Status};
use mailmag::store::{Filter, Settings, Store};
use tempfile::TempDir;

const SETTINGS: &str = r#"
    [magazine]
    name = "等幅通信"
    publisher = "桁そろえ研究会"
    [mail]
    from = "等幅通信 <news@tohaba.example>"
    subject = "unused here"
    [blog]
    url = "https://tohaba.example"
    [web]
    url = "https://mail.tohaba.example"
    [store]
    url = "sqlite:list.db"
    key-file = "list.key"
"#;

/// A magazine with a Maildir.
struct Magazine(TempDir);

impl Magazine {
    fn new() -> Magazine {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("mailmag.toml"), SETTINGS).unwrap();
        fs::write(folder.path().join("list.key"), StoreKey::new([7; 32]).to_text()).unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.path().join("mail").join(part)).unwrap();
        }
        Magazine(folder)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn command(&self, from: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailmag"));
        command.arg("-C").arg(self.0.path()).arg("inbox").arg(from).current_dir(self.0.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, from: &str) -> Output {
        self.command(from).output().unwrap()
    }

    fn pipe(&self, mail: &[u8]) -> Output {
        let mut child = self.command("-").stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(mail).unwrap();
        child.wait_with_output().unwrap()
    }

    fn store(&self) -> Store {
        let settings = Settings {
            url: "sqlite:list.db".to_owned(),
            password: None,
            folder: self.0.path().to_owned(),
            key: StoreKey::new([7; 32]),
            limits: Limits::default(),
        };
        Store::open(&settings, now()).unwrap()
    }

    fn deliver(&self, name: &str, mail: &str) {
        fs::write(self.path("mail/new").join(name), mail).unwrap();
    }

    fn names(&self, part: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(self.path("mail").join(part)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Who is on the list, and how many notices wait.
    fn readers(&self) -> (BTreeSet<String>, u64) {
        let store = self.store();
        let mut readers = BTreeSet::new();
        let mut take = |subscriber: mailmag::model::Subscriber| {
            readers.insert(subscriber.address.as_str().to_owned());
            ControlFlow::Continue(())
        };
        store.each_subscriber(&Filter::default(), &mut take).unwrap();
        (readers, store.stats().unwrap().notices_waiting)
    }
}

#[expect(clippy::disallowed_methods, reason = "the program under test reads the same clock")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn evidence(nonce: u8) -> Evidence {
    Evidence {
        at: now(),
        nonce: Nonce([nonce; 16]),
        via: Via::CommandLine,
        language: Language::Japanese,
        wording: None,
        ip: None,
        user_agent: None,
        operator: Some("test".to_owned()),
    }
}

fn subscription(reader: &str) -> String {
    format!(
        "From: {reader}@example.jp\nTo: news+subscribe@tohaba.example\nMessage-ID: <{reader}@example.jp>\n\n"
    )
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn a_mail_from_a_pipe_is_answered_in_its_character_set() {
    let magazine = Magazine::new();
    let mail = b"From: taro@example.jp\r\nTo: news@tohaba.example\r\nSubject: =?ISO-2022-JP?B?GyRCRVBPPxsoQg==?=\r\n\
        Message-ID: <1@example.jp>\r\n\r\n";
    let output = magazine.pipe(mail);
    assert_eq!(code(&output), Some(0), "{output:?}");
    let store = magazine.store();
    let claimed = store.claim_notices(now(), Duration::from_secs(60), 9).wait().unwrap();
    let notice = &claimed[0].notice;
    assert_eq!((claimed.len(), notice.kind), (1, NoticeKind::Confirm));
    assert_eq!((notice.to.as_str(), notice.charset.as_deref()), ("taro@example.jp", Some("ISO-2022-JP")));
    let reader = store.subscriber(&notice.to).unwrap().unwrap();
    assert_eq!((reader.status, reader.source), (Status::Pending, Source::Mail));
}

#[test]
fn a_token_leaves_at_once_and_a_plain_mail_does_not() {
    let magazine = Magazine::new();
    let address = EmailAddress::parse("taro@example.jp").unwrap();
    let token = {
        let store = magazine.store();
        let add = Request::Add {
            address: address.clone(),
            name: None,
            source: Source::Operator,
            basis: "a test".to_owned(),
            tags: Vec::new(),
        };
        store.ask(add, evidence(1)).wait().unwrap();
        store.ask(Request::SendLinks(address.clone()), evidence(2)).wait().unwrap();
        let claimed = store.claim_notices(now(), Duration::from_secs(60), 9).wait().unwrap();
        Token::derive(store.key(), TokenKind::Unsubscribe, claimed[0].notice.unsubscribe.unwrap())
    };
    let status = || magazine.store().subscriber(&address).unwrap().unwrap().status;
    let plain = "From: taro@example.jp\nTo: news+unsubscribe@tohaba.example\nSubject: unsubscribe\n\n";
    assert_eq!(code(&magazine.pipe(plain.as_bytes())), Some(0));
    assert_eq!(status(), Status::Active, "a sender is easily forged");
    let by_token = format!("From: service@other.example\nTo: u+{}@tohaba.example\n\n", token.to_text());
    assert_eq!(code(&magazine.pipe(by_token.as_bytes())), Some(0));
    assert_eq!(status(), Status::Unsubscribed);
    let output = magazine.pipe(by_token.as_bytes());
    assert_eq!(code(&output), Some(0), "leaving twice is leaving once: {output:?}");
}

#[test]
fn a_list_that_cannot_be_opened_keeps_the_mail_where_it_is() {
    let magazine = Magazine::new();
    fs::create_dir(magazine.path("list.db")).unwrap();
    let output = magazine.pipe(subscription("taro").as_bytes());
    assert_eq!(code(&output), Some(75), "{output:?}");
    magazine.deliver("1.a", &subscription("taro"));
    let output = magazine.run("mail");
    assert_eq!(code(&output), Some(2), "{output:?}");
    assert_eq!(magazine.names("new"), BTreeSet::from(["1.a".to_owned()]));
    fs::write(magazine.path("mailmag.toml"), "[magazine]\n").unwrap();
    assert_eq!(code(&magazine.pipe(subscription("taro").as_bytes())), Some(75), "settings can be mended");
}

#[test]
fn a_large_mail_is_read_to_its_end() {
    let magazine = Magazine::new();
    let mut mail = subscription("taro").into_bytes();
    mail.extend(std::iter::repeat_n(b'x', 8 << 20));
    let output = magazine.pipe(&mail);
    assert_eq!(code(&output), Some(0), "{output:?}");
    assert_eq!(magazine.readers().1, 1);
}

#[test]
fn what_cannot_be_read_is_told_and_left() {
    let magazine = Magazine::new();
    magazine.deliver("1.a", "no mail at all\n");
    magazine.deliver("2.b", &subscription("taro"));
    let output = magazine.run("mail");
    assert_eq!(code(&output), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("error[unreadable-mail]: this is no mail\n--> mail/new/1.a\n"), "{told}");
    assert_eq!(magazine.names("new"), BTreeSet::from(["1.a".to_owned()]));
    assert_eq!(magazine.names("cur"), BTreeSet::from(["2.b:2,S".to_owned()]));
}

#[test]
fn a_mail_that_is_taken_twice_is_answered_once() {
    let magazine = Magazine::new();
    magazine.deliver("1.a", &subscription("taro"));
    assert_eq!(code(&magazine.run("mail")), Some(0));
    // As if the program had been killed between the list's disk and the Maildir's.
    fs::rename(magazine.path("mail/cur/1.a:2,S"), magazine.path("mail/new/1.a")).unwrap();
    assert_eq!(code(&magazine.run("mail")), Some(0));
    assert_eq!(magazine.readers(), (BTreeSet::from(["taro@example.jp".to_owned()]), 1));
    assert_eq!(magazine.names("cur"), BTreeSet::from(["1.a:2,S".to_owned()]));
}

#[test]
fn two_at_once_take_each_mail_once() {
    let magazine = Magazine::new();
    for reader in 0..300 {
        magazine.deliver(&format!("{reader:03}.a"), &subscription(&format!("reader{reader}")));
    }
    let both: Vec<Child> = (0..2).map(|_| magazine.command("mail").spawn().unwrap()).collect();
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), Some(0), "{output:?}");
    }
    let (readers, notices) = magazine.readers();
    assert_eq!((readers.len(), notices), (300, 300));
    assert_eq!((magazine.names("new").len(), magazine.names("cur").len()), (0, 300));
}

#[test]
fn who_is_killed_in_the_middle_loses_no_mail() {
    let magazine = Magazine::new();
    const MAILS: usize = 2000;
    for reader in 0..MAILS {
        magazine.deliver(&format!("{reader:04}.a"), &subscription(&format!("reader{reader}")));
    }
    let mut child = magazine.command("mail").spawn().unwrap();
    let began = Instant::now();
    while magazine.names("cur").is_empty() && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(60), "it takes mails");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let taken = magazine.names("cur");
    assert_eq!(taken.len() + magazine.names("new").len(), MAILS);
    let (readers, _) = magazine.readers();
    for name in &taken {
        let reader = name.split('.').next().unwrap().trim_start_matches('0');
        let reader = if reader.is_empty() { "0" } else { reader };
        assert!(readers.contains(&format!("reader{reader}@example.jp")), "{name} was taken");
    }
    assert_eq!(code(&magazine.run("mail")), Some(0));
    let (readers, notices) = magazine.readers();
    assert_eq!((readers.len(), notices), (MAILS, MAILS as u64));
    assert!(magazine.names("new").is_empty());
}

#[test]
fn no_address_and_no_token_is_told() {
    let magazine = Magazine::new();
    let token = Token::derive(&StoreKey::new([9; 32]), TokenKind::Unsubscribe, Nonce([1; 16])).to_text();
    magazine.deliver("1.a", &subscription("marker-reader"));
    magazine.deliver("2.b", &format!("From: marker-reader@example.jp\nTo: u+{token}@tohaba.example\n\n"));
    for arguments in [["-v", "--dry-run"], ["-v", "--json"]] {
        let output = magazine.command("mail").args(arguments).output().unwrap();
        assert_eq!(code(&output), Some(0), "{output:?}");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains("2.b") && !told.contains("marker") && !told.contains(&token), "{told}");
    }
    assert!(Path::new(&magazine.path("mail/cur/2.b:2,S")).exists());
}
