use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::config;
use crate::diagnostic::SourceText;
use crate::model::{Alias, Author, InMail, Issue, Page, Typesetting};
use crate::picture::{Fault, Narrower, Picture};
use crate::source;

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
        characters: 1307,
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
        characters: 0,
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
    let site = Site::new(&config, magazine, &theme, &has_file, &picture).expect("no collisions");
    let mut made = Vec::new();
    let mut of_issues = Vec::new();
    for (index, issue) in magazine.issues.iter().enumerate() {
        of_issues.push(texts(issue));
        made.push(site.render_issue(index, &of_issues[index], "┏━┓\nhttps://example.jp/\n", "abc"));
    }
    let text = words("content/posts/hello.md", "投稿");
    made.extend((0..magazine.posts.len()).map(|post| site.render_post(post, &text)));
    made.extend((0..magazine.pages.len()).map(|page| site.render_page(page, &text)));
    made.extend(site.lists().into_iter().map(|list| site.render_list(list)));
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
        assert_eq!((scripts, page.matches("</script>").count()), (data, data), "{path}");
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
fn all_feeds_have_the_same_entries() {
    let blog = blog(&magazine());
    let atom = roxmltree::Document::parse(&blog["atom.xml"]).expect("atom.xml is XML");
    let rss = roxmltree::Document::parse(&blog["rss.xml"]).expect("rss.xml is XML");
    let json: serde_json::Value = serde_json::from_str(&blog["feed.json"]).expect("feed.json is JSON");
    let words = |entry: roxmltree::Node<'_, '_>, name: &str| -> String {
        let found = entry.children().find(|node| node.tag_name().name() == name);
        found.and_then(|node| node.text()).unwrap_or_default().to_owned()
    };
    let entries = |document: &roxmltree::Document<'_>, entry: &str, names: [&str; 3]| -> Vec<[String; 3]> {
        let all = document.descendants().filter(|node| node.tag_name().name() == entry);
        all.map(|entry| names.map(|name| words(entry, name))).collect()
    };
    let of_atom = entries(&atom, "entry", ["id", "title", "content"]);
    let of_rss = entries(&rss, "item", ["guid", "title", "encoded"]);
    let items = json["items"].as_array().expect("a list");
    let field = |item: &serde_json::Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let of_json: Vec<[String; 3]> =
        items.iter().map(|item| ["id", "title", "content_html"].map(|name| field(item, name))).collect();
    assert_eq!((of_atom.len(), &of_atom, &of_atom), (5, &of_rss, &of_json));

    let item = rss.descendants().filter(|node| node.has_tag_name("item")).nth(1).expect("there is a second");
    assert_eq!(words(item, "pubDate"), "Fri, 14 May 2010 00:00:00 +0900");
    assert_eq!(words(item, "link"), "https://example.jp/mag/issues/010/one/");
    assert_eq!(words(item, "creator"), "水野");
    let [version, feed_url] = ["version", "feed_url"].map(|name| field(&json, name));
    assert_eq!(version, "https://jsonfeed.org/version/1.1");
    assert_eq!(feed_url, "https://example.jp/mag/feed.json");
    assert_eq!(items[1]["date_published"], "2010-05-14T00:00:00+09:00");
    assert_eq!(items[1]["tags"], serde_json::json!(["文字コード", "C#"]));
    assert_eq!(items[1]["image"], "https://example.jp/mag/issues/010/rack.jpg");
    assert_eq!(items[0].get("authors"), None, "what nobody signed has no author of its own");
}

#[test]
fn a_magazine_without_issues_has_sound_feeds() {
    let blog = blog(&Magazine::default());
    for path in ["atom.xml", "rss.xml"] {
        roxmltree::Document::parse(&blog[path]).expect(path);
    }
    let json: serde_json::Value = serde_json::from_str(&blog["feed.json"]).expect("feed.json is JSON");
    assert_eq!(json["items"], serde_json::json!([]));
}

/// The linked data of a page.
fn data(page: &str) -> Vec<serde_json::Value> {
    let (_, rest) = page.split_once("<script type=\"application/ld+json\">").expect("the page has data");
    let (data, _) = rest.split_once("</script>").expect("it ends");
    let data: serde_json::Value = serde_json::from_str(data).expect("it is JSON");
    assert_eq!(data["@context"], "https://schema.org");
    data["@graph"].as_array().expect("a list").clone()
}

