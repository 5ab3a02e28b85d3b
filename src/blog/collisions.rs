//! Names that would stand in one place.

use unicode_normalization::UnicodeNormalization;

use crate::address::issue_path;
use crate::diagnostic::Diagnostic;
use crate::hash::{HashMap, HashMapExt};
use crate::model::Magazine;

/// First parts of addresses that the blog itself uses.
const RESERVED: [&str; 16] = [
    "issues",
    "posts",
    "tags",
    "corners",
    "authors",
    "archive",
    "search",
    "index-of-terms",
    "pages",
    "atom.xml",
    "rss.xml",
    "feed.json",
    "sitemap.xml",
    "robots.txt",
    "404.html",
    "index.html",
];

/// What would stand at the address of something else.
pub(super) fn collisions(magazine: &Magazine, assets: &[&str], problems: &mut Vec<Diagnostic>) {
    for issue in magazine.issues.iter().filter(|issue| !issue.is_one_article()) {
        let folder = format!("content/issues/{}", issue.label);
        let mut taken = HashMap::new();
        for article in &issue.articles {
            let what = format!("the article “{}”", article.title);
            let help = "give one of the two another `slug`";
            claim(&mut taken, &article.slug, what, &issue_path(issue), &folder, help, problems);
        }
    }
    let mut taken = HashMap::new();
    for post in &magazine.posts {
        let what = format!("the post “{}”", post.title);
        let help = "rename one of the two files";
        claim(&mut taken, &post.slug, what, "posts/", "content/posts", help, problems);
    }
    let mut taken: HashMap<String, String> =
        RESERVED.iter().map(|name| ((*name).to_owned(), format!("the blog's own /{name}"))).collect();
    for asset in assets {
        let first = asset.split('/').next().unwrap_or(asset);
        taken.entry(first.to_owned()).or_insert_with(|| format!("the theme's file `{asset}`"));
    }
    for page in &magazine.pages {
        let what = format!("the page “{}”", page.title);
        let first = page.slug.split('/').next().unwrap_or_default();
        let slug = if taken.contains_key(&key(first)) { first } else { &page.slug };
        let help = "rename the page's file";
        claim(&mut taken, slug, what, "", "content/pages", help, problems);
    }
}

fn claim(
    taken: &mut HashMap<String, String>,
    slug: &str,
    what: String,
    folder: &str,
    file: &str,
    help: &str,
    problems: &mut Vec<Diagnostic>,
) {
    match taken.get(&key(slug)) {
        Some(first) => problems.push(
            Diagnostic::error(
                "address-collision",
                format!("{first} and {what} have one address: /{folder}{slug}"),
            )
            .in_file(file)
            .help(help),
        ),
        None => {
            taken.insert(key(slug), what);
        }
    }
}

/// Names that differ in case alone are one file on Windows and macOS.
pub(super) fn key(slug: &str) -> String {
    slug.nfc().collect::<String>().to_lowercase()
}
