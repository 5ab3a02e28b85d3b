//! Times to come, times that have passed, and lists that are older than what was sent from them.

use std::fs;
use std::path::Path;

use super::processes::{begin, slow_server, terminate};
use super::{magazine, number, run, script, served_once, status, told, until};
use crate::support::smtp_server::SmtpServer;

/// Changes the list's file behind the program's back.
fn change(root: &Path, sql: &str) {
    let list = rusqlite::Connection::open(root.join("mailmag.db")).unwrap();
    assert_eq!(list.execute(sql, []).unwrap(), 1, "{sql}");
}

/// What a command tells that must not end well.
fn refused(root: &Path, arguments: &[&str]) -> String {
    let output = run(root, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_has_passed_is_refused_and_one_to_come_can_be_changed() {
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(5, server.port, 2);
    let root = magazine.path();
    let told_so = refused(root, &["send", "1", "--at", "2026-05-14T09:00", "--yes"]);
    assert!(told_so.contains("2026-05-14 09:00 JST has passed: leave --at out to send it now"), "{told_so}");
    told(root, &["mailing", "status", "1"], 2);
    for time in ["2099-05-14T09:00", "2098-01-02T08:30"] {
        told(root, &["send", "1", "--at", time, "--yes"], 0);
        let starts = status(root)["starts"].as_str().unwrap().to_owned();
        assert!(starts.starts_with(&time.replace("09:00", "00:00").replace("02T08", "01T23")), "{starts}");
    }
    told(root, &["send", "1", "--yes"], 0);
    told(root, &["worker", "--once"], 0);
    assert_eq!((server.taken_so_far(), number(&status(root), "queued")), (0, 5), "it waits for its time");
    // The time has come.
    change(root, "UPDATE mailings SET starts = created");
    told(root, &["worker", "--once"], 0);
    assert_eq!((server.taken_so_far(), number(&status(root), "accepted")), (5, 5));
    let late = refused(root, &["send", "1", "--at", "2099-05-14T09:00", "--yes"]);
    assert!(late.contains("the sending of issue 1 has begun"), "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_sent_in_time_is_paused_and_sent_when_it_is_resumed() {
    let server = SmtpServer::start(script(Vec::new())).await;
    let magazine = magazine(5, server.port, 2);
    let root = magazine.path();
    told(root, &["send", "1", "--at", "2099-05-14T09:00", "--yes"], 0);
    // Nobody was there at its time, two hours ago.
    change(root, "UPDATE mailings SET starts = created - 2 * 3600 * 1000000");
    let output = run(root, &["worker", "--once"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("it was to begin at") && stderr.contains("mailing resume 1"), "{stderr}");
    let now = status(root);
    assert_eq!((server.taken_so_far(), &now["status"]), (0, &"paused".into()), "{now}");
    told(root, &["mailing", "resume", "1"], 0);
    let starts = status(root)["starts"].as_str().unwrap().to_owned();
    told(root, &["worker", "--once"], 0);
    assert_eq!(status(root)["status"], "done");
    // Dated when it left, not when it should have.
    let expected = chrono::DateTime::parse_from_rfc3339(&starts).unwrap();
    for taken in server.taken() {
        let text = String::from_utf8_lossy(&taken.octets).into_owned();
        let date = text.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap();
        let date = chrono::DateTime::parse_from_rfc2822(date).unwrap();
        assert_eq!(date.timestamp(), expected.timestamp(), "{text}");
    }
    assert_eq!(served_once(&server).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_in_the_middle_for_long_does_not_go_on_by_itself() {
    let server = slow_server().await;
    let magazine = magazine(300, server.port, 2);
    let root = magazine.path();
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    fs::write(root.join("mailmag.toml"), settings.replace("[mail]\n", "[mail]\nlate-minutes = 180\n"))
        .unwrap();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("some have left", &mut sender, || server.taken_so_far() >= 20).await;
    terminate(&mut sender);
    let left = server.taken_so_far();
    // So it would be in a list restored from a backup of four hours ago.
    change(
        root,
        "UPDATE mailings SET starts = starts - 4 * 3600 * 1000000, watched = watched - 4 * 3600 * 1000000 WHERE watched IS NOT NULL",
    );
    told(root, &["worker", "--once"], 0);
    let now = status(root);
    assert_eq!((server.taken_so_far(), &now["status"]), (left, &"paused".into()), "{now}");
    assert!(now["why"].as_str().unwrap().starts_with("nobody has looked after it since"), "{now}");
    // Three hours are not too late.
    told(root, &["mailing", "resume", "1"], 0);
    change(
        root,
        "UPDATE mailings SET watched = watched - 2 * 3600 * 1000000, starts = starts - 2 * 3600 * 1000000",
    );
    told(root, &["worker", "--once"], 0);
    assert_eq!(number(&status(root), "accepted"), 300);
    assert_eq!(served_once(&server).len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_restored_from_a_backup_sends_nothing_by_itself() {
    let server = slow_server().await;
    let magazine = magazine(200, server.port, 2);
    let root = magazine.path();
    let mut sender = begin(root, &["send", "1", "--yes"]);
    until("some have left", &mut sender, || server.taken_so_far() >= 20).await;
    terminate(&mut sender);
    fs::copy(root.join("mailmag.db"), root.join("backup.db")).unwrap();
    told(root, &["send", "1", "--yes"], 0);
    assert_eq!(served_once(&server).len(), 200);
    for left in ["mailmag.db-wal", "mailmag.db-shm"] {
        fs::remove_file(root.join(left)).ok();
    }
    fs::copy(root.join("backup.db"), root.join("mailmag.db")).unwrap();
    let told_so = refused(root, &["worker", "--once"]);
    assert!(told_so.contains("restored from a backup") && told_so.contains("1 mailing paused"), "{told_so}");
    let now = status(root);
    assert_eq!(now["status"], "paused", "{now}");
    assert!(number(&now, "queued") > 0, "{now}");
    told(root, &["worker", "--once"], 0);
    assert!(refused(root, &["send", "1", "--yes"]).contains("mailing resume 1"));
    assert_eq!(server.taken_so_far(), 200, "nobody got it twice");
}
