//! `[[pace]]`: how fast mail goes to domains that ask for care.

use std::sync::Arc;

use super::Keys;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::EmailAddress;

/// `[[pace]]`: domains that share a pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceConfig {
    /// The domains, each with those below it, in small A-labels; one at least.
    pub domains: Vec<String>,
    /// How many connections carry their mail at once.
    pub connections: Option<u32>,
    /// How many messages leave in a minute at the most.
    pub messages_per_minute: Option<u32>,
    /// Whether their mail is not begun within five minutes of the full hour.
    pub spares_full_hour: bool,
}

/// Reads all tables. A domain stands in one of them alone.
pub(super) fn paces(
    tables: Vec<Keys<'_>>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<PaceConfig> {
    let mut paces: Vec<PaceConfig> = Vec::new();
    for mut keys in tables {
        let mut domains = Vec::new();
        let (is_there, problems_before) = (keys.has("domains"), problems.len());
        let settings = keys.placed_strings("domains", problems);
        if !is_there {
            keys.report_missing("domains", "[\"example.jp\"]");
        } else if settings.is_empty() && problems.len() == problems_before {
            problems.push(
                Diagnostic::error("empty-value", "`domains` in [[pace]] is empty")
                    .at(source, keys.span())
                    .help("write `domains = [\"example.jp\"]`"),
            );
        }
        for setting in settings {
            let Some(domain) = domain(&setting.value) else {
                problems.push(
                    Diagnostic::error("bad-host", format!("`{}` is no domain", setting.value.escape_debug()))
                        .at(source, setting.span)
                        .help("write what stands behind the @ of addresses, such as \"example.jp\""),
                );
                continue;
            };
            let mut known = paces.iter().flat_map(|pace| &pace.domains).chain(&domains);
            if known.any(|known| *known == domain) {
                problems.push(
                    Diagnostic::error("duplicate-domain", format!("`{domain}` has a pace already"))
                        .at(source, setting.span)
                        .help("leave it in one [[pace]]"),
                );
                continue;
            }
            domains.push(domain);
        }
        let pace = PaceConfig {
            domains,
            connections: keys.integer("connections", 1..1001, problems),
            messages_per_minute: keys.integer("messages-per-minute", 1..60_000_001, problems),
            spares_full_hour: keys.boolean("not-on-the-hour", problems).unwrap_or(false),
        };
        keys.finish(problems);
        // Why one has no domains is told already.
        if !pace.domains.is_empty() {
            paces.push(pace);
        }
    }
    paces
}

fn domain(text: &str) -> Option<String> {
    let address = EmailAddress::parse(&format!("a@{text}")).ok()?;
    (!text.contains('@')).then(|| address.domain().to_owned())
}
