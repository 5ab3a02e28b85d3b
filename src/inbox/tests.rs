use proptest::prelude::*;

use super::*;
use crate::list::{Nonce, NoticeKind, StoreKey, TokenKind};

const SENDER: &str = "News@mag.example";

fn token() -> Token {
    Token::derive(&StoreKey::new([7; 32]), TokenKind::Unsubscribe, Nonce([1; 16]))
}

fn incoming(mail: &str) -> Incoming {
    let mail = mail.replace("TOKEN", &token().to_text()).replace('\n', "\r\n");
    read(mail.as_bytes(), &Addresses::new(SENDER), Language::Japanese)
}

#[track_caller]
fn check(mail: &str, expected: &str) {
    assert_eq!(meaning(mail), expected, "{mail}");
}

/// What a mail means, in a word, and the address or the reason behind it.
fn meaning(mail: &str) -> String {
    match incoming(mail).meaning {
        Meaning::Subscribe(address) => format!("subscribe {}", address.as_str()),
        Meaning::Leave(found) => {
            assert_eq!(found, token());
            "leave".to_owned()
        }
        Meaning::SendLinks(address) => format!("links {}", address.as_str()),
        Meaning::Bounce(_) => "bounce".to_owned(),
        Meaning::Automatic(sign) => format!("automatic: {sign}"),
        Meaning::Ignored(why) => format!("ignored: {why}"),
        Meaning::ForPeople => "for people".to_owned(),
        Meaning::NoMail => "no mail".to_owned(),
    }
}

/// A mail of a reader's: where it goes, its subject, more fields, and its text.
fn mail(to: &str, subject: &str, fields: &str, text: &str) -> String {
    format!(
        "Return-Path: <taro@example.jp>\nFrom: =?UTF-8?B?5aSq6YOO?= <taro@example.jp>\nTo: {to}\n\
         Subject: {subject}\nMessage-ID: <1@example.jp>\n{fields}\n{text}"
    )
}

#[test]
fn where_it_goes_and_what_it_says_decide() {
    let plain = "news@mag.example";
    let subscribe = "news+subscribe@mag.example";
    let unsubscribe = "news+unsubscribe@mag.example";
    let cases = [
        // An empty mail, as telephones write it.
        (plain, "", "", "", "subscribe taro@example.jp"),
        (plain, "", "", "\n \u{3000}\n", "subscribe taro@example.jp"),
        (plain, "", "", "ご担当者様\n", "for people"),
        (plain, "登録", "", "words\n", "subscribe taro@example.jp"),
        (plain, "=?ISO-2022-JP?B?GyRCRVBPPxsoQg==?=", "", "", "subscribe taro@example.jp"),
        (plain, "subscribe", "", "", "subscribe taro@example.jp"),
        (plain, "解除", "", "", "links taro@example.jp"),
        (plain, "退会", "", "", "links taro@example.jp"),
        (plain, "unsubscribe", "", "", "links taro@example.jp"),
        (plain, "変更", "", "", "links taro@example.jp"),
        (plain, "change", "", "", "links taro@example.jp"),
        (plain, "解除できません", "", "", "for people"),
        (plain, "Re: Vol.010", "", "", "for people"),
        (subscribe, "", "", "words\n", "subscribe taro@example.jp"),
        (subscribe, "こんにちは", "", "words\n", "subscribe taro@example.jp"),
        (subscribe, "解除", "", "", "links taro@example.jp"),
        (unsubscribe, "", "", "", "links taro@example.jp"),
        (unsubscribe, "unsubscribe", "", "", "links taro@example.jp"),
        (unsubscribe, "登録", "", "", "links taro@example.jp"),
        ("NEWS+Unsubscribe@MAG.EXAMPLE", "", "", "", "links taro@example.jp"),
        ("u+TOKEN@mag.example", "unsubscribe", "", "", "leave"),
        ("U+TOKEN@mag.example", "", "", "", "leave"),
        ("<u+TOKEN@mag.example>", "登録", "", "", "leave"),
        ("news+subscribe@mag.example, u+TOKEN@mag.example", "", "", "", "leave"),
        ("news@mag.example, news+unsubscribe@mag.example", "", "", "", "links taro@example.jp"),
        (
            "u+nonsense@mag.example",
            "unsubscribe",
            "",
            "",
            "ignored: it does not go to an address of the magazine's",
        ),
        ("news+other@mag.example", "登録", "", "", "ignored: it does not go to an address of the magazine's"),
        ("newsletter@mag.example", "登録", "", "", "ignored: it does not go to an address of the magazine's"),
        ("news@other.example", "登録", "", "", "ignored: it does not go to an address of the magazine's"),
        ("b+1.2.mac@mag.example", "unsubscribe", "", "", "bounce"),
    ];
    for (to, subject, fields, text, expected) in cases {
        check(&mail(to, subject, fields, text), expected);
    }
}

