//! What each route answers, and what it does.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mailmag::list::Nonce;
use mailmag::list::{NoticeKind, StoreKey, Token, TokenKind};
use mailmag::model::{EmailAddress, Language, Source, Status, Suppression};
use mailmag::store::{Filter, ImportOrder, Store, Verification};

use super::{Served, now, posting, random, served, served_with, store_settings};
use crate::store::row;

/// A token that is well formed, and nobody's.
fn nobodys() -> String {
    Token::derive(&StoreKey::new([9; 32]), TokenKind::Unsubscribe, Nonce([3; 16])).to_text()
}

fn status_of(served: &Served, address: &str) -> Option<Status> {
    let address = EmailAddress::parse(address).unwrap();
    served.store.subscriber(&address).unwrap().map(|subscriber| subscriber.status)
}

/// All that the list knows, as far as it can be looked at.
pub(super) fn state(served: &Served) -> String {
    let mut readers = Vec::new();
    let mut add = |subscriber| {
        readers.push(format!("{:?}", subscriber_parts(&subscriber)));
        ControlFlow::Continue(())
    };
    served.store.each_subscriber(&Filter::default(), &mut add).unwrap();
    format!("{:?} {readers:?}", served.store.stats().unwrap())
}

/// A file that is read in.
fn order() -> ImportOrder {
    ImportOrder {
        at: now(),
        seed: [5; 32],
        basis: "asked for on paper".to_owned(),
        source: Source::Import,
        source_name: "readers".to_owned(),
        file_name: "readers.csv".to_owned(),
        file_digest: "00ff".to_owned(),
        language: Language::Japanese,
        operator: None,
        dry_run: false,
    }
}

fn subscriber_parts(subscriber: &mailmag::model::Subscriber) -> (String, Option<String>, Status, String) {
    let changed = subscriber.changed.to_rfc3339();
    (subscriber.address.as_str().to_owned(), subscriber.name.clone(), subscriber.status, changed)
}

#[test]
fn a_reader_comes_changes_and_goes() {
    let served = served();
    let address = "taro@example.jp";
    let sent = served.post("/subscribe", "email=%E3%80%80taro@Example.JP&name=太郎");
    assert!(sent.status == 200 && sent.body.contains("メールをご確認ください"), "{sent:?}");
    assert_eq!(status_of(&served, address), Some(Status::Pending));
    let token = served.token_of(NoticeKind::Confirm, TokenKind::Confirm);
    let page = served.get(&format!("/confirm/{token}"));
    assert!(page.status == 200 && page.body.contains("t***@example.jp") && !page.body.contains("taro@"));
    assert_eq!(status_of(&served, address), Some(Status::Pending), "a link changes nothing");
    let done = served.post(&format!("/confirm/{}", token.to_uppercase()), "for=subscription");
    assert!(done.status == 200 && done.body.contains("登録が済みました"), "{done:?}");
    assert_eq!(status_of(&served, address), Some(Status::Active));
    let unsubscribe = served.token_of(NoticeKind::Welcome, TokenKind::Unsubscribe);

    let own = served.preferences(address);
    let page = served.get(&format!("/preferences/{own}"));
    assert!(page.body.contains("taro@example.jp") && page.body.contains("value=\"太郎\""), "{page:?}");
    let saved = served.post(&format!("/preferences/{own}/name"), "name=%3Cb%3E花子%0D%0A");
    assert!(saved.status == 200 && saved.body.contains("value=\"&lt;b&gt;花子\""), "{saved:?}");
    let saved = served.post(&format!("/preferences/{own}/language"), "language=en");
    assert!(saved.status == 200 && saved.body.contains("<html lang=\"en\">"), "{saved:?}");
    let export = served.get(&format!("/preferences/{own}/export"));
    assert_eq!(export.header("content-disposition"), Some("attachment; filename=\"subscription.json\""));
    let data: serde_json::Value = serde_json::from_str(&export.body).unwrap();
    assert_eq!(data["subscriber"]["email"], "taro@example.jp");
    assert_eq!(data["history"][0]["details"]["page"], "/subscribe");
    let wording = data["history"][0]["wording"].as_str().unwrap();
    assert!(
        wording.contains("桁そろえ研究会が") && served.get("/?lang=ja").body.contains(wording),
        "{wording}"
    );

    let sent = served.post(&format!("/preferences/{own}/address"), "email=hanako@example.jp");
    assert!(sent.status == 200, "{sent:?}");
    let change = served.token_of(NoticeKind::ChangeAddress, TokenKind::ChangeAddress);
    let page = served.get(&format!("/confirm/{change}?lang=ja"));
    assert!(page.body.contains("h***@example.jp") && page.body.contains("アドレス変更の確認"), "{page:?}");
    let done = served.post(&format!("/confirm/{change}?lang=ja"), "for=address");
    assert!(done.body.contains("アドレスを変更しました"), "{done:?}");
    assert_eq!(status_of(&served, "hanako@example.jp"), Some(Status::Active));

    let left = served.post(&format!("/u/{unsubscribe}?lang=ja"), "List-Unsubscribe=One-Click");
    assert!(left.status == 200 && left.body.contains("購読を解除しました"), "{left:?}");
    assert_eq!(status_of(&served, "hanako@example.jp"), Some(Status::Unsubscribed));
    let thanks = served.post(&format!("/u/{unsubscribe}/reason"), "reason=忙しい");
    assert_eq!(thanks.status, 200);
    assert_eq!(served.post(&format!("/u/{unsubscribe}/undo"), "").status, 200);
    assert_eq!(status_of(&served, "hanako@example.jp"), Some(Status::Active));

    assert_eq!(served.get(&format!("/preferences/{own}/erase")).status, 200);
    assert_eq!(status_of(&served, "hanako@example.jp"), Some(Status::Active), "a link changes nothing");
    assert_eq!(served.post(&format!("/preferences/{own}/erase"), "").status, 200);
    assert_eq!(status_of(&served, "hanako@example.jp"), None);
    assert_eq!(served.get(&format!("/preferences/{own}")).status, 404);
}

