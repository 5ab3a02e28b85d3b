//! `mailmag new`: an issue, an article or a post, with the next number and date filled in.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{Datelike, Days, NaiveDate};

use super::console::Console;
use super::{Outcome, open, today};
use crate::config::is_address_part;
use crate::model::{Issue, Magazine};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// An issue with the next number and the next date
    Issue {
        /// The day of publication, such as 2010-05-14; else the day the last issue promised
        #[arg(long)]
        date: Option<NaiveDate>,
    },
    /// An article of an issue, behind those that are there
    Article {
        /// The title
        title: String,
        /// The issue's number; else the newest
        #[arg(long, value_name = "NUMBER")]
        issue: Option<u32>,
        /// The author's key in mailmag.toml
        #[arg(long, value_name = "KEY")]
        author: Option<String>,
        /// The corner it stands under
        #[arg(long)]
        corner: Option<String>,
        /// The last part of its address
        #[arg(long)]
        slug: Option<String>,
    },
    /// An article of the blog alone
    Post {
        /// The title
        title: String,
        /// The author's key in mailmag.toml
        #[arg(long, value_name = "KEY")]
        author: Option<String>,
        /// The last part of its address
        #[arg(long)]
        slug: Option<String>,
    },
}

pub(super) fn run(directory: &Path, arguments: Arguments, console: &Console) -> Result<Outcome> {
    let (content, problems) = open(directory)?;
    let Some(content) = content else { return Ok(console.problems(&problems)) };
    let today = today(content.config.magazine.timezone);
    if let What::Article { author: Some(key), .. } | What::Post { author: Some(key), .. } = &arguments.what
        && content.config.author(key).is_none()
    {
        let known: Vec<&str> = content.config.authors.keys().map(String::as_str).collect();
        bail!("mailmag.toml has no author `{key}`; it has {}", known.join(", "));
    }
    if let What::Article { title, slug, .. } | What::Post { title, slug, .. } = &arguments.what {
        if title.trim().is_empty() || title.chars().any(char::is_control) {
            bail!("a title is one line of words");
        }
        if let Some(slug) = slug.as_ref().filter(|slug| !is_address_part(slug)) {
            bail!("`{slug}` cannot be part of an address: use small Latin letters, digits and `-`");
        }
    }
    let (path, text) = match arguments.what {
        What::Issue { date } => issue(&content.magazine, date, today),
        What::Article { title, issue, author, corner, slug } => {
            let label = match issue {
                Some(number) => match content.magazine.issues.iter().find(|issue| issue.number == number) {
                    Some(issue) => issue.label.clone(),
                    None => bail!("there is no issue {number}; `mailmag new issue` begins one"),
                },
                None => match content.magazine.issues.last() {
                    Some(issue) => issue.label.clone(),
                    None => bail!("there is no issue yet; `mailmag new issue` begins one"),
                },
            };
            let folder = directory.join("content/issues").join(&label);
            if !folder.is_dir() {
                bail!("issue {label} is a single file: add `# {title}` to it in your editor");
            }
            let slug = slug.unwrap_or_else(|| slug_of(&title, "article"));
            let order = next_order(&folder)?;
            let front_matter = front_matter(&title, author, corner, None);
            (format!("content/issues/{label}/{order:02}-{slug}.md"), front_matter)
        }
        What::Post { title, author, slug } => {
            let slug = slug.unwrap_or_else(|| slug_of(&title, "post"));
            (format!("content/posts/{today}-{slug}.md"), front_matter(&title, author, None, Some(today)))
        }
    };
    write_new(&directory.join(&path), &text)?;
    console.data(format!("{path}\n").as_bytes())?;
    Ok(Outcome::Well)
}

fn issue(magazine: &Magazine, date: Option<NaiveDate>, today: NaiveDate) -> (String, String) {
    let last = magazine.issues.last();
    let number = last.map_or(1, |issue| issue.number.saturating_add(1));
    let digits = last.map_or(3, |issue| issue.label.len());
    let (due, next) = next_dates(&magazine.issues, today);
    let date = date.unwrap_or(due);
    let path = format!("content/issues/{number:0digits$}/index.md");
    let next_date = match next {
        Some(days) => date
            .checked_add_days(Days::new(days))
            .map_or(String::new(), |next| format!("next-date = {next}\n")),
        None => String::new(),
    };
    (path, format!("+++\ndate = {date}\n{next_date}+++\n"))
}

