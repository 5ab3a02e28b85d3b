//! Servers as the settings name them, and how we present ourselves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;

use super::outcome::Stage;
use super::tls::Trust;

/// One server that takes our mails.
#[derive(Clone, Debug)]
pub struct Server {
    /// What the settings and reports call it.
    pub name: Arc<str>,
    /// A host name or an address.
    pub host: String,
    /// 465 for [`Tls::Implicit`], 587 for [`Tls::StartTls`] as a rule.
    pub port: u16,
    /// How the connection is kept from others' eyes.
    pub tls: Tls,
    /// With whom to log in, where the server wants it.
    pub login: Option<Login>,
}

/// How a connection is kept from others' eyes.
#[derive(Clone, Debug)]
pub enum Tls {
    /// TLS from the first octet (RFC 8314).
    Implicit(Trust),
    /// STARTTLS (RFC 3207), and no mail without it.
    StartTls(Trust),
    /// None, to this machine alone.
    None,
}

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// Her password.
    pub password: Secret,
}

/// A password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a password from being shown.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// How long each stage may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Looking up the name, and reaching one address.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// The greeting.
    pub banner: Duration,
    /// The replies to EHLO and STARTTLS.
    pub ehlo: Duration,
    /// The replies to AUTH.
    pub auth: Duration,
    /// The replies to MAIL and RSET.
    pub mail: Duration,
    /// The reply to RCPT.
    pub rcpt: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// The octets: how long none may be taken.
    pub body: Duration,
    /// The reply to the last dot. The longest: a server that is given up too early may have taken the mail
    /// (RFC 1047).
    pub dot: Duration,
    /// The reply to QUIT, for which nobody waits.
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Timeouts {
            connect: seconds(30),
            tls: seconds(30),
            banner: seconds(30),
            ehlo: seconds(30),
            auth: seconds(30),
            mail: seconds(60),
            rcpt: seconds(60),
            data: seconds(60),
            body: seconds(180),
            dot: seconds(300),
            quit: seconds(2),
        }
    }
}

impl Timeouts {
    pub(super) fn of(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Connect => self.connect,
            Stage::Tls => self.tls,
            Stage::Banner => self.banner,
            Stage::Ehlo | Stage::StartTls => self.ehlo,
            Stage::Auth => self.auth,
            Stage::Reset | Stage::Mail => self.mail,
            Stage::Rcpt => self.rcpt,
            Stage::Data => self.data,
            Stage::Body => self.body,
            Stage::Dot => self.dot,
            Stage::Quit => self.quit,
        }
    }
}

/// How we present ourselves to every server, and how long we wait.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) hello_name: ClientId,
    pub(super) timeouts: Timeouts,
}

/// The name for EHLO is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host name to say at EHLO; write this machine's full name, such as `mail.example.jp`")]
pub struct BadHelloName(String);

impl Client {
    /// A client of this name: a host name, or an address, which is said in brackets (RFC 5321, section
    /// 4.1.3).
    ///
    /// # Errors
    /// The name is neither.
    pub fn new(hello_name: &str, timeouts: Timeouts) -> Result<Client, BadHelloName> {
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        };
        let hello_name = match hello_name.parse() {
            Ok(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) if hello_name.split('.').all(is_label) => ClientId::Domain(hello_name.to_owned()),
            Err(_) => return Err(BadHelloName(hello_name.escape_default().to_string())),
        };
        Ok(Client { hello_name, timeouts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_ehlo_are_host_names_or_addresses() {
        let cases = [
            ("mail.example.jp", Some("mail.example.jp")),
            ("localhost", Some("localhost")),
            ("192.0.2.1", Some("[192.0.2.1]")),
            ("2001:db8::1", Some("[IPv6:2001:db8::1]")),
            ("", None),
            ("a..b", None),
            ("my host", None),
            ("a\r\nMAIL FROM:<x>", None),
            ("日本.jp", None),
        ];
        for (name, expected) in cases {
            let client = Client::new(name, Timeouts::default());
            assert_eq!(
                client.ok().map(|client| client.hello_name.to_string()).as_deref(),
                expected,
                "{name:?}"
            );
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let login = Login { user: "editor".into(), password: Secret::new("tr0ub4dor") };
        assert!(!format!("{login:?}").contains("tr0ub4dor"));
    }
}
