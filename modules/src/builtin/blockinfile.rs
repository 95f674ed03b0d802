//! `blockinfile`: makes sure that a text file has a block of lines between two marker lines, or has none.

use std::path::PathBuf;

use driftless_macros::{Args, Choice};

use super::edit::{Put, TextFile, lines, pattern};
use crate::host::{FileCommon, FileDiff, path as paths};
use crate::regex::Flags;
use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Blockinfile;

/// Its options.
#[derive(Args)]
#[args(mutually_exclusive("insertbefore", "insertafter"))]
pub struct BlockinfileArgs {
    /// The file.
    #[arg(required, alias = "dest", alias = "destfile", alias = "name")]
    path: PathBuf,
    /// Whether the block is to be there.
    #[arg(default = "present")]
    state: State,
    /// The marker lines; `{mark}` is where they differ.
    #[arg(default = "# {mark} ANSIBLE MANAGED BLOCK")]
    marker: String,
    /// The lines. An empty block is none.
    #[arg(default = "", alias = "content")]
    block: String,
    /// A new block goes after the last line that matches this, or to the end (`EOF`). With `(?m)` the whole text is searched.
    insertafter: Option<String>,
    /// A new block goes before the last line that matches this, or to the beginning (`BOF`). With `(?m)` the whole text is searched.
    insertbefore: Option<String>,
    /// Whether a missing file is made.
    #[arg(default = false)]
    create: bool,
    /// Whether a copy of the old file is kept.
    #[arg(default = false)]
    backup: bool,
    /// The character set of the file.
    #[arg(default = "utf-8")]
    encoding: String,
    /// The mark of the first marker line.
    #[arg(default = "BEGIN")]
    marker_begin: String,
    /// The mark of the last marker line.
    #[arg(default = "END")]
    marker_end: String,
    /// Whether an empty line stands after the block.
    #[arg(default = false)]
    append_newline: bool,
    /// Whether an empty line stands before the block.
    #[arg(default = false)]
    prepend_newline: bool,
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

impl Module for Blockinfile {
    type Args = BlockinfileArgs;
    const NAME: &'static str = "blockinfile";
    const SUMMARY: &'static str = "Keep a block of lines between two markers in a text file";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] =
        &["- blockinfile:\n    path: /etc/hosts\n    block: |\n      192.0.2.10 web1\n      192.0.2.20 db1\n"];

