//! The thread that keeps what the mailer tells: all that waits together in one transaction, then the answers.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Step;
use super::tables::MailingTables;
use crate::list::StoreKey;
use crate::store::StoreError;
use crate::store::database::Heads;
use crate::store::returns::{self, NewReturn};
use crate::store::waiting::{Answering, Waiting};

/// How much is kept in one transaction at the most: so much that a commit is shared, so little that nobody waits long.
const TOGETHER: usize = 512;

/// Something to do within a transaction, which is answered once that is kept.
pub(super) enum Job {
    /// A carrier's step; all that wait are kept with one statement.
    Step(Box<Step>, Answering<(bool, bool)>),
    /// Work in a transaction that it begins and ends itself.
    Alone(Box<dyn Work>),
    /// Anything else.
    Task(Box<dyn Work>),
}

/// First the work, then, when it is kept or not, the answer.
pub(super) trait Work: Send {
    /// Does it. An error undoes the whole transaction.
    fn work(&mut self, tables: &mut dyn MailingTables) -> Result<(), StoreError>;

    /// Answers: it is kept, or it is not and why.
    fn answer(self: Box<Self>, kept: Result<(), StoreError>);
}

/// Work made of what it does.
pub(super) struct Task<Value, Does> {
    does: Does,
    done: Option<Value>,
    answering: Answering<Value>,
}

impl<Value, Does> Task<Value, Does>
where
    Value: Send + 'static,
    Does: FnMut(&mut dyn MailingTables) -> Result<Value, StoreError> + Send + 'static,
{
    /// The task, and the other end of its answer.
    pub(super) fn of(does: Does) -> (Box<dyn Work>, Waiting<Value>) {
        let (answering, waiting) = Waiting::channel();
        (Box::new(Task { does, done: None, answering }), waiting)
    }
}

impl<Value, Does> Work for Task<Value, Does>
where
    Value: Send,
    Does: FnMut(&mut dyn MailingTables) -> Result<Value, StoreError> + Send,
{
    fn work(&mut self, tables: &mut dyn MailingTables) -> Result<(), StoreError> {
        self.done = Some((self.does)(tables)?);
        Ok(())
    }

    fn answer(self: Box<Self>, kept: Result<(), StoreError>) {
        let Task { done, answering, .. } = *self;
        // Whoever has stopped waiting does not want to know.
        answering.send(kept.and_then(|()| done.ok_or(StoreError::Closed))).ok();
    }
}

/// Works until nobody can ask any more. Several desks may share the jobs: while one waits for the disk, another keeps what
/// has come meanwhile.
pub(super) fn run(
    mut tables: Box<dyn MailingTables>,
    key: &StoreKey,
    jobs: &Mutex<Receiver<Job>>,
    written: &Sender<()>,
) {
    let mut late = Late::default();
    while let Some(mut together) = next(jobs) {
        for job in together.extract_if(.., |job| matches!(job, Job::Alone(_))).collect::<Vec<_>>() {
            alone(tables.as_mut(), job);
        }
        if together.is_empty() {
            continue;
        }
        let kept = keep(tables.as_mut(), key, &mut together, &mut late);
        if kept.is_ok() {
            written.send(()).ok();
        }
        answer(together, kept);
    }
    for _ in 0..LATE_TRIES {
        if late.new.is_empty() || late.take(tables.as_mut(), key).is_ok() {
            break;
        }
        tables.rollback_mailing();
    }
}

/// All that waits, once something does.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Vec<Job>> {
    let jobs = jobs.lock().ok()?;
    let mut together = vec![jobs.recv().ok()?];
    together.extend(jobs.try_iter().take(TOGETHER - 1));
    Some(together)
}

/// Does what is a transaction itself.
fn alone(tables: &mut dyn MailingTables, job: Job) {
    if let Job::Alone(mut task) = job {
        let kept = task.work(tables);
        if kept.is_err() {
            tables.rollback_mailing();
        }
        task.answer(kept);
    }
}

