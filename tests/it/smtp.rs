//! SMTP against a scripted server: every stage, everything that can go wrong there, and whose fault it is
//! called.

mod courier;
mod safety;

use std::sync::Arc;
use std::time::Duration;

use mailmag::deliver::smtp::{
    Answer, Client, Connection, Courier, Envelope, Failure, Login, Mail, MailData, Outcome, Route, Secret,
    Server, Stage, Target, Timeouts, Tls, Verdict,
};
use mailmag::model::EmailAddress;
use tokio::task::JoinSet;

use crate::support::smtp_server::{Act, Play, Script, Security, SmtpServer, Taken};

/// Far longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// For stages at which the server is silent.
const SHORT: Duration = Duration::from_millis(200);

const LETTER: &[u8] =
    b"From: m@mag.example.jp\r\nMessage-ID: <1.1@mag.example.jp>\r\n\r\n.dot\r\n..\r\nend\r\n";

/// Long ones, but for the stage at which silence is what is tested.
fn timeouts(silent: Option<Stage>) -> Timeouts {
    let limit = |stage| if silent == Some(stage) { SHORT } else { LONG };
    Timeouts {
        connect: LONG,
        tls: limit(Stage::Tls),
        banner: limit(Stage::Banner),
        ehlo: limit(Stage::Ehlo),
        auth: limit(Stage::Auth),
        mail: limit(Stage::Mail),
        rcpt: limit(Stage::Rcpt),
        data: limit(Stage::Data),
        body: limit(Stage::Body),
        dot: limit(Stage::Dot),
        quit: LONG,
    }
}

fn client(silent: Option<Stage>) -> Client {
    Client::new("mag.example.jp", timeouts(silent)).unwrap()
}

fn server(name: &str, port: u16) -> Server {
    Server { name: name.into(), host: "127.0.0.1".to_owned(), port, tls: Tls::None, login: None }
}

fn route(targets: Vec<Target>) -> Arc<Route> {
    Arc::new(Route { targets, client: client(None), rest: LONG })
}

fn mail(recipient: &str, octets: &[u8]) -> Mail {
    let address = |text| EmailAddress::parse_legacy(text).unwrap();
    let envelope = Envelope { sender: Some(address("b@mag.example.jp")), recipient: address(recipient) };
    Mail { envelope, data: MailData::new(octets.to_vec()).unwrap() }
}

fn taken(recipient: &str, octets: &[u8]) -> Taken {
    Taken { sender: "b@mag.example.jp".to_owned(), recipient: recipient.to_owned(), octets: octets.to_vec() }
}

fn script(offers: &[&'static str], plays: &[Play]) -> Script {
    Script {
        offers: offers.to_vec(),
        security: Security::Clear,
        plays: plays.to_vec(),
        asks_for_nothing: false,
        login: "\0editor\0tr0ub4dor",
        unknown: "",
    }
}

const PIPELINING: &[&str] = &["PIPELINING", "SIZE 100000000", "8BITMIME", "AUTH PLAIN LOGIN"];
const ONE_BY_ONE: &[&str] = &["SIZE 100000000", "AUTH LOGIN"];

async fn send_once(server: &Server, client: &Client, mail: &Mail) -> Outcome {
    let mut connection = match Connection::open(server, client).await {
        Ok(connection) => connection,
        Err(outcome) => return outcome,
    };
    match connection.ready(mail).await {
        Ok(go) => connection.finish(go, mail, None).await,
        Err(outcome) => outcome,
    }
}

#[tokio::test]
async fn every_stage_has_its_verdict_for_everything_that_goes_wrong() {
    use Verdict::{
        Accepted as A, Deferred as D, OwnFault as O, Rejected as R, ServerFault as S, Unknown as U,
    };
    let acts = [
        Act::Say(b"451 not now\r\n"),
        Act::Say(b"550 no\r\n"),
        Act::SayAndCut(b"421 4.3.2 closing\r\n"),
        Act::Hang,
        Act::Cut,
        Act::Reset,
        Act::Say(b"HTTP/1.1 200 OK\r\n\r\n"),
        Act::Twice,
        Act::Say(b"550 \x8e\xa9\xff\r\n"),
        Act::Late(Duration::from_secs(3600)),
    ];
    let table = [
        // 4xx 5xx 421 hang cut reset garbage two non-UTF-8 late
        (Stage::Banner, [S, O, S, S, S, S, S, S, O, S]),
        (Stage::Ehlo, [S, O, S, S, S, S, S, S, O, S]),
        (Stage::Auth, [S, O, S, S, S, S, S, S, O, S]),
        (Stage::Mail, [S, O, S, S, S, S, S, S, O, S]),
        (Stage::Rcpt, [D, R, S, S, S, S, S, S, R, S]),
        (Stage::Data, [D, O, S, S, S, S, S, S, O, S]),
        (Stage::Dot, [D, O, S, U, U, U, U, A, O, U]),
    ];
    // All at once: where silence is tested it is waited for once.
    let mut cells = JoinSet::new();
    for offers in [PIPELINING, ONE_BY_ONE] {
        for (stage, verdicts) in table {
            for (act, expected) in acts.into_iter().zip(verdicts) {
                cells.spawn(check_cell(offers, stage, act, expected));
            }
        }
    }
    assert_eq!(cells.join_all().await.len(), 140);
}

async fn check_cell(offers: &'static [&'static str], stage: Stage, act: Act, expected: Verdict) {
    let scripted = SmtpServer::start(script(offers, &[Play::always(stage, act)])).await;
    let client = client(matches!(act, Act::Hang | Act::Late(_)).then_some(stage));
    let login = Login { user: "editor".to_owned(), password: Secret::new("tr0ub4dor") };
    let server = Server { login: Some(login), ..server("scripted", scripted.port) };
    let outcome = send_once(&server, &client, &mail("taro@example.jp", LETTER)).await;
    let cell = format!("{offers:?} {stage:?} {act:?}: {outcome}");
    assert_eq!(outcome.verdict(), expected, "{cell}");
    assert!(!format!("{outcome:?}{outcome}").contains("tr0ub4dor"), "{cell}");
    let has_it = scripted.taken() == [taken("taro@example.jp", LETTER)];
    match expected {
        Verdict::Accepted => assert!(has_it, "{cell}"),
        // The server has the mail, and could not say so.
        Verdict::Unknown => assert!(has_it || matches!(act, Act::Say(_)), "{cell}"),
        _ => assert!(scripted.taken().is_empty(), "{cell}"),
    }
}

