//! A list for tests, whichever database keeps it. The cases are `store_cases`; each database runs them all.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mailmag::list::{
    Answer, Evidence, ImportRow, Limits, Nonce, NoticeKind, Request, Standing, StoreKey, Token, TokenDigest,
    TokenKind, Via,
};
use mailmag::model::{EmailAddress, Language, Source, Status};
use mailmag::store::{
    ClaimedNotice, ImportOrder, ImportReport, LedgerEntry, Refused, Settings, Store, Verification, Waiting,
};

/// A list, and what makes requests of it.
pub(crate) struct List {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    /// The time of the next request.
    pub(crate) at: DateTime<Utc>,
    /// The machine that makes it.
    pub(crate) ip: Option<IpAddr>,
    nonces: u64,
}

impl List {
    pub(crate) fn open(settings: Settings) -> Self {
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let store = Store::open(&settings, at).unwrap();
        List { store, settings, at, ip: Some([192, 0, 2, 7].into()), nonces: 0 }
    }

    pub(crate) fn key() -> StoreKey {
        StoreKey::new([7; 32])
    }

    pub(crate) fn evidence(&mut self) -> Evidence {
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
            user_agent: Some("Mozilla/5.0 (a reader's)".to_owned()),
            operator: Some("editor".to_owned()),
        }
    }

    /// Asks without waiting.
    pub(crate) fn send(&mut self, request: Request) -> Waiting<Answer> {
        let evidence = self.evidence();
        self.store.ask(request, evidence)
    }

    pub(crate) fn ask(&mut self, request: Request) -> Answer {
        self.send(request).wait().unwrap()
    }

    /// Asks for what is done, and tells whether anything changed and how it stands.
    pub(crate) fn done(&mut self, request: Request) -> (bool, Option<Status>) {
        let standing = standing(self.ask(request));
        (standing.changed, standing.subscriber.map(|subscriber| subscriber.status))
    }

    pub(crate) fn subscribe(&mut self, text: &str) -> Answer {
        self.ask(Request::Subscribe { address: address(text), name: None })
    }

    /// Subscribes and confirms; gives the reader's `Unsubscribe` token.
    pub(crate) fn active(&mut self, text: &str) -> TokenDigest {
        assert_eq!(self.subscribe(text), Answer::Taken);
        let confirm = self.mailed(text, NoticeKind::Confirm, TokenKind::Confirm);
        assert_eq!(self.done(Request::Confirm(confirm)), (true, Some(Status::Active)));
        self.mailed(text, NoticeKind::Welcome, TokenKind::Unsubscribe)
    }

    /// Lets the reader be mailed his links; gives his `Preferences` token.
    pub(crate) fn preferences(&mut self, text: &str) -> TokenDigest {
        assert_eq!(self.ask(Request::SendLinks(address(text))), Answer::Taken);
        self.mailed(text, NoticeKind::Links, TokenKind::Preferences)
    }

    /// All notices that wait; they go on waiting.
    pub(crate) fn notices(&self) -> Vec<ClaimedNotice> {
        self.store.claim_notices(self.at, Duration::ZERO, 1000).wait().unwrap()
    }

    /// Which mails wait for an address.
    pub(crate) fn mails(&self, text: &str) -> Vec<NoticeKind> {
        let to = address(text);
        self.notices()
            .iter()
            .filter(|claimed| claimed.notice.to == to)
            .map(|claimed| claimed.notice.kind)
            .collect()
    }

    /// The token in the last mail of a kind that waits for an address.
    pub(crate) fn mailed(&self, text: &str, kind: NoticeKind, token: TokenKind) -> TokenDigest {
        let (notices, to) = (self.notices(), address(text));
        let notice = &notices
            .iter()
            .rfind(|claimed| claimed.notice.kind == kind && claimed.notice.to == to)
            .unwrap()
            .notice;
        let nonce = match token {
            TokenKind::Unsubscribe => notice.unsubscribe.unwrap(),
            _ => notice.nonce,
        };
        Token::derive(&self.settings.key, token, nonce).digest()
    }

    pub(crate) fn look(&self, kind: TokenKind, digest: TokenDigest) -> Option<Standing> {
        self.store.look(kind, digest, self.at).wait().unwrap()
    }

    pub(crate) fn status(&self, text: &str) -> Option<Status> {
        self.store.subscriber(&address(text)).unwrap().map(|subscriber| subscriber.status)
    }

    /// What the ledger tells of a reader, as words.
    pub(crate) fn events(&self, text: &str) -> Vec<&'static str> {
        self.proof(text).iter().map(|entry| entry.event.name()).collect()
    }

    pub(crate) fn proof(&self, text: &str) -> Vec<LedgerEntry> {
        self.store.proof(&address(text)).unwrap()
    }

    /// What is wrong with the ledger, as words; nothing if it is whole.
    pub(crate) fn fault(&self) -> Option<String> {
        match self.store.verify().unwrap() {
            Verification::Whole { .. } => None,
            Verification::Broken(fault) => Some(fault.to_string()),
        }
    }

    pub(crate) fn order(&self) -> ImportOrder {
        ImportOrder {
            at: self.at,
            seed: [self.nonces as u8; 32],
            basis: "asked for on paper".to_owned(),
            source: Source::Import,
            source_name: "the fair of 2009".to_owned(),
            file_name: "readers.csv".to_owned(),
            file_digest: "00ff".to_owned(),
            language: Language::Japanese,
            operator: Some("editor".to_owned()),
            dry_run: false,
        }
    }

    /// Reads in active readers.
    pub(crate) fn import(&mut self, texts: &[&str]) -> (ImportReport, Vec<Refused>) {
        self.nonces += 1;
        let order = self.order();
        self.import_rows(&order, texts)
    }

    pub(crate) fn import_rows(&self, order: &ImportOrder, texts: &[&str]) -> (ImportReport, Vec<Refused>) {
        let mut refused = Vec::new();
        let mut rows = texts.iter().zip(2..).map(|(text, line)| row(line, text, Status::Active));
        let report = self.store.import(order, &mut rows, &mut |row| refused.push(row)).unwrap();
        (report, refused)
    }

    pub(crate) fn pass(&mut self, time: TimeDelta) {
        self.at += time;
    }
}

pub(crate) fn row(line: u64, text: &str, status: Status) -> ImportRow {
    ImportRow { line, address: address(text), name: None, tags: vec!["fair".to_owned()], status }
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse_legacy(text).unwrap()
}

pub(crate) fn standing(answer: Answer) -> Standing {
    match answer {
        Answer::Done(standing) => *standing,
        other => panic!("{other:?}"),
    }
}

/// Limits that no case meets but the one that is about them.
pub(crate) fn no_limits() -> Limits {
    Limits { addresses_per_network: None, ..Limits::default() }
}
