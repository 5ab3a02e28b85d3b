//! One table of cases: how a reader stands, what is asked, what becomes of it.

use super::*;
use crate::list::{Grant, Nonce, TokenDigest};
use crate::model::{Language, Suppression};

const HARD: Status = Status::Suppressed(Suppression::HardBounce);
const SOFT: Status = Status::Suppressed(Suppression::SoftBounces);
const COMPLAINT: Status = Status::Suppressed(Suppression::Complaint);
const OPERATOR: Status = Status::Suppressed(Suppression::Operator);

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn evidence() -> Evidence {
    Evidence {
        at: start(),
        nonce: Nonce([1; 16]),
        via: Via::Web("/subscribe".to_owned()),
        language: Language::Japanese,
        wording: Some("購読する".to_owned()),
        ip: Some([192, 0, 2, 7].into()),
        user_agent: Some("Mozilla/5.0".to_owned()),
        operator: None,
    }
}

fn reader(status: Status) -> Reader {
    let long_ago = start() - TimeDelta::days(30);
    Reader {
        subscriber: Subscriber {
            id: crate::model::SubscriberId(7),
            address: address("taro@example.jp"),
            name: None,
            status,
            source: Source::Web,
            language: Language::Japanese,
            tags: Vec::new(),
            created: long_ago,
            changed: long_ago,
        },
        unsubscribe: Nonce([9; 16]),
        confirmation_mailed: None,
        links_mailed: None,
        waiting: None,
        returns_until: None,
        reason: None,
        import: None,
    }
}

fn token(kind: TokenKind) -> HeldToken {
    let until = (kind != TokenKind::Unsubscribe).then(|| start() + TimeDelta::hours(1));
    HeldToken {
        digest: TokenDigest([0; 32]),
        kind,
        subscriber: crate::model::SubscriberId(7),
        until,
        used: None,
    }
}

fn known<'a>(reader: Option<&'a Reader>, token: Option<&'a HeldToken>) -> Known<'a> {
    let next = crate::model::SubscriberId(8);
    Known { reader, token, other: None, is_barred: false, asked: (0, None), next }
}

/// What becomes of a request: the status, the events and the mails, as words.
fn outcome(known: &Known, request: &Request, evidence: &Evidence) -> String {
    let decision = decide(known, request, evidence, &Limits::default());
    let answer = match &decision.answer {
        Answer::Taken => "taken".to_owned(),
        Answer::Done(standing) => if standing.changed { "changed" } else { "same" }.to_owned(),
        Answer::NoSuchToken => "no token".to_owned(),
        Answer::NoSuchSubscriber => "no subscriber".to_owned(),
        Answer::Refused(_) => "refused".to_owned(),
        Answer::TooMany(time) => format!("too many, {} s", time.as_secs()),
    };
    let mut words = vec![answer];
    words.extend(decision.readers.iter().map(|reader| reader.subscriber.status.name().to_owned()));
    words.extend(decision.events.iter().map(|event| format!("[{}]", event.kind.name())));
    words.extend(decision.notices.iter().map(|notice| format!("<{}>", notice.kind.name())));
    words.extend(decision.forgotten.map(|_| "forgotten".to_owned()));
    words.join(" ")
}