/// What becomes of one mail where the server plays at one stage; the stage at which it ended, and by what.
async fn check(plays: &[Play], letter: &Mail, stage: Stage, verdict: Verdict, shown: &str) {
    for offers in [PIPELINING, ONE_BY_ONE] {
        let scripted = SmtpServer::start(script(offers, plays)).await;
        let silent = plays.iter().find(|play| matches!(play.act, Act::Hang)).map(|play| play.stage);
        let client = client(silent);
        let outcome = send_once(&server("scripted", scripted.port), &client, letter).await;
        assert_eq!((outcome.stage, outcome.verdict()), (stage, verdict), "{plays:?} {outcome}");
        assert!(outcome.to_string().contains(shown), "{shown}: {outcome}");
    }
}

#[tokio::test]
async fn refusals_are_told_with_their_stage() {
    use Stage::*;
    let letter = mail("a@example.jp", LETTER);
    let say = |stage, octets| [Play::always(stage, Act::Say(octets))];
    check(
        &say(Banner, b"554 5.7.1 go away\r\n"),
        &letter,
        Banner,
        Verdict::OwnFault,
        "greeting: 554 5.7.1 go",
    )
    .await;
    check(&say(Rcpt, b"550 5.1.1 unknown\r\n"), &letter, Rcpt, Verdict::Rejected, "RCPT: 550 5.1.1 unknown")
        .await;
    check(&say(Rcpt, b"550 \x1b[2Jx\xff\r\n"), &letter, Rcpt, Verdict::Rejected, "550 \\u{1b}[2Jx\\xFF")
        .await;
    check(&say(Rcpt, b"554 5.7.1 relaying\r\n"), &letter, Rcpt, Verdict::OwnFault, "RCPT: 554").await;
    check(&say(Mail, b"550 5.7.26 SPF\r\n"), &letter, Mail, Verdict::OwnFault, "MAIL: 550").await;
    check(&say(Dot, b"550 5.1.1 unknown\r\n"), &letter, Dot, Verdict::Rejected, "after the last dot: 550")
        .await;
    check(&say(Dot, b"554 5.7.1 spam\r\n"), &letter, Dot, Verdict::OwnFault, "spam").await;
    check(&say(Dot, b"250-2.0.0 a\r\n250 2.0.0 b\r\n"), &letter, Dot, Verdict::Accepted, "2.0.0 a / 2.0.0 b")
        .await;
    check(&say(Data, b"354 go\r\n250 queued\r\n"), &letter, Data, Verdict::ServerFault, "more replies").await;
}

