//! What goes by itself in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::StoreError;
use super::database::{Database, Ended};

/// How long a settled notice is kept, to tell what the server answered.
const NOTICES_FOR: TimeDelta = TimeDelta::days(30);
/// How long after its end a token is kept. It is good for nothing then.
const TOKENS_FOR: TimeDelta = TimeDelta::days(1);
/// How long what networks asked is kept.
const ASKED_FOR: TimeDelta = TimeDelta::days(1);

/// Removes what was over some time before.
pub(super) fn tidy(database: &mut dyn Database, at: DateTime<Utc>) -> Result<(), StoreError> {
    let ended = Ended { tokens: at - TOKENS_FOR, asked: at - ASKED_FOR, notices: at - NOTICES_FOR };
    database.begin()?;
    let end = database.tidy(&ended).and_then(|()| database.commit());
    if end.is_err() {
        database.rollback();
    }
    end
}
