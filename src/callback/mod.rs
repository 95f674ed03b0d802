//! Consumers of events: what a person or a program gets to see of a run. Each is a file and a line of [`CALLBACKS`].

mod default;
mod diff;
mod difflib;
mod dump;
mod events;
mod failure;
mod json;
mod junit;
mod minimal;
mod oneline;
mod place;
mod profile;
mod retry;
mod tree;

use std::path::PathBuf;

pub use default::Default;
pub use dump::LineWidth;
pub use events::Events;

use crate::config::Config;
use crate::display::Display;
use crate::event::{Event, EventSink};

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// What all callbacks are told.
#[derive(Clone, Debug)]
pub struct Options {
    /// How results are written.
    pub format: ResultFormat,
    /// Whether results go over several lines; the format's own way where nobody says.
    pub pretty: Option<bool>,
    /// Blanks that results are indented with.
    pub indent: usize,
    /// Where lines of YAML are broken.
    pub line_width: LineWidth,
    /// How many characters a line of the terminal has.
    pub columns: usize,
    /// How many `-v`.
    pub verbosity: u8,
    /// Whether skipped hosts are shown.
    pub show_skipped: bool,
    /// Whether hosts without change are shown.
    pub show_ok: bool,
    /// Whether inclusions are shown.
    pub show_included: bool,
    /// Whether failures go to stderr.
    pub failures_to_stderr: bool,
    /// Whether plays and tasks in check mode are marked.
    pub check_markers: bool,
    /// Whether the run is one.
    pub check: bool,
    /// Whether the recap has what `set_stats` said.
    pub custom_stats: bool,
    /// Whether the start of a task on a host is shown.
    pub host_start: bool,
    /// Whether a failure names the place of its task.
    pub task_path_on_failure: bool,
    /// Whether tasks are named with their arguments.
    pub args: bool,
    /// Lines around a difference.
    pub diff_context: usize,
    /// The folder of `tree`.
    pub tree: PathBuf,
    /// What `junit` is told.
    pub junit: junit::JunitOptions,
}

/// Wider than any screen: what is beyond would only fill the memory.
const WIDEST_INDENT: usize = 1000;

impl Options {
    /// Those of the settings.
    pub fn of(config: &Config, display: &Display, check: bool) -> Self {
        let count = |number: i64| usize::try_from(number).unwrap_or(0);
        Self {
            format: if config.callback_result_format.value == "yaml" { ResultFormat::Yaml } else { ResultFormat::Json },
            pretty: config.callback_format_pretty.value,
            indent: count(config.callback_result_indentation.value).min(WIDEST_INDENT),
            line_width: match config.callback_result_yaml_line_width.value.as_str() {
                "no-break" => LineWidth::Unbroken,
                "terminal-width" => LineWidth::Terminal,
                _ => LineWidth::Default,
            },
            columns: display.columns(),
            verbosity: display.verbosity,
            show_skipped: config.display_skipped_hosts.value,
            show_ok: config.display_ok_hosts.value,
            show_included: config.display_included_hosts.value,
            failures_to_stderr: config.display_failed_stderr.value,
            check_markers: config.check_mode_markers.value,
            check,
            custom_stats: config.show_custom_stats.value,
            host_start: config.show_per_host_start.value,
            task_path_on_failure: config.show_task_path_on_failure.value,
            args: config.display_args_to_stdout.value,
            diff_context: count(config.diff_context.value),
            tree: config.callback_tree_directory.value.clone(),
            junit: junit::JunitOptions::of(config),
        }
    }
}

/// Writes events to the terminal, or to files.
pub trait Callback {
    /// Takes note of what happened.
    fn event(&mut self, event: &Event, display: &mut Display);

    /// The run is over: what was held back is said.
    fn end(&mut self, _display: &mut Display) {}
}

/// What a callback is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It shows the run: one of these is chosen by `stdout_callback`.
    Stdout,
    /// It says or writes something besides: any of these, by `callbacks_enabled`.
    Besides,
}

/// A callback by its name.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The collections that Ansible has it in.
    pub collections: &'static [&'static str],
    /// What it is for.
    pub kind: Kind,
    /// What it does.
    pub summary: &'static str,
    /// Makes one.
    pub make: fn(&Options) -> Box<dyn Callback>,
}

const BUILTIN: &[&str] = &["ansible.builtin", "ansible.legacy"];
const POSIX: &[&str] = &["ansible.posix"];

