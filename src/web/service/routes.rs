//! Which address leads where, and what every request and every answer pass.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::time::{Instant, timeout};

use super::access::{is_own_form, is_own_host, path};
use super::asking::{Asked, html, text};
use super::network::Network;
use super::pages::Page;
use super::problem::Problem;
use super::{Service, confirming, leaving, preferring, subscribing};
use crate::media_type::media_type;

/// How long a client is told to wait when that was not enough.
const LATER: Duration = Duration::from_secs(10);
/// What our pages may do: show themselves in their style, and send their forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
/// What a page may do that asks for work: run our script, too.
const POLICY_OF_SCRIPTED: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Marks an answer whose page has a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scripted;

pub(super) fn router(service: &Arc<Service>) -> Router {
    let root = path(&service.settings.url).to_owned();
    let at = |path: &str| format!("{root}{path}");
    let mut router = Router::new()
        .route(&at("/"), get(subscribing::front))
        .route(&at("/lost"), get(subscribing::lost))
        .route(&at("/subscribe"), post(subscribing::subscribe))
        .route(&at("/unsubscribe"), post(subscribing::send_links))
        .route(&at("/confirm/{token}"), get(confirming::ask).post(confirming::confirm))
        .route(&at("/u/{token}"), get(leaving::ask).post(leaving::leave))
        .route(&at("/u/{token}/reason"), post(leaving::give_reason))
        .route(&at("/u/{token}/undo"), post(leaving::undo))
        .route(&at("/preferences/{token}"), get(preferring::show))
        .route(&at("/preferences/{token}/name"), post(preferring::rename))
        .route(&at("/preferences/{token}/address"), post(preferring::change_address))
        .route(&at("/preferences/{token}/language"), post(preferring::change_language))
        .route(&at("/preferences/{token}/leave"), post(preferring::leave))
        .route(&at("/preferences/{token}/erase"), get(preferring::ask_to_erase).post(preferring::erase))
        .route(&at("/preferences/{token}/export"), get(preferring::export))
        .route(&at("/theme/{*file}"), get(theme_file));
    if !root.is_empty() {
        router = router.route(&root, get(subscribing::front));
    }
    router
        .fallback(async || Problem::NotFound)
        .with_state(service.clone())
        .layer(middleware::from_fn_with_state(service.clone(), attend))
}

/// A file of the theme, under the name that tells its state.
async fn theme_file(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let octets = service.files.get(&name).ok_or(Problem::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, media_type(&name)),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, octets.clone()).into_response())
}

/// Lets in who may ask, answers whom nobody else has answered, and tells what came of it without telling whose it was.
async fn attend(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method(request.method());
    let route = route(&request);
    let by = service.asked(&request);
    let language = by.language;
    let may_ask = may_ask(&service, &by, &request, &route);
    request.extensions_mut().insert(by);
    let mut response = match may_ask {
        Err(problem) => problem.into_response(),
        Ok(()) => match timeout(service.settings.patience.answer, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::Unavailable(LATER).into_response(),
        },
    };
    let problem = response.extensions().get::<Problem>().copied().or(match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::Method),
        // A path that is no UTF-8, which the router refuses in words of its own.
        StatusCode::BAD_REQUEST if !is_html(response.headers()) => Some(Problem::NotFound),
        _ => None,
    });
    if let Some(problem) = problem {
        let octets = service.pages.standing(Page::Problem, problem.kind(), language);
        let page = html(problem.status(), language, octets);
        *response.status_mut() = page.status();
        for (name, value) in page.headers() {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = page.into_body();
    }
    let policy = if response.extensions().get::<Scripted>().is_some() { POLICY_OF_SCRIPTED } else { POLICY };
    guard(response.headers_mut(), policy);
    let (status, took) = (response.status().as_u16(), started.elapsed());
    service.metrics.answered(method, &route, status, took);
    let octets = response.body().size_hint().exact().unwrap_or_default();
    tracing::info!(target: "access", method, %route, status, ms = took.as_millis() as u64, octets);
    response
}

fn may_ask(service: &Service, by: &Asked, request: &Request, route: &str) -> Result<(), Problem> {
    let headers = request.headers();
    let url = &service.settings.url;
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    let target = request.uri().authority().map(|authority| authority.as_str());
    if hosts.next().is_some() || !is_own_host(host, url) || target.is_some_and(|host| !is_own_host(host, url))
    {
        return Err(Problem::Misdirected);
    }
    service.pace.count(Network::of(by.client), service.began.elapsed()).map_err(Problem::TooMany)?;
    // Mail services send the one-click form of RFC 8058 from wherever they are.
    let is_form = *request.method() == Method::POST && !route.ends_with("/u/TOKEN");
    let origin = text(headers, header::ORIGIN);
    let fetch_site = text(headers, HeaderName::from_static("sec-fetch-site"));
    if is_form && !is_own_form(origin, fetch_site, host, url) {
        return Err(Problem::Foreign);
    }
    Ok(())
}

fn is_html(headers: &HeaderMap) -> bool {
    text(headers, header::CONTENT_TYPE).is_some_and(|media_type| media_type.starts_with("text/html"))
}

/// The headers of every answer.
fn guard(headers: &mut HeaderMap, policy: &'static str) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The route as it is told: `/u/TOKEN`.
fn route(request: &Request) -> Arc<str> {
    match request.extensions().get::<MatchedPath>() {
        Some(matched) => matched.as_str().replace("{token}", "TOKEN").replace("{*file}", "FILE").into(),
        None => "none".into(),
    }
}

/// A method of HTTP's own; others could be any words.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
