//! What every database promises: each case gets a list of its own, empty and without limits.

use std::ops::ControlFlow;
use std::time::Duration;

use chrono::TimeDelta;
use mailmag::list::{Answer, Limits, Nonce, NoticeKind, Refusal, Request, Token, TokenKind};
use mailmag::model::{Language, Source, Status, Suppression};
use mailmag::store::{Filter, NoticeOutcome, Store, StoreError, TOLD_WITHIN, UndoReport};

use crate::store::{List, address, row, standing};

/// Makes a test of each case, from what makes an empty list for some limits and what keeps its place alive.
macro_rules! each_case {
    ($list:path: $cases:ident: $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                let (mut list, _place) = $list();
                $crate::$cases::$case(&mut list);
                assert_eq!(list.fault(), None);
                list.store.close();
            }
        )*
    };
    ($list:path) => {
        $crate::store_cases::each_case!($list: store_cases:
            a_reader_subscribes_confirms_and_leaves
            a_hundred_equal_requests_make_one_event
            known_and_unknown_addresses_are_answered_alike
            a_network_is_limited_and_free_after_an_hour
            a_confirmation_is_good_for_48_hours
            leaving_is_for_ever_and_undone_for_seven_days
            the_links_lead_to_ones_own_data
            an_address_moves_when_it_is_confirmed
            who_complained_comes_back_by_confirming
            what_the_operator_suppressed_stays
            requests_of_one_group_see_each_other
            an_erased_reader_is_nowhere
            notices_are_leased_and_settled_once
            a_file_is_read_in_and_taken_back
            a_long_file_is_read_in_portion_by_portion
            no_file_brings_back_who_has_left
            a_dry_run_keeps_nothing
            proof_tells_all_that_is_known
            addresses_of_machines_are_shortened
            who_never_confirms_is_erased_in_time
            readers_are_shown_by_status_and_tag
            the_list_is_counted
            two_programs_share_a_list
            random_tokens_lead_nowhere
            a_closed_list_says_so
        );
        $crate::store_cases::each_case!($list: return_cases:
            twice_hard_suppresses_and_once_unknown
            soft_bounces_suppress_in_time_and_our_own_faults_never
            a_complaint_suppresses_at_once
            who_confirms_begins_anew
            a_refusal_counts_with_the_delivery
            departures_belong_to_the_last_mailing_before
            nothing_that_came_back_outlives_its_reader
        );
    };
}
pub(crate) use each_case;

pub(crate) fn a_reader_subscribes_confirms_and_leaves(list: &mut List) {
    assert_eq!(list.subscribe("taro@example.jp"), Answer::Taken);
    let confirm = list.mailed("taro@example.jp", NoticeKind::Confirm, TokenKind::Confirm);
    let seen = list.look(TokenKind::Confirm, confirm).unwrap().subscriber.unwrap();
    assert_eq!((seen.status, seen.source), (Status::Pending, Source::Web));
    assert_eq!(list.look(TokenKind::Preferences, confirm), None, "a token of one kind is none of another");
    assert_eq!(list.status("Taro@Example.jp"), Some(Status::Pending), "looking changes nothing");
    assert_eq!(list.done(Request::Confirm(confirm)), (true, Some(Status::Active)));
    assert_eq!(list.done(Request::Confirm(confirm)), (false, Some(Status::Active)));
    let unsubscribe = list.mailed("taro@example.jp", NoticeKind::Welcome, TokenKind::Unsubscribe);
    assert!(list.look(TokenKind::Unsubscribe, unsubscribe).is_some());
    assert_eq!(list.done(Request::Leave(unsubscribe)), (true, Some(Status::Unsubscribed)));
    assert_eq!(list.done(Request::Leave(unsubscribe)), (false, Some(Status::Unsubscribed)));
    assert_eq!(list.ask(Request::Confirm(confirm)), Answer::NoSuchToken, "a used token brings nobody back");
    assert_eq!(list.events("taro@example.jp"), ["applied", "confirmed", "left"]);
    let mails = [NoticeKind::Confirm, NoticeKind::Welcome, NoticeKind::Goodbye];
    assert_eq!(list.mails("taro@example.jp"), mails);
}

