//! Reading `mailmag.toml`: every wrong setting is told at its place, and all of them at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{
    AuthorConfig, BlogConfig, CharsetChoice, Config, Keys, MagazineConfig, MailConfig, PublishTarget, Sender,
    Setting, TypesettingChange, pace, sending, serving,
};
use chrono::TimeDelta;

use crate::charset::Profile;
use crate::diagnostic::{Diagnostic, Level, SourceText};
use crate::model::{Emphasis, Links, Tables, Typesetting};

/// Reads `mailmag.toml`. Nothing is returned when what is missing or wrong leaves no usable settings; every
/// problem is in `problems` then.
pub fn parse(source: &Arc<SourceText>, problems: &mut Vec<Diagnostic>) -> Option<Config> {
    let mut keys = Keys::parse(source, 0..source.text.len(), "mailmag.toml", problems);
    if keys.is_broken() {
        return None;
    }
    if keys.is_empty() {
        problems.push(
            Diagnostic::error("no-settings", "mailmag.toml is empty")
                .at(source, 0..0)
                .help("`mailmag init DIR` makes a magazine whose mailmag.toml has all that is needed"),
        );
        return None;
    }
    let problems_before = problems.len();
    let is_there = keys.has("magazine");
    let magazine = match keys.table("magazine", problems) {
        Some(table) => magazine(table, source, problems),
        None => {
            if !is_there {
                keys.report_missing_table("magazine");
            }
            None
        }
    };
    let is_there = keys.has("mail");
    let mail = match keys.table("mail", problems) {
        Some(table) => mail(table, source, problems),
        None => {
            if !is_there {
                keys.report_missing_table("mail");
            }
            None
        }
    };
    let mut authors = BTreeMap::new();
    if let Some(table) = keys.table("authors", problems) {
        for (key, table) in table.named_tables(problems) {
            check_author_key(&key, source, problems);
            if let Some(author) = author(table, problems) {
                authors.insert(key.value, author);
            }
        }
    }
    let is_there = keys.has("blog");
    let blog = match keys.table("blog", problems) {
        Some(table) => blog(table, source, problems),
        None => {
            if !is_there {
                keys.report_missing_table("blog");
            }
            None
        }
    };
    let publish = keys.table("publish", problems).and_then(|table| publish(table, source, problems));
    let store = keys.table("store", problems).map(|table| serving::store(table, source, problems));
    let web = keys.table("web", problems).and_then(|table| serving::web(table, source, problems));
    let servers = keys.tables("smtp", problems);
    let smtp = servers.into_iter().filter_map(|server| sending::smtp(server, source, problems)).collect();
    let paces = pace::paces(keys.tables("pace", problems), source, problems);
    let dkim = keys.table("dkim", problems).and_then(|table| sending::dkim(table, source, problems));
    keys.finish(problems);
    if problems[problems_before..].iter().any(|problem| problem.level == Level::Error) {
        return None;
    }
    Some(Config {
        source: source.clone(),
        magazine: magazine?,
        mail: mail?,
        authors,
        blog: blog?,
        publish,
        store: store.unwrap_or_default(),
        web,
        smtp,
        paces,
        dkim,
    })
}

