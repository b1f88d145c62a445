//! The program: `mysite` serves the site, `mysite help` lists what else it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    mysite::project().run()
}
