//! Requests to servers elsewhere: to the hosts that are allowed and to nobody else, whatever a name turns
//! out to stand for.

mod address;
mod allow_list;
mod exchange;

use std::fmt;
use std::sync::Arc;

pub use allow_list::{AllowList, BadEntry, Target};
pub use exchange::{Driver, Error, Exchange};

/// How servers are trusted: by the certificate authorities that browsers trust. Cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<rustls::ClientConfig>);

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("set up TLS")]
pub struct TlsError(#[from] rustls::Error);

impl Tls {
    /// The usual trust.
    ///
    /// # Errors
    /// When the library offers no safe protocol.
    pub fn new() -> Result<Self, TlsError> {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
