use std::fmt::Write;

use super::build::DEEPEST;
use super::*;
use crate::diagnostic::Place;
use crate::model::{Block, plain};
use proptest::prelude::*;

/// A document as one line: `p[…]` paragraph, `h2[…]`, `ul[…]` and `ol3[…]` (`+` when loose), `q[…]`, `dl[…]`,
/// `table[…]`, `code:language[…]`, `-` rule; within them `*…*` for emphasis, `**`, `~~`, `` ` ``, `<url …>`, `!`, ruby
/// as `(漢=かん)`, `/` for a break, `^name`.
fn show(document: &Document) -> String {
    let mut out = blocks(&document.blocks);
    for footnote in &document.footnotes {
        write!(out, " ^{}: {}", footnote.name, blocks(&footnote.blocks)).expect("a string takes all");
    }
    out
}

fn blocks(all: &[Block]) -> String {
    all.iter().map(block).collect::<Vec<_>>().join(" ")
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(words) => format!("p[{}]", inlines(words)),
        Block::Heading { level, id, content } => {
            let id = id.as_ref().map(|id| format!("#{id}")).unwrap_or_default();
            format!("h{level}{id}[{}]", inlines(content))
        }
        Block::List { start, tight, items } => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    let task = match item.task {
                        Some(true) => "x ",
                        Some(false) => "_ ",
                        None => "",
                    };
                    format!("{task}{}", blocks(&item.blocks))
                })
                .collect();
            let name = start.map_or("ul".to_owned(), |start| format!("ol{start}"));
            format!("{name}{}[{}]", if *tight { "" } else { "+" }, items.join("; "))
        }
        Block::Quote(inner) => format!("q[{}]", blocks(inner)),
        Block::Code { language, text, .. } => format!("code:{language}[{}]", text.escape_debug()),
        Block::Table { alignments, head, rows } => {
            let row = |cells: &Vec<Vec<Inline>>| {
                cells.iter().map(|cell| inlines(cell)).collect::<Vec<_>>().join(" | ")
            };
            let letters: String =
                alignments.iter().map(|alignment| format!("{alignment:?}").remove(0)).collect();
            let rows: String = rows.iter().map(|cells| format!(" / {}", row(cells))).collect();
            format!("table:{letters}[{}{rows}]", row(head))
        }
        Block::Definitions(all) => {
            let all: Vec<String> = all
                .iter()
                .map(|one| {
                    let terms: Vec<String> = one.terms.iter().map(|term| inlines(term)).collect();
                    let details: String =
                        one.details.iter().map(|detail| format!(": {}", blocks(detail))).collect();
                    format!("{}{details}", terms.join(", "))
                })
                .collect();
            format!("dl[{}]", all.join("; "))
        }
        Block::Rule => "-".to_owned(),
    }
}

fn inlines(all: &[Inline]) -> String {
    all.iter()
        .map(|inline| match inline {
            Inline::Text { text, .. } => text.clone(),
            Inline::Code { text, .. } => format!("`{text}`"),
            Inline::Emphasis(inner) => format!("*{}*", inlines(inner)),
            Inline::Strong(inner) => format!("**{}**", inlines(inner)),
            Inline::Strikethrough(inner) => format!("~~{}~~", inlines(inner)),
            Inline::Link { url, content, .. } => format!("<{url} {}>", inlines(content)),
            Inline::Image { url, alt, title, .. } => format!("!<{url} {alt} {title}>"),
            Inline::Ruby { groups, .. } => {
                let groups: Vec<String> =
                    groups.iter().map(|group| format!("{}={}", group.base, group.reading)).collect();
                format!("({})", groups.join(" "))
            }
            Inline::FootnoteReference { name } => format!("^{name}"),
            Inline::HardBreak => "/".to_owned(),
        })
        .collect()
}

/// Problems as `rule "what is underlined"`.
fn told(problems: &[Diagnostic]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| match &problem.place {
            Place::Span(source, span) => format!("{} {:?}", problem.rule, &source.text[span.clone()]),
            Place::Line(path, _) | Place::File(path) => panic!("{} has no place but {path}", problem.rule),
        })
        .collect()
}

