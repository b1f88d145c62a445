//! Where to go after logging in.

use narrows_django::safe_next;

#[test]
fn a_path_of_this_site_is_safe() {
    for next in
        ["/", "/rooms/", "/rooms/?page=2&next=//x", "/a//b", "/a\\b", "/é", "/?u=https://other.example"]
    {
        assert_eq!(safe_next(next), Some(next));
    }
}

/// The cases of Django's own tests for `url_has_allowed_host_and_scheme`, and what browsers make of other characters.
#[test]
fn what_a_browser_might_take_for_another_site_is_not() {
    for next in [
        "",
        " ",
        "rooms/",
        " /rooms/",
        "//evil",
        "///evil",
        "////evil",
        "/\\evil",
        "\\\\evil",
        "\\/evil",
        "/\\/evil",
        "/\\\\evil",
        "\\/\\/evil",
        "http://evil",
        "https:evil",
        "https:/evil",
        "https:///evil",
        "http:\\\\evil",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://evil",
        "/\t/evil",
        "/\n/evil",
        "/\r\nSet-Cookie: a=b",
        "\t//evil",
        "\u{8}//evil",
        "/\u{0}/evil",
        "/x\u{7f}",
        "http://otherserver\\@example.com",
        "http://2001:cdba:0:0:0:0:3257:9652/",
        "\n",
        "?next=x",
        "#x",
        "/a\u{85}b",
    ] {
        assert_eq!(safe_next(next), None, "{next:?}");
    }
    assert_eq!(safe_next(&format!("/{}", "a".repeat(2048))), None);
}
