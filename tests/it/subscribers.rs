//! The list by the operator's hand: files in, files out, and the page that proves a consent.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::list::{Evidence, Limits, Nonce, Request, StoreKey, Token, TokenKind, Via};
use mailmag::model::{EmailAddress, Language};
use mailmag::store::{Settings, Store};
use tempfile::TempDir;

const SETTINGS: &str = r#"
[magazine]
name = "小さな通信"
publisher = "小さな編集部"
timezone = "Asia/Tokyo"
[mail]
from = "小さな通信 <news@mag.example>"
subject = "小さな通信"
[blog]
url = "https://blog.example.jp"
"#;

fn magazine() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("mailmag.toml"), SETTINGS).unwrap();
    folder
}

fn subscribers(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    command.current_dir(folder).env("LOGNAME", "editor").env_remove("SUDO_USER");
    command.arg("subscribers").args(arguments).output().unwrap()
}

/// What a command writes to stdout; it must end as wanted.
fn told(folder: &Path, arguments: &[&str], status: i32) -> String {
    let output = subscribers(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

#[test]
fn ten_thousand_rows_come_in_go_out_and_come_in_again() {
    let magazine = magazine();
    let root = magazine.path();
    let mut list = String::from("email,name,tags\r\n");
    for number in 0..10_000 {
        list.push_str(&format!("reader{number}@example.jp,\"読者, {number}\",会員;=x\r\n"));
    }
    // One that is not, near the end, costs nothing but itself.
    list.push_str("broken,x,\r\n");
    fs::write(root.join("list.csv"), &list).unwrap();
    let sums = told(root, &["import", "list.csv", "--basis", "申込書", "--json"], 1);
    let sums: serde_json::Value = serde_json::from_str(&sums).unwrap();
    assert_eq!((sums["imported"].as_u64(), sums["refused"]["bad"].as_u64()), (Some(10_000), Some(1)));

    let exported = told(root, &["export"], 0);
    assert_eq!(exported.matches("\r\n").count(), 10_001);
    assert!(
        exported.contains("\r\nreader9999@example.jp,\"読者, 9999\",active,import,ja,\"'=x,会員\","),
        "{}",
        &exported[..500]
    );
    for line in told(root, &["export", "--json"], 0).lines() {
        let reader: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(reader["tags"], serde_json::json!(["=x", "会員"]));
    }
    assert_eq!(told(root, &["export", "--status", "suppressed"], 0).lines().count(), 1);
    assert_eq!(told(root, &["export", "--tag", "=x"], 0).lines().count(), 10_001);
    assert_eq!(told(root, &["export", "--tag", "x"], 0).lines().count(), 1);
    // The same list, elsewhere, from what was written.
    let other = self::magazine();
    fs::write(other.path().join("export.csv"), &exported).unwrap();
    told(other.path(), &["import", "export.csv", "--basis", "申込書"], 0);
    let cells = |csv: &str| -> Vec<String> {
        csv.lines().map(|line| line.rsplitn(3, ',').last().unwrap().to_owned()).collect()
    };
    assert_eq!(cells(&told(other.path(), &["export"], 0)), cells(&exported));
    assert!(told(root, &["verify", "--json"], 0).contains("\"whole\": true"));
}

/// The names of all files in a folder, in order.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_list_whose_key_file_is_lost_is_refused_and_no_file_is_written() {
    let magazine = magazine();
    let root = magazine.path();
    told(root, &["add", "taro@example.jp", "--basis", "申込書"], 0);
    let (key, away) = (root.join("mailmag.key"), root.join("backup"));
    fs::rename(&key, &away).unwrap();
    let before = files(root);
    for arguments in [&["stats"][..], &["add", "hanako@example.jp", "--basis", "申込書"], &["verify"]] {
        let output = subscribers(root, arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for wanted in ["mailmag.key", "mailmag.db", "put it back from your backup"] {
            assert!(stderr.contains(wanted), "{wanted}: {stderr}");
        }
        assert_eq!(files(root), before, "{arguments:?}");
    }
    fs::rename(&away, &key).unwrap();
    assert!(told(root, &["verify", "--json"], 0).contains("\"whole\": true"));
    assert_eq!(told(root, &["export"], 0).lines().count(), 2);
}

#[test]
fn nothing_is_kept_of_a_file_that_cannot_be_read_to_its_end() {
    let magazine = magazine();
    let root = magazine.path();
    let mut list = String::from("email,name\n");
    (0..6000).for_each(|number| list.push_str(&format!("reader{number}@example.jp,x\n")));
    list.push_str(&format!("last@example.jp,\"{}\n", "endless ".repeat(20_000)));
    fs::write(root.join("list.csv"), &list).unwrap();
    let output = subscribers(root, &["import", "list.csv", "--basis", "申込書"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the row of line 6002 is longer than 64 KiB"), "{stderr}");
    assert_eq!(told(root, &["export"], 0).lines().count(), 1);
    assert_eq!(told(root, &["imports"], 0), "");
}

#[test]
fn a_refused_row_is_named_however_many_rows_are_taken_after_it() {
    let magazine = magazine();
    let root = magazine.path();
    told(root, &["add", "reader0@example.jp", "--basis", "申込書"], 0);
    told(root, &["remove", "reader0@example.jp"], 0);
    let mut list = String::from("email\n");
    (0..40_000).for_each(|number| list.push_str(&format!("reader{number}@example.jp\n")));
    fs::write(root.join("list.csv"), list).unwrap();
    told(root, &["import", "list.csv", "--basis", "申込書", "--report", "refused.csv"], 1);
    let report = fs::read_to_string(root.join("refused.csv")).unwrap();
    assert!(report.contains("\n2,reader0@example.jp,the reader has left"), "{report}");
}

#[test]
fn a_dry_run_changes_nothing_and_tells_the_same() {
    let magazine = magazine();
    let root = magazine.path();
    fs::write(root.join("list.txt"), "a@example.jp\nb@example.jp\nc\n").unwrap();
    let import = ["import", "list.txt", "--basis", "申込書", "--json"];
    let sums = |told: &str| {
        let mut sums: serde_json::Value = serde_json::from_str(told).unwrap();
        sums["import"].take();
        sums["dry-run"].take();
        sums
    };
    let dry = told(root, &[&import[..], &["--dry-run"]].concat(), 1);
    assert_eq!(told(root, &["export"], 0).lines().count(), 1);
    assert_eq!(told(root, &["imports"], 0), "");
    assert_eq!(sums(&dry), sums(&told(root, &import, 1)));
}

#[test]
fn who_is_gone_stays_gone_whatever_a_file_says() {
    let magazine = magazine();
    let root = magazine.path();
    fs::write(root.join("list.txt"), "left@example.jp\nerased@example.jp\nhere@example.jp\n").unwrap();
    let import = |status| told(root, &["import", "list.txt", "--basis", "申込書", "--json"], status);
    import(0);
    told(root, &["remove", "LEFT@example.jp"], 0);
    told(root, &["erase", "erased@example.jp", "--yes"], 0);
    let sums: serde_json::Value = serde_json::from_str(&import(1)).unwrap();
    assert_eq!(sums["refused"], serde_json::json!({ "left": 1, "erased": 1 }));
    assert_eq!((sums["imported"].as_u64(), sums["already"].as_u64()), (Some(0), Some(1)));
    told(root, &["undo", "1"], 0);
    // Who left while the import stood has done something since; the erased one cannot come back by another import.
    let exported = told(root, &["export"], 0);
    assert!(exported.contains("left@example.jp,,unsubscribed"), "{exported}");
    assert!(!exported.contains("here@") && !exported.contains("erased@"), "{exported}");
    let sums: serde_json::Value = serde_json::from_str(&import(1)).unwrap();
    assert_eq!(sums["refused"], serde_json::json!({ "left": 1, "erased": 1 }));
    assert_eq!(sums["imported"].as_u64(), Some(1));
}

#[test]
fn a_reader_who_reads_on_is_not_made_to_wait_and_one_who_stops_breaks_nothing() {
    let magazine = magazine();
    let root = magazine.path();
    let list: String = (0..5000).map(|number| format!("reader{number}@example.jp\n")).collect();
    fs::write(root.join("list.txt"), list).unwrap();
    told(root, &["import", "list.txt", "--basis", "申込書"], 0);
    for format in ["--raw", "--json"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mailmag"))
            .current_dir(root)
            .args(["subscribers", "export", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{format}");
    }
}

#[test]
fn stderr_names_no_reader_and_the_report_is_for_its_owner_alone() {
    let magazine = magazine();
    let root = magazine.path();
    let mut list = fs::File::create(root.join("list.csv")).unwrap();
    writeln!(list, "email,name").unwrap();
    (0..30).for_each(|number| writeln!(list, "secret{number}@nowhere,秘密").unwrap());
    let output = subscribers(root, &["import", "list.csv", "--basis", "申込書", "--report", "refused.csv"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("secret") && !stderr.contains("秘密"), "{stderr}");
    assert_eq!(stderr.matches("\nline ").count() + 1, 20);
    assert!(stderr.contains("… and 10 more lines (all are in the report)"), "{stderr}");
    let report = fs::read_to_string(root.join("refused.csv")).unwrap();
    assert_eq!(report.lines().count(), 31);
    assert!(report.contains("31,secret29@nowhere,"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(root.join("refused.csv")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn the_page_of_a_reader_proves_each_step_of_his_consent() {
    let magazine = magazine();
    let root = magazine.path();
    told(root, &["stats"], 0);
    let key = StoreKey::parse(&fs::read_to_string(root.join("mailmag.key")).unwrap()).unwrap();
    let at: DateTime<Utc> = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let settings = Settings {
        url: "sqlite:mailmag.db".to_owned(),
        password: None,
        folder: root.to_owned(),
        key: key.clone(),
        limits: Limits::default(),
    };
    let store = Store::open(&settings, at).unwrap();
    let evidence = |nonce: u8, page: &str, wording: Option<&str>| Evidence {
        at: at + TimeDelta::minutes(i64::from(nonce)),
        nonce: Nonce([nonce; 16]),
        via: Via::Web(page.to_owned()),
        language: Language::Japanese,
        wording: wording.map(str::to_owned),
        ip: Some("203.0.113.7".parse().unwrap()),
        user_agent: Some("Mozilla/5.0 \u{1b}[31m".to_owned()),
        operator: None,
    };
    let request =
        Request::Subscribe { address: address("taro@example.jp"), name: Some("山田太郎".to_owned()) };
    store
        .ask(request, evidence(1, "/subscribe", Some("週に一度お送りします。\n発行: 小さな編集部")))
        .wait()
        .unwrap();
    let token = Token::derive(&key, TokenKind::Confirm, Nonce([1; 16])).digest();
    store.ask(Request::Confirm(token), evidence(2, "/confirm", None)).wait().unwrap();
    store.close();

    let page = told(root, &["show", "taro@example.jp"], 0);
    let message_id = mailmag::list::NoticeKind::Confirm.message_id(Nonce([1; 16]), "mag.example");
    for wanted in [
        "  status          active\n",
        "  source          web\n",
        "Entry 1: applied\n",
        "  time            2023-11-14 22:14:20 UTC (2023-11-15 07:14:20 Asia/Tokyo)\n",
        "  page            /subscribe\n",
        "  IP address      203.0.113.7\n",
        "  network         203.0.113.0/24\n",
        "  user agent      Mozilla/5.0 [31m\n",
        "  wording         週に一度お送りします。\n                  発行: 小さな編集部\n",
        &format!("  mailed          {message_id}\n"),
        "Entry 2: confirmed\n",
        "  page            /confirm\n",
    ] {
        assert!(page.contains(wanted), "{wanted:?} in {page}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&told(root, &["show", "taro@example.jp", "--json"], 0)).unwrap();
    let ledger = json["ledger"].as_array().unwrap();
    assert_eq!(ledger.len(), 2);
    assert_eq!(ledger[1]["digest-before"], ledger[0]["digest"]);
    assert_eq!(ledger[0]["mailed"].as_str(), Some(message_id.as_str()));
    let stats: serde_json::Value = serde_json::from_str(&told(root, &["stats", "--json"], 0)).unwrap();
    assert_eq!(stats["ledger"]["digest"], ledger[1]["digest"]);
    assert_eq!(stats["active-by-source"]["web"], 1);
}

#[test]
fn verify_names_the_first_entry_that_was_changed() {
    let magazine = magazine();
    let root = magazine.path();
    fs::write(root.join("list.txt"), "a@example.jp\nb@example.jp\nc@example.jp\n").unwrap();
    told(root, &["import", "list.txt", "--basis", "申込書"], 0);
    told(root, &["verify"], 0);
    let database = rusqlite::Connection::open(root.join("mailmag.db")).unwrap();
    database.execute("UPDATE ledger SET at = at + 1 WHERE number = 3", []).unwrap();
    drop(database);
    let output = subscribers(root, &["verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("at entry 3:"), "{stderr}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((told["whole"].as_bool(), told["entry"].as_i64()), (Some(false), Some(3)));
}
