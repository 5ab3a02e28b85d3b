//! A proof of work: who applies for a subscription spends a moment of a processor on it, which costs one reader nothing that
//! he notices, and whoever names addresses by the ten thousand a great deal.
//!
//! The form carries a challenge, `SECONDS-BITS-RANDOM-MAC`, made with the list's key. Its answer is a nonce of decimal
//! digits so that the SHA-256 of the challenge with the nonce behind it begins with so many zero bits, as in Hashcash. A
//! challenge is good for an hour, and for one subscription. docs/decisions/0012 tells why.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::Service;
use super::form::Form;
use crate::digest::{hexadecimal, sha256_octets};
use crate::list::StoreKey;

/// How many zero bits are asked for in a flood: a quarter of a million tries, which a browser makes in about a second.
const BITS_IN_FLOODS: u32 = 18;
/// How long a challenge is good for, in seconds.
const GOOD_FOR: i64 = 60 * 60;
/// The longest nonce, in digits: more tries than anybody makes.
const LONGEST_NONCE: usize = 20;
/// How many answered challenges are remembered at once, twice: some 40 MB at the worst.
const MOST_REMEMBERED: usize = 1_000_000;
/// How often it is looked whether there is a flood, in microseconds.
const LOOKS_EVERY: u64 = 5_000_000;

/// When a proof of work is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofOfWork {
    /// Not even in floods.
    Never,
    /// While more confirmations are asked for within an hour than the list's alarm says.
    #[default]
    InFloods,
    /// Always, with so many zero bits: 1 to 24.
    Always(u32),
}

/// A challenge, and its answer as far as there is one: what the form shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// The challenge.
    pub(super) challenge: String,
    /// How many zero bits it asks for.
    pub(super) bits: u32,
    /// The answer; empty where there is none yet.
    pub(super) nonce: String,
}

/// What the service remembers of proofs.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    answered: Mutex<Answered>,
    flood: Flood,
}

/// By what a challenge is remembered: the beginning of its SHA-256.
type Name = [u8; 8];

/// The challenges that have been answered. Those of two hours are kept, each hour's for itself, so that
/// each is known as long as it is good. When an hour has more than can be remembered the older ones are forgotten early: what it
/// cost to answer them was paid once.
#[derive(Debug, Default)]
struct Answered {
    /// Since when `lately` is filled, in seconds since 1970 UTC.
    since: i64,
    lately: HashSet<Name>,
    before: HashSet<Name>,
}

/// Whether there is a flood, as it was when somebody last looked.
#[derive(Debug, Default)]
struct Flood {
    /// In microseconds since the service began; 0 when nobody has looked.
    looked: AtomicU64,
    is_on: AtomicBool,
}

impl Service {
    /// How many zero bits a proof has to have at a time; none when no proof is asked for.
    pub(super) async fn proof_bits(&self, at: DateTime<Utc>) -> Option<u32> {
        match self.settings.proof_of_work {
            // A page that cannot carry a challenge cannot be answered with a proof.
            _ if !self.pages.carries_proof() => None,
            ProofOfWork::Never => None,
            ProofOfWork::Always(bits) => Some(bits),
            ProofOfWork::InFloods => self.is_flood(at).await.then_some(BITS_IN_FLOODS),
        }
    }

    /// A challenge that nobody has seen yet, if a proof is asked for.
    pub(super) async fn new_proof(&self, at: DateTime<Utc>) -> Option<Proof> {
        let bits = self.proof_bits(at).await?;
        Some(Proof::new(self.store.key(), at, bits, (self.surroundings.random)()))
    }

