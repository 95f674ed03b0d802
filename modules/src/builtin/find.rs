//! `find`: the files in some folders that are so and so.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use driftless_macros::{Args, Choice};

use super::stat::{Algorithm, basics};
use crate::host::{checksum, glob, identity, mode, path as paths};
use crate::regex::{self, Anchor, Flags, Pattern};
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Find;

/// Its options.
#[derive(Args)]
pub struct FindArgs {
    /// Only files of this age or older; with a `-` before it, younger. Seconds, or with a unit: `s`, `m`, `h`, `d`, `w`.
    age: Option<String>,
    /// Which time is the age.
    #[arg(default = "mtime")]
    age_stamp: AgeStamp,
    /// How the checksum is made.
    #[arg(default = "sha1", alias = "checksum", alias = "checksum_algo")]
    checksum_algorithm: Algorithm,
    /// Only files with a line that begins so: a regular expression.
    contains: Option<String>,
    /// How far down to look; 1 is what is in the folder itself.
    depth: Option<i64>,
    /// The encoding in which `contains` is looked for.
    encoding: Option<String>,
    /// Whether `mode` are all permissions, and not some that must be there.
    #[arg(default = true)]
    exact_mode: bool,
    /// Names that are left out; patterns as in `patterns`.
    #[arg(alias = "exclude")]
    excludes: Option<Vec<String>>,
    /// What is looked for.
    #[arg(default = "file")]
    file_type: FileType,
    /// Whether symlinks to folders are gone into.
    #[arg(default = false)]
    follow: bool,
    /// Whether files are read for their checksums.
    #[arg(default = false)]
    get_checksum: bool,
    /// Whether names that begin with a dot are found too.
    #[arg(default = false)]
    hidden: bool,
    /// After so many the search ends.
    limit: Option<i64>,
    /// The permissions, octal or symbolic.
    mode: Option<Json>,
    /// The folders to look in.
    #[arg(required, alias = "name", alias = "path")]
    paths: Vec<PathBuf>,
    /// Names to look for: with `*`, `?` and `[…]`, or with `use_regex` regular expressions.
    #[arg(default = [], alias = "pattern")]
    patterns: Vec<String>,
    /// Whether `contains` is looked for anywhere in the whole file.
    #[arg(default = false)]
    read_whole_file: bool,
    /// Whether folders in folders are gone into.
    #[arg(default = false)]
    recurse: bool,
    /// Only files of this size or larger; with a `-` before it, smaller. Bytes, or with a unit: `b`, `k`, `m`, `g`, `t`.
    size: Option<String>,
    /// Whether patterns are regular expressions.
    #[arg(default = false)]
    use_regex: bool,
}

/// A file's times.
#[derive(Choice, Clone, Copy)]
enum AgeStamp {
    Atime,
    Ctime,
    Mtime,
}

/// What is looked for.
#[derive(Choice, Clone, Copy, PartialEq, Eq)]
enum FileType {
    Any,
    Directory,
    File,
    Link,
}

impl Module for Find {
    type Args = FindArgs;
    const NAME: &'static str = "find";
    const SUMMARY: &'static str = "List files by name, age, size, kind or content";
    const EXAMPLES: &'static [&'static str] = &["- find:\n    paths: /var/log/app\n    patterns: \"*.log\"\n    age: 4w\n"];

    fn run(args: FindArgs, host: &mut Host) -> Result<Outcome> {
        let mut search = Search::new(&args)?;
        for path in &args.paths {
            if search.is_full() {
                break;
            }
            let top = host.absolute(path);
            if top.is_dir() {
                search.walk(host, path, &top, 1)?;
                if let Some(why) = search.unreadable.take() {
                    search.skip(host, path, why);
                }
            } else {
                search.skip(host, path, format!("'{}' is not a directory", path.display()));
            }
        }
        let message = if search.is_full() {
            "Limit of matches reached"
        } else if !search.missed {
            "All paths examined"
        } else {
            "Not all paths examined, check warnings for details"
        };
        let matched = search.found.len();
        let outcome = host.outcome().with("files", search.found).with("msg", message).with("matched", matched);
        Ok(outcome.with("examined", search.examined).with("skipped_paths", search.skipped))
    }
}

