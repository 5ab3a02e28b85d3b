use std::fs::{self, File};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::*;
use crate::source::{Content, find, parse, parse_noting, read};

const SETTINGS_TEXT: &str = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n\
    [mail]\nfrom = \"news@example.jp\"\nsubject = \"Vol.{{ issue.number }}\"\n\
    [blog]\nurl = \"https://blog.example.jp\"\n";

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    fs::write(file, text).expect("it can be written");
}

fn issue(words: &str) -> String {
    format!("+++\ndate = 2010-05-14\n+++\n# 題 {{#a}}\n\n{words}\n")
}

/// A folder, a file, a finished mail, and an issue whose alias must be placed in its text.
fn magazine() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write(root, "mailmag.toml", SETTINGS_TEXT);
    write(root, "content/footer.md", "連絡先\n");
    write(root, "content/issues/1.md", &issue("山"));
    write(root, "content/issues/2.md", &issue("海"));
    write(root, "content/issues/3/index.md", "+++\ndate = 2010-05-15\ntags = [\"号\"]\n+++\n");
    write(root, "content/issues/3/01-a.md", "# 題\n\n本文\n");
    write(root, "content/issues/3/02-b.txt", "原稿の題\n\n本文\n");
    write(root, "content/issues/4.txt", "通信 Vol.4 (2010/05/16)\n\n■□\n□■ 題\n------\n本文です。\n");
    write(root, "content/issues/5.md", &issue("川").replace("+++\n#", "aliases = [\"/old/5/\"]\n+++\n#"));
    folder
}

/// The time by the clock that files are stamped with.
fn now() -> i64 {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let modified = file.as_file().metadata().and_then(|metadata| metadata.modified()).expect("a time");
    modified.duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64
}

/// When what is written now has settled.
fn later() -> i64 {
    now() + 10
}

const PROGRAM: &str = "the program";

fn noted(root: &Path, now: i64) -> Vec<u8> {
    let (sources, memory) = find(root).expect("a magazine").read(&Notes::default(), now);
    assert!(sources.unread.is_empty());
    let (content, _, noting) = parse_noting(sources, memory);
    noting.octets(&content.expect("its settings are good").magazine.issues, PROGRAM)
}

/// The paths of what is not read, and the magazine, which must be as one that is read whole.
fn read_with(root: &Path, noted: &[u8], now: i64, program: &str) -> (Vec<String>, Content) {
    let (sources, memory) = find(root).expect("a magazine").read(&Notes::read(noted, program), now);
    let mut unread: Vec<String> = sources.unread.iter().map(|file| file.path.clone()).collect();
    unread.sort();
    let all = read(root).expect("a magazine");
    assert_eq!((sources.digest(), sources.standing_digest()), (all.digest(), all.standing_digest()));
    let (content, problems, _) = parse_noting(sources, memory);
    let (content, (whole, expected)) = (content.expect("its settings are good"), parse(all));
    let whole = whole.expect("its settings are good");
    assert_eq!(problems, expected);
    assert_eq!(content.magazine.issues, whole.magazine.issues);
    for (source, expected) in content.issue_sources.iter().zip(&whole.issue_sources) {
        let paths = |source: &IssueSource| -> Vec<(String, [u8; 32])> {
            source.files().iter().map(|file| (file.path.clone(), file.digest)).collect()
        };
        assert_eq!(paths(source), paths(expected));
        let source = source.read(&content.config).expect("it is there");
        let texts = |source: &IssueSource| {
            let texts = source.texts(&mut Vec::new());
            let documents: Vec<_> = texts.articles.into_iter().map(|text| text.document).collect();
            (documents, texts.opening.map(|text| text.document), texts.sent.map(|sent| sent.body))
        };
        assert_eq!(texts(&source), texts(expected));
        assert_eq!(source.first_text().path, expected.first_text().path);
        assert_eq!(source.is_bare(), expected.is_bare());
    }
    (unread, content)
}

fn unread(root: &Path, noted: &[u8]) -> Vec<String> {
    read_with(root, noted, later(), PROGRAM).0
}

