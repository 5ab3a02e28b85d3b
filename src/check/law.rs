//! What the law asks of mail that advertises: who sends it, how one leaves, and where the sender is found.
//!
//! 特定電子メールの送信の適正化等に関する法律, section 4, and its ordinance, sections 7 to 9: the sender's name and
//! where one refuses, a sentence beside it that one may, a postal address and a contact; the last two in the mail or
//! one link away. What stands where is judged from the words, and in doubt for the editor.

use crate::config::{Config, MagazineConfig};
use crate::diagnostic::Diagnostic;
use crate::model::{Field, FieldAt};

/// Words that say that one may leave.
const LEAVING: [&str; 13] = [
    "解除",
    "停止",
    "退会",
    "購読中止",
    "配信中止",
    "配信の中止",
    "受信拒否",
    "配信不要",
    "オプトアウト",
    "unsubscribe",
    "opt out",
    "opt-out",
    "stop receiving",
];

/// Words before a postal address.
const POSTAL: [&str; 4] = ["所在地", "住所", "postal address", "mailing address"];

/// Words before where questions go.
const CONTACT: [&str; 8] =
    ["問い合わせ", "問合せ", "問合わせ", "お便り", "連絡先", "電話", "tel:", "contact"];

/// What shops must tell of themselves (特定商取引法, section 11) has both.
const OF_SHOPS: &str = "特定商取引";

/// How many lines with words may lie between a word and the address that belongs to it: a heading, some sentences, and
/// the list of links below them.
const NEAR: usize = 12;

/// What the law asks for and the form of a mail does not have: nothing of a magazine that is declared not to be
/// commercial. `has_footer` says whether there is a `content/footer.md` to put it into. They are warnings; only the
/// sending is refused.
pub fn law(config: &Config, (body, fields): (&str, &[FieldAt]), has_footer: bool) -> Vec<Diagnostic> {
    let magazine = &config.magazine;
    if !magazine.is_commercial {
        return Vec::new();
    }
    let lines = Lines::of(body);
    let names_sender =
        lines.has(&magazine.publisher) || close(&config.mail.from.name).contains(&close(&magazine.publisher));
    let has_link = fields.iter().any(|at| at.field == Field::Unsubscribe);
    let leaves = (has_link && LEAVING.iter().any(|word| lines.has(word))) || lines.near(&LEAVING, is_way);
    let missing = [
        (!names_sender).then(|| {
            let publisher = &magazine.publisher;
            ("sender-not-named", format!("the mail does not say that {publisher} sends it"), "name the publisher in it, such as 「発行: …」".to_owned())
        }),
        (!leaves).then(|| {
            let help = "write a sentence such as 「[配信の停止](mailmag:unsubscribe)はいつでもできます。」; \
                        the link becomes each reader's own";
            ("no-way-to-leave", "the mail does not say where readers leave".to_owned(), help.to_owned())
        }),
        (!has_address(magazine, &lines)).then(|| {
            let help = "write it into the mail, as 「〒…」 or behind 「所在地」; or, where it stands on a page that the mail \
                        links to, name that page in mailmag.toml: `[magazine] address = \"https://…\"`";
            ("no-postal-address", "the mail has no postal address of the sender's".to_owned(), help.to_owned())
        }),
        (!has_contact(magazine, &lines)).then(|| {
            let help = "write a mail address, a telephone number or a page behind 「お問い合わせ」; or name what \
                        stands there in mailmag.toml: `[magazine] contact = \"…\"`";
            ("no-contact", "the mail does not say where questions go".to_owned(), help.to_owned())
        }),
    ];
    let problem = |(rule, message, help): (&'static str, String, String)| {
        let help =
            format!("{help}. If the magazine advertises nothing: `commercial = false` below [magazine]");
        let place = if has_footer { "content/footer.md" } else { "mailmag.toml" };
        Diagnostic::warning(rule, message).in_file(place).help(help)
    };
    missing.into_iter().flatten().map(problem).collect()
}

fn has_address(magazine: &MagazineConfig, lines: &Lines) -> bool {
    let has_code = lines.any(|line| {
        line.split('〒').skip(1).any(|rest| rest.trim_start().starts_with(|c: char| c.is_numeric()))
    });
    let is_told = |line: &str| POSTAL.iter().any(|word| line.contains(word));
    let is_set = magazine.address.as_deref().is_some_and(|address| lines.has(address));
    has_code || lines.any(is_told) || is_set || lines.near(&[OF_SHOPS], is_page)
}

fn has_contact(magazine: &MagazineConfig, lines: &Lines) -> bool {
    let is_set = magazine.contact.as_deref().is_some_and(|contact| lines.has(contact));
    lines.any(has_mail_address)
        || is_set
        || lines.near(&CONTACT, is_reached)
        || lines.near(&[OF_SHOPS], is_page)
}

/// The lines of a mail that have words, in small letters.
struct Lines {
    lines: Vec<String>,
    /// All of them without any space: what was broken into lines is whole.
    joined: String,
}

impl Lines {
    fn of(body: &str) -> Lines {
        let lines = body.lines().filter(|line| !line.trim().is_empty()).map(str::to_lowercase);
        Lines { lines: lines.collect(), joined: close(body) }
    }

    fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        self.lines.iter().any(|line| is(line))
    }

    /// Whether words stand somewhere, however they are broken into lines.
    fn has(&self, words: &str) -> bool {
        self.joined.contains(&close(words))
    }

    /// Whether a line that is so stands at one of these words, or not far from it.
    fn near(&self, words: &[&str], is: impl Fn(&str) -> bool) -> bool {
        let has_word = |line: &String| words.iter().any(|word| line.contains(word));
        let at = self.lines.iter().enumerate().filter(|(_, line)| has_word(line)).map(|(at, _)| at);
        at.into_iter().any(|at| {
            let end = (at + NEAR + 1).min(self.lines.len());
            self.lines[at.saturating_sub(NEAR)..end].iter().any(|line| is(line))
        })
    }
}

