//! A mail over a connection: commands, octets, last dot, and the next mail's commands with it.

use std::mem;

use lettre::transport::smtp::commands::Rset;

use super::connection::Connection;
use super::envelope::{Commands, Envelope, Mail};
use super::outcome::{Answer, Failure, Outcome, Stage};
use super::reply::Reply;
use super::wire::Unwritten;

/// The server waits for a mail's octets: not one of them is out. Whoever holds this notes that the mail is
/// being attempted, and goes on with [`Connection::finish`].
#[derive(Debug)]
#[must_use = "the server waits for the mail's octets"]
pub struct GoAhead(pub(super) ());

/// Where a connection stands between two calls.
pub(super) struct State(Step);

enum Step {
    /// No transaction.
    Idle {
        /// One was refused, and may stand half open on the server.
        needs_reset: bool,
    },
    /// The commands of a mail are out together, their replies are not read.
    Begun(Envelope),
    /// The server waits for the octets of a mail with this envelope.
    Waiting(Envelope),
    /// Of no more use. Also the state while something is under way, so that a call that was dropped half-way
    /// leaves it.
    Broken,
}

impl State {
    pub(super) fn idle() -> State {
        State(Step::Idle { needs_reset: false })
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.0, Step::Idle { .. })
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.0, Step::Broken)
    }

    fn take(&mut self) -> Step {
        mem::replace(&mut self.0, Step::Broken)
    }
}

/// What a step came to: what ended the mail, and whether the connection stays in step.
struct Ended {
    stage: Stage,
    answer: Answer,
    keeps: bool,
}

impl Ended {
    fn by_failure(stage: Stage, failure: Failure) -> Ended {
        Ended { stage, answer: Answer::Failure(failure), keeps: false }
    }

    /// A refusal keeps the connection; 421 and what is no refusal do not.
    fn by_reply(stage: Stage, reply: Reply) -> Ended {
        let keeps = (400..600).contains(&reply.code()) && reply.code() != 421;
        Ended { stage, answer: Answer::Reply(reply), keeps }
    }
}

impl Connection {
    /// Says MAIL, RCPT and DATA, unless they went with the mail before, and waits until the server asks for
    /// the octets.
    ///
    /// # Errors
    /// What ended the mail. None of its octets is out: whatever it was, another server may be tried.
    pub async fn ready(&mut self, mail: &Mail) -> Result<GoAhead, Outcome> {
        let step = self.state.take();
        let result = match step {
            Step::Idle { needs_reset } => match self.fits(mail) {
                Err(failure) => {
                    self.state = State(Step::Idle { needs_reset });
                    return Err(self.outcome(Stage::Mail, Answer::Failure(failure)));
                }
                Ok(()) => self.begin(mail, needs_reset).await,
            },
            Step::Begun(envelope) if envelope == mail.envelope => self.replies_together().await,
            // Another mail was begun, and its octets alone may follow.
            Step::Begun(_) | Step::Waiting(_) => Err(Ended::by_failure(Stage::Mail, Failure::GivenUp)),
            Step::Broken => Err(Ended::by_failure(Stage::Mail, Failure::Cut)),
        };
        match result {
            Ok(()) => {
                self.state = State(Step::Waiting(mail.envelope.clone()));
                Ok(GoAhead(()))
            }
            Err(ended) => {
                if ended.keeps {
                    self.state = State(Step::Idle { needs_reset: true });
                }
                Err(self.outcome(ended.stage, ended.answer))
            }
        }
    }

    /// Sends a mail's octets and waits for the server's word. Where the server offers PIPELINING the commands
    /// of the `next` mail travel with the last dot; [`Connection::ready`] then reads what came of them.
    pub async fn finish(&mut self, go: GoAhead, mail: &Mail, next: Option<&Mail>) -> Outcome {
        let GoAhead(()) = go;
        match self.state.take() {
            Step::Waiting(envelope) if envelope == mail.envelope => {}
            _ => return self.outcome(Stage::Data, Answer::Failure(Failure::OutOfStep)),
        }
        let next = next.filter(|next| self.extensions.pipelining && self.fits(next).is_ok());
        let commands = next.map(|next| Commands::of(next, &self.extensions, ""));
        let commands = commands.as_ref().map_or("", |commands| &commands.octets);
        match self.octets_and_dot(mail, commands).await {
            Err(ended) => self.outcome(ended.stage, ended.answer),
            Ok(reply) => {
                let is_accepted = Stage::Dot.is_passed_by(reply.code());
                let ended = Ended::by_reply(Stage::Dot, reply);
                if is_accepted || ended.keeps {
                    self.state = State(match next {
                        Some(next) => Step::Begun(next.envelope.clone()),
                        // A reply too many: the server is a step ahead.
                        None if self.wire.has_surplus() => Step::Broken,
                        None => Step::Idle { needs_reset: !is_accepted },
                    });
                }
                self.outcome(ended.stage, ended.answer)
            }
        }
    }

    /// Whether the server said that it takes such a message.
    fn fits(&self, mail: &Mail) -> Result<(), Failure> {
        if mail.data.is_eight_bit() && !self.extensions.eight_bit_mime {
            return Err(Failure::EightBit);
        }
        match self.extensions.largest {
            Some(limit) if mail.data.size() > limit => {
                Err(Failure::TooLarge { size: mail.data.size(), limit })
            }
            _ => Ok(()),
        }
    }