const ALL: [&str; 6] = [
    "content/issues/1.md",
    "content/issues/2.md",
    "content/issues/3/01-a.md",
    "content/issues/3/02-b.txt",
    "content/issues/3/index.md",
    "content/issues/4.txt",
];

#[cfg(unix)]
#[test]
fn what_looks_as_it_did_is_not_read() {
    let folder = magazine();
    let root = folder.path();
    let noted = noted(root, later());
    assert_eq!(unread(root, &noted), ALL);
    type Change = fn(&Path);
    let changes: [(&str, Change, &[usize]); 7] = [
        ("touched", |root| write(root, "content/issues/1.md", &issue("山")), &[1, 2, 3, 4, 5]),
        (
            "of the same length and time",
            |root| {
                let path = root.join("content/issues/2.md");
                let modified = fs::metadata(&path).expect("it is there").modified().expect("a time");
                write(root, "content/issues/2.md", &issue("空"));
                let file = File::options().write(true).open(&path).expect("it can be opened");
                file.set_modified(modified).expect("the time can be set");
            },
            &[2, 3, 4, 5],
        ),
        (
            "another inode under its name",
            |root| {
                fs::copy(root.join("content/issues/4.txt"), root.join("content/new")).expect("a copy");
                fs::rename(root.join("content/new"), root.join("content/issues/4.txt")).expect("a move");
            },
            &[2, 3, 4],
        ),
        ("an article more", |root| write(root, "content/issues/3/03-c.md", "# 題\n\n本文\n"), &[]),
        (
            "an article less",
            |root| fs::remove_file(root.join("content/issues/3/03-c.md")).expect("it goes"),
            &[2, 3, 4],
        ),
        (
            "a renamed article",
            |root| {
                let name = |name: &str| root.join("content/issues/3").join(name);
                fs::rename(name("02-b.txt"), name("02-c.txt")).expect("a move");
            },
            &[],
        ),
        ("an issue less", |root| fs::remove_file(root.join("content/issues/1.md")).expect("it goes"), &[]),
    ];
    for (what, change, left) in changes {
        change(root);
        let expected: Vec<&str> = left.iter().map(|&at| ALL[at]).collect();
        assert_eq!(unread(root, &noted), expected, "{what}");
    }
    let again = self::noted(root, later());
    assert_eq!(unread(root, &again).len(), 5);
}

#[cfg(unix)]
#[test]
fn looks_tell_nothing_too_early_nor_to_another_program_or_under_other_settings() {
    let folder = magazine();
    let root = folder.path();
    let none = Vec::<String>::new();
    let early = noted(root, now());
    assert_eq!(unread(root, &early), none);
    let noted = noted(root, later());
    let set_back = now() - 3600;
    assert_eq!(read_with(root, &noted, set_back, PROGRAM).0, none);
    assert_eq!(read_with(root, &noted, later(), "another").0, none);
    write(root, "mailmag.toml", &SETTINGS_TEXT.replace("通信", "便り"));
    assert_eq!(unread(root, &noted), none);
}

#[cfg(unix)]
#[test]
fn damaged_notes_are_passed_over() {
    let folder = magazine();
    let root = folder.path();
    let noted = noted(root, later());
    for length in (0..noted.len()).step_by(7) {
        assert!(unread(root, &noted[..length]).len() < ALL.len());
    }
    let head = noted.windows(HEAD.len()).position(|octets| octets == HEAD.as_bytes()).expect("its head");
    let mut older = noted;
    older[head + HEAD.len() - 1] -= 1;
    assert_eq!(unread(root, &older), Vec::<String>::new());
    assert_eq!(unread(root, b"what is this"), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_text_that_changed_since_it_was_looked_at_is_told() {
    let folder = magazine();
    let root = folder.path();
    let noted = noted(root, later());
    let (_, content) = read_with(root, &noted, later(), PROGRAM);
    write(root, "content/issues/2.md", &issue("空"));
    fs::remove_file(root.join("content/issues/1.md")).expect("it goes");
    let rules = content.issue_sources.iter().take(3).map(|source| match source.read(&content.config) {
        Ok(_) => "good",
        Err(problem) => problem.rule,
    });
    assert_eq!(rules.collect::<Vec<_>>(), ["unreadable", "changed-while-read", "good"]);
}
