//! The pages readers meet, from templates that the magazine may have its own of.

use std::collections::BTreeMap;

use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::access::path;
use super::proof::Proof;
use crate::diagnostic::Diagnostic;
use crate::digest::fingerprint;
use crate::list::Standing;
use crate::list::ledger::Details;
use crate::model::{AddressError, Language, Status};
use crate::store::LedgerEntry;
use crate::theme::{Context, Theme};

/// The style sheet for forms, and the script that does the work of a proof: templates, since the blog needs neither.
const FORMS: &str = "web/forms.css";
const PROOF: &str = "web/proof.js";

/// What the pages say of the magazine.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its name.
    pub name: String,
    /// Who publishes it, and sends its mail.
    pub publisher: String,
    /// The language it is written in (BCP 47).
    pub language: String,
    /// The address of its blog.
    pub blog: String,
    /// The address its mail comes from.
    pub contact: String,
}

/// A page of the service, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Page {
    Home,
    Lost,
    Sent,
    Confirm,
    Confirmed,
    Leave,
    Left,
    Returned,
    Preferences,
    Erase,
    Erased,
    Problem,
}

/// What keeps a form from being taken, beside its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FormProblem {
    /// The id of the field.
    pub(super) field: &'static str,
    /// What is wrong, as `web/components.html` knows it.
    pub(super) kind: &'static str,
    /// The address that was probably meant, and the domain as it was typed.
    pub(super) suggestion: Option<(String, String)>,
}

/// What the first page shows in its forms.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    /// When it was made, as its hidden field carries it.
    pub(super) time: String,
    /// The address that was typed.
    pub(super) email: String,
    /// The name that was typed.
    pub(super) name: String,
    /// The address that was typed into the form for one's links.
    pub(super) links_email: String,
    /// What keeps a form from being taken.
    pub(super) problem: Option<FormProblem>,
    /// The work that is asked for, if any is.
    pub(super) proof: Option<Proof>,
}

/// The pages: the templates with what all of them share.
pub struct Pages {
    theme: Theme,
    publication: Publication,
    /// What every path begins with: empty, or `/list`.
    root: String,
    /// The name and the text of the style sheet for forms.
    forms: (String, Bytes),
    /// The name and the text of the script that does the work of a proof.
    proof: (String, Bytes),
    /// Whether the first page shows a challenge: one that the magazine made for itself may not.
    carries_proof: bool,
    /// The words beside the field, by language.
    wordings: [String; 2],
    /// Pages that are the same for everybody, rendered once.
    standing: BTreeMap<(Page, &'static str, &'static str), Bytes>,
}

impl Page {
    const ALL: [Page; 12] = [
        Page::Home,
        Page::Lost,
        Page::Sent,
        Page::Confirm,
        Page::Confirmed,
        Page::Leave,
        Page::Left,
        Page::Returned,
        Page::Preferences,
        Page::Erase,
        Page::Erased,
        Page::Problem,
    ];

    fn template(self) -> &'static str {
        match self {
            Page::Home => "web/home.html",
            Page::Lost => "web/lost.html",
            Page::Sent => "web/sent.html",
            Page::Confirm => "web/confirm.html",
            Page::Confirmed => "web/confirmed.html",
            Page::Leave => "web/leave.html",
            Page::Left => "web/left.html",
            Page::Returned => "web/returned.html",
            Page::Preferences => "web/preferences.html",
            Page::Erase => "web/erase.html",
            Page::Erased => "web/erased.html",
            Page::Problem => "web/problem.html",
        }
    }

    /// The kinds that its template tells apart.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Page::Sent => &["subscribe", "links", "address"],
            Page::Confirm | Page::Confirmed => &["subscription", "address"],
            Page::Problem => {
                &["token", "not-found", "refused", "too-many", "unavailable", "foreign", "unreadable"]
            }
            _ => &[""],
        }
    }
}

