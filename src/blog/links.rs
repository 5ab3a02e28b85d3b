//! Links within the blog, judged once all of it is known.
//!
//! A text is rendered without the others. It says where its links lead and what ids it has, in plain values that can be
//! kept from one build to the next; when all have spoken, [`Site::broken_links`] finds those that lead nowhere.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Site, word_index};
use crate::address::{Target, decode, issue_path, page_path, post_path};
use crate::config::closest;
use crate::diagnostic::Diagnostic;
use crate::hash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// What a page's texts link to, and what can be linked to in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLinks {
    /// The page's path in the blog's folder: `issues/010/slug/`.
    pub page: String,
    /// The ids of its headings and footnotes.
    pub ids: Vec<String>,
    /// The links, in the order of the texts. Files beside the texts that are there are not among them.
    pub links: Vec<Link>,
}

/// A link in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Where it leads.
    pub to: Destination,
    /// The id it leads to on its page, not encoded; empty when there is none.
    pub anchor: String,
    /// The address as the author wrote it.
    pub url: String,
    /// The text's file, by its path from the magazine's root.
    pub path: String,
    /// Where the address begins in the file's text as decoded, in octets.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// To another place on its own page.
    Here,
    /// To a page or file of the blog, by its path in the blog's folder, in NFC, not encoded.
    Blog(String),
    /// To an address of the web, without the fragment; the blog's own may be among them.
    Web(String),
}

/// Whose texts stand on a page, by the index in its list of the magazine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOf {
    /// An issue's.
    Issue(usize),
    /// A post's.
    Post(usize),
    /// One of the blog's other pages.
    Page(usize),
}

impl Link {
    /// Where its address stands.
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Where a target leads and the id it names there; none for what is no page: mail addresses, files beside the text, which
/// are looked for where they are linked.
pub(super) fn leads_to(target: &Target) -> Option<(Destination, String)> {
    let (to, fragment) = match target {
        Target::Elsewhere(url) => {
            let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
            let is_web = ["http://", "https://"].iter().any(|scheme| begins_with(address, scheme));
            match address {
                "" => (Destination::Here, fragment),
                _ if is_web => (Destination::Web(address.to_owned()), fragment),
                _ => return None,
            }
        }
        Target::Blog(url) => {
            let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
            (Destination::Blog(blog_path(address)), fragment)
        }
        Target::Beside { to, rest, .. } if crate::address::names_page(to) => {
            let fragment = rest.split_once('#').map_or("", |(_, fragment)| fragment);
            (Destination::Blog(without_index(to)), fragment)
        }
        Target::Beside { .. } | Target::Unsafe => return None,
    };
    // What follows is for browsers to look for among the words.
    let id = fragment.split(":~:").next().unwrap_or_default();
    Some((to, decode(id)))
}

fn begins_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

/// The path in the blog's folder that an encoded address from the blog's root names.
fn blog_path(address: &str) -> String {
    let address = address.split('?').next().unwrap_or_default();
    without_index(decode(address).trim_start_matches('/'))
}

fn without_index(path: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let folder = path.strip_suffix("index.html").filter(|folder| folder.is_empty() || folder.ends_with('/'));
    let path = folder.unwrap_or(path);
    if path.is_ascii() { path.to_owned() } else { path.nfc().collect() }
}

impl Site<'_> {
    /// The paths of all pages in the blog's folder, whether they can be made or not; `` is the home page.
    pub fn page_paths(&self) -> BTreeSet<String> {
        let mut paths: BTreeSet<String> = self.paths().iter().map(|path| without_index(path)).collect();
        paths.insert("search/".to_owned());
        // Which groups the index of terms has is not known before its page is.
        paths.extend(word_index::paths());
        paths
    }

    /// Whose texts stand on a page, by its path in the blog's folder.
    pub fn entry_of(&self, page: &str) -> Option<PageOf> {
        let magazine = self.magazine;
        let issue = magazine.issues.iter().position(|issue| page.starts_with(&issue_path(issue)));
        let post = || magazine.posts.iter().position(|post| page == post_path(post));
        let other = || magazine.pages.iter().position(|other| page == page_path(other));
        issue.map(PageOf::Issue).or_else(|| post().map(PageOf::Post)).or_else(|| other().map(PageOf::Page))
    }

    /// The links that lead nowhere, each with what is wrong with it, to be put at its place. `paths` are all pages and
    /// files of the blog ([`Site::page_paths`] and what else is made); `pages` what the texts of its pages said. A page
    /// whose texts did not speak may have any id.
    pub fn broken_links<'a>(
        &self,
        paths: &BTreeSet<String>,
        pages: &'a [PageLinks],
    ) -> Vec<(&'a PageLinks, &'a Link, Diagnostic)> {
        let judge = Judge::new(self, paths, pages);
        let mut broken = Vec::new();
        for page in pages {
            for link in &page.links {
                if let Some(problem) = judge.problem(page, link) {
                    broken.push((page, link, problem));
                }
            }
        }
        broken
    }
}

struct Judge<'a> {
    paths: &'a BTreeSet<String>,
    /// The ids of the pages that links with an id lead to.
    ids: HashMap<&'a str, HashSet<&'a str>>,
    /// Ids that the templates give, on whatever page.
    of_templates: BTreeSet<&'a str>,
    /// The blog's address, `https://example.jp/magazine`.
    url: &'a str,
    subscribe_url: Option<String>,
}