/// The document that a text becomes, and the problems it has; front matter before it shifts all offsets.
fn check_with(markdown: &str, expected: &str, expected_problems: &[&str]) {
    let front = "+++\n+++\n";
    let source = SourceText::new("a.md", format!("{front}{markdown}"));
    let mut problems = Vec::new();
    let (_, document) = document(&source, front.len()..source.text.len(), &mut problems);
    assert_eq!(show(&document), expected, "{markdown}");
    assert_eq!(told(&problems), expected_problems, "{markdown}");
    places_hold(&source, &document);
}

fn check(markdown: &str, expected: &str) {
    check_with(markdown, expected, &[]);
}

/// Every place lies in the source, between two characters.
fn places_hold(source: &SourceText, document: &Document) {
    let all = document.blocks.iter().chain(document.footnotes.iter().flat_map(|footnote| &footnote.blocks));
    for block in all {
        block_holds(source, block);
    }
}

fn block_holds(source: &SourceText, block: &Block) {
    match block {
        Block::Paragraph(words) | Block::Heading { content: words, .. } => inlines_hold(source, words),
        Block::Quote(inner) => inner.iter().for_each(|block| block_holds(source, block)),
        Block::List { items, .. } => {
            items.iter().flat_map(|item| &item.blocks).for_each(|block| block_holds(source, block));
        }
        Block::Code { at, .. } => assert!(source.text.is_char_boundary(*at)),
        Block::Table { head, rows, .. } => {
            head.iter().chain(rows.iter().flatten()).for_each(|cell| inlines_hold(source, cell));
            assert!(rows.iter().all(|row| row.len() == head.len()));
        }
        Block::Definitions(all) => {
            for one in all {
                one.terms.iter().for_each(|term| inlines_hold(source, term));
                one.details.iter().flatten().for_each(|block| block_holds(source, block));
            }
        }
        Block::Rule => {}
    }
}

fn block_depth(block: &Block) -> usize {
    let deepest = |blocks: &[Block]| blocks.iter().map(block_depth).max().unwrap_or(0);
    1 + match block {
        Block::Paragraph(words) | Block::Heading { content: words, .. } => inline_depth(words),
        Block::Quote(inner) => deepest(inner),
        Block::List { items, .. } => items.iter().map(|item| deepest(&item.blocks)).max().unwrap_or(0),
        Block::Definitions(all) => {
            all.iter().flat_map(|one| &one.details).map(|inner| deepest(inner)).max().unwrap_or(0)
        }
        Block::Table { head, rows, .. } => {
            head.iter().chain(rows.iter().flatten()).map(|cell| inline_depth(cell)).max().unwrap_or(0)
        }
        Block::Code { .. } | Block::Rule => 0,
    }
}

fn inline_depth(words: &[Inline]) -> usize {
    let depth = |word: &Inline| match word {
        Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => {
            1 + inline_depth(inner)
        }
        Inline::Link { content, .. } => 1 + inline_depth(content),
        _ => 0,
    };
    words.iter().map(depth).max().unwrap_or(0)
}

fn inlines_hold(source: &SourceText, all: &[Inline]) {
    for inline in all {
        match inline {
            Inline::Text { text, at } => {
                assert!(source.text.is_char_boundary(*at) && !text.is_empty() && !text.contains(MARK));
                let first = text.chars().next().expect("not empty");
                let there = source.text[*at..].chars().next();
                let decoded = there.is_none_or(|there| "& \n\r\t\\\0".contains(there));
                assert!(there == Some(first) || decoded || there == Some(MARK), "{text:?} is not at {at}");
            }
            Inline::Code { at, .. } | Inline::Image { at, .. } | Inline::Ruby { at, .. } => {
                assert!(source.text.is_char_boundary(*at));
            }
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => {
                inlines_hold(source, inner)
            }
            Inline::Link { content, at, .. } => {
                assert!(source.text.is_char_boundary(*at));
                inlines_hold(source, content);
            }
            Inline::FootnoteReference { .. } | Inline::HardBreak => {}
        }
    }
}

