use super::*;
use crate::picture::Narrower;
use crate::source;

const FILES: [&str; 3] =
    ["content/issues/010/rack.jpg", "content/issues/010/図 1.png", "content/issues/010/list.pdf"];

fn picture(path: &str) -> Result<Picture, Fault> {
    let narrow = |width: u32| Narrower { width, mark: format!("{width}.0123abcd"), ending: "jpg" };
    match path {
        "content/issues/010/rack.jpg" => {
            Ok(Picture { size: Some((1300, 650)), is_raster: true, narrower: vec![narrow(480), narrow(960)] })
        }
        "content/issues/010/図 1.png" => {
            Ok(Picture { size: Some((30, 20)), is_raster: true, narrower: vec![] })
        }
        _ => Err(Fault { rule: "broken-picture", message: "is no picture".into(), help: "save it again" }),
    }
}

fn render(markdown: &str, prefix: &str) -> (Html, Vec<Diagnostic>) {
    render_in(Medium::Feed, markdown, prefix)
}

fn render_in(medium: Medium<'_>, markdown: &str, prefix: &str) -> (Html, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let source = SourceText::new("content/issues/010/01-a.md", markdown);
    let (_, document) = source::document(&source, 0..markdown.len(), &mut problems);
    problems.clear();
    let assets = Assets::built_in("");
    let place = Place {
        root: "/mag",
        subscribe: &|| "https://list.example.jp/".to_owned(),
        folder: "content/issues/010",
        prefix,
        top: 2,
        has_file: &|path| FILES.contains(&path),
        picture: &picture,
        assets: &assets,
        medium,
    };
    (html(&document, &source, place, &mut problems), problems)
}

#[track_caller]
fn check(markdown: &str, expected: &str) {
    let (html, problems) = render(markdown, "");
    assert_eq!(html.html, expected, "{markdown}");
    assert_eq!(problems, [], "{markdown}");
}

/// Each problem's rule, and the text it points at.
fn places(problems: &[Diagnostic]) -> Vec<(&str, &str)> {
    let place = |problem: &Diagnostic| match &problem.place {
        crate::diagnostic::Place::Span(source, span) => source.text[span.clone()].to_owned(),
        other => panic!("{other:?}"),
    };
    problems.iter().map(|problem| (problem.rule, &*place(problem).leak())).collect()
}

#[test]
fn code_of_a_page_is_not_told_again() {
    let markdown = "```rust\nlet a = \"<あ>\"; // & '\n```\n\n```\nlet a\n```\n\n```a<b\nlet a\n```\n\n\
        > ```sh,x\n> $ ls\n>\n> # a\n> ```\n\n```diff\n```\n";
    let page = |highlighter: &Highlighter| render_in(Medium::Page(highlighter), markdown, "").0.html;
    let told = page(&Highlighter::default());
    let remembering = |page: &str| {
        let highlighter = Highlighter::default();
        code::remember(page, &highlighter);
        highlighter
    };
    assert_eq!(page(&remembering(&format!("<main>{told}</main>"))), told);
    // What is remembered counts, so that nothing is told anew.
    let other = told.replace("\"kw\"", "\"num\"").replace("\"fn\"", "\"type\"");
    assert_ne!(other, told);
    assert_eq!(page(&remembering(&other)), other);
    // A character that no page has is written as another, which is no reason to take the one for the other.
    let ended_by = |last: char| format!("```sh\nls # a{last}\n```");
    let page_of =
        |highlighter: &Highlighter, last| render_in(Medium::Page(highlighter), &ended_by(last), "").0.html;
    let of_form_feed = remembering(&page_of(&Highlighter::default(), '\u{C}'));
    assert_eq!(page_of(&of_form_feed, '\u{FFFD}'), page_of(&Highlighter::default(), '\u{FFFD}'));
    // Whatever else a page holds is passed over.
    for (written, strange) in [("\"kw\"", "\"x\""), ("</span>", "</b>"), ("<span", "<b"), ("</code>", "")] {
        assert_eq!(page(&remembering(&told.replace(written, strange))), told, "{strange}");
    }
}

#[test]
fn pages_have_classes_in_code_and_links_to_headings() {
    let check = |markdown: &str, expected: &str| {
        let html = render_in(Medium::Page(&Highlighter::default()), markdown, "").0;
        assert_eq!(html.html, expected);
        assert_eq!(html.has_code, markdown.contains("```"));
    };
    check(
        "```rust\nlet a = \"<あ>\"; // &\n```",
        "<pre tabindex=\"0\"><code class=\"language-rust\"><span class=\"kw\">let</span> a = \
         <span class=\"str\">&quot;&lt;あ&gt;&quot;</span>; <span class=\"com\">// &amp;</span>\n</code></pre>\n",
    );
    check("```\nlet a\n```", "<pre tabindex=\"0\"><code>let a\n</code></pre>\n");
    check(
        "## *a* & `b` {#節}",
        "<div class=\"heading\"><h2 id=\"節\"><em>a</em> &amp; <code>b</code></h2>\
         <a class=\"anchor\" href=\"#%E7%AF%80\" aria-label=\"この節へのリンク：a &amp; b\">#</a></div>\n",
    );
    check("##", "<h2 id=\"section-1\"></h2>\n");
}

