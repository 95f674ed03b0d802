//! Runs driftless on the cases of `tests/conformance/cases` and lays what it did beside what ansible-core did.
//!
//! Each case is one test; `cargo test --test conformance -- yaml/` runs some of them. What a case is made of,
//! and how a golden is recorded, stands in `tests/conformance/README.md`.

#[path = "conformance/case.rs"]
mod case;
#[path = "conformance/compare.rs"]
mod compare;
#[path = "conformance/fleet.rs"]
mod fleet;
#[path = "conformance/normal.rs"]
mod normal;
#[path = "conformance/serve.rs"]
mod serve;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use case::Case;

/// Built for quick checks, with a helper that does nothing: no case can tell anything then.
const WITHOUT_HELPER: bool = option_env!("DRIFTLESS_HELPER_SKIP").is_some();

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let known = known_differences(&folder.join("known-differences"));
    let cases = case::all(&folder);
    let mut trials: Vec<Trial> = Vec::new();
    let all_known = known.contains_key("*");
    for name in known.keys() {
        if name != "*" && !cases.iter().any(|case| &case.name == name) {
            let message = format!("`known-differences` names `{name}`, and there is no such case");
            trials.push(Trial::test(format!("known-differences/{name}"), move || Err(message.into())));
        }
    }
    for case in cases {
        let name = case.name.clone();
        let reason = known.get(&case.name).cloned();
        // Among the fleet's hosts only their cases run: the others have run before.
        let left_out = case.on_fleet.is_some() != fleet::is_around_us()
            || (case.needs_root && !rustix::process::geteuid().is_root())
            || WITHOUT_HELPER;
        let trial = Trial::test(name, move || check(&case, reason.as_deref()).map_err(Into::into));
        trials.push(trial.with_ignored_flag(left_out || all_known));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case passes when driftless does as Ansible did, or when it differs and is known to; never both.
fn check(case: &Case, known: Option<&str>) -> Result<(), String> {
    let differences = match case.run() {
        Ok(run) => compare::differences(case, &run),
        Err(error) => vec![error],
    };
    match (differences.is_empty(), known) {
        (true, None) => Ok(()),
        (false, None) => Err(format!("differs from ansible-core:\n  {}", differences.join("\n  "))),
        (false, Some(_)) => Ok(()),
        (true, Some(reason)) => Err(format!("is as Ansible now: take it out of `tests/conformance/known-differences` (`{reason}`)")),
    }
}

/// The lines `case: reason` of the list of cases that still differ; the case `*` is all of them, left out.
fn known_differences(path: &Path) -> std::collections::BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, reason) = line.split_once(':').unwrap_or((line, ""));
            (name.trim().to_owned(), reason.trim().to_owned())
        })
        .collect()
}
