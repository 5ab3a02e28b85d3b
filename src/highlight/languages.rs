//! The languages by the names that authors give them.

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Language {
    /// The name of its grammar.
    pub(super) grammar: &'static str,
    /// Whether it is what a shell shows: prompts, commands and what they print.
    pub(super) is_session: bool,
}

const SHELL: &str = "Bourne Again Shell (bash)";

/// What authors call a session in a shell.
const SESSION: [&str; 4] = ["console", "shell-session", "shellsession", "terminal"];

/// Grammars, and the names of what they are for.
pub(super) const LANGUAGES: [(&str, &[&str]); 58] = [
    ("Rust", &["rust", "rs"]),
    ("C", &["c", "h"]),
    ("C++", &["cpp", "c++", "cxx", "cc", "hpp"]),
    ("C#", &["csharp", "cs", "c#"]),
    ("Go", &["go", "golang"]),
    ("Python", &["python", "py", "python3", "py3"]),
    ("Ruby", &["ruby", "rb"]),
    ("PHP", &["php"]),
    ("PHP Source", &["php-source"]),
    ("Perl", &["perl", "pl"]),
    ("Java", &["java"]),
    ("Kotlin", &["kotlin", "kt", "kts"]),
    ("Scala", &["scala"]),
    ("Groovy", &["groovy", "gradle"]),
    ("Swift", &["swift"]),
    ("Objective-C", &["objective-c", "objectivec", "objc"]),
    ("JavaScript", &["javascript", "js", "mjs", "cjs", "jsx", "node"]),
    ("TypeScript", &["typescript", "ts"]),
    ("TypeScriptReact", &["tsx"]),
    ("HTML", &["html", "htm", "xhtml"]),
    ("CSS", &["css"]),
    ("SCSS", &["scss"]),
    ("Sass", &["sass"]),
    ("Less", &["less"]),
    ("Vue Component", &["vue"]),
    ("Svelte", &["svelte"]),
    ("JSON", &["json", "jsonc", "json5"]),
    ("YAML", &["yaml", "yml"]),
    ("TOML", &["toml"]),
    ("INI", &["ini", "cfg", "desktop", "systemd"]),
    ("Java Properties", &["properties"]),
    ("DotENV", &["dotenv", "env"]),
    ("XML", &["xml", "svg", "rss", "atom", "xsl", "xslt"]),
    ("SQL", &["sql", "mysql", "postgresql", "postgres", "sqlite"]),
    (SHELL, &["bash", "sh", "shell", "zsh", "ksh", "shellscript"]),
    ("Fish", &["fish"]),
    ("PowerShell", &["powershell", "ps1", "pwsh"]),
    ("Batch File", &["bat", "batch", "cmd"]),
    ("Diff", &["diff", "patch"]),
    ("Dockerfile", &["dockerfile", "docker", "containerfile"]),
    ("Makefile", &["makefile", "make", "mk"]),
    ("CMake", &["cmake"]),
    ("Markdown", &["markdown", "md"]),
    ("nginx", &["nginx", "conf"]),
    ("Apache Conf", &["apache", "apacheconf", "htaccess"]),
    ("Terraform", &["terraform", "tf", "hcl"]),
    ("Protocol Buffer", &["protobuf", "proto"]),
    ("GraphQL", &["graphql", "gql"]),
    ("Haskell", &["haskell", "hs"]),
    ("OCaml", &["ocaml", "ml"]),
    ("Elixir", &["elixir", "ex", "exs"]),
    ("Erlang", &["erlang", "erl"]),
    ("Lua", &["lua"]),
    ("R", &["r"]),
    ("Lisp", &["lisp", "commonlisp", "elisp", "scheme"]),
    ("VimL", &["vim", "viml", "vimscript"]),
    ("AWK", &["awk"]),
    ("LaTeX", &["latex", "tex"]),
];

/// The language that goes by a name, as it stands behind a fence: `rust`, `Rust`, `rust,ignore`, `ruby:app.rb`.
pub(super) fn language(name: &str) -> Option<Language> {
    let name = name.split([',', ':']).next().unwrap_or_default();
    let is_it = |known: &str| known.eq_ignore_ascii_case(name);
    if SESSION.iter().any(|known| is_it(known)) {
        return Some(Language { grammar: SHELL, is_session: true });
    }
    let (grammar, _) = LANGUAGES.iter().find(|(_, names)| names.iter().any(|known| is_it(known)))?;
    Some(Language { grammar, is_session: false })
}

/// How many octets of a session's line are the prompt: `$ `, `# `, `% `, `user@host:~$ `, `[root@host ~]# `.
pub(super) fn prompt(line: &str) -> usize {
    let Some(at) = line.find("$ ").into_iter().chain(line.find("# ")).chain(line.find("% ")).min() else {
        return 0;
    };
    let who = &line[..at];
    let is_host = who.contains('@') && (!who.contains(' ') || who.starts_with('[') && who.ends_with(']'));
    if who.is_empty() || is_host { at + 2 } else { 0 }
}
