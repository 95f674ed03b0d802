//! helper.
fn main() {}