#[test]
fn blocks_of_every_kind() {
    check("本文", "p[本文]");
    check("", "");
    check("## 小見出し {#a}\n\n### 次", "h2#a[小見出し] h3[次]");
    check("見出し\n---", "h2[見出し]");
    check("- a\n- b\n  - c\n", "ul[p[a]; p[b] ul[p[c]]]");
    check("- a\n\n- b\n", "ul+[p[a]; p[b]]");
    check("3. a\n4. b", "ol3[p[a]; p[b]]");
    check("- a\n  > b\n\n  c", "ul+[p[a] q[p[b]] p[c]]");
    check("- [x] a\n- [ ] b", "ul[x p[a]; _ p[b]]");
    check("- [x] a\n\n- [ ] b", "ul+[x p[a]; _ p[b]]");
    check("-\n- a", "ul[; p[a]]");
    check("> 引用\n> 続き\n>\n> > 中", "q[p[引用続き] q[p[中]]]");
    check("```rust ignore\nfn a() {}\n\n```", "code:rust[fn a() {}\\n\\n]");
    check("```\na\r\nb\r\n```\r\n", "code:[a\\nb\\n]");
    check("    a\n    b", "code:[a\\nb\\n]");
    check("```\n```", "code:[]");
    check("| a | b |\n|:--|:-:|\n| **c** | d |\n| e |", "table:LC[a | b / **c** | d / e | ]");
    check("用語\n: 説明\n: 別\n\n次\n: 説明", "dl[用語: p[説明]: p[別]; 次: p[説明]]");
    check("a\n\n---\n\nb", "p[a] - p[b]");
}

#[test]
fn inlines_of_every_kind() {
    check("a *b* **c** ~~d~~ `e`", "p[a *b* **c** ~~d~~ `e`]");
    check("[語](https://example.jp/ \"題\")", "p[<https://example.jp/ 語>]");
    check("[語][a]\n\n[a]: /b", "p[</b 語>]");
    check("<https://example.jp/a>", "p[<https://example.jp/a https://example.jp/a>]");
    check("<a@example.jp>", "p[<mailto:a@example.jp a@example.jp>]");
    check("![ラック *A*](rack.jpg \"図1\")", "p[!<rack.jpg ラック A 図1>]");
    check("a  \nb\\\nc", "p[a/b/c]");
    check("&copy;&amp;a\\*b", "p[©&a*b]");
    check("`a\nb`", "p[`a b`]");
    check(
        "前**https://a.jp/b_c**。\nhttps://a.jp/?a&b_c_d",
        "p[前**<https://a.jp/b_c https://a.jp/b_c>**。<https://a.jp/?a&b_c_d https://a.jp/?a&b_c_d>]",
    );
    check("`https://a` [https://a](b) ![https://a](c)", "p[`https://a` <b https://a> !<c https://a >]");
    check(
        "- https://a、\n\n|https://b|\n|--|",
        "ul[p[<https://a https://a>、]] table:N[<https://b https://b>]",
    );
}

#[test]
fn emphasis_beside_japanese_punctuation() {
    check("**「重要」**です", "p[**「重要」**です]");
    check("これは**「重要」**です", "p[これは**「重要」**です]");
    check("**重要。**次", "p[**重要。**次]");
    check("**重要、**次", "p[**重要、**次]");
    check("**（注）**次", "p[**（注）**次]");
    check("前**（注）**次", "p[前**（注）**次]");
    check("*「重要」*です", "p[*「重要」*です]");
    check("前***『重要』***です", "p[前***『重要』***です]");
    check("~~「取消」~~です", "p[~~「取消」~~です]");
    check("前~~（取消）~~です", "p[前~~（取消）~~です]");
    check("**(注)**です", "p[**(注)**です]");
    check("です**(注)**", "p[です**(注)**]");
    check("**｢半角｣**です", "p[**｢半角｣**です]");
    check("**“引用”**です", "p[**“引用”**です]");
    check("**`code`**です", "p[**`code`**です]");
    check("前**[語](u)**です", "p[前**<u 語>**です]");
    check("**太*「斜」*体**です", "p[**太*「斜」*体**です]");
    check("「**重要**」です。**次**、", "p[「**重要**」です。**次**、]");
    check("- **「項目」**です", "ul[p[**「項目」**です]]");
    check(">**「引用」**です", "q[p[**「引用」**です]]");
    check("|**「頭」**です|\n|---|\n|前**「体」**|", "table:N[**「頭」**です / 前**「体」**]");
    check("\\*\\*「重要」\\*\\*です", "p[**「重要」**です]");
    check("a **b.** c*d.*e", "p[a **b.** c*d.*e]");
    check("`**「重要」**です`", "p[`**「重要」**です`]");
    check("```「**」**\n**「重要」**です\n```", "code:「**」**[**「重要」**です\\n]");
    check(
        "<https://example.jp/*「a」*です>",
        "p[<https://example.jp/*「a」*です https://example.jp/*「a」*です>]",
    );
    check("営業は10~18時、休日は10~16時", "p[営業は10~18時、休日は10~16時]");
}

