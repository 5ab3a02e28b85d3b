//! What all handlers do alike: who asks, what he sent, what the list answers.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::timeout;

use super::Service;
use super::connections::Peer;
use super::form::Form;
use super::language::{asked, preferred};
use super::network::client;
use super::pages::Page;
use super::problem::Problem;
use crate::list::{Answer, Evidence, Nonce, Request as ListRequest, Standing, Token, TokenKind, Via};
use crate::model::{EmailAddress, Language};
use crate::store::{LedgerEntry, StoreError};

/// The longest form, in octets. The longest of ours is a reason to leave: 500 characters, nine octets each.
const LONGEST_FORM: usize = 16 * 1024;
/// How long clients are told to wait where the store names no time.
const USUAL_WAIT: Duration = Duration::from_secs(30);
/// How much of a `User-Agent` is kept, in characters.
const LONGEST_USER_AGENT: usize = 200;

/// Who asks, when, and in which language he is answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// When.
    pub(super) at: DateTime<Utc>,
    /// From where.
    pub(super) client: IpAddr,
    /// The language of the page.
    pub(super) language: Language,
    /// Whether the address itself asks for that language.
    pub(super) is_language_asked: bool,
    user_agent: Option<String>,
}

/// The token in the address of a link; what is none is a [`Problem::Token`].
pub(super) struct OfLink(pub(super) Token);

impl<State: Send + Sync> FromRequestParts<State> for OfLink {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        Token::parse(&text).map(OfLink).ok_or_else(|| Problem::Token.into_response())
    }
}

impl Service {
    /// Who asks.
    pub(super) fn asked(&self, request: &Request) -> Asked {
        let headers = request.headers();
        let peer = request.extensions().get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
        let forwarded = headers.get_all(HeaderName::from_static("x-forwarded-for")).iter();
        let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
        let of_address = asked(request.uri().query());
        let of_browser = || preferred(text(headers, ACCEPT_LANGUAGE).unwrap_or_default());
        Asked {
            at: (self.surroundings.now)(),
            client: client(peer, forwarded.into_iter(), &self.settings.trusted_proxies),
            language: of_address.or_else(of_browser).unwrap_or(self.pages.default_language()),
            is_language_asked: of_address.is_some(),
            user_agent: text(headers, USER_AGENT)
                .map(|agent| agent.chars().take(LONGEST_USER_AGENT).collect()),
        }
    }