impl FormProblem {
    /// What is wrong with an address in a field.
    pub(super) fn address(field: &'static str, error: AddressError) -> Self {
        let kind = match error {
            AddressError::Empty => "empty",
            AddressError::NoAt => "no-at",
            AddressError::LocalPart => "local-part",
            AddressError::Dots => "dots",
            AddressError::Domain => "domain",
            AddressError::TooLong => "too-long",
        };
        FormProblem { field, kind, suggestion: None }
    }
}

impl Pages {
    /// The pages of a service at `url`. Each is rendered once in every language, so that a template with a fault is
    /// known before a reader meets it.
    ///
    /// # Errors
    /// A `template-error` for the first template that cannot be rendered.
    pub fn new(theme: Theme, publication: Publication, url: &str) -> Result<Self, Box<Diagnostic>> {
        let root = path(url).to_owned();
        let mut pages = Pages {
            theme,
            publication,
            root,
            forms: (String::new(), Bytes::new()),
            proof: (String::new(), Bytes::new()),
            carries_proof: false,
            wordings: [String::new(), String::new()],
            standing: BTreeMap::new(),
        };
        let style = pages.theme.render_octets(FORMS, &Context::new(), FORMS)?;
        pages.forms = (format!("forms.{}.css", fingerprint(&style)), style.into());
        let script = pages.theme.render_octets(PROOF, &Context::new(), PROOF)?;
        pages.proof = (format!("proof.{}.js", fingerprint(&script)), script.into());
        for (wording, (_, language)) in [0, 1].into_iter().zip(Language::NAMES) {
            let text = pages.theme.render("web/wording.txt", &pages.frame(language, None), "the wording")?;
            pages.wordings[wording] = text.trim().to_owned();
        }
        let proof = Proof { challenge: "0-0-0-0".to_owned(), bits: 1, nonce: String::new() };
        let asking = Home { proof: Some(proof), ..Home::default() };
        let octets = pages.render(Page::Home, Language::default(), None, &asking.values())?;
        pages.carries_proof = octets.windows(7).any(|octets| octets == b"0-0-0-0");
        for page in Page::ALL {
            for &kind in page.kinds() {
                for (tag, language) in Language::NAMES {
                    let octets = pages.render(page, language, None, &sample(kind))?;
                    if matches!(page, Page::Sent | Page::Confirmed | Page::Problem) {
                        pages.standing.insert((page, kind, tag), octets);
                    }
                }
            }
        }
        Ok(pages)
    }

    /// The language where neither the reader nor his browser asks for one.
    pub(super) fn default_language(&self) -> Language {
        Language::tagged(&self.publication.language).unwrap_or_default()
    }

    /// Whether the first page can ask for a proof of work.
    pub(super) fn carries_proof(&self) -> bool {
        self.carries_proof
    }

    /// The words that stand beside the field: what is kept as proof of what a reader has consented to.
    pub(super) fn wording(&self, language: Language) -> &str {
        let place = Language::NAMES.iter().position(|(_, own)| *own == language).unwrap_or(0);
        &self.wordings[place]
    }

    /// A page that says the same to everybody, by its kind.
    pub(super) fn standing(&self, page: Page, kind: &'static str, language: Language) -> Bytes {
        self.standing.get(&(page, kind, language.tag())).cloned().unwrap_or_default()
    }

    /// A page with values of its own. `path` is its address where it can be had in the other language, too.
    ///
    /// # Errors
    /// A `template-error`.
    pub(super) fn render(
        &self,
        page: Page,
        language: Language,
        path: Option<&str>,
        values: &Value,
    ) -> Result<Bytes, Box<Diagnostic>> {
        let mut context = self.frame(language, path);
        context.insert("wording", self.wording(language));
        for (name, value) in values.as_object().into_iter().flatten() {
            context.insert(name.clone(), value);
        }
        self.theme.render_octets(page.template(), &context, page.template()).map(Bytes::from)
    }

