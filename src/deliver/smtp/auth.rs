//! AUTH PLAIN and AUTH LOGIN (RFC 4954): the words, and no password in what a server says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;

use super::extensions::Extensions;
use super::reply::Reply;
use super::server::Login;

/// What is said to log in: the first line, and one for each challenge (334) that follows. None where the
/// server offers neither mechanism.
pub(super) fn lines(login: &Login, extensions: &Extensions) -> Option<Vec<String>> {
    let password = login.password.reveal();
    if extensions.auth_plain {
        let credentials = Credentials::new(login.user.clone(), password.to_owned());
        let plain = Auth::new(Mechanism::Plain, credentials, None).ok()?;
        return Some(vec![plain.to_string()]);
    }
    // Servers word LOGIN's challenges as they like; name and password are asked for in this order.
    let word = |word: &str| format!("{}\r\n", STANDARD.encode(word));
    extensions.auth_login.then(|| vec!["AUTH LOGIN\r\n".to_owned(), word(&login.user), word(password)])
}

/// The reply, without its text where the server repeats what was said to it.
pub(super) fn redacted(reply: Reply, login: &Login, lines: &[String]) -> Reply {
    let password = login.password.reveal();
    let said = lines.iter().filter_map(|line| line.split_whitespace().last()).filter(|&word| word != "LOGIN");
    let repeats = said
        .chain([password])
        .any(|word| !word.is_empty() && memchr::memmem::find(reply.text(), word.as_bytes()).is_some());
    if repeats { Reply::new(reply.code(), "(not shown: the reply repeats the password)") } else { reply }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::smtp::Secret;

    #[test]
    fn the_mechanism_is_one_that_is_offered() {
        let login = Login { user: "u".into(), password: Secret::new("secret") };
        let none = Extensions::default();
        let both = Extensions { auth_plain: true, auth_login: true, ..none.clone() };
        let only_login = Extensions { auth_plain: false, ..both.clone() };
        assert_eq!(lines(&login, &none), None);
        assert_eq!(lines(&login, &both).unwrap(), ["AUTH PLAIN AHUAc2VjcmV0\r\n"]);
        assert_eq!(lines(&login, &only_login).unwrap(), ["AUTH LOGIN\r\n", "dQ==\r\n", "c2VjcmV0\r\n"]);
    }

    #[test]
    fn replies_that_repeat_the_password_are_not_shown() {
        let login = Login { user: "u".into(), password: Secret::new("secret") };
        let offers = Extensions { auth_plain: true, ..Extensions::default() };
        let lines = lines(&login, &offers).unwrap();
        let shown = |text: &str| redacted(Reply::new(535, text), &login, &lines).to_string();
        assert_eq!(shown("5.7.8 no"), "535 5.7.8 no");
        assert!(!shown("no: AHUAc2VjcmV0").contains("AHUA"));
        assert!(!shown("no: u/secret").contains("secret"));
    }
}
