//! What every database promises of mail that came back. `store_cases` runs these for each.

use chrono::TimeDelta;
use mailmag::bounce::verp::Path;
use mailmag::bounce::{Event, Hardness, Reason, Returned, Way};
use mailmag::list::{NoticeKind, Request, TokenKind};
use mailmag::mailing::{DeliveryStatus, InDoubt, Next};
use mailmag::model::{Status, SubscriberId, Suppression};
use mailmag::store::mailings::{
    Audience, Ended, FrozenLetter, Mailing, Mailings, NewMailing, Order, Planned, Step,
};
use mailmag::store::returns::{NewReturn, Proof, Returns, Taken};

use crate::store::{List, address};

fn id(list: &List, text: &str) -> SubscriberId {
    list.store.subscriber(&address(text)).unwrap().unwrap().id
}

fn returned(event: Option<Event>) -> Returned {
    let (way, hardness) = match event {
        Some(Event::Complaint) => (Way::Complaint, Hardness::Soft),
        Some(Event::Hard | Event::UnknownAddress) => (Way::Bounce, Hardness::Hard),
        Some(Event::Soft) | None => (Way::Bounce, Hardness::Soft),
    };
    let diagnostic = "550 marker-words of a server".to_owned();
    Returned { way, event, hardness, status: None, reason: Reason::UnknownUser, diagnostic }
}

/// Takes the report of this number about a mailing.
fn take(list: &List, mailing: i64, subscriber: SubscriberId, number: u8, event: Option<Event>) -> Taken {
    let new = NewReturn {
        proof: Proof::Path(Path { mailing, subscriber }),
        digest: [number; 32],
        at: list.at,
        message_id: format!("<{number}@mx.example.com>"),
        returned: Some(returned(event)),
    };
    list.store.take_return(new).wait().unwrap()
}

/// A server says of a reader that he is full for now, in these words.
pub(crate) fn came_back(list: &List, text: &str, words: &str) {
    let new = NewReturn {
        proof: Proof::Path(Path { mailing: 1, subscriber: id(list, text) }),
        digest: [200; 32],
        at: list.at,
        message_id: String::new(),
        returned: Some(Returned { diagnostic: words.to_owned(), ..returned(Some(Event::Soft)) }),
    };
    assert_eq!(list.store.take_return(new).wait().unwrap(), Taken::Kept);
}

fn new_mailing(list: &List, issue: i64) -> NewMailing {
    NewMailing {
        issue,
        label: issue.to_string(),
        correction: 0,
        subject: "a test".to_owned(),
        letter: FrozenLetter { octets: b"From: a@b.jp\r\n\r\ntext\r\n".to_vec(), texts: "[]".to_owned() },
        charset: "UTF-8".to_owned(),
        digest: "d1".to_owned(),
        in_doubt: InDoubt::Hold,
        created: list.at,
        starts: list.at,
    }
}

/// Mails an issue to all readers; `refused` says of whom a server refuses what.
pub(crate) fn mail(list: &List, issue: i64, refused: impl Fn(&str) -> Option<Event>) -> (Mailings, Mailing) {
    let mailings = Mailings::open(&list.settings).unwrap();
    let planned = mailings.plan(new_mailing(list, issue), Audience::default()).wait().unwrap();
    let Planned::New(mailing) = planned else { panic!("{planned:?}") };
    let worker = mailings.register("a test".to_owned(), list.at + TimeDelta::days(1)).wait().unwrap();
    for lane in 0..8 {
        let order = Order { mailing: mailing.id, worker, lane, after: 0, most: 100, at: list.at };
        for delivery in mailings.claim(order).wait().unwrap().deliveries {
            let event = refused(delivery.address.as_str());
            let status = if event.is_some() { DeliveryStatus::Rejected } else { DeliveryStatus::Accepted };
            let refusal = event.map(|event| Returned { way: Way::Refusal, ..returned(Some(event)) });
            let ended = Ended {
                claim: delivery.claim(),
                next: Next { status, due: None, counts: true },
                reply: "so it was".to_owned(),
                returned: refusal.map(Box::new),
            };
            let step = Step { at: list.at, ended: Some(ended), attempted: None };
            assert_eq!(mailings.step(step).wait().unwrap(), (true, false));
        }
    }
    (mailings, mailing)
}

const TARO: &str = "taro@example.jp";

