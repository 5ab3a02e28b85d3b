//! Notices in free forms: whom they speak of, by where an address stands in its line.

use super::addresses;
use super::delivery_status::MOST_RECIPIENTS;
use super::message::Opened;

/// A recipient in a notice, and the lines that speak of him.
pub(super) struct Found<'a> {
    /// His address.
    pub address: String,
    /// From the line that names him to the next that names another; the whole notice if he is the only one.
    pub context: &'a str,
}

/// How surely an address in a line is the recipient's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Surety {
    /// It stands somewhere.
    Named,
    /// In a server's reply.
    Replied,
    /// It begins the line, or stands behind words that say so.
    Listed,
}

struct Mention<'a> {
    address: &'a str,
    surety: Surety,
    at: usize,
}

/// Longer lines are no words for people, in octets.
const LONGEST_LINE: usize = 2_000;

/// Whom a notice speaks of, as surely as can be told.
pub(super) fn recipients<'a>(mail: &'a Opened) -> Vec<Found<'a>> {
    let notice = mail.notice.as_str();
    let mentions = mentions(notice);
    let failed = unique(mail.header.all("x-failed-recipients").flat_map(addresses::all));
    if !failed.is_empty() {
        return with_contexts(notice, failed, &mentions);
    }
    let ours = own_addresses(mail);
    let is_ours = |address: &str| ours.iter().any(|own| addresses::same(own, address));
    for surety in [Surety::Listed, Surety::Replied] {
        let sure = |roles: bool| {
            let mentions =
                mentions.iter().filter(|mention| mention.surety == surety && !is_ours(mention.address));
            unique(
                mentions
                    .map(|mention| mention.address)
                    .filter(|address| roles || !addresses::is_role(address)),
            )
        };
        let mut found = sure(false);
        if found.is_empty() {
            found = sure(true);
        }
        if !found.is_empty() {
            return with_contexts(notice, found, &mentions);
        }
    }
    let others = mentions.iter().map(|mention| mention.address).filter(|address| !is_ours(address));
    let others = unique(others.filter(|address| !addresses::is_role(address)));
    if let [only] = &others[..] {
        return vec![Found { address: only.clone(), context: notice }];
    }
    if let Some(address) = original_recipient(mail) {
        return vec![Found { address, context: notice }];
    }
    // The sender wrote to himself, most likely.
    let listed =
        mentions.iter().filter(|mention| mention.surety > Surety::Named).map(|mention| mention.address);
    let mut left = unique(listed.filter(|address| !addresses::is_role(address)));
    left.extend(others.into_iter().take(usize::from(left.is_empty())));
    with_contexts(notice, left, &mentions)
}

/// The lines of a notice that speak of each of its recipients.
pub(super) struct Contexts<'a> {
    notice: &'a str,
    listed: Vec<Mention<'a>>,
}

impl<'a> Contexts<'a> {
    pub(super) fn of(notice: &'a str) -> Self {
        let listed = mentions(notice).into_iter().filter(|mention| mention.surety == Surety::Listed);
        Contexts { notice, listed: listed.collect() }
    }

    /// The lines that speak of an address, if any do.
    pub(super) fn context(&self, address: &str) -> Option<&'a str> {
        let is_he = |mention: &&Mention<'_>| addresses::same(mention.address, address);
        let first = self.listed.iter().position(|mention| is_he(&mention))?;
        let next = self.listed[first..].iter().find(|mention| !is_he(mention));
        Some(&self.notice[self.listed[first].at..next.map_or(self.notice.len(), |next| next.at)])
    }
}

/// Whether a notice names anybody but the one it came to.
pub(super) fn names_anybody(mail: &Opened) -> bool {
    let ours = own_addresses(mail);
    let is_other =
        |address: &str| !addresses::is_role(address) && !ours.iter().any(|own| addresses::same(own, address));
    mail.header.get("x-failed-recipients").is_some()
        || mentions(&mail.notice).iter().any(|mention| is_other(mention.address))
}

/// Whom the mail that came back was sent to, if that was one.
pub(super) fn original_recipient(mail: &Opened) -> Option<String> {
    ["x-envelope-to", "x-original-to", "envelope-to", "delivered-to", "x-rcpt-to", "to"].iter().find_map(
        |name| {
            let all = unique(mail.original.all(name).flat_map(addresses::all));
            let [only] = &all[..] else { return None };
            Some(only.clone())
        },
    )
}

/// The addresses of the one whom the notice came to.
fn own_addresses(mail: &Opened) -> Vec<String> {
    let names = ["to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to"];
    let own = names.iter().flat_map(|name| mail.header.all(name));
    let sender = ["from", "return-path", "sender", "x-envelope-from"];
    let sent = sender.iter().flat_map(|name| mail.original.all(name));
    unique(own.chain(sent).flat_map(addresses::all))
}

