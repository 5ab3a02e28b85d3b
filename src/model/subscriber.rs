//! Readers: who subscribes, and how it stands with the subscription.

use chrono::{DateTime, Utc};

use super::{EmailAddress, name_of, named};

/// A subscriber's number in the store. It is no credential: whoever knows it can do nothing with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberId(pub i64);

/// A reader, and his subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// His number.
    pub id: SubscriberId,
    /// Where his mail goes.
    pub address: EmailAddress,
    /// The name he gave, for greetings.
    pub name: Option<String>,
    /// How it stands with the subscription.
    pub status: Status,
    /// How he came.
    pub source: Source,
    /// In which language he is written to.
    pub language: Language,
    /// What he is marked with, sorted.
    pub tags: Vec<String>,
    /// When he was first heard of.
    pub created: DateTime<Utc>,
    /// When the subscription last changed.
    pub changed: DateTime<Utc>,
}

/// How it stands with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Applied for, not confirmed: no issue is sent.
    Pending,
    /// Issues are sent.
    Active,
    /// The reader has left.
    Unsubscribed,
    /// Nothing is sent, whatever the reader wishes, until the reason is gone.
    Suppressed(Suppression),
}

/// Why nothing is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suppression {
    /// Mail came back: there is no such address.
    HardBounce,
    /// Mail came back too often.
    SoftBounces,
    /// The reader told his mail service that it is spam.
    Complaint,
    /// The operator said so.
    Operator,
}

/// How a subscriber came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// By the form on the web.
    Web,
    /// By a mail.
    Mail,
    /// By a questionnaire.
    Questionnaire,
    /// In an imported file.
    Import,
    /// Added by the operator.
    Operator,
}

/// In which language a reader is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Japanese.
    #[default]
    Japanese,
    /// English.
    English,
}

impl Status {
    /// The words that the store and reports have for each status.
    pub const NAMES: [(&str, Status); 7] = [
        ("pending", Status::Pending),
        ("active", Status::Active),
        ("unsubscribed", Status::Unsubscribed),
        ("suppressed: hard bounce", Status::Suppressed(Suppression::HardBounce)),
        ("suppressed: soft bounces", Status::Suppressed(Suppression::SoftBounces)),
        ("suppressed: complaint", Status::Suppressed(Suppression::Complaint)),
        ("suppressed: operator", Status::Suppressed(Suppression::Operator)),
    ];

    /// The status as the store and reports write it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The status of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

impl Source {
    /// The words that the store and reports have for each source.
    pub const NAMES: [(&str, Source); 5] = [
        ("web", Source::Web),
        ("mail", Source::Mail),
        ("questionnaire", Source::Questionnaire),
        ("import", Source::Import),
        ("operator", Source::Operator),
    ];

    /// The source as the store and reports write it.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The source of a name.
    pub fn named(wanted: &str) -> Option<Self> {
        named(&Self::NAMES, wanted)
    }
}

impl Language {
    /// Language tags (BCP 47).
    pub const NAMES: [(&str, Language); 2] = [("ja", Language::Japanese), ("en", Language::English)];

    /// The language's tag (BCP 47).
    pub fn tag(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The language of a tag, by its first part.
    pub fn tagged(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or("").to_ascii_lowercase();
        named(&Self::NAMES, &primary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_source_has_a_name_that_leads_back() {
        for (name, status) in Status::NAMES {
            assert_eq!((status.name(), Status::named(name)), (name, Some(status)));
        }
        for (name, source) in Source::NAMES {
            assert_eq!((source.name(), Source::named(name)), (name, Some(source)));
        }
        assert_eq!(Language::tagged("en-GB"), Some(Language::English));
        assert_eq!(Language::tagged("fr"), None);
    }
}