#[test]
fn line_ends_join() {
    check("漢字\nかな", "p[漢字かな]");
    check("漢字\r\nかな", "p[漢字かな]");
    check("漢字、\n「かな」", "p[漢字、「かな」]");
    check("漢字\nabc\ndef", "p[漢字 abc def]");
    check("漢字\n**かな**\n*abc*\nかな", "p[漢字**かな** *abc* かな]");
    check("**漢字**\nかな", "p[**漢字**かな]");
    check("漢字を\n`code`\n`漢字`\nかな", "p[漢字を `code` `漢字`かな]");
    check("[漢字\n](u)かな [abc\n](u)def", "p[<u 漢字>かな <u abc> def]");
    check("한국\n한국", "p[한국 한국]");
    check("漢字\n{漢字|かんじ}\nかな", "p[漢字(漢字=かんじ)かな]");
    check("漢字\n&copy;", "p[漢字 ©]");
    check("漢字[^a]\nかな\n[^a]\nabc\n[^a]\n\n[^a]: 注\n記", "p[漢字^aかな^a abc ^a] ^a: p[注記]");
    check("漢字<br>\nかな", "p[漢字/かな]");
    check("漢字\n<br>かな", "p[漢字/かな]");
    check("漢字<!-- a -->\nかな", "p[漢字かな]");
    check("葛\u{E0100}\nかな", "p[葛\u{E0100}かな]");
    check("漢字\n![](a.jpg)\nかな", "p[漢字 !<a.jpg  > かな]");
    check("- 漢字\n  かな", "ul[p[漢字かな]]");
    check("見出\nし\n---", "h2[見出し]");
}

#[test]
fn ruby_and_braces() {
    check("{漢字|かんじ}と{漢字|かん|じ}", "p[(漢字=かんじ)と(漢=かん 字=じ)]");
    check("**{漢字|かんじ}**", "p[**(漢字=かんじ)**]");
    check("\\{漢字|かんじ} `{漢字|かんじ}`", "p[{漢字|かんじ} `{漢字|かんじ}`]");
    check("\\\\{漢字|かんじ}", "p[\\(漢字=かんじ)]");
    check("{foo_bar|ふーばー}", "p[(foo_bar=ふーばー)]");
    check("{a} {} {|a} {a", "p[{a} {} {|a} {a]");
    check("&#123;漢字|かんじ}", "p[{漢字|かんじ}]");
    check("| 語 |\n|---|\n| {漢字\\|かんじ}と |", "table:N[語 / (漢字=かんじ)と]");
    check("## 今日の{漢字|かんじ}\n\n## {漢字|かんじ} {#a}", "h2[今日の(漢字=かんじ)] h2#a[(漢字=かんじ)]");
    check_with("前{漢字|か|ん|じ}後", "p[前{漢字|か|ん|じ}後]", &["ruby-mismatch \"{漢字|か|ん|じ}\""]);
}