#[tokio::test]
async fn a_body_that_is_not_taken_is_nobodys_mail() {
    let large = b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n".repeat(200_000);
    let letter = mail("a@example.jp", &large);
    use Verdict::{Deferred, OwnFault, ServerFault};
    let cases = [
        (Act::Hang, ServerFault, "before the last dot: no answer within the time limit"),
        (Act::Cut, ServerFault, "before the last dot: "),
        (Act::Reset, ServerFault, "before the last dot: "),
        // Said in the middle, and then hung up.
        (Act::SayAndCut(b"421 4.3.2 closing\r\n"), ServerFault, "before the last dot: 421 4.3.2"),
        (Act::SayAndCut(b"452 4.3.1 disk full\r\n"), Deferred, "before the last dot: 452 4.3.1"),
        (Act::SayAndCut(b"552 5.3.4 too large\r\n"), OwnFault, "before the last dot: 552 5.3.4"),
    ];
    for (act, verdict, shown) in cases {
        check(&[Play::always(Stage::Body, act)], &letter, Stage::Body, verdict, shown).await;
    }
}

#[tokio::test]
async fn a_recipient_who_was_refused_gets_no_octets() {
    let plays = [Play::nth(Stage::Rcpt, 0, Act::Say(b"550 5.1.1 unknown\r\n"))];
    let script = Script { asks_for_nothing: true, ..script(PIPELINING, &plays) };
    let scripted = SmtpServer::start(script).await;
    let mut connection = Connection::open(&server("scripted", scripted.port), &client(None)).await.unwrap();
    let outcome = connection.ready(&mail("a@x.jp", LETTER)).await.unwrap_err();
    assert_eq!((outcome.stage, outcome.verdict()), (Stage::Rcpt, Verdict::Rejected));
    let next = mail("b@x.jp", LETTER);
    let go = connection.ready(&next).await.unwrap();
    assert_eq!(connection.finish(go, &next, None).await.verdict(), Verdict::Accepted);
    assert_eq!(scripted.taken(), [taken("b@x.jp", LETTER)]);
    assert!(scripted.commands().contains(&"(0 octets)".to_owned()), "{:?}", scripted.commands());
}

#[tokio::test]
async fn a_connection_that_was_left_in_the_middle_is_of_no_more_use() {
    let scripted = SmtpServer::start(script(PIPELINING, &[Play::always(Stage::Dot, Act::Hang)])).await;
    let mut connection = Connection::open(&server("scripted", scripted.port), &client(None)).await.unwrap();
    let letter = mail("a@x.jp", LETTER);
    let go = connection.ready(&letter).await.unwrap();
    let finish = connection.finish(go, &letter, None);
    assert!(tokio::time::timeout(SHORT, finish).await.is_err(), "the server hangs");
    assert!(!connection.is_usable());
    let outcome = connection.ready(&letter).await.unwrap_err();
    assert_eq!(outcome.verdict(), Verdict::ServerFault);
}

#[tokio::test]
async fn endless_replies_are_given_up() {
    const LINE: &[u8] = &[b'2'; 5_000];
    const LINES: &[u8] = &many_lines();
    let letter = mail("a@example.jp", LETTER);
    let too_long = "the reply is too long";
    check(
        &[Play::always(Stage::Ehlo, Act::Say(LINES))],
        &letter,
        Stage::Ehlo,
        Verdict::ServerFault,
        too_long,
    )
    .await;
    check(
        &[Play::always(Stage::Mail, Act::Say(LINE))],
        &letter,
        Stage::Mail,
        Verdict::ServerFault,
        "no reply",
    )
    .await;
}

const fn many_lines() -> [u8; 6 * 200] {
    let mut octets = *b"250-x\n";
    octets[4] = b'x';
    let mut lines = [0; 6 * 200];
    let mut at = 0;
    while at < lines.len() {
        lines[at] = octets[at % 6];
        at += 1;
    }
    lines
}

