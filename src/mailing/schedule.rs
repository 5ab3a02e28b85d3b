//! When a mailing that is found is sent, and when it is left to the operator.

use chrono::{DateTime, TimeDelta, Utc};

/// Whether a mailing that should have begun at `starts` is too late to be sent by itself: nobody has looked after it (it was last
/// `watched` then) for more than `late`. So it is where no sender ran at its time, and with a list restored from a backup, which does not
/// know who has got mail since.
pub fn is_overdue(
    starts: DateTime<Utc>,
    watched: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    late: TimeDelta,
) -> bool {
    now - watched.map_or(starts, |watched| watched.max(starts)) > late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_looked_after_is_overdue() {
        let at = |minutes: i64| DateTime::from_timestamp(1_300_000_000 + 60 * minutes, 0).unwrap();
        let late = TimeDelta::minutes(60);
        for (starts, watched, now, expected) in [
            (0, None, 0, false),
            (0, None, 60, false),
            (0, None, 61, true),
            // It takes long, and somebody is at it.
            (0, Some(600), 610, false),
            (0, Some(600), 661, true),
            // It was looked at before its time, or the clock went back since.
            (100, Some(0), 110, false),
            (100, Some(0), 161, true),
            (0, Some(1_000), 10, false),
        ] {
            let is = is_overdue(at(starts), watched.map(at), at(now), late);
            assert_eq!(is, expected, "{starts} {watched:?} {now}");
        }
    }
}
