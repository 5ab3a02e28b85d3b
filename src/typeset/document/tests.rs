use super::*;
use crate::model::{Alignment, Footnote, RubyGroup};

fn text(words: &str) -> Inline {
    Inline::Text { text: words.into(), at: 7 }
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph(vec![text(words)])
}

fn heading(level: u8, words: &str) -> Block {
    Block::Heading { level, id: None, content: vec![text(words)] }
}

fn link(url: &str, words: &str) -> Inline {
    let content = if words.is_empty() { Vec::new() } else { vec![text(words)] };
    Inline::Link { url: url.into(), content, at: 0 }
}

fn picture(url: &str, alt: &str, title: &str) -> Inline {
    Inline::Image { url: url.into(), alt: alt.into(), title: title.into(), at: 0 }
}

fn item(blocks: Vec<Block>) -> Item {
    Item { task: None, blocks }
}

fn list(start: Option<u64>, tight: bool, items: Vec<Vec<Block>>) -> Block {
    Block::List { start, tight, items: items.into_iter().map(item).collect() }
}

fn code(text: &str) -> Block {
    Block::Code { language: String::new(), text: text.into(), at: 0 }
}

fn definition(terms: &[&str], details: Vec<Vec<Block>>) -> Definition {
    Definition { terms: terms.iter().map(|term| vec![text(term)]).collect(), details }
}

fn reference(name: &str) -> Inline {
    Inline::FootnoteReference { name: name.into() }
}

fn on_the_blog(url: &str) -> String {
    if url.contains("://") { url.to_owned() } else { format!("https://b.jp/{url}") }
}

fn manner(width: usize) -> Manner<'static> {
    Manner {
        typesetting: Typesetting::default().with_width(width),
        emphasis: Emphasis::Drop,
        links: Links::Notes,
        tables: Tables::Box,
        layout: Layout::Open,
        address: &on_the_blog,
    }
}

#[track_caller]
fn check_in(manner: Manner<'_>, blocks: Vec<Block>, expected: &str) {
    let set = document(&Document { blocks, footnotes: Vec::new() }, &manner, None);
    assert_eq!(set.text(), expected, "\n{}\n", set.text());
}

#[track_caller]
fn check(blocks: Vec<Block>, expected: &str) {
    check_in(manner(24), blocks, expected);
}

#[track_caller]
fn check_words(content: Vec<Inline>, expected: &str) {
    check_in(manner(60), vec![Block::Paragraph(content)], expected);
}

#[test]
fn blocks_are_parted_by_one_blank_line() {
    check(
        vec![paragraph("一"), heading(2, "二"), paragraph("三"), code("四\n\n五\n"), paragraph("六")],
        "一\n\n■二\n\n三\n\n四\n\n五\n\n六",
    );
    check(vec![], "");
    check(vec![Block::Quote(vec![]), paragraph("一"), Block::Quote(vec![]), paragraph("二")], "一\n\n二");
}

#[test]
fn headings_have_marks_and_hang() {
    for (level, mark) in [(1, "■"), (2, "■"), (3, "●"), (4, "◆"), (5, "◇"), (6, "◇")] {
        check(vec![heading(level, "題")], &format!("{mark}題"));
    }
    check(vec![heading(2, "あいうえおかきくけこさしすせそ")], "■あいうえおかきくけこさ\n  しすせそ");
    let content = vec![text("上"), Inline::HardBreak, text("下")];
    check(vec![Block::Heading { level: 2, id: None, content }], "■上 下");
}

