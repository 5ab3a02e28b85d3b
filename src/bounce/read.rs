//! Reads a mail that came back: by the report in it, or by its words.

use super::addresses;
use super::complaint;
use super::delivery_status::{self, Action, Delivery};
use super::free_form::{self, Contexts, Found};
use super::json;
use super::kind::{is_auto_reply, is_delay, is_notice};
use super::message::{self, Opened};
use super::phrases;
use super::reason::{Facts, stage, weigh};
use super::report::{Hardness, Kind, Reason, Recipient, Report, shown};
use super::status::{EnhancedStatus, reply_code};

/// Notices about notices about notices: deeper ones are not looked into.
const DEEPEST: usize = 3;

/// Reads a mail that came back, as it came: a whole message, or a notice in JSON. `None` when it is something else: a
/// letter from a person, say.
///
/// Of a mail the first 2 MB are read, and of a notice in it 64 kB; it takes time in proportion to that.
pub fn read(octets: &[u8]) -> Option<Report> {
    read_within(octets, 0)
}

fn read_within(octets: &[u8], depth: usize) -> Option<Report> {
    if matches!(octets.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return json::read(&String::from_utf8_lossy(&octets[..octets.len().min(1 << 20)]));
    }
    let mail = message::open(octets);
    let (kind, recipients) = if let Some(complaint) = complaint::read(&mail) {
        (complaint.kind, complained(complaint.recipients, &mail))
    } else if let Some(report) = is_notice(&mail).then(|| json::read(&mail.notice)).flatten() {
        return Some(Report { paths: [paths(&mail), report.paths].concat(), ..report });
    } else if let Some(reported) = reported(&mail) {
        reported
    } else if is_auto_reply(&mail) {
        (Kind::AutoReply, answered(&mail))
    } else if let Some(inner) = within(&mail, depth) {
        return Some(inner);
    } else {
        told(&mail)?
    };
    let message_id = mail.original.get("message-id").or(mail.header.get("in-reply-to")).map(id);
    let leave = mail.original.get("list-unsubscribe").filter(|value| value.len() <= 2_000).map(str::to_owned);
    Some(Report {
        kind,
        recipients,
        message_id: message_id.filter(|id| !id.is_empty()),
        paths: paths(&mail),
        leave,
    })
}

/// The notice that came back as the returned mail: a gateway may put its own words, which name nobody, round another
/// server's.
fn within(mail: &Opened, depth: usize) -> Option<Report> {
    let returned = mail.returned.as_deref()?;
    if depth >= DEEPEST || !is_notice(mail) || free_form::names_anybody(mail) {
        return None;
    }
    let inner = read_within(returned, depth + 1)?;
    let is_telling = inner.recipients.iter().any(|recipient| !recipient.address.is_empty());
    let paths = [paths(mail), inner.paths].concat();
    (inner.kind == Kind::Bounce && is_telling).then_some(Report { paths, ..inner })
}

fn id(value: &str) -> String {
    value
        .split(['<', '>'])
        .map(str::trim)
        .find(|part| !part.is_empty())
        .unwrap_or_default()
        .chars()
        .take(300)
        .collect()
}

fn paths(mail: &Opened) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let names = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-apparently-to", "to"];
    let came = names.iter().flat_map(|name| mail.header.all(name));
    let sent =
        ["return-path", "x-envelope-from", "errors-to"].iter().flat_map(|name| mail.original.all(name));
    for address in came.chain(sent).flat_map(addresses::all) {
        if paths.len() < 50 && !paths.iter().any(|known| addresses::same(known, address)) {
            paths.push(address.to_owned());
        }
    }
    paths
}

fn complained(addresses: Vec<String>, mail: &Opened) -> Vec<Recipient> {
    let diagnostic = shown(mail.feedback.first().map_or("", |report| report));
    let recipient = |address| Recipient {
        address,
        original: None,
        hardness: Hardness::Soft,
        status: None,
        reason: Reason::Undefined,
        diagnostic: diagnostic.clone(),
    };
    let addresses = if addresses.is_empty() { vec![String::new()] } else { addresses };
    addresses.into_iter().map(recipient).collect()
}

