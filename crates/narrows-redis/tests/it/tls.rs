//! Redis over TLS.

use std::path::{Path, PathBuf};

use narrows_redis::{Kind, OptionsError, PubSubLayer};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rig::Redis;

use crate::nodes::{Node, exchange, fresh_group, on_both_layers, options, said};

on_both_layers! {
    a_server_whose_authority_is_named_is_trusted,
    a_server_of_another_authority_is_refused,
    a_server_with_another_name_is_refused_unless_names_do_not_matter,
    a_server_that_nobody_knows_is_taken_where_that_is_asked_for,
    a_server_that_asks_for_a_certificate_gets_it,
}

async fn a_server_whose_authority_is_named_is_trusted(kind: Kind) {
    let Some(redis) = Redis::options().tls().password("secret").start() else { return };
    let url = format!("{}?ssl_ca_certs={}", redis.url(), redis.ca_path().display());
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
}

async fn a_server_of_another_authority_is_refused(kind: Kind) {
    let Some(redis) = Redis::options().tls().start() else { return };
    let Some(other) = Redis::options().tls().start() else { return };
    is_refused(kind, &format!("{}?ssl_ca_certs={}", redis.url(), other.ca_path().display())).await;
    // Nor is it one that the system trusts.
    is_refused(kind, &redis.url()).await;
}

async fn a_server_with_another_name_is_refused_unless_names_do_not_matter(kind: Kind) {
    let Some(redis) = Redis::options().tls().config("bind", "127.0.0.1 127.0.0.2").start() else { return };
    let url = format!("rediss://127.0.0.2:{}?ssl_ca_certs={}", redis.port(), redis.ca_path().display());
    is_refused(kind, &url).await;
    let url = format!("{url}&ssl_check_hostname=false");
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
}

async fn a_server_that_nobody_knows_is_taken_where_that_is_asked_for(kind: Kind) {
    let Some(redis) = Redis::options().tls().start() else { return };
    let url = format!("{}?ssl_cert_reqs=none", redis.url());
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
}

async fn a_server_that_asks_for_a_certificate_gets_it(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let clients = Clients::make_in(folder.path());
    let options = Redis::options().tls().config("tls-auth-clients", "yes");
    let Some(redis) = options.config("tls-ca-cert-file", &clients.ca.display().to_string()).start() else {
        return;
    };
    let url = format!("{}?ssl_ca_certs={}", redis.url(), redis.ca_path().display());
    is_refused(kind, &url).await;
    let (cert, key) = (clients.cert.display(), clients.key.display());
    let url = format!("{url}&ssl_certfile={cert}&ssl_keyfile={key}");
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = PubSubLayer::new(options("rediss://127.0.0.1:1?ssl_ca_certs=/no/such.pem")).unwrap_err();
    assert!(matches!(error, OptionsError::Tls(_)));
    assert!(error.to_string().starts_with("/no/such.pem: "), "{error}");
}

#[test]
fn a_file_that_holds_no_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, text).unwrap();
        for option in ["ssl_ca_certs", "ssl_certfile"] {
            let url = format!("rediss://127.0.0.1:1?{option}={}", file.display());
            let error = PubSubLayer::new(options(&url)).expect_err(text);
            assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
        }
    }
}

async fn is_refused(kind: Kind, url: &str) {
    let node = Node::at(kind, url);
    let error = said(&node.publish(&fresh_group(), 1).await.expect_err("the server is not to be trusted"));
    // A server that misses a certificate says so after the handshake, and may be gone before that is read.
    let about = ["certificate", "Certificate", "UnknownIssuer", "reset by peer", "broken pipe", "closed"];
    assert!(about.iter().any(|word| error.contains(word)), "{error}");
}

/// An authority for clients, and a client.
struct Clients {
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
}

impl Clients {
    fn make_in(folder: &Path) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "authority for clients");
        let ca_key = KeyPair::generate().unwrap();
        let ca = authority.self_signed(&ca_key).unwrap();
        let mut client = CertificateParams::new(["client".to_owned()]).unwrap();
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let cert = client.signed_by(&key, &Issuer::new(authority, ca_key)).unwrap();
        let write = |name: &str, pem: String| {
            let path = folder.join(name);
            std::fs::write(&path, pem).unwrap();
            path
        };
        Self {
            ca: write("clients.pem", ca.pem()),
            cert: write("client.pem", cert.pem()),
            key: write("client.key", key.serialize_pem()),
        }
    }
}
