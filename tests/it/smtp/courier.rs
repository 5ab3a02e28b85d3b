//! Couriers: failover without doubles, and the outbox.

use std::fs;

use mailmag::deliver::smtp::{Courier, Outbox, Stage, Target, Verdict};

use super::{LETTER, ONE_BY_ONE, PIPELINING, mail, route, script, server};
use crate::support::smtp_server::{Act, Play, SmtpServer};

#[tokio::test]
async fn failing_servers_are_left_for_the_next_and_no_mail_goes_twice() {
    use Verdict::{Accepted as A, OwnFault as O, Rejected as R, ServerFault as S, Unknown as U};
    let cases: [(&str, Play, [Verdict; 3], [usize; 2]); 9] = [
        // What fails, the verdicts of three mails, how many each server has.
        ("greeting", Play::always(Stage::Banner, Act::Say(b"554 no\r\n")), [A, A, A], [0, 3]),
        ("EHLO", Play::always(Stage::Ehlo, Act::Cut), [A, A, A], [0, 3]),
        ("MAIL", Play::always(Stage::Mail, Act::Say(b"451 4.3.0 full\r\n")), [A, A, A], [0, 3]),
        ("RCPT", Play::always(Stage::Rcpt, Act::Say(b"421 closing\r\n")), [A, A, A], [0, 3]),
        ("a reader", Play::nth(Stage::Rcpt, 1, Act::Say(b"550 5.1.1 no\r\n")), [A, R, A], [2, 0]),
        ("ourselves", Play::nth(Stage::Mail, 1, Act::Say(b"550 5.7.1 no\r\n")), [A, O, A], [2, 0]),
        // Closed after the first mail: the same server is asked once more.
        ("an old connection", Play::nth(Stage::Mail, 1, Act::Cut), [A, A, A], [3, 0]),
        ("421 at the dot", Play::nth(Stage::Dot, 1, Act::Say(b"421 closing\r\n")), [A, S, A], [1, 1]),
        ("cut after the dot", Play::nth(Stage::Dot, 1, Act::Cut), [A, U, A], [3, 0]),
    ];
    for (name, play, verdicts, counts) in cases {
        for pipelining in [true, false] {
            let offers = if pipelining { PIPELINING } else { ONE_BY_ONE };
            let one = SmtpServer::start(script(offers, &[play])).await;
            let other = SmtpServer::start(script(offers, &[])).await;
            let targets = [server("one", one.port), server("other", other.port)].map(Target::Server);
            let mut courier = Courier::new(route(targets.to_vec()));
            let mails = ["a@x.jp", "b@x.jp", "c@x.jp"].map(|recipient| mail(recipient, LETTER));
            let mut seen = Vec::new();
            for (n, mail) in mails.iter().enumerate() {
                seen.push(match courier.ready(mail).await {
                    Ok(go) => courier.finish(go, mail, mails.get(n + 1)).await.verdict(),
                    Err(outcome) => outcome.verdict(),
                });
            }
            assert_eq!(seen, verdicts, "{name}: {:?}", courier.take_setbacks());
            assert_eq!([one.taken().len(), other.taken().len()], counts, "{name}");
            let mut recipients: Vec<_> =
                one.taken().into_iter().chain(other.taken()).map(|mail| mail.recipient).collect();
            recipients.sort();
            recipients.dedup();
            assert_eq!(recipients.len(), counts[0] + counts[1], "{name}: nobody twice");
            assert_eq!(courier.connected_to(), Some(if counts[1] > 0 { "other" } else { "one" }), "{name}");
            courier.quit().await;
        }
    }
}

#[tokio::test]
async fn without_any_server_that_works_the_fault_is_told() {
    let refuses =
        SmtpServer::start(script(&[], &[Play::always(Stage::Banner, Act::Say(b"554 no\r\n"))])).await;
    let cuts = SmtpServer::start(script(&[], &[Play::always(Stage::Banner, Act::Cut)])).await;
    let refuses = Target::Server(server("refuses", refuses.port));
    let cuts = Target::Server(server("cuts", cuts.port));
    let cases = [
        (vec![refuses.clone()], Verdict::OwnFault, "refuses: greeting: 554 no"),
        (vec![refuses.clone(), cuts.clone()], Verdict::ServerFault, "cuts: greeting: the server closed"),
        (vec![cuts, refuses], Verdict::ServerFault, "cuts: greeting: the server closed"),
        (vec![], Verdict::ServerFault, "the route has no server"),
    ];
    for (targets, verdict, shown) in cases {
        let count = targets.len();
        let mut courier = Courier::new(route(targets));
        let outcome = courier.send(&mail("a@x.jp", LETTER)).await;
        assert_eq!(outcome.verdict(), verdict, "{outcome}");
        assert!(outcome.to_string().contains(shown), "{outcome}");
        assert_eq!(courier.take_setbacks().len(), count, "every server was asked once");
    }
}

#[tokio::test]
async fn the_outbox_keeps_mails_octet_for_octet() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox { name: "outbox".into(), folder: folder.path().join("outbox") };
    let mut courier = Courier::new(route(vec![Target::Outbox(outbox)]));
    // The second is the first once more.
    for recipient in ["a@x.jp", "a@x.jp", "b@x.jp"] {
        let outcome = courier.send(&mail(recipient, LETTER)).await;
        assert_eq!(outcome.verdict(), Verdict::Accepted, "{outcome}");
    }
    let files = crate::support::files(folder.path());
    assert_eq!(files.len(), 2, "{:?}", files.keys());
    for (name, octets) in files {
        assert!(name.starts_with("outbox/1.1@mag.example.jp-") && name.ends_with(".eml"), "{name}");
        assert_eq!(octets, LETTER);
    }
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut courier =
        Courier::new(route(vec![Target::Outbox(Outbox { name: "outbox".into(), folder: file })]));
    let outcome = courier.send(&mail("a@x.jp", LETTER)).await;
    assert_eq!(outcome.verdict(), Verdict::OwnFault);
    assert!(outcome.to_string().contains("cannot write"), "{outcome}");
}
