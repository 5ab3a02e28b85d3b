//! What pieces of code can be, and which of a grammar's many scopes make them so.

use syntect::parsing::Scope;

use crate::hash::{HashMap, HashMapExt};
use crate::model::{name_of, named};

/// What a piece of code is. A dozen classes, not a grammar's hundreds: a page that is to be read has few colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// What is said to people.
    Comment,
    /// Text in quotes.
    String,
    /// Numbers, constants, and escapes in strings.
    Number,
    /// The language's own words.
    Keyword,
    /// The names of functions, commands and macros.
    Function,
    /// The names of types, and heads of sections.
    Type,
    /// Variables that their language marks, such as `$PATH`.
    Variable,
    /// Keys of settings and mappings, attributes, annotations.
    Key,
    /// A line that a change adds.
    Inserted,
    /// A line that a change takes away.
    Deleted,
    /// A shell's prompt in a session.
    Prompt,
    /// What a command of a session printed.
    Output,
}

impl Class {
    /// All of them, each with its name on pages.
    pub const NAMES: [(&'static str, Class); 12] = [
        ("com", Class::Comment),
        ("str", Class::String),
        ("num", Class::Number),
        ("kw", Class::Keyword),
        ("fn", Class::Function),
        ("type", Class::Type),
        ("var", Class::Variable),
        ("key", Class::Key),
        ("ins", Class::Inserted),
        ("del", Class::Deleted),
        ("prompt", Class::Prompt),
        ("out", Class::Output),
    ];

    /// Its name on pages: the class of a `<span>`.
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The class of a name on pages.
    pub fn named(name: &str) -> Option<Class> {
        named(&Self::NAMES, name)
    }
}

/// What a scope makes of the code in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Only code.
    #[default]
    Plain,
    /// One thing.
    Is(Class),
    /// A keyword when it is a word (`and`), plain when it is a sign (`&&`).
    Word,
    /// The key of a mapping, of which only the string is one to the eye.
    MappingKey,
}

impl Meaning {
    /// What a token is.
    pub(super) fn class(self, token: &str) -> Option<Class> {
        match self {
            Meaning::Is(class) => Some(class),
            Meaning::Word if token.trim_start().starts_with(char::is_alphabetic) => Some(Class::Keyword),
            Meaning::Plain | Meaning::Word | Meaning::MappingKey => None,
        }
    }
}

/// The scopes that mean something, each with those below it unless one above in this list says otherwise.
const RULES: [(&str, Meaning); 63] = {
    use Class::*;
    use Meaning::{Is, MappingKey, Plain, Word};
    [
        ("comment", Is(Comment)),
        ("string.unquoted.heredoc", Is(String)),
        ("string.unquoted", Plain),
        ("string", Is(String)),
        ("source.regexp", Is(String)),
        ("source", Plain),
        ("text", Plain),
        ("meta.interpolation", Plain),
        ("meta.mapping.key", MappingKey),
        ("meta.diff.header", Is(Type)),
        ("meta.diff.range", Is(Function)),
        ("punctuation.section.embedded", Is(Keyword)),
        ("punctuation.section.interpolation", Plain),
        ("punctuation.definition.annotation", Is(Key)),
        ("punctuation.definition.variable", Is(Variable)),
        ("constant", Is(Number)),
        ("keyword.operator", Word),
        ("keyword.other.unit", Is(Number)),
        ("keyword.name", Is(Key)),
        ("keyword", Is(Keyword)),
        ("storage.type.string", Is(String)),
        ("storage", Is(Keyword)),
        ("variable.annotation", Is(Key)),
        ("variable.function", Is(Function)),
        ("variable.language", Word),
        ("variable.other.readwrite.shell", Is(Variable)),
        ("variable.other.readwrite.assignment.shell", Is(Variable)),
        ("variable.other.readwrite.perl", Is(Variable)),
        ("variable.other.readwrite.powershell", Is(Variable)),
        ("variable.other.readwrite.instance", Is(Variable)),
        ("variable.other.readwrite.global", Is(Variable)),
        ("variable.other.php", Is(Variable)),
        ("variable.parameter.php", Is(Variable)),
        ("variable.other.nginx", Is(Variable)),
        ("variable.other.makefile", Is(Variable)),
        ("entity.name.tag.yaml", Is(Key)),
        ("entity.name.tag.toml", Is(Key)),
        ("entity.name.tag", Is(Keyword)),
        ("entity.name.function", Is(Function)),
        ("entity.name.type", Is(Type)),
        ("entity.name.class", Is(Type)),
        ("entity.name.struct", Is(Type)),
        ("entity.name.enum", Is(Type)),
        ("entity.name.trait", Is(Type)),
        ("entity.name.interface", Is(Type)),
        ("entity.name.union", Is(Type)),
        ("entity.name.impl", Is(Type)),
        ("entity.name.table", Is(Type)),
        ("entity.name.section", Is(Type)),
        ("entity.section", Is(Type)),
        ("entity.other.attribute-name", Is(Key)),
        ("entity.other.pseudo", Is(Key)),
        ("entity.other.inherited-class", Is(Type)),
        ("support.type.property-name", Is(Key)),
        ("support.function", Is(Function)),
        ("support.macro", Is(Function)),
        ("support.constant", Is(Number)),
        ("support", Is(Type)),
        ("markup.inserted", Is(Inserted)),
        ("markup.deleted", Is(Deleted)),
        ("markup.heading", Is(Keyword)),
        ("markup.raw", Is(String)),
        ("markup.underline.link", Is(String)),
    ]
};

/// What scopes mean, each looked up once.
pub(super) struct Meanings {
    rules: Vec<(Scope, Meaning)>,
    known: HashMap<Scope, Option<Meaning>>,
}

impl Meanings {
    pub(super) fn new() -> Self {
        let scope = |name: &str| Scope::new(name).expect("the names are those of scopes");
        Meanings {
            rules: RULES.iter().map(|(name, meaning)| (scope(name), *meaning)).collect(),
            known: HashMap::new(),
        }
    }

    /// What a scope means inside another.
    pub(super) fn of(&mut self, scope: Scope, around: Meaning) -> Meaning {
        let rules = &self.rules;
        let own = self.known.entry(scope).or_insert_with(|| {
            rules.iter().find(|(prefix, _)| prefix.is_prefix_of(scope)).map(|(_, meaning)| *meaning)
        });
        match (around, *own) {
            // Nothing inside these is looked at.
            (Meaning::Is(Class::Comment | Class::Inserted | Class::Deleted), _) => around,
            (Meaning::MappingKey, Some(Meaning::Is(Class::String))) => Meaning::Is(Class::Key),
            (_, Some(own)) => own,
            (around, None) => around,
        }
    }
}