#[test]
fn footnotes_in_order_of_reference() {
    check(
        "a[^b]c[^a]d[^b]\n\n[^a]: A\n\n[^b]: B[^c]\n\n[^c]: C",
        "p[a^bc^ad^b] ^b: p[B^c] ^a: p[A] ^c: p[C]",
    );
    check("a[^1]\n\n[^1]: A\n\n    - b\n", "p[a^1] ^1: p[A] ul[p[b]]");
    check("[^1]\n\n[^1]: [^1]", "p[^1] ^1: p[^1]");
    check_with("a[^x] \\[^y] `[^z]`", "p[a[^x] [^y] `[^z]`]", &["unknown-footnote \"[^x]\""]);
    check_with(
        "a\n\n[^1]: A[^2]\n\n[^2]: B\n",
        "p[a]",
        &["unused-footnote \"[^1]: A[^2]\"", "unused-footnote \"[^2]: B\""],
    );
    check_with("[^1]\n\n[^1]: A\n\n[^1]: B", "p[^1] ^1: p[A]", &["duplicate-footnote \"[^1]: B\""]);
}

#[test]
fn raw_html_is_left_out() {
    check_with("a<b>c</b><i>d</i>", "p[acd]", &["raw-html \"<b>\"", "raw-html \"<i>\""]);
    check_with("<div>\na\n</div>\n\nb", "p[b]", &["raw-html \"<div>\\na\\n</div>\""]);
    check("<!-- a\n\nb -->\n\nc<br/>d", "p[c/d]");
    check("a<!-- b -->c", "p[ac]");
}

#[test]
fn unsafe_links_are_refused() {
    check_with("a[b](javascript:c)d", "p[abd]", &["unsafe-link \"[b](javascript:c)\""]);
    check_with("<VBScript:a>", "p[VBScript:a]", &["unsafe-link \"<VBScript:a>\""]);
    check_with(
        "<mailmag:name>",
        "p[<mailmag:name mailmag:name>]",
        &["name-without-words \"<mailmag:name>\""],
    );
    check_with("[b](mailmag:age)", "p[<mailmag:age b>]", &["unknown-field \"[b](mailmag:age)\""]);
    check_with("![b](data:image/png,c)", "p[b]", &["unsafe-link \"![b](data:image/png,c)\""]);
    check_with("[b][c]\n\n[c]: java&#115;cript:d", "p[b]", &["unsafe-link \"[b][c]\""]);
}

#[test]
fn a_reserved_character_is_refused() {
    check_with("a\u{E000}b", "p[ab]", &["reserved-character \"\\u{e000}\""]);
}

fn read_sections(text: &str) -> (Vec<Section>, Vec<String>) {
    let source = SourceText::new("009.md", text);
    let mut problems = Vec::new();
    let sections = sections(&source, 0..text.len(), &mut problems);
    (sections, told(&problems))
}

#[test]
fn sections_begin_at_titles() {
    let check = |text: &str, expected: &[&str]| {
        let (sections, _) = read_sections(text);
        let shown: Vec<String> = sections
            .iter()
            .map(|section| {
                let title = section.title.as_ref().map_or("-".to_owned(), |title| inlines(&title.content));
                format!("{title}: {}", show(&section.body))
            })
            .collect();
        assert_eq!(shown, expected, "{text}");
        let outlined: Vec<Option<Heading>> =
            outline(text, 0..text.len()).into_iter().map(|outline| outline.title).collect();
        let titles: Vec<Option<Heading>> = sections.into_iter().map(|section| section.title).collect();
        assert_eq!(outlined, titles, "{text}");
    };
    check("", &[]);
    check("<!-- a -->\n\n[a]: b\n", &[]);
    check("序\n\n# 一\n\nあ\n\n## 小\n\n# 二\n\nい\n", &["-: p[序]", "一: p[あ] h2[小]", "二: p[い]"]);
    check("# 一\n# **「二」**の{漢字|かんじ}\n", &["一: ", "**「二」**の(漢字=かんじ): "]);
    check("題\n===\n\nあ", &["題: p[あ]"]);
    check("# 一\n\n> # 引\n\n- # 項\n", &["一: q[h1[引]] ul[h1[項]]"]);
    check(
        "[a]: /u\n\n# 一\n\n[a][^1]\n\n# 二\n\n[^1]、[a]\n\n[^1]: 注",
        &["一: p[</u a>^1] ^1: p[注]", "二: p[^1、</u a>] ^1: p[注]"],
    );
    check("[^1]: 注\n\n# 一[^1]\n", &["一^1:  ^1: p[注]"]);
    check("```\n# 一\n```\n\n    # 二\n", &["-: code:[# 一\\n] code:[# 二\\n]"]);
    // A fence with a tab behind it: the outline finds what the parser does.
    check("```\n```\t\n# 一\n", &["-: code:[```\\t\\n# 一\\n]"]);
}

