//! Confirming: the page that a confirmation's link opens, and its button.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Service;
use super::asking::{Asked, OfLink};
use super::pages::{Page, reader};
use super::problem::Problem;
use crate::list::{Request as ListRequest, TokenKind};

/// `GET /confirm/TOKEN`
pub(super) async fn ask(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let (kind, standing) = match service.look(TokenKind::Confirm, token, &by).await {
        Ok(standing) => ("subscription", standing),
        Err(Problem::Token) => ("address", service.look(TokenKind::ChangeAddress, token, &by).await?),
        Err(problem) => return Err(problem),
    };
    let language = Service::reader_language(&by, &standing);
    let values = reader(kind, &token.to_text(), &standing, "", None);
    service.page(StatusCode::OK, Page::Confirm, language, Some(request.uri().path()), &values)
}

/// `POST /confirm/TOKEN`
pub(super) async fn confirm(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let form = service.form(request).await?;
    let standing = service.ask_as_reader(ListRequest::Confirm(token.digest()), &by, "/confirm").await?;
    let kind = if form.get("for") == Some("address") { "address" } else { "subscription" };
    Ok(service.standing_page(Page::Confirmed, kind, Service::reader_language(&by, &standing)))
}