#[tokio::test]
async fn mails_arrive_octet_for_octet_and_keep_their_connection() {
    for offers in [PIPELINING, ONE_BY_ONE] {
        let plays = [
            Play::nth(Stage::Rcpt, 1, Act::Say(b"550 5.1.1 unknown\r\n")),
            Play::nth(Stage::Dot, 2, Act::Say(b"554 5.6.0 no\r\n")),
            Play::nth(Stage::Mail, 4, Act::Say(b"451 4.3.0 later\r\n")),
            Play::nth(Stage::Data, 4, Act::Say(b"451 4.3.0 later\r\n")),
        ];
        let scripted = SmtpServer::start(script(offers, &plays)).await;
        let server = server("scripted", scripted.port);
        let client = client(None);
        let mails: Vec<Mail> = (0..8)
            .map(|n| mail(&format!("r{n}@example.jp"), format!("To: r{n}\r\n\r\n.{n}\r\n").as_bytes()))
            .collect();
        let mut connection = Connection::open(&server, &client).await.unwrap();
        let mut verdicts = Vec::new();
        for (n, mail) in mails.iter().enumerate() {
            verdicts.push(match connection.ready(mail).await {
                Ok(go) => connection.finish(go, mail, mails.get(n + 1)).await.verdict(),
                Err(outcome) => outcome.verdict(),
            });
            assert!(connection.is_usable(), "{n}: a refusal keeps the connection");
        }
        use Verdict::{Accepted as A, Deferred as D, OwnFault as O, Rejected as R, ServerFault as S};
        assert_eq!(verdicts, [A, R, A, O, S, A, D, A], "{offers:?}");
        connection.quit().await;
        let expected: Vec<Taken> = [0, 2, 5, 7]
            .into_iter()
            .map(|n: usize| {
                taken(&format!("r{n}@example.jp"), format!("To: r{n}\r\n\r\n.{n}\r\n").as_bytes())
            })
            .collect();
        assert_eq!(scripted.taken(), expected, "{offers:?}");
        assert_eq!(scripted.connections(), 1);
        let resets = scripted.commands().iter().filter(|command| *command == "RSET").count();
        // A refusal of the last dot leaves nothing open where the next mail was begun with it.
        assert_eq!(resets, if offers == PIPELINING { 3 } else { 4 }, "{:?}", scripted.commands());
        assert_eq!(scripted.commands().last().unwrap(), "QUIT");
    }
}

#[tokio::test]
async fn commands_travel_with_the_last_dot_where_the_server_allows() {
    let scripted = SmtpServer::start(script(PIPELINING, &[])).await;
    let client = client(None);
    let mut connection = Connection::open(&server("scripted", scripted.port), &client).await.unwrap();
    let (first, second, third) = (mail("a@x.jp", LETTER), mail("b@x.jp", LETTER), mail("c@x.jp", LETTER));
    let go = connection.ready(&first).await.unwrap();
    let outcome = connection.finish(go, &first, Some(&second)).await;
    assert_eq!(outcome.verdict(), Verdict::Accepted);
    // The octets of the third would go to the second's reader: the connection is given up instead.
    let outcome = connection.ready(&third).await.unwrap_err();
    assert_eq!(outcome.answer, Answer::Failure(Failure::GivenUp));
    assert!(!connection.is_usable());
    assert_eq!(scripted.taken(), [taken("a@x.jp", LETTER)]);

    // A courier does that by itself, and tells nobody.
    let mut courier = Courier::new(route(vec![Target::Server(server("scripted", scripted.port))]));
    let go = courier.ready(&first).await.unwrap();
    courier.finish(go, &first, Some(&second)).await;
    assert_eq!(courier.send(&third).await.verdict(), Verdict::Accepted);
    assert_eq!(courier.take_setbacks(), []);
    let recipients: Vec<String> = scripted.taken().into_iter().map(|mail| mail.recipient).collect();
    assert_eq!(recipients, ["a@x.jp", "a@x.jp", "c@x.jp"]);
}

#[tokio::test]
async fn what_a_server_does_not_take_is_refused_before_it_is_sent() {
    let eight_bit = "あ\r\n".as_bytes();
    let cases: [(&[&'static str], &[u8], Failure); 3] = [
        (&[], eight_bit, Failure::EightBit),
        (&["SIZE 4", "8BITMIME"], eight_bit, Failure::TooLarge { size: 5, limit: 4 }),
        (&["PIPELINING", "SIZE 5"], b"12345\r\n", Failure::TooLarge { size: 7, limit: 5 }),
    ];
    for (offers, octets, failure) in cases {
        let scripted = SmtpServer::start(script(offers, &[])).await;
        let mut courier = Courier::new(route(vec![Target::Server(server("scripted", scripted.port))]));
        let outcome = courier.send(&mail("a@x.jp", octets)).await;
        assert_eq!((outcome.verdict(), outcome.answer), (Verdict::OwnFault, Answer::Failure(failure)));
        assert_eq!(courier.send(&mail("a@x.jp", b"x\r\n")).await.verdict(), Verdict::Accepted);
        assert_eq!((scripted.taken().len(), scripted.connections()), (1, 1), "the connection is kept");
    }
    let scripted = SmtpServer::start(script(PIPELINING, &[])).await;
    let mut courier = Courier::new(route(vec![Target::Server(server("scripted", scripted.port))]));
    assert_eq!(courier.send(&mail("a..b@docomo.ne.jp", eight_bit)).await.verdict(), Verdict::Accepted);
    let commands = scripted.commands();
    assert!(
        commands.contains(&"MAIL FROM:<b@mag.example.jp> SIZE=5 BODY=8BITMIME".to_owned()),
        "{commands:?}"
    );
    assert!(commands.contains(&"RCPT TO:<\"a..b\"@docomo.ne.jp>".to_owned()), "{commands:?}");
}