/// What a report for machines says (RFC 3464), where there is one.
fn reported(mail: &Opened) -> Option<(Kind, Vec<Recipient>)> {
    let mut deliveries: Vec<Delivery> =
        mail.delivery.iter().flat_map(|report| delivery_status::read(report)).collect();
    if deliveries.is_empty()
        && mail.notice.to_ascii_lowercase().contains("final-recipient:")
        && is_notice(mail)
    {
        deliveries = delivery_status::read(&mail.notice);
    }
    let is_delivered = |delivery: &Delivery| {
        let is_success = delivery.action.is_none() && delivery.status.is_some_and(|status| status.class == 2);
        delivery.action == Some(Action::Delivered) || is_success
    };
    let is_delayed = |delivery: &Delivery| delivery.action == Some(Action::Delayed);
    let kind = if deliveries.is_empty() {
        return None;
    } else if deliveries.iter().all(is_delivered) {
        Kind::Delivered
    } else if deliveries.iter().all(|delivery| is_delayed(delivery) || is_delivered(delivery)) {
        Kind::Delay
    } else {
        Kind::Bounce
    };
    deliveries.truncate(delivery_status::MOST_RECIPIENTS);
    // Who got the mail is not told among those who did not.
    deliveries.retain(|delivery| match kind {
        Kind::Delivered => true,
        Kind::Delay => is_delayed(delivery),
        _ => !is_delivered(delivery) && !is_delayed(delivery),
    });
    let is_one = deliveries.len() == 1;
    let contexts = Contexts::of(&mail.notice);
    let mut recipients: Vec<Recipient> = Vec::new();
    for delivery in deliveries {
        // What a notice says to a few is said of each of them.
        let whole = if is_one {
            mail.notice.as_str()
        } else {
            &mail.notice[..mail.notice.floor_char_boundary(SAID_TO_ALL)]
        };
        let own = delivery.address.as_deref().and_then(|address| contexts.context(address));
        let context = if is_one { whole } else { own.unwrap_or(whole) };
        let found = recipient(mail, kind, delivery, is_one, context);
        // Some servers tell of an address twice; the second time may tell more.
        match recipients.iter_mut().find(|known| addresses::same(&known.address, &found.address)) {
            Some(known) if known.reason == Reason::Undefined => *known = found,
            Some(_) => {}
            None => recipients.push(found),
        }
    }
    Some((kind, recipients))
}

/// How much of a notice is said to all its recipients, at most, in octets.
const SAID_TO_ALL: usize = 2_000;

fn recipient(mail: &Opened, kind: Kind, delivery: Delivery, is_one: bool, context: &str) -> Recipient {
    let mut address = delivery.address.unwrap_or_default();
    if !address.contains('@')
        && is_one
        && let [only] = &free_form::recipients(mail)[..]
    {
        address = only.address.clone();
    }
    // A filter at the mailbox (RFC 5429) writes its reason for people alone.
    let is_filter = context.contains("was automatically rejected:");
    let facts = Facts {
        status: delivery.status,
        texts: if is_filter { vec![context] } else { vec![&delivery.diagnostic, context] },
        stage: stage(&delivery.diagnostic).or_else(|| stage(context)),
        server: &delivery.server,
        address: &address,
    };
    let (mut reason, mut hardness) = weigh(&facts);
    if delivery.action == Some(Action::Expired) {
        (reason, hardness) = (Reason::Expired, Hardness::Soft);
    }
    if kind != Kind::Bounce {
        hardness = Hardness::Soft;
    }
    let status = facts.best_status();
    let words = if delivery.diagnostic.is_empty() { said(context) } else { &delivery.diagnostic };
    let diagnostic = shown(words);
    Recipient { original: delivery.original, hardness, status, reason, diagnostic, address }
}

/// What a notice in a free form says, where it is one.
fn told(mail: &Opened) -> Option<(Kind, Vec<Recipient>)> {
    if !is_notice(mail) {
        return None;
    }
    let found = free_form::recipients(mail);
    let kind = if is_delay(mail) { Kind::Delay } else { Kind::Bounce };
    let unnamed = || vec![Found { address: String::new(), context: mail.notice.as_str() }];
    let found = if found.is_empty() { unnamed() } else { found };
    let is_known = phrases::reason(&mail.notice).is_some();
    if found.iter().all(|found| found.address.is_empty()) && !is_known && mail.returned.is_none() {
        return None;
    }
    let sender = mail.header.get("from").unwrap_or_default();
    let recipients = found.into_iter().map(|found| {
        let words = said(found.context);
        let facts = Facts {
            status: EnhancedStatus::find(words)
                .or_else(|| EnhancedStatus::find(found.context))
                .filter(|status| status.class != 2),
            texts: vec![words, found.context, &mail.notice, &mail.subject],
            stage: stage(found.context),
            server: addresses::all(sender).next().map_or("", addresses::domain),
            address: &found.address,
        };
        let (reason, hardness) = weigh(&facts);
        let hardness = if kind == Kind::Bounce { hardness } else { Hardness::Soft };
        let status = facts.best_status();
        let diagnostic = shown(words);
        Recipient { original: None, hardness, status, reason, diagnostic, address: found.address }
    });
    Some((kind, recipients.collect()))
}

/// The paragraph of a notice from its first reply of a server on, or all of it: its first words only greet.
fn said(context: &str) -> &str {
    let (mut at, mut start) = (0, None);
    for line in context.split_inclusive('\n') {
        match start {
            None => {
                let status = EnhancedStatus::find(line).filter(|status| status.class != 2);
                start = (status.is_some() || reply_code(line).is_some()).then_some(at);
            }
            Some(start) if line.trim().is_empty() => return &context[start..at],
            Some(_) => {}
        }
        at += line.len();
    }
    &context[start.unwrap_or(0)..]
}

fn answered(mail: &Opened) -> Vec<Recipient> {
    let from = mail.header.get("from").unwrap_or_default();
    let address = addresses::all(from).last().unwrap_or_default().to_owned();
    vec![Recipient {
        address,
        original: None,
        hardness: Hardness::Soft,
        status: None,
        reason: Reason::Undefined,
        diagnostic: shown(&mail.notice),
    }]
}