fn magazine(
    mut keys: Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<MagazineConfig> {
    let name = keys.required_string("name", "\"…\"", problems);
    let publisher = keys.required_string("publisher", "\"…\"", problems);
    let language = keys.string("language", problems).map_or("ja".to_owned(), |setting| setting.value);
    let timezone = match keys.string("timezone", problems) {
        None => Some(chrono_tz::Asia::Tokyo),
        Some(setting) => match setting.value.parse() {
            Ok(timezone) => Some(timezone),
            Err(_) => {
                problems.push(
                    Diagnostic::error(
                        "unknown-timezone",
                        format!("there is no time zone `{}`", setting.value),
                    )
                    .at(source, setting.span)
                    .help("write a name of the IANA time zone database, such as \"Asia/Tokyo\""),
                );
                None
            }
        },
    };
    let is_commercial = keys.boolean("commercial", problems).unwrap_or(true);
    let mut told = |key| {
        let words = keys.string(key, problems).map(|setting| setting.value);
        words.filter(|words| !words.trim().is_empty())
    };
    let (address, contact) = (told("address"), told("contact"));
    keys.finish(problems);
    let (name, publisher) = (name?.value, publisher?.value);
    Some(MagazineConfig { name, publisher, language, timezone: timezone?, is_commercial, address, contact })
}

fn mail(mut keys: Keys<'_>, source: &Arc<SourceText>, problems: &mut Vec<Diagnostic>) -> Option<MailConfig> {
    let from = keys
        .required_string("from", "\"Name <news@example.jp>\"", problems)
        .and_then(|setting| sender(&setting, source, problems));
    let subject = keys.required_string("subject", "\"Vol.{{ issue.number }}\"", problems);
    let charsets = [
        ("auto", CharsetChoice::Auto),
        ("iso-2022-jp", CharsetChoice::Iso2022Jp),
        ("utf-8", CharsetChoice::Utf8),
    ];
    let charset = keys.one_of("charset", &charsets, problems).unwrap_or_default();
    let profiles = [("ms", Profile::Ms), ("strict", Profile::Strict)];
    let utf_8_domains = keys.strings("utf-8-domains", problems);
    let charset_profile = keys.one_of("charset-profile", &profiles, problems).unwrap_or(Profile::Ms);
    let typesetting = TypesettingChange::read(&mut keys, problems).apply(Typesetting::default());
    let contents = keys.boolean("contents", problems).unwrap_or(false);
    let emphasis = [("drop", Emphasis::Drop), ("keep", Emphasis::Keep)];
    let emphasis = keys.one_of("emphasis", &emphasis, problems).unwrap_or_default();
    let links = [("notes", Links::Notes), ("line", Links::Line)];
    let links = keys.one_of("links", &links, problems).unwrap_or_default();
    let tables = [("box", Tables::Box), ("ascii", Tables::Ascii)];
    let tables = keys.one_of("tables", &tables, problems).unwrap_or_default();
    let html = keys.boolean("html", problems).unwrap_or(false);
    let late = keys.integer("late-minutes", 1..10_081, problems).unwrap_or(LATE_MINUTES);
    keys.finish(problems);
    let (from, subject) = (from?, subject?);
    Some(MailConfig {
        from,
        subject,
        charset,
        charset_profile,
        utf_8_domains: utf_8_domains.into_iter().map(|domain| domain.to_ascii_lowercase()).collect(),
        typesetting,
        contents,
        emphasis,
        links,
        tables,
        html,
        late: TimeDelta::minutes(late.into()),
    })
}

/// By how many minutes a mailing may be late, unless something else is said.
const LATE_MINUTES: u32 = 60;

/// The measures that make sense for mail, in columns: a phone's to the longest line a mailer shows whole.
pub const WIDTHS: Range<u32> = 20..201;

fn sender(
    setting: &Setting<String>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Sender> {
    let (name, address) =
        match setting.value.trim().strip_suffix('>').and_then(|value| value.rsplit_once('<')) {
            Some((name, address)) => (unquoted(name.trim()), address.trim()),
            None => ("", setting.value.trim()),
        };
    let valid = match address.split_once('@') {
        Some((local, domain)) => {
            let plain = |text: &str, more: &str| {
                !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
                    && !text.starts_with('.')
                    && !text.ends_with('.')
            };
            plain(local, ".!#$%&'*+/=?^_`{|}~-") && plain(domain, ".-") && address.len() <= 254
        }
        None => false,
    };
    if !valid || name.chars().any(char::is_control) {
        problems.push(
            Diagnostic::error("bad-address", format!("`{}` is not a sender", setting.value))
                .at(source, setting.span.clone())
                .help("write \"news@example.jp\" or \"Name <news@example.jp>\""),
        );
        return None;
    }
    Some(Sender { name: name.to_owned(), address: address.to_owned() })
}

/// A display name without the quotation marks that RFC 5322 puts round it.
fn unquoted(name: &str) -> &str {
    name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name).trim()
}

fn check_author_key(key: &Setting<String>, source: &Arc<SourceText>, problems: &mut Vec<Diagnostic>) {
    let plain = key.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !plain || key.value.is_empty() {
        problems.push(
            Diagnostic::error("bad-author-key", format!("`{}` cannot name an author's page", key.value))
                .at(source, key.span.clone())
                .help("use Latin letters, digits, `-` and `_`; the name readers see goes into `name`"),
        );
    }
}

fn author(mut keys: Keys<'_>, problems: &mut Vec<Diagnostic>) -> Option<AuthorConfig> {
    let name = keys.required_string("name", "\"…\"", problems);
    let typesetting = TypesettingChange::read(&mut keys, problems);
    keys.finish(problems);
    Some(AuthorConfig { name: name?.value, typesetting })
}

fn blog(mut keys: Keys<'_>, source: &Arc<SourceText>, problems: &mut Vec<Diagnostic>) -> Option<BlogConfig> {
    let url = keys
        .required_string("url", "\"https://blog.example.jp\"", problems)
        .and_then(|setting| web_address(setting, source, problems));
    let description = keys.string("description", problems).map_or(String::new(), |setting| setting.value);
    let subscribe_url =
        keys.string("subscribe-url", problems).and_then(|setting| web_address(setting, source, problems));
    let mut tags = BTreeMap::new();
    if let Some(table) = keys.table("tags", problems) {
        for (tag, address) in table.named_strings(problems) {
            if is_address_part(&address.value) {
                tags.insert(tag.value, address.value);
            } else {
                problems.push(
                    Diagnostic::error(
                        "bad-slug",
                        format!("`{}` cannot be part of an address", address.value),
                    )
                    .at(source, address.span)
                    .help("use small Latin letters, digits and `-`"),
                );
            }
        }
    }
    let redirects =
        keys.table("redirects", problems).map_or_else(Vec::new, |table| table.named_strings(problems));
    keys.finish(problems);
    Some(BlogConfig { url: url?, description, tags, subscribe_url, redirects })
}

fn publish(
    mut keys: Keys<'_>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<PublishTarget> {
    let problems_before = problems.len();
    let section = keys.span();
    let directory = keys.string("directory", problems);
    let rsync = keys.string("rsync", problems);
    let options = keys.placed_strings("rsync-options", problems);
    let git = keys.string("git", problems);
    let branch = keys.string("branch", problems);
    keys.finish(problems);
    let mut refuse = |message: &str, span: &Range<usize>, help: &str| {
        problems.push(Diagnostic::error("publish-target", message).at(source, span.clone()).help(help));
    };
    for target in [&directory, &rsync, &git].into_iter().flatten() {
        let value = &target.value;
        if value.trim().is_empty() || value.starts_with('-') || value.contains(char::is_control) {
            refuse(
                &format!("`{}` is no place to publish to", value.escape_debug()),
                &target.span,
                "write a folder or an address that does not begin with `-`, such as \"/srv/www/mag\"",
            );
        }
    }
    if let Some(branch) = branch.as_ref().filter(|branch| !is_branch(&branch.value)) {
        refuse(
            &format!("`{}` is no name for a branch", branch.value.escape_debug()),
            &branch.span,
            "use Latin letters, digits, `-`, `_`, `.` and `/`, such as \"gh-pages\"",
        );
    }
    if let Some(option) = options.first().filter(|_| rsync.is_none()) {
        refuse(
            "`rsync-options` without `rsync` has no effect",
            &option.span,
            "leave it out, or name `rsync`",
        );
    }
    if let Some(branch) = branch.as_ref().filter(|_| git.is_none()) {
        refuse("`branch` without `git` has no effect", &branch.span, "leave it out, or name `git`");
    }
    if problems.len() > problems_before {
        return None;
    }
    match (directory, rsync, git) {
        (Some(directory), None, None) => Some(PublishTarget::Directory(directory.value)),
        (None, Some(rsync), None) => {
            let options = options.into_iter().map(|option| option.value).collect();
            Some(PublishTarget::Rsync { to: rsync.value, options })
        }
        (None, None, Some(git)) => {
            let branch = branch.map_or("gh-pages".to_owned(), |branch| branch.value);
            Some(PublishTarget::Git { repository: git.value, branch })
        }
        _ => {
            problems.push(
                Diagnostic::error("publish-target", "[publish] names no place, or more than one")
                    .at(source, section)
                    .help("write one of `directory`, `rsync` and `git`"),
            );
            None
        }
    }
}

/// Whether git takes this as a branch's name; stricter than git.
fn is_branch(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

/// Whether a word can stand between two slashes of an address as it is.
pub fn is_address_part(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
        && !word.starts_with('.')
}

pub(super) fn web_address(
    setting: Setting<String>,
    source: &Arc<SourceText>,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    let address = setting.value.trim_end_matches('/');
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let valid = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && address.is_ascii()
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"?#".contains(c));
    if !valid {
        problems.push(
            Diagnostic::error("bad-url", format!("`{}` is not an address on the web", setting.value))
                .at(source, setting.span)
                .help("write it whole, such as \"https://blog.example.jp\""),
        );
        return None;
    }
    Some(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PaceConfig, Secret, SmtpConfig, StoreConfig};
    use crate::model::LineBreak;

    const GOOD: &str = "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n\
        [mail]\nfrom = \"通信 <news@example.jp>\"\nsubject = \"Vol.{{ issue.number }}\"\nwidth = 72\n\
        [authors.ouchi]\nname = \"大内\"\nline-break = \"loose\"\nhanging-punctuation = \"allow-end\"\n\
        [blog]\nurl = \"https://example.jp/mag/\"\n";

    fn read(toml: &str) -> Result<Config, Vec<String>> {
        let source = SourceText::new("mailmag.toml", toml);
        let mut problems = Vec::new();
        parse(&source, &mut problems).ok_or_else(|| {
            problems.iter().map(|problem| format!("{}: {}", problem.rule, problem.message)).collect()
        })
    }

    #[test]
    fn the_list_and_the_ways_out_are_read() {
        let config = read(&format!(
            "{GOOD}[store]\nurl = \"postgres://mag@db.example.jp/mag\"\npassword-env = \"PG\"\nkey-env = \"KEY\"\n\
             [web]\nurl = \"https://mail.example.jp/\"\nproof-bits = 20\ntrusted-proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n\
             [[smtp]]\nhost = \"smtp.example.jp\"\nuser = \"mag\"\npassword-file = \"pw\"\n\
             [[smtp]]\nhost = \"127.0.0.1\"\ntls = \"none\"\n[[smtp]]\nfolder = \"outbox\"\n\
             [dkim]\ndomain = \"example.jp\"\nselector = \"m1\"\nkey-file = \"dkim.pem\"\n"
        ))
        .expect("the settings are good");
        assert_eq!(config.store.key, Secret::Env("KEY".into()));
        let web = config.web.expect("it is there");
        assert_eq!((web.url.as_str(), web.listen.port()), ("https://mail.example.jp", 8080));
        assert_eq!(web.proof_bits, Some(20));
        assert!(web.trusted_proxies[1].contains(&"10.9.8.7".parse::<std::net::IpAddr>().unwrap()));
        let ports = config.smtp.iter().map(|way| match way {
            SmtpConfig::Server(server) => server.port,
            SmtpConfig::Folder(_) => 0,
        });
        assert_eq!(ports.collect::<Vec<_>>(), [465, 25, 0]);
        assert_eq!(read(GOOD).expect("they may be left out").store, StoreConfig::default());
    }

    #[test]
    fn paces_of_domains_are_read() {
        let config = read(&format!(
            "{GOOD}[[pace]]\ndomains = [\"例え.jp\", \"A.example\"]\nconnections = 3\nmessages-per-minute = 90\n\
             not-on-the-hour = true\n[[pace]]\ndomains = [\"docomo.ne.jp\"]\n"
        ));
        let expected = [
            PaceConfig {
                domains: vec!["xn--r8jz45g.jp".to_owned(), "a.example".to_owned()],
                connections: Some(3),
                messages_per_minute: Some(90),
                spares_full_hour: true,
            },
            PaceConfig {
                domains: vec!["docomo.ne.jp".to_owned()],
                connections: None,
                messages_per_minute: None,
                spares_full_hour: false,
            },
        ];
        assert_eq!(config.expect("the settings are good").paces, expected);
    }

    #[test]
    fn slips_in_the_list_and_the_ways_out_are_told() {
        let cases = [
            ("[store]\nurl = \"mysql://u:secret@h/d\"", "bad-store: `…@h/d` names no store"),
            (
                "[store]\nkey-env = \"A\"\nkey-file = \"b\"",
                "two-secrets: `key-env` and `key-file` name one secret twice",
            ),
            ("[web]\nlisten = \"127.0.0.1:8080\"", "missing-key: [web] has no `url`"),
            (
                "[web]\nurl = \"https://a.jp\"\nlisten = \"8080\"",
                "bad-listen: `8080` is no place to listen at",
            ),
            (
                "[web]\nurl = \"https://a.jp\"\ntrusted-proxies = [\"proxy\"]",
                "bad-network: `proxy` is neither an address nor a network",
            ),
            (
                "[web]\nurl = \"https://a.jp\"\nproof-bits = 25",
                "wrong-value: `proof-bits` in [web] must be a whole number from 0 to 24, not 25",
            ),
            ("[[smtp]]\nport = 25", "missing-key: [[smtp]] has no `host`"),
            ("[[smtp]]\nhost = \"a.jp\"\ntls = \"none\"", "plain-smtp: mail would go to `a.jp` unprotected"),
            ("[[smtp]]\nhost = \"a.jp\"\nuser = \"u\"", "missing-key: [[smtp]] has a `user` and no password"),
            ("[[smtp]]\nfolder = \"o\"\nport = 25", "unknown-key: unknown key `port` in [[smtp]]"),
            ("[[pace]]\nconnections = 2", "missing-key: [[pace]] has no `domains`"),
            ("[[pace]]\ndomains = []", "empty-value: `domains` in [[pace]] is empty"),
            ("[[pace]]\ndomains = [\"a@a.jp\"]", "bad-host: `a@a.jp` is no domain"),
            (
                "[[pace]]\ndomains = [\"a.jp\"]\n[[pace]]\ndomains = [\"b.jp\", \"A.jp\"]",
                "duplicate-domain: `a.jp` has a pace already",
            ),
            (
                "[[pace]]\ndomains = [\"a.jp\"]\nconnections = 0",
                "wrong-value: `connections` in [[pace]] must be a whole number from 1 to 1000, not 0",
            ),
            (
                "[[pace]]\ndomains = [\"a.jp\"]\nmessages-per-minute = 0",
                "wrong-value: `messages-per-minute` in [[pace]] must be a whole number from 1 to 60000000, not 0",
            ),
            (
                "[[pace]]\ndomains = [\"a.jp\"]\nmessages-per-second = 1",
                "unknown-key: unknown key `messages-per-second` in [[pace]]",
            ),
            (
                "[dkim]\ndomain = \"a b\"\nselector = \"s\"\nkey-file = \"k\"",
                "bad-host: `a b` is no name of the DNS",
            ),
        ];
        for (section, problem) in cases {
            assert_eq!(
                read(&format!("{GOOD}{section}\n")).err(),
                Some(vec![problem.to_owned()]),
                "{section}"
            );
        }
    }

    #[test]
    fn a_good_file_is_read_whole() {
        let config = read(GOOD).expect("the settings are good");
        assert_eq!(config.mail.from, Sender { name: "通信".into(), address: "news@example.jp".into() });
        assert_eq!(config.blog.url, "https://example.jp/mag");
        assert_eq!(config.blog.base_path(), "/mag");
        let ouchi = config.author("ouchi").expect("he is there");
        let typesetting = config.typesetting_of(Some(&ouchi));
        assert_eq!((typesetting.width, typesetting.line_break), (72, LineBreak::Loose));
        assert_eq!(config.typesetting_of(None).line_break, LineBreak::Strict);
        assert_eq!(config.author_named("大内").key.as_deref(), Some("ouchi"));
        assert_eq!(config.author_named("宮原").key, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases: [(&str, &str, &str); 9] = [
            ("[blog]", "[blgo]", "unknown-key: unknown key `blgo` in mailmag.toml"),
            (
                "width = 72",
                "width = 7",
                "wrong-value: `width` in [mail] must be a whole number from 20 to 200, not 7",
            ),
            ("width = 72", "widht = 72", "unknown-key: unknown key `widht` in [mail]"),
            ("news@example.jp", "news", "bad-address: `通信 <news>` is not a sender"),
            (
                "news@example.jp",
                "news@example.jp\\r\\nBcc: a",
                "bad-address: `通信 <news@example.jp\r\nBcc: a>` is not a sender",
            ),
            ("https://example.jp/mag/", "example.jp", "bad-url: `example.jp` is not an address on the web"),
            ("authors.ouchi", "authors.\"大内\"", "bad-author-key: `大内` cannot name an author's page"),
            ("publisher = \"編集部\"", "timezone = \"Tokyo\"", "missing-key: [magazine] has no `publisher`"),
            ("[magazine]", "[magazine", "bad-toml: this is not TOML: unclosed table, expected `]`"),
        ];
        for (good, bad, expected) in cases {
            let problems = read(&GOOD.replace(good, bad)).expect_err(bad);
            assert!(problems.iter().any(|problem| problem == expected), "{bad}: {problems:?}");
        }
    }

    #[test]
    fn senders_have_a_name_and_an_address() {
        for (from, name, address) in [
            ("news@example.jp", "", "news@example.jp"),
            ("通信 <news@example.jp>", "通信", "news@example.jp"),
            ("\\\"Fixed, Pitch\\\" <news@example.jp>", "Fixed, Pitch", "news@example.jp"),
            ("Fixed \\\"Pitch\\\" <news@example.jp>", "Fixed \"Pitch\"", "news@example.jp"),
        ] {
            let config = read(&GOOD.replace("通信 <news@example.jp>", from)).expect(from);
            let expected = Sender { name: name.to_owned(), address: address.to_owned() };
            assert_eq!(config.mail.from, expected);
        }
    }

    #[test]
    fn base_paths_are_those_of_the_address() {
        for (url, expected) in [("https://a.jp", ""), ("https://a.jp/x", "/x"), ("https://a.jp/x/y", "/x/y")]
        {
            let config = read(&GOOD.replace("https://example.jp/mag/", url)).expect(url);
            assert_eq!(config.blog.base_path(), expected);
        }
    }

    #[test]
    fn the_blog_is_published_to_one_place() {
        let target =
            |settings: &str| read(&format!("{GOOD}[publish]\n{settings}\n")).map(|config| config.publish);
        let rsync = |options: &[&str]| PublishTarget::Rsync {
            to: "a@b:/c/".to_owned(),
            options: options.iter().map(|option| option.to_string()).collect(),
        };
        let git = |branch: &str| PublishTarget::Git {
            repository: "a@b:c.git".to_owned(),
            branch: branch.to_owned(),
        };
        let good = [
            ("directory = '/srv/www'", PublishTarget::Directory("/srv/www".to_owned())),
            ("rsync = 'a@b:/c/'", rsync(&[])),
            ("rsync = 'a@b:/c/'\nrsync-options = ['-e', 'ssh -p 2222']", rsync(&["-e", "ssh -p 2222"])),
            ("git = 'a@b:c.git'", git("gh-pages")),
            ("git = 'a@b:c.git'\nbranch = 'site/main'", git("site/main")),
        ];
        for (settings, expected) in good {
            assert_eq!(target(settings).ok().flatten(), Some(expected), "{settings}");
        }
        let bad = [
            "",
            "directory = '-rf'",
            "directory = ' '",
            "rsync = '--rsh=sh'",
            "git = '--upload-pack=sh'",
            "git = 'a'\nbranch = '-x'",
            "git = 'a'\nbranch = 'a..b'",
            "git = 'a'\nbranch = 'a b'",
            "git = 'a'\nrsync = 'b'",
            "directory = 'a'\nbranch = 'b'",
            "directory = 'a'\nrsync-options = ['-e']",
            "to = 'a'",
            "git = 1",
        ];
        for settings in bad {
            assert!(target(settings).is_err(), "{settings}");
        }
    }
}
