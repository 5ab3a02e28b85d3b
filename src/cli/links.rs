//! The links of a magazine's texts: those within the blog are judged in every build, others when the editor asks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::console::{Console, count};
use super::now;
use super::production::Work;
use crate::blog::{Destination, Link, PageLinks, PageOf, own_path};
use crate::diagnostic::Diagnostic;
use crate::outside::{Answers, Verdict, ask};

impl Work<'_, '_> {
    /// The links that somebody will look after: most lead to other sites, which are asked only when the editor wants it.
    pub(super) fn wanted(&self, pages: Vec<PageLinks>) -> Vec<PageLinks> {
        let url = &self.content.config.blog.url;
        let is_wanted = |link: &Link| match &link.to {
            Destination::Web(address) => self.keeps_outside_links || own_path(url, address).is_some(),
            Destination::Here | Destination::Blog(_) => true,
        };
        let wanted = pages.into_iter().map(|mut page| {
            page.links.retain(is_wanted);
            page.links.shrink_to_fit();
            page
        });
        wanted.collect()
    }

    /// The links within the blog that lead nowhere. An issue whose own pages could not be made is no less there.
    pub(super) fn broken_links(&self) -> Vec<Diagnostic> {
        let links = self.links.lock().expect("no thread is left");
        if links.0.iter().all(|page| page.links.is_empty()) {
            return Vec::new();
        }
        let mut paths = self.site.page_paths();
        paths.extend(links.1.iter().cloned());
        paths.extend(self.copies.lock().expect("no thread is left").iter().map(|copy| copy.to.clone()));
        paths.extend(self.theme.assets().files().map(|(_, asset)| asset.published.clone()));
        let broken = self.site.broken_links(&paths, &links.0);
        broken.into_iter().map(|(page, link, problem)| self.placed(page, link, problem)).collect()
    }

    /// The links to other sites that lead nowhere or have moved. No network is no problem of the content.
    pub(super) fn outside_links(&self, kept: &Path, console: &Console) -> Result<Vec<Diagnostic>> {
        let links = self.links.lock().expect("no thread is left");
        let mut places: BTreeMap<&str, Vec<(&PageLinks, &Link)>> = BTreeMap::new();
        for page in &links.0 {
            for link in &page.links {
                if let Destination::Web(url) = &link.to
                    && own_path(&self.content.config.blog.url, url).is_none()
                {
                    places.entry(url).or_default().push((page, link));
                }
            }
        }
        let told = || format!("cannot keep the answers of other sites in {}", kept.display());
        let urls: BTreeSet<String> = places.keys().map(|url| (*url).to_owned()).collect();
        console.say(&format!("looking after {} to other sites", count(urls.len(), "link")));
        let mut answers = Answers::read(kept).with_context(told)?;
        let verdicts = ask(&urls, &mut answers, now());
        answers.write(kept).with_context(told)?;
        let (mut problems, mut unclear, mut unreachable) = (Vec::new(), 0, 0);
        for (url, verdict) in &verdicts {
            let of_url = places.get(url.as_str()).into_iter().flatten();
            match verdict {
                Verdict::Found => {}
                Verdict::Moved(to) => problems.extend(of_url.map(|(page, link)| {
                    let problem = Diagnostic::warning("moved-link", "this address has moved for good")
                        .label("readers are sent on from here")
                        .help(format!("write `{to}`"));
                    self.placed(page, link, problem)
                })),
                Verdict::Gone(status) => problems.extend(of_url.map(|(page, link)| {
                    let message = format!("nothing is there any more: the answer was {status}");
                    // A mail that went out cannot be mended.
                    let problem = if link.path.ends_with(".md") {
                        Diagnostic::error("broken-link", message)
                    } else {
                        Diagnostic::warning("broken-link", message)
                    };
                    let help = "find where it went, or take the link out";
                    self.placed(page, link, problem.label("this link leads nowhere").help(help))
                })),
                Verdict::Unclear(status) => {
                    unclear += 1;
                    console.detail(&format!("not judged: {url} answered {status}"));
                }
                Verdict::Unreachable(reason) => {
                    unreachable += 1;
                    console.detail(&format!("not reached: {url}: {reason}"));
                }
            }
        }
        if unclear + unreachable > 0 {
            let unreached = count(unreachable, "link");
            console.say(&format!(
                "{unreached} could not be reached, {unclear} had an unclear answer (-v names them)"
            ));
        }
        Ok(problems)
    }

    /// A problem at a link's place; its text is read again for that.
    fn placed(&self, page: &PageLinks, link: &Link, problem: Diagnostic) -> Diagnostic {
        let texts = match self.site.entry_of(&page.page) {
            Some(PageOf::Issue(index)) => {
                // One that has been changed since is shown without its line.
                let texts = self.issue_texts(index).ok().flatten().into_iter();
                texts.flat_map(|texts| texts.opening.into_iter().chain(texts.articles)).collect()
            }
            Some(PageOf::Post(index)) => vec![self.content.post_text(index, &mut Vec::new())],
            Some(PageOf::Page(index)) => vec![self.content.page_text(index, &mut Vec::new())],
            None => Vec::new(),
        };
        match texts.iter().find(|text| text.source.path == link.path) {
            Some(text) => problem.at(&text.source, link.span()),
            None => problem.in_file(&link.path),
        }
    }
}
