//! One tiny magazine for each thing that can be wrong: one clear diagnostic, exit status 1, and `dist/` as it was.
//!
//! A magazine in `tests/broken/` has a file `expected` with what `mailmag check --format short` says of it. What a
//! repository cannot hold (a loop of links, 100 MB) is made here.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn mailmag(root: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_mailmag"))
        .arg("-C")
        .arg(root)
        .args(arguments)
        .output()
        .expect("the program runs");
    assert!(output.status.code().is_some(), "{arguments:?} died: {output:?}");
    output
}

/// What cannot lie in the repository.
fn add_what_is_made(name: &str, root: &Path) {
    let issues = root.join("content/issues");
    match name {
        "link-loop" => symlink("..", issues.join("loop")).unwrap(),
        "outside-link" => symlink("/etc/hostname", issues.join("002.md")).unwrap(),
        "too-large" => File::create(issues.join("002.md")).unwrap().set_len(100_000_000).unwrap(),
        "nested-quotes" => {
            let text = format!("+++\ndate = 2010-05-28\n+++\n\n# 引用\n\n{} 深い\n", ">".repeat(10_000));
            fs::write(issues.join("002.md"), text).unwrap();
        }
        "bad-attachment" => symlink("/etc/hostname", issues.join("001/link.pdf")).unwrap(),
        "attachments-too-large" => {
            for (file, octets) in [("photo.jpg", 2_000_000), ("slides.pdf", 500_000), ("film.mp4", 7_000_000)]
            {
                fs::write(issues.join("001").join(file), vec![1; octets]).unwrap();
            }
        }
        "pipe" => {
            assert!(Command::new("mkfifo").arg(issues.join("002.md")).status().unwrap().success());
        }
        "line-feed-name" => {
            fs::write(issues.join("00\n2.md"), "+++\ndate = 2010-05-28\n+++\n\n# 題\n").unwrap()
        }
        _ => {}
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_symlink() {
            symlink(fs::read_link(&source).unwrap(), target).unwrap();
        } else if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(&source, target).unwrap();
        }
    }
}

/// Every file below a folder with what it holds.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let octets = fs::read(&path).unwrap();
                files.push((path, octets));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn each_is_told_once_and_nothing_is_lost() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut names: Vec<String> = fs::read_dir(&broken)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 15, "the magazines are there: {names:?}");
    let mut failures = Vec::new();
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        copy(&broken.join(&name), root);
        let expected = fs::read_to_string(root.join("expected")).unwrap_or_default();
        fs::create_dir_all(root.join("dist/blog")).unwrap();
        fs::write(root.join("dist/blog/index.html"), "the last good state").unwrap();
        add_what_is_made(&name, root);
        let before = everything(&root.join("dist"));

        let check = mailmag(root, &["check", "--format", "short"]);
        let said = String::from_utf8(check.stdout).unwrap();
        if said != expected {
            failures.push(format!("{name}: expected\n{expected}got\n{said}"));
        }
        let build = mailmag(root, &["--color", "never", "build"]);
        for (command, status) in [("check", check.status), ("build", build.status)] {
            if status.code() != Some(1) {
                failures.push(format!("{name}: {command} ended with {status}"));
            }
        }
        let errors = String::from_utf8(build.stderr).unwrap();
        if errors.matches("error[").count()
            != expected.lines().filter(|line| line.contains(": error: ")).count()
        {
            failures.push(format!("{name}: build said\n{errors}"));
        }
        if everything(&root.join("dist")) != before {
            failures.push(format!("{name}: dist/ was changed"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_is_only_odd_is_well() {
    let sound = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken/link-loop");
    let check = |what: &str, change: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        copy(&sound, folder.path());
        change(folder.path());
        let check = mailmag(folder.path(), &["check", "--format", "short"]);
        assert_eq!(
            (String::from_utf8(check.stdout).unwrap().as_str(), check.status.code()),
            ("", Some(0)),
            "{what}"
        );
        let build = mailmag(folder.path(), &["build"]);
        assert_eq!(build.status.code(), Some(0), "{what}: {build:?}");
    };
    let rewrite = |path: &Path, change: &dyn Fn(&str) -> String| {
        fs::write(path, change(&fs::read_to_string(path).unwrap())).unwrap();
    };
    let post = "+++\ntitle = \"題\"\ndate = 2010-05-14\n+++\n\n本文です。\n";
    check("as it is", &|_| {});
    check("no content/ yet", &|root| fs::remove_dir_all(root.join("content")).unwrap());
    check("no issue yet", &|root| fs::remove_file(root.join("content/issues/001.md")).unwrap());
    check("CR LF", &|root| {
        for path in ["mailmag.toml", "content/issues/001.md"] {
            rewrite(&root.join(path), &|text| text.replace('\n', "\r\n"));
        }
    });
    check("a byte order mark", &|root| {
        for path in ["mailmag.toml", "content/issues/001.md"] {
            rewrite(&root.join(path), &|text| format!("\u{FEFF}{text}"));
        }
    });
    check("a name in NFD", &|root| {
        fs::create_dir_all(root.join("content/posts")).unwrap();
        fs::write(root.join("content/posts/カ\u{3099}.md"), post).unwrap();
    });
    check("a name with an emoji", &|root| {
        fs::create_dir_all(root.join("content/posts")).unwrap();
        fs::write(root.join("content/posts/寿司🍣.md"), post).unwrap();
    });
    check("a fence that does not end", &|root| {
        rewrite(&root.join("content/issues/001.md"), &|text| format!("{text}\n```\n# no title\n"));
    });
    check("an editor's leftovers", &|root| {
        for name in ["001.md~", ".001.md.swp", "#001.md#"] {
            fs::write(root.join("content/issues").join(name), "+++").unwrap();
        }
    });
}
