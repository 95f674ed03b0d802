//! `replace`: replaces all matches of a pattern in a text file.

use std::path::PathBuf;

use driftless_macros::Args;

use super::edit::{Put, TextFile, pattern};
use crate::host::{Diff, FileCommon, FileDiff, path as paths};
use crate::regex::{Flags, Replacement};
use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Replace;

/// Its options.
#[derive(Args)]
pub struct ReplaceArgs {
    /// The file.
    #[arg(required, alias = "dest", alias = "destfile", alias = "name")]
    path: PathBuf,
    /// What is replaced; `^` and `$` match at every line.
    #[arg(required)]
    regexp: String,
    /// What takes its place; may name groups of `regexp`.
    #[arg(default = "")]
    replace: String,
    /// Only what comes after a match of this is replaced.
    after: Option<String>,
    /// Only what comes before a match of this is replaced.
    before: Option<String>,
    /// Whether a copy of the old file is kept.
    #[arg(default = false)]
    backup: bool,
    /// A command that looks at the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// The character set of the file.
    #[arg(default = "utf-8")]
    encoding: String,
    /// Owner, permissions and the like.
    #[arg(flatten)]
    common: FileCommon,
}

impl Module for Replace {
    type Args = ReplaceArgs;
    const NAME: &'static str = "replace";
    const SUMMARY: &'static str = "Replace what a regular expression finds in a text file";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] =
        &["- replace:\n    path: /etc/apt/sources.list\n    regexp: '^(deb\\S* )http:'\n    replace: '\\1https:'\n"];

    fn run(args: ReplaceArgs, host: &mut Host) -> Result<Outcome> {
        let file = TextFile::read(host, &args.path, &args.encoding)?;
        let Some(text) = &file.text else {
            return Err(Failure::new(format!("Path {} does not exist !", args.path.display())).with("rc", 257));
        };
        let (start, end) = match section(&args, text)? {
            Section::Bytes(start, end) => (start, end),
            Section::Missing(message) => return Ok(Outcome::new(false).with("msg", message).with("rc", 0)),
        };
        let pattern = pattern(&args.regexp, Flags { multi_line: true, ..Flags::default() })?;
        let failed = |error: crate::regex::RegexError| Failure::new(format!("Unable to process replace due to error: {error}"));
        let template = Replacement::parse(&args.replace, &pattern).map_err(failed)?;
        let (replaced, count) = pattern.replace(&text[start..end], &template, 0).map_err(failed)?;
        let after = format!("{}{replaced}{}", &text[..start], &text[end..]);
        let is_changed = count > 0 && after != *text;
        let mut message = if is_changed { format!("{count} replacements made") } else { String::new() };
        let mut backup = None;
        if is_changed {
            let put =
                Put { text: &after, backup: args.backup, validate: args.validate.as_deref(), unsafe_writes: args.common.unsafe_writes };
            backup = file.put(host, &put)?;
        }
        file.attributes(host, &args.common, &mut message, &mut FileDiff::default())?;
        let mut outcome = host.outcome().with("msg", message).with("rc", 0);
        if let Some(backup) = backup {
            outcome.set("backup_file", paths::shown(&backup));
        }
        if host.shows_diff() && is_changed {
            outcome.set("diff", Diff::texts(&paths::shown(&args.path), text.as_str(), after).into_json());
        }
        Ok(outcome)
    }
}

/// The part of a text that `after` and `before` leave.
enum Section {
    Bytes(usize, usize),
    /// There is none: why.
    Missing(String),
}

fn section(args: &ReplaceArgs, text: &str) -> Result<Section> {
    let wanted = match (&args.after, &args.before) {
        (None, None) => return Ok(Section::Bytes(0, text.len())),
        (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
        (Some(after), None) => format!("{after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?P<subsection>.*){before}"),
    };
    let pattern = pattern(&wanted, Flags { dot_all: true, ..Flags::default() })?;
    let found = pattern.search(text).map_err(Failure::raised)?;
    let number = pattern.group_number("subsection").expect("the pattern was made with this group");
    let part = found.as_ref().and_then(|found| found.group(text, number));
    Ok(match part {
        Some(part) => {
            let start = part.as_ptr().addr() - text.as_ptr().addr();
            Section::Bytes(start, start + part.len())
        }
        None => Section::Missing(format!("Pattern for before/after params did not match the given file: {wanted}")),
    })
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::{Value, json};

    /// Edits the text with the options; `after` empty means that nothing changes.
    #[track_caller]
    fn check(before: &str, mut options: Value, after: &str) {
        let law = Law::of("replace");
        law.write("f", before);
        options["path"] = json!(law.path("f"));
        if after.is_empty() {
            law.unchanged(options);
        } else {
            law.converges(options, &[("file", "…/f")]);
            assert_eq!(law.read("f"), after);
        }
    }

    #[test]
    fn matches_are_replaced_in_their_section() {
        check("a=1\nb=2\n", json!({"regexp": "^(\\w)=", "replace": "\\1 = "}), "a = 1\nb = 2\n");
        check("a=1\n", json!({"regexp": "q"}), "");
        check("a=1\n", json!({"regexp": "a", "replace": "a"}), "");
        check("x\nb\nx\ne\nx\n", json!({"regexp": "x", "replace": "y", "after": "b", "before": "e"}), "x\nb\ny\ne\nx\n");
        check("x\nb\nx\n", json!({"regexp": "x", "replace": "y", "after": "b"}), "x\nb\ny\n");
        check("x\nb\nx\n", json!({"regexp": "x", "replace": "y", "before": "b"}), "y\nb\nx\n");
        check("x\nb\nx\n", json!({"regexp": "x", "replace": "y", "before": "nope"}), "");
    }

    #[test]
    fn the_result_is_ansible_s() {
        let law = Law::of("replace");
        law.write("f", "a\na\n");
        let ran = law.run(json!({"path": law.path("f"), "regexp": "a", "replace": "b"}), Mode::Check).outcome;
        assert_eq!((ran.get("msg"), ran.get("rc")), (Some(&json!("2 replacements made")), Some(&json!(0))));
        let path = law.path("f");
        assert_eq!(ran.get("diff"), Some(&json!({"before": "a\na\n", "after": "b\nb\n", "before_header": path, "after_header": path})));
        law.fails(
            json!({"path": path, "regexp": "a", "replace": "\\3"}),
            "Unable to process replace due to error: invalid group reference 3",
        );
        law.fails(json!({"path": law.path("none"), "regexp": "a"}), "does not exist !");
    }
}
