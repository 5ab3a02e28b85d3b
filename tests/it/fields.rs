//! What is each reader's own in a mail's text: his name, and the address where he leaves.

use chrono::DateTime;
use mailmag::charset::{Charset, decode};
use mailmag::mail::{Contents, Letter, MailForm, Recipient, Stencil, body, in_utf8, letter};
use mailmag::model::{EmailAddress, Field};
use mailmag::source::{self, RawText, Sources};
use mailmag::theme::Theme;

use crate::mails::{check_octets, html_of, text_of};

const LINK: &str = "https://list.example.jp/u/abcdefghijklmnopqrstuvwxyz";

/// The letter of an issue whose text is so.
fn of(text: &str, settings: &str, with_html: bool) -> Letter {
    let toml = format!(
        "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[mail]\nfrom = \"通信 <news@example.jp>\"\n\
         subject = \"通信 第{{{{ issue.number }}}}号\"\n{settings}\n[blog]\nurl = \"https://blog.example.jp\"\n\
         [web]\nurl = \"https://list.example.jp\"\n"
    );
    let raw = |path: &str, text: String| RawText { path: path.to_owned(), octets: text.into_bytes() };
    let issue = format!("+++\ndate = 2026-05-14\n+++\n\n# 題\n\n{text}\n");
    let texts = vec![raw("mailmag.toml", toml), raw("content/issues/1.md", issue)];
    let (content, problems) = source::parse(Sources { texts, ..Sources::default() });
    assert_eq!(problems, []);
    let content = content.unwrap();
    let theme = Theme::new(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let texts = content.issue_sources[0].texts(&mut Vec::new());
    let form = body(&content, 0, &texts, &theme).unwrap();
    assert!(!form.text.contains(|c| matches!(c, '\u{FDD0}'..='\u{FDEF}')));
    let html = MailForm::of_marked(&format!(
        "<p>{}様</p>\n<a href=\"{}\">{}</a>\n",
        Field::Name.marked("読者"),
        Field::Unsubscribe.marked("https://list.example.jp/u/x"),
        "止める".repeat(200),
    ));
    let contents = Contents { text: &form, html: with_html.then_some(&html), attachments: &[] };
    letter(&content.config, &content.magazine.issues[0], "通信 第1号", &contents, None).unwrap()
}

fn message(letter: &Letter, name: Option<&str>) -> Vec<u8> {
    let date = DateTime::parse_from_rfc3339("2026-05-14T09:30:00+09:00").unwrap();
    let address = EmailAddress::parse("taro@example.jp").unwrap();
    let recipient = Recipient {
        address: &address,
        name,
        message_id: "<m.1@example.jp>",
        unsubscribe_url: LINK,
        unsubscribe_mail: "u+abc@example.jp",
    };
    Stencil::new(letter, date).unwrap().message(&recipient, None).unwrap()
}

const TEXT: &str = "[読者](mailmag:name)様\n\n本文です。[配信を止める](mailmag:unsubscribe)\n\n.\n";

#[test]
fn names_are_written_in_every_character_set() {
    let long = "あ".repeat(300);
    let hundred = "あ".repeat(100);
    let names: [(Option<&str>, &str, &str); 10] = [
        (None, "読者", "読者"),
        (Some(""), "読者", "読者"),
        (Some(" \r\n\u{7}"), "読者", "読者"),
        (Some("山田 太郎"), "山田 太郎", "山田 太郎"),
        (Some("ﾔﾏﾀﾞ"), "ヤマダ", "ﾔﾏﾀﾞ"),
        (Some("髙橋〜"), "髙橋～", "髙橋〜"),
        (Some("😀"), "読者", "😀"),
        (Some("A\r\nBcc: b@example.jp"), "ABcc: b@example.jp", "ABcc: b@example.jp"),
        (Some("a\u{FDD1}b<&>\"'="), "ab<&>\"'=", "ab<&>\"'="),
        (Some(&long), &hundred, &hundred),
    ];
    let jis = of(TEXT, "charset = \"iso-2022-jp\"", false);
    let utf8 = of(TEXT, "charset = \"utf-8\"", false);
    let english = of(&format!("{TEXT}\n{}", "All in plain words. ".repeat(40)), "charset = \"utf-8\"", false);
    assert_eq!(jis.charset, Charset::Iso2022Jp);
    for (letter, is_jis) in
        [(&jis, true), (&utf8, false), (&english, false), (&in_utf8(&jis).unwrap(), false)]
    {
        for (name, in_jis, in_utf8) in names {
            let octets = message(letter, name);
            check_octets(&octets);
            let text = text_of(&octets);
            let expected = format!("\n{}様\n", if is_jis { in_jis } else { in_utf8 });
            assert!(text.contains(&expected), "{name:?}: {text}");
            assert!(text.contains(&format!("\n[1] {LINK}\n")), "{text}");
            assert!(!text.contains("samplereader"), "{text}");
            assert_eq!(octets, message(letter, name), "it is the same when it is sent again");
        }
    }
}

#[test]
fn utf_8_says_the_same_words() {
    let subject = "とても長い題名の通信がここにありまして二行にわたるのでございます第1号";
    for settings in ["charset = \"iso-2022-jp\"", "charset = \"auto\""] {
        let mut jis = of(TEXT, settings, false);
        assert_eq!(jis.charset, Charset::Iso2022Jp);
        // The subject that `of` gives is short; this one takes several encoded words.
        let long = mailmag::charset::encode_header(subject, Charset::Iso2022Jp, 9);
        let text = String::from_utf8(jis.octets.clone()).unwrap();
        let short =
            text.split("Subject: ").nth(1).unwrap().split("\r\nMessage-ID").next().unwrap().to_owned();
        let by = long.len() - short.len();
        jis.octets = text.replacen(&short, &long, 1).into_bytes();
        jis.texts[0].body = jis.texts[0].body.start + by..jis.texts[0].body.end + by;
        let utf8 = in_utf8(&jis).unwrap();
        check_octets(&utf8.octets);
        let shown = String::from_utf8(utf8.octets.clone()).unwrap();
        assert!(!shown.to_ascii_lowercase().contains("iso-2022-jp"), "{shown}");
        let (a, b) = (message(&jis, Some("山田")), message(&utf8, Some("山田")));
        assert_eq!(text_of(&a), text_of(&b));
        for name in ["Subject", "From", "List-Id", "To", "Message-ID"] {
            let value = |octets: &[u8]| mailmag::charset::decode_header(&crate::mails::header(octets, name));
            assert_eq!(value(&a), value(&b), "{name}");
        }
        assert!(decode(&b, Some(Charset::Utf8)).is_ok());
    }
}

#[test]
fn a_letter_without_fields_is_the_same_for_all() {
    let letter = of("本文です。", "", false);
    assert_eq!(letter.texts[0].splices, []);
    let text = |name| text_of(&message(&letter, name));
    assert_eq!(text(None), text(Some("山田")));
}

#[test]
fn html_beside_the_text_has_the_fields_too() {
    for settings in ["charset = \"iso-2022-jp\"", "charset = \"utf-8\""] {
        let letter = of(TEXT, settings, true);
        assert_eq!(letter.texts.iter().map(|text| text.is_html).collect::<Vec<_>>(), [false, true]);
        for letter in [&letter, &in_utf8(&letter).unwrap()] {
            let octets = message(letter, Some("<b>山田</b> & \""));
            check_octets(&octets);
            assert!(text_of(&octets).contains("<b>山田</b> & \"様"));
            let html = html_of(&octets);
            assert!(html.starts_with("<p>&lt;b&gt;山田&lt;/b&gt; &amp; &quot;様</p>\n"), "{html}");
            assert!(html.contains(&format!("<a href=\"{LINK}\">止める")), "{html}");
            assert!(html.ends_with("止める</a>\n"), "{html}");
        }
    }
}
