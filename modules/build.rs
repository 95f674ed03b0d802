//! Tells the root package's build script where these sources are.

fn main() {
    println!("cargo::metadata=root={}", std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets the manifest folder"));
    println!("cargo::rerun-if-changed=build.rs");
}