#[test]
fn pages_say_to_machines_what_they_are() {
    let blog = blog(&magazine());
    let [home] = &data(&blog["index.html"])[..] else { panic!("the blog alone") };
    assert_eq!((&home["@type"], &home["name"]), (&"Blog".into(), &"通<信>".into()));

    let [posting, trail] = &data(&blog["issues/010/two/index.html"])[..] else { panic!("two things") };
    for (field, expected) in [
        ("@type", "BlogPosting"),
        ("headline", HOSTILE),
        ("datePublished", "2010-05-14T00:00:00+09:00"),
        ("inLanguage", "ja"),
        ("articleSection", "小話"),
        ("mainEntityOfPage", "https://example.jp/mag/issues/010/two/"),
    ] {
        assert_eq!(posting[field], expected);
    }
    assert_eq!(posting["author"]["url"], "https://example.jp/mag/authors/mizuno/");
    assert_eq!(posting["publisher"]["name"], "編集部 & 友");
    assert_eq!(posting["image"]["url"], "https://example.jp/mag/issues/010/rack.jpg");
    assert_eq!(posting["isPartOf"][1]["issueNumber"], "010");
    let steps = trail["itemListElement"].as_array().expect("a list");
    let names: Vec<&str> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(names, ["通<信>", "バックナンバー", "Vol.010", HOSTILE]);

    let of_kind = |path: &str| data(&blog[path])[0]["@type"].as_str().unwrap_or_default().to_owned();
    for (path, expected) in [
        ("issues/010/index.html", "PublicationIssue"),
        ("posts/hello/index.html", "BlogPosting"),
        ("subscribe/index.html", "BreadcrumbList"),
    ] {
        assert_eq!(of_kind(path), expected, "{path}");
    }
    let article = &blog["issues/010/one/index.html"];
    for part in [
        "<meta property=\"og:image\" content=\"https://example.jp/mag/issues/010/rack.jpg\">",
        "<meta property=\"og:image:width\" content=\"1300\">",
        "<meta property=\"og:locale\" content=\"ja_JP\">",
        "<meta name=\"twitter:card\" content=\"summary_large_image\">",
        "<meta property=\"article:published_time\" content=\"2010-05-14T00:00:00+09:00\">",
        "type=\"application/rss+xml\"",
        "type=\"application/feed+json\"",
    ] {
        assert!(article.contains(part), "{part}\n{article}");
    }
    assert!(blog["tags/index.html"].contains("<meta name=\"twitter:card\" content=\"summary\">"));
}

/// Whose old addresses are meant.
type Piece = fn(&mut Magazine) -> &mut Vec<Alias>;

/// Old addresses for the sample, in the settings (`from = to` lines) and of its pieces.
fn moved(redirects: &str, aliases: &[(&str, Piece)]) -> Result<Vec<(String, String)>, Vec<String>> {
    let source = SourceText::new("mailmag.toml", format!("{SETTINGS}[blog.redirects]\n{redirects}"));
    let config = config::parse(&source, &mut Vec::new()).expect("the settings are good");
    let mut magazine = magazine();
    for (address, of) in aliases {
        let written = SourceText::new("content/issues/010/index.md", format!("aliases = [\"{address}\"]"));
        let path = crate::address::old_path(address).expect("it can be one");
        let place = crate::diagnostic::Place::Span(written, 11..13 + address.len());
        of(&mut magazine).push(Alias { address: (*address).into(), path, place });
    }
    let theme = Theme::new(&[]).expect("the built-in templates are good");
    let site = Site::new(&config, &magazine, &theme, &has_file, &picture).map_err(|problems| {
        let told = problems.iter().map(|problem| {
            let (line, column) = problem.line_and_column();
            format!("{}:{line}:{column}: {}: {}", problem.path(), problem.rule, problem.message)
        });
        told.collect::<Vec<_>>()
    })?;
    let redirects = site.lists().into_iter().filter(|list| matches!(list, List::Redirect(_)));
    let pages = redirects.map(|list| site.render_list(list).expect("it can be rendered").files);
    let page = |file: File| (file.path, String::from_utf8(file.bytes).expect("UTF-8"));
    Ok(pages.flatten().map(page).collect())
}

