//! A server that a mailing is rehearsed with: it listens on this machine alone, takes every message, looks at it, and
//! keeps nothing but sums.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use memchr::{memchr, memmem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::digest::sha256_octets;

/// The server.
#[derive(Debug)]
pub struct Sink {
    listener: TcpListener,
    received: Arc<Mutex<Received>>,
}

/// What a server has received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// How many messages.
    pub messages: u64,
    /// How many octets they have, as SIZE counts them (RFC 1870).
    pub octets: u64,
    /// Whom they went to.
    pub recipients: Crowd,
    /// What was wrong, and how often.
    pub faults: BTreeMap<&'static str, u64>,
}

/// Addresses in any order, each as often as it was added, told from others by a sum of their digests: memory does not
/// grow with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    number: u64,
    sum: u128,
}

impl Crowd {
    /// Adds an address.
    pub fn add(&mut self, address: &str) {
        let digest = sha256_octets(address.as_bytes());
        let half = digest.first_chunk().map_or(0, |half| u128::from_be_bytes(*half));
        self.number += 1;
        self.sum = self.sum.wrapping_add(half);
    }
}

/// More octets than these in one line are no mail of ours.
const LONGEST: usize = 1 << 20;

impl Sink {
    /// A server on a free port of this machine.
    ///
    /// # Errors
    /// When there is none.
    pub fn bind() -> io::Result<Sink> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Sink { listener, received: Arc::default() })
    }

    /// Its port.
    ///
    /// # Errors
    /// What the system says.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Begins to answer, beside the other tasks.
    ///
    /// # Errors
    /// What the system says.
    pub fn serve(&self) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        let all = self.received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let received = all.clone();
                // A connection that ends in the middle leaves a delivery in doubt: the sums tell that.
                tokio::spawn(async move { Talk::new(stream, received).run().await.ok() });
            }
        });
        Ok(())
    }

    /// What it has received so far.
    pub fn received(&self) -> Received {
        self.received.lock().map_or_else(|broken| broken.into_inner().clone(), |received| received.clone())
    }
}

/// One connection.
struct Talk {
    stream: TcpStream,
    received: Arc<Mutex<Received>>,
    /// What came and was not looked at yet stands behind `at`.
    input: Vec<u8>,
    at: usize,
    /// What is to be answered when the client waits for it.
    output: Vec<u8>,
}

/// What a mail's commands said.
#[derive(Default)]
struct Transaction {
    size: Option<u64>,
    recipients: Vec<String>,
}

impl Talk {
    fn new(stream: TcpStream, received: Arc<Mutex<Received>>) -> Talk {
        Talk { stream, received, input: Vec::new(), at: 0, output: Vec::new() }
    }

    async fn run(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.answer("220 rehearsal ESMTP");
        let mut mail = Transaction::default();
        while let Some(end) = self.line().await? {
            let line = String::from_utf8_lossy(&self.input[self.at..end]).trim_end().to_owned();
            self.at = end;
            match line.get(..4).map(str::to_ascii_uppercase).as_deref() {
                Some("EHLO") => self.answer("250-rehearsal\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0"),
                Some("HELO" | "NOOP") => self.answer("250 2.0.0 Ok"),
                Some("RSET") => {
                    mail = Transaction::default();
                    self.answer("250 2.0.0 Ok");
                }
                Some("MAIL") => {
                    let size = line.split(' ').find_map(|word| word.strip_prefix("SIZE="));
                    mail = Transaction { size: size.and_then(|size| size.parse().ok()), ..mail };
                    self.answer("250 2.1.0 Ok");
                }
                Some("RCPT") => {
                    let path = line.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>'));
                    // What stands in quotes there is the same address without them.
                    mail.recipients.push(path.map_or("", |(path, _)| path).replace('"', ""));
                    self.answer("250 2.1.5 Ok");
                }
                Some("DATA") => {
                    self.answer("354 End with a dot");
                    if !self.message(std::mem::take(&mut mail)).await? {
                        return Ok(());
                    }
                    self.answer("250 2.0.0 Ok: rehearsed");
                }
                Some("QUIT") => {
                    self.answer("221 2.0.0 Bye");
                    return self.stream.write_all(&self.output).await;
                }
                _ => self.answer("500 5.5.2 Not understood"),
            }
        }
        Ok(())
    }

    /// Reads a message to its last dot and counts it; false when it has none.
    async fn message(&mut self, mail: Transaction) -> io::Result<bool> {
        let mut octets = 0;
        let mut faults: Vec<&'static str> = Vec::new();
        let (mut is_header, mut named) = (true, Vec::new());
        loop {
            let Some(end) = self.line().await? else { return Ok(false) };
            let line = &self.input[self.at..end];
            self.at = end;
            if line == b".\r\n" {
                break;
            }
            let line = line.strip_prefix(b".").unwrap_or(line);
            octets += line.len() as u64;
            let text = line.strip_suffix(b"\r\n").unwrap_or_else(|| {
                faults.push("a line without CR LF at its end");
                line
            });
            if memchr(b'\r', text).is_some() {
                faults.push("a CR within a line");
            }
            // RFC 5322, section 2.1.1.
            if text.len() > 998 {
                faults.push("a line of more than 998 octets");
            }
            is_header &= !text.is_empty();
            if is_header {
                named.extend_from_slice(text);
                named.push(b'\n');
            }
        }
        if mail.size.is_some_and(|size| size != octets) {
            faults.push("another size than was told");
        }
        match &mail.recipients[..] {
            [recipient] if !names(&named, recipient) => faults.push("a To that is not the recipient's"),
            [_] => {}
            _ => faults.push("another number of recipients than one"),
        }
        faults.sort_unstable();
        faults.dedup();
        if let Ok(mut received) = self.received.lock() {
            received.messages += 1;
            received.octets += octets;
            mail.recipients.iter().for_each(|recipient| received.recipients.add(recipient));
            faults.into_iter().for_each(|fault| *received.faults.entry(fault).or_default() += 1);
        }
        Ok(true)
    }

