//! Where everything stands on the blog, for all who lead readers there.
//!
//! A path names a file or, ending in `/`, a page's folder below the blog's root; it is NFC and not encoded. A URL or
//! address is encoded.

mod encode;
mod old;
mod part;
mod target;

use std::ops::Range;

use crate::config::BlogConfig;
use crate::model::{Article, Issue, Page, Post};
use crate::typeset::urls;

pub(crate) use encode::{encode_path, encode_url};
pub(crate) use old::old_path;
pub(crate) use part::{named_part, part};
pub(crate) use target::{Target, decode, names_page, target};

/// The path of an issue's page: `issues/010/`.
pub(crate) fn issue_path(issue: &Issue) -> String {
    format!("issues/{}/", part(&issue.label))
}

/// The path of an article's page: `issues/010/SLUG/`, or the issue's own where one article is all of it.
pub(crate) fn article_path(issue: &Issue, article: &Article) -> String {
    match issue.is_one_article() {
        true => issue_path(issue),
        false => format!("{}{}/", issue_path(issue), part(&article.slug)),
    }
}

/// The path of a post's page.
pub(crate) fn post_path(post: &Post) -> String {
    format!("posts/{}/", part(&post.slug))
}

/// The path of another page, whose name may lie in folders.
pub(crate) fn page_path(page: &Page) -> String {
    let parts = page.slug.split('/').map(part).filter(|part| !part.is_empty());
    parts.map(|part| part + "/").collect()
}

/// A path as links name it, encoded, below a root such as `/magazine` or `https://blog.example.jp`.
pub(crate) fn href(root: &str, path: &str) -> String {
    format!("{root}/{}", encode_path(path))
}

/// The full address of what a text names by `url`; `path` is the path of the text's file from the magazine's root.
pub(crate) fn full_address(blog: &BlogConfig, url: &str, path: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match target(url, folder, "") {
        Target::Elsewhere(url) => url,
        Target::Blog(path) => format!("{}{path}", blog.url),
        Target::Beside { to, rest, .. } => href(&blog.url, &to) + &rest,
        Target::Unsafe => url.to_owned(),
    }
}

/// Where the addresses on the web stand in a text that readers expect to be links, in octets.
pub(crate) fn web_addresses(text: &str) -> impl Iterator<Item = Range<usize>> {
    const SCHEMES: [&str; 3] = ["https://", "http://", "ftp://"];
    urls(text).into_iter().filter(|url| SCHEMES.iter().any(|scheme| text[url.clone()].starts_with(scheme)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn addresses_are_made_full() {
        let url = "https://b.jp/m".to_owned();
        let blog = BlogConfig {
            url,
            description: String::new(),
            tags: BTreeMap::new(),
            subscribe_url: None,
            redirects: Vec::new(),
        };
        for (url, path, expected) in [
            ("https://a.jp/x", "content/footer.md", "https://a.jp/x"),
            ("/about/", "content/issues/010/01-a.md", "https://b.jp/m/about/"),
            ("rack.jpg", "content/issues/010/01-a.md", "https://b.jp/m/issues/010/rack.jpg"),
            ("図.png?x#y", "content/issues/010/01-a.md", "https://b.jp/m/issues/010/%E5%9B%B3.png?x#y"),
            ("../009/", "content/issues/010/01-a.md", "https://b.jp/m/issues/009/"),
            ("rack.jpg", "content/issues/009.md", "https://b.jp/m/issues/rack.jpg"),
            ("subscribe/", "content/footer.md", "https://b.jp/m/subscribe/"),
        ] {
            assert_eq!(full_address(&blog, url, path), expected);
        }
    }
}
