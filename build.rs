//! Builds the helper from the package `driftless-modules` and embeds it, compressed, so that `cargo build` alone is always right.
//!
//! - `DRIFTLESS_HELPER_SKIP=1` embeds none: quick checks for editors and linters.
//! - `DRIFTLESS_HELPER_DIR=<dir>` embeds every `driftless-helper-<os>-<arch>` found there too, for hosts of other architectures.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["DRIFTLESS_HELPER_SKIP", "DRIFTLESS_HELPER_DIR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    let root = PathBuf::from(variable("DEP_DRIFTLESS_MODULES_ROOT"));
    forget_earlier(&out);
    let mut helpers = Vec::new();
    if env::var_os("DRIFTLESS_HELPER_SKIP").is_none_or(|value| value.is_empty() || value == "0") {
        watch(&root);
        let target = Target::find();
        helpers.push(embed(&build(&root, &out, &target), &target.platform(), &out));
    }
    if let Some(folder) = env::var_os("DRIFTLESS_HELPER_DIR").filter(|folder| !folder.is_empty()) {
        helpers.extend(found_in(Path::new(&folder), &out));
    }
    helpers.sort();
    helpers.dedup();
    let table = format!("&[\n{}]\n", helpers.concat());
    fs::write(out.join("helpers.rs"), table).expect("cargo's output folder can be written");
}

/// What the helper is built for.
struct Target {
    triple: String,
    arch: String,
}

impl Target {
    /// musl where its standard library is installed, else what driftless itself is built for.
    fn find() -> Self {
        let arch = variable("CARGO_CFG_TARGET_ARCH");
        let own = variable("TARGET");
        let musl = format!("{arch}-unknown-linux-musl");
        let triple = if variable("CARGO_CFG_TARGET_OS") == "linux" && has_std(&musl) { musl } else { own };
        Self { triple, arch }
    }

    /// As `uname -sm` says it.
    fn platform(&self) -> String {
        let os = variable("CARGO_CFG_TARGET_OS");
        let arch = match self.arch.as_str() {
            "x86" => "i686",
            "arm" => "armv7l",
            "powerpc64" if self.triple.starts_with("powerpc64le") => "ppc64le",
            arch => arch,
        };
        platform(&os, arch)
    }
}

fn platform(os: &str, arch: &str) -> String {
    let os = match os {
        "linux" => "Linux",
        "freebsd" => "FreeBSD",
        "macos" | "darwin" => "Darwin",
        other => other,
    };
    format!("{os} {arch}")
}

fn has_std(triple: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Ok(output) = Command::new(rustc).args(["--print", "sysroot"]).output() else { return false };
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    sysroot.join("lib/rustlib").join(triple).join("lib").is_dir()
}

/// Runs cargo for the helper, with a target folder of its own: ours is locked while we run.
fn build(root: &Path, out: &Path, target: &Target) -> PathBuf {
    let release = variable("PROFILE") == "release";
    let target_dir = out.join("helper");
    let mut cargo = Command::new(variable("CARGO"));
    cargo.args(["build", "--package", "driftless-modules", "--bin", "driftless-helper", "--target", &target.triple]);
    cargo.arg("--manifest-path").arg(root.join("Cargo.toml")).arg("--target-dir").arg(&target_dir);
    for variable in ["RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
        cargo.env_remove(variable);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    // Debug information would be pushed to the hosts too.
    let settings: &[(&str, &str)] = if release {
        cargo.arg("--release");
        &[("OPT_LEVEL", "z"), ("LTO", "fat"), ("CODEGEN_UNITS", "1"), ("PANIC", "unwind"), ("STRIP", "symbols"), ("DEBUG", "false")]
    } else {
        &[("DEBUG", "false"), ("STRIP", "symbols")]
    };
    let profile = if release { "RELEASE" } else { "DEV" };
    for (key, value) in settings {
        cargo.env(format!("CARGO_PROFILE_{profile}_{key}"), value);
    }
    let status = cargo.status().unwrap_or_else(|error| panic!("could not run cargo for the helper: {error}"));
    assert!(status.success(), "the helper did not build ({status}); `DRIFTLESS_HELPER_SKIP=1` builds without it");
    target_dir.join(&target.triple).join(if release { "release" } else { "debug" }).join("driftless-helper")
}

/// Every `driftless-helper-<os>-<arch>` of a folder.
fn found_in(folder: &Path, out: &Path) -> Vec<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("could not read `{}`: {error}", folder.display()));
    let mut lines = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((os, arch)) = name.strip_prefix("driftless-helper-").and_then(|platform| platform.split_once('-')) else { continue };
        println!("cargo::rerun-if-changed={}", entry.path().display());
        lines.push(embed(&entry.path(), &platform(os, arch), out));
    }
    lines
}

/// Compresses a binary into the output folder; the line of the table that includes it.
fn embed(binary: &Path, platform: &str, out: &Path) -> String {
    let bytes = fs::read(binary).unwrap_or_else(|error| panic!("could not read `{}`: {error}", binary.display()));
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let level = if variable("PROFILE") == "release" { flate2::Compression::best() } else { flate2::Compression::fast() };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(&bytes).expect("memory can be written");
    let packed = encoder.finish().expect("memory can be written");
    let file = out.join(format!("helper-{sha256}.gz"));
    fs::write(&file, packed).expect("cargo's output folder can be written");
    format!("    ({platform:?}, {sha256:?}, include_bytes!({file:?})),\n")
}

/// Binaries of earlier builds would pile up.
fn forget_earlier(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("helper-") && name.ends_with(".gz") {
            // One that stays is only a waste.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The sources of the helper.
fn watch(root: &Path) {
    for part in ["Cargo.toml", "build.rs", "src", "wire/Cargo.toml", "wire/src", "macros/Cargo.toml", "macros/src"] {
        let path = root.join(part);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets `{name}`"))
}
