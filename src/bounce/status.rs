//! Enhanced status codes (RFC 3463) and reply codes (RFC 5321), and where they stand in a server's words.

use std::fmt;

/// An enhanced status code (RFC 3463): `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    /// 2: delivered, 4: not now, 5: never.
    pub class: u8,
    /// What it is about: 1 the address, 2 the mailbox, 3 the system, 4 the network, 5 the protocol, 6 the content, 7 policy.
    pub subject: u16,
    /// What exactly.
    pub detail: u16,
}

impl EnhancedStatus {
    /// A status code in its parts.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        EnhancedStatus { class, subject, detail }
    }

    /// The first status code in a text, `None` if there is none. A number such as `192.0.2.5` is none.
    pub fn find(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let is_part = |octet: u8| octet.is_ascii_digit() || octet == b'.';
        let mut from = 0;
        while let Some(at) = octets[from..].iter().position(|octet| matches!(octet, b'2' | b'4' | b'5')) {
            let start = from + at;
            let length = octets[start..].iter().take_while(|octet| is_part(**octet)).count();
            let before = start.checked_sub(1).map(|before| octets[before]);
            let is_start = before.is_none_or(|octet| !is_part(octet) && !octet.is_ascii_alphabetic());
            if is_start && let Some(status) = Self::parse(text[start..start + length].trim_end_matches('.')) {
                return Some(status);
            }
            from = start + length;
        }
        None
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut part = || parts.next().filter(|part| (1..=3).contains(&part.len()))?.parse::<u16>().ok();
        let (class, subject, detail) = (part()?, part()?, part()?);
        let is_class = matches!(class, 2 | 4 | 5);
        (is_class && parts.next().is_none()).then(|| Self::new(class as u8, subject, detail))
    }

    /// Whether it says more than that something failed.
    pub(super) fn is_precise(self) -> bool {
        (self.subject, self.detail) != (0, 0)
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The first reply code of a failure in a text: three digits that stand alone, 4xx or 5xx.
pub(super) fn reply_code(text: &str) -> Option<u16> {
    let octets = text.as_bytes();
    let mut from = 0;
    while let Some(at) = octets[from..].iter().position(u8::is_ascii_digit) {
        let start = from + at;
        let length = octets[start..].iter().take_while(|octet| octet.is_ascii_digit()).count();
        let end = start + length;
        let before = start.checked_sub(1).map(|before| octets[before]);
        let alone = before.is_none_or(|octet| b" \t\n:;#<>([\"'-".contains(&octet));
        let ends = octets.get(end).is_none_or(|octet| b" \t\n-:;,)]#\"'".contains(octet));
        if alone && ends && length == 3 {
            let digits = &octets[start..end];
            if matches!(digits[0], b'4' | b'5') && (b'0'..=b'5').contains(&digits[1]) {
                return text[start..end].parse().ok();
            }
        }
        from = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, status: Option<&str>, reply: Option<u16>) {
        assert_eq!(EnhancedStatus::find(text).map(|status| status.to_string()).as_deref(), status, "{text}");
        assert_eq!(reply_code(text), reply, "{text}");
    }

    #[test]
    fn codes_are_found_and_numbers_are_not() {
        check("550 5.1.1 <a@example.jp>... User unknown", Some("5.1.1"), Some(550));
        check("smtp;550-5.7.26 unauthenticated", Some("5.7.26"), Some(550));
        check("no mailbox here by that name (#5.1.1 - chkusr)", Some("5.1.1"), None);
        check("host mx.example.jp[192.0.2.5] said: 450 try again", None, Some(450));
        check("4.4.2.1 is an address, 5.0.0.", Some("5.0.0"), None);
        check("5.1 5.1.1234 v4.1.1 2.1.5", Some("2.1.5"), None);
        check("25 1550 5500 680 299", None, None);
        check("<<< 554", None, Some(554));
        check("", None, None);
    }
}
