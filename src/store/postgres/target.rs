//! A PostgreSQL URL, read: where the server is, and how far it is trusted.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_rustls::rustls::ClientConfig;

use super::tls;
use crate::address;
use crate::store::StoreError;

/// How long one try to reach the server may take.
const REACHING: Duration = Duration::from_secs(5);

/// Where the server is, and how to speak to it.
#[derive(Clone)]
pub(in crate::store) struct Target {
    /// For the client.
    pub(super) config: Config,
    /// By which certificates the server is known; nothing: without encryption.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// Host and database, for messages: no user and no password.
    pub(super) place: String,
}

/// How a connection is encrypted, in libpq's words (PostgreSQL's documentation, section 34.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// Not at all.
    Disable,
    /// Where the server can, whoever it is.
    Prefer,
    /// Always, whoever it is.
    Require,
    /// Always, and the server's certificate names the host.
    VerifyFull,
}

impl Target {
    /// Whether a URL is one of PostgreSQL.
    pub(in crate::store) fn is_for(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// Reads a URL as libpq does, with `sslmode` and `sslrootcert`. Without `sslmode` a server on this machine is
    /// believed, and every other one must show a certificate that names it. A relative `sslrootcert` begins at `folder`.
    ///
    /// # Errors
    /// What is wrong with it. The text names no password.
    pub(in crate::store) fn parse(
        url: &str,
        password: Option<&str>,
        folder: &Path,
    ) -> Result<Target, StoreError> {
        let refuse = |what: String| StoreError::Broken { place: "[store] url".to_owned(), what };
        let (plain, mode, roots) = without_encryption(url);
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            // The client's error may quote what it could not read.
            let hidden = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            refuse(format!("this is no URL of PostgreSQL: {hidden}"))
        })?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password.trim_end_matches(['\r', '\n']));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(REACHING);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_secs(20));
        }
        config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("mailmag");
        }
        let encryption = match mode.as_deref() {
            Some("disable") => Encryption::Disable,
            Some("prefer" | "allow") => Encryption::Prefer,
            Some("require") => Encryption::Require,
            Some("verify-full" | "verify-ca") => Encryption::VerifyFull,
            None if config.get_hosts().iter().all(is_near) => Encryption::Prefer,
            None => Encryption::VerifyFull,
            Some(_) => return Err(refuse("sslmode is disable, prefer, require or verify-full".to_owned())),
        };
        let roots = roots.map(|file| folder.join(file));
        let tls = match encryption {
            Encryption::Disable => Ok(None),
            Encryption::Prefer | Encryption::Require => tls::believing().map(Some),
            Encryption::VerifyFull => tls::verifying(roots.as_deref()).map(Some),
        };
        config.ssl_mode(match encryption {
            Encryption::Disable => SslMode::Disable,
            Encryption::Prefer => SslMode::Prefer,
            Encryption::Require | Encryption::VerifyFull => SslMode::Require,
        });
        let place = place(&config);
        Ok(Target { config, tls: tls.map_err(refuse)?, place })
    }
}

// The URL may hold a password.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Target").field(&self.place).finish()
    }
}

/// A URL without `sslmode` and `sslrootcert`, which the client does not know as libpq does, and these two.
fn without_encryption(url: &str) -> (String, Option<String>, Option<String>) {
    let Some((before, query)) = url.split_once('?') else { return (url.to_owned(), None, None) };
    let (mut mode, mut roots) = (None, None);
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => roots = Some(address::decode(value)),
            _ => rest.push(parameter),
        }
    }
    let rest = rest.join("&");
    let plain = if rest.is_empty() { before.to_owned() } else { format!("{before}?{rest}") };
    (plain, mode, roots)
}

/// Whether a host is this machine.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn place(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => String::new(),
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("the database {database} of PostgreSQL at {host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_must_show_who_it_is_unless_the_url_says_otherwise() {
        let check = |url: &str, mode: SslMode, has_tls: bool| {
            let target = Target::parse(url, None, Path::new("/")).unwrap();
            assert_eq!((target.config.get_ssl_mode(), target.tls.is_some()), (mode, has_tls), "{url}");
        };
        check("postgres:///list", SslMode::Prefer, true);
        check("postgres://localhost/list", SslMode::Prefer, true);
        check("postgresql://[::1]:5433/list", SslMode::Prefer, true);
        check("postgres://%2Frun%2Fpostgresql/list", SslMode::Prefer, true);
        check("postgres://db.example.jp/list", SslMode::Require, true);
        check("postgres://db.example.jp/list?sslmode=disable", SslMode::Disable, false);
        check("postgres://localhost/list?application_name=x&sslmode=verify-full", SslMode::Require, true);
        check("postgres://localhost/list?sslmode=require&connect_timeout=1", SslMode::Require, true);
    }

    #[test]
    fn nothing_tells_the_password() {
        let target = Target::parse("postgres://anna:sesame@localhost/list", None, Path::new("/")).unwrap();
        let refused = Target::parse("postgres://anna:sesame@localhost:port/list", None, Path::new("/"));
        let mode = Target::parse("postgres://anna:sesame@localhost/list?sslmode=maybe", None, Path::new("/"));
        for text in [
            format!("{target:?} {}", target.place),
            refused.unwrap_err().to_string(),
            mode.unwrap_err().to_string(),
        ] {
            assert!(!text.contains("sesame") && !text.contains("anna"), "{text}");
        }
    }

    #[test]
    fn the_urls_password_goes_before_the_settings() {
        let password = |url: &str| {
            let target = Target::parse(url, Some("other\n"), Path::new("/")).unwrap();
            target.config.get_password().unwrap().to_owned()
        };
        assert_eq!(password("postgres://anna:sesame@localhost/list"), b"sesame");
        assert_eq!(password("postgres://anna@localhost/list"), b"other");
    }
}
