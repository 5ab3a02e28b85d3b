use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::config;
use crate::diagnostic::SourceText;
use crate::model::{Alias, Author, InMail, Issue, Page, Typesetting};
use crate::picture::{Fault, Narrower, Picture};
use crate::search::Terms;
use crate::source;

mod machines;

const SETTINGS: &str = "[magazine]\nname = \"通<信>\"\npublisher = \"編集部 & 友\"\n\
    [mail]\nfrom = \"news@example.jp\"\nsubject = \"Vol.\"\n[authors.mizuno]\nname = \"水野\"\n\
    [blog]\nurl = \"https://example.jp/mag\"\n[blog.tags]\n\"文字コード\" = \"charset\"\n";

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn settings() -> Config {
    let mut problems = Vec::new();
    config::parse(&SourceText::new("mailmag.toml", SETTINGS), &mut problems).expect("the settings are good")
}

fn article(title: &str, slug: &str) -> Article {
    Article {
        title: title.into(),
        slug: slug.into(),
        author: Some(Author { key: Some("mizuno".into()), name: "水野".into() }),
        corner: Some("小話".into()),
        tags: vec!["文字コード".into(), "C#".into()],
        aliases: Vec::new(),
        in_mail: InMail::Full,
        letterspace: false,
        typesetting: Typesetting::default(),
        excerpt: format!("{title}の話"),
        minutes: 3,
    }
}

fn issue(number: u32, date: &str, articles: Vec<Article>) -> Issue {
    Issue {
        number,
        label: format!("{number:03}"),
        date: date.parse().expect("a date"),
        next_date: None,
        contents: None,
        subject: None,
        tags: vec!["号".into()],
        aliases: Vec::new(),
        draft: false,
        articles,
        attachments: Vec::new(),
        finished: false,
    }
}

fn magazine() -> Magazine {
    let post = Post {
        title: HOSTILE.into(),
        slug: "hello".into(),
        date: "2010-06-01".parse().expect("a date"),
        author: None,
        tags: vec!["CI/CD".into()],
        aliases: Vec::new(),
        draft: false,
        excerpt: HOSTILE.into(),
        minutes: 1,
    };
    Magazine {
        issues: vec![
            issue(9, "2009-12-25", vec![article("年末", "year-end")]),
            issue(
                10,
                "2010-05-14",
                vec![article("一", "one"), article(HOSTILE, "two"), article("三", "日本")],
            ),
        ],
        posts: vec![post],
        pages: vec![Page {
            title: "購読".into(),
            slug: "subscribe".into(),
            aliases: Vec::new(),
            excerpt: String::new(),
        }],
    }
}

/// So many articles that lists are spread over several pages.
fn long_magazine() -> Magazine {
    let issues = (0..300).map(|at| {
        let date = format!("{}-{:02}-{:02}", 2001 + at / 120, 1 + at % 12, 1 + at % 28);
        issue(at + 1, &date, vec![article("一", "one"), article("二", "two")])
    });
    Magazine { issues: issues.collect(), ..magazine() }
}

fn words(path: &str, markdown: &str) -> Text {
    let source: Arc<SourceText> = SourceText::new(path, markdown);
    let (_, document) = source::document(&source, 0..markdown.len(), &mut Vec::new());
    Text { source, document }
}

fn texts(issue: &Issue) -> IssueTexts {
    let text = || {
        words("content/issues/010/a.md", "本文です。\n\n![棚](rack.jpg)\n\n## 見出し\n\n<b>&[^1]\n\n[^1]: 注")
    };
    IssueTexts {
        opening: Some(words("content/issues/010/index.md", "はじめに[^1]\n\n## 号\n\n[^1]: 注")),
        articles: issue.articles.iter().map(|_| text()).collect(),
        sent: None,
    }
}

fn has_file(path: &str) -> bool {
    path == "content/issues/010/rack.jpg"
}

fn picture(_: &str) -> Result<Picture, Fault> {
    let narrow = |width: u32| Narrower { width, mark: format!("{width}.0123abcd"), ending: "jpg" };
    Ok(Picture { size: Some((1300, 650)), is_raster: true, narrower: vec![narrow(480), narrow(960)] })
}

