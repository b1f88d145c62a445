//! The program: `tutorial_1` serves the site, `mysite help` lists what else it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    tutorial_1::project().run()
}
