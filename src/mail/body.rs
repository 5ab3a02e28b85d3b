//! The mail form of an issue: its texts typeset, put together by the template `mail/body.txt`.

use serde::Serialize;

use super::context::{IssueContext, MagazineContext};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::model::{Article, Block, Document, InMail, Inline, Issue, Links, Typesetting};
use crate::source::{IssueTexts, Text};
use crate::theme::{self, Theme};
use crate::typeset::document::{Layout, Manner, document};

/// The mail form of an issue: UTF-8, with a line feed after each line. `footer` is the magazine's standing words. A
/// finished mail's form is as it went out.
///
/// # Errors
/// A template that cannot be rendered.
pub fn body(
    config: &Config,
    issue: &Issue,
    texts: &IssueTexts,
    footer: Option<&Text>,
    theme: &Theme,
) -> Result<String, Box<Diagnostic>> {
    let text = match &texts.sent {
        Some(sent) => sent.body.clone(),
        None => {
            let context = theme::Context::from_serialize(&context(config, issue, texts, footer));
            let context = context.expect("the context is of strings, numbers and lists");
            theme
                .render("mail/body.txt", &context, &format!("the mail of issue {}", issue.label))?
                .replace("\r\n", "\n")
        }
    };
    Ok(format!("{}\n", text.trim_end_matches('\n')))
}

/// What the template knows; `docs/templates.md` describes it.
#[derive(Debug, Serialize)]
struct Context<'a> {
    magazine: MagazineContext<'a>,
    issue: IssueContext<'a>,
    /// The measure in columns.
    width: usize,
    contents: bool,
    opening: Option<String>,
    articles: Vec<ArticleContext<'a>>,
    footer: Option<String>,
}

#[derive(Debug, Serialize)]
struct ArticleContext<'a> {
    title: &'a str,
    letterspace: bool,
    corner: Option<&'a str>,
    author: Option<&'a str>,
    tags: &'a [String],
    /// The typeset text with the author's name run in.
    text: String,
    /// Whether the text is but the first paragraph.
    is_summary: bool,
    /// The article on the blog.
    url: String,
}

fn context<'a>(
    config: &'a Config,
    issue: &'a Issue,
    texts: &IssueTexts,
    footer: Option<&Text>,
) -> Context<'a> {
    let contents = issue.contents.unwrap_or(config.mail.contents);
    let articles =
        issue.articles.iter().zip(&texts.articles).filter(|(article, _)| article.in_mail != InMail::Omit);
    let issue = IssueContext::new(config, issue);
    Context {
        magazine: MagazineContext::new(config),
        width: config.mail.typesetting.width,
        contents,
        opening: texts.opening.as_ref().map(|opening| in_full(config, opening, Layout::Open)),
        articles: articles
            .map(|(article, text)| article_context(config, article, text, &issue.url))
            .collect(),
        footer: footer.map(|footer| in_full(config, footer, Layout::Compact)),
        issue,
    }
}

/// Words of the magazine itself, set as `[mail]` says.
fn in_full(config: &Config, text: &Text, layout: Layout) -> String {
    let address = |url: &str| full_address(url, &config.blog.url, &text.source.path);
    let manner = manner(config, config.mail.typesetting, &address);
    // Standing words have no end at which anybody would look for notes.
    let links = if layout == Layout::Compact { Links::Line } else { manner.links };
    document(&text.document, &Manner { layout, links, ..manner }, None).text()
}

fn article_context<'a>(
    config: &Config,
    article: &'a Article,
    text: &Text,
    issue_url: &str,
) -> ArticleContext<'a> {
    let address = |url: &str| full_address(url, &config.blog.url, &text.source.path);
    let manner = manner(config, article.typesetting, &address);
    let run_in = article.author.as_ref().map(|author| format!("({})", author.name));
    let is_summary = article.in_mail == InMail::Summary;
    let summary = is_summary.then(|| first_paragraph(&text.document));
    let shown = summary.as_ref().unwrap_or(&text.document);
    ArticleContext {
        title: &article.title,
        letterspace: article.letterspace,
        corner: article.corner.as_deref(),
        author: article.author.as_ref().map(|author| author.name.as_str()),
        tags: &article.tags,
        text: document(shown, &manner, run_in.as_deref()).text(),
        is_summary,
        url: format!("{issue_url}{}/", article.slug),
    }
}

fn manner<'a>(config: &Config, typesetting: Typesetting, address: &'a dyn Fn(&str) -> String) -> Manner<'a> {
    Manner {
        typesetting,
        emphasis: config.mail.emphasis,
        links: config.mail.links,
        tables: config.mail.tables,
        layout: Layout::Open,
        address,
    }
}

/// What the mail carries of an article whose rest is on the blog. Its footnotes are there, too.
fn first_paragraph(document: &Document) -> Document {
    let is_picture = |inline: &Inline| matches!(inline, Inline::Image { .. } | Inline::HardBreak);
    let has_words =
        |block: &&Block| matches!(block, Block::Paragraph(content) if !content.iter().all(is_picture));
    let first = document.blocks.iter().find(has_words);
    Document { blocks: first.into_iter().cloned().collect(), footnotes: Vec::new() }
}

/// The full address of what the text at `path` names: as it is, from the blog's root, or from the folder on the blog
/// that the text's folder becomes; nothing leads out of it.
fn full_address(url: &str, root: &str, path: &str) -> String {
    let has_scheme = url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme || url.starts_with("//") {
        return url.to_owned();
    }
    if let Some(path) = url.strip_prefix('/') {
        return format!("{root}/{path}");
    }
    let mut folder = path.strip_prefix("content").unwrap_or(path);
    folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut rest = url;
    loop {
        if let Some(below) = rest.strip_prefix("./") {
            rest = below;
        } else if let Some(above) = rest.strip_prefix("../") {
            rest = above;
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        } else {
            return format!("{root}{folder}/{rest}");
        }
    }
}
