//! The mail form of an issue: its texts typeset, put together by the template `mail/body.txt`.

use std::borrow::Cow;

use serde::Serialize;

use super::context::{ArticleContext, IssueContext, MagazineContext, run_in};
use super::message::{SAMPLE_TOKEN, unsubscribe_url};
use crate::address::full_address;
use crate::charset::{self, Charset};
use crate::config::{CharsetChoice, Config};
use crate::diagnostic::Diagnostic;
use crate::model::{Article, Field, FieldAt, Issue, Links, Typesetting, take_fields};
use crate::source::{Content, IssueTexts, Text};
use crate::theme::{self, Theme};
use crate::typeset::document::{Layout, Manner, document};

/// An issue's mail form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailForm {
    /// The typeset text: UTF-8, with a line feed after each line. Where a reader's own words go it has a sample's.
    pub text: String,
    /// Where those stand in it.
    pub fields: Vec<FieldAt>,
}

impl MailForm {
    /// A text whose fields are marked ([`Field::marked`]).
    pub fn of_marked(text: &str) -> Self {
        let (text, fields) = take_fields(text);
        MailForm { text: text.into_owned(), fields }
    }

    /// The text as it is for nobody in particular: the sample's address to leave is the page for all.
    pub fn for_all(&self, config: &Config) -> Cow<'_, str> {
        if self.fields.iter().all(|at| at.field != Field::Unsubscribe) {
            return Cow::Borrowed(&self.text);
        }
        let mut text = String::with_capacity(self.text.len());
        let mut written = 0;
        for FieldAt { range, .. } in self.fields.iter().filter(|at| at.field == Field::Unsubscribe) {
            text.push_str(&self.text[written..range.start]);
            text.push_str(&config.subscribe_page());
            written = range.end;
        }
        text.push_str(&self.text[written..]);
        Cow::Owned(text)
    }
}

/// The mail form of an issue by its index in the magazine. A finished mail's is as it went out, and has no fields.
///
/// # Errors
/// A template that cannot be rendered.
pub fn body(
    content: &Content,
    index: usize,
    texts: &IssueTexts,
    theme: &Theme,
) -> Result<MailForm, Box<Diagnostic>> {
    let issue = &content.magazine.issues[index];
    let MailForm { mut text, mut fields } = match &texts.sent {
        Some(sent) => MailForm { text: sent.body.clone(), fields: Vec::new() },
        None => MailForm::of_marked(&typeset(&content.config, issue, texts, content.footer.as_ref(), theme)?),
    };
    text.truncate(text.trim_end_matches('\n').len());
    fields.retain(|at| at.range.end <= text.len());
    text.push('\n');
    Ok(MailForm { text, fields })
}

/// An issue typeset, its fields marked, with the characters it is sent in: what ISO-2022-JP writes otherwise may be wider, as `(1)` is
/// than `①`.
fn typeset(
    config: &Config,
    issue: &Issue,
    texts: &IssueTexts,
    footer: Option<&Text>,
    theme: &Theme,
) -> Result<String, Box<Diagnostic>> {
    let profile = config.mail.charset_profile;
    let as_written = render(config, issue, texts, footer, theme)?;
    let is_as_sent = matches!(charset::normalise(&as_written, profile), Cow::Borrowed(_));
    if is_as_sent || !goes_out_in_jis(config, &as_written) {
        return Ok(as_written);
    }
    let as_sent = |text: &Text| {
        let mut text = text.clone();
        text.document.change_words(&mut |words| {
            if let Cow::Owned(normal) = charset::normalise(words, profile) {
                *words = normal;
            }
        });
        text
    };
    let texts = IssueTexts {
        opening: texts.opening.as_ref().map(as_sent),
        articles: texts.articles.iter().map(as_sent).collect(),
        sent: None,
    };
    let body = render(config, issue, &texts, footer.map(as_sent).as_ref(), theme)?;
    Ok(charset::normalise(&body, profile).into_owned())
}

fn goes_out_in_jis(config: &Config, body: &str) -> bool {
    match config.mail.charset {
        CharsetChoice::Utf8 => false,
        CharsetChoice::Iso2022Jp => true,
        CharsetChoice::Auto => {
            charset::choose(&take_fields(body).0, config.mail.charset_profile) == Charset::Iso2022Jp
        }
    }
}

fn render(
    config: &Config,
    issue: &Issue,
    texts: &IssueTexts,
    footer: Option<&Text>,
    theme: &Theme,
) -> Result<String, Box<Diagnostic>> {
    let context = context(config, issue, texts, footer);
    let context = theme::Context::from_serialize(&context).expect("it is of strings, numbers and lists");
    let what = format!("the mail of issue {}", issue.label);
    let body = theme.render("mail/body.txt", &context, &what)?;
    Ok(if body.contains('\r') { body.replace("\r\n", "\n") } else { body })
}

