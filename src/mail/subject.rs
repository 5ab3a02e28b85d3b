//! The subject of an issue's mail.

use serde::Serialize;

use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::model::Issue;
use crate::theme::Theme;

/// The issue's own subject, or the magazine's with the issue's number filled in; always a single line.
///
/// # Errors
/// A template that cannot be rendered, or a control character, which would end the header.
pub fn subject(config: &Config, issue: &Issue, theme: &Theme) -> Result<String, Diagnostic> {
    let template = &config.mail.subject;
    let subject = match &issue.subject {
        Some(subject) => subject.clone(),
        None => theme.render_text(&template.value, &Context::new(config, issue)).map_err(|problem| {
            problem.at(&config.source, template.span.clone())
        })?,
    };
    if !subject.contains(char::is_control) {
        return Ok(subject);
    }
    let problem = Diagnostic::error("control-character", "the subject has a control character or a line break")
        .help("write the subject in one line");
    Err(match &issue.subject {
        Some(_) => problem.in_file(format!("content/issues/{}", issue.label)),
        None => problem.at(&config.source, template.span.clone()),
    })
}