#[test]
fn a_title_carries_settings() {
    let text = "序\n\n# **「題」**の名 {#virt-v2v .long corner=技術部コラム author=\"大内 明\" letterspace}\n\n本文\n";
    let (sections, problems) = read_sections(text);
    assert!(problems.is_empty());
    let title = sections[1].title.clone().expect("a title");
    assert_eq!(plain(&title.content), "「題」の名");
    assert_eq!(title.id.as_deref(), Some("virt-v2v"));
    assert_eq!(title.classes, ["long"]);
    let settings: Vec<(&str, Option<&str>, &str)> = title
        .attributes
        .iter()
        .map(|one| (one.key.as_str(), one.value.as_deref(), &text[one.span.clone()]))
        .collect();
    assert_eq!(
        settings,
        [
            ("corner", Some("技術部コラム"), "corner=技術部コラム"),
            ("author", Some("大内 明"), "author=\"大内 明\""),
            ("letterspace", None, "letterspace")
        ]
    );
    assert!(text[title.span.clone()].starts_with("# **") && text[title.span].ends_with('}'));
}

#[test]
fn an_article_gives_up_its_first_title() {
    let check = |text: &str, expected_title: &str, expected: &str| {
        let source = SourceText::new("01.md", text);
        let (title, body) = document(&source, 0..text.len(), &mut Vec::new());
        let title = title.map(|title| plain(&title.content)).unwrap_or_default();
        assert_eq!((title.as_str(), show(&body).as_str()), (expected_title, expected), "{text}");
        let outlined = outline_document(text, 0..text.len()).title;
        assert_eq!(outlined.map(|title| plain(&title.content)).unwrap_or_default(), expected_title);
    };
    check("# 題\n\n本文\n\n# 章\n", "題", "p[本文] h1[章]");
    check("序\n\n# 題\n\n本文", "題", "p[序] p[本文]");
    check("本文", "", "p[本文]");
    check("", "", "");
}

#[test]
fn outlines_tell_what_lists_need() {
    let text = "# 題\n\n**「強」**と\n{漢字|かんじ}。[^1]\n\n```\nab c\n```\n\n次 の\n\n[^1]: 注\n";
    let outline = &outline(text, 0..text.len())[0];
    assert_eq!(outline.excerpt, "「強」と漢字。次 の");
    assert_eq!(outline.characters, "**「強」**と{漢字|かんじ}。[^1]```abc```次の[^1]:注".chars().count());
    let long = "あ".repeat(100) + "\n\n" + &"い".repeat(100);
    let excerpt = outline_document(&long, 0..long.len()).excerpt;
    assert_eq!(excerpt, "あ".repeat(100) + &"い".repeat(20) + "…");
}

#[test]
fn places_are_the_editors_own() {
    let text = "前\n\n**「重要」**です&amp;*「斜」*と{漢字|かんじ}の`符号`[語](u)";
    let source = SourceText::new("a.md", text);
    let (_, document) = document(&source, 0..text.len(), &mut Vec::new());
    let Block::Paragraph(words) = &document.blocks[1] else { panic!("{document:?}") };
    let mut places = Vec::new();
    fn collect(words: &[Inline], places: &mut Vec<usize>) {
        for word in words {
            match word {
                Inline::Text { at, .. } | Inline::Code { at, .. } | Inline::Ruby { at, .. } => {
                    places.push(*at)
                }
                Inline::Link { at, content, .. } => {
                    places.push(*at);
                    collect(content, places);
                }
                Inline::Emphasis(inner) | Inline::Strong(inner) => collect(inner, places),
                other => panic!("{other:?}"),
            }
        }
    }
    collect(words, &mut places);
    let expected = ["「重", "です&", "&amp;", "「斜", "と{", "{漢", "の`", "`符", "[語", "語]"];
    let there: Vec<&str> =
        places.iter().zip(expected).map(|(at, expected)| &text[*at..at + expected.len()]).collect();
    assert_eq!(there, expected);
}

