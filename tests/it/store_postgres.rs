//! The list in PostgreSQL: the cases of all databases, and what can happen to a server and on the way to it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chrono::{DateTime, Utc};
use mailmag::bounce::Event;
use mailmag::list::{Answer, Evidence, Limits, Nonce, Request, StoreKey, TokenDigest, TokenKind, Via};
use mailmag::model::{Language, Status, Suppression};
use mailmag::store::{Settings, Store, StoreError};

use crate::return_cases::{came_back, mail};
use crate::store::{List, address, no_limits, row};
use crate::store_cases::each_case;
use crate::support::postgres::{self, Server};

each_case!(list);

/// An empty list in a database of its own, and its URL.
fn list() -> (List, String) {
    let url = postgres::shared().database();
    (List::open(settings(&url)), url)
}

fn settings(url: &str) -> Settings {
    Settings {
        url: url.to_owned(),
        password: None,
        folder: PathBuf::new(),
        key: List::key(),
        limits: no_limits(),
    }
}

fn begin() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn refusal(settings: &Settings) -> StoreError {
    Store::open(settings, begin()).unwrap_err()
}

/// A request of the machine of a number, that nobody else makes.
fn asking(number: u64) -> (Request, Evidence) {
    let request = Request::Subscribe { address: address(&format!("reader{number}@example.jp")), name: None };
    let mut nonce = [1; 16];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    let evidence = Evidence {
        at: begin(),
        nonce: Nonce(nonce),
        via: Via::Web("/subscribe".to_owned()),
        language: Language::Japanese,
        wording: None,
        ip: None,
        user_agent: None,
        operator: None,
    };
    (request, evidence)
}

#[test]
fn programs_on_several_machines_write_one_ledger() {
    let (list, url) = list();
    let others = [Store::open(&settings(&url), list.at).unwrap(), list.store.clone()];
    thread::scope(|scope| {
        for (machine, store) in others.iter().enumerate() {
            for part in 0..4_u64 {
                scope.spawn(move || {
                    for number in 0..40 {
                        // Every other reader asks both machines.
                        let number = part * 1000 + number;
                        let number = if number % 2 == 0 { number } else { number + 100_000 * machine as u64 };
                        let (request, evidence) = asking(number);
                        assert_eq!(store.ask(request, evidence).wait().unwrap(), Answer::Taken);
                    }
                });
            }
        }
    });
    assert_eq!(list.fault(), None);
    for number in [0, 1, 3038, 103_039] {
        assert_eq!(list.events(&format!("reader{number}@example.jp")), ["applied"], "{number}");
    }
    let stats = list.store.stats().unwrap();
    assert_eq!((stats.end.number, stats.notices_waiting), (240, 240));
    // Every notice is sent by one of them.
    let claims: Vec<i64> = thread::scope(|scope| {
        let claiming = others.each_ref().map(|store| {
            scope.spawn(move || {
                let mut claimed = Vec::new();
                loop {
                    let more =
                        store.claim_notices(list.at, std::time::Duration::from_secs(60), 7).wait().unwrap();
                    if more.is_empty() {
                        return claimed;
                    }
                    claimed.extend(more.iter().map(|claimed| claimed.notice.id));
                }
            })
        });
        claiming.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut sorted = claims.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=240).collect::<Vec<i64>>());
}