#[test]
fn lists_hang_by_their_marks() {
    check(
        vec![list(
            None,
            true,
            vec![vec![paragraph("あいうえおかきくけこさしすせそ")], vec![paragraph("二")]],
        )],
        "・あいうえおかきくけこさ\n  しすせそ\n・二",
    );
    let nested = list(None, true, vec![vec![paragraph("二"), list(None, true, vec![vec![paragraph("三")]])]]);
    check(vec![list(None, true, vec![vec![paragraph("一"), nested]])], "・一\n  ・二\n    ・三");
    check(
        vec![
            list(None, false, vec![vec![paragraph("一"), paragraph("二")], vec![paragraph("三")]]),
            paragraph("四"),
        ],
        "・一\n\n  二\n\n・三\n\n四",
    );
    check(vec![list(None, true, vec![vec![], vec![paragraph("二")]])], "・\n・二");
    check(vec![list(None, true, vec![vec![list(None, true, vec![vec![paragraph("一")]])]])], "・・一");
    check(vec![list(None, true, vec![vec![paragraph("一"), code("\tx\n")]])], "・一\n          x");
}

#[test]
fn numbers_are_aligned() {
    check(
        vec![list(Some(9), true, vec![vec![paragraph("あいうえおかきくけこさ")], vec![paragraph("二")]])],
        " 9. あいうえおかきくけこ\n    さ\n10. 二",
    );
    check(
        vec![list(Some(u64::MAX), true, vec![vec![], vec![]])],
        "18446744073709551615.\n18446744073709551615.",
    );
}

#[test]
fn tasks_show_whether_they_are_done() {
    let tasks = |start| Block::List {
        start,
        tight: true,
        items: vec![
            Item { task: Some(true), blocks: vec![paragraph("済")] },
            Item { task: Some(false), blocks: vec![paragraph("未")] },
        ],
    };
    check(vec![tasks(None)], "[x] 済\n[ ] 未");
    check(vec![tasks(Some(1))], "1. [x] 済\n2. [ ] 未");
}

#[test]
fn quotes_repeat_their_mark() {
    check(
        vec![
            Block::Quote(vec![paragraph("あいうえおかきくけこさしす"), Block::Quote(vec![paragraph("二")])]),
            paragraph("三"),
        ],
        "> あいうえおかきくけこさ\n> しす\n>\n> > 二\n\n三",
    );
    check(
        vec![Block::Quote(vec![list(
            None,
            true,
            vec![vec![paragraph("一"), Block::Quote(vec![code("a\n\nb\n")])]],
        )])],
        "> ・一\n>   > a\n>   >\n>   > b",
    );
    check(
        vec![list(None, true, vec![vec![Block::Quote(vec![paragraph("一"), paragraph("二")])]])],
        "・> 一\n  >\n  > 二",
    );
}

#[test]
fn deep_nesting_keeps_a_measure() {
    let mut block = paragraph("あいうえおかきくけこさ");
    for _ in 0..30 {
        block = Block::Quote(vec![block]);
    }
    let set = document(&Document { blocks: vec![block], footnotes: vec![] }, &manner(24), None);
    assert_eq!(
        set.lines,
        [format!("{}あいうえおかきくけこ", "> ".repeat(30)), format!("{}さ", "> ".repeat(30))]
    );
}

#[test]
fn code_is_never_filled() {
    let long = "x ".repeat(50) + "y";
    check(vec![code(&format!("{long}\n\n\ty\n"))], &format!("{long}\n\n        y"));
}

#[test]
fn tables_are_drawn_or_listed() {
    let row = |cells: [&str; 2]| cells.map(|cell| vec![text(cell)]).to_vec();
    let table = |cell: &str| Block::Table {
        alignments: vec![Alignment::Left, Alignment::Right],
        head: row(["項目", "値"]),
        rows: vec![row(["甲", "1"]), row(["乙", cell])],
    };
    let ascii = Manner { tables: Tables::Ascii, ..manner(24) };
    check_in(
        ascii,
        vec![Block::Quote(vec![table("20")])],
        "> +------+----+\n> | 項目 | 値 |\n> +------+----+\n> | 甲   |  1 |\n> | 乙   | 20 |\n> +------+----+",
    );
    check(vec![table("20")], "┌──┬─┐\n│項目│値│\n├──┼─┤\n│甲  │ 1│\n│乙  │20│\n└──┴─┘");
    let too_wide = Document { blocks: vec![table("https://example.jp/too-wide")], footnotes: vec![] };
    let set = document(&too_wide, &manner(24), None);
    assert_eq!(set.text(), "項目: 甲\n値: 1\n\n項目: 乙\n値: https://example.jp/too-wide");
    assert_eq!(set.undrawn_tables, [7]);
}

