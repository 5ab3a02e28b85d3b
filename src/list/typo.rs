//! Domains that were probably mistyped. Whoever is asked once more may stay with what he typed.

/// Domains that many readers have.
const USUAL: [&str; 22] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.co.jp",
    "yahoo.com",
    "ymail.ne.jp",
    "outlook.jp",
    "outlook.com",
    "hotmail.co.jp",
    "hotmail.com",
    "live.jp",
    "icloud.com",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
    "i.softbank.jp",
    "ymobile.ne.jp",
    "rakuten.jp",
    "nifty.com",
    "biglobe.ne.jp",
    "so-net.ne.jp",
    "ocn.ne.jp",
];

/// Domains that exist, however near they lie to one of the above.
const OTHERS: [&str; 15] = [
    "mail.com",
    "email.com",
    "ymail.com",
    "gmx.com",
    "live.com",
    "live.nl",
    "me.com",
    "mac.com",
    "yahoo.co.uk",
    "yahoo.co.kr",
    "yahoo.co.in",
    "yahoo.ca",
    "yahoo.cn",
    "ocn.jp",
    "nifty.ne.jp",
];

/// Ends that no domain has, and what was meant.
const ENDS: [(&str, &str); 8] = [
    (".con", ".com"),
    (".cpm", ".com"),
    (".comm", ".com"),
    (".co.jo", ".co.jp"),
    (".co.jpp", ".co.jp"),
    (".ne.jo", ".ne.jp"),
    (".ne.jpp", ".ne.jp"),
    (".or.jo", ".or.jp"),
];

/// Carriers' domains under the end that is not theirs, which no spelling tells.
const CARRIERS: [(&str, &str); 8] = [
    ("docomo.co.jp", "docomo.ne.jp"),
    ("docomo.jp", "docomo.ne.jp"),
    ("docomo.com", "docomo.ne.jp"),
    ("ezweb.co.jp", "ezweb.ne.jp"),
    ("ezweb.jp", "ezweb.ne.jp"),
    ("softbank.co.jp", "softbank.ne.jp"),
    ("gmail.co.jp", "gmail.com"),
    ("gmail.jp", "gmail.com"),
];

/// The domain that was probably meant; none where `domain` (in small letters) looks right or like nothing known.
pub fn likely_domain(domain: &str) -> Option<String> {
    let is_known = |domain: &str| USUAL.contains(&domain) || OTHERS.contains(&domain);
    if is_known(domain) {
        return None;
    }
    if let Some((_, meant)) = CARRIERS.iter().find(|(wrong, _)| *wrong == domain) {
        return Some((*meant).to_owned());
    }
    // Two letters changed places, one too many, one too few, one for another: what slips while typing. A short
    // domain has too many neighbours that are somebody's own.
    let near = USUAL.iter().filter(|usual| usual.len() > 7);
    if let Some(meant) = near.clone().find(|usual| strsim::osa_distance(usual, domain) == 1) {
        return Some((*meant).to_owned());
    }
    let (wrong, right) = ENDS.iter().find(|(wrong, _)| domain.ends_with(wrong))?;
    let mended = format!("{}{right}", domain.strip_suffix(wrong)?);
    Some(likely_domain(&mended).unwrap_or(mended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen_and_other_peoples_domains_left_alone() {
        for (domain, meant) in [
            ("gmial.com", "gmail.com"),
            ("gmai.com", "gmail.com"),
            ("gmaill.com", "gmail.com"),
            ("gnail.com", "gmail.com"),
            ("gmail.con", "gmail.com"),
            ("gmial.con", "gmail.com"),
            ("gmail.co", "gmail.com"),
            ("yaho.co.jp", "yahoo.co.jp"),
            ("yahoo.co.jo", "yahoo.co.jp"),
            ("yahoo.ne.jp", ""),
            ("hotmial.com", "hotmail.com"),
            ("iclould.com", "icloud.com"),
            ("docomo.co.jp", "docomo.ne.jp"),
            ("docmo.ne.jp", "docomo.ne.jp"),
            ("example.con", "example.com"),
            ("gmail.com", ""),
            ("mail.com", ""),
            ("ymail.com", ""),
            ("email.com", ""),
            ("ag.com", ""),
            ("aa.com", ""),
            ("yahoo.co.uk", ""),
            ("example.jp", ""),
            ("", ""),
        ] {
            assert_eq!(likely_domain(domain).unwrap_or_default(), meant, "{domain}");
        }
    }
}
