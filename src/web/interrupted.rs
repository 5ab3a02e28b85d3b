//! What tells a program that serves to end.

use std::future::Future;
use std::io;

use tokio::sync::watch;

/// Waits for the end.
pub(super) async fn until_true(ends: &mut watch::Receiver<bool>) {
    // Whoever could say so has gone: that is an end, too.
    let _ = ends.wait_for(|ends| *ends).await;
}

/// What ends when the program is to end. That its input ends is no such thing: it may have been started without one.
#[cfg(unix)]
pub(super) fn interrupted() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

/// What ends when the program is to end.
#[cfg(not(unix))]
pub(super) fn interrupted() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        // Where it cannot be heard, the system ends the program itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
