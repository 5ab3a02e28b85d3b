//! Letters byte for byte: `tests/letters/NAME.eml` is what becomes of a small issue.

use std::fs;
use std::path::Path;

use chrono::NaiveDate;
use mailmag::charset::Charset;
use mailmag::config::{self, Config};
use mailmag::diagnostic::SourceText;
use mailmag::mail::{Contents, Letter, MailForm, letter};
use mailmag::model::Issue;
use mailmag::source::{Attachment, SentMail};

const SETTINGS: &str = r#"
    [magazine]
    name = "等幅通信"
    publisher = "桁そろえ研究会"
    [mail]
    from = "等幅通信 編集部 <news@tohaba.example>"
    subject = "unused here"
    [blog]
    url = "https://tohaba.example/back"
"#;

const BODY: &str = "┏━━━━┓\n等幅通信\n┗━━━━┛\n\nカナと漢字、〜と−。\n.dot\nFrom here\n";

fn config(settings: &str) -> Config {
    let mut problems = Vec::new();
    let config = config::parse(&SourceText::new("mailmag.toml", settings), &mut problems);
    config.unwrap_or_else(|| panic!("{problems:?}"))
}

fn issue(label: &str) -> Issue {
    Issue {
        number: label.parse().expect("a number"),
        label: label.to_owned(),
        date: NaiveDate::from_ymd_opt(2010, 5, 14).expect("a day"),
        next_date: None,
        subject: None,
        contents: None,
        tags: Vec::new(),
        aliases: Vec::new(),
        draft: false,
        articles: Vec::new(),
        attachments: Vec::new(),
        finished: false,
    }
}

/// A mail form without fields.
fn form(text: &str) -> MailForm {
    MailForm { text: text.to_owned(), fields: Vec::new() }
}

fn sent(charset: Charset, message: Option<&[u8]>) -> SentMail {
    SentMail { body: BODY.to_owned(), message: message.map(<[u8]>::to_vec), charset }
}

#[track_caller]
fn check(name: &str, letter: &Letter) {
    let octets = &letter.octets;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/letters").join(format!("{name}.eml"));
    let expected = fs::read(&path).unwrap_or_default();
    assert!(*octets == expected, "{name}.eml is not\n{}", String::from_utf8_lossy(octets));
    assert!(octets.is_ascii());
    let text = String::from_utf8_lossy(octets);
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
    assert!(text.split("\r\n").all(|line| line.len() <= 998));
    let (head, _) = text.split_once("\r\n\r\n").expect("a blank line after the headers");
    assert!(head.split("\r\n").all(|line| line.len() <= 78), "{head}");
    assert!(head.split([' ', '\r', '\n']).filter(|word| word.starts_with("=?")).all(|word| word.len() <= 75));
}

#[test]
fn an_issue_goes_out_in_iso_2022_jp() {
    let subject = "等幅通信 Vol.010 組版と文字コードの長い話をもう少しだけ続けるための題名 (2010/05/14)";
    let letter = letter(&config(SETTINGS), &issue("010"), subject, &Contents::text(&form(BODY)), None)
        .expect("it can be sent");
    assert_eq!(letter.charset, Charset::Iso2022Jp);
    check("iso-2022-jp", &letter);
}

#[test]
fn a_name_outside_jis_makes_it_utf_8() {
    for name in ["等幅通信 編集部", "name = \"等幅通信\""] {
        let settings = SETTINGS.replace(name, &name.replace("通信", "通信€"));
        let letter = letter(&config(&settings), &issue("010"), "件名", &Contents::text(&form(BODY)), None)
            .expect("it can be sent");
        assert_eq!(letter.charset, Charset::Utf8, "{settings}");
        assert!(!String::from_utf8_lossy(&letter.octets).contains("ISO-2022-JP"));
    }
}

#[test]
fn an_emoji_makes_it_utf_8() {
    let body = format!("{BODY}🍣\n");
    let letter =
        letter(&config(SETTINGS), &issue("011"), "等幅通信 Vol.011", &Contents::text(&form(&body)), None)
            .expect("it can be sent");
    assert_eq!(letter.charset, Charset::Utf8);
    check("utf-8", &letter);
}

#[test]
fn mostly_latin_text_is_quoted_printable() {
    let settings = SETTINGS
        .replace("subject =", "charset = \"utf-8\"\nsubject =")
        .replace("等幅通信 編集部", "Fixed \\\"Pitch\\\" News")
        .replace("等幅通信", "Fixed-Pitch News");
    let body = format!("{}naïve = café \n", "A line of plain words, = and all.\n".repeat(3));
    let letter =
        letter(&config(&settings), &issue("012"), "Fixed-Pitch News 12", &Contents::text(&form(&body)), None)
            .expect("it can be sent");
    check("quoted-printable", &letter);
}