    /// Where the next line ends, behind its line feed; nothing when no more comes. What was to be answered is, before
    /// anything is waited for.
    async fn line(&mut self) -> io::Result<Option<usize>> {
        let mut looked = self.at;
        loop {
            if let Some(found) = memchr(b'\n', &self.input[looked..]) {
                return Ok(Some(looked + found + 1));
            }
            self.input.drain(..self.at);
            self.at = 0;
            looked = self.input.len();
            if looked > LONGEST {
                return Err(io::Error::other("a line without an end"));
            }
            if !self.output.is_empty() {
                self.stream.write_all(&self.output).await?;
                self.output.clear();
            }
            self.input.reserve(1 << 14);
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn answer(&mut self, reply: &str) {
        self.output.extend_from_slice(reply.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }
}

/// Whether a header has one To, and that names an address.
fn names(header: &[u8], address: &str) -> bool {
    let lines: Vec<&[u8]> = header.split(|octet| *octet == b'\n').collect();
    let is_to = |line: &[u8]| line.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(b"to:"));
    let mut places = (0..lines.len()).filter(|at| is_to(lines[*at]));
    let (Some(first), None) = (places.next(), places.next()) else { return false };
    let folded =
        lines[first + 1..].iter().take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t"));
    let whole: Vec<u8> = lines[first].iter().chain(folded.copied().flatten()).copied().collect();
    let plain: Vec<u8> = whole.into_iter().filter(|octet| *octet != b'"').collect();
    memmem::find(&plain, address.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_told_by_who_is_in_it_and_how_often() {
        let of = |addresses: &[&str]| {
            let mut crowd = Crowd::default();
            addresses.iter().for_each(|address| crowd.add(address));
            crowd
        };
        let one = of(&["a@a.example", "b@a.example", "c@a.example"]);
        assert_eq!(one, of(&["c@a.example", "a@a.example", "b@a.example"]));
        for other in [
            &["a@a.example", "b@a.example"][..],
            &["a@a.example", "b@a.example", "b@a.example"],
            &["a@a.example", "b@a.example", "d@a.example"],
            &[],
        ] {
            assert_ne!(one, of(other), "{other:?}");
        }
    }

    /// What the server says of what a client writes.
    fn check(mail: &str, recipients: &[&str], message: &str, faults: &[&str]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let received = runtime.block_on(async {
            let sink = Sink::bind().unwrap();
            sink.serve().unwrap();
            let mut stream = TcpStream::connect(("127.0.0.1", sink.port().unwrap())).await.unwrap();
            let recipients: String =
                recipients.iter().map(|address| format!("RCPT TO:<{address}>\r\n")).collect();
            // All at once, as a client may that is offered PIPELINING.
            let talk = format!("EHLO a.example\r\n{mail}\r\n{recipients}DATA\r\n{message}.\r\nQUIT\r\n");
            stream.write_all(talk.as_bytes()).await.unwrap();
            let mut told = String::new();
            stream.read_to_string(&mut told).await.unwrap();
            assert!(told.starts_with("220 ") && told.ends_with("221 2.0.0 Bye\r\n"), "{told}");
            sink.received()
        });
        assert_eq!(received.messages, 1);
        assert_eq!(received.faults.keys().copied().collect::<Vec<_>>(), faults, "{message:?}");
    }

    #[test]
    fn what_is_wrong_with_a_message_is_told() {
        let one = &["a@a.example"][..];
        let good = "To: <a@a.example>\r\n\r\n..x\r\n";
        check("MAIL FROM:<b@b.example> SIZE=25", one, good, &[]);
        check("MAIL FROM:<b@b.example>", one, good, &[]);
        check("MAIL FROM:<b@b.example> SIZE=26", one, good, &["another size than was told"]);
        check(
            "MAIL FROM:<b@b.example>",
            &["a@a.example", "c@a.example"],
            good,
            &["another number of recipients than one"],
        );
        let not_his = &["a To that is not the recipient's"][..];
        check("MAIL FROM:<b@b.example>", &["c@a.example"], good, not_his);
        check("MAIL FROM:<b@b.example>", one, "Subject: x\r\n\r\nTo: <a@a.example>\r\n", not_his);
        check("MAIL FROM:<b@b.example>", one, &format!("To: <a@a.example>\r\n{good}"), not_his);
        check("MAIL FROM:<b@b.example>", one, "To: x\r\n <a@a.example>\r\n\r\n", &[]);
        check("MAIL FROM:<b@b.example>", &["\"a..b\"@a.example"], "To: <\"a..b\"@a.example>\r\n\r\n", &[]);
        let bare = &["a line without CR LF at its end"][..];
        check("MAIL FROM:<b@b.example>", one, "To: <a@a.example>\r\n\r\nx\ny\r\n", bare);
        check("MAIL FROM:<b@b.example>", one, "To: <a@a.example>\r\n\r\nx\ry\r\n", &["a CR within a line"]);
        let long = format!("To: <a@a.example>\r\n\r\n{}\r\n", "x".repeat(999));
        check("MAIL FROM:<b@b.example>", one, &long, &["a line of more than 998 octets"]);
    }
}
