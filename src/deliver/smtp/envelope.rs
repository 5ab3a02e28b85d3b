//! Envelopes: from whom and to whom, as the server is told.

use std::fmt::Write;

use lettre::Address;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

use super::extensions::Extensions;
use super::mail_data::MailData;
use crate::model::EmailAddress;

/// From whom and to whom. Its addresses are validated, so no control character can reach a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go; none is the empty path `<>`, which no bounce answers.
    pub sender: Option<EmailAddress>,
    /// The one reader.
    pub recipient: EmailAddress,
}

/// A mail as it goes to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// From whom and to whom.
    pub envelope: Envelope,
    /// The message.
    pub data: MailData,
}

/// MAIL, RCPT and DATA of a mail, each with its line end.
pub(super) struct Commands {
    pub(super) octets: String,
    /// Where MAIL and RCPT end.
    pub(super) ends: [usize; 2],
}

impl Commands {
    /// The commands as a server of these extensions is given them, behind what is to stand before them.
    pub(super) fn of(mail: &Mail, extensions: &Extensions, before: &str) -> Commands {
        let mut parameters = Vec::new();
        if extensions.size {
            parameters.push(MailParameter::Size(mail.data.size()));
        }
        // Told only where it is true, so that a relay may keep the message as it is.
        if extensions.eight_bit_mime && mail.data.is_eight_bit() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let mut octets = String::with_capacity(256);
        octets.push_str(before);
        let mut ends = [0; 2];
        let mail_from = MailFrom::new(mail.envelope.sender.as_ref().map(path), parameters);
        let rcpt = Rcpt::new(path(&mail.envelope.recipient), Vec::new());
        // Writing into a string does not fail.
        let _ = write!(octets, "{mail_from}");
        ends[0] = octets.len();
        let _ = write!(octets, "{rcpt}");
        ends[1] = octets.len();
        let _ = write!(octets, "{Data}");
        Commands { octets, ends }
    }
}

/// An address as it stands between angle brackets. Dots where RFC 5321 allows none are quoted:
/// `"a..b"@docomo.ne.jp`. lettre would refuse such a one, and lets anything through unchecked; ours is
/// checked already.
fn path(address: &EmailAddress) -> Address {
    if address.is_legacy() {
        Address::new_dangerous(format!("\"{}\"", address.local_part()), address.domain())
    } else {
        Address::new_dangerous(address.local_part(), address.domain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sender: &str, recipient: &str, message: &[u8], extensions: &Extensions, expected: &str) {
        let address = |text: &str| EmailAddress::parse_legacy(text).unwrap();
        let sender = (!sender.is_empty()).then(|| address(sender));
        let envelope = Envelope { sender, recipient: address(recipient) };
        let mail = Mail { envelope, data: MailData::new(message.to_vec()).unwrap() };
        assert_eq!(Commands::of(&mail, extensions, "").octets, format!("{expected}\r\nDATA\r\n"));
    }

    #[test]
    fn commands_say_what_the_server_understands() {
        let none = Extensions::default();
        let all = Extensions { size: true, eight_bit_mime: true, pipelining: true, ..none.clone() };
        let eight_bit = "あ\r\n".as_bytes();
        check("b@m.jp", "a@x.jp", b"x\r\n", &none, "MAIL FROM:<b@m.jp>\r\nRCPT TO:<a@x.jp>");
        check("b@m.jp", "a@x.jp", b"x\r\n", &all, "MAIL FROM:<b@m.jp> SIZE=3\r\nRCPT TO:<a@x.jp>");
        check("", "a@x.jp", eight_bit, &all, "MAIL FROM:<> SIZE=5 BODY=8BITMIME\r\nRCPT TO:<a@x.jp>");
        check("", "a@x.jp", eight_bit, &none, "MAIL FROM:<>\r\nRCPT TO:<a@x.jp>");
        let old = "a..b@docomo.ne.jp";
        check("b@m.jp", old, b"x\r\n", &none, "MAIL FROM:<b@m.jp>\r\nRCPT TO:<\"a..b\"@docomo.ne.jp>");
    }
}
