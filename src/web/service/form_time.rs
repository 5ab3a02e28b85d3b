//! When a form was handed out, signed: programs that fill in forms answer at once, or with one that they kept.

use chrono::{DateTime, Utc};

use crate::digest::hexadecimal;
use crate::list::StoreKey;

/// Less than this between page and answer no person takes, in milliseconds.
const QUICKEST: i64 = 2_000;
/// How long a form may lie open, in milliseconds: a day.
const LONGEST: i64 = 24 * 60 * 60 * 1000;

/// What a form's time says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormTime {
    /// It was handed out, and looked at.
    Good,
    /// It came back at once.
    TooQuick,
    /// It is older than a day, or not ours.
    Stale,
}

/// The time of a form, as its hidden field carries it.
pub(super) fn stamp(key: &StoreKey, at: DateTime<Utc>) -> String {
    let at = at.timestamp_millis();
    format!("{at}-{}", mac(key, at))
}

/// What a stamp says at a time.
pub(super) fn judge(key: &StoreKey, stamp: &str, now: DateTime<Utc>) -> FormTime {
    let Some((at, its_mac)) = stamp.split_once('-') else { return FormTime::Stale };
    let Ok(at) = at.parse::<i64>() else { return FormTime::Stale };
    if mac(key, at) != its_mac {
        return FormTime::Stale;
    }
    match now.timestamp_millis().saturating_sub(at) {
        ..QUICKEST => FormTime::TooQuick,
        QUICKEST..=LONGEST => FormTime::Good,
        _ => FormTime::Stale,
    }
}

/// Half of a keyed digest. It keeps nothing secret and opens nothing, so that how long comparing takes does not matter.
fn mac(key: &StoreKey, at: i64) -> String {
    hexadecimal(&key.digest("form time", &[&at.to_be_bytes()])[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_form_is_good_between_two_seconds_and_a_day() {
        let key = StoreKey::new([7; 32]);
        let at = DateTime::from_timestamp(1_764_000_000, 0).expect("a time");
        let stamp = stamp(&key, at);
        for (milliseconds, expected) in [
            (0, FormTime::TooQuick),
            (1_999, FormTime::TooQuick),
            (2_000, FormTime::Good),
            (86_400_000, FormTime::Good),
            (86_400_001, FormTime::Stale),
            (-1, FormTime::TooQuick),
        ] {
            let now = at + TimeDelta::milliseconds(milliseconds);
            assert_eq!(judge(&key, &stamp, now), expected, "{milliseconds}");
        }
        let later = at + TimeDelta::seconds(60);
        let other_key = StoreKey::new([8; 32]);
        assert_eq!(judge(&other_key, &stamp, later), FormTime::Stale);
        let other_time = stamp.replacen("1764", "1763", 1);
        for stamp in [other_time.as_str(), "", "-", "1", "x-y", "99999999999999999999-00", "あ-い"] {
            assert_eq!(judge(&key, stamp, later), FormTime::Stale, "{stamp}");
        }
    }
}