/// The longest rhythm that is taken for one, in days.
const LONGEST: u64 = 366;

/// When the next issue is due, and how many days lie between issues.
fn next_dates(issues: &[Issue], today: NaiveDate) -> (NaiveDate, Option<u64>) {
    let rhythm = match issues {
        [.., before, last] => u64::try_from((last.date - before.date).num_days())
            .ok()
            .filter(|days| (1..=LONGEST).contains(days)),
        _ => None,
    };
    let rhythm = rhythm.unwrap_or(14);
    let Some(last) = issues.last() else { return (today, Some(rhythm)) };
    let due = last.next_date.or_else(|| last.date.checked_add_days(Days::new(rhythm))).unwrap_or(today);
    // Dates have years of four digits.
    let due = if due.year() > 9998 { today } else { due };
    (due, Some(rhythm))
}

fn front_matter(
    title: &str,
    author: Option<String>,
    corner: Option<String>,
    date: Option<NaiveDate>,
) -> String {
    let mut text = format!("+++\ntitle = {}\n", quoted(title));
    if let Some(date) = date {
        text += &format!("date = {date}\n");
    }
    for (key, value) in [("author", author), ("corner", corner)] {
        if let Some(value) = value {
            text += &format!("{key} = {}\n", quoted(&value));
        }
    }
    text + "+++\n\n"
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// An address from a title's Latin words: never a transliteration of its Japanese ones.
fn slug_of(title: &str, otherwise: &str) -> String {
    let words: Vec<String> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { otherwise.to_owned() } else { words.join("-") }
}

/// The number in front of the next article's name: one more than the greatest that is there.
fn next_order(folder: &Path) -> Result<u32> {
    let mut greatest = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        greatest = greatest.max(digits.parse().unwrap_or(0));
    }
    Ok(greatest + 1)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            anyhow::anyhow!(
                "{} is there already: nothing was written (`--slug` names another)",
                path.display()
            )
        } else {
            anyhow::Error::new(error).context(format!("cannot write {}", path.display()))
        }
    })?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn addresses_come_from_latin_words_alone() {
        for (title, expected) in [
            ("KVMへの移行とvirt-v2v", "kvm-virt-v2v"),
            ("文字化けの話", "article"),
            ("Hello, World!", "hello-world"),
        ] {
            assert_eq!(slug_of(title, "article"), expected);
        }
    }

    #[test]
    fn no_date_has_a_year_of_five_digits() {
        let issue_of = |number: u32, date: &str| Issue {
            number,
            label: number.to_string(),
            date: day(date),
            next_date: None,
            subject: None,
            contents: None,
            tags: Vec::new(),
            aliases: Vec::new(),
            draft: false,
            articles: Vec::new(),
            attachments: Vec::new(),
            finished: false,
        };
        let issues = [issue_of(1, "2026-11-20"), issue_of(2, "9999-12-31")];
        assert_eq!(next_dates(&issues, day("2026-11-25")), (day("2026-11-25"), Some(14)));
    }

    #[test]
    fn the_first_issue_is_due_today() {
        let (path, text) = issue(&Magazine::default(), None, day("2026-11-24"));
        assert_eq!(path, "content/issues/001/index.md");
        assert_eq!(text, "+++\ndate = 2026-11-24\nnext-date = 2026-12-08\n+++\n");
    }

    #[test]
    fn titles_with_quotes_stay_toml() {
        let text = front_matter("「\"引用\"」\\の話", Some("ouchi".into()), None, None);
        let toml: toml::Table = text.trim_matches(['+', '\n']).parse().expect("it is TOML");
        assert_eq!(toml["title"].as_str(), Some("「\"引用\"」\\の話"));
        assert_eq!(toml["author"].as_str(), Some("ouchi"));
    }
}
