//! Where the lines of a paragraph end: as much on each as fits, broken where kinsoku allows.

use super::columns::Cluster;
use super::kinsoku::{Class, FIRST_CONTEXTUAL, Rules, both_narrow, class_of, columns_of, entry};
use crate::model::{HangingPunctuation, Typesetting};
use std::ops::Range;

/// How far the lines reach, and by which rules they end.
pub(super) struct Measure {
    first_limit: usize,
    limit: usize,
    hanging: HangingPunctuation,
    hanging_columns: usize,
    rules: &'static Rules,
}

impl Measure {
    /// `first` and `rest` are the columns taken already on the first line and the others.
    pub(super) fn new(typesetting: &Typesetting, first: usize, rest: usize) -> Measure {
        Measure {
            first_limit: typesetting.width.saturating_sub(first),
            limit: typesetting.width.saturating_sub(rest),
            hanging: typesetting.hanging_punctuation,
            hanging_columns: match typesetting.hanging_punctuation {
                HangingPunctuation::None => 0,
                HangingPunctuation::AllowEnd => 2,
                HangingPunctuation::All => typesetting.hanging_columns,
            },
            rules: Rules::of(typesetting.line_break),
        }
    }
}

/// A line of a paragraph.
pub(super) struct Line {
    /// Where it stands, without the space that ended it.
    pub(super) range: Range<usize>,
    /// Whether the line ended at a space that joining cannot know of.
    pub(super) space: bool,
    /// Whether there may be characters in it that [`push_visible`](super::clean::push_visible) changes.
    pub(super) invisible: bool,
}

/// The text must go through [`clean`](super::clean::clean()) first.
#[derive(Debug)]
pub(super) struct Unclean;

/// A place where the line may end.
#[derive(Clone, Copy)]
struct Break {
    /// Where the line would end; 0 when there is no such place.
    end: usize,
    /// Where the next would begin.
    next: usize,
    /// Columns before the next.
    columns: usize,
    /// The space there, if any.
    space: Space,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    None,
    /// Joining two words puts it back.
    Joined,
    /// The line could end here without it.
    Free,
    /// Only the space lets the line end here.
    Needed,
}

const NO_BREAK: Break = Break { end: 0, next: 0, columns: 0, space: Space::None };

