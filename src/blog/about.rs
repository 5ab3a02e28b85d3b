//! What a page says of itself to machines: when it was published, by whom, the picture that stands for it, and the
//! same as linked data (schema.org in JSON-LD).

use std::borrow::Cow;

use serde::Serialize;

use super::html::{Preview, without_controls};
use super::values::{map, optional, text};
use super::{Site, midnight};
use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::charset::find_octet;
use crate::model::{Article, Author, Issue, Page, Post};
use crate::theme::Value;

impl Site<'_> {
    /// What the home page says of itself.
    pub(super) fn about_home(&self) -> Value {
        let home = self.address("");
        let description = Some(self.config.blog.description.as_str()).filter(|words| !words.is_empty());
        let language = Some(self.config.magazine.language.as_str());
        let publisher = Some(self.publisher(&home));
        let blog = Blog { description, in_language: language, publisher, ..self.blog(&home) };
        self.about(None, None, None, &[Node::Blog(blog)])
    }

    /// What an issue's page says of itself; when it shows the issue's only article, it is that article's.
    pub(super) fn about_issue(&self, issue: &Issue, preview: Option<&Preview>) -> Value {
        let path = issue_path(issue);
        if let [only] = &issue.articles[..]
            && article_path(issue, only) == path
        {
            return self.about_article(issue, only, preview);
        }
        let (home, address) = (self.address(""), self.address(&path));
        let date = midnight(issue.date, self.config.magazine.timezone);
        let part = |article| Part {
            id: self.address(&article_path(issue, article)),
            kind: "BlogPosting",
            headline: &article.title,
        };
        let name = volume(issue);
        let publication = Publication {
            has_part: Some(issue.articles.iter().map(part).collect()),
            in_language: Some(&self.config.magazine.language),
            is_part_of: Some(self.blog(&home)),
            publisher: Some(self.publisher(&home)),
            ..publication(issue, &address, &name, &date)
        };
        let trail = self.trail(&home, &[(ARCHIVE, self.address("archive/")), (&name, address.clone())]);
        self.about(Some(&date), None, preview, &[Node::Publication(publication), Node::Trail(trail)])
    }

    /// What an article's page says of itself.
    pub(super) fn about_article(&self, issue: &Issue, article: &Article, preview: Option<&Preview>) -> Value {
        let (path, of_issue) = (article_path(issue, article), issue_path(issue));
        let (home, address) = (self.address(""), self.address(&path));
        let (whole, name) = (self.address(&of_issue), volume(issue));
        let date = midnight(issue.date, self.config.magazine.timezone);
        let parts = [Whole::Blog(self.blog(&home)), Whole::Issue(publication(issue, &whole, &name, &date))];
        let posting = Posting {
            article_section: article.corner.as_deref(),
            author: self.author(article.author.as_ref(), &home),
            description: &article.excerpt,
            headline: &article.title,
            image: preview.map(|preview| self.image(preview)),
            is_part_of: PartOf::All(parts.into()),
            keywords: &article.tags,
            ..self.posting(&address, &home, &date)
        };
        let mut steps = vec![(ARCHIVE, self.address("archive/")), (name.as_str(), whole.clone())];
        if path != of_issue {
            steps.push((&article.title, address.clone()));
        }
        let nodes = [Node::Posting(Box::new(posting)), Node::Trail(self.trail(&home, &steps))];
        self.about(Some(&date), article.author.as_ref(), preview, &nodes)
    }

    /// What a post's page says of itself.
    pub(super) fn about_post(&self, post: &Post, preview: Option<&Preview>) -> Value {
        let (home, address) = (self.address(""), self.address(&post_path(post)));
        let date = midnight(post.date, self.config.magazine.timezone);
        let posting = Posting {
            author: self.author(post.author.as_ref(), &home),
            description: &post.excerpt,
            headline: &post.title,
            image: preview.map(|preview| self.image(preview)),
            keywords: &post.tags,
            ..self.posting(&address, &home, &date)
        };
        let steps = [("ブログ", self.address("posts/")), (post.title.as_str(), address.clone())];
        let nodes = [Node::Posting(Box::new(posting)), Node::Trail(self.trail(&home, &steps))];
        self.about(Some(&date), post.author.as_ref(), preview, &nodes)
    }

    /// What another page says of itself.
    pub(super) fn about_page(&self, page: &Page, preview: Option<&Preview>) -> Value {
        let trail = self.trail(&self.address(""), &[(&page.title, self.address(&page_path(page)))]);
        self.about(None, None, preview, &[Node::Trail(trail)])
    }

    /// What a page says of itself that has nothing to say: every field none.
    pub(super) fn about_nothing() -> Value {
        let names = ["published", "author", "picture", "data"];
        map(names.map(|name| (name, Value::none())))
    }

    fn about(
        &self,
        published: Option<&str>,
        author: Option<&Author>,
        preview: Option<&Preview>,
        graph: &[Node<'_>],
    ) -> Value {
        let picture = preview.map(|preview| {
            map([
                ("address", text(&self.address(&preview.path))),
                ("width", Value::from(preview.width)),
                ("height", Value::from(preview.height)),
                ("alt", text(&preview.alt)),
            ])
        });
        let data = in_script(&Data { context: "https://schema.org", graph });
        map([
            ("published", optional(published.map(text))),
            ("author", optional(author.map(|author| text(&author.name)))),
            ("picture", optional(picture)),
            ("data", Value::safe_string(&data)),
        ])
    }

    fn posting<'a>(&'a self, address: &'a str, home: &'a str, date: &'a str) -> Posting<'a> {
        Posting {
            id: address,
            kind: "BlogPosting",
            article_section: None,
            author: self.publisher(home),
            date_published: date,
            description: "",
            headline: "",
            image: None,
            in_language: &self.config.magazine.language,
            is_part_of: PartOf::Blog(self.blog(home)),
            keywords: &[],
            main_entity_of_page: address,
            publisher: self.publisher(home),
            url: address,
        }
    }

    fn author<'a>(&'a self, author: Option<&'a Author>, home: &'a str) -> Agent<'a> {
        let Some(author) = author else { return self.publisher(home) };
        let at = self.index.author(author);
        let url = at.map(|at| self.address(&self.index.authors.all[at].path).into());
        Agent { kind: "Person", name: &author.name, url }
    }

    fn image(&self, Preview { path, width, height, .. }: &Preview) -> Image {
        Image { kind: "ImageObject", height: *height, url: self.address(path), width: *width }
    }

    /// The blog in short.
    fn blog<'a>(&'a self, home: &'a str) -> Blog<'a> {
        Blog {
            id: home,
            kind: "Blog",
            description: None,
            in_language: None,
            name: &self.config.magazine.name,
            publisher: None,
            url: home,
        }
    }

    fn publisher<'a>(&'a self, home: &'a str) -> Agent<'a> {
        Agent { kind: "Organization", name: &self.config.magazine.publisher, url: Some(home.into()) }
    }

    /// The way from the home page to a page, each step with its name and its address.
    fn trail<'a>(&'a self, home: &str, steps: &[(&'a str, String)]) -> Trail<'a> {
        let first = (self.config.magazine.name.as_str(), home.to_owned());
        let item = |(at, (name, item)): (usize, (&'a str, String))| Step {
            kind: "ListItem",
            item,
            name,
            position: at + 1,
        };
        let steps = std::iter::once(first).chain(steps.iter().cloned()).enumerate().map(item);
        Trail { kind: "BreadcrumbList", item_list_element: steps.collect() }
    }

    fn address(&self, path: &str) -> String {
        href(&self.config.blog.url, path)
    }
}

const ARCHIVE: &str = "バックナンバー";

fn volume(issue: &Issue) -> String {
    format!("Vol.{}", issue.label)
}

/// An issue in short.
fn publication<'a>(issue: &'a Issue, address: &'a str, name: &'a str, date: &'a str) -> Publication<'a> {
    Publication {
        id: address,
        kind: "PublicationIssue",
        date_published: date,
        has_part: None,
        in_language: None,
        is_part_of: None,
        issue_number: &issue.label,
        name,
        publisher: None,
        url: address,
    }
}

/// A page's linked data. Here and below, fields stand in the order of their names, and so they are written.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: &'a [Node<'a>],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Node<'a> {
    Blog(Blog<'a>),
    Publication(Publication<'a>),
    Posting(Box<Posting<'a>>),
    Trail(Trail<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Blog<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_language: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Agent<'a>>,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Publication<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    #[serde(rename = "@type")]
    kind: &'static str,
    date_published: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_part: Option<Vec<Part<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_part_of: Option<Blog<'a>>,
    issue_number: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Agent<'a>>,
    url: &'a str,
}

/// An article in short.
#[derive(Serialize)]
struct Part<'a> {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    kind: &'static str,
    headline: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posting<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    article_section: Option<&'a str>,
    author: Agent<'a>,
    date_published: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    headline: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
    in_language: &'a str,
    is_part_of: PartOf<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    keywords: &'a [String],
    main_entity_of_page: &'a str,
    publisher: Agent<'a>,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PartOf<'a> {
    Blog(Blog<'a>),
    All(Vec<Whole<'a>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Whole<'a> {
    Blog(Blog<'a>),
    Issue(Publication<'a>),
}

/// A person or an organization.
#[derive(Serialize)]
struct Agent<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Image {
    #[serde(rename = "@type")]
    kind: &'static str,
    height: u32,
    url: String,
    width: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trail<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    item_list_element: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    item: String,
    name: &'a str,
    position: usize,
}

/// Data as it may stand within `<script>`: no character in it could end the element or begin a comment (HTML 4.12.1.3).
fn in_script(data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).expect("names and texts can be written");
    let data = without_controls(&data);
    let octets = data.as_bytes();
    let mut out = String::with_capacity(data.len());
    let (mut written, mut from) = (0, 0);
    // U+2028 and U+2029 begin with the last of these.
    while let Some(at) = find_octet(octets, from, |octet| matches!(octet, b'<' | b'>' | b'&' | 0xE2)) {
        from = at + 1;
        let (replacement, length) = match octets[at..] {
            [b'<', ..] => ("\\u003c", 1),
            [b'>', ..] => ("\\u003e", 1),
            [b'&', ..] => ("\\u0026", 1),
            [0xE2, 0x80, 0xA8, ..] => ("\\u2028", 3),
            [0xE2, 0x80, 0xA9, ..] => ("\\u2029", 3),
            _ => continue,
        };
        out.push_str(&data[written..at]);
        out.push_str(replacement);
        written = at + length;
    }
    out.push_str(&data[written..]);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn nothing_in_data_ends_its_element() {
        for hostile in
            ["</script><script>alert(1)</script>", "<!--<script>", "&lt;\u{2028}]]>", "a\"\\b\u{1}…\u{2029}"]
        {
            let written = in_script(&json!({ "name": hostile }));
            assert!(!written.contains(['<', '>', '&', '\u{2028}']), "{written}");
            let read: Json = serde_json::from_str(&written).expect("it is JSON still");
            assert_eq!(read["name"], hostile);
        }
    }
}
