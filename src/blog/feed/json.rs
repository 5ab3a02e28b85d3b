//! JSON Feed 1.1 (jsonfeed.org).

use std::borrow::Cow;

use serde::Serialize;

use super::super::html::without_controls;
use super::{FeedEntry, midnight};
use crate::address::href;
use crate::config::Config;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: Cow<'a, str>,
    home_page_url: String,
    feed_url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: Cow<'a, str>,
    authors: [Author<'a>; 1],
    language: Cow<'a, str>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: Cow<'a, str>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: Cow<'a, str>,
    content_html: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authors: Option<[Author<'a>; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Cow<'a, str>>,
}

/// `feed.json`.
pub(super) fn feed(config: &Config, entries: &[FeedEntry<'_>]) -> Vec<u8> {
    let url = &config.blog.url;
    let feed = Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: without_controls(&config.magazine.name),
        home_page_url: href(url, ""),
        feed_url: href(url, "feed.json"),
        description: without_controls(&config.blog.description),
        authors: [Author { name: without_controls(&config.magazine.publisher) }],
        language: without_controls(&config.magazine.language),
        items: entries.iter().map(|entry| item(config, entry)).collect(),
    };
    let mut octets = serde_json::to_vec_pretty(&feed).expect("texts are JSON");
    octets.push(b'\n');
    octets
}

fn item<'a>(config: &Config, entry: &'a FeedEntry<'_>) -> Item<'a> {
    Item {
        id: &entry.id,
        url: &entry.address,
        title: without_controls(entry.title),
        content_html: &entry.content,
        summary: without_controls(entry.excerpt),
        image: entry.preview.as_ref().map(|preview| href(&config.blog.url, &preview.path)),
        date_published: midnight(entry.date, config.magazine.timezone),
        authors: entry.author.map(|author| [Author { name: without_controls(&author.name) }]),
        tags: entry.tags.iter().map(|tag| without_controls(tag)).collect(),
    }
}
