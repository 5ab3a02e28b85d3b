//! Numbers and dates as old mails write them: Vol.010, 第１０号, 2010/05/14, 平成22年5月14日.

use std::ops::Range;

use chrono::{Datelike, NaiveDate};

/// An issue's number in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// Its octets in the line, with `Vol.` or `第…号`.
    pub(super) span: Range<usize>,
    pub(super) value: u32,
    /// The digits as written, in ASCII.
    pub(super) label: String,
}

/// A line as its characters, full-width ones made half-width, each with its place in octets.
struct Letters {
    letters: Vec<char>,
    places: Vec<usize>,
}

/// Lines longer than this are not looked at: nobody writes a masthead that long.
const LINE: usize = 600;

impl Letters {
    fn of(line: &str) -> Self {
        let line = if line.len() > LINE { "" } else { line };
        let mut letters = Vec::with_capacity(line.len());
        let mut places = Vec::with_capacity(line.len() + 1);
        for (at, letter) in line.char_indices() {
            letters.push(match letter {
                '！'..='～' => char::from_u32(letter as u32 - 0xFEE0).unwrap_or(letter),
                '　' => ' ',
                _ => letter.to_ascii_lowercase(),
            });
            places.push(at);
        }
        for letter in &mut letters {
            *letter = letter.to_ascii_lowercase();
        }
        places.push(line.len());
        Letters { letters, places }
    }

    fn get(&self, at: usize) -> Option<char> {
        self.letters.get(at).copied()
    }

    fn starts_with(&self, at: usize, word: &str) -> bool {
        word.chars().enumerate().all(|(offset, letter)| self.get(at + offset) == Some(letter))
    }

    fn skip(&self, mut at: usize, skipped: &[char]) -> usize {
        while self.get(at).is_some_and(|letter| skipped.contains(&letter)) {
            at += 1;
        }
        at
    }

    /// A run of digits: where it ends, and its value.
    fn digits(&self, at: usize, most: usize) -> Option<(usize, u32)> {
        let count =
            (0..).take_while(|offset| self.get(at + offset).is_some_and(|c| c.is_ascii_digit())).count();
        if count == 0 || count > most {
            return None;
        }
        let value = (at..at + count).fold(0, |value, at| value * 10 + self.get(at).map_or(0, digit));
        Some((at + count, value))
    }

    /// 百二十三 and the like.
    fn kanji_number(&self, at: usize) -> Option<(usize, u32)> {
        let (mut end, mut total, mut current, mut plain) = (at, 0u32, None, true);
        while end < at + 8 {
            let Some(letter) = self.get(end) else { break };
            let value =
                "〇一二三四五六七八九".chars().position(|kanji| kanji == letter).map(|value| value as u32);
            match (value, letter) {
                (Some(value), _) => {
                    current =
                        Some(current.filter(|_| plain).map_or(value, |before: u32| before * 10 + value));
                }
                (None, '十' | '百' | '千') => {
                    let unit = if letter == '十' {
                        10
                    } else if letter == '百' {
                        100
                    } else {
                        1000
                    };
                    total += current.take().unwrap_or(1) * unit;
                    plain = false;
                }
                _ => break,
            }
            end += 1;
        }
        (end > at).then(|| (end, total + current.unwrap_or(0)))
    }

    fn span(&self, range: Range<usize>) -> Range<usize> {
        self.places[range.start]..self.places[range.end]
    }
}

fn digit(letter: char) -> u32 {
    letter.to_digit(10).unwrap_or(0)
}

