//! Templates and assets, the magazine's own over the built-in ones: the only door to Tera.

mod assets;
mod built_in;
mod css;
mod date;
mod errors;
mod filters;
mod fingerprint;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use tera::Tera;

pub use assets::{Asset, Assets};
pub use built_in::{BuiltIn, built_in};
pub use fingerprint::{Fingerprint, Fingerprints, mixed};
pub use tera::value::Map;
pub use tera::{Context, Value};

use crate::charset;
use crate::config::Setting;
use crate::diagnostic::{Diagnostic, SourceText};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/theme");

/// Before a built-in template's name: an own template of the same name can begin with
/// `{% extends "built-in/blog/issue.html" %}`.
const BUILT_IN: &str = "built-in/";

/// The templates, ready to render.
pub struct Theme {
    tera: Tera,
    assets: Arc<Assets>,
    /// The magazine's own templates by their names, for problems in them.
    own: BTreeMap<String, Arc<SourceText>>,
}

impl Theme {
    /// The built-in templates below the magazine's own ones, whose paths begin with `templates/`, and the built-in
    /// theme files of a blog at its host's root.
    ///
    /// # Errors
    ///
    /// One diagnostic for each own template that is no template.
    pub fn new(own: &[Arc<SourceText>]) -> Result<Self, Vec<Diagnostic>> {
        Theme::with_assets(own, Assets::built_in(""))
    }

    /// The built-in templates below the magazine's own ones, and the theme files whose addresses they can ask for.
    ///
    /// # Errors
    ///
    /// One diagnostic for each own template that is no template.
    pub fn with_assets(own: &[Arc<SourceText>], assets: Assets) -> Result<Self, Vec<Diagnostic>> {
        let assets = Arc::new(assets);
        let mut own: BTreeMap<String, Arc<SourceText>> = own
            .iter()
            .map(|source| {
                let name = source.path.strip_prefix("templates/").unwrap_or(&source.path);
                (name.to_owned(), source.clone())
            })
            .collect();
        let mut problems = Vec::new();
        loop {
            match load(&own, &assets) {
                Ok(tera) if problems.is_empty() => return Ok(Theme { tera, assets, own }),
                Ok(_) => return Err(problems),
                Err(error) => {
                    let (diagnostic, culprit) = errors::in_loading(&error, &own);
                    problems.push(diagnostic);
                    match culprit {
                        Some(culprit) if own.contains_key(&culprit) => set_aside(&mut own, culprit),
                        _ => return Err(problems),
                    }
                }
            }
        }
    }

    /// The theme's files as they are published.
    pub fn assets(&self) -> &Assets {
        &self.assets
    }

    /// The ids that templates give to elements, as far as they are written out.
    pub fn ids(&self) -> BTreeSet<&str> {
        let built_in =
            files(&TEMPLATES).into_iter().filter_map(|(_, octets)| std::str::from_utf8(octets).ok());
        let texts = built_in.chain(self.own.values().map(|source| source.text.as_str()));
        let ids =
            texts.flat_map(|text| text.split(" id=\"").skip(1)).filter_map(|rest| rest.split('"').next());
        ids.filter(|id| !id.contains('{')).collect()
    }

    /// Renders a template by its name, such as `blog/issue.html`, to UTF-8; `what` is what is being rendered, such as
    /// `issue 010`, and is said in the problem if there is one.
    ///
    /// # Errors
    ///
    /// A `template-error` at its place in the template.
    pub fn render_octets(
        &self,
        name: &str,
        context: &Context,
        what: &str,
    ) -> Result<Vec<u8>, Box<Diagnostic>> {
        let mut page = Bounded::default();
        match self.tera.render_to(name, context, &mut page) {
            Ok(()) => Ok(page.octets),
            Err(error) => Err(Box::new(errors::in_rendering(&error, name, what, &self.own))),
        }
    }

    /// Renders a template as [`Theme::render_octets`] does, to a text.
    ///
    /// # Errors
    ///
    /// A `template-error` at its place in the template.
    pub fn render(&self, name: &str, context: &Context, what: &str) -> Result<String, Box<Diagnostic>> {
        let octets = self.render_octets(name, context, what)?;
        Ok(charset::utf8(&octets).expect("templates and their values are UTF-8").to_owned())
    }

    /// Renders a template that a setting holds, such as the subject of `mailmag.toml`.
    ///
    /// # Errors
    ///
    /// A `template-error` at the setting.
    pub fn render_setting(
        &self,
        setting: &Setting<String>,
        source: &Arc<SourceText>,
        context: &Context,
        what: &str,
    ) -> Result<String, Box<Diagnostic>> {
        self.tera
            .render_str(&setting.value, context, false)
            .map_err(|error| Box::new(errors::in_setting(&error, setting, source, what)))
    }
}