#[test]
fn the_address_it_was_delivered_to_counts_more_than_the_written_one() {
    let to = |fields: &str, expected: &str| {
        check(&mail("other@elsewhere.example", "", fields, "words\n"), expected);
    };
    to("Delivered-To: news+subscribe@mag.example\n", "subscribe taro@example.jp");
    to("X-Original-To: u+TOKEN@mag.example\nDelivered-To: news@mag.example\n", "leave");
    to("Cc: News <news+unsubscribe@mag.example>\n", "links taro@example.jp");
    check(
        &mail("news+unsubscribe@mag.example", "", "Delivered-To: news@mag.example\n", ""),
        "links taro@example.jp",
    );
    let hidden = "Delivered-To: news+subscribe@mag.example\n";
    check(&mail("news+unsubscribe@mag.example", "", hidden, ""), "subscribe taro@example.jp");
}

#[test]
fn a_machine_is_never_answered() {
    let cases = [
        ("Auto-Submitted: auto-replied\n", "automatic: Auto-Submitted, or what others write in its place"),
        (
            "Auto-Submitted: auto-generated; owner=x\n",
            "automatic: Auto-Submitted, or what others write in its place",
        ),
        ("Auto-Submitted: no\n", "subscribe taro@example.jp"),
        ("Auto-Submitted: No (a person)\n", "subscribe taro@example.jp"),
        ("Precedence: bulk\n", "automatic: Precedence"),
        ("Precedence: Junk\n", "automatic: Precedence"),
        ("Precedence: list\n", "automatic: Precedence"),
        ("Precedence: first-class\n", "subscribe taro@example.jp"),
        ("List-Id: <x.example>\n", "automatic: it came by a mailing list"),
        ("List-Unsubscribe: <mailto:x@y.example>\n", "automatic: it came by a mailing list"),
        ("X-Autoreply: yes\n", "automatic: Auto-Submitted, or what others write in its place"),
        (
            "X-Auto-Response-Suppress: DR, AutoReply\n",
            "automatic: Auto-Submitted, or what others write in its place",
        ),
        ("X-Auto-Response-Suppress: DR\n", "automatic: Auto-Submitted, or what others write in its place"),
        ("X-Spam-Flag: YES\n", "automatic: it is marked as spam"),
        ("Sender: owner-list@example.jp\n", "automatic: its sender is a mailing list"),
        ("Sender: listserv@example.jp\n", "automatic: its sender is a mailing list"),
        ("Sender: no-reply@example.jp\n", "automatic: its sender is a server"),
        ("Sender: MAILER-DAEMON\n", "automatic: its sender is a server"),
        ("Sender: MAILER-DAEMON@mx.example.jp (Mail Delivery System)\n", "automatic: its sender is a server"),
        ("X-Failed-Recipients: a@b.example\n", "bounce"),
        ("Content-Type: multipart/report; boundary=b\n", "automatic: it is a report"),
        ("Sender: news@mag.example\n", "automatic: it is our own mail"),
        ("Sender: b+1.2.mac@mag.example\n", "automatic: it is our own mail"),
    ];
    let found = cases.map(|(fields, _)| meaning(&mail("news+subscribe@mag.example", "", fields, "")));
    let expected = cases.map(|(_, expected)| expected.to_owned());
    assert_eq!(found, expected);
    let no_path = mail("news+subscribe@mag.example", "", "", "").replacen("<taro@example.jp>", "<>", 1);
    check(&no_path, "automatic: an empty Return-Path");
    let hops = "Received: from a by b; now\n".repeat(51);
    check(&mail("news+subscribe@mag.example", "", &hops, ""), "automatic: it has gone a long way round");
    let own = NoticeKind::Confirm.message_id(Nonce([1; 16]), "mag.example");
    let own = mail("news+subscribe@mag.example", "", "", "").replace("<1@example.jp>", &own);
    check(&own, "automatic: it is our own mail");
    let from_us = mail("news@mag.example", "登録", "", "").replace("taro@example.jp", "news@mag.example");
    check(&from_us, "automatic: it is our own mail");
}

