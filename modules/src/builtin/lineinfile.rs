//! `lineinfile`: makes sure that a text file has a line, or has no such lines.

use std::path::PathBuf;

use driftless_macros::{Args, Choice};

use super::edit::{Put, TextFile, lines, pattern};
use crate::host::{FileCommon, FileDiff, path as paths};
use crate::regex::{Flags, Match, Pattern, Replacement};
use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Lineinfile;

/// Its options.
#[derive(Args)]
#[args(
    mutually_exclusive("insertbefore", "insertafter"),
    mutually_exclusive("regexp", "search_string"),
    mutually_exclusive("backrefs", "search_string")
)]
pub struct LineinfileArgs {
    /// The file.
    #[arg(required, alias = "dest", alias = "destfile", alias = "name")]
    path: PathBuf,
    /// Whether the line is to be there.
    #[arg(default = "present")]
    state: State,
    /// The line that is to be replaced (the last that matches), or the lines that are to go.
    #[arg(alias = "regex")]
    regexp: Option<String>,
    /// A text instead of `regexp`: it matches where it is part of a line.
    search_string: Option<String>,
    /// The character set of the file.
    #[arg(default = "utf-8")]
    encoding: String,
    /// The line.
    #[arg(alias = "value")]
    line: Option<String>,
    /// Whether `line` takes over what the groups of `regexp` matched. Without a match nothing is done.
    #[arg(default = false)]
    backrefs: bool,
    /// A new line goes after the last line that matches this, or to the end (`EOF`).
    insertafter: Option<String>,
    /// A new line goes before the last line that matches this, or to the beginning (`BOF`).
    insertbefore: Option<String>,
    /// Whether a missing file is made.
    #[arg(default = false)]
    create: bool,
    /// Whether a copy of the old file is kept.
    #[arg(default = false)]
    backup: bool,
    /// Whether the first match counts instead of the last.
    #[arg(default = false)]
    firstmatch: bool,
    /// A command that looks at the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// Owner, permissions and the like.
    #[arg(flatten)]
    common: FileCommon,
}

#[derive(Choice, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Present,
}

impl Module for Lineinfile {
    type Args = LineinfileArgs;
    const NAME: &'static str = "lineinfile";
    const SUMMARY: &'static str = "Have a line in a text file, or not";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] = &[
        "- lineinfile:\n    path: /etc/default/useradd\n    regexp: '^SHELL='\n    line: SHELL=/bin/bash\n",
        "- lineinfile:\n    path: /srv/app/app.conf\n    search_string: 'listen ='\n    line: listen = 8080\n",
    ];

    fn run(args: LineinfileArgs, host: &mut Host) -> Result<Outcome> {
        let line = args.line.as_deref();
        if args.regexp.as_deref() == Some("") {
            host.warn(
                "The regular expression is an empty string, which will match every line in the file. This may have unintended \
                 consequences, such as replacing the last line in the file rather than appending. If this is desired, use '^' to match \
                 every line in the file and avoid this warning.",
            );
        }
        if args.search_string.as_deref() == Some("") {
            host.warn(
                "The search string is an empty string, which will match every line in the file. This may have unintended consequences, \
                 such as replacing the last line in the file rather than appending.",
            );
        }
        match (args.state, line) {
            (State::Present, _) if args.backrefs && args.regexp.is_none() => Err(Failure::new("regexp is required with backrefs=true")),
            (State::Present, None) => Err(Failure::new("line is required with state=present")),
            (State::Present, Some(line)) => present(&args, line, host),
            (State::Absent, None) if args.regexp.is_none() && args.search_string.is_none() => {
                Err(Failure::new("one of line, search_string, or regexp is required with state=absent"))
            }
            (State::Absent, line) => absent(&args, line, host),
        }
    }
}

fn present(args: &LineinfileArgs, line: &str, host: &mut Host) -> Result<Outcome> {
    let file = TextFile::read(host, &args.path, &args.encoding)?;
    if file.text.is_none() && !args.create {
        return Err(Failure::new(format!("Destination {} does not exist !", args.path.display())).with("rc", 257));
    }
    let mut edited = lines::split(file.text.as_deref().unwrap_or_default());
    let message = edit(args, line, &mut edited)?.unwrap_or_default();
    finish(args, host, &file, &edited.concat(), message)
}

fn absent(args: &LineinfileArgs, line: Option<&str>, host: &mut Host) -> Result<Outcome> {
    let file = TextFile::read(host, &args.path, &args.encoding)?;
    let Some(text) = &file.text else { return Ok(Outcome::new(false).with("msg", "file not present")) };
    let sought = Sought::of(args, line.unwrap_or_default())?;
    let mut kept = String::new();
    let mut found = 0;
    for line in lines::split(text) {
        if sought.find(&line)?.is_some() {
            found += 1;
        } else {
            kept.push_str(&line);
        }
    }
    let message = if found > 0 { format!("{found} line(s) removed") } else { String::new() };
    Ok(finish(args, host, &file, &kept, message)?.with("found", found))
}

