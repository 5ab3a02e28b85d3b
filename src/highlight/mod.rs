//! Code in pieces, each with what it is: keyword, comment, string.
//!
//! A piece says how long it is and never what it holds, so that no character can be lost on the way to a page. The
//! grammars are those of `two-face`, in Sublime Text's format; they are unpacked when the first code is met, and each of
//! their patterns is compiled when it is first needed, so that a magazine without code pays nothing.

mod classes;
mod languages;

use std::sync::{Arc, Mutex, OnceLock};

use syntect::parsing::{BasicScopeStackOp, ParseState, ScopeStack, SyntaxReference, SyntaxSet};

use crate::hash::HashMap;
pub use classes::Class;
use classes::{Meaning, Meanings};
use languages::{Language, language};

/// Longer code stays plain, in octets: no reader needs colours in it, and grammars go back and forth in a line.
const LONGEST: usize = 50_000;
/// Code with a longer line stays plain, in octets.
const LONGEST_LINE: usize = 500;
/// How much code is remembered, in octets.
const REMEMBERED: usize = 4 << 20;

/// A stretch of code that is one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// How long it is, in octets; it ends between two characters.
    pub length: usize,
    /// What it is; none for what is only code.
    pub class: Option<Class>,
}

/// What tells the pieces of code. It remembers what it has told, for the same code stands in many a page; what it tells
/// depends on the code alone.
#[derive(Debug, Default)]
pub struct Highlighter {
    grammars: OnceLock<SyntaxSet>,
    told: Mutex<Told>,
}

/// The pieces of code that was met before, by its language and its text.
#[derive(Debug, Default)]
struct Told {
    pieces: HashMap<Language, HashMap<Box<str>, Arc<[Piece]>>>,
    octets: usize,
}

impl Told {
    fn add(&mut self, language: Language, code: &str, pieces: Arc<[Piece]>) {
        let of_language = self.pieces.entry(language).or_default();
        if self.octets + code.len() <= REMEMBERED && !of_language.contains_key(code) {
            self.octets += code.len();
            of_language.insert(code.into(), pieces);
        }
    }
}

impl Highlighter {
    /// The pieces of code from its first octet to its last; none for a language that nobody knows and for code that is
    /// too long. A language goes by the names that editors use: `rust`, `rs`, `C++`.
    pub fn pieces(&self, name: &str, code: &str) -> Option<Arc<[Piece]>> {
        let language = language(name)?;
        if is_too_long(code) {
            return None;
        }
        {
            let told = self.told.lock().ok()?;
            if let Some(pieces) = told.pieces.get(&language).and_then(|of_language| of_language.get(code)) {
                return Some(pieces.clone());
            }
        }
        let grammars = self.grammars.get_or_init(two_face::syntax::extra_newlines);
        let pieces: Arc<[Piece]> = told_anew(grammars, language, code)?.into();
        self.told.lock().ok()?.add(language, code, pieces.clone());
        Some(pieces)
    }

    /// Remembers what another highlighter of the same program told of code.
    pub fn remember(&self, name: &str, code: &str, pieces: Vec<Piece>) {
        if let Some(language) = language(name)
            && !is_too_long(code)
            && let Ok(mut told) = self.told.lock()
        {
            told.add(language, code, pieces.into());
        }
    }
}

fn is_too_long(code: &str) -> bool {
    let has_long_line = || code.lines().any(|line| line.len() > LONGEST_LINE);
    code.len() > LONGEST || code.len() > LONGEST_LINE && has_long_line()
}

fn told_anew(grammars: &SyntaxSet, language: Language, code: &str) -> Option<Vec<Piece>> {
    let grammar = grammars.find_syntax_by_name(language.grammar)?;
    let mut writer = Writer { grammars, meanings: Meanings::new(), pieces: Vec::new(), blanks: 0 };
    if language.is_session {
        writer.session(grammar, code);
    } else {
        let mut reader = Reader::new(grammar);
        code.split_inclusive('\n').for_each(|line| writer.line(&mut reader, line));
    }
    Some(writer.finish())
}

/// Where a grammar stands in the code.
struct Reader {
    state: ParseState,
    scopes: ScopeStack,
    /// What each of the scopes means, those below included.
    meanings: Vec<Meaning>,
}

impl Reader {
    fn new(grammar: &SyntaxReference) -> Self {
        Reader { state: ParseState::new(grammar), scopes: ScopeStack::new(), meanings: Vec::new() }
    }
}

struct Writer<'a> {
    grammars: &'a SyntaxSet,
    meanings: Meanings,
    pieces: Vec<Piece>,
    /// Blanks that have not been added yet, in octets.
    blanks: usize,
}

impl Writer<'_> {
    /// What was typed at a shell's prompt, and what came back.
    fn session(&mut self, grammar: &SyntaxReference, code: &str) {
        let mut reader = Reader::new(grammar);
        let mut goes_on = false;
        for line in code.split_inclusive('\n') {
            let prompt = languages::prompt(line);
            if goes_on {
                self.line(&mut reader, line);
            } else if prompt > 0 {
                self.push(&line[..prompt], Some(Class::Prompt));
                reader = Reader::new(grammar);
                self.line(&mut reader, &line[prompt..]);
            } else {
                self.push(line, Some(Class::Output));
                continue;
            }
            goes_on = line.trim_end().ends_with('\\');
        }
    }

    fn line(&mut self, reader: &mut Reader, line: &str) {
        // A grammar that fails leaves its line as it is.
        let operations = reader.state.parse_line(line, self.grammars).unwrap_or_default();
        let mut written = 0;
        for (at, operation) in &operations {
            let at = line.floor_char_boundary(*at);
            if at > written {
                self.token(reader, &line[written..at]);
                written = at;
            }
            let Reader { scopes, meanings, .. } = reader;
            let known = &mut self.meanings;
            let applied = scopes.apply_with_hook(operation, |change, _| match change {
                BasicScopeStackOp::Push(scope) => {
                    let below = meanings.last().copied().unwrap_or_default();
                    meanings.push(known.of(scope, below));
                }
                BasicScopeStackOp::Pop => {
                    meanings.pop();
                }
            });
            if applied.is_err() {
                break;
            }
        }
        if written < line.len() {
            self.token(reader, &line[written..]);
        }
    }

    fn token(&mut self, reader: &Reader, token: &str) {
        let meaning = reader.meanings.last().copied().unwrap_or_default();
        self.push(token, meaning.class(token));
    }

    /// Adds a piece, joined with the one before it when both are the same; blanks go with what they part.
    fn push(&mut self, token: &str, class: Option<Class>) {
        let begins = token.trim_start();
        let words = begins.trim_end();
        self.blanks += token.len() - begins.len();
        if words.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(last) if last.class == class => last.length += self.blanks + words.len(),
            last => {
                match last {
                    Some(last) if last.class.is_none() => last.length += self.blanks,
                    _ if self.blanks > 0 => self.pieces.push(Piece { length: self.blanks, class: None }),
                    _ => {}
                }
                self.pieces.push(Piece { length: words.len(), class });
            }
        }
        self.blanks = begins.len() - words.len();
    }

    fn finish(mut self) -> Vec<Piece> {
        if self.blanks > 0 {
            self.pieces.push(Piece { length: self.blanks, class: None });
        }
        self.pieces
    }
}

#[cfg(test)]
mod tests;
