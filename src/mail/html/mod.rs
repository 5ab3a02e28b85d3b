//! The HTML of a mail: the same texts as the mail form, put together by the template `mail/body.html`.

mod document;
mod style;

use serde::Serialize;

use super::body::{MailForm, address_to_leave};
use super::context::{ArticleContext, IssueContext, MagazineContext, run_in};
use crate::address::{href, issue_path};
use crate::diagnostic::Diagnostic;
use crate::model::{Article, Issue};
use crate::picture::{Fault, Picture};
use crate::source::{Content, IssueTexts, Text};
use crate::theme::{self, Theme};
use document::{Place, document};

/// Tells of a picture by its path from the magazine's root.
pub type PictureOf<'a> = dyn Fn(&str) -> Result<Picture, Fault> + 'a;

/// An issue's mail as an HTML document with line feeds at the line ends, the issue by its index in the magazine; none
/// where `[mail] html` does not ask for it, and none beside a finished mail, which stays as it went out. It has the fields
/// of its texts.
///
/// # Errors
/// A template that cannot be rendered.
pub fn html(
    content: &Content,
    index: usize,
    texts: &IssueTexts,
    theme: &Theme,
    subject: &str,
    picture: &PictureOf<'_>,
) -> Result<Option<MailForm>, Box<Diagnostic>> {
    let issue = &content.magazine.issues[index];
    if !content.config.mail.html || texts.sent.is_some() {
        return Ok(None);
    }
    let context = Mail { content, issue, theme, picture }.context(texts, subject);
    let context = theme::Context::from_serialize(&context).expect("it is of strings, numbers and lists");
    let what = format!("the mail of issue {}", issue.label);
    let html = theme.render("mail/body.html", &context, &what)?;
    Ok(Some(MailForm::of_marked(&html.replace("\r\n", "\n"))))
}

/// What the template knows; `docs/templates.md` describes it.
#[derive(Debug, Serialize)]
struct Context<'a> {
    magazine: MagazineContext,
    issue: IssueContext<'a>,
    /// The language's tag.
    language: &'a str,
    subject: &'a str,
    contents: bool,
    opening: Option<String>,
    articles: Vec<HtmlContext<'a>>,
    footer: Option<String>,
}

#[derive(Debug, Serialize)]
struct HtmlContext<'a> {
    #[serde(flatten)]
    article: ArticleContext<'a>,
    /// The elements of the text, the author's name run in.
    html: String,
}

/// What the texts of a mail are made HTML with.
struct Mail<'a> {
    content: &'a Content,
    issue: &'a Issue,
    theme: &'a Theme,
    picture: &'a PictureOf<'a>,
}

impl<'a> Mail<'a> {
    fn context(&self, texts: &IssueTexts, subject: &'a str) -> Context<'a> {
        let (config, issue) = (&self.content.config, self.issue);
        let page = href(&config.blog.url, &issue_path(issue));
        Context {
            magazine: MagazineContext::new(config),
            issue: IssueContext::new(config, issue),
            language: &config.magazine.language,
            subject,
            contents: issue.contents.unwrap_or(config.mail.contents),
            opening: texts.opening.as_ref().map(|opening| self.html(opening, &page, 2, None)),
            articles: texts.in_mail(issue).map(|(article, text)| self.article(article, &text)).collect(),
            footer: self.content.footer.as_ref().map(|footer| self.footer(footer)),
        }
    }

    fn article(&self, article: &'a Article, text: &Text) -> HtmlContext<'a> {
        let run_in = run_in(article);
        let article = ArticleContext::new(&self.content.config, self.issue, article);
        HtmlContext { html: self.html(text, &article.address, 3, run_in.as_deref()), article }
    }

    /// The standing words. No page of the blog shows them, so that none has narrower pictures of theirs.
    fn footer(&self, footer: &Text) -> String {
        let picture =
            |path: &str| (self.picture)(path).map(|picture| Picture { narrower: Vec::new(), ..picture });
        let page = href(&self.content.config.blog.url, "");
        Mail { picture: &picture, ..*self }.html(footer, &page, 2, None)
    }

    fn html(&self, text: &Text, page: &str, top: u8, run_in: Option<&str>) -> String {
        let path = &text.source.path;
        let place = Place {
            blog: &self.content.config.blog.url,
            folder: path.rsplit_once('/').map_or("", |(folder, _)| folder),
            page,
            to_leave: &|| address_to_leave(&self.content.config),
            top,
            has_file: &|path| self.content.has_file(path),
            picture: self.picture,
            assets: self.theme.assets(),
        };
        document(&text.document, place, run_in)
    }
}
