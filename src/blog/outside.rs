//! The blog's addresses as the mail gives them, with scheme and host.

use super::address;
use super::html::{Target, encode_path, target};
use super::values::article_path;
use crate::config::BlogConfig;
use crate::model::{Article, Issue};

/// The address of an issue's page.
pub fn issue_address(blog: &BlogConfig, issue: &Issue) -> String {
    full(blog, &address::issue(issue))
}

/// The address of an article's page.
pub fn article_address(blog: &BlogConfig, issue: &Issue, article: &Article) -> String {
    full(blog, &article_path(&address::issue(issue), article))
}

/// The full address of what a text names by `url`; `path` is the path of the text's file from the magazine's root.
pub fn full_address(blog: &BlogConfig, url: &str, path: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match target(url, folder, "") {
        Target::Elsewhere(url) => url,
        Target::Blog(path) => format!("{}{path}", blog.url),
        Target::Beside { to, rest, .. } => full(blog, &to) + &rest,
        Target::Unsafe => url.to_owned(),
    }
}

fn full(blog: &BlogConfig, path: &str) -> String {
    format!("{}/{}", blog.url, encode_path(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn addresses_are_made_full() {
        let url = "https://b.jp/m".to_owned();
        let blog = BlogConfig { url, description: String::new(), tags: BTreeMap::new(), subscribe_url: None };
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
