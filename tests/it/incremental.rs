//! A build that keeps what did not change makes just what a build from nothing makes.

use std::fs;
use std::path::Path;

use super::support::{self, files};

const SETTINGS: &str = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[mail]\nfrom = \"news@example.jp\"\n\
    subject = \"Vol.{{ issue.number }}\"\n[authors.ito]\nname = \"伊藤\"\n[blog]\nurl = \"https://example.jp\"\n";

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn issue(number: usize, words: &str) -> String {
    format!(
        "+++\ndate = 2026-01-{number:02}\ntags = [\"号\"]\n+++\n\n# 第{number}話 {{author=ito corner=小話 tags=話,\
         第{}組}}\n\n{words}。{{禁則|きんそく}}の話。\n\n## 節\n\n[前](/issues/001/#節)\n",
        number % 3
    )
}

fn magazine(root: &Path) {
    write(root, "mailmag.toml", SETTINGS);
    write(root, "content/footer.md", "連絡先\n: news@example.jp\n");
    write(root, "content/pages/about.md", "# この通信\n\n説明です。\n");
    write(root, "content/issues/001/index.md", "+++\ndate = 2026-01-01\n+++\n\nはじめに。\n");
    write(
        root,
        "content/issues/001/01-a.md",
        "+++\nauthor = \"ito\"\n+++\n# 一\n\n本文。\n\n## 節 {#節}\n\n続き。\n",
    );
    write(root, "content/issues/001/02-b.md", "# 二\n\n本文。\n");
    for number in 2..9 {
        write(root, &format!("content/issues/00{number}.md"), &issue(number, &long()));
    }
}

/// More words than lists show.
fn long() -> String {
    "本文".repeat(80)
}

/// Builds into a folder below the root, and tells how many files were written and left alone.
fn build(root: &Path, out: &str) -> (usize, usize) {
    let program = support::build(root, out);
    let told = String::from_utf8_lossy(&program.stderr).into_owned();
    assert!(program.status.success(), "{told}");
    let number_before = |word: &str| {
        let before = told.split(word).next().unwrap().trim_end();
        before.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{told}"))
    };
    (number_before("written"), number_before("unchanged"))
}

#[test]
fn what_is_kept_is_what_would_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    build(root, "dist");
    assert_eq!(build(root, "dist").0, 0);
    type Change = fn(&Path);
    let changes: [(&str, Change); 14] = [
        ("a word", |root| write(root, "content/issues/004.md", &issue(4, "別の本文"))),
        ("a title", |root| {
            write(root, "content/issues/005.md", &issue(5, &long()).replace("第5話", "五の話"))
        }),
        ("a new issue", |root| write(root, "content/issues/009.md", &issue(9, "新しい本文"))),
        ("a second article", |root| {
            write(
                root,
                "content/issues/009.md",
                &(issue(9, "新しい本文") + "\n# 余談 {#aside}\n\n余談です。\n"),
            );
        }),
        ("an issue less", |root| fs::remove_file(root.join("content/issues/003.md")).unwrap()),
        ("an article of a folder", |root| write(root, "content/issues/001/02-b.md", "# 弐\n\n本文。\n")),
        ("a post", |root| {
            let post = "+++\ntitle = \"投稿\"\ndate = 2026-01-05\ntags = [\"話\"]\n+++\n\n投稿です。\n";
            write(root, "content/posts/post.md", post);
        }),
        ("an old address", |root| {
            let issue = issue(6, &long()).replace("+++\ndate", "+++\naliases = [\"/old/6.html\"]\ndate");
            write(root, "content/issues/006.md", &issue);
        }),
        ("the footer", |root| write(root, "content/footer.md", "連絡先\n: post@example.jp\n")),
        ("a page", |root| write(root, "content/pages/about.md", "# 通信について\n\n説明です。\n")),
        ("a template", |root| {
            write(root, "templates/blog/404.html", "{% extends \"built-in/blog/404.html\" %}");
            write(
                root,
                "templates/mail/body.txt",
                "{{ issue.label }}\n{% for article in articles %}{{ article.text }}\n{% endfor %}",
            );
        }),
        ("the style", |root| write(root, "theme/style.css", "body { color: black }\n")),
        ("an author", |root| write(root, "mailmag.toml", &SETTINGS.replace("伊藤", "伊東"))),
        ("a file of the build", |root| {
            fs::write(root.join("dist/blog/issues/006/index.html"), "other").unwrap();
            fs::remove_file(root.join("dist/mail/007.eml")).unwrap();
        }),
    ];
    for (number, (what, change)) in changes.into_iter().enumerate() {
        change(root);
        let (written, _) = build(root, "dist");
        assert!(written > 0, "{what}");
        let anew = format!("anew-{number}");
        build(root, &anew);
        let (kept, anew) = (files(&root.join("dist")), files(&root.join(anew)));
        assert_eq!(kept.keys().collect::<Vec<_>>(), anew.keys().collect::<Vec<_>>(), "{what}");
        for (path, octets) in &anew {
            assert!(kept[path] == *octets, "{path} after a change of {what}");
        }
    }
}

#[test]
fn an_issue_that_did_not_change_is_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    build(root, "dist");
    // A file with other octets but the same looks from outside shows whether it is made again.
    let page = root.join("dist/blog/issues/008/index.html");
    let looks = fs::metadata(&page).unwrap();
    let octets = fs::read(&page).unwrap();
    let marked: Vec<u8> = octets.iter().map(|octet| if *octet == b'<' { b'{' } else { *octet }).collect();
    fs::write(&page, &marked).unwrap();
    fs::File::options().write(true).open(&page).unwrap().set_modified(looks.modified().unwrap()).unwrap();
    write(root, "content/issues/002.md", &issue(2, &(long() + "の続き")));
    build(root, "dist");
    assert!(fs::read(&page).unwrap() == marked, "it was kept");
    write(root, "content/issues/008.md", &issue(8, "別の本文"));
    build(root, "dist");
    assert!(fs::read(&page).unwrap() != marked, "it was made again");
}

#[test]
fn a_warning_is_told_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    write(root, "content/issues/004.md", &issue(4, "丸囲みの①"));
    for _ in 0..3 {
        let build = support::build(root, "dist");
        let told = String::from_utf8_lossy(&build.stderr);
        assert_eq!(told.matches("platform-dependent-char").count(), 1, "{told}");
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_though_nothing_else_changed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    build(root, "dist");
    std::os::unix::fs::symlink("/etc/hostname", root.join("content/issues/001/host.txt")).unwrap();
    let build = support::build(root, "dist");
    assert_eq!(build.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&build.stderr).contains("outside-the-magazine"), "{build:?}");
}
