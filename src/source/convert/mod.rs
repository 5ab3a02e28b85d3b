//! A finished mail as the files its editor would write for it today: Markdown that typesets to the same lines.
//!
//! Each paragraph is held against the lines it came from. One that no setting gives its lines back becomes a code
//! block, so that the lines stay as they were.

mod escape;
mod fit;
mod footer;

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::Datelike;

use super::finished::{Byline, Finished, FinishedArticle, Piece, import_name, regrouped, slugs};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::model::{Author, HangingPunctuation, LineBreak, Typesetting, name_of};
use fit::{Original, best_typesetting};

/// The files of an issue, each with its path from the magazine's root. `content/footer.md` is among them unless
/// the magazine has one.
pub fn convert(
    finished: &Finished,
    config: &Config,
    has_footer: bool,
) -> Result<Vec<(String, String)>, Box<Diagnostic>> {
    let folder = format!("content/issues/{}", import_name(finished)?);
    // A promise in other words than the mail's template stays in the text.
    let promise = finished.promise.clone().filter(|line| !is_usual_promise(finished, config, line.clone()));
    let mut files = vec![(format!("{folder}/index.md"), index(finished, config))];
    let manuscripts: Vec<Manuscript<'_>> = finished
        .articles
        .iter()
        .enumerate()
        .map(|(place, article)| {
            let is_last = place + 1 == finished.articles.len();
            let promise = promise.clone().filter(|_| is_last);
            Manuscript::of(&finished.source.text, article, promise, config)
        })
        .collect();
    let common = common_typesettings(&manuscripts, config);
    // The articles keep the addresses that they have as parts of a finished mail.
    for (place, (manuscript, slug)) in manuscripts.iter().zip(slugs(&finished.articles)).enumerate() {
        let order = format!("{:02}", place + 1);
        let name = if slug == order { order } else { format!("{order}-{slug}") };
        files.push((format!("{folder}/{name}.md"), manuscript.markdown(&common, config)));
    }
    if let Some(footer) = finished.footer.as_ref().filter(|_| !has_footer) {
        let typesetting = config.mail.typesetting;
        files.push((
            "content/footer.md".to_owned(),
            footer::markdown(&finished.source.text, footer, typesetting),
        ));
    }
    Ok(files)
}

fn index(finished: &Finished, config: &Config) -> String {
    let mut front = String::from("+++\n");
    if let Some(date) = finished.date {
        front.push_str(&format!("date = {date}\n"));
    }
    let usual = finished.promise.clone().is_some_and(|line| is_usual_promise(finished, config, line));
    if let Some(date) = finished.next_date.filter(|_| usual) {
        front.push_str(&format!("next-date = {date}\n"));
    }
    front.push_str("+++\n");
    if let Some(opening) = &finished.opening {
        let lines: Vec<(Range<usize>, bool)> = opening.pieces.iter().flat_map(Piece::parted_lines).collect();
        let pieces = regrouped(&finished.source.text, &lines, config.mail.typesetting.width);
        let original = Original { text: &finished.source.text, pieces: &pieces, run_in: None };
        front.push_str(&format!("\n{}\n", original.markdown(config.mail.typesetting)));
    }
    front
}

/// Whether a line is the one that the mail's template makes of `next-date`.
fn is_usual_promise(finished: &Finished, config: &Config, line: Range<usize>) -> bool {
    finished.next_date.is_some_and(|date| {
        let name = &config.magazine.name;
        let usual = format!("★次回の{name}は{}月{}日を予定しています。", date.month(), date.day());
        finished.source.text[line] == usual
    })
}

/// An article with its lines as they were.
struct Manuscript<'a> {
    text: &'a str,
    article: &'a FinishedArticle,
    pieces: Vec<Piece>,
    /// The author's name with its parentheses, where it is the text's end.
    run_in: Option<&'a str>,
    /// The author as the settings know him.
    known: Option<Author>,
}

impl<'a> Manuscript<'a> {
    fn of(
        text: &'a str,
        article: &'a FinishedArticle,
        promise: Option<Range<usize>>,
        config: &Config,
    ) -> Self {
        let byline = article.author.as_ref().filter(|author| author.plain);
        let mut lines: Vec<(Range<usize>, bool)> =
            article.text.pieces.iter().flat_map(Piece::parted_lines).collect();
        if let Some(byline) = byline {
            put_back(&byline.span, text, &mut lines);
        }
        let ends_with_name =
            |byline: &&Byline| lines.last().is_some_and(|(line, _)| line.end == byline.span.end);
        let last = byline.filter(ends_with_name).filter(|_| promise.is_none());
        lines.extend(promise.map(|promise| (promise, true)));
        Manuscript {
            text,
            article,
            pieces: regrouped(text, &lines, config.mail.typesetting.width),
            run_in: last.map(|byline| &text[byline.span.clone()]),
            known: last.map(|byline| config.author_named(&byline.name)).filter(|author| author.key.is_some()),
        }
    }