    /// Asks the list for something; what it does not take is a problem. `route` is where it was asked, without tokens.
    pub(super) async fn ask(
        &self,
        request: ListRequest,
        by: &Asked,
        route: &'static str,
    ) -> Result<Answer, Problem> {
        let consents = matches!(request, ListRequest::Subscribe { .. });
        let evidence = Evidence {
            at: by.at,
            nonce: Nonce((self.surroundings.random)()),
            via: Via::Web(route.to_owned()),
            language: by.language,
            wording: consents.then(|| self.pages.wording(by.language).to_owned()),
            ip: Some(by.client),
            user_agent: by.user_agent.clone(),
            operator: None,
        };
        let answer = self.store.ask(request, evidence).await;
        self.metrics.asked(answer.as_ref().ok());
        match answer {
            Ok(Answer::NoSuchToken) => Err(Problem::Token),
            Ok(Answer::TooMany(wait)) => Err(Problem::TooMany(wait)),
            Ok(Answer::Refused(_) | Answer::NoSuchSubscriber) => Err(Problem::Refused),
            Ok(answer @ (Answer::Taken | Answer::Done(_))) => Ok(answer),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Asks the list for something that a token allows, and tells how it stands with its reader then.
    pub(super) async fn ask_as_reader(
        &self,
        request: ListRequest,
        by: &Asked,
        route: &'static str,
    ) -> Result<Standing, Problem> {
        match self.ask(request, by, route).await? {
            Answer::Done(standing) => Ok(*standing),
            _ => Ok(Standing { subscriber: None, changed: true, waiting_address: None }),
        }
    }

    /// How it stands with the reader whose link this is. Changes nothing.
    pub(super) async fn look(&self, kind: TokenKind, token: Token, by: &Asked) -> Result<Standing, Problem> {
        let standing = self.store.look(kind, token.digest(), by.at).await;
        standing.map_err(|error| unavailable(&error))?.ok_or(Problem::Token)
    }

    /// The form that a request carries; what browsers do not send for a form of ours is a [`Problem::Unreadable`].
    pub(super) async fn form(&self, request: Request) -> Result<Form, Problem> {
        let is_form = text(request.headers(), CONTENT_TYPE)
            .is_none_or(|media_type| media_type.starts_with("application/x-www-form-urlencoded"));
        let octets = self.body(request).await?;
        // A button sends nothing, of whatever kind.
        let form = if is_form || octets.is_empty() { Form::parse(&octets) } else { None };
        form.ok_or(Problem::Unreadable)
    }

    /// What a request carries, whatever it is.
    pub(super) async fn body(&self, request: Request) -> Result<Bytes, Problem> {
        let length = text(request.headers(), CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > LONGEST_FORM) {
            return Err(Problem::TooLarge);
        }
        match timeout(self.settings.patience.form, to_bytes(request.into_body(), LONGEST_FORM)).await {
            Err(_) => Err(Problem::TooSlow),
            Ok(Ok(octets)) => Ok(octets),
            Ok(Err(error)) => {
                let error = std::error::Error::source(&error);
                let is_too_long = error.is_some_and(|error| error.to_string().contains("length limit"));
                Err(if is_too_long { Problem::TooLarge } else { Problem::Unreadable })
            }
        }
    }

    /// All that was kept of a reader as proof.
    pub(super) async fn history(&self, address: EmailAddress) -> Result<Vec<LedgerEntry>, Problem> {
        let store = self.store.clone();
        // It is read by a connection of its own, which waits for the disk.
        match tokio::task::spawn_blocking(move || store.proof(&address)).await {
            Ok(history) => history.map_err(|error| unavailable(&error)),
            Err(_) => Err(Problem::Unavailable(USUAL_WAIT)),
        }
    }

    /// A page about a reader, in his language unless the address asks for another.
    pub(super) fn reader_language(by: &Asked, standing: &Standing) -> Language {
        match &standing.subscriber {
            Some(subscriber) if !by.is_language_asked => subscriber.language,
            _ => by.language,
        }
    }

    /// A page with values of its own.
    pub(super) fn page(
        &self,
        status: StatusCode,
        page: Page,
        language: Language,
        path: Option<&str>,
        values: &Value,
    ) -> Result<Response, Problem> {
        match self.pages.render(page, language, path, values) {
            Ok(octets) => Ok(html(status, language, octets)),
            Err(problem) => {
                let (line, column) = problem.line_and_column();
                tracing::error!(template = problem.path(), line, column, "{}", problem.message);
                Err(Problem::Broken)
            }
        }
    }

    /// A page that says the same to everybody.
    pub(super) fn standing_page(&self, page: Page, kind: &'static str, language: Language) -> Response {
        html(StatusCode::OK, language, self.pages.standing(page, kind, language))
    }
}

/// A page as an answer.
pub(super) fn html(status: StatusCode, language: Language, octets: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (axum::http::header::CONTENT_LANGUAGE, language.tag()),
        (axum::http::header::VARY, "Accept-Language"),
    ];
    (status, headers, octets).into_response()
}

/// A header's value, where it is text.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn unavailable(error: &StoreError) -> Problem {
    tracing::error!("{error}");
    match error {
        StoreError::Busy { retry_after, .. } => Problem::Unavailable(*retry_after),
        _ => Problem::Unavailable(USUAL_WAIT),
    }
}