    /// Whether there is a flood. One request looks, for all that come within the next seconds; where the list does not tell,
    /// what was known holds.
    async fn is_flood(&self, at: DateTime<Utc>) -> bool {
        let flood = &self.proofs.flood;
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        let looked = flood.looked.load(Ordering::Relaxed);
        let is_due = looked == 0 || now.saturating_sub(looked) >= LOOKS_EVERY;
        let is_mine = is_due
            && flood.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_mine {
            let store = self.store.clone();
            // It is read by a connection of its own, which waits for the disk.
            if let Ok(Ok(is_on)) = tokio::task::spawn_blocking(move || store.is_flood(at)).await {
                flood.is_on.store(is_on, Ordering::Relaxed);
            }
        }
        flood.is_on.load(Ordering::Relaxed)
    }
}

impl Proof {
    /// A challenge without its answer.
    fn new(key: &StoreKey, at: DateTime<Utc>, bits: u32, random: [u8; 16]) -> Self {
        let random = hexadecimal(&random);
        let said = format!("{}-{bits}-{random}", at.timestamp());
        Proof { challenge: format!("{said}-{}", mac(key, &said)), bits, nonce: String::new() }
    }

    /// The proof in a form, if it is one: a challenge of ours that is still good, and its answer, with as many zero bits as are
    /// asked for now.
    pub(super) fn of(form: &Form, key: &StoreKey, bits: u32, now: DateTime<Utc>) -> Option<Self> {
        let (challenge, nonce) = (form.get("challenge")?, form.get("nonce")?);
        let (said, its_mac) = challenge.rsplit_once('-')?;
        let mut parts = said.split('-');
        let at: i64 = parts.next()?.parse().ok()?;
        let asked: u32 = parts.next()?.parse().ok()?;
        let is_ours = mac(key, said) == its_mac && asked >= bits;
        let is_good = (0..GOOD_FOR).contains(&now.timestamp().checked_sub(at)?);
        let is_number =
            (1..=LONGEST_NONCE).contains(&nonce.len()) && nonce.bytes().all(|octet| octet.is_ascii_digit());
        if !is_ours || !is_good || !is_number {
            return None;
        }
        let digest = sha256_octets(format!("{challenge}{nonce}").as_bytes());
        let proof = Proof { challenge: challenge.to_owned(), bits: asked, nonce: nonce.to_owned() };
        (zero_bits(&digest) >= asked).then_some(proof)
    }
}

impl Proofs {
    /// Uses up a proof; `false` when it was used before.
    pub(super) fn take(&self, proof: &Proof, at: DateTime<Utc>) -> bool {
        // Whatever a thread that failed has left is whole.
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = sha256_octets(proof.challenge.as_bytes());
        let mut name = Name::default();
        name.copy_from_slice(&digest[..8]);
        answered.take(name, at.timestamp(), MOST_REMEMBERED)
    }
}

impl Answered {
    fn take(&mut self, challenge: Name, at: i64, most: usize) -> bool {
        let age = at.saturating_sub(self.since);
        if age >= GOOD_FOR || self.lately.len() >= most {
            self.before = std::mem::take(&mut self.lately);
            if age >= 2 * GOOD_FOR {
                self.before.clear();
            }
            self.since = at;
        }
        !self.before.contains(&challenge) && self.lately.insert(challenge)
    }
}

/// Half of a keyed digest. It keeps nothing secret and opens nothing, so that how long comparing takes does not matter.
fn mac(key: &StoreKey, said: &str) -> String {
    hexadecimal(&key.digest("proof of work", &[said.as_bytes()])[..16])
}

