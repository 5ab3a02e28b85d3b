//! Signatures that prove which domain a message comes from (DKIM, RFC 6376; Ed25519 after RFC 8463).
//!
//! Headers and body are signed in their relaxed form, the whole body always (no `l=`), and each header that a
//! stranger might add another of is named once more than it is there, so that the signature breaks if one is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use super::mime::fields;
use crate::digest::{Sum, sha256_octets};

/// Signs the messages of one domain.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
    /// Against timing attacks on the key alone: the signatures do not depend on it.
    random: SystemRandom,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// The SHA-256 of a body in its relaxed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHash([u8; 32]);

/// A body of which a part was read: what is the same for all readers is read once.
#[derive(Clone, Debug, Default)]
pub(super) struct BodySum {
    sum: Sum,
    /// The empty lines that count if something follows them.
    empty_lines: usize,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The file is no PEM of a private key.
    #[error("no private key is in it: a PEM file begins with `-----BEGIN PRIVATE KEY-----`")]
    NotPem,
    /// The key is of a kind that cannot be used.
    #[error("the key cannot be used ({0}): RSA of 2048 bits or more, and Ed25519 can")]
    Unusable(String),
}

/// The headers that are signed, where they are there. All of a newsletter's but those that relays add.
const SIGNED: [&str; 18] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "List-Id",
    "List-Help",
    "List-Archive",
    "List-Post",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Precedence",
    "Feedback-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// The headers that are named once more than they are there.
const OVERSIGNED: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Content-Type",
    "Reply-To",
];

impl Signer {
    /// A signer with the private key of a PEM text: PKCS #8 (RSA, Ed25519) or PKCS #1 (RSA).
    ///
    /// # Errors
    /// When no usable key is in the text.
    pub fn new(domain: &str, selector: &str, pem: &str) -> Result<Self, KeyError> {
        let (label, der) = first_block(pem).ok_or(KeyError::NotPem)?;
        let unusable = |why: &dyn fmt::Display| KeyError::Unusable(why.to_string());
        let key = match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(|key| Key::Rsa(Box::new(key))),
            "PRIVATE KEY" => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
                .map(Key::Ed25519)
                .or_else(|_| RsaKeyPair::from_pkcs8(&der).map(|key| Key::Rsa(Box::new(key)))),
            _ => return Err(KeyError::NotPem),
        };
        let key = key.map_err(|why| unusable(&why))?;
        Ok(Signer {
            domain: domain.to_ascii_lowercase(),
            selector: selector.to_owned(),
            key,
            random: SystemRandom::new(),
        })
    }

    /// The field `DKIM-Signature` for a message, folded, with CR LF at its end; it goes before the other headers.
    ///
    /// `headers` are the message's, each line ending with CR LF; `time` is when it is signed, in seconds since 1970.
    /// The same arguments give the same octets.
    ///
    /// # Errors
    /// When the key fails to sign, which no good key does.
    pub fn sign(&self, headers: &[u8], body: BodyHash, time: i64) -> Result<Vec<u8>, KeyError> {
        let fields = Field::all(headers);
        let mut names = Vec::new();
        let mut input = Vec::with_capacity(headers.len() + 512);
        for name in SIGNED {
            // From the last to the first, as section 5.4.2 has it.
            for field in fields.iter().rev().filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            {
                names.push(name);
                relaxed_field(field, &mut input);
                input.extend_from_slice(b"\r\n");
            }
            if OVERSIGNED.contains(&name) {
                names.push(name);
            }
        }
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let mut value = format!(
            "v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n\ts={}; t={time};\r\n\tbh={};\r\n\th=",
            self.domain,
            self.selector,
            BASE64.encode(body.0)
        );
        fold_names(&names, &mut value);
        value.push_str(";\r\n\tb=");
        let own = Field { name: b"DKIM-Signature", value: value.as_bytes() };
        relaxed_field(&own, &mut input);
        let signature = self.signature(&input)?;
        let mut field = format!("DKIM-Signature: {value}").into_bytes();
        fold_base64(&signature, &mut field);
        Ok(field)
    }

    /// A whole message with its signature before it.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub fn signed(&self, message: &[u8], time: i64) -> Result<Vec<u8>, KeyError> {
        let end = message.windows(4).position(|four| four == b"\r\n\r\n").map_or(message.len(), |at| at + 2);
        let (headers, rest) = message.split_at(end);
        let body = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        let mut signed = self.sign(headers, BodyHash::of(body), time)?;
        signed.extend_from_slice(message);
        Ok(signed)
    }

    fn signature(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &self.random, input, &mut signature)
                    .map_err(|_| KeyError::Unusable("it does not sign".to_owned()))?;
                Ok(signature)
            }
            // RFC 8463 signs the digest of what is signed.
            Key::Ed25519(key) => Ok(key.sign(&sha256_octets(input)).as_ref().to_vec()),
        }
    }
}