/// The table of the front page, row by row.
#[test]
fn each_status_meets_each_request() {
    let to = || address("taro@example.jp");
    let digest = TokenDigest([0; 32]);
    let subscribe = Request::Subscribe { address: to(), name: None };
    let add = Request::Add {
        address: to(),
        name: None,
        source: Source::Operator,
        basis: "asked by telephone".to_owned(),
        tags: Vec::new(),
    };
    let suppress = |why| Request::Suppress(to(), why);
    let statuses = [
        None,
        Some(Status::Pending),
        Some(Status::Active),
        Some(Status::Unsubscribed),
        Some(SOFT),
        Some(HARD),
        Some(COMPLAINT),
        Some(OPERATOR),
    ];
    let mail = |status: &str| format!("taken {status} [applied] <confirm>");
    let table: [(Request, Option<TokenKind>, [&str; 8]); 10] = [
        (
            subscribe,
            None,
            [
                &mail("pending"),
                &mail("pending"),
                "taken active <already>",
                &mail("unsubscribed"),
                &mail("suppressed: soft bounces"),
                &mail("suppressed: hard bounce"),
                &mail("suppressed: complaint"),
                "taken",
            ],
        ),
        (
            Request::Confirm(digest),
            Some(TokenKind::Confirm),
            [
                "no token",
                "changed active [confirmed] <welcome>",
                "same active",
                "changed active [confirmed] <welcome>",
                "changed active [confirmed] <welcome>",
                "changed active [confirmed] <welcome>",
                "changed active [confirmed] <welcome>",
                "no token",
            ],
        ),
        (
            Request::SendLinks(to()),
            None,
            [
                "taken",
                "taken pending <links>",
                "taken active <links>",
                "taken unsubscribed <links>",
                "taken",
                "taken",
                "taken",
                "taken",
            ],
        ),
        (
            Request::Leave(digest),
            Some(TokenKind::Unsubscribe),
            [
                "no token",
                "changed unsubscribed [left] <goodbye>",
                "changed unsubscribed [left] <goodbye>",
                "same",
                "same",
                "same",
                "same",
                "same",
            ],
        ),
        (
            add,
            None,
            [
                "changed active [added]",
                "changed active [added]",
                "same",
                "refused",
                "refused",
                "refused",
                "refused",
                "changed active [added]",
            ],
        ),
        (
            Request::Remove(to()),
            None,
            [
                "no subscriber",
                "changed unsubscribed [removed]",
                "changed unsubscribed [removed]",
                "same",
                "same",
                "same",
                "same",
                "same",
            ],
        ),
        (
            suppress(Suppression::HardBounce),
            None,
            [
                "no subscriber",
                "changed suppressed: hard bounce [suppressed]",
                "changed suppressed: hard bounce [suppressed]",
                "same",
                "changed suppressed: hard bounce [suppressed]",
                "same",
                "same",
                "same",
            ],
        ),
        (
            suppress(Suppression::Operator),
            None,
            ["changed suppressed: operator [suppressed]"; 7]
                .iter()
                .copied()
                .chain(["same"])
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        ),
        (
            Request::Erase(digest),
            Some(TokenKind::Preferences),
            ["no token"]
                .into_iter()
                .chain(["changed [erased] forgotten"; 7])
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        ),
        (
            Request::GiveReason(digest, "too many mails".to_owned()),
            Some(TokenKind::Unsubscribe),
            ["no token", "same", "same", "changed unsubscribed [reason]", "same", "same", "same", "same"],
        ),
    ];
    for (request, kind, expected) in table {
        let token = kind.map(token);
        for (status, expected) in statuses.iter().zip(expected) {
            let reader = status.map(reader);
            let known = known(reader.as_ref(), token.as_ref().filter(|_| reader.is_some()));
            assert_eq!(outcome(&known, &request, &evidence()), expected, "{status:?} {request:?}");
        }
    }
}

#[test]
fn each_request_takes_its_own_kinds_of_tokens_in_their_time() {
    let digest = TokenDigest([0; 32]);
    let kinds =
        [TokenKind::Confirm, TokenKind::Unsubscribe, TokenKind::Preferences, TokenKind::ChangeAddress];
    let table = [
        (Request::Confirm(digest), [true, false, false, true]),
        (Request::Leave(digest), [false, true, true, false]),
        (Request::GiveReason(digest, "x".to_owned()), [false, true, false, false]),
        (Request::Return(digest), [false, true, false, false]),
        (Request::Rename(digest, Some("太郎".to_owned())), [false, false, true, false]),
        (Request::ChangeLanguage(digest, Language::English), [false, false, true, false]),
        (Request::ChangeAddress(digest, address("jiro@example.jp")), [false, false, true, false]),
        (Request::Erase(digest), [false, false, true, false]),
    ];
    let mut reader = reader(Status::Active);
    reader.waiting =
        Some(WaitingAddress { address: address("jiro@example.jp"), until: start() + TimeDelta::hours(1) });
    for (request, takes) in &table {
        for (kind, takes) in kinds.iter().zip(takes) {
            let good = token(*kind);
            let is_taken = outcome(&known(Some(&reader), Some(&good)), request, &evidence()) != "no token";
            assert_eq!(is_taken, *takes, "{kind:?} {request:?}");
            let over = HeldToken { until: Some(start()), ..good };
            assert_eq!(outcome(&known(Some(&reader), Some(&over)), request, &evidence()), "no token");
        }
    }
}

