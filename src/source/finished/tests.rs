use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{Block, Inline};

fn take_apart(text: &str) -> Finished {
    let finished = finished(&SourceText::new("007.txt", text), &Envelope::default());
    assert_nothing_is_lost(&finished);
    finished
}

/// Every letter of the mail is in one of the parts. Blanks, rules, marks and brackets are not letters.
fn assert_nothing_is_lost(finished: &Finished) {
    let text = finished.source.text.as_str();
    let mut missing = letters(text);
    let mut found = |part: &str| {
        for (letter, count) in letters(part) {
            *missing.entry(letter).or_default() -= count;
        }
    };
    for span in [&finished.masthead, &finished.contents, &finished.promise].into_iter().flatten() {
        found(&text[span.clone()]);
    }
    for passage in finished.opening.iter().chain(&finished.footer) {
        found(&words(&passage.document.blocks));
    }
    let whole = finished.articles.len() == 1 && finished.articles[0].span == finished.articles[0].text.span;
    for article in &finished.articles {
        if !whole {
            found(&article.title);
            found(article.corner.as_deref().unwrap_or_default());
        }
        if let Some(author) = article
            .author
            .as_ref()
            .filter(|author| !article.text.span.contains(&author.span.start) || author.plain)
        {
            found(&author.name);
        }
        found(&words(&article.text.document.blocks));
    }
    missing.retain(|_, count| *count > 0);
    assert!(missing.is_empty(), "{missing:?} of {text:?}\n{finished:#?}");
}

fn letters(text: &str) -> BTreeMap<char, i64> {
    let mut counts = BTreeMap::new();
    for letter in text.chars().filter(|letter| letter.is_alphabetic() && !lines::draws(*letter)) {
        *counts.entry(letter).or_default() += 1;
    }
    counts
}

fn words(blocks: &[Block]) -> String {
    let mut all = String::new();
    for block in blocks {
        match block {
            Block::Paragraph(inlines) => all.push_str(&crate::model::plain(inlines)),
            Block::Code { text, .. } => all.push_str(text),
            Block::Quote(blocks) => all.push_str(&words(blocks)),
            Block::List { items, .. } => items.iter().for_each(|item| all.push_str(&words(&item.blocks))),
            Block::Rule => {}
            other => panic!("{other:?}"),
        }
    }
    all
}

/// An issue in short: a line for each part.
fn show(finished: &Finished) -> String {
    let mut shown = String::new();
    let mut line = |name: &str, value: &str| shown.push_str(&format!("{name}: {value}\n"));
    for (name, value) in
        [("publisher", &finished.publisher), ("name", &finished.name), ("number", &finished.label)]
    {
        if let Some(value) = value {
            line(name, value);
        }
    }
    for (name, value) in [("date", finished.date), ("next", finished.next_date)] {
        if let Some(value) = value {
            line(name, &value.to_string());
        }
    }
    if let Some(opening) = &finished.opening {
        line("opening", &words(&opening.document.blocks));
    }
    for article in &finished.articles {
        let mut head = article.title.clone();
        if article.letterspace {
            head.push_str(" (spaced)");
        }
        if let Some(corner) = &article.corner {
            head.push_str(&format!(" ({corner})"));
        }
        if let Some(author) = &article.author {
            head.push_str(&format!(" by {}{}", author.name, if author.plain { "" } else { "?" }));
        }
        line("article", &format!("{head}: {}", words(&article.text.document.blocks)));
    }
    if let Some(footer) = &finished.footer {
        line("footer", &words(&footer.document.blocks));
    }
    shown
}

fn check(text: &str, expected: &str) {
    assert_eq!(show(&take_apart(text)), expected, "{text}");
}

#[test]
fn checkerboards() {
    check(
        "┏━━━━━━━━━━━━━┓\n    山海株式会社メールマガジン\n  山 海 便 り Vol.007 (2009/12/20)\n┗━━━━━━━━━━━━━┛\n\n\
         ■□\n□■ 山に登る\n--------------------------\n山に登りました。\n\n天気は晴れでした。(山田)\n\n\
         ■□ 海の欄\n□■ 海で泳ぐ\n--------------------------\n泳ぎました。\n(海野)\n\n\
         ■□\n□■ あ と が き\n--------------------------\nまた来年。(笑)\n\n\
         ★次回の山海便りは1月10日を予定しています。\n\n\
         --------------------------\n■配信停止\n  下記からどうぞ。\n  http://example.jp/\n--------------------------\n",
        "publisher: 山海株式会社\nname: 山海便り\nnumber: 007\ndate: 2009-12-20\nnext: 2010-01-10\n\
         article: 山に登る by 山田: 山に登りました。天気は晴れでした。\n\
         article: 海で泳ぐ (海の欄) by 海野: 泳ぎました。\n\
         article: あとがき (spaced): また来年。(笑)\n\
         footer: ■配信停止下記からどうぞ。 http://example.jp/\n",
    );
}