/// Every page of a magazine, by its path.
fn blog(magazine: &Magazine) -> BTreeMap<String, String> {
    let (config, theme) = (settings(), Theme::new(&[]).expect("the built-in templates are good"));
    let highlighter = Highlighter::default();
    let site =
        Site::new(&config, magazine, &theme, &has_file, &picture, &highlighter).expect("no collisions");
    let mut made = Vec::new();
    let mut of_issues = Vec::new();
    for (index, issue) in magazine.issues.iter().enumerate() {
        of_issues.push(texts(issue));
        let around = site.around_issue(index);
        made.push(site.render_issue(around, &of_issues[index], "┏━┓\nhttps://example.jp/\n", "abc"));
    }
    let text = words("content/posts/hello.md", "投稿");
    made.extend((0..magazine.posts.len()).map(|post| site.render_post(post, &text)));
    made.extend((0..magazine.pages.len()).map(|page| site.render_page(page, &text)));
    made.extend(site.lists().into_iter().map(|list| site.render_list(list, None)));
    let term = Term { word: "禁則".into(), reading: Some("きんそく".into()) };
    let entries = if magazine.posts.is_empty() { Vec::new() } else { vec![(Entry::Post(0), vec![term])] };
    made.push(site.render_index_of_terms(&entries, None));
    let entries: Vec<(Entry, &Text)> = site
        .feed_entries()
        .into_iter()
        .map(|entry| match entry {
            Entry::Article(issue, article) => (entry, &of_issues[issue].articles[article]),
            _ => (entry, &text),
        })
        .collect();
    made.push(site.render_feed(&entries));
    let mut files = BTreeMap::new();
    for file in made.into_iter().flat_map(|pages| pages.expect("every page can be made").files) {
        let page = String::from_utf8(file.bytes).expect("pages are UTF-8");
        assert_eq!(files.insert(file.path.clone(), page), None, "{} is made twice", file.path);
    }
    files
}

#[test]
fn every_address_has_its_page() {
    let blog = blog(&magazine());
    let paths: Vec<&str> = blog.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "404.html",
            "archive/2009/index.html",
            "archive/2010/index.html",
            "archive/index.html",
            "atom.xml",
            "authors/index.html",
            "authors/mizuno/index.html",
            "corners/index.html",
            "corners/小話/index.html",
            "feed.json",
            "index-of-terms/index.html",
            "index.html",
            "issues/009/index.html",
            "issues/010/index.html",
            "issues/010/one/index.html",
            "issues/010/two/index.html",
            "issues/010/日本/index.html",
            "posts/hello/index.html",
            "posts/index.html",
            "robots.txt",
            "rss.xml",
            "search/index.html",
            "sitemap.xml",
            "subscribe/index.html",
            "tags/c/index.html",
            "tags/charset/index.html",
            "tags/ci-cd/index.html",
            "tags/index.html",
            "tags/号/index.html",
        ]
    );
    // Every internal link of every page leads to one of them.
    for (path, page) in &blog {
        for link in page.split("href=\"/mag/").skip(1) {
            let link = link.split(['"', '#']).next().unwrap_or_default();
            let encoded: BTreeMap<String, &String> = blog
                .keys()
                .map(|path| (crate::address::encode_path(path.trim_end_matches("index.html")), path))
                .collect();
            let assets = crate::theme::Assets::built_in("");
            let is_asset = assets.files().any(|(_, asset)| asset.published == link);
            assert!(is_asset || encoded.contains_key(link), "{path} links to {link}");
        }
    }
}

#[test]
fn nothing_hostile_gets_through_and_every_page_has_one_head() {
    for (path, page) in blog(&magazine()) {
        if path == "feed.json" {
            continue; // A title is no HTML there.
        }
        let scripts = page.matches("<script").count();
        let data = page.matches("<script type=\"application/ld+json\">{").count();
        // The other scripts are files of the blog's own.
        let files = page.matches("<script type=\"module\" src=\"/").count();
        assert_eq!((scripts, page.matches("</script>").count()), (data + files, data + files), "{path}");
        if path.ends_with(".html") {
            assert_eq!(page.matches("<h1").count(), 1, "{path}");
            assert_eq!(page.matches("<main").count(), 1, "{path}");
            assert!(page.starts_with("<!doctype html>\n<html lang=\"ja\">"), "{path}");
            assert!(!page.contains("style=") && !page.contains("onclick"), "{path}");
            let ids: Vec<&str> =
                page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            let distinct: HashSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), distinct.len(), "{path}: {ids:?}");
        }
    }
}

