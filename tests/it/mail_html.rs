//! The HTML of a mail: it has the words of the text beside it, and what mailers need.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mailmag::mail;
use mailmag::picture;
use mailmag::source::{self, Content, IssueTexts, RawFile, RawText, Sources};
use mailmag::theme::Theme;

const EVERYTHING: &str = r#"+++
date = 2010-05-14
next-date = 2010-05-28
+++

はじめに。[目次](/about/)と[続き](../009/)。

# 要素を並べる <&> {author=ito corner=道具箱}

段落の*強調*と**重要**と~~取り消し~~と`<code>`、{漢字|かん|じ}[^1]。\
改行の[リンク](https://example.jp/?a=1&b="2")、<https://example.jp/x>、[危ない](javascript:alert(1))、[下](#below)。[読者&amp;](mailmag:name)様、[止める](mailmag:unsubscribe)、<mailmag:unsubscribe>。

![棚の「中」](route.png "図1 棚")

行の中の![絵](route.png)と![絵図](drawing.svg)と![ない](none.png)。

## 見出し {#below}

- 項目
  - 入れ子

    二段落目
- [x] 済んだ

8. 八
9. 九

> 引用
>
> > 孫引き

```rust
fn main() { println!("<b>"); }
```

| 左 | 右 |
|:---|---:|
| い<b> | ろ |

用語
: 意味

---

### 小見出し

終わり。

[^1]: 脚注の`中`。
"#;

const SETTINGS: &str = r#"
[magazine]
name = "小さな通信"
publisher = "編集部"
[mail]
from = "news@example.jp"
subject = "Vol.{{ issue.number }}"
contents = true
html = true
[authors.ito]
name = "伊藤"
[blog]
url = "https://blog.example.jp/m"
[web]
url = "https://list.example.jp"
"#;

fn magazine(sources: Sources) -> Content {
    let (content, problems) = source::parse(sources);
    content.unwrap_or_else(|| panic!("{problems:?}"))
}

fn everything() -> Content {
    let text = |path: &str, text: &str| RawText::new(path, text);
    let issues = Path::new(env!("CARGO_MANIFEST_DIR")).join("content/issues");
    let file = |path: &str, disk: &str| RawFile { path: path.to_owned(), disk: issues.join(disk) };
    magazine(Sources {
        texts: vec![
            text("mailmag.toml", SETTINGS),
            text("content/issues/010.md", EVERYTHING),
            text("content/footer.md", "# 連絡先\n\n編集部\n: news@example.jp\n"),
        ],
        files: vec![
            file("content/issues/route.png", "007/route.png"),
            file("content/issues/drawing.svg", "../../theme/favicon.svg"),
        ],
        ..Sources::default()
    })
}

/// The text and the HTML of an issue's mail.
fn both_forms(content: &Content, index: usize, texts: &IssueTexts) -> (String, Option<String>) {
    let theme = Theme::new(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let text = mail::body(content, index, texts, &theme).expect("the template is good");
    let picture = |path: &str| {
        let octets = fs::read(content.file(path).expect("it is there")).expect("it can be read");
        picture::describe(&octets)
    };
    let html = mail::html(content, index, texts, &theme, "題 <1>", &picture);
    (text.text, html.expect("the template is good").map(|html| html.text))
}

/// How often each letter and digit stands in a text; its addresses and the marks of its notes aside.
fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut letters = BTreeMap::new();
    let is_of_address = |c: char| c.is_ascii_graphic() && !"<>\"".contains(c);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let is_address = ["https://", "http://"].iter().any(|scheme| rest.starts_with(scheme));
        let note = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).filter(|(number, _)| {
            number.bytes().all(|digit| digit.is_ascii_digit()) && !number.is_empty() || *number == "画像"
        });
        if let Some((_, after)) = note {
            rest = after;
        } else if is_address {
            rest = rest.trim_start_matches(is_of_address);
        } else {
            if character.is_alphanumeric() {
                *letters.entry(character).or_default() += 1;
            }
            rest = &rest[character.len_utf8()..];
        }
    }
    letters
}

