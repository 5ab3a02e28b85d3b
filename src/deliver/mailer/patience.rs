//! What the mailer does while the store is locked, full or away: nothing new leaves, and it is asked again.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Sending, wait};
use crate::store::{StoreError, Waiting};

/// How often the store is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// Since when the store has not done what it was asked; nothing while it does.
#[derive(Debug, Default)]
pub(super) struct Absence(Mutex<Option<Instant>>);

impl Absence {
    /// The store has done something; whether it had not before.
    fn ends(&self) -> bool {
        self.0.lock().is_ok_and(|mut since| since.take().is_some())
    }

    /// The store has not done something; for how long by now.
    fn lasts(&self) -> Option<Duration> {
        let mut since = self.0.lock().ok()?;
        let was_away = since.is_some();
        let began = *since.get_or_insert_with(Instant::now);
        was_away.then(|| began.elapsed())
    }
}

impl Sending {
    /// Asks the store until it has answered, has been away for as long as the settings wait, or the sending ends.
    ///
    /// # Errors
    /// What the store said last.
    pub(super) async fn patiently<Value>(
        &self,
        mut ask: impl FnMut() -> Waiting<Value>,
    ) -> Result<Value, StoreError> {
        loop {
            match self.noted(ask().await) {
                Err(error) if self.waits_for(&error) && !*self.stop.borrow() => {
                    wait(AGAIN, &mut self.stop.clone()).await;
                }
                answer => return answer,
            }
        }
    }

    /// As [`Sending::patiently`], but no longer than that, and also when the sending ends: for what has happened already.
    pub(super) async fn patiently_for<Value>(
        &self,
        most: Duration,
        mut ask: impl FnMut() -> Waiting<Value>,
    ) -> Result<Value, StoreError> {
        let began = Instant::now();
        loop {
            match self.noted(ask().await) {
                Err(error) if self.waits_for(&error) && began.elapsed() < most => {
                    tokio::time::sleep(AGAIN).await;
                }
                answer => return answer,
            }
        }
    }

    /// Notes whether the store has done what it was asked, and tells when that changes.
    pub(super) fn noted<Value>(&self, answer: Result<Value, StoreError>) -> Result<Value, StoreError> {
        match &answer {
            Ok(_) if self.absence.ends() => (self.progress)(Event::StoreIsBack),
            Err(error) if error.may_pass() && self.absence.lasts().is_none() => {
                (self.progress)(Event::StoreIsAway(error));
            }
            _ => {}
        }
        answer
    }

    /// Whether the store is to be asked again after this error.
    pub(super) fn waits_for(&self, error: &StoreError) -> bool {
        error.may_pass() && self.absence.lasts().is_none_or(|time| time < self.settings.patience)
    }
}