#[test]
fn the_xml_is_well_formed_and_says_what_it_should() {
    let blog = blog(&magazine());
    let feed = roxmltree::Document::parse(&blog["atom.xml"]).expect("atom.xml is XML");
    let all = |name: &'static str| {
        feed.descendants().filter(move |node| node.has_tag_name(("http://www.w3.org/2005/Atom", name)))
    };
    let titles: Vec<&str> = all("title").filter_map(|node| node.text()).collect();
    assert_eq!(titles, ["通<信>", HOSTILE, "一", HOSTILE, "三", "年末"]);
    let ids: Vec<&str> = all("id").filter_map(|node| node.text()).collect();
    assert_eq!(
        ids[..3],
        [
            "https://example.jp/mag/",
            "tag:example.jp,2010-06-01:/posts/hello/",
            "tag:example.jp,2010-05-14:/issues/010/one/"
        ]
    );
    assert_eq!(all("updated").next().and_then(|node| node.text()), Some("2010-06-01T00:00:00+09:00"));
    let content = all("content").nth(1).and_then(|node| node.text()).unwrap_or_default();
    assert!(content.contains("<img src=\"https://example.jp/mag/issues/010/rack.jpg\""), "{content}");
    assert!(content.contains("id=\"e2-section-1\"") && content.contains("href=\"#e2-fn-1\""), "{content}");

    let sitemap = roxmltree::Document::parse(&blog["sitemap.xml"]).expect("sitemap.xml is XML");
    let places: Vec<&str> = sitemap
        .descendants()
        .filter(|node| node.has_tag_name("loc"))
        .filter_map(|node| node.text())
        .collect();
    assert!(places.contains(&"https://example.jp/mag/issues/010/%E6%97%A5%E6%9C%AC/"), "{places:?}");
    assert!(blog["robots.txt"].ends_with("Sitemap: https://example.jp/mag/sitemap.xml\n"));
}

#[test]
fn pages_say_what_belongs_to_them() {
    let blog = blog(&magazine());
    let article = &blog["issues/010/one/index.html"];
    for part in [
        "<link rel=\"canonical\" href=\"https://example.jp/mag/issues/010/one/\">",
        "<title>一 | 通&lt;信&gt;</title>",
        "<time datetime=\"2010-05-14\">2010年5月14日</time>",
        "約3分",
        "<a rel=\"tag\" href=\"/mag/tags/charset/\">文字コード</a>",
        "<a rel=\"prev\" href=\"/mag/issues/009/\"><span>連載の前回</span> 年末</a>",
        "<a rel=\"next\" href=\"/mag/issues/010/two/\">",
        "<a class=\"subscribe\" href=\"/mag/subscribe/\">",
        "<h2 id=\"section-1\">見出し</h2>",
    ] {
        assert!(article.contains(part), "{part}\n{article}");
    }
    // Both editions stand on an issue's page, be it of several articles or of one.
    let frame = "<pre>\n┏━┓\n<a href=\"https://example.jp/\">https://example.jp/</a>\n</pre>";
    for path in ["issues/009/index.html", "issues/010/index.html"] {
        let issue = &blog[path];
        assert!(issue.contains(frame) && issue.contains("<code>abc</code>"), "{issue}");
        assert!(issue.contains("<p>はじめに<sup"), "{issue}");
    }
    assert!(blog["issues/009/index.html"].contains("<h1>年末</h1>"));
    assert!(!article.contains("id=\"mail\"") && !article.contains("はじめに"), "{article}");
    // The call to subscribe comes before everything else of a back number.
    for path in ["issues/009/index.html", "issues/010/index.html", "issues/010/one/index.html"] {
        assert!(blog[path].contains("<main id=\"main\">\n<aside class=\"call\""), "{path}");
    }
}

