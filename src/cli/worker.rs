//! `mailmag worker`: sends what is due, until it is told to end.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::console::Console;
use super::mailer::{Books, as_worker, books, composer, local_time, settings, tell_of_store};
use super::{Outcome, open, time};
use crate::config::Config;
use crate::deliver::mailer::{self, Composer, Ending, Event, Finished, Settings, Worker};
use crate::mailing::is_overdue;
use crate::store::StoreError;
use crate::store::mailings::{Mailing, MailingId, MailingStatus};

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
    as_worker(directory, &books.mailings, &settings, async |worker, stop| {
        console.say("looking for mailings that are due");
        let office = Office {
            config: &config,
            directory,
            books: &books,
            settings: &settings,
            console,
            worker,
            stop,
            under_way: Arc::default(),
        };
        office.work(arguments.once).await.map(|()| Outcome::Well)
    })
}

/// What a worker works with.
struct Office<'a> {
    config: &'a Config,
    directory: &'a Path,
    books: &'a Books,
    settings: &'a Settings,
    console: &'a Console,
    worker: Worker,
    stop: Ending,
    /// The mailings that are being sent from here.
    under_way: Arc<Mutex<HashSet<MailingId>>>,
}

/// A mailing on its way: its title, and how its sending ends.
type Sent = mailer::Spawned<(String, Result<Finished, StoreError>)>;

impl Office<'_> {
    /// Sends what is due until it is to end, or `once` nothing is due any more. A store that is away is waited for.
    async fn work(&self, once: bool) -> Result<()> {
        let mut sendings: Vec<Sent> = Vec::new();
        let mut seen = HashSet::new();
        let mut is_away = false;
        loop {
            let looked = self.begin_due(&mut sendings, &mut seen).await;
            let away = match &looked {
                Ok(_) => None,
                Err(error) => error.downcast_ref::<StoreError>().filter(|error| error.may_pass()),
            };
            match (away, std::mem::replace(&mut is_away, away.is_some())) {
                (Some(error), false) => tell_of_store(Event::StoreIsAway(error), self.console),
                (None, true) => tell_of_store(Event::StoreIsBack, self.console),
                _ => {}
            }
            let is_idle = if is_away { false } else { looked? };
            let (ended, going): (Vec<_>, Vec<_>) = sendings.into_iter().partition(Sent::is_finished);
            sendings = going;
            self.tell(ended).await;
            if *self.stop.borrow() || once && is_idle && sendings.is_empty() {
                break;
            }
            mailer::wait(LOOKS_EVERY, &mut self.stop.clone()).await;
        }
        self.tell(sendings).await;
        Ok(())
    }

    /// Begins what is due and not under way; whether nothing is due. What is overdue when it is seen first is paused.
    async fn begin_due(&self, sendings: &mut Vec<Sent>, seen: &mut HashSet<MailingId>) -> Result<bool> {
        let now = time();
        let mailings = &self.books.mailings;
        let mut is_idle = true;
        for mailing in mailings.running(now).await? {
            let late = self.config.mail.late;
            if seen.insert(mailing.id) && is_overdue(mailing.starts, mailing.watched, now, late) {
                self.pause(&mailing, now).await?;
                continue;
            }
            mailer::watch(mailings, &mailing, now).await?;
            let due = mailings.next_due(mailing.id).await?;
            // Where none waits there may be some of a worker that has ended, or only its end is to be noted.
            if due.is_some_and(|due| due > now) {
                continue;
            }
            is_idle = false;
            if self.under_way.lock().is_ok_and(|ids| ids.contains(&mailing.id)) {
                continue;
            }
            let letter = mailings.letter(mailing.id).await?;
            let composer = composer(self.config, self.directory, &self.books.key, &letter, mailing.starts)?;
            self.console.say(&format!("issue {}: sending", mailing.title()));
            sendings.push(self.begin(mailing, composer));
        }
        Ok(is_idle)
    }

    /// Pauses a mailing that is overdue. Once it is resumed it is no more.
    async fn pause(&self, mailing: &Mailing, now: DateTime<Utc>) -> Result<()> {
        let local = |time| local_time(time, self.config);
        let why = match mailing.watched.filter(|watched| *watched > mailing.starts) {
            None => format!("it was to begin at {}, and no sender was there", local(mailing.starts)),
            Some(watched) => format!("nobody has looked after it since {}", local(watched)),
        };
        let paused = Some(why.clone());
        self.books.mailings.set_status(mailing.id, MailingStatus::Paused, paused, now).await?;
        let (title, label) = (mailing.title(), &mailing.label);
        self.console.problem(&format!(
            "issue {title} is paused: {why}. `mailmag mailing resume {label}` sends it, \
             unless the list was restored from a backup: then its readers may have it"
        ));
        Ok(())
    }

    fn begin(&self, mailing: Mailing, composer: Composer) -> Sent {
        if let Ok(mut ids) = self.under_way.lock() {
            ids.insert(mailing.id);
        }
        let (mailings, settings) = (self.books.mailings.clone(), self.settings.clone());
        let (worker, stop, under_way) = (self.worker.clone(), self.stop.clone(), self.under_way.clone());
        let console = *self.console;
        let told: mailer::Progress = Arc::new(move |event| tell_of_store(event, &console));
        mailer::spawn(async move {
            let (title, id) = (mailing.title(), mailing.id);
            let sent = mailer::send(&mailings, mailing, composer, worker, settings, told, stop).await;
            if let Ok(mut ids) = under_way.lock() {
                ids.remove(&id);
            }
            (title, sent)
        })
    }

    /// Tells how sendings ended, once they have.
    async fn tell(&self, sendings: Vec<Sent>) {
        for sending in sendings {
            let Ok((title, sent)) = sending.await else { continue };
            match sent {
                Ok(Finished::Done) => self.console.say(&format!("issue {title}: done")),
                Ok(Finished::Waiting(due)) => {
                    self.console
                        .say(&format!("issue {title}: the rest is due from {}", due.format("%H:%M UTC")));
                }
                Ok(Finished::Stopped) => {
                    self.console.problem(&format!("issue {title}: paused or cancelled"));
                }
                Ok(Finished::Drained) => {
                    self.console.say(&format!("issue {title}: what was in flight is finished"));
                }
                Err(error) => self.console.problem(&format!("issue {title}: {error}")),
            }
        }
    }
}
