//! The program: `teahouse` serves the site, `teahouse help` lists what else it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    tutorial_4::project().run()
}
