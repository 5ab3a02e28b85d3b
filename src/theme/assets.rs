//! The theme's files as the blog publishes them: under a name with their digest in it, so that a browser may keep them
//! for ever and still never shows an old one.
//!
//! What is no style sheet, script, picture or font keeps its name, and so do the pictures that browsers ask for by
//! name (`favicon.ico`, `apple-touch-icon.png`). In a style sheet, `url(…)` and `@import` that name another file of
//! the theme are led to that file's published name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::css;
use crate::address::href;
use crate::diagnostic::{Diagnostic, SourceText};
use crate::digest::fingerprint;

/// Endings of files whose published names tell their state.
const FINGERPRINTED: [&str; 14] =
    ["css", "js", "mjs", "svg", "png", "jpg", "jpeg", "gif", "webp", "avif", "woff", "woff2", "ttf", "otf"];

/// The theme's files by their paths below `theme/`.
#[derive(Clone, Debug)]
pub struct Assets {
    files: BTreeMap<String, Asset>,
    /// What every address of the blog begins with: empty, or `/magazine`.
    root: String,
}

/// One file of the theme.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its path in the blog's folder: `style.0123abcd.css`.
    pub published: String,
    /// What it holds.
    pub octets: Cow<'static, [u8]>,
}

impl Assets {
    /// The magazine's own files, by their paths below `theme/`, over the built-in ones. `root` is what every address
    /// of the blog begins with.
    ///
    /// # Errors
    ///
    /// `style-loop` for style sheets that import each other in a circle.
    pub fn new(own: Vec<(String, Vec<u8>)>, root: &str) -> Result<Self, Vec<Diagnostic>> {
        let built_in =
            super::built_in_assets().map(|(path, octets)| (path.to_owned(), Cow::Borrowed(octets)));
        let mut raw: BTreeMap<String, Cow<'static, [u8]>> = built_in.collect();
        raw.extend(own.into_iter().map(|(path, octets)| (path, Cow::Owned(octets))));
        let mut publishing =
            Publishing { raw: &raw, files: BTreeMap::new(), open: Vec::new(), problems: Vec::new() };
        for path in raw.keys() {
            publishing.publish(path);
        }
        let Publishing { files, problems, .. } = publishing;
        if problems.is_empty() { Ok(Assets { files, root: root.to_owned() }) } else { Err(problems) }
    }

    /// The built-in files alone.
    pub fn built_in(root: &str) -> Self {
        Assets::new(Vec::new(), root).expect("the built-in style sheets import nothing")
    }

    /// Every file with its path below `theme/`, in the order of the paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Asset)> {
        self.files.iter().map(|(path, asset)| (path.as_str(), asset))
    }

    /// A file by its path below `theme/`.
    pub fn get(&self, path: &str) -> Option<&Asset> {
        self.files.get(path)
    }

    /// The address of a file by its path below `theme/`, or a sentence that says what there is.
    pub(super) fn address(&self, path: &str) -> Result<String, String> {
        match self.get(path) {
            Some(asset) => Ok(href(&self.root, &asset.published)),
            None => {
                let names: Vec<&str> = self.files.keys().map(String::as_str).collect();
                // In the form of Tera's own messages: of these names comes a remedy.
                Err(format!("The theme has no file `{path}`. Available files: {}", names.join(", ")))
            }
        }
    }
}

struct Publishing<'a> {
    raw: &'a BTreeMap<String, Cow<'static, [u8]>>,
    files: BTreeMap<String, Asset>,
    /// The style sheets that wait for what they name.
    open: Vec<String>,
    problems: Vec<Diagnostic>,
}

impl Publishing<'_> {
    fn publish(&mut self, path: &str) {
        if self.files.contains_key(path) {
            return;
        }
        let raw = self.raw;
        let octets = &raw[path];
        let octets = match std::str::from_utf8(octets) {
            Ok(text) if path.ends_with(".css") => {
                self.style_sheet(path, text).map_or(octets.clone(), Cow::Owned)
            }
            _ => octets.clone(),
        };
        self.files.insert(path.to_owned(), Asset { published: published(path, &octets), octets });
    }

    /// A style sheet with the published names of what it names; nothing when it names no file of the theme.
    fn style_sheet(&mut self, path: &str, text: &str) -> Option<Vec<u8>> {
        let mut out = String::new();
        let mut written = 0;
        self.open.push(path.to_owned());
        for span in css::addresses(text) {
            let address = &text[span.clone()];
            let (name, rest) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
            let Some(named) = beside(path, name).filter(|named| self.raw.contains_key(named)) else {
                continue;
            };
            if self.open.contains(&named) {
                let source = SourceText::new(format!("theme/{path}"), text);
                self.problems.push(style_loop(&source, span, &named));
                continue;
            }
            self.publish(&named);
            let published = &self.files[&named].published;
            out.push_str(&text[written..span.start]);
            out.push_str(&relative(path, published));
            out.push_str(rest);
            written = span.end;
        }
        self.open.pop();
        if written == 0 {
            return None;
        }
        out.push_str(&text[written..]);
        Some(out.into_bytes())
    }
}

