use narrows_django::{ParseUpstreamError, Upstream};

fn wrong(address: &str) -> ParseUpstreamError {
    Upstream::new(address).unwrap_err()
}

#[test]
fn an_address_is_a_host_with_or_without_a_port_or_the_path_of_a_socket() {
    for address in [
        "http://127.0.0.1:8001",
        "http://localhost/",
        "http://[::1]:8001",
        "unix:/run/django.sock",
        "unix:///run/django.sock",
    ] {
        assert!(Upstream::new(address).is_ok(), "{address}");
    }
}

#[test]
fn whatever_else_is_refused_with_what_to_write_instead() {
    use ParseUpstreamError as E;
    for address in
        ["", "127.0.0.1:8001", "http://", "http://a:b@c", "http://site:", "http://site:99999", "ftp://site"]
    {
        assert!(matches!(wrong(address), E::Address { .. }), "{address}");
    }
    assert!(matches!(wrong("unix:run/django.sock"), E::Path { .. }));
    assert!(matches!(wrong("https://site"), E::Tls { .. }));
    assert!(matches!(wrong("http://site/app"), E::Below { .. }));
    assert!(wrong("site").to_string().contains("http://host:port"));
}