/// Keeps all of it or nothing, and gives what came of the steps.
fn keep(
    tables: &mut dyn MailingTables,
    key: &StoreKey,
    together: &mut [Job],
    late: &mut Late,
) -> Result<Vec<(bool, bool)>, StoreError> {
    let is_step = |job: &Job| matches!(job, Job::Step(..));
    let writes_list = late.is_due(&steps_of(together));
    if !writes_list && together.iter().all(is_step) {
        let steps = steps_of(together);
        let kept = tables.steps_alone(&steps)?;
        late.new.extend(refusals(&steps, &kept));
        return Ok(kept);
    }
    let mut refused = Vec::new();
    let mut heads = None;
    let kept = tables.begin_mailing().and_then(|()| {
        if writes_list {
            // The list's row first, as all do who write both: nobody waits for one who waits for him.
            heads = late.heads(tables, &steps_of(together))?;
        }
        let kept = match together.iter().any(is_step) {
            true => tables.steps(&steps_of(together))?,
            false => Vec::new(),
        };
        refused = refusals(&steps_of(together), &kept);
        if let Some(heads) = heads {
            let new: Vec<&NewReturn> = late.new.iter().chain(&refused).collect();
            returns::take(tables, heads, &new, key)?;
        }
        for job in together {
            if let Job::Task(task) = job {
                task.work(tables)?;
            }
        }
        tables.commit_mailing()?;
        Ok(kept)
    });
    match (&kept, heads) {
        (Err(_), _) => tables.rollback_mailing(),
        (Ok(_), Some(_)) => *late = Late::default(),
        (Ok(_), None) => late.new.append(&mut refused),
    }
    kept
}

fn steps_of(jobs: &[Job]) -> Vec<&Step> {
    let steps = jobs.iter().filter_map(|job| match job {
        Job::Step(step, _) => Some(step.as_ref()),
        Job::Task(_) | Job::Alone(_) => None,
    });
    steps.collect()
}

/// What steps say of readers whom a server refused.
fn refusals(steps: &[&Step], kept: &[(bool, bool)]) -> Vec<NewReturn> {
    let own = steps.iter().zip(kept).filter(|(_, (is_own, _))| *is_own);
    own.filter_map(|(step, _)| returns::of_delivery(step.ended.as_ref()?, step.at)).collect()
}

/// Refusals that could not be told the list together with their deliveries, since somebody else wrote to it for long: a
/// large import does. The mailing does not wait for that.
#[derive(Default)]
struct Late {
    new: Vec<NewReturn>,
    /// When it is tried again.
    due: Option<DateTime<Utc>>,
}

/// After which time the list is tried again.
const LATE_AFTER: TimeDelta = TimeDelta::seconds(10);
/// How often it is tried when the mailer ends; each time waits for as long as a lock is waited for.
const LATE_TRIES: usize = 30;

impl Late {
    /// Whether there is something to tell the list, and it is time to.
    fn is_due(&self, steps: &[&Step]) -> bool {
        let is_refused = |step: &&Step| step.ended.as_ref().is_some_and(|ended| ended.returned.is_some());
        let is_time = |step: &Step| self.due.is_none_or(|due| step.at >= due);
        steps.last().is_some_and(|last| is_time(last))
            && (!self.new.is_empty() || steps.iter().any(is_refused))
    }

    /// The list's heads, locked in a transaction that has begun; nothing when another writer stays.
    fn heads(
        &mut self,
        tables: &mut dyn MailingTables,
        steps: &[&Step],
    ) -> Result<Option<Heads>, StoreError> {
        match tables.heads_within() {
            Err(StoreError::Busy { .. }) => {
                self.due = steps.last().map(|step| step.at + LATE_AFTER);
                tables.rollback_mailing();
                tables.begin_mailing()?;
                Ok(None)
            }
            heads => heads.map(Some),
        }
    }

    fn take(&mut self, tables: &mut dyn MailingTables, key: &StoreKey) -> Result<(), StoreError> {
        tables.begin_mailing()?;
        let heads = tables.heads_within()?;
        let new: Vec<&NewReturn> = self.new.iter().collect();
        returns::take(tables, heads, &new, key)?;
        tables.commit_mailing()?;
        self.new.clear();
        Ok(())
    }
}

fn answer(together: Vec<Job>, kept: Result<Vec<(bool, bool)>, StoreError>) {
    let whole = kept.as_ref().map(|_| ()).map_err(StoreError::clone);
    let mut steps = kept.as_ref().into_iter().flatten();
    for job in together {
        match job {
            Job::Task(task) | Job::Alone(task) => task.answer(whole.clone()),
            Job::Step(_, answering) => {
                let step = whole.clone().and_then(|()| steps.next().copied().ok_or(StoreError::Closed));
                answering.send(step).ok();
            }
        }
    }
}

/// How often what was written is put onto the disk.
const FLUSHED_AFTER: Duration = Duration::from_millis(50);

/// Flushes what was written, at most once in a while, until nothing will be written any more.
pub(super) fn flush(mut tables: Box<dyn MailingTables>, written: &Receiver<()>) {
    while written.recv().is_ok() {
        std::thread::sleep(FLUSHED_AFTER);
        while written.try_recv().is_ok() {}
        // A disk that cannot be written to is told by the next commit.
        tables.flush().ok();
    }
}
