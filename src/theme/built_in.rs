//! The files that the program carries, for a magazine to start its own from.

use super::{ASSETS, TEMPLATES, files};

/// A template or theme file that the program carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Its path from the magazine's folder, where a file of the magazine's own wins over it:
    /// `templates/blog/issue.html`.
    pub path: &'static str,
    /// What it makes, in a few words.
    pub purpose: &'static str,
    /// What it holds.
    pub octets: &'static [u8],
}

/// What each file is for, in the order of the paths.
const PURPOSES: &[(&str, &str)] = &[
    ("templates/blog/404.html", "the page for an address that is not there"),
    ("templates/blog/archive.html", "all issues, year by year"),
    ("templates/blog/article.html", "an article's page"),
    ("templates/blog/atom.xml", "the Atom feed"),
    ("templates/blog/base.html", "what stands round every page: head, banner, footer"),
    ("templates/blog/components.html", "pieces that several pages share"),
    ("templates/blog/home.html", "the front page"),
    ("templates/blog/issue.html", "an issue's page"),
    ("templates/blog/name.html", "what one author wrote, or what stands under one tag or in one corner"),
    ("templates/blog/names.html", "all authors, all tags, all corners"),
    ("templates/blog/page.html", "a page of content/pages"),
    ("templates/blog/post.html", "a post's page"),
    ("templates/blog/posts.html", "the list of posts"),
    ("templates/blog/redirect.html", "an old address that leads to a new one"),
    ("templates/blog/rss.xml", "the RSS feed"),
    ("templates/blog/search.html", "the search"),
    ("templates/blog/terms.html", "the index of terms"),
    ("templates/blog/year.html", "the issues of one year"),
    ("templates/mail/already.txt", "tells who asks again that he is subscribed"),
    ("templates/mail/body.html", "the mail in HTML, where `[mail] html` asks for it"),
    ("templates/mail/body.txt", "the mail as readers see it"),
    ("templates/mail/change.txt", "asks whether a new address is the reader's"),
    ("templates/mail/changed.txt", "tells the old address that another one has taken its place"),
    ("templates/mail/confirm.txt", "asks whether somebody wants to subscribe"),
    ("templates/mail/goodbye.txt", "tells who has left that it is done"),
    ("templates/mail/links.txt", "the links to leave and to one's own data"),
    ("templates/mail/signature.txt", "what stands under every mail about a subscription"),
    ("templates/mail/welcome.txt", "the first mail to a new reader"),
    ("templates/web/base.html", "what stands round every page of the service for readers"),
    ("templates/web/components.html", "pieces that several of these pages share"),
    ("templates/web/confirm.html", "asks to confirm a subscription or a new address"),
    ("templates/web/confirmed.html", "the subscription or the new address is confirmed"),
    ("templates/web/erase.html", "asks whether all of a reader's data is to be erased"),
    ("templates/web/erased.html", "a reader's data is erased"),
    ("templates/web/forms.css", "how forms look, beside theme/style.css"),
    ("templates/web/home.html", "the page to subscribe and to leave at"),
    ("templates/web/leave.html", "asks whether a reader wants to leave"),
    ("templates/web/left.html", "a reader has left: undo, and the reason"),
    ("templates/web/lost.html", "what to do when a mail has not come or is lost"),
    ("templates/web/preferences.html", "a reader's own data"),
    ("templates/web/problem.html", "why a request was not answered as it was meant"),
    ("templates/web/proof.js", "the work that the form asks for against floods"),
    ("templates/web/returned.html", "leaving is undone"),
    ("templates/web/sent.html", "a mail is on its way"),
    ("templates/web/wording.txt", "the words beside the field, kept as proof of consent"),
    ("theme/copy.js", "the button that copies a block of code"),
    ("theme/favicon.svg", "the small picture beside the address"),
    ("theme/search.js", "what makes the search work"),
    ("theme/style.css", "how every page looks"),
];

/// Every built-in template and theme file, in the order of the paths.
pub fn built_in() -> Vec<BuiltIn> {
    let of_folder = |folder, root| files(root).into_iter().map(move |(path, octets)| (folder, path, octets));
    let carried: Vec<(&str, &str, &'static [u8])> =
        of_folder("templates/", &TEMPLATES).chain(of_folder("theme/", &ASSETS)).collect();
    PURPOSES
        .iter()
        .filter_map(|&(path, purpose)| {
            let (_, _, octets) =
                carried.iter().find(|(folder, name, _)| path.strip_prefix(folder) == Some(name))?;
            Some(BuiltIn { path, purpose, octets })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_its_purpose_and_every_purpose_its_file() {
        let mut carried: Vec<String> = [("templates", &TEMPLATES), ("theme", &ASSETS)]
            .into_iter()
            .flat_map(|(folder, root)| {
                files(root).into_iter().map(move |(path, _)| format!("{folder}/{path}"))
            })
            .collect();
        carried.sort_unstable();
        let told: Vec<&str> = PURPOSES.iter().map(|(path, _)| *path).collect();
        assert_eq!(told, carried);
        assert_eq!(built_in().len(), carried.len());
    }
}
