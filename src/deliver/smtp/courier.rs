//! A courier: takes one mail after the other to the first server of its route that works.

use std::collections::BTreeSet;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use super::envelope::Mail;
use super::outbox::Outbox;
use super::outcome::{Answer, Failure, Outcome, Stage};
use super::server::{Client, Server};
use super::transaction::GoAhead;
use crate::mailing::Verdict;

/// Where mails go, the preferred place first.
#[derive(Clone, Debug)]
pub struct Route {
    /// The places; one at least.
    pub targets: Vec<Target>,
    /// How we present ourselves to servers.
    pub client: Client,
    /// How long a server that failed is left alone while another works.
    pub rest: Duration,
}

/// A place that mails can go to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A server.
    Server(Server),
    /// A folder.
    Outbox(Outbox),
}

/// One connection at a time along a route, opened when a mail is there and kept while it works.
///
/// Before the first octet of a mail is out a failing server is left for the next; afterwards the outcome goes
/// to the caller, for the mail must not be sent twice.
pub struct Courier {
    route: Arc<Route>,
    link: Option<Link>,
    /// Until when each target is left alone.
    rests: Vec<Option<Instant>>,
    setbacks: Vec<Outcome>,
}

struct Link {
    target: usize,
    /// Whether the server has dealt with a mail over it.
    is_proven: bool,
    way: Way,
}

enum Way {
    Smtp(Box<Connection>),
    Outbox(Outbox),
}

impl Courier {
    /// A courier who has not left yet.
    pub fn new(route: Arc<Route>) -> Courier {
        let rests = vec![None; route.targets.len()];
        Courier { route, link: None, rests, setbacks: Vec::new() }
    }

    /// Finds a server that waits for this mail's octets. Each is tried once, and one whose connection was
    /// used before, and may have been closed meanwhile, once more.
    ///
    /// # Errors
    /// What ended the mail: a refusal, or the fault of the last server left. None of its octets is out.
    pub async fn ready(&mut self, mail: &Mail) -> Result<GoAhead, Outcome> {
        let mut tried = BTreeSet::new();
        let mut fault: Option<Outcome> = None;
        loop {
            let outcome = match &mut self.link {
                Some(link) => match link.ready(mail).await {
                    Ok(go) => return Ok(go),
                    Err(outcome) if outcome.verdict() == Verdict::ServerFault => {
                        if let Some(link) = self.link.take() {
                            if !link.is_proven {
                                self.leave_alone(link.target);
                                tried.insert(link.target);
                            }
                            link.close().await;
                        }
                        outcome
                    }
                    Err(outcome) => {
                        self.drop_broken_link();
                        return Err(outcome);
                    }
                },
                None => {
                    let Some(target) = self.next_target(&tried) else {
                        let nowhere = || Outcome {
                            server: "(none)".into(),
                            stage: Stage::Connect,
                            answer: Answer::Failure(Failure::NoAddress("the route has no server".to_owned())),
                        };
                        return Err(fault.unwrap_or_else(nowhere));
                    };
                    match Link::open(target, &self.route).await {
                        Ok(link) => {
                            self.link = Some(link);
                            continue;
                        }
                        Err(outcome) => {
                            tried.insert(target);
                            self.leave_alone(target);
                            outcome
                        }
                    }
                }
            };
            if outcome.answer != Answer::Failure(Failure::GivenUp) {
                self.setbacks.push(outcome.clone());
            }
            // Where one server may yet recover, waiting helps, though another refuses us for good.
            if fault.as_ref().is_none_or(|fault| fault.verdict() != Verdict::ServerFault) {
                fault = Some(outcome);
            }
        }
    }

    /// Sends the octets of the mail that [`Courier::ready`] was called with; see [`Connection::finish`].
    pub async fn finish(&mut self, go: GoAhead, mail: &Mail, next: Option<&Mail>) -> Outcome {
        let Some(link) = &mut self.link else {
            return Outcome {
                server: "(none)".into(),
                stage: Stage::Data,
                answer: Answer::Failure(Failure::OutOfStep),
            };
        };
        let target = link.target;
        let outcome = link.finish(go, mail, next).await;
        if outcome.verdict() == Verdict::ServerFault {
            self.leave_alone(target);
            self.link = None;
        }
        self.drop_broken_link();
        outcome
    }

    /// Both steps at once, for mails of which nobody keeps a ledger.
    pub async fn send(&mut self, mail: &Mail) -> Outcome {
        match self.ready(mail).await {
            Ok(go) => self.finish(go, mail, None).await,
            Err(outcome) => outcome,
        }
    }

    /// The server that the courier is connected to.
    pub fn connected_to(&self) -> Option<&str> {
        self.link.as_ref().map(|link| self.route.targets[link.target].name())
    }

    /// What went wrong on the way since this was last asked, though the mails may have gone by another
    /// server.
    pub fn take_setbacks(&mut self) -> Vec<Outcome> {
        mem::take(&mut self.setbacks)
    }

    /// Takes leave of the server. A mail that was begun with the one before, and not finished, is given up:
    /// the server has none of it.
    pub async fn quit(mut self) {
        if let Some(link) = self.link.take() {
            link.close().await;
        }
    }

    fn leave_alone(&mut self, target: usize) {
        self.rests[target] = Some(Instant::now() + self.route.rest);
    }

    /// The first target that is not left alone, else the one whose rest ends first.
    fn next_target(&self, tried: &BTreeSet<usize>) -> Option<usize> {
        let now = Instant::now();
        let untried = (0..self.route.targets.len()).filter(|target| !tried.contains(target));
        untried.min_by_key(|&target| (self.rests[target].filter(|&until| until > now), target))
    }

    fn drop_broken_link(&mut self) {
        let is_broken =
            |link: &mut Link| matches!(&link.way, Way::Smtp(connection) if !connection.is_usable());
        drop(self.link.take_if(is_broken));
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Courier({:?})", self.connected_to())
    }
}

impl Target {
    /// What the settings and reports call it.
    pub fn name(&self) -> &str {
        match self {
            Target::Server(server) => &server.name,
            Target::Outbox(outbox) => &outbox.name,
        }
    }
}

impl Link {
    async fn open(target: usize, route: &Route) -> Result<Link, Outcome> {
        let way = match &route.targets[target] {
            Target::Server(server) => Way::Smtp(Box::new(Connection::open(server, &route.client).await?)),
            Target::Outbox(outbox) => Way::Outbox(outbox.clone()),
        };
        Ok(Link { target, is_proven: false, way })
    }

    async fn ready(&mut self, mail: &Mail) -> Result<GoAhead, Outcome> {
        let result = match &mut self.way {
            Way::Smtp(connection) => connection.ready(mail).await,
            Way::Outbox(_) => Ok(GoAhead(())),
        };
        self.is_proven |= !result.as_ref().is_err_and(|outcome| outcome.verdict() == Verdict::ServerFault);
        result
    }

    async fn finish(&mut self, go: GoAhead, mail: &Mail, next: Option<&Mail>) -> Outcome {
        match &mut self.way {
            Way::Smtp(connection) => connection.finish(go, mail, next).await,
            Way::Outbox(outbox) => outbox.write(mail).await,
        }
    }

    async fn close(self) {
        if let Way::Smtp(connection) = self.way {
            connection.quit().await;
        }
    }
}
