//! Puts the templates and static files of the admin into the binary.

fn main() {
    narrows_build::assets();
}
