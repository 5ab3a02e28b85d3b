//! A TOML table read key by key, so that every wrong key and value is named at its place, not only the first.

use std::ops::Range;
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{choices, named};

/// A table that is being read; [`Keys::finish`] reports the keys nobody asked for.
pub struct Keys<'a> {
    source: &'a Arc<SourceText>,
    /// Where the TOML begins in the source, in octets.
    offset: usize,
    /// The table's name for messages: `[mail]`, or `front matter`.
    name: String,
    /// Where the table stands, for keys that are missing.
    span: Range<usize>,
    table: DeTable<'a>,
    /// Whether the text was no TOML: nothing more is said of what is missing then.
    broken: bool,
    asked: Vec<&'static str>,
    /// What is not there, until it is known whether a slip of the pen stands in its place.
    missing: Vec<(&'static str, Diagnostic)>,
}

/// A value and where it stands in its source, in octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The value's place.
    pub span: Range<usize>,
}

impl<'a> Keys<'a> {
    /// Reads the TOML that stands at `range` of the source; what is not TOML is reported and left out.
    pub fn parse(
        source: &'a Arc<SourceText>,
        range: Range<usize>,
        name: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let problems_before = problems.len();
        let (table, errors) = DeTable::parse_recoverable(&source.text[range.clone()]);
        let mut last_line = None;
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            // What follows in the same line is mostly a consequence of the first.
            let line_end =
                source.text[range.start + span.start..].find('\n').map(|length| span.start + length);
            if last_line.replace(line_end) == Some(line_end) {
                continue;
            }
            let span = range.start + span.start..range.start + span.end;
            let line = error.message().lines().next().unwrap_or_default().to_owned();
            problems.push(
                Diagnostic::error("bad-toml", format!("this is not TOML: {line}"))
                    .at(source, span)
                    .help("see https://toml.io for how strings, dates and tables are written"),
            );
        }
        let span = range.start..range.start;
        let broken = problems.len() > problems_before;
        let table = if broken { DeTable::new() } else { table.into_inner() };
        Keys {
            source,
            offset: range.start,
            name: name.to_owned(),
            span,
            table,
            broken,
            asked: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Where the table stands.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// A string, when the key is there.
    pub fn string(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Option<Setting<String>> {
        self.read(key, "a string", problems, |value| value.as_str().map(str::to_owned))
    }

    /// A string that must be there and not be blank.
    pub fn required_string(
        &mut self,
        key: &'static str,
        example: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Setting<String>> {
        if !self.has(key) {
            self.asked.push(key);
            self.report_missing(key, example);
            return None;
        }
        let setting = self.string(key, problems)?;
        if setting.value.trim().is_empty() {
            problems.push(
                Diagnostic::error("empty-value", format!("`{key}` in {} is empty", self.name))
                    .at(self.source, setting.span)
                    .help(format!("write `{key} = {example}`")),
            );
            return None;
        }
        Some(setting)
    }

    /// Reports, when the table is finished, that a key is not there.
    pub fn report_missing(&mut self, key: &'static str, example: &str) {
        let diagnostic = Diagnostic::error("missing-key", format!("{} has no `{key}`", self.name))
            .at(self.source, self.span.clone())
            .help(format!("add `{key} = {example}`"));
        self.missing.push((key, diagnostic));
    }

    /// Reports, when the table is finished, that a table below it is not there.
    pub fn report_missing_table(&mut self, key: &'static str) {
        let diagnostic = Diagnostic::error("missing-key", format!("{} has no section [{key}]", self.name))
            .at(self.source, self.span.clone())
            .help(format!("add [{key}]; `mailmag init` shows one with all it needs"));
        self.missing.push((key, diagnostic));
    }

    /// Whether a key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.keys().any(|name| name.get_ref() == key)
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether the text was no TOML, so that every key seems to be missing.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// True or false.
    pub fn boolean(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Option<bool> {
        self.read(key, "`true` or `false`", problems, DeValue::as_bool).map(|setting| setting.value)
    }

    /// A whole number within a range.
    pub fn integer(
        &mut self,
        key: &'static str,
        allowed: Range<u32>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<u32> {
        let wanted = format!("a whole number from {} to {}", allowed.start, allowed.end - 1);
        self.read(key, &wanted, problems, |value| {
            let number = value.as_integer()?;
            let number = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
            allowed.contains(&number).then_some(number)
        })
        .map(|setting| setting.value)
    }

    /// A day, as `2010-05-14` or as a string of that form; a time of day is not asked for.
    pub fn date(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Option<NaiveDate> {
        self.read(key, "a date such as 2010-05-14", problems, |value| {
            let date = match value.as_datetime().and_then(|datetime| datetime.date) {
                Some(date) => NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into()),
                None => NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok(),
            };
            // There was no mail before, and dates of five digits are no dates in feeds.
            date.filter(|date| (1900..=9999).contains(&date.year()))
        })
        .map(|setting| setting.value)
    }

    /// One of several names.
    pub fn one_of<T: Copy>(
        &mut self,
        key: &'static str,
        names: &[(&'static str, T)],
        problems: &mut Vec<Diagnostic>,
    ) -> Option<T> {
        self.read(key, &choices(names), problems, |value| named(names, value.as_str()?))
            .map(|setting| setting.value)
    }

    /// A list of strings, each with its place; empty when the key is not there.
    pub fn placed_strings(
        &mut self,
        key: &'static str,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<Setting<String>> {
        let offset = self.offset;
        self.read(key, "a list of strings such as [\"/old/\"]", problems, |value| {
            let place = |item: &Spanned<DeValue<'_>>| {
                let span = item.span();
                let value = item.get_ref().as_str()?.to_owned();
                Some(Setting { value, span: offset + span.start..offset + span.end })
            };
            value.as_array()?.iter().map(place).collect::<Option<Vec<_>>>()
        })
        .map(|setting| setting.value)
        .unwrap_or_default()
    }

    /// A list of strings; empty when the key is not there.
    pub fn strings(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Vec<String> {
        self.read(key, "a list of strings such as [\"mail\", \"charset\"]", problems, |value| {
            let array = value.as_array()?;
            array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        })
        .map(|setting| setting.value)
        .unwrap_or_default()
    }

    /// A table below this one, under `[key]`.
    pub fn table(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Option<Keys<'a>> {
        let (key_span, value) = self.take(key)?;
        self.table_from(key_span, value, format!("[{key}]"), problems)
    }

    /// All the tables of an array of tables, under `[[key]]`.
    pub fn tables(&mut self, key: &'static str, problems: &mut Vec<Diagnostic>) -> Vec<Keys<'a>> {
        let Some((key_span, value)) = self.take(key) else { return Vec::new() };
        match value.into_inner() {
            DeValue::Array(array) => array
                .into_iter()
                .filter_map(|item| self.table_from(key_span.clone(), item, format!("[[{key}]]"), problems))
                .collect(),
            other => {
                problems.push(self.wrong(key, "tables under [[…]]", other.type_str(), key_span));
                Vec::new()
            }
        }
    }

    /// Every key that is left with its value as a table: `[authors.miyahara]`, `[authors.ouchi]`.
    pub fn named_tables(mut self, problems: &mut Vec<Diagnostic>) -> Vec<(Setting<String>, Keys<'a>)> {
        let entries: Vec<_> = std::mem::take(&mut self.table).into_iter().collect();
        entries
            .into_iter()
            .filter_map(|(key, value)| {
                let key = self.setting(key.span(), key.into_inner().into_owned());
                let name = format!("[{}.{}]", self.name.trim_matches(['[', ']']), key.value);
                self.table_from(key.span.clone(), value, name, problems).map(|keys| (key, keys))
            })
            .collect()
    }

    /// Every key that is left with its value as a string: `"文字コード" = "charset"`.
    pub fn named_strings(
        mut self,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<(Setting<String>, Setting<String>)> {
        let entries: Vec<_> = std::mem::take(&mut self.table).into_iter().collect();
        entries
            .into_iter()
            .filter_map(|(key, value)| {
                let key = self.setting(key.span(), key.into_inner().into_owned());
                let span = value.span();
                match value.get_ref().as_str() {
                    Some(text) => Some((key, self.setting(span, text.to_owned()))),
                    None => {
                        let found = value.get_ref().type_str();
                        problems.push(self.wrong(&key.value, "a string", found, self.moved(span)));
                        None
                    }
                }
            })
            .collect()
    }

    /// Reports every key that is missing, and every key that nobody asked for; a slip of the pen is only the latter.
    pub fn finish(self, problems: &mut Vec<Diagnostic>) {
        if self.broken {
            return;
        }
        let slips: Vec<&str> =
            self.table.keys().filter_map(|key| closest(key.get_ref().as_ref(), &self.asked)).collect();
        let missing = self.missing.iter().filter(|(key, _)| !slips.contains(key));
        problems.extend(missing.map(|(_, diagnostic)| diagnostic.clone()));
        for (key, _) in &self.table {
            let name = key.get_ref().as_ref();
            let mut diagnostic =
                Diagnostic::error("unknown-key", format!("unknown key `{name}` in {}", self.name))
                    .at(self.source, self.moved(key.span()))
                    .label("nobody reads this");
            diagnostic = match closest(name, &self.asked) {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None => diagnostic.help(format!("the keys here are {}", self.asked.join(", "))),
            };
            problems.push(diagnostic);
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(Range<usize>, Spanned<DeValue<'a>>)> {
        self.asked.push(key);
        let (name, value) = self.table.remove_entry(key)?;
        Some((self.moved(name.span()), value))
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        problems: &mut Vec<Diagnostic>,
        convert: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<Setting<T>> {
        let (_, value) = self.take(key)?;
        match convert(value.get_ref()) {
            Some(converted) => Some(self.setting(value.span(), converted)),
            None => {
                let span = self.moved(value.span());
                let found = match value.get_ref() {
                    DeValue::String(text) => format!("\"{text}\""),
                    DeValue::Array(_) => "a list".to_owned(),
                    DeValue::Table(_) => "a table".to_owned(),
                    _ => self.source.text[span.clone()].to_owned(),
                };
                problems.push(self.wrong(key, wanted, &found, span));
                None
            }
        }
    }

    fn table_from(
        &self,
        key_span: Range<usize>,
        value: Spanned<DeValue<'a>>,
        name: String,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Keys<'a>> {
        match value.into_inner() {
            DeValue::Table(table) => Some(Keys {
                source: self.source,
                offset: self.offset,
                name,
                span: key_span,
                table,
                broken: self.broken,
                asked: Vec::new(),
                missing: Vec::new(),
            }),
            other => {
                let key = name.trim_matches(['[', ']']).to_owned();
                problems.push(self.wrong(&key, &format!("a table under {name}"), other.type_str(), key_span));
                None
            }
        }
    }

    fn wrong(&self, key: &str, wanted: &str, found: &str, span: Range<usize>) -> Diagnostic {
        Diagnostic::error("wrong-value", format!("`{key}` in {} must be {wanted}, not {found}", self.name))
            .at(self.source, span)
            .help(format!("write {wanted}"))
    }

    fn setting<T>(&self, span: Range<usize>, value: T) -> Setting<T> {
        Setting { value, span: self.moved(span) }
    }

    fn moved(&self, span: Range<usize>) -> Range<usize> {
        self.offset + span.start..self.offset + span.end
    }
}

/// The name among those known that was probably meant.
pub fn closest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Vec<String> {
        let source = SourceText::new("mailmag.toml", toml);
        let mut problems = Vec::new();
        let mut keys = Keys::parse(&source, 0..toml.len(), "front matter", &mut problems);
        keys.required_string("title", "\"…\"", &mut problems);
        keys.date("date", &mut problems);
        keys.integer("width", 20..101, &mut problems);
        keys.one_of("mode", &[("full", 1), ("omit", 2)], &mut problems);
        keys.strings("tags", &mut problems);
        keys.finish(&mut problems);
        problems.iter().map(|problem| format!("{}: {}", problem.rule, problem.message)).collect()
    }

    #[test]
    fn every_problem_of_a_table_is_named_at_once() {
        let none: [&str; 0] = [];
        let cases: [(&str, &[&str]); 9] = [
            ("title = 't'\ndate = 2010-05-14\nwidth = 76\nmode = 'omit'\ntags = ['a']", &none),
            ("title = 't'\ndate = '2010-05-14'", &none),
            ("", &["missing-key: front matter has no `title`"]),
            (
                "title = 't'\ndate = 0201-05-14",
                &["wrong-value: `date` in front matter must be a date such as 2010-05-14, not 0201-05-14"],
            ),
            ("title = ' '", &["empty-value: `title` in front matter is empty"]),
            (
                "title = 't'\ndate = 2010-02-30",
                &["bad-toml: this is not TOML: invalid date, expected day between 01 and 28"],
            ),
            (
                "title = 't'\nwidth = 7\nmode = 'some'",
                &[
                    "wrong-value: `width` in front matter must be a whole number from 20 to 100, not 7",
                    "wrong-value: `mode` in front matter must be \"full\" or \"omit\", not \"some\"",
                ],
            ),
            (
                "title = 't'\ntagz = []\nwidht = 3",
                &[
                    "unknown-key: unknown key `tagz` in front matter",
                    "unknown-key: unknown key `widht` in front matter",
                ],
            ),
            ("title = 1", &["wrong-value: `title` in front matter must be a string, not 1"]),
        ];
        for (toml, expected) in cases {
            assert_eq!(read(toml), expected, "{toml}");
        }
    }

    #[test]
    fn the_closest_name_is_offered_only_when_it_is_close() {
        assert_eq!(closest("widht", &["width", "subject"]), Some("width"));
        assert_eq!(closest("colour", &["width", "subject"]), None);
    }
}
