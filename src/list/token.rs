//! Tokens: what a reader's links carry instead of his address.
//!
//! A token is 128 bits made from the store's key and a random nonce, so that a link can be made again for a message
//! that is sent again, and yet stands nowhere: the store keeps the nonce and the token's SHA-256, the key lies outside.

use std::fmt;

use crate::digest;
use crate::model::{name_of, named};

/// The key that tokens and keyed digests are made with: 256 random bits, kept outside the store.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreKey([u8; 32]);

/// Random bits, one for each request, from which tokens are made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

/// What a link is good for. A token of one kind is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Confirms a subscription: once, within 48 hours.
    Confirm,
    /// Leaves: for ever, as often as one likes.
    Unsubscribe,
    /// Opens one's own data: for 48 hours.
    Preferences,
    /// Confirms a new address: once, within 48 hours.
    ChangeAddress,
}

/// 128 bits as a link carries them: 26 characters of base32 (RFC 4648) in small letters, read in any case, since
/// mail services fold it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token([u8; 16]);

/// A token's SHA-256, as the store knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub [u8; 32]);

impl StoreKey {
    /// A key of random octets.
    pub fn new(random: [u8; 32]) -> Self {
        StoreKey(random)
    }

    /// Reads a key from its 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        digest::octets(text.trim()).map(StoreKey)
    }

    /// The key as its file holds it: 64 hexadecimal digits.
    pub fn to_text(&self) -> String {
        digest::hexadecimal(&self.0)
    }

    /// A keyed digest (HMAC-SHA-256, RFC 2104) of some parts, each told apart from the next. `purpose` keeps the uses of the one key apart.
    pub fn digest(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut whole = Vec::new();
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
            whole.extend_from_slice(part);
        }
        digest::hmac_sha256(&self.0, &whole)
    }
}

impl Token {
    /// The token of a kind that belongs to a nonce.
    pub fn derive(key: &StoreKey, kind: TokenKind, nonce: Nonce) -> Self {
        let whole = key.digest(kind.name(), &[&nonce.0]);
        let mut token = [0; 16];
        token.copy_from_slice(&whole[..16]);
        Token(token)
    }

    /// Reads a token as a link carries it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 26 {
            return None;
        }
        let mut bits: u128 = 0;
        for (at, letter) in text.bytes().enumerate() {
            let letter = letter.to_ascii_lowercase();
            let value = u128::from(match letter {
                b'a'..=b'z' => letter - b'a',
                b'2'..=b'7' => letter - b'2' + 26,
                _ => return None,
            });
            // The last character holds three bits; what would be more is no token of ours.
            bits = if at < 25 { bits << 5 | value } else { bits << 3 | (value >> 2) };
            if at == 25 && value & 3 != 0 {
                return None;
            }
        }
        Some(Token(bits.to_be_bytes()))
    }

    /// The token as a link carries it.
    pub fn to_text(self) -> String {
        let bits = u128::from_be_bytes(self.0);
        let letter = |value: u128| b"abcdefghijklmnopqrstuvwxyz234567"[(value & 31) as usize] as char;
        let mut text: String = (0..25).map(|at| letter(bits >> (123 - 5 * at))).collect();
        text.push(letter((bits & 7) << 2));
        text
    }

    /// What the store knows of it.
    pub fn digest(self) -> TokenDigest {
        TokenDigest(digest::sha256_octets(&self.0))
    }
}

impl TokenKind {
    const NAMES: [(&str, TokenKind); 4] = [
        ("confirm", TokenKind::Confirm),
        ("unsubscribe", TokenKind::Unsubscribe),
        ("preferences", TokenKind::Preferences),
        ("change address", TokenKind::ChangeAddress),
    ];

    /// The kind as the store writes it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The kind of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

// Debug output reaches logs: none of these may be read there.
impl fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreKey(***)")
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Nonce(***)")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(***)")
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenDigest(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_in_any_case_and_nothing_else_is_one() {
        let key = StoreKey::new([7; 32]);
        for seed in 0..=255_u8 {
            let token = Token::derive(&key, TokenKind::Confirm, Nonce([seed; 16]));
            let text = token.to_text();
            assert_eq!(text.len(), 26);
            assert_eq!(Token::parse(&text), Some(token));
            assert_eq!(Token::parse(&text.to_uppercase()), Some(token));
        }
        for bad in [
            "",
            "a",
            "aaaaaaaaaaaaaaaaaaaaaaaaab",
            "aaaaaaaaaaaaaaaaaaaaaaaaa1",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn kinds_nonces_and_keys_tell_tokens_apart() {
        let make =
            |key: u8, kind, nonce: u8| Token::derive(&StoreKey::new([key; 32]), kind, Nonce([nonce; 16]));
        let one = make(1, TokenKind::Confirm, 1);
        assert_eq!(one, make(1, TokenKind::Confirm, 1));
        for other in [
            make(2, TokenKind::Confirm, 1),
            make(1, TokenKind::Unsubscribe, 1),
            make(1, TokenKind::Confirm, 2),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_key_is_read_back_and_shown_to_nobody() {
        let key = StoreKey::new([0xA5; 32]);
        assert_eq!(StoreKey::parse(&format!("{}\n", key.to_text())), Some(key.clone()));
        assert_eq!(StoreKey::parse("a5"), None);
        assert_eq!(format!("{key:?}"), "StoreKey(***)");
    }
}
