//! A connection: from the host's name to a server that waits for mails, and its end.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use lettre::transport::smtp::commands::{Ehlo, Quit, Starttls};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::auth;
use super::extensions::Extensions;
use super::outcome::{Answer, Failure, Outcome, Stage};
use super::reply::Reply;
use super::server::{Client, Server, Timeouts, Tls};
use super::tls::Trust;
use super::transaction::State;
use super::wire::{Stream, Wire};

/// A connection to one server, used for one mail after the other.
pub struct Connection {
    pub(super) server: Arc<str>,
    pub(super) wire: Wire,
    pub(super) timeouts: Timeouts,
    pub(super) extensions: Extensions,
    pub(super) state: State,
}

impl Connection {
    /// Reaches a server, greets it, makes the connection safe and logs in.
    ///
    /// # Errors
    /// What ended the attempt. No mail was touched.
    pub async fn open(server: &Server, client: &Client) -> Result<Connection, Outcome> {
        let stream = reach(server, &client.timeouts).await?;
        let mut opening = match &server.tls {
            Tls::Implicit(trust) => {
                Opening::new(server, client, encrypt(server, client, trust, stream).await?)
            }
            Tls::StartTls(_) | Tls::None => Opening::new(server, client, Wire::new(Stream::Plain(stream))),
        };
        opening.reply(Stage::Banner).await?;
        let mut extensions = opening.ehlo().await?;
        if let Tls::StartTls(trust) = &server.tls {
            if !extensions.starttls {
                return Err(failed(server, Stage::StartTls, Failure::NotOffered("STARTTLS")));
            }
            opening.command(Stage::StartTls, &Starttls.to_string()).await?;
            // What lies behind the reply came in the clear, perhaps from somebody else, and must never be
            // believed (CVE-2011-0411).
            let plain = opening.wire.into_plain();
            let stream = plain.ok_or_else(|| failed(server, Stage::StartTls, Failure::Injected))?;
            opening = Opening::new(server, client, encrypt(server, client, trust, stream).await?);
            // What was offered in the clear counts no more (RFC 3207, section 4.2).
            extensions = opening.ehlo().await?;
        }
        opening.log_in(&extensions).await?;
        Ok(Connection {
            server: Arc::clone(&server.name),
            wire: opening.wire,
            timeouts: client.timeouts.clone(),
            extensions,
            state: State::idle(),
        })
    }

    /// What the server offers.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Whether another mail can go over this connection.
    pub fn is_usable(&self) -> bool {
        !self.state.is_broken()
    }

    /// Takes leave. A transaction under way is given up, and the server drops it.
    pub async fn quit(mut self) {
        // In the middle of a mail QUIT would be read as part of it.
        if self.state.is_idle() {
            let limit = self.timeouts.of(Stage::Quit);
            if self.wire.write(Quit.to_string().as_bytes(), b"", limit).await.is_ok() {
                // Whatever it says, we have gone.
                let _ = self.wire.reply(limit).await;
                let _ = timeout(limit, self.wire.shutdown()).await;
            }
        }
    }

    pub(super) fn outcome(&self, stage: Stage, answer: Answer) -> Outcome {
        Outcome { server: Arc::clone(&self.server), stage, answer }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Connection({})", self.server)
    }
}

fn failed(server: &Server, stage: Stage, failure: Failure) -> Outcome {
    Outcome { server: Arc::clone(&server.name), stage, answer: Answer::Failure(failure) }
}

/// A stream to the first of the host's addresses that answers.
async fn reach(server: &Server, timeouts: &Timeouts) -> Result<TcpStream, Outcome> {
    let limit = timeouts.of(Stage::Connect);
    let failed = |failure| failed(server, Stage::Connect, failure);
    let host = (server.host.as_str(), server.port);
    let addresses: Vec<SocketAddr> = match timeout(limit, lookup_host(host)).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(failed(Failure::NoAddress(error.to_string()))),
        Err(_) => return Err(failed(Failure::Silence)),
    };
    let mut last = Failure::NoAddress(server.host.escape_default().to_string());
    for address in addresses {
        if matches!(server.tls, Tls::None) && !address.ip().is_loopback() {
            return Err(failed(Failure::InTheClear));
        }
        match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Else the last dot waits for the acknowledgement of what went before it, some 40 ms.
                stream.set_nodelay(true).map_err(|error| failed(Failure::Io(error.kind())))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = Failure::Io(error.kind()),
            Err(_) => last = Failure::Silence,
        }
    }
    Err(failed(last))
}

async fn encrypt(
    server: &Server,
    client: &Client,
    trust: &Trust,
    stream: TcpStream,
) -> Result<Wire, Outcome> {
    let handshake = trust.handshake(&server.host, stream);
    match timeout(client.timeouts.of(Stage::Tls), handshake).await.unwrap_or(Err(Failure::Silence)) {
        Ok(stream) => Ok(Wire::new(Stream::Tls(Box::new(stream)))),
        Err(failure) => Err(failed(server, Stage::Tls, failure)),
    }
}

/// A connection on which no mail can be sent yet.
struct Opening<'a> {
    server: &'a Server,
    client: &'a Client,
    wire: Wire,
}

impl<'a> Opening<'a> {
    fn new(server: &'a Server, client: &'a Client, wire: Wire) -> Opening<'a> {
        Opening { server, client, wire }
    }

    async fn ehlo(&mut self) -> Result<Extensions, Outcome> {
        let ehlo = Ehlo::new(self.client.hello_name.clone()).to_string();
        self.command(Stage::Ehlo, &ehlo).await.map(|reply| Extensions::of(&reply))
    }

    async fn log_in(&mut self, extensions: &Extensions) -> Result<(), Outcome> {
        let Some(login) = &self.server.login else { return Ok(()) };
        let Some(lines) = auth::lines(login, extensions) else {
            return Err(failed(self.server, Stage::Auth, Failure::NotOffered("AUTH PLAIN or LOGIN")));
        };
        let last = lines.len() - 1;
        for (index, line) in lines.iter().enumerate() {
            self.write(Stage::Auth, line).await?;
            let reply = auth::redacted(self.any_reply(Stage::Auth).await?, login, &lines);
            let is_asked_on = index < last && reply.code() == 334;
            let is_in = index == last && Stage::Auth.is_passed_by(reply.code());
            if !is_asked_on && !is_in {
                return Err(self.ended_by(Stage::Auth, reply));
            }
        }
        Ok(())
    }

    async fn command(&mut self, stage: Stage, command: &str) -> Result<Reply, Outcome> {
        self.write(stage, command).await?;
        self.reply(stage).await
    }

    async fn write(&mut self, stage: Stage, command: &str) -> Result<(), Outcome> {
        let limit = self.client.timeouts.of(stage);
        let written = self.wire.write(command.as_bytes(), b"", limit).await;
        written.map_err(|unwritten| failed(self.server, stage, unwritten.failure))
    }

    /// The reply that lets us go on.
    async fn reply(&mut self, stage: Stage) -> Result<Reply, Outcome> {
        let reply = self.any_reply(stage).await?;
        if stage.is_passed_by(reply.code()) { Ok(reply) } else { Err(self.ended_by(stage, reply)) }
    }

    async fn any_reply(&mut self, stage: Stage) -> Result<Reply, Outcome> {
        let reply = self.wire.reply(self.client.timeouts.of(stage)).await;
        reply.map_err(|failure| failed(self.server, stage, failure))
    }

    fn ended_by(&self, stage: Stage, reply: Reply) -> Outcome {
        Outcome { server: Arc::clone(&self.server.name), stage, answer: Answer::Reply(reply) }
    }
}
