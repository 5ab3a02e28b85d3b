//! An SMTP server on this machine that does as it is told: well, or badly at one stage.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mailmag::deliver::smtp::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// What a server does, and what goes wrong.
#[derive(Clone)]
pub(crate) struct Script {
    /// The keywords at EHLO.
    pub(crate) offers: Vec<&'static str>,
    pub(crate) security: Security,
    pub(crate) plays: Vec<Play>,
    /// Whether DATA is granted though the recipient was refused, as RFC 2920 allows.
    pub(crate) asks_for_nothing: bool,
    /// Whom AUTH lets in: the decoded words of PLAIN and LOGIN in a row.
    pub(crate) login: &'static str,
    /// The domain whose users are all unknown; none where it is empty.
    pub(crate) unknown: &'static str,
}

/// How the server speaks TLS.
#[derive(Clone)]
pub(crate) enum Security {
    Clear,
    Implicit(Arc<ServerConfig>),
    StartTls(Arc<ServerConfig>),
}

/// What happens when a stage is reached for the `nth` time, counted over all connections from 0; `None` is
/// every time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Play {
    pub(crate) stage: Stage,
    pub(crate) nth: Option<usize>,
    pub(crate) act: Act,
}

impl Play {
    pub(crate) fn always(stage: Stage, act: Act) -> Play {
        Play { stage, nth: None, act }
    }

    pub(crate) fn nth(stage: Stage, nth: usize, act: Act) -> Play {
        Play { stage, nth: Some(nth), act }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// These octets instead of the right reply.
    Say(&'static [u8]),
    /// These octets, and the end of the connection.
    SayAndCut(&'static [u8]),
    /// The right reply, twice at once.
    Twice,
    /// The right reply, but so much later.
    Late(Duration),
    /// Nothing, for ever.
    Hang,
    /// The end of the connection.
    Cut,
    /// A reset.
    Reset,
}

/// A mail that the server has taken, whether or not it could say so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    pub(crate) sender: String,
    pub(crate) recipient: String,
    /// The message, no dot doubled.
    pub(crate) octets: Vec<u8>,
}

/// What has happened on a server.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) taken: Vec<Taken>,
    /// When each of them was taken.
    times: Vec<Instant>,
    /// Every command line, octets of mails left out.
    pub(crate) commands: Vec<String>,
    pub(crate) connections: usize,
    /// How many are open, and were at once at the most.
    open: usize,
    most_open: usize,
    reached: HashMap<Stage, usize>,
}

pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    record: Arc<Mutex<Record>>,
}

impl SmtpServer {
    /// Listens on this machine until the test's runtime ends.
    pub(crate) async fn start(script: Script) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let record = Arc::new(Mutex::new(Record::default()));
        let server = SmtpServer { port, record: Arc::clone(&record) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let opened = Opened::new(&record);
                tokio::spawn(serve(stream, script.clone(), opened));
            }
        });
        server
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.record.lock().unwrap().taken.clone()
    }

    /// How many it has taken so far.
    pub(crate) fn taken_so_far(&self) -> usize {
        self.record.lock().unwrap().taken.len()
    }

    /// When each mail was taken, in order.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.record.lock().unwrap().times.clone()
    }

    /// How many connections were open at once, at the most.
    pub(crate) fn most_open(&self) -> usize {
        self.record.lock().unwrap().most_open
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.record.lock().unwrap().commands.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.record.lock().unwrap().connections
    }
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// An open connection. It counts as closed before the client can see that it is.
struct Opened(Arc<Mutex<Record>>);

impl Opened {
    fn new(record: &Arc<Mutex<Record>>) -> Opened {
        let mut counts = record.lock().unwrap();
        counts.connections += 1;
        counts.open += 1;
        counts.most_open = counts.most_open.max(counts.open);
        Opened(Arc::clone(record))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.lock().unwrap().open -= 1;
    }
}

struct Session {
    /// Dropped before the stream.
    opened: Option<Opened>,
    stream: Option<Stream>,
    buffer: Vec<u8>,
    script: Script,
    record: Arc<Mutex<Record>>,
}

/// The connection is over.
struct Over;