#[test]
fn statuses_are_those_of_the_contract() {
    let served = served();
    let unsubscribe = served.reader("taro@example.jp");
    let own = served.preferences("taro@example.jp");
    let nobodys = nobodys();
    for (path, expected) in [
        ("/", 200),
        ("/?lang=en", 200),
        ("/lost", 200),
        (&format!("/u/{unsubscribe}"), 200),
        (&format!("/u/{}", unsubscribe.to_uppercase()), 200),
        (&format!("/u/{nobodys}"), 404),
        (&format!("/u/{own}"), 404),
        ("/u/x", 404),
        ("/u/%ff", 404),
        ("/u/", 404),
        (&format!("/confirm/{nobodys}"), 404),
        (&format!("/confirm/{unsubscribe}"), 404),
        (&format!("/preferences/{own}"), 200),
        (&format!("/preferences/{unsubscribe}"), 404),
        (&format!("/preferences/{nobodys}/export"), 404),
        ("/theme/style.css", 404),
        ("/theme/../mailmag.key", 404),
        ("/nowhere", 404),
        ("/healthz", 404),
        ("/metrics", 404),
        ("/subscribe", 405),
        ("/unsubscribe", 405),
        (&format!("/u/{unsubscribe}/undo"), 405),
        (&format!("/preferences/{own}/name"), 405),
    ] {
        assert_eq!(served.get(path).status, expected, "GET {path}");
    }
    for (path, form, expected) in [
        ("/subscribe", "email=hanako@example.jp", 200),
        ("/subscribe", "email=hanako", 400),
        ("/subscribe", "", 400),
        ("/subscribe", "email=hanako@example.jp&website=spam", 400),
        ("/subscribe", "email=hanako@gmial.com", 400),
        ("/subscribe", "email=hanako@gmial.com&as-typed=gmial.com", 200),
        ("/unsubscribe", "email=nobody@example.jp", 200),
        ("/unsubscribe", "email=a..b@docomo.ne.jp", 200),
        ("/unsubscribe", "email=@", 400),
        (&format!("/u/{nobodys}"), "List-Unsubscribe=One-Click", 404),
        ("/u/x", "List-Unsubscribe=One-Click", 404),
        (&format!("/u/{own}/undo"), "", 404),
        (&format!("/confirm/{nobodys}"), "", 404),
        (&format!("/preferences/{own}/address"), "email=x", 400),
        (&format!("/preferences/{own}/language"), "language=xx", 400),
        (&format!("/preferences/{unsubscribe}/erase"), "", 404),
        ("/", "", 405),
        ("/nowhere", "", 404),
    ] {
        let answer = served.post(path, form);
        assert_eq!(answer.status, expected, "POST {path} {form}\n{answer:?}");
    }
    assert_eq!(served.get("/subscribe").header("allow"), Some("POST"));
    assert_eq!(served.get(&format!("/u/{unsubscribe}/undo")).header("allow"), Some("POST"));
    let put = served.ask("PUT / HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n\r\n");
    assert_eq!((put.status, put.header("allow")), (405, Some("GET,HEAD")));
    let head = served.ask("HEAD / HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn what_a_link_opens_changes_nothing() {
    let served = served();
    let unsubscribe = served.reader("taro@example.jp");
    assert_eq!(served.post("/subscribe", "email=hanako@example.jp").status, 200);
    let confirm = served.token_of(NoticeKind::Confirm, TokenKind::Confirm);
    let own = served.preferences("taro@example.jp");
    assert_eq!(served.post(&format!("/preferences/{own}/address"), "email=new@example.jp").status, 200);
    let change = served.token_of(NoticeKind::ChangeAddress, TokenKind::ChangeAddress);
    let before = state(&served);
    let mut opened = 0;
    for method in ["GET", "HEAD"] {
        for token in [&unsubscribe, &confirm, &own, &change] {
            for path in [
                "/",
                "/lost",
                "/subscribe",
                "/unsubscribe",
                "/confirm/T",
                "/u/T",
                "/u/T/reason",
                "/u/T/undo",
                "/preferences/T",
                "/preferences/T/name",
                "/preferences/T/address",
                "/preferences/T/language",
                "/preferences/T/leave",
                "/preferences/T/erase",
                "/preferences/T/export",
            ] {
                let path = path.replace("/T", &format!("/{token}"));
                for query in ["", "?List-Unsubscribe=One-Click&email=x@example.jp&name=x&language=en"] {
                    let request = format!(
                        "{method} {path}{query} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n\r\n"
                    );
                    opened += u32::from(served.ask(&request).status == 200);
                }
            }
        }
    }
    assert!(opened > 40, "{opened} pages were there to open");
    assert_eq!(state(&served), before);
}

#[test]
fn a_hundred_equal_posts_are_one_event() {
    let served = served();
    for _ in 0..100 {
        assert_eq!(served.post("/subscribe", "email=taro@example.jp").status, 200);
    }
    let notices = served.notices();
    assert_eq!(notices.len(), 1, "one confirmation is mailed");
    let token = Token::derive(&super::key(), TokenKind::Confirm, notices[0].notice.nonce).to_text();
    let statuses: Vec<u16> = (0..100).map(|_| served.post(&format!("/confirm/{token}"), "").status).collect();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[200; 99][..]));
    let unsubscribe = served.token_of(NoticeKind::Welcome, TokenKind::Unsubscribe);
    for _ in 0..100 {
        assert_eq!(served.post(&format!("/u/{unsubscribe}"), "List-Unsubscribe=One-Click").status, 200);
    }
    for _ in 0..100 {
        assert_eq!(served.post("/unsubscribe", "email=taro@example.jp").status, 200);
    }
    assert_eq!(served.events("taro@example.jp"), ["applied", "confirmed", "left"]);
}

