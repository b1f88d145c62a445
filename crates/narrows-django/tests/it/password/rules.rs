//! Which passwords may be chosen.

use narrows_django::password::{About, PasswordProblem, PasswordRules};

fn codes(password: &str, about: &About<'_>) -> Vec<&'static str> {
    PasswordRules::default().check(password, about).iter().map(PasswordProblem::code).collect()
}

#[test]
fn each_rule_of_django_has_its_code() {
    let nobody = About::default();
    assert_eq!(codes("a quiet green field", &nobody), [""; 0]);
    assert_eq!(codes("Xk3pq9z", &nobody), ["password_too_short"]);
    assert_eq!(codes("Xk3pq9zü", &nobody), [""; 0], "characters count, not bytes");
    assert_eq!(codes("9203847561029384", &nobody), ["password_entirely_numeric"]);
    assert_eq!(codes("password1", &nobody), ["password_too_common"]);
    assert_eq!(codes(" PassWord1 ", &nobody), ["password_too_common"]);
    assert_eq!(codes("1234", &nobody), ["password_too_short", "password_entirely_numeric"]);
    assert_eq!(codes(&"x".repeat(4097), &nobody), ["password_too_long"]);
}

#[test]
fn a_password_is_not_like_what_is_known_of_the_user() {
    let about = About {
        username: "marie.curie",
        email: "mc@sorbonne.example",
        first_name: "Marie",
        last_name: "Curie",
    };
    let to = |password| PasswordRules::default().check(password, &about);
    assert_eq!(to("Marie.Curie1"), [PasswordProblem::TooSimilar { to: "username" }]);
    assert_eq!(to("sorbonne9"), [PasswordProblem::TooSimilar { to: "email" }]);
    assert_eq!(to("radium and polonium"), []);
    assert_eq!(to("marie")[1].to_string(), "the password is too similar to the username");
}

/// The same as Django's `SequenceMatcher.quick_ratio() >= 0.7`.
#[test]
fn what_is_longer_than_anybody_is_called_is_compared_with_nothing() {
    let (name, long) = ("zoe.harker ".repeat(300), "zoe.harker ".repeat(400));
    let problems =
        |username| PasswordRules::default().check("zoe.harker", &About { username, ..About::default() });
    assert_eq!(problems(&name), [PasswordProblem::TooSimilar { to: "username" }]);
    assert_eq!(problems(&long), []);
}

#[test]
fn likeness_is_the_one_of_django() {
    let like = |password, first_name| {
        let problems = PasswordRules::default().check(password, &About { first_name, ..About::default() });
        problems.contains(&PasswordProblem::TooSimilar { to: "first_name" })
    };
    assert!(like("eldrazxy", "xyzeldra"), "the same letters");
    assert!(like("abcdefghij", "abcdefghvw"), "16 of 20");
    assert!(like("abcdefghij", "abcdefguvw"), "14 of 20");
    assert!(!like("abcdefghij", "abcdefxuvw"), "12 of 20");
    assert!(!like("bbbbbbbbbbbbbbba", "a"), "far longer");
}

#[test]
fn rules_can_be_set() {
    let mut rules = PasswordRules::default();
    rules.min_length = 4;
    rules.refuse_common = false;
    rules.refuse_numeric = false;
    assert_eq!(rules.check("1234", &About::default()), []);
    assert_eq!(rules.check("123", &About::default()), [PasswordProblem::TooShort { min_length: 4 }]);
}
