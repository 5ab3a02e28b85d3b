//! Text to terms, in the same steps as `theme/search.js`:
//!
//! 1. Fold: NFKC, without characters that nobody sees, in lower case. `ＲＨＥＬ` is `rhel`, `ｶﾞｲﾄﾞ` is `ガイド`.
//! 2. A run of Latin letters and digits of ASCII is one term, of which the first ten characters count.
//! 3. A run of other letters and digits gives its pairs (全文検索: 全文, 文検, 検索) and its last character alone, so that
//!    every character begins a term.
//! 4. Everything else parts the runs.
//!
//! A term is a number below 2^53, which JavaScript's numbers hold: first words, as ten digits to the base 37, then pairs,
//! as two scalar values. Both ways, the terms that begin alike stand together.

use unicode_normalization::UnicodeNormalization;

/// A term as a number.
pub(super) type Key = u64;

/// How many characters of a word count.
const WORD: u32 = 10;
/// Ten digits, 26 letters, and nothing.
const BASE: u64 = 37;
/// The keys of pairs begin here.
const PAIRS: Key = BASE.pow(WORD);

/// Cuts text that comes in pieces into terms. A run goes on from one piece to the next.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    word: u64,
    /// How many characters of the word are in `word`.
    letters: u32,
    /// The last character of an open run of pairs.
    last: Option<char>,
}

impl Tokens {
    /// Adds a piece of text, and hands on the terms that it completes.
    pub(super) fn push(&mut self, text: &str, found: &mut impl FnMut(Key)) {
        // The last character that was met: what comes next may be a mark on it.
        let (mut last, mut last_at) = (None, 0);
        for (at, c) in text.char_indices() {
            if !folds_alone(c) {
                let folded = text[last_at..].nfkc().filter(|&c| !is_unseen(c)).flat_map(char::to_lowercase);
                folded.for_each(|c| self.add(c, found));
                return;
            }
            if let Some(last) = last.replace(c) {
                self.add(folded(last), found);
            }
            last_at = at;
        }
        if let Some(last) = last {
            self.add(folded(last), found);
        }
    }

    /// Ends the run that is open.
    pub(super) fn end(&mut self, found: &mut impl FnMut(Key)) {
        self.end_word(found);
        self.end_pairs(found);
    }

    #[inline]
    fn add(&mut self, c: char, found: &mut impl FnMut(Key)) {
        if is_kana_or_kanji(c) {
            self.add_to_pairs(c, found);
        } else if c.is_ascii() {
            self.end_pairs(found);
            match digit(c) {
                Some(digit) if self.letters < WORD => {
                    self.word = self.word * BASE + digit;
                    self.letters += 1;
                }
                Some(_) => {}
                None => self.end_word(found),
            }
        } else if !is_punctuation(c) && c.is_alphanumeric() {
            self.add_to_pairs(c, found);
        } else {
            self.end(found);
        }
    }

    #[inline]
    fn add_to_pairs(&mut self, c: char, found: &mut impl FnMut(Key)) {
        self.end_word(found);
        if let Some(last) = self.last {
            found(pair(last, c));
        }
        self.last = Some(c);
    }

    #[inline]
    fn end_word(&mut self, found: &mut impl FnMut(Key)) {
        if self.letters > 0 {
            found(self.word * BASE.pow(WORD - self.letters));
            self.word = 0;
            self.letters = 0;
        }
    }

    #[inline]
    fn end_pairs(&mut self, found: &mut impl FnMut(Key)) {
        if let Some(last) = self.last.take() {
            found(pair(last, '\0'));
        }
    }
}

fn digit(c: char) -> Option<u64> {
    match c {
        '0'..='9' => Some(u64::from(c) - u64::from('0') + 1),
        'a'..='z' => Some(u64::from(c) - u64::from('a') + 11),
        _ => None,
    }
}

fn pair(first: char, second: char) -> Key {
    PAIRS + (u64::from(first) << 21) + u64::from(second)
}

/// Letters and digits by far the most of Japanese text is made of.
fn is_kana_or_kanji(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '\u{4E00}'..='\u{9FFF}')
}

/// The usual signs among Japanese text, which need no look into Unicode's tables.
fn is_punctuation(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2027}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '・')
}

/// Whether a character is folded without a look at its neighbours, by [`folded`]: it has no part in compositions except
/// with a mark that follows, and that mark is none of these.
fn folds_alone(c: char) -> bool {
    let is_mark = matches!(c, '\u{2010}'..='\u{2027}' | '\u{2190}'..='\u{21FF}' | '\u{2500}'..='\u{25FF}');
    let is_full_width = matches!(c, '\u{3000}'..='\u{3029}' | '・' | '\u{FF01}'..='\u{FF5E}');
    is_kana_or_kanji(c) || c.is_ascii() || is_full_width || is_mark
}

/// What NFKC and lower case make of a character that folds alone; of punctuation, any punctuation.
fn folded(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => {
            let ascii = char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c);
            ascii.to_ascii_lowercase()
        }
        c => c.to_ascii_lowercase(),
    }
}

/// Characters that only say how others look: soft hyphens, joiners, directions, variants.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}')
        || matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

/// A key as readers write it, for tests.
#[cfg(test)]
pub(super) fn spelled(key: Key) -> String {
    if let Some(pair) = key.checked_sub(PAIRS) {
        let scalar = |number: u64| char::from_u32(number as u32).expect("a key is made of characters");
        return [scalar(pair >> 21), scalar(pair & 0x1F_FFFF)].iter().filter(|&&c| c != '\0').collect();
    }
    let digits = (0..WORD).rev().map(|place| key / BASE.pow(place) % BASE);
    let letter = |digit: u64| match digit {
        1..=10 => char::from(b'0' + (digit - 1) as u8),
        _ => char::from(b'a' + (digit - 11) as u8),
    };
    digits.take_while(|&digit| digit > 0).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_folds_alone_is_folded_as_all_else_is() {
        let mut looked_at = 0;
        for c in ('\0'..=char::MAX).filter(|&c| folds_alone(c)) {
            looked_at += 1;
            let terms = |folded: &mut dyn Iterator<Item = char>| {
                let (mut tokens, mut found) = (Tokens::default(), Vec::new());
                folded.for_each(|c| tokens.add(c, &mut |key| found.push(key)));
                tokens.end(&mut |key| found.push(key));
                found
            };
            let whole = c.to_string();
            let mut all = whole.nfkc().filter(|&c| !is_unseen(c)).flat_map(char::to_lowercase);
            assert_eq!(terms(&mut [folded(c)].into_iter()), terms(&mut all), "{c:?}");
        }
        assert!(looked_at > 20_000, "{looked_at}");
    }

    #[test]
    fn what_needs_no_table_is_as_the_tables_say() {
        for c in '\0'..=char::MAX {
            assert!(!is_punctuation(c) || !c.is_alphanumeric(), "{c:?}");
            assert!(!is_kana_or_kanji(c) || c.is_alphanumeric(), "{c:?}");
        }
    }

    #[test]
    fn every_key_is_exact_in_javascript() {
        assert!(pair(char::MAX, char::MAX) < 1 << 53);
        assert!(pair('\0', '\0') == PAIRS, "pairs stand behind words");
    }
}
