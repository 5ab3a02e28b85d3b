#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use walkdir::WalkDir;

use super::*;

type Files<'a> = &'a [(&'a str, &'a str)];

const FIRST: Files<'static> =
    &[("blog/index.html", "front"), ("blog/issues/001/index.html", "one"), ("mail/001.eml", "letter")];

fn output_folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn publish(dist: &Path, files: Files) -> Result<Published, PublishError> {
    let stage = Stage::begin(dist)?;
    for (path, text) in files {
        stage.put(path, text.as_bytes())?;
    }
    stage.commit(None)
}

fn write(dist: &Path, path: &str, text: &str) {
    let path = dist.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Files with their texts, folders with a `/` at the end, links with where they lead. Without the manifest.
fn contents(dist: &Path) -> BTreeMap<String, String> {
    WalkDir::new(dist)
        .min_depth(1)
        .into_iter()
        .map(Result::unwrap)
        .map(|entry| {
            let path = entry.path().strip_prefix(dist).unwrap().to_str().unwrap().to_owned();
            if entry.file_type().is_dir() {
                (path + "/", String::new())
            } else if entry.path_is_symlink() {
                (path, format!("-> {}", fs::read_link(entry.path()).unwrap().display()))
            } else {
                (path, fs::read_to_string(entry.path()).unwrap())
            }
        })
        .filter(|(path, _)| path != MANIFEST)
        .collect()
}

fn check(dist: &Path, expected: Files) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect();
    let mut found = contents(dist);
    found.retain(|path, _| !path.ends_with('/'));
    assert_eq!(found, expected);
}

fn counts(written: usize, unchanged: usize, removed: usize) -> Published {
    Published { written, unchanged, removed }
}

#[test]
fn each_build_writes_what_changed_and_removes_what_went() {
    let dist = output_folder();
    let cases: &[(&str, Files, Published)] = &[
        ("first", FIRST, counts(3, 0, 0)),
        ("same", FIRST, counts(0, 3, 0)),
        (
            "same length, other octets",
            &[
                ("blog/index.html", "FRONT"),
                ("blog/issues/001/index.html", "one"),
                ("mail/001.eml", "letter"),
            ],
            counts(1, 2, 0),
        ),
        ("two gone", &[("blog/index.html", "FRONT")], counts(0, 1, 2)),
        ("an empty file", &[("blog/index.html", "FRONT"), ("blog/.nojekyll", "")], counts(1, 1, 0)),
        ("a folder becomes a file", &[("blog", "file")], counts(1, 0, 2)),
        ("a file becomes a folder", &[("blog/a/b", "file")], counts(1, 0, 1)),
        ("none", &[], counts(0, 0, 1)),
        ("again", FIRST, counts(3, 0, 0)),
    ];
    for (name, files, expected) in cases {
        assert_eq!(publish(dist.path(), files).unwrap(), *expected, "{name}");
        check(dist.path(), files);
        assert!(!dist.path().join(STAGE).exists(), "{name}");
    }
}

#[test]
fn folders_that_become_empty_go() {
    let dist = output_folder();
    publish(dist.path(), FIRST).unwrap();
    write(dist.path(), "blog/foreign.txt", "theirs");
    publish(dist.path(), &[]).unwrap();
    let left: Vec<String> = contents(dist.path()).into_keys().collect();
    assert_eq!(left, ["blog/", "blog/foreign.txt"]);
}

#[cfg(unix)]
#[test]
fn an_unchanged_build_touches_nothing() {
    use std::os::unix::fs::MetadataExt;
    let dist = output_folder();
    publish(dist.path(), FIRST).unwrap();
    let look = || -> Vec<_> {
        WalkDir::new(dist.path())
            .sort_by_file_name()
            .into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let data = entry.metadata().unwrap();
                let times = (data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec());
                (entry.into_path(), data.ino(), times)
            })
            .collect()
    };
    let before = look();
    assert_eq!(before.len(), 9, "dist, 4 folders, 3 files and the manifest");
    publish(dist.path(), FIRST).unwrap();
    assert_eq!(look(), before);
}