#[test]
fn links_are_told() {
    let links = "[a](../009/one/#x) [b](#y) [c](/tags/) [d](list.pdf) [e](https://a.jp/?b#c) [f](none.pdf)";
    let html = render(&format!("{links}\n\n## y {{#y}}\n\nz[^1]\n\n[^1]: n"), "").0;
    let told: Vec<(&str, &str)> =
        html.links.iter().map(|link| (link.url.as_str(), &links[link.span()])).collect();
    let urls = ["../009/one/#x", "#y", "/tags/", "https://a.jp/?b#c"];
    assert_eq!(told, urls.map(|url| (url, url)));
    assert!(html.links.iter().all(|link| link.path == "content/issues/010/01-a.md"));
    assert_eq!(html.ids, ["y", "fn-1"]);
}

#[test]
fn blocks() {
    check("a\n\nb  \nc", "<p>a</p>\n<p>b<br>\nc</p>\n");
    check("> a\n>\n> > b", "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n");
    check("---", "<hr>\n");
    check(
        "```rust ignore\nlet a = \"<b>\";\n```",
        "<pre tabindex=\"0\"><code class=\"language-rust\">let a = &quot;&lt;b&gt;&quot;;\n</code></pre>\n",
    );
    check("```\n\na\n```", "<pre tabindex=\"0\"><code>\na\n</code></pre>\n");
    check(
        "文\n: 字\n: 列\n\n  の話",
        "<dl>\n<dt>文</dt>\n<dd>字</dd>\n<dd>\n<p>列</p>\n<p>の話</p>\n</dd>\n</dl>\n",
    );
}

#[test]
fn headings_begin_at_the_second_level_and_have_ids_of_their_own() {
    check("## a", "<h2 id=\"section-1\">a</h2>\n");
    check("#### a\n##### b", "<h2 id=\"section-1\">a</h2>\n<h3 id=\"section-2\">b</h3>\n");
    check("# title\n## a\n# b\n", "<h3 id=\"section-1\">a</h3>\n<h2 id=\"section-2\">b</h2>\n");
    let (html, problems) =
        render("## a {#main}\n## b {#x}\n## c {#x}\n## d {#x-2}\n## e {#section-1}\n## f", "");
    assert_eq!(
        html.html,
        "<h2 id=\"main-2\">a</h2>\n<h2 id=\"x\">b</h2>\n<h2 id=\"x-2\">c</h2>\n<h2 id=\"x-2-2\">d</h2>\n\
         <h2 id=\"section-1\">e</h2>\n<h2 id=\"section-1-2\">f</h2>\n"
    );
    assert_eq!(html.ids, ["main-2", "x", "x-2", "x-2-2", "section-1", "section-1-2"]);
    assert_eq!(
        places(&problems),
        [("duplicate-anchor", "#main"), ("duplicate-anchor", "#x"), ("duplicate-anchor", "#x-2")]
    );
    let many = "## a {#x}\n".repeat(20_000);
    assert!(render(&many, "").0.html.contains("<h2 id=\"x-20000\">"));
}

