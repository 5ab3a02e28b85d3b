//! Blocks of header fields: a mail's own, those of a returned mail, and those of a report.

/// More fields than any block has, and a longer value than any that matters here, in octets.
const MOST_FIELDS: usize = 1_000;
const LONGEST_VALUE: usize = 8_000;

/// The fields of one block, in order, their lines joined.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads lines up to the first blank one behind a field. What is no field is passed over, as servers break lines
    /// where none may be broken.
    pub(super) fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        // A returned header may stand indented or quoted in the notice's text.
        let mut indent = None;
        for line in lines {
            let indent = *indent.get_or_insert_with(|| &line[..line.len() - unindented(line).len()]);
            let line = line.strip_prefix(indent).unwrap_or(line);
            if line.trim().is_empty() {
                if fields.is_empty() {
                    continue;
                }
                break;
            }
            if let Some((name, value)) = field(line) {
                if fields.len() == MOST_FIELDS {
                    break;
                }
                fields.push((name.to_ascii_lowercase(), cut(value.trim()).to_owned()));
            } else if line.starts_with([' ', '\t'])
                && let Some((_, value)) = fields.last_mut()
                && value.len() < LONGEST_VALUE
            {
                value.push(' ');
                value.push_str(cut(line.trim()));
            }
        }
        Fields(fields)
    }

    /// The first value of a field, whose name is given in small letters.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a field.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is any field.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A line's field and its value; `None` for other lines.
pub(super) fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = (1..=60).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
    is_name.then_some((name, value))
}

fn unindented(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '>', '|'])
}

fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(LONGEST_VALUE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(block: &str, expected: &[(&str, &str)]) {
        let fields = Fields::read(block.lines());
        let found: Vec<(&str, &str)> = fields.0.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, expected, "{block}");
    }

    #[test]
    fn fields_are_read_with_their_lines_joined() {
        check("\nTo: a\n\tb\nX-B:c\n\nnot: read", &[("to", "a b"), ("x-b", "c")]);
        check("   To: a\n   \tb\n   From:c\n   \n   d: e", &[("to", "a b"), ("from", "c")]);
        check("> To: a\n> Cc: b\n", &[("to", "a"), ("cc", "b")]);
        check("Received: from x (via\nHTTP) by y\nTo: a", &[("received", "from x (via"), ("to", "a")]);
        check("no field\nTo: a", &[("to", "a")]);
        check("山: 海", &[]);
    }
}
