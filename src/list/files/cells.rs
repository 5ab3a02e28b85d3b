//! What the cells of a list file mean: an address with or without its name, tags, the status another system had.

use std::borrow::Cow;

use crate::charset;
use crate::model::{Status, Suppression};

/// The most characters that a name or a tag may have.
pub const LONGEST_NAME: usize = 200;
/// The most tags that a row may have.
pub(super) const MOST_TAGS: usize = 50;

/// An address as it is written, and the name written with it: `Name <address>` (RFC 5322, section 3.4), as Mailman lists it.
pub(super) fn mailbox(cell: &str) -> (Cow<'_, str>, Option<String>) {
    let cell = cell.trim();
    let bracketed = cell.strip_suffix('>').and_then(|rest| rest.rsplit_once('<'));
    let Some((name, address)) = bracketed else { return (without_guard(cell), None) };
    let name = name.trim();
    let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let name = match quoted {
        Some(quoted) => unescaped(quoted),
        None if name.contains("=?") => charset::decode_header(name.as_bytes()),
        None => name.to_owned(),
    };
    (without_guard(address.trim()), Some(name))
}

/// A name with its blanks and line ends made single spaces; nothing when it is blank.
pub fn name(cell: &str) -> Option<String> {
    let cell = without_guard(cell);
    let words: Vec<&str> =
        cell.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    // A full-width space between family name and given name is the reader's own.
    let own_space = cell.contains('\u{3000}') && !cell.contains(' ');
    let name = words.join(if own_space { "\u{3000}" } else { " " });
    (!name.is_empty()).then_some(name)
}

/// The tags of a cell: parted by commas, semicolons, bars or 、.
pub(super) fn tags(cell: &str) -> impl Iterator<Item = String> + '_ {
    cell.split([',', ';', '|', '、', '，', '\n']).filter_map(name)
}

/// How it stands with a reader, by the word of another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// As one of ours.
    Known(Status),
    /// He has not confirmed: there is no consent that could be imported.
    NotConfirmed,
    /// Nothing that is known.
    Unknown,
}

/// The status of a word: ours, listmonk's and those of Japanese mailers. No word is active.
pub(super) fn status(cell: &str) -> Word {
    let word = cell.trim().to_lowercase();
    let suppressed = |why| Word::Known(Status::Suppressed(why));
    match word.as_str() {
        "" => Word::Known(Status::Active),
        "pending" | "unconfirmed" | "仮登録" | "未確認" | "承認待ち" => Word::NotConfirmed,
        "active" | "enabled" | "subscribed" | "confirmed" | "有効" | "登録" | "本登録" | "登録済"
        | "登録済み" | "配信" | "配信中" | "配信する" | "購読" | "購読中" | "希望" => {
            Word::Known(Status::Active)
        }
        "unsubscribed" | "cancelled" | "canceled" | "inactive" | "解除" | "登録解除" | "配信解除"
        | "購読解除" | "退会" | "退会済" | "退会済み" | "解約" | "停止" | "配信停止" | "配信しない"
        | "無効" | "不要" => Word::Known(Status::Unsubscribed),
        "bounced" | "hardbounced" | "hard bounce" | "cleaned" | "不達" | "エラー" | "エラー停止"
        | "配信エラー" => suppressed(Suppression::HardBounce),
        "complained" | "complaint" | "spam" | "苦情" => suppressed(Suppression::Complaint),
        "blocklisted" | "blacklisted" | "blocked" | "disabled" | "suppressed" | "拒否" | "配信拒否" => {
            suppressed(Suppression::Operator)
        }
        word => Status::named(word).map_or(Word::Unknown, Word::Known),
    }
}

/// A cell without the `'` that our exports put before what a spreadsheet would take for a formula.
fn without_guard(cell: &str) -> Cow<'_, str> {
    match cell.strip_prefix('\'') {
        Some(rest) if super::is_formula(rest) => Cow::Borrowed(rest),
        _ => Cow::Borrowed(cell),
    }
}

/// A quoted string (RFC 5322, section 3.2.4) without its backslashes.
fn unescaped(quoted: &str) -> String {
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        text.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_may_carry_a_name() {
        let check = |cell: &str, address: &str, name: Option<&str>| {
            let (read_address, read_name) = mailbox(cell);
            assert_eq!((read_address.as_ref(), read_name.as_deref()), (address, name), "{cell}");
        };
        check(" taro@example.jp ", "taro@example.jp", None);
        check("<taro@example.jp>", "taro@example.jp", Some(""));
        check("山田 太郎 <taro@example.jp>", "taro@example.jp", Some("山田 太郎"));
        check(r#""Yamada \"T\", Taro" <taro@example.jp>"#, "taro@example.jp", Some("Yamada \"T\", Taro"));
        check("=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <taro@example.jp>", "taro@example.jp", Some("山田"));
        check("'+foo@example.jp", "+foo@example.jp", None);
        check("'o@example.jp", "'o@example.jp", None);
    }

    #[test]
    fn names_and_tags_are_tidied() {
        let check = |cell: &str, want: Option<&str>| assert_eq!(name(cell).as_deref(), want, "{cell:?}");
        check("　山田　太郎 \n", Some("山田 太郎"));
        check("山田　太郎", Some("山田　太郎"));
        check("Taro\r\nBcc: x", Some("Taro Bcc: x"));
        check(" 　", None);
        check("'=1+1", Some("=1+1"));
        let of = |cell| tags(cell).collect::<Vec<_>>();
        assert_eq!(of("会員, 東京;;2010年|  vip 客、x"), ["会員", "東京", "2010年", "vip 客", "x"]);
        assert_eq!(of(""), [""; 0]);
    }

    #[test]
    fn who_left_elsewhere_is_never_active() {
        for (ours, status_of_it) in Status::NAMES {
            let want = if ours == "pending" { Word::NotConfirmed } else { Word::Known(status_of_it) };
            assert_eq!(status(ours), want, "{ours}");
        }
        for word in ["Unsubscribed", " 解除 ", "退会", "配信停止"] {
            assert_eq!(status(word), Word::Known(Status::Unsubscribed), "{word}");
        }
        for word in ["blocklisted", "disabled", "拒否"] {
            assert_eq!(status(word), Word::Known(Status::Suppressed(Suppression::Operator)), "{word}");
        }
        for word in ["enabled", "有効", ""] {
            assert_eq!(status(word), Word::Known(Status::Active), "{word}");
        }
        assert_eq!(status("2"), Word::Unknown);
        assert_eq!(status("仮登録"), Word::NotConfirmed);
    }
}
