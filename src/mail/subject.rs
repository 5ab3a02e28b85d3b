//! The subject of an issue's mail.

use serde::Serialize;

use super::context::{IssueContext, MagazineContext};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::model::Issue;
use crate::theme::{Context, Theme};

/// The issue's own subject, or the magazine's with the issue's number filled in; always a single line.
///
/// # Errors
/// A template that cannot be rendered, or a control character, which would end the header.
pub fn subject(config: &Config, issue: &Issue, theme: &Theme) -> Result<String, Box<Diagnostic>> {
    let template = &config.mail.subject;
    let subject = match &issue.subject {
        Some(subject) => subject.clone(),
        None => {
            let context = Context::from_serialize(&SubjectContext {
                magazine: MagazineContext::new(config),
                issue: IssueContext::new(config, issue),
            });
            let context = context.expect("the context is of strings and numbers");
            theme.render_setting(template, &config.source, &context, "the subject")?
        }
    };
    if !subject.contains(char::is_control) {
        return Ok(subject);
    }
    let problem =
        Diagnostic::error("control-character", "the subject has a control character or a line break")
            .help("write the subject in one line");
    Err(Box::new(match &issue.subject {
        Some(_) => problem.in_file(format!("content/issues/{}", issue.label)),
        None => problem.at(&config.source, template.span.clone()),
    }))
}

/// What the template of the subject knows.
#[derive(Debug, Serialize)]
struct SubjectContext<'a> {
    magazine: MagazineContext,
    issue: IssueContext<'a>,
}
