use proptest::prelude::*;
use syntect::parsing::Regex;
use syntect::parsing::syntax_definition::Pattern;

use super::languages::LANGUAGES;
use super::*;

/// Code with its pieces in brackets: `[kw fn] main`.
fn marked(highlighter: &Highlighter, language: &str, code: &str) -> String {
    let pieces = highlighter.pieces(language, code).expect("the language is known");
    let mut rest = code;
    let mut marked = String::new();
    for piece in pieces.iter() {
        let (words, after) = rest.split_at(piece.length);
        match piece.class {
            Some(class) => marked += &format!("[{} {words}]", class.name()),
            None => marked += words,
        }
        rest = after;
    }
    assert_eq!(rest, "", "{language}: all of it is told");
    marked
}

#[test]
fn code_in_pieces() {
    let highlighter = Highlighter::default();
    for (language, code, expected) in [
        ("rust", "let a = \"あ\\n\"; // い\n", "[kw let] a = [str \"あ][num \\n][str \"]; [com // い]\n"),
        ("rs", "if a && b as u8 {}\n", "[kw if] a && b [kw as u8] {}\n"),
        ("JSON", "{\"a\": [\"b\", 1, true]}\n", "{[key \"a\"]: [[str \"b\"], [num 1], [num true]]}\n"),
        ("py", "@a\ndef f(b): return not b\n", "[key @a]\n[kw def] [fn f](b): [kw return not] b\n"),
        ("sh", "cd \"$a\" | b --c # d\n", "[fn cd] [str \"][var $a][str \"] | [fn b] --c [com # d]\n"),
        ("yaml", "a: b\n", "[key a]: b\n"),
        ("toml", "[a]\nb = 1", "[[type a]]\n[key b] = [num 1]"),
        ("ini", "[a]\nb = c\n", "[[type a]]\n[key b] = [str c]\n"),
        ("sql", "SELECT * FROM a WHERE b AND c", "[kw SELECT] * [kw FROM] a [kw WHERE] b [kw AND] c"),
        ("diff", "@@ -1 +1 @@\n-a\n+b\n c\n", "[fn @@ -1 +1 @@]\n[del -a]\n[ins +b]\n c\n"),
        ("html", "<a b=\"c\">&amp;</a>", "<[kw a] [key b]=[str \"c\"]>[num &amp;]</[kw a]>"),
        ("go", "type T struct{}\n", "[kw type] [type T] [kw struct]{}\n"),
        (
            "console",
            "$ cd a \\\n  b\nc d\na@b:~# e\n[a@b ~]$ f\n",
            "[prompt $] [fn cd] a \\\n  b\n[out c d]\n[prompt a@b:~#] [fn e]\n[prompt [a@b ~]$] [fn f]\n",
        ),
    ] {
        assert_eq!(marked(&highlighter, language, code), expected);
    }
    for unknown in ["", "text", "日本語", "rusty"] {
        assert_eq!(highlighter.pieces(unknown, "let a = 1;"), None, "{unknown}");
    }
    assert!(highlighter.pieces("rust,ignore", "let a = 1;").is_some());
    assert!(highlighter.pieces("ruby:app.rb", "a = 1").is_some());
}

#[test]
fn code_that_is_too_long_stays_plain() {
    let highlighter = Highlighter::default();
    assert_eq!(highlighter.pieces("rust", &"a\n".repeat(LONGEST)), None);
    assert_eq!(highlighter.pieces("rust", &"a".repeat(LONGEST_LINE + 1)), None);
    assert!(highlighter.pieces("rust", &"a".repeat(LONGEST_LINE)).is_some());
}

#[test]
fn what_was_told_is_remembered_up_to_a_size() {
    let highlighter = Highlighter::default();
    let first = highlighter.pieces("ini", "a = b\n").expect("it is known");
    assert!(Arc::ptr_eq(&first, &highlighter.pieces("ini", "a = b\n").expect("it is known")));
    assert_ne!(first, highlighter.pieces("sh", "a = b\n").expect("it is another language"));
    highlighter.told.lock().expect("nobody panicked").octets = REMEMBERED;
    let new = highlighter.pieces("ini", "c = d\n").expect("it is known");
    assert!(!Arc::ptr_eq(&new, &highlighter.pieces("ini", "c = d\n").expect("it is known")));
}

#[test]
fn every_language_has_a_sound_grammar() {
    let grammars = two_face::syntax::extra_newlines();
    let builder = grammars.clone().into_builder();
    for (grammar, names) in LANGUAGES {
        assert!(grammars.find_syntax_by_name(grammar).is_some(), "{grammar}");
        for name in names {
            let language = language(name).expect("it is one");
            assert_eq!(language.grammar, grammar, "{name} is no other's name");
        }
        let definition = builder.syntaxes().iter().find(|one| one.name == grammar).expect("it is one");
        let mut patterns = 0;
        for pattern in definition.contexts.values().flat_map(|context| &context.patterns) {
            let Pattern::Match(pattern) = pattern else { continue };
            if !pattern.has_captures {
                assert_eq!(
                    Regex::try_compile(pattern.regex().regex_str()).map(|e| e.to_string()),
                    None,
                    "{grammar}"
                );
            }
            patterns += 1;
        }
        assert!(patterns > 3, "{grammar} has patterns");
    }
}

/// Beginnings that lead grammars astray.
const ODD: [&str; 14] =
    ["(", "<", "{", "[", "\"", "'", "/*", "<<A", "a(", "\\", "$(", "`", "if ", "a b c d e f g h "];

#[test]
fn odd_code_ends() {
    let highlighter = Highlighter::default();
    for (_, names) in LANGUAGES {
        for odd in ODD {
            let line = odd.repeat(490 / odd.len());
            marked(&highlighter, names[0], &format!("{line}\n{line}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_octet_is_told(
        language in proptest::sample::select(vec!["rust", "sh", "console", "md", "html", "php", "rb", "ts"]),
        code in "([a-z(){}<>\"'`$#:=/*\\\\ \n]|あ|[[:alpha:]]| |fn |<<A\n|\r\n){0,60}",
    ) {
        thread_local!(static HIGHLIGHTER: Highlighter = Highlighter::default());
        let plain = HIGHLIGHTER.with(|highlighter| {
            let pieces = highlighter.pieces(language, &code).expect("it is known");
            assert!(pieces.iter().all(|piece| piece.length > 0));
            pieces.iter().scan(0, |at, piece| {
                *at += piece.length;
                Some(code[*at - piece.length..*at].to_owned())
            }).collect::<String>()
        });
        prop_assert_eq!(plain, code);
    }
}
