//! A single text and what its file says of it: an issue's article, a post, a page.

use std::ops::Range;
use std::sync::Arc;

use super::Text;
use super::decode::{decode_text, utf8_text};
use super::excerpt::minutes;
use super::finished;
use super::front_matter::{self, Parts};
use super::markdown::{self, Heading, Outline};
use super::read::RawText;
use super::settings::{ArticleSettings, address, aliases, known_author};
use crate::config::{Config, Keys};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{Article, Inline, Page, Post, plain};

/// A text's body in its file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) source: Arc<SourceText>,
    pub(super) body: Range<usize>,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Markdown whose first heading is the title.
    Markdown,
    /// Markdown whose title stands elsewhere: all headings are text.
    Untitled,
    Manuscript,
}

impl Part {
    /// A part in Markdown whose first `# heading` is its title.
    pub(super) fn markdown(source: Arc<SourceText>, body: Range<usize>) -> Self {
        Part { source, body, form: Form::Markdown }
    }

    /// A part in Markdown whose headings all belong to its text.
    pub(super) fn untitled(source: Arc<SourceText>, body: Range<usize>) -> Self {
        Part { source, body, form: Form::Untitled }
    }

    /// Markdown whose title may stand in its front matter. A first heading that says the same is not shown twice; one
    /// that says something else is text.
    fn titled(source: Arc<SourceText>, body: Range<usize>, title: Option<&str>, outline: &Outline) -> Self {
        match title {
            Some(title) if title != title_of(outline) => Part::untitled(source, body),
            _ => Part::markdown(source, body),
        }
    }

    /// The part's text, made anew at each call.
    pub(super) fn text(&self, problems: &mut Vec<Diagnostic>) -> Text {
        let document = match self.form {
            Form::Markdown => markdown::document(&self.source, self.body.clone(), problems).1,
            Form::Untitled => markdown::whole(&self.source, self.body.clone(), problems),
            Form::Manuscript => finished::manuscript(&self.source, self.body.clone()),
        };
        Text { source: self.source.clone(), document }
    }
}

/// Reads an article's file in an issue's folder: Markdown, or a manuscript as plain text.
pub(super) fn article(
    text: RawText,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Article, Part)> {
    let path = text.path.clone();
    let (source, form) = if path.ends_with(".md") {
        (utf8_text(text, problems)?, Form::Markdown)
    } else if path.ends_with(".txt") {
        (decode_text(text, problems)?.0, Form::Manuscript)
    } else {
        problems.push(
            Diagnostic::error("not-an-article", "a mail cannot be an article of an issue")
                .in_file(path)
                .help("put it beside the issue's folder as NUMBER.eml, or keep its text as .txt or .md"),
        );
        return None;
    };
    let Parts { front_matter, body } = front_matter::split(&source, problems)?;
    let keys = Keys::parse(&source, front_matter, "the article's front matter", problems);
    let settings = ArticleSettings::from_keys(keys, &source, config, problems);
    let (outline, body) = match form {
        Form::Markdown | Form::Untitled => (markdown::outline_document(&source.text, body.clone()), body),
        Form::Manuscript => manuscript(&source, body, settings.title.is_some()),
    };
    has_title(settings.title.as_deref(), &outline, &source, body.start, problems)?;
    let slug = slug_of(&source, settings.slug.is_some(), problems)?;
    let part = match form {
        Form::Manuscript => Part { source, body, form },
        _ => Part::titled(source, body, settings.title.as_deref(), &outline),
    };
    Some((from_settings(settings, outline, slug, config), part))
}

/// An article of what its author set and what its text is; `slug` where he set none.
pub(super) fn from_settings(
    settings: ArticleSettings,
    outline: Outline,
    slug: String,
    config: &Config,
) -> Article {
    let typesetting = settings.typesetting.apply(config.typesetting_of(settings.author.as_ref()));
    Article {
        title: settings.title.unwrap_or_else(|| title_of(&outline)),
        slug: settings.slug.unwrap_or(slug),
        author: settings.author,
        corner: settings.corner,
        tags: settings.tags,
        aliases: settings.aliases,
        in_mail: settings.in_mail,
        letterspace: settings.letterspace,
        typesetting,
        excerpt: outline.excerpt,
        minutes: minutes(outline.characters),
    }
}

