//! Reports on delivery (RFC 3464): a block of fields for each recipient.

use super::addresses;
use super::fields::{Fields, field};
use super::status::EnhancedStatus;

/// More recipients than any report of ours has.
pub(super) const MOST_RECIPIENTS: usize = 200;

/// What a report says of one recipient.
pub(super) struct Delivery {
    /// Whom it was to be delivered to.
    pub address: Option<String>,
    /// Whom it was sent to.
    pub original: Option<String>,
    /// What was done.
    pub action: Option<Action>,
    /// The status code.
    pub status: Option<EnhancedStatus>,
    /// The server's words.
    pub diagnostic: String,
    /// The server.
    pub server: String,
}

/// What was done (RFC 3464, section 2.3.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Failed,
    Delayed,
    /// Delivered, relayed to a server that does not tell, or expanded to others.
    Delivered,
    /// Not the standard's, but Domino's and others'.
    Expired,
}

/// Reads a report. It may as well be a text in which the blocks stand.
pub(super) fn read(report: &str) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    // Blocks are parted by blank lines; some servers forget those, others put some into a block.
    let mut block: Vec<&str> = Vec::new();
    for line in report.lines().map(|line| line.trim_end_matches('\r')) {
        let name = field(line).map(|(name, _)| name.to_ascii_lowercase());
        let begins = name
            .as_deref()
            .is_some_and(|name| (BEGINS.contains(&name) || name == "action") && holds(&block, name));
        if begins || (line.trim().is_empty() && is_whole(&block)) {
            deliveries.extend(delivery(&block));
            block.clear();
        }
        if deliveries.len() >= MOST_RECIPIENTS {
            return deliveries;
        }
        if !line.trim().is_empty() && block.len() < 200 {
            block.push(line);
        }
    }
    deliveries.extend(delivery(&block));
    deliveries
}

/// The fields that a recipient's block begins with, or has once.
const BEGINS: [&str; 2] = ["final-recipient", "original-recipient"];

fn holds(block: &[&str], wanted: &str) -> bool {
    block.iter().any(|line| field(line).is_some_and(|(name, _)| name.eq_ignore_ascii_case(wanted)))
}

/// Whether a block has what makes it one: a recipient, and what became of him.
fn is_whole(block: &[&str]) -> bool {
    BEGINS.iter().any(|name| holds(block, name))
        && ["action", "status", "diagnostic-code"].iter().any(|name| holds(block, name))
}

fn delivery(block: &[&str]) -> Option<Delivery> {
    let fields = Fields::read(block.iter().copied());
    let address = |name: &str| fields.get(name).and_then(address).map(str::to_owned);
    let actual = address("x-actual-recipient");
    let final_recipient = address("final-recipient");
    let original = address("original-recipient");
    let names_nobody = final_recipient.is_none() && original.is_none() && actual.is_none();
    if names_nobody && BEGINS.iter().all(|name| fields.get(name).is_none()) {
        return None;
    }
    let whole = final_recipient.filter(|address| address.contains('@'));
    let address = whole.or(original.clone()).or(actual);
    let original = original
        .filter(|original| address.as_deref().is_some_and(|address| !addresses::same(address, original)));
    let status = fields.get("status").and_then(EnhancedStatus::find);
    // Some servers have a field of their own for what the other server said.
    let diagnostic = fields.get("diagnostic-code").filter(|words| !words.trim().is_empty());
    let diagnostic = diagnostic.or(fields.get("x-supplementary-info")).unwrap_or_default();
    let action = fields.get("action").map(|action| action.trim().to_ascii_lowercase());
    let action = action.as_deref().and_then(|action| {
        let word = action.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        Some(match word {
            "failed" | "failure" | "fail" => Action::Failed,
            "delayed" | "deferred" => Action::Delayed,
            "delivered" | "relayed" | "expanded" | "deliverable" => Action::Delivered,
            "expired" => Action::Expired,
            _ => return None,
        })
    });
    Some(Delivery {
        address,
        original,
        action,
        status,
        diagnostic: without_type(diagnostic).to_owned(),
        server: fields.get("remote-mta").unwrap_or_default().to_owned(),
    })
}

/// `rfc822; a@example.jp`, with or without brackets, or a type at all.
fn address(value: &str) -> Option<&str> {
    addresses::all(value).next().or_else(|| {
        let bare = without_type(value).trim().trim_matches(['<', '>']);
        (!bare.is_empty() && !bare.contains(' ')).then_some(bare)
    })
}

/// A typed field's value: `smtp; 550 …` less `smtp;`.
fn without_type(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if kind.len() <= 20 && !kind.trim().contains(' ') && !kind.contains('@') => {
            rest.trim()
        }
        _ => value.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(report: &str, expected: &[(&str, Option<&str>, &str)]) {
        let found = read(report);
        let found: Vec<_> = found
            .iter()
            .map(|delivery| {
                let status = delivery.status.map(|status| status.to_string());
                (delivery.address.clone().unwrap_or_default(), status, delivery.diagnostic.clone())
            })
            .collect();
        let found: Vec<_> = found.iter().map(|(a, b, c)| (&**a, b.as_deref(), &**c)).collect();
        assert_eq!(found, expected, "{report}");
    }

    #[test]
    fn blocks_are_read_as_the_standard_wants_them_and_otherwise() {
        check(
            "Reporting-MTA: dns; mx.example.jp\n\nFinal-Recipient: rfc822; a@example.jp\nAction: failed\n\
             Status: 5.1.1 (bad address)\nDiagnostic-Code: smtp; 550 5.1.1 <a@example.jp>:\n    not here\n\n\
             Final-Recipient: rfc822;b@example.jp\nStatus: 4.2.2\n",
            &[
                ("a@example.jp", Some("5.1.1"), "550 5.1.1 <a@example.jp>: not here"),
                ("b@example.jp", Some("4.2.2"), ""),
            ],
        );
        // No blank line between blocks, none before them, and fields in another order.
        check(
            "Reporting-MTA: dns; x\nAction: failed\nFinal-Recipient: rfc822; a@example.jp\nStatus: 5.0.0\n\
             Action: failed\nFinal-Recipient: rfc822; b@example.jp\nStatus: 5.2.2",
            &[("a@example.jp", Some("5.0.0"), ""), ("b@example.jp", Some("5.2.2"), "")],
        );
        check(
            "Original-Recipient: <a@example.jp>\nAction: failed\nDiagnostic-Code: 550 no; such user",
            &[("a@example.jp", None, "550 no; such user")],
        );
        check("Final-Recipient: rfc822;\n\nAction: failed\nStatus: 5.1.2", &[("", Some("5.1.2"), "")]);
        check(
            "Final-Recipient: LOCAL; taro\nOriginal-Recipient: rfc822;taro@example.jp\nStatus: 5.1.1",
            &[("taro@example.jp", Some("5.1.1"), "")],
        );
        check("Reporting-MTA: dns; mx.example.jp\nArrival-Date: today", &[]);
    }
}