pub(crate) fn a_hundred_equal_requests_make_one_event(list: &mut List) {
    let request = Request::Subscribe { address: address("taro@example.jp"), name: None };
    let waiting: Vec<_> = (0..100).map(|_| list.send(request.clone())).collect();
    assert!(waiting.into_iter().all(|waiting| waiting.wait() == Ok(Answer::Taken)));
    assert_eq!(list.events("taro@example.jp"), ["applied"]);
    assert_eq!(list.mails("taro@example.jp"), [NoticeKind::Confirm]);
    let confirm = list.mailed("taro@example.jp", NoticeKind::Confirm, TokenKind::Confirm);
    let waiting: Vec<_> = (0..100).map(|_| list.send(Request::Confirm(confirm))).collect();
    let answers = waiting.into_iter().map(|waiting| standing(waiting.wait().unwrap()));
    assert_eq!(answers.filter(|standing| standing.changed).count(), 1);
    let unsubscribe = list.mailed("taro@example.jp", NoticeKind::Welcome, TokenKind::Unsubscribe);
    let waiting: Vec<_> = (0..100).map(|_| list.send(Request::Leave(unsubscribe))).collect();
    let answers = waiting.into_iter().map(|waiting| standing(waiting.wait().unwrap()));
    assert_eq!(answers.filter(|standing| standing.changed).count(), 1);
    assert_eq!(list.events("taro@example.jp"), ["applied", "confirmed", "left"]);
}

pub(crate) fn known_and_unknown_addresses_are_answered_alike(list: &mut List) {
    let unsubscribe = list.active("left@example.jp");
    list.done(Request::Leave(unsubscribe));
    list.active("active@example.jp");
    list.subscribe("pending@example.jp");
    let suppressed = address("suppressed@example.jp");
    list.done(Request::Suppress(suppressed, Suppression::Operator));
    for text in ["left", "active", "pending", "suppressed", "unknown"] {
        let text = format!("{text}@example.jp");
        assert_eq!(list.ask(Request::SendLinks(address(&text))), Answer::Taken, "{text}");
        assert_eq!(list.subscribe(&text), Answer::Taken, "{text}");
    }
    assert_eq!(list.mails("unknown@example.jp"), [NoticeKind::Confirm], "no links before there is a reader");
    assert_eq!(list.mails("suppressed@example.jp"), []);
    let mails = list.mails("active@example.jp");
    assert_eq!(mails[2..], [NoticeKind::Links, NoticeKind::AlreadySubscribed]);
}

pub(crate) fn a_network_is_limited_and_free_after_an_hour(list: &mut List) {
    list.store.close();
    list.settings.limits = Limits { addresses_per_network: Some(3), alarm: 4 };
    list.store = Store::open(&list.settings, list.at).unwrap();
    for number in 0..3 {
        list.ip = Some([192, 0, 2, number].into());
        assert_eq!(list.subscribe(&format!("reader{number}@example.jp")), Answer::Taken);
        list.pass(TimeDelta::minutes(10));
    }
    assert_eq!(list.subscribe("reader0@example.jp"), Answer::Taken, "the same address counts once");
    let too_many = Answer::TooMany(Duration::from_secs(30 * 60));
    assert_eq!(list.subscribe("reader3@example.jp"), too_many);
    assert_eq!(list.ask(Request::SendLinks(address("reader4@example.jp"))), too_many);
    assert!(!list.store.stats().unwrap().is_alarm(list.at));
    list.ip = Some([192, 0, 3, 0].into());
    assert_eq!(list.subscribe("reader3@example.jp"), Answer::Taken, "another network");
    assert!(list.store.stats().unwrap().is_alarm(list.at));
    list.pass(TimeDelta::minutes(30));
    list.ip = Some([192, 0, 2, 9].into());
    assert_eq!(list.subscribe("reader5@example.jp"), Answer::Taken);
    assert!(matches!(list.subscribe("reader6@example.jp"), Answer::TooMany(_)));
}

pub(crate) fn a_confirmation_is_good_for_48_hours(list: &mut List) {
    list.subscribe("taro@example.jp");
    let confirm = list.mailed("taro@example.jp", NoticeKind::Confirm, TokenKind::Confirm);
    list.pass(TimeDelta::hours(48));
    assert_eq!(list.look(TokenKind::Confirm, confirm), None);
    assert_eq!(list.ask(Request::Confirm(confirm)), Answer::NoSuchToken);
    list.store.do_upkeep(list.at + TimeDelta::days(2)).unwrap();
    assert_eq!(list.ask(Request::Confirm(confirm)), Answer::NoSuchToken);
    list.subscribe("taro@example.jp");
    let again = list.mailed("taro@example.jp", NoticeKind::Confirm, TokenKind::Confirm);
    assert_eq!(list.done(Request::Confirm(again)), (true, Some(Status::Active)));
}

