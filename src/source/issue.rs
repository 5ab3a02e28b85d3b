//! One issue: what its files say of it, and its texts.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;

use super::article::{self, Part};
use super::attachments::attached_files;
use super::decode::utf8_text;
use super::finished::{self, Envelope};
use super::finished_file::{FinishedFile, finished_message, finished_text};
use super::front_matter::{self, Parts};
use super::read::{RawText, TextFile, read_unread};
use super::settings::{ArticleSettings, aliases};
use super::{IssueTexts, SentMail, Text, markdown};
use crate::charset::Charset;
use crate::config::{Config, Keys};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::hash::{HashMap, HashMapExt};
use crate::model::Issue;

/// The files of one issue, as they lie in `content/issues/`.
pub(super) enum IssueFiles {
    /// `010/index.md` with articles beside it.
    Folder { name: String, texts: Vec<RawText> },
    /// `009.md`, `008.txt` or `007.eml`.
    File { name: String, text: RawText },
}

impl IssueFiles {
    /// The files whose issue is remembered by a key.
    pub(super) fn of(key: &str, mut texts: Vec<RawText>) -> Option<IssueFiles> {
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(folder) = key.strip_suffix('/') {
            return Some(IssueFiles::Folder { name: name(folder), texts });
        }
        let name = key.rsplit_once('.').map_or_else(|| name(key), |(stem, _)| name(stem));
        Some(IssueFiles::File { name, text: texts.pop()? })
    }

    fn texts(&self) -> &[RawText] {
        match self {
            IssueFiles::Folder { texts, .. } => texts,
            IssueFiles::File { text, .. } => std::slice::from_ref(text),
        }
    }
}

/// Where an issue's texts come from.
#[derive(Clone, Debug)]
pub struct IssueSource {
    /// The texts in the order of their paths.
    files: Arc<[TextFile]>,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// An opening, perhaps, and one text for each article that could be read of so many files.
    Folder { opening: Part, articles: Vec<Part>, files: usize },
    /// One Markdown text whose headings begin the articles.
    OneFile(Part),
    /// A finished mail, and the message's octets if it was kept as such.
    Finished { source: Arc<SourceText>, charset: Charset, message: Option<Vec<u8>> },
    /// Texts that are yet to be read, by where they lie.
    Unread { key: String, disks: Vec<PathBuf> },
}

/// Reads what an issue's files say of it. Nothing is returned when there is no telling which issue it is.
pub(super) fn issue(
    files: IssueFiles,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Issue, IssueSource)> {
    let texts: Vec<TextFile> = files.texts().iter().map(RawText::file).collect();
    let (issue, form) = match files {
        IssueFiles::Folder { name, texts } => folder(&name, texts, config, problems),
        IssueFiles::File { name, text } if text.path.ends_with(".md") => {
            one_file(&name, text, config, problems)
        }
        IssueFiles::File { name, text } => finished_mail(&name, text, config, problems),
    }?;
    Some((issue, IssueSource { files: texts.into(), form }))
}

impl IssueSource {
    /// Texts that are yet to be read: the files of the issue that is remembered by `key`, and where they lie.
    pub(super) fn unread(key: &str, (files, disks): (Vec<TextFile>, Vec<PathBuf>)) -> Self {
        IssueSource { files: files.into(), form: Form::Unread { key: key.to_owned(), disks } }
    }