pub(crate) fn twice_hard_suppresses_and_once_unknown(list: &mut List) {
    list.active(TARO);
    list.active("jiro@example.jp");
    let (taro, jiro) = (id(list, TARO), id(list, "jiro@example.jp"));
    assert_eq!(take(list, 1, taro, 1, Some(Event::Hard)), Taken::Kept);
    assert_eq!(take(list, 1, taro, 1, Some(Event::Hard)), Taken::Again, "the same report counts once");
    list.pass(TimeDelta::days(7));
    assert_eq!(take(list, 1, taro, 1, Some(Event::Hard)), Taken::Again);
    assert_eq!(list.status(TARO), Some(Status::Active));
    assert_eq!(take(list, 2, taro, 2, Some(Event::Hard)), Taken::Suppressed(Suppression::HardBounce));
    assert_eq!(list.status(TARO), Some(Status::Suppressed(Suppression::HardBounce)));
    assert_eq!(take(list, 3, taro, 3, Some(Event::Hard)), Taken::Kept, "it is told, and changes nothing");
    let unknown = Some(Event::UnknownAddress);
    assert_eq!(take(list, 2, jiro, 2, unknown), Taken::Suppressed(Suppression::HardBounce));
    assert_eq!(list.events(TARO), ["applied", "confirmed", "suppressed"]);
    let entry = list.proof(TARO).pop().unwrap();
    assert_eq!(entry.details.message_id.as_deref(), Some("<2@mx.example.com>"));
    let returns = list.store.returns(&address(TARO)).unwrap();
    assert_eq!(returns.len(), 3);
    assert_eq!((returns[0].hardness, returns[0].reason), (Hardness::Hard, "unknown-user"));
    assert_eq!(take(list, 1, SubscriberId(999), 1, unknown), Taken::Nobody);
    let all = Returns { hard: 4, soft: 0, complaints: 0 };
    assert_eq!(list.store.stats().unwrap().returns, all);
}

pub(crate) fn soft_bounces_suppress_in_time_and_our_own_faults_never(list: &mut List) {
    list.active(TARO);
    list.active("jiro@example.jp");
    let (taro, jiro) = (id(list, TARO), id(list, "jiro@example.jp"));
    for number in 1..=5 {
        assert_eq!(take(list, 1, taro, number, Some(Event::Soft)), Taken::Kept, "{number}");
        assert_eq!(take(list, 1, jiro, number, None), Taken::Kept, "{number}");
        list.pass(TimeDelta::days(7));
    }
    assert_eq!(take(list, 1, taro, 6, Some(Event::Soft)), Taken::Suppressed(Suppression::SoftBounces));
    assert_eq!(take(list, 1, jiro, 6, None), Taken::Kept);
    assert_eq!(list.status("jiro@example.jp"), Some(Status::Active));
}

pub(crate) fn a_complaint_suppresses_at_once(list: &mut List) {
    let token = list.active(TARO);
    let jiro_token = list.active("jiro@example.jp");
    let taro = id(list, TARO);
    let complaint = Some(Event::Complaint);
    // By the token a complaint alone is believed.
    let by_token = |list: &List, number: u8, event| {
        let new = NewReturn {
            proof: Proof::Token(jiro_token),
            digest: [number; 32],
            at: list.at,
            message_id: String::new(),
            returned: Some(returned(event)),
        };
        list.store.take_return(new).wait().unwrap()
    };
    assert_eq!(by_token(list, 1, Some(Event::UnknownAddress)), Taken::Kept);
    assert_eq!(list.status("jiro@example.jp"), Some(Status::Active));
    assert_eq!(by_token(list, 2, complaint), Taken::Suppressed(Suppression::Complaint));
    assert_eq!(by_token(list, 2, complaint), Taken::Again);
    // Who has left and complains cannot be brought back by a click.
    list.done(Request::Leave(token));
    assert_eq!(take(list, 1, taro, 3, complaint), Taken::Suppressed(Suppression::Complaint));
    assert_eq!(list.ask(Request::Return(token)), mailmag::list::Answer::NoSuchToken);
    assert_eq!(take(list, 1, taro, 4, Some(Event::UnknownAddress)), Taken::Kept);
    assert_eq!(list.status(TARO), Some(Status::Suppressed(Suppression::Complaint)), "it weighs more");
    list.done(Request::Suppress(address(TARO), Suppression::Operator));
    assert_eq!(take(list, 1, taro, 5, complaint), Taken::Kept, "so does the operator's word");
    assert_eq!(list.store.stats().unwrap().returns.complaints, 3);
}