    async fn begin(&mut self, mail: &Mail, needs_reset: bool) -> Result<(), Ended> {
        let first = if needs_reset { Stage::Reset } else { Stage::Mail };
        self.wire.is_quiet().await.map_err(|failure| Ended::by_failure(first, failure))?;
        let before = if needs_reset { Rset.to_string() } else { String::new() };
        let commands = Commands::of(mail, &self.extensions, &before);
        if self.extensions.pipelining {
            self.write(Stage::Mail, &commands.octets).await?;
            if needs_reset {
                self.passing_reply(Stage::Reset).await?;
            }
            return self.replies_together().await;
        }
        if needs_reset {
            self.command(Stage::Reset, &before).await?;
        }
        let [mail_end, rcpt_end] = commands.ends;
        self.command(Stage::Mail, &commands.octets[before.len()..mail_end]).await?;
        self.command(Stage::Rcpt, &commands.octets[mail_end..rcpt_end]).await?;
        self.command(Stage::Data, &commands.octets[rcpt_end..]).await?;
        self.is_waiting().await
    }

    /// The replies to commands that went together. Each is read, so that the next mail's are not taken for
    /// this one's; the first refusal counts, for the others follow from it.
    async fn replies_together(&mut self) -> Result<(), Ended> {
        let mail = self.passing_reply(Stage::Mail).await;
        if mail.as_ref().is_err_and(|ended| !ended.keeps) {
            return mail;
        }
        let rcpt = self.passing_reply(Stage::Rcpt).await;
        if mail.is_ok() && rcpt.as_ref().is_err_and(|ended| !ended.keeps) {
            return rcpt;
        }
        let data = self.reply(Stage::Data).await;
        let (refusal, named_nobody) = match (mail, rcpt) {
            (Err(mail), rcpt) => (mail, rcpt.is_err_and(|rcpt| rcpt.keeps)),
            (Ok(()), Err(rcpt)) => (rcpt, true),
            (Ok(()), Ok(())) => {
                let reply = data.map_err(|failure| Ended::by_failure(Stage::Data, failure))?;
                if !Stage::Data.is_passed_by(reply.code()) {
                    return Err(Ended::by_reply(Stage::Data, reply));
                }
                return self.is_waiting().await;
            }
        };
        let keeps = match data {
            // A server may ask for the octets though it refused the recipient; a dot alone ends that (RFC
            // 2920, section 3.1).
            Ok(reply) if Stage::Data.is_passed_by(reply.code()) => {
                named_nobody && self.nothing_to_send().await
            }
            Ok(reply) => (400..600).contains(&reply.code()) && reply.code() != 421,
            Err(_) => false,
        };
        Err(Ended { keeps, ..refusal })
    }

    /// Ends the octets before they have begun; tells whether the server went along.
    async fn nothing_to_send(&mut self) -> bool {
        self.write(Stage::Data, ".\r\n").await.is_ok()
            && self.reply(Stage::Data).await.is_ok_and(|reply| reply.code() != 421)
    }

    /// Nothing may have come behind the 354: it would be taken for the answer to the last dot.
    async fn is_waiting(&mut self) -> Result<(), Ended> {
        self.wire.is_quiet().await.map_err(|failure| Ended::by_failure(Stage::Data, failure))
    }

    /// Sends the octets with what follows them, and reads the reply to the last dot.
    async fn octets_and_dot(&mut self, mail: &Mail, commands: &str) -> Result<Reply, Ended> {
        let octets = mail.data.wire();
        let limit = self.timeouts.of(Stage::Body);
        if let Err(Unwritten { written, failure }) = self.wire.write(octets, commands.as_bytes(), limit).await
        {
            // The message ends with its very last octet: one short of it the server cannot have the mail.
            if written >= octets.len() {
                return Err(Ended::by_failure(Stage::Dot, failure));
            }
            return Err(match self.wire.unasked_reply().await {
                Some(reply) if reply.code() >= 400 => {
                    Ended { keeps: false, ..Ended::by_reply(Stage::Body, reply) }
                }
                _ => Ended::by_failure(Stage::Body, failure),
            });
        }
        self.reply(Stage::Dot).await.map_err(|failure| Ended::by_failure(Stage::Dot, failure))
    }

    async fn command(&mut self, stage: Stage, command: &str) -> Result<(), Ended> {
        self.write(stage, command).await?;
        self.passing_reply(stage).await
    }

    async fn passing_reply(&mut self, stage: Stage) -> Result<(), Ended> {
        match self.reply(stage).await {
            Ok(reply) if stage.is_passed_by(reply.code()) => Ok(()),
            Ok(reply) => Err(Ended::by_reply(stage, reply)),
            Err(failure) => Err(Ended::by_failure(stage, failure)),
        }
    }

    async fn write(&mut self, stage: Stage, commands: &str) -> Result<(), Ended> {
        let written = self.wire.write(commands.as_bytes(), b"", self.timeouts.of(stage)).await;
        written.map_err(|unwritten| Ended::by_failure(stage, unwritten.failure))
    }

    async fn reply(&mut self, stage: Stage) -> Result<Reply, Failure> {
        self.wire.reply(self.timeouts.of(stage)).await
    }
}
