//! TLS and logging in: safe connections or none, and no password where it can be seen.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mailmag::deliver::smtp::{Courier, Login, Secret, Server, Stage, Target, Tls, Trust, Verdict};
use tokio_rustls::rustls::ServerConfig;

use super::{LETTER, ONE_BY_ONE, PIPELINING, client, mail, route, script, send_once, server};
use crate::support::smtp_server::{Act, Play, Script, Security, SmtpServer};

#[tokio::test]
async fn logging_in_is_by_plain_or_login_and_shows_no_password() {
    let cases = [
        (PIPELINING, "tr0ub4dor", Verdict::Accepted),
        (ONE_BY_ONE, "tr0ub4dor", Verdict::Accepted),
        (PIPELINING, "s3cret", Verdict::OwnFault),
        (ONE_BY_ONE, "s3cret", Verdict::OwnFault),
        (&["PIPELINING"], "tr0ub4dor", Verdict::OwnFault),
    ];
    for (offers, password, verdict) in cases {
        let scripted = SmtpServer::start(script(offers, &[])).await;
        let login = Login { user: "editor".to_owned(), password: Secret::new(password) };
        let server = Server { login: Some(login), ..server("scripted", scripted.port) };
        let route = route(vec![Target::Server(server)]);
        let outcome = Courier::new(Arc::clone(&route)).send(&mail("a@x.jp", LETTER)).await;
        assert_eq!(outcome.verdict(), verdict, "{offers:?} {outcome}");
        assert!(!format!("{route:?}{outcome:?}{outcome}").contains(password));
    }
    // A server that repeats what it was told.
    for repeated in [&b"535 editor/tr0ub4dor?\r\n"[..], b"535 AGVkaXRvcgB0cjB1YjRkb3I= is wrong\r\n"] {
        let repeated = [Play::always(Stage::Auth, Act::Say(repeated))];
        let scripted = SmtpServer::start(script(PIPELINING, &repeated)).await;
        let login = Login { user: "editor".to_owned(), password: Secret::new("tr0ub4dor") };
        let server = Server { login: Some(login), ..server("scripted", scripted.port) };
        let mut courier = Courier::new(route(vec![Target::Server(server)]));
        let shown = courier.send(&mail("a@x.jp", LETTER)).await.to_string();
        assert_eq!(shown, "scripted: AUTH: 535 (not shown: the reply repeats the password)");
    }
}

#[tokio::test]
async fn without_tls_only_this_machine_is_spoken_to() {
    let far = Server { host: "192.0.2.1".to_owned(), ..server("far", 25) };
    let outcome = Courier::new(route(vec![Target::Server(far)])).send(&mail("a@x.jp", LETTER)).await;
    assert_eq!(outcome.verdict(), Verdict::OwnFault);
    assert!(
        outcome.to_string().starts_with("far: connecting: `tls = none` is for this machine alone"),
        "{outcome}"
    );
}

/// A certificate authority of the test's own, and what it signs.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages.push(rcgen::KeyUsagePurpose::KeyCertSign);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    fn trusted(&self, folder: &Path) -> Trust {
        let file = folder.join("ca.pem");
        fs::write(&file, self.certificate.pem()).unwrap();
        Trust::system(Some(&file)).unwrap()
    }

    /// A server's certificate for a name, good until the end of a year.
    fn sign(&self, name: &str, until: i32) -> Arc<ServerConfig> {
        use tokio_rustls::rustls::pki_types::PrivateKeyDer;
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 12, 31);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }
}