#[test]
fn one_confirmation_a_day_and_the_same_answer() {
    let request = Request::Subscribe { address: address("taro@example.jp"), name: None };
    let ago = |hours: i64| Some(start() - TimeDelta::hours(hours));
    for (status, mailed, expected) in [
        (Status::Pending, ago(23), "taken"),
        (Status::Pending, ago(24), "taken pending [applied] <confirm>"),
        (Status::Active, ago(23), "taken"),
        (Status::Active, ago(24), "taken active <already>"),
        (COMPLAINT, ago(1), "taken"),
    ] {
        let reader = Reader { confirmation_mailed: mailed, ..reader(status) };
        assert_eq!(outcome(&known(Some(&reader), None), &request, &evidence()), expected, "{status:?}");
    }
}

#[test]
fn a_network_names_ten_addresses_an_hour() {
    let links = Request::SendLinks(address("taro@example.jp"));
    let subscribe = Request::Subscribe { address: address("taro@example.jp"), name: None };
    for request in [links, subscribe] {
        for (others, minutes_ago, expected) in
            [(9, 59, None), (10, 59, Some("too many, 60 s")), (11, 0, Some("too many, 3600 s"))]
        {
            let asked = (others, Some(start() - TimeDelta::minutes(minutes_ago)));
            let known = Known { asked, ..known(None, None) };
            let outcome = outcome(&known, &request, &evidence());
            match expected {
                Some(expected) => assert_eq!(outcome, expected),
                None => assert!(outcome.starts_with("taken"), "{outcome}"),
            }
            let unknown_machine = Evidence { ip: None, ..evidence() };
            assert!(super::tests::outcome(&known, &request, &unknown_machine).starts_with("taken"));
        }
    }
    assert_eq!(network([192, 0, 2, 7].into()), "192.0.2.0/24");
    assert_eq!(network("2001:db8:1:2::3".parse().unwrap()), "2001:db8:1::/48");
    assert_eq!(network("::ffff:192.0.2.7".parse().unwrap()), "192.0.2.0/24");
}

#[test]
fn leaving_is_undone_within_seven_days_by_who_was_confirmed() {
    let unsubscribe = token(TokenKind::Unsubscribe);
    let undo = Request::Return(TokenDigest([0; 32]));
    for (status, days, expected) in [
        (Status::Active, 6, "changed active [returned]"),
        (Status::Active, 7, "no token"),
        (Status::Pending, 1, "no token"),
    ] {
        let before = reader(status);
        let leave = Request::Leave(TokenDigest([0; 32]));
        let left = decide(&known(Some(&before), Some(&unsubscribe)), &leave, &evidence(), &Limits::default());
        let later = Evidence { at: start() + TimeDelta::days(days), ..evidence() };
        let left = &left.readers[0];
        assert_eq!(outcome(&known(Some(left), Some(&unsubscribe)), &undo, &later), expected);
    }
}

