//! Puts templates and static files into the binary of a release.

fn main() {
    narrows_build::assets();
}