#[test]
fn titles_between_rules() {
    check(
        "====================\n山海便り 第７号\n平成21年4月1日\n====================\n\n前書きです。\n\n\
         【目次】\n 1. 山に登る\n 2. 海で泳ぐ\n\n\
         ====================\n■連載\n山に登る\n====================\n\n登りました。（山田）\n\n\
         ====================\n【小説】海で泳ぐ\n====================\n\n泳ぎました。\n\n　　　　（文責：海野）\n\n\
         ====================\n編集後記\n====================\n\nでは。次号は5月1日発行です。\n\n\
         ====================\n発行：山海社\nお問い合わせ：a@example.jp\n====================\n",
        "name: 山海便り\nnumber: 7\ndate: 2009-04-01\nnext: 2009-05-01\nopening: 前書きです。\n\
         article: 山に登る (連載) by 山田?: 登りました。（山田）\n\
         article: 海で泳ぐ (小説) by 海野?: 泳ぎました。　　　　（文責：海野）\n\
         article: 編集後記: では。次号は5月1日発行です。\n\
         footer: 発行：山海社 お問い合わせ：a@example.jp\n",
    );
}

#[test]
fn marked_lines() {
    check(
        "山海便り #7 2009-04-01\n\nこんにちは。\n\n■山に登る\n\n登りました。\n\n●朝\n眠い。\n\n■海で泳ぐ\n泳ぎました。\n\n\
         --------------------\n発行 山海社\n",
        "name: 山海便り\nnumber: 7\ndate: 2009-04-01\nopening: こんにちは。\n\
         article: 山に登る: 登りました。●朝眠い。\narticle: 海で泳ぐ: 泳ぎました。\nfooter: 発行 山海社\n",
    );
    check(
        "山海便り No.7 2009/04/01\n\n【目次】\n◆山に登る◇\n◆海で泳ぐ◇\n\n◆山に登る◇\n登りました。\n\n◆海で泳ぐ◇\n泳ぎました。\n\n\
         ◆配信停止について◇\nお問い合わせ a@example.jp\n",
        "name: 山海便り\nnumber: 7\ndate: 2009-04-01\narticle: 山に登る: 登りました。\narticle: 海で泳ぐ: 泳ぎました。\n\
         footer: ◆配信停止について◇お問い合わせ a@example.jp\n",
    );
}

#[test]
fn titles_inside_rules() {
    check(
        "山海便り No.7 2009/04/01\n\n━━【 目次 】━━━━━━━━\n・山に登る\n・海で泳ぐ\n━━━━━━━━━━━━━━\n\n\
         ━━【 山に登る 】━━━━━━\n登りました。\n\n━━【 海で泳ぐ 】━━━━━━\n泳ぎました。\n",
        "name: 山海便り\nnumber: 7\ndate: 2009-04-01\narticle: 山に登る: 登りました。\narticle: 海で泳ぐ: 泳ぎました。\n",
    );
}

#[test]
fn a_newsletter_in_sections() {
    check(
        "━━━━━━━━━━━━━━━━\n   ◆ 山海便り vol.12【臨時号】2009.4.1 ◆\n━━━━━━━━━━━━━━━━\n\n\
         皆さん、こんにちは。2001年1月1日から読んでいますか。\n\n◆ 目次\n 【 1 】山に登る\n 【 2 】海で泳ぐ\n\n\
         ━━━━━━━━━━━━━━━━\n【 1 】山に登る\n                 山田太郎\n━━━━━━━━━━━━━━━━\n\n登りました。\n\n\
         ━━━━━━━━━━━━━━━━\n【 2 】海で泳ぐ\n━━━━━━━━━━━━━━━━\n\n泳ぎました。\n\n\
         =====================\n 山海便り\n 発行：山海社\n 問い合わせ先 a@example.jp\n 登録・解除 http://example.jp/\n=====================\n (C) 山海社\n",
        "name: 山海便り 【臨時号】\nnumber: 12\ndate: 2009-04-01\n\
         opening: 皆さん、こんにちは。2001年1月1日から読んでいますか。\n\
         article: 【 1 】山に登る by 山田太郎?: 登りました。\narticle: 【 2 】海で泳ぐ: 泳ぎました。\n\
         footer: 山海便り発行：山海社問い合わせ先 a@example.jp登録・解除 http://example.jp/(C) 山海社\n",
    );
}

#[test]
fn a_mail_without_structure_is_one_article() {
    check("こんにちは。\n山に登りました。\n", "article: こんにちは。: こんにちは。 山に登りました。\n");
    check("", "article: : \n");
    check("--------------------\n", "article: : \n");
    let envelope = Envelope { subject: Some("山海便り Vol.7".into()), date: "2009-04-01".parse().ok() };
    let found = finished(&SourceText::new("a.eml", "こんにちは。\n"), &envelope);
    assert_eq!(show(&found), "number: 7\ndate: 2009-04-01\narticle: 山海便り Vol.7: こんにちは。\n");
    assert_eq!(import_name(&found).as_deref(), Ok("7"));
    assert_eq!(import_name(&take_apart("本文")).map_err(|problem| problem.rule), Err("no-issue-number"));
    assert_eq!(
        import_name(&take_apart("便り 第3号\n\n本文")).map_err(|problem| problem.rule),
        Err("no-issue-date")
    );
}

