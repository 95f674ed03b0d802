//! `fetch`, the managed host's half: gives a file's content back (`_content` in the result is its index), unless the control machine has
//! it already (`_local_checksum`). Where it is put, and what the result says, is the action's.

use std::fs::File;

use driftless_macros::Args;

use crate::host::checksum::{self, Algorithm};
use crate::outcome::Context;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Fetch;

/// Its options.
#[derive(Args)]
pub struct FetchArgs {
    /// The file on the managed host.
    #[arg(required)]
    src: String,
    /// Where it goes on the control machine.
    #[arg(required, controller)]
    dest: String,
    /// Whether a missing file is a failure.
    #[arg(default = true)]
    fail_on_missing: bool,
    /// Whether `dest` is the file itself and not a folder with one folder per host.
    #[arg(default = false, controller)]
    flat: bool,
    /// Whether the checksum is compared afterwards.
    #[arg(default = true, controller)]
    validate_checksum: bool,
    /// The SHA-1 of what the control machine has.
    #[arg(name = "_local_checksum")]
    local_checksum: Option<String>,
}

impl Module for Fetch {
    type Args = FetchArgs;
    const NAME: &'static str = "fetch";
    const SUMMARY: &'static str = "Bring a file from the host to the control machine";
    const EXAMPLES: &'static [&'static str] = &["- fetch:\n    src: /var/log/install.log\n    dest: logs\n"];

    fn run(args: FetchArgs, host: &mut Host) -> Result<Outcome> {
        let path = host.absolute(&host.environment().expand_path(&args.src));
        let refused = |message: &str| {
            if args.fail_on_missing {
                return Err(Failure::new(message));
            }
            Ok(Outcome::new(false).with("msg", message).with("file", args.src.as_str()))
        };
        if let Err(error) = path.metadata()
            && error.kind() == std::io::ErrorKind::PermissionDenied
        {
            let message = format!("Failed to get information on remote file ({}): Permission denied", args.src);
            return match refused(&format!("{message}, ignored")) {
                Err(_) => Err(Failure::new(message).with("file", args.src.as_str())),
                ignored => ignored,
            };
        }
        if path.is_dir() {
            let message = "remote file is a directory, fetch cannot work on directories";
            return match args.fail_on_missing {
                true => Err(Failure::new(message)),
                false => Ok(Outcome::new(false).with("msg", format!("{message}, not transferring, ignored"))),
            };
        }
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return match args.fail_on_missing {
                    true => Err(Failure::new(format!("File is not readable: {}", args.src))),
                    false => Ok(Outcome::new(false).with("file", args.src.as_str())),
                };
            }
            Err(_) => return refused("the remote file does not exist, not transferring, ignored"),
        };
        let sum = checksum::of_file(Algorithm::Sha1, &path).context(format_args!("could not read `{}`", path.display()))?;
        let outcome = host.outcome().with("remote_checksum", sum.as_str());
        if args.local_checksum.as_ref() == Some(&sum) {
            return Ok(outcome);
        }
        let index = host.sink().send(&mut file).context(format_args!("could not send `{}`", path.display()))?;
        Ok(outcome.with("_content", index))
    }
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn a_file_is_sent_back_only_if_it_differs() {
        let law = Law::of("fetch");
        law.write("f", "old\n");
        let ran = law.run(json!({"src": law.path("f"), "dest": "/x"}), Mode::Real);
        assert_eq!((ran.outcome.get("_content"), ran.sent), (Some(&json!(0)), vec![b"old\n".to_vec()]));
        let sum = ran.outcome.get("remote_checksum").unwrap().clone();
        let same = law.run(json!({"src": law.path("f"), "dest": "/x", "_local_checksum": sum}), Mode::Real);
        assert_eq!(same.outcome.get("_content"), None);
        law.fails(json!({"src": law.path("none"), "dest": "/x"}), "the remote file does not exist");
        let ignored = law.unchanged(json!({"src": law.path("none"), "dest": "/x", "fail_on_missing": false}));
        assert_eq!(ignored.get("file"), Some(&json!(law.path("none"))));
        law.fails(json!({"src": law.path(""), "dest": "/x"}), "fetch cannot work on directories");
    }
}
