//! Tests on real SSH hosts: `tests/run` makes the hosts and runs this program among them (see README.md here).
//! Started without them, as by `cargo test`, it says so in one line and leaves them out.
//!
//! Tests run side by side: hosts with the number 1 are everybody's and nobody may spoil them, the others belong to one test.

mod bad_days;
mod delegation;
mod hosts;
mod kinds;
mod main_job;
mod run;
mod site;
