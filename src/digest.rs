//! Digests of octets, by which files are told apart.

use std::io;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The SHA-256 of some octets (FIPS 180-4) in small hexadecimal digits.
pub(crate) fn sha256(octets: &[u8]) -> String {
    hexadecimal(&sha256_octets(octets))
}

/// The SHA-256 of some octets (FIPS 180-4).
pub(crate) fn sha256_octets(octets: &[u8]) -> [u8; 32] {
    Sha256::digest(octets).into()
}

/// The SHA-256 of octets that come piece by piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum(Sha256);

impl Sum {
    /// The next octets.
    pub(crate) fn add(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    /// The sum of all that was added.
    pub(crate) fn octets(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The SHA-256 of all that comes from a reader, in small hexadecimal digits; memory holds one piece of it.
pub(crate) fn sha256_of(input: &mut dyn io::Read) -> io::Result<String> {
    let mut sum = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(hexadecimal(&sum.finalize())),
            Ok(length) => sum.update(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The HMAC-SHA-256 of some octets under a key (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8; 32], octets: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(octets);
    mac.finalize().into_bytes().into()
}

/// Octets in small hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |octet: &u8| [octet >> 4, octet & 15].map(|digit| DIGITS[usize::from(digit)] as char);
    octets.iter().flat_map(digits).collect()
}

/// The octets of hexadecimal digits, if there are so many.
pub(crate) fn octets<const LENGTH: usize>(digits: &str) -> Option<[u8; LENGTH]> {
    let digits = digits.as_bytes();
    if digits.len() != 2 * LENGTH {
        return None;
    }
    let digit = |digit: u8| (digit as char).to_digit(16).map(|value| value as u8);
    let mut octets = [0; LENGTH];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
        *octet = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(octets)
}

/// The first eight digits of [`sha256`]: enough to tell a file's states apart in its address.
pub(crate) fn fingerprint(octets: &[u8]) -> String {
    let mut digest = sha256(octets);
    digest.truncate(8);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(fingerprint(b""), "e3b0c442");
        let long = vec![b'a'; 1_000_000];
        let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(sha256_of(&mut &long[..]).unwrap(), million);
        // RFC 4231 has no key of 32 octets; a short key is padded with zeros, so its second case serves.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = hexadecimal(&hmac_sha256(&key, b"what do ya want for nothing?"));
        assert_eq!(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
