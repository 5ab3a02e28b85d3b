//! Digests of octets, by which files are told apart.

use sha2::{Digest, Sha256};

/// The SHA-256 of some octets (FIPS 180-4) in small hexadecimal digits.
pub(crate) fn sha256(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |octet: &u8| [octet >> 4, octet & 15].map(|digit| DIGITS[usize::from(digit)] as char);
    Sha256::digest(octets).iter().flat_map(digits).collect()
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
    }
}