/// What a template has written, up to a size that no page reaches unless its template runs wild.
struct Bounded {
    octets: Vec<u8>,
}

impl Default for Bounded {
    fn default() -> Self {
        // Most pages are no longer.
        Bounded { octets: Vec::with_capacity(32 << 10) }
    }
}

impl Bounded {
    /// The largest page, in octets.
    const LARGEST: usize = 64 << 20;
}

impl io::Write for Bounded {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        if self.octets.len() + written.len() > Bounded::LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.octets.extend_from_slice(written);
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The built-in files of the theme by their paths below `theme/`.
fn built_in_assets() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    files(&ASSETS).into_iter()
}

/// Takes a wrong template out, so that the faults of the next can be seen; with it those that name it, which
/// nobody can judge without it.
fn set_aside(own: &mut BTreeMap<String, Arc<SourceText>>, wrong: String) {
    let mut leaving = vec![wrong];
    while let Some(name) = leaving.pop() {
        own.remove(&name);
        let names = [format!("\"{name}\""), format!("'{name}'")];
        let builds_on_it = |source: &SourceText| names.iter().any(|name| source.text.contains(name));
        leaving.extend(own.iter().filter(|(_, source)| builds_on_it(source)).map(|(name, _)| name.clone()));
    }
}

fn load(own: &BTreeMap<String, Arc<SourceText>>, assets: &Arc<Assets>) -> Result<Tera, tera::Error> {
    let mut tera = Tera::new();
    tera.set_fallback_prefixes([BUILT_IN])?;
    filters::register(&mut tera, assets);
    let built_in = files(&TEMPLATES).into_iter().map(|(path, octets)| {
        let text = std::str::from_utf8(octets).expect("the built-in templates are UTF-8");
        (format!("{BUILT_IN}{path}"), text)
    });
    let own = own.iter().map(|(name, source)| (name.clone(), source.text.as_str()));
    tera.add_raw_templates(built_in.chain(own).collect::<Vec<_>>())?;
    Ok(tera)
}

/// Every file of a folder that the program carries, by its path.
fn files(root: &'static Dir<'static>) -> Vec<(&'static str, &'static [u8])> {
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        files.extend(folder.files().filter_map(|file| Some((file.path().to_str()?, file.contents()))));
        folders.extend(folder.dirs());
    }
    files
}

