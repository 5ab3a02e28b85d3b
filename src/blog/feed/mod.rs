//! What machines read: the newest texts as Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, all of the same entries under
//! the same ids; the sitemap; robots.txt.

mod json;
mod sitemap;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;

use super::html::{Medium, Preview};
use super::labels::by_date;
use super::{Entry, File, Head, Made, Pages, Site, optional, text};
use crate::address::{article_path, href, post_path};
use crate::diagnostic::Diagnostic;
use crate::model::Author;
use crate::source::Text;
use crate::theme::Value;

pub(super) use sitemap::{places, robots, sitemap};

/// Articles and posts in the feeds.
const FEED_LENGTH: usize = 20;

/// An article or post as all feeds have it.
struct FeedEntry<'a> {
    value: Value,
    title: &'a str,
    author: Option<&'a Author>,
    tags: &'a [String],
    excerpt: &'a str,
    /// Readers take an id for the entry itself: it changes with neither the title nor the scheme (RFC 4151).
    id: String,
    address: String,
    date: NaiveDate,
    content: String,
    preview: Option<Preview>,
}

impl Site<'_> {
    /// The articles and posts of the feeds, newest first.
    pub fn feed_entries(&self) -> Vec<Entry> {
        let mut newest: Vec<Entry> = Vec::new();
        for entry in by_date(self.magazine).into_iter().rev() {
            if newest.len() >= FEED_LENGTH {
                break;
            }
            match entry {
                // An issue follows its articles here, the last of them first.
                Entry::Issue(_) => {
                    let articles =
                        newest.iter().rev().take_while(|newer| self.stands_in(**newer, entry)).count();
                    let from = newest.len() - articles;
                    newest[from..].reverse();
                }
                entry => newest.push(entry),
            }
        }
        newest
    }

    fn stands_in(&self, entry: Entry, issue: Entry) -> bool {
        matches!((entry, issue), (Entry::Article(of, _), Entry::Issue(issue)) if of == issue)
    }

    /// `atom.xml`, `rss.xml` and `feed.json`, of the texts of [`Site::feed_entries`] in their order.
    pub fn render_feed(&self, texts: &[(Entry, &Text)]) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let entries: Vec<FeedEntry<'_>> = texts
            .iter()
            .enumerate()
            .filter_map(|(number, (entry, text))| self.feed_entry(number, *entry, text))
            .collect();
        let timezone = self.config.magazine.timezone;
        let newest = entries.iter().map(|entry| entry.date).max().map(|date| begin(date, timezone));
        let values: Vec<Value> = entries.iter().map(|entry| self.entry_value(entry)).collect();
        for (path, template, form) in [
            ("atom.xml", "blog/atom.xml", rfc_3339 as fn(DateTime<Tz>) -> String),
            ("rss.xml", "blog/rss.xml", |moment| moment.to_rfc2822()),
        ] {
            let head = Head { path, title: &self.config.magazine.name, description: "", kind: "website" };
            let mut context = self.context(&head);
            context.insert_value("updated", optional(newest.map(|newest| text(&form(newest)))));
            context.insert_value("entries", Value::from(values.clone()));
            self.page(template, &head, &context, &mut made);
        }
        let bytes = json::feed(self.config, &entries);
        made.files.push(File { path: "feed.json".to_owned(), bytes });
        made.pages()
    }

    fn feed_entry(&self, number: usize, entry: Entry, text: &Text) -> Option<FeedEntry<'_>> {
        let (value, path, title, author, tags, excerpt) = match entry {
            Entry::Issue(_) => return None,
            Entry::Article(issue, article) => {
                let of_issue = &self.magazine.issues[issue];
                let value = &self.article_values(issue)[article];
                let article = &of_issue.articles[article];
                let path = article_path(of_issue, article);
                (value, path, &article.title, &article.author, &article.tags, &article.excerpt)
            }
            Entry::Post(post) => {
                let value = &self.values.posts[post];
                let post = &self.magazine.posts[post];
                (value, post_path(post), &post.title, &post.author, &post.tags, &post.excerpt)
            }
        };
        let url = &self.config.blog.url;
        let date = self.date(entry);
        // What is wrong with a text is said where its own page is made.
        let html = self.html(text, url, &format!("e{}-", number + 1), Medium::Feed, &mut Vec::new());
        Some(FeedEntry {
            value: value.clone(),
            title,
            author: author.as_ref(),
            tags,
            excerpt,
            id: format!("tag:{},{date}:{}", host(url), href("", &path)),
            address: href(url, &path),
            date,
            content: html.html,
            preview: html.preview,
        })
    }

    fn entry_value(&self, entry: &FeedEntry<'_>) -> Value {
        let moment = begin(entry.date, self.config.magazine.timezone);
        super::map([
            ("value", entry.value.clone()),
            ("id", text(&entry.id)),
            ("address", text(&entry.address)),
            ("updated", text(&rfc_3339(moment))),
            ("published", text(&moment.to_rfc2822())),
            ("tags", self.values.tags_of(&self.index, entry.tags)),
            ("content", Value::from(entry.content.as_str())),
        ])
    }
}

/// The beginning of a day where the magazine is published, by RFC 3339.
pub(super) fn midnight(date: NaiveDate, timezone: Tz) -> String {
    rfc_3339(begin(date, timezone))
}

fn rfc_3339(moment: DateTime<Tz>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// The beginning of a day; where clocks were put forward at midnight, the first moment there was.
fn begin(date: NaiveDate, timezone: Tz) -> DateTime<Tz> {
    let midnight = date.and_time(NaiveTime::MIN);
    let moment = (0..24).find_map(|hour| {
        timezone.from_local_datetime(&(midnight + chrono::Duration::hours(hour))).earliest()
    });
    moment.unwrap_or_else(|| timezone.from_utc_datetime(&midnight))
}

fn host(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    host.split(':').next().unwrap_or(host)
}