/// Words without spaces, in small letters.
fn close(words: &str) -> String {
    words.to_lowercase().split_whitespace().collect()
}

fn is_page(line: &str) -> bool {
    line.contains("https://") || line.contains("http://")
}

fn is_way(line: &str) -> bool {
    is_page(line) || has_mail_address(line)
}

/// A page, or digits enough for a telephone number.
fn is_reached(line: &str) -> bool {
    is_page(line) || line.chars().filter(|c| c.is_numeric()).count() >= 9
}

fn has_mail_address(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    line.match_indices('@').any(|(at, _)| {
        let domain =
            line[at + 1..].split(|c: char| !is_part(c) && !".-".contains(c)).next().unwrap_or_default();
        line[..at].ends_with(is_part) && domain.trim_end_matches('.').contains('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceText;
    use crate::model::take_fields;

    const WHOLE: &str = "発行: 編集部\n\n配信停止は次のページからどうぞ。\nhttps://a.example/leave\n\n\
        〒100-0001 東京都千代田区\nお問い合わせ: news@a.example\n";

    fn told(more: &str, body: &str) -> Vec<&'static str> {
        let settings = format!(
            "[magazine]\nname = \"通信\"\npublisher = \"編集部\"\n{more}\n[mail]\nfrom = \"通信 <a@a.example>\"\n\
             subject = \"件\"\n[blog]\nurl = \"https://a.example\"\n"
        );
        let mut problems = Vec::new();
        let config = crate::config::parse(&SourceText::new("mailmag.toml", settings), &mut problems);
        let config = config.unwrap_or_else(|| panic!("{problems:?}"));
        let (text, fields) = take_fields(body);
        let told = law(&config, (&text, &fields), true);
        assert!(told.iter().all(|told| told.path() == "content/footer.md"));
        told.iter().map(|told| told.rule).collect()
    }

    #[test]
    fn what_the_law_asks_for_is_missed() {
        let all = ["sender-not-named", "no-way-to-leave", "no-postal-address", "no-contact"];
        assert_eq!(told("", "こんにちは。\n"), all);
        assert_eq!(told("", WHOLE), [""; 0]);
        assert_eq!(told("commercial = false", "こんにちは。\n"), [""; 0]);
        for (words, instead, rule) in [
            ("発行: 編集部", "発行: 他の部", "sender-not-named"),
            ("配信停止は次のページからどうぞ。", "記事は次のページからどうぞ。", "no-way-to-leave"),
            ("〒100-0001 東京都千代田区", "東京タワー", "no-postal-address"),
            ("〒100-0001 東京都千代田区", "〒のマーク", "no-postal-address"),
            ("お問い合わせ: news@a.example", "", "no-contact"),
        ] {
            assert_eq!(told("", &WHOLE.replace(words, instead)), [rule], "{words} → {instead}");
        }
        // A page to leave at that is far from any sentence is none.
        let far = format!("配信停止はどうぞ。\n{}https://a.example/\n", "本文です。\n".repeat(40));
        let of_far = WHOLE.replace("配信停止は次のページからどうぞ。\nhttps://a.example/leave\n", "");
        let of_far = format!("{far}{}{of_far}", "本文です。\n".repeat(40))
            .replace("news@a.example", "https://a.example/q");
        assert_eq!(told("", &of_far), ["no-way-to-leave"]);
    }

    #[test]
    fn there_are_many_ways_to_say_it() {
        let field = Field::Unsubscribe.marked("https://list.a.example/u/x");
        for (words, instead) in [
            ("発行: 編集部", "発行: 編\n集部"),
            ("配信停止は次のページからどうぞ。\nhttps://a.example/leave", "解除: leave@a.example"),
            (
                "配信停止は次のページからどうぞ。\nhttps://a.example/leave",
                "To unsubscribe:\nhttps://a.example/",
            ),
            ("〒100-0001", "所在地:"),
            ("〒100-0001 東京都千代田区", "特定商取引法に基づく表記\nhttps://a.example/law"),
            ("〒100-0001 東京都千代田区", "〒 100-0001"),
            ("news@a.example", "https://a.example/ask"),
            ("news@a.example", "03-0000-0000"),
        ] {
            assert_eq!(told("", &WHOLE.replace(words, instead)), [""; 0], "{words} → {instead}");
        }
        let by_field =
            WHOLE.replace("https://a.example/leave", &format!("{}{field}", "本文です。\n".repeat(40)));
        assert_eq!(told("", &by_field), [""; 0]);
        let without_sentence = format!("発行: 編集部\n{field}\n所在地: 東京\nnews@a.example\n");
        assert_eq!(told("", &without_sentence), ["no-way-to-leave"]);
    }

    #[test]
    fn settings_name_what_stands_one_link_away() {
        let without = WHOLE.replace("〒100-0001 東京都千代田区", "発行者: https://a.example/about/");
        assert_eq!(told("", &without), ["no-postal-address"]);
        assert_eq!(told("address = \"https://a.example/about/\"", &without), [""; 0]);
        assert_eq!(told("address = \"https://a.example/none/\"", &without), ["no-postal-address"]);
        let without = WHOLE.replace("お問い合わせ: news@a.example", "編集室 港区 1-2");
        assert_eq!(told("contact = \"編集室 港区 1-2\"", &without), [""; 0]);
        assert_eq!(told("contact = \"編集室 港区 1-3\"", &without), ["no-contact"]);
    }
}
