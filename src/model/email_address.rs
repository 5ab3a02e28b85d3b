//! Addresses of mail: validated once, so that what follows needs no check.

use std::borrow::Cow;
use std::fmt;

/// An address that mail can be sent to: a dot-atom (RFC 5322, section 3.4.1) at a domain of A-labels (RFC 5890).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress {
    address: String,
    at: usize,
    is_legacy: bool,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing is there.
    #[error("there is no address")]
    Empty,
    /// There is no `@`, or nothing on one side of it.
    #[error("an address has a name, an @ and a domain")]
    NoAt,
    /// The part before the `@` has a character that it may not have, or a dot where none may be.
    #[error("the part before the @ has a character that cannot be sent to")]
    LocalPart,
    /// Dots at an end or beside each other, as mobile carriers once gave out.
    #[error("the part before the @ has a dot at an end, or two side by side")]
    Dots,
    /// The domain is none of the public internet.
    #[error("the domain is not one that mail can be sent to")]
    Domain,
    /// More than 64 octets before the `@`, or 254 in all (RFC 5321, section 4.5.3.1).
    #[error("the address is too long")]
    TooLong,
}

/// The most octets that an address may have (RFC 5321, section 4.5.3.1, less the angle brackets).
const LONGEST_ADDRESS: usize = 254;
/// The most octets that its part before the `@` may have.
const LONGEST_LOCAL_PART: usize = 64;

impl EmailAddress {
    /// Reads an address as a person types it: blanks around it go, full-width letters become plain ones, the domain becomes small A-labels.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let address = Self::parse_legacy(text)?;
        if address.is_legacy { Err(AddressError::Dots) } else { Ok(address) }
    }

    /// Reads an address that may be of the old kind, `a..b@docomo.ne.jp`: mobile carriers gave such ones out until
    /// 2009, and some still live. They come by import alone.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse_legacy(text: &str) -> Result<Self, AddressError> {
        let text = half_width(text.trim_matches(|c: char| c == ' ' || c == '\u{3000}' || c == '\t'));
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (local_part, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local_part.is_empty() || domain.is_empty() {
            return Err(AddressError::NoAt);
        }
        let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if !local_part.chars().all(is_atom) {
            return Err(AddressError::LocalPart);
        }
        let domain = domain_name(domain).ok_or(AddressError::Domain)?;
        if local_part.len() > LONGEST_LOCAL_PART || local_part.len() + 1 + domain.len() > LONGEST_ADDRESS {
            return Err(AddressError::TooLong);
        }
        let is_legacy = local_part.starts_with('.') || local_part.ends_with('.') || local_part.contains("..");
        Ok(EmailAddress { address: format!("{local_part}@{domain}"), at: local_part.len(), is_legacy })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The part before the `@`, as the reader writes it.
    pub fn local_part(&self) -> &str {
        &self.address[..self.at]
    }

    /// The domain, in small A-labels.
    pub fn domain(&self) -> &str {
        &self.address[self.at + 1..]
    }

    /// Whether its dots stand where RFC 5321 allows none, so that it must be quoted on the wire.
    pub fn is_legacy(&self) -> bool {
        self.is_legacy
    }

    /// The address as headers and SMTP have it: the old kind's local part is a quoted string there (RFC 5321, section 4.1.2).
    pub fn on_the_wire(&self) -> Cow<'_, str> {
        match self.is_legacy {
            true => Cow::Owned(format!("\"{}\"@{}", self.local_part(), self.domain())),
            false => Cow::Borrowed(&self.address),
        }
    }

    /// What is the same for two spellings of one address. RFC 5321 leaves the case of the local part to the domain, but
    /// no mail service of today tells readers apart by it, and a reader who left as `Taro@` must not be brought back as `taro@`.
    pub fn sameness(&self) -> String {
        self.address.to_ascii_lowercase()
    }

    /// The address with all but its first letter and its domain hidden, for pages and logs.
    pub fn masked(&self) -> String {
        format!("{}***@{}", &self.address[..1], self.domain())
    }
}

// Debug output reaches logs, so it must not name the reader.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EmailAddress(***)")
    }
}

/// Full-width Latin letters, digits and signs, as Japanese input methods leave them, as their plain ones.
fn half_width(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(plain).collect()
}

/// A domain in small A-labels: at least two labels, the last of them no number.
fn domain_name(domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let mut labels = domain.rsplit('.');
    let last = labels.next()?;
    let has_more = labels.next().is_some();
    (has_more && domain.split('.').all(is_label) && !last.bytes().all(|c| c.is_ascii_digit()))
        .then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_type_them() {
        let read = |text: &str| EmailAddress::parse(text).map(|address| address.as_str().to_owned());
        let good = [
            ("taro@example.jp", "taro@example.jp"),
            ("  Taro.Y+news@Example.JP ", "Taro.Y+news@example.jp"),
            ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "taro@example.jp"),
            ("taro@日本語.jp", "taro@xn--wgv71a119e.jp"),
            ("o'hara@example.co.jp", "o'hara@example.co.jp"),
        ];
        for (text, expected) in good {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        let bad = [
            ("", AddressError::Empty),
            ("taro", AddressError::NoAt),
            ("@example.jp", AddressError::NoAt),
            ("a b@example.jp", AddressError::LocalPart),
            ("\"a\"@example.jp", AddressError::LocalPart),
            ("太郎@example.jp", AddressError::LocalPart),
            ("a@example.jp\r\nBcc: b@example.jp", AddressError::LocalPart),
            ("taro\r\n@example.jp", AddressError::LocalPart),
            ("taro@example.jp\r\nBcc:", AddressError::Domain),
            ("a@b@example.jp", AddressError::LocalPart),
            ("a..b@docomo.ne.jp", AddressError::Dots),
            (".a@docomo.ne.jp", AddressError::Dots),
            ("taro@localhost", AddressError::Domain),
            ("taro@192.168.0.1", AddressError::Domain),
            ("taro@[192.168.0.1]", AddressError::Domain),
            ("taro@example..jp", AddressError::Domain),
            ("taro@-example.jp", AddressError::Domain),
        ];
        for (text, expected) in bad {
            assert_eq!(read(text), Err(expected), "{text:?}");
        }
        assert_eq!(read(&format!("{}@example.jp", "a".repeat(65))), Err(AddressError::TooLong));
    }

    #[test]
    fn old_addresses_of_carriers_are_marked() {
        let old = EmailAddress::parse_legacy("a..b.@docomo.ne.jp").unwrap();
        assert_eq!((old.local_part(), old.domain(), old.is_legacy()), ("a..b.", "docomo.ne.jp", true));
        assert_eq!(old.on_the_wire(), "\"a..b.\"@docomo.ne.jp");
        let plain = EmailAddress::parse_legacy("a.b@docomo.ne.jp").unwrap();
        assert!(!plain.is_legacy());
        assert_eq!(plain.on_the_wire(), "a.b@docomo.ne.jp");
    }

    #[test]
    fn two_spellings_are_one_reader_and_debug_names_none() {
        let one = EmailAddress::parse("Taro@Example.jp").unwrap();
        assert_eq!(one.sameness(), EmailAddress::parse("taro@EXAMPLE.JP").unwrap().sameness());
        assert_eq!(one.masked(), "T***@example.jp");
        assert!(!format!("{one:?}").contains("aro"));
    }
}
