//! The preview over HTTP: its own page and what that asks for under `/.preview/`, and the blog at every other address.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::{self, Stream};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::access::refusal;
use super::desk::{Answer, Desk};
use super::state::Question;
use super::views::View;
use crate::media_type::media_type;
use crate::web::interrupted::until_true;

const PAGE: &str = include_str!("assets/preview.html");
const STYLE: &str = include_str!("assets/preview.css");
const SCRIPT: &str = include_str!("assets/preview.js");
const ICON: &str = include_str!("assets/preview.svg");

/// What the preview's own page may do: nothing but with its own files.
const OWN_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The blog's pages stand in the preview's frame, and in nobody else's. What they load is the magazine's to say.
const BLOG_POLICY: &str = "frame-ancestors 'self'";
/// The HTML of a mail has its own styles and the blog's pictures, and nothing that runs.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'self'";

/// How long browsers have to take what they have asked for once the preview ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// What every answer is made with.
#[derive(Clone)]
struct Preview {
    desk: Desk,
    /// Becomes true when the preview ends.
    ends: watch::Receiver<bool>,
}

/// Serves until `ends` says that it is over.
///
/// # Errors
/// When the listener fails.
pub(super) async fn serve(
    listener: TcpListener,
    desk: Desk,
    mut ends: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let router = router(Preview { desk, ends: ends.clone() });
    let mut graceful = ends.clone();
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { until_true(&mut graceful).await });
    let farewell = async move {
        until_true(&mut ends).await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = server.into_future() => served,
        () = farewell => Ok(()),
    }
}

fn router(preview: Preview) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/.preview/preview.css", get(|| own("text/css; charset=utf-8", STYLE)))
        .route("/.preview/preview.js", get(|| own("text/javascript; charset=utf-8", SCRIPT)))
        .route("/.preview/preview.svg", get(|| own("image/svg+xml", ICON)))
        .route("/.preview/events", get(events))
        .route("/.preview/state/{view}/{issue}/{*page}", get(state))
        .route("/.preview/mail/{issue}", get(html_of_mail))
        .route("/{*path}", get(blog))
        .with_state(preview)
        .layer(middleware::from_fn(guard))
}

/// Lets in whom [`refusal`] lets in, and tells browsers to keep nothing.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refused(request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

fn refused(headers: &HeaderMap) -> Option<&'static str> {
    // What is no text is no name of ours.
    let header = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    refusal(header(header::HOST), header(header::ORIGIN))
}

/// The preview's page; in its own frame the same address is the blog's front page.
async fn front(State(preview): State<Preview>, headers: HeaderMap) -> Response {
    if headers.get("sec-fetch-dest").is_some_and(|destination| destination == "iframe") {
        return blog_page(&preview, String::new()).await;
    }
    own("text/html; charset=utf-8", PAGE).await
}

async fn own(media_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, OWN_POLICY)], text)
        .into_response()
}

/// The number of each edition, the present one first, until the preview ends.
async fn events(State(preview): State<Preview>) -> impl IntoResponse {
    Sse::new(editions(preview)).keep_alive(KeepAlive::default())
}

fn editions(preview: Preview) -> impl Stream<Item = Result<Event, Infallible>> {
    let editions = preview.desk.editions();
    stream::unfold((editions, preview.ends, true), |(mut editions, mut ends, is_first)| async move {
        if !is_first {
            tokio::select! {
                changed = editions.changed() => changed.ok()?,
                () = until_true(&mut ends) => return None,
            }
        }
        let number = *editions.borrow_and_update();
        Some((Ok(Event::default().event("edition").data(number.to_string())), (editions, ends, false)))
    })
}

async fn state(
    State(preview): State<Preview>,
    Path((view, issue, page)): Path<(String, String, String)>,
) -> Response {
    let (Some(view), Some(page)) = (View::named(&view), page.strip_prefix("page/")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match preview.desk.state(Question { issue, view, page: page.to_owned() }).await {
        Some(state) => ([(header::CONTENT_TYPE, "application/json")], state).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn html_of_mail(State(preview): State<Preview>, Path(issue): Path<String>) -> Response {
    let Some(html) = preview.desk.html(issue).await else { return StatusCode::NOT_FOUND.into_response() };
    let media_type = "text/html; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, MAIL_POLICY)], html)
        .into_response()
}

async fn blog(State(preview): State<Preview>, Path(path): Path<String>, uri: Uri) -> Response {
    // An empty part at the end is the folder's own page.
    let path = if uri.path().ends_with('/') && !path.ends_with('/') { path + "/" } else { path };
    blog_page(&preview, path).await
}

async fn blog_page(preview: &Preview, path: String) -> Response {
    let name = path.clone();
    let html = "text/html; charset=utf-8";
    let (status, media_type, body) = match preview.desk.page(path).await {
        Some(Answer::File(octets)) => (StatusCode::OK, media_type(&name), Body::from(octets.to_vec())),
        Some(Answer::Folder(address)) => {
            return (StatusCode::FOUND, [(header::LOCATION, address)]).into_response();
        }
        Some(Answer::NotFound(Some(octets))) => (StatusCode::NOT_FOUND, html, Body::from(octets.to_vec())),
        Some(Answer::NotFound(None)) => (StatusCode::NOT_FOUND, "text/plain", Body::empty()),
        Some(Answer::Broken(problems)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", Body::from(problems))
        }
        None => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Body::empty()),
    };
    let headers = [(header::CONTENT_TYPE, media_type), (header::CONTENT_SECURITY_POLICY, BLOG_POLICY)];
    (status, headers, body).into_response()
}
