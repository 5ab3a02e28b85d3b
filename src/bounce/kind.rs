//! What kind of mail it is: a server's notice, a delay, an automatic reply, or somebody's letter.

use super::automatic;
use super::message::Opened;

/// Whether a mail looks like a server's: only then its words are believed to be a notice.
pub(super) fn is_notice(mail: &Opened) -> bool {
    let header = &mail.header;
    let has_empty_path =
        header.get("return-path").is_some_and(|path| path.trim().trim_matches(['<', '>']).is_empty());
    let has_daemon =
        ["from", "return-path", "sender"].iter().flat_map(|name| header.all(name)).any(automatic::is_daemon);
    let has_field = ["x-failed-recipients", "x-mlserver", "x-amz-sns-message-id", "x-ahmailid"]
        .iter()
        .any(|name| header.get(name).is_some());
    let is_report = mail.report_type.as_deref().is_some_and(|kind| kind != "disposition-notification");
    has_empty_path
        || has_daemon
        || has_field
        || is_report
        || is_subject(&mail.subject)
        || is_head(&mail.notice)
}

fn is_subject(subject: &str) -> bool {
    let subject = subject.to_lowercase();
    const SUBJECTS: [&str; 31] = [
        "undeliverable",
        "undelivered",
        "undeliver",
        "returned mail",
        "returned email",
        "returned message",
        "mail delivery",
        "delivery failure",
        "delivery failed",
        "delivery has failed",
        "delivery error",
        "delivery status",
        "delivery notification",
        "delivery report",
        "delivery problem",
        "delivery unsuccessful",
        "could not be delivered",
        "couldn't be delivered",
        "not delivered",
        "non-delivery",
        "failure notice",
        "failed mail",
        "mail failure",
        "mail system error",
        "mail error",
        "message delivery",
        "warning: could not send",
        "メールエラー",
        "配信できません",
        "送信できません",
        "配信エラー",
    ];
    // A person's answer to such a mail has its subject, too.
    !subject.trim_start().starts_with("re:") && SUBJECTS.iter().any(|known| subject.contains(known))
}

/// Words that only a server begins with.
fn is_head(notice: &str) -> bool {
    let head: String = notice.chars().take(600).collect::<String>().to_lowercase();
    const HEADS: [&str; 14] = [
        "this is the mail system at",
        "this message was created automatically by mail delivery",
        "delivery to the following recipient",
        "unable to deliver message to",
        "your message could not be delivered",
        "your message cannot be delivered",
        "message could not be sent",
        "could not be delivered to",
        "i wasn't able to deliver your message",
        "addresses had permanent",
        "error message below:",
        "自動的に生成",
        "送信できませんでした",
        "配信できませんでした",
    ];
    HEADS.iter().any(|known| head.contains(known))
}

/// Whether the server that wrote tries on.
pub(super) fn is_delay(mail: &Opened) -> bool {
    let subject = mail.subject.to_lowercase();
    if ["(delay)", "delayed", "warning: could not send", "still being retried"]
        .iter()
        .any(|said| subject.contains(said))
    {
        return true;
    }
    let notice = mail.notice.to_ascii_lowercase();
    [
        "this is a warning message only",
        "you do not need to resend",
        "no action is required on your part",
        "delivery attempts will continue",
        "will continue to be attempted",
        "will keep trying",
        "has not yet been delivered",
        "not been delivered yet",
        "will be retried",
    ]
    .iter()
    .any(|said| notice.contains(said))
}

/// Whether a machine answers in a reader's name (RFC 3834): not a server that also calls its notices replies.
pub(super) fn is_auto_reply(mail: &Opened) -> bool {
    let header = &mail.header;
    if mail.report_type.as_deref() == Some("disposition-notification") {
        return true;
    }
    let is_server =
        header.all("from").any(automatic::is_daemon) || header.get("x-failed-recipients").is_some();
    let subject = mail.subject.to_lowercase();
    if is_server || is_subject(&subject) {
        return false;
    }
    let replied = ["x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply"];
    let small = |name: &str| header.get(name).unwrap_or_default().to_ascii_lowercase();
    let says_so = small("auto-submitted").starts_with("auto-replied")
        || replied.iter().any(|name| header.get(name).is_some())
        || small("precedence") == "auto_reply"
        || small("x-apple-action").contains("vacation");
    const SUBJECTS: [&str; 13] = [
        "auto:",
        "auto reply",
        "auto-reply",
        "autoreply",
        "automatic reply",
        "auto response",
        "autoresponse",
        "automated reply",
        "out of office",
        "out of the office",
        "vacation",
        "自動応答",
        "自動返信",
    ];
    says_so || SUBJECTS.iter().any(|said| subject.contains(said))
}