#[test]
fn mail_that_came_back_is_handed_on_as_what_it_says() {
    let report = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.jp\nTo: news@mag.example\nSubject: Undelivered\n\
        MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
        --b\n\nNo such user.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.jp\n\n\
        Final-Recipient: rfc822; taro@example.jp\nAction: failed\nStatus: 5.1.1\n--b--\n";
    match incoming(report).meaning {
        Meaning::Bounce(Some(report)) => assert_eq!(report.recipients[0].address, "taro@example.jp"),
        other => panic!("{other:?}"),
    }
    check(&report.replace("news@mag", "u+TOKEN@mag"), "bounce");
}

#[test]
fn a_token_is_believed_from_machines_too_but_not_from_a_bounce() {
    let to = "u+TOKEN@mag.example";
    check(&mail(to, "unsubscribe", "Auto-Submitted: auto-generated\n", ""), "leave");
    check(&mail(to, "unsubscribe", "Precedence: bulk\n", ""), "leave");
    check(&mail(to, "", "Content-Type: multipart/report; boundary=b\n", ""), "bounce");
    check(
        &mail(to, "", "", "").replace("taro@example.jp", "news@mag.example"),
        "automatic: it is our own mail",
    );
}

#[test]
fn the_one_sender_is_answered() {
    let from = |from: &str, to: &str, expected: &str| {
        check(&format!("From: {from}\nTo: {to}@mag.example\nSubject: x\n\n"), expected);
    };
    let none = "ignored: it does not tell its one sender";
    from("a@b.jp, c@d.jp", "news+subscribe", none);
    from("a@b.jp\nFrom: c@d.jp", "news+subscribe", none);
    from("somebody", "news+subscribe", none);
    from(
        "\"a..b.\"@docomo.ne.jp",
        "news+subscribe",
        "ignored: its sender has an address that cannot subscribe",
    );
    from("\"a..b.\"@docomo.ne.jp", "news+unsubscribe", "links a..b.@docomo.ne.jp");
    from("a..b.@docomo.ne.jp", "news+unsubscribe", "links a..b.@docomo.ne.jp");
    from("a@localhost", "news+unsubscribe", "ignored: its sender has no address that can be answered");
    from("\"x@y.jp\" <a@b.jp>", "news+subscribe", "subscribe a@b.jp");
}

#[test]
fn what_is_no_mail_or_too_much_is_ignored() {
    for bad in ["", "words\n", "\n", "山: 海\n"] {
        check(bad, "no mail");
    }
    let long = format!("X-Long: {}\n", "a".repeat(LONGEST_HEADER));
    check(&mail("news+subscribe@mag.example", "", &long, ""), "no mail");
    // A heavy mail without words is no empty one.
    check(&mail("news@mag.example", "", "", &" \n".repeat(LARGEST_EMPTY)), "for people");
    let html = "Content-Type: text/html; charset=utf-8\n";
    check(&mail("news@mag.example", "", html, "<p></p>"), "for people");
    let parts = "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n";
    let empty =
        "--b\nContent-Type: text/plain; charset=utf-8\n\n\n--b\nContent-Type: text/html\n\n<br>\n--b--\n";
    check(&mail("news@mag.example", "", parts, empty), "subscribe taro@example.jp");
}

