//! `mailmag worker`: sends what is due, until it is told to end.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;

use super::console::Console;
use super::mailer::{as_worker, books, composer, settings};
use super::{Outcome, open, time};
use crate::deliver::mailer::{self, Finished};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// End when nothing is due any more
    #[arg(long)]
    once: bool,
}

/// How often it is looked for mailings that are due.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let (content, problems) = open(directory)?;
    let Some(content) = content else { return Ok(console.problems(&problems)) };
    let config = content.config;
    let books = books(&config, directory)?;
    let settings = settings(&config, directory)?;
    as_worker(directory, &books.mailings, &settings, async |worker, mut stop| {
        console.say("looking for mailings that are due");
        let under_way = Arc::new(Mutex::new(HashSet::new()));
        let mut sendings = Vec::new();
        loop {
            let now = time();
            let mut is_idle = true;
            for mailing in books.mailings.running(now).await? {
                let due = books.mailings.next_due(mailing.id).await?;
                // Where none waits there may be some of a worker that has ended, or only its end is to be noted.
                let has_something = due.is_none_or(|due| due <= now);
                let is_new = under_way.lock().is_ok_and(|mut ids| has_something && ids.insert(mailing.id));
                is_idle &= !has_something;
                if !is_new {
                    continue;
                }
                let letter = books.mailings.letter(mailing.id).await?;
                let composer = composer(&config, directory, &books.key, &letter, mailing.starts)?;
                console.say(&format!("issue {}: sending", mailing.title()));
                let (mailings, worker, settings) = (books.mailings.clone(), worker.clone(), settings.clone());
                let (stop, under_way) = (stop.clone(), under_way.clone());
                sendings.push(mailer::spawn(async move {
                    let title = mailing.title();
                    let id = mailing.id;
                    let sent =
                        mailer::send(&mailings, mailing, composer, worker, settings, Arc::new(|_| {}), stop)
                            .await;
                    if let Ok(mut ids) = under_way.lock() {
                        ids.remove(&id);
                    }
                    (title, sent)
                }));
            }
            let (ended, going): (Vec<_>, Vec<_>) =
                sendings.into_iter().partition(|sending| sending.is_finished());
            sendings = going;
            for sending in ended {
                if let Ok((title, sent)) = sending.await {
                    tell(&title, sent, console);
                }
            }
            if *stop.borrow() || arguments.once && is_idle && sendings.is_empty() {
                break;
            }
            mailer::wait(LOOKS_EVERY, &mut stop).await;
        }
        for sending in sendings {
            if let Ok((title, sent)) = sending.await {
                tell(&title, sent, console);
            }
        }
        Ok(Outcome::Well)
    })
}

fn tell(title: &str, sent: Result<Finished, crate::store::StoreError>, console: &Console) {
    match sent {
        Ok(Finished::Done) => console.say(&format!("issue {title}: done")),
        Ok(Finished::Waiting(due)) => {
            console.say(&format!("issue {title}: the rest is due from {}", due.format("%H:%M UTC")));
        }
        Ok(Finished::Stopped) => console.problem(&format!("issue {title}: paused or cancelled")),
        Ok(Finished::Drained) => console.say(&format!("issue {title}: what was in flight is finished")),
        Err(error) => console.problem(&format!("issue {title}: {error}")),
    }
}