#[test]
fn nobody_learns_who_is_on_the_list() {
    let served = served();
    served.reader("active@example.jp");
    assert_eq!(served.post("/subscribe", "email=pending@example.jp").status, 200);
    let left = served.reader("left@example.jp");
    assert_eq!(served.post(&format!("/u/{left}"), "").status, 200);
    served.reader("gone@example.jp");
    let evidence = mailmag::list::Evidence {
        at: now(),
        nonce: Nonce(random()),
        via: mailmag::list::Via::CommandLine,
        language: mailmag::model::Language::Japanese,
        wording: None,
        ip: None,
        user_agent: None,
        operator: Some("test".to_owned()),
    };
    let gone = EmailAddress::parse("gone@example.jp").unwrap();
    let suppress = mailmag::list::Request::Suppress(gone, Suppression::Operator);
    served.store.ask(suppress, evidence).wait().unwrap();
    for path in ["/subscribe", "/unsubscribe"] {
        for language in ["ja", "en"] {
            let answer = |who: &str| {
                let answer =
                    served.post(&format!("{path}?lang={language}"), &format!("email={who}@example.jp"));
                assert_eq!(answer.status, 200, "{path} {who}");
                answer.without_date()
            };
            let unknown = answer(&format!("unknown-{language}"));
            for who in ["active", "pending", "left", "gone", &format!("unknown-{language}"), "other"] {
                assert_eq!(answer(who), unknown, "{path} {who}");
            }
        }
    }
}

