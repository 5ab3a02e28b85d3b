//! What becomes of a notice after an attempt: a pure rule.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::deliver::smtp::Verdict;
use crate::list::Notice;
use crate::mailing::retry_after;
use crate::store::NoticeOutcome;

/// How long a notice is tried: as long as its links are good.
const PATIENCE: TimeDelta = TimeDelta::hours(48);
/// How long nothing is sent again of which nobody knows whether it was taken.
const IN_DOUBT: TimeDelta = TimeDelta::hours(1);
/// How many refusals on end that may be one reader's server's policy are taken for a fault of our own.
const REFUSALS: u32 = 3;
/// The most characters of a server's reply that are kept.
const LONGEST_REPLY: usize = 500;

/// What becomes of a notice, and whether the others have to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) outcome: NoticeOutcome,
    /// How long no other is tried, where the fault is not this notice's.
    pub(super) pause: Option<Duration>,
}

/// How long all notices wait after the first trouble on end; later ones double it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// When a server cannot be reached or breaks off.
    pub of_server: Duration,
    /// When the fault is our own: settings, a password, a template.
    pub of_ourselves: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Pauses { of_server: seconds(5), of_ourselves: seconds(60), longest: seconds(300) }
    }
}

impl Pauses {
    /// The wait while the store cannot be written to.
    pub(super) fn of_store(self, troubles: u32) -> Duration {
        self.after(self.of_server, troubles)
    }

    /// The wait after as many troubles on end, this one counted, as `troubles`.
    fn after(self, first: Duration, troubles: u32) -> Duration {
        let factor = 1_u32.checked_shl(troubles.saturating_sub(1)).unwrap_or(u32::MAX);
        first.saturating_mul(factor).min(self.longest)
    }
}

/// Decides what becomes of a notice. `knew_reader` tells whether a server refused it knowing whom it is for: then others may
/// fare better, and nobody can hold all mail up with addresses at a server that refuses us. `troubles` counts the faults
/// of servers and our own on end, this attempt's included.
pub(super) fn fate(
    verdict: Verdict,
    knew_reader: bool,
    reply: &str,
    notice: &Notice,
    troubles: u32,
    pauses: Pauses,
    at: DateTime<Utc>,
) -> Fate {
    let reply: String = reply.chars().take(LONGEST_REPLY).collect();
    let again = |wait: TimeDelta, reply: String| match at + wait {
        due if due - notice.created <= PATIENCE => NoticeOutcome::Again { due, reply },
        _ => NoticeOutcome::Failed { reply },
    };
    let pausing = |first: Duration, reply: String| {
        let pause = pauses.after(first, troubles);
        let outcome = again(TimeDelta::from_std(pause).unwrap_or(PATIENCE), reply);
        Fate { outcome, pause: (!knew_reader || troubles >= REFUSALS).then_some(pause) }
    };
    let outcome = match verdict {
        Verdict::Accepted => NoticeOutcome::Sent { reply },
        Verdict::Rejected => NoticeOutcome::Failed { reply },
        Verdict::Deferred => {
            let since_first = (at - notice.created).to_std().unwrap_or_default();
            match retry_after(notice.attempts.saturating_add(1), since_first) {
                Some(wait) => again(TimeDelta::from_std(wait).unwrap_or(PATIENCE), reply),
                None => NoticeOutcome::Failed { reply },
            }
        }
        Verdict::Unknown => again(IN_DOUBT, reply),
        Verdict::ServerFault => return pausing(pauses.of_server, reply),
        Verdict::OwnFault => return pausing(pauses.of_ourselves, reply),
    };
    Fate { outcome, pause: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::{Nonce, NoticeKind};
    use crate::model::{EmailAddress, Language};

    fn notice(attempts: u32) -> Notice {
        Notice {
            id: 1,
            kind: NoticeKind::Confirm,
            to: EmailAddress::parse("reader@example.jp").unwrap(),
            language: Language::Japanese,
            charset: None,
            nonce: Nonce([0; 16]),
            unsubscribe: None,
            created: DateTime::UNIX_EPOCH,
            attempts,
        }
    }

    /// `again M` is an attempt M minutes later; behind it the pause of all others in seconds.
    fn check(verdict: Verdict, attempts: u32, hours: i64, troubles: u32, expected: &str) {
        check_refusal(verdict, false, attempts, hours, troubles, expected);
    }

    fn check_refusal(
        verdict: Verdict,
        knew_reader: bool,
        attempts: u32,
        hours: i64,
        troubles: u32,
        expected: &str,
    ) {
        let at = DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        let fate = fate(verdict, knew_reader, "250 ok", &notice(attempts), troubles, Pauses::default(), at);
        let mut found = match fate.outcome {
            NoticeOutcome::Sent { .. } => "sent".to_owned(),
            NoticeOutcome::Failed { .. } => "failed".to_owned(),
            NoticeOutcome::Again { due, .. } => format!("again {}", (due - at).num_seconds() / 60),
        };
        if let Some(pause) = fate.pause {
            found.push_str(&format!(", pause {}", pause.as_secs()));
        }
        assert_eq!(found, expected, "{verdict:?} {attempts} {hours} {troubles}");
    }

    #[test]
    fn each_verdict_has_its_fate() {
        use Verdict::{Accepted, Deferred, OwnFault, Rejected, ServerFault, Unknown};
        check(Accepted, 0, 0, 0, "sent");
        check(Rejected, 0, 0, 0, "failed");
        check(Deferred, 0, 0, 0, "again 5");
        check(Deferred, 1, 0, 0, "again 15");
        check(Deferred, 4, 20, 0, "again 720");
        check(Deferred, 5, 40, 0, "failed");
        check(Unknown, 0, 0, 0, "again 60");
        check(Unknown, 1, 47, 0, "again 60");
        check(Unknown, 1, 48, 0, "failed");
        check(ServerFault, 0, 0, 1, "again 0, pause 5");
        check(ServerFault, 9, 0, 4, "again 0, pause 40");
        check(ServerFault, 9, 0, 9, "again 5, pause 300");
        check(ServerFault, 9, 48, 1, "failed, pause 5");
        check(OwnFault, 0, 0, 1, "again 1, pause 60");
        check(OwnFault, 0, 0, 2, "again 2, pause 120");
        check_refusal(OwnFault, true, 0, 0, 1, "again 1");
        check_refusal(OwnFault, true, 0, 0, 2, "again 2");
        check_refusal(OwnFault, true, 0, 0, 3, "again 4, pause 240");
        check_refusal(ServerFault, true, 0, 0, 1, "again 0");
        check(OwnFault, 0, 0, u32::MAX, "again 5, pause 300");
    }

    #[test]
    fn long_replies_are_cut() {
        let long = "あ".repeat(600);
        let fate =
            fate(Verdict::Rejected, true, &long, &notice(0), 0, Pauses::default(), DateTime::UNIX_EPOCH);
        assert_eq!(fate.outcome, NoticeOutcome::Failed { reply: "あ".repeat(500) });
    }
}
