//! A delivery's mail: the letter, addressed.

use std::sync::Arc;

use crate::bounce::verp;
use crate::deliver::smtp::{Envelope, Mail, MailData};
use crate::digest::hexadecimal;
use crate::list::{StoreKey, Token, TokenKind};
use crate::mail::{Recipient, Signer, Stencil, unsubscribe_url};
use crate::mailing::is_below;
use crate::model::{EmailAddress, SubscriberId};
use crate::store::mailings::{Delivery, MailingId};

/// Addresses a mailing's letter to its readers.
#[derive(Clone, Debug)]
pub struct Composer {
    /// The letter, cut open.
    pub stencil: Arc<Stencil>,
    /// The same letter in UTF-8, for the domains that get it so.
    pub in_utf8: Option<(Arc<Stencil>, Vec<String>)>,
    /// The key that tokens, return paths and Message-IDs are made with.
    pub key: StoreKey,
    /// The domain that mail comes from.
    pub domain: String,
    /// The service's address, without a slash at its end.
    pub web_url: String,
    /// Who signs, if we do, and the time of signing, in seconds since 1970: the mailing's, so that what is sent again is the same.
    pub signer: Option<(Arc<Signer>, i64)>,
}

/// Why a mail cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The letter cannot be sent as it is.
    #[error("the letter cannot be sent: {0}")]
    Letter(String),
    /// The key does not sign.
    #[error(transparent)]
    Signature(#[from] crate::mail::KeyError),
}

impl Composer {
    /// The mail of a delivery: the same octets whenever it is made.
    ///
    /// # Errors
    /// When the letter is none that can be sent, which shows with the first.
    pub fn mail(&self, delivery: &Delivery) -> Result<Mail, ComposeError> {
        let token = Token::derive(&self.key, TokenKind::Unsubscribe, delivery.unsubscribe).to_text();
        let unsubscribe_url = unsubscribe_url(&self.web_url, &token);
        let unsubscribe_mail = format!("u+{token}@{}", self.domain);
        let message_id = message_id(&self.key, delivery.mailing, delivery.subscriber, &self.domain);
        let recipient = Recipient {
            address: &delivery.address,
            name: delivery.name.as_deref(),
            message_id: &message_id,
            unsubscribe_url: &unsubscribe_url,
            unsubscribe_mail: &unsubscribe_mail,
        };
        let signer = self.signer.as_ref().map(|(signer, time)| (signer.as_ref(), *time));
        let octets = self.stencil_for(delivery.address.domain()).message(&recipient, signer)?;
        let data = MailData::new(octets).map_err(|error| ComposeError::Letter(error.to_string()))?;
        let path = verp::Path { mailing: delivery.mailing.0, subscriber: delivery.subscriber };
        let sender = EmailAddress::parse(&verp::address(&self.key, path, &self.domain));
        let sender = sender.map_err(|error| ComposeError::Letter(error.to_string()))?;
        Ok(Mail { envelope: Envelope { sender: Some(sender), recipient: delivery.address.clone() }, data })
    }

    fn stencil_for(&self, domain: &str) -> &Stencil {
        match &self.in_utf8 {
            Some((stencil, domains)) if domains.iter().any(|known| is_below(domain, known)) => stencil,
            _ => &self.stencil,
        }
    }
}

/// The Message-ID of a delivery, which tells strangers neither how many readers there are nor who this one is.
pub fn message_id(key: &StoreKey, mailing: MailingId, subscriber: SubscriberId, domain: &str) -> String {
    let digest = key.digest("message id", &[&mailing.0.to_be_bytes(), &subscriber.0.to_be_bytes()]);
    format!("<{}.{}@{domain}>", mailing.0, hexadecimal(&digest[..12]))
}
