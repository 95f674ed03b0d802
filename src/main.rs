//! The program: parse, run, end.

fn main() {
    std::process::exit(i32::from(driftless::cli::run(std::env::args_os())));
}