/// Calls `take` with each line until it says no. `clean`: the text went through [`clean`](super::clean::clean()).
///
/// Each character is looked at once; again only after a line that had to be cut where kinsoku forbids, from the cut on.
pub(super) fn break_lines(
    text: &str,
    measure: &Measure,
    clean: bool,
    mut take: impl FnMut(Line) -> bool,
) -> Result<(), Unclean> {
    let rules = measure.rules;
    let mut limit = measure.first_limit;
    let mut invisible = false;
    let mut start = 0; // of the line
    let mut width = 0; // columns since then
    let mut last = NO_BREAK; // the last place on this line where it may end
    let mut cuttable = true; // whether a place to cut has not been looked for on this line
    let mut previous = Class::Start as u8;
    let mut base = 0; // where the last character with columns begins
    let mut gap = NO_BREAK; // the space before `at`, if its `next` is not 0
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let entry = entry(character);
        let mut class = class_of(entry);
        let mut wide = columns_of(entry);
        let mut end = at + character.len_utf8();
        if class >= FIRST_CONTEXTUAL {
            match contextual(text, at, base, previous, clean).ok_or(Unclean)? {
                Unit::Gap => {
                    if gap.next != 0 {
                        return Err(Unclean);
                    }
                    invisible |= wide == 0;
                    width += wide;
                    gap = Break { end: at, next: end, columns: width, space: Space::None };
                    at = end;
                    continue;
                }
                Unit::Character { class: resolved, columns, end: further } => {
                    (class, wide, end) = (resolved, columns, further);
                }
            }
        } else if class == Class::Glue as u8 {
            invisible = true;
        } else if class == Class::WideSpace as u8 && previous == Class::Start as u8 {
            // The indent at a paragraph's head is no place to end a line.
            class = Class::Start as u8;
        }
        if gap.next != 0 {
            if rules.part_at_space(previous, class) {
                last = Break { space: space_kind(text, &gap, rules, previous, class), ..gap };
            }
            gap = NO_BREAK;
        } else if rules.part(previous, class)
            && !(class == Class::Leader as u8 && text[..at].ends_with(character))
        {
            last = Break { end: at, next: at, columns: width, space: Space::None };
        }
        let before = width;
        width += wide;
        if width > limit {
            if before <= limit
                && let Some(hung) = hanging_end(text, at, before, previous, limit, measure, clean)
            {
                let next = hung.next;
                if !take(Line { range: start..hung.end, space: hung.space == Space::Needed, invisible }) {
                    return Ok(());
                }
                (start, at, base, width, limit, last, cuttable) =
                    (next, next, next, 0, measure.limit, NO_BREAK, true);
                previous = Class::Start as u8;
                continue;
            }
            while width > limit && last.end > start {
                let space = match last.space {
                    Space::None | Space::Joined => false,
                    Space::Free => width <= limit + 1 + measure.hanging_columns,
                    Space::Needed => true,
                };
                if !take(Line { range: start..last.end, space, invisible }) {
                    return Ok(());
                }
                start = last.next;
                width -= last.columns;
                limit = measure.limit;
                last = NO_BREAK;
                cuttable = true;
            }
            if width > limit && cuttable {
                cuttable = false;
                if let Some(cut) = cut(text, start, end, limit) {
                    if !take(Line { range: start..cut.end, space: cut.space == Space::Needed, invisible }) {
                        return Ok(());
                    }
                    let next = cut.next;
                    (start, at, base, width, limit, last, cuttable) =
                        (next, next, next, 0, measure.limit, NO_BREAK, true);
                    previous = Class::Start as u8;
                    continue;
                }
            }
        }
        if class != Class::Attach as u8 {
            base = at;
            previous = class;
        }
        at = end;
    }
    if start < text.len() {
        take(Line { range: start..text.len(), space: false, invisible });
    }
    Ok(())
}

/// A piece of text that is not parted.
enum Unit {
    /// A space or a break hint.
    Gap,
    /// A character, or an emoji cluster, or what belongs to the character before.
    Character { class: u8, columns: usize, end: usize },
}

/// What stands at `at`, which its neighbours decide. `None`: the text must be cleaned first.
fn contextual(text: &str, at: usize, base: usize, previous: u8, clean: bool) -> Option<Unit> {
    let character = text[at..].chars().next()?;
    let entry = entry(character);
    let end = at + character.len_utf8();
    let next = text[end..].chars().next().map_or(Class::Start as u8, |next| class_of(self::entry(next)));
    let before_word = both_narrow(next, next) || next == Class::Hyphen as u8 || next == Class::Slash as u8;
    let in_word = both_narrow(previous, previous);
    let class = class_of(entry);
    let unit = |class: Class| Unit::Character { class: class as u8, columns: columns_of(entry), end };
    let attached = Unit::Character { class: Class::Attach as u8, columns: 0, end };
    let unit = match class {
        _ if class == Class::Space as u8 || class == Class::Hint as u8 => Unit::Gap,
        _ if class == Class::Attach as u8 => attached,
        _ if class == Class::Unclean as u8 && clean => attached,
        _ if class == Class::Unclean as u8 => return None,
        _ if class == Class::Hyphen as u8 && !in_word && !before_word => unit(Class::NarrowLoose),
        _ if class == Class::Slash as u8 && !in_word && !before_word => unit(Class::NarrowClose),
        _ if class == Class::Hyphen as u8 || class == Class::Slash as u8 => unit(Class::Word),
        _ => {
            let cluster = Cluster::at(text, base, at);
            if cluster.attached {
                Unit::Character {
                    class: Class::Attach as u8,
                    columns: cluster.more_columns,
                    end: cluster.end,
                }
            } else if columns_of(entry) == 0 {
                attached
            } else {
                Unit::Character { class: Class::Ideograph as u8, columns: 2, end: cluster.end }
            }
        }
    };
    Some(unit)
}

