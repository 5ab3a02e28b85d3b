//! The sitemap (sitemaps.org) and robots.txt (RFC 9309).

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::super::html::escape;
use super::super::{File, Site};
use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::hash::{HashSet, HashSetExt};

/// Addresses in one sitemap file, by its protocol.
const SITEMAP_LENGTH: usize = 50_000;

/// `sitemap.xml`; with more addresses than one file may hold, an index of `sitemap-1.xml` and so on.
pub(in crate::blog) fn sitemap(site: &Site<'_>) -> Vec<File> {
    sitemap_of(site, SITEMAP_LENGTH)
}

fn sitemap_of(site: &Site<'_>, length: usize) -> Vec<File> {
    let url = &site.config.blog.url;
    let places = places(site);
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

/// The paths of all pages that readers may come to, each once, with the day of what changes it.
pub(in crate::blog) fn places(site: &Site<'_>) -> Vec<(String, Option<NaiveDate>)> {
    let mut places: Vec<(String, Option<NaiveDate>)> = Vec::new();
    places.push((String::new(), site.magazine.issues.last().map(|issue| issue.date)));
    for issue in &site.magazine.issues {
        let folder = issue_path(issue);
        if !issue.is_one_article() {
            let articles = issue.articles.iter();
            places.extend(articles.map(|article| (article_path(issue, article), Some(issue.date))));
        }
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
            for label in &labels.all {
                places
                    .extend(site.paths_of(&label.path, &label.entries).into_iter().map(|path| (path, None)));
            }
        }
    }
    if !site.magazine.posts.is_empty() {
        places.extend(site.paths_of("posts/", &site.posts()).into_iter().map(|path| (path, None)));
    }
    if Site::has_index_of_terms(site.magazine) {
        places.push((super::super::word_index::INDEX_OF_TERMS.to_owned(), None));
    }
    // An issue's page may be its only article's, too.
    let mut seen = HashSet::new();
    places.retain(|(path, _)| seen.insert(path.clone()));
    places
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
pub(in crate::blog) fn robots(site: &Site<'_>) -> File {
    let lines =
        format!("User-agent: *\nAllow: /\n\nSitemap: {}\n", href(&site.config.blog.url, "sitemap.xml"));
    File { path: "robots.txt".to_owned(), bytes: lines.into_bytes() }
}