#[test]
fn deep_nesting_is_flattened_and_told_once() {
    let deep = |text: &str| {
        let source = SourceText::new("a.md", text);
        let mut problems = Vec::new();
        let (_, document) = document(&source, 0..text.len(), &mut problems);
        let rules: Vec<&str> = problems.iter().map(|problem| problem.rule).collect();
        let shown = show(&document);
        assert_eq!(shown.matches('終').count(), text.matches('終').count(), "{}", &text[..20]);
        // As deep as the trees are, so deep is what prints them: marks, and brackets of blocks, items and paragraphs.
        let deepest = document.blocks.iter().map(block_depth).max().unwrap_or(0);
        assert!(deepest <= DEEPEST + 1, "{deepest} deep");
        rules.join(" ")
    };
    let many = 10_000;
    assert_eq!(deep(&(">".repeat(many) + "終")), "nested-too-deep");
    assert_eq!(deep(&(">".repeat(many) + "終\n" + &"終\n".repeat(many))), "nested-too-deep");
    assert_eq!(deep(&("- ".repeat(many) + "終\n" + &"終\n".repeat(many))), "nested-too-deep");
    assert_eq!(deep(&("> 1. ".repeat(many) + "終")), "nested-too-deep");
    assert_eq!(deep(&("*a _b ".repeat(many) + "終" + &"_ *".repeat(many))), "nested-too-deep");
    assert_eq!(deep(&("> - ".repeat(40) + "```\n終")), "nested-too-deep");
    assert_eq!(
        deep(&("> ".repeat(40) + "|終|\n" + &"> ".repeat(40) + "|--|\n" + &"> ".repeat(40) + "|終|")),
        "nested-too-deep"
    );
    assert_eq!(deep(&("> ".repeat(40) + "終\n" + &"> ".repeat(40) + ": 終")), "nested-too-deep");
    assert_eq!(deep(&("[".repeat(many) + "終")), "");
    assert_eq!(deep(&("*a ".repeat(many) + "終")), "");
    assert_eq!(deep(&("> ".repeat(30) + "終")), "");
    let footnotes = "[^a]終\n\n".to_owned() + &"[^a]: > ".repeat(many) + "終";
    assert_eq!(deep(&footnotes).matches("nested-too-deep").count(), 1);
}

proptest! {
    #[test]
    fn any_text_becomes_a_document(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "#", "# ", "## ", "\n", "\n\n", "\r\n", " ", "    ", "*", "**", "***", "_", "~~", "~", "`", "```\n", "> ", "- ",
                "1. ", "[", "](", ")", "![", "[^a]", "[^a]: ", "[^b]", "|", "|\n|--|\n", "{", "}", "{漢字|かん|じ}", "{漢字|かんじ}",
                "{#a b=c}", "\\", "&amp;", "&", "<b>", "<br>", "<!--", "-->", "<https://a/>", ": ", "「", "」", "。", "漢字", "かな", "a", "b c",
                "---", "===", "[ ] ", "\u{E000}", "\u{E0100}", "\u{3000}", "😀", "\t", "\0", "[a]: u\n", "한",
            ]).prop_map(str::to_owned),
            ".{0,3}",
        ], 0..40),
    ) {
        let text = pieces.concat();
        let source = SourceText::new("a.md", text.as_str());
        let mut problems = Vec::new();
        let sections = sections(&source, 0..text.len(), &mut problems);
        for problem in &problems {
            let Place::Span(_, span) = &problem.place else { panic!("no place") };
            prop_assert!(text.get(span.clone()).is_some());
        }
        for section in &sections {
            places_hold(&source, &section.body);
            let shown = show(&section.body);
            prop_assert!(!shown.contains(MARK));
        }
        let outlines = outline(&text, 0..text.len());
        prop_assert_eq!(outlines.len(), sections.len());
        for (outline, section) in outlines.iter().zip(&sections) {
            prop_assert_eq!(&outline.title, &section.title);
        }
    }
}