// The key is a secret.
impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({}, {})", self.domain, self.selector)
    }
}

impl BodyHash {
    /// Of a body with CR LF at its line ends.
    pub fn of(body: &[u8]) -> Self {
        let mut sum = BodySum::default();
        sum.add(body);
        sum.hash()
    }
}

impl BodySum {
    /// The next lines, each whole.
    pub(super) fn add(&mut self, lines: &[u8]) {
        let mut relaxed = Vec::with_capacity(lines.len() + 2);
        relaxed_lines(lines, &mut self.empty_lines, &mut relaxed);
        self.sum.add(&relaxed);
    }

    /// Of the body whose last line was added.
    pub(super) fn hash(self) -> BodyHash {
        BodyHash(self.sum.octets())
    }
}

/// The label and the octets of a PEM text's first block (RFC 7468).
fn first_block(pem: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (base64, _) = rest.split_once("-----END ")?;
    let base64: String = base64.split_ascii_whitespace().collect();
    Some((label, BASE64.decode(base64).ok()?))
}

struct Field<'a> {
    name: &'a [u8],
    /// Behind the colon, with its folds, without the last CR LF.
    value: &'a [u8],
}

impl<'a> Field<'a> {
    fn all(headers: &'a [u8]) -> Vec<Self> {
        let field = |whole: &'a [u8]| {
            let colon = whole.iter().position(|octet| *octet == b':')?;
            let value = &whole[colon + 1..];
            let value = value.strip_suffix(b"\r\n").unwrap_or(value);
            Some(Field { name: whole[..colon].trim_ascii_end(), value })
        };
        fields(headers).into_iter().filter_map(field).collect()
    }
}

/// A field in its relaxed form (section 3.4.2), without CR LF at its end.
fn relaxed_field(field: &Field<'_>, to: &mut Vec<u8>) {
    to.extend(field.name.iter().map(u8::to_ascii_lowercase));
    to.push(b':');
    let words = field.value.split(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
    let mut is_first = true;
    for word in words.filter(|word| !word.is_empty()) {
        if !is_first {
            to.push(b' ');
        }
        is_first = false;
        to.extend_from_slice(word);
    }
}

/// Writes lines of a body in their relaxed form (section 3.4.4): runs of blanks are one, none at line ends. Empty lines are
/// written when something follows them; `empty_lines` counts those that wait for it.
fn relaxed_lines(lines: &[u8], empty_lines: &mut usize, to: &mut Vec<u8>) {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t');
    let mut rest = lines;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(last) = line.iter().rposition(|octet| !is_blank(octet)) else {
            *empty_lines += 1;
            continue;
        };
        to.extend(b"\r\n".repeat(std::mem::take(empty_lines)));
        let mut line = &line[..=last];
        while let Some(at) = memchr::memchr2(b' ', b'\t', line) {
            to.extend_from_slice(&line[..at]);
            to.push(b' ');
            line = &line[at..];
            line = &line[line.iter().position(|octet| !is_blank(octet)).unwrap_or(line.len())..];
        }
        to.extend_from_slice(line);
        to.extend_from_slice(b"\r\n");
    }
}