/// Puts back what was edited, where a message says that it was.
fn finish(args: &LineinfileArgs, host: &mut Host, file: &TextFile, after: &str, mut message: String) -> Result<Outcome> {
    let mut backup = None;
    if !message.is_empty() {
        let put = Put { text: after, backup: args.backup, validate: args.validate.as_deref(), unsafe_writes: args.common.unsafe_writes };
        backup = file.put(host, &put)?;
    }
    let mut attributes = FileDiff::default();
    file.attributes(host, &args.common, &mut message, &mut attributes)?;
    let outcome = host.outcome().with("msg", message).with("backup", backup.as_deref().map(paths::shown).unwrap_or_default());
    Ok(outcome.with("diff", file.diff(host, after, attributes)))
}

/// What makes a line the one that is meant.
enum Sought<'a> {
    Regexp(std::sync::Arc<Pattern>),
    Text(&'a str),
    Line(&'a str),
}

/// How a line was found.
enum Found {
    ByRegexp(Match),
    ByText,
}

impl<'a> Sought<'a> {
    fn of(args: &'a LineinfileArgs, line: &'a str) -> Result<Self> {
        match (&args.regexp, &args.search_string) {
            (Some(regexp), _) => Ok(Self::Regexp(pattern(regexp, Flags::default())?)),
            (None, Some(text)) => Ok(Self::Text(text)),
            (None, None) => Ok(Self::Line(line)),
        }
    }

    fn find(&self, line: &str) -> Result<Option<Found>> {
        match self {
            Self::Regexp(pattern) => {
                let found = pattern.search(line).map_err(Failure::raised)?;
                Ok(found.map(Found::ByRegexp))
            }
            Self::Text(text) => Ok(line.contains(text).then_some(Found::ByText)),
            Self::Line(wanted) => Ok((lines::bare(line) == lines::bare(wanted)).then_some(Found::ByText)),
        }
    }
}

/// Where a new line goes.
enum Place<'a> {
    Top,
    End,
    After(&'a str),
    Before(&'a str),
}

impl<'a> Place<'a> {
    fn of(args: &'a LineinfileArgs) -> Self {
        match (args.insertafter.as_deref(), args.insertbefore.as_deref()) {
            (Some("BOF"), _) | (_, Some("BOF")) => Self::Top,
            (None | Some("EOF"), None) => Self::End,
            (Some(regexp), _) => Self::After(regexp),
            (None, Some(regexp)) => Self::Before(regexp),
        }
    }

    /// The number of the line before which the new one goes; nothing is the end.
    fn index(&self, lines: &[String], first: bool) -> Result<Option<usize>> {
        let (regexp, behind) = match self {
            Self::Top => return Ok(Some(0)),
            Self::End => return Ok(None),
            Self::After(regexp) => (regexp, 1),
            Self::Before(regexp) => (regexp, 0),
        };
        let pattern = pattern(regexp, Flags::default())?;
        let mut found = None;
        for (index, line) in lines.iter().enumerate() {
            if pattern.is_match(line).map_err(Failure::raised)? {
                found = Some(index + behind);
                if first {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Edits the lines; says what was done.
fn edit(args: &LineinfileArgs, line: &str, lines: &mut Vec<String>) -> Result<Option<String>> {
    let sought = Sought::of(args, line)?;
    let mut meant = None;
    let mut is_there = false;
    for (index, text) in lines.iter().enumerate() {
        if let Some(found) = sought.find(text)? {
            meant = Some((index, found));
            if args.firstmatch {
                break;
            }
        }
        is_there |= lines::bare(text) == line;
    }
    let place = Place::of(args).index(lines, args.firstmatch)?;
    let mut new = line.to_owned();
    if let Some((index, found)) = meant {
        if let (true, Found::ByRegexp(found), Sought::Regexp(pattern)) = (args.backrefs, &found, &sought) {
            let template = Replacement::parse(line, pattern).map_err(Failure::raised)?;
            new.clear();
            template.expand(found, &lines[index], &mut new);
        }
        lines::end(&mut new);
        if lines[index] == new || matches!(sought, Sought::Line(_)) {
            return Ok(None);
        }
        lines[index] = new;
        return Ok(Some("line replaced".to_owned()));
    }
    if args.backrefs || is_there {
        return Ok(None);
    }
    lines::end(&mut new);
    if let (None, Some(last)) = (place, lines.last_mut()) {
        lines::end(last);
    }
    if let Some(before) = place.and_then(|place| place.checked_sub(1)) {
        lines::end(&mut lines[before]);
    }
    lines.insert(place.unwrap_or(lines.len()), new);
    Ok(Some("line added".to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::{Value, json};

    /// Edits the text with the options; `after` empty means that nothing changes.
    #[track_caller]
    fn check(before: &str, mut options: Value, after: &str) {
        let law = Law::of("lineinfile");
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
    fn lines_are_added_and_replaced() {
        check("a=1\nb=2\nc=3", json!({"line": "d=4"}), "a=1\nb=2\nc=3\nd=4\n");
        check("a=1\nb=2\n", json!({"line": "b=2"}), "");
        check("b=1\nb=2\n", json!({"line": "b=3", "regexp": "^b="}), "b=1\nb=3\n");
        check("b=1\nc\n", json!({"line": "b=3", "search_string": "="}), "b=3\nc\n");
        check("b=1\nb=2\n", json!({"line": "b=3", "regexp": "^b=", "firstmatch": true}), "b=3\nb=2\n");
        check("a=1\n", json!({"line": "\\2 \\1=", "regexp": "^(a)=(.*)$", "backrefs": true}), "1 a=\n");
        check("a=1\n", json!({"line": "\\1", "regexp": "^(z)", "backrefs": true}), "");
        check("foo\nbar\n", json!({"line": "foo", "insertafter": "^bar"}), "");
        check("x\nend\n", json!({"line": "end", "regexp": "^none", "insertbefore": "BOF"}), "");
        check("café\n", json!({"line": "tee", "regexp": "^\\w+$"}), "tee\n");
        check("a\r\nb\r\n", json!({"line": "c"}), "a\nb\nc\n");
    }

    #[test]
    fn a_new_line_goes_where_it_should() {
        check("x\ny\nx\n", json!({"line": "n", "insertafter": "^x"}), "x\ny\nx\nn\n");
        check("x\ny\nx\n", json!({"line": "n", "insertafter": "^x", "firstmatch": true}), "x\nn\ny\nx\n");
        check("x\ny\nx\n", json!({"line": "n", "insertbefore": "^x"}), "x\ny\nn\nx\n");
        check("x\n", json!({"line": "n", "insertbefore": "BOF"}), "n\nx\n");
        check("x\n", json!({"line": "n", "insertbefore": "^q"}), "x\nn\n");
        check("x", json!({"line": "n", "insertafter": "^x"}), "x\nn\n");
        check("", json!({"line": "n"}), "n\n");
    }

    #[test]
    fn lines_are_removed() {
        check("a\nb\na\n", json!({"line": "a", "state": "absent"}), "b\n");
        check("a=1\nb\n", json!({"search_string": "=", "state": "absent"}), "b\n");
        check("a=1\nb\n", json!({"regexp": "^z", "state": "absent"}), "");
        let law = Law::of("lineinfile");
        assert_eq!(
            law.unchanged(json!({"path": law.path("f"), "line": "a", "state": "absent"})).get("msg"),
            Some(&json!("file not present"))
        );
    }

    #[test]
    fn the_result_is_ansible_s() {
        let law = Law::of("lineinfile");
        law.write("f", "a\n");
        let path = law.path("f");
        let ran = law.run(json!({"path": path, "line": "b", "mode": "0600"}), Mode::Check).outcome;
        assert_eq!(ran.get("msg"), Some(&json!("line added and ownership, perms or SE linux context changed")));
        let attributes = format!("{path} (file attributes)");
        let content = format!("{path} (content)");
        let expected = json!([
            {"before": "a\n", "after": "a\nb\n", "before_header": content, "after_header": content},
            {"before": {"mode": "0644"}, "after": {"mode": "0600"}, "before_header": attributes, "after_header": attributes},
        ]);
        assert_eq!(ran.get("diff"), Some(&expected));
        let ran = law.run(json!({"path": path, "line": "a", "state": "absent", "backup": true}), Mode::Real).outcome;
        assert_eq!((ran.get("found"), ran.get("msg")), (Some(&json!(1)), Some(&json!("1 line(s) removed"))));
        assert_eq!(std::fs::read_to_string(ran.get("backup").unwrap().as_str().unwrap()).unwrap(), "a\n");
    }

    #[test]
    fn refusals_are_ansible_s() {
        let law = Law::of("lineinfile");
        law.write("f", "a\n");
        law.write("bin", b"ab\xff");
        let path = law.path("f");
        law.fails(json!({"path": path}), "line is required with state=present");
        law.fails(json!({"path": path, "state": "absent"}), "one of line, search_string, or regexp is required");
        law.fails(json!({"path": path, "line": "x", "backrefs": true}), "regexp is required with backrefs=true");
        law.fails(json!({"path": path, "line": "x", "regexp": "("}), "missing ), unterminated subpattern at position 0");
        law.fails(json!({"path": path, "line": "x", "validate": "false %s"}), "failed to validate: rc:1 error:");
        law.fails(json!({"path": path, "line": "x", "validate": "false"}), "validate must contain %s: false");
        law.fails(json!({"path": law.path("bin"), "line": "x"}), "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte");
        law.fails(json!({"path": law.path("none"), "line": "x"}), "does not exist !");
        law.fails(json!({"path": law.path(""), "line": "x"}), "is a directory !");
        assert_eq!(law.read("f"), "a\n");
        law.converges(json!({"path": law.path("d/new"), "line": "x", "create": true}), &[("file", "…/d/new")]);
    }
}
