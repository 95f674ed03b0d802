//! `tempfile`: a new private file or folder with a name of its own.

use std::path::PathBuf;

use driftless_macros::{Args, Choice};

use crate::host::{Change, path as paths};
use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Tempfile;

/// Its options.
#[derive(Args)]
pub struct TempfileArgs {
    /// Whether a file or a folder is made.
    #[arg(default = "file")]
    state: State,
    /// Where; without it, where the host keeps temporary files.
    path: Option<PathBuf>,
    /// How the name begins.
    #[arg(default = "ansible.")]
    prefix: String,
    /// How the name ends.
    #[arg(default = "")]
    suffix: String,
}

/// What is made.
#[derive(Choice)]
enum State {
    File,
    Directory,
}

impl Module for Tempfile {
    type Args = TempfileArgs;
    const NAME: &'static str = "tempfile";
    const SUMMARY: &'static str = "Make a temporary file or folder";
    const CHECK: Support = Support::None;
    const EXAMPLES: &'static [&'static str] = &["- tempfile:\n    state: directory\n    prefix: release.\n"];

    fn run(args: TempfileArgs, host: &mut Host) -> Result<Outcome> {
        for (option, text) in [("prefix", &args.prefix), ("suffix", &args.suffix)] {
            if text.contains('/') {
                return Err(Failure::new(format!("{option} must be a valid file name component, got '{text}'")));
            }
        }
        let from_environment = || ["TMPDIR", "TEMP", "TMP"].iter().find_map(|name| host.environment().get(name)).map(PathBuf::from);
        let folder = args.path.clone().or_else(from_environment).unwrap_or_else(|| PathBuf::from("/tmp"));
        let change = Change::of("file", paths::shown(&folder)).from_to("absent", "a temporary file or directory");
        let made = host.change(change, |door| match args.state {
            State::Directory => door.create_temp_dir(&folder, &args.prefix, &args.suffix),
            State::File => door.create_temp_file(&folder, &args.prefix, &args.suffix),
        })?;
        let outcome = host.outcome();
        Ok(match made {
            Some(path) => outcome.with("path", paths::shown(&path)),
            None => outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Json;
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn files_and_folders_are_private() {
        let law = Law::of("tempfile");
        let ran = law.run(json!({"path": law.path(""), "suffix": ".x"}), Mode::Real);
        let path = ran.outcome.get("path").and_then(Json::as_str).unwrap().to_owned();
        assert!(path.contains("/ansible.") && path.ends_with(".x"), "{path}");
        assert_eq!(ran.outcome.get("mode"), Some(&json!("0600")));
        let ran = law.run(json!({"path": law.path(""), "state": "directory"}), Mode::Real);
        assert_eq!((ran.outcome.get("mode"), ran.outcome.get("state")), (Some(&json!("0700")), Some(&json!("directory"))));
        law.fails(json!({"suffix": "../x"}), "suffix must be a valid file name component, got '../x'");
        law.fails(json!({"path": "/none"}), "[Errno 2] No such file or directory");
        let skipped = law.run(json!({}), Mode::Check).outcome;
        assert_eq!(skipped.get("msg"), Some(&json!("remote module (tempfile) does not support check mode")));
    }
}
