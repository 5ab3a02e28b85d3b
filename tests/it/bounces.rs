//! Mail that came back: `tests/bounces/` has a notice in each form that is known, and what it is read as.

use std::fs;
use std::path::{Path, PathBuf};

use mailmag::bounce::{Hardness, Kind, Reply, Report, Stage, judge, read};

/// Each notice, its kind, and of each recipient: the address, `hard` or `soft`, the reason and the status code.
const EXPECTED: &str = include_str!("../bounces/expected");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces")
}

fn line(name: &str, report: Option<&Report>) -> String {
    let Some(report) = report else { return format!("{name}: nothing") };
    let recipients = report.recipients.iter().map(|recipient| {
        let hardness = if recipient.hardness == Hardness::Hard { "hard" } else { "soft" };
        let status = recipient.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let address = if recipient.address.is_empty() { "-" } else { &recipient.address };
        format!(" | {address} {hardness} {:?} {status}", recipient.reason)
    });
    format!("{name}: {:?}{}", report.kind, recipients.collect::<String>())
}

#[test]
fn every_form_is_read() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expected")
        .collect();
    names.sort();
    assert!(names.len() > 150, "the notices are found");
    let found: Vec<String> =
        names.iter().map(|name| line(name, read(&fs::read(folder().join(name)).unwrap()).as_ref())).collect();
    for (found, expected) in found.iter().zip(EXPECTED.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), EXPECTED.lines().count(), "each notice has its line");
}

#[test]
fn the_mail_that_came_back_is_known_and_the_path_it_came_by() {
    let read = |name: &str| read(&fs::read(folder().join(name)).unwrap()).unwrap();
    for name in
        ["postfix.eml", "qmail.eml", "zoho.eml", "mac-line-ends.eml", "complaint.eml", "amazon-json.eml"]
    {
        assert_eq!(read(name).message_id.as_deref(), Some("issue.7.2@example.jp"), "{name}");
    }
    for name in ["postfix.eml", "ezweb.eml", "verizon.eml", "complaint.eml", "amazon-json.eml"] {
        assert_eq!(read(name).paths[0], "b+1.2.code@example.jp", "{name}");
    }
}

/// A mailbox may hand a mail over cut anywhere, or with its octets damaged: what is read must not become worse than
/// what it was.
#[test]
fn cut_notices_never_turn_hard() {
    let mut cuts = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let octets = fs::read(&path).unwrap();
        let is_hard =
            |report: &Report| report.recipients.iter().any(|recipient| recipient.hardness == Hardness::Hard);
        let whole = read(&octets);
        if whole.as_ref().is_some_and(|report| report.kind == Kind::Bounce) {
            continue;
        }
        for end in (0..octets.len()).step_by(7) {
            let cut = read(&octets[..end]);
            assert!(!cut.as_ref().is_some_and(is_hard), "{} at {end}: {cut:?}", path.display());
            cuts += 1;
        }
    }
    assert!(cuts > 500, "notices are cut");
}

/// What servers say at RCPT, and whether trying again is of use.
const REPLIES: &str = include_str!("replies.txt");

#[test]
fn replies_of_many_servers_are_hard_or_soft() {
    for line in REPLIES.lines() {
        let (expected, text) = line.split_once(' ').unwrap();
        let reply =
            Reply { text, stage: Stage::Rcpt, server: "mx.example.com", address: "reader@example.com" };
        let (reason, hardness) = judge(&reply);
        assert_eq!(hardness.name(), expected, "{text}: {}", reason.name());
    }
    assert!(REPLIES.lines().count() > 100, "there are many");
}
