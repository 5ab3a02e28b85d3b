//! What lists and links need to know of a finished mail.

use super::{Finished, FinishedArticle};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::model::{Article, Block, Document, InMail, Issue, Piece};
use crate::source::excerpt::{Excerpt, minutes, visible};

/// The metadata of a finished mail under the label its file's name gives it. `None` where no date is known, in
/// neither the masthead nor the envelope.
pub(in crate::source) fn issue(
    finished: &Finished,
    config: &Config,
    number: u32,
    label: &str,
) -> Option<Issue> {
    let slugs = slugs(&finished.articles);
    let articles = finished.articles.iter().zip(slugs).map(|(article, slug)| {
        let author = article.author.as_ref().map(|author| config.author_named(&author.name));
        let typesetting = config.typesetting_of(author.as_ref());
        Article {
            title: article.title.clone(),
            slug,
            author,
            corner: article.corner.clone(),
            tags: Vec::new(),
            aliases: Vec::new(),
            in_mail: InMail::Full,
            letterspace: article.letterspace,
            typesetting,
            excerpt: excerpt(&article.text.document),
            minutes: minutes(characters(&article.text.document)),
        }
    });
    Some(Issue {
        number,
        label: label.to_owned(),
        date: finished.date?,
        next_date: finished.next_date,
        subject: None,
        contents: None,
        tags: Vec::new(),
        aliases: Vec::new(),
        draft: false,
        articles: articles.collect(),
        attachments: Vec::new(),
        finished: true,
    })
}

/// The name under `content/issues` that a mail is kept at, without its ending: the number as the mail writes it.
pub fn import_name(finished: &Finished) -> Result<String, Box<Diagnostic>> {
    let path = finished.source.path.as_str();
    let Some(label) = finished.label.clone() else {
        return Err(Box::new(
            Diagnostic::error("no-issue-number", "this mail does not say which issue it is")
                .in_file(path)
                .help("say it with `--number 010`"),
        ));
    };
    if finished.date.is_none() {
        return Err(Box::new(
            Diagnostic::error("no-issue-date", "this mail does not say when it was published")
                .in_file(path)
                .help("say it with `--date 2010-05-14`"),
        ));
    }
    Ok(label)
}

/// The last parts of the articles' addresses: the Latin words of a title, else the article's place; each once.
pub(in crate::source) fn slugs(articles: &[FinishedArticle]) -> Vec<String> {
    let mut slugs: Vec<String> = Vec::with_capacity(articles.len());
    let mut taken = std::collections::HashSet::new();
    for (index, article) in articles.iter().enumerate() {
        let place = format!("{:02}", index + 1);
        let words = latin_words(&article.title);
        let slug = words.filter(|words| !taken.contains(words)).unwrap_or(place);
        taken.insert(slug.clone());
        slugs.push(slug);
    }
    slugs
}

/// The Latin words of a title as an address: the longest that begins with a letter, `virt-v2v`.
fn latin_words(title: &str) -> Option<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let mut words: Vec<String> = Vec::new();
    for word in title.split(|letter: char| !is_part(letter)) {
        let word = word.trim_matches('-').to_ascii_lowercase();
        if word.len() >= 2
            && word.starts_with(|letter: char| letter.is_ascii_lowercase())
            && !words.contains(&word)
        {
            words.push(word);
        }
    }
    let mut slug = String::new();
    for word in words {
        if !slug.is_empty() && slug.len() + word.len() > 40 {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(word.chars().take(60));
    }
    (!slug.is_empty()).then_some(slug)
}

/// The first words of a text's paragraphs.
pub(in crate::source) fn excerpt(document: &Document) -> String {
    let mut excerpt = Excerpt::default();
    for block in &document.blocks {
        if let Block::Paragraph(paragraph) = block {
            excerpt.add(paragraph);
        }
    }
    excerpt.into_words()
}

/// How many characters there are to read, white space not counted.
pub(in crate::source) fn characters(document: &Document) -> usize {
    let mut count = 0;
    document.for_each_piece(|piece| {
        count += match piece {
            Piece::Words(text, _) | Piece::Code(text, _) | Piece::Lines(text, _) => visible(text),
            Piece::Address(..) => 0,
        };
    });
    count
}