/// A file's content as text, or why it is none.
fn decoded<'b>(bytes: &'b [u8], encoding: Option<&str>, shown: &Path) -> std::result::Result<Cow<'b, str>, String> {
    let name = encoding.unwrap_or("utf-8");
    // Python writes its names with more signs between the letters than the web does.
    let plain = name.replace(['-', '_', ' '], "");
    let known = [name, &plain].into_iter().find_map(|name| encoding_rs::Encoding::for_label(name.as_bytes()));
    let Some(known) = known else { return Err(format!("unknown encoding: {name}")) };
    known.decode_without_bom_handling_and_without_replacement(bytes).ok_or_else(|| {
        let suffix = if encoding.is_none() { " (Python default)" } else { "" };
        format!("Failed to decode the file '{}' with encoding: {name}{suffix}", shown.display())
    })
}

/// A search on its way.
struct Search<'a> {
    args: &'a FindArgs,
    now: i64,
    age: Option<i64>,
    size: Option<i64>,
    patterns: Names,
    excludes: Option<Names>,
    contains: Option<Arc<Pattern>>,
    found: Vec<Json>,
    examined: usize,
    skipped: JsonMap,
    /// Whether one of the folders to look in is none.
    missed: bool,
    /// Why what was looked for in a file's content cannot be found: ends the search below one path.
    unreadable: Option<String>,
    /// Names that were asked for already.
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
    /// The folders on the way down, so that a symlink to one above is no endless way.
    above: BTreeSet<(u64, u64)>,
}

/// Patterns of names.
enum Names {
    Globs(Vec<String>),
    Regexes(Vec<Arc<Pattern>>),
}

impl Names {
    fn new(patterns: &[String], use_regex: bool) -> Result<Self> {
        if !use_regex {
            return Ok(Self::Globs(patterns.to_vec()));
        }
        let compiled: Result<_> = patterns.iter().map(|pattern| compile(pattern, Anchor::Start)).collect();
        compiled.map(Self::Regexes)
    }