async fn serve(stream: TcpStream, script: Script, opened: Opened) {
    let record = Arc::clone(&opened.0);
    let stream = match &script.security {
        Security::Implicit(config) => match TlsAcceptor::from(Arc::clone(config)).accept(stream).await {
            Ok(stream) => Stream::Tls(Box::new(stream)),
            Err(_) => return,
        },
        _ => Stream::Clear(stream),
    };
    let mut session =
        Session { opened: Some(opened), stream: Some(stream), buffer: Vec::new(), script, record };
    let Err(Over) = session.talk().await;
}

impl Session {
    async fn talk(&mut self) -> Result<std::convert::Infallible, Over> {
        self.answer(Stage::Banner, "220 scripted ESMTP").await?;
        let (mut sender, mut recipient) = (None, None);
        loop {
            let line = self.line().await?;
            self.record.lock().unwrap().commands.push(line.clone());
            let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            let path = || rest.split(['<', '>']).nth(1).map(str::to_owned);
            match verb {
                "EHLO" => {
                    let lines: Vec<&str> =
                        ["scripted"].into_iter().chain(self.script.offers.iter().copied()).collect();
                    let last = lines.len() - 1;
                    let reply: Vec<String> = (lines.iter().enumerate())
                        .map(|(at, line)| format!("250{}{line}", if at == last { ' ' } else { '-' }))
                        .collect();
                    self.answer(Stage::Ehlo, &reply.join("\r\n")).await?;
                }
                "STARTTLS" => {
                    self.answer(Stage::StartTls, "220 go ahead").await?;
                    let Some(Stream::Clear(stream)) = self.stream.take() else { return Err(Over) };
                    let Security::StartTls(config) = &self.script.security else { return Err(Over) };
                    let stream = TlsAcceptor::from(Arc::clone(config)).accept(stream).await;
                    self.stream = Some(Stream::Tls(Box::new(stream.map_err(|_| Over)?)));
                    self.buffer.clear();
                }
                "AUTH" => {
                    let words = match rest.split_once(' ') {
                        Some((_, initial)) => decoded(initial),
                        None => {
                            self.say(b"334 VXNlcm5hbWU6\r\n").await?;
                            let user = decoded(&self.line().await?);
                            self.say(b"334 UGFzc3dvcmQ6\r\n").await?;
                            format!("\0{user}\0{}", decoded(&self.line().await?))
                        }
                    };
                    let is_in = words == self.script.login;
                    let reply = if is_in { "235 2.7.0 welcome" } else { "535 5.7.8 wrong" };
                    self.answer(Stage::Auth, reply).await?;
                }
                "MAIL" => {
                    sender = path();
                    if !self.answer(Stage::Mail, "250 2.1.0 ok").await? {
                        sender = None;
                    }
                }
                "RCPT" if sender.is_some() => {
                    recipient = path();
                    let domain = recipient.as_deref().and_then(|path| path.rsplit('@').next());
                    if domain == Some(self.script.unknown) {
                        recipient = None;
                        self.say(b"550 5.1.1 unknown user\r\n").await?;
                        continue;
                    }
                    if !self.answer(Stage::Rcpt, "250 2.1.5 ok").await? {
                        recipient = None;
                    }
                }
                "DATA" if recipient.is_some() => {
                    if !self.answer(Stage::Data, "354 go ahead").await? {
                        continue;
                    }
                    let octets = self.octets().await?;
                    let (sender, recipient) = (sender.take().unwrap(), recipient.take().unwrap());
                    self.judge(Taken { sender, recipient, octets }).await?;
                }
                "DATA" if sender.is_some() && self.script.asks_for_nothing => {
                    self.say(b"354 go ahead\r\n").await?;
                    let octets = self.octets().await?;
                    self.record.lock().unwrap().commands.push(format!("({} octets)", octets.len()));
                    self.say(b"554 5.5.1 no valid recipients\r\n").await?;
                }
                "RSET" => {
                    (sender, recipient) = (None, None);
                    self.answer(Stage::Reset, "250 2.0.0 ok").await?;
                }
                "QUIT" => {
                    self.opened = None;
                    self.say(b"221 2.0.0 bye\r\n").await?;
                    return Err(Over);
                }
                _ => self.say(b"503 5.5.1 bad sequence\r\n").await?,
            }
        }
    }

