//! Japanese character sets of mail.
