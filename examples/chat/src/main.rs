//! The program: `chat` serves the site, `chat help` lists what else it does.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    chat::project().run()
}
