//! `[[smtp]]` and `[dkim]`: where mail goes out, and who signs it.

use std::sync::Arc;

use super::secret::{Secret, secret};
use super::{Keys, Setting};
use crate::diagnostic::{Diagnostic, SourceText};

/// `[[smtp]]`: one way out; the first is tried first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmtpConfig {
    /// A server.
    Server(SmtpServer),
    /// A folder, from the magazine's, where messages become .eml files.
    Folder(String),
}

/// A server that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The user to log in as.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// Certificates of authorities to believe besides the system's: a PEM file, from the magazine's folder.
    pub ca_file: Option<String>,
    /// How many connections are open at once.
    pub connections: u32,
    /// How many messages leave in a second at the most.
    pub messages_per_second: Option<u32>,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first octet (RFC 8314).
    Implicit,
    /// After the command STARTTLS (RFC 3207), without which nothing is sent.
    Starttls,
    /// Not at all: to this machine alone.
    None,
}

/// `[dkim]`: the signature we make ourselves (RFC 6376).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimConfig {
    /// The signing domain.
    pub domain: String,
    /// Under which name the public key stands in the DNS.
    pub selector: String,
    /// The private key's file, from the magazine's folder.
    pub key_file: String,
}

pub(super) fn smtp(
    mut keys: Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<SmtpConfig> {
    let folder = keys.string("folder", problems);
    if let Some(folder) = folder {
        keys.finish(problems);
        return not_blank(folder, source, problems).map(SmtpConfig::Folder);
    }
    let host = keys.required_string("host", "\"smtp.example.jp\"", problems);
    let kinds = [("implicit", Tls::Implicit), ("starttls", Tls::Starttls), ("none", Tls::None)];
    let tls = keys.one_of("tls", &kinds, problems).unwrap_or(Tls::Implicit);
    let usual = match tls {
        Tls::Implicit => 465,
        Tls::Starttls => 587,
        Tls::None => 25,
    };
    let port = keys.integer("port", 1..65_536, problems).map_or(usual, |port| port as u16);
    let user = keys.string("user", problems);
    let password = secret(&mut keys, ["password-env", "password-file"], source, problems);
    let ca_file = keys.string("ca-file", problems).map(|file| file.value);
    let connections = keys.integer("connections", 1..1001, problems).unwrap_or(4);
    let messages_per_second = keys.integer("messages-per-second", 1..1_000_001, problems);
    keys.finish(problems);
    let host = host?;
    if host.value.contains(|c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c)) {
        problems.push(
            Diagnostic::error("bad-host", format!("`{}` is no host", host.value.escape_debug()))
                .at(source, host.span)
                .help("write its name or its address, such as \"smtp.example.jp\""),
        );
        return None;
    }
    if tls == Tls::None && !is_loopback(&host.value) {
        problems.push(
            Diagnostic::error("plain-smtp", format!("mail would go to `{}` unprotected", host.value))
                .at(source, host.span)
                .help("set `tls = \"implicit\"` or `tls = \"starttls\"`; `none` is for this machine alone"),
        );
        return None;
    }
    if let (Some(user), None) = (&user, &password) {
        problems.push(
            Diagnostic::error("missing-key", "[[smtp]] has a `user` and no password")
                .at(source, user.span.clone())
                .help("name the environment variable that holds it: `password-env = \"…\"`"),
        );
    }
    let user = user.map(|user| user.value);
    let host = host.value;
    Some(SmtpConfig::Server(SmtpServer {
        host,
        port,
        tls,
        user,
        password,
        ca_file,
        connections,
        messages_per_second,
    }))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(super) fn dkim(
    mut keys: Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<DkimConfig> {
    let domain = keys.required_string("domain", "\"example.jp\"", problems);
    let selector = keys.required_string("selector", "\"mailmag\"", problems);
    let key_file = keys.required_string("key-file", "\"dkim.pem\"", problems);
    keys.finish(problems);
    let mut name = |setting: Setting<String>| {
        let is_name = setting.value.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
        });
        if !is_name {
            problems.push(
                Diagnostic::error(
                    "bad-host",
                    format!("`{}` is no name of the DNS", setting.value.escape_debug()),
                )
                .at(source, setting.span)
                .help("write labels of Latin letters, digits and `-` with dots between them"),
            );
        }
        is_name.then_some(setting.value)
    };
    let (domain, selector) = (name(domain?), name(selector?));
    Some(DkimConfig { domain: domain?, selector: selector?, key_file: key_file?.value })
}

fn not_blank(
    setting: Setting<String>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    if setting.value.trim().is_empty() {
        problems.push(
            Diagnostic::error("empty-value", "`folder` in [[smtp]] is empty")
                .at(source, setting.span)
                .help("write `folder = \"outbox\"`"),
        );
        return None;
    }
    Some(setting.value)
}
