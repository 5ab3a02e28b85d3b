//! The thread that only reads: how it stands with the readers of some tokens.

use std::collections::HashMap;
use std::sync::mpsc;

use chrono::{DateTime, Utc};

use super::StoreError;
use super::database::{Database, Names};
use super::waiting::{Answering, Waiting};
use crate::list::{Reader, Standing, TokenDigest, TokenKind};
use crate::model::SubscriberId;

/// How many are looked up at once.
const MOST_AT_ONCE: usize = 256;

/// A question that waits.
pub(super) struct Looking {
    pub kind: TokenKind,
    pub digest: TokenDigest,
    pub at: DateTime<Utc>,
    pub answering: Answering<Option<Standing>>,
    is_last: bool,
}

impl Looking {
    /// A question.
    pub(super) fn new(
        kind: TokenKind,
        digest: TokenDigest,
        at: DateTime<Utc>,
    ) -> (Self, Waiting<Option<Standing>>) {
        let (answering, waiting) = Waiting::channel();
        (Looking { kind, digest, at, answering, is_last: false }, waiting)
    }

    /// What ends the thread.
    pub(super) fn close() -> Self {
        let (looking, _) = Self::new(TokenKind::Confirm, TokenDigest([0; 32]), DateTime::UNIX_EPOCH);
        Looking { is_last: true, ..looking }
    }
}

/// Answers questions until it is told to close.
pub(super) fn run(mut database: Box<dyn Database>, lookings: &mpsc::Receiver<Looking>) {
    while let Ok(first) = lookings.recv() {
        let mut waiting = vec![first];
        waiting.extend(lookings.try_iter().take(MOST_AT_ONCE - 1));
        let is_last = waiting.iter().any(|looking| looking.is_last);
        waiting.retain(|looking| !looking.is_last);
        let answers = look(database.as_mut(), &waiting);
        if answers.is_err() {
            database.rollback();
        }
        for (at, looking) in waiting.into_iter().enumerate() {
            let answer = answers.as_ref().map(|answers| answers[at].clone()).map_err(Clone::clone);
            looking.answering.send(answer).ok();
        }
        if is_last {
            return;
        }
    }
}

fn look(database: &mut dyn Database, lookings: &[Looking]) -> Result<Vec<Option<Standing>>, StoreError> {
    let (of_readers, others): (Vec<&Looking>, Vec<&Looking>) =
        lookings.iter().partition(|looking| looking.kind == TokenKind::Unsubscribe);
    let digests: Vec<TokenDigest> = others.iter().map(|looking| looking.digest).collect();
    let tokens = if digests.is_empty() { Vec::new() } else { database.tokens(&digests)? };
    let names = Names {
        ids: tokens.iter().map(|token| token.subscriber).collect(),
        unsubscribe: of_readers.iter().map(|looking| looking.digest).collect(),
        ..Names::default()
    };
    if names.ids.is_empty() && names.unsubscribe.is_empty() {
        return Ok(vec![None; lookings.len()]);
    }
    let rows = database.readers(&names)?;
    let by_id: HashMap<SubscriberId, &Reader> =
        rows.iter().map(|row| (row.reader.subscriber.id, &row.reader)).collect();
    let by_token: HashMap<TokenDigest, &Reader> =
        rows.iter().map(|row| (row.unsubscribe, &row.reader)).collect();
    Ok(lookings
        .iter()
        .map(|looking| {
            if looking.kind == TokenKind::Unsubscribe {
                return by_token.get(&looking.digest).map(|reader| reader.standing(looking.at, false));
            }
            let token = tokens.iter().find(|token| token.digest == looking.digest)?;
            let is_good = token.is_good(&[looking.kind], looking.at);
            let reader = by_id.get(&token.subscriber).filter(|_| is_good)?;
            Some(reader.standing(looking.at, false))
        })
        .collect())
}
