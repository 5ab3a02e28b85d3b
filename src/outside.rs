//! Whether the addresses of other sites are still there: the only place that asks the network.
//!
//! Each address is asked for with `HEAD`, and with `GET` where that is not answered well. A host is asked by at most two
//! at a time, and is given up for this run when it cannot be reached. What was answered is kept in a file.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use std::{fs, thread};

use serde::{Deserialize, Serialize};
use ureq::Agent;

/// How many hosts are asked at once, two for a host that is asked by two.
const AT_ONCE: usize = 16;
/// How many ask one host at once.
const A_HOST: usize = 2;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How long a good answer holds, in seconds.
const GOOD_FOR: i64 = 7 * 24 * 3600;
/// How long any other answer holds, in seconds.
const BAD_FOR: i64 = 3600;

/// What is known of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is there.
    Found,
    /// It has moved for good, and is there under this address.
    Moved(String),
    /// It is not there: the status is 404 or 410.
    Gone(u16),
    /// The host answered with another status, which says nothing certain of what a reader will see.
    Unclear(u16),
    /// No answer came, for this reason.
    Unreachable(String),
}

/// What was answered before, by address.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<String, Answer>);

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    verdict: Verdict,
    /// When, in seconds since 1970.
    at: i64,
}

impl Answers {
    /// Reads what was kept; nothing when there is no such file or it is none of ours.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Answers> {
        match fs::read(path) {
            Ok(octets) => Ok(serde_json::from_slice(&octets).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answers::default()),
            Err(error) => Err(error),
        }
    }

    /// Keeps the answers, and makes the file's folder.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("new");
        fs::write(&beside, serde_json::to_vec_pretty(self)?)?;
        fs::rename(beside, path)
    }

    fn fresh(&self, url: &str, now: i64) -> Option<&Verdict> {
        let Answer { verdict, at } = self.0.get(url)?;
        let holds = match verdict {
            Verdict::Found | Verdict::Moved(_) => GOOD_FOR,
            Verdict::Gone(_) | Verdict::Unclear(_) | Verdict::Unreachable(_) => BAD_FOR,
        };
        (0..holds).contains(&(now - at)).then_some(verdict)
    }
}