    fn takes(&self, name: &str) -> Result<bool> {
        match self {
            Self::Globs(globs) => Ok(globs.iter().any(|pattern| glob::matches(pattern, name))),
            Self::Regexes(regexes) => {
                for regex in regexes {
                    if is_match(regex, name)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

impl<'a> Search<'a> {
    fn new(args: &'a FindArgs) -> Result<Self> {
        let wrong = |what: &str, text: &Option<String>| {
            Failure::new(format!("failed to process {what}")).with(what, text.clone().unwrap_or_default())
        };
        let units = |text: &Option<String>, units: &[(char, i64)]| text.as_deref().map(|text| with_unit(text, units)).transpose();
        let ages = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
        let sizes = [('b', 1), ('k', 1 << 10), ('m', 1 << 20), ('g', 1 << 30), ('t', 1 << 40)];
        let anchor = if args.read_whole_file { Anchor::Anywhere } else { Anchor::Start };
        let everything = [if args.use_regex { ".*" } else { "*" }.to_owned()];
        let patterns = if args.patterns.is_empty() { &everything[..] } else { &args.patterns[..] };
        Ok(Self {
            args,
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64),
            age: units(&args.age, &ages).map_err(|()| wrong("age", &args.age))?,
            size: units(&args.size, &sizes).map_err(|()| wrong("size", &args.size))?,
            patterns: Names::new(patterns, args.use_regex)?,
            excludes: args.excludes.as_ref().map(|names| Names::new(names, args.use_regex)).transpose()?,
            contains: args.contains.as_ref().map(|pattern| compile(pattern, anchor)).transpose()?,
            found: Vec::new(),
            examined: 0,
            skipped: JsonMap::new(),
            missed: false,
            unreadable: None,
            users: HashMap::new(),
            groups: HashMap::new(),
            above: BTreeSet::new(),
        })
    }

    fn is_full(&self) -> bool {
        self.unreadable.is_some() || self.args.limit.is_some_and(|limit| self.found.len() as i64 >= limit)
    }

    /// Looks at what is in `folder`, and goes down. Results name it as `shown`.
    fn walk(&mut self, host: &mut Host, shown: &Path, folder: &Path, depth: i64) -> Result<()> {
        if host.is_cancelled() {
            return Err(Failure::new("the task was cancelled"));
        }
        let names = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<std::io::Result<Vec<OsString>>>());
        let mut names = match names {
            Ok(names) => names,
            Err(error) => {
                let message = format!("{}: '{}'", crate::outcome::errno_text(&error), shown.display());
                self.skipped.insert(paths::shown(shown), message.into());
                return Ok(());
            }
        };
        names.sort();
        self.examined += names.len();
        if self.args.depth.is_some_and(|most| depth > most) {
            return Ok(());
        }
        let mut below = Vec::new();
        for name in names {
            let (shown, path) = (shown.join(&name), folder.join(&name));
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_dir() || (self.args.follow && metadata.is_symlink() && path.is_dir()) {
                below.push((shown.clone(), path.clone()));
            }
            let text = name.to_string_lossy();
            if text.starts_with('.') && !self.args.hidden {
                continue;
            }
            self.look(&shown, &path, &text, &metadata)?;
            if self.is_full() {
                return Ok(());
            }
        }
        if !self.args.recurse {
            return Ok(());
        }
        for (shown, path) in below {
            let Ok(metadata) = path.metadata() else { continue };
            if !self.above.insert((metadata.dev(), metadata.ino())) {
                continue;
            }
            self.walk(host, &shown, &path, depth + 1)?;
            self.above.remove(&(metadata.dev(), metadata.ino()));
            if self.is_full() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes one file up if it is as wanted.
    fn look(&mut self, shown: &Path, path: &Path, name: &str, metadata: &Metadata) -> Result<()> {
        let kind = match self.args.file_type {
            FileType::Any => true,
            FileType::Directory => metadata.is_dir(),
            FileType::File => metadata.is_file(),
            FileType::Link => metadata.is_symlink(),
        };
        if !kind || !self.patterns.takes(name)? || !self.is_old_enough(metadata) || !self.has_mode(metadata)? {
            return Ok(());
        }
        if let Some(excludes) = &self.excludes
            && excludes.takes(name)?
        {
            return Ok(());
        }
        if metadata.is_file() && !(self.is_large_enough(metadata) && self.has_content(shown, path)?) {
            return Ok(());
        }
        let mut entry = basics(shown, metadata);
        for key in ["exists", "block_size", "device_type"] {
            entry.shift_remove(key);
        }
        let user = || identity::user_by_id(metadata.uid()).map_or_else(String::new, |user| user.name);
        let user = self.users.entry(metadata.uid()).or_insert_with(user).as_str();
        entry.insert("pw_name".to_owned(), user.into());
        let group = || identity::group_by_id(metadata.gid()).map_or_else(String::new, |group| group.name);
        let group = self.groups.entry(metadata.gid()).or_insert_with(group).as_str();
        entry.insert("gr_name".to_owned(), group.into());
        if self.args.get_checksum && metadata.is_file() {
            let sum = checksum::of_file(self.args.checksum_algorithm.into(), path).ok();
            entry.insert("checksum".to_owned(), sum.map_or(Json::Null, Json::from));
        }
        self.found.push(Json::Object(entry));
        Ok(())
    }

    fn is_old_enough(&self, metadata: &Metadata) -> bool {
        let Some(age) = self.age else { return true };
        let time = match self.args.age_stamp {
            AgeStamp::Atime => metadata.atime(),
            AgeStamp::Ctime => metadata.ctime(),
            AgeStamp::Mtime => metadata.mtime(),
        };
        let is = self.now - time;
        if age >= 0 { is >= age } else { is <= -age }
    }

    fn is_large_enough(&self, metadata: &Metadata) -> bool {
        let Some(size) = self.size else { return true };
        let is = metadata.size() as i64;
        if size >= 0 { is >= size } else { is <= -size }
    }

    fn has_mode(&self, metadata: &Metadata) -> Result<bool> {
        let Some(written) = &self.args.mode else { return Ok(true) };
        let now = metadata.mode() & 0o7777;
        let wanted = mode::resolve(written, now, metadata.is_dir())?;
        Ok(if self.args.exact_mode { now == wanted } else { now & wanted == wanted })
    }

    fn has_content(&mut self, shown: &Path, path: &Path) -> Result<bool> {
        let Some(pattern) = &self.contains else { return Ok(true) };
        let Ok(bytes) = std::fs::read(path) else { return Ok(false) };
        let text = match decoded(&bytes, self.args.encoding.as_deref(), shown) {
            Ok(text) => text,
            Err(why) => {
                self.unreadable = Some(why);
                return Ok(false);
            }
        };
        if self.args.read_whole_file {
            return is_match(pattern, &text);
        }
        for line in text.split_inclusive('\n') {
            if is_match(pattern, line)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn skip(&mut self, host: &mut Host, path: &Path, why: String) {
        host.warn(format!("Skipped '{}' path due to this access issue: {why}\n", path.display()));
        self.skipped.insert(paths::shown(path), why.into());
        self.missed = true;
    }
}

fn compile(pattern: &str, anchor: Anchor) -> Result<Arc<Pattern>> {
    regex::compile(pattern, Flags::default(), anchor).map_err(|error| Failure::new(format!("invalid pattern `{pattern}`: {error}")))
}

fn is_match(pattern: &Pattern, text: &str) -> Result<bool> {
    pattern.is_match(text).map_err(|error| Failure::new(error.to_string()))
}

/// A number with an optional unit.
fn with_unit(text: &str, units: &[(char, i64)]) -> Result<i64, ()> {
    let text = text.trim().to_lowercase();
    let (number, factor) = match text.chars().last().and_then(|last| units.iter().find(|(unit, _)| *unit == last)) {
        Some((_, factor)) => (&text[..text.len() - 1], *factor),
        None => (text.as_str(), 1),
    };
    number.parse::<i64>().ok().and_then(|number| number.checked_mul(factor)).ok_or(())
}

#[cfg(test)]
mod tests {
    use crate::laws::Law;
    use crate::{Json, Outcome};
    use serde_json::json;

    fn world() -> Law {
        let law = Law::of("find");
        for (name, content) in
            [("d/a.txt", "a\n"), ("d/b.log", "bb\n"), ("d/.hid", ""), ("d/sub/c.txt", "ccc\n"), ("d/sub/deep/z.txt", "z\n")]
        {
            law.write(name, content);
            law.chmod(name, 0o644);
        }
        law.chmod("d/b.log", 0o755);
        law.symlink("a.txt", "d/ln");
        law.symlink("sub", "d/lsub");
        law
    }

    fn find(law: &Law, mut args: Json) -> Outcome {
        if args.get("paths").is_none() {
            args["paths"] = json!(law.path("d"));
        }
        law.unchanged(args)
    }

    #[track_caller]
    fn check(args: Json, expected: &[&str]) {
        let law = world();
        let outcome = find(&law, args);
        let prefix = law.path("d/");
        let found: Vec<String> = outcome
            .get("files")
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap().replace(&prefix, ""))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(outcome.get("matched"), Some(&json!(expected.len())));
    }

    #[test]
    fn files_are_found_by_what_they_are() {
        check(json!({}), &["a.txt", "b.log"]);
        check(json!({"recurse": true, "patterns": "*.txt"}), &["a.txt", "sub/c.txt", "sub/deep/z.txt"]);
        check(json!({"recurse": true, "file_type": "directory"}), &["sub", "sub/deep"]);
        check(json!({"file_type": "link"}), &["ln", "lsub"]);
        check(json!({"hidden": true, "patterns": ".*"}), &[".hid"]);
        check(json!({"age": "5d"}), &[]);
        check(json!({"age": "-5d"}), &["a.txt", "b.log"]);
        check(json!({"size": 3}), &["b.log"]);
        check(json!({"size": "-2"}), &["a.txt"]);
        check(json!({"use_regex": true, "patterns": "^[ab]\\.l"}), &["b.log"]);
        check(json!({"recurse": true, "contains": ".*c{2}"}), &["sub/c.txt"]);
        check(json!({"recurse": true, "contains": "c$", "read_whole_file": true}), &["sub/c.txt"]);
        check(json!({"recurse": true, "excludes": "*.txt"}), &["b.log"]);
        check(json!({"recurse": true, "depth": 2}), &["a.txt", "b.log", "sub/c.txt"]);
        check(json!({"mode": "0755"}), &["b.log"]);
        check(json!({"mode": "u+x", "exact_mode": false}), &["b.log"]);
        check(json!({"limit": 1}), &["a.txt"]);
        check(json!({"patterns": ""}), &[]);
        check(json!({"recurse": true, "follow": true, "patterns": "c.*"}), &["lsub/c.txt", "sub/c.txt"]);
    }

    #[test]
    fn the_result_counts_and_says_what_it_skipped() {
        let law = world();
        assert_eq!(find(&law, json!({"recurse": true, "depth": 2})).get("examined"), Some(&json!(9)));
        let outcome = find(&law, json!({"paths": law.path("none")}));
        assert_eq!(outcome.get("msg"), Some(&json!("Not all paths examined, check warnings for details")));
        assert_eq!(outcome.get("skipped_paths").unwrap()[law.path("none")], format!("'{}' is not a directory", law.path("none")));
        law.fails(json!({"paths": "/", "age": "xx"}), "failed to process age");
        law.fails(json!({"paths": "/", "size": "zz"}), "failed to process size");
        let outcome = find(&law, json!({"get_checksum": true, "checksum_algorithm": "md5", "patterns": "a*"}));
        assert_eq!(outcome.get("files").unwrap()[0]["checksum"], "60b725f10c9c85c70d97880dfe8191b3");
    }
}
