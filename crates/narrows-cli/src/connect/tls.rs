use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::arguments::Connect;
use super::error::ConnectError;
use super::stream::Stream;

/// Puts TLS on a connection.
pub(super) async fn secure<S: Stream + 'static>(
    stream: S,
    options: &Connect,
) -> Result<Box<dyn Stream>, ConnectError> {
    let host = &options.url.host;
    let failed = |why: String, hint| ConnectError::Tls { host: host.clone(), why, hint };
    let name = ServerName::try_from(host.clone())
        .map_err(|_| failed("a certificate cannot be for such a name".to_owned(), ""))?;
    let connector = TlsConnector::from(Arc::new(config(options)?));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            let hint = inner.map_or("", hint);
            let why = match inner {
                None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    "the server ended the connection in the middle".to_owned()
                }
                _ => error.to_string(),
            };
            Err(failed(why, hint))
        }
    }
}

fn hint(error: &Error) -> &'static str {
    match error {
        Error::InvalidMessage(_) => "the server seems not to speak TLS on this port: try ws://",
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "--ca FILE trusts the issuer in FILE, --insecure trusts anybody"
        }
        Error::InvalidCertificate(_) => "--insecure trusts any certificate",
        _ => "",
    }
}

fn config(options: &Connect) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has the ciphers of TLS 1.2 and 1.3");
    let mut config = if options.insecure {
        let anybody = Arc::new(Anybody(provider));
        builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()
    } else {
        builder.with_root_certificates(trusted(options)?).with_no_client_auth()
    };
    // Some servers would speak HTTP/2 if they were not told.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn trusted(options: &Connect) -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    let Some(file) = &options.ca else {
        let found = rustls_native_certs::load_native_certs();
        // One that cannot be read is one that is not trusted; the others are still good.
        let (good, _) = roots.add_parsable_certificates(found.certs);
        return if good > 0 { Ok(roots) } else { Err(ConnectError::NoCertificates) };
    };
    let wrong = |why: String| ConnectError::Ca { path: file.clone(), why };
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

/// Trusts any certificate; that the server has its key is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
