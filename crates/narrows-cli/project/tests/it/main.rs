//! The site as its visitors see it.

mod chat;

#[test]
fn the_migrations_are_up_to_date() {
    let unmade = mysite::project().unmade_migrations();
    assert!(
        unmade.is_empty(),
        "`narrows makemigrations` writes {unmade:?}"
    );
}
