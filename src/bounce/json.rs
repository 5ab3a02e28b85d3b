//! Notices as JSON: Amazon SES's, alone, in an SNS notification or in a mail of one, and SendGrid's events.

use serde_json::{Deserializer, Value};

use super::delivery_status::MOST_RECIPIENTS;
use super::reason::{Facts, weigh};
use super::report::{Hardness, Kind, Reason, Recipient, Report, shown};
use super::status::EnhancedStatus;

/// Reads a notice that stands in a text, if one does.
pub(super) fn read(text: &str) -> Option<Report> {
    let start = text.find(['{', '['])?;
    let text = &text[start..];
    const KNOWN: [&str; 7] = [
        "notificationType",
        "eventType",
        "bouncedRecipients",
        "complainedRecipients",
        "\"event\"",
        "\"Message\"",
        "\"email\"",
    ];
    if !KNOWN.iter().any(|known| text.contains(known)) {
        return None;
    }
    let value = first(text).or_else(|| first(&unbroken(text)))?;
    // A notification of SNS carries the notice as a string.
    let inner = value.get("Message").and_then(Value::as_str).and_then(first);
    let value = inner.unwrap_or(value);
    let report = amazon(&value).or_else(|| sendgrid(&value));
    report.filter(|report| !report.recipients.is_empty())
}

fn first(text: &str) -> Option<Value> {
    Deserializer::from_str(text).into_iter::<Value>().next()?.ok()
}

/// Mail servers break lines that are too long, with `!` before the break or without.
fn unbroken(text: &str) -> String {
    text.replace("!\n ", "").replace(['\r', '\n'], "")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn amazon(value: &Value) -> Option<Report> {
    let kind = [text(value, "notificationType"), text(value, "eventType")].concat();
    let (kind, field, list) = match kind.as_str() {
        "Bounce" => (Kind::Bounce, "bounce", "bouncedRecipients"),
        "Complaint" => (Kind::Complaint, "complaint", "complainedRecipients"),
        "Delivery" => (Kind::Delivered, "delivery", "recipients"),
        "DeliveryDelay" => (Kind::Delay, "deliveryDelay", "delayedRecipients"),
        _ => return None,
    };
    let told = value.get(field)?;
    let is_permanent = text(told, "bounceType") == "Permanent";
    let sub_type = match text(told, "bounceSubType") {
        // Of an address on Amazon's own list nothing was heard this time, but it once bounced for good.
        "NoEmail" | "Suppressed" | "OnAccountSuppressionList" => "unknown user",
        "MailboxFull" => "mailbox full",
        "MessageTooLarge" => "message too large",
        "ContentRejected" | "AttachmentRejected" => "message content rejected",
        _ => "",
    };
    let mut recipients = Vec::new();
    for told in told.get(list)?.as_array()?.iter().take(MOST_RECIPIENTS) {
        let address = told.as_str().unwrap_or_else(|| text(told, "emailAddress"));
        let words = text(told, "diagnosticCode");
        let status = EnhancedStatus::find(text(told, "status"));
        let facts = Facts { status, texts: vec![words, sub_type], address, ..Facts::default() };
        let (reason, mut hardness) = weigh(&facts);
        if kind != Kind::Bounce || !is_permanent {
            hardness = Hardness::Soft;
        }
        recipients.push(recipient(address, kind, hardness, status, reason, words));
    }
    let mail = value.get("mail");
    let header =
        |name: &str| mail.and_then(|mail| mail.get("commonHeaders")).map(|headers| text(headers, name));
    let id = header("messageId").filter(|id| !id.is_empty()).or(mail.map(|mail| text(mail, "messageId")));
    let source = mail.map(|mail| text(mail, "source")).unwrap_or_default();
    Some(Report {
        kind,
        recipients,
        message_id: id.map(|id| id.trim_matches(['<', '>']).to_owned()).filter(|id| !id.is_empty()),
        paths: if source.is_empty() { Vec::new() } else { vec![source.to_owned()] },
        leave: None,
    })
}

fn sendgrid(value: &Value) -> Option<Report> {
    let events = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut recipients = Vec::new();
    let mut kind = None;
    for event in events.iter().take(MOST_RECIPIENTS) {
        let address = text(event, "email");
        let this = match text(event, "event") {
            "bounce" | "dropped" | "blocked" => Kind::Bounce,
            "deferred" => Kind::Delay,
            "spamreport" => Kind::Complaint,
            "delivered" => Kind::Delivered,
            // Its list of bounces has no events.
            "" if value_has(event, "reason") => Kind::Bounce,
            _ => continue,
        };
        if address.is_empty() || *kind.get_or_insert(this) != this {
            continue;
        }
        let words = [text(event, "reason"), text(event, "response")].concat();
        let status = EnhancedStatus::find(text(event, "status"));
        let facts = Facts { status, texts: vec![&words], address, ..Facts::default() };
        let (reason, hardness) = weigh(&facts);
        let hardness = if this == Kind::Bounce { hardness } else { Hardness::Soft };
        recipients.push(recipient(address, this, hardness, status, reason, &words));
    }
    let message_id = events.first().map(|event| text(event, "smtp-id").trim_matches(['<', '>']).to_owned());
    Some(Report {
        kind: kind?,
        recipients,
        message_id: message_id.filter(|id| !id.is_empty()),
        paths: Vec::new(),
        leave: None,
    })
}

fn value_has(value: &Value, name: &str) -> bool {
    !text(value, name).is_empty()
}

fn recipient(
    address: &str,
    kind: Kind,
    hardness: Hardness,
    status: Option<EnhancedStatus>,
    reason: Reason,
    words: &str,
) -> Recipient {
    let reason = if matches!(kind, Kind::Complaint | Kind::Delivered) { Reason::Undefined } else { reason };
    Recipient {
        address: address.to_owned(),
        original: None,
        hardness,
        status,
        reason,
        diagnostic: shown(words),
    }
}
