//! `[store]` and `[web]`: where the list is kept, and how readers reach it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::parse::web_address;
use super::secret::{Secret, secret};
use super::{Keys, Setting};
use crate::diagnostic::{Diagnostic, SourceText};

/// `[store]`: where subscribers, their consent and mailings are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:FILE`, from the magazine's folder, or `postgres://…`.
    pub url: String,
    /// The password for PostgreSQL.
    pub password: Option<Secret>,
    /// Where the key lies that links are made with. The file is made with the store.
    pub key: Secret,
}

/// `[web]`: the service that readers meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its address as readers see it, without a slash at its end.
    pub url: String,
    /// Where health and metrics are asked for.
    pub metrics_listen: SocketAddr,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many connections there may be.
    pub connections: usize,
    /// How many of them from one network (a /24, or a /48 of IPv6) that is no trusted proxy's.
    pub connections_per_network: usize,
    /// How many requests a second each network may make; ten seconds' worth may come at once.
    pub requests_per_second: u32,
    /// How many confirmations may be asked for from one network (a /24, or a /48 of IPv6) in an hour.
    pub confirmations_per_hour: u32,
    /// How many zero bits the proof of work has that who applies must show; 0: never any, none: some in floods alone.
    pub proof_bits: Option<u32>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        StoreConfig {
            url: "sqlite:mailmag.db".to_owned(),
            password: None,
            key: Secret::File("mailmag.key".to_owned()),
        }
    }
}

/// As the service runs to be tried out: reached from this machine alone.
impl Default for WebConfig {
    fn default() -> Self {
        WebConfig {
            listen: loopback(8080),
            url: "http://127.0.0.1:8080".to_owned(),
            metrics_listen: loopback(8081),
            trusted_proxies: Vec::new(),
            connections: 2000,
            connections_per_network: 100,
            requests_per_second: 20,
            confirmations_per_hour: 10,
            proof_bits: None,
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

pub(super) fn store(
    mut keys: Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> StoreConfig {
    let default = StoreConfig::default();
    let url = keys.string("url", problems);
    let password = secret(&mut keys, ["password-env", "password-file"], source, problems);
    let key = secret(&mut keys, ["key-env", "key-file"], source, problems).unwrap_or(default.key);
    keys.finish(problems);
    let Some(url) = url else { return StoreConfig { password, key, ..default } };
    let is_file = url.value.strip_prefix("sqlite:").is_some_and(|file| !file.is_empty());
    let server = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.value.strip_prefix(scheme));
    if !is_file && server.is_none() {
        problems.push(
            Diagnostic::error("bad-store", format!("`{}` names no store", shown(&url)))
                .at(source, url.span.clone())
                .help("write \"sqlite:mailmag.db\" or \"postgres://user@host/database\""),
        );
    }
    let user = server.and_then(|server| server.split('/').next()?.rsplit_once('@')).map(|(user, _)| user);
    if user.is_some_and(|user| user.contains(':')) {
        problems.push(
            Diagnostic::warning("secret-in-settings", "a password stands in mailmag.toml")
                .at(source, url.span.clone())
                .label("whoever reads this file can open the store")
                .help("take it out, and name the environment variable that holds it: `password-env = \"…\"`"),
        );
    }
    StoreConfig { url: url.value, password, key }
}

/// An address without what may be a password.
fn shown(url: &Setting<String>) -> String {
    url.value.rsplit_once('@').map_or_else(|| url.value.clone(), |(_, host)| format!("…@{host}"))
}

pub(super) fn web(
    mut keys: Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<WebConfig> {
    let url = keys.required_string("url", "\"https://mail.example.jp\"", problems);
    let url = url.and_then(|url| web_address(url, source, problems));
    let default = WebConfig::default();
    let mut address = |key, usual: SocketAddr| match keys.string(key, problems) {
        None => usual,
        Some(setting) => setting.value.parse().unwrap_or_else(|_| {
            problems.push(
                Diagnostic::error("bad-listen", format!("`{}` is no place to listen at", setting.value))
                    .at(source, setting.span)
                    .help(format!("write an address and a port, such as \"{usual}\"")),
            );
            usual
        }),
    };
    let listen = address("listen", default.listen);
    let metrics_listen = address("metrics-listen", default.metrics_listen);
    let proxies = keys.placed_strings("trusted-proxies", problems);
    let trusted_proxies = proxies.into_iter().filter_map(|proxy| network(proxy, source, problems)).collect();
    let connections =
        keys.integer("connections", 1..100_000, problems).map_or(default.connections, |most| most as usize);
    let connections_per_network = keys
        .integer("connections-per-network", 1..100_000, problems)
        .map_or(default.connections_per_network, |most| most as usize);
    let requests_per_second =
        keys.integer("requests-per-second", 1..1_000_000, problems).unwrap_or(default.requests_per_second);
    let confirmations_per_hour = keys
        .integer("confirmations-per-hour", 1..1_000_000_000, problems)
        .unwrap_or(default.confirmations_per_hour);
    let proof_bits = keys.integer("proof-bits", 0..25, problems);
    keys.finish(problems);
    Some(WebConfig {
        listen,
        url: url?,
        metrics_listen,
        trusted_proxies,
        connections,
        connections_per_network,
        requests_per_second,
        confirmations_per_hour,
        proof_bits,
    })
}

/// A network, or one address as the network of itself.
fn network(
    setting: Setting<String>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<IpNet> {
    let one = || setting.value.parse::<IpAddr>().ok().map(IpNet::from);
    let network = setting.value.parse().ok().or_else(one);
    if network.is_none() {
        problems.push(
            Diagnostic::error(
                "bad-network",
                format!("`{}` is neither an address nor a network", setting.value),
            )
            .at(source, setting.span.clone())
            .help("write \"10.0.0.7\" or \"10.0.0.0/8\""),
        );
    }
    network
}