#[test]
fn definitions_are_aligned_or_indented() {
    let short = vec![
        definition(&["発行"], vec![vec![paragraph("あいうえおかきくけこさ")]]),
        definition(&["URL"], vec![vec![paragraph("一")], vec![paragraph("二")]]),
    ];
    check_in(
        manner(28),
        vec![Block::Definitions(short)],
        "発行 : あいうえおかきくけこ\n       さ\nURL  : 一\n     : 二",
    );
    let long = vec![definition(&["とてもながい", "語"], vec![vec![paragraph("一"), paragraph("二")]])];
    check(vec![Block::Definitions(long)], "とてもながい\n語\n  一\n\n  二");
}

#[test]
fn a_rule_is_centred() {
    check(vec![Block::Rule], "       ＊　＊　＊");
}

#[test]
fn inlines_become_words() {
    let emphasised = vec![
        Inline::Emphasis(vec![text("甲")]),
        Inline::Strong(vec![text("乙")]),
        Inline::Strikethrough(vec![text("丙")]),
        Inline::Code { text: "丁".into(), at: 0 },
    ];
    check_words(emphasised.clone(), "甲乙~~丙~~丁");
    let keep = Manner { emphasis: Emphasis::Keep, ..manner(60) };
    check_in(keep, vec![Block::Paragraph(emphasised)], "*甲***乙**~~丙~~丁");
    let group = |base: &str, reading: &str| RubyGroup { base: base.into(), reading: reading.into() };
    check_words(
        vec![Inline::Ruby { groups: vec![group("漢", "かん"), group("字", "じ")], at: 0 }],
        "漢字(かんじ)",
    );
    check_words(vec![text("一"), Inline::HardBreak, text("二")], "一\n二");
    check_words(vec![text("一"), reference("none")], "一");
}

#[test]
fn links_are_numbered_or_on_their_own_line() {
    let links = vec![
        link("https://a.jp/", "甲"),
        text("、"),
        link("notes.pdf", "乙"),
        text("、"),
        link("https://a.jp/", "丙"),
        text("、"),
        link("https://c.jp/", "https://c.jp/"),
        text("、"),
        link("mailto:m@d.jp", "m@d.jp"),
        text("、"),
        link("mailto:m@d.jp", "丁"),
        text("、"),
        link("#below", "戊"),
        text("、"),
        link("https://e.jp/", ""),
    ];
    check_in(
        manner(80),
        vec![Block::Paragraph(links.clone()), paragraph("後")],
        "甲[1]、乙[2]、丙[1]、https://c.jp/、m@d.jp、丁[3]、戊、https://e.jp/\n\n後\n\n\
         [1] https://a.jp/\n[2] https://b.jp/notes.pdf\n[3] m@d.jp",
    );
    check_in(
        Manner { links: Links::Line, ..manner(80) },
        vec![
            Block::Paragraph(links),
            heading(2, "題"),
            Block::Quote(vec![Block::Paragraph(vec![link("q", "引")])]),
        ],
        "甲、乙、丙、https://c.jp/、m@d.jp、丁、戊、https://e.jp/\nhttps://a.jp/\nhttps://b.jp/notes.pdf\nm@d.jp\n\n\
         ■題\n\n> 引\n> https://b.jp/q",
    );
}

#[test]
fn a_number_stays_with_its_word() {
    check(
        vec![Block::Paragraph(vec![text("あいうえおかきくけ"), link("https://a.jp/", "こさし"), text("す")])],
        "あいうえおかきくけこさ\nし[1]す\n\n[1] https://a.jp/",
    );
}

