//! The sign to end.

use tokio::sync::watch;

/// Whether it is time to end: also when nobody is left who could say so.
pub(super) fn is_ending(ending: &watch::Receiver<bool>) -> bool {
    *ending.borrow() || ending.has_changed().is_err()
}

/// Waits until it is time to end.
pub(super) async fn until_ending(ending: &mut watch::Receiver<bool>) {
    // An error says that nobody is left who could say so.
    let _ = ending.wait_for(|is_ending| *is_ending).await;
}