#[test]
fn lists() {
    check("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n");
    check("1. a\n\n2. b", "<ol>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ol>\n");
    check("3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>\n");
    check("0. a", "<ol start=\"0\">\n<li>a</li>\n</ol>\n");
    check("- a\n  - b\n- c", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n<li>c</li>\n</ul>\n");
    check(
        "- [x] a\n- [ ] b",
        "<ul>\n<li class=\"task\"><label><input type=\"checkbox\" disabled checked> a</label></li>\n\
         <li class=\"task\"><label><input type=\"checkbox\" disabled> b</label></li>\n</ul>\n",
    );
}

#[test]
fn tables_scroll_in_a_frame_and_align_by_class() {
    check(
        "|a|b|c|\n|---|:-:|--:|\n|1|<|3|",
        "<div class=\"table\" role=\"region\" aria-label=\"表1\" tabindex=\"0\"><table>\n<thead>\n<tr>\
         <th scope=\"col\">a</th><th scope=\"col\" class=\"center\">b</th><th scope=\"col\" class=\"right\">c</th>\
         </tr>\n</thead>\n<tbody>\n<tr><td>1</td><td class=\"center\">&lt;</td><td class=\"right\">3</td></tr>\n\
         </tbody>\n</table></div>\n",
    );
}

#[test]
fn words() {
    check("*a* **b** ~~c~~ `<d>`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>&lt;d&gt;</code></p>\n");
    check(
        "{漢字|かん|じ}",
        "<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby></p>\n",
    );
    check("\\<script>&'\"", "<p>&lt;script&gt;&amp;&#39;&quot;</p>\n");
}

#[test]
fn links() {
    for (url, expected) in [
        ("https://example.jp/?a&b", "https://example.jp/?a&amp;b"),
        ("/about/", "/mag/about/"),
        ("../009/", "/mag/issues/009/"),
        ("list.pdf", "/mag/issues/010/list.pdf"),
        ("#x", "#x"),
    ] {
        check(&format!("[a]({url})"), &format!("<p><a href=\"{expected}\">a</a></p>\n"));
    }
    assert_eq!(render("[a](javascript:b)", "").0.html, "<p>a</p>\n");
    assert_eq!(render("[読者](mailmag:name)様", "").0.html, "<p>読者様</p>\n");
    let leaving = "<p><a href=\"https://list.example.jp/\">止める</a></p>\n";
    assert_eq!(render("[止める](mailmag:unsubscribe)", "").0.html, leaving);
    let (html, _) = render("[a](list.pdf) [b](list.pdf) [c](none.pdf)", "");
    let copy = FileCopy {
        from: "content/issues/010/list.pdf".into(),
        to: "issues/010/list.pdf".into(),
        width: None,
    };
    assert_eq!(html.files, [copy]);
}

#[test]
fn pictures_have_their_size_and_narrower_ones() {
    let rack = "<img src=\"/mag/issues/010/rack.jpg\" alt=\"前&lt;面&gt;\" width=\"1300\" height=\"650\" \
        srcset=\"/mag/issues/010/rack.480.0123abcd.jpg 480w, /mag/issues/010/rack.960.0123abcd.jpg 960w, \
        /mag/issues/010/rack.jpg 1300w\" sizes=\"(min-width: 42.5rem) 40rem, 100vw\"";
    check(
        "![前<面>](rack.jpg \"ラック & UPS\")",
        &format!("<figure>{rack} decoding=\"async\"><figcaption>ラック &amp; UPS</figcaption></figure>\n"),
    );
    // The first is loaded at once; a picture may be named from the blog's root, too.
    check(
        "a ![b](図%201.png \"t\")\n\n![前<面>](/issues/010/rack.jpg?x)",
        &format!(
            "<p>a <img src=\"/mag/issues/010/%E5%9B%B3%201.png\" alt=\"b\" title=\"t\" width=\"30\" height=\"20\" \
             decoding=\"async\"></p>\n<figure>{rack} loading=\"lazy\" decoding=\"async\"></figure>\n"
        ),
    );
    let (html, _) = render("![a](rack.jpg) ![b](/issues/010/rack.jpg)", "");
    let copies: Vec<(&str, Option<u32>)> =
        html.files.iter().map(|copy| (copy.to.as_str(), copy.width)).collect();
    let expected = [
        ("issues/010/rack.jpg", None),
        ("issues/010/rack.480.0123abcd.jpg", Some(480)),
        ("issues/010/rack.960.0123abcd.jpg", Some(960)),
    ];
    assert_eq!(copies, expected);
    let preview = html.preview.expect("there is a picture");
    assert_eq!((preview.path.as_str(), preview.width, preview.height), ("issues/010/rack.jpg", 1300, 650));
}

#[test]
fn pictures_of_the_theme_are_shown_under_their_published_names() {
    let (html, problems) = render("![印](/favicon.svg)", "");
    let assets = Assets::built_in("");
    let published = &assets.get("favicon.svg").expect("it is there").published;
    assert!(
        html.html.contains(&format!("<img src=\"/mag/{published}\" alt=\"印\" width=\"")),
        "{}",
        html.html
    );
    assert_eq!((problems, html.files, html.preview), (vec![], vec![], None));
    check("![a](/else.png)", "<figure><img src=\"/mag/else.png\" alt=\"a\" decoding=\"async\"></figure>\n");
}

#[test]
fn pictures_that_cannot_be_shown_are_told_at_their_place() {
    for (markdown, rule, expected) in [
        ("あ ![a](none.png)", "missing-picture", "none.png"),
        ("あ ![a](list.pdf)", "broken-picture", "list.pdf"),
        ("![a](https://example.jp/a.png)", "remote-picture", "https://example.jp/a.png"),
    ] {
        let (html, problems) = render(markdown, "");
        assert!(!html.html.contains("<img"));
        assert_eq!(places(&problems), [(rule, expected)]);
    }
}

#[test]
fn footnotes_lead_there_and_back() {
    let reference = |id: &str| {
        format!(
            "<sup class=\"note\"><a role=\"doc-noteref\" id=\"p-fnref-{id}\" href=\"#p-fn-1\" aria-label=\"注1\">1</a></sup>"
        )
    };
    let back = |id: &str| {
        format!(
            " <a class=\"backlink\" role=\"doc-backlink\" href=\"#p-fnref-{id}\" aria-label=\"本文の注1へ戻る\">↩\u{FE0E}</a>"
        )
    };
    let (html, _) = render("a[^x] b[^x]\n\n[^x]: note", "p-");
    assert_eq!(
        html.html,
        format!(
            "<p>a{} b{}</p>\n\
             <section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"脚注\">\n<ol>\n<li id=\"p-fn-1\">\n\
             <p>note{}{}</p>\n</li>\n</ol>\n</section>\n",
            reference("1"),
            reference("1-2"),
            back("1"),
            back("1-2")
        )
    );
}
