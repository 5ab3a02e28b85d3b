//! Old addresses that lead to where something stands now: `aliases` in front matter, `[blog.redirects]` in the settings.

use super::collisions::key;
use super::{Made, Site, text};
use crate::address::{article_path, decode, encode_url, href, issue_path, old_path, page_path, post_path};
use crate::config::Setting;
use crate::diagnostic::{Diagnostic, Place};
use crate::hash::{HashMap, HashSet};
use crate::model::Alias;

/// A page that leads on.
#[derive(Debug)]
pub(super) struct Redirect {
    /// The path of its page in the blog's folder.
    path: String,
    /// Where it leads, for links: from the host's root, or whole.
    url: String,
    /// Where it leads, whole.
    address: String,
}

impl Site<'_> {
    /// A small page that leads on.
    pub(super) fn redirect_path(&self, index: usize) -> &str {
        &self.redirects[index].path
    }

    pub(super) fn redirect(&self, index: usize, made: &mut Made) {
        let redirect = &self.redirects[index];
        let mut context = crate::theme::Context::new();
        context.insert_value("site", self.values.site.clone());
        context.insert_value("url", text(&redirect.url));
        context.insert_value("address", text(&redirect.address));
        match self.theme.render_octets("blog/redirect.html", &context, &format!("/{}", redirect.path)) {
            Ok(bytes) => made.files.push(super::File { path: redirect.path.clone(), bytes }),
            Err(problem) => made.problems.push(*problem),
        }
    }
}

/// All old addresses of a blog that is complete but for them.
pub(super) fn redirects(site: &Site<'_>, problems: &mut Vec<Diagnostic>) -> Vec<Redirect> {
    if !has_any(site) {
        return Vec::new();
    }
    let files = site.paths();
    let mut taken = Taken::default();
    for path in &files {
        taken.add(path, format!("the blog's own /{}", path.trim_end_matches("index.html")));
    }
    let mut redirects = Vec::new();
    let mut add = |alias: &Alias, url: String, address: String, problems: &mut Vec<Diagnostic>| {
        let clash = taken.clash(&alias.path).map(str::to_owned).or_else(|| {
            let is_beside =
                (site.has_file)(&format!("content/{}", alias.path.trim_end_matches("/index.html")));
            is_beside.then(|| format!("the file content/{}", alias.path.trim_end_matches("/index.html")))
        });
        if let Some(first) = clash {
            let message = format!("{first} has the address `{}` already", alias.address);
            let problem = Diagnostic::error("address-collision", message);
            problems.push(
                Diagnostic { place: alias.place.clone(), ..problem }
                    .help("take this old address out, or correct it"),
            );
            return;
        }
        taken.add(&alias.path, format!("another old address, {},", alias.address));
        redirects.push(Redirect { path: alias.path.clone(), url, address });
    };

    let magazine = site.magazine;
    let mut to_page = |aliases: &[Alias], path: &str, problems: &mut Vec<Diagnostic>| {
        for alias in aliases {
            add(alias, href(site.root, path), href(&site.config.blog.url, path), problems);
        }
    };
    for issue in &magazine.issues {
        to_page(&issue.aliases, &issue_path(issue), problems);
        for article in &issue.articles {
            to_page(&article.aliases, &article_path(issue, article), problems);
        }
    }
    magazine.posts.iter().for_each(|post| to_page(&post.aliases, &post_path(post), problems));
    magazine.pages.iter().for_each(|page| to_page(&page.aliases, &page_path(page), problems));

    let places: HashSet<&str> = files.iter().map(String::as_str).collect();
    for (from, to) in &site.config.blog.redirects {
        let Some(alias) = alias(site, from, problems) else { continue };
        if let Some((url, address)) = destination(site, to, &places, problems) {
            add(&alias, url, address, problems);
        }
    }
    redirects
}

/// Whether there is any old address: most magazines have none, and need no list of all that is taken.
fn has_any(site: &Site<'_>) -> bool {
    let magazine = site.magazine;
    !site.config.blog.redirects.is_empty()
        || magazine.issues.iter().any(|issue| {
            !issue.aliases.is_empty() || issue.articles.iter().any(|article| !article.aliases.is_empty())
        })
        || magazine.posts.iter().any(|post| !post.aliases.is_empty())
        || magazine.pages.iter().any(|page| !page.aliases.is_empty())
}

fn alias(site: &Site<'_>, from: &Setting<String>, problems: &mut Vec<Diagnostic>) -> Option<Alias> {
    let source = &site.config.source;
    match old_path(&from.value) {
        Ok(path) => {
            let place = Place::Span(source.clone(), from.span.clone());
            Some(Alias { address: from.value.clone(), path, place })
        }
        Err(why) => {
            problems.push(
                Diagnostic::error("bad-alias", format!("`{}` cannot be an old address: {why}", from.value))
                    .at(source, from.span.clone())
                    .help("write it as it stands behind the blog's own address, such as \"/2010/05/vol10/\""),
            );
            None
        }
    }
}

/// Where a redirect of the settings leads: a page or file of the blog, or a whole address.
fn destination(
    site: &Site<'_>,
    to: &Setting<String>,
    places: &HashSet<&str>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(String, String)> {
    let value = to.value.trim();
    if value.starts_with("https://") || value.starts_with("http://") {
        let address = encode_url(value);
        return Some((address.clone(), address));
    }
    let path_end = value.find(['?', '#']).unwrap_or(value.len());
    let (path, rest) = value.split_at(path_end);
    if let Some(path) = path.strip_prefix('/').filter(|path| !path.starts_with('/')) {
        let path = decode(path);
        let slash = format!("{}/", path.trim_end_matches('/'));
        let folder = if path.is_empty() { "" } else { slash.as_str() };
        let is_page = places.contains(format!("{folder}index.html").as_str());
        let is_file = places.contains(path.as_str()) || (site.has_file)(&format!("content/{path}"));
        if is_page || is_file {
            let path = if is_page { folder } else { &path };
            let rest = encode_url(rest);
            return Some((href(site.root, path) + &rest, href(&site.config.blog.url, path) + &rest));
        }
    }
    problems.push(
        Diagnostic::error("redirect-to-nowhere", format!("the blog has nothing at `{value}`"))
            .at(&site.config.source, to.span.clone())
            .label("this redirect would lead there")
            .help("write a page of the blog such as \"/issues/010/\" (drafts and issues to come have none), or a whole address"),
    );
    None
}

/// The files of the blog and the folders that they need.
#[derive(Default)]
struct Taken {
    files: HashMap<String, String>,
    folders: HashMap<String, String>,
}

impl Taken {
    fn add(&mut self, path: &str, what: String) {
        let path = key(path);
        for (at, _) in path.match_indices('/') {
            self.folders.entry(path[..at].to_owned()).or_insert_with(|| what.clone());
        }
        self.files.entry(path).or_insert(what);
    }

    /// What stands where a file should, or where one of its folders should.
    fn clash(&self, path: &str) -> Option<&str> {
        let path = key(path);
        let above = path.match_indices('/').find_map(|(at, _)| self.files.get(&path[..at]));
        self.files.get(&path).or_else(|| self.folders.get(&path)).or(above).map(String::as_str)
    }
}
