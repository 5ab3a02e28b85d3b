//! The rules that an issue must keep before it is sent: a list of functions.

mod characters;
mod law;
mod lines;
mod links;

use std::borrow::Cow;
use std::sync::Arc;

pub use law::law;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{Article, Issue};
use crate::source::{Content, IssueSource, IssueTexts, Text};
use crate::typeset;

/// What a rule looks at: an issue that is to be typeset, with its texts.
struct Checked<'a> {
    config: &'a Config,
    issue: &'a Issue,
    /// The file of the issue's front matter.
    file: &'a Arc<SourceText>,
    /// All articles as the blog has them.
    whole_articles: &'a [Text],
    /// Whether there are neither articles nor opening words.
    is_bare: bool,
    /// The opening words and the footer, set as `[mail]` says, as far as there are any.
    of_the_magazine: Vec<&'a Text>,
    /// The articles of the mail with what it shows of them.
    articles: Vec<(&'a Article, Cow<'a, Text>)>,
}

/// Every rule, in the order their problems are told.
const RULES: [fn(&Checked<'_>, &mut Vec<Diagnostic>); 5] = [
    has_something_to_say,
    characters::can_be_seen,
    characters::can_be_sent,
    lines::fit,
    lines::urls_stand_apart,
];

/// The problems of one issue's mail form, the issue by its index in the magazine, of its texts as they lie in its files
/// and as they were read. A finished mail is kept as it went
/// out, so nothing is said of it.
pub fn issue(
    content: &Content,
    index: usize,
    (source, texts): (&IssueSource, &IssueTexts),
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if texts.sent.is_none() {
        let issue = &content.magazine.issues[index];
        let checked = Checked {
            config: &content.config,
            issue,
            file: source.first_text(),
            whole_articles: &texts.articles,
            is_bare: source.is_bare() && texts.opening.is_none(),
            of_the_magazine: texts.opening.iter().chain(&content.footer).collect(),
            articles: texts.in_mail(issue).collect(),
        };
        RULES.iter().for_each(|rule| rule(&checked, &mut problems));
        let texts = checked.of_the_magazine.into_iter().chain(&texts.articles);
        texts.for_each(|text| links::lead_somewhere(content, text, &mut problems));
    }
    problems
}

/// The problems of a post or a page.
pub fn blog_text(content: &Content, title: &str, text: &Text) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    characters::can_be_seen_on_the_blog(title, text, &mut problems);
    links::lead_somewhere(content, text, &mut problems);
    problems
}

/// Whether the lines at the head of a mail form, before its first blank line, fit the measure: no name is filled there.
pub fn masthead(config: &Config, body: &str) -> Option<Diagnostic> {
    let width = config.mail.typesetting.width;
    let widest = body.lines().take_while(|line| !line.is_empty()).map(typeset::columns).max()?;
    (widest > width).then(|| {
        Diagnostic::warning("line-too-wide", format!("{widest} columns do not fit a line of {width}"))
            .at(&config.source, place_of(&config.source, &config.magazine.name))
            .label("stands past the margin at the head of the mail")
            .help("set a greater `width`, or an own head in templates/mail/body.txt")
    })
}

/// An issue has an article or at least opening words.
fn has_something_to_say(checked: &Checked<'_>, problems: &mut Vec<Diagnostic>) {
    if checked.is_bare {
        let label = &checked.issue.label;
        problems.push(
            Diagnostic::warning("no-articles", format!("the issue {label} has no article"))
                .in_file(&checked.file.path)
                .help(format!("`mailmag new article TITLE --issue {label}` begins one")),
        );
    }
}

impl Checked<'_> {
    /// Each text that stands in the mail.
    fn texts(&self) -> impl Iterator<Item = &Text> {
        self.of_the_magazine.iter().copied().chain(self.articles.iter().map(|(_, text)| text.as_ref()))
    }
}

