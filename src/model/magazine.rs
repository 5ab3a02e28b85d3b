//! The magazine: issues, articles, posts and pages, as far as lists and links need to know them.
//!
//! The texts themselves are [`Document`](super::Document)s, made when a page or a mail needs them and dropped
//! afterwards, so that memory grows with the number of articles and not with their length.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Typesetting;
use crate::diagnostic::Place;

/// Everything that is published, in order.
#[derive(Clone, Debug, Default)]
pub struct Magazine {
    /// The issues by number, oldest first.
    pub issues: Vec<Issue>,
    /// The blog-only articles by date, oldest first.
    pub posts: Vec<Post>,
    /// The blog's other pages by address.
    pub pages: Vec<Page>,
}

/// What is published and sent at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The number: 10.
    pub number: u32,
    /// The number as the editor writes it, zero-padded as he likes: `010`. Names files and addresses.
    pub label: String,
    /// The day of publication in the magazine's time zone.
    pub date: NaiveDate,
    /// The day the next issue is promised for.
    pub next_date: Option<NaiveDate>,
    /// The subject of this issue's mail, where it is not the magazine's usual one.
    pub subject: Option<String>,
    /// Whether its mail begins with the contents, where it is not as the magazine says.
    pub contents: Option<bool>,
    /// Its old addresses; they point into its text, so that they are not serialized.
    #[serde(skip)]
    pub aliases: Vec<Alias>,
    /// The tags of the issue as a whole.
    pub tags: Vec<String>,
    /// Not to be published yet.
    pub draft: bool,
    /// The articles in order.
    pub articles: Vec<Article>,
    /// The files that go with its mail; not serialized either.
    #[serde(skip)]
    pub attachments: Vec<AttachedFile>,
    /// Whether it is a finished mail, whose mail form is never typeset again.
    pub finished: bool,
}

/// One piece of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// The title's words.
    pub title: String,
    /// The last part of its address on the blog.
    pub slug: String,
    /// Who wrote it.
    pub author: Option<Author>,
    /// The label a recurring kind of article stands under.
    pub corner: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its old addresses; not serialized.
    #[serde(skip)]
    pub aliases: Vec<Alias>,
    /// How much of it the mail carries.
    pub in_mail: InMail,
    /// Whether the mail sets its title with a space between the letters.
    pub letterspace: bool,
    /// How its lines are set: its own settings over its author's over the magazine's.
    pub typesetting: Typesetting,
    /// The first words of its text.
    pub excerpt: String,
    /// How many minutes it takes to read.
    pub minutes: usize,
}

/// Who wrote an article.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Author {
    /// The name under `[authors]`; none for a name that only an old mail knows.
    pub key: Option<String>,
    /// The name readers see.
    pub name: String,
}

/// A file that goes with an issue's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedFile {
    /// Its path from the magazine's root: `content/issues/010/slides.pdf`.
    pub path: String,
    /// Its name: `slides.pdf`.
    pub name: String,
    /// Where it is written.
    pub place: Place,
}

/// How much of an article the mail carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InMail {
    /// All of it.
    #[default]
    Full,
    /// Its first paragraph and the address of the rest.
    Summary,
    /// Nothing: the article is on the blog alone.
    Omit,
}

impl InMail {
    /// Every choice with its name in front matter.
    pub const NAMES: [(&'static str, InMail); 3] =
        [("full", InMail::Full), ("summary", InMail::Summary), ("omit", InMail::Omit)];
}

/// An article of the blog alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Post {
    /// The title's words.
    pub title: String,
    /// The last part of its address.
    pub slug: String,
    /// The day of publication in the magazine's time zone.
    pub date: NaiveDate,
    /// Who wrote it.
    pub author: Option<Author>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its old addresses; not serialized.
    #[serde(skip)]
    pub aliases: Vec<Alias>,
    /// Not to be published yet.
    pub draft: bool,
    /// The first words of its text.
    pub excerpt: String,
    /// How many minutes it takes to read.
    pub minutes: usize,
}

/// Another page of the blog: about the magazine, how to subscribe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The title's words.
    pub title: String,
    /// Its address below the blog's root, without slashes at the ends: `about`.
    pub slug: String,
    /// Its old addresses; not serialized.
    #[serde(skip)]
    pub aliases: Vec<Alias>,
    /// The first words of its text.
    pub excerpt: String,
}

/// An old address of something, which leads to the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// As the editor wrote it: `/2010/05/vol10/`.
    pub address: String,
    /// The path of its page in the blog's folder, in NFC and not encoded: `2010/05/vol10/index.` and its ending.
    pub path: String,
    /// Where it is written.
    pub place: Place,
}

impl Issue {
    /// Whether one article is all there is: its page is then the issue's own.
    pub fn is_one_article(&self) -> bool {
        self.articles.len() == 1
    }

    /// The tags of the issue and of its articles, each once, in order of appearance.
    pub fn all_tags(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for tag in self.tags.iter().chain(self.articles.iter().flat_map(|article| &article.tags)) {
            if !all.contains(&tag.as_str()) {
                all.push(tag);
            }
        }
        all
    }
}