pub(crate) fn who_confirms_begins_anew(list: &mut List) {
    list.active(TARO);
    let taro = id(list, TARO);
    let (mailings, mailing) = mail(list, 1, |_| None);
    list.pass(TimeDelta::days(1));
    assert_eq!(take(list, mailing.id.0, taro, 1, Some(Event::Hard)), Taken::Kept);
    // He moves; what comes back of the old address says nothing of the new one.
    let preferences = list.preferences(TARO);
    list.done(Request::ChangeAddress(preferences, address("new@example.jp")));
    let confirm = list.mailed("new@example.jp", NoticeKind::ChangeAddress, TokenKind::ChangeAddress);
    list.pass(TimeDelta::days(1));
    list.done(Request::Confirm(confirm));
    assert_eq!(take(list, mailing.id.0, taro, 2, Some(Event::UnknownAddress)), Taken::Kept);
    assert_eq!(take(list, 99, taro, 3, Some(Event::Hard)), Taken::Kept, "his first one");
    list.pass(TimeDelta::days(7));
    assert_eq!(take(list, 99, taro, 4, Some(Event::Hard)), Taken::Suppressed(Suppression::HardBounce));
    // He comes back, and his first bounce is a first one again.
    assert_eq!(list.subscribe("new@example.jp"), mailmag::list::Answer::Taken);
    let confirm = list.mailed("new@example.jp", NoticeKind::Confirm, TokenKind::Confirm);
    list.done(Request::Confirm(confirm));
    list.pass(TimeDelta::days(7));
    assert_eq!(take(list, 99, taro, 5, Some(Event::Hard)), Taken::Kept);
    drop(mailings);
}

pub(crate) fn a_refusal_counts_with_the_delivery(list: &mut List) {
    for reader in ["gone", "hard", "full", "well"] {
        list.active(&format!("{reader}@example.jp"));
    }
    let refused = |address: &str| match address.split('@').next() {
        Some("gone") => Some(Event::UnknownAddress),
        Some("hard") => Some(Event::Hard),
        Some("full") => Some(Event::Soft),
        _ => None,
    };
    let (mailings, first) = mail(list, 1, refused);
    assert_eq!(list.status("gone@example.jp"), Some(Status::Suppressed(Suppression::HardBounce)));
    for reader in ["hard", "full", "well"] {
        assert_eq!(list.status(&format!("{reader}@example.jp")), Some(Status::Active), "{reader}");
    }
    assert_eq!(list.events("gone@example.jp"), ["applied", "confirmed", "suppressed"]);
    // A notice that follows a refusal within the day is the same bounce.
    let hard = id(list, "hard@example.jp");
    assert_eq!(take(list, first.id.0, hard, 1, Some(Event::Hard)), Taken::Kept);
    list.pass(TimeDelta::days(7));
    let (_, second) = mail(list, 2, refused);
    assert_eq!(second.planned, 3, "who is suppressed is mailed no more");
    assert_eq!(list.status("hard@example.jp"), Some(Status::Suppressed(Suppression::HardBounce)));
    let rows = mailings.deliveries(first.id, 0, 10).wait().unwrap();
    let of = |id: SubscriberId| rows.iter().find(|row| row.subscriber == id).unwrap();
    let gone = of(id(list, "gone@example.jp"));
    assert_eq!(gone.status, DeliveryStatus::Rejected);
    assert_eq!(gone.returned.as_ref().map(|of| of.way), Some(Way::Refusal));
    assert_eq!(of(hard).returned.as_ref().map(|of| of.way), Some(Way::Bounce), "the last that came");
    assert_eq!(of(id(list, "well@example.jp")).returned, None);
    // Refusals are told as rejected, not once more as bounces.
    let sums = mailings.returns(first.id).wait().unwrap();
    assert_eq!(sums.returns, Returns { hard: 1, soft: 0, complaints: 0 });
}

pub(crate) fn departures_belong_to_the_last_mailing_before(list: &mut List) {
    let before = list.active("before@example.jp");
    let after = list.active("after@example.jp");
    let later = list.active("later@example.jp");
    list.done(Request::Leave(before));
    list.pass(TimeDelta::days(1));
    let (mailings, first) = mail(list, 1, |_| None);
    list.pass(TimeDelta::days(1));
    list.done(Request::Leave(after));
    list.pass(TimeDelta::days(1));
    let (_, second) = mail(list, 2, |_| None);
    list.pass(TimeDelta::days(1));
    list.done(Request::Leave(later));
    let departures = |mailing: &Mailing| mailings.returns(mailing.id).wait().unwrap().departures;
    assert_eq!((departures(&first), departures(&second)), (1, 1));
}

pub(crate) fn nothing_that_came_back_outlives_its_reader(list: &mut List) {
    list.active(TARO);
    let taro = id(list, TARO);
    let (mailings, mailing) = mail(list, 1, |_| None);
    take(list, mailing.id.0, taro, 1, Some(Event::Soft));
    assert_eq!(mailings.returns(mailing.id).wait().unwrap().returns.soft, 1);
    assert_eq!(list.done(Request::EraseAddress(address(TARO))), (true, None));
    assert_eq!(mailings.returns(mailing.id).wait().unwrap().returns, Returns::default());
    assert_eq!(list.store.stats().unwrap().returns, Returns::default());
    let rows = mailings.deliveries(mailing.id, 0, 10).wait().unwrap();
    assert_eq!(rows[0].returned, None);
    assert_eq!(take(list, mailing.id.0, taro, 1, Some(Event::Soft)), Taken::Nobody);
    assert_eq!(list.store.stats().unwrap().returns, Returns::default());
}