#[test]
fn line_ends_do_not_matter() {
    let text = "山海便り #7 2009-04-01\n\n■山に登る\n\n登りました。\n\n■海で泳ぐ\n泳ぎました。\n";
    assert_eq!(show(&take_apart(text)), show(&take_apart(&text.replace('\n', "\r\n"))));
    assert_eq!(show(&take_apart(text)), show(&take_apart(&text.replace('\n', "\r"))));
}

#[test]
fn spans_are_where_the_parts_stand() {
    let text = "山海便り #7 2009-04-01\n\n■山に登る\n登りました。(山田)\n\n■海で泳ぐ\n泳ぎました。\n\n--------------------\n発行 山海社\n";
    let found = take_apart(text);
    let at = |span: &Range<usize>| &text[span.clone()];
    assert_eq!(at(&found.articles[0].span), "■山に登る\n登りました。(山田)\n");
    assert_eq!(found.articles[0].author.as_ref().map(|author| at(&author.span)), Some("(山田)"));
    assert_eq!(at(&found.articles[1].text.span), "泳ぎました。\n");
    assert_eq!(found.masthead.as_ref().map(at), Some("山海便り #7 2009-04-01"));
    let Block::Paragraph(inlines) = &found.articles[1].text.document.blocks[0] else { panic!("a paragraph") };
    let Inline::Text { at, .. } = &inlines[0] else { panic!("a text") };
    assert!(text[*at..].starts_with("泳ぎました。"));
}

#[test]
fn metadata_is_made_for_lists() {
    let config = crate::config::parse(
        &SourceText::new(
            "mailmag.toml",
            "[magazine]\nname = \"山海便り\"\npublisher = \"山海社\"\n[mail]\nfrom = \"a@example.jp\"\nsubject = \"s\"\n\
             [authors.yamada]\nname = \"山田\"\nline-break = \"loose\"\n[blog]\nurl = \"https://example.jp\"\n",
        ),
        &mut Vec::new(),
    )
    .expect("good settings");
    let found = take_apart(
        "山海便り #7 2009-04-01\n\n■山に登る\n登りました。(山田)\n\n■Linuxで「virt-v2v」\n# ls\n\n■Linux virt-v2v\n海。\n",
    );
    let issue = issue(&found, &config, 7, "007").expect("it has a date");
    let shown: Vec<String> = issue
        .articles
        .iter()
        .zip(&found.articles)
        .map(|(article, found)| {
            let key = article.author.as_ref().and_then(|author| author.key.as_deref());
            let characters = characters(&found.text.document);
            assert_eq!(article.minutes, 1);
            format!("{} {:?} {} {characters}", article.slug, key, article.excerpt)
        })
        .collect();
    assert_eq!(shown, ["01 Some(\"yamada\") 登りました。 6", "linux-virt-v2v None  3", "03 None 海。 2"]);
    assert_eq!(issue.articles[0].typesetting.line_break, crate::model::LineBreak::Loose);
    assert!(issue.finished);
}

/// Lines of the kinds that mails are made of, in any order.
fn any_mail() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => Just(String::new()),
        2 => Just("--------------------".to_owned()),
        1 => Just("┏━━━━━━━━━┓".to_owned()),
        1 => Just("■□".to_owned()),
        1 => Just("□■ 題名です".to_owned()),
        1 => Just("■題名".to_owned()),
        1 => Just("【目次】".to_owned()),
        1 => Just("━━【題】━━━━━━".to_owned()),
        1 => Just("便り 第3号 2010/05/14".to_owned()),
        1 => Just("★次回の便りは5月26日を予定しています。".to_owned()),
        1 => Just("書きました。(山田)".to_owned()),
        1 => Just("（山田）".to_owned()),
        1 => Just("・項目".to_owned()),
        1 => Just("1. 項目".to_owned()),
        1 => Just("> 引用".to_owned()),
        1 => Just("> > 引用 http://a.jp/".to_owned()),
        1 => Just("# ls -l".to_owned()),
        1 => Just("  お問い合わせ http://example.jp/".to_owned()),
        3 => "[あ-お山海a-c、。 　]{1,12}",
        1 => "\\PC{0,20}",
    ];
    proptest::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn nothing_is_ever_lost(text in any_mail()) {
        take_apart(&text);
    }

    #[test]
    fn any_text_is_a_mail(text in "[\\s\\S]{0,200}") {
        take_apart(&text);
    }
}