/// All callbacks, sorted.
pub const CALLBACKS: &[Entry] = &[
    Entry {
        name: "default",
        collections: BUILTIN,
        kind: Kind::Stdout,
        summary: "what people know from Ansible",
        make: |options| Box::new(Default::new(options.clone())),
    },
    Entry {
        name: "events",
        collections: &[],
        kind: Kind::Stdout,
        summary: "our own events, one JSON object a line, as it happens",
        make: |_| Box::new(events::Lines),
    },
    Entry {
        name: "json",
        collections: POSIX,
        kind: Kind::Stdout,
        summary: "one JSON document at the end",
        make: |options| Box::new(json::Document::new(options)),
    },
    Entry {
        name: "jsonl",
        collections: POSIX,
        kind: Kind::Stdout,
        summary: "one JSON object a line, as it happens",
        make: |options| Box::new(json::Lines::new(options)),
    },
    Entry {
        name: "junit",
        collections: BUILTIN,
        kind: Kind::Besides,
        summary: "a JUnit report",
        make: |options| Box::new(junit::Junit::new(options)),
    },
    Entry {
        name: "minimal",
        collections: BUILTIN,
        kind: Kind::Stdout,
        summary: "results of ad-hoc commands",
        make: |options| Box::new(minimal::Minimal::new(options.clone())),
    },
    Entry {
        name: "oneline",
        collections: BUILTIN,
        kind: Kind::Stdout,
        summary: "one line a result",
        make: |options| Box::new(oneline::Oneline::new(options.clone())),
    },
    Entry {
        name: "profile_roles",
        collections: POSIX,
        kind: Kind::Besides,
        summary: "how long roles took",
        make: |_| Box::new(profile::Profile::of_roles()),
    },
    Entry {
        name: "profile_tasks",
        collections: POSIX,
        kind: Kind::Besides,
        summary: "how long tasks took",
        make: |_| Box::new(profile::Profile::of_tasks()),
    },
    Entry {
        name: "timer",
        collections: POSIX,
        kind: Kind::Besides,
        summary: "how long the run took",
        make: |_| Box::new(profile::Timer::new()),
    },
    Entry {
        name: "tree",
        collections: BUILTIN,
        kind: Kind::Besides,
        summary: "the last result of each host, in a file of its name",
        make: |options| Box::new(tree::Tree::new(options)),
    },
    Entry {
        name: "yaml",
        collections: &["community.general"],
        kind: Kind::Stdout,
        summary: "`default` with results as YAML",
        make: |options| Box::new(Default::new(Options { format: ResultFormat::Yaml, ..options.clone() })),
    },
];

/// The callback of this name, short or with one of its collections.
pub fn find(name: &str) -> Option<&'static Entry> {
    let (collection, short) = name.rsplit_once('.').map_or((None, name), |(collection, short)| (Some(collection), short));
    CALLBACKS.iter().find(|entry| entry.name == short && collection.is_none_or(|collection| entry.collections.contains(&collection)))
}

/// Callbacks that were chosen, with their display: the sink of a run.
pub struct Screen<'d> {
    callbacks: Vec<Box<dyn Callback>>,
    display: &'d mut Display,
}

impl<'d> Screen<'d> {
    /// These callbacks; the first shows the run.
    pub fn new(entries: &[&Entry], options: &Options, display: &'d mut Display) -> Self {
        Self { callbacks: entries.iter().map(|entry| (entry.make)(options)).collect(), display }
    }

    /// With a file of the hosts that failed.
    #[must_use]
    pub fn with_retry_file(mut self, folder: Option<PathBuf>) -> Self {
        // Ansible says it before the recap.
        self.callbacks.insert(0, Box::new(retry::Retry::new(folder)));
        self
    }

    /// The display below.
    pub fn display(&mut self) -> &mut Display {
        self.display
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        for callback in &mut self.callbacks {
            callback.end(self.display);
        }
    }
}

impl EventSink for Screen<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Warning(text) => self.display.warning(text),
            Event::Deprecated(text) => self.display.deprecated(text),
            Event::Progress { done, of } => self.display.progress(*done, *of),
            other => {
                for callback in &mut self.callbacks {
                    callback.event(other, self.display);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_may_have_their_collection() {
        assert!(CALLBACKS.iter().map(|entry| entry.name).is_sorted());
        let check = |name: &str, expected: Option<&str>| assert_eq!(find(name).map(|entry| entry.name), expected, "{name}");
        check("timer", Some("timer"));
        check("ansible.posix.timer", Some("timer"));
        check("ansible.builtin.timer", None);
        check("community.general.yaml", Some("yaml"));
        check("nope", None);
    }
}
