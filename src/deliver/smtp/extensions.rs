//! What a server offers at EHLO (RFC 5321, section 4.1.1.1).

use super::reply::Reply;

/// The extensions that we use, as a server offers them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Commands may travel together (RFC 2920).
    pub pipelining: bool,
    /// Messages may have octets of 8 bits (RFC 6152).
    pub eight_bit_mime: bool,
    /// TLS may be asked for (RFC 3207).
    pub starttls: bool,
    /// The size may be told beforehand (RFC 1870).
    pub size: bool,
    /// The largest message, in octets, where the server says so.
    pub largest: Option<usize>,
    /// AUTH PLAIN (RFC 4954, RFC 4616).
    pub auth_plain: bool,
    /// AUTH LOGIN, which some services offer alone.
    pub auth_login: bool,
}

impl Extensions {
    /// Reads the reply to EHLO; its first line is the server's name, and unknown keywords are passed over.
    pub fn of(reply: &Reply) -> Extensions {
        let mut extensions = Extensions::default();
        for line in reply.lines().skip(1) {
            let line = String::from_utf8_lossy(line).to_ascii_uppercase();
            // `AUTH=` is how servers wrote it before the standard.
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("PIPELINING") => extensions.pipelining = true,
                Some("8BITMIME") => extensions.eight_bit_mime = true,
                Some("STARTTLS") => extensions.starttls = true,
                Some("SIZE") => {
                    extensions.size = true;
                    // Zero is no limit.
                    extensions.largest =
                        words.next().and_then(|size| size.parse().ok()).filter(|&size| size > 0);
                }
                Some("AUTH") => {
                    for mechanism in words {
                        extensions.auth_plain |= mechanism == "PLAIN";
                        extensions.auth_login |= mechanism == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        extensions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read() {
        let none = Extensions::default;
        let cases: [(&[u8], Extensions); 10] = [
            (b"mail.example.jp", none()),
            (b"PIPELINING", none()),
            (b"mail\nPIPELINING", Extensions { pipelining: true, ..none() }),
            (b"mail\npipelining\nX-\xff", Extensions { pipelining: true, ..none() }),
            (b"mail\nSIZE 10240000", Extensions { size: true, largest: Some(10_240_000), ..none() }),
            (b"mail\nSIZE 0\n8BITMIME", Extensions { size: true, eight_bit_mime: true, ..none() }),
            (b"mail\nSIZE", Extensions { size: true, ..none() }),
            (b"mail\nAUTH CRAM-MD5 LOGIN", Extensions { auth_login: true, ..none() }),
            (
                b"mail\nAUTH=PLAIN LOGIN\nSMTPUTF8",
                Extensions { auth_plain: true, auth_login: true, ..none() },
            ),
            (b"mail\nSTARTTLS", Extensions { starttls: true, ..none() }),
        ];
        for (text, expected) in cases {
            assert_eq!(Extensions::of(&Reply::new(250, text)), expected, "{}", text.escape_ascii());
        }
    }
}