#[test]
fn files_that_are_not_ours_stay() {
    let dist = output_folder();
    write(dist.path(), ".gitignore", "*");
    write(dist.path(), "blog/CNAME", "example.jp");
    publish(dist.path(), FIRST).unwrap();
    publish(dist.path(), &[("blog/index.html", "front")]).unwrap();
    check(dist.path(), &[(".gitignore", "*"), ("blog/CNAME", "example.jp"), ("blog/index.html", "front")]);
}

#[test]
fn without_a_manifest_files_at_our_paths_become_ours() {
    let dist = output_folder();
    publish(dist.path(), FIRST).unwrap();
    for lost in [None, Some(&b"\xff\xfe"[..])] {
        fs::remove_file(dist.path().join(MANIFEST)).unwrap();
        if let Some(octets) = lost {
            fs::write(dist.path().join(MANIFEST), octets).unwrap();
        }
        assert_eq!(publish(dist.path(), FIRST).unwrap(), counts(0, 3, 0));
    }
    assert_eq!(publish(dist.path(), &FIRST[..1]).unwrap(), counts(0, 1, 2));
}

#[test]
fn a_manifest_cannot_remove_files_elsewhere() {
    let top = output_folder();
    let dist = top.path().join("dist");
    write(top.path(), "precious", "theirs");
    let absolute = top.path().join("precious").display().to_string();
    write(&dist, MANIFEST, &format!("../precious\n{absolute}\nblog/../../precious\n"));
    assert_eq!(publish(&dist, &[]).unwrap(), counts(0, 0, 0));
    check(top.path(), &[("precious", "theirs"), ("dist/.mailmag-manifest", "")]);
}

#[test]
fn a_build_that_is_dropped_or_fails_leaves_no_trace() {
    let dist = output_folder();
    publish(dist.path(), FIRST).unwrap();
    write(dist.path(), "taken", "theirs");
    write(dist.path(), "mail/kept/note", "theirs");
    let before = contents(dist.path());
    let cases: &[(&str, Files)] = &[
        ("dropped", &[("blog/index.html", "new"), ("blog/new/index.html", "new")]),
        ("a bad path", &[("blog/index.html", "new"), ("../index.html", "new")]),
        ("a file and a folder", &[("blog/index.html", "new"), ("a", ""), ("a/b/c", "")]),
        ("a file in the way", &[("blog/index.html", "new"), ("taken/index.html", "")]),
        ("a folder in the way", &[("blog/index.html", "new"), ("mail", "")]),
    ];
    for (name, files) in cases {
        if *name == "dropped" {
            let stage = Stage::begin(dist.path()).unwrap();
            for (path, text) in *files {
                stage.put(path, text.as_bytes()).unwrap();
            }
        } else {
            publish(dist.path(), files).unwrap_err();
        }
        assert_eq!(contents(dist.path()), before, "{name}");
    }
}

#[test]
fn folders_made_for_a_discarded_build_go_with_it() {
    let top = output_folder();
    let dist = top.path().join("a/dist");
    let stage = Stage::begin(&dist).unwrap();
    stage.put("blog/index.html", b"front").unwrap();
    drop(stage);
    assert_eq!(contents(top.path()), BTreeMap::new());
}

