//! Why a request was not answered as it was meant.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

/// A request that comes to nothing. Its page is made where all answers pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The token is none, or its time is over.
    Token,
    /// There is no such page.
    NotFound,
    /// The page takes no such method.
    Method,
    /// The list does not take it.
    Refused,
    /// Too much was asked from one place.
    TooMany(Duration),
    /// Nothing can be kept now.
    Unavailable(Duration),
    /// A page of another site sent the form.
    Foreign,
    /// The request calls the service by a name that is none of its.
    Misdirected,
    /// The form has more octets than any of ours.
    TooLarge,
    /// The form did not come in time.
    TooSlow,
    /// The form broke off.
    Unreadable,
    /// A template has a fault.
    Broken,
}

impl Problem {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Problem::Token | Problem::NotFound => StatusCode::NOT_FOUND,
            Problem::Method => StatusCode::METHOD_NOT_ALLOWED,
            Problem::Refused | Problem::Unreadable => StatusCode::BAD_REQUEST,
            Problem::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Problem::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Problem::Foreign => StatusCode::FORBIDDEN,
            Problem::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Problem::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The kind that `web/problem.html` knows.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Problem::Token => "token",
            Problem::NotFound | Problem::Method => "not-found",
            Problem::Refused => "refused",
            Problem::TooMany(_) => "too-many",
            Problem::Unavailable(_) | Problem::Broken => "unavailable",
            Problem::Foreign | Problem::Misdirected => "foreign",
            Problem::TooLarge | Problem::TooSlow | Problem::Unreadable => "unreadable",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Problem::TooMany(wait) | Problem::Unavailable(wait) = self {
            // Whole seconds (RFC 9110, section 10.2.3), and never too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response.extensions_mut().insert(self);
        response
    }
}
