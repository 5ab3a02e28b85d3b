//! The accept loop: HTTP/1.1 on connections of which there are only so many, each with only so much time.
//!
//! `axum::serve` waits for ever on a client that sends half a header. Here every wait ends: for a header, for an answer,
//! for a client to take one. Connections that do nothing take no places that others need.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use ipnet::IpNet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service;

use super::network::{Network, is_trusted};
use super::places::{Place, Places};
use super::stall::Stall;
use crate::web::interrupted::until_true;

/// The most that is kept of what a client sent and nobody has read yet, in octets; a head must fit into it.
const BUFFER: usize = 16 * 1024;
/// The most header fields of a request.
const MOST_HEADERS: usize = 64;
/// How long a connection without a request has, once the service ends, to turn out to have one.
const LAST_CALL: Duration = Duration::from_millis(200);
/// How many of those for whom there is no place are told so at once; more are cut off.
const MOST_REFUSALS: usize = 64;
/// How long after a failed accept the next is tried: what is lacking (file descriptors, memory) comes back when others
/// have gone.
const RECOVERY: Duration = Duration::from_millis(100);

/// How long each wait may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a whole request head, and between two requests.
    pub head: Duration,
    /// For the whole of a form.
    pub form: Duration,
    /// For an answer to be made, the form included.
    pub answer: Duration,
    /// For a client to take a part of an answer.
    pub taking: Duration,
    /// For the requests in work when the service ends.
    pub farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            head: Duration::from_secs(10),
            form: Duration::from_secs(10),
            answer: Duration::from_secs(15),
            taking: Duration::from_secs(15),
            farewell: Duration::from_secs(20),
        }
    }
}

/// The address that a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who may connect, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    pub(super) places: Places,
    pub(super) patience: Patience,
    pub(super) trusted_proxies: Arc<[IpNet]>,
}

/// Answers connections until `ends` becomes true; then finishes the requests in work and closes the rest.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    doors: Doors,
    mut ends: watch::Receiver<bool>,
) {
    let refusals = Arc::new(Semaphore::new(MOST_REFUSALS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = until_true(&mut ends) => break,
        };
        match accepted {
            Ok((stream, peer)) => welcome(stream, peer, &router, &doors, &refusals, &ends, &mut connections),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                sleep(RECOVERY).await;
            }
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    // Whoever has not finished by then is cut off as the set is dropped.
    let _ = timeout(doors.patience.farewell, rest).await;
}

fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Router,
    doors: &Doors,
    refusals: &Arc<Semaphore>,
    ends: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let peer = peer.ip().to_canonical();
    let network = (!is_trusted(peer, &doors.trusted_proxies)).then(|| Network::of(peer));
    match doors.places.take(network) {
        Some(place) => {
            connections.spawn(connection(stream, peer, router.clone(), doors.patience, place, ends.clone()));
        }
        None => {
            if let Ok(permit) = refusals.clone().try_acquire_owned() {
                connections.spawn(async move {
                    let _ = timeout(Duration::from_secs(2), refuse(stream)).await;
                    drop(permit);
                });
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
    patience: Patience,
    place: Place,
    mut ends: watch::Receiver<bool>,
) {
    // An answer is one piece, and nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let is_at_work = Arc::new(AtomicBool::new(false));
    let at_work = is_at_work.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        at_work.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let answer = router.clone().call(request);
        let at_work = at_work.clone();
        async move {
            let answer: Result<Response<Body>, Infallible> = answer.await;
            at_work.store(false, Ordering::Relaxed);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(BUFFER)
        .max_headers(MOST_HEADERS)
        .serve_connection(Stall::new(stream, patience.taking), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // How a client leaves is its own affair.
        _ = connection.as_mut() => {}
        () = until_true(&mut ends) => {
            connection.as_mut().graceful_shutdown();
            if timeout(LAST_CALL, connection.as_mut()).await.is_err() && is_at_work.load(Ordering::Relaxed) {
                let _ = connection.await;
            }
        }
    }
    drop(place);
}

/// Tells a client that there is no place, and waits until it has heard: closing at once could take the answer away
/// together with the unread request.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Length: 5\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nbusy\n";
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    let mut read = 0;
    while read < 64 * 1024 {
        match stream.read(&mut unread).await? {
            0 => break,
            more => read += more,
        }
    }
    Ok(())
}

/// Whether accepting failed because one client has gone again (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
