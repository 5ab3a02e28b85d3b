use proptest::prelude::*;

use super::*;
use crate::diagnostic::SourceText;
use crate::source::{Envelope, document, finished};
use crate::typeset::document::{self as typeset, Layout, Manner};

const SETTINGS: &str = "[magazine]\nname = \"山海便り\"\npublisher = \"山海社\"\n\
    [mail]\nfrom = \"a@example.jp\"\nsubject = \"s\"\nwidth = 20\n\
    [authors.yamada]\nname = \"山田\"\nline-break = \"loose\"\n[blog]\nurl = \"https://example.jp\"\n";

fn config() -> Config {
    let source = SourceText::new("mailmag.toml", SETTINGS);
    crate::config::parse(&source, &mut Vec::new()).expect("good settings")
}

fn converted(mail: &str) -> Vec<(String, String)> {
    let finished = finished(&SourceText::new("007.txt", mail), &Envelope::default());
    convert(&finished, &config(), false).expect("it has a number and a date")
}

/// An article's Markdown, converted from its lines.
fn article(lines: &str) -> String {
    let mail = format!("山海便り #7 2009-04-01\n\n■□\n□■ 題\n--------------------\n{lines}\n");
    converted(&mail).swap_remove(1).1
}

fn check(lines: &str, expected: &str) {
    let markdown = article(lines);
    let (front, body) = markdown[4..].split_once("+++\n").expect("front matter");
    let front = front.replace("title = \"題\"\n", "").replace('\n', "; ");
    assert_eq!(format!("{front}{}", body.trim_matches('\n')), expected, "{lines}");
    assert_typesets_to(lines, &markdown);
}

/// The Markdown, read and set again, has the lines it came from; blank ones do not count.
fn assert_typesets_to(lines: &str, markdown: &str) {
    let body = markdown[4..].find("+++\n").map_or(0, |end| end + 8);
    let mut typesetting = config().mail.typesetting;
    let front = &markdown[..body];
    if front.contains("yamada") || front.contains("line-break = \"loose\"") {
        typesetting.line_break = LineBreak::Loose;
    }
    if front.contains("line-break = \"normal\"") {
        typesetting.line_break = LineBreak::Normal;
    }
    if front.contains("allow-end") {
        typesetting.hanging_punctuation = HangingPunctuation::AllowEnd;
    }
    if front.contains("\"all\"") {
        typesetting.hanging_punctuation = HangingPunctuation::All;
        typesetting.hanging_columns = if front.contains("hanging-columns = 1") { 1 } else { 2 };
    }
    let source = SourceText::new("01.md", markdown);
    let mut problems = Vec::new();
    let (_, document) = document(&source, body..markdown.len(), &mut problems);
    assert!(problems.is_empty(), "{problems:?}\n{markdown}");
    let manner = Manner { typesetting, ..manner(Layout::Open) };
    let found = typeset::document(&document, &manner, front.contains("yamada").then_some("(山田)")).lines;
    let found: Vec<&str> = found.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    let expected: Vec<&str> = lines.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected, "{markdown}");
}

fn manner(layout: Layout) -> Manner<'static> {
    let address = &|address: &str| address.to_owned();
    let mail = config().mail;
    Manner {
        typesetting: mail.typesetting,
        emphasis: mail.emphasis,
        links: mail.links,
        tables: mail.tables,
        layout,
        address,
    }
}

#[test]
fn paragraphs_flow_again() {
    check("今日は朝から山に行き\nました。\n\n次です。", "今日は朝から山に行きました。\n\n次です。");
    check("山です。\n海です。", "山です。\\\n海です。");
    check("　今日は朝から山に行\nきました。", "　今日は朝から山に行きました。");
    check("# 1 * 2\n\n*山* _海_", "```\n# 1 * 2\n```\n\n\\*山\\* \\_海\\_");
    check("http://a.jp/a_b", "<http://a.jp/a_b>");
}

#[test]
fn settings_are_found() {
    check(
        "今日は朝から山のヒュ\nッテまで行きました。",
        "line-break = \"normal\"; 今日は朝から山のヒュッテまで行きました。",
    );
    check("今日は朝から山の中、\nその次は海へ行った。", "今日は朝から山の中、その次は海へ行った。");
    check(
        "今日は朝から山の中へ、\n次は海へ行きました。",
        "hanging-punctuation = \"allow-end\"; 今日は朝から山の中へ、次は海へ行きました。",
    );
    check("今日は朝から山の家近\n々海へ。", "line-break = \"loose\"; 今日は朝から山の家近々海へ。");
}

#[test]
fn authors_who_are_known_leave_the_text() {
    check("山へ。(山田)", "author = \"yamada\"; 山へ。");
    check("山へ。(海野)", "山へ。(海野)");
    check("今日は山に行ったよ。\n(山田)", "author = \"yamada\"; 今日は山に行ったよ。");
    check("山へ。\n(山田)", "山へ。\\\n(山田)");
    check("山へ。\n\n(山田)", "山へ。\n\n(山田)");
    check("今日は朝から山の家近\n々海へ。(山田)", "author = \"yamada\"; 今日は朝から山の家近々海へ。");
    check("山へ。（山田）", "山へ。（山田）");
    check("http://a.jp/(山田)", "<http://a.jp/(山田)>");
}

