//! `mailmag text`: the typesetter and the character sets as filters.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::Outcome;
use super::console::Console;
use crate::charset::{self, Charset, Profile};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::model::{HangingPunctuation, LineBreak, Typesetting, named};
use crate::{source, typeset};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    filter: Filter,
}

#[derive(Debug, Subcommand)]
enum Filter {
    /// Fill paragraphs into lines of fixed width
    Wrap(WrapArguments),
    /// Join hard-wrapped lines into paragraphs again
    Unwrap {
        /// The measure the lines were wrapped at, in columns
        #[arg(long, value_name = "COLUMNS", default_value_t = 76, value_parser = widths())]
        width: usize,
    },
    /// Any Japanese character set to UTF-8, damaged escape sequences mended
    Decode {
        /// The character set, where it is not to be found out
        #[arg(long, value_name = "CHARSET")]
        from: Option<String>,
        /// Mend escape sequences that lost their ESC, too
        #[arg(long)]
        restore_escapes: bool,
    },
    /// UTF-8 to a character set of mail; what it cannot carry is an error
    Encode {
        /// The character set
        #[arg(long, value_name = "CHARSET", default_value = "iso-2022-jp")]
        to: String,
        /// Which two-byte characters may be sent: Microsoft's or JIS X 0208 alone
        #[arg(long, value_parser = ["ms", "strict"], default_value = "ms")]
        profile: String,
    },
}

#[derive(Debug, Args)]
struct WrapArguments {
    /// The measure in columns; a full-width character takes two
    #[arg(long, value_name = "COLUMNS", default_value_t = 76, value_parser = widths())]
    width: usize,
    /// Which characters may begin a line
    #[arg(long, value_parser = names(&LineBreak::NAMES), default_value = "strict")]
    line_break: String,
    /// What may stand past the margin
    #[arg(long, value_parser = names(&HangingPunctuation::NAMES), default_value = "none")]
    hanging_punctuation: String,
    /// How far `--hanging-punctuation all` reaches past the margin, in columns
    #[arg(long, value_name = "COLUMNS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    hanging_columns: u8,
}

pub(super) fn run(arguments: Arguments, console: &Console) -> Result<Outcome> {
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input).context("cannot read stdin")?;
    match arguments.filter {
        Filter::Wrap(arguments) => {
            let typesetting = arguments.typesetting();
            utf8_filter(input, console, |text| typeset::wrap(text, &typesetting))
        }
        Filter::Unwrap { width } => utf8_filter(input, console, |text| typeset::unwrap(text, width)),
        Filter::Decode { from, restore_escapes } => decode(input, from, restore_escapes, console),
        Filter::Encode { to, profile } => encode(input, &to, &profile, console),
    }
}

impl WrapArguments {
    fn typesetting(&self) -> Typesetting {
        Typesetting {
            width: self.width,
            line_break: choice(&LineBreak::NAMES, &self.line_break),
            hanging_punctuation: choice(&HangingPunctuation::NAMES, &self.hanging_punctuation),
            hanging_columns: self.hanging_columns.into(),
        }
    }
}

fn decode(input: Vec<u8>, from: Option<String>, restore_escapes: bool, console: &Console) -> Result<Outcome> {
    let from = from.as_deref().map(charset_named).transpose()?;
    let result = if restore_escapes {
        charset::decode_restoring_escapes(&input, from)
    } else {
        charset::decode(&input, from)
    };
    let mut problems = Vec::new();
    let text = source::decoded("<stdin>".to_owned(), result, &mut problems);
    if let Some((text, _)) = text {
        console.data(text.text.as_bytes())?;
    }
    Ok(console.problems(&problems))
}

fn encode(input: Vec<u8>, to: &str, profile: &str, console: &Console) -> Result<Outcome> {
    let to = charset_named(to)?;
    let profile = if profile == "strict" { Profile::Strict } else { Profile::Ms };
    let Some(text) = utf8(input, console) else { return Ok(Outcome::Problems) };
    match charset::encode(&text, to, profile) {
        Ok(octets) => {
            console.data(&octets)?;
            let found = if to == Charset::Iso2022Jp { charset::look(&text, profile) } else { Vec::new() };
            let source = SourceText::new("<stdin>", text);
            let mut told = BTreeSet::new();
            let problems: Vec<Diagnostic> = found
                .into_iter()
                .filter(|found| told.insert(found.character))
                .map(|found| platform_dependent(&source, found.offset, found.character))
                .collect();
            Ok(console.problems(&problems))
        }
        Err(unsendable) => {
            let source = SourceText::new("<stdin>", text);
            let problems: Vec<Diagnostic> = unsendable
                .into_iter()
                .map(|found| unsendable_character(&source, found.offset, found.character, to))
                .collect();
            Ok(console.problems(&problems))
        }
    }
}

fn unsendable_character(source: &Arc<SourceText>, at: usize, character: char, to: Charset) -> Diagnostic {
    let message = format!("`{character}` (U+{:04X}) is not in {}", character as u32, to.name());
    let help = charset::remedy(character)
        .map_or("encode to UTF-8, or write something else".to_owned(), Cow::into_owned);
    Diagnostic::error("unsendable-char", message).at(source, at..at + character.len_utf8()).help(help)
}

fn platform_dependent(source: &Arc<SourceText>, at: usize, character: char) -> Diagnostic {
    let message = format!("`{character}` (U+{:04X}) is not in JIS X 0208", character as u32);
    let help = charset::remedy(character).map_or("encode to UTF-8".to_owned(), Cow::into_owned);
    Diagnostic::warning("platform-dependent-char", message)
        .at(source, at..at + character.len_utf8())
        .label("some readers will see something else")
        .help(format!("{help}; or encode with `--profile strict`"))
}

fn charset_named(label: &str) -> Result<Charset> {
    Charset::from_label(label).with_context(|| {
        format!("there is no character set `{label}` here: iso-2022-jp, shift_jis, euc-jp, utf-8, utf-16")
    })
}

fn utf8_filter(input: Vec<u8>, console: &Console, filter: impl Fn(&str) -> String) -> Result<Outcome> {
    let Some(text) = utf8(input, console) else { return Ok(Outcome::Problems) };
    console.data(filter(&text).as_bytes())?;
    Ok(Outcome::Well)
}

/// The input as UTF-8; what is not has been told when nothing is returned.
fn utf8(input: Vec<u8>, console: &Console) -> Option<String> {
    String::from_utf8(input)
        .map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|octet| **octet == b'\n').count();
            let problem = Diagnostic::error("not-utf8", format!("line {line} is not UTF-8"))
                .in_file("<stdin>")
                .help("decode it first: mailmag text decode");
            console.problems(&[problem]);
        })
        .ok()
}

fn widths() -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::<usize>::new().range(2..=1000)
}

fn names<T>(names: &[(&'static str, T)]) -> PossibleValuesParser {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name).collect::<Vec<_>>())
}

fn choice<T: Copy>(names: &[(&'static str, T)], wanted: &str) -> T {
    named(names, wanted).expect("clap accepts only these names")
}
