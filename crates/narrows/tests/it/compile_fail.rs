//! The likeliest mistakes, and what the compiler says to them.
//!
//! After a change for the better `TRYBUILD=overwrite cargo test -p narrows --test it compile_fail` writes what
//! it says now: read it as somebody who has made the mistake.

#[test]
fn the_likeliest_mistakes_are_told_with_their_remedy() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
