//! Complaints and other feedback (RFC 5965), and the forms that came before the standard.

use super::addresses;
use super::delivery_status::MOST_RECIPIENTS;
use super::fields::Fields;
use super::message::Opened;
use super::report::Kind;

/// What a feedback report says.
pub(super) struct Complaint {
    pub kind: Kind,
    /// Who complained: none where the mail service hides it.
    pub recipients: Vec<String>,
}

/// Reads a mail's feedback report, if it has one.
pub(super) fn read(mail: &Opened) -> Option<Complaint> {
    // Apple Mail asks in the reader's name to be taken off.
    if mail.header.get("x-apple-unsubscribe").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        let mut recipients = Vec::new();
        add(&mut recipients, mail.header.all("from"));
        return Some(Complaint { kind: Kind::Complaint, recipients });
    }
    let report = match mail.feedback.first() {
        Some(report) => Fields::read(report.lines()),
        None if is_old_form(mail) => Fields::default(),
        None => return None,
    };
    let kind = match report.get("feedback-type").map(|kind| kind.trim().to_ascii_lowercase()).as_deref() {
        Some("auth-failure" | "dmarc" | "not-spam" | "auth failure") => Kind::Feedback,
        _ => Kind::Complaint,
    };
    let mut recipients: Vec<String> = Vec::new();
    let named = report.all("original-rcpt-to").chain(report.all("removal-recipient"));
    let named =
        named.chain(report.all("original-recipient")).chain(mail.original.all("x-hmxmroriginalrecipient"));
    add(&mut recipients, named);
    for name in ["x-original-to", "delivered-to", "x-envelope-to", "to"] {
        if recipients.is_empty() {
            add(&mut recipients, mail.original.all(name));
        }
    }
    Some(Complaint { kind, recipients })
}

/// Adds the addresses of some values, but for those that hide one.
fn add<'a>(recipients: &mut Vec<String>, values: impl Iterator<Item = &'a str>) {
    for address in values.flat_map(addresses::all) {
        let is_hidden =
            ["redacted", "undisclosed"].iter().any(|word| address.to_ascii_lowercase().contains(word));
        let is_known = recipients.iter().any(|known| addresses::same(known, address));
        if !is_hidden && !is_known && recipients.len() < MOST_RECIPIENTS {
            recipients.push(address.to_owned());
        }
    }
}

/// Mail services sent complaints before there was a standard for it, and one large service still does.
fn is_old_form(mail: &Opened) -> bool {
    let subject = mail.subject.to_ascii_lowercase();
    let said = [
        "complaint about message from",
        "email feedback report for ip",
        "email abuse report",
        "spam complaint",
    ];
    let notice = mail.notice.to_ascii_lowercase();
    mail.original.get("x-hmxmroriginalrecipient").is_some()
        || mail.report_type.as_deref() == Some("feedback-report")
        || (mail.returned.is_some() && said.iter().any(|said| subject.contains(said)))
        || (mail.returned.is_some() && notice.contains("abuse report for an email message"))
}
