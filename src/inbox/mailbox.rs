//! Addresses in a header's value (RFC 5322, section 3.4), as mailers of all times write them.

/// More addresses than a mail to a magazine has.
const MOST_ADDRESSES: usize = 200;

/// The addresses of a header's value, without names and comments; what is none is left out.
pub(super) fn addresses(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut mailbox = Mailbox::default();
    let mut comments = 0_usize;
    let mut in_quotes = false;
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' if in_quotes || comments > 0 => {
                let escaped = characters.next();
                if comments == 0 {
                    mailbox.push(c);
                    escaped.into_iter().for_each(|c| mailbox.push(c));
                }
            }
            '"' if comments == 0 => {
                in_quotes = !in_quotes;
                mailbox.push(c);
            }
            _ if in_quotes => mailbox.push(c),
            '(' => comments += 1,
            ')' => comments = comments.saturating_sub(1),
            _ if comments > 0 => {}
            '<' => mailbox.in_brackets = Some(String::new()),
            '>' => mailbox.is_closed = true,
            // A group's name stands before a colon, and a semicolon after its last address; but a route, which
            // nobody writes any more, has its colon in the brackets.
            ':' if mailbox.in_brackets.is_none() => mailbox = Mailbox::default(),
            ':' => mailbox.in_brackets = Some(String::new()),
            ',' | ';' if mailbox.is_open() => {}
            ',' | ';' => {
                found.extend(std::mem::take(&mut mailbox).address());
                if found.len() == MOST_ADDRESSES {
                    return found;
                }
            }
            _ => mailbox.push(c),
        }
    }
    found.extend(mailbox.address());
    found
}

/// The one address of a field that stands once.
pub(super) fn only<'a>(mut values: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Option<String> {
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let mut found = addresses(&value);
    let first = found.pop()?;
    found.is_empty().then_some(first)
}

#[derive(Default)]
struct Mailbox {
    /// What stands outside the brackets: a name, or the address itself.
    words: String,
    in_brackets: Option<String>,
    is_closed: bool,
}

impl Mailbox {
    fn is_open(&self) -> bool {
        self.in_brackets.is_some() && !self.is_closed
    }

    fn push(&mut self, c: char) {
        match &mut self.in_brackets {
            Some(_) if self.is_closed => {}
            Some(address) => address.push(c),
            None => self.words.push(c),
        }
    }

    fn address(self) -> Option<String> {
        let written = self.in_brackets.unwrap_or(self.words);
        let (local_part, domain) = written.trim().rsplit_once('@')?;
        // Carriers' old addresses stand in quotes.
        let inner = local_part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let local_part = inner.unwrap_or(local_part);
        (!local_part.is_empty() && !local_part.contains('"')).then(|| format!("{local_part}@{domain}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[&str]) {
        assert_eq!(addresses(value), expected, "{value}");
    }

    #[test]
    fn addresses_are_found_among_names_and_comments() {
        check("a@b.jp", &["a@b.jp"]);
        check("<a@b.jp>", &["a@b.jp"]);
        check("A B <a@b.jp>, c@d.jp (C, or <e@f.jp>)", &["a@b.jp", "c@d.jp"]);
        check("\"B, A <x@y.jp>\" <a@b.jp>", &["a@b.jp"]);
        check("\"a \\\" b\" <a@b.jp>", &["a@b.jp"]);
        check("\"a..b.\"@docomo.ne.jp", &["a..b.@docomo.ne.jp"]);
        check("<\"a..b.\"@docomo.ne.jp>", &["a..b.@docomo.ne.jp"]);
        check("a..b@docomo.ne.jp", &["a..b@docomo.ne.jp"]);
        check("=?UTF-8?B?5bGx?= <a@b.jp>", &["a@b.jp"]);
        check("readers: a@b.jp, c@d.jp; , e@f.jp", &["a@b.jp", "c@d.jp", "e@f.jp"]);
        check("undisclosed-recipients:;", &[]);
        check("<@x.jp,@y.jp:a@b.jp>", &["a@b.jp"]);
        check("a@b.jp <c@d.jp>", &["c@d.jp"]);
        check("", &[]);
        check("MAILER-DAEMON", &[]);
        check("<>", &[]);
        check("<a@b.jp", &["a@b.jp"]);
        check("(((a@b.jp", &[]);
        check("\"a@b.jp", &[]);
        assert_eq!(addresses(&"a@b.jp,".repeat(1000)).len(), MOST_ADDRESSES);
    }

    #[test]
    fn a_field_of_one_address_has_no_other() {
        let only = |values: &[&'static str]| only(values.iter().map(|value| (*value).into()));
        assert_eq!(only(&["A <a@b.jp>"]).as_deref(), Some("a@b.jp"));
        for values in [&[][..], &["a@b.jp, c@d.jp"], &["a@b.jp", "a@b.jp"], &["nobody"]] {
            assert_eq!(only(values), None, "{values:?}");
        }
    }
}
