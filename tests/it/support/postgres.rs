//! A PostgreSQL of the tests' own: in a temporary folder, reached through a socket there, gone with the tests.
//!
//! PostgreSQL refuses to run as root, so root's tests run it as the user `postgres`, whom its package makes. A shell
//! keeps watch over it: it holds a pipe from the tests, and when that ends (a test panics, the tests are killed) it
//! stops the server and removes the folder.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What runs when the tests' end of the pipe is gone: `$1` is the folder of programs, `$2` the server's.
const KEEPER: &str = r#"trap '' HUP INT TERM
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -s stop
rm -rf "$2""#;

/// How a server runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    /// Whether a commit waits for the disk. Without it, what was committed outlives the server's death all the same, but not the machine's.
    pub(crate) fsync: bool,
    /// How many connections it takes; 0: as many as it takes by default.
    pub(crate) connections: u32,
    /// Whether it listens on 127.0.0.1, too, with TLS and a certificate of its own.
    pub(crate) tls: bool,
}

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    settings: Settings,
    port: u16,
    keeper: Child,
}

/// A server for all tests that need no more than a database of their own.
pub(crate) fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(Settings::default()))
}

/// Connects to a database behind the store's back.
pub(crate) fn connect(url: &str) -> postgres::Client {
    postgres::Client::connect(url, postgres::NoTls).unwrap()
}

impl Server {
    /// Makes a server and starts it.
    pub(crate) fn start(settings: Settings) -> Server {
        let folder =
            tempfile::Builder::new().prefix("mailmag-pg-").rand_bytes(6).tempdir_in("/tmp").unwrap().keep();
        if let Some((user, group)) = owner() {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut keeper = unprivileged("/bin/sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(programs()).arg(&folder);
        // Ctrl-C is for the tests; the keeper hears of their end.
        let keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).spawn().unwrap();
        let port = if settings.tls { free_port() } else { 5432 };
        let server = Server { folder, settings, port, keeper };
        let mut initdb = unprivileged(programs().join("initdb"));
        initdb.arg("-D").arg(server.data()).args([
            "-U",
            "mailmag",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        ]);
        run(&mut initdb);
        if settings.tls {
            server.make_certificate();
        }
        server.start_again();
        server
    }

    /// Starts it after [`kill`](Server::kill), and waits until it takes connections.
    pub(crate) fn start_again(&self) {
        let folder = self.folder.display();
        let mut options = format!("-c unix_socket_directories={folder} -c port={}", self.port);
        let Settings { fsync, connections, tls } = self.settings;
        options += if fsync { " -c fsync=on" } else { " -c fsync=off -c full_page_writes=off" };
        if connections > 0 {
            options += &format!(" -c max_connections={connections} -c superuser_reserved_connections=0");
        }
        if tls {
            options += &format!(
                " -c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={folder}/server.pem -c ssl_key_file={folder}/server.key"
            );
        } else {
            options += " -c listen_addresses=''";
        }
        let mut start = unprivileged(programs().join("pg_ctl"));
        start.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log"));
        start.args(["-w", "-t", "60", "-s", "-o", &options, "start"]);
        if start.stderr(Stdio::null()).status().unwrap().success() {
            return;
        }
        let mut log = String::new();
        fs::File::open(self.folder.join("log")).unwrap().read_to_string(&mut log).unwrap();
        panic!("PostgreSQL does not start:\n{log}");
    }

    /// Kills the server and everything it was doing, as a crash of the machine would.
    pub(crate) fn kill(&self) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        let mut doomed = children_of(&pid);
        doomed.insert(0, pid);
        let mut kill = unprivileged("/bin/sh");
        // One that has just ended by itself is no failure.
        kill.args(["-c", "kill -9 \"$@\" 2>/dev/null; :", "kill"]).args(&doomed);
        run(&mut kill);
        while doomed.iter().any(|pid| is_running(pid)) {
            std::thread::yield_now();
        }
        // These name a process that may not have been reaped yet, which would pass for a running server.
        fs::remove_file(self.data().join("postmaster.pid")).unwrap();
        fs::remove_file(self.folder.join(format!(".s.PGSQL.{}.lock", self.port))).unwrap();
    }