#[test]
fn the_answer_is_in_the_senders_character_set_and_language() {
    let plain = "From: a@b.jp\nTo: news+subscribe@mag.example\n";
    let cases = [
        ("Subject: x\n\nwords\n", None, Language::Japanese),
        ("Subject: x\nContent-Language: en-GB\n\nwords\n", None, Language::English),
        ("Subject: x\nContent-Language: fr\n\nwords\n", None, Language::Japanese),
        ("Subject: 登録\nContent-Language: en\n\nwords\n", None, Language::Japanese),
        (
            "Subject: x\nContent-Language: en\nContent-Type: text/plain; charset=ISO-2022-JP\n\n\n",
            Some("ISO-2022-JP"),
            Language::Japanese,
        ),
        ("Subject: x\nContent-Type: text/plain; charset=us-ascii\n\n\n", None, Language::Japanese),
        (
            "Subject: x\nContent-Type: text/plain; charset=Shift_JIS\n\n\n",
            Some("Shift_JIS"),
            Language::Japanese,
        ),
        ("Subject: =?iso-2022-jp?B?GyRCRVBPPxsoQg==?=\n\n", Some("ISO-2022-JP"), Language::Japanese),
        ("Subject: =?utf-8*ja?Q?x?=\n\n", Some("UTF-8"), Language::Japanese),
        ("Subject: x\nContent-Type: text/plain; charset=x-unknown\n\n\n", None, Language::Japanese),
    ];
    for (rest, charset, language) in cases {
        let found = incoming(&format!("{plain}{rest}"));
        assert_eq!((found.charset.as_deref(), found.language), (charset, language), "{rest}");
    }
}

#[test]
fn the_message_id_is_kept_if_it_is_one() {
    let cases = [
        ("Message-ID: <1@example.jp>\n", "<1@example.jp>"),
        ("Message-ID:\n <1@example.jp> (x)\n", "<1@example.jp>"),
        ("Message-ID: 1@example.jp\n", ""),
        ("Message-ID: <\u{7}1@example.jp>\n", ""),
        ("X: y\n", ""),
    ];
    for (field, expected) in cases {
        assert_eq!(incoming(&format!("From: a@b.jp\n{field}\n")).message_id, expected, "{field}");
    }
}

#[test]
fn debug_output_shows_neither_reader_nor_token() {
    for to in ["news+subscribe", "news+unsubscribe", "u+TOKEN"] {
        let shown = format!("{:?}", incoming(&mail(&format!("{to}@mag.example"), "", "", "")).meaning);
        assert!(!shown.contains("taro") && !shown.contains(&token().to_text()), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&octets, &Addresses::new(SENDER), Language::English);
    }

    #[test]
    fn any_mail_is_read_and_answers_none_but_its_sender(fields in proptest::collection::vec(prop_oneof![
        Just("From: a@b.jp\n".to_owned()),
        Just("From: \"x\" <c@d.jp>\n".to_owned()),
        Just("To: news+subscribe@mag.example\n".to_owned()),
        Just("To: news@mag.example\n".to_owned()),
        Just("Subject: =?utf-8?B?\n ?=\n".to_owned()),
        Just("Auto-Submitted: auto-replied\n".to_owned()),
        Just("Content-Type: multipart/mixed; boundary=b\n".to_owned()),
        Just("\n".to_owned()),
        Just("--b\n".to_owned()),
        "(From|To|Subject|Message-ID|Return-Path): \\PC{0,20}\n",
        "\\PC{0,10}\n",
    ], 0..12)) {
        let mail = fields.concat();
        let found = read(mail.as_bytes(), &Addresses::new(SENDER), Language::English);
        if let Meaning::Subscribe(address) | Meaning::SendLinks(address) = &found.meaning {
            prop_assert!(mail.to_lowercase().contains(&address.domain().to_lowercase()) || !mail.is_ascii());
            prop_assert!(!mail.starts_with("Auto-Submitted"));
        }
    }
}