#[test]
fn a_publish_that_was_interrupted_is_finished_by_the_next_build() {
    let second: Files =
        &[("blog/index.html", "new"), ("blog/issues/002/index.html", "two"), ("mail/002.eml", "letter")];
    let removed = ["blog/issues/001/index.html", "mail/001.eml"];
    // How far it came: nothing moved; some removed and moved; all but the manifest; all but the journal.
    for steps in 0..4 {
        let dist = output_folder();
        publish(dist.path(), FIRST).unwrap();
        let new = dist.path().join(STAGE).join("new");
        for (path, text) in second {
            write(&new, path, text);
        }
        let manifest = "blog/index.html\nblog/issues/002/index.html\nmail/002.eml\n";
        journal::write(dist.path(), &removed, Some(manifest)).unwrap();
        if steps >= 1 {
            fs::remove_file(dist.path().join(removed[0])).unwrap();
            fs::rename(new.join(second[0].0), dist.path().join(second[0].0)).unwrap();
        }
        if steps >= 2 {
            fs::remove_file(dist.path().join(removed[1])).unwrap();
            fs::rename(new.join("blog/issues/002"), dist.path().join("blog/issues/002")).unwrap();
            fs::rename(new.join("mail/002.eml"), dist.path().join("mail/002.eml")).unwrap();
        }
        if steps >= 3 {
            fs::rename(dist.path().join(STAGE).join("manifest"), dist.path().join(MANIFEST)).unwrap();
            fs::remove_dir_all(&new).unwrap();
        }
        drop(Stage::begin(dist.path()).unwrap());
        check(dist.path(), second);
        assert_eq!(fs::read_to_string(dist.path().join(MANIFEST)).unwrap(), manifest, "after {steps}");
        assert!(!dist.path().join("blog/issues/001").exists(), "after {steps}");
        assert_eq!(publish(dist.path(), second).unwrap(), counts(0, 3, 0), "after {steps}");
    }
}

#[test]
fn a_build_that_was_interrupted_is_thrown_away() {
    let dist = output_folder();
    publish(dist.path(), FIRST).unwrap();
    let before = contents(dist.path());
    write(dist.path(), ".mailmag-stage/new/blog/index.html", "half");
    write(dist.path(), ".mailmag-stage/journal.unfinished", "mail/001.eml\nblog/ind");
    drop(Stage::begin(dist.path()).unwrap());
    assert_eq!(contents(dist.path()), before);
}

