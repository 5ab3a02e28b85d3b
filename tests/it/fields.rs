//! What is each reader's own in a mail's text: his name, and the address where he leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::DateTime;
use mailmag::charset::{Charset, decode};
use mailmag::mail::{Contents, Letter, MailForm, Recipient, Signer, Stencil, body, in_utf8, letter};
use mailmag::model::{EmailAddress, Field};
use mailmag::source::{self, Content, RawText, Sources};
use mailmag::theme::Theme;

use crate::mails::{check_octets, header, html_of, text_of};

const LINK: &str = "https://list.example.jp/u/abcdefghijklmnopqrstuvwxyz";

/// The letter of an issue whose text is so.
fn of(text: &str, settings: &str, with_html: bool) -> Letter {
    let (content, form) = form(text, settings);
    let html = MailForm::of_marked(&format!(
        "<p>{}様</p>\n<a href=\"{}\">{}</a>\n",
        Field::Name.marked("読者"),
        Field::Unsubscribe.marked("https://list.example.jp/u/x"),
        "止める".repeat(200),
    ));
    let contents = Contents { text: &form, html: with_html.then_some(&html), attachments: &[] };
    letter(&content.config, &content.magazine.issues[0], "通信 第1号", &contents, None).unwrap()
}

/// A magazine with an issue whose text is so, and the issue's mail form.
fn form(text: &str, settings: &str) -> (Content, MailForm) {
    let toml = format!(
        "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[mail]\nfrom = \"通信 <news@example.jp>\"\n\
         subject = \"通信 第{{{{ issue.number }}}}号\"\n{settings}\n[blog]\nurl = \"https://blog.example.jp\"\n\
         [web]\nurl = \"https://list.example.jp\"\n"
    );
    let raw = |path: &str, text: String| RawText::new(path, text);
    let issue = format!("+++\ndate = 2026-05-14\n+++\n\n# 題\n\n{text}\n");
    let texts = vec![raw("mailmag.toml", toml), raw("content/issues/1.md", issue)];
    let (content, problems) = source::parse(Sources { texts, ..Sources::default() });
    assert_eq!(problems, []);
    let content = content.unwrap();
    let theme = Theme::new(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let texts = content.issue_sources[0].texts(&mut Vec::new());
    let form = body(&content, 0, &texts, &theme).unwrap();
    assert!(!form.text.contains(|c| matches!(c, '\u{FDD0}'..='\u{FDEF}')));
    (content, form)
}

fn recipient<'a>(address: &'a EmailAddress, name: Option<&'a str>) -> Recipient<'a> {
    Recipient {
        address,
        name,
        message_id: "<m.1@example.jp>",
        unsubscribe_url: LINK,
        unsubscribe_mail: "u+abc@example.jp",
    }
}

fn message(letter: &Letter, name: Option<&str>) -> Vec<u8> {
    let date = DateTime::parse_from_rfc3339("2026-05-14T09:30:00+09:00").unwrap();
    let address = EmailAddress::parse("taro@example.jp").unwrap();
    Stencil::new(letter, date).unwrap().message(&recipient(&address, name), None).unwrap()
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

/// A key pair made for these lines alone (PKCS #8 of 48 octets, Ed25519).
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";

#[test]
fn a_signature_is_over_the_readers_own_message() {
    let signer = Signer::new("example.jp", "m1", KEY).unwrap();
    let date = DateTime::parse_from_rfc3339("2026-05-14T09:30:00+09:00").unwrap();
    let address = EmailAddress::parse("taro@example.jp").unwrap();
    let long = format!("{}\n\n{TEXT}", "長い本文です。 行の終わり。\n\n".repeat(60));
    let english = format!("{}\n\n{TEXT}", "Plain  words, = and so on.\n\n".repeat(60));
    for text in [TEXT, &long, &english, "項はありません。"] {
        for (settings, with_html) in
            [("charset = \"auto\"", false), ("charset = \"utf-8\"", false), ("charset = \"auto\"", true)]
        {
            let letter = of(text, settings, with_html);
            let stencil = Stencil::new(&letter, date).unwrap();
            for name in [None, Some("山田 太郎"), Some("A  B ")] {
                let recipient = recipient(&address, name);
                let plain = stencil.message(&recipient, None).unwrap();
                let signed = stencil.message(&recipient, Some((&signer, 1_800_000_000))).unwrap();
                assert_eq!(signed, signer.signed(&plain, 1_800_000_000).unwrap(), "{settings} {name:?}");
            }
        }
    }
}

#[test]
fn a_name_stands_on_one_line() {
    for shown in ["読者の皆様", "Dear very kind reader", "「読者」 さま"] {
        for before in 0..38 {
            let text = format!("{}[{shown}](mailmag:name)と続く文です。", "あ".repeat(before));
            let (_, form) = form(&text, "charset = \"utf-8\"");
            let fields: Vec<&str> = form.fields.iter().map(|at| &form.text[at.range.clone()]).collect();
            assert_eq!(fields, [shown], "{}", form.text);
            assert!(!form.text.contains('\u{2060}'));
            assert!(form.text.lines().all(|line| mailmag::typeset::columns(line) <= 76), "{}", form.text);
        }
    }
}

#[test]
fn who_reads_the_text_elsewhere_is_led_to_the_page_for_all() {
    let (content, form) = form(TEXT, "");
    let text = form.for_all(&content.config);
    assert!(text.contains("\n読者様\n") && text.contains("\n[1] https://list.example.jp/\n"), "{text}");
    assert!(!text.contains("samplereader") && form.text.contains("samplereader"));
}

#[test]
fn an_address_that_cannot_be_filled_in_is_not_sent() {
    let (content, mut form) = form(TEXT, "");
    form.fields.pop();
    let contents = Contents::text(&form);
    let problems = letter(&content.config, &content.magazine.issues[0], "通信", &contents, None).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["lost-field"]);
}

/// Runs a command that must end well, in a magazine's folder.
fn run(root: &Path, arguments: &[&str]) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_mailmag")).current_dir(root).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nobody_gets_anothers_name_or_link() {
    const READERS: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    run(root, &["init", "magazine"]);
    let root = &root.join("magazine");
    let settings = fs::read_to_string(root.join("mailmag.toml")).unwrap();
    let settings = settings.replace("[mail]", "[mail]\nhtml = true\nutf-8-domains = [\"utf8.example\"]");
    fs::write(root.join("mailmag.toml"), settings + "\n[web]\nurl = \"https://list.example.jp\"\n").unwrap();
    let article = root.join("content/issues/001/01-hello.md");
    let text = fs::read_to_string(&article).unwrap();
    fs::write(&article, text + "\n[読者](mailmag:name)様、お元気ですか。\n").unwrap();
    let name = |number: usize| format!("読者{}号", number + 100);
    let row = |number: usize| {
        let domain = ["a.example", "sub.utf8.example"][number % 2];
        format!("reader{}@{domain},{}\n", number + 100, name(number))
    };
    let list: String = (0..READERS).map(row).collect();
    fs::write(root.join("list.csv"), format!("email,name\n{list}")).unwrap();
    run(root, &["subscribers", "import", "list.csv", "--basis", "a test"]);
    run(root, &["send", "1", "--dry-run", "out"]);
    run(root, &["send", "1", "--dry-run", "again"]);

    let mut links = BTreeMap::new();
    for file in fs::read_dir(root.join("out")).unwrap() {
        let path = file.unwrap().path();
        let octets = fs::read(&path).unwrap();
        check_octets(&octets);
        let again = fs::read(root.join("again").join(path.file_name().unwrap())).unwrap();
        // A try is dated when it is made.
        let date = |octets: &[u8]| String::from_utf8(header(octets, "Date")).unwrap();
        let undated = |octets: &[u8]| String::from_utf8_lossy(octets).replacen(&date(octets), "", 1);
        assert!(undated(&octets) == undated(&again), "{} is not the same again", path.display());
        let to = String::from_utf8(header(&octets, "To")).unwrap();
        let number: usize = to["reader".len()..][..3].parse::<usize>().unwrap() - 100;
        let (text, html) = (text_of(&octets), html_of(&octets));
        let link = text.split("https://list.example.jp/u/").nth(1).unwrap()[..26].to_owned();
        let raw = String::from_utf8_lossy(&octets).into_owned();
        assert_eq!(raw.contains("charset=ISO-2022-JP"), number.is_multiple_of(2), "{raw}");
        assert!(raw.contains(&format!("<https://list.example.jp/u/{link}>")), "{raw}");
        assert!(text.contains(&format!("\n{}様、お元気ですか。", name(number))), "{text}");
        assert!(html.contains(&format!("href=\"https://list.example.jp/u/{link}\"")), "{html}");
        assert!(html.contains(&format!("{}様、お元気ですか。", name(number))), "{html}");
        links.insert(number, (link, [raw, text, html].concat()));
    }
    assert_eq!(links.len(), READERS);
    for (number, (_, message)) in &links {
        assert!(!message.contains("samplereader"));
        for (other, (link, _)) in links.iter().filter(|(other, _)| *other != number) {
            assert!(!message.contains(&name(*other)) && !message.contains(link), "{number} {other}");
        }
    }
}
