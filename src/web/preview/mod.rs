//! The editor's preview: both forms of the magazine side by side in a browser, live while he writes.
//!
//! A thread holds the magazine in memory ([`workshop`](self)), makes what is asked for and nothing else, and tells every
//! open page when a file was saved. What is shown is not published yet, so it is served to this machine alone.

mod access;
mod desk;
mod press;
mod server;
mod state;
mod views;
mod watching;
mod workshop;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use chrono::NaiveDate;
use chrono_tz::Tz;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::source::ReadError;
use desk::Desk;

/// The port where the preview is looked for first: a free one is taken where another program has it.
pub const USUAL_PORT: u16 = 7676;

/// Where the preview is served.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// An address of this machine that no other one reaches.
    pub address: IpAddr,
    /// The port, zero for any free one; none for [`USUAL_PORT`] or, where that is taken, any free one.
    pub port: Option<u16>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The magazine cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Other machines would see it.
    #[error(
        "{0} can be reached from other machines, and the preview shows what is not published yet: use 127.0.0.1"
    )]
    NotLoopback(IpAddr),
    /// Another program has the port.
    #[error("cannot serve at {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The system watches no more files.
    #[error("cannot watch the magazine's files")]
    Watch(#[source] io::Error),
    /// The serving itself failed.
    #[error("the preview ended")]
    Serve(#[source] io::Error),
}

/// Serves a magazine's preview until it is interrupted (SIGINT, SIGTERM, SIGHUP). `today` tells the day it is where the
/// magazine is published, and `ready` hears the address once browsers can open it.
///
/// # Errors
/// When the magazine cannot be read, or the place is taken or open to other machines.
pub fn serve(
    root: &Path,
    place: Place,
    today: fn(Tz) -> NaiveDate,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), PreviewError> {
    if !access::is_loopback(place.address) {
        return Err(PreviewError::NotLoopback(place.address));
    }
    let root = root.canonicalize().map_err(|error| ReadError::Root(root.to_owned(), error))?;
    let desk = Desk::begin(&root, today)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(PreviewError::Serve)?.block_on(async {
        let listener = listen(place).await?;
        let interrupted = crate::web::interrupted::interrupted().map_err(PreviewError::Serve)?;
        let (end, ends) = watch::channel(false);
        tokio::spawn(async move {
            interrupted.await;
            end.send_replace(true);
        });
        ready(listener.local_addr().map_err(PreviewError::Serve)?);
        server::serve(listener, desk, ends).await.map_err(PreviewError::Serve)
    })
}

async fn listen(place: Place) -> Result<TcpListener, PreviewError> {
    let at = |port| SocketAddr::new(place.address, port);
    let wanted = at(place.port.unwrap_or(USUAL_PORT));
    match TcpListener::bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(_) if place.port.is_none() => {
            TcpListener::bind(at(0)).await.map_err(|error| PreviewError::Listen(at(0), error))
        }
        Err(error) => Err(PreviewError::Listen(wanted, error)),
    }
}
