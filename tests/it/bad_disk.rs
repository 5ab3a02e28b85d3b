//! What a disk does to a build: it is told in one error, `dist/` keeps the last good state, and the next build is well.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use walkdir::WalkDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mailmag");
/// The signal for a file that grows beyond the process's limit; it ends the process wherever it is.
const SIGXFSZ: i32 = 25;

/// A magazine that has been built, and changed since.
fn magazine() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let issues = root.path().join("content/issues");
    fs::create_dir_all(&issues).unwrap();
    let settings = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[blog]\nurl = \"https://example.jp\"\n\
         [mail]\nfrom = \"news@example.jp\"\nsubject = \"Vol.1\"\n";
    fs::write(root.path().join("mailmag.toml"), settings).unwrap();
    fs::write(issues.join("001.md"), "+++\ndate = 2010-05-14\n+++\n\n# 題\n\n本文です。\n").unwrap();
    let built = Command::new(PROGRAM).arg("-C").arg(root.path()).arg("build").output().unwrap();
    assert!(built.status.success(), "{built:?}");
    fs::write(issues.join("002.md"), "+++\ndate = 2010-05-28\n+++\n\n# 次\n\n次の号。\n").unwrap();
    root
}

/// Builds where no file may become longer than 1 KiB, after what bash is told first.
fn build_limited(root: &Path, first: &str) -> Output {
    let script = format!("{first}; ulimit -c 0; ulimit -f 1; exec \"$0\" -C \"$1\" build");
    Command::new("bash").args(["-c", &script, PROGRAM]).arg(root).output().unwrap()
}

/// Every path below `dist/` with what it holds; without a build that was left half done.
fn state(root: &Path) -> Vec<(String, Vec<u8>)> {
    let dist = root.join("dist");
    WalkDir::new(&dist)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".mailmag-stage")
        .map(Result::unwrap)
        .map(|entry| {
            let octets =
                if entry.file_type().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            (entry.path().strip_prefix(&dist).unwrap().to_str().unwrap().to_owned(), octets)
        })
        .collect()
}

fn check_one_error(output: &Output, expected: &str) {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(told.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{told}");
    assert!(told.contains(expected), "{told}");
}

/// The next build is well, and makes what a build without any trouble makes.
fn check_next_build(root: &Path) {
    let next = Command::new(PROGRAM).arg("-C").arg(root).arg("build").output().unwrap();
    assert!(next.status.success(), "{next:?}");
    assert!(!root.join("dist/.mailmag-stage").exists());
    let fresh = root.join("fresh");
    let built =
        Command::new(PROGRAM).arg("-C").arg(root).args(["build", "--out"]).arg(&fresh).output().unwrap();
    assert!(built.status.success(), "{built:?}");
    // The memory tells when files were written.
    let without_memory = |mut state: Vec<(String, Vec<u8>)>| {
        state.retain(|(path, _)| path != ".mailmag-memory");
        state
    };
    let next = without_memory(state(root));
    fs::remove_dir_all(root.join("dist")).unwrap();
    fs::rename(fresh, root.join("dist")).unwrap();
    assert!(next == without_memory(state(root)), "the next build is a whole one");
}

#[test]
fn a_disk_that_fills_is_one_error() {
    let root = magazine();
    let before = state(root.path());
    check_one_error(&build_limited(root.path(), "trap '' XFSZ"), "File too large");
    assert!(state(root.path()) == before);
    assert!(!root.path().join("dist/.mailmag-stage").exists(), "what was half done is gone");
    check_next_build(root.path());
}

#[test]
fn a_build_that_is_killed_is_cleaned_up_by_the_next() {
    let root = magazine();
    let before = state(root.path());
    let killed = build_limited(root.path(), "true");
    assert_eq!(killed.status.signal(), Some(SIGXFSZ), "{killed:?}");
    assert!(root.path().join("dist/.mailmag-stage").exists(), "it died in the middle");
    assert!(state(root.path()) == before);
    check_next_build(root.path());
}

#[test]
fn an_output_folder_that_is_a_file_is_one_error() {
    let root = magazine();
    fs::write(root.path().join("file"), "theirs").unwrap();
    for out in ["file", "file/dist"] {
        let out = root.path().join(out);
        let output = Command::new(PROGRAM)
            .arg("-C")
            .arg(root.path())
            .args(["build", "--out"])
            .arg(&out)
            .output()
            .unwrap();
        check_one_error(&output, &format!("cannot build into {}", out.display()));
        assert_eq!(fs::read_to_string(root.path().join("file")).unwrap(), "theirs");
    }
}

/// Root may write anywhere, and so builds as nobody here.
#[test]
fn an_output_folder_that_may_not_be_written_is_one_error() {
    let root = magazine();
    let before = state(root.path());
    let permit =
        |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    permit(root.path(), 0o755);
    let program = root.path().join("mailmag");
    assert!(Command::new("cp").arg(PROGRAM).arg(&program).status().unwrap().success());
    permit(&program, 0o755);
    let folders = || WalkDir::new(root.path().join("dist")).into_iter().map(Result::unwrap);
    let folders: Vec<_> = folders().filter(|entry| entry.file_type().is_dir()).collect();
    folders.iter().for_each(|folder| permit(folder.path(), 0o555));
    let mut command = Command::new(&program);
    if fs::metadata(root.path()).unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    let output = command.arg("-C").arg(root.path()).arg("build").output().unwrap();
    check_one_error(&output, "Permission denied");
    assert!(state(root.path()) == before);
    folders.iter().for_each(|folder| permit(folder.path(), 0o755));
    check_next_build(root.path());
}
