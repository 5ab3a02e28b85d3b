//! A courier: takes one mail after the other to the first server of its route that works.

use std::collections::BTreeSet;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use super::door::{Door, Room};
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

/// All connections that a server allows are open.
struct NoRoom;

/// One connection at a time along a route, opened when a mail is there and kept while it works.
///
/// Before the first octet of a mail is out a failing server is left for the next; afterwards the outcome goes
/// to the caller, for the mail must not be sent twice.
pub struct Courier {
    route: Arc<Route>,
    /// Of each target, what it allows; none where nobody counts.
    doors: Option<Arc<[Door]>>,
    /// Room that was taken for the next connection, and to which target.
    room: Option<(usize, Room)>,
    link: Option<Link>,
    /// Until when each target is left alone.
    rests: Vec<Option<Instant>>,
    setbacks: Vec<Outcome>,
}

/// What was tried for a mail.
#[derive(Debug, Default)]
pub struct Tries {
    tried: BTreeSet<usize>,
    fault: Option<Outcome>,
}

struct Link {
    target: usize,
    /// Whether the server has dealt with a mail over it.
    is_proven: bool,
    way: Way,
    /// Dropped last: what is closed makes room.
    _room: Option<Room>,
}

enum Way {
    Smtp(Box<Connection>),
    Outbox(Outbox),
}

impl Courier {
    /// A courier who has not left yet.
    pub fn new(route: Arc<Route>) -> Courier {
        let rests = vec![None; route.targets.len()];
        Courier { route, doors: None, room: None, link: None, rests, setbacks: Vec::new() }
    }

    /// A courier who opens no connection for which there is no room; one door for each target.
    pub fn by_doors(route: Arc<Route>, doors: Arc<[Door]>) -> Courier {
        Courier { doors: Some(doors), ..Courier::new(route) }
    }

    /// Whether a mail may be taken along: there is a connection, or room for one at the server that is next.
    pub fn may_enter(&mut self) -> bool {
        if self.link.is_none() && self.room.is_none() {
            let Some(target) = self.next_target(&BTreeSet::new()) else { return true };
            match self.enter(target) {
                Ok(room) => self.room = room.map(|room| (target, room)),
                Err(NoRoom) => return false,
            }
        }
        true
    }

    /// Gives back what room was taken and is not used.
    pub fn stay_out(&mut self) {
        self.room = None;
    }

    /// Whether another mailing has no connection to this server, and waits for one.
    pub fn is_in_the_way(&self) -> bool {
        self.door().is_some_and(Door::is_wanted)
    }

    /// The same; whoever asks is to go then, and nobody else.
    pub fn gives_way(&self) -> bool {
        self.door().is_some_and(Door::gives_way)
    }

    fn door(&self) -> Option<&Door> {
        self.doors.as_ref()?.get(self.link.as_ref()?.target)
    }

    /// Finds a server that waits for this mail's octets. Each is tried once, and one whose connection was
    /// used before, and may have been closed meanwhile, once more.
    ///
    /// # Errors
    /// What ended the mail: a refusal, or the fault of the last server left. None of its octets is out.
    pub async fn ready(&mut self, mail: &Mail) -> Result<GoAhead, Outcome> {
        let mut tries = Tries::default();
        loop {
            self.reach(&mut tries).await?;
            if let Some(go) = self.ask(mail, &mut tries).await? {
                return Ok(go);
            }
        }
    }

    /// The first half of [`Courier::ready`]: a connection to a server that was not tried yet. Gives the place of the server in the route.
    ///
    /// # Errors
    /// The fault of the last server, when none is left.
    pub async fn reach(&mut self, tries: &mut Tries) -> Result<usize, Outcome> {
        loop {
            if let Some(link) = &self.link {
                return Ok(link.target);
            }
            let Some(target) = self.next_target(&tries.tried) else {
                let nowhere = || Outcome {
                    server: "(none)".into(),
                    stage: Stage::Connect,
                    answer: Answer::Failure(Failure::NoAddress("the route has no server".to_owned())),
                };
                return Err(tries.fault.take().unwrap_or_else(nowhere));
            };
            let room = match self.room.take().filter(|(of, _)| *of == target) {
                Some((_, room)) => Some(room),
                None => match self.enter(target) {
                    Ok(room) => room,
                    // The others of us fill it; it is neither tried nor at fault.
                    Err(NoRoom) => {
                        tries.tried.insert(target);
                        continue;
                    }
                },
            };
            match Link::open(target, &self.route, room).await {
                Ok(link) => self.link = Some(link),
                Err(outcome) => {
                    tries.tried.insert(target);
                    self.leave_alone(target);
                    self.note(outcome, tries);
                }
            }
        }
    }

    /// The second half: whether the server that was reached waits for this mail's octets. Nothing when it has failed: another is
    /// to be reached then.
    ///
    /// # Errors
    /// What ended the mail. None of its octets is out.
    pub async fn ask(&mut self, mail: &Mail, tries: &mut Tries) -> Result<Option<GoAhead>, Outcome> {
        let Some(link) = &mut self.link else { return Ok(None) };
        match link.ready(mail).await {
            Ok(go) => Ok(Some(go)),
            Err(outcome) if outcome.verdict() == Verdict::ServerFault => {
                if let Some(link) = self.link.take() {
                    if !link.is_proven {
                        self.leave_alone(link.target);
                        tries.tried.insert(link.target);
                    }
                    link.close().await;
                }
                self.note(outcome, tries);
                Ok(None)
            }
            Err(outcome) => {
                self.drop_broken_link();
                Err(outcome)
            }
        }
    }

    fn note(&mut self, outcome: Outcome, tries: &mut Tries) {
        if outcome.answer != Answer::Failure(Failure::GivenUp) {
            self.setbacks.push(outcome.clone());
        }
        // Where one server may yet recover, waiting helps, though another refuses us for good.
        if tries.fault.as_ref().is_none_or(|fault| fault.verdict() != Verdict::ServerFault) {
            tries.fault = Some(outcome);
        }
    }

    /// Takes room at a target, where anybody counts.
    fn enter(&self, target: usize) -> Result<Option<Room>, NoRoom> {
        match self.doors.as_ref().and_then(|doors| doors.get(target)) {
            Some(door) => door.enter().map(Some).ok_or(NoRoom),
            None => Ok(None),
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
    async fn open(target: usize, route: &Route, room: Option<Room>) -> Result<Link, Outcome> {
        let way = match &route.targets[target] {
            Target::Server(server) => Way::Smtp(Box::new(Connection::open(server, &route.client).await?)),
            Target::Outbox(outbox) => Way::Outbox(outbox.clone()),
        };
        Ok(Link { target, is_proven: false, way, _room: room })
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
