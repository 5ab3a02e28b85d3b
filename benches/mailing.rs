//! A whole mailing, with its ledger: `cargo bench --bench mailing [-- READERS] [-- postgres://…] [-- unsigned]`. Its peer is Postfix's
//! smtp-source, which has neither a ledger nor readers, to the same smtp-sink in the same round.
//!
//! Both programs come with Debian's `postfix`, and `openssl` makes the keys for DKIM; without them nothing is measured.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures; what cannot go on has failed"
)]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use mailmag::charset::Charset;
use mailmag::deliver::mailer::{self, Composer, Finished, Worker};
use mailmag::deliver::smtp::{Client, Door, Route, Server, Target, Timeouts, Tls};
use mailmag::list::{ImportRow, Limits, StoreKey};
use mailmag::mail::{Letter, Signer, Splice, Stencil, TextPart};
use mailmag::mailing::InDoubt;
use mailmag::model::{EmailAddress, Field, Status};
use mailmag::store::mailings::{Audience, FrozenLetter, Mailing, Mailings, NewMailing, Planned};
use mailmag::store::{Settings, Store};

use support::{CONNECTIONS, Sink, at, body, import_order, measured, peak_memory, program, rate, run_source};

const ROUNDS: i64 = 3;

fn main() {
    let (Some(sink), Some(source), Some(openssl)) =
        (program("smtp-sink"), program("smtp-source"), program("openssl"))
    else {
        println!("smtp-sink, smtp-source and openssl are not here (Debian: postfix, openssl)");
        return;
    };
    // Among the tests it only shows that it works.
    let usual = if std::env::args().any(|argument| argument == "--bench") { 40_000 } else { 200 };
    let readers: usize = std::env::args().find_map(|readers| readers.parse().ok()).unwrap_or(usual);
    let url = std::env::args().find(|argument| argument.starts_with("postgres"));
    let is_signed = !std::env::args().any(|argument| argument == "unsigned");
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        url: url.unwrap_or_else(|| "sqlite:list.db".to_owned()),
        password: None,
        folder: folder.path().to_owned(),
        key: StoreKey::new([7; 32]),
        limits: Limits::default(),
    };
    import(&settings, readers);
    let mailings = Mailings::open(&settings).unwrap();
    let sink = Sink::start(&sink);
    let letter = letter();
    let keys = ["rsa:2048", "ed25519"].map(|kind| signer(&openssl, kind));
    println!(
        "{readers} readers, a letter of {} octets, {CONNECTIONS} connections; messages/s",
        letter.octets.len()
    );
    for round in 0..ROUNDS {
        let peer = rate(readers, || run_source(&source, sink.port, readers));
        println!("smtp-source    {peer:>7.0}");
        let ways = [
            ("ledger        ", None),
            ("and RSA-2048  ", Some(&keys[0])),
            ("and Ed25519   ", Some(&keys[1])),
        ];
        let shown = if is_signed { ways.len() } else { 1 };
        for (number, (name, signer)) in (0..).zip(ways).take(shown) {
            let began = Instant::now();
            let mailing = plan(&mailings, round * 10 + number + 1, &letter);
            let frozen = began.elapsed();
            let composer = composer(&settings.key, &letter, signer);
            let (rate, cpu) = measured(readers, || send(&mailings, mailing, composer, sink.port));
            println!(
                "{name} {rate:>7.0}  {:.2} of the peer, {cpu:.3} CPU s per 1,000; frozen in {:.2} s; memory at most {} MB",
                rate / peer,
                frozen.as_secs_f64(),
                peak_memory()
            );
        }
        if is_signed {
            signatures(&keys[0]);
        }
    }
}

fn import(settings: &Settings, readers: usize) {
    let store = Store::open(settings, at()).unwrap();
    let order = import_order("a benchmark");
    let row = |line: usize| ImportRow {
        line: line as u64,
        address: EmailAddress::parse(&format!("reader{line}@example{}.jp", line % 97)).unwrap(),
        name: line.is_multiple_of(3).then(|| "山田 太郎".to_owned()),
        tags: Vec::new(),
        status: Status::Active,
    };
    store.import(&order, &mut (1..=readers).map(row), &mut |refused| panic!("{refused:?}")).unwrap();
    store.close();
}

