//! Domains where too many addresses are unknown: they alone are held.

use std::collections::BTreeSet;
use std::fs;

use mailmag::mailing::{DeliveryStatus, InDoubt};
use mailmag::store::mailings::{Audience, Hold, MailingStatus};
use serde_json::Value;

use super::{at, magazine, number, on_both, run, script, status, told};
use crate::support::smtp_server::{Script, SmtpServer};

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_unknown_addresses_is_held_alone() {
    const GONE: usize = 300;
    const HERE: usize = 400;
    let server = SmtpServer::start(Script { unknown: "gone.example.jp", ..script(Vec::new()) }).await;
    let magazine = magazine(0, server.port, 4);
    let root = magazine.path();
    let gone = (0..GONE).map(|number| format!("reader{number}@gone.example.jp\n"));
    let here = (0..HERE).map(|number| format!("reader{number}@example.jp\n"));
    let list: String = gone.chain(here).collect();
    fs::write(root.join("list.csv"), format!("email\n{list}")).unwrap();
    told(root, &["subscribers", "import", "list.csv", "--basis", "a test"], 0);

    let output = run(root, &["send", "1", "--yes"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("held: gone.example.jp") && stderr.contains("mailing resume 1"), "{stderr}");
    let now = status(root);
    let (rejected, queued) = (number(&now, "rejected") as usize, number(&now, "queued") as usize);
    assert_eq!((number(&now, "accepted") as usize, &now["status"]), (HERE, &"paused".into()), "{now}");
    assert_eq!(rejected + queued, GONE, "{now}");
    // The hundredth outcome stops it; what is under way on the four connections then, and goes along with it, comes to its end.
    assert!((100..=110).contains(&rejected), "{now}");
    let held = &now["held"][0];
    assert_eq!((&held["domain"], &held["waiting"]), (&"gone.example.jp".into(), &queued.into()), "{now}");
    let lines = told(root, &["mailing", "report", "1", "--json"], 0);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert_eq!(line["held"].is_string(), line["status"] == "queued", "{line}");
    }
    let shown = told(root, &["mailing", "status", "1"], 0);
    assert!(
        shown.contains(&format!("{queued}  held for gone.example.jp: more than one in twenty")),
        "{shown}"
    );
    // A second sender is told the same, and sends nothing.
    assert_eq!(run(root, &["send", "1", "--yes"]).status.code(), Some(2));
    assert_eq!(number(&status(root), "rejected") as usize, rejected);

    // Let go, the domain has another hundred outcomes before it is stopped.
    told(root, &["mailing", "resume", "1"], 0);
    assert_eq!(status(root)["held"], serde_json::json!([]));
    assert_eq!(run(root, &["send", "1", "--yes"]).status.code(), Some(2));
    let now = status(root);
    let again = number(&now, "rejected") as usize - rejected;
    assert!((100..=110).contains(&again), "{now}");

    told(root, &["mailing", "cancel", "1"], 0);
    let end = status(root);
    assert_eq!(number(&end, "cancelled") as usize, GONE - rejected - again, "{end}");
    assert_eq!((number(&end, "queued"), &end["status"]), (0, &"cancelled".into()), "{end}");
}

#[test]
fn what_is_held_waits_until_it_is_let_go_or_called_off() {
    on_both(12, |books| {
        let mailing = books.plan(Audience::default(), InDoubt::Hold);
        let worker = books.worker(1_000);
        let hold = Hold { domain: "example.jp".to_owned(), why: "so it is".to_owned(), at: at(2) };
        // Of another domain and of another mailing nothing is held.
        let other = Hold { domain: "le.jp".to_owned(), ..hold.clone() };
        books.mailings.hold(mailing.id, other.clone()).wait().unwrap();
        let first = books.claim(&mailing, worker, 0, 4, 2);
        assert_eq!(first.deliveries.len(), 4);
        books.mailings.hold(mailing.id, hold.clone()).wait().unwrap();
        books.mailings.hold(mailing.id, Hold { why: "again".to_owned(), ..hold.clone() }).wait().unwrap();
        assert_eq!(books.mailings.holds(mailing.id).wait().unwrap(), [hold.clone(), other.clone()]);
        let none = books.claim(&mailing, worker, 0, 4, 3);
        assert_eq!((none.deliveries.len(), none.last.is_some()), (0, true), "all are looked at");
        assert_eq!(books.claim(&mailing, worker, 0, 4, 3).last, None, "none is left to be looked at");
        assert_eq!(books.mailings.next_due(mailing.id).wait().unwrap(), None);
        // Those that were claimed before come back, and are put with the others.
        books.mailings.release(mailing.id, worker, at(4)).wait().unwrap();
        assert_eq!(books.mailings.held(mailing.id).wait().unwrap(), [(hold.clone(), 12), (other.clone(), 0)]);
        assert!(books.claim(&mailing, worker, 0, 4, 5).deliveries.is_empty());
        assert_eq!(books.sums(&mailing).queued, 12);
        let rows = books.mailings.deliveries(mailing.id, 0, 100).wait().unwrap();
        assert!(rows.iter().all(|row| row.is_held && row.status == DeliveryStatus::Queued));
        // Nothing else is left: it is paused, and says why.
        assert_eq!(books.mailings.finish(mailing.id).wait().unwrap(), Some(MailingStatus::Paused));
        let paused = books.mailings.of_issue(1).wait().unwrap().pop().unwrap();
        assert_eq!(paused.why.as_deref(), Some("all that is left is held: example.jp, le.jp"));
        let set = |status| books.mailings.set_status(mailing.id, status, None, at(6)).wait().unwrap();
        assert!(set(MailingStatus::Running));
        assert!(books.mailings.holds(mailing.id).wait().unwrap().is_empty());
        let claimed = books.claim(&mailing, worker, 0, 6, 7);
        let ids: BTreeSet<_> = claimed.deliveries.iter().map(|one| one.subscriber).collect();
        assert_eq!(ids.len(), 6);
        books.mailings.release(mailing.id, worker, at(8)).wait().unwrap();
        books.mailings.hold(mailing.id, hold.clone()).wait().unwrap();
        assert!(books.claim(&mailing, worker, 0, 6, 8).deliveries.is_empty());
        assert!(set(MailingStatus::Cancelled));
        assert_eq!(books.mailings.finish(mailing.id).wait().unwrap(), None);
        assert_eq!((books.sums(&mailing).cancelled, books.sums(&mailing).queued), (12, 0));
    });
}

#[test]
fn without_anything_held_a_mailing_is_done() {
    on_both(1, |books| {
        let mailing = books.plan(Audience::default(), InDoubt::Hold);
        let hold = Hold { domain: "gone.example.jp".to_owned(), why: "so it is".to_owned(), at: at(2) };
        books.mailings.hold(mailing.id, hold).wait().unwrap();
        let worker = books.worker(1_000);
        let claimed = books.claim(&mailing, worker, 0, 4, 3);
        assert!(books.end(&claimed.deliveries[0], mailmag::mailing::Verdict::Accepted, 4));
        assert_eq!(books.mailings.finish(mailing.id).wait().unwrap(), Some(MailingStatus::Done));
    });
}