pub(crate) fn leaving_is_for_ever_and_undone_for_seven_days(list: &mut List) {
    let unsubscribe = list.active("taro@example.jp");
    list.done(Request::Leave(unsubscribe));
    list.pass(TimeDelta::days(6));
    assert_eq!(list.done(Request::Return(unsubscribe)), (true, Some(Status::Active)));
    assert_eq!(list.done(Request::Return(unsubscribe)), (false, Some(Status::Active)));
    list.pass(TimeDelta::days(3000));
    assert_eq!(list.done(Request::Leave(unsubscribe)), (true, Some(Status::Unsubscribed)));
    let reason = |text: &str| Request::GiveReason(unsubscribe, text.to_owned());
    assert_eq!(list.done(reason(" too many mails ")), (true, Some(Status::Unsubscribed)));
    assert_eq!(list.done(reason("other words")), (false, Some(Status::Unsubscribed)));
    list.pass(TimeDelta::days(7));
    assert_eq!(list.ask(Request::Return(unsubscribe)), Answer::NoSuchToken);
    let events = ["applied", "confirmed", "left", "returned", "left", "reason"];
    assert_eq!(list.events("taro@example.jp"), events);
    assert_eq!(list.proof("taro@example.jp")[5].details.reason.as_deref(), Some("too many mails"));
}

pub(crate) fn the_links_lead_to_ones_own_data(list: &mut List) {
    list.active("taro@example.jp");
    let preferences = list.preferences("taro@example.jp");
    let name = "太郎 🍣 'O'Hara\"; DROP TABLE subscribers; --".to_owned();
    assert!(list.done(Request::Rename(preferences, Some(format!("\0{name}\r\n")))).0);
    assert!(!list.done(Request::Rename(preferences, Some(name.clone()))).0);
    assert!(list.done(Request::ChangeLanguage(preferences, Language::English)).0);
    let subscriber = list.look(TokenKind::Preferences, preferences).unwrap().subscriber.unwrap();
    assert_eq!((subscriber.name, subscriber.language), (Some(name), Language::English));
    assert_eq!(list.done(Request::Leave(preferences)), (true, Some(Status::Unsubscribed)));
    list.pass(TimeDelta::hours(48));
    assert_eq!(list.ask(Request::Rename(preferences, None)), Answer::NoSuchToken);
    assert_eq!(list.events("taro@example.jp")[2..], ["renamed", "language changed", "left"]);
}

pub(crate) fn an_address_moves_when_it_is_confirmed(list: &mut List) {
    let unsubscribe = list.active("taro@example.jp");
    let preferences = list.preferences("taro@example.jp");
    let ask = |new: &str| Request::ChangeAddress(preferences, address(new));
    let standing_of = |answer| standing(answer).waiting_address;
    assert_eq!(standing_of(list.ask(ask("wrong@example.jp"))), Some(address("wrong@example.jp")));
    let wrong = list.mailed("wrong@example.jp", NoticeKind::ChangeAddress, TokenKind::ChangeAddress);
    assert_eq!(standing_of(list.ask(ask("jiro@example.jp"))), Some(address("jiro@example.jp")));
    assert_eq!(list.ask(Request::Confirm(wrong)), Answer::NoSuchToken, "the last address asked for counts");
    assert_eq!(list.status("jiro@example.jp"), None, "nothing has moved yet");
    let change = list.mailed("jiro@example.jp", NoticeKind::ChangeAddress, TokenKind::ChangeAddress);
    assert!(list.look(TokenKind::ChangeAddress, change).is_some());
    assert_eq!(list.done(Request::Confirm(change)), (true, Some(Status::Active)));
    assert_eq!(list.done(Request::Confirm(change)), (false, Some(Status::Active)));
    assert_eq!(list.status("taro@example.jp"), None);
    assert_eq!(list.mails("taro@example.jp").last(), Some(&NoticeKind::Changed));
    let (_, refused) = list.import(&["taro@example.jp"]);
    assert_eq!(refused[0].why, Refusal::Barred, "an old list still has the old address");
    assert_eq!(list.done(Request::Leave(unsubscribe)), (true, Some(Status::Unsubscribed)));
    assert_eq!(list.status("jiro@example.jp"), Some(Status::Unsubscribed), "old mails' links still work");

    // To an address that somebody has already: he is one and the same.
    list.active("one@example.jp");
    list.active("two@example.jp");
    let preferences = list.preferences("one@example.jp");
    list.done(Request::ChangeAddress(preferences, address("two@example.jp")));
    let change = list.mailed("two@example.jp", NoticeKind::ChangeAddress, TokenKind::ChangeAddress);
    assert_eq!(list.done(Request::Confirm(change)), (true, Some(Status::Active)));
    assert_eq!(list.status("one@example.jp"), Some(Status::Unsubscribed));
    assert_eq!(list.status("two@example.jp"), Some(Status::Active));
}

