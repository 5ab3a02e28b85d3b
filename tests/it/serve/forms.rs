//! Forms as nobody would fill them in.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{posting, served};

/// A field's value: an address, almost one, or anything.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("taro@example.jp".to_owned()),
        Just("taro@example.jp%00".to_owned()),
        Just("taro@example.jp%0D%0ABcc:%20x@example.jp".to_owned()),
        Just("'%20OR%201=1--@example.jp".to_owned()),
        Just("%27%3B+DROP+TABLE+subscribers%3B--".to_owned()),
        Just("%F0%9F%92%A9@%F0%9F%92%A9.jp".to_owned()),
        Just("a".repeat(9000)),
        "[ -~]{0,40}",
        "(%[0-9A-Fa-f]{2}){0,40}",
        "\\PC{0,40}",
    ]
}

fn field() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("email"),
        Just("name"),
        Just("time"),
        Just("website"),
        Just("as-typed"),
        Just("instead"),
        Just("reason"),
        Just("language"),
        Just("for"),
        Just("lang"),
        Just(""),
        Just("%00"),
    ];
    prop_oneof![9 => (name, value()).prop_map(|(name, value)| format!("{name}={value}")), 1 => value()]
}

#[test]
fn whatever_is_sent_is_answered_and_nothing_breaks() {
    let served = served();
    let unsubscribe = served.reader("reader@example.jp");
    let own = served.preferences("reader@example.jp");
    let paths = [
        "/subscribe".to_owned(),
        "/unsubscribe".to_owned(),
        format!("/u/{unsubscribe}/reason"),
        format!("/u/{unsubscribe}"),
        format!("/confirm/{own}"),
        format!("/preferences/{own}/name"),
        format!("/preferences/{own}/address"),
        format!("/preferences/{own}/language"),
    ];
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let forms = (0..paths.len(), prop::collection::vec(field(), 0..8), any::<bool>());
    runner
        .run(&forms, |(path, fields, repeated)| {
            let mut form = fields.join("&");
            if repeated {
                form = format!("{form}&{form}");
            }
            let answer = served.ask(&posting(&paths[path], "", &form));
            prop_assert!(
                [200, 400, 404, 413].contains(&answer.status),
                "{} {form:?}: {}",
                paths[path],
                answer.status
            );
            prop_assert!(!answer.body.contains("<script"));
            Ok(())
        })
        .unwrap();
    let octets = prop::collection::vec(any::<u8>(), 0..3000);
    let mut runner = TestRunner::new(Config { cases: 200, ..Config::default() });
    runner
        .run(&(0..paths.len(), octets), |(path, octets)| {
            let mut request = format!(
                "POST {} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                paths[path],
                octets.len()
            )
            .into_bytes();
            request.extend_from_slice(&octets);
            let status = super::send(served.address, &request).status;
            prop_assert!([200, 400, 404].contains(&status), "{} {status}", paths[path]);
            Ok(())
        })
        .unwrap();
    served.store.verify().unwrap();
}

/// What is no form of any of our pages: its media type, and its octets.
fn no_form() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let ours = "application/x-www-form-urlencoded";
    let names = prop_oneof![
        Just("email"),
        Just("name"),
        Just("reason"),
        Just("language"),
        Just("for"),
        Just("List-Unsubscribe"),
    ];
    let not_utf8 = prop_oneof![Just("%ff"), Just("%C0%AF"), Just("%ED%A0%80"), Just("\u{fe}%80")];
    let doubled = (names.clone(), "[a-z@.%]{0,20}", "[a-z@.%]{0,20}")
        .prop_map(|(name, one, other)| format!("{name}={one}&x=y&{name}={other}").into_bytes());
    let broken = (names.clone(), not_utf8)
        .prop_map(|(name, octets)| format!("{name}=hanako@example.jp{octets}&language=en").into_bytes());
    let large = names.prop_map(|name| format!("{name}={}", "a".repeat(17_000)).into_bytes());
    let others = prop_oneof![
        Just("text/plain"),
        Just("application/json"),
        Just("multipart/form-data; boundary=x"),
        Just("application/octet-stream"),
        Just("x"),
    ];
    let of_others = (others, prop::collection::vec(any::<u8>(), 1..2000));
    prop_oneof![
        3 => doubled.prop_map(move |octets| (ours, octets)),
        3 => broken.prop_map(move |octets| (ours, octets)),
        1 => large.prop_map(move |octets| (ours, octets)),
        3 => of_others,
        1 => Just(("application/json", b"email=hanako@example.jp&name=x&language=en&reason=x".to_vec())),
    ]
}

#[test]
fn what_is_no_form_of_ours_changes_nothing_wherever_it_is_sent() {
    let served = served();
    let left = served.reader("left@example.jp");
    assert_eq!(served.post(&format!("/u/{left}"), "").status, 200);
    served.reader("reader@example.jp");
    let own = served.preferences("reader@example.jp");
    assert_eq!(served.post("/subscribe", "email=pending@example.jp").status, 200);
    let confirm = served.token_of(mailmag::list::NoticeKind::Confirm, mailmag::list::TokenKind::Confirm);
    let paths = [
        "/subscribe".to_owned(),
        "/unsubscribe".to_owned(),
        format!("/confirm/{confirm}"),
        format!("/u/{left}/reason"),
        format!("/u/{left}/undo"),
        // To leave in one click any body will do (RFC 8058): here the token is nobody's.
        format!("/u/{}", "a".repeat(own.len())),
        format!("/preferences/{own}/name"),
        format!("/preferences/{own}/address"),
        format!("/preferences/{own}/language"),
        format!("/preferences/{own}/leave"),
        format!("/preferences/{own}/erase"),
    ];
    let before = super::contract::state(&served);
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    runner
        .run(&(0..paths.len(), no_form()), |(path, (media_type, octets))| {
            let path = &paths[path];
            let mut request = format!(
                "POST {path} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n\
                 Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
                octets.len()
            )
            .into_bytes();
            request.extend_from_slice(&octets);
            let status = super::send(served.address, &request).status;
            prop_assert!([400, 404, 413].contains(&status), "{path} {media_type} {status}");
            Ok(())
        })
        .unwrap();
    // A form without the field that it is about.
    for body in ["", "x", "nama=%E5%A4%AA", "email=x"] {
        assert_eq!(served.post(&format!("/preferences/{own}/name"), body).status, 400, "{body}");
    }
    assert_eq!(super::contract::state(&served), before);
    assert_eq!(served.post(&format!("/preferences/{own}/name"), "name=").status, 200, "it is taken away");
    assert_ne!(super::contract::state(&served), before);
}