/// The text of a built-in template by its name, with or without `built-in/`.
fn built_in_template(name: &str) -> Option<&'static str> {
    TEMPLATES.get_file(name.trim_start_matches(BUILT_IN))?.contents_utf8()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(files: &[(&str, &str)]) -> Result<Theme, Vec<Diagnostic>> {
        let own: Vec<Arc<SourceText>> =
            files.iter().map(|(name, text)| SourceText::new(format!("templates/{name}"), *text)).collect();
        Theme::new(&own)
    }

    fn context() -> Context {
        let mut context = Context::new();
        context.insert("issue", &serde_json::json!({ "number": 10, "label": "010", "date": "2010-05-14" }));
        context.insert("words", "<b>&");
        context
    }

    fn problem(diagnostic: &Diagnostic) -> String {
        let (line, column) = diagnostic.line_and_column();
        format!("{}:{line}:{column}: {}: {}", diagnostic.path(), diagnostic.rule, diagnostic.message)
    }

    #[test]
    fn own_templates_win_and_can_extend_the_built_in_ones() {
        let theme = theme(&[
            ("blog/base.html", "<i>{% block main %}{% endblock %}</i>"),
            ("blog/page.html", "{% extends \"blog/base.html\" %}{% block main %}{{ words }}{% endblock %}"),
            ("mail/note.txt", "{{ words }} {{ issue.number | pad(width=3) }} {{ issue.date | date }}"),
        ]);
        let theme = theme.unwrap_or_else(|problems| panic!("{problems:?}"));
        let render = |name| theme.render(name, &context(), "a test").expect(name);
        assert_eq!(render("blog/page.html"), "<i>&lt;b&gt;&amp;</i>");
        assert_eq!(render("mail/note.txt"), "<b>& 010 2010年5月14日");
        assert!(
            theme.render("built-in/mail/body.txt", &Context::new(), "a test").is_err(),
            "it wants a body"
        );
    }

    #[test]
    fn every_template_that_is_none_is_told_at_its_place() {
        let Err(problems) = theme(&[
            ("blog/a.html", "<p>\n{{ issue.label }</p>"),
            ("blog/b.html", "{% extends \"blog/nowhere.html\" %}"),
            ("mail/c.txt", "一行目\n日付{{ issue.date | datum }}"),
        ]) else {
            panic!("they are wrong")
        };
        let told: Vec<String> = problems.iter().map(problem).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        for start in ["templates/blog/a.html:2:", "templates/blog/b.html:1:1: ", "templates/mail/c.txt:2:"] {
            assert!(told.iter().any(|told| told.starts_with(start)), "{start}: {told:?}");
        }
    }

    #[test]
    fn one_wrong_template_is_told_once_not_with_all_that_build_on_it() {
        let Err(problems) = theme(&[
            ("own/base.html", "{% block own %}{{ words"),
            ("own/page.html", "{% extends \"own/base.html\" %}{% block own %}{% endblock %}"),
            ("own/post.html", "{% extends 'own/page.html' %}{% block own %}{% endblock %}"),
        ]) else {
            panic!("the first is wrong")
        };
        let told: Vec<String> = problems.iter().map(problem).collect();
        assert_eq!(told, ["templates/own/base.html:1:19: template-error: Unexpected end of input"]);
    }

    #[test]
    fn a_field_that_is_not_there_is_told_at_its_place() {
        let theme =
            theme(&[("mail/note.txt", "号\n第{{ issue.nmuber }}号")]).unwrap_or_else(|_| panic!("it is one"));
        let diagnostic =
            theme.render("mail/note.txt", &context(), "issue 010").expect_err("there is no such field");
        assert!(problem(&diagnostic).starts_with("templates/mail/note.txt:2:"), "{}", problem(&diagnostic));
        assert_eq!(diagnostic.label, "while rendering issue 010");
        assert_eq!(diagnostic.help.as_deref(), Some("did you mean `number`?"));
    }

    #[test]
    fn settings_are_templates_too() {
        let theme = theme(&[]).unwrap_or_else(|_| panic!("the built-in ones are good"));
        let text = "subject = \"Vol.{{ issue.number | pad(width=3) }}\"";
        let source = SourceText::new("mailmag.toml", text);
        let setting = |value: &str| Setting { value: value.to_owned(), span: 10..text.len() };
        let render = |value| theme.render_setting(&setting(value), &source, &context(), "the subject");
        assert_eq!(render("Vol.{{ issue.number | pad(width=3) }}").as_deref(), Ok("Vol.010"));
        for wrong in [
            "{{ issue.nmuber }}",
            "{{ issue.number",
            "{{ issue | pad(width=3) }}",
            "{{ 1 | pad(width=5000) }}",
            "{{ 1 | padd(width=3) }}",
            "{% include \"mail/nowhere.txt\" %}",
        ] {
            let diagnostic = render(wrong).expect_err(wrong);
            assert!(
                problem(&diagnostic).starts_with("mailmag.toml:1:11: template-error: "),
                "{diagnostic:?}"
            );
            assert!(!diagnostic.message.starts_with("error"), "{}", diagnostic.message);
        }
    }

    #[test]
    fn a_template_that_runs_wild_is_stopped() {
        let wild = "{% for a in range(end=90000) %}{% for b in range(end=90000) %}{{ much }}{% endfor %}{% endfor %}";
        let mut context = context();
        context.insert("much", &"words ".repeat(100_000));
        let theme = theme(&[("mail/wild.txt", wild)]).unwrap_or_else(|problems| panic!("{problems:?}"));
        let diagnostic = theme.render("mail/wild.txt", &context, "a test").expect_err("it is without end");
        let expected = "templates/mail/wild.txt:1:1: template-error: this template writes more than 64 MB";
        assert_eq!(problem(&diagnostic), expected);
    }

    #[test]
    fn an_asset_that_is_not_there_is_told_with_those_that_are() {
        let text = "<link href=\"{{ asset(path='favicon.svg') }}\">\n{{ asset(path=\"stlye.css\") }}";
        let theme = theme(&[("blog/own.html", text)]).unwrap_or_else(|problems| panic!("{problems:?}"));
        let diagnostic = theme.render("blog/own.html", &context(), "a test").expect_err("there is none");
        assert!(problem(&diagnostic).starts_with("templates/blog/own.html:2:"), "{}", problem(&diagnostic));
        assert_eq!(diagnostic.help.as_deref(), Some("did you mean `style.css`?"), "{diagnostic:?}");
    }
}