/// What the template knows; `docs/templates.md` describes it.
#[derive(Debug, Serialize)]
struct Context<'a> {
    magazine: MagazineContext,
    issue: IssueContext<'a>,
    /// The measure in columns.
    width: usize,
    contents: bool,
    opening: Option<String>,
    articles: Vec<TextContext<'a>>,
    footer: Option<String>,
}

#[derive(Debug, Serialize)]
struct TextContext<'a> {
    #[serde(flatten)]
    article: ArticleContext<'a>,
    /// The typeset text with the author's name run in.
    text: String,
}

fn context<'a>(
    config: &'a Config,
    issue: &'a Issue,
    texts: &IssueTexts,
    footer: Option<&Text>,
) -> Context<'a> {
    let contents = issue.contents.unwrap_or(config.mail.contents);
    Context {
        magazine: MagazineContext::new(config),
        width: config.mail.typesetting.width,
        contents,
        opening: texts.opening.as_ref().map(|opening| in_full(config, opening, Layout::Open)),
        articles: texts
            .in_mail(issue)
            .map(|(article, text)| article_context(config, article, &text, issue))
            .collect(),
        footer: footer.map(|footer| in_full(config, footer, Layout::Compact)),
        issue: IssueContext::new(config, issue),
    }
}

/// Words of the magazine itself, set as `[mail]` says.
fn in_full(config: &Config, text: &Text, layout: Layout) -> String {
    let address = |url: &str| address(config, url, &text.source.path);
    let manner = manner(config, config.mail.typesetting, &address);
    // Standing words have no end at which anybody would look for notes.
    let links = if layout == Layout::Compact { Links::Line } else { manner.links };
    document(&text.document, &Manner { layout, links, ..manner }, None).text()
}

fn article_context<'a>(config: &Config, article: &'a Article, text: &Text, issue: &Issue) -> TextContext<'a> {
    let to = |url: &str| address(config, url, &text.source.path);
    let manner = manner(config, article.typesetting, &to);
    let run_in = run_in(article);
    let article = ArticleContext::new(config, issue, article);
    TextContext { text: document(&text.document, &manner, run_in.as_deref()).text(), article }
}

/// The full address of what a text in a file names by `url`, marked where it is each reader's own.
fn address(config: &Config, url: &str, path: &str) -> String {
    match Field::of_address(url) {
        Some(Some(Field::Unsubscribe)) => address_to_leave(config),
        _ => full_address(&config.blog, url, path),
    }
}