    /// The files that the pages need, by their names below `/theme/`.
    pub(super) fn files(&self) -> BTreeMap<String, Bytes> {
        let file = |asset: &crate::theme::Asset| {
            (asset.published.clone(), Bytes::copy_from_slice(asset.octets.as_ref()))
        };
        self.theme
            .assets()
            .files()
            .map(|(_, asset)| file(asset))
            .chain([self.forms.clone(), self.proof.clone()])
            .collect()
    }

    /// What every page knows.
    fn frame(&self, language: Language, path: Option<&str>) -> Context {
        let Publication { name, publisher, language: own, blog, contact } = &self.publication;
        let domain = contact.rsplit('@').next().unwrap_or_default();
        let other = if language == Language::Japanese { Language::English } else { Language::Japanese };
        let mut context = Context::new();
        context.insert("language", language.tag());
        context.insert("root", &self.root);
        context.insert("forms_url", &format!("{}/theme/{}", self.root, self.forms.0));
        context.insert("proof_url", &format!("{}/theme/{}", self.root, self.proof.0));
        context.insert("switch_url", &path.map(|path| format!("{path}?lang={}", other.tag())));
        context.insert(
            "magazine",
            &json!({
                "name": name, "publisher": publisher, "language": own,
                "url": format!("{blog}/"), "contact": contact, "domain": domain,
            }),
        );
        context
    }
}

impl Home {
    /// What `web/home.html` needs beside the frame.
    pub(super) fn values(&self) -> Value {
        let Home { time, email, name, links_email, problem, proof } = self;
        let links_wrong = problem.as_ref().is_some_and(|problem| problem.field == "links-email");
        let proof = proof.as_ref().map(|Proof { challenge, bits, nonce }| {
            json!({ "challenge": challenge, "bits": bits, "nonce": nonce })
        });
        json!({
            "time": time, "email": email, "name": name, "links_email": links_email, "links_wrong": links_wrong,
            "problem": problem.as_ref().map(problem_value), "proof": proof,
        })
    }
}

/// What a page about one reader needs beside the frame.
pub(super) fn reader(
    kind: &str,
    token: &str,
    standing: &Standing,
    email: &str,
    problem: Option<&FormProblem>,
) -> Value {
    let subscriber = standing.subscriber.as_ref();
    let waiting = standing.waiting_address.as_ref();
    let shown = if kind == "address" { waiting } else { None };
    let shown = shown.or(subscriber.map(|subscriber| &subscriber.address));
    json!({
        "kind": kind,
        "token": token,
        "address": shown.map(|address| address.masked()).unwrap_or_default(),
        "subscriber": {
            "address": subscriber.map_or("", |subscriber| subscriber.address.as_str()),
            "name": subscriber.and_then(|subscriber| subscriber.name.as_deref()).unwrap_or_default(),
            "language": subscriber.map(|subscriber| subscriber.language.tag()).unwrap_or_default(),
        },
        "is_subscribed": subscriber.is_some_and(|subscriber| subscriber.status == Status::Active),
        "waiting_address": waiting.map(|address| address.as_str()),
        "saved": standing.changed,
        "is_reason_taken": kind == "reason",
        "email": email,
        "problem": problem.map(problem_value),
    })
}

/// A reader's own data, to take away: how it stands, and all that was kept as proof, but for what is not about him.
pub(super) fn own_data(standing: &Standing, history: &[LedgerEntry], at: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let subscriber = standing.subscriber.as_ref().map(|subscriber| {
        json!({
            "email": subscriber.address.as_str(),
            "name": subscriber.name,
            "status": subscriber.status.name(),
            "source": subscriber.source.name(),
            "language": subscriber.language.tag(),
            "tags": subscriber.tags,
            "first_heard_of": time(subscriber.created),
            "changed": time(subscriber.changed),
        })
    });
    let waiting = standing.waiting_address.as_ref().map(|address| address.as_str());
    let history: Vec<Value> = history
        .iter()
        .map(|entry| {
            let details = Details { operator: None, mailed: None, barred: None, ..entry.details.clone() };
            json!({
                "at": time(entry.at), "event": entry.event.name(), "status": entry.status.map(Status::name),
                "details": details, "wording": entry.wording, "ip": entry.ip,
            })
        })
        .collect();
    json!({ "exported": time(at), "subscriber": subscriber, "waiting_address": waiting, "history": history })
}

