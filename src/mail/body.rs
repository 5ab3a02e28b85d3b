//! The mail form of an issue: its texts typeset, put together by the template `mail/body.txt`.

use serde::Serialize;

use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::model::{Article, Block, Document, InMail, Inline, Issue, Links, Typesetting};
use crate::source::{IssueTexts, Text};
use crate::theme::Theme;
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
) -> Result<String, Diagnostic> {
    let text = match &texts.sent {
        Some(sent) => sent.body.clone(),
        None => theme.render("mail/body.txt", &context(config, issue, texts, footer))?.replace("\r\n", "\n"),
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
struct MagazineContext<'a> {
    name: &'a str,
    publisher: &'a str,
    url: String,
}

#[derive(Debug, Serialize)]
struct IssueContext<'a> {
    number: u32,
    label: &'a str,
    /// `2010-05-14`.
    date: String,
    next_date: Option<String>,
    tags: Vec<&'a str>,
    url: String,
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

fn context<'a>(config: &'a Config, issue: &'a Issue, texts: &IssueTexts, footer: Option<&Text>) -> Context<'a> {
    let home = format!("{}/", config.blog.url);
    let issue_url = format!("{home}issues/{}/", issue.label);
    let typesetting = config.mail.typesetting;
    let set = |text: &Document, typesetting: Typesetting, run_in: Option<&str>| {
        let address = |url: &str| full_address(url, &config.blog.url, &issue_url);
        document(text, &manner(config, typesetting, &address), run_in).text()
    };
    let articles = issue.articles.iter().zip(&texts.articles).filter(|(article, _)| article.in_mail != InMail::Omit);
    Context {
        magazine: MagazineContext {
            name: &config.magazine.name,
            publisher: &config.magazine.publisher,
            url: home.clone(),
        },
        issue: IssueContext {
            number: issue.number,
            label: &issue.label,
            date: issue.date.to_string(),
            next_date: issue.next_date.map(|date| date.to_string()),
            tags: issue.all_tags(),
            url: issue_url.clone(),
        },
        width: typesetting.width,
        contents: issue.contents.unwrap_or(config.mail.contents),
        opening: texts.opening.as_ref().map(|text| set(&text.document, typesetting, None)),
        articles: articles
            .map(|(article, text)| {
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
                    text: set(shown, article.typesetting, run_in.as_deref()),
                    is_summary,
                    url: format!("{issue_url}{}/", article.slug),
                }
            })
            .collect(),
        footer: footer.map(|footer| {
            let address = |url: &str| full_address(url, &config.blog.url, &home);
            let manner = manner(config, typesetting, &address);
            let manner = Manner { layout: Layout::Compact, links: Links::Line, ..manner };
            document(&footer.document, &manner, None).text()
        }),
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
    let has_words = |block: &&Block| matches!(block, Block::Paragraph(content) if !content.iter().all(is_picture));
    let first = document.blocks.iter().find(has_words);
    Document { blocks: first.into_iter().cloned().collect(), footnotes: Vec::new() }
}

/// The full address of what a text names: as it is, from the blog's root, or from the folder `base`, which ends in a
/// slash (RFC 3986, section 5.2, without `..` beyond the host).
fn full_address(url: &str, root: &str, base: &str) -> String {
    let has_scheme = url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme {
        return url.to_owned();
    }
    if let Some(path) = url.strip_prefix('/') {
        return format!("{root}/{path}");
    }
    let mut folder = base.trim_end_matches('/');
    let mut rest = url;
    loop {
        if let Some(below) = rest.strip_prefix("./") {
            rest = below;
        } else if let Some(above) = rest.strip_prefix("../") {
            rest = above;
            if folder.len() > root.len() {
                folder = folder.rsplit_once('/').map_or(folder, |(parent, _)| parent);
            }
        } else {
            return format!("{folder}/{rest}");
        }
    }
}
