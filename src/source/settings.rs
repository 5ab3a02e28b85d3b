//! An article's settings, whether they stand in front matter or in a heading's attributes.

use std::ops::Range;
use std::sync::Arc;

use super::markdown::{Attribute, Heading};
use crate::address::old_path;
use crate::config::{Config, Keys, TypesettingChange, WIDTHS, closest};
use crate::diagnostic::{Diagnostic, Place, SourceText};
use crate::model::{Alias, Author, HangingPunctuation, InMail, LineBreak, choices, named};

/// What an author said of his article.
#[derive(Clone, Debug, Default)]
pub(super) struct ArticleSettings {
    pub(super) title: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) author: Option<Author>,
    pub(super) corner: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) aliases: Vec<Alias>,
    pub(super) in_mail: InMail,
    pub(super) letterspace: bool,
    pub(super) typesetting: TypesettingChange,
}

/// The keys that heading attributes may have.
const ATTRIBUTES: [&str; 11] = [
    "author",
    "corner",
    "tags",
    "slug",
    "aliases",
    "mail",
    "letterspace",
    "width",
    "line-break",
    "hanging-punctuation",
    "hanging-columns",
];

impl ArticleSettings {
    /// Reads them from front matter.
    pub(super) fn from_keys(
        mut keys: Keys<'_>,
        source: &Arc<SourceText>,
        config: &Config,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let settings = ArticleSettings {
            title: keys.string("title", problems).map(|title| title.value),
            slug: keys
                .string("slug", problems)
                .and_then(|slug| address(slug.value, source, slug.span, problems)),
            author: keys
                .string("author", problems)
                .and_then(|author| known_author(&author.value, source, author.span, config, problems)),
            corner: keys.string("corner", problems).map(|corner| corner.value),
            tags: keys.strings("tags", problems),
            aliases: aliases(&mut keys, source, problems),
            in_mail: keys.one_of("mail", &InMail::NAMES, problems).unwrap_or_default(),
            letterspace: keys.boolean("letterspace", problems).unwrap_or(false),
            typesetting: TypesettingChange::read(&mut keys, problems),
        };
        keys.finish(problems);
        settings
    }

    /// Reads them from the attributes of a one-file issue's heading.
    pub(super) fn from_heading(
        heading: &Heading,
        source: &Arc<SourceText>,
        config: &Config,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut settings = ArticleSettings::default();
        if let Some(id) = &heading.id {
            settings.slug = address(id.clone(), source, heading.span.clone(), problems);
        }
        for Attribute { key, value, span } in &heading.attributes {
            let value = value.as_deref().unwrap_or_default();
            let wrong = |wanted: &str| {
                Diagnostic::error(
                    "wrong-value",
                    format!("`{key}` of this article must be {wanted}, not \"{value}\""),
                )
                .at(source, span.clone())
                .help(format!("write {wanted}"))
            };
            match key.as_str() {
                "author" => settings.author = known_author(value, source, span.clone(), config, problems),
                "corner" => settings.corner = Some(value.to_owned()),
                "tags" => settings.tags = value.split(',').map(|tag| tag.trim().to_owned()).collect(),
                "slug" => settings.slug = address(value.to_owned(), source, span.clone(), problems),
                "aliases" => {
                    let old = value.split(',').map(|old| (old.trim(), span.clone()));
                    settings.aliases =
                        old.filter_map(|(old, span)| alias(old, source, span, problems)).collect();
                }
                "letterspace" => match value {
                    "true" | "" => settings.letterspace = true,
                    "false" => settings.letterspace = false,
                    _ => problems.push(wrong("`true` or `false`")),
                },
                "mail" => match one_of(value, &InMail::NAMES) {
                    Ok(in_mail) => settings.in_mail = in_mail,
                    Err(wanted) => problems.push(wrong(&wanted)),
                },
                "line-break" => match one_of(value, &LineBreak::NAMES) {
                    Ok(line_break) => settings.typesetting.line_break = Some(line_break),
                    Err(wanted) => problems.push(wrong(&wanted)),
                },
                "hanging-punctuation" => match one_of(value, &HangingPunctuation::NAMES) {
                    Ok(hanging) => settings.typesetting.hanging_punctuation = Some(hanging),
                    Err(wanted) => problems.push(wrong(&wanted)),
                },
                "hanging-columns" => match value.parse() {
                    Ok(columns @ 1..=2) => settings.typesetting.hanging_columns = Some(columns),
                    _ => problems.push(wrong("1 or 2")),
                },
                "width" => match value.parse() {
                    Ok(columns) if WIDTHS.contains(&columns) => {
                        settings.typesetting.width = Some(columns as usize);
                    }
                    _ => problems.push(wrong("a measure in columns such as 76")),
                },
                _ => problems.push(unknown_attribute(key, source, span.clone())),
            }
        }
        settings
    }
}

