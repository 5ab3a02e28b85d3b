//! One's own data: name, address and language; leaving; taking it away; having it erased.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::Service;
use super::asking::{Asked, OfLink};
use super::form::Form;
use super::pages::{FormProblem, Page, own_data, reader};
use super::problem::Problem;
use super::subscribing::{LONGEST_NAME, address, not_mistyped, shown};
use crate::list::{Request as ListRequest, Standing, Token, TokenKind};
use crate::model::Language;

/// `GET /preferences/TOKEN`
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let standing = service.look(TokenKind::Preferences, token, &by).await?;
    let path = Some(request.uri().path());
    answer(&service, &by, Page::Preferences, token, &Standing { changed: false, ..standing }, path)
}

/// `POST /preferences/TOKEN/name`
pub(super) async fn rename(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let form = service.form(request).await?;
    // An empty name is taken away, one that was not sent is none of our form's.
    form.get("name").ok_or(Problem::Unreadable)?;
    let name = form.line("name", LONGEST_NAME);
    let request = ListRequest::Rename(token.digest(), name);
    change(&service, &by, token, request, "/preferences/name").await
}

/// `POST /preferences/TOKEN/language`
pub(super) async fn change_language(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let language =
        service.form(request).await?.get("language").and_then(Language::tagged).ok_or(Problem::Unreadable)?;
    let request = ListRequest::ChangeLanguage(token.digest(), language);
    change(&service, &by, token, request, "/preferences/language").await
}

/// `POST /preferences/TOKEN/leave`
pub(super) async fn leave(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    service.form(request).await?;
    change(&service, &by, token, ListRequest::Leave(token.digest()), "/preferences/leave").await
}

/// `POST /preferences/TOKEN/address`
pub(super) async fn change_address(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let form = service.form(request).await?;
    match address(&form).and_then(|address| not_mistyped(&form, address)) {
        Ok(address) => {
            let request = ListRequest::ChangeAddress(token.digest(), address);
            service.ask(request, &by, "/preferences/address").await?;
            Ok(service.standing_page(Page::Sent, "address", by.language))
        }
        Err(problem) => wrong_address(&service, &by, token, &form, &problem).await,
    }
}

/// `GET /preferences/TOKEN/erase`
pub(super) async fn ask_to_erase(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    let standing = service.look(TokenKind::Preferences, token, &by).await?;
    answer(&service, &by, Page::Erase, token, &standing, Some(request.uri().path()))
}

/// `POST /preferences/TOKEN/erase`
pub(super) async fn erase(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
    request: Request,
) -> Result<Response, Problem> {
    service.form(request).await?;
    let standing =
        service.ask_as_reader(ListRequest::Erase(token.digest()), &by, "/preferences/erase").await?;
    answer(&service, &by, Page::Erased, token, &standing, None)
}

/// `GET /preferences/TOKEN/export`
pub(super) async fn export(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    OfLink(token): OfLink,
) -> Result<Response, Problem> {
    let standing = service.look(TokenKind::Preferences, token, &by).await?;
    let history = match &standing.subscriber {
        Some(subscriber) => service.history(subscriber.address.clone()).await?,
        None => Vec::new(),
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"subscription.json\""),
    ];
    Ok((headers, format!("{:#}\n", own_data(&standing, &history, by.at))).into_response())
}

async fn change(
    service: &Service,
    by: &Asked,
    token: Token,
    request: ListRequest,
    route: &'static str,
) -> Result<Response, Problem> {
    let standing = service.ask_as_reader(request, by, route).await?;
    // What is as it should be has been saved, whether or not it was so before.
    answer(service, by, Page::Preferences, token, &Standing { changed: true, ..standing }, None)
}

async fn wrong_address(
    service: &Service,
    by: &Asked,
    token: Token,
    form: &Form,
    problem: &FormProblem,
) -> Result<Response, Problem> {
    let standing = service.look(TokenKind::Preferences, token, by).await?;
    let standing = Standing { changed: false, ..standing };
    let values = reader("", &token.to_text(), &standing, &shown(form), Some(problem));
    let language = Service::reader_language(by, &standing);
    service.page(StatusCode::BAD_REQUEST, Page::Preferences, language, None, &values)
}

fn answer(
    service: &Service,
    by: &Asked,
    page: Page,
    token: Token,
    standing: &Standing,
    path: Option<&str>,
) -> Result<Response, Problem> {
    let values = reader("", &token.to_text(), standing, "", None);
    service.page(StatusCode::OK, page, Service::reader_language(by, standing), path, &values)
}
