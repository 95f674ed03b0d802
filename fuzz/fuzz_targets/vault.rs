//! Fuzzes `vault`: see `targets.rs`.

#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code)] // each target uses one of its functions
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::vault(bytes));