    fn original(&self) -> Original<'_> {
        Original { text: self.text, pieces: &self.pieces, run_in: None }
    }

    fn name(&self) -> Option<&str> {
        self.article.author.as_ref().map(|author| author.name.as_str())
    }

    /// How this article's lines were set: as its author's others, unless it fits better by itself.
    fn typesetting(&self, common: &BTreeMap<&str, Typesetting>, usual: Typesetting) -> Typesetting {
        let own = best_typesetting(&[self.original()], usual);
        let fits = |typesetting| self.original().reproduced(typesetting);
        let common = self.name().and_then(|name| common.get(name)).copied();
        common.filter(|common| fits(*common) >= fits(own)).unwrap_or(own)
    }

    fn markdown(&self, common: &BTreeMap<&str, Typesetting>, config: &Config) -> String {
        let usual = config.typesetting_of(self.known.as_ref());
        let typesetting = self.typesetting(common, usual);
        // The template runs the author's name in after the last paragraph; elsewhere it stays in the text.
        let runs_in = self.run_in.is_some_and(|name| self.original().ends_in(name, typesetting));
        let author = self.known.as_ref().filter(|_| runs_in);
        let usual = config.typesetting_of(author);
        // Who is known, but named in the text only, brings no settings of his own unless they are needed.
        let fits = |typesetting| self.original().reproduced(typesetting);
        let is_known = self.name().is_some_and(|name| config.author_named(name).key.is_some());
        let needless = author.is_none() && is_known && fits(usual) >= fits(typesetting);
        let typesetting = if needless { usual } else { typesetting };
        let mut front = String::from("+++\n");
        let mut set = |key: &str, value: String| front.push_str(&format!("{key} = {value}\n"));
        set("title", quoted(&self.article.title));
        if let Some(key) = author.and_then(|author| author.key.as_deref()) {
            set("author", quoted(key));
        }
        if let Some(corner) = &self.article.corner {
            set("corner", quoted(corner));
        }
        if self.article.letterspace {
            set("letterspace", "true".to_owned());
        }
        for (key, value) in differing(typesetting, usual) {
            set(key, value);
        }
        front.push_str("+++\n");
        let run_in = self.run_in.filter(|_| author.is_some());
        let markdown = Original { run_in, ..self.original() }.markdown(typesetting);
        if markdown.is_empty() { front } else { format!("{front}\n{markdown}\n") }
    }
}

/// For each author's name the settings that give most of his articles' lines.
fn common_typesettings<'a>(
    manuscripts: &'a [Manuscript<'_>],
    config: &Config,
) -> BTreeMap<&'a str, Typesetting> {
    let mut originals: BTreeMap<&str, Vec<Original<'_>>> = BTreeMap::new();
    for manuscript in manuscripts {
        if let Some(name) = manuscript.name() {
            originals.entry(name).or_default().push(manuscript.original());
        }
    }
    let best = |(name, originals): (&'a str, Vec<Original<'_>>)| {
        let usual = config.typesetting_of(Some(&config.author_named(name)));
        (name, best_typesetting(&originals, usual))
    };
    originals.into_iter().map(best).collect()
}

/// The author's name, where it was taken out of the last lines.
fn put_back(byline: &Range<usize>, text: &str, lines: &mut Vec<(Range<usize>, bool)>) {
    let above = lines.iter().rposition(|(line, _)| line.start <= byline.start);
    let Some(above) = above else {
        lines.insert(0, (byline.clone(), true));
        return;
    };
    let line = &mut lines[above].0;
    let between = &text[line.end.min(byline.start)..byline.start];
    if between.contains(['\n', '\r']) {
        lines.insert(above + 1, (byline.clone(), false));
    } else {
        line.end = byline.end;
    }
}

/// What front matter has to say, by key, where settings are not the usual ones.
fn differing(typesetting: Typesetting, usual: Typesetting) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    if typesetting.line_break != usual.line_break {
        settings.push(("line-break", quoted(name_of(&LineBreak::NAMES, typesetting.line_break))));
    }
    if typesetting.hanging_punctuation != usual.hanging_punctuation {
        let hanging = quoted(name_of(&HangingPunctuation::NAMES, typesetting.hanging_punctuation));
        settings.push(("hanging-punctuation", hanging));
    }
    if typesetting.hanging_columns != usual.hanging_columns {
        settings.push(("hanging-columns", typesetting.hanging_columns.to_string()));
    }
    settings
}

/// A TOML string.
fn quoted(words: &str) -> String {
    let mut string = String::with_capacity(words.len() + 2);
    string.push('"');
    for letter in words.chars() {
        match letter {
            '"' | '\\' => {
                string.push('\\');
                string.push(letter);
            }
            _ if letter.is_control() => string.push_str(&format!("\\u{:04X}", letter as u32)),
            _ => string.push(letter),
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests;
