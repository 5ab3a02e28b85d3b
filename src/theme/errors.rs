//! What Tera says of a wrong template, at its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use tera::ErrorKind;

use super::{BUILT_IN, Bounded, built_in_template};
use crate::config::{Setting, closest};
use crate::diagnostic::{Diagnostic, SourceText};

/// The problem that keeps the templates from being loaded, and the name of the own template it stands in.
pub(super) fn in_loading(
    error: &tera::Error,
    own: &BTreeMap<String, Arc<SourceText>>,
) -> (Diagnostic, Option<String>) {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let (message, help) = sentences(report.message());
            let diagnostic = Diagnostic::error("template-error", message).help(help);
            let name = report.filename();
            (placed(diagnostic, name, report.span().range.clone(), own), Some(name.to_owned()))
        }
        other => {
            let message = other.to_string();
            if let Some((name, range)) = reported_place(&message, own) {
                let words = one_sentence(&message);
                let diagnostic = Diagnostic::error("template-error", words).help(DOCUMENTATION);
                return (placed(diagnostic, &name, range, own), Some(name));
            }
            let culprit = match other {
                ErrorKind::MissingParent { current, .. } => Some(current.clone()),
                ErrorKind::CircularExtend { tpl, .. } | ErrorKind::CircularInclude { tpl, .. } => {
                    Some(tpl.clone())
                }
                // Other messages name the template they are about.
                _ => own.keys().find(|name| message.contains(name.as_str())).cloned(),
            };
            let message = match other {
                ErrorKind::CircularExtend { .. } => "this template extends itself".to_owned(),
                ErrorKind::CircularInclude { .. } => "this template includes itself".to_owned(),
                _ => one_sentence(&message),
            };
            let diagnostic = Diagnostic::error("template-error", message)
                .help("look at what the template extends and includes");
            match &culprit {
                Some(name) => (placed(diagnostic, name, 0..0, own), culprit),
                None => (diagnostic.in_file("templates"), None),
            }
        }
    }
}

/// The problem of a template that was being rendered.
pub(super) fn in_rendering(
    error: &tera::Error,
    name: &str,
    what: &str,
    own: &BTreeMap<String, Arc<SourceText>>,
) -> Diagnostic {
    let (message, help, name, range) = read(error, name);
    let diagnostic =
        Diagnostic::error("template-error", message).label(format!("while rendering {what}")).help(help);
    placed(diagnostic, &name, range, own)
}

/// The problem of a template that a setting holds.
pub(super) fn in_setting(
    error: &tera::Error,
    setting: &Setting<String>,
    source: &Arc<SourceText>,
    what: &str,
) -> Diagnostic {
    let (message, help, _, _) = read(error, "");
    Diagnostic::error("template-error", message)
        .at(source, setting.span.clone())
        .label(format!("while rendering {what}"))
        .help(help)
}

fn read(error: &tera::Error, name: &str) -> (String, String, String, Range<usize>) {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let (message, help) = sentences(report.message());
            let place = if report.filename().is_empty() { name } else { report.filename() };
            (message, help, place.to_owned(), report.span().range.clone())
        }
        ErrorKind::Io(_) => {
            let message = format!("this template writes more than {} MB", Bounded::LARGEST >> 20);
            (message, "look for loops within loops".to_owned(), name.to_owned(), 0..0)
        }
        other => (one_sentence(&other.to_string()), DOCUMENTATION.to_owned(), name.to_owned(), 0..0),
    }
}

const DOCUMENTATION: &str = "docs/templates.md lists what templates may use";

/// Tera's words as a message and a remedy: a hint after the first sentence becomes the remedy.
fn sentences(words: &str) -> (String, String) {
    match words.split_once('\n') {
        Some((message, rest)) if !rest.trim().is_empty() => (one_sentence(message), rest.trim().to_owned()),
        _ => (one_sentence(words), did_you_mean(words).unwrap_or_else(|| DOCUMENTATION.to_owned())),
    }
}

/// Of a sentence such as "Field `nmber` is not defined. Available fields: label, number".
fn did_you_mean(words: &str) -> Option<String> {
    let (wrong, names) = words.split_once(". Available ")?;
    let wrong = wrong.split('`').nth(1)?;
    let names: Vec<&str> = names.split_once(": ")?.1.split(", ").collect();
    closest(wrong, &names).map(|name| format!("did you mean `{name}`?"))
}

/// The place that a message tells in words alone: ` --> mail/body.txt:2:5`.
fn reported_place(message: &str, own: &BTreeMap<String, Arc<SourceText>>) -> Option<(String, Range<usize>)> {
    let locus = message.lines().find_map(|line| line.trim_start().strip_prefix("--> "))?;
    let mut parts = locus.rsplitn(3, ':');
    let column: usize = parts.next()?.trim().parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let name = parts.next()?.to_owned();
    let text = own.get(&name)?.text.as_str();
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let in_line = text[start..].char_indices().nth(column.checked_sub(1)?).map_or(0, |(at, _)| at);
    Some((name, start + in_line..start + in_line))
}

fn one_sentence(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).trim_end_matches('.').to_owned()
}

fn placed(
    diagnostic: Diagnostic,
    name: &str,
    range: Range<usize>,
    own: &BTreeMap<String, Arc<SourceText>>,
) -> Diagnostic {
    if let Some(source) = own.get(name) {
        return diagnostic.at(source, range);
    }
    let path = format!("templates/{}", name.trim_start_matches(BUILT_IN));
    match built_in_template(name) {
        Some(text) => diagnostic.at(&SourceText::new(format!("built-in {path}"), text), range),
        None => diagnostic.in_file(path),
    }
}
