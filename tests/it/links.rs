//! Links to other sites, asked for on this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

fn mailmag(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailmag"));
    for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.arg("-C").arg(root).args(arguments).output().unwrap()
}

/// A server that knows `/here` and has moved `/old` there.
fn serve(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let answer = match path {
                "/here" => "200 OK",
                "/old" => "301 Moved\r\nLocation: /here",
                _ => "404 Not Found",
            };
            let _ = write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
}

#[test]
fn other_sites_are_asked_when_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let issues = root.join("content/issues");
    fs::create_dir_all(&issues).unwrap();
    let settings = "[magazine]\nname = \"名\"\npublisher = \"社\"\n[mail]\nfrom = \"a@example.jp\"\nsubject = \"件\"\n\
        [blog]\nurl = \"https://example.jp\"\n";
    fs::write(root.join("mailmag.toml"), settings).unwrap();
    let write = |text: &str| {
        fs::write(issues.join("001.md"), format!("+++\ndate = 2010-05-14\n+++\n\n# 題\n\n{text}\n")).unwrap();
    };
    let short = ["check", "--check-links", "--format", "short"];
    let said = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();

    // Nobody listens any more: that is said, and is no problem of the magazine.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    write(&format!("[誰もいない]({nowhere}/)"));
    let output = mailmag(root, &short);
    assert_eq!((said(&output).as_str(), output.status.code()), ("", Some(0)));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("1 link could not be reached"), "{errors}");

    serve(listener);
    write(&format!("[ある]({origin}/here#x)、[移った]({origin}/old)。"));
    let output = mailmag(root, &short);
    let moved = "content/issues/001.md:7:".to_owned();
    assert!(
        said(&output).starts_with(&moved) && said(&output).contains(": warning: moved-link: "),
        "{output:?}"
    );
    assert_eq!((said(&output).lines().count(), output.status.code()), (1, Some(0)));
    let kept = fs::read_to_string(root.join(".mailmag/links.json")).unwrap();
    assert!(kept.contains("/old") && !kept.contains(&nowhere), "{kept}");

    write(&format!("[ない]({origin}/none)"));
    assert_eq!(mailmag(root, &["check"]).status.code(), Some(0), "nobody is asked unless it is wanted");
    let output = mailmag(root, &short);
    let gone =
        "content/issues/001.md:7:6: error: broken-link: nothing is there any more: the answer was 404\n";
    assert_eq!((said(&output).as_str(), output.status.code()), (gone, Some(1)));
    assert_eq!(mailmag(root, &["build", "--check-links"]).status.code(), Some(1));
    assert_eq!(mailmag(root, &["build"]).status.code(), Some(0));
}
