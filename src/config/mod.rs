//! `mailmag.toml` as written: settings with their defaults, unknown keys refused at their place.

mod keys;
mod pace;
mod parse;
mod secret;
mod sending;
mod serving;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;

pub use keys::{Keys, Setting, closest};
pub use pace::PaceConfig;
pub use parse::{WIDTHS, is_address_part, parse};
pub use secret::Secret;
pub use sending::{DkimConfig, SmtpConfig, SmtpServer, Tls};
pub use serving::{StoreConfig, WebConfig};

use crate::charset::Profile;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{Author, Emphasis, HangingPunctuation, LineBreak, Links, Tables, Typesetting};

/// A magazine's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file they were read from.
    pub source: Arc<SourceText>,
    /// What is published, and by whom.
    pub magazine: MagazineConfig,
    /// How issues become mail.
    pub mail: MailConfig,
    /// The authors by their keys.
    pub authors: BTreeMap<String, AuthorConfig>,
    /// The archive.
    pub blog: BlogConfig,
    /// Where the archive is carried to, if it is told.
    pub publish: Option<PublishTarget>,
    /// Where the list is kept.
    pub store: StoreConfig,
    /// How readers reach it, if they do.
    pub web: Option<WebConfig>,
    /// The ways out for mail, the first one first.
    pub smtp: Vec<SmtpConfig>,
    /// The domains that mail goes to at a pace of their own.
    pub paces: Vec<PaceConfig>,
    /// Who signs it, if we do.
    pub dkim: Option<DkimConfig>,
}

/// `[magazine]`.
#[derive(Clone, Debug)]
pub struct MagazineConfig {
    /// The magazine's name.
    pub name: String,
    /// Who publishes it.
    pub publisher: String,
    /// A language tag (BCP 47).
    pub language: String,
    /// Where its days begin and end.
    pub timezone: Tz,
    /// Whether it advertises: then its mail must have what the law asks for.
    pub is_commercial: bool,
    /// The publisher's postal address as it stands in the mail, or the address of a page with it that the mail links to.
    pub address: Option<String>,
    /// Where questions go, likewise.
    pub contact: Option<String>,
}

/// `[mail]`.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// The sender.
    pub from: Sender,
    /// The template of the subject, with its place in the file for errors.
    pub subject: Setting<String>,
    /// In which character set an issue is sent.
    pub charset: CharsetChoice,
    /// Which characters count as Japanese: Microsoft's set or JIS X 0208 alone.
    pub charset_profile: Profile,
    /// The domains whose readers get every letter in UTF-8, each with those below it, in small letters.
    pub utf_8_domains: Vec<String>,
    /// How lines are set unless an author or an article says otherwise.
    pub typesetting: Typesetting,
    /// Whether the contents stand before the first article.
    pub contents: bool,
    /// Whether the marks of emphasis are kept.
    pub emphasis: Emphasis,
    /// Where the addresses of links stand.
    pub links: Links,
    /// How tables are drawn.
    pub tables: Tables,
    /// Whether the mail has a second form in HTML.
    pub html: bool,
    /// By how much a mailing may be late that `mailmag worker` begins, or goes on with.
    pub late: TimeDelta,
}

/// Who sends the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The display name; may be empty.
    pub name: String,
    /// The address.
    pub address: String,
}

impl Sender {
    /// The address's domain: that of Message-IDs and return paths.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

/// In which character set an issue is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CharsetChoice {
    /// ISO-2022-JP where it carries every character, else UTF-8.
    #[default]
    Auto,
    /// ISO-2022-JP; what it cannot carry is an error.
    Iso2022Jp,
    /// UTF-8.
    Utf8,
}

/// `[authors.KEY]`.
#[derive(Clone, Debug)]
pub struct AuthorConfig {
    /// The name readers see.
    pub name: String,
    /// How the author's lines are set, where it is not as `[mail]` says.
    pub typesetting: TypesettingChange,
}

/// What an author or an article changes of the typesetting above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypesettingChange {
    /// Another measure, in columns.
    pub width: Option<usize>,
    /// Other line breaks.
    pub line_break: Option<LineBreak>,
    /// Other hanging punctuation.
    pub hanging_punctuation: Option<HangingPunctuation>,
    /// Another reach of `hanging-punctuation = "all"`, in columns.
    pub hanging_columns: Option<usize>,
}

