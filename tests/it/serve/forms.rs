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