#[test]
fn one_click_acts_at_once_whoever_sends_it_and_however() {
    let served = served();
    let multipart =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (index, (media_type, body)) in [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ("application/x-www-form-urlencoded", ""),
        ("multipart/form-data; boundary=x", multipart),
        ("text/plain", "hello"),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("reader{index}@example.jp");
        let token = served.reader(&address);
        let request = format!(
            "POST /u/{token} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\nOrigin: https://mail.google.com\r\n\
             Sec-Fetch-Site: cross-site\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        for _ in 0..2 {
            let answer = served.ask(&request);
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!((answer.header("location"), answer.header("set-cookie")), (None, None));
        }
        assert_eq!(served.events(&address), ["applied", "confirmed", "left"]);
    }
    let token = served.reader("bodiless@example.jp");
    let request = format!("POST /u/{token} HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\n\r\n");
    assert_eq!(served.ask(&request).status, 200);
    assert_eq!(served.events("bodiless@example.jp"), ["applied", "confirmed", "left"]);
}

#[test]
fn every_answer_has_its_headers() {
    let served = served();
    let unsubscribe = served.reader("taro@example.jp");
    let own = served.preferences("taro@example.jp");
    let style = served.get("/").body.split("href=\"").find_map(|rest| {
        let address = rest.split('"').next()?;
        address.starts_with("/theme/style.").then(|| address.to_owned())
    });
    let style = style.unwrap();
    for path in [
        "/",
        "/lost",
        "/nowhere",
        "/subscribe",
        "/u/x",
        &style,
        &format!("/u/{unsubscribe}"),
        &format!("/preferences/{own}"),
        &format!("/preferences/{own}/export"),
    ] {
        let answer = served.get(path);
        for (name, expected) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(expected), "{path} {name}");
        }
        let kept = if path == style { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
        assert_eq!((answer.header("set-cookie"), answer.header("server")), (None, None), "{path}");
        if path.starts_with("/u/") || path.starts_with("/preferences/") || path == "/" {
            assert!(!answer.body.contains("<script"), "{path}");
        }
    }
}

#[test]
fn a_page_speaks_the_readers_language() {
    let served = served();
    for (query, accept, expected) in [
        ("", "", "ja"),
        ("", "en-GB,en;q=0.9", "en"),
        ("?lang=ja", "en", "ja"),
        ("?lang=en", "ja", "en"),
        ("", "fr", "ja"),
    ] {
        for path in ["/", "/lost", "/nowhere"] {
            let page = served.ask(&format!(
                "GET {path}{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Language: {accept}\r\n\r\n"
            ));
            assert!(page.body.contains(&format!("<html lang=\"{expected}\">")), "{path}{query} {accept}");
            assert_eq!(page.header("content-language"), Some(expected));
        }
    }
}

#[test]
fn who_calls_the_service_by_another_name_or_sends_another_sites_form_is_not_answered() {
    let served = served();
    for (target, host, expected) in [
        ("/", "Host: mail.example.jp\r\n", 200),
        ("/", "Host: MAIL.example.jp:443\r\n", 200),
        ("/", "Host: 127.0.0.1:8080\r\n", 200),
        ("/", "Host: evil.example\r\n", 421),
        ("/", "Host: mail.example.jp.evil.example\r\n", 421),
        ("/", "", 421),
        ("/", "Host: mail.example.jp\r\nHost: evil.example\r\n", 421),
        ("http://evil.example/", "Host: mail.example.jp\r\n", 421),
    ] {
        let answer = served.ask(&format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
        assert_eq!(answer.status, expected, "{target} {host}");
    }
    let before = state(&served);
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: https://example.jp\r\n",
    ] {
        for path in ["/subscribe", "/unsubscribe", "/u/x/undo"] {
            let answer = served.post_with(path, headers, "email=victim@example.jp");
            assert_eq!(answer.status, 403, "{path} {headers}");
        }
    }
    assert_eq!(state(&served), before);
    let own = "Origin: null\r\nSec-Fetch-Site: same-origin\r\n";
    assert_eq!(served.post_with("/subscribe", own, "email=taro@example.jp").status, 200);
}