    /// The same with its texts at hand: those that were left unread are read now.
    ///
    /// # Errors
    ///
    /// A text that cannot be read any more, or that says something else by now.
    pub fn read(&self, config: &Config) -> Result<Cow<'_, IssueSource>, Box<Diagnostic>> {
        let Form::Unread { key, disks } = &self.form else { return Ok(Cow::Borrowed(self)) };
        let texts = self.files.iter().zip(disks).map(|(file, disk)| read_unread(file, disk));
        let files = IssueFiles::of(key, texts.collect::<Result<Vec<RawText>, _>>()?);
        let mut problems = Vec::new();
        match files.and_then(|files| issue(files, config, &mut problems)) {
            Some((_, source)) => Ok(Cow::Owned(source)),
            None => Err(Box::new(problems.swap_remove(0))),
        }
    }

    /// The text that tells the issue's number and date; it must be [read](IssueSource::read).
    pub fn first_text(&self) -> &Arc<SourceText> {
        match &self.form {
            Form::Folder { opening, .. } => &opening.source,
            Form::OneFile(part) => &part.source,
            Form::Finished { source, .. } => source,
            Form::Unread { .. } => unreachable!("the texts are read"),
        }
    }

    /// The path of that text.
    pub(super) fn first_path(&self) -> &str {
        let paths = || self.files.iter().map(|file| file.path.as_str());
        paths().find(|path| path.ends_with("/index.md")).or_else(|| paths().next()).unwrap_or_default()
    }

    /// The files that the issue is made of, in the order of their paths.
    pub fn files(&self) -> &[TextFile] {
        &self.files
    }

    pub(super) fn shared_files(&self) -> Arc<[TextFile]> {
        self.files.clone()
    }

    /// Whether the issue is a folder without any article's file.
    pub fn is_bare(&self) -> bool {
        matches!(self.form, Form::Folder { files: 0, .. })
    }

    /// The texts of the issue's articles, opening and finished mail, made anew at each call; they must be
    /// [read](IssueSource::read).
    pub fn texts(&self, problems: &mut Vec<Diagnostic>) -> IssueTexts {
        match &self.form {
            Form::Folder { opening, articles, .. } => {
                let opening = opening.text(problems);
                IssueTexts {
                    opening: (!opening.document.is_empty()).then_some(opening),
                    articles: articles.iter().map(|article| article.text(problems)).collect(),
                    sent: None,
                }
            }
            Form::OneFile(part) => {
                let mut texts = IssueTexts { opening: None, articles: Vec::new(), sent: None };
                for section in markdown::sections(&part.source, part.body.clone(), problems) {
                    let text = Text { source: part.source.clone(), document: section.body };
                    match section.title {
                        Some(_) => texts.articles.push(text),
                        None if text.document.is_empty() => {}
                        None => texts.opening = Some(text),
                    }
                }
                texts
            }
            Form::Finished { source, charset, message } => {
                let finished = finished::finished(source, &Envelope::default());
                let text = |document| Text { source: source.clone(), document };
                let articles =
                    finished.articles.into_iter().map(|article| text(article.text.document)).collect();
                let opening = finished.opening.map(|opening| text(opening.document));
                let sent = SentMail {
                    body: source.text.replace("\r\n", "\n"),
                    message: message.clone(),
                    charset: *charset,
                };
                IssueTexts { opening, articles, sent: Some(sent) }
            }
            Form::Unread { .. } => unreachable!("the texts are read"),
        }
    }
}

fn folder(
    name: &str,
    texts: Vec<RawText>,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Issue, Form)> {
    let (index, articles): (Vec<RawText>, Vec<RawText>) =
        texts.into_iter().partition(|text| text.path.ends_with("/index.md"));
    let files = articles.len();
    let mut metadata = Vec::new();
    let mut parts = Vec::new();
    for text in articles {
        if let Some((article, part)) = article::article(text, config, problems) {
            metadata.push(article);
            parts.push(part);
        }
    }
    let Some(index) = index.into_iter().next() else {
        problems.push(
            Diagnostic::error("missing-index", format!("the issue {name} has no index.md"))
                .in_file(format!("content/issues/{name}"))
                .help(format!("add content/issues/{name}/index.md with its `date`")),
        );
        return None;
    };
    let source = utf8_text(index, problems)?;
    let Parts { front_matter, body } = front_matter::split(&source, problems)?;
    let issue = issue_settings(name, &source, front_matter, problems)?;
    let opening = Part::markdown(source, body);
    let form = Form::Folder { opening, articles: parts, files };
    Some((Issue { articles: metadata, ..issue }, form))
}

