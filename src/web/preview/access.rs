//! Who may see what is not published yet: a browser on this machine, on a page of ours.
//!
//! A page of the web can make its own name point at 127.0.0.1 (DNS rebinding) and would then read ours as its own. The
//! browser tells the name in `Host` all the same, and whose page asks in `Origin`.

use std::net::IpAddr;

use crate::web::host::{is_loopback_name, without_port};

/// Why a request is refused; nothing when it may pass. `host` and `origin` are its headers of these names.
pub(super) fn refusal(host: Option<&str>, origin: Option<&str>) -> Option<&'static str> {
    // The port may be any: who reaches the preview through a tunnel reaches it at another one.
    let Some(host) = host.filter(|host| is_loopback_name(without_port(host))) else {
        return Some("this address is not the preview's: open it as http://127.0.0.1, with its port");
    };
    match origin {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Some("pages of other sites cannot read the preview")
        }
        _ => None,
    }
}

/// Whether a server at this address is seen from this machine alone.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_on_this_machine_may_ask() {
        let host = "127.0.0.1:7676";
        for (host, origin, passes) in [
            (Some(host), None, true),
            (Some(host), Some("http://127.0.0.1:7676"), true),
            (Some("localhost:7676"), Some("http://localhost:7676"), true),
            (Some("LOCALHOST"), None, true),
            (Some("[::1]:7676"), None, true),
            (Some("[::1]"), None, true),
            (None, None, false),
            (Some(""), None, false),
            (Some("evil.example"), None, false),
            (Some("evil.example:7676"), None, false),
            (Some("127.0.0.1.evil.example:7676"), None, false),
            (Some("localhost.evil.example"), None, false),
            (Some("127.0.0.1:7676:80"), None, false),
            (Some("127.0.0.1:x"), None, false),
            (Some("192.168.0.2:7676"), None, false),
            (Some(host), Some("http://evil.example"), false),
            (Some(host), Some("http://127.0.0.1:3000"), false),
            (Some(host), Some("https://127.0.0.1:7676"), false),
            (Some(host), Some("null"), false),
            (Some("evil.example"), Some("http://evil.example"), false),
        ] {
            assert_eq!(refusal(host, origin).is_none(), passes, "{host:?} {origin:?}");
        }
    }

    #[test]
    fn only_this_machine_is_served() {
        for (address, expected) in [
            ("127.0.0.1", true),
            ("127.8.9.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("0.0.0.0", false),
            ("::", false),
            ("192.168.0.2", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_loopback(address.parse().expect("an address")), expected, "{address}");
        }
    }
}