/// What becomes of the space where a line may end.
fn space_kind(text: &str, gap: &Break, rules: &Rules, before: u8, after: u8) -> Space {
    let same_leader = || {
        after == Class::Leader as u8 && text[..gap.end].chars().next_back() == text[gap.next..].chars().next()
    };
    if !text[gap.end..].starts_with(' ') {
        Space::None
    } else if both_narrow(before, after) {
        Space::Joined
    } else if rules.part(before, after) && !same_leader() {
        Space::Free
    } else {
        Space::Needed
    }
}

/// Where the line ends if what does not fit at `at` hangs past the margin.
fn hanging_end(
    text: &str,
    mut at: usize,
    mut width: usize,
    previous: u8,
    limit: usize,
    measure: &Measure,
    clean: bool,
) -> Option<Break> {
    let rules = measure.rules;
    let mut previous = previous;
    let begin = at;
    while let Some((class, columns, end)) = character_at(text, at, previous, clean) {
        let may_hang = match measure.hanging {
            HangingPunctuation::None => false,
            HangingPunctuation::AllowEnd => class == Class::Stop as u8 && at == begin,
            HangingPunctuation::All => rules.never_first(class) || class == Class::Attach as u8 && at > begin,
        };
        if !may_hang || width + columns > limit + measure.hanging_columns {
            break;
        }
        width += columns;
        at = end;
        if class != Class::Attach as u8 {
            previous = class;
        }
    }
    if at == begin {
        return None;
    }
    let next = at
        + text[at..]
            .chars()
            .next()
            .filter(|&next| next == ' ' || next == '\u{200B}')
            .map_or(0, char::len_utf8);
    let gap = Break { end: at, next, columns: 0, space: Space::None };
    if next == text.len() {
        return Some(gap);
    }
    let (class, ..) = character_at(text, next, previous, clean)?;
    if next > at {
        let space = space_kind(text, &gap, rules, previous, class);
        rules.part_at_space(previous, class).then_some(Break { space, ..gap })
    } else {
        rules.part(previous, class).then_some(gap)
    }
}

fn character_at(text: &str, at: usize, previous: u8, clean: bool) -> Option<(u8, usize, usize)> {
    let character = text[at..].chars().next()?;
    let entry = entry(character);
    if class_of(entry) < FIRST_CONTEXTUAL {
        return Some((class_of(entry), columns_of(entry), at + character.len_utf8()));
    }
    match contextual(text, at, at, previous, clean)? {
        Unit::Character { class, columns, end } => Some((class, columns, end)),
        Unit::Gap => None,
    }
}

/// The last place before the limit where a line that may end nowhere is cut all the same: between two wide characters.
fn cut(text: &str, start: usize, end: usize, limit: usize) -> Option<Break> {
    let cuttable = |class: u8| {
        (Class::Ideograph as u8..=Class::Leader as u8).contains(&class) || class == Class::Emoji as u8
    };
    let mut cut = None;
    let mut width = 0; // before the character
    let mut filled = 0; // before the space before it, if there is one
    let mut gap = None;
    let mut before = Class::Start as u8;
    for (index, character) in text[start..end].char_indices() {
        let entry = entry(character);
        let class = class_of(entry);
        if class == Class::Space as u8 {
            (gap, filled) = (Some(start + index), width);
            width += 1;
            continue;
        }
        if gap.is_none() {
            filled = width;
        }
        if filled > limit {
            break;
        }
        let wide = columns_of(entry) == 2 && (cuttable(class) || class == Class::WideSpace as u8);
        if wide && cuttable(class) && cuttable(before) && !(before == class && class == Class::Emoji as u8) {
            let space = if gap.is_some() { Space::Needed } else { Space::None };
            cut = Some(Break { end: gap.unwrap_or(start + index), next: start + index, columns: 0, space });
        }
        width += columns_of(entry);
        before = if wide { class } else { Class::Start as u8 };
        gap = None;
    }
    cut
}
