//! The list in an SQLite file: the cases of all databases, and what can happen to a file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use mailmag::list::{Answer, Request, StoreKey};
use mailmag::model::Status;
use mailmag::store::{Settings, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::store::{List, address, no_limits};
use crate::store_cases::each_case;

each_case!(list);

/// An empty list in a folder of its own.
fn list() -> (List, TempDir) {
    let folder = TempDir::new().unwrap();
    (List::open(settings(folder.path())), folder)
}

fn settings(folder: &Path) -> Settings {
    Settings {
        url: "sqlite:list.db".to_owned(),
        password: None,
        folder: folder.to_owned(),
        key: List::key(),
        limits: no_limits(),
    }
}

#[test]
fn every_changed_octet_of_the_ledger_is_found() {
    let (mut list, folder) = list();
    list.active("taro@example.jp");
    list.import(&["hanako@example.jp", "jiro@example.jp"]);
    let preferences = list.preferences("jiro@example.jp");
    list.done(Request::Erase(preferences));
    list.pass(TimeDelta::days(91));
    list.active("saburo@example.jp");
    list.store.do_upkeep(list.at).unwrap();
    let unsubscribe = list.active("shiro@example.jp");
    list.done(Request::Leave(unsubscribe));
    assert_eq!(list.fault(), None);
    list.store.close();

    let file = folder.path().join("list.db");
    let whole = fs::read(&file).unwrap();
    let check = |sql: &str| {
        fs::write(&file, &whole).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF").unwrap();
        assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
        drop(connection);
        let list = List::open(settings(folder.path()));
        assert_ne!(list.fault(), None, "{sql}");
    };
    let columns = [
        (
            "ledger",
            "number",
            &["number", "at", "kind", "subscriber", "status", "details", "ip", "previous", "digest"][..],
        ),
        ("ledger_details", "number", &["number", "salt", "text"]),
        ("ledger_ips", "number", &["number", "salt", "text"]),
        ("wordings", "digest", &["digest", "text"]),
        ("barred", "digest", &["digest"]),
        ("heads", "one", &["number", "digest", "seal"]),
        ("subscribers", "id", &["address", "status"]),
    ];
    for (table, key, columns) in columns {
        let keys = texts(&whole, &folder, &format!("SELECT quote({key}) FROM {table}"));
        assert!(!keys.is_empty(), "{table}");
        for at in &keys {
            for column in columns {
                let sql = format!("SELECT quote({column}) FROM {table} WHERE {key} = {at}");
                let value = changed(column, &texts(&whole, &folder, &sql)[0]);
                check(&format!("UPDATE {table} SET {column} = {value} WHERE {key} = {at}"));
            }
            if table != "heads" {
                check(&format!("DELETE FROM {table} WHERE {key} = {at}"));
            }
        }
    }
    for added in [
        "INSERT INTO ledger SELECT number + 1, at, kind, subscriber, status, details, ip, previous, digest FROM ledger \
         ORDER BY number DESC LIMIT 1",
        "INSERT INTO ledger_details SELECT number + 100, salt, text FROM ledger_details LIMIT 1",
        "INSERT INTO ledger_ips SELECT number + 100, salt, text FROM ledger_ips LIMIT 1",
        "INSERT INTO subscribers SELECT id + 100, 'x' || sameness, address, name, status, source, language, tags, \
         created, changed, unsubscribe_nonce, zeroblob(32), confirmation_mailed, links_mailed, waiting_address, \
         waiting_until, returns_until, reason, import FROM subscribers LIMIT 1",
    ] {
        check(added);
    }
}

/// The values of a query of one column on a list's octets.
fn texts(whole: &[u8], folder: &TempDir, sql: &str) -> Vec<String> {
    let file = folder.path().join("whole.db");
    fs::write(&file, whole).unwrap();
    let connection = Connection::open(&file).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// An SQL literal with one octet of it changed.
fn changed(column: &str, literal: &str) -> String {
    match (column, literal) {
        ("status", "NULL") => "'active'".to_owned(),
        ("ip", "NULL") => "zeroblob(32)".to_owned(),
        ("subscriber", "NULL") => "1".to_owned(),
        ("kind", "'left'") => "'returned'".to_owned(),
        ("kind", _) => "'left'".to_owned(),
        ("status", "'active'") => "'pending'".to_owned(),
        ("status", _) => "'active'".to_owned(),
        (_, "'購読する'") => "'講読する'".to_owned(),
        // The last digit or letter of a blob or a text.
        (_, literal) if literal.starts_with('X') || literal.starts_with('\'') => {
            let mut octets = literal.as_bytes().to_vec();
            let at = octets.iter().rposition(u8::is_ascii_alphanumeric).unwrap();
            octets[at] = if octets[at] == b'1' { b'2' } else { b'1' };
            String::from_utf8(octets).unwrap()
        }
        (_, number) => format!("{number} + 1000000"),
    }
}

#[test]
fn an_erased_reader_leaves_no_octet_in_the_files() {
    let (mut list, folder) = list();
    let texts: Vec<String> = (0..3000_u64)
        .map(|number| format!("reader{:016x}@example.jp", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect();
    list.import(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    list.ip = Some([198, 51, 100, 77].into());
    list.active("readerffff@example.jp");
    let preferences = list.preferences("readerffff@example.jp");
    list.done(Request::Rename(preferences, Some("ReaderNamed".to_owned())));
    list.done(Request::ChangeAddress(preferences, address("readernew@example.jp")));
    let all_octets = || {
        let files =
            fs::read_dir(folder.path()).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
        String::from_utf8_lossy(&files.collect::<Vec<_>>().concat()).to_ascii_lowercase()
    };
    crate::return_cases::came_back(&list, "readerffff@example.jp", "552 markerofhis is full");
    let names = ["readerffff", "readernew", "readernamed", "198.51.100", "markerofhis"];
    let octets = all_octets();
    assert!(names.iter().all(|name| octets.contains(name)));
    list.done(Request::Erase(preferences));
    for text in texts.iter().step_by(20) {
        list.done(Request::EraseAddress(address(text)));
    }
    // What is asked next is answered after what was erased is gone from the files.
    list.store.ready().wait().unwrap();
    list.store.close();
    let octets = all_octets();
    let erased = texts.iter().step_by(20).map(|text| text.split('@').next().unwrap());
    for name in names.into_iter().chain(erased) {
        assert!(!octets.contains(name), "{name}");
    }
    assert_eq!(list.fault(), None);
}

#[test]
fn a_list_that_another_process_writes_is_busy_and_recovers() {
    let (mut list, folder) = list();
    let other = Connection::open(folder.path().join("list.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let request = Request::Subscribe { address: address("taro@example.jp"), name: None };
    let refused = list.send(request.clone()).wait();
    assert!(matches!(refused, Err(StoreError::Busy { .. })), "{refused:?}");
    assert_eq!(list.status("taro@example.jp"), None, "it can still be read");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(list.ask(request), Answer::Taken);
    assert_eq!(list.fault(), None);
}

#[test]
fn a_newer_list_and_another_key_are_refused() {
    let (list, folder) = list();
    list.store.close();
    let mut settings = settings(folder.path());
    settings.key = StoreKey::new([8; 32]);
    assert!(matches!(Store::open(&settings, list.at), Err(StoreError::WrongKey { .. })));
    settings.key = List::key();
    let connection = Connection::open(folder.path().join("list.db")).unwrap();
    connection.execute("UPDATE meta SET value = 99 WHERE name = 'schema'", []).unwrap();
    drop(connection);
    let refused = Store::open(&settings, list.at).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused:?}");
    settings.url = "mysql://localhost".to_owned();
    assert!(matches!(Store::open(&settings, list.at), Err(StoreError::Broken { .. })));
    settings.url = "sqlite:no/such/folder/list.db".to_owned();
    assert!(matches!(Store::open(&settings, list.at), Err(StoreError::Unreachable { .. })));
}

#[test]
fn a_damaged_list_is_refused_and_kept() {
    let (list, folder) = list();
    let now = list.at;
    list.store.close();
    let path = folder.path().join("list.db");
    assert!(!folder.path().join("list.db-wal").exists(), "a closed list is one file");
    for damage in
        [&b"no list at all, but long enough to have been read as the head of one: "[..], &[0xFF; 4_096]]
    {
        let octets = damage.repeat(20);
        fs::write(&path, &octets).unwrap();
        let refused = Store::open(&settings(folder.path()), now).unwrap_err();
        let told = refused.to_string();
        assert!(
            told.contains("list.db: it is damaged") && told.contains("restore the list from a backup"),
            "{told}"
        );
        assert_eq!(fs::read(&path).unwrap(), octets, "it is kept as it is");
    }
}

#[test]
fn an_older_list_is_brought_to_the_newest_schema_with_all_that_is_in_it() {
    // As it was before readers who never confirmed were looked for, and before there were mailings.
    let to_third = "CREATE INDEX subscribers_of_import ON subscribers (import); DROP INDEX deliveries_waiting; DROP INDEX subscribers_unconfirmed; DROP TABLE holds; DROP TABLE paces;
         ALTER TABLE mailings DROP COLUMN watched;";
    let to_first = "DROP TABLE deliveries; DROP TABLE mailings; DROP TABLE workers; DROP TABLE returns;
         DROP TABLE histories;";
    for (schema, undoing) in [(3, to_third.to_owned()), (1, format!("{to_third} {to_first}"))] {
        let (mut list, folder) = list();
        list.subscribe("taro@example.jp");
        list.store.close();
        let connection = Connection::open(folder.path().join("list.db")).unwrap();
        connection.execute_batch(&undoing).unwrap();
        connection.execute("UPDATE meta SET value = ?1 WHERE name = 'schema'", [schema]).unwrap();
        drop(connection);
        let store = Store::open(&settings(folder.path()), list.at).unwrap();
        let taro = || store.subscriber(&address("taro@example.jp")).unwrap().map(|taro| taro.status);
        assert_eq!(taro(), Some(Status::Pending));
        assert!(matches!(store.verify(), Ok(mailmag::store::Verification::Whole { .. })));
        store.do_upkeep(list.at + TimeDelta::days(33)).unwrap();
        assert_eq!(taro(), None);
        store.close();
        let mailings = mailmag::store::mailings::Mailings::open(&settings(folder.path())).unwrap();
        assert!(mailings.of_issue(1).wait().unwrap().is_empty(), "there is a place for mailings now");
        drop(mailings);
        let connection = Connection::open(folder.path().join("list.db")).unwrap();
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'subscribers_unconfirmed'";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)), Ok(1));
    }
}

#[cfg(unix)]
#[test]
fn the_list_is_for_its_owners_eyes() {
    use std::os::unix::fs::PermissionsExt;
    let (mut list, folder) = list();
    list.subscribe("taro@example.jp");
    for name in ["list.db", "list.db-wal"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

/// What a child does that is killed, or that meets a full disk: subscribes one reader after another, several at a time,
/// and names each on a line of its own when it was told that he is kept; at an error, says `full` and stops.
#[test]
#[ignore = "run by the tests below, in a process of its own"]
#[allow(clippy::disallowed_methods, reason = "a child is told its folder by the environment")]
fn a_child_that_subscribes() {
    let Some(folder) = std::env::var_os("LIST_FOLDER") else { return };
    let mut list = List::open(settings(Path::new(&folder)));
    let mut out = std::io::stdout().lock();
    for hundred in 0..100 {
        let names: Vec<String> =
            (0..16).map(|number| format!("reader{hundred}-{number}@example.jp")).collect();
        let waiting: Vec<_> = names
            .iter()
            .map(|name| list.send(Request::Subscribe { address: address(name), name: None }))
            .collect();
        for (name, waiting) in names.iter().zip(waiting) {
            match waiting.wait() {
                Ok(answer) => {
                    assert_eq!(answer, Answer::Taken);
                    writeln!(out, "\nkept {name}").unwrap();
                }
                Err(StoreError::Full { .. }) => {
                    writeln!(out, "\nfull").unwrap();
                    return;
                }
                Err(error) => panic!("{error}"),
            }
        }
        out.flush().unwrap();
    }
}

/// The child as a command, behind some words of a shell.
fn child(folder: &Path, before: &str) -> Child {
    let own = std::env::current_exe().unwrap();
    Command::new("sh")
        .arg("-c")
        .arg(format!("{before} exec \"$0\" \"$@\""))
        .arg(own)
        .args(["--exact", "store_sqlite::a_child_that_subscribes", "--ignored", "--nocapture"])
        .env("LIST_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn whoever_was_answered_is_kept_though_the_process_is_killed() {
    let mut kept_in_all = 0;
    for kill_after in [1, 40, 700] {
        let folder = TempDir::new().unwrap();
        let mut child = child(folder.path(), "");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let kept = |line: String| line.strip_prefix("kept ").map(str::to_owned);
        let mut names: Vec<String> = lines.by_ref().filter_map(kept).take(kill_after).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        names.extend(lines.filter_map(kept));
        assert!((kill_after..1600).contains(&names.len()), "it was killed at work");
        kept_in_all += are_kept(folder.path(), &names);
    }
    assert!(kept_in_all > 700);
}

#[test]
fn a_disk_without_room_keeps_whole_readers_or_none() {
    // A file may not grow over 500 blocks of 1,024 octets (512 in some shells); a signal would end the process first.
    let folder = TempDir::new().unwrap();
    drop(List::open(settings(folder.path())));
    let child = child(folder.path(), "trap '' XFSZ; ulimit -f 500;");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().any(|line| line == "full"), "{text}");
    let names: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("kept ").map(str::to_owned)).collect();
    assert!(!names.is_empty());
    are_kept(folder.path(), &names);
}

/// Sees that all these are kept, nothing is half-written, and the list can be written to. How many were looked for.
fn are_kept(folder: &Path, names: &[String]) -> usize {
    let mut list = List::open(settings(folder));
    for name in names {
        assert_eq!(list.status(name), Some(Status::Pending), "{name}");
    }
    assert_eq!(list.fault(), None);
    list.ip = None;
    let mut evidence = list.evidence();
    evidence.nonce.0 = [0xEE; 16];
    let request = Request::Subscribe { address: address("last@example.jp"), name: None };
    assert_eq!(list.store.ask(request, evidence).wait(), Ok(Answer::Taken));
    names.len()
}

/// On a disk of one megabyte, where a machine lets its tests have one.
#[test]
fn a_full_disk_is_told_and_room_is_used_at_once() {
    let folder = TempDir::new().unwrap();
    let mount = |arguments: &[&str]| {
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).arg(folder.path()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        return;
    }
    let result = std::panic::catch_unwind(|| {
        let mut list = List::open(settings(folder.path()));
        assert!(!folder.path().join("list.db-reserve").exists(), "there is no room for a reserve");
        list.subscribe("first@example.jp");
        let filler = folder.path().join("filler");
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 512]).is_ok() {}
        let mut full = None;
        for number in 0..200 {
            let name = format!("reader{number}@example.jp");
            match list.send(Request::Subscribe { address: address(&name), name: None }).wait() {
                Ok(_) => assert!(list.status(&name).is_some()),
                Err(error) => full = Some((name, error)),
            }
            if full.is_some() {
                break;
            }
        }
        let (name, error) = full.unwrap();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert!((0..300).any(|_| list.store.ready().wait().is_err()), "it is not ready");
        assert_eq!(list.status(&name), None);
        drop(file);
        fs::remove_file(&filler).unwrap();
        assert_eq!(list.subscribe(&name), Answer::Taken, "it recovers by itself");
        assert_eq!(list.fault(), None);
        list.store.close();
    });
    assert!(mount(&["umount"]));
    result.unwrap();
}
