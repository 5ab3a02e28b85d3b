//! What a run costs; Postfix's smtp-sink and smtp-source.

#![allow(dead_code, reason = "no benchmark uses all of it")]
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use mailmag::charset::{Charset, Profile, encode};
use mailmag::model::{Language, Source};
use mailmag::store::ImportOrder;
use mimalloc::MiMalloc;

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many connections carry mail.
pub(crate) const CONNECTIONS: usize = 16;

/// A program where Debian puts it, which is not on everybody's path.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/sbin"]
        .iter()
        .map(|at| PathBuf::from(at).join(name))
        .find(|at| at.exists())
}

pub(crate) struct Sink {
    pub(crate) port: u16,
    child: Child,
}

impl Sink {
    pub(crate) fn start(program: &Path) -> Sink {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(program).args(["-u", "nobody", "-4", &address, "500"]).spawn().unwrap();
        while TcpStream::connect(&address).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Sink { port, child }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn rate(mails: usize, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    mails as f64 / start.elapsed().as_secs_f64()
}

/// The rate, and this process's own CPU seconds for 1,000 mails.
pub(crate) fn measured(mails: usize, run: impl FnOnce()) -> (f64, f64) {
    let before = cpu_seconds();
    let rate = rate(mails, run);
    (rate, (cpu_seconds() - before) / mails as f64 * 1000.0)
}

/// User's and system's, in hundredths, are the 14th and 15th field (proc_pid_stat(5)); 0 where there is no such file.
pub(crate) fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

pub(crate) fn run_source(program: &Path, port: u16, mails: usize) {
    let (sessions, count) = (CONNECTIONS.to_string(), mails.to_string());
    let status = Command::new(program)
        .args(["-4", "-d", "-s", &sessions, "-l", "8192", "-m", &count])
        .args(["-f", "a@example.jp", "-t", "b@example.net", &format!("127.0.0.1:{port}")])
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// Japanese mail text in ISO-2022-JP: so much that with a reader's own headers it is as long as what smtp-source sends, 8,192
/// octets and its headers. The sink looks at every octet.
pub(crate) fn body() -> Vec<u8> {
    let line = "　大量配信では、一通ずつ確かに届けることと、速く送ることを両立させる。\r\n";
    encode(&line.repeat(92), Charset::Iso2022Jp, Profile::Ms).unwrap()
}

/// The most memory that this process has had, in megabytes, where the system tells (Linux).
pub(crate) fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// The one moment of all benchmarks.
pub(crate) fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// An import of readers who consented in this way.
pub(crate) fn import_order(basis: &str) -> ImportOrder {
    ImportOrder {
        at: at(),
        seed: [3; 32],
        basis: basis.to_owned(),
        source: Source::Import,
        source_name: "bench".to_owned(),
        file_name: "readers.csv".to_owned(),
        file_digest: String::new(),
        language: Language::Japanese,
        operator: None,
        dry_run: false,
    }
}