/// Where words that a file's settings or heading hold stand in the file; its head where they are written otherwise
/// there.
fn place_of(source: &Arc<SourceText>, words: &str) -> std::ops::Range<usize> {
    source.text.find(words).map_or(0..0, |at| at..at + words.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Format, render};
    use crate::source::{RawText, Sources, parse};

    const SETTINGS: &str = "[magazine]\nname = \"名{name}\"\npublisher = \"社{publisher}\"\n[mail]\n\
        from = \"人{from} <a@example.jp>\"\nsubject = \"件{subject}\"\nwidth = 20\ncharset = \"{charset}\"\n\
        [authors.ito]\nname = \"伊藤{author}\"\n[blog]\nurl = \"https://example.jp\"\n";
    const ISSUE: &str = "+++\ndate = 2026-05-14\n{key}\n+++\n\n前口上{opening}\n\n# 題{title} {author=ito corner=角{corner}}\n\n本文{body}\n";
    const SUMMARY: &str =
        "+++\ntitle = \"要約\"\nmail = \"summary\"\n+++\n\n![絵](a.png)\n\n要約{summary}\n\n続き{rest}\n";
    const OMITTED: &str = "+++\ntitle = \"省略\"\nmail = \"omit\"\n+++\n\n本文{omitted}\n";
    const FOOTER: &str = "# 連絡{heading}\n\n宛先\n: 値{footer}\n";

    /// What stands in braces above.
    const PLACES: [&str; 16] = [
        "name",
        "publisher",
        "from",
        "subject",
        "author",
        "key",
        "opening",
        "title",
        "corner",
        "body",
        "summary",
        "rest",
        "omitted",
        "heading",
        "footer",
        "charset",
    ];

    /// What is said of a magazine with `words` at `{place}`, each problem up to its message.
    fn told(charset: &str, place: &str, words: &str) -> Vec<String> {
        let fill = |template: &str| {
            let filled = template.replace("{charset}", charset).replace(&format!("{{{place}}}"), words);
            PLACES.iter().fold(filled, |filled, empty| filled.replace(&format!("{{{empty}}}"), ""))
        };
        let files = [
            ("mailmag.toml", SETTINGS),
            ("content/footer.md", FOOTER),
            ("content/issues/1.md", ISSUE),
            ("content/issues/2/index.md", "+++\ndate = 2026-05-14\n+++\n"),
            ("content/issues/2/01-a.md", SUMMARY),
            ("content/issues/2/02-b.md", OMITTED),
        ];
        let filled = files.map(|(path, text)| (path, fill(text)));
        told_of(&filled.each_ref().map(|(path, text)| (*path, text.as_str())))
    }

    fn told_of(files: &[(&str, &str)]) -> Vec<String> {
        let raw = |(path, text): &(&str, &str)| RawText::new(*path, *text);
        let texts = files.iter().map(raw).collect();
        let (content, problems) = parse(Sources { texts, ..Sources::default() });
        assert_eq!(problems, []);
        let content = content.expect("the settings are good");
        let mut told = Vec::new();
        for (index, source) in content.issue_sources.iter().enumerate() {
            let texts = source.texts(&mut told);
            told.extend(issue(&content, index, (source, &texts)));
        }
        let told = render(&told, Format::Short, false);
        let mut told: Vec<String> =
            told.lines().filter_map(|line| Some(line.rsplitn(2, ": ").last()?.to_owned())).collect();
        told.dedup();
        told
    }

    #[test]
    fn a_character_is_told_at_its_place() {
        for (place, expected) in [
            ("name", "mailmag.toml:2:10"),
            ("publisher", "mailmag.toml:3:15"),
            ("from", "mailmag.toml:5:10"),
            ("subject", "mailmag.toml:6:13"),
            ("author", "mailmag.toml:10:11"),
            ("heading", "content/footer.md:1:5"),
            ("footer", "content/footer.md:4:4"),
            ("opening", "content/issues/1.md:6:4"),
            ("title", "content/issues/1.md:8:4"),
            ("corner", "content/issues/1.md:8:25"),
            ("body", "content/issues/1.md:10:3"),
            ("summary", "content/issues/2/01-a.md:8:3"),
        ] {
            let unsendable = format!("{expected}: error: unsendable-char");
            assert_eq!(told("iso-2022-jp", place, "€"), [unsendable], "{place}");
            let dependent = format!("{expected}: warning: platform-dependent-char");
            assert_eq!(told("auto", place, "①"), [dependent], "{place}");
            assert_eq!(told("auto", place, "€"), [""; 0], "{place}");
            assert_eq!(told("utf-8", place, "①"), [""; 0], "{place}");
        }
        let unsendable = "content/issues/1.md:3:12: error: unsendable-char";
        assert_eq!(told("iso-2022-jp", "key", "subject = \"€\""), [unsendable]);
        for place in ["rest", "omitted"] {
            assert_eq!(told("iso-2022-jp", place, "€"), [""; 0], "{place} is not in the mail");
        }
    }

    #[test]
    fn what_nobody_sees_is_told() {
        for (place, words, expected) in [
            ("body", "\u{7}", "content/issues/1.md:10:3: error: control-character"),
            ("body", "&#7;", "content/issues/1.md:10:3: error: control-character"),
            ("footer", "\u{7}", "content/footer.md:4:4: error: control-character"),
            ("rest", "\u{7}", "content/issues/2/01-a.md:10:3: error: control-character"),
            ("omitted", "\u{7F}", "content/issues/2/02-b.md:6:3: error: control-character"),
            ("body", "\u{FFFD}", "content/issues/1.md:10:3: warning: lost-character"),
        ] {
            let told = told("utf-8", place, words);
            assert!(
                told.iter().all(|told| told == expected) && !told.is_empty(),
                "{words:?} in {place}: {told:?}"
            );
        }
    }

    #[test]
    fn a_blog_text_is_looked_at() {
        let settings = SETTINGS.replace("{charset}", "utf-8");
        let raw = |path: &str, text: &str| RawText::new(path, text);
        for (title, text, expected) in [
            ("題", "本文\u{7}", &["control-character"][..]),
            ("題\\u0007", "本文", &["control-character"]),
            ("題", "[a](none.pdf)", &["missing-file"]),
            ("題", "本文", &[]),
        ] {
            let post = format!("+++\ntitle = \"{title}\"\ndate = 2026-05-14\n+++\n\n{text}\n");
            let texts = vec![raw("mailmag.toml", &settings), raw("content/posts/a.md", &post)];
            let content = parse(Sources { texts, ..Sources::default() }).0.expect("the settings are good");
            let text = content.post_text(0, &mut Vec::new());
            let told = blog_text(&content, &content.magazine.posts[0].title, &text);
            assert_eq!(told.iter().map(|told| told.rule).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_link_leads_somewhere() {
        let missing = "content/issues/1.md:10:7: warning: missing-file";
        for (words, expected) in [
            ("[a](02-b.md)", &[missing][..]),
            ("[a](none.pdf#p)", &[missing]),
            ("[a](../tags/node.js/) [b](#a) [c](/a.pdf) [d](../1/) [e](mailto:a@b.jp) ![f](g.png)", &[]),
            ("[a](../1/index.html)", &[]),
        ] {
            assert_eq!(told("utf-8", "body", words), expected, "{words}");
        }
    }

    #[test]
    fn what_passes_the_margin_is_told() {
        let too_wide = |place: &str| format!("{place}: warning: line-too-wide");
        for (place, words, expected) in [
            ("footer", "https://example.jp/long", "content/footer.md:4:4"),
            ("opening", "https://example.jp/long", "content/issues/1.md:6:4"),
            ("body", "[a](https://example.jp/long)", "content/issues/1.md:10:7"),
            ("body", "<https://example.jp/long>", "content/issues/1.md:10:4"),
            ("body", "\n\n```\nｱｲｳｴｵｶｷｸｹｺｻ\n```", "content/issues/1.md:13:1"),
            ("title", "abcdefghijklmnop", "content/issues/1.md:8:4"),
            ("summary", "https://example.jp/long", "content/issues/2/01-a.md:8:3"),
            ("summary", "&amp;あ&amp;い https://example.jp/long", "content/issues/2/01-a.md:8:16"),
        ] {
            assert_eq!(told("auto", place, words), [too_wide(expected)], "{words} in {place}");
        }
        assert_eq!(told("utf-8", "body", "\n\n```\nｱｲｳｴｵｶｷｸｹｺｻ\n```"), [""; 0]);
        assert_eq!(told("auto", "rest", "https://example.jp/long"), [""; 0]);
    }

    #[test]
    fn an_issue_of_nothing_is_told() {
        for (body, expected) in
            [("", &["content/issues/1/index.md:1:1: warning: no-articles"][..]), ("前口上", &[])]
        {
            let index = format!("+++\ndate = 2026-05-14\n+++\n{body}");
            let settings = SETTINGS.replace("{charset}", "utf-8");
            assert_eq!(
                told_of(&[("mailmag.toml", &settings), ("content/issues/1/index.md", &index)]),
                expected
            );
        }
    }

    #[test]
    fn the_masthead_fits() {
        let source = SourceText::new("mailmag.toml", SETTINGS.replace("{charset}", "auto"));
        let config = crate::config::parse(&source, &mut Vec::new()).expect("the settings are good");
        for (head, expected) in [
            ("┏━━━━━━━━┓\nabcdefghijklmnopqrst\n\nabcdefghijklmnopqrstu\n", None),
            ("┏━━━━━━━━┓\nabcdefghijklmnopqrstu\n\n", Some("21 columns do not fit a line of 20")),
        ] {
            assert_eq!(masthead(&config, head).map(|told| told.message).as_deref(), expected);
        }
    }
}
