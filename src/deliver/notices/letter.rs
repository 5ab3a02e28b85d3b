//! A notice as the message that goes out.

use crate::charset::Charset;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::list::{Notice, NoticeKind, StoreKey, Token, TokenKind};
use crate::mail::{self, NoticeLinks, NoticeValues};
use crate::theme::Theme;

/// Writes a notice as a message (RFC 5322): the same octets whenever it is tried, as long as templates and settings are
/// the same. Its links lead to the pages at `url`, the address of the web service without a slash at its end.
///
/// # Errors
/// A template that cannot be rendered.
pub fn write(
    config: &Config,
    theme: &Theme,
    key: &StoreKey,
    url: &str,
    notice: &Notice,
) -> Result<Vec<u8>, Box<Diagnostic>> {
    let domain = config.mail.from.domain();
    let message_id = notice.kind.message_id(notice.nonce, domain);
    let values = NoticeValues {
        kind: notice.kind.name(),
        to: &notice.to,
        language: notice.language,
        charset: notice.charset.as_deref().and_then(Charset::from_label),
        message_id: &message_id,
        date: notice.created,
        links: links(key, url, notice),
    };
    mail::notice(config, theme, &values)
}

/// The pages that a notice of this kind leads to.
fn links(key: &StoreKey, url: &str, notice: &Notice) -> NoticeLinks {
    let page = |path: &str, kind, nonce| {
        let token = Token::derive(key, kind, nonce).to_text();
        Some(format!("{url}/{path}/{token}"))
    };
    let mut links = NoticeLinks::default();
    match notice.kind {
        NoticeKind::Confirm => links.confirm = page("confirm", TokenKind::Confirm, notice.nonce),
        NoticeKind::ChangeAddress => links.confirm = page("confirm", TokenKind::ChangeAddress, notice.nonce),
        NoticeKind::AlreadySubscribed | NoticeKind::Links => {
            links.preferences = page("preferences", TokenKind::Preferences, notice.nonce);
        }
        NoticeKind::Welcome | NoticeKind::Goodbye | NoticeKind::Changed => {}
    }
    // The old address has lost all say over a subscription that has moved away from it.
    if let Some(nonce) = notice.unsubscribe
        && notice.kind != NoticeKind::Changed
    {
        links.unsubscribe = page("u", TokenKind::Unsubscribe, nonce);
    }
    links
}