/// A letter of 8 kB in ISO-2022-JP with the reader's name and his own link in its text, as most have them.
fn letter() -> Letter {
    let head = "From: news@example.jp\r\nTo: Sample <reader@example.com>\r\nSubject: =?ISO-2022-JP?B?GyRCNTs9USRPGyhC?=\r\n\
        Message-ID: <sample@example.jp>\r\nDate: Wed, 25 Nov 2026 09:00:00 +0900\r\nList-Id: <news.example.jp>\r\n\
        Precedence: bulk\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\
        Content-Transfer-Encoding: 7bit\r\n\r\n";
    let mut text = b"NAME\r\n".to_vec();
    text.extend(body());
    let name = Splice { field: Field::Name, range: 0..4 };
    let link = Splice { field: Field::Unsubscribe, range: text.len()..text.len() + 4 };
    text.extend(b"LINK\r\n");
    let octets = [head.as_bytes(), &text].concat();
    let text = TextPart {
        body: head.len()..octets.len(),
        charset: "ISO-2022-JP".to_owned(),
        encoding: "7bit".to_owned(),
        is_html: false,
        splices: vec![name, link],
    };
    Letter { octets, charset: Charset::Iso2022Jp, digest: "a digest".to_owned(), texts: vec![text] }
}

fn signer(openssl: &std::path::Path, kind: &str) -> Arc<Signer> {
    let (algorithm, bits) = kind.split_once(':').unwrap_or((kind, ""));
    let mut command = Command::new(openssl);
    command.args(["genpkey", "-algorithm", algorithm]);
    if !bits.is_empty() {
        command.args(["-pkeyopt", &format!("rsa_keygen_bits:{bits}")]);
    }
    let pem = String::from_utf8(command.output().unwrap().stdout).unwrap();
    Arc::new(Signer::new("example.jp", "m1", &pem).unwrap())
}

fn plan(mailings: &Mailings, issue: i64, letter: &Letter) -> Mailing {
    let new = NewMailing {
        issue,
        label: issue.to_string(),
        correction: 0,
        subject: "技術は".to_owned(),
        letter: FrozenLetter { octets: letter.octets.clone(), texts: "[]".to_owned() },
        charset: letter.charset.name().to_owned(),
        digest: letter.digest.clone(),
        in_doubt: InDoubt::Hold,
        created: at(),
        starts: at(),
    };
    match mailings.plan(new, Audience::default()).wait().unwrap() {
        Planned::New(mailing) => mailing,
        other => panic!("{other:?}"),
    }
}

fn composer(key: &StoreKey, letter: &Letter, signer: Option<&Arc<Signer>>) -> Composer {
    Composer {
        stencil: Arc::new(Stencil::new(letter, at()).unwrap()),
        in_utf8: None,
        key: key.clone(),
        domain: "example.jp".to_owned(),
        web_url: "https://list.example.jp".to_owned(),
        signer: signer.map(|signer| (signer.clone(), at().timestamp())),
    }
}

fn send(mailings: &Mailings, mailing: Mailing, composer: Composer, port: u16) {
    let server =
        Server { name: "sink".into(), host: "127.0.0.1".to_owned(), port, tls: Tls::None, login: None };
    let client = Client::new("news.example.jp", Timeouts::default()).unwrap();
    let route = Arc::new(Route { targets: vec![Target::Server(server)], client, rest: Duration::ZERO });
    let clock: mailer::Clock = Arc::new(at);
    let lease = TimeDelta::seconds(10);
    let settings = mailer::Settings {
        route,
        doors: [Door::new(CONNECTIONS, None)].into(),
        lanes_keep_pace: true,
        lease,
        patience: Duration::ZERO,
        drain: Duration::ZERO,
        clock: clock.clone(),
    };
    let id = mailing.id;
    mailer::block_on(async {
        let worker = Worker::register(mailings, "bench", lease, clock).await.unwrap();
        let (_end, ending) = mailer::ending();
        let sent =
            mailer::send(mailings, mailing, composer, worker.clone(), settings, Arc::new(|_| {}), ending)
                .await;
        assert_eq!(sent.unwrap(), Finished::Done);
        worker.leave().await.unwrap();
    })
    .unwrap();
    let sums = mailings.sums(id).wait().unwrap();
    assert_eq!((sums.accepted, sums.balance()), (sums.planned, true));
}

/// What the signature alone allows on all cores.
fn signatures(signer: &Arc<Signer>) {
    const EACH: usize = 500;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for number in 0..EACH {
                    let message = format!("From: a@example.jp\r\nTo: b{number}@example.jp\r\n\r\ntext\r\n");
                    signer.signed(message.as_bytes(), 0).unwrap();
                }
            });
        }
    });
    println!("RSA-2048 alone {:>7.0}", (threads * EACH) as f64 / began.elapsed().as_secs_f64());
}
