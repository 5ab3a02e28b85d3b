//! Where each page of the blog stands, and names that would stand in one place.
//!
//! A path names a file or, ending in `/`, a page's folder below the blog's root; it is NFC and not encoded.

use std::collections::{BTreeMap, HashMap};

use unicode_normalization::UnicodeNormalization;

use crate::diagnostic::Diagnostic;
use crate::model::{Issue, Magazine};

/// The longest name of a file or folder that common file systems take, in octets.
const LONGEST: usize = 255;

/// First parts of addresses that the blog itself uses.
const RESERVED: [&str; 12] = [
    "issues",
    "posts",
    "tags",
    "corners",
    "authors",
    "archive",
    "pages",
    "atom.xml",
    "sitemap.xml",
    "robots.txt",
    "404.html",
    "index.html",
];

/// An issue's folder: `issues/010/`.
pub(super) fn issue(issue: &Issue) -> String {
    format!("issues/{}/", part(&issue.label))
}

/// A tag's, a corner's or an author's own part of an address: as `[blog.tags]` says, else its name in small Latin
/// letters, with a hyphen for what an address, a folder or a reader could not carry. Never a transliteration.
pub(super) fn named_part(name: &str, settled: &BTreeMap<String, String>) -> String {
    settled.get(name).cloned().unwrap_or_else(|| part(&name.to_lowercase()))
}

/// A name as one part of an address, at most 255 octets long; empty when no character can stand there.
pub(super) fn part(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for c in name.nfc() {
        let c = if is_unfit(c) { '-' } else { c };
        if part.len() + c.len_utf8() > LONGEST {
            break;
        }
        if c != '-' || !part.ends_with('-') {
            part.push(c);
        }
    }
    // A name may begin with a dot (`.NET`), a folder should not, and Windows takes none at the end.
    part.trim_matches(|c| c == '-' || c == '.').to_owned()
}

fn is_unfit(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || "/\\?#%:*\"<>|&;'`^{}[]".contains(c)
        // soft hyphen; marks without width; directions; byte order mark; private use
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{FEFF}' | '\u{E000}'..='\u{F8FF}')
}

/// What would stand at the address of something else.
pub(super) fn collisions(magazine: &Magazine, assets: &[&str], problems: &mut Vec<Diagnostic>) {
    for issue in &magazine.issues {
        let folder = format!("content/issues/{}", issue.label);
        let mut taken = HashMap::from([("mail".to_owned(), "the mail form".to_owned())]);
        for article in &issue.articles {
            let what = format!("the article “{}”", article.title);
            let help = "give one of the two another `slug`";
            claim(&mut taken, &article.slug, what, &self::issue(issue), &folder, help, problems);
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
fn key(slug: &str) -> String {
    slug.nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_addresses() {
        let settled = BTreeMap::from([("文字コード".to_owned(), "charset".to_owned())]);
        for (name, expected) in [
            ("文字コード", "charset"),
            ("組版", "組版"),
            ("CI/CD", "ci-cd"),
            ("ISO-2022-JP", "iso-2022-jp"),
            ("C++", "c++"),
            ("C#", "c"),
            (".NET", "net"),
            ("..", ""),
            ("???", ""),
            ("a  b\u{3000}c", "a-b-c"),
            ("100%\\50%", "100-50"),
            ("か\u{3099}", "が"),
            ("Éa\u{200B}\u{202E}b\0", "éa-b"),
        ] {
            assert_eq!(named_part(name, &settled), expected, "{name}");
        }
        assert_eq!(part(&"あ".repeat(200)), "あ".repeat(85));
    }
}