#[test]
fn the_search_knows_every_page_by_its_day() {
    let (config, theme, magazine) = (settings(), Theme::new(&[]).expect("good"), magazine());
    let highlighter = Highlighter::default();
    let site =
        Site::new(&config, &magazine, &theme, &has_file, &picture, &highlighter).expect("no collisions");
    let mut terms = SearchTerms::of(&magazine);
    for (index, issue) in magazine.issues.iter().enumerate() {
        terms.issues[index] = IssueTerms::Made(site.issue_terms(index, &texts(issue)));
    }
    let text = words("content/posts/hello.md", "投稿");
    (terms.posts[0], terms.pages[0]) = (site.post_terms(0, &text), site.page_terms(0, &text));
    let (files, order) = site.search_files(&terms, &SearchBefore::default());
    let entries = files.iter().find(|file| file.path == "search/pages-0.json").expect("entries");
    let entries: serde_json::Value = serde_json::from_slice(&entries.bytes).expect("JSON");
    let expected = serde_json::json!([
        ["購読", "/mag/subscribe/", "", ""],
        ["年末", "/mag/issues/009/", "Vol.009", "2009-12-25"],
        ["通<信> Vol.010", "/mag/issues/010/", "", "2010-05-14"],
        ["一", "/mag/issues/010/one/", "Vol.010", "2010-05-14"],
        [HOSTILE, "/mag/issues/010/two/", "Vol.010", "2010-05-14"],
        ["三", "/mag/issues/010/%E6%97%A5%E6%9C%AC/", "Vol.010", "2010-05-14"],
        [HOSTILE, "/mag/posts/hello/", "ブログ", "2010-06-01"],
    ]);
    assert_eq!(entries, expected);
    assert_eq!(order, [None, Some(9), Some(10), Some(10), Some(10), Some(10), None]);
    // The next one needs the terms of those texts alone that are others.
    let left = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.bytes.clone());
    let before = SearchBefore::read(&order, &left).expect("it is an index");
    assert!(SearchBefore::read(&order[1..], &left).is_none(), "of as many pages");
    assert!(before.has(9, 1) && before.has(10, 4) && !before.has(10, 3) && !before.has(11, 1));
    let IssueTerms::Made(of_first) = &terms.issues[0] else { panic!("they were made") };
    let extents = of_first.iter().map(Terms::extent).collect();
    terms.issues[0] = IssueTerms::AsBefore(extents);
    assert_eq!(site.search_files(&terms, &before), (files.clone(), order.clone()));
}

#[test]
fn an_empty_magazine_has_a_blog() {
    let blog = blog(&Magazine::default());
    assert_eq!(
        blog.keys().collect::<Vec<_>>(),
        [
            "404.html",
            "archive/index.html",
            "atom.xml",
            "feed.json",
            "index-of-terms/index.html",
            "index.html",
            "robots.txt",
            "rss.xml",
            "search/index.html",
            "sitemap.xml"
        ]
    );
    assert!(roxmltree::Document::parse(&blog["atom.xml"]).is_ok());
}

#[test]
fn two_pages_never_share_an_address() {
    let check = |change: &dyn Fn(&mut Magazine), expected: &str| {
        let (config, theme) = (settings(), Theme::new(&[]).expect("the built-in templates are good"));
        let mut magazine = magazine();
        change(&mut magazine);
        let highlighter = Highlighter::default();
        let problems = Site::new(&config, &magazine, &theme, &has_file, &picture, &highlighter)
            .err()
            .unwrap_or_default();
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages, [expected]);
        assert!(problems.iter().all(|problem| problem.rule == "address-collision" && problem.help.is_some()));
    };
    check(
        &|magazine| magazine.posts[0].tags = vec!["C".into()],
        "the tags `C` and `C#` have one address: /tags/c/",
    );
    check(
        &|magazine| magazine.posts[0].tags = vec!["???".into()],
        "the tag `???` has no character that can stand in an address",
    );
    check(
        &|magazine| magazine.issues[1].articles[0].slug = "Two".into(),
        &format!("the article “一” and the article “{HOSTILE}” have one address: /issues/010/two"),
    );
    check(
        &|magazine| magazine.pages[0].slug = "issues/x".into(),
        "the blog's own /issues and the page “購読” have one address: /issues",
    );
    check(
        &|magazine| magazine.pages[0].slug = "style.css".into(),
        "the theme's file `style.css` and the page “購読” have one address: /style.css",
    );
}

