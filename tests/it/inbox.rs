//! `mailmag inbox` as mail servers and operators run it: nothing is lost, and nothing is done twice.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mailmag::bounce::verp;
use mailmag::list::{Evidence, Limits, Nonce, NoticeKind, Request, StoreKey, Token, TokenKind, Via};
use mailmag::model::{EmailAddress, Language, Source, Status, SubscriberId, Suppression};
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
        store.ask(add(&address), evidence(1)).wait().unwrap();
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

/// The operator's request for a reader.
fn add(address: &EmailAddress) -> Request {
    Request::Add {
        address: address.clone(),
        name: None,
        source: Source::Operator,
        basis: "a test".to_owned(),
        tags: Vec::new(),
    }
}

/// A reader who was added, and his number.
fn reader(magazine: &Magazine, name: &str, nonce: u8) -> SubscriberId {
    let address = EmailAddress::parse(&format!("{name}@example.jp")).unwrap();
    let store = magazine.store();
    store.ask(add(&address), evidence(nonce)).wait().unwrap();
    store.subscriber(&address).unwrap().unwrap().id
}

fn status_of(magazine: &Magazine, name: &str) -> Status {
    let address = EmailAddress::parse(&format!("{name}@example.jp")).unwrap();
    magazine.store().subscriber(&address).unwrap().unwrap().status
}

fn return_path(mailing: i64, subscriber: SubscriberId) -> String {
    let path = verp::Path { mailing, subscriber };
    verp::address(&StoreKey::new([7; 32]), path, "tohaba.example")
}

/// A notice that came to a return path.
fn notice(path: &str, id: &str, action: &str, status: &str, words: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.net\nTo: {path}\nSubject: Undelivered Mail Returned to Sender\n\
         Message-ID: <{id}@mx.example.net>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"==\"\n\n\
         --==\n\nYour mail was not delivered.\n\n--==\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; marker@forwarded.example\n\
         Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {words}\n\n--==--\n"
    )
}

fn unknown(path: &str, id: &str) -> String {
    notice(path, id, "failed", "5.1.1", "550 5.1.1 no such user")
}

fn complaint(to: &str, original: &str) -> String {
    format!(
        "From: feedback@isp.example\nTo: {to}\nSubject: complaint\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"==\"\n\n\
         --==\n\nA reader has complained.\n\n--==\nContent-Type: message/feedback-report\n\n\
         Feedback-Type: abuse\nUser-Agent: test/1\nVersion: 1\n\n--==\nContent-Type: message/rfc822\n\n\
         From: news@tohaba.example\nTo: redacted@redacted.invalid\n{original}Subject: Vol. 1\n\ntext\n--==--\n"
    )
}

#[test]
fn what_comes_back_by_its_own_path_is_taken_in_once() {
    let magazine = Magazine::new();
    let taro = reader(&magazine, "taro", 1);
    let jiro = reader(&magazine, "jiro", 2);
    let path = return_path(1, taro);
    magazine.deliver("1.a", &notice(&path, "delay", "delayed", "4.4.1", "connection timed out"));
    magazine.deliver("2.b", &notice(&path, "full", "failed", "5.2.2", "552 5.2.2 mailbox full"));
    magazine.deliver("3.c", &notice(&path, "full", "failed", "5.2.2", "552 5.2.2 mailbox full"));
    magazine.deliver("4.d", &unknown(&return_path(1, jiro).to_uppercase(), "unknown"));
    let output = magazine.command("mail").arg("--json").output().unwrap();
    assert_eq!(code(&output), Some(0), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let report = |at: usize| &told[at]["report"];
    assert_eq!((&report(0)["kind"], &report(0)["hardness"]), (&"delay".into(), &serde_json::Value::Null));
    assert_eq!((&report(1)["hardness"], &report(1)["reason"]), (&"soft".into(), &"mailbox-full".into()));
    assert_eq!(told[2]["why"], "it was taken before");
    assert_eq!((&report(3)["hardness"], &report(3)["status"]), (&"hard".into(), &"5.1.1".into()));
    assert_eq!(told[3]["suppressed"], true);
    assert!(told.iter().all(|told| told["done"] == true), "{told:?}");
    assert_eq!((magazine.names("new").len(), magazine.names("cur").len()), (0, 4));
    assert_eq!(status_of(&magazine, "taro"), Status::Active);
    assert_eq!(status_of(&magazine, "jiro"), Status::Suppressed(Suppression::HardBounce));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("4 mails: 4 about mail that came back; 1 reader gets no more mail"), "{stderr}");
    let returns = magazine.store().returns(&EmailAddress::parse("taro@example.jp").unwrap()).unwrap();
    assert_eq!(returns.len(), 1, "the delay is none");
}

