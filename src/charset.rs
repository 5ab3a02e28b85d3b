//! Japanese character sets of mail.

/// Which two-byte characters may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Microsoft's set.
    #[default]
    Ms,
    /// JIS X 0208 alone.
    Strict,
}