impl<'a> Judge<'a> {
    fn new(site: &'a Site<'_>, paths: &'a BTreeSet<String>, pages: &'a [PageLinks]) -> Self {
        let url = site.config.blog.url.as_str();
        let mut judge = Judge {
            paths,
            ids: HashMap::new(),
            of_templates: site.theme.ids(),
            url,
            subscribe_url: site.config.subscribe_url(),
        };
        let mut wanted: HashSet<String> = HashSet::new();
        for page in pages {
            for link in page.links.iter().filter(|link| !link.anchor.is_empty()) {
                wanted.extend(judge.path(page, link).map(|path| path.into_owned()));
            }
        }
        for page in pages.iter().filter(|page| wanted.contains(&page.page)) {
            judge.ids.entry(&page.page).or_default().extend(page.ids.iter().map(String::as_str));
        }
        judge
    }

    /// The path in the blog's folder that a link leads to; none when it leads to another site.
    fn path<'b>(&self, page: &'b PageLinks, link: &'b Link) -> Option<std::borrow::Cow<'b, str>> {
        match &link.to {
            Destination::Here => Some((&page.page).into()),
            Destination::Blog(path) => Some(path.into()),
            Destination::Web(url) => own_path(self.url, url).map(Into::into),
        }
    }

    fn problem(&self, page: &PageLinks, link: &Link) -> Option<Diagnostic> {
        if self.subscribe_url.as_deref() == Some(link.url.as_str()) {
            return None;
        }
        let path = self.path(page, link)?;
        // Servers lead from a folder's name without its slash to the folder.
        let folder = format!("{path}/");
        let there = [path.as_ref(), folder.as_str()].into_iter().find(|path| self.paths.contains(*path));
        let Some(path) = there else {
            let problem = self.diagnostic(link, format!("there is no `/{path}` on the blog"));
            let known: Vec<&str> = self.paths.iter().map(String::as_str).collect();
            let help = match closest(&path, &known) {
                Some(near) => format!("did you mean `/{near}`?"),
                None => "correct the address; one that is not the blog's is written in full, `https://…`"
                    .to_owned(),
            };
            return Some(problem.help(help));
        };
        let anchor = link.anchor.as_str();
        let ids = self.ids.get(path)?;
        if anchor.is_empty() || anchor == "top" || ids.contains(anchor) || self.of_templates.contains(anchor)
        {
            return None;
        }
        let where_to =
            if link.to == Destination::Here { "this page".to_owned() } else { format!("`/{path}`") };
        let problem = self.diagnostic(link, format!("there is no `#{anchor}` on {where_to}"));
        let known: Vec<&str> = ids.iter().copied().collect();
        let help = match closest(anchor, &known) {
            Some(near) => format!("did you mean `#{near}`?"),
            None => format!("give the heading its name: `## … {{#{anchor}}}`"),
        };
        Some(problem.help(help))
    }

    /// A mail that went out cannot be mended, and at the blog's full address others may have pages, too.
    fn diagnostic(&self, link: &Link, message: String) -> Diagnostic {
        let is_sure = link.path.ends_with(".md") && !matches!(link.to, Destination::Web(_));
        let problem = if is_sure {
            Diagnostic::error("broken-link", message)
        } else {
            Diagnostic::warning("broken-link", message)
        };
        problem.label("this link leads nowhere")
    }
}

/// The path in the blog's folder of an address of the web, when it is the blog's own; `blog` is the blog's address.
pub fn own_path(blog: &str, url: &str) -> Option<String> {
    let rest = url.strip_prefix(blog.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| blog_path(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::target;

    #[test]
    fn targets_lead_somewhere() {
        let blog = |path: &str| Destination::Blog(path.into());
        let web = |url: &str| Destination::Web(url.into());
        for (url, expected) in [
            ("#a", Some((Destination::Here, "a"))),
            ("#%E3%81%82:~:text=b", Some((Destination::Here, "あ"))),
            ("/", Some((blog(""), ""))),
            ("/tags/%E6%96%87/index.html?a#b", Some((blog("tags/文/"), "b"))),
            ("../009/か\u{3099}/#b", Some((blog("issues/009/が/"), "b"))),
            ("../009", Some((blog("issues/009"), ""))),
            ("list.pdf", None),
            ("HTTPS://example.jp/?a#b", Some((web("HTTPS://example.jp/?a"), "b"))),
            ("mailto:a@example.jp", None),
            ("javascript:a", None),
        ] {
            let expected = expected.map(|(to, id)| (to, id.to_owned()));
            assert_eq!(leads_to(&target(url, "content/issues/010", "")), expected, "{url}");
        }
    }

    #[test]
    fn the_blogs_own_addresses_are_known() {
        for (url, expected) in [
            ("https://b.jp/m", Some("")),
            ("https://b.jp/m/", Some("")),
            ("https://b.jp/m/tags/a/?b", Some("tags/a/")),
            ("https://b.jp/mag/", None),
            ("https://b.jp/", None),
            ("http://b.jp/m/", None),
        ] {
            assert_eq!(own_path("https://b.jp/m", url).as_deref(), expected, "{url}");
        }
    }
}