fn one_file(
    name: &str,
    text: RawText,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Issue, Form)> {
    let source = utf8_text(text, problems)?;
    let Parts { front_matter, body } = front_matter::split(&source, problems)?;
    let issue = issue_settings(name, &source, front_matter, problems);
    let mut articles = Vec::new();
    let mut titles: HashMap<String, String> = HashMap::new();
    for outline in markdown::outline(&source.text, body.clone()) {
        if let Some(heading) = &outline.title {
            let settings = ArticleSettings::from_heading(heading, &source, config, problems);
            let ordinal = (articles.len() + 1).to_string();
            let span = heading.span.clone();
            let mut article = article::from_settings(settings, outline, ordinal, config);
            if let Some(first) = titles.insert(article.slug.clone(), article.title.clone()) {
                let message = format!("“{first}” has the address `{}` already", article.slug);
                problems.push(
                    Diagnostic::error("address-collision", message)
                        .at(&source, span)
                        .help("give one of the two another one: `# title {#another}`"),
                );
                // So that it is told once, and what else is wrong can be seen.
                article.slug += &format!(".{}", articles.len());
            }
            articles.push(article);
        }
    }
    let issue = issue?;
    if articles.is_empty() {
        problems.push(
            Diagnostic::error("no-articles", format!("the issue {name} has no article"))
                .at(&source, body.start..body.start)
                .help("begin each article with a line `# title`"),
        );
    }
    let part = Part::markdown(source, body);
    Some((Issue { articles, ..issue }, Form::OneFile(part)))
}

fn finished_mail(
    name: &str,
    text: RawText,
    config: &Config,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Issue, Form)> {
    let file = if text.path.ends_with(".eml") {
        finished_message(text.path, text.octets, config.magazine.timezone, problems)?
    } else {
        finished_text(text.path, &text.octets, problems)?
    };
    let FinishedFile { source, charset, message, envelope } = file;
    let finished = finished::finished(&source, &envelope);
    let Some(number) = number_of(name).or(finished.number) else {
        problems.push(
            Diagnostic::error(
                "missing-number",
                "neither the name nor the text of this mail tells its number",
            )
            .at(&source, 0..0)
            .help("name the file by the issue's number, such as 008.txt"),
        );
        return None;
    };
    let Some(issue) = finished::issue(&finished, config, number, &label_of(name, number)) else {
        problems.push(
            Diagnostic::error("missing-date", "this mail does not tell the date of its issue")
                .at(&source, 0..0)
                .help(
                    "write the date into its head as it went out, such as (2010/05/14), or keep it as .eml",
                ),
        );
        return None;
    };
    Some((issue, Form::Finished { source, charset, message }))
}

/// The issue that front matter tells of, without its articles.
fn issue_settings(
    name: &str,
    source: &Arc<SourceText>,
    front_matter: Range<usize>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Issue> {
    let mut keys = Keys::parse(source, front_matter, "the issue's front matter", problems);
    let number = keys.integer("number", NUMBERS, problems).or_else(|| number_of(name));
    let has_date = keys.has("date");
    let date = keys.date("date", problems);
    let next_date = keys.date("next-date", problems);
    let subject = keys.string("subject", problems).map(|subject| subject.value);
    let tags = keys.strings("tags", problems);
    let aliases = aliases(&mut keys, source, problems);
    let draft = keys.boolean("draft", problems).unwrap_or(false);
    let contents = keys.boolean("contents", problems);
    let attachments = attached_files(keys.placed_strings("attachments", problems), source, problems);
    if !has_date {
        keys.report_missing("date", "2010-05-14");
    }
    if number.is_none() {
        keys.report_missing("number", "10");
    }
    keys.finish(problems);
    let (number, date): (u32, NaiveDate) = (number?, date?);
    Some(Issue {
        number,
        label: label_of(name, number),
        date,
        next_date,
        subject,
        contents,
        aliases,
        tags,
        draft,
        articles: Vec::new(),
        attachments,
        finished: false,
    })
}

/// The numbers that issues may have.
const NUMBERS: Range<u32> = 0..10_000_000;

/// The number that a file's or folder's name tells: `010` is 10.
fn number_of(name: &str) -> Option<u32> {
    let plain = name.len() <= 20 && name.bytes().all(|digit| digit.is_ascii_digit());
    name.parse().ok().filter(|number| plain && NUMBERS.contains(number))
}

/// The number as the editor pads it in the name of the issue's file.
fn label_of(name: &str, number: u32) -> String {
    if number_of(name) == Some(number) { name.to_owned() } else { number.to_string() }
}