impl TypesettingChange {
    /// Reads the keys that `[mail]`, authors and articles share.
    pub fn read(keys: &mut Keys<'_>, problems: &mut Vec<Diagnostic>) -> Self {
        TypesettingChange {
            width: keys.integer("width", WIDTHS, problems).map(|columns| columns as usize),
            line_break: keys.one_of("line-break", &LineBreak::NAMES, problems),
            hanging_punctuation: keys.one_of("hanging-punctuation", &HangingPunctuation::NAMES, problems),
            hanging_columns: keys.integer("hanging-columns", 1..3, problems).map(|columns| columns as usize),
        }
    }

    /// The typesetting with these changes.
    pub fn apply(&self, to: Typesetting) -> Typesetting {
        Typesetting {
            width: self.width.unwrap_or(to.width),
            line_break: self.line_break.unwrap_or(to.line_break),
            hanging_punctuation: self.hanging_punctuation.unwrap_or(to.hanging_punctuation),
            hanging_columns: self.hanging_columns.unwrap_or(to.hanging_columns),
        }
    }
}

/// `[blog]`.
#[derive(Clone, Debug)]
pub struct BlogConfig {
    /// The address of the archive's root, without a slash at its end.
    pub url: String,
    /// What the archive is about, for search engines and feeds.
    pub description: String,
    /// Addresses for tags and corners whose names make no good ones: `"文字コード" = "charset"`.
    pub tags: BTreeMap<String, String>,
    /// The address of the page to subscribe at, where it is not `[web] url`.
    pub subscribe_url: Option<String>,
    /// Old addresses and where they lead now, as written: a page of the blog or a whole address.
    pub redirects: Vec<(Setting<String>, Setting<String>)>,
}

/// `[publish]`: where the blog is carried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishTarget {
    /// A folder on this machine, absolute or from the magazine's folder.
    Directory(String),
    /// A folder that rsync reaches.
    Rsync {
        /// The folder as rsync names it: `user@host:/srv/www/mag/`.
        to: String,
        /// More options for rsync: `-e`, `ssh -p 2222`.
        options: Vec<String>,
    },
    /// A branch of a git repository.
    Git {
        /// The repository as git names it: `git@host:repo.git`.
        repository: String,
        /// The branch, which holds the blog and nothing else.
        branch: String,
    },
}

impl PublishTarget {
    /// The target as its setting names it.
    pub fn name(&self) -> &str {
        match self {
            PublishTarget::Directory(to) | PublishTarget::Rsync { to, .. } => to,
            PublishTarget::Git { repository, .. } => repository,
        }
    }
}

impl Config {
    /// The page where readers subscribe and leave, if there is one outside the blog: the setting's, else the service's.
    pub fn subscribe_url(&self) -> Option<String> {
        let of_service = || self.web.as_ref().map(|web| format!("{}/", web.url));
        self.blog.subscribe_url.clone().or_else(of_service)
    }

    /// The page where readers subscribe and leave, else the blog's home page.
    pub fn subscribe_page(&self) -> String {
        self.subscribe_url().unwrap_or_else(|| format!("{}/", self.blog.url))
    }

    /// The author under a key, as articles name him.
    pub fn author(&self, key: &str) -> Option<Author> {
        let author = self.authors.get(key)?;
        Some(Author { key: Some(key.to_owned()), name: author.name.clone() })
    }

    /// The author that an old mail names by the name readers see.
    pub fn author_named(&self, name: &str) -> Author {
        let key = self.authors.iter().find(|(_, author)| author.name == name).map(|(key, _)| key.clone());
        Author { key, name: name.to_owned() }
    }

    /// How an author's lines are set: his own settings over the magazine's.
    pub fn typesetting_of(&self, author: Option<&Author>) -> Typesetting {
        let key = author.and_then(|author| author.key.as_ref());
        match key.and_then(|key| self.authors.get(key)) {
            Some(author) => author.typesetting.apply(self.mail.typesetting),
            None => self.mail.typesetting,
        }
    }
}

impl BlogConfig {
    /// The path of the archive's root on its host: empty, or `/magazine`.
    pub fn base_path(&self) -> &str {
        let after_scheme = self.url.find("://").map_or(0, |at| at + 3);
        self.url[after_scheme..].find('/').map_or("", |at| &self.url[after_scheme + at..])
    }
}
