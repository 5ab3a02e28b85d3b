//! Kinsoku: which characters may begin and end a line, after JIS X 4051's classes (`cl-01` … in W3C's JLREQ).

use super::ranges::{WIDE_BEYOND, WIDE_BMP, ZERO_BMP};
use crate::model::{LineBreak, MARKS};
use unicode_normalization::char::is_combining_mark;

/// What a character does at the ends of lines. The narrow classes take one column: between two of those a line is
/// never broken, which is what keeps Latin words, numbers, options and addresses whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// A letter or symbol of a script that is written in words.
    Word,
    /// ASCII digits.
    Digit,
    /// `( [ {`
    NarrowOpen,
    /// `) ] } , .`
    NarrowClose,
    /// `! ? : ; %`: at the head of a line when loose.
    NarrowLoose,
    /// `" '`, which may open or close.
    Quote,
    /// `‘ “`: opening; as narrow beside Latin letters.
    CurlyOpen,
    /// `’ ”`: closing; as narrow beside Latin letters, inside words too.
    CurlyClose,
    /// Kanji, kana, full-width letters and symbols: broken on both sides.
    Ideograph,
    /// cl-01: never ends a line.
    Open,
    /// cl-02 and marks: never begins a line.
    Close,
    /// cl-06, cl-07 in full width: never begins a line, may hang.
    Stop,
    /// cl-10, cl-11, `〜 ゠`: begins a line unless strict.
    Small,
    /// cl-03, cl-04, cl-05, cl-09, cl-13: begins a line only when loose.
    Loose,
    /// cl-12: parted from a numeral only when loose.
    Prefix,
    /// Full-width digits.
    Numeral,
    /// cl-08: two alike are never parted.
    Leader,
    /// The full-width space: ends a line, never begins one but a paragraph's first.
    WideSpace,
    /// No-break space, word joiner: no break on either side.
    Glue,
    /// Nothing yet: the line begins here.
    Start,
    // From here on a character alone does not decide; see `contextual` in lines.rs.
    /// U+0020.
    Space,
    /// U+200B: a break hint.
    Hint,
    /// A mark on the character before it.
    Attach,
    /// A character that makes one emoji of itself and its neighbours.
    Joiner,
    /// An emoji, perhaps the first of a cluster.
    Emoji,
    /// `-`: part of a word before one, else a hyphen.
    Hyphen,
    /// `/`: part of a word before one, else closing.
    Slash,
    /// To be taken out or composed before text is measured.
    Unclean,
}

/// The first class that needs more than the tables.
pub(super) const FIRST_CONTEXTUAL: u8 = Class::Space as u8;

const NARROW: u32 = set(&[
    Class::Word,
    Class::Digit,
    Class::NarrowOpen,
    Class::NarrowClose,
    Class::NarrowLoose,
    Class::Quote,
    Class::CurlyOpen,
    Class::CurlyClose,
]);

