//! The ways out for mail, as the settings name them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::secret;
use crate::config::{Config, SmtpConfig, SmtpServer, Tls as TlsConfig};
use crate::deliver::smtp::{
    Client, Door, Login, Outbox, Route, Secret, Server, Target, Timeouts, Tls, Trust,
};
use crate::mailing::Rate;

/// Where mail goes, and how much of it.
pub(super) struct WayOut {
    /// The servers and folders, the first one first.
    pub(super) route: Arc<Route>,
    /// What each of them allows.
    pub(super) doors: Arc<[Door]>,
}

/// How long a server that failed is left alone while another works.
const REST: Duration = Duration::from_secs(60);

/// The way out of a magazine in a folder; nothing when its settings name none.
///
/// # Errors
/// A password or a file of certificates that cannot be read.
pub(super) fn way_out(config: &Config, folder: &Path) -> Result<Option<WayOut>> {
    let targets = config.smtp.iter().map(|way| target(way, folder)).collect::<Result<Vec<_>>>()?;
    if targets.is_empty() {
        return Ok(None);
    }
    let client = Client::new(hello_name(config), Timeouts::default())?;
    let route = Arc::new(Route { targets, client, rest: REST });
    Ok(Some(WayOut { route, doors: config.smtp.iter().map(|way| door(way, config)).collect() }))
}

/// What a way allows. A folder takes as much as the servers beside it.
fn door(way: &SmtpConfig, config: &Config) -> Door {
    match way {
        SmtpConfig::Server(server) => {
            let per_second = server.messages_per_second;
            let rate = per_second.map(|messages| Rate { messages, per: Duration::from_secs(1) });
            Door::new(server.connections as usize, rate)
        }
        SmtpConfig::Folder(_) => {
            Door::new(servers(config).map(|server| server.connections).max().unwrap_or(1) as usize, None)
        }
    }
}

/// The servers among the ways out, the first one first.
pub(super) fn servers(config: &Config) -> impl Iterator<Item = &SmtpServer> {
    config.smtp.iter().filter_map(|way| match way {
        SmtpConfig::Server(server) => Some(server),
        SmtpConfig::Folder(_) => None,
    })
}

/// The name said at EHLO (RFC 5321, section 4.1.1.1): the host that readers know, else the sender's domain.
fn hello_name(config: &Config) -> &str {
    let host = config.web.as_ref().and_then(|web| {
        let host = web.url.split("://").nth(1)?.split('/').next()?;
        // An address with its colons in brackets is no name to say.
        (!host.starts_with('[')).then(|| host.split(':').next())?
    });
    host.unwrap_or(config.mail.from.domain())
}

fn target(way: &SmtpConfig, folder: &Path) -> Result<Target> {
    match way {
        SmtpConfig::Server(server) => Ok(Target::Server(self::server(server, folder)?)),
        SmtpConfig::Folder(path) => {
            Ok(Target::Outbox(Outbox { name: path.as_str().into(), folder: folder.join(path) }))
        }
    }
}

fn server(server: &SmtpServer, folder: &Path) -> Result<Server> {
    let name = format!("{}:{}", server.host, server.port);
    let trust = || {
        let further = server.ca_file.as_ref().map(|file| folder.join(file));
        Trust::system(further.as_deref()).with_context(|| format!("cannot prepare TLS for {name}"))
    };
    let tls = match server.tls {
        TlsConfig::Implicit => Tls::Implicit(trust()?),
        TlsConfig::Starttls => Tls::StartTls(trust()?),
        TlsConfig::None => Tls::None,
    };
    let login = match (&server.user, &server.password) {
        (Some(user), Some(password)) => {
            let password = secret::read(password, folder)
                .with_context(|| format!("no password for {user} at {name}"))?;
            Some(Login { user: user.clone(), password: Secret::new(password) })
        }
        _ => None,
    };
    Ok(Server { name: name.into(), host: server.host.clone(), port: server.port, tls, login })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::diagnostic::SourceText;

    fn config(more: &str) -> Config {
        let text = format!(
            "[magazine]\nname = \"m\"\npublisher = \"p\"\n[mail]\nfrom = \"news@mag.example\"\nsubject = \"s\"\n\
             [blog]\nurl = \"https://mag.example\"\n{more}"
        );
        let mut problems = Vec::new();
        let config = config::parse(&SourceText::new("mailmag.toml", text), &mut problems);
        config.unwrap_or_else(|| panic!("{problems:?}"))
    }

    #[test]
    fn servers_are_greeted_with_the_name_that_readers_know() {
        let check = |more: &str, expected: &str| assert_eq!(hello_name(&config(more)), expected, "{more}");
        check("", "mag.example");
        check("[web]\nurl = \"https://list.mag.example/path\"\n", "list.mag.example");
        check("[web]\nurl = \"http://127.0.0.1:8080\"\n", "127.0.0.1");
        check("[web]\nurl = \"http://[::1]:8080\"\n", "mag.example");
    }

    #[test]
    fn the_ways_out_are_those_of_the_settings_in_their_order() {
        let way = |more: &str| way_out(&config(more), Path::new("magazine")).unwrap();
        assert!(way("").is_none());
        let folder = way("[[smtp]]\nfolder = \"outbox\"\n").unwrap();
        let doors = |way: &WayOut| -> Vec<(usize, Option<u32>)> {
            way.doors.iter().map(|door| (door.connections, door.rate.map(|rate| rate.messages))).collect()
        };
        assert_eq!(doors(&folder), [(1, None)]);
        let both =
            way("[[smtp]]\nhost = \"127.0.0.1\"\ntls = \"none\"\nconnections = 3\nmessages-per-second = 9\n\
             [[smtp]]\nhost = \"localhost\"\ntls = \"none\"\nport = 2525\n[[smtp]]\nfolder = \"outbox\"\n");
        let both = both.unwrap();
        assert_eq!(doors(&both), [(3, Some(9)), (4, None), (4, None)], "each has its own");
        let names: Vec<&str> = both.route.targets.iter().map(Target::name).collect();
        assert_eq!(names, ["127.0.0.1:25", "localhost:2525", "outbox"]);
    }

    #[test]
    fn a_password_that_cannot_be_read_is_told_with_its_server() {
        let more =
            "[[smtp]]\nhost = \"127.0.0.1\"\ntls = \"none\"\nuser = \"u\"\npassword-file = \"nowhere\"\n";
        let error = way_out(&config(more), Path::new("magazine")).err().unwrap();
        assert!(format!("{error:#}").starts_with("no password for u at 127.0.0.1:25: "), "{error:#}");
    }
}