#[test]
fn a_problem_of_a_text_keeps_its_pages_from_being_made() {
    let (config, theme, magazine) = (settings(), Theme::new(&[]).expect("good"), magazine());
    let highlighter = Highlighter::default();
    let site =
        Site::new(&config, &magazine, &theme, &|_| false, &picture, &highlighter).expect("no collisions");
    let problems = site
        .render_issue(site.around_issue(0), &texts(&magazine.issues[0]), "", "")
        .expect_err("the picture is missing");
    assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["missing-picture"]);
}

#[test]
fn an_article_names_its_series_and_what_is_related() {
    let mut magazine = magazine();
    magazine.issues[0].articles[0].tags.push("稀".into());
    magazine.posts[0].tags = vec!["稀".into(), "号".into()];
    let blog = blog(&magazine);
    let article = &blog["issues/010/two/index.html"];
    assert!(article.contains("第3回（全4回）"), "{article}");
    let related = |path: &str| {
        let page = &blog[path];
        page.split("id=\"related\"").nth(1).map(str::to_owned).unwrap_or_default()
    };
    // What stands beside an article in its corner or its issue is shown there, not here.
    assert!(related("issues/010/two/index.html").contains("/mag/issues/009/"));
    assert!(!related("issues/010/two/index.html").contains("/mag/issues/010/one/"));
    assert!(related("issues/009/index.html").contains("/mag/posts/hello/"));
    let post = related("posts/hello/index.html");
    assert!(post.contains("/mag/issues/009/"), "{post}");

    let index = &blog["index-of-terms/index.html"];
    assert!(index.contains("禁則 <span class=\"reading\">きんそく</span>"), "{index}");
    assert!(index.contains("<dt><a href=\"/mag/tags/charset/\">文字コード</a></dt>"), "{index}");
}

#[test]
fn the_files_of_lists_are_those_that_gather() {
    let mut magazine = long_magazine();
    magazine.posts = (2000..2500)
        .map(|at| Post {
            slug: format!("post-{at}"),
            date: format!("{}-01-02", at / 10 * 10).parse().expect("a date"),
            ..magazine.posts[0].clone()
        })
        .collect();
    let (config, theme) = (settings(), Theme::new(&[]).expect("the built-in templates are good"));
    let highlighter = Highlighter::default();
    let site =
        Site::new(&config, &magazine, &theme, &has_file, &picture, &highlighter).expect("no collisions");
    let shown = Shown { fingerprints: &site.fingerprints(false), is_the_same: &|_, _| true };
    let mut spread = 0;
    for list in site.lists() {
        let pages = site.render_list(list, Some(&shown)).expect("every page can be made");
        let gathering: Vec<String> = pages.gathering.into_iter().map(|(path, _)| path).collect();
        spread += usize::from(gathering.len() > 1);
        assert_eq!(site.files_of(list), gathering, "{list:?}");
    }
    assert!(spread > 3, "{spread}");
}

#[test]
fn a_new_issue_concerns_the_pages_near_it_alone() {
    let of_issues = |count: u32| {
        let issues = (1..=count).map(|number| {
            let date =
                NaiveDate::from_ymd_opt(2010, 1, 1).expect("a date") + chrono::Days::new(number.into());
            issue(number, &date.to_string(), vec![Article { corner: None, ..article("一", "one") }])
        });
        Magazine { issues: issues.collect(), posts: Vec::new(), ..magazine() }
    };
    let fingerprints = |magazine: &Magazine| {
        let (config, theme) = (settings(), Theme::new(&[]).expect("the built-in templates are good"));
        let highlighter = Highlighter::default();
        let site =
            Site::new(&config, magazine, &theme, &has_file, &picture, &highlighter).expect("no collisions");
        let shared = site.fingerprints(true);
        let of_issue = |index| site.fingerprint(&site.around_issue(index), &shared);
        (0..magazine.issues.len()).map(of_issue).collect::<Vec<Fingerprint>>()
    };
    let (before, after) = (fingerprints(&of_issues(100)), fingerprints(&of_issues(101)));
    assert_ne!(before[99], after[99], "the last one has a next one now");
    assert_eq!(before[..80], after[..80]);
}