fn problem_value(problem: &FormProblem) -> Value {
    let FormProblem { field, kind, suggestion } = problem;
    let (suggestion, typed) = suggestion.clone().unzip();
    json!({ "field": field, "kind": kind, "suggestion": suggestion, "typed": typed })
}

/// Values that every template can be rendered with.
fn sample(kind: &str) -> Value {
    let standing = Standing { subscriber: None, changed: false, waiting_address: None };
    let mut values = reader(kind, "", &standing, "", None);
    let home = Home::default().values();
    if let (Some(values), Some(home)) = (values.as_object_mut(), home.as_object()) {
        values.extend(home.clone());
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication() -> Publication {
        Publication {
            name: "等幅<通信>".to_owned(),
            publisher: "研究会".to_owned(),
            language: "ja".to_owned(),
            blog: "https://example.jp".to_owned(),
            contact: "news@example.jp".to_owned(),
        }
    }

    fn pages(own: &[(&str, &str)]) -> Result<Pages, String> {
        let own: Vec<_> = own
            .iter()
            .map(|(path, text)| crate::diagnostic::SourceText::new(format!("templates/{path}"), *text))
            .collect();
        let theme = Theme::new(&own).map_err(|problems| format!("{problems:?}"))?;
        Pages::new(theme, publication(), "https://mail.example.jp/list").map_err(|problem| {
            let (line, column) = problem.line_and_column();
            format!("{}:{line}:{column}: {}", problem.path(), problem.message)
        })
    }

    #[test]
    fn every_page_is_there_in_both_languages_and_escapes_what_it_shows() {
        let pages = pages(&[]).expect("the built-in templates are good");
        for page in Page::ALL {
            for (tag, language) in Language::NAMES {
                let octets =
                    pages.render(page, language, Some("/x"), &sample(page.kinds()[0])).expect("good");
                let html = String::from_utf8(octets.to_vec()).expect("UTF-8");
                assert!(html.contains(&format!("<html lang=\"{tag}\">")), "{page:?}");
                assert!(html.contains("等幅&lt;通信&gt;") && !html.contains("等幅<"), "{page:?}");
                assert_eq!(html.matches("<h1>").count(), 1, "{page:?} {tag}");
            }
        }
        let shown = Home { email: "\"><script>".to_owned(), name: "<b>".to_owned(), ..Home::default() };
        let html = pages.render(Page::Home, Language::English, None, &shown.values()).expect("good");
        let html = String::from_utf8(html.to_vec()).expect("UTF-8");
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("action=\"/list/subscribe?lang=en\""), "{html}");
        assert!(html.contains(&pages.wording(Language::English).replace('<', "&lt;").replace('>', "&gt;")));
    }

    #[test]
    fn a_magazines_own_template_wins_and_its_fault_is_told_at_its_place() {
        let own = "{% extends \"web/base.html\" %}{% block title %}t{% endblock title %}{% block main %}<h1>自前 {{ kind }}</h1>{% endblock main %}";
        let pages_with_own = pages(&[("web/sent.html", own)]).expect("it is good");
        let sent = pages_with_own.standing(Page::Sent, "links", Language::Japanese);
        assert!(String::from_utf8_lossy(&sent).contains("<h1>自前 links</h1>"));
        assert!(pages_with_own.carries_proof());
        let own_home = own.replace(" {{ kind }}", "");
        let own_home = pages(&[("web/home.html", own_home.as_str())]).expect("it is good");
        assert!(!own_home.carries_proof(), "it shows no challenge, and so none is asked for");
        let wrong = pages(&[("web/sent.html", "<p>\n{{ magazine.nmae }}")]).err().unwrap_or_default();
        assert!(wrong.starts_with("templates/web/sent.html:2:"), "{wrong}");
    }
}