    /// The URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://mailmag@{folder}:{}/{database}", self.port)
    }

    /// The URL of a database by way of 127.0.0.1, for a server with TLS. Its certificate, which it vouches for itself, names `localhost`.
    pub(crate) fn tcp_url(&self, database: &str) -> String {
        assert!(self.settings.tls, "only a server with TLS listens there");
        format!("postgres://mailmag@localhost:{}/{database}", self.port)
    }

    /// The certificate of a server with TLS.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// Makes an empty database and gives its URL.
    pub(crate) fn database(&self) -> String {
        let name = self.database_name();
        self.url(&name)
    }

    /// Makes an empty database and gives its name.
    pub(crate) fn database_name(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("list_{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.run_sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        name
    }

    /// Runs SQL behind the store's back.
    pub(crate) fn run_sql(&self, database: &str, sql: &str) {
        self.connect(database).batch_execute(sql).unwrap();
    }

    /// Connects to a database.
    pub(crate) fn connect(&self, database: &str) -> postgres::Client {
        connect(&self.url(database))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn make_certificate(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.certificate(), made.cert.pem()).unwrap();
        let key = self.folder.join("server.key");
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        // The server takes no key that others may read.
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = owner() {
            chown(&key, Some(user), Some(group)).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
    }
}

/// PostgreSQL's programs: Debian keeps them by their version, others in the path.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
        let newest = versions
            .filter_map(|entry| {
                Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
            })
            .filter(|(_, programs)| programs.join("initdb").exists())
            .max();
        let in_path = || {
            let found = Command::new("sh").args(["-c", "command -v initdb"]).output().ok()?.stdout;
            Some(PathBuf::from(String::from_utf8(found).ok()?.trim()).parent()?.to_owned())
        };
        newest
            .map(|(_, programs)| programs)
            .or_else(in_path)
            .expect("PostgreSQL is installed (./scripts/test does it)")
    })
}

/// The user and group that root's tests run the server as.
fn owner() -> Option<(u32, u32)> {
    static OWNER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    let number = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    *OWNER.get_or_init(|| {
        if number(&["-u"]) != Some(0) {
            return None;
        }
        let user = number(&["-u", "postgres"]).expect("PostgreSQL's package has made the user `postgres`");
        Some((user, number(&["-g", "postgres"]).unwrap()))
    })
}

fn unprivileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    // Wherever the tests run, that user need not be allowed to look.
    command.current_dir("/");
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The processes whose parent this one is.
fn children_of(parent: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let names = processes.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|pid| stat(pid).is_some_and(|(_, its_parent)| its_parent == parent)).collect()
}

/// Whether a process is there, and not only waits to be reaped.
fn is_running(pid: &str) -> bool {
    stat(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// The state and the parent of a process (proc_pid_stat(5)).
fn stat(pid: &str) -> Option<(String, String)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
}

#[test]
fn what_was_committed_outlives_the_server_and_nothing_outlives_the_tests() {
    let server = Server::start(Settings::default());
    let name = server.database_name();
    server.run_sql(&name, "CREATE TABLE kept (number int); INSERT INTO kept VALUES (7)");
    server.kill();
    assert!(postgres::Client::connect(&server.url(&name), postgres::NoTls).is_err());
    server.start_again();
    let number: i32 = server.connect(&name).query_one("SELECT number FROM kept", &[]).unwrap().get(0);
    assert_eq!(number, 7);
    let folder = server.folder.clone();
    let pid = fs::read_to_string(server.data().join("postmaster.pid")).unwrap();
    drop(server);
    assert!(!folder.exists() && !is_running(pid.lines().next().unwrap()));
}

#[test]
fn each_test_has_a_database_of_its_own() {
    let tables = |url: &str| {
        let mut client = connect(url);
        client.batch_execute("CREATE TABLE kept (number int)").unwrap();
        let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
        client.query_one(sql, &[]).unwrap().get::<_, i64>(0)
    };
    let (one, other) = (shared().database(), shared().database());
    assert_eq!((tables(&one), tables(&other)), (1, 1));
}