fn style_loop(source: &Arc<SourceText>, span: std::ops::Range<usize>, named: &str) -> Diagnostic {
    Diagnostic::error("style-loop", format!("`{named}` needs this style sheet itself"))
        .at(source, span)
        .help("take one of the two references out")
}

/// The name that a file is published under.
fn published(path: &str, octets: &[u8]) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    match path.rsplit_once('.') {
        Some((stem, ending))
            if FINGERPRINTED.contains(&ending.to_ascii_lowercase().as_str())
                && !name.starts_with("apple-touch-icon") =>
        {
            format!("{stem}.{}.{ending}", fingerprint(octets))
        }
        _ => path.to_owned(),
    }
}

/// The path below `theme/` that an address in one of its style sheets names; none where it leads elsewhere.
fn beside(sheet: &str, address: &str) -> Option<String> {
    if address.is_empty() || address.starts_with('/') || address.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = sheet.split('/').collect();
    parts.pop();
    for part in address.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// How a style sheet names a published file, both by their paths.
fn relative(sheet: &str, published: &str) -> String {
    let up = "../".repeat(sheet.matches('/').count());
    href("", published).replacen('/', &up, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets(own: &[(&str, &str)]) -> Result<Assets, Vec<Diagnostic>> {
        let own = own.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Assets::new(own.collect(), "/mag")
    }

    #[test]
    fn names_tell_the_state_of_what_is_published() {
        let assets = assets(&[
            ("style.css", "body{}"),
            ("図 1.PNG", "x"),
            ("favicon.ico", "x"),
            ("apple-touch-icon.png", "x"),
            ("CNAME", "x"),
        ]);
        let assets = assets.expect("they are good");
        for (path, expected) in [
            ("style.css", "/mag/style.7c98040a.css"),
            ("図 1.PNG", "/mag/%E5%9B%B3%201.2d711642.PNG"),
            ("favicon.ico", "/mag/favicon.ico"),
            ("apple-touch-icon.png", "/mag/apple-touch-icon.png"),
            ("CNAME", "/mag/CNAME"),
        ] {
            assert_eq!(assets.address(path).as_deref(), Ok(expected));
        }
        let style = assets.get("style.css").expect("it is there");
        assert_eq!(style.octets.as_ref(), b"body{}", "an own file wins");
        assert!(Assets::built_in("").get("favicon.svg").expect("there").published.starts_with("favicon."));
        let message = assets.address("stlye.css").expect_err("there is none");
        let expected = "The theme has no file `stlye.css`. Available files: CNAME, apple-touch-icon.png, ";
        assert!(message.starts_with(expected) && message.ends_with("style.css, 図 1.PNG"), "{message}");
    }

    #[test]
    fn style_sheets_lead_to_the_published_names() {
        let css = "@import 'more.css'; a { background: url(../img/棚.png?v#x) } /* url(../img/棚.png) */\n\
            b { background: url(\"data:image/png;base64,x\"), url(/img/棚.png), url(none.png), url(https://a.jp/棚.png) }";
        let good =
            assets(&[("css/own.css", css), ("css/more.css", "i{}"), ("img/棚.png", "x")]).expect("good");
        let made = String::from_utf8(good.get("css/own.css").expect("there").octets.to_vec()).expect("UTF-8");
        let expected = css
            .replacen("more.css", &format!("../{}", good.get("css/more.css").expect("there").published), 1)
            .replacen("../img/棚.png", "../img/%E6%A3%9A.2d711642.png", 1);
        assert_eq!(made, expected);
        // A change of the picture changes the address of the sheet that shows it.
        let other =
            assets(&[("css/own.css", css), ("css/more.css", "i{}"), ("img/棚.png", "y")]).expect("good");
        assert_ne!(good.address("css/own.css"), other.address("css/own.css"));
    }

    #[test]
    fn a_circle_of_style_sheets_is_told() {
        let problems = assets(&[("a.css", "@import \"b.css\";"), ("b.css", "@import url(a.css);")]);
        let problems = problems.expect_err("there is a circle");
        let told: Vec<_> = problems.iter().map(|p| (p.path(), p.line_and_column(), p.rule)).collect();
        assert_eq!(told, [("theme/b.css", (1, 13), "style-loop")]);
    }
}
