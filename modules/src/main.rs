//! The helper's binary; all of it is `driftless_modules::serve`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    driftless_modules::serve::run(&arguments)
}