#[test]
fn too_much_from_one_network_is_told_with_a_time() {
    let served = served_with(|_| {}, Some(3));
    let from = |index: u32, headers: &str| {
        served.post_with("/subscribe", headers, &format!("email=reader{index}@example.jp"))
    };
    assert!((0..3).all(|index| from(index, "").status == 200));
    let refused = from(3, "X-Forwarded-For: 198.51.100.7\r\n");
    assert_eq!(refused.status, 429, "nobody here is a proxy");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
    assert!(refused.body.contains("しばらくお待ちください"));
    assert_eq!(served.store.subscriber(&EmailAddress::parse("reader3@example.jp").unwrap()).unwrap(), None);
}

#[test]
fn a_trusted_proxy_tells_whose_request_it_is() {
    let proxies = |settings: &mut mailmag::web::service::Settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    };
    let served = served_with(proxies, Some(1));
    let from = |index: u32, forwarded: &str| {
        let header = format!("X-Forwarded-For: {forwarded}\r\n");
        served.post_with("/subscribe", &header, &format!("email=reader{index}@example.jp")).status
    };
    assert_eq!(from(0, "198.51.100.7"), 200);
    assert_eq!(from(1, "198.51.100.8"), 429, "one network");
    assert_eq!(from(2, "203.0.113.9, 198.51.100.9"), 429, "what stands before is the client's own word");
    assert_eq!(from(3, "203.0.113.9"), 200);
}

#[test]
fn too_many_requests_are_stopped_before_anything_is_done() {
    let slow = |settings: &mut mailmag::web::service::Settings| settings.requests_per_second = 1;
    let served = served_with(slow, None);
    let statuses: Vec<u16> = (0..40).map(|_| served.get("/").status).collect();
    assert!(statuses[..10].iter().all(|status| *status == 200), "{statuses:?}");
    assert!(statuses[20..].contains(&429), "{statuses:?}");
    assert!(served.get("/").header("retry-after").is_some());
}

#[test]
fn a_store_that_cannot_write_is_told_as_that_and_recovers_alone() {
    let served = served();
    let health = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        super::send(served.metrics, request.as_bytes())
    };
    assert_eq!((health("/healthz").status, health("/readyz").status), (200, 200));
    let other = rusqlite::Connection::open(served.folder.path().join("list.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = served.post("/subscribe", "email=taro@example.jp");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some() && refused.body.contains("何も変わっていません"));
    let ready = health("/readyz");
    assert!(ready.status == 503 && ready.header("retry-after").is_some(), "{ready:?}");
    assert_eq!(health("/healthz").status, 200, "it lives all the same");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(served.post("/subscribe", "email=taro@example.jp").status, 200);
    assert_eq!(health("/readyz").status, 200);
    assert_eq!(served.events("taro@example.jp"), ["applied"]);
    let metrics = health("/metrics").body;
    for line in [
        "mailmag_http_requests_total{method=\"POST\",route=\"/subscribe\",status=\"200\"} 1",
        "mailmag_http_requests_total{method=\"POST\",route=\"/subscribe\",status=\"503\"} 1",
        "mailmag_store_answers_total{answer=\"taken\"} 1",
        "mailmag_store_answers_total{answer=\"failed\"} 1",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}\n{metrics}");
    }
}

