use proptest::prelude::*;

use super::{automatic, delivery_status, read};

fn hold(octets: &[u8]) {
    let _ = automatic(octets, None);
    let Some(report) = read(octets) else { return };
    assert!(!report.recipients.is_empty() && report.recipients.len() <= delivery_status::MOST_RECIPIENTS);
    for recipient in &report.recipients {
        assert!(recipient.diagnostic.chars().count() <= 501);
        assert!(!recipient.diagnostic.chars().any(char::is_control));
        assert!(recipient.address.len() <= 1_000, "{}", recipient.address.len());
    }
}

#[test]
fn the_worst_that_can_be_sent_is_read() {
    let head = "Return-Path: <>\nFrom: MAILER-DAEMON@example.jp\nTo: a@example.jp\nSubject: failure notice\n";
    let many = |line: &str| line.repeat((1 << 17) / line.len());
    for body in [
        many("<a@example.jp>: 550 5.1.1 user unknown\n"),
        many("@"),
        many("a@"),
        many("\"@"),
        many("user user "),
        many("ip "),
        many("5.1."),
        many("550 "),
        many("<"),
        many("<style>"),
        many(">>> DATA\n<<< 550\n"),
        many("original message\n"),
        many("Final-Recipient: rfc822;a@example.jp\n"),
        many("{\"notificationType\":"),
        many("["),
        many("\r"),
        many("\u{3042}@"),
    ] {
        for kind in ["text/plain", "text/html", "message/rfc822", "multipart/report; boundary=x"] {
            hold(format!("{head}Content-Type: {kind}\n\n{body}").as_bytes());
            let part = if kind == "multipart/report; boundary=x" { "message/delivery-status" } else { kind };
            hold(format!("{head}Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: {part}\n\n{body}\n--x--\n").as_bytes());
        }
    }
    let mut nested = "Final-Recipient: a@example.jp\n".to_owned();
    for _ in 0..100 {
        nested = format!(
            "{head}Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\n{nested}\n--x--\n"
        );
    }
    hold(nested.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_read_or_none(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
        hold(&octets);
    }

    #[test]
    fn any_lines_are_read_or_none(lines in proptest::collection::vec(line(), 0..40)) {
        hold(lines.join("\n").as_bytes());
        hold(lines.join("\r").as_bytes());
    }
}

/// Lines of which notices are made, in any order.
fn line() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "",
        "From: MAILER-DAEMON",
        "Return-Path: <>",
        "Subject: Returned mail",
        "Content-Type: multipart/report; report-type=delivery-status;",
        "boundary=\"x\"",
        "Content-Type: message/delivery-status",
        "Content-Type: message/rfc822",
        "Content-Type: message/feedback-report",
        "Content-Type: text/plain; charset=iso-2022-jp",
        "Content-Transfer-Encoding: base64",
        "--x",
        "--x--",
        "Final-Recipient: rfc822; a@example.jp",
        "Original-Recipient: rfc822;",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1",
        "<a@example.jp>: unknown user",
        ">>> RCPT TO:<b@example.jp>",
        "<<< 550 5.1.1 <b@example.jp>",
        "----- Original message -----",
        "X-Failed-Recipients: a@example.jp, b@example.jp",
        "Feedback-Type: abuse",
        "{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{}]}}",
        "{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[]}}",
        "[]",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,30}"]
}
