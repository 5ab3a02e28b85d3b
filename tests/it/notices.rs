//! Notices octet for octet: `tests/letters/notice-NAME.eml` is what a reader gets.

mod sending;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use mailmag::charset::Charset;
use mailmag::config::{self, Config};
use mailmag::diagnostic::SourceText;
use mailmag::list::{Nonce, NoticeKind};
use mailmag::mail::{NoticeLinks, NoticeValues, notice};
use mailmag::model::{EmailAddress, Language};
use mailmag::theme::Theme;

const SETTINGS: &str = r#"
    [magazine]
    name = "等幅通信"
    publisher = "桁そろえ研究会"
    [mail]
    from = "等幅通信 編集部 <news@tohaba.example>"
    subject = "unused here"
    [blog]
    url = "https://tohaba.example/back"
    [web]
    url = "https://mail.tohaba.example"
"#;

const KINDS: [NoticeKind; 7] = [
    NoticeKind::Confirm,
    NoticeKind::AlreadySubscribed,
    NoticeKind::Welcome,
    NoticeKind::Goodbye,
    NoticeKind::ChangeAddress,
    NoticeKind::Changed,
    NoticeKind::Links,
];

fn config(settings: &str) -> Config {
    let mut problems = Vec::new();
    let config = config::parse(&SourceText::new("mailmag.toml", settings), &mut problems);
    config.unwrap_or_else(|| panic!("{problems:?}"))
}

