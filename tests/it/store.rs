//! What the list promises, the same for each database.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::list::{
    Answer, Evidence, Limits, Nonce, NoticeKind, Request, Standing, StoreKey, Token, TokenDigest, TokenKind,
    Via,
};
use mailmag::model::{EmailAddress, Language, Status};
use mailmag::store::{Settings, Store};
use tempfile::TempDir;

/// A list of its own, and what makes requests of it.
struct List {
    store: Store,
    key: StoreKey,
    at: DateTime<Utc>,
    nonces: u64,
    ip: Option<IpAddr>,
    _folder: TempDir,
}

impl List {
    fn new(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let key = StoreKey::new([7; 32]);
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let settings = Settings {
            url: "sqlite:list.db".to_owned(),
            password: None,
            folder: folder.path().to_owned(),
            key: key.clone(),
            limits,
        };
        let store = Store::open(&settings, at).unwrap();
        List { store, key, at, nonces: 0, ip: None, _folder: folder }
    }

    fn evidence(&mut self) -> Evidence {
        self.nonces += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.nonces.to_be_bytes());
        Evidence {
            at: self.at,
            nonce: Nonce(nonce),
            via: Via::Web("/subscribe".to_owned()),
            language: Language::Japanese,
            wording: Some("購読する".to_owned()),
            ip: self.ip,
            user_agent: Some("Mozilla/5.0".to_owned()),
            operator: None,
        }
    }

    fn ask(&mut self, request: Request) -> Answer {
        let evidence = self.evidence();
        self.store.ask(request, evidence).wait().unwrap()
    }

    fn subscribe(&mut self, address: &str) -> Answer {
        let address = EmailAddress::parse(address).unwrap();
        self.ask(Request::Subscribe { address, name: None })
    }

    /// The token of the last mail of this kind that waits.
    fn mailed(&mut self, kind: NoticeKind, token: TokenKind) -> TokenDigest {
        let claimed = self.store.claim_notices(self.at, std::time::Duration::ZERO, 1000).wait().unwrap();
        let notice = claimed.iter().rev().find(|claimed| claimed.notice.kind == kind).unwrap();
        let nonce = match token {
            TokenKind::Unsubscribe => notice.notice.unsubscribe.unwrap(),
            _ => notice.notice.nonce,
        };
        Token::derive(&self.key, token, nonce).digest()
    }
}

fn standing(answer: Answer) -> Standing {
    match answer {
        Answer::Done(standing) => *standing,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reader_subscribes_confirms_and_leaves() {
    let mut list = List::new(Limits::default());
    assert_eq!(list.subscribe("taro@example.jp"), Answer::Taken);
    let confirm = list.mailed(NoticeKind::Confirm, TokenKind::Confirm);
    let seen = list.store.look(TokenKind::Confirm, confirm, list.at).wait().unwrap().unwrap();
    assert_eq!(seen.subscriber.unwrap().status, Status::Pending);
    let confirmed = standing(list.ask(Request::Confirm(confirm)));
    assert_eq!((confirmed.changed, confirmed.subscriber.unwrap().status), (true, Status::Active));
    assert!(!standing(list.ask(Request::Confirm(confirm))).changed, "once is enough");
    let unsubscribe = list.mailed(NoticeKind::Welcome, TokenKind::Unsubscribe);
    let left = standing(list.ask(Request::Leave(unsubscribe)));
    assert_eq!((left.changed, left.subscriber.unwrap().status), (true, Status::Unsubscribed));
    assert!(!standing(list.ask(Request::Leave(unsubscribe))).changed);
    assert_eq!(list.ask(Request::Confirm(confirm)), Answer::NoSuchToken, "a used token brings nobody back");
    list.at += TimeDelta::days(8);
    assert_eq!(list.ask(Request::Return(unsubscribe)), Answer::NoSuchToken);
    list.store.close();
}
