//! What a page says of itself to machines: when it was published, by whom, the picture that stands for it, and the
//! same as linked data (schema.org in JSON-LD).

use serde_json::{Value as Json, json};

use super::html::{Preview, without_controls};
use super::values::{map, optional, text};
use super::{Site, midnight};
use crate::address::{article_path, href, issue_path, page_path, post_path};
use crate::model::{Article, Author, Issue, Page, Post};
use crate::theme::Value;

impl Site<'_> {
    /// What the home page says of itself.
    pub(super) fn about_home(&self) -> Value {
        self.about(None, None, None, vec![self.blog(true)])
    }

    /// What an issue's page says of itself; when it shows the issue's only article, it is that article's.
    pub(super) fn about_issue(&self, issue: &Issue, preview: Option<&Preview>) -> Value {
        let path = issue_path(issue);
        if let [only] = &issue.articles[..]
            && article_path(issue, only) == path
        {
            return self.about_article(issue, only, preview);
        }
        let date = midnight(issue.date, self.config.magazine.timezone);
        let mut publication = self.publication(issue);
        publication["inLanguage"] = json!(self.config.magazine.language);
        publication["publisher"] = self.publisher();
        publication["isPartOf"] = self.blog(false);
        publication["hasPart"] = issue
            .articles
            .iter()
            .map(|article| {
                json!({
                    "@type": "BlogPosting",
                    "@id": self.address(&article_path(issue, article)),
                    "headline": article.title,
                })
            })
            .collect();
        let trail = self.trail(&[self.archive_step(), (volume(issue), path)]);
        self.about(Some(date), None, preview, vec![publication, trail])
    }

    /// What an article's page says of itself.
    pub(super) fn about_article(&self, issue: &Issue, article: &Article, preview: Option<&Preview>) -> Value {
        let path = article_path(issue, article);
        let date = midnight(issue.date, self.config.magazine.timezone);
        let mut posting = self.posting(&path, &article.title, &article.excerpt, &date);
        self.describe(&mut posting, article.author.as_ref(), &article.tags, preview);
        if let Some(corner) = &article.corner {
            posting["articleSection"] = json!(corner);
        }
        posting["isPartOf"] = json!([self.blog(false), self.publication(issue)]);
        let mut steps = vec![self.archive_step(), (volume(issue), issue_path(issue))];
        if path != issue_path(issue) {
            steps.push((article.title.clone(), path));
        }
        let trail = self.trail(&steps);
        self.about(Some(date), article.author.as_ref(), preview, vec![posting, trail])
    }

    /// What a post's page says of itself.
    pub(super) fn about_post(&self, post: &Post, preview: Option<&Preview>) -> Value {
        let path = post_path(post);
        let date = midnight(post.date, self.config.magazine.timezone);
        let mut posting = self.posting(&path, &post.title, &post.excerpt, &date);
        self.describe(&mut posting, post.author.as_ref(), &post.tags, preview);
        posting["isPartOf"] = self.blog(false);
        let trail = self.trail(&[("ブログ".to_owned(), "posts/".to_owned()), (post.title.clone(), path)]);
        self.about(Some(date), post.author.as_ref(), preview, vec![posting, trail])
    }

    /// What another page says of itself.
    pub(super) fn about_page(&self, page: &Page, preview: Option<&Preview>) -> Value {
        let trail = self.trail(&[(page.title.clone(), page_path(page))]);
        self.about(None, None, preview, vec![trail])
    }

    /// What a page says of itself that has nothing to say: every field none.
    pub(super) fn about_nothing() -> Value {
        let names = ["published", "author", "picture", "data"];
        map(names.map(|name| (name, Value::none())))
    }

    fn about(
        &self,
        published: Option<String>,
        author: Option<&Author>,
        preview: Option<&Preview>,
        graph: Vec<Json>,
    ) -> Value {
        let picture = preview.map(|preview| {
            map([
                ("address", text(&self.address(&preview.path))),
                ("width", Value::from(preview.width)),
                ("height", Value::from(preview.height)),
                ("alt", text(&preview.alt)),
            ])
        });
        let data = in_script(&json!({ "@context": "https://schema.org", "@graph": graph }));
        map([
            ("published", optional(published.map(|date| text(&date)))),
            ("author", optional(author.map(|author| text(&author.name)))),
            ("picture", optional(picture)),
            ("data", Value::safe_string(&data)),
        ])
    }

    fn posting(&self, path: &str, title: &str, excerpt: &str, date: &str) -> Json {
        let address = self.address(path);
        let mut posting = json!({
            "@type": "BlogPosting",
            "@id": address,
            "url": address,
            "mainEntityOfPage": address,
            "headline": title,
            "datePublished": date,
            "inLanguage": self.config.magazine.language,
            "publisher": self.publisher(),
        });
        if !excerpt.is_empty() {
            posting["description"] = json!(excerpt);
        }
        posting
    }

    fn describe(
        &self,
        posting: &mut Json,
        author: Option<&Author>,
        tags: &[String],
        preview: Option<&Preview>,
    ) {
        posting["author"] = match author {
            Some(author) => {
                let mut person = json!({ "@type": "Person", "name": author.name });
                if let Some(at) = self.index.author(author) {
                    person["url"] = json!(self.address(&self.index.authors.all[at].path));
                }
                person
            }
            None => self.publisher(),
        };
        if !tags.is_empty() {
            posting["keywords"] = json!(tags);
        }
        if let Some(Preview { path, width, height, .. }) = preview {
            let url = self.address(path);
            posting["image"] =
                json!({ "@type": "ImageObject", "url": url, "width": width, "height": height });
        }
    }

    fn publication(&self, issue: &Issue) -> Json {
        let address = self.address(&issue_path(issue));
        json!({
            "@type": "PublicationIssue",
            "@id": address,
            "url": address,
            "name": volume(issue),
            "issueNumber": issue.label,
            "datePublished": midnight(issue.date, self.config.magazine.timezone),
        })
    }

    fn blog(&self, is_whole: bool) -> Json {
        let address = self.address("");
        let mut blog =
            json!({ "@type": "Blog", "@id": address, "url": address, "name": self.config.magazine.name });
        if is_whole {
            blog["inLanguage"] = json!(self.config.magazine.language);
            blog["publisher"] = self.publisher();
            if !self.config.blog.description.is_empty() {
                blog["description"] = json!(self.config.blog.description);
            }
        }
        blog
    }

    fn publisher(&self) -> Json {
        json!({ "@type": "Organization", "name": self.config.magazine.publisher, "url": self.address("") })
    }

    fn archive_step(&self) -> (String, String) {
        ("バックナンバー".to_owned(), "archive/".to_owned())
    }

    /// The way from the home page to a page, each step with its name and its path.
    fn trail(&self, steps: &[(String, String)]) -> Json {
        let home = (self.config.magazine.name.clone(), String::new());
        let item = |(position, (name, path)): (usize, &(String, String))| json!({ "@type": "ListItem", "position": position + 1, "name": name, "item": self.address(path) });
        let items: Json = std::iter::once(&home).chain(steps).enumerate().map(item).collect();
        json!({ "@type": "BreadcrumbList", "itemListElement": items })
    }

    fn address(&self, path: &str) -> String {
        href(&self.config.blog.url, path)
    }
}

fn volume(issue: &Issue) -> String {
    format!("Vol.{}", issue.label)
}

/// Data as it may stand within `<script>`: no character in it could end the element or begin a comment (HTML 4.12.1.3).
fn in_script(data: &Json) -> String {
    let mut out = String::new();
    for c in without_controls(&data.to_string()).chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_data_ends_its_element() {
        for hostile in
            ["</script><script>alert(1)</script>", "<!--<script>", "&lt;\u{2028}]]>", "a\"\\b\u{1}"]
        {
            let written = in_script(&json!({ "name": hostile }));
            assert!(!written.contains(['<', '>', '&', '\u{2028}']), "{written}");
            let read: Json = serde_json::from_str(&written).expect("it is JSON still");
            assert_eq!(read["name"], hostile);
        }
    }
}