/// The issue's number in a line, by the clearest of the ways to write one.
pub(super) fn number(line: &str) -> Option<Number> {
    let letters = Letters::of(line);
    let anywhere = |find: &dyn Fn(usize) -> Option<(usize, usize, Option<u32>)>| {
        (0..letters.letters.len()).find_map(|at| {
            let (digits, end, kanji) = find(at)?;
            let (label, value) = match kanji {
                Some(value) => (value.to_string(), value),
                None => {
                    let (after, value) = letters.digits(digits, 6)?;
                    (letters.letters[digits..after].iter().collect(), value)
                }
            };
            Some(Number { span: letters.span(at..end), value, label })
        })
    };
    let counted = |at: usize, before: &str, counters: &[char]| {
        if !letters.starts_with(at, before) {
            return None;
        }
        let digits = letters.skip(at + before.chars().count(), &[' ']);
        let (after, kanji) = match letters.digits(digits, 6) {
            Some((after, _)) => (after, None),
            None if !before.is_empty() => {
                letters.kanji_number(digits).map(|(after, value)| (after, Some(value)))?
            }
            None => return None,
        };
        let after = letters.skip(after, &[' ']);
        let counter = letters.get(after).filter(|letter| counters.contains(letter))?;
        (!before.is_empty() || counter == '号').then_some((digits, after + 1, kanji))
    };
    let worded = |at: usize, word: &str| {
        let inside_a_word =
            at > 0 && letters.get(at - 1).is_some_and(|letter| letter.is_ascii_alphanumeric());
        if inside_a_word || !letters.starts_with(at, word) {
            return None;
        }
        let digits = letters.skip(at + word.chars().count(), &['.', ' ', ':', '・']);
        let (end, _) = letters.digits(digits, 6)?;
        Some((digits, end, None))
    };
    anywhere(&|at| counted(at, "第", &['号', '回', '巻', '報']))
        .or_else(|| anywhere(&|at| worded(at, "vol")))
        .or_else(|| anywhere(&|at| worded(at, "no").or_else(|| worded(at, "№"))))
        .or_else(|| {
            anywhere(&|at| worded(at, "issue").or_else(|| worded(at, "number")).or_else(|| worded(at, "#")))
        })
        .or_else(|| {
            anywhere(&|at| {
                let begins = at == 0 || !letters.get(at - 1).is_some_and(|letter| letter.is_ascii_digit());
                if begins { counted(at, "", &['号']) } else { None }
            })
        })
}

/// A whole date in a line, with its octets.
pub(super) fn date(line: &str) -> Option<(Range<usize>, NaiveDate)> {
    let letters = Letters::of(line);
    (0..letters.letters.len()).find_map(|at| {
        let after_digit = at > 0 && letters.get(at - 1).is_some_and(|letter| letter.is_ascii_digit());
        let (after_year, year) =
            year_of_era(&letters, at).or_else(|| if after_digit { None } else { letters.digits(at, 4) })?;
        if !(1980..2200).contains(&year) {
            return None;
        }
        let separator = letters.get(letters.skip(after_year, &[' ']))?;
        if !['年', '/', '-', '.'].contains(&separator) {
            return None;
        }
        let month_at = letters.skip(letters.skip(after_year, &[' ']) + 1, &[' ']);
        let (after_day, month, day) = month_and_day(&letters, month_at, separator)?;
        Some((letters.span(at..after_day), NaiveDate::from_ymd_opt(year as i32, month, day)?))
    })
}

/// 平成22 → 2010; 元 is the first year.
fn year_of_era(letters: &Letters, at: usize) -> Option<(usize, u32)> {
    let before = [("昭和", 1925), ("平成", 1988), ("令和", 2018), ("㍼", 1925), ("㍻", 1988), ("㋿", 2018)];
    let (era, before) = before.into_iter().find(|(era, _)| letters.starts_with(at, era))?;
    let digits = letters.skip(at + era.chars().count(), &[' ']);
    if letters.get(digits) == Some('元') {
        return Some((digits + 1, before + 1));
    }
    letters.digits(digits, 2).map(|(after, year)| (after, before + year))
}

fn month_and_day(letters: &Letters, at: usize, separator: char) -> Option<(usize, u32, u32)> {
    let (after_month, month) = letters.digits(at, 2)?;
    let after_month = letters.skip(after_month, &[' ']);
    let expected = if separator == '年' { '月' } else { separator };
    if letters.get(after_month) != Some(expected) {
        return None;
    }
    let (after_day, day) = letters.digits(letters.skip(after_month + 1, &[' ']), 2)?;
    let sign = letters.skip(after_day, &[' ']);
    let end = if separator == '年' && letters.get(sign) == Some('日') { sign + 1 } else { after_day };
    Some((end, month, day))
}