fn unique<'a>(addresses: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for address in addresses {
        if unique.len() < MOST_RECIPIENTS && !unique.iter().any(|known| addresses::same(known, address)) {
            unique.push(address.to_owned());
        }
    }
    unique
}

fn with_contexts<'a>(notice: &'a str, found: Vec<String>, mentions: &[Mention<'_>]) -> Vec<Found<'a>> {
    if found.len() == 1 {
        return found.into_iter().map(|address| Found { address, context: notice }).collect();
    }
    let of = |address: &str| found.iter().position(|known| addresses::same(known, address));
    let mut contexts: Vec<Option<(usize, usize)>> = vec![None; found.len()];
    let mut current: Option<usize> = None;
    let sure =
        mentions.iter().any(|mention| mention.surety == Surety::Listed && of(mention.address).is_some());
    for mention in mentions.iter().filter(|mention| mention.surety == Surety::Listed || !sure) {
        let Some(index) = of(mention.address) else { continue };
        if current == Some(index) {
            continue;
        }
        if let Some((_, end)) = current.and_then(|current| contexts[current].as_mut()) {
            *end = (*end).min(mention.at);
        }
        if contexts[index].is_none() {
            contexts[index] = Some((mention.at, notice.len()));
            current = Some(index);
        } else {
            current = None;
        }
    }
    let context = |at: Option<(usize, usize)>| at.map_or(notice, |(start, end)| &notice[start..end]);
    found.into_iter().zip(contexts).map(|(address, at)| Found { address, context: context(at) }).collect()
}

fn mentions(notice: &str) -> Vec<Mention<'_>> {
    let mut mentions = Vec::new();
    let mut at = 0;
    for line in notice.split_inclusive('\n') {
        let seen = &line[..line.floor_char_boundary(LONGEST_LINE)];
        for range in addresses::ranges(seen) {
            let before = seen[..range.start].trim_end_matches(['<', '"', '\'', '(', '[', '*', '`']);
            if let Some(surety) = surety(before, seen) {
                mentions.push(Mention { address: &seen[range], surety, at });
            }
        }
        at += line.len();
        if mentions.len() > 10 * MOST_RECIPIENTS {
            break;
        }
    }
    mentions
}

/// How sure it is, by what stands before an address in its line; `None` when it surely is another's.
fn surety(before: &str, line: &str) -> Option<Surety> {
    let before = before.trim().to_ascii_lowercase();
    let before = before.trim_end_matches(['<', '"', '\'']).trim_end();
    const OTHERS: [&str; 23] = [
        "from:",
        "from",
        "sender:",
        "sender",
        "sent by",
        "cc:",
        "reply-to:",
        "reply to",
        "return-path:",
        "contact",
        "contact:",
        "mailto:",
        "helo",
        "identity",
        "postmaster at",
        "e-mail to",
        "email to",
        "write to",
        "message-id:",
        "message id:",
        "references:",
        "for help, contact",
        "malformed address:",
    ];
    if OTHERS.iter().any(|other| ends_as_word(before, other)) {
        return None;
    }
    let marks = |c: char| !c.is_alphanumeric() && c != ':' && c != '=';
    if before.chars().all(marks) || is_number(before) {
        return Some(Surety::Listed);
    }
    const LABELS: [&str; 40] = [
        "recipient",
        "recipient:",
        "recipients:",
        "recipient(s):",
        "recipient address:",
        "recipients are:",
        "rcpt to:",
        "rcpt to",
        "rcpt:",
        "to address:",
        "to the following address:",
        "address:",
        "addresses:",
        "addressed to:",
        "addressee:",
        "deliver to:",
        "delivered to:",
        "delivered to",
        "deliver message to:",
        "deliver message to",
        "deliver mail to",
        "deliver your message to",
        "delivery to",
        "delivery to:",
        "message to",
        "mail to",
        "envelope-to:",
        "user:",
        "unknown user:",
        "mailbox:",
        "account:",
        "failed:",
        "errors:",
        "attempts:",
        "failed for",
        "undeliverable to",
        "undeliverable to:",
        "宛先:",
        "宛先：",
        "送信先:",
    ];
    if LABELS.iter().any(|label| ends_as_word(before, label)) {
        return Some(Surety::Listed);
    }
    let line = line.trim_start_matches([' ', '\t', '<', '>', '-']);
    let is_reply =
        line.len() > 3 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit) && line.starts_with(['4', '5']);
    let is_reply = is_reply
        || ["said:", " 550", " 551", " 552", " 553", " 554", " 450", " 452"]
            .iter()
            .any(|said| before.contains(said));
    Some(if is_reply { Surety::Replied } else { Surety::Named })
}

fn ends_as_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
}

/// `1.`, `(2)`
fn is_number(text: &str) -> bool {
    text.len() <= 5 && !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || ".()[]:".contains(c))
}