/// The names between colons, in lines of less than 76 octets.
fn fold_names(names: &[&str], to: &mut String) {
    let mut column = "\th=".len();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            to.push(':');
            column += 1;
            if column + name.len() + 1 > 72 {
                to.push_str("\r\n\t ");
                column = 2;
            }
        }
        to.push_str(name);
        column += name.len();
    }
}

fn fold_base64(octets: &[u8], to: &mut Vec<u8>) {
    let text = BASE64.encode(octets);
    for (at, line) in text.as_bytes().chunks(70).enumerate() {
        if at > 0 {
            to.extend_from_slice(b"\r\n\t ");
        }
        to.extend_from_slice(line);
    }
    to.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key pair made for these lines alone (PKCS #8 of 48 octets, Ed25519).
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn relaxed_forms_are_those_of_the_standard() {
        let bodies: [(&[u8], &[u8]); 6] = [
            (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),
            (b"", b""),
            (b"\r\n\r\n", b""),
            (b"a", b"a\r\n"),
            (b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
            (b" \t\r\nx\r\n \r\n", b"\r\nx\r\n"),
        ];
        for (body, expected) in bodies {
            let mut relaxed = Vec::new();
            relaxed_lines(body, &mut 0, &mut relaxed);
            assert_eq!(relaxed, expected, "{}", body.escape_ascii());
            for at in body.iter().enumerate().filter(|(_, octet)| **octet == b'\n').map(|(at, _)| at + 1) {
                let mut sum = BodySum::default();
                sum.add(&body[..at]);
                sum.add(&body[at..]);
                assert_eq!(sum.hash(), BodyHash::of(body), "{} in two", body.escape_ascii());
            }
        }
        let mut relaxed = Vec::new();
        for field in Field::all(b"A: X\r\nB : Y\t\r\n\tZ  \r\n") {
            relaxed_field(&field, &mut relaxed);
            relaxed.extend_from_slice(b"\r\n");
        }
        assert_eq!(relaxed, b"a:X\r\nb:Y Z\r\n");
    }

    #[test]
    fn what_a_stranger_could_add_is_named_once_more() {
        let signer = Signer::new("Example.JP", "m1", ED25519).expect("the key is good");
        let headers = b"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\n";
        let sign = |headers: &[u8], body: &[u8]| {
            String::from_utf8(signer.sign(headers, BodyHash::of(body), 1_300_000_000).unwrap()).unwrap()
        };
        let field = sign(headers, b"text\r\n");
        assert_eq!(field, sign(headers, b"text\r\n"), "the same message is signed alike");
        assert!(
            field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.jp;\r\n")
        );
        assert!(field.ends_with("\r\n") && field.lines().all(|line| line.len() <= 76), "{field}");
        let unfolded = field.replace("\r\n\t ", "").replace("\r\n\t", " ");
        let names = unfolded.split("h=").nth(2).and_then(|rest| rest.split(';').next()).unwrap();
        assert!(names.starts_with("From:From:To:To:Subject:Subject:Date:Message-ID:"), "{names}");
        assert!(!field.contains(" l="), "the whole body is signed");
        assert_ne!(field, sign(b"From: c@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\n", b"text\r\n"));
        assert_ne!(field, sign(headers, b"other\r\n"));
    }

    #[test]
    fn no_key_and_bad_keys_are_told() {
        let error = |pem: &str| Signer::new("example.jp", "m1", pem).expect_err("it is no key").to_string();
        assert!(error("").starts_with("no private key is in it"));
        assert!(
            error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").starts_with("no private")
        );
        assert!(
            error("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                .starts_with("the key cannot")
        );
        let signer = Signer::new("example.jp", "m1", ED25519).unwrap();
        assert_eq!(format!("{signer:?}"), "Signer(example.jp, m1)");
    }
}
