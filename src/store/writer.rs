//! The thread that writes: takes what waits, keeps it in one transaction, answers.

use std::sync::mpsc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::database::{Changes, Database, Heads, Settlement};
use super::group::{self, Asking};
use super::returns::{self, NewReturn, Taken};
use super::waiting::Answering;
use super::{ClaimedNotice, NoticeOutcome, Settings, StoreError, seal};
use crate::list::{Answer, Limits, StoreKey};

/// How many requests are kept by one commit.
const MOST_AT_ONCE: usize = 256;
/// How many characters of a server's reply are kept.
const LONGEST_REPLY: usize = 512;

/// Something to write, and who waits for it.
pub(super) enum Job {
    /// A request.
    Ask(Box<Asking>, Answering<Answer>),
    /// Whether it can be written now.
    Ready(Answering<()>),
    /// To take notices.
    Claim { at: DateTime<Utc>, lease: Duration, most: usize, answering: Answering<Vec<ClaimedNotice>> },
    /// To settle a notice.
    Settle { id: i64, epoch: i64, outcome: NoticeOutcome, at: DateTime<Utc>, answering: Answering<bool> },
    /// To take what came back.
    Return(Box<NewReturn>, Answering<Taken>),
    /// To end the thread.
    Close,
}

/// What the thread has.
pub(super) struct Writer {
    database: Box<dyn Database>,
    key: StoreKey,
    limits: Limits,
    queued: watch::Sender<u64>,
    must_scrub: bool,
}

/// Somebody who is to be told once what he waits for is durable.
type Telling = Box<dyn FnOnce(Result<(), StoreError>)>;

impl Writer {
    pub(super) fn new(database: Box<dyn Database>, settings: &Settings, queued: watch::Sender<u64>) -> Self {
        let (key, limits) = (settings.key.clone(), settings.limits);
        Writer { database, key, limits, queued, must_scrub: false }
    }

    /// Writes until it is told to close, or nobody can ask any more.
    pub(super) fn run(mut self, jobs: &mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            group.extend(jobs.try_iter().take(MOST_AT_ONCE - 1));
            let is_last = group.iter().any(|job| matches!(job, Job::Close));
            self.keep(group);
            if self.must_scrub {
                self.must_scrub = !self.database.scrub().unwrap_or(false);
            }
            if is_last {
                return;
            }
        }
    }

    /// Keeps a group all or nothing, and answers everybody.
    fn keep(&mut self, group: Vec<Job>) {
        let mut tellings: Vec<Telling> = Vec::with_capacity(group.len());
        let mut unanswered = group.into_iter().filter(|job| !matches!(job, Job::Close)).peekable();
        if unanswered.peek().is_none() {
            return;
        }
        let mut heads = match self.database.begin() {
            Ok(heads) => heads,
            Err(error) => {
                self.database.rollback();
                unanswered.for_each(|job| job.refuse(&error));
                return;
            }
        };
        let mut is_changed = false;
        let mut notices = 0;
        let mut has_forgotten = false;
        let mut failure = None;
        while let Some(job) = unanswered.next() {
            if let Some(error) = &failure {
                job.refuse(error);
                continue;
            }
            let kept = match job {
                Job::Ask(asking, answering) => {
                    // All that follow at once are decided together.
                    let mut waiting = vec![(asking, answering)];
                    while let Some(Job::Ask(asking, answering)) =
                        unanswered.next_if(|job| matches!(job, Job::Ask(..)))
                    {
                        waiting.push((asking, answering));
                    }
                    self.ask(heads, waiting, &mut tellings).map(|outcome| {
                        heads = outcome.heads;
                        notices += outcome.notices;
                        has_forgotten |= outcome.has_forgotten;
                        outcome.is_changed
                    })
                }
                Job::Ready(answering) => {
                    let kept = self.database.apply(&Changes::none(heads));
                    tellings.push(tell((), answering));
                    kept.map(|()| true)
                }
                Job::Claim { at, lease, most, answering } => {
                    let until = at + TimeDelta::from_std(lease).unwrap_or(TimeDelta::MAX);
                    let claimed = self.database.claim_notices(at, until, most);
                    finish(claimed, answering, &mut tellings, |claimed| {
                        claimed.into_iter().map(|(notice, epoch)| ClaimedNotice { notice, epoch }).collect()
                    })
                }
                Job::Settle { id, epoch, outcome, at, answering } => {
                    let settled = self.database.settle_notice(id, epoch, &settlement(outcome, at));
                    finish(settled, answering, &mut tellings, |settled| settled)
                }
                Job::Return(new, answering) => {
                    let mut waiting = vec![(new, answering)];
                    while let Some(Job::Return(new, answering)) =
                        unanswered.next_if(|job| matches!(job, Job::Return(..)))
                    {
                        waiting.push((new, answering));
                    }
                    self.take(heads, waiting, &mut tellings).map(|outcome| {
                        heads = outcome.heads;
                        outcome.is_changed
                    })
                }
                Job::Close => Ok(false),
            };
            match kept {
                Ok(changed) => is_changed |= changed,
                Err(error) => failure = Some(error),
            }
        }
        let end = match failure {
            Some(error) => Err(error),
            None if is_changed => self.database.commit(),
            None => Ok(()),
        };
        if end.is_err() || !is_changed {
            self.database.rollback();
        }
        if end.is_ok() {
            self.must_scrub |= has_forgotten;
            if notices > 0 {
                self.queued.send_modify(|count| *count += notices as u64);
            }
        }
        for telling in tellings {
            telling(end.clone());
        }
    }

    fn ask(
        &mut self,
        heads: Heads,
        waiting: Vec<(Box<Asking>, Answering<Answer>)>,
        tellings: &mut Vec<Telling>,
    ) -> Result<group::Outcome, StoreError> {
        let requests: Vec<&Asking> = waiting.iter().map(|(asking, _)| asking.as_ref()).collect();
        let decided = seal::check(&self.key, &heads).and_then(|()| {
            group::decide_all(self.database.as_mut(), heads, &requests, &self.key, &self.limits)
        });
        answered(decided, waiting, tellings)
    }

    fn take(
        &mut self,
        heads: Heads,
        waiting: Vec<(Box<NewReturn>, Answering<Taken>)>,
        tellings: &mut Vec<Telling>,
    ) -> Result<group::Outcome, StoreError> {
        let new: Vec<&NewReturn> = waiting.iter().map(|(new, _)| new.as_ref()).collect();
        let taken = returns::take(self.database.as_mut(), heads, &new, &self.key);
        answered(taken, waiting, tellings)
    }
}

