//! Whether the service lives, whether it can work, and what it has counted: for the operator's machines alone.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::time::Instant;

use super::Service;

/// How long it serves to have counted the readers once.
const COUNTING: Duration = Duration::from_secs(60);

pub(super) fn router(service: &Arc<Service>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { told(StatusCode::OK, "ok\n") }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(service.clone())
}

/// Whether the store can be written to now.
async fn ready(State(service): State<Arc<Service>>) -> Response {
    match service.store.ready().await {
        Ok(()) => told(StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!("{error}");
            let answer = told(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written to\n");
            ([(RETRY_AFTER, "10")], answer).into_response()
        }
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let mut counted = service.counted.lock().await;
    if counted.is_none_or(|counted| counted.elapsed() >= COUNTING) {
        let store = service.store.clone();
        // It goes through all readers, on a connection of its own.
        if let Ok(Ok(stats)) = tokio::task::spawn_blocking(move || store.stats()).await {
            service.metrics.counted(&stats, (service.surroundings.now)());
            *counted = Some(Instant::now());
        }
    }
    drop(counted);
    let text = service.metrics.text(service.places.count());
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")], text).into_response()
}

fn told(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}