/// With how many zero bits a digest begins.
fn zero_bits(digest: &[u8; 32]) -> u32 {
    let whole = digest.iter().take_while(|octet| **octet == 0).count();
    8 * whole as u32 + digest.get(whole).map_or(0, |octet| octet.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn key() -> StoreKey {
        StoreKey::new([7; 32])
    }

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_764_000_000, 0).expect("a time")
    }

    /// The nonces in order that answer a challenge, or do not.
    fn nonces(challenge: &str, bits: u32, answer: bool) -> impl Iterator<Item = String> {
        let is_answer =
            move |nonce: &str| zero_bits(&sha256_octets(format!("{challenge}{nonce}").as_bytes())) >= bits;
        (0..).map(|number: u32| number.to_string()).filter(move |nonce| is_answer(nonce) == answer)
    }

    fn form(challenge: &str, nonce: &str) -> Form {
        Form::parse(format!("challenge={challenge}&nonce={nonce}").as_bytes()).expect("a form")
    }

    #[test]
    fn zero_bits_are_counted_from_the_first() {
        for (octets, expected) in
            [(&[0xFF][..], 0), (&[0x7F], 1), (&[0x00, 0x80], 8), (&[0, 0, 0x01], 23), (&[0; 32], 256)]
        {
            let mut digest = [0xFF; 32];
            digest[..octets.len()].copy_from_slice(octets);
            assert_eq!(zero_bits(&digest), expected, "{octets:?}");
        }
    }

    #[test]
    fn a_challenge_is_good_for_an_hour_and_for_its_own_answer() {
        let proof = Proof::new(&key(), at(), 8, [9; 16]);
        let challenge = proof.challenge.as_str();
        let nonce = nonces(challenge, 8, true).next().expect("there are some");
        let wrong = nonces(challenge, 8, false).next().expect("there are some");
        let answered = Proof { nonce: nonce.clone(), ..proof.clone() };
        let judged =
            |form: &Form, bits, seconds| Proof::of(form, &key(), bits, at() + TimeDelta::seconds(seconds));
        for (bits, seconds, expected) in
            [(8, 0, true), (8, 3599, true), (8, 3600, false), (8, -1, false), (7, 1, true), (9, 1, false)]
        {
            let found = judged(&form(challenge, &nonce), bits, seconds);
            assert_eq!(found.as_ref(), expected.then_some(&answered), "{bits} {seconds}");
        }
        assert_eq!(Proof::of(&form(challenge, &nonce), &StoreKey::new([8; 32]), 8, at()), None);
        let easier = challenge.replacen("-8-", "-1-", 1);
        let later = challenge.replacen("1764000000", "1764000060", 1);
        for (challenge, nonce) in [
            (challenge, wrong.as_str()),
            (challenge, ""),
            (challenge, &format!("{nonce}x")),
            (challenge, &format!("+{nonce}")),
            (challenge, &"1".repeat(21)),
            (&easier, "1"),
            (&later, &nonces(&later, 8, true).next().expect("there are some")),
            ("", "1"),
            ("-", "1"),
            ("1-8-00-", "1"),
            ("99999999999999999999-8-00-00", "1"),
            ("-9223372036854775808-8-00-00", "1"),
        ] {
            assert_eq!(judged(&form(challenge, nonce), 1, 60), None, "{challenge} {nonce}");
        }
        assert_eq!(judged(&Form::parse(b"").expect("a form"), 1, 60), None);
    }

    #[test]
    fn an_answer_is_taken_once_as_long_as_it_is_good() {
        let mut answered = Answered::default();
        let now = at().timestamp();
        assert!(answered.take([b'a'; 8], now, 100));
        assert!(!answered.take([b'a'; 8], now, 100));
        assert!(answered.take([b'b'; 8], now + GOOD_FOR - 1, 100));
        assert!(answered.take([b'c'; 8], now + GOOD_FOR, 100), "an hour's are put aside");
        for (challenge, seconds) in [(b'a', GOOD_FOR), (b'b', 2 * GOOD_FOR - 2), (b'c', 2 * GOOD_FOR - 1)] {
            assert!(!answered.take([challenge; 8], now + seconds, 100), "{challenge}");
        }
        assert!(answered.take([b'd'; 8], now + 10 * GOOD_FOR, 100));
        assert_eq!((answered.lately.len(), answered.before.len()), (1, 0));
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut answered = Answered::default();
        let now = at().timestamp();
        for number in 0..1000_u64 {
            assert!(answered.take(number.to_be_bytes(), now, 100));
            assert!(!answered.take(number.to_be_bytes(), now, 100), "the newest are known");
        }
        assert!(answered.lately.len() + answered.before.len() <= 200);
    }
}