#[tokio::test]
async fn connections_are_safe_or_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let trust = authority.trusted(folder.path());
    let good = authority.sign("localhost", 2999);
    let expired = authority.sign("localhost", 2021);
    let wrong_name = authority.sign("other.example.jp", 2999);
    let stranger = Authority::new("stranger").sign("localhost", 2999);
    let with_starttls: &[&str] = &["PIPELINING", "STARTTLS", "AUTH PLAIN"];
    let implicit = || Tls::Implicit(trust.clone());
    let starttls = || Tls::StartTls(trust.clone());
    let cases = [
        ("good", implicit(), Security::Implicit(good.clone()), with_starttls, None, ""),
        ("good", starttls(), Security::StartTls(good.clone()), with_starttls, None, ""),
        (
            "expired",
            implicit(),
            Security::Implicit(expired.clone()),
            with_starttls,
            None,
            "TLS: the server's certificate is not trusted: certificate expired",
        ),
        (
            "expired",
            starttls(),
            Security::StartTls(expired),
            with_starttls,
            None,
            "TLS: the server's certificate is not trusted: certificate expired",
        ),
        (
            "wrong name",
            implicit(),
            Security::Implicit(wrong_name.clone()),
            with_starttls,
            None,
            "not trusted: certificate not valid for name",
        ),
        (
            "wrong name",
            starttls(),
            Security::StartTls(wrong_name),
            with_starttls,
            None,
            "not trusted: certificate not valid for name",
        ),
        (
            "stranger",
            implicit(),
            Security::Implicit(stranger.clone()),
            with_starttls,
            None,
            "not trusted: nobody whom we trust",
        ),
        ("stranger", starttls(), Security::StartTls(stranger), with_starttls, None, "not trusted"),
        (
            "stripped",
            starttls(),
            Security::Clear,
            PIPELINING,
            None,
            "STARTTLS: the server does not offer STARTTLS",
        ),
        (
            "refused",
            starttls(),
            Security::Clear,
            with_starttls,
            Some(Act::Say(b"454 4.7.0 not available\r\n")),
            "STARTTLS: 454",
        ),
        (
            "injected",
            starttls(),
            Security::StartTls(good.clone()),
            with_starttls,
            Some(Act::Say(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n")),
            "STARTTLS: something was sent in the clear",
        ),
        ("no TLS", starttls(), Security::Clear, with_starttls, Some(Act::Say(b"220 go\r\n")), "TLS"),
        ("no TLS", implicit(), Security::Clear, with_starttls, None, "TLS"),
        ("cut", starttls(), Security::Clear, with_starttls, Some(Act::SayAndCut(b"220 go\r\n")), "TLS"),
    ];
    for (name, tls, security, offers, act, shown) in cases {
        let plays: Vec<_> = act.into_iter().map(|act| Play::always(Stage::StartTls, act)).collect();
        let scripted = SmtpServer::start(Script { security, ..script(offers, &plays) }).await;
        let login = Login { user: "editor".to_owned(), password: Secret::new("tr0ub4dor") };
        // The name has two addresses on many machines, of which the server has one.
        let (host, safety) = ("localhost".to_owned(), format!("{tls:?}"));
        let server = Server { host, tls, login: Some(login), ..server("scripted", scripted.port) };
        let outcome = send_once(&server, &client(None), &mail("a@x.jp", LETTER)).await;
        let is_good = name == "good";
        let verdict = if is_good { Verdict::Accepted } else { Verdict::ServerFault };
        assert_eq!(outcome.verdict(), verdict, "{name} {safety}: {outcome}");
        assert!(outcome.to_string().contains(shown), "{name} {safety}: {outcome}");
        assert_eq!(scripted.taken().len(), usize::from(is_good), "{name} {safety}");
        let commands = scripted.commands();
        assert!(
            is_good || commands.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"),
            "{commands:?}"
        );
    }
}

#[test]
fn files_of_authorities_must_hold_some() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let shown = |file: &Path| Trust::system(Some(file)).unwrap_err().to_string();
    assert!(shown(&file).starts_with("cannot read certificates from"));
    fs::write(&file, "nothing").unwrap();
    assert!(shown(&file).contains("there is none in it"));
}

#[tokio::test]
async fn handshakes_have_a_time_limit() {
    let folder = tempfile::tempdir().unwrap();
    let trust = Authority::new("ours").trusted(folder.path());
    let hang = [Play::always(Stage::Banner, Act::Hang)];
    let scripted = SmtpServer::start(script(PIPELINING, &hang)).await;
    let server = Server { tls: Tls::Implicit(trust), ..server("scripted", scripted.port) };
    let outcome = send_once(&server, &client(Some(Stage::Tls)), &mail("a@x.jp", LETTER)).await;
    assert_eq!(outcome.verdict(), Verdict::ServerFault);
    assert_eq!(outcome.to_string(), "scripted: TLS: no answer within the time limit");
}