/// The words that a reader of the HTML sees, numbers of lists among them, and of a picture what is said of it.
fn words(html: &str) -> String {
    let body = html.split_once("<body").expect("it has a body").1.split_once('>').expect("it is a tag").1;
    let mut words = String::new();
    let mut numbers: Vec<Option<u64>> = Vec::new();
    for piece in body.split('<') {
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        let attribute = |name: &str| {
            let (_, value) = tag.split_once(&format!("{name}=\""))?;
            value.split('"').next()
        };
        match tag.split(' ').next().unwrap_or_default() {
            "ol" => {
                numbers.push(Some(attribute("start").map_or(1, |start| start.parse().expect("a number"))))
            }
            "ul" => numbers.push(None),
            "/ol" | "/ul" => drop(numbers.pop()),
            "li" => {
                if let Some(Some(number)) = numbers.last_mut() {
                    words.push_str(&format!(" {number} "));
                    *number += 1;
                }
            }
            "img" if !body.contains(&format!("<{tag}>\n<div")) => {
                words.push_str(attribute("alt").expect("each picture has words"));
            }
            _ => {}
        }
        words.push_str(text);
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(words, |words, (escaped, plain)| words.replace(escaped, plain))
}

#[test]
fn the_html_has_the_words_of_the_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = source::read(root).expect("the sample magazine is there");
    for text in sources.texts.iter_mut().filter(|text| text.path == "mailmag.toml") {
        let settings = String::from_utf8(text.octets.clone()).expect("it is UTF-8");
        // What ISO-2022-JP does not have is written otherwise in the text.
        let settings = settings.replace("charset = \"auto\"", "charset = \"utf-8\"\nhtml = true");
        text.octets = settings.into_bytes();
    }
    let mut seen = 0;
    for content in [magazine(sources), everything()] {
        for (index, issue) in content.magazine.issues.iter().enumerate() {
            let texts = content.issue_sources[index].texts(&mut Vec::new());
            let (text, html) = both_forms(&content, index, &texts);
            let Some(html) = html else {
                assert!(issue.finished, "issue {}", issue.label);
                continue;
            };
            assert_eq!(letters(&words(&html)), letters(&text), "issue {}\n{html}\n{text}", issue.label);
            seen += 1;
        }
    }
    assert!(seen > 5);
}

#[test]
fn mailers_get_what_they_need() {
    let content = everything();
    let texts = content.issue_sources[0].texts(&mut Vec::new());
    let html = both_forms(&content, 0, &texts).1.expect("it is asked for");
    for part in [
        "<html lang=\"ja\">",
        "<title>題 &lt;1&gt;</title>",
        "<a href=\"https://blog.example.jp/m/about/\">目次</a>",
        "<a href=\"https://blog.example.jp/m/009/\">続き</a>",
        ">要素を並べる &lt;&amp;&gt;</h2>",
        "<a href=\"https://example.jp/?a=1&amp;b=%222%22\">リンク</a>、",
        "、危ない、",
        "<a href=\"https://blog.example.jp/m/issues/010/#below\">下</a>",
        "。読者&amp;様、<a href=\"https://list.example.jp/u/samplereadersamplereaderaa\">止める</a>、",
        "、<a href=\"https://list.example.jp/u/samplereadersamplereaderaa\">https://list.example.jp/u/samplereadersamplereaderaa</a>。",
        "<img src=\"https://blog.example.jp/m/issues/route.png\" alt=\"棚の「中」\" width=\"608\" height=\"200\" ",
        "<a href=\"https://blog.example.jp/m/issues/drawing.svg\">[画像] 絵図</a>",
        "とない。",
        "<ol start=\"8\" ",
        "[x] 済んだ",
        "fn main() { println!(&quot;&lt;b&gt;&quot;); }</code></pre>",
        "<th scope=\"col\" ",
        "<rp>(</rp><rt>かん</rt><rp>)</rp>字",
        ">終わり。(伊藤)</p>",
        "<!--[if mso]>",
        "<pre tabindex=\"0\" ",
    ] {
        assert!(html.contains(part), "{part}\n{html}");
    }
    for part in ["<script", "javascript:", "class=", "<style", "href=\"/", "href=\"#", "src=\"/", "@import"] {
        assert!(!html.contains(part), "{part}\n{html}");
    }
    let unstyled = ["<p>", "<li>", "<h2>", "<h3>", "<pre>", "<table>", "<blockquote>", "<ul>", "<ol>"];
    for tag in unstyled {
        assert!(!html.contains(tag), "{tag} has no style\n{html}");
    }
}