/// What is known of each address: from `answers` where that is fresh at `now` (seconds since 1970), else asked anew.
/// Afterwards `answers` holds what is known of these addresses, except of those that could not be reached.
pub fn ask(urls: &BTreeSet<String>, answers: &mut Answers, now: i64) -> BTreeMap<String, Verdict> {
    let mut verdicts: BTreeMap<String, Verdict> = BTreeMap::new();
    let mut hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for url in urls {
        match answers.fresh(url, now) {
            Some(verdict) => {
                verdicts.insert(url.clone(), verdict.clone());
            }
            None => hosts.entry(host(url)).or_default().push(url),
        }
    }
    let lanes: VecDeque<Vec<&str>> = hosts
        .into_values()
        .flat_map(|of_host| {
            let each = of_host.len().div_ceil(A_HOST).max(1);
            of_host.chunks(each).map(<[&str]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    let workers = lanes.len().min(AT_ONCE);
    let (lanes, asked, dead) = (Mutex::new(lanes), Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
    let agent = agent();
    let next = || lanes.lock().ok()?.pop_front();
    let work = || {
        while let Some(lane) = next() {
            for url in lane {
                let is_dead = dead.lock().is_ok_and(|dead| dead.contains(host(url)));
                let verdict = if is_dead {
                    Verdict::Unreachable("its host did not answer before".to_owned())
                } else {
                    ask_one(&agent, url)
                };
                if let (Verdict::Unreachable(_), Ok(mut dead)) = (&verdict, dead.lock()) {
                    dead.insert(host(url));
                }
                if let Ok(mut asked) = asked.lock() {
                    asked.push((url.to_owned(), verdict));
                }
            }
        }
    };
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    for (url, verdict) in asked.into_inner().unwrap_or_default() {
        if !matches!(verdict, Verdict::Unreachable(_)) {
            answers.0.insert(url.clone(), Answer { verdict: verdict.clone(), at: now });
        }
        verdicts.insert(url, verdict);
    }
    answers.0.retain(|url, _| urls.contains(url));
    verdicts
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .user_agent(concat!("mailmag/", env!("CARGO_PKG_VERSION"), " (link check)"))
        .build();
    Agent::new_with_config(config)
}

/// `example.jp:8080` of `https://example.jp:8080/a`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn ask_one(agent: &Agent, url: &str) -> Verdict {
    let mut at = url.to_owned();
    // The address that a chain of redirects for good has led to.
    let mut for_good: Option<String> = None;
    let mut only_for_good = true;
    for _ in 0..=REDIRECTS {
        let (status, location) = match answer(agent, &at) {
            Ok(answer) => answer,
            Err(reason) => return Verdict::Unreachable(reason),
        };
        match (status, location) {
            (200..300, _) => return for_good.map_or(Verdict::Found, Verdict::Moved),
            (404 | 410, _) => return Verdict::Gone(status),
            (300..400, Some(location)) => {
                at = joined(&at, &location);
                only_for_good &= matches!(status, 301 | 308);
                if only_for_good {
                    for_good = Some(at.clone());
                }
            }
            (status, _) => return Verdict::Unclear(status),
        }
    }
    Verdict::Unclear(310)
}

/// The status, and where a redirect leads.
fn answer(agent: &Agent, url: &str) -> Result<(u16, Option<String>), String> {
    let told = |response: ureq::http::Response<ureq::Body>| {
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        (response.status().as_u16(), location.map(str::to_owned))
    };
    match agent.head(url).call().map(told) {
        Ok((status, location)) if status < 400 => Ok((status, location)),
        // Some hosts know no `HEAD`, and some close the connection on it.
        _ => agent.get(url).call().map(told).map_err(|error| error.to_string()),
    }
}

/// An address that may be relative, seen from another (RFC 3986, section 5.2, without dot segments).
fn joined(base: &str, location: &str) -> String {
    let location = location.split('#').next().unwrap_or_default();
    let scheme = base.split("://").next().unwrap_or("https");
    if location.contains("://") {
        return location.to_owned();
    }
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let host = host(base);
    if location.starts_with('/') {
        return format!("{scheme}://{host}{location}");
    }
    let path = base.split(['?', '#']).next().unwrap_or(base);
    let folder = path.rfind('/').filter(|at| *at >= scheme.len() + 3).map_or(path, |at| &path[..at]);
    format!("{folder}/{location}")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    use super::*;

    /// A server that answers by path, and remembers what it was asked.
    fn server() -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let origin = format!("http://{}", listener.local_addr().expect("it listens"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let lines = BufReader::new(stream.try_clone().expect("it can be read")).lines();
                let head: Vec<String> =
                    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let request = head.first().cloned().unwrap_or_default();
                let request = request.trim_end_matches(" HTTP/1.1").to_owned();
                let answer = match request.as_str() {
                    "HEAD /moved" => "301 Moved\r\nLocation: /found",
                    "HEAD /for-now" => "302 Found\r\nLocation: found",
                    "HEAD /twice" => "308 Moved\r\nLocation: /moved",
                    "HEAD /round" => "301 Moved\r\nLocation: /round",
                    "HEAD /moved-away" => "301 Moved\r\nLocation: /gone",
                    "HEAD /found" | "GET /no-head" => "200 OK",
                    "HEAD /gone" | "GET /gone" => "410 Gone",
                    "HEAD /secret" | "GET /secret" => "403 Forbidden",
                    "HEAD /no-head" => "405 Not Allowed",
                    _ => "404 Not Found",
                };
                log.lock().expect("nobody panicked").push(request);
                let _ = write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        (origin, asked)
    }

    #[test]
    fn addresses_are_judged_and_remembered() {
        let (origin, asked) = server();
        let cases = [
            ("/found", Verdict::Found),
            ("/no-head", Verdict::Found),
            ("/for-now", Verdict::Found),
            ("/moved", Verdict::Moved(format!("{origin}/found"))),
            ("/twice", Verdict::Moved(format!("{origin}/found"))),
            ("/moved-away", Verdict::Gone(410)),
            ("/gone", Verdict::Gone(410)),
            ("/none", Verdict::Gone(404)),
            ("/secret", Verdict::Unclear(403)),
            ("/round", Verdict::Unclear(310)),
        ];
        let expected: BTreeMap<String, Verdict> =
            cases.into_iter().map(|(path, verdict)| (format!("{origin}{path}"), verdict)).collect();
        let urls: BTreeSet<String> = expected.keys().cloned().collect();
        let mut answers = Answers::default();
        assert_eq!(ask(&urls, &mut answers, 1_000), expected);

        let times = || asked.lock().expect("nobody panicked").len();
        let first = times();
        assert_eq!(ask(&urls, &mut answers, 1_000 + BAD_FOR - 1), expected);
        assert_eq!(times(), first, "all of it is remembered");
        assert_eq!(ask(&urls, &mut answers, 1_000 + BAD_FOR), expected);
        let again = asked.lock().expect("nobody panicked")[first..].join(" ");
        assert!(again.contains("/gone") && !again.contains("/twice"), "{again}");

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/links.json");
        answers.write(&path).expect("it can be written");
        assert_eq!(Answers::read(&path).expect("it can be read"), answers);
        fs::write(&path, "{").expect("it can be written");
        assert_eq!(Answers::read(&path).expect("it can be read"), Answers::default());
    }

    #[test]
    fn a_host_that_does_not_answer_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let origin = format!("http://{}", listener.local_addr().expect("it listens"));
        drop(listener);
        let urls: BTreeSet<String> = (0..9).map(|number| format!("{origin}/{number}")).collect();
        let mut answers = Answers::default();
        let verdicts = ask(&urls, &mut answers, 0);
        assert_eq!(verdicts.len(), 9);
        assert!(verdicts.values().all(|verdict| matches!(verdict, Verdict::Unreachable(_))), "{verdicts:?}");
        assert_eq!(answers, Answers::default());
    }

    #[test]
    fn redirects_may_be_relative() {
        for (base, location, expected) in [
            ("https://a.jp/b/c?d", "e", "https://a.jp/b/e"),
            ("https://a.jp", "e", "https://a.jp/e"),
            ("https://a.jp:1/b", "/e#f", "https://a.jp:1/e"),
            ("http://a.jp/b", "//c.jp/d", "http://c.jp/d"),
            ("http://a.jp/b", "https://a.jp/b", "https://a.jp/b"),
        ] {
            assert_eq!(joined(base, location), expected);
        }
    }
}