    /// The last dot's reply; a mail is taken unless it is refused.
    async fn judge(&mut self, mail: Taken) -> Result<(), Over> {
        let act = self.act(Stage::Dot);
        let is_refused =
            matches!(act, Some(Act::Say(reply) | Act::SayAndCut(reply)) if reply.first() != Some(&b'2'));
        if !is_refused {
            let mut record = self.record.lock().unwrap();
            record.taken.push(mail);
            record.times.push(Instant::now());
        }
        self.play(act, "250 2.0.0 queued").await.map(drop)
    }

    /// What is to happen at a stage that is reached now.
    fn act(&mut self, stage: Stage) -> Option<Act> {
        let mut record = self.record.lock().unwrap();
        let nth = record.reached.entry(stage).or_default();
        let play =
            self.script.plays.iter().find(|play| play.stage == stage && play.nth.is_none_or(|at| at == *nth));
        *nth += 1;
        play.map(|play| play.act)
    }

    /// Answers, and tells whether what was asked was granted.
    async fn answer(&mut self, stage: Stage, right: &str) -> Result<bool, Over> {
        let act = self.act(stage);
        self.play(act, right).await
    }

    async fn play(&mut self, act: Option<Act>, right: &str) -> Result<bool, Over> {
        let right = format!("{right}\r\n");
        match act {
            None => self.say(right.as_bytes()).await?,
            Some(Act::Twice) => self.say(right.repeat(2).as_bytes()).await?,
            Some(Act::Say(octets)) => {
                self.say(octets).await?;
                return Ok(matches!(octets.first(), Some(b'2' | b'3')));
            }
            Some(Act::SayAndCut(octets)) => {
                self.say(octets).await?;
                return Err(Over);
            }
            Some(Act::Late(wait)) => {
                tokio::time::sleep(wait).await;
                self.say(right.as_bytes()).await?;
            }
            Some(Act::Hang) => std::future::pending().await,
            Some(Act::Cut) => return Err(Over),
            Some(Act::Reset) => {
                if let Some(Stream::Clear(stream)) = &self.stream {
                    stream.set_zero_linger().unwrap();
                }
                return Err(Over);
            }
        }
        Ok(true)
    }

    async fn line(&mut self) -> Result<String, Over> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).map_err(|_| Over);
            }
            self.read().await?;
        }
    }

    /// A mail's octets, as a strict server reads them: CR LF dot CR LF alone ends them.
    async fn octets(&mut self) -> Result<Vec<u8>, Over> {
        let body = self.act(Stage::Body);
        if let Some(act) = body {
            self.read().await?;
            self.play(Some(act), "250 already").await?;
        }
        let (mut octets, mut seen) = (Vec::new(), 0);
        loop {
            while let Some(length) = self.buffer[seen..].windows(2).position(|pair| pair == b"\r\n") {
                let line = &self.buffer[seen..seen + length];
                seen += length + 2;
                if line == b"." {
                    self.buffer.drain(..seen);
                    return Ok(octets);
                }
                octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
                octets.extend_from_slice(b"\r\n");
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Over> {
        let read = match self.stream.as_mut().unwrap() {
            Stream::Clear(stream) => stream.read_buf(&mut self.buffer).await,
            Stream::Tls(stream) => stream.read_buf(&mut self.buffer).await,
        };
        if matches!(read, Ok(count) if count > 0) { Ok(()) } else { Err(Over) }
    }

    async fn say(&mut self, octets: &[u8]) -> Result<(), Over> {
        match self.stream.as_mut().unwrap() {
            Stream::Clear(stream) => stream.write_all(octets).await.map_err(|_| Over),
            Stream::Tls(stream) => {
                stream.write_all(octets).await.map_err(|_| Over)?;
                stream.flush().await.map_err(|_| Over)
            }
        }
    }
}

fn decoded(word: &str) -> String {
    use base64::Engine;
    let octets = base64::engine::general_purpose::STANDARD.decode(word.trim()).unwrap();
    String::from_utf8(octets).unwrap()
}
