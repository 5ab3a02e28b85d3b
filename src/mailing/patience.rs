//! When a reader who was not to be reached is tried again.

use std::time::Duration;

/// The waits after the first failures, in minutes.
const WAITS: [u64; 5] = [5, 15, 60, 4 * 60, 12 * 60];
/// How long a reader is tried, from the first attempt on.
const PATIENCE: Duration = Duration::from_secs(72 * 3600);

/// How long to wait after an attempt was deferred: 5 and 15 minutes, 1, 4 and 12 hours, and 12 hours again.
///
/// `failures` counts the attempts that were deferred, the last one included; `since_first` is the time from
/// the first of them to the last. `None` means to give up: the next attempt would fall beyond 72 hours. RFC
/// 5321 (section 4.5.4.1) asks for four to five days of patience with mail that a person waits for; an issue
/// is old by then.
pub fn retry_after(failures: u32, since_first: Duration) -> Option<Duration> {
    let last = WAITS.len() - 1;
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(last).min(last);
    let wait = Duration::from_secs(WAITS[index] * 60);
    (since_first.saturating_add(wait) <= PATIENCE).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_patience_ends() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let cases = [
            (0, 0, Some(5)),
            (1, 0, Some(5)),
            (2, 5, Some(15)),
            (3, 20, Some(60)),
            (4, 80, Some(240)),
            (5, 320, Some(720)),
            (6, 1_040, Some(720)),
            (1, 72 * 60 - 5, Some(5)),
            (1, 72 * 60 - 4, None),
            (9, 60 * 60, Some(720)),
            (10, 60 * 60 + 1, None),
            (u32::MAX, u64::MAX / 60, None),
        ];
        for (failures, since_first, expected) in cases {
            let wait = retry_after(failures, minutes(since_first));
            assert_eq!(wait, expected.map(minutes), "{failures} after {since_first} minutes");
        }
    }

    #[test]
    fn a_reader_is_tried_ten_times_in_three_days() {
        let (mut failures, mut since_first) = (1, Duration::ZERO);
        while let Some(wait) = retry_after(failures, since_first) {
            failures += 1;
            since_first += wait;
        }
        assert_eq!(failures, 10);
        assert!(since_first > Duration::from_secs(60 * 3600) && since_first <= PATIENCE);
    }
}