#[test]
fn pictures_are_captions_with_addresses() {
    check_words(vec![picture("rack.jpg", "棚", "")], "[画像] 棚\nhttps://b.jp/rack.jpg");
    check_words(vec![picture("rack.jpg", "棚", "新しい棚")], "[画像] 新しい棚\nhttps://b.jp/rack.jpg");
    check_words(vec![picture("rack.jpg", "", "")], "[画像] https://b.jp/rack.jpg");
    check_words(
        vec![text("これが"), picture("rack.jpg", "棚", ""), text("です。")],
        "これが棚[1]です。\n\n[1] https://b.jp/rack.jpg",
    );
}

#[test]
fn footnotes_stand_at_the_end_before_the_addresses() {
    let blocks = vec![
        Block::Paragraph(vec![text("一"), reference("a"), text("二"), reference("b"), reference("a")]),
        paragraph("三"),
    ];
    let footnotes = vec![
        Footnote { name: "a".into(), blocks: vec![Block::Paragraph(vec![text("注"), link("x", "甲")])] },
        Footnote {
            name: "b".into(), blocks: vec![paragraph("ながいながいながい注"), paragraph("続き")]
        },
    ];
    let set = document(&Document { blocks, footnotes }, &manner(25), None);
    assert_eq!(
        set.text(),
        "一[*1]二[*2][*1]\n\n三\n\n[*1] 注甲[1]\n[*2] ながいながいながい注\n     続き\n\n[1] https://b.jp/x"
    );
}

#[test]
fn the_author_runs_in_after_the_last_paragraph() {
    let cases: [(Vec<Block>, &str); 8] = [
        (vec![paragraph("一"), paragraph("二。")], "一\n\n二。(宮原)"),
        (vec![paragraph("あいうえおかきくけこ")], "あいうえおかきくけこ\n(宮原)"),
        (vec![paragraph("一"), code("x\n")], "一\n\nx\n\n(宮原)"),
        (vec![Block::Quote(vec![paragraph("一")])], "> 一\n\n(宮原)"),
        (vec![Block::Paragraph(vec![picture("p", "図", "")])], "[画像] 図\nhttps://b.jp/p\n\n(宮原)"),
        (vec![], "(宮原)"),
        (
            vec![Block::Paragraph(vec![text("一 "), link("http://a.jp/", "http://a.jp/")])],
            "一 http://a.jp/\n(宮原)",
        ),
        (vec![paragraph("一 http://a.jp/ 二")], "一 http://a.jp/ 二(宮原)"),
    ];
    for (blocks, expected) in cases {
        let set = document(&Document { blocks, footnotes: vec![] }, &manner(24), Some("(宮原)"));
        assert_eq!(set.text(), expected);
    }
}

#[test]
fn the_compact_layout_is_for_standing_words() {
    let compact = Manner { layout: Layout::Compact, ..manner(24) };
    check_in(
        compact,
        vec![
            heading(1, "配信停止"),
            paragraph("あいうえおかきくけこさし。"),
            Block::Paragraph(vec![link("https://a.jp/", "https://a.jp/")]),
            heading(1, "連絡"),
            Block::Definitions(vec![
                definition(&["発行"], vec![vec![paragraph("甲")]]),
                definition(&["URL"], vec![vec![paragraph("https://a.jp/")]]),
            ]),
            list(None, false, vec![vec![paragraph("一")], vec![paragraph("二")]]),
        ],
        "■配信停止\n  あいうえおかきくけこさ\n  し。\n  https://a.jp/\n\n■連絡\n  発行 : 甲\n  URL  : https://a.jp/\n  ・一\n  ・二",
    );
    check_in(compact, vec![paragraph("前"), heading(1, "題"), heading(3, "小")], "  前\n\n■題\n  ●小");
    let set = document(&Document::default(), &compact, Some("(宮原)"));
    assert_eq!(set.text(), "  (宮原)");
}
