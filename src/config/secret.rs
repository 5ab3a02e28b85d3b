//! Secrets, which are never in the settings: those say where one lies.

use std::sync::Arc;

use super::Keys;
use crate::diagnostic::{Diagnostic, SourceText};

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable of this name.
    Env(String),
    /// In a file, from the magazine's folder.
    File(String),
}

/// Reads where a secret lies from one of two keys: an environment variable's, or a file's.
pub(super) fn secret(
    keys: &mut Keys<'_>,
    [variable, file]: [&'static str; 2],
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Secret> {
    let both = [keys.string(variable, problems), keys.string(file, problems)];
    for blank in both.iter().flatten().filter(|setting| setting.value.trim().is_empty()) {
        problems.push(
            Diagnostic::error("empty-value", "a secret lies nowhere")
                .at(source, blank.span.clone())
                .help("name an environment variable or a file"),
        );
    }
    match both {
        [Some(_), Some(file_setting)] => {
            problems.push(
                Diagnostic::error("two-secrets", format!("`{variable}` and `{file}` name one secret twice"))
                    .at(source, file_setting.span)
                    .help("leave one of them out"),
            );
            None
        }
        [Some(variable), None] => Some(Secret::Env(variable.value)),
        [None, Some(file)] => Some(Secret::File(file.value)),
        [None, None] => None,
    }
}
