//! `assemble`: a file made of those of a folder, in the order of their names. Where the folder is on the control machine, the action joins
//! them with the functions here, and the module `copy` puts the file in its place.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless_macros::Args;

use super::edit::validate;
use crate::host::checksum::{self, Algorithm};
use crate::host::{Change, FileCommon, FileDiff, Version, Write, path as paths};
use crate::outcome::Context;
use crate::regex::{self, Anchor, Flags, Pattern, RegexError};
use crate::spec::Support;
use crate::{Failure, Host, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Assemble;

/// Its options.
#[derive(Args)]
pub struct AssembleArgs {
    /// The folder with the pieces: on the managed host, or without `remote_src` on the control machine.
    #[arg(required)]
    src: PathBuf,
    /// The file that is made of them.
    #[arg(required)]
    dest: PathBuf,
    /// Whether a copy of the old file is kept beside it.
    #[arg(default = false)]
    backup: bool,
    /// What stands between two pieces, on a line of its own; `\n` and the like are what they stand for.
    delimiter: Option<String>,
    /// Whether `src` is on the managed host.
    #[arg(default = true, controller)]
    remote_src: bool,
    /// Which pieces are taken: a regular expression that is searched in their names.
    regexp: Option<String>,
    /// Whether pieces whose names begin with a dot are left out.
    #[arg(default = false)]
    ignore_hidden: bool,
    /// A command that looks at the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// Whether vaulted pieces of the control machine are decrypted on their way.
    #[arg(default = true, controller)]
    decrypt: bool,
    /// Owner, permissions and the like.
    #[arg(flatten)]
    common: FileCommon,
}

impl Module for Assemble {
    type Args = AssembleArgs;
    const NAME: &'static str = "assemble";
    const SUMMARY: &'static str = "Make a file of the pieces in a folder";
    const DIFF: Support = Support::Partial;
    const EXAMPLES: &'static [&'static str] = &[
        "- assemble:\n    src: /etc/app/conf.d\n    dest: /etc/app/app.conf\n    delimiter: '### next piece'\n    validate: app --test %s\n",
    ];

    fn run(args: AssembleArgs, host: &mut Host) -> Result<Outcome> {
        let source = host.absolute(&args.src);
        if !source.exists() {
            return Err(Failure::new(format!("Source ({}) does not exist", args.src.display())));
        }
        if !source.is_dir() {
            return Err(Failure::new(format!("Source ({}) is not a directory", args.src.display())));
        }
        let text = args.regexp.as_deref().unwrap_or_default();
        let choice = Choice::of(args.regexp.as_deref(), args.ignore_hidden)
            .map_err(|error| Failure::new(format!("Invalid Regexp ({error}) in \"{text}\"")))?;
        let delimiter = args.delimiter.as_deref().map(unescaped).transpose().map_err(Failure::raised)?.map(|mut bytes| {
            if bytes.last().is_some_and(|last| *last != b'\n') {
                bytes.push(b'\n');
            }
            bytes
        });
        let pieces = choice.pieces(&source).context(format_args!("could not read `{}`", source.display()))?;
        let mut content = Joined::new(delimiter);
        for piece in pieces {
            content.push(&std::fs::read(&piece).context(format_args!("could not read `{}`", piece.display()))?);
        }
        put(&args, host, &content.bytes)
    }
}

/// Puts the content in its place.
fn put(args: &AssembleArgs, host: &mut Host, content: &[u8]) -> Result<Outcome> {
    let dest = host.absolute(&args.dest);
    if dest.is_dir() {
        return Err(Failure::new(format!("attempted to take checksum of directory: {}", args.dest.display())));
    }
    let version = Version::of(&dest)?;
    let sum = checksum::of_bytes(Algorithm::Sha1, content);
    let old = dest.is_file().then(|| checksum::of_file(Algorithm::Sha1, &dest)).transpose()?;
    let (mut validation, mut backup) = (None, None);
    if old.as_ref() != Some(&sum) {
        if let Some(line) = args.validate.as_ref().filter(|line| !line.contains("%s")) {
            return Err(Failure::new(format!("validate must contain %s: {line}")));
        }
        let before = old.as_ref().map_or_else(|| "absent".to_owned(), |old| format!("sha1:{old}"));
        let change = Change::of("file", paths::shown(&dest)).from_to(before, format!("sha1:{sum}"));
        let write = Write { unsafe_writes: args.common.unsafe_writes, expected: Some(version), ..Write::default() };
        host.change(change, |door| {
            let staged = door.stage(&dest, &mut &*content, args.common.unsafe_writes)?;
            if let Some(line) = &args.validate {
                validation = Some(validate(door, line, staged.temp_path())?);
            }
            if args.backup && old.is_some() {
                backup = door.backup(&dest)?;
            }
            staged.commit(write)
        })?;
    }
    args.common.apply(host, &args.dest, &mut FileDiff::default())?;
    let md5 = checksum::of_bytes(Algorithm::Md5, content);
    let outcome = host.outcome().with("src", paths::shown(&args.src)).with("dest", paths::shown(&args.dest));
    let mut outcome = outcome.with("checksum", sum).with("md5sum", md5).with("msg", "OK");
    if let Some(output) = validation {
        let told = [("rc", output.rc().into()), ("stdout", output.stdout().into()), ("stderr", output.stderr().into())];
        outcome.set("validation", told.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<JsonMap>());
    }
    if let Some(backup) = backup {
        outcome.set("backup_file", paths::shown(&backup));
    }
    Ok(outcome)
}