/// The author under a key, or the error that there is none.
pub(super) fn known_author(
    key: &str,
    source: &Arc<SourceText>,
    span: Range<usize>,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> Option<Author> {
    let author = config.author(key);
    if author.is_none() {
        let known: Vec<&str> = config.authors.keys().map(String::as_str).collect();
        let help = match closest(key, &known) {
            Some(close) => format!("did you mean `{close}`?"),
            None if known.is_empty() => format!("add [authors.{key}] with `name = \"…\"` to mailmag.toml"),
            None => format!(
                "the authors are {}; add [authors.{key}] to mailmag.toml for a new one",
                known.join(", ")
            ),
        };
        problems.push(
            Diagnostic::error("unknown-author", format!("mailmag.toml has no author `{key}`"))
                .at(source, span)
                .label("no section of this name under [authors]")
                .help(help),
        );
    }
    author
}

/// The old addresses that front matter names under `aliases`.
pub(super) fn aliases(
    keys: &mut Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Alias> {
    let written = keys.placed_strings("aliases", problems);
    written.into_iter().filter_map(|old| alias(&old.value, source, old.span, problems)).collect()
}

/// An old address, or the error that it cannot be one.
fn alias(
    address: &str,
    source: &Arc<SourceText>,
    span: Range<usize>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Alias> {
    match old_path(address) {
        Ok(path) => {
            Some(Alias { address: address.to_owned(), path, place: Place::Span(source.clone(), span) })
        }
        Err(why) => {
            let message = format!("`{address}` cannot be an old address: {why}");
            problems.push(
                Diagnostic::error("bad-alias", message)
                    .at(source, span)
                    .help("write it as it stands behind the blog's own address, such as \"/2010/05/vol10/\""),
            );
            None
        }
    }
}

/// A word for an address, or the error that it cannot be one.
pub(super) fn address(
    word: String,
    source: &Arc<SourceText>,
    span: Range<usize>,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    let good = !word.is_empty()
        && word.len() <= 120
        && !word.starts_with('.')
        && !word.chars().any(|c| c.is_whitespace() || c.is_control() || "/\\?#%&\"'<>:*|`".contains(c));
    if !good {
        problems.push(
            Diagnostic::error("bad-slug", format!("`{word}` cannot be part of an address"))
                .at(source, span)
                .help("use small Latin letters, digits and `-`, such as \"virt-v2v\""),
        );
        return None;
    }
    Some(word)
}

fn one_of<T: Copy>(value: &str, names: &[(&'static str, T)]) -> Result<T, String> {
    named(names, value).ok_or_else(|| choices(names))
}

fn unknown_attribute(key: &str, source: &Arc<SourceText>, span: Range<usize>) -> Diagnostic {
    let help = match closest(key, &ATTRIBUTES) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("the attributes of an article's heading are {}", ATTRIBUTES.join(", ")),
    };
    Diagnostic::error("unknown-key", format!("unknown attribute `{key}` of this article"))
        .at(source, span)
        .label("nobody reads this")
        .help(help)
}
