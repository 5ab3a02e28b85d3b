//! A build that keeps what did not change makes just what a build from nothing makes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

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
         第{}組}}\n\n{words}。{{禁則|きんそく}}の話。\n\n## 節\n\n[前](/issues/001/#節)\n\n```sh\nls | wc -l # 数\n```\n",
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
    let changes: [(&str, Change); 20] = [
        ("a word that no other page shows", |root| {
            write(root, "content/issues/004.md", &issue(4, &(long() + "末尾")));
        }),
        ("a word beside an issue that was lost", |root| {
            write(root, "content/issues/004.md", &issue(4, &(long() + "最後")));
            fs::remove_file(root.join("dist/blog/issues/006/index.html")).unwrap();
            fs::remove_file(root.join("dist/blog/archive/index.html")).unwrap();
        }),
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
        ("an issue between others", |root| write(root, "content/issues/003.md", &issue(3, "戻った本文"))),
        ("another day", |root| {
            let issue = issue(7, &long()).replace("2026-01-07", "2026-01-02");
            write(root, "content/issues/007.md", &issue);
        }),
        ("another number", |root| {
            fs::rename(root.join("content/issues/008.md"), root.join("content/issues/012.md")).unwrap();
        }),
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
        ("a file of the search", |root| {
            fs::write(root.join("dist/blog/search/terms-0.bin"), "other").unwrap();
        }),
        ("a file of the build", |root| {
            fs::write(root.join("dist/blog/issues/006/index.html"), "other").unwrap();
            fs::remove_file(root.join("dist/mail/007.eml")).unwrap();
        }),
    ];
    for (number, (what, change)) in changes.into_iter().enumerate() {
        change(root);
        let (written, _) = build(root, "dist");
        assert!(written > 0, "{what}");
        is_as_made_anew(root, &format!("anew-{number}"), what);
    }
}

/// Builds from nothing beside what was built, which must be the same.
fn is_as_made_anew(root: &Path, out: &str, what: &str) {
    build(root, out);
    let (kept, anew) = (files(&root.join("dist")), files(&root.join(out)));
    assert_eq!(kept.keys().collect::<Vec<_>>(), anew.keys().collect::<Vec<_>>(), "{what}");
    for (path, octets) in &anew {
        assert!(kept[path] == *octets, "{path} after a change of {what}");
    }
}

/// Waits until a file's looks tell that it has not changed since: it must have lain there for some seconds.
fn settle(path: &Path) {
    let is_settled = || {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        modified.elapsed().is_ok_and(|age| age > Duration::from_secs(4))
    };
    while !is_settled() {
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_not_read_again_is_as_if_it_were() {
    const NOTED: &str = "dist/.mailmag-sources";
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    magazine(root);
    write(root, "content/issues/009.md", &issue(9, &long()));
    settle(&root.join("content/issues/009.md"));
    build(root, "dist");
    type Change = fn(&Path);
    let changes: [(&str, Change, bool); 10] = [
        ("nothing but a time", |root| write(root, "content/issues/004.md", &issue(4, &long())), false),
        (
            "octets of the same length and time",
            |root| {
                let path = root.join("content/issues/005.md");
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                write(root, "content/issues/005.md", &issue(5, &"文本".repeat(80)));
                fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
            },
            true,
        ),
        (
            "a file's name",
            |root| {
                let path = |name: &str| root.join("content/issues/001").join(name);
                fs::rename(path("02-b.md"), path("02-c.md")).unwrap();
            },
            true,
        ),
        (
            "a time to come",
            |root| {
                write(root, "content/issues/006.md", &issue(6, "来る本文"));
                let file = fs::File::options().write(true).open(root.join("content/issues/006.md")).unwrap();
                let to_come = file.metadata().unwrap().modified().unwrap() + Duration::from_secs(86_400);
                file.set_modified(to_come).unwrap();
            },
            true,
        ),
        ("a page", |root| write(root, "content/pages/about.md", "# 通信について\n\n説明です。\n"), true),
        ("all notes", |root| fs::write(root.join(NOTED), "what is this").unwrap(), false),
        ("a word", |root| write(root, "content/issues/007.md", &issue(7, "別の本文")), true),
        (
            "the end of the notes",
            |root| {
                let noted = fs::read(root.join(NOTED)).unwrap();
                fs::write(root.join(NOTED), &noted[..noted.len() / 2]).unwrap();
                write(root, "content/issues/007.md", &issue(7, "元の本文"));
            },
            true,
        ),
        (
            "the notes' version",
            |root| {
                let noted = fs::read(root.join(NOTED)).unwrap();
                let older = String::from_utf8_lossy(&noted).replacen("sources 2", "sources 1", 1);
                fs::write(root.join(NOTED), older).unwrap();
                write(root, "content/issues/007.md", &issue(7, "次の本文"));
            },
            true,
        ),
        ("an author", |root| write(root, "mailmag.toml", &SETTINGS.replace("伊藤", "伊東")), true),
    ];
    for (number, (what, change, is_change)) in changes.into_iter().enumerate() {
        change(root);
        assert_eq!(build(root, "dist").0 > 0, is_change, "{what}");
        is_as_made_anew(root, &format!("anew-{number}"), what);
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
