//! The thread that keeps what the mailer tells: all that waits together in one transaction, then the answers.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::Step;
use super::tables::MailingTables;
use crate::list::StoreKey;
use crate::store::StoreError;
use crate::store::returns::{self, NewReturn};
use crate::store::waiting::{Answering, Waiting};

/// How much is kept in one transaction at the most: so much that a commit is shared, so little that nobody waits long.
const TOGETHER: usize = 512;

/// Something to do within a transaction, which is answered once that is kept.
pub(super) enum Job {
    /// A carrier's step; all that wait are kept with one statement.
    Step(Box<Step>, Answering<(bool, bool)>),
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
    while let Some(mut together) = next(jobs) {
        let kept = keep(tables.as_mut(), key, &mut together);
        if kept.is_ok() {
            written.send(()).ok();
        }
        answer(together, kept);
    }
}

/// All that waits, once something does.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Vec<Job>> {
    let jobs = jobs.lock().ok()?;
    let mut together = vec![jobs.recv().ok()?];
    together.extend(jobs.try_iter().take(TOGETHER - 1));
    Some(together)
}

/// Keeps all of it or nothing, and gives what came of the steps.
fn keep(
    tables: &mut dyn MailingTables,
    key: &StoreKey,
    together: &mut [Job],
) -> Result<Vec<(bool, bool)>, StoreError> {
    let is_plain = |job: &Job| matches!(job, Job::Step(step, _) if !tells_of_reader(step));
    if together.iter().all(is_plain) {
        return tables.steps_alone(&steps_of(together));
    }
    let kept = tables.begin_mailing().and_then(|()| {
        let steps = keep_steps(tables, key, &steps_of(together))?;
        for job in together {
            if let Job::Task(task) = job {
                task.work(tables)?;
            }
        }
        tables.commit_mailing()?;
        Ok(steps)
    });
    if kept.is_err() {
        tables.rollback_mailing();
    }
    kept
}

fn steps_of<'jobs>(jobs: &'jobs [Job]) -> Vec<&'jobs Step> {
    let step = |job: &'jobs Job| match job {
        Job::Step(step, _) => Some(step.as_ref()),
        Job::Task(_) => None,
    };
    jobs.iter().filter_map(step).collect()
}

/// Whether a server refused a reader, which counts against his address.
fn tells_of_reader(step: &Step) -> bool {
    step.ended.as_ref().is_some_and(|ended| ended.returned.is_some())
}

/// Keeps steps, and what they say of readers whom a server refused.
fn keep_steps(
    tables: &mut dyn MailingTables,
    key: &StoreKey,
    steps: &[&Step],
) -> Result<Vec<(bool, bool)>, StoreError> {
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    if !steps.iter().any(|step| tells_of_reader(step)) {
        return tables.steps(steps);
    }
    // The list's row first, as all do who write both: nobody waits for one who waits for him.
    let heads = tables.heads_within()?;
    let kept = tables.steps(steps)?;
    let own = steps.iter().zip(&kept).filter(|(_, (is_own, _))| *is_own);
    let new: Vec<NewReturn> =
        own.filter_map(|(step, _)| returns::of_delivery(step.ended.as_ref()?, step.at)).collect();
    let new: Vec<&NewReturn> = new.iter().collect();
    returns::take(tables, heads, &new, key)?;
    Ok(kept)
}

fn answer(together: Vec<Job>, kept: Result<Vec<(bool, bool)>, StoreError>) {
    let whole = kept.as_ref().map(|_| ()).map_err(StoreError::clone);
    let mut steps = kept.as_ref().into_iter().flatten();
    for job in together {
        match job {
            Job::Task(task) => task.answer(whole.clone()),
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
