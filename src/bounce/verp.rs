//! Variable envelope return paths: the sender of each message's envelope says whose message it was.
//!
//! `b+MAILING.SUBSCRIBER.CODE@domain`, where the code is 80 bits of an HMAC (RFC 2104) in base32 (RFC 4648). Whoever
//! writes to such an address without the right code is not listened to. Relays fold the case of addresses, so case
//! says nothing.

use crate::list::StoreKey;
use crate::model::SubscriberId;

/// The message that a return path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The mailing's number in the store.
    pub mailing: i64,
    /// The reader it was sent to.
    pub subscriber: SubscriberId,
}

/// What the key is used for here.
const PURPOSE: &str = "return path";
/// What stands before the numbers.
const LEAD: &str = "b+";
/// How many octets of the HMAC stand in an address.
const CODE: usize = 10;
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The return path of a message: at most 60 octets before the `@` for numbers that are not negative.
pub fn address(key: &StoreKey, path: Path, domain: &str) -> String {
    let code = code(key, path);
    format!("{LEAD}{}.{}.{code}@{domain}", path.mailing, path.subscriber.0)
}

/// Reads a return path, with or without angle brackets; `None` when it is not one of ours, or its code is wrong.
pub fn path(key: &StoreKey, address: &str) -> Option<Path> {
    let address = address.trim().trim_start_matches('<').trim_end_matches('>');
    let (local, _) = address.rsplit_once('@')?;
    let lead = local.get(..LEAD.len())?;
    if !lead.eq_ignore_ascii_case(LEAD) || local.len() > 64 {
        return None;
    }
    let mut parts = local[LEAD.len()..].split('.');
    let (mailing, subscriber, found) = (number(parts.next()?)?, number(parts.next()?)?, parts.next()?);
    let path = Path { mailing, subscriber: SubscriberId(subscriber) };
    let is_right = parts.next().is_none() && are_equal(&code(key, path), &found.to_ascii_lowercase());
    is_right.then_some(path)
}

/// A number as it is written above, and not otherwise: each message has one path.
fn number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn code(key: &StoreKey, path: Path) -> String {
    let digest = key.digest(PURPOSE, &[&path.mailing.to_be_bytes(), &path.subscriber.0.to_be_bytes()]);
    // Five octets make eight digits without a remainder.
    let fives = digest[..CODE]
        .chunks(5)
        .map(|five| five.iter().fold(0u64, |bits, octet| bits << 8 | u64::from(*octet)));
    let digit = |five: u64, index: u32| char::from(DIGITS[(five >> (35 - 5 * index)) as usize & 31]);
    fives.flat_map(|five| (0..8).map(move |index| digit(five, index))).collect()
}

/// Compares without telling by its time how much was right.
fn are_equal(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StoreKey {
        StoreKey::new([7; 32])
    }

    #[test]
    fn a_path_is_read_as_it_was_written_in_any_case() {
        for (mailing, subscriber) in [(1, 2), (0, 0), (i64::MAX, i64::MAX)] {
            let path = Path { mailing, subscriber: SubscriberId(subscriber) };
            let address = address(&key(), path, "bounce.example.jp");
            assert!(address.split('@').next().is_some_and(|local| local.len() <= 60), "{address}");
            for written in [address.clone(), address.to_uppercase(), format!(" <{address}> ")] {
                assert_eq!(super::path(&key(), &written), Some(path), "{written}");
            }
        }
    }

    #[test]
    fn what_is_not_ours_is_not_believed() {
        let address = address(&key(), Path { mailing: 12, subscriber: SubscriberId(34) }, "example.jp");
        assert_eq!(super::path(&StoreKey::new([8; 32]), &address), None, "another key");
        let code = address.split(['.', '@']).nth(2).expect("a code").to_owned();
        assert_eq!(code.len(), 16);
        for other in [
            format!("b+12.35.{code}@example.jp"),
            format!("b+13.34.{code}@example.jp"),
            format!("b+012.34.{code}@example.jp"),
            format!("b++12.34.{code}@example.jp"),
            format!("b+12.34.{}@example.jp", &code[..15]),
            format!("b+12.34.{code}a@example.jp"),
            format!("b+12.34.{code}.x@example.jp"),
            format!("c+12.34.{code}@example.jp"),
            format!("b+12.34.{code}"),
            "b+12.34.@example.jp".to_owned(),
            "あ+12.34.x@example.jp".to_owned(),
            String::new(),
        ] {
            assert_eq!(super::path(&key(), &other), None, "{other}");
        }
        for at in 0..code.len() {
            let mut wrong = code.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            let wrong = String::from_utf8(wrong).expect("ASCII");
            assert_eq!(super::path(&key(), &format!("b+12.34.{wrong}@example.jp")), None, "digit {at}");
        }
    }
}
