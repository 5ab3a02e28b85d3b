//! Whether the service lives, whether it can work, and what it has counted: for the operator's machines alone.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Service;

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
    let waiting = *service.notices_waiting.borrow();
    let text = service.metrics.text(service.places.count(), waiting);
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")], text).into_response()
}

fn told(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}
