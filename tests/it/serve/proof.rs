//! Work that is asked for against floods.

use mailmag::list::{Evidence, Nonce, Request, Via};
use mailmag::model::{EmailAddress, Language};
use mailmag::web::service::ProofOfWork;
use sha2::{Digest, Sha256};

use super::{Answer, Served, now, random, served, served_with};

/// A service that asks for work.
fn asking(when: ProofOfWork) -> Served {
    served_with(|settings| settings.proof_of_work = when, None)
}

/// The value of an attribute behind some words of a page.
fn attribute<'a>(page: &'a str, behind: &str, name: &str) -> Option<&'a str> {
    let rest = &page[page.find(behind)?..];
    let rest = &rest[..rest.find('>')?];
    rest.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

/// The challenge on a page.
fn challenge(answer: &Answer) -> Option<&str> {
    attribute(&answer.body, "name=\"challenge\"", "value")
}

/// The first nonce that answers a challenge; or the first that does not.
fn nonce(challenge: &str, bits: u32, answers: bool) -> String {
    let begins = |nonce: &String| {
        let digest = Sha256::digest(format!("{challenge}{nonce}"));
        u32::from_be_bytes(digest[..4].try_into().unwrap()).leading_zeros() >= bits
    };
    (0..).map(|number: u32| number.to_string()).find(|nonce| begins(nonce) == answers).unwrap()
}

fn is_known(served: &Served, address: &str) -> bool {
    served.store.subscriber(&EmailAddress::parse(address).unwrap()).unwrap().is_some()
}

/// As many confirmations as the alarm wants.
fn flood(served: &Served) {
    let waiting: Vec<_> = (0..1000)
        .map(|number| {
            let address = EmailAddress::parse(&format!("victim{number}@example.jp")).unwrap();
            let evidence = Evidence {
                at: now(),
                nonce: Nonce(random()),
                via: Via::Web("/subscribe".to_owned()),
                language: Language::Japanese,
                wording: None,
                ip: None,
                user_agent: None,
                operator: None,
            };
            served.store.ask(Request::Subscribe { address, name: None }, evidence)
        })
        .collect();
    waiting.into_iter().for_each(|waiting| drop(waiting.wait().unwrap()));
}

#[test]
fn work_is_done_once_for_each_subscription() {
    let served = asking(ProofOfWork::Always(8));
    let page = served.get("/?lang=ja");
    let challenge = challenge(&page).unwrap();
    assert_eq!(attribute(&page.body, "name=\"challenge\"", "data-bits"), Some("8"));
    assert!(page.body.contains("href=\"mailto:news@example.jp\""), "who has no script is told what to do");
    let post = |address: &str, nonce: &str| {
        served.post("/subscribe?lang=ja", &format!("email={address}&challenge={challenge}&nonce={nonce}"))
    };
    let (good, bad) = (nonce(challenge, 8, true), nonce(challenge, 8, false));
    for refused in [
        served.post("/subscribe?lang=ja", "email=taro@example.jp"),
        served.post("/subscribe?lang=ja", &format!("email=taro@example.jp&challenge={challenge}")),
        post("taro@example.jp", ""),
        post("taro@example.jp", &bad),
    ] {
        assert_eq!(refused.status, 400, "{refused:?}");
        let again = super::proof::challenge(&refused).unwrap();
        assert!(again != challenge && refused.body.contains("value=\"taro@example.jp\""), "{refused:?}");
        assert!(refused.body.contains("もう一度ボタンを押してください"), "{refused:?}");
    }
    assert!(!is_known(&served, "taro@example.jp"));
    assert_eq!(post("taro@example.jp", &good).status, 200);
    assert_eq!(served.events("taro@example.jp"), ["applied"]);
    for address in ["taro@example.jp", "jiro@example.jp"] {
        assert_eq!(post(address, &good).status, 400, "it is used up");
    }
    assert!(!is_known(&served, "jiro@example.jp"));
    // One's links cost no work: they go to readers alone.
    assert_eq!(served.post("/unsubscribe", "email=taro@example.jp").status, 200);
}

#[test]
fn work_that_was_done_is_kept_while_a_form_is_mended() {
    let served = asking(ProofOfWork::Always(8));
    let page = served.get("/");
    let challenge = challenge(&page).unwrap();
    let answered = format!("challenge={challenge}&nonce={}", nonce(challenge, 8, true));
    let again = served.post("/subscribe", &format!("email=taro@gmial.com&{answered}"));
    assert_eq!((again.status, super::proof::challenge(&again)), (400, Some(challenge)));
    let kept = attribute(&again.body, "name=\"nonce\"", "value").unwrap();
    let again = format!("email=taro@gmial.com&as-typed=gmial.com&challenge={challenge}&nonce={kept}");
    assert_eq!(served.post("/subscribe", &again).status, 200);
    let wrong = served.post("/unsubscribe", "email=x");
    assert!(wrong.status == 400 && super::proof::challenge(&wrong).is_some(), "{wrong:?}");
}

#[test]
fn who_works_learns_nothing_of_who_is_on_the_list() {
    let served = asking(ProofOfWork::Always(1));
    let apply = |address: &str| {
        let page = served.get("/");
        let challenge = challenge(&page).unwrap();
        let form = format!("email={address}&challenge={challenge}&nonce={}", nonce(challenge, 1, true));
        let answer = served.post("/subscribe", &form);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.without_date()
    };
    let unknown = apply("taro@example.jp");
    assert_eq!(apply("taro@example.jp"), unknown);
    assert_eq!(apply("jiro@example.jp"), unknown);
}

#[test]
fn a_script_is_let_in_where_work_is_asked_for_and_nowhere_else() {
    let served = asking(ProofOfWork::Always(8));
    let token = "a".repeat(26);
    let paths = ["/", "/lost", "/nowhere", &format!("/u/{token}"), &format!("/preferences/{token}")];
    for path in paths {
        let answer = served.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert_eq!(policy.contains("script-src"), path == "/", "{path}");
        assert_eq!(answer.body.contains("<script"), path == "/", "{path}");
        assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none';"), "{policy}");
    }
    let page = served.get("/");
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self';"));
    let script = served.get(attribute(&page.body, "<script", "src").unwrap());
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    let refused = served.post("/subscribe", "email=taro@example.jp");
    assert!(refused.header("content-security-policy").unwrap().contains("script-src 'self';"));
}

#[test]
fn in_a_flood_work_is_asked_for_unless_it_never_is() {
    for (when, is_asked) in [(ProofOfWork::default(), true), (ProofOfWork::Never, false)] {
        let served = asking(when);
        flood(&served);
        let page = served.get("/");
        let bits = attribute(&page.body, "name=\"challenge\"", "data-bits");
        assert_eq!(bits, is_asked.then_some("18"), "{when:?}");
        let status = served.post("/subscribe", "email=taro@example.jp").status;
        assert_eq!(status, if is_asked { 400 } else { 200 }, "{when:?}");
        assert_eq!(is_known(&served, "taro@example.jp"), !is_asked, "{when:?}");
    }
    let quiet = served();
    assert_eq!(challenge(&quiet.get("/")), None);
    assert_eq!(quiet.post("/subscribe", "email=taro@example.jp").status, 200);
}