#[test]
fn lists_quotes_and_lines_that_stay() {
    check("・山\n・海と川と湖と沼と池と\n  滝\n・空", "- 山\n- 海と川と湖と沼と池と滝\n- 空");
    check("・山\n・海と川と湖と沼と池と\nと滝", "・山\n\n```\n・海と川と湖と沼と池と\nと滝\n```");
    check("1. 山\n2. 海", "1. 山\n2. 海");
    check("1.山\n2.海", "1.山\\\n2.海");
    check("1. 山\n1. 海", "1\\. 山\\\n1\\. 海");
    check("- 山\n- 海", "\\- 山\\\n\\- 海");
    check("次の三つ。\n・山\n・海", "次の三つ。\\\n・山\\\n・海");
    check("> 今日は山に行きました\n> ね。\n\n海", "> 今日は山に行きましたね。\n\n海");
    check("┌──┐\n│山│\n└──┘", "```\n┌──┐\n│山│\n└──┘\n```");
    check("短い行を\n並べておく\nだけの文", "短い行を\\\n並べておく\\\nだけの文");
    check("とても長いのに折り返されていない行", "```\nとても長いのに折り返されていない行\n```");
}

#[test]
fn an_issue_becomes_files() {
    let mail = "====================\n山海便り 第７号\n平成21年12月20日\n====================\n\n前書きです。\n\n\
        ■□ 山の欄\n□■ Linuxで「山」\n--------------------\n登る。(山田)\n\n■□\n□■ あ と が き\n--------------------\nまた。\n\n";
    let files = converted(&format!(
        "{mail}★次回の山海便りは1月10日を予定しています。\n\n--------------------\n■問い合わせ\n  発行 : 山海社\n\n  このメールは登録され\n  た方へ。\n--------------------\n"
    ));
    let shown: Vec<String> = files.iter().map(|(path, text)| format!("{path}\n{text}")).collect();
    assert_eq!(
        shown,
        [
            "content/issues/7/index.md\n+++\ndate = 2009-12-20\nnext-date = 2010-01-10\n+++\n\n前書きです。\n",
            "content/issues/7/01-linux.md\n+++\ntitle = \"Linuxで「山」\"\nauthor = \"yamada\"\ncorner = \"山の欄\"\n+++\n\n登る。\n",
            "content/issues/7/02.md\n+++\ntitle = \"あとがき\"\nletterspace = true\n+++\n\nまた。\n",
            "content/footer.md\n# 問い合わせ\n\n発行\n: 山海社\n\nこのメールは登録された方へ。\n",
        ]
    );
    let files = converted(&format!("{mail}★次号は1/10発行\n"));
    assert_eq!(files[0].1, "+++\ndate = 2009-12-20\n+++\n\n前書きです。\n");
    assert!(files[2].1.ends_with("また。\n\n★次号は1/10発行\n"), "{}", files[2].1);
    let finished = finished(&SourceText::new("a.txt", "本文"), &Envelope::default());
    assert_eq!(convert(&finished, &config(), true).map_err(|problem| problem.rule), Err("no-issue-number"));
}

#[test]
fn a_footer_stands_as_it_stood() {
    let footer = "■登録について\n  このメールは登録され\n  た方へ。\n  http://a.jp/\n\n■問い合わせ\n  発行   : 山海社\n  メール : a@b.jp\n";
    let mail = format!(
        "山海便り #7 2009-04-01\n\n■□\n□■ 題\n--------------------\n本文。\n\n--------------------\n{footer}--------------------\n"
    );
    let (path, markdown) = converted(&mail).pop().expect("a footer");
    assert_eq!(path, "content/footer.md");
    let source = SourceText::new(path, markdown);
    let sections = crate::source::sections(&source, 0..source.text.len(), &mut Vec::new());
    assert_eq!(sections.len(), 2, "{}", source.text);
    let set = sections.iter().flat_map(|section| {
        let title = section.title.iter().map(|title| format!("■{}", crate::model::plain(&title.content)));
        title
            .chain(typeset::document(&section.body, &manner(Layout::Compact), None).lines)
            .collect::<Vec<_>>()
    });
    let expected: Vec<&str> = footer.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(set.collect::<Vec<_>>(), expected, "{}", source.text);
}

#[test]
fn titles_are_toml() {
    for title in ["\"引用\"", "a\\b", "a\tb", "題"] {
        let table: toml::Table = format!("title = {}", quoted(title)).parse().expect("TOML");
        assert_eq!(table["title"].as_str(), Some(title));
    }
}

proptest! {
    #[test]
    fn any_article_typesets_to_the_same_lines(lines in proptest::collection::vec(prop_oneof![
        3 => Just(String::new()),
        5 => "[あ-お山海ーッ、。「」]{1,10}",
        1 => "[a-c -]{1,8}[あ-お]{1,4}",
        1 => "・[山海]{1,8}",
        1 => "[1-3]\\. [山海]{1,8}",
        1 => "> [山海。]{1,9}",
        1 => "  [山海]{1,8}",
        1 => "　[山海]{1,8}",
        1 => "[-#*+_~`<>{}|\\[\\]()!&;:=\\\\.0-9a 山]{1,12}",
        1 => Just("(山田)".to_owned()),
        1 => Just("http://a.jp/".to_owned()),
    ], 1..12)) {
        let lines = format!("始め。\n{}\n終わり。", lines.join("\n"));
        assert_typesets_to(&lines, &article(&lines));
    }
}
