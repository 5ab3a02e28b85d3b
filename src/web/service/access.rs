//! Who may ask: requests that call the service by its name, and forms of its own pages.

use crate::web::host::{is_loopback_name, without_port};

/// Whether a request calls the service by a name of its own: that of its address, or this machine's, by which a proxy
/// may call it. Any port will do, since proxies have theirs.
pub(super) fn is_own_host(host: &str, url: &str) -> bool {
    let name = without_port(host);
    is_loopback_name(name) || name.eq_ignore_ascii_case(without_port(authority(url)))
}

/// Whether a form was sent from a page of the service, as far as the browser tells (`Origin`, `Sec-Fetch-Site`). What
/// is no browser tells nothing and may pass: nothing here hangs on who is logged in, and pages of others must only not
/// make their visitors ask for mails in great numbers.
pub(super) fn is_own_form(origin: Option<&str>, fetch_site: Option<&str>, host: &str, url: &str) -> bool {
    match (fetch_site, origin) {
        (Some("same-origin" | "none"), _) => true,
        (Some(_), _) => false,
        // Our pages send no referrer, and then an older browser says `null` even of its own site's form.
        (None, None | Some("null")) => true,
        (None, Some(origin)) => {
            let of_host = origin.split_once("://").is_some_and(|(_, authority)| authority == host);
            of_host || origin.eq_ignore_ascii_case(&url[..url.len() - path(url).len()])
        }
    }
}

/// The path of the service's address: empty, or `/list`.
pub fn path(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    url[start..].find('/').map_or("", |at| &url[start + at..])
}

fn authority(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    &url[start..url.len() - path(url).len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mail.example.jp";

    #[test]
    fn the_service_answers_to_its_own_names() {
        for (host, url, expected) in [
            ("mail.example.jp", URL, true),
            ("MAIL.example.jp:443", URL, true),
            ("127.0.0.1:8080", URL, true),
            ("localhost", URL, true),
            ("[::1]:8080", URL, true),
            ("mail.example.jp", "https://mail.example.jp:8443/list", true),
            ("", URL, false),
            ("evil.example", URL, false),
            ("mail.example.jp.evil.example", URL, false),
            ("mail.example.jp:80:80", URL, false),
            ("mail.example.jp@evil.example", URL, false),
        ] {
            assert_eq!(is_own_host(host, url), expected, "{host}");
        }
    }

    #[test]
    fn forms_of_other_sites_are_seen() {
        let host = "mail.example.jp";
        for (origin, fetch_site, expected) in [
            (None, None, true),
            (Some("null"), Some("same-origin"), true),
            (Some("https://mail.example.jp"), Some("same-origin"), true),
            (Some("https://mail.example.jp"), None, true),
            (Some("http://mail.example.jp"), None, true),
            (Some("null"), None, true),
            (None, Some("none"), true),
            (Some("https://evil.example"), None, false),
            (Some("https://evil.example"), Some("cross-site"), false),
            (Some("null"), Some("cross-site"), false),
            (Some("https://example.jp"), Some("same-site"), false),
            (Some("https://mail.example.jp.evil.example"), None, false),
        ] {
            let own = is_own_form(origin, fetch_site, host, URL);
            assert_eq!(own, expected, "{origin:?} {fetch_site:?}");
        }
    }

    #[test]
    fn an_address_has_a_path_or_none() {
        assert_eq!((path(URL), authority(URL)), ("", "mail.example.jp"));
        let url = "http://a.jp:8/list/new";
        assert_eq!((path(url), authority(url)), ("/list/new", "a.jp:8"));
    }
}
