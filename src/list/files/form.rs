//! What form a list file has, by its first line.

use super::columns;

/// How a file is to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// What parts its cells; nothing for an address on each line.
    pub(super) delimiter: Option<u8>,
    /// How many lines at its beginning are no rows.
    pub(super) skipped_lines: u64,
    /// How many octets these have.
    pub(super) skipped_octets: usize,
}

/// The form of a text that begins so; nothing when it is blank.
pub(super) fn of(head: &str) -> Option<Form> {
    let (mut skipped_lines, mut skipped_octets, mut said) = (0, 0, None);
    for line in head.split_inclusive('\n') {
        let text = line.trim();
        let is_comment = text.starts_with('#') && !columns::has_at(text) && !text.contains([',', '\t', ';']);
        // Excel writes and reads a line that says what parts the cells.
        let separator = text.strip_prefix("sep=").and_then(|rest| match rest.as_bytes() {
            [octet @ (b',' | b';')] => Some(*octet),
            [] => Some(b'\t'),
            _ => None,
        });
        if !text.is_empty() && !is_comment && separator.is_none() {
            return Some(Form { delimiter: said.or_else(|| delimiter(text)), skipped_lines, skipped_octets });
        }
        said = said.or(separator);
        skipped_lines += 1;
        skipped_octets += line.len();
    }
    None
}

fn delimiter(line: &str) -> Option<u8> {
    // `Yamada, Taro <taro@example.jp>` is one reader, and no cells.
    let is_mailbox = line.ends_with('>') && line.contains('<') && line.matches('@').count() == 1;
    let count = |delimiter: u8| {
        let mut is_quoted = false;
        let outside = |octet: &u8| {
            is_quoted ^= *octet == b'"';
            !is_quoted && *octet == delimiter
        };
        line.bytes().filter(outside).count()
    };
    let counts = [b';', b'\t', b','].map(|delimiter| (count(delimiter), delimiter));
    let (most, delimiter) = counts.into_iter().max().unwrap_or_default();
    if is_mailbox && !line[..line.find('@').unwrap_or(0)].contains('\t') {
        return None;
    }
    match most {
        // Headings, or quotation marks around each address.
        0 if !columns::has_at(line) || line.starts_with('"') => Some(b','),
        0 => None,
        _ => Some(delimiter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_shows_the_form() {
        let check = |head: &str, delimiter: Option<char>, skipped_lines| {
            let form = of(head).unwrap();
            let want = delimiter.map(|delimiter| delimiter as u8);
            assert_eq!((form.delimiter, form.skipped_lines), (want, skipped_lines), "{head:?}");
            assert_eq!(
                form.skipped_octets,
                head.split_inclusive('\n').take(skipped_lines as usize).map(str::len).sum::<usize>()
            );
        };
        check("email,name\n", Some(','), 0);
        check("email\tname\n", Some('\t'), 0);
        check("email;name;a\n", Some(';'), 0);
        check("\"a;b;c\",email\n", Some(','), 0);
        check("email\n", Some(','), 0);
        check("taro@example.jp\n", None, 0);
        check("\n# members of news\ntaro@example.jp\n", None, 2);
        check("Yamada, Taro <taro@example.jp>\n", None, 0);
        check("1,Taro <taro@example.jp>\n", None, 0);
        check("taro@example.jp,Taro\n", Some(','), 0);
        check("\"taro@example.jp\"\n", Some(','), 0);
        check("sep=;\r\nemail;name, title, rank\n", Some(';'), 1);
        check("sep=\t\nemail\tname\n", Some('\t'), 1);
        assert_eq!(of(""), None);
        assert_eq!(of("\n \n# nothing\n"), None);
    }
}