    fn run(args: BlockinfileArgs, host: &mut Host) -> Result<Outcome> {
        let file = TextFile::read_as_it_is(host, &args.path, &args.encoding)?;
        if file.text.is_none() && !args.create {
            return Err(Failure::new(format!("Path {} does not exist !", args.path.display())).with("rc", 257));
        }
        if file.text.is_none() && args.state == State::Absent {
            return Ok(Outcome::new(false).with("msg", format!("File {} not present", args.path.display())));
        }
        let before = file.text.as_deref().unwrap_or_default();
        let has_block = args.state == State::Present && !args.block.is_empty();
        let after = edit(&args, before, has_block)?;
        let mut message = match &file.text {
            None => "File created",
            Some(before) if *before == after => "",
            Some(_) if has_block => "Block inserted",
            Some(_) => "Block removed",
        }
        .to_owned();
        let mut backup = None;
        if !message.is_empty() {
            let put =
                Put { text: &after, backup: args.backup, validate: args.validate.as_deref(), unsafe_writes: args.common.unsafe_writes };
            backup = file.put(host, &put)?;
        }
        let mut attributes = FileDiff::default();
        file.attributes(host, &args.common, &mut message, &mut attributes)?;
        let mut outcome = host.outcome().with("msg", message).with("diff", file.diff(host, &after, attributes));
        if let Some(backup) = backup {
            outcome.set("backup_file", paths::shown(&backup));
        }
        Ok(outcome)
    }
}

/// The text with its block, or without.
fn edit(args: &BlockinfileArgs, text: &str, has_block: bool) -> Result<String> {
    let mut edited = lines::split(text);
    let marker = |mark: &str| format!("{}\n", args.marker.replace("{mark}", mark));
    let (begin, end) = (marker(&args.marker_begin), marker(&args.marker_end));
    let first = edited.iter().rposition(|line| *line == begin);
    let last = edited.iter().rposition(|line| *line == end);
    let at = match (first, last) {
        (Some(first), Some(last)) => {
            edited.drain(first.min(last)..=first.max(last));
            first.min(last)
        }
        _ => place(args, text, &edited)?,
    };
    if let Some(before) = at.checked_sub(1) {
        lines::end(&mut edited[before]);
    }
    let mut block = Vec::new();
    if has_block {
        if args.prepend_newline && at > 0 && edited[at - 1] != "\n" {
            block.push("\n".to_owned());
        }
        let mut content = args.block.clone();
        lines::end(&mut content);
        block.extend([begin, content, end]);
        if args.append_newline && edited.get(at).is_some_and(|line| line != "\n") {
            block.push("\n".to_owned());
        }
    }
    edited.splice(at..at, block);
    Ok(edited.concat())
}

/// The number of the line before which a new block goes.
fn place(args: &BlockinfileArgs, text: &str, lines: &[String]) -> Result<usize> {
    let (regexp, behind) = match (args.insertafter.as_deref(), args.insertbefore.as_deref()) {
        (_, Some("BOF")) => return Ok(0),
        (None | Some("EOF"), None) => return Ok(lines.len()),
        (Some(regexp), _) => (regexp, true),
        (None, Some(regexp)) => (regexp, false),
    };
    let pattern = pattern(regexp, Flags::default())?;
    let failed = |error: crate::regex::RegexError| Failure::raised(error);
    if searches_text(regexp) {
        let Some(found) = pattern.search(text).map_err(failed)? else { return Ok(lines.len()) };
        let (start, end) = found.range();
        let line_of = |at: usize| text[..at].matches('\n').count();
        return Ok(if behind { (line_of(end) + 1).min(lines.len()) } else { line_of(start) });
    }
    let mut at = lines.len();
    for (index, line) in lines.iter().enumerate() {
        if pattern.is_match(line).map_err(failed)? {
            at = index + usize::from(behind);
        }
    }
    Ok(at)
}

/// Whether a pattern's flags at its beginning have `m`.
fn searches_text(regexp: &str) -> bool {
    let flags = regexp.strip_prefix("(?").and_then(|rest| rest.split_once(')')).map(|(flags, _)| flags);
    flags.is_some_and(|flags| flags.contains('m') && flags.chars().all(|flag| "aiLmsux".contains(flag)))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::{Value, json};

    /// Edits the text with the options; marker lines are `<` and `>`. `after` empty means that nothing changes.
    #[track_caller]
    fn check(before: &str, mut options: Value, after: &str) {
        let law = Law::of("blockinfile");
        law.write("f", before);
        options["path"] = json!(law.path("f"));
        for (key, value) in [("marker", "{mark}"), ("marker_begin", "<"), ("marker_end", ">")] {
            options.as_object_mut().unwrap().entry(key).or_insert(json!(value));
        }
        if after.is_empty() {
            law.unchanged(options);
        } else {
            law.converges(options, &[("file", "…/f")]);
            assert_eq!(law.read("f"), after);
        }
    }

    #[test]
    fn blocks_are_put_in_and_taken_out() {
        check("a\nb", json!({"block": "x\ny"}), "a\nb\n<\nx\ny\n>\n");
        check("a\n<\nx\n>\nb\n", json!({"block": "x"}), "");
        check("a\n<\nx\n>\nb\n", json!({"block": "y\n"}), "a\n<\ny\n>\nb\n");
        check("a\n<\nx\n>\nb\n", json!({"block": ""}), "a\nb\n");
        check("a\n<\nx\n>\nb\n", json!({"block": "x", "state": "absent"}), "a\nb\n");
        check("a\n", json!({"state": "absent"}), "");
        check("a\n<\nq", json!({"block": "x"}), "a\n<\nq\n<\nx\n>\n");
        check("", json!({"block": "x"}), "<\nx\n>\n");
    }

    #[test]
    fn a_new_block_goes_where_it_should() {
        check("x\ny\n", json!({"block": "b", "insertafter": "^x"}), "x\n<\nb\n>\ny\n");
        check("x\ny\n", json!({"block": "b", "insertbefore": "^y"}), "x\n<\nb\n>\ny\n");
        check("x\ny\n", json!({"block": "b", "insertbefore": "BOF"}), "<\nb\n>\nx\ny\n");
        check("x\ny\n", json!({"block": "b", "insertbefore": "^q"}), "x\ny\n<\nb\n>\n");
        check("x\n\ny\n", json!({"block": "b", "insertafter": "(?m)^x\n"}), "x\n\n<\nb\n>\ny\n");
        check("x\ny\nx\n", json!({"block": "b", "insertbefore": "(?m)^x$"}), "<\nb\n>\nx\ny\nx\n");
        let blank = json!({"block": "b", "insertafter": "^x", "prepend_newline": true, "append_newline": true});
        check("x\ny\n", blank, "x\n\n<\nb\n>\n\ny\n");
        let end = json!({"block": "b", "prepend_newline": true, "append_newline": true});
        check("x\n", end, "x\n\n<\nb\n>\n");
    }

    #[test]
    fn line_ends_of_file_and_block_are_kept() {
        check("a\r\nb\r\n", json!({"block": "x\ny"}), "a\r\nb\r\n<\nx\ny\n>\n");
        check("a\r\nb\rq\n", json!({"block": "x"}), "a\r\nb\rq\n<\nx\n>\n");
        check("a\r\nb\r\n", json!({"block": "x\r\ny\r\n", "insertafter": "^a"}), "a\r\n<\nx\r\ny\r\n>\nb\r\n");
        check("a\r\nb\r\n", json!({"block": "x\ry\r", "insertafter": "a\\r\\n"}), "a\r\n<\nx\ry\r\n>\nb\r\n");
        check("a\r\nb", json!({"block": "x", "insertafter": "(?m)^a\r$"}), "a\r\n<\nx\n>\nb");
        check("a\r\n", json!({"block": "x\r", "marker": "{mark}\r"}), "a\r\n<\r\nx\r\n>\r\n");
        // These are other lines than the markers.
        check("<\r\nq\r\n>\r\n", json!({"state": "absent"}), "");
    }

    #[test]
    fn exceptions_have_ansible_s_words_before_them() {
        let law = Law::of("blockinfile");
        law.write("f", b"a\xff\n");
        let task = |encoding: &str| json!({"path": law.path("f"), "block": "x", "insertafter": "(a", "encoding": encoding});
        let undecodable = "Task failed: Module failed: 'utf-8' codec can't decode byte 0xff in position 1: invalid start byte";
        law.fails(task("utf-8"), undecodable);
        law.fails(task("latin-1"), "Task failed: Module failed: missing ), unterminated subpattern at position 0");
    }

    #[test]
    fn files_are_made_where_asked() {
        let law = Law::of("blockinfile");
        law.fails(json!({"path": law.path("f"), "block": "x"}), "does not exist !");
        law.unchanged(json!({"path": law.path("f"), "create": true, "state": "absent"}));
        law.converges(json!({"path": law.path("d/f"), "create": true, "block": "x"}), &[("file", "…/d/f")]);
        let ran = law.run(json!({"path": law.path("g"), "create": true, "block": "x"}), Mode::Check).outcome;
        assert_eq!(ran.get("msg"), Some(&json!("File created")));
    }
}
