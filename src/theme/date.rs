//! Dates as Japanese readers write them.

use std::fmt::Write;

use chrono::format::StrftimeItems;
use chrono::{Datelike, NaiveDate};

/// The form of a date where a template names none: 2010年5月14日.
pub(super) const USUAL: &str = "%Y年%-m月%-d日";

/// The eras since Meiji by their first days.
const ERAS: [((i32, u32, u32), &str); 5] = [
    ((2019, 5, 1), "令和"),
    ((1989, 1, 8), "平成"),
    ((1926, 12, 25), "昭和"),
    ((1912, 7, 30), "大正"),
    ((1868, 1, 25), "明治"),
];

/// A date in a form of `strftime`, as glibc writes it in Japanese: `%a` 金, `%A` 金曜日, `%EC` 平成, `%Ey` 22,
/// `%EY` 平成22年 (the first year is 元年).
///
/// # Errors
///
/// When the form has a directive that does not exist or that a day has nothing for.
pub(super) fn format(date: NaiveDate, form: &str) -> Result<String, String> {
    let form = japanese(date, form);
    if !form.contains('%') {
        return Ok(form);
    }
    let Ok(items) = StrftimeItems::new(&form).parse() else {
        return Err(format!("`{form}` is no form of a date"));
    };
    let mut written = String::new();
    // A directive for the time of day has nothing to show for a day.
    match write!(written, "{}", date.format_with_items(items.iter())) {
        Ok(()) => Ok(written),
        Err(_) => Err(format!("`{form}` asks for a time of day, which a date has not")),
    }
}

/// A date as templates get it: `2010-05-14`, perhaps with a time of day behind it.
pub(super) fn parse(text: &str) -> Option<NaiveDate> {
    let day = text.get(..10)?;
    let rest = &text[10..];
    (rest.is_empty() || rest.starts_with(['T', ' '])).then(|| day.parse().ok()).flatten()
}

/// A form with its usual directives carried out, and those that are Japanese.
fn japanese(date: NaiveDate, form: &str) -> String {
    let weekday = ["月", "火", "水", "木", "金", "土", "日"][date.weekday().num_days_from_monday() as usize];
    let (era, year) = era(date);
    let mut out = String::with_capacity(form.len() + 8);
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, written) = match rest.as_bytes() {
            [_, b'%', ..] => (2, write!(out, "%%")),
            [_, b'Y', ..] if (0..=9999).contains(&date.year()) => (2, write!(out, "{:04}", date.year())),
            [_, b'm', ..] => (2, write!(out, "{:02}", date.month())),
            [_, b'd', ..] => (2, write!(out, "{:02}", date.day())),
            [_, b'-', b'm', ..] => (3, write!(out, "{}", date.month())),
            [_, b'-', b'd', ..] => (3, write!(out, "{}", date.day())),
            [_, b'a', ..] => (2, write!(out, "{weekday}")),
            [_, b'A', ..] => (2, write!(out, "{weekday}曜日")),
            [_, b'E', b'C', ..] => (3, write!(out, "{era}")),
            [_, b'E', b'y', ..] => (3, write!(out, "{year}")),
            [_, b'E', b'Y', ..] if year == 1 => (3, write!(out, "{era}元年")),
            [_, b'E', b'Y', ..] => (3, write!(out, "{era}{year}年")),
            _ => (1, write!(out, "%")),
        };
        written.expect("a string has always room");
        rest = &rest[length..];
    }
    out + rest
}

fn era(date: NaiveDate) -> (&'static str, i32) {
    let day = (date.year(), date.month(), date.day());
    match ERAS.iter().find(|(first, _)| *first <= day) {
        Some(((first_year, ..), name)) => (name, date.year() - first_year + 1),
        None => ("西暦", date.year()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_japanese() {
        let cases = [
            ("2010-05-14", USUAL, "2010年5月14日"),
            ("2010-05-14", "%Y/%m/%d", "2010/05/14"),
            ("2010-05-14", "%-m月%-d日(%a)", "5月14日(金)"),
            ("2010-05-14", "%A", "金曜日"),
            ("2010-05-14", "%EY%-m月", "平成22年5月"),
            ("2019-04-30", "%EY", "平成31年"),
            ("2019-05-01", "%EY", "令和元年"),
            ("2026-11-24", "%EC%Ey", "令和8"),
            ("1989-01-07", "%EY", "昭和64年"),
            ("1800-01-01", "%EY", "西暦1800年"),
            ("2010-05-14", "100%%", "100%"),
            ("2010-05-14T09:00:00+09:00", "%Y", "2010"),
        ];
        for (date, form, expected) in cases {
            let date = parse(date).expect(date);
            assert_eq!(format(date, form).as_deref(), Ok(expected), "{form}");
        }
    }

    #[test]
    fn wrong_forms_are_refused() {
        let date = parse("2010-05-14").expect("a date");
        for form in ["%Q", "%", "%H:%M"] {
            assert!(format(date, form).is_err(), "{form}");
        }
        for text in ["2010-5-14", "2010-05-14x", "14.5.2010", "", "二〇一〇年"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