#[test]
fn old_addresses_lead_to_the_new_ones() {
    let pages = moved(
        "\"/old\" = \"/issues/010\"\n\"/年.html\" = \"/issues/010/日本/#a\"\n\"/rss\" = \"/atom.xml\"\n\"/else/\" = \"https://a.jp/?a&b\"\n",
        &[
            ("/2010/05/vol10/", |magazine| &mut magazine.issues[1].aliases),
            ("/2010/05/vol10/a.html", |magazine| &mut magazine.issues[1].articles[0].aliases),
            ("/hello.php", |magazine| &mut magazine.posts[0].aliases),
            ("/join", |magazine| &mut magazine.pages[0].aliases),
        ],
    );
    let pages = pages.expect("they are good");
    let mut leads = Vec::new();
    for (path, page) in &pages {
        let (_, rest) = page.split_once("content=\"0; url=").expect("it leads on");
        let url = rest.split('"').next().unwrap_or_default();
        assert_eq!(
            page.matches(&format!("href=\"{url}\"")).count(),
            1 + usize::from(url.starts_with("http")),
            "{page}"
        );
        assert!(page.contains("<meta name=\"robots\" content=\"noindex\">"));
        leads.push((path.as_str(), url));
    }
    let japan = "/mag/issues/010/%E6%97%A5%E6%9C%AC/#a";
    let expected = [
        ("2010/05/vol10/index.html", "/mag/issues/010/"),
        ("2010/05/vol10/a.html", "/mag/issues/010/one/"),
        ("hello.php/index.html", "/mag/posts/hello/"),
        ("join/index.html", "/mag/subscribe/"),
        ("else/index.html", "https://a.jp/?a&amp;b"),
        ("old/index.html", "/mag/issues/010/"),
        ("rss/index.html", "/mag/atom.xml"),
        ("年.html", japan),
    ];
    assert_eq!(leads.len(), expected.len());
    for lead in expected {
        assert!(leads.contains(&lead), "{lead:?}: {leads:?}");
    }
    assert!(pages[0].1.contains("<link rel=\"canonical\" href=\"https://example.jp/mag/issues/010/\">"));
}

#[test]
fn old_addresses_that_cannot_be_are_told_at_their_place() {
    let line = SETTINGS.lines().count() + 2;
    let at = |column: usize, rest: &str| format!("mailmag.toml:{line}:{column}: {rest}");
    for (redirect, expected) in [
        (
            "\"/old\" = \"/issues/011/\"",
            at(10, "redirect-to-nowhere: the blog has nothing at `/issues/011/`"),
        ),
        ("\"/old\" = \"issues/010/\"", at(10, "redirect-to-nowhere: the blog has nothing at `issues/010/`")),
        ("\"/old\" = \"//a.jp/\"", at(10, "redirect-to-nowhere: the blog has nothing at `//a.jp/`")),
        (
            "\"/old\" = \"javascript:alert(1)\"",
            at(10, "redirect-to-nowhere: the blog has nothing at `javascript:alert(1)`"),
        ),
        (
            "\"/../x\" = \"/\"",
            at(
                1,
                "bad-alias: `/../x` cannot be an old address: its parts must be names: it would leave the blog",
            ),
        ),
        (
            "\"/Issues/010\" = \"/\"",
            at(1, "address-collision: the blog's own /issues/010/ has the address `/Issues/010` already"),
        ),
        (
            "\"/issues/010/rack.jpg\" = \"/\"",
            at(
                1,
                "address-collision: the file content/issues/010/rack.jpg has the address `/issues/010/rack.jpg` already",
            ),
        ),
        (
            "\"/atom.xml/a/\" = \"/\"",
            at(1, "address-collision: the blog's own /atom.xml has the address `/atom.xml/a/` already"),
        ),
    ] {
        assert_eq!(moved(redirect, &[]), Err(vec![expected]), "{redirect}");
    }
    let twice = moved("\"/old/\" = \"/\"", &[("/old", |magazine| &mut magazine.pages[0].aliases)]);
    let expected = at(1, "address-collision: another old address, /old, has the address `/old/` already");
    assert_eq!(twice, Err(vec![expected]));
    let own = moved("", &[("/issues/010", |magazine| &mut magazine.issues[0].aliases)]);
    let expected = "content/issues/010/index.md:1:12: address-collision: the blog's own /issues/010/ has the address `/issues/010` already";
    assert_eq!(own, Err(vec![expected.to_owned()]));
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
fn an_empty_magazine_has_a_blog() {
    let blog = blog(&Magazine::default());
    assert_eq!(
        blog.keys().collect::<Vec<_>>(),
        [
            "404.html",
            "archive/index.html",
            "atom.xml",
            "feed.json",
            "index.html",
            "robots.txt",
            "rss.xml",
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
        let problems = Site::new(&config, &magazine, &theme, &has_file, &picture).err().unwrap_or_default();
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
    let site = Site::new(&config, &magazine, &theme, &|_| false, &picture).expect("no collisions");
    let problems =
        site.render_issue(0, &texts(&magazine.issues[0]), "", "").expect_err("the picture is missing");
    assert_eq!(problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["missing-picture"]);
}