pub(crate) fn who_complained_comes_back_by_confirming(list: &mut List) {
    list.active("taro@example.jp");
    let complained = Request::Suppress(address("taro@example.jp"), Suppression::Complaint);
    assert!(list.done(complained.clone()).0);
    assert!(!list.done(complained).0);
    let add = Request::Add {
        address: address("taro@example.jp"),
        name: None,
        source: Source::Operator,
        basis: "says the operator".to_owned(),
        tags: Vec::new(),
    };
    assert!(matches!(list.ask(add), Answer::Refused(_)));
    list.pass(TimeDelta::days(1));
    list.subscribe("taro@example.jp");
    assert_eq!(list.status("taro@example.jp"), Some(Status::Suppressed(Suppression::Complaint)));
    let confirm = list.mailed("taro@example.jp", NoticeKind::Confirm, TokenKind::Confirm);
    assert_eq!(list.done(Request::Confirm(confirm)), (true, Some(Status::Active)));
}

pub(crate) fn what_the_operator_suppressed_stays(list: &mut List) {
    let unsubscribe = list.active("taro@example.jp");
    let suppressed = Status::Suppressed(Suppression::Operator);
    let suppress = Request::Suppress(address("taro@example.jp"), Suppression::Operator);
    assert_eq!(list.done(suppress), (true, Some(suppressed)));
    assert_eq!(list.done(Request::Leave(unsubscribe)), (false, Some(suppressed)));
    list.pass(TimeDelta::days(1));
    let waiting = list.mails("taro@example.jp").len();
    list.subscribe("taro@example.jp");
    assert_eq!(list.mails("taro@example.jp").len(), waiting);
    let unknown = Request::Suppress(address("nobody@example.jp"), Suppression::HardBounce);
    assert_eq!(list.ask(unknown), Answer::NoSuchSubscriber);
    assert_eq!(list.ask(Request::Remove(address("nobody@example.jp"))), Answer::NoSuchSubscriber);
}

