//! `mailmag publish` with a real folder, a real rsync and a real git repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mailmag::config::PublishTarget;
use mailmag::publish::{Signature, prepare};
use serde_json::Value;
use tempfile::TempDir;

use super::support::files;

const SETTINGS: &str = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n[blog]\nurl = \"https://example.jp\"\n\
     [mail]\nfrom = \"編集部 <news@example.jp>\"\nsubject = \"Vol.1\"\n";

/// A magazine that publishes to what its settings say, in a folder that also holds the target.
fn magazine(publish: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("mag/content/issues")).unwrap();
    fs::write(root.path().join("mag/mailmag.toml"), format!("{SETTINGS}[publish]\n{publish}\n")).unwrap();
    write_issue(root.path(), "001", "本文です。");
    root
}

fn write_issue(root: &Path, number: &str, text: &str) {
    let text = format!("+++\ndate = 2010-05-14\n+++\n\n# 題{number}\n\n{text}\n");
    fs::write(root.join(format!("mag/content/issues/{number}.md")), text).unwrap();
}

fn publish(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    command.arg("-C").arg(root.join("mag")).arg("publish").args(arguments).stdin(Stdio::null());
    // The editor's own repository must not matter.
    command.env("GIT_DIR", "/nowhere").env("GIT_INDEX_FILE", "/nowhere/index");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Publishes unasked; what changed.
fn changes(root: &Path, arguments: &[&str]) -> Value {
    let output = publish(root, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn counts(changes: &Value) -> [usize; 3] {
    ["added", "changed", "removed"].map(|key| changes[key].as_array().unwrap().len())
}

/// What every kind of target does, whose files `held` reads.
fn check_target(root: &Path, held: &dyn Fn() -> BTreeMap<String, Vec<u8>>, more: &[&str]) {
    let expected = || {
        let mut files = files(&root.join("mag/dist/blog"));
        files.extend(more.iter().map(|path| (path.to_string(), Vec::new())));
        files
    };
    let looked = changes(root, &["--dry-run"]);
    assert_eq!(held(), BTreeMap::new(), "nothing is carried by looking");
    assert_eq!(looked["published"], false);
    assert_eq!(counts(&looked), [expected().len(), 0, 0]);

    let refused = publish(root, &[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("no terminal to ask on"), "{}", said(&refused));
    assert_eq!(held(), BTreeMap::new());

    let first = changes(root, &["--yes"]);
    assert_eq!((&first["added"], &first["published"]), (&looked["added"], &Value::Bool(true)));
    assert_eq!(held(), expected());

    let again = changes(root, &["--yes"]);
    assert_eq!((counts(&again), &again["published"]), ([0, 0, 0], &Value::Bool(false)));

    // A slip stops it before anything is carried.
    let before = held();
    write_issue(root, "002", "[^nowhere]");
    let stopped = publish(root, &["--yes"]);
    assert_eq!(stopped.status.code(), Some(1), "{}", said(&stopped));
    assert_eq!(held(), before);

    write_issue(root, "002", "次の号。");
    let second = changes(root, &["--yes"]);
    assert!(counts(&second)[0] > 0 && counts(&second)[1] > 0, "{second}");
    assert_eq!(held(), expected());

    fs::remove_file(root.join("mag/content/issues/002.md")).unwrap();
    let third = changes(root, &["--yes"]);
    assert_eq!(third["removed"], second["added"]);
    assert_eq!(held(), before);
}

#[test]
fn a_folder_holds_the_site_and_keeps_what_is_not_ours() {
    let root = magazine("directory = \"../www\"");
    let www = root.path().join("www");
    check_target(root.path(), &|| if www.exists() { files(&www) } else { BTreeMap::new() }, &[]);
    fs::write(www.join("CNAME"), "example.jp").unwrap();
    write_issue(root.path(), "003", "三号。");
    changes(root.path(), &["--yes"]);
    assert_eq!(fs::read_to_string(www.join("CNAME")).unwrap(), "example.jp");
}

#[test]
fn drafts_are_not_published_even_when_they_were_built() {
    let root = magazine("directory = \"../www\"");
    let draft = "+++\ndate = 2010-05-28\ndraft = true\n+++\n\n# 下書き\n\nまだです。\n";
    fs::write(root.path().join("mag/content/issues/002.md"), draft).unwrap();
    let mut build = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    build.arg("-C").arg(root.path().join("mag")).args(["build", "--drafts"]);
    assert!(build.output().unwrap().status.success());
    assert!(root.path().join("mag/dist/blog/issues/002/index.html").exists());
    changes(root.path(), &["--yes"]);
    assert!(root.path().join("www/issues/001/index.html").exists());
    assert!(!root.path().join("www/issues/002").exists());
}

#[test]
fn a_folder_among_the_magazines_own_is_refused() {
    let own = ["dist/blog", "content/www", "theme", ".", "..", "content"];
    for (kind, to) in ["directory", "rsync"].iter().flat_map(|kind| own.iter().map(move |to| (kind, to))) {
        let root = magazine(&format!("{kind} = \"{to}\""));
        let output = publish(root.path(), &["--yes"]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        assert!(said(&output).starts_with(&format!("error: cannot publish to {to}: ")), "{}", said(&output));
        assert!(!root.path().join("mag/dist").exists(), "{to}");
    }
}

#[test]
fn rsync_carries_the_site() {
    let root = magazine("rsync = \"../www/\"\nrsync-options = [\"--times\"]");
    let www = root.path().join("www");
    check_target(root.path(), &|| if www.exists() { files(&www) } else { BTreeMap::new() }, &[]);
}

#[test]
fn an_rsync_that_fails_or_is_missing_is_one_error() {
    let root = magazine("rsync = \"../no/such/folder/\"");
    let output = publish(root.path(), &["--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let told = said(&output);
    let error = told.lines().last().unwrap();
    assert!(error.starts_with("error: cannot publish to ../no/such/folder/: rsync failed"), "{told}");
    assert!(error.contains("No such file or directory"), "{told}");

    let mut command = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    command.arg("-C").arg(root.path().join("mag")).args(["publish", "--yes"]).env("PATH", root.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = said(&output);
    assert!(told.ends_with("rsync is needed for this, and it is not installed\n"), "{told}");
}

fn git_octets(repository: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("git").arg("--git-dir").arg(repository).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    output.stdout
}

fn git(repository: &Path, arguments: &[&str]) -> String {
    String::from_utf8(git_octets(repository, arguments)).unwrap()
}

/// A magazine with a bare repository beside it.
fn magazine_with_repository() -> TempDir {
    let root = magazine("git = \"../site.git\"\nbranch = \"pages\"");
    let repository = root.path().join("site.git");
    let made = Command::new("git").args(["init", "--quiet", "--bare"]).arg(repository).status().unwrap();
    assert!(made.success());
    root
}

/// What the branch holds.
fn branch(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let repository = root.join("site.git");
    if git(&repository, &["for-each-ref", "refs/heads/pages"]).is_empty() {
        return BTreeMap::new();
    }
    let names = git(&repository, &["ls-tree", "-r", "-z", "--name-only", "pages"]);
    let names = names.split_terminator('\0');
    names
        .map(|name| (name.to_owned(), git_octets(&repository, &["show", &format!("pages:{name}")])))
        .collect()
}

#[test]
fn git_carries_the_site_as_commits_of_one_branch() {
    let root = magazine_with_repository();
    check_target(root.path(), &|| branch(root.path()), &[".nojekyll"]);
    let log = git(&root.path().join("site.git"), &["log", "--format=%an <%ae> %s", "pages"]);
    assert_eq!(log, "編集部 <news@example.jp> Publish the blog\n".repeat(3), "none for what changed nothing");
}

#[test]
fn a_push_that_is_refused_loses_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let root = magazine_with_repository();
    changes(root.path(), &["--yes"]);
    let before = branch(root.path());
    let hook = root.path().join("site.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'not today' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    write_issue(root.path(), "002", "次の号。");
    let output = publish(root.path(), &["--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let told = said(&output);
    let error = told.lines().last().unwrap();
    assert!(error.starts_with("error: cannot publish to ../site.git: git failed"), "{told}");
    assert!(error.contains("pre-receive hook declined"), "{told}");
    assert_eq!(branch(root.path()), before);
    fs::remove_file(hook).unwrap();
    changes(root.path(), &["--yes"]);
    assert!(branch(root.path()).len() > before.len());
}

#[test]
fn two_who_publish_at_once_do_not_lose_each_others_commit() {
    let root = magazine_with_repository();
    let site = |name: &str| {
        let site = root.path().join(name);
        fs::create_dir_all(&site).unwrap();
        fs::write(site.join("index.html"), name).unwrap();
        site
    };
    let target = PublishTarget::Git { repository: "site.git".to_owned(), branch: "pages".to_owned() };
    let by = Signature { name: "編集部".to_owned(), address: "news@example.jp".to_owned() };
    let look = |site: &Path| prepare(&target, root.path(), site, &by).unwrap();
    // The branch is not there yet in the first round, and is in the second.
    for round in ["1", "2"] {
        let (first, second) =
            (look(&site(&format!("first {round}"))), look(&site(&format!("second {round}"))));
        first.carry_out().unwrap();
        let refused = second.carry_out().unwrap_err().to_string();
        assert!(refused.starts_with("git failed"), "{refused}");
        assert_eq!(branch(root.path())["index.html"], format!("first {round}").into_bytes());
    }
    assert_eq!(git(&root.path().join("site.git"), &["rev-list", "--count", "pages"]), "2\n");
}

#[test]
fn without_a_place_nothing_is_built() {
    for (settings, status, expected) in [
        ("", 2, "mailmag.toml does not say where to"),
        ("[publish]\n", 1, "[publish] names no place, or more than one"),
        ("[publish]\nrsync = \"--rsh=sh\"\n", 1, "`--rsh=sh` is no place to publish to"),
    ] {
        let root = magazine("");
        fs::write(root.path().join("mag/mailmag.toml"), format!("{SETTINGS}{settings}")).unwrap();
        let output = publish(root.path(), &["--yes"]);
        assert_eq!(output.status.code(), Some(status), "{settings}");
        assert!(said(&output).contains(expected), "{}", said(&output));
        assert!(!root.path().join("mag/dist").exists(), "{settings}");
    }
}