/// The date that a line promises the next issue for; a year that is not written is the one after `issued`.
pub(super) fn next_date(line: &str, issued: Option<NaiveDate>) -> Option<NaiveDate> {
    const NEXT: [&str; 4] = ["次回", "次号", "次の号", "次刊"];
    const PROMISE: [&str; 8] = ["予定", "配信", "発行", "お届け", "発刊", "お送り", "お楽しみ", "公開"];
    if !NEXT.iter().any(|word| line.contains(word)) || !PROMISE.iter().any(|word| line.contains(word)) {
        return None;
    }
    if let Some((_, date)) = date(line) {
        return Some(date);
    }
    let issued = issued?;
    let letters = Letters::of(line);
    (0..letters.letters.len()).find_map(|at| {
        if at > 0 && letters.get(at - 1).is_some_and(|letter| letter.is_ascii_digit() || letter == '/') {
            return None;
        }
        let (_, month, day) =
            ['年', '/'].iter().find_map(|separator| month_and_day(&letters, at, *separator))?;
        // 12/28 → 1/12 goes over the new year, 5/14 → 5/26 does not.
        (0..3).find_map(|years| {
            NaiveDate::from_ymd_opt(issued.year() + years, month, day).filter(|next| *next >= issued)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_dress() {
        let check = |line: &str, expected: Option<(u32, &str, &str)>| {
            let found = number(line);
            let found =
                found.as_ref().map(|found| (found.value, found.label.as_str(), &line[found.span.clone()]));
            assert_eq!(found, expected, "{line}");
        };
        check("通信 Vol.010 (2010/05/14)", Some((10, "010", "Vol.010")));
        check("通信 第10号", Some((10, "10", "第10号")));
        check("通信　第１０号", Some((10, "10", "第１０号")));
        check("通信 第 7 号", Some((7, "7", "第 7 号")));
        check("第百二十三号", Some((123, "123", "第百二十三号")));
        check("第一〇号", Some((10, "10", "第一〇号")));
        check("通信 No.10", Some((10, "10", "No.10")));
        check("通信 Ｎｏ．００３", Some((3, "003", "Ｎｏ．００３")));
        check("通信 #10", Some((10, "10", "#10")));
        check("VOL 5", Some((5, "5", "VOL 5")));
        check("2010年5月号", None);
        check("5号 2010", Some((5, "5", "5号")));
        check("Piano 5", None);
        check("Vol.1234567", None);
        check("本文", None);
    }

    #[test]
    fn dates_are_read_in_every_dress() {
        let check = |line: &str, expected: Option<&str>| {
            let found = date(line).map(|(_, date)| date.to_string());
            assert_eq!(found.as_deref(), expected, "{line}");
        };
        for line in [
            "(2010/05/14)",
            "2010年5月14日",
            "2010-05-14",
            "2010.5.14",
            "平成22年5月14日",
            "平成２２年 ５月１４日(金)",
            "２０１０／０５／１４",
            "発行日:2010 年 5 月 14 日",
        ] {
            check(line, Some("2010-05-14"));
        }
        check("令和元年5月1日", Some("2019-05-01"));
        check("2010/13/01", None);
        check("2010/02/30", None);
        check("12010/05/14", None);
        check("192.168.2010.5.14", Some("2010-05-14"));
    }

    #[test]
    fn the_next_issue_is_never_in_the_past() {
        let check = |line: &str, issued: &str, expected: Option<&str>| {
            let issued = issued.parse().ok();
            let found = next_date(line, issued).map(|date| date.to_string());
            assert_eq!(found.as_deref(), expected, "{line}");
        };
        check("★次回の通信は5月26日を予定しています。", "2010-05-14", Some("2010-05-26"));
        check("次号は１月１２日配信予定です", "2010-12-28", Some("2011-01-12"));
        check("次号は6/3発行です", "2010-05-14", Some("2010-06-03"));
        check("次回の配信は2011年1月5日です", "2010-05-14", Some("2011-01-05"));
        check("次回は2月29日にお届けします", "2011-03-01", Some("2012-02-29"));
        check("次回は5月26日です", "2010-05-14", None);
        check("次回の予定は未定です", "2010-05-14", None);
    }
}