#[test]
fn what_proves_nothing_does_nothing() {
    let magazine = Magazine::new();
    let taro = reader(&magazine, "taro", 1);
    let right = return_path(1, taro);
    let other = right.replace("b+1.", "b+2.");
    let forged =
        verp::address(&StoreKey::new([8; 32]), verp::Path { mailing: 1, subscriber: taro }, "tohaba.example");
    for (number, path) in
        [other.as_str(), &forged, "news@tohaba.example", "news+unsubscribe@tohaba.example"].iter().enumerate()
    {
        magazine.deliver(&format!("{number}.a"), &unknown(path, &format!("m{number}")));
    }
    let id = "Message-ID: <1.000000000000000000000000@tohaba.example>\n";
    magazine.deliver("5.a", &complaint("news@tohaba.example", id));
    let token = Token::derive(&StoreKey::new([8; 32]), TokenKind::Unsubscribe, Nonce([1; 16])).to_text();
    let leave = format!("List-Unsubscribe: <https://mail.tohaba.example/u/{token}>\n");
    magazine.deliver("6.a", &complaint("abuse@tohaba.example", &leave));
    let output = magazine.run("mail");
    assert_eq!(code(&output), Some(0), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("5 reports do not prove whose mail came back"), "{stderr}");
    assert_eq!(status_of(&magazine, "taro"), Status::Active);
    assert_eq!(magazine.names("new").len(), 5, "people may look at them; the one with a token is nobody's");
    assert!(magazine.store().returns(&EmailAddress::parse("taro@example.jp").unwrap()).unwrap().is_empty());
}

#[test]
fn a_complaint_is_believed_by_the_path_or_the_token_of_the_mail() {
    let magazine = Magazine::new();
    let taro = reader(&magazine, "taro", 1);
    reader(&magazine, "jiro", 2);
    let path = format!("Return-Path: <{}>\n", return_path(1, taro));
    assert_eq!(code(&magazine.pipe(complaint("abuse@tohaba.example", &path).as_bytes())), Some(0));
    assert_eq!(status_of(&magazine, "taro"), Status::Suppressed(Suppression::Complaint));
    let token = Token::derive(&StoreKey::new([7; 32]), TokenKind::Unsubscribe, Nonce([2; 16])).to_text();
    let leave = format!(
        "List-Unsubscribe: <https://mail.tohaba.example/u/{token}>,\n <mailto:u+{token}@tohaba.example>\n"
    );
    assert_eq!(code(&magazine.pipe(complaint("abuse@tohaba.example", &leave).as_bytes())), Some(0));
    assert_eq!(status_of(&magazine, "jiro"), Status::Suppressed(Suppression::Complaint));
}

#[test]
fn looking_at_what_came_back_changes_nothing_and_names_nobody() {
    let magazine = Magazine::new();
    let taro = reader(&magazine, "taro", 1);
    magazine.deliver("1.a", &unknown(&return_path(1, taro), "unknown"));
    for arguments in [["-v", "--dry-run"], ["-v", "--json"]] {
        let output = magazine.command("mail").args(arguments).output().unwrap();
        assert_eq!(code(&output), Some(0), "{output:?}");
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(told.contains("unknown-user") && told.contains("5.1.1"), "{told}");
        assert!(!told.contains("marker") && !told.contains("taro") && !told.contains("b+1"), "{told}");
        let expected = if arguments[1] == "--json" {
            Status::Suppressed(Suppression::HardBounce)
        } else {
            Status::Active
        };
        assert_eq!(status_of(&magazine, "taro"), expected);
    }
}

/// The most memory that a process has had so far, in octets.
#[cfg(target_os = "linux")]
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(target_os = "linux")]
#[test]
fn a_storm_of_bounces_is_taken_in_one_run_in_little_memory() {
    const BOUNCES: usize = 10_000;
    let magazine = Magazine::new();
    let list: String = (0..BOUNCES).map(|number| format!("reader{number}@example.jp\n")).collect();
    fs::write(magazine.path("list.csv"), format!("email\n{list}")).unwrap();
    let mut import = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    import.arg("-C").arg(magazine.0.path()).args(["subscribers", "import"]).arg(magazine.path("list.csv"));
    assert!(import.args(["--basis", "a test"]).output().unwrap().status.success());
    let mut mbox = std::io::BufWriter::new(fs::File::create(magazine.path("storm")).unwrap());
    // Each brings the mail back, with a body that is larger than what it says.
    let body = "text of the mail that came back\n".repeat(300);
    for number in 1..=BOUNCES {
        let path = return_path(1, SubscriberId(number as i64));
        let mail = unknown(&path, &number.to_string());
        let original = format!("--==\nContent-Type: message/rfc822\n\nSubject: Vol. 1\n\n{body}\n--==--\n");
        let mail = mail.replace("\n--==--\n", &format!("\n{original}"));
        writeln!(mbox, "From MAILER-DAEMON Thu May 14 12:00:00 2026\n{mail}").unwrap();
    }
    mbox.into_inner().unwrap();
    let size = fs::metadata(magazine.path("storm")).unwrap().len();
    let mut child = magazine.command("storm").spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(&child).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), Some(0), "{output:?}");
    assert!(size > 80 << 20, "{size}");
    assert!(most < 60 << 20, "{most} octets of memory for an mbox of {size}");
    let stats = magazine.store().stats().unwrap();
    let suppressed = Status::Suppressed(Suppression::HardBounce);
    assert_eq!((stats.of_status(suppressed), stats.returns.hard), (BOUNCES as u64, BOUNCES as u64));
}
