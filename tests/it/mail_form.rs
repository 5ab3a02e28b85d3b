//! What stands in `dist/mail/NNN.txt` is what the letter carries, and its lines fit as they are sent.

use mailmag::charset::{Charset, decode};
use mailmag::mail::{Contents, body, letter};
use mailmag::source::{self, RawText, Sources};
use mailmag::theme::Theme;

/// The mail form of a small issue, and what its letter carries, under settings of `[mail]`.
fn mail(settings: &str, text: &str) -> (String, String, Charset) {
    let toml = format!(
        "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[blog]\nurl = \"https://example.jp\"\n\
         [mail]\nfrom = \"news@example.jp\"\nsubject = \"Vol.1\"\n{settings}\n"
    );
    let issue = format!("+++\ndate = 2026-05-14\n+++\n\n# 題\n\n{text}\n");
    let text = |path: &str, text: String| RawText::new(path, text);
    let texts = vec![text("mailmag.toml", toml), text("content/issues/1.md", issue)];
    let (content, problems) = source::parse(Sources { texts, ..Sources::default() });
    assert_eq!(problems, []);
    let content = content.expect("there are no problems");
    let theme = Theme::new(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let texts = content.issue_sources[0].texts(&mut Vec::new());
    let form = body(&content, 0, &texts, &theme).expect("the template is good");
    let issue = &content.magazine.issues[0];
    let letter =
        letter(&content.config, issue, "Vol.1", &Contents::text(&form), None).expect("it can be sent");
    let end = letter.octets.windows(4).position(|window| window == b"\r\n\r\n").expect("a blank line") + 4;
    let carried = match letter.charset {
        Charset::Iso2022Jp => decode(&letter.octets[end..], Some(letter.charset)).expect("it is good").text,
        _ => form.text.replace('\n', "\r\n"),
    };
    (form.text, carried.replace("\r\n", "\n"), letter.charset)
}

#[test]
fn the_form_is_what_the_letter_carries() {
    for (settings, text, expected) in [
        ("", "〜と−と¥とｶﾞｷﾞと―—", Charset::Iso2022Jp),
        ("charset-profile = \"strict\"", "①から㈱まで", Charset::Iso2022Jp),
        ("", "絵文字🍣と〜", Charset::Utf8),
        ("charset = \"utf-8\"", "〜と¥と①", Charset::Utf8),
    ] {
        let (form, carried, charset) = mail(settings, text);
        assert_eq!(charset, expected, "{text}");
        assert_eq!(form, carried, "{text}");
    }
}

#[test]
fn a_mail_in_utf_8_keeps_the_characters_as_written() {
    let (form, _, _) = mail("charset = \"utf-8\"", "〜と¥と①");
    assert!(form.contains("\n〜と¥と①\n"), "{form}");
}

#[test]
fn what_is_written_out_is_counted_as_written_out() {
    let (form, _, _) = mail("charset-profile = \"strict\"", &"手順①".repeat(30));
    assert!(form.contains("手順(1)手順(1)"), "{form}");
    for line in form.lines() {
        assert!(mailmag::typeset::columns(line) <= 76, "{line}");
    }
}
