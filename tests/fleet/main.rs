//! Tests on real SSH hosts: `tests/run` makes the hosts and runs this program among them (see README.md here).
//! Started without them, as by `cargo test`, it says so in one line and leaves them out.

mod hosts;
mod kinds;