#[test]
fn a_limit_is_one_for_all_machines() {
    let url = postgres::shared().database();
    let limited =
        Settings { limits: Limits { addresses_per_network: Some(5), ..no_limits() }, ..settings(&url) };
    let stores = [(); 2].map(|()| Store::open(&limited, begin()).unwrap());
    let taken: usize = thread::scope(|scope| {
        let asked = [0, 1000].map(|first| {
            let store = &stores[first / 1000];
            scope.spawn(move || {
                let ask = |number: usize| {
                    let (request, evidence) = asking(number as u64);
                    store.ask(request, Evidence { ip: Some([192, 0, 2, 7].into()), ..evidence })
                };
                let waiting: Vec<_> = (first..first + 20).map(ask).collect();
                let answers = waiting.into_iter().map(|waiting| waiting.wait().unwrap());
                answers.filter(|answer| *answer == Answer::Taken).count()
            })
        });
        asked.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(taken, 5);
}

#[test]
fn a_killed_server_keeps_all_that_was_answered_and_is_used_again_when_it_is_back() {
    let server = Server::start(postgres::Settings::default());
    let name = server.database_name();
    let list = List::open(settings(&server.url(&name)));
    let is_killed = AtomicBool::new(false);
    let taken: Vec<u64> = thread::scope(|scope| {
        let asked: Vec<_> = (0..8_u64)
            .map(|part| {
                let (list, server, is_killed) = (&list, &server, &is_killed);
                scope.spawn(move || {
                    let mut taken = Vec::new();
                    for number in part * 1_000_000.. {
                        let (request, evidence) = asking(number);
                        match list.store.ask(request, evidence).wait() {
                            Ok(answer) => {
                                assert_eq!(answer, Answer::Taken);
                                taken.push(number);
                            }
                            Err(error) => {
                                assert!(is_away(&error), "{error}");
                                assert!(is_killed.load(Ordering::SeqCst), "{error}");
                                return taken;
                            }
                        }
                        if taken.len() == 30 && part == 0 {
                            is_killed.store(true, Ordering::SeqCst);
                            server.kill();
                        }
                    }
                    taken
                })
            })
            .collect();
        asked.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(taken.len() >= 30);
    assert!(is_away(&list.store.ready().wait().unwrap_err()));
    assert!(is_away(&list.store.look(TokenKind::Confirm, TokenDigest([1; 32]), list.at).wait().unwrap_err()));
    server.start_again();
    list.store.ready().wait().unwrap();
    assert_eq!(list.store.look(TokenKind::Confirm, TokenDigest([1; 32]), list.at).wait().unwrap(), None);
    for number in taken {
        assert_eq!(list.events(&format!("reader{number}@example.jp")), ["applied"], "{number}");
    }
    assert_eq!(list.fault(), None);
}

fn is_away(error: &StoreError) -> bool {
    matches!(error, StoreError::Unreachable { .. } | StoreError::Busy { .. })
}

#[test]
fn a_list_that_somebody_locks_is_busy_and_recovers() {
    let (mut list, url) = list();
    let mut client = postgres::connect(&url);
    let mut lock = client.transaction().unwrap();
    lock.execute("SELECT 1 FROM heads FOR UPDATE", &[]).unwrap();
    let waiting = list.store.ready();
    assert!(matches!(waiting.wait(), Err(StoreError::Busy { .. })));
    lock.rollback().unwrap();
    assert_eq!(list.subscribe("taro@example.jp"), Answer::Taken);
}

#[test]
fn a_mailing_does_not_wait_for_whoever_writes_to_the_list_for_long() {
    let (mut list, url) = list();
    list.active("gone@example.jp");
    list.active("well@example.jp");
    let mut client = postgres::connect(&url);
    let mut lock = client.transaction().unwrap();
    lock.execute("SELECT 1 FROM heads FOR UPDATE", &[]).unwrap();
    let refused = |address: &str| (address == "gone@example.jp").then_some(Event::UnknownAddress);
    let (mailings, mailing) = mail(&list, 1, refused);
    let sums = mailings.sums(mailing.id).wait().unwrap();
    assert_eq!((sums.accepted, sums.rejected), (1, 1));
    assert_eq!(list.status("gone@example.jp"), Some(Status::Active), "it is told later");
    lock.rollback().unwrap();
    drop(mailings);
    assert_eq!(list.status("gone@example.jp"), Some(Status::Suppressed(Suppression::HardBounce)));
    assert_eq!(list.fault(), None);
}

#[test]
fn a_connection_that_the_server_ends_is_made_anew_unseen() {
    let (mut list, url) = list();
    let mut client = postgres::connect(&url);
    for number in 0..3 {
        let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.execute(sql, &[]).unwrap();
        assert_eq!(list.subscribe(&format!("reader{number}@example.jp")), Answer::Taken);
        assert!(list.look(TokenKind::Confirm, TokenDigest([1; 32])).is_none());
    }
    assert_eq!(list.fault(), None);
}

#[test]
fn an_import_whose_connection_ends_keeps_nothing() {
    let (mut list, url) = list();
    let mut admin = postgres::connect(&url);
    let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut refused = Vec::new();
    let mut rows = (0..60_000_u64).map(|number| {
        // The first portion is being kept, the next one being read.
        if number == 20_000 {
            admin.execute(sql, &[]).unwrap();
        }
        row(number + 2, &format!("reader{number}@example.jp"), Status::Active)
    });
    let told = list.store.import(&list.order(), &mut rows, &mut |row| refused.push(row));
    assert!(is_away(&told.unwrap_err()));
    assert_eq!(list.store.imports().unwrap(), []);
    assert_eq!(list.status("reader0@example.jp"), None);
    let (report, _) = list.import(&["reader0@example.jp"]);
    assert_eq!(report.taken, 1, "it is used again at once");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let server = postgres::shared();
    let check = |settings: &Settings, wanted: &str| {
        let told = refusal(settings).to_string();
        assert!(told.contains(wanted), "{told}");
        assert!(!told.contains("sesame"), "{told}");
    };
    let (list, url) = list();
    list.store.close();
    check(&Settings { key: StoreKey::new([8; 32]), ..settings(&url) }, "another key");
    postgres::connect(&url).batch_execute("UPDATE meta SET schema = 1000").unwrap();
    assert!(matches!(refusal(&settings(&url)), StoreError::Newer { found: 1000, .. }));
    check(&settings(&server.url("nowhere")), "database \"nowhere\" does not exist");
    check(&settings("postgres://anna:sesame@127.0.0.1:1/list"), "Connection refused");
    check(&settings("postgres://anna:sesame@localhost/list?sslmode=maybe"), "sslmode");
    let latin = server.database_name();
    server.run_sql("postgres", &format!("DROP DATABASE {latin}"));
    server.run_sql("postgres", &format!("CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1'"));
    check(&settings(&server.url(&latin)), "ENCODING 'UTF8'");
    let url = server.database();
    postgres::connect(&url).batch_execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN").unwrap();
    check(&settings(&url.replace("mailmag@", "guest@")), "owner of the database");
}

#[test]
fn looking_for_a_list_makes_none() {
    let url = postgres::shared().database();
    let made = || Store::made(&url, None, Path::new(""));
    assert_eq!(made(), Ok(None));
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(postgres::connect(&url).query_one(sql, &[]).unwrap().get::<_, i64>(0), 0);
    let list = List::open(settings(&url));
    let place = made().unwrap().unwrap();
    assert!(url.contains(place.rsplit('/').next().unwrap()), "{place}");
    list.store.close();
    let nowhere = Store::made("postgres://anna:sesame@127.0.0.1:1/list", None, Path::new(""));
    assert!(is_away(&nowhere.unwrap_err()));
}

#[test]
fn an_older_list_is_brought_to_the_newest_schema() {
    let (mut list, url) = list();
    list.subscribe("taro@example.jp");
    list.store.close();
    let mut client = postgres::connect(&url);
    let undoing = "CREATE INDEX subscribers_of_import ON subscribers (import); DROP INDEX deliveries_waiting; DROP INDEX subscribers_unconfirmed; DROP TABLE holds; DROP TABLE paces;
         ALTER TABLE mailings DROP COLUMN watched; UPDATE meta SET schema = 3";
    client.batch_execute(undoing).unwrap();
    let list = List::open(settings(&url));
    assert_eq!(list.status("taro@example.jp"), Some(Status::Pending));
    let sql = "SELECT count(*) FROM pg_indexes WHERE indexname = 'subscribers_unconfirmed'";
    assert_eq!(client.query_one(sql, &[]).unwrap().get::<_, i64>(0), 1);
    list.store.do_upkeep(list.at + chrono::TimeDelta::days(33)).unwrap();
    assert_eq!(list.status("taro@example.jp"), None);
    assert_eq!(list.fault(), None);
}

#[test]
fn a_server_that_is_full_is_away_and_one_that_may_not_write_too() {
    let server = Server::start(postgres::Settings { connections: 4, ..Default::default() });
    let url = server.database();
    let list = List::open(settings(&url));
    let guests = [(); 2].map(|()| postgres::connect(&url));
    let error = refusal(&settings(&url));
    assert!(matches!(&error, StoreError::Unreachable { why, .. } if why.contains("too many")), "{error}");
    drop(guests);
    list.store.ready().wait().unwrap();
    let name = url.rsplit('/').next().unwrap();
    server.run_sql("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let error = refusal(&settings(&url));
    assert!(is_away(&error), "{error}");
}

#[test]
fn what_was_changed_behind_the_lists_back_is_found() {
    let statements = [
        "UPDATE ledger SET at = at + 1 WHERE number = 1",
        "UPDATE ledger SET kind = 'confirmed' WHERE number = 1",
        "UPDATE ledger SET kind = 'made up' WHERE number = 1",
        "UPDATE ledger SET subscriber = 2 WHERE number = 1",
        "UPDATE ledger SET status = 'active' WHERE number = 1",
        "UPDATE ledger SET details = set_byte(details, 0, get_byte(details, 0) # 1) WHERE number = 2",
        "UPDATE ledger SET ip = set_byte(ip, 31, get_byte(ip, 31) # 1) WHERE number = 2",
        "UPDATE ledger SET previous = set_byte(previous, 5, get_byte(previous, 5) # 128) WHERE number = 2",
        "UPDATE ledger SET digest = set_byte(digest, 5, get_byte(digest, 5) # 128) WHERE number = 2",
        "UPDATE ledger SET digest = '' WHERE number = 2",
        "DELETE FROM ledger WHERE number = 1",
        "DELETE FROM ledger WHERE number = (SELECT max(number) FROM ledger)",
        "UPDATE ledger_details SET text = replace(text, 'taro', 'hana') WHERE number = 1",
        "UPDATE ledger_details SET salt = set_byte(salt, 0, get_byte(salt, 0) # 1) WHERE number = 1",
        "DELETE FROM ledger_details WHERE number = 1",
        "UPDATE ledger_ips SET text = '192.0.2.8' WHERE number = 1",
        "DELETE FROM ledger_ips WHERE number = 1",
        "INSERT INTO ledger_details VALUES (1000, '\\x00', 'x')",
        "UPDATE wordings SET text = text || '!'",
        "UPDATE subscribers SET status = 'unsubscribed'",
        "UPDATE subscribers SET address = 'jiro@example.jp'",
        "DELETE FROM notices; DELETE FROM tokens; DELETE FROM subscribers",
        "UPDATE heads SET number = number - 1",
        "UPDATE heads SET seal = set_byte(seal, 0, get_byte(seal, 0) # 1)",
    ];
    let (mut list, url) = list();
    list.active("taro@example.jp");
    assert_eq!(list.fault(), None);
    for sql in statements {
        let mut client = postgres::connect(&url);
        client.batch_execute("CREATE SCHEMA kept").unwrap();
        let tables = [
            "heads",
            "subscribers",
            "tokens",
            "notices",
            "wordings",
            "ledger",
            "ledger_details",
            "ledger_ips",
        ];
        for table in tables {
            client.batch_execute(&format!("CREATE TABLE kept.{table} AS TABLE {table}")).unwrap();
        }
        client.batch_execute(sql).unwrap();
        assert!(list.fault().is_some(), "{sql}");
        for table in tables.iter().rev() {
            client.batch_execute(&format!("DELETE FROM {table}")).unwrap();
        }
        for table in tables {
            client.batch_execute(&format!("INSERT INTO {table} TABLE kept.{table}")).unwrap();
        }
        client.batch_execute("DROP SCHEMA kept CASCADE").unwrap();
        assert_eq!(list.fault(), None, "{sql}");
    }
}

#[test]
fn an_erased_reader_is_in_no_row() {
    let (mut list, url) = list();
    list.active("taro@example.jp");
    let preferences = list.preferences("taro@example.jp");
    list.ask(Request::Rename(preferences, Some("山田太郎".to_owned())));
    came_back(&list, "taro@example.jp", "552 mailbox of marker-of-his is full");
    let mut client = postgres::connect(&url);
    let mut rows = || {
        let tables =
            client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", &[]).unwrap();
        let mut text = String::new();
        for table in tables {
            let table: String = table.get(0);
            for row in client.query(&format!("SELECT t::text FROM {table} t"), &[]).unwrap() {
                text += &row.get::<_, String>(0);
            }
        }
        text
    };
    let traces = ["taro", "山田太郎", "192.0.2", "marker-of-his"];
    let before = rows();
    assert!(traces.iter().all(|trace| before.contains(trace)), "{before}");
    list.ask(Request::EraseAddress(address("taro@example.jp")));
    let after = rows();
    assert!(!traces.iter().any(|trace| after.contains(trace)), "{after}");
    assert_eq!(list.fault(), None);
}

#[test]
fn a_name_that_postgresql_cannot_hold_stops_nobody() {
    let (mut list, _url) = list();
    let request =
        Request::Subscribe { address: address("taro@example.jp"), name: Some("太\0郎".to_owned()) };
    let others = list.send(Request::SendLinks(address("hana@example.jp")));
    assert_eq!(list.ask(request), Answer::Taken);
    assert_eq!(others.wait().unwrap(), Answer::Taken);
    assert_eq!(list.fault(), None);
}

#[test]
fn a_list_is_opened_where_tasks_run() {
    let url = postgres::shared().database();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&settings(&url), begin()).unwrap();
        let (request, evidence) = asking(1);
        assert_eq!(store.ask(request, evidence).await.unwrap(), Answer::Taken);
        assert_eq!(store.stats().unwrap().notices_waiting, 1);
        store.do_upkeep(begin()).unwrap();
    });
}

#[test]
fn a_server_elsewhere_must_show_a_certificate_that_is_known() {
    let server = Server::start(postgres::Settings { tls: true, ..Default::default() });
    let name = server.database_name();
    let url = server.tcp_url(&name);
    let certificate = server.certificate();
    let good = [
        url.clone(),
        format!("{url}?sslmode=disable"),
        format!("{url}?sslmode=require"),
        format!("{url}?sslmode=verify-full&sslrootcert={}", certificate.display()),
    ];
    for url in good {
        let list = List::open(settings(&url));
        list.store.ready().wait().unwrap();
        let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1";
        let is_encrypted: bool = server.connect(&name).query_one(sql, &[]).unwrap().get(0);
        assert_eq!(is_encrypted, !url.contains("disable"), "{url}");
        list.store.close();
    }
    let other_name = url.replace("localhost", "127.0.0.1");
    let bad = [
        format!("{url}?sslmode=verify-full"),
        format!("{other_name}?sslmode=verify-full&sslrootcert={}", certificate.display()),
    ];
    for url in bad {
        let error = refusal(&settings(&url));
        assert!(is_away(&error) && error.to_string().contains("sslrootcert=FILE"), "{error}");
    }
}
