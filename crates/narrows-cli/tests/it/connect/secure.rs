//! TLS.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, mpsc};

use rcgen::{CertificateParams, DnType, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::client::{command, connect, done};
use super::server;

/// A server behind TLS, and the file with its certificate.
struct Secured {
    port: u16,
    ca: PathBuf,
}

impl Secured {
    fn start(test: &str) -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, test);
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        let ca = std::env::temp_dir().join(format!("narrows-{test}-{}.pem", std::process::id()));
        std::fs::write(&ca, made.pem()).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .unwrap();
        Self { port: relay(TlsAcceptor::from(Arc::new(config)), &server::start()), ca }
    }

    fn url(&self, host: &str) -> String {
        format!("wss://{host}:{}/ws/", self.port)
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        std::fs::remove_file(&self.ca).unwrap();
    }
}

/// Takes TLS off and hands on to the server at this address: the port.
fn relay(acceptor: TlsAcceptor, to: &str) -> u16 {
    let to = to.trim_start_matches("ws://").to_owned();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().port()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Clients that do not trust it are what the tests are about.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut inner = TcpStream::connect(&to).await.unwrap();
                // It ends as either side likes.
                let _ = copy_bidirectional(&mut stream, &mut inner).await;
            }
        });
    });
    told.recv().unwrap()
}

#[test]
fn a_certificate_is_trusted_by_its_file_only() {
    let secured = Secured::start("ca");
    let url = secured.url("localhost");
    let origin = format!("http://127.0.0.1:{}", secured.port);
    let ca = secured.ca.to_str().unwrap();
    // The server itself is spoken to without TLS, so it knows of the scheme http only.
    let good = connect(&[&url, "--ca", ca, "--no-origin"], "one\n");
    good.assert_out("one\n");
    connect(&[&url, "--ca", ca, "--origin", &origin], "").assert(3, &["403"]);
    let of_the_system = |file: &str| {
        let mut command = command(&[&url, "--no-origin"]);
        done(
            command
                .env("SSL_CERT_FILE", file)
                .env_remove("SSL_CERT_DIR")
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    };
    of_the_system(ca).assert_out("");
    let other = Secured::start("other");
    let unknown = of_the_system(other.ca.to_str().unwrap());
    unknown.assert(2, &["no TLS with localhost", "UnknownIssuer", "--ca FILE"]);
    of_the_system("/nowhere").assert(2, &["no certificates", "--ca FILE"]);
    let other_name = connect(&[&secured.url("127.0.0.1"), "--ca", ca], "");
    other_name.assert(2, &["no TLS with 127.0.0.1", "--insecure"]);
}

#[test]
fn insecure_trusts_anybody() {
    let secured = Secured::start("insecure");
    connect(&[&secured.url("127.0.0.1"), "--insecure", "--no-origin"], "one\n").assert_out("one\n");
}

#[test]
fn a_plain_port_is_told_from_one_with_tls() {
    let plain = server::start().replace("ws://", "wss://");
    connect(&[&format!("{plain}/ws/"), "--insecure"], "").assert(2, &["no TLS with", "try ws://"]);
    let secured = Secured::start("plain");
    let url = secured.url("127.0.0.1").replace("wss:", "ws:");
    connect(&[&url], "").assert(2, &["answers in TLS", "try wss://"]);
}

#[test]
fn a_file_that_holds_no_certificate_is_told() {
    let path = std::env::temp_dir().join(format!("narrows-no-ca-{}.pem", std::process::id()));
    std::fs::write(&path, "nothing").unwrap();
    let name = path.to_str().unwrap();
    connect(&["wss://127.0.0.1:1/", "--ca", name, "--connect-timeout", "1s"], "").assert(2, &["refused"]);
    let plain = server::start().replace("ws://", "wss://");
    connect(&[&plain, "--ca", name], "").assert(1, &["--ca", "there is no certificate in it"]);
    std::fs::remove_file(&path).unwrap();
    connect(&[&plain, "--ca", name], "").assert(1, &["--ca", name]);
}
