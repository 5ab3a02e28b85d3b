//! Sending over 16 connections to Postfix's smtp-sink, beside its own smtp-source: `cargo bench --bench send`.
//!
//! Both programs come with Debian's `postfix`; without them there is nothing to compare with, and nothing is measured.
//! `-- 40000` is how many mails a run has. A figure is only worth something beside its peer's of the same round.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures; what cannot go on has failed"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use mailmag::deliver::smtp::{
    Client, Courier, Envelope, Mail, MailData, Route, Server, Target, Timeouts, Tls, Verdict,
};
use mailmag::model::EmailAddress;

use support::{CONNECTIONS, Sink, body, measured, program, rate, run_source};

const ROUNDS: usize = 3;

fn main() {
    let (Some(sink), Some(source)) = (program("smtp-sink"), program("smtp-source")) else {
        println!("smtp-sink and smtp-source are not here (Debian: postfix): nothing to compare with");
        return;
    };
    // Among the tests it only shows that it works.
    let usual = if std::env::args().any(|argument| argument == "--bench") { 40_000 } else { 200 };
    let mails = std::env::args().find_map(|mails| mails.parse().ok()).unwrap_or(usual);
    let sink = Sink::start(&sink);
    let body = body();
    println!("{mails} mails of 8 kB, {CONNECTIONS} connections; messages/s");
    for _ in 0..ROUNDS {
        let peer = rate(mails, || run_source(&source, sink.port, mails));
        let (pipelined, pipelined_cpu) = measured(mails, || send(sink.port, mails, &body, true));
        let (one_by_one, one_by_one_cpu) = measured(mails, || send(sink.port, mails, &body, false));
        println!("smtp-source               {peer:>7.0}");
        for (name, rate, cpu) in [
            ("next mail with the dot   ", pipelined, pipelined_cpu),
            ("each mail for itself     ", one_by_one, one_by_one_cpu),
        ] {
            println!("{name} {rate:>7.0}  {:.2} of the peer, {cpu:.3} CPU s per 1,000", rate / peer);
        }
    }
}

/// A reader's own letter, as a mailing splices it.
fn letter(number: usize, body: &[u8]) -> Mail {
    let recipient = format!("user{number:07}@example.net");
    let mut octets = format!(
        "From: news@example.jp\r\nTo: {recipient}\r\nSubject: =?ISO-2022-JP?B?GyRCNTs9USRPGyhC?=\r\n\
         Message-ID: <{number}.123@news.example.jp>\r\nDate: Wed, 25 Nov 2026 09:00:00 +0900\r\n\
         List-Unsubscribe: <https://news.example.jp/u/{number:032x}>\r\n\
         List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    )
    .into_bytes();
    octets.extend_from_slice(body);
    let envelope = Envelope {
        sender: EmailAddress::parse(&format!("b+{number}.a1b2c3d4@bounce.example.jp")).ok(),
        recipient: EmailAddress::parse(&recipient).unwrap(),
    };
    Mail { envelope, data: MailData::new(octets).unwrap() }
}

fn send(port: u16, mails: usize, body: &[u8], with_the_dot: bool) {
    let server =
        Server { name: "sink".into(), host: "127.0.0.1".to_owned(), port, tls: Tls::None, login: None };
    let client = Client::new("news.example.jp", Timeouts::default()).unwrap();
    let route = Arc::new(Route { targets: vec![Target::Server(server)], client, rest: Duration::ZERO });
    let next = Arc::new(AtomicUsize::new(0));
    let body: Arc<[u8]> = body.into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let couriers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (route, next, body) = (Arc::clone(&route), Arc::clone(&next), Arc::clone(&body));
                tokio::spawn(async move {
                    let claim = || {
                        let number = next.fetch_add(1, Relaxed);
                        (number < mails).then(|| letter(number, &body))
                    };
                    let mut courier = Courier::new(route);
                    let mut mail = claim();
                    while let Some(now) = mail {
                        let go = courier.ready(&now).await.unwrap();
                        let following = claim();
                        let next = following.as_ref().filter(|_| with_the_dot);
                        let outcome = courier.finish(go, &now, next).await;
                        assert_eq!(outcome.verdict(), Verdict::Accepted, "{outcome}");
                        mail = following;
                    }
                    courier.quit().await;
                })
            })
            .collect();
        for courier in couriers {
            courier.await.unwrap();
        }
    });
}