fn theme(own: &[(&str, &str)]) -> Theme {
    let own: Vec<Arc<SourceText>> = own.iter().map(|(path, text)| SourceText::new(*path, *text)).collect();
    Theme::new(&own).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn date() -> DateTime<Utc> {
    "2010-05-14T03:04:05Z".parse().unwrap()
}

fn links() -> NoticeLinks {
    let page = |path: &str| Some(format!("https://mail.tohaba.example/{path}"));
    NoticeLinks {
        confirm: page("confirm/abcdefghijklmnopqrstuvwxy4"),
        unsubscribe: page("u/bcdefghijklmnopqrstuvwxyz4"),
        preferences: page("preferences/cdefghijklmnopqrstuvwxyz24"),
    }
}

fn made(
    settings: &str,
    theme: &Theme,
    kind: NoticeKind,
    language: Language,
    charset: Option<Charset>,
) -> Vec<u8> {
    let to = EmailAddress::parse("reader@example.com").unwrap();
    let message_id = kind.message_id(Nonce([7; 16]), "tohaba.example");
    let values = NoticeValues {
        kind: kind.name(),
        to: &to,
        language,
        charset,
        message_id: &message_id,
        date: date(),
        links: links(),
    };
    notice(&config(settings), theme, &values).unwrap()
}

#[track_caller]
fn check(name: &str, octets: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/letters").join(format!("notice-{name}.eml"));
    let expected = fs::read(&path).unwrap_or_default();
    assert!(*octets == expected, "{name}.eml is not\n{}", String::from_utf8_lossy(octets));
    check_form(octets);
}

/// What every notice keeps to (RFC 5322, RFC 2047).
#[track_caller]
fn check_form(octets: &[u8]) {
    assert!(octets.is_ascii());
    let text = String::from_utf8_lossy(octets);
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
    let (head, body) = text.split_once("\r\n\r\n").expect("a blank line after the headers");
    assert!(head.split("\r\n").all(|line| line.len() <= 78), "{head}");
    assert!(head.split([' ', '\r', '\n']).filter(|word| word.starts_with("=?")).all(|word| word.len() <= 75));
    assert!(body.split("\r\n").all(|line| line.len() <= 998));
    assert!(body.ends_with("\r\n"));
    for name in ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"]
    {
        let lines = head.lines().filter(|line| line.starts_with(&format!("{name}: "))).count();
        assert_eq!(lines, 1, "{name}: {head}");
    }
    for name in ["List-", "Precedence", "Feedback-ID", "Bcc", "Cc"] {
        assert!(!head.lines().any(|line| line.starts_with(name)), "{name}: {head}");
    }
}

#[test]
fn each_kind_is_written_in_both_languages() {
    for kind in KINDS {
        for (language, tag) in [(Language::Japanese, "ja"), (Language::English, "en")] {
            let octets = made(SETTINGS, &theme(&[]), kind, language, None);
            check(&format!("{}-{tag}", kind.name()), &octets);
        }
    }
}

#[test]
fn a_notice_goes_out_in_the_readers_character_set_if_that_carries_it() {
    let utf8 = &SETTINGS.replace("subject =", "charset = \"utf-8\"\nsubject =");
    let jis = &SETTINGS.replace("subject =", "charset = \"iso-2022-jp\"\nsubject =");
    let euro = &jis.replace("等幅通信", "等幅通信€");
    let sender = &jis.replace("編集部", "編集部€");
    let long = &SETTINGS.replace("桁そろえ研究会", &"か".repeat(600)).replace("width", "");
    use Charset::{EucJp, Iso2022Jp, ShiftJis, Utf8};
    use Language::{English, Japanese};
    let cases = [
        (SETTINGS, Japanese, None, "ISO-2022-JP"),
        (SETTINGS, English, None, "UTF-8"),
        (SETTINGS, Japanese, Some(Utf8), "UTF-8"),
        (SETTINGS, English, Some(Iso2022Jp), "ISO-2022-JP"),
        (utf8, Japanese, None, "UTF-8"),
        (utf8, Japanese, Some(Iso2022Jp), "ISO-2022-JP"),
        (utf8, Japanese, Some(ShiftJis), "ISO-2022-JP"),
        (utf8, Japanese, Some(EucJp), "ISO-2022-JP"),
        (jis, English, None, "ISO-2022-JP"),
        (euro, Japanese, Some(Iso2022Jp), "UTF-8"),
        (sender, Japanese, None, "UTF-8"),
        (long, Japanese, None, "ISO-2022-JP"),
    ];
    for (settings, language, charset, expected) in cases {
        let octets = made(settings, &theme(&[]), NoticeKind::Confirm, language, charset);
        check_form(&octets);
        let text = String::from_utf8(octets).unwrap();
        let label = format!("Content-Type: text/plain; charset={expected}\r\n");
        assert!(text.contains(&label), "{settings} {language:?} {charset:?}: {text}");
        let other = if expected == "UTF-8" { "ISO-2022-JP" } else { "UTF-8" };
        assert!(!text.contains(other), "{settings} {language:?} {charset:?}: {text}");
    }
}

#[test]
fn an_old_address_is_quoted_and_the_date_is_the_magazines() {
    let to = EmailAddress::parse_legacy("a..b.@docomo.ne.jp").unwrap();
    let settings = SETTINGS.replace("publisher", "timezone = \"America/New_York\"\npublisher");
    let values = NoticeValues {
        kind: "changed",
        to: &to,
        language: Language::Japanese,
        charset: None,
        message_id: "<notice.1@tohaba.example>",
        date: date(),
        links: NoticeLinks::default(),
    };
    let octets = notice(&config(&settings), &theme(&[]), &values).unwrap();
    let text = String::from_utf8(octets).unwrap();
    assert!(text.starts_with("Date: Thu, 13 May 2010 23:04:05 -0400\r\n"), "{text}");
    assert!(text.contains("\r\nTo: \"a..b.\"@docomo.ne.jp\r\n"), "{text}");
}

#[test]
fn an_own_template_wins_and_its_faults_are_told() {
    let path = "templates/mail/goodbye.txt";
    let make = |text: &str| {
        let theme = theme(&[(path, text)]);
        let to = EmailAddress::parse("reader@example.com").unwrap();
        let values = NoticeValues {
            kind: "goodbye",
            to: &to,
            language: Language::Japanese,
            charset: None,
            message_id: "<notice.1@tohaba.example>",
            date: date(),
            links: links(),
        };
        let made = notice(&config(SETTINGS), &theme, &values);
        made.map(|octets| String::from_utf8(octets).unwrap()).map_err(|problem| {
            assert_eq!(problem.path(), path);
            problem.rule
        })
    };
    let text = make("{{ magazine.name }}\n\n\n\nfrom {{ contact }}\u{1b}\n\n\n\nbye\n\n").unwrap();
    assert!(text.ends_with("\r\n\r\nfrom news@tohaba.example\r\n\r\nbye\r\n"), "{text}");
    for wrong in
        ["", "subject\n\n \n", "sub\u{7}ject\n\ntext", "{{ nobody }}\n\ntext", "{{ links.nothing }}\n\ntext"]
    {
        assert_eq!(make(wrong), Err("template-error"), "{wrong:?}");
    }
}