#[test]
fn a_second_build_at_the_same_time_is_refused() {
    let dist = output_folder();
    let first = Stage::begin(dist.path()).unwrap();
    first.put("blog/index.html", b"front").unwrap();
    let refused = Stage::begin(dist.path()).unwrap_err();
    assert!(matches!(refused, PublishError::Busy { .. }), "{refused}");
    assert!(refused.to_string().starts_with("another build is writing to"), "{refused}");
    first.commit(None).unwrap();
    check(dist.path(), &[("blog/index.html", "front")]);
    Stage::begin(dist.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn links_are_replaced_and_never_followed() {
    use std::os::unix::fs::symlink;
    let elsewhere = output_folder();
    write(elsewhere.path(), "index.html", "one");
    write(elsewhere.path(), "issues/001/index.html", "one");
    let before = contents(elsewhere.path());
    for link in ["blog", "blog/issues", "blog/issues/001", "blog/issues/001/index.html"] {
        let dist = output_folder();
        publish(dist.path(), FIRST).unwrap();
        let link = dist.path().join(link);
        let target =
            if link.is_dir() { elsewhere.path().to_owned() } else { elsewhere.path().join("index.html") };
        if link.is_dir() {
            fs::remove_dir_all(&link).unwrap()
        } else {
            fs::remove_file(&link).unwrap()
        }

        symlink(&target, &link).unwrap();
        publish(dist.path(), FIRST).unwrap();
        check(dist.path(), FIRST);

        // Nor is anything removed through one, even when the file is ours by its path.
        let issues = dist.path().join("blog/issues");
        fs::remove_dir_all(&issues).unwrap();
        symlink(elsewhere.path().join("issues"), &issues).unwrap();
        assert_eq!(publish(dist.path(), &FIRST[..1]).unwrap().removed, 1, "the letter only");
        assert_eq!(contents(elsewhere.path()), before);
    }
}

#[test]
fn a_path_stays_in_the_folder_and_is_used_once() {
    let dist = output_folder();
    let bad = [
        "",
        "/",
        "/etc/passwd",
        ".",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        "a\\b",
        "a\0b",
        "a\nb",
        ".mailmag-manifest",
        ".mailmag-stage/new/a",
    ];
    for path in bad {
        let stage = Stage::begin(dist.path()).unwrap();
        let error = stage.put(path, b"").unwrap_err();
        assert!(matches!(error, PublishError::BadPath { .. }), "{path:?}: {error}");
    }
    for path in ["a", ".nojekyll", "a/...", "blog/創刊号/index.html", "blog/.mailmag-manifest"] {
        publish(dist.path(), &[(path, "text")]).unwrap();
        check(dist.path(), &[(path, "text")]);
    }
    let error = publish(dist.path(), &[("a/b", "1"), ("a/c", "2"), ("a/b", "1")]).unwrap_err();
    assert_eq!(error.to_string(), "this build makes `a/b` twice");
    for files in [[("a/b/c", ""), ("a/b", "")], [("a/b", ""), ("a/b/c", "")]] {
        let error = publish(dist.path(), &files).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a/b/c` cannot be published: `a/b` is a file, so it cannot be a folder"
        );
    }
}

#[test]
fn a_build_that_lacks_a_file_is_not_published() {
    let dist = output_folder();
    let stage = Stage::begin(dist.path()).unwrap();
    stage.put("blog/index.html", b"front").unwrap();
    stage.put(&"x".repeat(300), b"no system holds this name").unwrap_err();
    assert!(matches!(stage.commit(None), Err(PublishError::Incomplete)));
    check(dist.path(), &[]);
}

#[test]
fn a_disk_that_refuses_is_an_error_that_names_the_place() {
    let top = output_folder();
    write(top.path(), "file", "theirs");
    for dist in ["file", "file/dist"] {
        let dist = top.path().join(dist);
        let error = Stage::begin(&dist).unwrap_err().to_string();
        assert!(error.contains(&dist.display().to_string()), "{error}");
    }
    check(top.path(), &[("file", "theirs")]);
}

/// Root may write anywhere: then the same builds must succeed.
#[cfg(unix)]
#[test]
fn a_folder_that_must_not_change_is_found_before_anything_moves() {
    use std::os::unix::fs::PermissionsExt;
    let new: Files =
        &[("a.html", "new"), ("blog/index.html", "front"), ("blog/issues/001/index.html", "new")];
    let fewer: Files = &[("a.html", "new"), ("blog/index.html", "front")];
    let deeper: Files =
        &[("a.html", "new"), FIRST[0], FIRST[1], FIRST[2], ("blog/issues/001/new/index.html", "new")];
    for files in [new, fewer, deeper] {
        let dist = output_folder();
        publish(dist.path(), FIRST).unwrap();
        let before = contents(dist.path());
        let closed = dist.path().join("blog/issues/001");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        let may_write_anyway =
            fs::write(closed.join("try"), "").and_then(|()| fs::remove_file(closed.join("try"))).is_ok();
        match publish(dist.path(), files) {
            Ok(_) => {
                assert!(may_write_anyway);
                check(dist.path(), files);
            }
            Err(error) => {
                assert!(!may_write_anyway);
                assert_eq!(error.to_string(), format!("cannot move files into `{}`", closed.display()));
                assert_eq!(contents(dist.path()), before);
            }
        }
        if closed.exists() {
            fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}

#[test]
fn files_come_from_many_threads() {
    let dist = output_folder();
    for expected in [counts(400, 0, 0), counts(0, 400, 0)] {
        let stage = Stage::begin(dist.path()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let stage = &stage;
                scope.spawn(move || {
                    for number in 0..100 {
                        stage.put(&format!("blog/{number}/{thread}.html"), &[b'x'; 100]).unwrap();
                    }
                });
            }
        });
        assert_eq!(stage.commit(None).unwrap(), expected);
    }
}
