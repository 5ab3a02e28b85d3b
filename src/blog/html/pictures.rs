//! Pictures: with their size, so that nothing moves when they come, and narrower ones for small screens.

use super::{Preview, Writer, push_escaped};
use crate::address::{Target, decode, href, target};
use crate::diagnostic::Diagnostic;
use crate::picture::{Picture, describe};

/// How wide the built-in theme shows a picture at most, in the words of HTML's `sizes`.
const SIZES: &str = "(min-width: 42.5rem) 40rem, 100vw";

/// A picture's place on the blog and what is known of it.
struct Shown {
    /// Its path in the blog's folder; none for what the blog does not have.
    path: Option<String>,
    address: String,
    picture: Option<Picture>,
    /// Where narrower ones are made from; none where there are none.
    from: Option<String>,
}

impl Writer<'_> {
    pub(super) fn picture(&mut self, url: &str, alt: &str, title: &str, at: usize) {
        let shown = match target(url, self.place.folder, self.place.prefix) {
            Target::Beside { from, to, .. } if (self.place.has_file)(&from) => self.beside(from, to),
            Target::Beside { from, .. } => {
                let problem = Diagnostic::error("missing-picture", format!("there is no picture `{from}`"))
                    .label("shown here")
                    .help("put the file beside the text, or correct its name");
                Err(Box::new(problem))
            }
            Target::Blog(path) => self.on_the_blog(&path),
            Target::Elsewhere(_) | Target::Unsafe => {
                let problem =
                    Diagnostic::error("remote-picture", "this picture would come from another site")
                        .label("its host would learn who reads the page")
                        .help("put the picture beside the text and name the file alone");
                Err(Box::new(problem))
            }
        };
        match shown {
            Ok(shown) => self.show(shown, alt, title),
            Err(problem) => self.problem(*problem, url, at),
        }
    }

    fn beside(&mut self, from: String, to: String) -> Result<Shown, Box<Diagnostic>> {
        let picture = (self.place.picture)(&from).map_err(|fault| {
            let problem = Diagnostic::error(fault.rule, format!("`{from}` {}", fault.message));
            Box::new(problem.label("shown here").help(fault.help))
        })?;
        self.needs(from.clone(), to.clone(), None);
        let address = href(self.place.root, &to);
        Ok(Shown { path: Some(to), address, picture: Some(picture), from: Some(from) })
    }

    /// A picture by its path from the blog's root: one of the theme, or one that lies beside some text.
    fn on_the_blog(&mut self, path: &str) -> Result<Shown, Box<Diagnostic>> {
        let named = decode(path.split(['?', '#']).next().unwrap_or(path).trim_start_matches('/'));
        if let Some(asset) = self.place.assets.get(&named) {
            let address = href(self.place.root, &asset.published);
            let picture = describe(&asset.octets).ok();
            return Ok(Shown { path: Some(asset.published.clone()), address, picture, from: None });
        }
        let from = format!("content/{named}");
        if (self.place.has_file)(&from) {
            return self.beside(from, named);
        }
        Ok(Shown { path: None, address: format!("{}{path}", self.place.root), picture: None, from: None })
    }

    fn show(&mut self, shown: Shown, alt: &str, title: &str) {
        let Shown { path, address, picture, from } = shown;
        self.pictures += 1;
        self.attribute("<img src", &address);
        self.attribute(" alt", alt);
        if !title.is_empty() {
            self.attribute(" title", title);
        }
        if let Some((width, height)) = picture.as_ref().and_then(|picture| picture.size) {
            self.attribute(" width", &width.to_string());
            self.attribute(" height", &height.to_string());
            let picture = picture.as_ref().filter(|picture| picture.is_raster);
            if let (Some(picture), Some(path)) = (picture, &path) {
                if let Some(from) = from {
                    self.narrower(picture, from, path, &address, width);
                }
                if self.preview.is_none() {
                    self.preview = Some(Preview { path: path.clone(), width, height, alt: alt.to_owned() });
                }
            }
        }
        // The first is likely to be seen at once.
        if self.pictures > 1 {
            self.attribute(" loading", "lazy");
        }
        self.attribute(" decoding", "async");
        self.out.push('>');
    }

    fn narrower(&mut self, picture: &Picture, from: String, path: &str, address: &str, width: u32) {
        if picture.narrower.is_empty() {
            return;
        }
        let mut choices = String::new();
        for narrow in &picture.narrower {
            let to = narrow.path_beside(path);
            choices += &format!("{} {}w, ", candidate(&href(self.place.root, &to)), narrow.width);
            self.needs(from.clone(), to, Some(narrow.width));
        }
        choices += &format!("{} {width}w", candidate(address));
        self.attribute(" srcset", &choices);
        self.attribute(" sizes", SIZES);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push_str(name);
        self.out.push_str("=\"");
        push_escaped(value, &mut self.out);
        self.out.push('"');
    }
}

/// An address as one of several: a comma at either end would not be its own.
fn candidate(address: &str) -> String {
    address.replace(',', "%2C")
}