#[test]
fn a_finished_text_keeps_its_character_set() {
    let sent = sent(Charset::ShiftJis, None);
    let letter = letter(
        &config(SETTINGS),
        &issue("008"),
        "等幅通信 Vol.008",
        &Contents::text(&form(BODY)),
        Some(&sent),
    )
    .expect("it was sent");
    assert_eq!(letter.charset, Charset::ShiftJis);
    check("finished-shift-jis", &letter);
}

#[test]
fn a_finished_message_is_as_it_was() {
    let octets = b"Subject: x\nany: thing\n\n\xff\x1b$B";
    let sent = sent(Charset::Iso2022Jp, Some(octets));
    let letter = letter(&config(SETTINGS), &issue("007"), "", &Contents::text(&form(BODY)), Some(&sent))
        .expect("it was sent");
    assert_eq!(letter.octets, octets);
    assert_eq!(letter.digest, "0c2d5c9678e1ce5f3d29dbe3f105a6862df4e8fb96a94961b8f2da01a99132e7");
}

const HTML: &str =
    "<!doctype html>\n<html lang=\"ja\">\n<title>等幅通信</title>\n<p>カナと漢字、〜と−。\n</html>\n";

fn attachments() -> Vec<Attachment> {
    let file = |name: &str, octets: &[u8]| Attachment { name: name.to_owned(), octets: octets.to_vec() };
    vec![file("slides.pdf", &[0xFF; 100]), file("配布資料と桁そろえの練習帳.csv", b"a,b\r\n")]
}

#[test]
fn html_and_files_go_with_the_text() {
    let (config, issue, attachments) = (config(SETTINGS), issue("010"), attachments());
    for (name, html, attachments) in [
        ("alternative", Some(HTML), &[][..]),
        ("attachments", None, &attachments),
        ("alternative-attachments", Some(HTML), &attachments),
    ] {
        let (text, html) = (form(BODY), html.map(form));
        let contents = Contents { text: &text, html: html.as_ref(), attachments };
        let letter = letter(&config, &issue, "等幅通信 Vol.010", &contents, None).expect("it can be sent");
        assert_eq!(letter.charset, Charset::Iso2022Jp);
        check(name, &letter);
    }
}

#[test]
fn what_cannot_be_sent_is_named_at_its_place() {
    let strict = SETTINGS.replace("subject =", "charset = \"iso-2022-jp\"\nsubject =");
    let long = "長".repeat(500);
    let cases: [(&str, &str, &str, &[&str]); 5] = [
        (SETTINGS, "題", "一\u{1b}二\n三\0", &["control-character 3..4", "control-character 11..12"]),
        (&strict, "題", "一\n🍣é\n", &["unsendable-char 4..8", "unsendable-char 8..10"]),
        (&strict, "🍣", "一\n", &["unsendable-char content/issues/010"]),
        (&strict, "題", &format!("一\n{long}\n二"), &["line-too-long 4..1504"]),
        (SETTINGS, "題", &format!("一\n{long}\n二"), &[]),
    ];
    for (settings, subject, body, expected) in cases {
        let problems = letter(&config(settings), &issue("010"), subject, &Contents::text(&form(body)), None)
            .err()
            .unwrap_or_default();
        let found: Vec<String> = problems
            .iter()
            .map(|problem| match &problem.place {
                mailmag::diagnostic::Place::Span(_, span) => format!("{} {span:?}", problem.rule),
                mailmag::diagnostic::Place::Line(path, _) | mailmag::diagnostic::Place::File(path) => {
                    format!("{} {path}", problem.rule)
                }
            })
            .collect();
        assert_eq!(found, expected, "{subject} {body:?}");
    }
}

#[test]
fn a_strict_magazine_spells_out_its_headers_too() {
    let settings = SETTINGS.replace("subject =", "charset-profile = \"strict\"\nsubject =");
    let letter = letter(&config(&settings), &issue("013"), "第①号", &Contents::text(&form(BODY)), None)
        .expect("it can be sent");
    let text = String::from_utf8(letter.octets).expect("it is ASCII");
    let subject = text.lines().find_map(|line| line.strip_prefix("Subject: ")).expect("it has one");
    assert_eq!(mailmag::charset::decode_header(subject.as_bytes()), "第(1)号");
}
