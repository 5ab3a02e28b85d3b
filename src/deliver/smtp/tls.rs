//! TLS: whom we trust, and the handshake.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::outcome::Failure;

/// The authorities whose certificates are believed. Made once, and shared by all connections.
#[derive(Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
}

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of further authorities cannot be used.
    #[error("cannot read certificates from {}: {why}; it must hold PEM certificates", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system has none, and no file was given.
    #[error("this system has no root certificates; install them (ca-certificates), or name a file of them")]
    NoRoots,
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Library(#[from] rustls::Error),
}

impl Trust {
    /// The system's authorities, and those of a PEM file beside them.
    ///
    /// # Errors
    /// The file cannot be used, or nobody would be trusted.
    pub fn system(further: Option<&Path>) -> Result<Trust, TrustError> {
        let mut roots = RootCertStore::empty();
        // Single roots that cannot be read are left out: those that can be are enough to be safe.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = further {
            let bad = |why: String| TrustError::File { path: path.to_owned(), why };
            let mut count = 0;
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))? {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
                count += 1;
            }
            if count == 0 {
                return Err(bad("there is none in it".to_owned()));
            }
        }
        if roots.is_empty() {
            return Err(TrustError::NoRoots);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Trust { config: Arc::new(config) })
    }

    /// The handshake with a server of this name; the certificate must be good for it.
    pub(super) async fn handshake(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Failure::Untrusted(format!("`{}` is no name for a certificate", host.escape_default()))
        })?;
        TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
            .map_err(|error| failure(&error))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Trust")
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            Failure::Untrusted("nobody whom we trust has signed it".to_owned())
        }
        Some(rustls::Error::InvalidCertificate(why)) => Failure::Untrusted(why.to_string()),
        Some(other) => Failure::Tls(other.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Failure::Cut,
        None => Failure::Io(error.kind()),
    }
}