#[test]
fn a_long_list_is_spread_over_its_years() {
    let blog = blog(&long_magazine());
    let front = &blog["corners/小話/index.html"];
    let past = &blog["corners/小話/2001/index.html"];
    assert!(front.contains("2003年") && front.contains("/corners/%E5%B0%8F%E8%A9%B1/2001/"), "{front}");
    assert_eq!(past.matches("<li>\n<h3>").count(), 240);
    let total: usize = blog
        .iter()
        .filter(|(path, _)| path.starts_with("corners/小話/"))
        .map(|(_, page)| page.matches("<li>\n<h3>").count())
        .sum();
    assert_eq!(total, 600);
    assert!(blog["sitemap.xml"].contains("/corners/%E5%B0%8F%E8%A9%B1/2001/"));
}

#[test]
fn links_that_lead_nowhere_are_told() {
    let (config, theme, magazine) = (settings(), Theme::new(&[]).expect("good"), magazine());
    let highlighter = Highlighter::default();
    let site =
        Site::new(&config, &magazine, &theme, &has_file, &picture, &highlighter).expect("no collisions");
    let paths = site.page_paths();
    let check = |markdown: &str, expected: &[(&str, &str)]| {
        let post = words("content/posts/hello.md", "## 節 {#setsu}");
        let page = words("content/pages/subscribe.md", &format!("## 見出し {{#midashi}}\n\n{markdown}"));
        let mut links = site.render_post(0, &post).expect("it can be made").links;
        links.extend(site.render_page(0, &page).expect("it can be made").links);
        let told: Vec<(String, String)> = site
            .broken_links(&paths, &links)
            .into_iter()
            .map(|(_, _, told)| {
                (format!("{:?}: {}", told.level, told.message), told.help.unwrap_or_default())
            })
            .collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(message, help)| ((*message).into(), (*help).into())).collect();
        assert_eq!(told, expected, "{markdown}");
    };
    for good in [
        "[a](/) [b](/issues/010/one/) [c](/issues/010/#mail) [d](/tags/charset/) [e](/authors/mizuno/)",
        "[a](/rss.xml) [b](/feed.json) [c](/search/) [d](/index-of-terms/) [e](/index-of-terms/ka/)",
        "[a](#midashi) [b](#top) [c](#) [d](/posts/hello/#setsu) [e](../posts/hello/index.html#setsu)",
        "[a](https://example.jp/mag/issues/010/) [b](https://example.jp/other/) [c](https://example.com/mag/)",
        "[a](/issues/010/one/#anything) [b](/issues/010) [c](/archive/2010/#x) [d](/atom.xml) [e](mailto:a@b.jp)",
    ] {
        check(good, &[]);
    }
    check(
        "[a](/issues/010/onee/)",
        &[("Error: there is no `/issues/010/onee/` on the blog", "did you mean `/issues/010/one/`?")],
    );
    check(
        "[a](/issues/010/mail/)",
        &[("Error: there is no `/issues/010/mail/` on the blog", "did you mean `/issues/010/one/`?")],
    );
    check("[a](#midasi)", &[("Error: there is no `#midasi` on this page", "did you mean `#midashi`?")]);
    check(
        "[a](/posts/hello/#elsewhere)",
        &[(
            "Error: there is no `#elsewhere` on `/posts/hello/`",
            "give the heading its name: `## … {#elsewhere}`",
        )],
    );
    check(
        "<https://example.jp/mag/tag/charset/>",
        &[("Warning: there is no `/tag/charset/` on the blog", "did you mean `/tags/charset/`?")],
    );
}