#[rustfmt::skip]
const CLASSES: [(Class, &[char]); 22] = [
    (Class::Open, &[
        '(', '（', '〔', '[', '［', '{', '｛', '〈', '《', '「', '『', '【', '⦅', '｟', '〘', '〖', '«', '〝',
    ]),
    (Class::Close, &[
        ')', '）', '〕', ']', '］', '}', '｝', '〉', '》', '」', '』', '】', '⦆', '｠', '〙', '〗', '»', '〟', '.', ',',
        '゛', '゜',
    ]),
    (Class::Stop, &['。', '、', '．', '，']),
    (Class::Small, &[
        'ー', 'ぁ', 'ぃ', 'ぅ', 'ぇ', 'ぉ', 'っ', 'ゃ', 'ゅ', 'ょ', 'ゎ', 'ゕ', 'ゖ', 'ァ', 'ィ', 'ゥ', 'ェ', 'ォ', 'ッ',
        'ャ', 'ュ', 'ョ', 'ヮ', 'ヵ', 'ヶ', 'ㇰ', 'ㇱ', 'ㇲ', 'ㇳ', 'ㇴ', 'ㇵ', 'ㇶ', 'ㇷ', 'ㇸ', 'ㇹ', 'ㇺ', 'ㇻ', 'ㇼ',
        'ㇽ', 'ㇾ', 'ㇿ', '〜', '～', '゠',
    ]),
    (Class::Loose, &[
        '々', '〻', 'ゝ', 'ゞ', 'ヽ', 'ヾ', '‐', '‑', '–', '・', '·', '•', '：', ':', '；', ';', '！', '!', '？', '?', '‼', '⁇',
        '⁈', '⁉', '%', '％', '‰', '°', '′', '″', '℃', '¢', '￠', '㏋', 'ℓ', '㌃', '㌍', '㌔', '㌘', '㌢', '㌣', '㌦', '㌧',
        '㌫', '㌶', '㌻', '㍉', '㍊', '㍍', '㍑', '㍗', '㎎', '㎏', '㎜', '㎝', '㎞', '㎡', '㏄',
    ]),
    (Class::Prefix, &['￥', '¥', '＄', '£', '￡', '＃', '€', '№']),
    (Class::Leader, &['…', '‥', '⋯', '—', '―']),
    (Class::Quote, &['"', '\'']),
    (Class::WideSpace, &['\u{3000}']),
    (Class::Glue, &['\u{A0}', '\u{2007}', '\u{202F}', '\u{2060}']),
    (Class::Space, &[' ']),
    (Class::Hint, &['\u{200B}']),
    (Class::Joiner, &['\u{200D}', '\u{20E3}']),
    (Class::Hyphen, &['-']),
    (Class::Slash, &['/']),
    (Class::CurlyOpen, &['‘', '“']),
    (Class::CurlyClose, &['’', '”']),
    (Class::Unclean, &['\t', '\n', '\u{B}', '\u{C}', '\r', '\u{AD}', '\u{FEFF}']),
    (Class::Digit, &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
    (Class::Numeral, &['０', '１', '２', '３', '４', '５', '６', '７', '８', '９']),
    // `>` never begins a line, or it would look like a quotation; brackets that JIS X 0213 has besides.
    (Class::Open, &['<', '⸨', '〚']),
    (Class::Close, &['>', '⸩', '〛']),
];

/// Class in the low five bits, columns above them.
static BMP: [u8; 0x1_0000] = entries();

const fn entries() -> [u8; 0x1_0000] {
    let mut entries = [1 << 5 | Class::Word as u8; 0x1_0000];
    fill(&mut entries, (0, 0x1F), Class::Word, 0);
    fill(&mut entries, (0x7F, 0x9F), Class::Word, 0);
    let mut at = 0;
    while at < WIDE_BMP.len() {
        fill(&mut entries, WIDE_BMP[at], Class::Ideograph, 2);
        at += 1;
    }
    words(&mut entries, 0xC0, 0x24F);
    words(&mut entries, 0x250, 0x2AF);
    words(&mut entries, 0x370, 0x1FFF);
    words(&mut entries, 0x3131, 0x318E);
    words(&mut entries, 0xA960, 0xA97F);
    words(&mut entries, 0xAC00, 0xD7FF);
    entries[0xB5] = 2 << 5 | Class::Word as u8;
    entries[0xAA] = 2 << 5 | Class::Word as u8;
    entries[0xBA] = 2 << 5 | Class::Word as u8;
    entries[0xD7] = 2 << 5 | Class::Ideograph as u8;
    entries[0xF7] = 2 << 5 | Class::Ideograph as u8;
    at = 0;
    while at < ZERO_BMP.len() {
        let (class, columns) = if ZERO_BMP[at].0 == 0x1160 || ZERO_BMP[at].0 == 0xD7B0 {
            (Class::Attach, 0)
        } else {
            (Class::Unclean, 0)
        };
        fill(&mut entries, ZERO_BMP[at], class, columns);
        at += 1;
    }
    // What no composition can take away stays a mark on its neighbour.
    fill(&mut entries, (0x200C, 0x200F), Class::Attach, 0);
    fill(&mut entries, (0x202A, 0x202E), Class::Attach, 0);
    fill(&mut entries, (0x2061, 0x206F), Class::Attach, 0);
    // Marks around what is another for each reader; see `model::Field`.
    fill(&mut entries, (*MARKS.start() as u32, *MARKS.end() as u32), Class::Glue, 0);
    fill(&mut entries, (0xFF61, 0xFF9F), Class::Unclean, 1);
    at = 0;
    while at < CLASSES.len() {
        let (class, characters) = CLASSES[at];
        let mut index = 0;
        while index < characters.len() {
            let code = characters[index] as usize;
            entries[code] = entries[code] & 0b110_0000 | narrowed(class, entries[code] >> 5) as u8;
            index += 1;
        }
        at += 1;
    }
    entries
}

const fn narrowed(class: Class, columns: u8) -> Class {
    match class {
        Class::Open if columns == 1 => Class::NarrowOpen,
        Class::Close if columns == 1 => Class::NarrowClose,
        Class::Loose if columns == 1 => Class::NarrowLoose,
        class => class,
    }
}

const fn fill(entries: &mut [u8; 0x1_0000], range: (u32, u32), class: Class, columns: u8) {
    let mut code = range.0;
    while code <= range.1 {
        entries[code as usize] = columns << 5 | class as u8;
        code += 1;
    }
}

/// Scripts that are written in words keep their columns and lose the breaks inside words.
const fn words(entries: &mut [u8; 0x1_0000], first: u32, last: u32) {
    let mut code = first;
    while code <= last {
        entries[code as usize] = entries[code as usize] & 0b110_0000 | Class::Word as u8;
        code += 1;
    }
}

/// A character's class and columns in one octet; [`class_of`] and [`columns_of`] take it apart.
#[inline]
pub(super) fn entry(character: char) -> u8 {
    let code = character as usize;
    if code < BMP.len() { BMP[code] } else { entry_beyond(character) }
}

#[cold]
fn entry_beyond(character: char) -> u8 {
    let code = character as u32;
    let wide = WIDE_BEYOND
        .binary_search_by(|&(first, last)| {
            if last < code {
                std::cmp::Ordering::Less
            } else if first > code {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        })
        .is_ok();
    let (class, columns) = match code {
        0x1F3FB..=0x1F3FF => (Class::Joiner, 2),
        0x1F1E6..=0x1F1FF => (Class::Emoji, 2),
        0x1F000..=0x1FAFF if wide => (Class::Emoji, 2),
        0xE0100..=0xE01EF => (Class::Unclean, 0),
        0xE0000..=0xE0FFF => (Class::Attach, 0),
        0x1B132 | 0x1B150..=0x1B152 | 0x1B155 | 0x1B164..=0x1B167 => (Class::Small, 2),
        _ if is_combining_mark(character) => (Class::Attach, 0),
        _ if wide => (Class::Ideograph, 2),
        _ => (Class::Word, 1),
    };
    columns << 5 | class as u8
}

#[inline]
pub(super) fn columns_of(entry: u8) -> usize {
    (entry >> 5) as usize
}

#[inline]
pub(super) fn class_of(entry: u8) -> u8 {
    entry & 0b1_1111
}

/// The break rules of one level.
pub(super) struct Rules {
    /// For each class before, the classes after it between which a line may end.
    touching: [u32; 32],
    /// The same with a space between the two.
    spaced: [u32; 32],
    /// The classes that may not begin a line.
    not_first: u32,
}

impl Rules {
    pub(super) fn of(level: LineBreak) -> &'static Rules {
        static STRICT: Rules = rules(LineBreak::Strict);
        static NORMAL: Rules = rules(LineBreak::Normal);
        static LOOSE: Rules = rules(LineBreak::Loose);
        match level {
            LineBreak::Strict => &STRICT,
            LineBreak::Normal => &NORMAL,
            LineBreak::Loose => &LOOSE,
        }
    }

    /// Whether a line may end between two characters that touch.
    #[inline]
    pub(super) fn part(&self, before: u8, after: u8) -> bool {
        self.touching[usize::from(before & 31)] >> (after & 31) & 1 == 1
    }

    /// Whether a line may end at the space between two characters.
    #[inline]
    pub(super) fn part_at_space(&self, before: u8, after: u8) -> bool {
        self.spaced[usize::from(before & 31)] >> (after & 31) & 1 == 1
    }

    /// Whether the class may not begin a line at this level.
    pub(super) fn never_first(&self, class: u8) -> bool {
        self.not_first >> (class & 31) & 1 == 1
    }
}

/// Whether both are of scripts that part words by spaces, so that they never meet without one.
pub(super) fn both_narrow(before: u8, after: u8) -> bool {
    NARROW >> (before & 31) & 1 == 1 && NARROW >> (after & 31) & 1 == 1
}

const fn set(classes: &[Class]) -> u32 {
    let mut set = 0;
    let mut at = 0;
    while at < classes.len() {
        set |= 1 << classes[at] as u8;
        at += 1;
    }
    set
}

const fn rules(level: LineBreak) -> Rules {
    let never_first = set(&[Class::Close, Class::NarrowClose, Class::CurlyClose, Class::Stop]);
    let not_first = never_first
        | match level {
            LineBreak::Strict => set(&[Class::Small, Class::Loose, Class::NarrowLoose]),
            LineBreak::Normal => set(&[Class::Loose, Class::NarrowLoose]),
            LineBreak::Loose => 0,
        };
    let never_after =
        set(&[Class::WideSpace, Class::Glue, Class::Attach, Class::Joiner, Class::Start]) | not_first;
    let never_before = set(&[Class::Open, Class::NarrowOpen, Class::CurlyOpen, Class::Glue, Class::Start]);
    let quote = set(&[Class::Quote]);
    let mut rules = Rules { touching: [0; 32], spaced: [0; 32], not_first };
    let mut before = 0;
    while before < Class::Space as usize {
        let bit = 1u32 << before;
        if bit & never_before == 0 {
            let mut after = !never_after;
            if bit & set(&[Class::Prefix]) != 0 && !matches!(level, LineBreak::Loose) {
                after &= !set(&[Class::Digit, Class::Numeral]);
            }
            rules.spaced[before] = after;
            after &= !quote;
            if bit & NARROW != 0 {
                after &= !NARROW;
            }
            rules.touching[before] = if bit & quote != 0 { 0 } else { after };
        }
        before += 1;
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(level: LineBreak, before: char, after: char) -> bool {
        Rules::of(level).part(class_of(entry(before)), class_of(entry(after)))
    }

    /// `expected`: whether `character` may begin a line, at strict, normal and loose.
    fn check(characters: &str, expected: [bool; 3]) {
        for character in characters.chars() {
            let found = [LineBreak::Strict, LineBreak::Normal, LineBreak::Loose]
                .map(|level| breaks(level, '漢', character));
            assert_eq!(found, expected, "{character} U+{:04X}", character as u32);
        }
    }

    #[test]
    fn what_may_begin_a_line() {
        check("’”)）〕]］}｝〉》」』】⦆｠〙〗»〟。．、，.,゛゜\u{3000}", [false; 3]);
        check("ーぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇿ〜～゠", [false, true, true]);
        check("々〻ゝゞヽヾ‐–・：；！？‼⁇⁈⁉:;!?", [false, false, true]);
        check("%％‰℃￠¢°㎏", [false, false, true]);
        check("漢あアＡ０①★■━→Ⅳ㈱「（“‘A0--…‥—―￥№αЖ한", [true; 3]);
    }

    #[test]
    fn what_never_ends_a_line() {
        for character in "‘“(（〔[［{｛〈《「『【⦅｟〘〖«〝".chars() {
            for level in [LineBreak::Strict, LineBreak::Normal, LineBreak::Loose] {
                assert!(!breaks(level, character, '漢'), "{character}");
            }
        }
    }

    #[test]
    fn a_numeral_leaves_its_currency_only_when_loose() {
        for character in "￥＄£￡№".chars() {
            for numeral in ['1', '９'] {
                let found = [LineBreak::Strict, LineBreak::Normal, LineBreak::Loose]
                    .map(|level| breaks(level, character, numeral));
                assert_eq!(found, [false, false, true], "{character}{numeral}");
            }
        }
    }

    #[test]
    fn words_stay_whole() {
        for (before, after) in [
            ('a', 'b'),
            ('a', '1'),
            ('0', '.'),
            ('.', '5'),
            ('a', '('),
            (')', 'a'),
            ('m', '@'),
            ('ж', 'я'),
            ('α', 'β'),
            ('한', '글'),
            ('é', 'a'),
            ('n', '’'),
            ('’', 't'),
            ('”', 'a'),
            ('a', '“'),
        ] {
            assert!(!breaks(LineBreak::Loose, before, after), "{before}{after}");
        }
    }
}
