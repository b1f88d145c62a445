use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// A certificate authority of one server's own, and the certificate that it gave the server.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// Makes them, for 127.0.0.1 and localhost, and writes them into this folder as PEM.
    ///
    /// # Panics
    ///
    /// When they cannot be made or written.
    pub(crate) fn make_in(folder: &Path) -> Self {
        let files = Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        files.write().unwrap_or_else(|error| panic!("cannot make certificates: {error}"));
        files
    }

    fn write(&self) -> io::Result<()> {
        let issuer_key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = authority();
        let ca = issuer.self_signed(&issuer_key).map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = server()
            .and_then(|server| server.signed_by(&key, &Issuer::new(issuer, issuer_key)))
            .map_err(io::Error::other)?;
        fs::write(&self.ca, ca.pem())?;
        fs::write(&self.certificate, certificate.pem())?;
        fs::write(&self.key, key.serialize_pem())
    }
}

fn authority() -> CertificateParams {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "authority of a test");
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca
}

fn server() -> Result<CertificateParams, rcgen::Error> {
    let mut server = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    server.distinguished_name.push(DnType::CommonName, "redis of a test");
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(server)
}