#[test]
fn while_an_import_holds_the_list_forms_are_to_be_sent_again_later() {
    const PATIENCE: Duration = Duration::from_secs(60);
    let served = served();
    let unsubscribe = served.reader("taro@example.jp");
    let before = state(&served);
    let (tells, told) = mpsc::channel();
    let (releases, released) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let settings = store_settings(served.folder.path());
        let import = scope.spawn(move || {
            let store = Store::open(&settings, now()).unwrap();
            // The import has begun to write when it asks for its first row.
            let mut rows = (1..=500).map(|line| {
                if line == 250 {
                    tells.send(()).unwrap();
                    released.recv_timeout(PATIENCE).unwrap();
                }
                row(line, &format!("reader{line}@example.jp"), Status::Active)
            });
            let report = store.import(&order(), &mut rows, &mut |refused| panic!("{refused:?}")).unwrap();
            store.close();
            report
        });
        told.recv_timeout(PATIENCE).unwrap();
        for (path, form) in [
            ("/subscribe", "email=hanako@example.jp"),
            ("/unsubscribe", "email=taro@example.jp"),
            (&format!("/u/{unsubscribe}"), "List-Unsubscribe=One-Click"),
        ] {
            let refused = served.post(path, form);
            assert_eq!(refused.status, 503, "{path} {refused:?}");
            assert_eq!(refused.header("retry-after"), Some("5"), "{path}");
            assert!(refused.body.contains("何も変わっていません"), "{path}");
        }
        assert_eq!(served.get(&format!("/u/{unsubscribe}")).status, 200, "it can be read all the same");
        assert_eq!(state(&served), before, "nothing of either is there");
        releases.send(()).unwrap();
        assert_eq!(import.join().unwrap().taken, 500);
    });
    assert_eq!(served.post("/subscribe", "email=hanako@example.jp").status, 200, "it goes on by itself");
    assert_eq!(served.events("hanako@example.jp"), ["applied"]);
    assert_eq!(served.events("taro@example.jp"), ["applied", "confirmed"]);
    assert_eq!(served.post(&format!("/u/{unsubscribe}"), "").status, 200);
    assert_eq!(status_of(&served, "reader500@example.jp"), Some(Status::Active));
    assert!(matches!(served.store.verify(), Ok(Verification::Whole { readers: 502, .. })));
}

#[cfg(unix)]
#[test]
fn a_postgresql_that_is_killed_is_told_as_that_and_comes_back_alone() {
    use crate::support::postgres::{Server, Settings};
    let server = Server::start(Settings { fsync: true, connections: 0, tls: false });
    let served = super::served_from(&server.database(), |_| {}, None);
    assert_eq!(served.post("/subscribe", "email=taro@example.jp").status, 200);
    server.kill();
    let refused = served.post("/subscribe", "email=jiro@example.jp");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    server.start_again();
    // It may still be reading its log: what the answer asks for is to try again.
    let again = (0..200).map(|_| served.post("/subscribe", "email=jiro@example.jp").status);
    let mut again = again.skip_while(|status| *status == 503);
    assert_eq!(again.next(), Some(200), "it comes back without anybody's help");
    assert_eq!(served.events("taro@example.jp"), ["applied"], "what was answered is kept");
    assert_eq!(served.events("jiro@example.jp"), ["applied"], "what was refused is kept once");
}

/// On a disk of one megabyte, where a machine lets its tests have one.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_as_that_and_nothing_is_half_written() {
    let disk = tempfile::TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(arguments[0]);
        command.args(&arguments[1..]).arg(disk.path()).stderr(std::process::Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !run(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        return;
    }
    let checked = std::panic::catch_unwind(|| {
        let list = disk.path().join("list.db");
        let served = super::served_from(&format!("sqlite:{}", list.display()), |_| {}, None);
        assert_eq!(served.post("/subscribe", "email=first@example.jp").status, 200);
        let filler = disk.path().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 512]).is_ok() {}
        let names = (0..200).map(|number| format!("reader{number}@example.jp"));
        let answers = names.map(|name| (served.post("/subscribe", &format!("email={name}")), name));
        let (refused, name) = answers.into_iter().find(|(answer, _)| answer.status != 200).unwrap();
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(status_of(&served, &name), None, "nothing of it is kept");
        drop(file);
        std::fs::remove_file(&filler).unwrap();
        assert_eq!(served.post("/subscribe", &format!("email={name}")).status, 200, "room is used at once");
        assert_eq!(served.events(&name), ["applied"]);
    });
    assert!(run(&["umount", "-l"]), "the disk is taken away again");
    if let Err(panic) = checked {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_service_below_a_path_keeps_to_it() {
    let below = |settings: &mut mailmag::web::service::Settings| settings.url += "/list";
    let served = served_with(below, None);
    assert_eq!(
        (served.get("/list").status, served.get("/list/").status, served.get("/").status),
        (200, 200, 404)
    );
    let page = served.get("/list/").body;
    assert!(page.contains("action=\"/list/subscribe?lang=ja\""), "{page}");
    assert_eq!(served.ask(&posting("/list/subscribe", "", "email=taro@example.jp")).status, 200);
}
