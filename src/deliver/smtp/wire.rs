//! The connection's octets: replies in, commands and mails out, each within a time limit.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::outcome::Failure;
use super::reply::{Parsed, Reply, parse};

/// How many octets are read at once.
const READ: usize = 4 * 1024;
/// How many octets of what is no reply are kept.
const GARBAGE: usize = 200;

/// A stream, in the clear or not.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A stream, and what was read from it ahead.
pub(super) struct Wire {
    stream: Stream,
    buffer: Vec<u8>,
    /// Where in the buffer the next reply begins.
    start: usize,
}

/// A write that failed.
pub(super) struct Unwritten {
    /// How many octets may be out; never fewer than are.
    pub(super) written: usize,
    pub(super) failure: Failure,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Wire {
        Wire { stream, buffer: Vec::new(), start: 0 }
    }

    /// The next reply.
    pub(super) async fn reply(&mut self, limit: Duration) -> Result<Reply, Failure> {
        // Replies that travelled together are in the buffer already, and need no timer.
        if let Some(reply) = self.buffered()? {
            return Ok(reply);
        }
        let read = async {
            loop {
                self.buffer.reserve(READ);
                match self.stream.read_buf(&mut self.buffer).await {
                    Ok(0) => return Err(Failure::Cut),
                    Ok(_) => {}
                    Err(error) => return Err(read_failure(&error)),
                }
                if let Some(reply) = self.buffered()? {
                    return Ok(reply);
                }
            }
        };
        timeout(limit, read).await.unwrap_or(Err(Failure::Silence))
    }

    /// A reply that was read already.
    fn buffered(&mut self) -> Result<Option<Reply>, Failure> {
        let octets = &self.buffer[self.start..];
        match parse(octets) {
            Parsed::Reply(reply, used) => {
                self.start += used;
                if self.start == self.buffer.len() {
                    self.buffer.clear();
                    self.start = 0;
                }
                Ok(Some(reply))
            }
            Parsed::Incomplete => Ok(None),
            Parsed::Garbage => Err(Failure::Garbage(octets[..octets.len().min(GARBAGE)].to_vec())),
            Parsed::TooLong => Err(Failure::TooLong),
        }
    }

    /// Makes sure that nothing has come that answers nothing: a server that is a reply ahead would have the
    /// next mail believed accepted before it is sent. Does not wait.
    pub(super) async fn is_quiet(&mut self) -> Result<(), Failure> {
        if self.has_surplus() {
            return Err(Failure::OutOfStep);
        }
        let mut octets = [0; READ];
        poll_fn(|context| {
            let mut read = ReadBuf::new(&mut octets);
            Poll::Ready(match Pin::new(&mut self.stream).poll_read(context, &mut read) {
                Poll::Pending => Ok(()),
                Poll::Ready(Ok(())) if read.filled().is_empty() => Err(Failure::Cut),
                Poll::Ready(Ok(())) => Err(Failure::OutOfStep),
                Poll::Ready(Err(error)) => Err(read_failure(&error)),
            })
        })
        .await
    }

    /// A reply that was not waited for: a server may have said why it stopped listening.
    pub(super) async fn unasked_reply(&mut self) -> Option<Reply> {
        let mut octets = [0; READ];
        let count = poll_fn(|context| {
            let mut read = ReadBuf::new(&mut octets);
            Poll::Ready(match Pin::new(&mut self.stream).poll_read(context, &mut read) {
                Poll::Ready(Ok(())) => read.filled().len(),
                _ => 0,
            })
        })
        .await;
        self.buffer.extend_from_slice(&octets[..count]);
        self.buffered().ok().flatten()
    }

    /// Whether octets were read that no command has asked for.
    pub(super) fn has_surplus(&self) -> bool {
        self.start < self.buffer.len()
    }

    /// Writes two runs of octets as one; `limit` is how long none may be taken.
    pub(super) async fn write(
        &mut self,
        first: &[u8],
        second: &[u8],
        limit: Duration,
    ) -> Result<(), Unwritten> {
        let whole = first.len() + second.len();
        let mut written = 0;
        while written < whole {
            let rest = [
                IoSlice::new(&first[written.min(first.len())..]),
                IoSlice::new(&second[written.saturating_sub(first.len())..]),
            ];
            let rest = if written < first.len() { &rest[..] } else { &rest[1..] };
            match timeout(limit, self.stream.write_vectored(rest)).await {
                Ok(Ok(0)) => return Err(Unwritten { written, failure: Failure::Cut }),
                Ok(Ok(count)) => written += count,
                Ok(Err(error)) => return Err(Unwritten { written, failure: Failure::Io(error.kind()) }),
                Err(_) => return Err(Unwritten { written, failure: Failure::Silence }),
            }
        }
        // Under TLS what was taken may not be out yet: it counts as out.
        match timeout(limit, self.stream.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Unwritten { written, failure: Failure::Io(error.kind()) }),
            Err(_) => Err(Unwritten { written, failure: Failure::Silence }),
        }
    }

    /// Tells the other side that nothing more will come.
    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// The stream itself, for a handshake; none when something was read ahead, which came in the clear.
    pub(super) fn into_plain(self) -> Option<TcpStream> {
        match self.stream {
            Stream::Plain(stream) if self.start == self.buffer.len() => Some(stream),
            _ => None,
        }
    }
}

fn read_failure(error: &io::Error) -> Failure {
    // TLS that ends without its farewell is as good as cut.
    if error.kind() == io::ErrorKind::UnexpectedEof { Failure::Cut } else { Failure::Io(error.kind()) }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, octets),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, octets),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        runs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, runs),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(context, runs),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
