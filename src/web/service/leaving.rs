//! Leaving: the page that the link in every mail opens, its button, and the button of mail programs (RFC 8058).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::Service;
use super::asking::{Asked, OfLink};
use super::pages::{Page, reader};
use super::problem::Problem;
use crate::list::{Request as ListRequest, Standing, Token, TokenKind};
use crate::model::Status;

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// `GET /u/TOKEN`
pub(super) async fn ask(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let standing = service.look(TokenKind::Unsubscribe, token, &by).await?;
    let status = standing.subscriber.as_ref().map(|subscriber| subscriber.status);
    let page = if matches!(status, None | Some(Status::Unsubscribed)) { Page::Left } else { Page::Leave };
    answer(&service, &by, page, "", token, &standing, Some(request.uri().path()))
}

/// `POST /u/TOKEN`: acts at once, whoever sends it and whatever it holds; leaving twice is leaving once.
pub(super) async fn leave(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    // What a mail service sends says no more than that it is one.
    service.body(request).await?;
    let standing = service.ask_as_reader(ListRequest::Leave(token.digest()), &by, "/u").await?;
    answer(&service, &by, Page::Left, "", token, &standing, None)
}

/// `POST /u/TOKEN/reason`
pub(super) async fn give_reason(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let form = service.form(request).await?;
    let Some(reason) = form.line("reason", LONGEST_REASON) else {
        let standing = service.look(TokenKind::Unsubscribe, token, &by).await?;
        return answer(&service, &by, Page::Left, "reason", token, &standing, None);
    };
    let request = ListRequest::GiveReason(token.digest(), reason);
    let standing = service.ask_as_reader(request, &by, "/u/reason").await?;
    answer(&service, &by, Page::Left, "reason", token, &standing, None)
}

/// `POST /u/TOKEN/undo`
pub(super) async fn undo(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    service.form(request).await?;
    let standing = service.ask_as_reader(ListRequest::Return(token.digest()), &by, "/u/undo").await?;
    answer(&service, &by, Page::Returned, "", token, &standing, None)
}

fn answer(
    service: &Service,
    by: &Asked,
    page: Page,
    kind: &str,
    token: Token,
    standing: &Standing,
    path: Option<&str>,
) -> Result<Response, Problem> {
    let values = reader(kind, &token.to_text(), standing, "", None);
    service.page(StatusCode::OK, page, Service::reader_language(by, standing), path, &values)
}
