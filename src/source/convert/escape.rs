//! Words as Markdown that reads back as the same words.

use crate::address::web_addresses;

/// One line of words. What would be read as a mark is escaped, and an address on the web stands in `<>`.
pub(super) fn escaped(words: &str) -> String {
    let mut markdown = String::with_capacity(words.len() + 16);
    let mut written = 0;
    for address in web_addresses(words) {
        escape_into(&words[written..address.start], written == 0, &mut markdown);
        written = address.end;
        markdown.push('<');
        markdown.push_str(&words[address]);
        markdown.push('>');
    }
    escape_into(&words[written..], written == 0, &mut markdown);
    markdown
}

fn escape_into(words: &str, is_start: bool, markdown: &mut String) {
    let digits = words.bytes().take_while(u8::is_ascii_digit).count();
    let mut before = None;
    let mut letters = words.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let after = letters.peek().map(|(_, after)| *after);
        let in_a_word = |side: Option<char>| side.is_some_and(|side| side.is_ascii_alphanumeric());
        let is_mark = match letter {
            '\\' | '`' | '*' | '[' | '<' | '~' => true,
            '_' => !(in_a_word(before) && in_a_word(after)),
            '&' => in_a_word(after) || after == Some('#'),
            '#' | '+' | '-' | '=' | '>' | ':' => is_start && at == 0,
            '.' | ')' => {
                is_start
                    && at == digits
                    && digits > 0
                    && after.is_none_or(|after| after.is_ascii_whitespace())
            }
            _ => false,
        };
        match letter {
            // A backslash would not keep ruby from being read.
            '{' => markdown.push_str("&#123;"),
            '}' => markdown.push_str("&#125;"),
            _ => {
                if is_mark {
                    markdown.push('\\');
                }
                markdown.push(letter);
            }
        }
        before = Some(letter);
    }
}

/// Lines as a code block, whatever they hold.
pub(super) fn fenced<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> String {
    let longest = lines.clone().flat_map(|line| line.split(|letter| letter != '`')).map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let mut markdown = format!("{fence}\n");
    for line in lines {
        markdown.push_str(line);
        markdown.push('\n');
    }
    markdown.push_str(&fence);
    markdown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::SourceText;
    use crate::model::{Block, plain};
    use crate::source::document;

    fn read_back(words: &str) {
        let markdown = escaped(words);
        let source = SourceText::new("a.md", markdown.clone());
        let mut problems = Vec::new();
        let (title, document) = document(&source, 0..markdown.len(), &mut problems);
        assert!(title.is_none() && problems.is_empty(), "{markdown} {problems:?}");
        match &document.blocks[..] {
            [Block::Paragraph(inlines)] => assert_eq!(plain(inlines), words, "{markdown}"),
            other => panic!("{markdown}: {other:?}"),
        }
    }

    #[test]
    fn marks_are_read_as_words() {
        for words in [
            "# 題",
            "- 項目",
            "+ 項目",
            "* 項目",
            "1. 項目",
            "1) 項目",
            "12.5",
            "> 引用",
            ": 定義",
            "===",
            "---",
            "***",
            "|a|b|",
            "`code`",
            "*a* **b** _c_ ~~d~~ ~e~",
            "[a](b) ![c](d) [^1] [a]: b",
            "<b>a</b> <!-- --> &amp; &#12354; A&B",
            "{漢字|かんじ}",
            "{漢字\\|かんじ}",
            "\\",
            "a\\",
            "# virt-v2v -op [名] -f a.conf [VM名].xml",
            "C:\\Program Files\\",
            "http://a.jp/x_y*z_",
            "下記http://a.jp/?a=b&c=d。",
            "(https://a.jp/)",
            "　字下げ",
            "a__b__c",
            "~~~",
            "[x] a",
            "a  b",
            "<http://a.jp/>",
            "xhttp://a.jp/",
            "a@b.jp",
            "!",
            "注!)",
            "「*」",
            "題 {#a}",
            "[ ] a",
            "[^a]: b",
            "http://",
            "a:b",
            "\"'",
        ] {
            read_back(words);
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced(["a"].into_iter()), "```\na\n```");
        assert_eq!(fenced(["```", "a````b"].into_iter()), "`````\n```\na````b\n`````");
    }

    proptest! {
        #[test]
        fn any_words_are_read_back(words in "[-#*+_~`<>{}|\\[\\]()!&;:=\\\\.0-9a-c 　山。「」/]{0,24}") {
            let words = words.trim();
            prop_assume!(!words.is_empty());
            read_back(words);
        }
    }
}