pub(crate) fn requests_of_one_group_see_each_other(list: &mut List) {
    let to = || address("taro@example.jp");
    let add = |basis: &str| Request::Add {
        address: to(),
        name: Some("太郎".to_owned()),
        source: Source::Operator,
        basis: basis.to_owned(),
        tags: vec!["b".to_owned(), "a".to_owned()],
    };
    let requests = [
        add("by telephone"),
        add("by telephone"),
        Request::Remove(to()),
        add("by telephone"),
        Request::EraseAddress(to()),
        Request::EraseAddress(to()),
        add("by telephone"),
        Request::Subscribe { address: to(), name: None },
        Request::EraseAddress(to()),
        Request::Subscribe { address: to(), name: None },
    ];
    let waiting: Vec<_> = requests.into_iter().map(|request| list.send(request)).collect();
    let answers: Vec<String> = waiting
        .into_iter()
        .map(|waiting| match waiting.wait().unwrap() {
            Answer::Done(standing) => if standing.changed { "changed" } else { "same" }.to_owned(),
            Answer::Refused(_) => "refused".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    let expected = [
        "changed",
        "same",
        "changed",
        "refused",
        "changed",
        "NoSuchSubscriber",
        "refused",
        "Taken",
        "changed",
        "Taken",
    ];
    assert_eq!(answers, expected);
    assert_eq!(list.events("taro@example.jp"), ["applied"], "who was erased begins anew");
    assert_eq!(list.mails("taro@example.jp"), [NoticeKind::Confirm]);
}

pub(crate) fn an_erased_reader_is_nowhere(list: &mut List) {
    let unsubscribe = list.active("taro@example.jp");
    let preferences = list.preferences("taro@example.jp");
    list.done(Request::ChangeAddress(preferences, address("jiro@example.jp")));
    assert_eq!(list.done(Request::Erase(preferences)), (true, None));
    assert_eq!(list.ask(Request::Erase(preferences)), Answer::NoSuchToken);
    assert_eq!(list.ask(Request::Leave(unsubscribe)), Answer::NoSuchToken);
    assert_eq!(list.look(TokenKind::Preferences, preferences), None);
    assert_eq!(list.status("taro@example.jp"), None);
    assert!(list.proof("taro@example.jp").is_empty());
    assert!(list.notices().is_empty());
    let (report, refused) = list.import(&["TARO@example.jp", "hanako@example.jp"]);
    assert_eq!((report.taken, refused[0].line, refused[0].why), (1, 2, Refusal::Barred));
    assert_eq!(list.subscribe("taro@example.jp"), Answer::Taken, "he himself may come back");
    assert_eq!(list.status("taro@example.jp"), Some(Status::Pending));
}

pub(crate) fn notices_are_leased_and_settled_once(list: &mut List) {
    let mut heard = list.store.notices_waiting();
    heard.mark_unchanged();
    for number in 0..5 {
        list.subscribe(&format!("reader{number}@example.jp"));
    }
    assert!(heard.has_changed().unwrap());
    let lease = Duration::from_secs(60);
    let claim = |list: &List, most| list.store.claim_notices(list.at, lease, most).wait().unwrap();
    let first = claim(list, 2);
    let tried: Vec<_> = first.iter().map(|claimed| claimed.notice.attempts).collect();
    assert_eq!(tried, [0, 0]);
    let second = claim(list, 100);
    assert_eq!(second.len(), 3, "what is leased is nobody else's");
    assert_eq!(first[0].notice.to, address("reader0@example.jp"), "the oldest first");
    list.pass(TimeDelta::seconds(60));
    let again = claim(list, 1);
    assert_eq!((again[0].notice.id, again[0].epoch), (first[0].notice.id, first[0].epoch + 1));
    assert_eq!(again[0].notice.attempts, 1);
    let sent = || NoticeOutcome::Sent { reply: "250 OK".to_owned() };
    let settle =
        |list: &List, claimed, outcome| list.store.settle_notice(claimed, outcome, list.at).wait().unwrap();
    assert!(!settle(list, &first[0], sent()), "who slept past his lease is too late");
    assert!(settle(list, &again[0], sent()));
    assert!(!settle(list, &again[0], sent()), "once");
    let due = list.at + TimeDelta::minutes(5);
    assert!(settle(list, &second[0], NoticeOutcome::Again { due, reply: "451 later".to_owned() }));
    assert!(settle(list, &second[1], NoticeOutcome::Failed { reply: "550 no".to_owned() }));
    assert_eq!(list.store.stats().unwrap().notices_waiting, 3);
    assert_eq!(claim(list, 100).len(), 2);
    list.at = due;
    assert!(claim(list, 100).iter().any(|claimed| claimed.notice.id == second[0].notice.id));
}

pub(crate) fn a_long_file_is_read_in_portion_by_portion(list: &mut List) {
    let count = TOLD_WITHIN + 1000;
    let texts: Vec<String> = (0..count).map(|number| format!("reader{number}@example.jp")).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    // On the list already, and rows of the first portion, in the last one.
    let known = [0, 1023, 16_384, count - 1];
    for number in known {
        list.active(texts[number]);
    }
    texts.extend(["READER5@example.jp", "reader20000@example.jp"]);
    let (report, refused) = list.import(&texts);
    let refused: Vec<_> = refused.iter().map(|refused| (refused.line, refused.why)).collect();
    let expected = known.iter().map(|number| (*number as u64 + 2, Refusal::Known));
    let twice = [count, count + 1].map(|row| (row as u64 + 2, Refusal::Twice));
    assert_eq!(refused, expected.chain(twice).collect::<Vec<_>>());
    assert_eq!((report.taken, report.refused), ((count - known.len()) as u64, 6));
    let on_the_list: u64 = list.store.stats().unwrap().readers.iter().map(|(_, _, readers)| readers).sum();
    assert_eq!(on_the_list, count as u64);
    let last = list.store.subscriber(&address(texts[count - 2])).unwrap().unwrap();
    assert_eq!((last.status, last.tags), (Status::Active, vec!["fair".to_owned()]));
    let (later, _) = list.import(&["later@example.jp"]);
    let evidence = list.evidence();
    let undone = list.store.undo_import(report.id, &evidence).unwrap();
    assert_eq!(undone, UndoReport::Done { taken_back: report.taken, kept: 0 });
    let imports = list.store.imports().unwrap();
    assert_eq!(imports.iter().map(|import| import.undone.is_some()).collect::<Vec<_>>(), [true, false]);
    let stay = ["later@example.jp", texts[0], texts[count - 1]];
    assert!(stay.iter().all(|text| list.status(text) == Some(Status::Active)));
    assert_eq!(list.status(texts[1]), None);
    assert_eq!(later.taken, 1);
}

pub(crate) fn a_file_is_read_in_and_taken_back(list: &mut List) {
    list.active("known@example.jp");
    let texts =
        ["a..b@docomo.ne.jp", "known@example.jp", "Taro@example.jp", "taro@example.jp", "x@example.jp"];
    let (report, refused) = list.import(&texts);
    assert_eq!((report.taken, report.refused), (3, 2));
    let refused: Vec<_> = refused.iter().map(|refused| (refused.line, refused.why)).collect();
    assert_eq!(refused, [(3, Refusal::Known), (5, Refusal::Twice)]);
    let subscriber = list.store.subscriber(&address("a..b@docomo.ne.jp")).unwrap().unwrap();
    assert!(subscriber.address.is_legacy());
    assert_eq!((subscriber.status, subscriber.source), (Status::Active, Source::Import));
    assert_eq!(list.notices().len(), 2, "who comes by a file is not mailed");

    let preferences = list.preferences("x@example.jp");
    list.done(Request::Rename(preferences, Some("エックス".to_owned())));
    let evidence = list.evidence();
    let undo = |list: &List, id| list.store.undo_import(id, &evidence).unwrap();
    assert_eq!(undo(list, report.id), UndoReport::Done { taken_back: 2, kept: 1 });
    assert_eq!(undo(list, report.id), UndoReport::Before(evidence.at));
    assert_eq!(undo(list, 77), UndoReport::NoSuchImport);
    assert_eq!(list.status("taro@example.jp"), None);
    assert_eq!(list.status("x@example.jp"), Some(Status::Active), "who has done something stays");
    let imports = list.store.imports().unwrap();
    assert_eq!((imports[0].taken, imports[0].undone), (3, Some(evidence.at)));
    let (report, _) = list.import(&texts);
    assert_eq!((report.taken, report.refused), (2, 3), "a file that is put right can be read in again");
}

pub(crate) fn no_file_brings_back_who_has_left(list: &mut List) {
    let unsubscribe = list.active("left@example.jp");
    list.done(Request::Leave(unsubscribe));
    list.subscribe("pending@example.jp");
    for (text, why) in
        [("hard@example.jp", Suppression::HardBounce), ("spam@example.jp", Suppression::Complaint)]
    {
        list.active(text);
        list.done(Request::Suppress(address(text), why));
    }
    // Applying again does not make somebody new of him.
    list.pass(TimeDelta::days(1));
    list.subscribe("left@example.jp");
    let (report, refused) =
        list.import(&["left@example.jp", "pending@example.jp", "hard@example.jp", "spam@example.jp"]);
    assert_eq!(report.taken, 0);
    let refused: Vec<_> = refused.iter().map(|refused| refused.why).collect();
    let expected = [
        Refusal::Left,
        Refusal::Pending,
        Refusal::Suppressed(Suppression::HardBounce),
        Refusal::Suppressed(Suppression::Complaint),
    ];
    assert_eq!(refused, expected);
    // Other programs' files tell who has left there.
    let mut rows =
        [row(2, "gone@example.jp", Status::Unsubscribed), row(3, "late@example.jp", Status::Pending)]
            .into_iter();
    let report = list.store.import(&list.order(), &mut rows, &mut |_| ()).unwrap();
    assert_eq!((report.taken, report.refused), (1, 1));
    assert_eq!(list.status("gone@example.jp"), Some(Status::Unsubscribed));
}

pub(crate) fn a_dry_run_keeps_nothing(list: &mut List) {
    let mut order = list.order();
    order.dry_run = true;
    let end = list.store.stats().unwrap().end;
    let (report, refused) = list.import_rows(&order, &["taro@example.jp", "taro@example.jp"]);
    assert_eq!((report.taken, refused[0].why), (1, Refusal::Twice));
    assert_eq!(list.store.stats().unwrap().end, end);
    assert_eq!(list.status("taro@example.jp"), None);
    assert!(list.store.imports().unwrap().is_empty());
}

pub(crate) fn proof_tells_all_that_is_known(list: &mut List) {
    list.active("taro@example.jp");
    let proof = list.proof("taro@example.jp");
    let applied = &proof[0];
    assert_eq!((applied.at, applied.status), (list.at, Some(Status::Pending)));
    assert_eq!(applied.wording.as_deref(), Some("購読する"));
    assert_eq!(applied.ip.as_deref(), Some("192.0.2.7"));
    let details = &applied.details;
    assert_eq!(details.network.as_deref(), Some("192.0.2.0/24"));
    assert_eq!(details.page.as_deref(), Some("/subscribe"));
    assert_eq!(details.user_agent.as_deref(), Some("Mozilla/5.0 (a reader's)"));
    let confirm = &list.notices()[0].notice;
    assert_eq!(details.mailed_nonce(), Some(confirm.nonce), "which mail was answered");
    list.import(&["hanako@example.jp"]);
    let imported = list.proof("hanako@example.jp").remove(0);
    let facts = imported.import.unwrap();
    assert_eq!(imported.details.line, Some(2));
    assert_eq!(facts.basis.as_deref(), Some("asked for on paper"));
    assert_eq!(facts.file_name.as_deref(), Some("readers.csv"));
    assert_eq!(facts.file_digest.as_deref(), Some("00ff"));
    assert_eq!(facts.operator.as_deref(), Some("editor"));
}

pub(crate) fn addresses_of_machines_are_shortened(list: &mut List) {
    list.ip = Some("2001:db8:1:2::3".parse().unwrap());
    list.active("old@example.jp");
    list.pass(TimeDelta::days(91));
    list.active("new@example.jp");
    list.store.do_upkeep(list.at).unwrap();
    list.store.do_upkeep(list.at).unwrap();
    let old = &list.proof("old@example.jp")[0];
    assert_eq!((old.ip.as_deref(), old.details.network.as_deref()), (None, Some("2001:db8:1::/48")));
    assert_eq!(list.proof("new@example.jp")[0].ip.as_deref(), Some("2001:db8:1:2::3"));
}

pub(crate) fn who_never_confirms_is_erased_in_time(list: &mut List) {
    let left = list.active("left@example.jp");
    list.done(Request::Leave(left));
    list.active("active@example.jp");
    list.done(Request::Suppress(address("suppressed@example.jp"), Suppression::Operator));
    list.pass(TimeDelta::days(1));
    // More than are forgotten at once.
    let many: Vec<String> = (0..1100).map(|number| format!("never{number}@example.jp")).collect();
    let waiting: Vec<_> = many
        .iter()
        .map(|name| {
            list.send(Request::Subscribe { address: address(name), name: Some("打ち間違い".into()) })
        })
        .collect();
    assert!(waiting.into_iter().all(|waiting| waiting.wait() == Ok(Answer::Taken)));
    for name in ["again@example.jp", "links@example.jp", "left@example.jp"] {
        list.subscribe(name);
    }
    list.pass(TimeDelta::days(31));
    list.subscribe("again@example.jp");
    list.ask(Request::SendLinks(address("links@example.jp")));
    list.pass(TimeDelta::days(1));
    list.store.do_upkeep(list.at).unwrap();
    assert_eq!(list.status("never0@example.jp"), Some(Status::Pending), "32 days have not passed");
    list.pass(TimeDelta::microseconds(1));
    let before = list.store.stats().unwrap().end.number;
    list.store.do_upkeep(list.at).unwrap();
    let stats = list.store.stats().unwrap();
    assert_eq!((stats.of_status(Status::Pending), stats.end.number - before), (2, 1100));
    for name in [&many[0], &many[1099]] {
        assert_eq!((list.status(name), list.events(name).len(), list.mails(name).len()), (None, 0, 0));
    }
    assert_eq!(list.status("again@example.jp"), Some(Status::Pending));
    assert_eq!(list.status("links@example.jp"), Some(Status::Pending));
    assert_eq!(list.status("left@example.jp"), Some(Status::Unsubscribed), "what was confirmed once stays");
    assert_eq!(list.status("active@example.jp"), Some(Status::Active));
    assert_eq!(list.status("suppressed@example.jp"), Some(Status::Suppressed(Suppression::Operator)));
    let (_, refused) = list.import(&["never5@example.jp"]);
    assert_eq!(refused[0].why, Refusal::Barred, "as after any erasure");
    assert_eq!(list.subscribe("never5@example.jp"), Answer::Taken);
    list.store.do_upkeep(list.at).unwrap();
    assert_eq!(list.status("never5@example.jp"), Some(Status::Pending), "he may apply again");
}

pub(crate) fn readers_are_shown_by_status_and_tag(list: &mut List) {
    list.import(&["a@example.jp", "b@example.jp", "c@example.jp"]);
    list.done(Request::Remove(address("b@example.jp")));
    list.subscribe("d@example.jp");
    let shown = |list: &List, status, tag: Option<&str>, most: usize| {
        let mut found = Vec::new();
        let filter = Filter { status, tag: tag.map(str::to_owned) };
        let show = &mut |subscriber: mailmag::model::Subscriber| {
            found.push(subscriber.address.local_part().to_owned());
            if found.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        list.store.each_subscriber(&filter, show).unwrap();
        found.concat()
    };
    assert_eq!(shown(list, None, None, 9), "abcd");
    assert_eq!(shown(list, None, None, 2), "ab");
    assert_eq!(shown(list, Some(Status::Active), None, 9), "ac");
    assert_eq!(shown(list, None, Some("fair"), 9), "abc");
    assert_eq!(shown(list, Some(Status::Pending), Some("fair"), 9), "");
}

pub(crate) fn the_list_is_counted(list: &mut List) {
    list.import(&["a@example.jp", "b@example.jp"]);
    list.active("c@example.jp");
    let stats = list.store.stats().unwrap();
    let mut readers = stats.readers.clone();
    readers.sort_by_key(|(_, source, _)| source.name());
    assert_eq!(readers, [(Status::Active, Source::Import, 2), (Status::Active, Source::Web, 1)]);
    assert_eq!((stats.of_status(Status::Active), stats.notices_waiting, stats.end.number), (3, 2, 5));
    assert_eq!(stats.confirmations_within_hour(list.at), 1);
    assert_eq!(stats.confirmations_within_hour(list.at + TimeDelta::hours(2)), 0);
    list.store.ready().wait().unwrap();
    assert_eq!(list.store.stats().unwrap().end, stats.end, "being ready changes nothing");
}

pub(crate) fn two_programs_share_a_list(list: &mut List) {
    let other = Store::open(&list.settings, list.at).unwrap();
    list.subscribe("taro@example.jp");
    let mut evidence = list.evidence();
    evidence.nonce = Nonce([0xFF; 16]);
    let request = Request::Subscribe { address: address("hanako@example.jp"), name: None };
    assert_eq!(other.ask(request, evidence).wait(), Ok(Answer::Taken));
    list.subscribe("jiro@example.jp");
    assert_eq!(list.notices().len(), 3);
    assert_eq!(other.stats().unwrap().end.number, 3);
    other.close();
}

pub(crate) fn random_tokens_lead_nowhere(list: &mut List) {
    list.active("taro@example.jp");
    let end = list.store.stats().unwrap().end;
    let digest = |number: u64| {
        let mut nonce = [0xAB; 16];
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        Token::derive(&list.settings.key, TokenKind::Unsubscribe, Nonce(nonce)).digest()
    };
    let digests: Vec<_> = (0..1000).map(digest).collect();
    let looks: Vec<_> =
        digests.iter().map(|digest| list.store.look(TokenKind::Unsubscribe, *digest, list.at)).collect();
    assert!(looks.into_iter().all(|waiting| waiting.wait() == Ok(None)));
    let asks: Vec<_> = digests.iter().map(|digest| list.send(Request::Leave(*digest))).collect();
    assert!(asks.into_iter().all(|waiting| waiting.wait() == Ok(Answer::NoSuchToken)));
    assert_eq!(list.store.stats().unwrap().end, end);
}

pub(crate) fn a_closed_list_says_so(list: &mut List) {
    let request = Request::Subscribe { address: address("taro@example.jp"), name: None };
    let before = list.send(request.clone());
    list.store.close();
    assert_eq!(before.wait(), Ok(Answer::Taken), "what waits is finished");
    assert_eq!(list.send(request).wait(), Err(StoreError::Closed));
}
