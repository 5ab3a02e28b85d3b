//! Links: what addresses become on a page.

use super::{Writer, push_escaped};
use crate::address::{Target, href, target};
use crate::blog::links::{Link, leads_to};
use crate::model::{Field, Inline};

impl<'a> Writer<'a> {
    pub(super) fn link(&mut self, url: &str, words: &'a [Inline], at: usize) {
        let target = target(url, self.place.folder, self.place.prefix);
        let has_file = matches!(&target, Target::Beside { from, .. } if (self.place.has_file)(from));
        if !self.in_link && !has_file {
            self.notice(url, &target, at);
        }
        let address = match target {
            _ if self.in_link => None,
            // What each reader's mail has of his own, the blog has for all.
            _ if Field::of_address(url) == Some(Some(Field::Unsubscribe)) => Some((self.place.subscribe)()),
            Target::Unsafe => None,
            Target::Elsewhere(address) => Some(address),
            Target::Blog(path) => Some(format!("{}{path}", self.place.root)),
            Target::Beside { from, to, rest } => {
                let address = href(self.place.root, &to) + &rest;
                if has_file {
                    self.needs(from, to, None);
                }
                Some(address)
            }
        };
        let Some(address) = address else { return self.inlines(words) };
        self.out.push_str("<a href=\"");
        push_escaped(&address, &mut self.out);
        self.out.push_str("\">");
        self.in_link = true;
        self.inlines(words);
        self.in_link = false;
        self.out.push_str("</a>");
    }

    /// Keeps where a link leads, for those who know all pages.
    fn notice(&mut self, url: &str, target: &Target, at: usize) {
        let Some((to, anchor)) = leads_to(target) else { return };
        let span = self.place_of(url, at);
        let path = self.source.path.clone();
        self.links.push(Link { to, anchor, url: url.to_owned(), path, start: span.start, end: span.end });
    }

    /// Pictures that stand alone, each with its caption.
    pub(super) fn figures(&mut self, words: &'a [Inline]) {
        for word in words {
            let Inline::Image { url, alt, title, at } = word else { continue };
            self.out.push_str("<figure>");
            self.picture(url, alt, "", *at);
            if !title.is_empty() {
                self.out.push_str("<figcaption>");
                push_escaped(title, &mut self.out);
                self.out.push_str("</figcaption>");
            }
            self.out.push_str("</figure>\n");
        }
    }
}
