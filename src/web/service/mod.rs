//! The service that readers subscribe, confirm, leave and change at.
//!
//! Every page works without JavaScript; where work is asked for against floods, who applies without it is told what else he can do. What a link opens changes nothing: only a form that is sent does, with the one
//! exception that RFC 8058 makes, where a mail service sends it. Nothing is answered with 200 before the store has it
//! for good.

mod access;
mod asking;
mod confirming;
mod connections;
mod form;
mod form_time;
mod health;
mod language;
mod leaving;
mod metrics;
mod network;
mod pace;
mod pages;
mod places;
mod preferring;
mod problem;
mod proof;
mod routes;
mod stall;
mod subscribing;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::store::Store;
use connections::Doors;
use metrics::Metrics;
use pace::Pace;
use places::Places;
use proof::Proofs;

pub use access::path;
pub use connections::Patience;
pub use pages::{Pages, Publication};
pub use proof::ProofOfWork;

/// How long the requests in work and the mails under way have, all in all, once the service is to end.
const LAST_FAREWELL: Duration = Duration::from_secs(30);
/// How many connections health and metrics may have: a probe and a scraper need few.
const MOST_OF_HEALTH: usize = 64;

/// How the service is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where health and metrics are asked for.
    pub metrics_listen: SocketAddr,
    /// Its address as readers see it, without a slash at its end.
    pub url: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many connections there may be.
    pub connections: usize,
    /// How many of them from one network (a /24, or a /48 of IPv6) that is no trusted proxy's.
    pub connections_per_network: usize,
    /// How many requests a second each network may make; ten seconds' worth may come at once.
    pub requests_per_second: u32,
    /// When who applies must do some work for it.
    pub proof_of_work: ProofOfWork,
    /// How long each wait may take.
    pub patience: Patience,
}

/// What the service asks of the world outside: the command line gives it.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// The time it is.
    pub now: fn() -> DateTime<Utc>,
    /// Random bits.
    pub random: fn() -> [u8; 16],
}

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Another program has the port, or the address is none of this machine.
    #[error("cannot serve at {0}: choose another `listen` under [web]")]
    Listen(SocketAddr, #[source] io::Error),
    /// The system gives no threads or signals.
    #[error("the service cannot begin")]
    System(#[source] io::Error),
}

/// A service at work.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where health and metrics are asked for.
    pub metrics_address: SocketAddr,
    ends: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    runtime: Runtime,
}

/// What every answer is made with.
struct Service {
    store: Store,
    settings: Settings,
    surroundings: Surroundings,
    pages: Pages,
    /// What the pages need, by its name below `/theme/`.
    files: BTreeMap<String, Bytes>,
    pace: Pace,
    proofs: Proofs,
    metrics: Metrics,
    places: Places,
    began: Instant,
    /// When the readers were last counted for the metrics.
    counted: tokio::sync::Mutex<Option<Instant>>,
}

/// Begins to serve, on threads of its own. `mailer` is what runs beside it until its argument becomes true: the sending of
/// the mails that the readers' requests need.
///
/// # Errors
/// When a place to listen at cannot be had.
pub fn begin<Mailer>(
    settings: Settings,
    pages: Pages,
    store: Store,
    surroundings: Surroundings,
    mailer: impl FnOnce(watch::Receiver<bool>) -> Mailer,
) -> Result<Running, ServiceError>
where
    Mailer: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(ServiceError::System)?;
    // Timers need the runtime.
    let guard = runtime.enter();
    let places = Places::new(settings.connections, settings.connections_per_network);
    let trusted_proxies: Arc<[IpNet]> = settings.trusted_proxies.clone().into();
    let doors = Doors { places: places.clone(), patience: settings.patience, trusted_proxies };
    let health_doors = Doors { places: Places::new(MOST_OF_HEALTH, MOST_OF_HEALTH), ..doors.clone() };
    let listener = listen(&runtime, settings.listen)?;
    let health_listener = listen(&runtime, settings.metrics_listen)?;
    let place = |listener: &TcpListener| listener.local_addr().map_err(ServiceError::System);
    let (address, metrics_address) = (place(&listener)?, place(&health_listener)?);
    let service = Arc::new(Service {
        store,
        surroundings,
        files: pages.files(),
        pages,
        pace: Pace::new(settings.requests_per_second),
        proofs: Proofs::default(),
        metrics: Metrics::new(),
        places,
        began: Instant::now(),
        counted: tokio::sync::Mutex::default(),
        settings,
    });
    let (ends, ended) = watch::channel(false);
    let tasks = vec![
        runtime.spawn(mailer(ended.clone())),
        runtime.spawn(connections::serve(listener, routes::router(&service), doors, ended.clone())),
        runtime.spawn(connections::serve(health_listener, health::router(&service), health_doors, ended)),
    ];
    drop(guard);
    Ok(Running { address, metrics_address, ends, tasks, runtime })
}

impl Running {
    /// Serves until the program is interrupted (SIGINT, SIGTERM), and then ends as [`Running::stop`] does. `ready` hears
    /// when interrupting it has come to mean that.
    ///
    /// # Errors
    /// When the system tells no signals.
    pub fn until_interrupted(self, ready: impl FnOnce(&Running)) -> Result<(), ServiceError> {
        let interrupted = {
            let _guard = self.runtime.enter();
            crate::web::interrupted::interrupted().map_err(ServiceError::System)?
        };
        ready(&self);
        self.runtime.block_on(interrupted);
        self.stop();
        Ok(())
    }

    /// Takes no more connections, finishes the requests in work, closes the rest.
    pub fn stop(self) {
        let Running { ends, tasks, runtime, .. } = self;
        ends.send_replace(true);
        runtime.block_on(async {
            let all = async {
                for task in tasks {
                    // One that has failed has nothing left to finish.
                    let _ = task.await;
                }
            };
            let _ = timeout(LAST_FAREWELL, all).await;
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

fn listen(runtime: &Runtime, at: SocketAddr) -> Result<TcpListener, ServiceError> {
    runtime.block_on(TcpListener::bind(at)).map_err(|error| ServiceError::Listen(at, error))
}
