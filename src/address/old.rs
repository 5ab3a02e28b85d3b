//! Old addresses, which lead to where something stands now.

use unicode_normalization::UnicodeNormalization;

use super::part::LONGEST;
use super::target::decode;

/// The path in the blog's folder of the page that an old address such as `/2010/05/vol10/` asks for, or why there can
/// be none. An address that is no page's file by its name is a folder: `/vol10.php` is `vol10.php/index.html`, which
/// servers find just as well.
pub(crate) fn old_path(address: &str) -> Result<String, &'static str> {
    let Some(rest) = address.strip_prefix('/') else {
        return Err("it does not begin with `/`, the blog's root");
    };
    if address.contains(['?', '#']) {
        return Err("what follows `?` or `#` is no part of a page's address");
    }
    let path: String = decode(rest).nfc().collect();
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let unfit = |c: char| c.is_control() || "\\:*\"<>|?".contains(c);
    if parts == [""] {
        return Err("it is the home page itself");
    } else if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return Err("its parts must be names: it would leave the blog");
    } else if path.contains(unfit)
        || parts.iter().any(|part| part.len() > LONGEST || part.ends_with(['.', ' ']))
    {
        return Err("no file on every system can have this name");
    } else if parts[0].starts_with(".mailmag-") {
        return Err("names that begin with `.mailmag-` are for mailmag's own notes");
    }
    let is_file = !path.ends_with('/') && [".html", ".htm"].iter().any(|ending| path.ends_with(ending));
    let path = parts.join("/");
    Ok(if is_file { path } else { path + "/index.html" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_addresses_are_pages_of_the_blog() {
        for (address, expected) in [
            ("/2010/05/vol10/", "2010/05/vol10/index.html"),
            ("/vol10", "vol10/index.html"),
            ("/old/path.html", "old/path.html"),
            ("/old.html/", "old.html/index.html"),
            ("/vol10.php", "vol10.php/index.html"),
            ("/%E5%8F%B7/か\u{3099}", "号/が/index.html"),
        ] {
            assert_eq!(old_path(address).as_deref(), Ok(expected), "{address}");
        }
        for address in [
            "",
            "vol10",
            "/",
            "//",
            "https://a.jp/",
            "/../x",
            "/a/../x",
            "/%2e%2e/x",
            "/a//b",
            "/?id=10",
            "/a#b",
            "/a\\b",
            "/a\u{7}",
            "/a:b",
            "/a./",
            "/.mailmag-manifest",
        ] {
            assert!(old_path(address).is_err(), "{address}");
        }
        assert!(old_path(&format!("/{}", "あ".repeat(100))).is_err());
    }
}
