//! The functions and filters that templates have besides Tera's own: docs/templates.md is their reference.
//!
//! All of them are pure, and what they make is bounded: `width` is at most [`WIDEST`] columns.

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::date;

/// The widest measure that a template may ask for, in columns.
const WIDEST: usize = 1000;

pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("pad", |value: &Value, arguments: Kwargs, _: &State<'_>| pad(value, &arguments));
    tera.register_filter("date", |text: &str, arguments: Kwargs, _: &State<'_>| date(text, &arguments));
}

/// `10 | pad(width=3)` is `010`; `"発行" | pad(width=7)` has spaces behind it.
fn pad(value: &Value, arguments: &Kwargs) -> TeraResult<String> {
    let width = width(arguments)?;
    if let Some(number) = value.as_i128() {
        return Ok(format!("{number:0width$}"));
    }
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Error::message(format!("`pad` takes a number or a text, not {}", value.name()))),
    }
}

/// `issue.date | date(format="%Y/%m/%d")`: a date as Japanese readers write it.
fn date(text: &str, arguments: &Kwargs) -> TeraResult<String> {
    let form = arguments.get::<&str>("format")?.unwrap_or(date::USUAL);
    let Some(day) = date::parse(text) else {
        return Err(Error::message(format!("`{text}` is no date such as 2010-05-14")));
    };
    date::format(day, form).map_err(Error::message)
}

fn width(arguments: &Kwargs) -> TeraResult<usize> {
    bounded(arguments.must_get::<usize>("width")?)
}

fn bounded(columns: usize) -> TeraResult<usize> {
    if columns > WIDEST {
        return Err(Error::message(format!("`width` must be at most {WIDEST} columns, not {columns}")));
    }
    Ok(columns)
}
