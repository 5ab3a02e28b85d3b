//! Feeds, linked data and old addresses of the sample.

use super::*;

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
    let highlighter = Highlighter::default();
    let site =
        Site::new(&config, &magazine, &theme, &has_file, &picture, &highlighter).map_err(|problems| {
            let told = problems.iter().map(|problem| {
                let (line, column) = problem.line_and_column();
                format!("{}:{line}:{column}: {}: {}", problem.path(), problem.rule, problem.message)
            });
            told.collect::<Vec<_>>()
        })?;
    let redirects = site.lists().into_iter().filter(|list| matches!(list, List::Redirect(_)));
    let pages = redirects.map(|list| site.render_list(list, None).expect("it can be rendered").files);
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