#[test]
fn an_address_changes_when_its_owner_confirms_it() {
    let reader = reader(Status::Active);
    let preferences = token(TokenKind::Preferences);
    let evidence = evidence();
    let ask = |new: &str| Request::ChangeAddress(TokenDigest([0; 32]), address(new));
    let known_by_preferences = known(Some(&reader), Some(&preferences));
    for (new, expected) in [
        ("taro@example.jp", "same"),
        ("Taro@example.jp", "changed active [address changed]"),
        ("jiro@example.jp", "changed active [address asked] <change>"),
    ] {
        assert_eq!(outcome(&known_by_preferences, &ask(new), &evidence), expected, "{new}");
    }
    let asked = decide(&known_by_preferences, &ask("jiro@example.jp"), &evidence, &Limits::default());
    let grant = Grant {
        kind: TokenKind::ChangeAddress,
        subscriber: reader.subscriber.id,
        nonce: evidence.nonce,
        until: start() + TimeDelta::hours(48),
    };
    assert_eq!(asked.granted, [grant]);
    let waiting = &asked.readers[0];
    assert_eq!(
        outcome(&known(Some(waiting), Some(&preferences)), &ask("jiro@example.jp"), &evidence),
        "same"
    );
    let change = token(TokenKind::ChangeAddress);
    let confirm = Request::Confirm(TokenDigest([0; 32]));
    let alone = known(Some(waiting), Some(&change));
    assert_eq!(outcome(&alone, &confirm, &evidence), "changed active [address changed] <changed>");
    let decision = decide(&alone, &confirm, &evidence, &Limits::default());
    assert_eq!(decision.barred, Some(address("taro@example.jp")));
    assert_eq!(decision.readers[0].subscriber.address, address("jiro@example.jp"));
    for (status, expected) in [
        (Status::Active, "changed unsubscribed active [address changed] <changed>"),
        (Status::Unsubscribed, "changed unsubscribed active [confirmed] [address changed] <changed>"),
        (OPERATOR, "no token"),
    ] {
        let mut other = super::tests::reader(status);
        other.subscriber.id.0 = 3;
        other.subscriber.address = address("jiro@example.jp");
        let known = Known { other: Some(&other), ..alone };
        assert_eq!(outcome(&known, &confirm, &evidence), expected, "{status:?}");
    }
}

#[test]
fn an_erased_reader_leaves_nothing_in_the_decision() {
    let preferences = token(TokenKind::Preferences);
    let reader = reader(Status::Active);
    let erase = Request::Erase(TokenDigest([0; 32]));
    let decision = decide(&known(Some(&reader), Some(&preferences)), &erase, &evidence(), &Limits::default());
    let event = &decision.events[0];
    assert_eq!((event.ip, &event.details.address, &event.details.network), (None, &None, &None));
    assert!(decision.notices.is_empty() && decision.wording.is_none());
}

#[test]
fn what_a_file_may_bring() {
    let importing =
        Importing { import: 4, at: start(), source: Source::Import, language: Language::Japanese };
    let check = |known: Option<&Reader>, is_barred, status, expected: Result<Status, Refusal>| {
        let row = ImportRow {
            line: 2,
            address: address("taro@example.jp"),
            name: None,
            tags: vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
            status,
        };
        let id = crate::model::SubscriberId(8);
        let decided = decide_import(&importing, row, known, is_barred, id, Nonce([2; 16]));
        assert_eq!(decided.map(|reader| reader.subscriber.status), expected);
    };
    check(None, false, Status::Active, Ok(Status::Active));
    check(None, false, Status::Unsubscribed, Ok(Status::Unsubscribed));
    check(None, false, Status::Pending, Err(Refusal::NeverConfirmed));
    check(None, true, Status::Active, Err(Refusal::Barred));
    for (status, why) in [
        (Status::Active, Refusal::Known),
        (Status::Pending, Refusal::Pending),
        (Status::Unsubscribed, Refusal::Left),
        (COMPLAINT, Refusal::Suppressed(Suppression::Complaint)),
    ] {
        check(Some(&reader(status)), false, Status::Active, Err(why));
    }
    let twice = Reader { import: Some(4), ..reader(Status::Active) };
    check(Some(&twice), false, Status::Active, Err(Refusal::Twice));
}