/// Which files of a folder are pieces.
pub struct Choice {
    pattern: Option<Arc<Pattern>>,
    ignore_hidden: bool,
}

impl Choice {
    /// Those in whose names `regexp` is found.
    pub fn of(regexp: Option<&str>, ignore_hidden: bool) -> Result<Self, RegexError> {
        let pattern = regexp.map(|text| regex::compile(text, Flags::default(), Anchor::Anywhere)).transpose()?;
        Ok(Self { pattern, ignore_hidden })
    }

    /// The pieces in a folder, in the order of their names.
    pub fn pieces(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut names: Vec<_> = folder.read_dir()?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
        names.sort();
        let is_taken = |name: &str| -> io::Result<bool> {
            let is_hidden = self.ignore_hidden && name.starts_with('.');
            let found = self.pattern.as_ref().map_or(Ok(true), |pattern| pattern.is_match(name));
            Ok(!is_hidden && found.map_err(io::Error::other)?)
        };
        let mut pieces = Vec::new();
        for name in names {
            let path = folder.join(&name);
            if is_taken(&name.to_string_lossy())? && path.is_file() {
                pieces.push(path);
            }
        }
        Ok(pieces)
    }
}

/// Pieces one after the other, each on lines of its own.
pub struct Joined {
    /// What they come to so far.
    pub bytes: Vec<u8>,
    delimiter: Option<Vec<u8>>,
    /// What has to stand before the next piece.
    between: Vec<u8>,
}

impl Joined {
    /// Nothing yet; between two pieces `delimiter` is to stand.
    pub fn new(delimiter: Option<Vec<u8>>) -> Self {
        Self { bytes: Vec::new(), delimiter, between: Vec::new() }
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes.append(&mut self.between);
        self.bytes.extend_from_slice(piece);
        if piece.last() != Some(&b'\n') {
            self.between.push(b'\n');
        }
        self.between.extend(self.delimiter.iter().flatten());
    }
}

/// What the escapes of Python's byte strings stand for.
pub fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let letter = *bytes.get(at).ok_or("Trailing \\ in string")?;
        at += 1;
        match letter {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(letter),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let digits = bytes[at - 1..].iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
                let number = bytes[at - 1..at - 1 + digits].iter().fold(0_u16, |number, digit| number * 8 + u16::from(digit - b'0'));
                out.push(u8::try_from(number & 0xff).expect("it was cut to a byte"));
                at += digits - 1;
            }
            b'x' => {
                let digits = text.get(at..at + 2).filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()));
                let number = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                out.push(number.ok_or_else(|| format!("invalid \\x escape at position {}", at - 2))?);
                at += 2;
            }
            other => out.extend([b'\\', other]),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::laws::Law;

    fn law() -> Law {
        let law = Law::of("assemble");
        law.write("d/2", "two");
        law.write("d/1", "one\n");
        law.write("d/.hidden", "hidden\n");
        law.write("d/3/inner", "no piece");
        law
    }

    #[test]
    fn pieces_are_joined_in_the_order_of_their_names() {
        let law = law();
        let dest = law.path("made");
        let ran = law.converges(json!({"src": law.path("d"), "dest": dest, "delimiter": "-\\t-"}), &[("file", "…/made")]);
        assert_eq!(law.read("made"), "hidden\n-\t-\none\n-\t-\ntwo");
        assert_eq!(ran.outcome.get("msg"), Some(&json!("OK")));
        law.converges(
            json!({"src": law.path("d"), "dest": dest, "ignore_hidden": true, "regexp": "[12]", "backup": true}),
            &[("file", "…/made")],
        );
        assert_eq!(law.read("made"), "one\ntwo");
    }

    #[test]
    fn an_old_file_stays_where_the_new_one_is_not_valid() {
        let law = law();
        law.write("made", "old");
        let args = |line: &str| json!({"src": law.path("d"), "dest": law.path("made"), "validate": line});
        for (line, message) in [
            ("false %s", "failed to validate: rc:1 error:"),
            ("true", "validate must contain %s: true"),
            ("echo '%s", "Invalid command syntax"),
        ] {
            law.fails(args(line), message);
            assert_eq!(law.read("made"), "old");
        }
    }

    #[test]
    fn escapes_are_those_of_byte_strings() {
        let check = |text: &str, expected: Result<&[u8], &str>| {
            assert_eq!(unescaped(text), expected.map(<[u8]>::to_vec).map_err(str::to_owned), "{text}");
        };
        check("ä\\x41\\q\\101\\\\", Ok("äA\\qA\\".as_bytes()));
        check("\\777\\08", Ok(&[0xff, 0, b'8']));
        check("a\\", Err("Trailing \\ in string"));
        check("a\\x4", Err("invalid \\x escape at position 1"));
    }
}
