//! The functions and filters that templates have besides Tera's own: docs/templates.md is their reference.
//!
//! All of them are pure, and what they make is bounded: `width` is at most [`WIDEST`] columns.

use std::sync::Arc;

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::{Assets, date};
use crate::model::{HangingPunctuation, LineBreak, Typesetting, choices, named};
use crate::typeset;

/// The widest measure that a template may ask for, in columns.
const WIDEST: usize = 1000;

pub(super) fn register(tera: &mut Tera, assets: &Arc<Assets>) {
    let assets = assets.clone();
    tera.register_function("asset", move |arguments: Kwargs, _: &State<'_>| asset(&assets, &arguments));
    tera.register_filter("box", |text: &str, arguments: Kwargs, _: &State<'_>| boxed(text, &arguments));
    tera.register_filter("center", |text: &str, arguments: Kwargs, _: &State<'_>| center(text, &arguments));
    tera.register_filter("wrap", |text: &str, arguments: Kwargs, _: &State<'_>| wrap(text, &arguments));
    tera.register_filter("indent", |text: &str, arguments: Kwargs, _: &State<'_>| indent(text, &arguments));
    tera.register_filter("letterspace", |text: &str, _: Kwargs, _: &State<'_>| typeset::letterspace(text));
    tera.register_filter("pad", |value: &Value, arguments: Kwargs, _: &State<'_>| pad(value, &arguments));
    tera.register_filter("date", |text: &str, arguments: Kwargs, _: &State<'_>| date(text, &arguments));
    tera.register_function("box", |arguments: Kwargs, _: &State<'_>| boxed(text(&arguments)?, &arguments));
    tera.register_function("center", |arguments: Kwargs, _: &State<'_>| {
        center(text(&arguments)?, &arguments)
    });
    tera.register_function("rule", |arguments: Kwargs, _: &State<'_>| rule(&arguments));
}

/// `box(text="…", width=76)`: the title box, each line centred in it.
fn boxed(text: &str, arguments: &Kwargs) -> TeraResult<String> {
    Ok(typeset::boxed(text, width(arguments)?))
}

/// `center(text="…", width=76)`: each line in the middle of the measure.
fn center(text: &str, arguments: &Kwargs) -> TeraResult<String> {
    let width = width(arguments)?;
    Ok(text.lines().map(|line| typeset::center(line, width)).collect::<Vec<_>>().join("\n"))
}

/// `asset(path="img/rack.png")`: the address of a file of the theme, with its digest in it.
fn asset(assets: &Assets, arguments: &Kwargs) -> TeraResult<String> {
    assets.address(arguments.must_get::<&str>("path")?).map_err(Error::message)
}

/// `rule(width=76, of="-")`: a line of one character.
fn rule(arguments: &Kwargs) -> TeraResult<String> {
    let of = arguments.get::<&str>("of")?.unwrap_or("-");
    let mut characters = of.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(typeset::rule(character, width(arguments)?)),
        _ => Err(Error::message("`of` must be one character, such as \"-\" or \"━\"")),
    }
}

/// `text | wrap(width=76, line_break="strict", hanging_punctuation="none")`: paragraphs filled into lines.
fn wrap(text: &str, arguments: &Kwargs) -> TeraResult<String> {
    let typesetting = Typesetting {
        width: width(arguments)?,
        line_break: one_of(arguments, "line_break", &LineBreak::NAMES)?,
        hanging_punctuation: one_of(arguments, "hanging_punctuation", &HangingPunctuation::NAMES)?,
        ..Typesetting::default()
    };
    Ok(typeset::wrap(text, &typesetting))
}

/// `text | indent(width=2)`: every line that is not blank moved to the right.
fn indent(text: &str, arguments: &Kwargs) -> TeraResult<String> {
    let columns = arguments.get::<usize>("width")?.unwrap_or(2);
    bounded(columns).map(|columns| typeset::indent(text, columns))
}

/// `10 | pad(width=3)` is `010`; `"発行" | pad(width=7)` has spaces behind it.
fn pad(value: &Value, arguments: &Kwargs) -> TeraResult<String> {
    let width = width(arguments)?;
    if let Some(number) = value.as_i128() {
        return Ok(format!("{number:0width$}"));
    }
    match value.as_str() {
        Some(text) => Ok(typeset::pad(text, width)),
        None => Err(Error::message(format!("`pad` takes a number or a text, not {}", value.name()))),
    }
}

/// `issue.date | date(format="%Y/%m/%d")`: a date as Japanese readers write it.
fn date(text: &str, arguments: &Kwargs) -> TeraResult<String> {
    let form = arguments.get::<&str>("format")?.unwrap_or(date::USUAL);
    let Some(day) = date::parse(text) else {
        return Err(Error::message(format!("`{text}` is no date such as 2010-05-14")));
    };
    date::format(day, form).map_err(Error::message)
}

fn text(arguments: &Kwargs) -> TeraResult<&str> {
    arguments.must_get::<&str>("text")
}

fn width(arguments: &Kwargs) -> TeraResult<usize> {
    bounded(arguments.must_get::<usize>("width")?)
}

fn bounded(columns: usize) -> TeraResult<usize> {
    if columns > WIDEST {
        return Err(Error::message(format!("`width` must be at most {WIDEST} columns, not {columns}")));
    }
    Ok(columns)
}

fn one_of<T: Copy + Default>(arguments: &Kwargs, key: &str, names: &[(&'static str, T)]) -> TeraResult<T> {
    let Some(wanted) = arguments.get::<&str>(key)? else { return Ok(T::default()) };
    named(names, wanted)
        .ok_or_else(|| Error::message(format!("`{key}` must be {}, not \"{wanted}\"", choices(names))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> TeraResult<String> {
        let mut tera = Tera::new();
        register(&mut tera, &Arc::new(Assets::built_in("/mag")));
        let mut context = tera::Context::new();
        context.insert("number", &10);
        context.insert("day", "2010-05-14");
        tera.render_str(template, &context, false)
    }

    #[test]
    fn what_templates_can_call() {
        let cases = [
            ("{{ '題名' | box(width=12) }}", "┏━━━━┓\n    題名\n┗━━━━┛"),
            ("{{ box(text='題名', width=12) }}", "┏━━━━┓\n    題名\n┗━━━━┛"),
            ("{{ '題名' | center(width=8) }}", "  題名"),
            ("{{ center(text='題名', width=8) }}", "  題名"),
            ("{{ rule(width=6) }}", "------"),
            ("{{ rule(width=6, of='━') }}", "━━━"),
            ("{{ '今日はちょっと' | wrap(width=8) }}", "今日は\nちょっと"),
            ("{{ '今日はちょっと' | wrap(width=8, line_break='loose') }}", "今日はち\nょっと"),
            ("{{ '今日は。' | wrap(width=6, hanging_punctuation='allow-end') }}", "今日は。"),
            ("{{ '一\n\n二' | indent }}", "  一\n\n  二"),
            ("{{ '一' | indent(width=4) }}", "    一"),
            ("{{ 'あとがき' | letterspace }}", "あ と が き"),
            ("{{ number | pad(width=3) }}", "010"),
            ("{{ -1 | pad(width=3) }}", "-01"),
            ("{{ 1234 | pad(width=3) }}", "1234"),
            ("{{ '発行' | pad(width=7) }}:", "発行   :"),
            ("{{ '発行' | pad(width=3) }}:", "発行:"),
            ("{{ day | date }}", "2010年5月14日"),
            ("{{ 'x' ~ day | date }}", "x2010年5月14日"),
            ("{{ ('題' ~ '名') | center(width=8) }}", "  題名"),
            ("{{ day | date(format='%-m月%-d日(%a)') }}", "5月14日(金)"),
            ("{{ '一\n二' | center(width=4) }}", " 一\n 二"),
            ("{{ day | date(format='%EY%-m月%-d日(%a)') }}", "平成22年5月14日(金)"),
        ];
        for (template, expected) in cases {
            assert_eq!(render(template).unwrap_or_else(|error| error.to_string()), expected, "{template}");
        }
    }

    #[test]
    fn what_they_refuse() {
        let cases = [
            ("{{ '題名' | box }}", "Missing keyword argument `width`"),
            ("{{ rule(width=1001) }}", "`width` must be at most 1000 columns, not 1001"),
            ("{{ '題名' | indent(width=1001) }}", "`width` must be at most 1000 columns, not 1001"),
            ("{{ number | pad(width=-1) }}", "Value `-1` is out of range for `usize`"),
            ("{{ true | pad(width=3) }}", "`pad` takes a number or a text, not bool"),
            ("{{ rule(width=6, of='--') }}", "`of` must be one character, such as \"-\" or \"━\""),
            (
                "{{ '題名' | wrap(width=8, line_break='soft') }}",
                "`line_break` must be \"strict\" or \"normal\" or \"loose\", not \"soft\"",
            ),
            ("{{ 'あす' | date }}", "`あす` is no date such as 2010-05-14"),
            ("{{ asset(path='stlye.css') }}", "The theme has no file `stlye.css`"),
            ("{{ get_env(name='HOME') }}", "Unknown function `get_env`"),
        ];
        for (template, expected) in cases {
            let error = render(template).expect_err(template).to_string();
            assert!(error.contains(expected), "{template}: {error}");
        }
    }
}
