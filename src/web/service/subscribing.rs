//! The page a reader meets first, and its two forms: to subscribe, and to be sent one's links.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::Service;
use super::asking::Asked;
use super::form::Form;
use super::form_time::{FormTime, judge, stamp};
use super::pages::{FormProblem, Home, Page};
use super::problem::Problem;
use super::proof::Proof;
use super::routes::Scripted;
use crate::list::{Request as ListRequest, StoreKey, likely_domain};
use crate::model::EmailAddress;

/// The longest name that is kept, in characters.
pub(super) const LONGEST_NAME: usize = 100;

/// `GET /`
pub(super) async fn front(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    let shown = Home {
        time: stamp(service.store.key(), by.at),
        proof: service.new_proof(by.at).await,
        ..Home::default()
    };
    home(&service, StatusCode::OK, &by, Some(request.uri().path()), &shown)
}

/// `GET /lost`
pub(super) async fn lost(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    service.page(StatusCode::OK, Page::Lost, by.language, Some(request.uri().path()), &json!({}))
}

/// `POST /subscribe`
pub(super) async fn subscribe(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    let form = service.form(request).await?;
    let key = service.store.key();
    let bits = service.proof_bits(by.at).await;
    let proof = bits.and_then(|bits| Proof::of(&form, key, bits, by.at));
    let taken = applied(&form, key, by.at).and_then(|taken| match &proof {
        // A proof is used up by what is good in all else.
        Some(proof) if service.proofs.take(proof, by.at) => Ok(taken),
        None if bits.is_none() => Ok(taken),
        _ => Err(FormProblem { field: "email", kind: "proof", suggestion: None }),
    });
    match taken {
        Ok((address, name)) => {
            service.ask(ListRequest::Subscribe { address, name }, &by, "/subscribe").await?;
            Ok(service.standing_page(Page::Sent, "subscribe", by.language))
        }
        Err(problem) => {
            let time = form.get("time").filter(|time| judge(key, time, by.at) == FormTime::Good);
            let shown = Home {
                time: time.map_or_else(|| stamp(key, by.at), str::to_owned),
                email: shown(&form),
                name: form.line("name", LONGEST_NAME).unwrap_or_default(),
                // Work that was done is not asked for again.
                proof: match proof.filter(|_| problem.kind != "proof") {
                    Some(proof) => Some(proof),
                    None => service.new_proof(by.at).await,
                },
                problem: Some(problem),
                ..Home::default()
            };
            home(&service, StatusCode::BAD_REQUEST, &by, None, &shown)
        }
    }
}

/// `POST /unsubscribe`: the links for who lost them.
pub(super) async fn send_links(
    State(service): State<Arc<Service>>,
    Extension(by): Extension<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    let form = service.form(request).await?;
    match EmailAddress::parse_legacy(form.get("email").unwrap_or_default()) {
        Ok(address) => {
            service.ask(ListRequest::SendLinks(address), &by, "/unsubscribe").await?;
            Ok(service.standing_page(Page::Sent, "links", by.language))
        }
        Err(error) => {
            let shown = Home {
                time: stamp(service.store.key(), by.at),
                links_email: shown(&form),
                problem: Some(FormProblem::address("links-email", error)),
                proof: service.new_proof(by.at).await,
                ..Home::default()
            };
            home(&service, StatusCode::BAD_REQUEST, &by, None, &shown)
        }
    }
}

/// The first page; where it asks for work, the script that does it is let in.
fn home(
    service: &Service,
    status: StatusCode,
    by: &Asked,
    path: Option<&str>,
    shown: &Home,
) -> Result<Response, Problem> {
    let mut response = service.page(status, Page::Home, by.language, path, &shown.values())?;
    if shown.proof.is_some() {
        response.extensions_mut().insert(Scripted);
    }
    Ok(response)
}

/// What a form applies for: the address and the name.
fn applied(
    form: &Form,
    key: &StoreKey,
    at: DateTime<Utc>,
) -> Result<(EmailAddress, Option<String>), FormProblem> {
    let address = address(form)?;
    let again = |kind| FormProblem { field: "email", kind, suggestion: None };
    if form.get("website").is_some_and(|website| !website.is_empty()) {
        return Err(again("trap"));
    }
    // A form without a time is none of our pages': a program that asks for its owner, whom the list's limits bound.
    match form.get("time").map(|time| judge(key, time, at)) {
        Some(FormTime::TooQuick) => return Err(again("quick")),
        Some(FormTime::Stale) => return Err(again("stale")),
        Some(FormTime::Good) | None => {}
    }
    Ok((not_mistyped(form, address)?, form.line("name", LONGEST_NAME)))
}

/// The address in a form's field `email`, or that of the button that offers another.
pub(super) fn address(form: &Form) -> Result<EmailAddress, FormProblem> {
    let typed = form.get("instead").or(form.get("email")).unwrap_or_default();
    EmailAddress::parse(typed).map_err(|error| FormProblem::address("email", error))
}

/// An address that looks right, or that its owner has been asked about.
pub(super) fn not_mistyped(form: &Form, address: EmailAddress) -> Result<EmailAddress, FormProblem> {
    match likely_domain(address.domain()) {
        Some(meant) if form.get("as-typed") != Some(address.domain()) => {
            let suggestion = Some((format!("{}@{meant}", address.local_part()), address.domain().to_owned()));
            Err(FormProblem { field: "email", kind: "typo", suggestion })
        }
        _ => Ok(address),
    }
}

/// What was typed into the field, to be shown again.
pub(super) fn shown(form: &Form) -> String {
    form.line("email", 320).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_or_told_why_not() {
        let key = StoreKey::new([7; 32]);
        let at = DateTime::from_timestamp(1_764_000_000, 0).expect("a time");
        let time = |seconds: i64| stamp(&key, at - chrono::TimeDelta::seconds(seconds));
        let email = "email=taro%40example.jp";
        for (text, expected) in [
            (email.to_owned(), "taro@example.jp"),
            (format!("{email}&time={}", time(5)), "taro@example.jp"),
            (format!("{email}&time={}", time(1)), "quick"),
            (format!("{email}&time={}", time(90_000)), "stale"),
            (format!("{email}&time="), "stale"),
            (format!("{email}&website=x"), "trap"),
            ("email=taro%40gmial.com".to_owned(), "typo"),
            ("email=taro%40gmial.com&as-typed=gmial.com".to_owned(), "taro@gmial.com"),
            ("email=taro%40gmai.com&as-typed=gmial.com".to_owned(), "typo"),
            (
                "email=taro%40gmial.com&as-typed=gmial.com&instead=taro%40gmail.com".to_owned(),
                "taro@gmail.com",
            ),
            ("email=taro".to_owned(), "no-at"),
            ("email=a..b%40docomo.ne.jp".to_owned(), "dots"),
            ("email=a%0D%0A%40example.jp".to_owned(), "local-part"),
            (String::new(), "empty"),
        ] {
            let taken = applied(&Form::parse(text.as_bytes()).expect("a form"), &key, at);
            let said = match &taken {
                Ok((address, _)) => address.as_str(),
                Err(problem) => problem.kind,
            };
            assert_eq!(said, expected, "{text}");
        }
    }
}
