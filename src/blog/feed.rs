//! What machines read: the Atom feed (RFC 4287), the sitemap (sitemaps.org), robots.txt (RFC 9309).

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveTime, SecondsFormat, TimeZone};
use chrono_tz::Tz;

use super::html::{Medium, escape};
use super::labels::by_date;
use super::{Entry, File, Head, Made, Pages, Site, optional, text};
use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::diagnostic::Diagnostic;
use crate::source::Text;
use crate::theme::Value;

/// Articles and posts in the feed.
const FEED_LENGTH: usize = 20;

/// Addresses in one sitemap file, by its protocol.
const SITEMAP_LENGTH: usize = 50_000;

impl Site<'_> {
    /// The articles and posts of the feed, newest first.
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

    /// `atom.xml`, of the texts of [`Site::feed_entries`] in their order.
    pub fn render_feed(&self, texts: &[(Entry, &Text)]) -> Result<Pages, Vec<Diagnostic>> {
        let mut made = Made::default();
        let timezone = self.config.magazine.timezone;
        let mut entries = Vec::with_capacity(texts.len());
        for (number, (entry, source)) in texts.iter().enumerate() {
            let (value, path) = match *entry {
                Entry::Issue(_) => continue,
                Entry::Article(issue, article) => {
                    let of_issue = &self.magazine.issues[issue];
                    let path = article_path(of_issue, &of_issue.articles[article]);
                    (&self.values.articles[issue][article], path)
                }
                Entry::Post(post) => (&self.values.posts[post], post_path(&self.magazine.posts[post])),
            };
            let date = self.date(*entry);
            // Readers take an id for the entry itself: it changes with neither the title nor the scheme (RFC 4151).
            let id = format!("tag:{},{date}:{}", host(&self.config.blog.url), href("", &path));
            let prefix = format!("e{}-", number + 1);
            // What is wrong with a text is said where its own page is made.
            let html = self.html(source, &self.config.blog.url, &prefix, Medium::Feed, &mut Vec::new());
            entries.push(super::map([
                ("value", value.clone()),
                ("id", text(&id)),
                ("address", text(&href(&self.config.blog.url, &path))),
                ("updated", text(&midnight(date, timezone))),
                ("content", Value::from(html.html)),
            ]));
        }
        let newest = texts.iter().map(|(entry, _)| midnight(self.date(*entry), timezone)).max();
        let head =
            Head { path: "atom.xml", title: &self.config.magazine.name, description: "", kind: "website" };
        let mut context = self.context(&head);
        context.insert_value("updated", optional(newest.map(|newest| text(&newest))));
        context.insert_value("entries", Value::from(entries));
        self.page("blog/atom.xml", &head, &context, &mut made);
        made.pages()
    }
}

/// `sitemap.xml`; with more addresses than one file may hold, an index of `sitemap-1.xml` and so on.
pub(super) fn sitemap(site: &Site<'_>) -> Vec<File> {
    sitemap_of(site, SITEMAP_LENGTH)
}

fn sitemap_of(site: &Site<'_>, length: usize) -> Vec<File> {
    let url = &site.config.blog.url;
    let mut places: Vec<(String, Option<NaiveDate>)> = Vec::new();
    places.push((String::new(), site.magazine.issues.last().map(|issue| issue.date)));
    for issue in &site.magazine.issues {
        let folder = issue_path(issue);
        let articles = issue.articles.iter().map(|article| (article_path(issue, article), Some(issue.date)));
        places.extend(articles);
        places.push((folder, Some(issue.date)));
    }
    places.extend(site.magazine.posts.iter().map(|post| (post_path(post), Some(post.date))));
    places.extend(site.magazine.pages.iter().map(|page| (page_path(page), None)));
    places.push(("archive/".to_owned(), None));
    places.extend(site.years.keys().map(|year| (format!("archive/{year}/"), None)));
    let labels =
        [("tags/", &site.index.tags), ("corners/", &site.index.corners), ("authors/", &site.index.authors)];
    for (folder, labels) in labels {
        if !labels.all.is_empty() {
            places.push((folder.to_owned(), None));
            places.extend(labels.all.iter().map(|label| (label.path.clone(), None)));
        }
    }
    if !site.magazine.posts.is_empty() {
        places.push(("posts/".to_owned(), None));
    }

    let mut parts: Vec<File> = places
        .chunks(length)
        .enumerate()
        .map(|(number, places)| {
            let mut xml = xml_head("urlset", places.len() * 120);
            for (path, date) in places {
                let _ = write!(xml, "<url><loc>{}</loc>", escape(&href(url, path)));
                if let Some(date) = date {
                    let _ = write!(xml, "<lastmod>{date}</lastmod>");
                }
                xml.push_str("</url>\n");
            }
            xml.push_str("</urlset>\n");
            File { path: format!("sitemap-{}.xml", number + 1), bytes: xml.into_bytes() }
        })
        .collect();
    if let [only] = parts.as_mut_slice() {
        only.path = "sitemap.xml".to_owned();
        return parts;
    }
    let mut xml = xml_head("sitemapindex", parts.len() * 120);
    for part in &parts {
        let _ = writeln!(xml, "<sitemap><loc>{}</loc></sitemap>", escape(&href(url, &part.path)));
    }
    xml.push_str("</sitemapindex>\n");
    parts.push(File { path: "sitemap.xml".to_owned(), bytes: xml.into_bytes() });
    parts
}

fn xml_head(element: &str, capacity: usize) -> String {
    let mut xml = String::with_capacity(capacity + 200);
    let _ = write!(
        xml,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{element} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n"
    );
    xml
}

/// `robots.txt`: everything may be read.
pub(super) fn robots(site: &Site<'_>) -> File {
    let lines =
        format!("User-agent: *\nAllow: /\n\nSitemap: {}\n", href(&site.config.blog.url, "sitemap.xml"));
    File { path: "robots.txt".to_owned(), bytes: lines.into_bytes() }
}

/// The beginning of a day where the magazine is published, by RFC 3339; where clocks were put forward at midnight,
/// the first moment there was.
fn midnight(date: NaiveDate, timezone: Tz) -> String {
    let midnight = date.and_time(NaiveTime::MIN);
    let moment = (0..24).find_map(|hour| {
        timezone.from_local_datetime(&(midnight + chrono::Duration::hours(hour))).earliest()
    });
    let moment = moment.unwrap_or_else(|| timezone.from_utc_datetime(&midnight));
    moment.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn host(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    host.split(':').next().unwrap_or(host)
}
