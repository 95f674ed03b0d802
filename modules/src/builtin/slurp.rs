//! `slurp`: the content of a file, in the result.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use driftless_macros::Args;

use crate::host::path as paths;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Slurp;

/// Its options.
#[derive(Args)]
pub struct SlurpArgs {
    /// The file to read.
    #[arg(required, alias = "path")]
    src: PathBuf,
    /// Whether the content comes as base64; otherwise it must be UTF-8.
    #[arg(default = true)]
    armor: bool,
}

impl Module for Slurp {
    type Args = SlurpArgs;
    const NAME: &'static str = "slurp";
    const SUMMARY: &'static str = "Read a file of the host into a variable, as base64";
    const EXAMPLES: &'static [&'static str] = &["- slurp:\n    src: /etc/machine-id\n  register: machine_id\n"];

    fn run(args: SlurpArgs, host: &mut Host) -> Result<Outcome> {
        let path = host.absolute(&args.src);
        let shown = paths::shown(&args.src);
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::new(match error.kind() {
                std::io::ErrorKind::NotFound => format!("File not found: {shown}"),
                std::io::ErrorKind::PermissionDenied => format!("File is not readable: {shown}"),
                std::io::ErrorKind::IsADirectory => format!("Source is a directory and must be a file: {shown}"),
                _ => format!("Unable to slurp file: {}", crate::outcome::errno_text(&error)),
            })
        })?;
        let (content, encoding) = if args.armor {
            (STANDARD.encode(bytes), "base64")
        } else {
            let text = String::from_utf8(bytes).map_err(|error| Failure::new(format!("`{shown}` is not UTF-8: {error}")))?;
            (text, "utf-8")
        };
        Ok(host.outcome().with("content", content).with("source", shown).with("encoding", encoding))
    }
}

#[cfg(test)]
mod tests {
    use crate::laws::Law;
    use serde_json::json;

    #[test]
    fn content_comes_armored_or_plain() {
        let law = Law::of("slurp");
        law.write("f", "old\n");
        let outcome = law.unchanged(json!({"src": law.path("f")}));
        assert_eq!((outcome.get("content"), outcome.get("encoding")), (Some(&json!("b2xkCg==")), Some(&json!("base64"))));
        let outcome = law.unchanged(json!({"path": law.path("f"), "armor": false}));
        assert_eq!(outcome.get("content"), Some(&json!("old\n")));
        law.fails(json!({"src": law.path("")}), "Source is a directory and must be a file");
        law.fails(json!({"src": law.path("none")}), "File not found");
    }
}