/// The sample reader's address to leave, marked; where no service gives one, the page for all.
pub(super) fn address_to_leave(config: &Config) -> String {
    match &config.web {
        Some(web) => Field::Unsubscribe.marked(&unsubscribe_url(&web.url, SAMPLE_TOKEN)),
        None => config.subscribe_page(),
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

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::config;
    use crate::diagnostic::SourceText;
    use crate::model::{Author, InMail};
    use crate::source;

    const SETTINGS: &str = r#"
        [magazine]
        name = "等幅通信"
        publisher = "桁そろえ研究会"
        [mail]
        from = "news@tohaba.example"
        subject = "unused here"
        width = 40
        [blog]
        url = "https://tohaba.example/back"
    "#;

    fn text(path: &str, markdown: &str) -> Text {
        let source = SourceText::new(path, markdown);
        let document = source::document(&source, 0..markdown.len(), &mut Vec::new()).1;
        Text { source, document }
    }

    fn article(title: &str, in_mail: InMail) -> Article {
        Article {
            title: title.to_owned(),
            slug: "slug".to_owned(),
            author: Some(Author { key: None, name: "水野".to_owned() }),
            corner: Some("道具箱".to_owned()),
            tags: Vec::new(),
            aliases: Vec::new(),
            in_mail,
            letterspace: false,
            typesetting: Typesetting::default().with_width(24),
            excerpt: String::new(),
            minutes: 1,
        }
    }

    fn issue(articles: Vec<Article>) -> Issue {
        Issue {
            number: 10,
            label: "010".to_owned(),
            date: NaiveDate::from_ymd_opt(2010, 5, 14).expect("a day"),
            next_date: None,
            subject: None,
            contents: Some(true),
            tags: Vec::new(),
            aliases: Vec::new(),
            draft: false,
            articles,
            attachments: Vec::new(),
            finished: false,
        }
    }

    /// What the template is given, as JSON.
    fn given(articles: Vec<Article>, texts: IssueTexts, footer: Option<&Text>) -> serde_json::Value {
        let settings = SourceText::new("mailmag.toml", SETTINGS);
        let config = config::parse(&settings, &mut Vec::new()).expect("the settings are good");
        serde_json::to_value(context(&config, &issue(articles), &texts, footer)).expect("it is JSON")
    }

    #[test]
    fn articles_are_in_the_mail_as_they_say() {
        let markdown = "![棚](rack.jpg)\n\n一段落目は長い。[註](/about/)[^1]\n\n二段落目。\n\n[^1]: 脚注。\n";
        let choices = [("全文", InMail::Full), ("要約", InMail::Summary), ("なし", InMail::Omit)];
        let articles: Vec<Article> = choices.iter().map(|(title, choice)| article(title, *choice)).collect();
        let texts = choices.map(|_| text("content/issues/010/01-a.md", markdown)).to_vec();
        let given = given(articles, IssueTexts { opening: None, articles: texts, sent: None }, None);
        let shown = given["articles"].as_array().expect("a list");
        assert_eq!(shown.len(), 2);
        assert_eq!(
            shown[0]["text"],
            "[画像] 棚\nhttps://tohaba.example/back/issues/010/rack.jpg\n\n一段落目は長い。\n註[1][*1]\n\n\
             二段落目。(水野)\n\n[*1] 脚注。\n\n[1] https://tohaba.example/back/about/"
        );
        assert_eq!(
            shown[1]["text"],
            "一段落目は長い。註[1]\n(水野)\n\n[1] https://tohaba.example/back/about/"
        );
        assert_eq!((&shown[0]["is_summary"], &shown[1]["is_summary"]), (&false.into(), &true.into()));
        assert_eq!(shown[1]["address"], "https://tohaba.example/back/issues/010/slug/");
    }

    #[test]
    fn the_magazine_s_own_words_have_its_measure() {
        let opening = text("content/issues/010/index.md", "あいうえおかきくけこさしすせそたちつてとな");
        let footer = text("content/footer.md", "[登録](subscribe/)はこちら。\n");
        let texts = IssueTexts { opening: Some(opening), articles: Vec::new(), sent: None };
        let given = given(Vec::new(), texts, Some(&footer));
        assert_eq!(given["opening"], "あいうえおかきくけこさしすせそたちつてと\nな");
        assert_eq!(given["footer"], "  登録はこちら。\n  https://tohaba.example/back/subscribe/");
        assert_eq!(given["contents"], true);
        assert_eq!(given["issue"]["date"], "2010-05-14");
        assert_eq!(given["issue"]["address"], "https://tohaba.example/back/issues/010/");
    }

    #[test]
    fn the_classic_layout_stands() {
        let settings = SourceText::new("mailmag.toml", SETTINGS);
        let config = config::parse(&settings, &mut Vec::new()).expect("the settings are good");
        let mut first = article("とても長い題名は次の行に続いて行頭がそろう", InMail::Summary);
        first.corner = None;
        let mut second = article("あとがき", InMail::Full);
        second.letterspace = true;
        let mut issue = issue(vec![first, second]);
        issue.next_date = NaiveDate::from_ymd_opt(2010, 5, 6);
        let texts = IssueTexts {
            opening: Some(text("content/issues/010/index.md", "はじめに。")),
            articles: vec![
                text("content/issues/010/01-a.md", "一。\n\n二。"),
                text("content/issues/010/02-b.md", "終。"),
            ],
            sent: None,
        };
        let footer = text("content/footer.md", "連絡先\n: news@tohaba.example");
        let theme = Theme::new(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
        let context = context(&config, &issue, &texts, Some(&footer));
        let context = theme::Context::from_serialize(&context).expect("it is of strings, numbers and lists");
        let mail =
            theme.render("mail/body.txt", &context, "a test").unwrap_or_else(|problem| panic!("{problem:?}"));
        let edge = "━".repeat(18);
        let rule = "-".repeat(40);
        let expected = [
            &format!("┏{edge}┓"),
            "      桁そろえ研究会メールマガジン",
            "    等 幅 通 信 Vol.010 (2010/05/14)",
            &format!("┗{edge}┛"),
            "",
            "■目次",
            "  とても長い題名は次の行に続いて行頭がそ",
            "  ろう",
            "  あとがき",
            "",
            "はじめに。",
            "",
            "■□",
            "□■ とても長い題名は次の行に続いて行頭",
            "     がそろう",
            &rule,
            "一。(水野)",
            "",
            "続きはこちら:",
            "https://tohaba.example/back/issues/010/slug/",
            "",
            "■□ 道具箱",
            "□■ あ と が き",
            &rule,
            "終。(水野)",
            "",
            "★次回の等幅通信は5月6日を予定していま",
            "す。",
            "",
            &rule,
            "  連絡先 : news@tohaba.example",
            &rule,
        ];
        assert_eq!(mail.lines().collect::<Vec<_>>(), expected, "{mail}");
    }
}
