//! Keeps ARCHITECTURE.md true: the order of the modules, and few doors for each outside library.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file below `src/` but those of tests alone, with its text before the first `#[cfg(test)]`.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                if name.ends_with("/tests.rs") || name.contains("/tests/") {
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                files.insert(name, text.split("#[cfg(test)]").next().unwrap().to_owned());
            }
        }
    }
    assert!(files.len() > 20, "the sources are found");
    files
}

/// The modules as `src/lib.rs` declares them.
fn modules(sources: &BTreeMap<String, String>) -> Vec<String> {
    let declared = sources["lib.rs"].lines().filter_map(|line| {
        line.strip_prefix("pub mod ").or(line.strip_prefix("pub(crate) mod "))?.strip_suffix(';')
    });
    declared.map(str::to_owned).collect()
}

fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The names that follow a path such as `crate::` in a text, groups in braces included.
fn names_after<'a>(text: &'a str, path: &str) -> Vec<&'a str> {
    let word = |text: &'a str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
    text.match_indices(path)
        .flat_map(|(at, _)| {
            let rest = &text[at + path.len()..];
            match rest.strip_prefix('{') {
                Some(group) => {
                    group.split('}').next().unwrap().split(',').map(|item| word(item.trim())).collect()
                }
                None => vec![word(rest)],
            }
        })
        .collect()
}

#[test]
fn each_module_uses_only_those_above_it() {
    let sources = sources();
    let order = modules(&sources);
    let mut uses = 0;
    for (file, text) in &sources {
        let Some(own) = order.iter().position(|module| module == module_of(file)) else { continue };
        for used in names_after(text, "crate::") {
            let used_at = order.iter().position(|module| module == used);
            let used_at =
                used_at.unwrap_or_else(|| panic!("{file} uses crate::{used}, which lib.rs does not declare"));
            assert!(used_at <= own, "{file} uses crate::{used}, which stands below it in lib.rs");
            assert!(
                (module_of(file), used) != ("mail", "blog"),
                "blog and mail do not know each other: {file}"
            );
            uses += 1;
        }
    }
    assert!(uses > 30, "the uses are found");
}

#[test]
fn each_outside_library_has_its_doors() {
    let doors = [
        ("pulldown_cmark", &["source/markdown"][..]),
        ("mail_parser", &["source/mail_file", "bounce/message"]),
        // Files are read here; publish looks at what lies in the folder that it fills.
        ("walkdir", &["source/read", "publish/"]),
        ("tera", &["theme"]),
        ("encoding_rs", &["charset/"]),
        ("chardetng", &["charset/"]),
        ("syntect", &["highlight/"]),
        ("two_face", &["highlight/"]),
        ("ureq", &["outside"]),
        ("sha2", &["digest"]),
        ("hmac", &["digest"]),
        ("foldhash", &["hash"]),
        ("ring", &["mail/dkim", "deliver/smtp/tls", "store/postgres/tls"]),
        ("idna", &["model/email_address"]),
        ("csv", &["list/files"]),
        ("ipnet", &["config/serving", "web/service"]),
        ("tempfile", &["publish/carry/git"]),
        ("image", &["picture/"]),
        ("imagesize", &["picture/"]),
        ("roxmltree", &["picture/"]),
        ("lettre", &["mail/mime", "deliver/smtp/"]),
        ("annotate_snippets", &["diagnostic/render"]),
        ("clap", &["cli/"]),
        ("indicatif", &["cli/"]),
        ("anyhow", &["cli/"]),
        ("open", &["cli/preview"]),
        ("mimalloc", &["main.rs"]),
        ("notify", &["web/preview/watching"]),
        ("axum", &["web/"]),
        ("tokio_rustls", &["deliver/smtp/", "store/postgres/"]),
        ("rustls_native_certs", &["deliver/smtp/tls", "store/postgres/tls"]),
        ("rusqlite", &["store/sqlite/"]),
        ("tokio_postgres", &["store/postgres/"]),
        ("tokio_postgres_rustls", &["store/postgres/session"]),
        ("getrandom", &["cli/"]),
        ("tokio", &["store/", "deliver/", "web/"]),
        ("tracing", &["deliver/notices", "web/service/"]),
        ("futures_util", &["web/", "store/postgres/session"]),
        ("hyper", &["web/service/"]),
        ("hyper_util", &["web/service/"]),
        ("tower_service", &["web/service/connections"]),
        ("prometheus_client", &["web/service/metrics"]),
        ("tracing_subscriber", &["cli/serve"]),
    ];
    let sources = sources();
    for (library, doors) in doors {
        let path = format!("{library}::");
        let users: Vec<&String> =
            sources.iter().filter(|(_, text)| names_path(text, &path)).map(|(file, _)| file).collect();
        assert!(!users.is_empty(), "{library} is used");
        let strays: Vec<_> =
            users.iter().filter(|file| !doors.iter().any(|door| file.starts_with(door))).collect();
        assert!(strays.is_empty(), "{library} is for {doors:?} alone, not for {strays:?}");
    }
}

/// Whether a text names a path, and not only one that ends alike (`::tera::` is not `my_tera::`).
fn names_path(text: &str, path: &str) -> bool {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(path)
            .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

#[test]
fn what_is_absent_stays_absent() {
    // An IP address is a value; a socket is none.
    let io = [
        "std::fs",
        "TcpListener",
        "TcpStream",
        "UdpSocket",
        "ToSocketAddrs",
        "std::process",
        "std::env",
        "stdout()",
        "stderr()",
    ];
    let pure = [
        "diagnostic",
        "digest",
        "hash",
        "model",
        "charset",
        "typeset",
        "config",
        "picture",
        "address",
        "theme",
        "check",
        "search",
        "highlight",
        "blog",
        "mail",
        "bounce",
        "list",
        "mailing",
        "inbox",
    ];
    for (file, text) in sources() {
        let module = module_of(&file);
        if pure.contains(&module) {
            for forbidden in io {
                assert!(!text.contains(forbidden), "{file} does I/O: {forbidden}");
            }
        }
        if module == "model" {
            for forbidden in ["PathBuf", "html", "lettre", "rusqlite"] {
                assert!(!text.contains(forbidden), "{file} knows {forbidden}");
            }
        }
        if !file.starts_with("publish/carry/") {
            for forbidden in ["process::Command", "process::{", "Command::new"] {
                assert!(!text.contains(forbidden), "{file} runs programs: {forbidden}");
            }
        }
        if !["cli", "main"].contains(&module) {
            for forbidden in ["println!", "eprintln!", "print!("] {
                assert!(!text.contains(forbidden), "{file} prints");
            }
        }
    }
}