/// Reads a post's file.
pub(super) fn post(text: RawText, config: &Config, problems: &mut Vec<Diagnostic>) -> Option<(Post, Part)> {
    let source = utf8_text(text, problems)?;
    let Parts { front_matter, body } = front_matter::split(&source, problems)?;
    let mut keys = Keys::parse(&source, front_matter, "the post's front matter", problems);
    let title = keys.string("title", problems).map(|title| title.value);
    let has_date = keys.has("date");
    let date = keys.date("date", problems);
    let author = keys
        .string("author", problems)
        .and_then(|author| known_author(&author.value, &source, author.span, config, problems));
    let tags = keys.strings("tags", problems);
    let aliases = aliases(&mut keys, &source, problems);
    let draft = keys.boolean("draft", problems).unwrap_or(false);
    let own_slug =
        keys.string("slug", problems).and_then(|slug| address(slug.value, &source, slug.span, problems));
    if !has_date {
        keys.report_missing("date", "2010-05-14");
    }
    keys.finish(problems);
    let outline = markdown::outline_document(&source.text, body.clone());
    has_title(title.as_deref(), &outline, &source, body.start, problems)?;
    let slug = slug_of(&source, own_slug.is_some(), problems)?;
    let part = Part::titled(source, body, title.as_deref(), &outline);
    let post = Post {
        title: title.unwrap_or_else(|| title_of(&outline)),
        slug: own_slug.unwrap_or(slug),
        date: date?,
        author,
        tags,
        aliases,
        draft,
        excerpt: outline.excerpt,
        minutes: minutes(outline.characters),
    };
    Some((post, part))
}

/// Reads a page's file.
pub(super) fn page(text: RawText, problems: &mut Vec<Diagnostic>) -> Option<(Page, Part)> {
    let source = utf8_text(text, problems)?;
    let Parts { front_matter, body } = front_matter::split(&source, problems)?;
    let mut keys = Keys::parse(&source, front_matter, "the page's front matter", problems);
    let title = keys.string("title", problems).map(|title| title.value);
    let aliases = aliases(&mut keys, &source, problems);
    keys.finish(problems);
    let outline = markdown::outline_document(&source.text, body.clone());
    has_title(title.as_deref(), &outline, &source, body.start, problems)?;
    let slug = slug_of(&source, false, problems)?;
    let part = Part::titled(source, body, title.as_deref(), &outline);
    let title = title.unwrap_or_else(|| title_of(&outline));
    let page = Page { title, slug, aliases, excerpt: outline.excerpt };
    Some((page, part))
}

/// The words of a text's first heading.
fn title_of(outline: &Outline) -> String {
    outline.title.as_ref().map_or(String::new(), |heading| plain(&heading.content))
}

fn has_title(
    title: Option<&str>,
    outline: &Outline,
    source: &Arc<SourceText>,
    at: usize,
    problems: &mut Vec<Diagnostic>,
) -> Option<()> {
    if !title.map_or_else(|| title_of(outline), str::to_owned).trim().is_empty() {
        return Some(());
    }
    // A front matter that is no TOML or does not end has been told; its title is in there.
    if !problems.iter().any(|problem| problem.path() == source.path) {
        problems.push(
            Diagnostic::error("missing-title", "this text has no title")
                .at(source, at..at)
                .help("add `title = \"…\"` to its front matter, or begin it with a line `# title`"),
        );
    }
    None
}

/// The last part of an article's, post's or page's address, from its file's name: `01-storage.md` is at `storage`,
/// for the number in front only puts articles in order; `posts/hello/index.md` is at `hello`.
fn slug_of(source: &Arc<SourceText>, has_own: bool, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let stem = source.path.rsplit_once('.').map_or(source.path.as_str(), |(stem, _)| stem);
    let stem = stem.strip_suffix("/index").unwrap_or(stem);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let mut slug = name;
    // `01-`, and the three numbers of a post's date; `802.11n` is a name.
    while let Some((digits, rest)) = slug.split_once(['-', '_']) {
        if digits.is_empty() || rest.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            break;
        }
        slug = rest;
    }
    if has_own {
        return Some(String::new());
    }
    let slug = address(slug.to_owned(), source, 0..0, &mut Vec::new());
    if slug.is_none() {
        problems.push(
            Diagnostic::error("bad-slug", format!("the file's name `{name}` cannot be part of an address"))
                .in_file(&source.path)
                .help("rename it, or add `slug = \"…\"` to its front matter"),
        );
    }
    slug
}

/// A manuscript's first line is its title, unless its front matter has one.
fn manuscript(source: &Arc<SourceText>, body: Range<usize>, has_title: bool) -> (Outline, Range<usize>) {
    let mut body = body;
    let mut title = None;
    if !has_title {
        let text = &source.text[body.clone()];
        let first = body.start + (text.len() - text.trim_start().len());
        let line_end = source.text[first..body.end].find('\n').map_or(body.end, |length| first + length);
        let line = source.text[first..line_end].trim();
        if !line.is_empty() {
            let content = vec![Inline::Text { text: line.to_owned(), at: first }];
            title = Some(Heading { content, span: first..line_end, ..Heading::default() });
            body.start = (line_end + 1).min(body.end);
        }
    }
    let document = finished::manuscript(source, body.clone());
    let (excerpt, characters) = (finished::excerpt(&document), finished::characters(&document));
    (Outline { title, excerpt, characters }, body)
}