/// Notes what is to be answered to all who wait; an error is told at once.
fn answered<Asked, Value: 'static>(
    decided: Result<(Vec<Value>, group::Outcome), StoreError>,
    waiting: Vec<(Asked, Answering<Value>)>,
    tellings: &mut Vec<Telling>,
) -> Result<group::Outcome, StoreError> {
    match decided {
        Ok((answers, outcome)) => {
            for ((_, answering), answer) in waiting.into_iter().zip(answers) {
                tellings.push(tell(answer, answering));
            }
            Ok(outcome)
        }
        Err(error) => {
            for (_, answering) in waiting {
                answering.send(Err(error.clone())).ok();
            }
            Err(error)
        }
    }
}

impl Job {
    fn refuse(self, error: &StoreError) {
        match self {
            Job::Ask(_, answering) => drop(answering.send(Err(error.clone()))),
            Job::Ready(answering) => drop(answering.send(Err(error.clone()))),
            Job::Claim { answering, .. } => drop(answering.send(Err(error.clone()))),
            Job::Settle { answering, .. } => drop(answering.send(Err(error.clone()))),
            Job::Return(_, answering) => drop(answering.send(Err(error.clone()))),
            Job::Close => {}
        }
    }
}

/// Tells a value, if it was kept.
fn tell<Value: 'static>(value: Value, answering: Answering<Value>) -> Telling {
    // Whoever has stopped waiting is not told.
    Box::new(move |kept| drop(answering.send(kept.map(|()| value))))
}

/// Notes whom to tell what the database gave, and whether that must be kept.
fn finish<Given, Value: 'static>(
    given: Result<Given, StoreError>,
    answering: Answering<Value>,
    tellings: &mut Vec<Telling>,
    value: impl FnOnce(Given) -> Value,
) -> Result<bool, StoreError> {
    match given {
        Ok(given) => {
            tellings.push(tell(value(given), answering));
            Ok(true)
        }
        Err(error) => {
            answering.send(Err(error.clone())).ok();
            Err(error)
        }
    }
}

/// What became of a notice; of a server's words no more than a reply should have (RFC 5321, section 4.5.3.1.5), and no controls.
fn settlement(outcome: NoticeOutcome, at: DateTime<Utc>) -> Settlement {
    let (due, was_sent, reply) = match outcome {
        NoticeOutcome::Sent { reply } => (None, true, reply),
        NoticeOutcome::Failed { reply } => (None, false, reply),
        NoticeOutcome::Again { due, reply } => (Some(due), false, reply),
    };
    let reply = reply.chars().filter(|c| !c.is_control()).take(LONGEST_REPLY).collect();
    Settlement { due, was_sent, reply, at }
}
